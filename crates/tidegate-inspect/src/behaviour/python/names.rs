//! Names of Python's libraries that mean the same, and what some of them stand for.

use super::interp::{CI, LOCALE, MACHINE};
use super::value::Gates;

/// Modules that other modules hold: `shutil.os.system` is `os.system`.
const HELD: &[&str] = &[
    "os",
    "sys",
    "subprocess",
    "builtins",
    "socket",
    "importlib",
    "ctypes",
    "base64",
    "marshal",
    "zlib",
    "pickle",
    "shutil",
];

/// Beginnings of names, and what they are called here.
const SAME: &[(&str, &str)] = &[
    ("posix.", "os."),
    ("nt.", "os."),
    ("posixpath.", "os.path."),
    ("ntpath.", "os.path."),
    ("__builtin__.", "builtins."),
    ("__builtins__.", "builtins."),
    ("six.moves.builtins.", "builtins."),
    ("future.builtins.", "builtins."),
    ("six.moves.", ""),
    ("urllib2.", "urllib.request."),
    ("urllib.urlopen", "urllib.request.urlopen"),
    ("urllib.urlretrieve", "urllib.request.urlretrieve"),
    ("urllib.urlencode", "urllib.parse.urlencode"),
    ("httplib.", "http.client."),
    ("cPickle.", "pickle."),
    ("_pickle.", "pickle."),
    ("dill.", "pickle."),
    ("cloudpickle.", "pickle."),
    ("commands.", "subprocess."),
    ("subprocess32.", "subprocess."),
    ("_winreg.", "winreg."),
    ("_socket.", "socket."),
    ("pathlib2.", "pathlib."),
    ("pathlib.PosixPath", "pathlib.Path"),
    ("pathlib.WindowsPath", "pathlib.Path"),
    ("pathlib.PurePosixPath", "pathlib.Path"),
    ("pathlib.PurePath", "pathlib.Path"),
    ("requests.sessions.", "requests."),
    ("requests.api.", "requests."),
    ("binascii.a2b_base64", "base64.b64decode"),
    ("Cryptodome.", "Crypto."),
    ("importlib.__import__", "builtins.__import__"),
    ("_frozen_importlib._gcd_import", "importlib.import_module"),
    ("importlib._bootstrap._gcd_import", "importlib.import_module"),
    ("imp.load_dynamic", "importlib.load_dynamic"),
    ("_io.open", "builtins.open"),
    ("io.open", "builtins.open"),
    ("codecs.open", "builtins.open"),
    ("aiofiles.open", "builtins.open"),
    ("gzip.open", "builtins.open"),
];

/// One name for names that mean the same, if it has another one.
pub(super) fn canonical(name: &str) -> Option<String> {
    let mut now: Option<String> = None;
    let current = name;
    if !current.contains('(') && !current.starts_with("asyncio.") {
        let parts: Vec<&str> = current.split('.').collect();
        let held =
            parts.iter().rposition(|part| HELD.contains(part)).filter(|at| *at > 0 && *at + 1 < parts.len());
        if let Some(at) = held
            && !(parts.first() == Some(&"os") && parts.get(at) == Some(&"path"))
        {
            now = Some(parts.get(at..).unwrap_or_default().join("."));
        }
    }
    for _ in 0..2 {
        let current = now.as_deref().unwrap_or(name);
        let found = SAME.iter().find(|(from, _)| {
            current
                .strip_prefix(from)
                .is_some_and(|rest| from.ends_with('.') || rest.is_empty() || rest.starts_with(['.', '(']))
        });
        match found {
            Some((from, to)) => {
                let rest = current.strip_prefix(from).unwrap_or_default();
                now = Some(format!("{to}{rest}"));
            }
            None => break,
        }
    }
    now
}

