//! What the names are that a pickle loads: three ways, by a table that is data (`rules/models/*.toml`).
//!
//! A name that is on no list is unknown, never safe: any function that turns a text into a callable defeats a list of bad ones. So
//! the safe list decides what passes, and the list of bad ones only says what is worse than unknown.

use std::collections::HashMap;
use std::sync::OnceLock;

/// What a name is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It only builds values.
    Safe,
    /// It does harm, or hands out what does; what it does.
    Denied(&'static str),
    /// It is on no list, but belongs to a library whose parts may be named: not called.
    Part,
    /// It is on no list.
    Unknown,
    /// A class that the loading program itself must define.
    Own,
    /// What it does depends on what it is given.
    Tool(Tool),
}

/// Names of which the arguments decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tool {
    /// `getattr(object, "name")`.
    GetAttr,
    /// `operator.attrgetter("a.b")` and `methodcaller`: something that takes an attribute when it is called.
    Getter,
    /// `functools.partial(f)`: another way to call `f`.
    Partial,
    /// `map(f, …)`, `functools.reduce(f, …)`: calls `f`.
    Applies,
    /// `copyreg._reconstructor(cls, …)`: makes an object of the class it is given.
    Makes,
    /// `torch.storage._load_from_bytes(bytes)`: loads the model in these bytes.
    LoadsBytes,
    /// `numpy.dtype("f8")`.
    Dtype,
    /// `operator.add`, `str.join`: builds a text.
    Text,
    /// `cloudpickle` and `dill`: code that comes along.
    Code,
    /// `type(name, bases, members)`: makes a class.
    MakesClass,
}

const TOOLS: &[(&str, Tool)] = &[
    ("builtins.getattr", Tool::GetAttr),
    ("operator.attrgetter", Tool::Getter),
    ("operator.methodcaller", Tool::Getter),
    ("functools.partial", Tool::Partial),
    ("functools.partialmethod", Tool::Partial),
    ("functools.reduce", Tool::Applies),
    ("builtins.map", Tool::Applies),
    ("builtins.filter", Tool::Applies),
    ("builtins.reduce", Tool::Applies),
    ("itertools.starmap", Tool::Applies),
    ("itertools.accumulate", Tool::Applies),
    ("operator.call", Tool::Applies),
    ("numpy.vectorize", Tool::Applies),
    ("numpy.frompyfunc", Tool::Applies),
    ("numpy.fromfunction", Tool::Applies),
    ("numpy.apply_along_axis", Tool::Applies),
    ("copyreg._reconstructor", Tool::Makes),
    ("copyreg.__newobj__", Tool::Makes),
    ("copyreg.__newobj_ex__", Tool::Makes),
    ("numpy.core.multiarray._reconstruct", Tool::Makes),
    ("torch.storage._load_from_bytes", Tool::LoadsBytes),
    ("numpy.dtype", Tool::Dtype),
    ("operator.add", Tool::Text),
    ("operator.concat", Tool::Text),
    ("operator.iadd", Tool::Text),
    ("operator.iconcat", Tool::Text),
    ("builtins.str.join", Tool::Text),
    ("builtins.type", Tool::MakesClass),
];

/// Modules of libraries that carry functions as compiled code.
const CODE: &[&str] = &["cloudpickle.", "dill.", "joblib.externals.cloudpickle.", "pyspark.cloudpickle."];

/// Modules under other names: of other systems, of Python 2, of what implements them.
const ALIASES: &[(&str, &str)] = &[
    ("posix", "os"),
    ("nt", "os"),
    ("__builtin__", "builtins"),
    ("__builtins__", "builtins"),
    ("copy_reg", "copyreg"),
    ("cPickle", "pickle"),
    ("_compat_pickle", "pickle"),
    ("_operator", "operator"),
    ("_functools", "functools"),
    ("_io", "io"),
    ("cStringIO", "io"),
    ("StringIO", "io"),
    ("_imp", "imp"),
    ("commands", "subprocess"),
    ("subprocess32", "subprocess"),
    ("thread", "_thread"),
    ("httplib", "http.client"),
    ("urllib2", "urllib.request"),
    ("urlparse", "urllib.parse"),
    ("robotparser", "urllib.robotparser"),
    ("xmlrpclib", "xmlrpc.client"),
    ("SimpleXMLRPCServer", "xmlrpc.server"),
    ("DocXMLRPCServer", "xmlrpc.server"),
    ("BaseHTTPServer", "http.server"),
    ("SimpleHTTPServer", "http.server"),
    ("CGIHTTPServer", "http.server"),
    ("Cookie", "http.cookies"),
    ("cookielib", "http.cookiejar"),
    ("SocketServer", "socketserver"),
    ("Tkinter", "tkinter"),
    ("_multiprocessing", "multiprocessing"),
    ("UserDict", "collections"),
    ("UserList", "collections"),
    ("anydbm", "dbm"),
    ("whichdb", "dbm"),
    ("gdbm", "dbm"),
    ("dumbdb", "dbm"),
    ("numpy._core", "numpy.core"),
    ("sklearn.externals.joblib", "joblib"),
    ("dummy_thread", "_thread"),
    ("_dummy_thread", "_thread"),
    ("_pydatetime", "datetime"),
    ("_pydecimal", "decimal"),
    ("_asyncio", "asyncio"),
];

