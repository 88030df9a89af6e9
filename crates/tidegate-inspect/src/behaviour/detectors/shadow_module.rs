//! A wheel installs a top-level module that belongs to another, well-known distribution.
//!
//! Whoever imports the known name gets this package's code, depending on what was installed last.
//!
//! **What to do:** see which distribution should give the module. **Limits:** names that contain the known one (builds for other processors, stubs, forks that say so)
//! are taken as declared. **Example:** a wheel `handy-tools` with a folder `requests/`.

use super::common::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "behaviour/shadow-module",
    catalogue: "SHADOW-MODULE",
    title: "installs a module of another distribution",
    severity: High,
    ecosystems: &[Ecosystem::Pypi],
    run,
};

/// Modules, and words of the names of distributions that may give them.
const MODULES: &[(&str, &[&str])] = &[
    ("requests", &["requests"]),
    ("urllib3", &["urllib3"]),
    ("numpy", &["numpy"]),
    ("pandas", &["pandas"]),
    ("yaml", &["yaml"]),
    ("PIL", &["pillow", "pil"]),
    ("bs4", &["beautifulsoup", "bs4"]),
    ("sklearn", &["scikit", "sklearn"]),
    ("cv2", &["opencv"]),
    ("setuptools", &["setuptools"]),
    ("pkg_resources", &["setuptools"]),
    ("pip", &["pip"]),
    ("wheel", &["wheel"]),
    ("six", &["six"]),
    ("attr", &["attrs"]),
    ("dateutil", &["dateutil"]),
    ("jwt", &["jwt"]),
    ("Crypto", &["crypto"]),
    ("boto3", &["boto3"]),
    ("botocore", &["botocore"]),
    ("flask", &["flask"]),
    ("django", &["django"]),
    ("jinja2", &["jinja"]),
    ("click", &["click"]),
    ("rich", &["rich"]),
    ("certifi", &["certifi"]),
    ("idna", &["idna"]),
    ("charset_normalizer", &["charset"]),
    ("cryptography", &["cryptography"]),
    ("psutil", &["psutil"]),
    ("pytest", &["pytest"]),
    ("torch", &["torch"]),
    ("tensorflow", &["tensorflow", "tf_"]),
    ("transformers", &["transformers"]),
    ("openai", &["openai"]),
    ("aiohttp", &["aiohttp"]),
    ("httpx", &["httpx"]),
    ("pydantic", &["pydantic"]),
    ("sqlalchemy", &["sqlalchemy"]),
    ("redis", &["redis"]),
    ("selenium", &["selenium"]),
    ("scipy", &["scipy"]),
    ("matplotlib", &["matplotlib"]),
    ("paramiko", &["paramiko"]),
    ("psycopg2", &["psycopg2"]),
    ("pymongo", &["pymongo"]),
    ("fastapi", &["fastapi"]),
    ("typing_extensions", &["typing"]),
    ("packaging", &["packaging"]),
    ("lxml", &["lxml"]),
    ("colorama", &["colorama"]),
    ("tqdm", &["tqdm"]),
    ("anthropic", &["anthropic"]),
    ("google/auth", &["google"]),
    ("web3", &["web3"]),
    ("dotenv", &["dotenv"]),
];

/// Modules of Python's own library that a distribution has no reason to bring; backports carry the module's name in theirs.
const STANDARD: &[&str] = &[
    "abc",
    "argparse",
    "ast",
    "asyncio",
    "base64",
    "binascii",
    "bz2",
    "calendar",
    "codecs",
    "collections",
    "concurrent",
    "configparser",
    "contextlib",
    "copy",
    "csv",
    "ctypes",
    "dataclasses",
    "datetime",
    "decimal",
    "difflib",
    "email",
    "enum",
    "fnmatch",
    "functools",
    "getpass",
    "gettext",
    "glob",
    "gzip",
    "hashlib",
    "heapq",
    "hmac",
    "html",
    "http",
    "imaplib",
    "importlib",
    "inspect",
    "io",
    "ipaddress",
    "itertools",
    "json",
    "keyword",
    "linecache",
    "locale",
    "logging",
    "lzma",
    "marshal",
    "math",
    "mimetypes",
    "multiprocessing",
    "netrc",
    "ntpath",
    "numbers",
    "operator",
    "os",
    "pathlib",
    "pickle",
    "pkgutil",
    "platform",
    "plistlib",
    "posixpath",
    "pprint",
    "queue",
    "random",
    "re",
    "reprlib",
    "runpy",
    "sched",
    "secrets",
    "select",
    "selectors",
    "shelve",
    "shlex",
    "shutil",
    "signal",
    "site",
    "smtplib",
    "socket",
    "socketserver",
    "sqlite3",
    "ssl",
    "stat",
    "statistics",
    "string",
    "struct",
    "subprocess",
    "sysconfig",
    "tarfile",
    "tempfile",
    "textwrap",
    "threading",
    "time",
    "timeit",
    "token",
    "tokenize",
    "traceback",
    "tracemalloc",
    "types",
    "typing",
    "unicodedata",
    "unittest",
    "urllib",
    "uuid",
    "warnings",
    "weakref",
    "webbrowser",
    "xml",
    "zipfile",
    "zipimport",
    "zlib",
];

fn run(package: &Package, findings: &mut Findings) {
    let name = package
        .manifest
        .as_ref()
        .and_then(|m| m.name.clone())
        .unwrap_or_default()
        .to_ascii_lowercase()
        .replace(['-', '.'], "_");
    if name.is_empty() || !package.is_wheel {
        return;
    }
    for module in
        STANDARD.iter().filter(|module| !name.contains(**module) && name != "futures" && name != "future")
    {
        let file = package.files.iter().find(|file| {
            let path = file.path.split_once(".data/purelib/").map_or(file.path.as_str(), |(_, rest)| rest);
            path == format!("{module}/__init__.py") || path == format!("{module}.py")
        });
        if let Some(file) = file {
            let message = format!("installs the module `{module}`, which Python itself has");
            findings.tell_at(&file.full, None, Stage::Import, (High, Likely), &message, &file.path);
        }
    }
    for (module, owners) in MODULES {
        let file = package.files.iter().find(|file| {
            let path = file.path.split_once(".data/purelib/").map_or(file.path.as_str(), |(_, rest)| rest);
            path == format!("{module}/__init__.py") || path == format!("{module}.py")
        });
        let is_owner = owners.iter().any(|owner| name.contains(owner));
        if let Some(file) = file.filter(|_| !is_owner) {
            let message = format!("installs the module `{module}`, which belongs to another distribution");
            findings.tell_at(&file.full, None, Stage::Import, (High, Likely), &message, &file.path);
        }
    }
}