/// The builtins that matter here.
pub(super) fn is_builtin(name: &str) -> bool {
    matches!(
        name,
        "exec"
            | "eval"
            | "compile"
            | "execfile"
            | "open"
            | "__import__"
            | "getattr"
            | "setattr"
            | "globals"
            | "locals"
            | "vars"
            | "dir"
            | "chr"
            | "unichr"
            | "ord"
            | "bytes"
            | "bytearray"
            | "str"
            | "unicode"
            | "int"
            | "list"
            | "tuple"
            | "dict"
            | "set"
            | "map"
            | "filter"
            | "zip"
            | "enumerate"
            | "reversed"
            | "sorted"
            | "range"
            | "xrange"
            | "len"
            | "isinstance"
            | "issubclass"
            | "hasattr"
            | "callable"
            | "repr"
            | "ascii"
            | "format"
            | "print"
            | "input"
            | "raw_input"
            | "property"
            | "staticmethod"
            | "classmethod"
            | "super"
            | "type"
            | "iter"
            | "next"
            | "sum"
            | "min"
            | "max"
            | "any"
            | "all"
            | "bool"
            | "hash"
            | "id"
            | "hex"
            | "oct"
            | "bin"
            | "float"
            | "memoryview"
            | "frozenset"
            | "exit"
            | "quit"
            | "breakpoint"
            | "reduce"
            | "file"
            | "abs"
            | "round"
    )
}