/// One entry of the table.
#[derive(Clone, Copy)]
enum Entry {
    Safe,
    Denied(&'static str),
}

/// The table.
pub(crate) struct Table {
    exact: HashMap<&'static str, Entry>,
    /// By what stands before `.*`.
    below: HashMap<&'static str, Entry>,
    /// Packages whose classes may be made, each ending with a dot.
    classes: Vec<&'static str>,
    parts: Vec<&'static str>,
    /// Modules of one word of which everything is denied: what a walk through attributes may end at.
    modules: HashMap<&'static str, &'static str>,
}

#[derive(serde::Deserialize)]
pub(super) struct DenyFile {
    pub(super) deny: Vec<Deny>,
}

#[derive(serde::Deserialize)]
pub(super) struct Deny {
    pub(super) does: String,
    names: Vec<String>,
    #[cfg_attr(not(test), expect(dead_code, reason = "tried by the tests"))]
    pub(super) found: Vec<String>,
    #[cfg_attr(not(test), expect(dead_code, reason = "tried by the tests"))]
    pub(super) clean: Vec<String>,
}

#[derive(serde::Deserialize)]
pub(super) struct AllowFile {
    pub(super) allow: Vec<Allow>,
}

#[derive(serde::Deserialize)]
pub(super) struct Allow {
    #[cfg_attr(not(test), expect(dead_code, reason = "named by the tests"))]
    pub(super) of: String,
    names: Vec<String>,
    #[serde(default)]
    classes: Vec<String>,
    #[serde(default)]
    parts: Vec<String>,
    #[cfg_attr(not(test), expect(dead_code, reason = "tried by the tests"))]
    pub(super) found: Vec<String>,
    #[cfg_attr(not(test), expect(dead_code, reason = "tried by the tests"))]
    pub(super) clean: Vec<String>,
}

pub(super) const DENY: &str = include_str!("../../../rules/models/deny.toml");
pub(super) const ALLOW: &str = include_str!("../../../rules/models/allow.toml");

impl Table {
    /// The table of this program, built once.
    pub(crate) fn builtin() -> &'static Self {
        static TABLE: OnceLock<Table> = OnceLock::new();
        TABLE.get_or_init(|| {
            let deny: DenyFile = toml::from_str(DENY).expect("the tests read the table");
            let allow: AllowFile = toml::from_str(ALLOW).expect("the tests read the table");
            Self::build(deny, allow)
        })
    }

    fn build(deny: DenyFile, allow: AllowFile) -> Self {
        let mut table = Self {
            exact: HashMap::new(),
            below: HashMap::new(),
            classes: Vec::new(),
            parts: Vec::new(),
            modules: HashMap::new(),
        };
        let kept = |text: String| -> &'static str { Box::leak(text.into_boxed_str()) };
        for group in deny.deny {
            let does = kept(group.does);
            for name in group.names {
                let name = kept(name);
                if let Some(module) = name.strip_suffix(".*").filter(|module| !module.contains('.')) {
                    table.modules.insert(module, does);
                }
                table.add(name, Entry::Denied(does));
            }
        }
        for group in allow.allow {
            group.names.into_iter().for_each(|name| table.add(kept(name), Entry::Safe));
            table.classes.extend(group.classes.into_iter().map(kept));
            table.parts.extend(group.parts.into_iter().map(kept));
        }
        table
    }

    fn add(&mut self, name: &'static str, entry: Entry) {
        match name.strip_suffix(".*") {
            Some(module) => self.below.insert(module, entry),
            None => self.exact.insert(name, entry),
        };
    }

    /// What `name` of `module` is.
    pub(crate) fn standing(&self, module: &str, name: &str) -> Standing {
        let module = canonical(module);
        let whole = format!("{module}.{name}");
        if let Some((_, tool)) = TOOLS.iter().find(|(known, _)| *known == whole) {
            return Standing::Tool(*tool);
        }
        if let Some(entry) = self.exact.get(whole.as_str()) {
            return entry.standing();
        }
        if let Some(does) = self.walk(name) {
            return Standing::Denied(does);
        }
        if let Some((entry, rest)) = self.longest(&whole) {
            // What is safe below a module is what it defines, not what it imported.
            return self.walk(rest).map_or(entry.standing(), Standing::Denied);
        }
        if CODE.iter().any(|known| whole.starts_with(known)) {
            return Standing::Tool(Tool::Code);
        }
        self.of_libraries(&module, name, &whole)
    }

    fn of_libraries(&self, module: &str, name: &str, whole: &str) -> Standing {
        let within = |list: &[&str]| list.iter().any(|known| whole.starts_with(known));
        if within(&self.classes) && (name.split('.').all(is_class) || name.starts_with("__pyx_unpickle_")) {
            return Standing::Safe;
        }
        if within(&self.parts) || within(&self.classes) {
            return Standing::Part;
        }
        if module == "__main__" && is_class(name) { Standing::Own } else { Standing::Unknown }
    }

    /// The longest entry for everything below a module, and what stands below.
    fn longest<'w>(&self, whole: &'w str) -> Option<(Entry, &'w str)> {
        let mut end = whole.len();
        while let Some(dot) = whole[..end].rfind('.') {
            end = dot;
            if let Some(entry) = self.below.get(&whole[..end]) {
                return Some((*entry, &whole[end + 1..]));
            }
        }
        None
    }

    /// What a name reaches that walks through attributes: `os.system` in `torch.serialization`, or `os` itself.
    fn walk(&self, name: &str) -> Option<&'static str> {
        let mut rest = name;
        loop {
            let (first, after) =
                rest.split_once('.').map_or((rest, None), |(first, after)| (first, Some(after)));
            // Libraries import modules under private names: `_sys`.
            let plain = first.trim_start_matches('_');
            for word in [first, plain] {
                if let Some(does) =
                    self.modules.get(canonical(word).as_ref()).filter(|_| is_module_like(word))
                {
                    return Some(does);
                }
            }
            if is_inner(first) {
                return Some("reaches into the interpreter");
            }
            rest = after?;
            if let Some(Entry::Denied(does)) = self.exact.get(format!("{first}.{rest}").as_str()) {
                return Some(does);
            }
        }
    }

    /// Whether a name ends in a way to start programs or run text, through whatever module it goes.
    pub(crate) fn leads_to_commands(&self, name: &str) -> bool {
        let mut rest = name;
        while let Some((_, after)) = rest.split_once('.') {
            let (module, last) = after.rsplit_once('.').unwrap_or(("", after));
            let is_bad =
                matches!(module, "os" | "subprocess" | "builtins" | "importlib" | "runpy" | "pty" | "sys");
            if is_bad && matches!(self.standing(module, last), Standing::Denied(_)) {
                return true;
            }
            rest = after;
        }
        false
    }

    /// Whether reaching for this attribute of an unknown object is harm.
    pub(crate) fn is_bad_attribute(&self, name: &str) -> bool {
        const CALLS: &[&str] = &[
            "system",
            "popen",
            "Popen",
            "check_output",
            "getoutput",
            "execv",
            "execve",
            "exec",
            "eval",
            "compile",
            "import_module",
            "rmtree",
            "unlink",
            "write_text",
            "write_bytes",
            "modules",
            "loads",
            "spawnv",
            "startfile",
            "urlopen",
            "func_globals",
            "gi_frame",
            "f_globals",
            "mro",
        ];
        CALLS.iter().any(|bad| name.split('.').any(|part| part == *bad)) || self.walk(name).is_some()
    }
}

impl Entry {
    fn standing(self) -> Standing {
        match self {
            Self::Safe => Standing::Safe,
            Self::Denied(does) => Standing::Denied(does),
        }
    }
}

/// A module under the name that the table has.
fn canonical(module: &str) -> std::borrow::Cow<'_, str> {
    for (alias, known) in ALIASES {
        if let Some(rest) = module.strip_prefix(alias).filter(|rest| rest.is_empty() || rest.starts_with('.'))
        {
            return format!("{known}{rest}").into();
        }
    }
    module.into()
}

/// Whether a name is one that classes have.
fn is_class(name: &str) -> bool {
    !name.contains('.')
        && !is_inner(name)
        && name.trim_start_matches('_').starts_with(|c: char| c.is_ascii_uppercase())
        || is_distribution(name)
}

/// SciPy's distributions are classes in small letters: `norm_gen`.
fn is_distribution(name: &str) -> bool {
    name.ends_with("_gen") && !name.contains('.')
}

/// Names that Python itself gives, by which one gets from any object to any other.
fn is_inner(name: &str) -> bool {
    name.len() > 4
        && name.starts_with("__")
        && name.ends_with("__")
        && !matches!(name, "__newobj__" | "__newobj_ex__")
}

/// Whether a word of one attribute may be a module at all: short words that classes and fields bear too are not taken for one.
fn is_module_like(name: &str) -> bool {
    !matches!(
        name,
        "test"
            | "code"
            | "profile"
            | "trace"
            | "resource"
            | "select"
            | "signal"
            | "site"
            | "parser"
            | "symbol"
            | "new"
            | "glob"
            | "requests"
            | "ray"
            | "git"
            | "sh"
            | "fire"
            | "invoke"
            | "docker"
            | "locale"
            | "cgi"
            | "dns"
            | "http"
            | "tables"
            | "distributed"
            | "pip"
            | "csv"
            | "xml"
            | "inspect"
            | "traceback"
            | "warnings"
            | "threading"
    )
}