/// Names that `from module import *` is likely to be for.
pub(super) fn star(module: &str, mut each: impl FnMut(&'static str)) {
    let names: &[&'static str] = match module {
        "os" => &[
            "system", "popen", "environ", "getenv", "path", "remove", "listdir", "walk", "chmod", "execv",
            "getcwd",
        ],
        "subprocess" => {
            &["Popen", "run", "call", "check_call", "check_output", "getoutput", "PIPE", "DEVNULL"]
        }
        "socket" => {
            &["socket", "create_connection", "gethostname", "gethostbyname", "AF_INET", "SOCK_STREAM"]
        }
        "base64" => &["b64decode", "b64encode", "b85decode", "b32decode", "b16decode", "urlsafe_b64decode"],
        "ctypes" => &[
            "CDLL",
            "windll",
            "memmove",
            "CFUNCTYPE",
            "cast",
            "c_char_p",
            "c_void_p",
            "create_string_buffer",
        ],
        "urllib.request" => &["urlopen", "urlretrieve", "Request"],
        "pathlib" => &["Path"],
        "shutil" => &["copy", "copyfile", "move", "rmtree"],
        "requests" => &["get", "post", "put", "Session"],
        "marshal" => &["loads"],
        "zlib" => &["decompress"],
        "setuptools" => &["setup", "Command", "find_packages"],
        _ => &[],
    };
    names.iter().for_each(|name| each(name));
}

/// Modules of the standard library whose names are looked up often.
pub(super) fn is_standard(module: &str) -> bool {
    matches!(
        module.split('.').next().unwrap_or(module),
        "os" | "sys"
            | "subprocess"
            | "builtins"
            | "socket"
            | "importlib"
            | "ctypes"
            | "base64"
            | "marshal"
            | "zlib"
            | "pickle"
            | "shutil"
            | "json"
            | "re"
            | "io"
            | "time"
            | "datetime"
            | "typing"
            | "collections"
            | "functools"
            | "itertools"
            | "pathlib"
            | "urllib"
            | "http"
            | "ssl"
            | "logging"
            | "threading"
            | "types"
            | "abc"
            | "contextlib"
            | "dataclasses"
            | "enum"
            | "string"
            | "random"
            | "hashlib"
            | "platform"
            | "tempfile"
            | "glob"
            | "struct"
            | "copy"
            | "math"
            | "asyncio"
            | "warnings"
            | "inspect"
            | "unittest"
            | "__future__"
            | "decimal"
            | "operator"
            | "traceback"
            | "uuid"
            | "getpass"
            | "email"
            | "textwrap"
            | "codecs"
            | "select"
            | "signal"
    )
}

/// Whether a name may be of another module of the package.
pub(super) fn may_be_own(name: &str) -> bool {
    name.len() <= 160 && (name.starts_with('.') || !is_standard(name))
}

/// Methods of texts, bytes and containers that are worth keeping as values.
pub(super) fn is_text_method(name: &str) -> bool {
    matches!(
        name,
        "join"
            | "replace"
            | "decode"
            | "encode"
            | "format"
            | "split"
            | "strip"
            | "lower"
            | "upper"
            | "get"
            | "pop"
            | "items"
            | "values"
            | "append"
            | "translate"
            | "__getitem__"
            | "__add__"
    )
}

/// Whether an environment variable tells of the machine.
pub(in super::super) fn gates_of_variable(name: &str) -> Gates {
    match name {
        "CI"
        | "GITHUB_ACTIONS"
        | "GITLAB_CI"
        | "TRAVIS"
        | "CIRCLECI"
        | "JENKINS_URL"
        | "BUILDKITE"
        | "TF_BUILD"
        | "TEAMCITY_VERSION"
        | "APPVEYOR"
        | "BITBUCKET_BUILD_NUMBER"
        | "CODEBUILD_BUILD_ID"
        | "CONTINUOUS_INTEGRATION"
        | "GITHUB_ACTION"
        | "GITHUB_WORKFLOW"
        | "RUNNER_OS"
        | "DRONE"
        | "JENKINS_HOME"
        | "BUILD_NUMBER" => CI,
        "LANG" | "LC_ALL" | "LANGUAGE" | "TZ" | "LC_CTYPE" => LOCALE,
        "USER"
        | "USERNAME"
        | "LOGNAME"
        | "HOSTNAME"
        | "COMPUTERNAME"
        | "USERDOMAIN"
        | "NUMBER_OF_PROCESSORS" => MACHINE,
        _ => 0,
    }
}

/// The folder that an environment variable names.
pub(in super::super) fn folder_of_variable(name: &str) -> Option<&'static str> {
    Some(match name {
        "HOME" | "USERPROFILE" | "HOMEPATH" => "~",
        "APPDATA" => "%APPDATA%",
        "LOCALAPPDATA" => "%LOCALAPPDATA%",
        "TEMP" | "TMP" | "TMPDIR" => "%TEMP%",
        "PROGRAMDATA" | "ALLUSERSPROFILE" => "%PROGRAMDATA%",
        "XDG_CONFIG_HOME" => "~/.config",
        "WINDIR" | "SystemRoot" | "SYSTEMROOT" => "%WINDIR%",
        _ => return None,
    })
}

/// Whether replacing this attribute of a library changes what others run.
pub(super) fn is_hookable(place: &str) -> bool {
    if place.contains('(') || place.starts_with('.') {
        return false;
    }
    match place.split('.').next() {
        Some("builtins") => true,
        Some("sys") => {
            matches!(place, "sys.meta_path" | "sys.path_hooks" | "sys.settrace" | "sys.setprofile")
        }
        Some(
            "socket" | "ssl" | "requests" | "urllib" | "urllib3" | "http" | "httpx" | "aiohttp" | "importlib"
            | "subprocess" | "os" | "json" | "getpass" | "open" | "io" | "hashlib" | "keyring"
            | "cryptography" | "solders" | "solana" | "eth_account" | "web3" | "bip_utils" | "mnemonic"
            | "smtplib" | "boto3" | "botocore" | "pip" | "logging" | "pickle",
        ) => true,
        _ => false,
    }
}

/// Attributes of clients that hold a function for messages.
pub(super) fn is_message_handler(place: &str) -> bool {
    place.contains("()")
        && ["on_message", "on_data", "on_publish", "on_connect", "message_callback"]
            .iter()
            .any(|name| place.rsplit('.').next() == Some(name))
        && !place.ends_with("on_connect")
}
