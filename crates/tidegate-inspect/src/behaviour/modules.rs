//! What joins the modules of a package of Python or Rust: calls of functions that another file defines, and constants that it names.
//!
//! A reader of a language sees one file. For every function that others may call it notes what the function does, where its
//! arguments go and what its result comes from; for every call of a name of another module it notes what goes in and where the
//! result goes. When all files are known, `join` finds who means whom: what a file calls on loading runs on loading, a value
//! that leaves one file and is sent by another is one flow, an address that stands in a file of settings is filled in.
//! Nothing is guessed: a name that no file of the package defines joins nothing.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};

use super::facts::{DETAIL_BYTES, Fact, Flow, Language, Scope, Stage, What, cut};
use super::package::Package;

/// Calls of other modules, functions and names that one file keeps.
pub const JOINS_OF_A_FILE: usize = 600;

/// Steps on all ways from file to file.
const STEPS: usize = 200_000;

/// Calls of a package of which it is found out whom they mean.
const CALLS: usize = 200_000;

/// Facts and calls of one function that are kept.
pub(super) const DONE_BY_A_FUNCTION: usize = 128;

/// Steps on one way.
const WAY: u32 = 24;

/// Names that stand for other names before one is given up.
const RENAMED: u32 = 6;

/// How a name of another module is marked in a detail until it is known: `*` with `.settings.URL` between two control characters.
pub(super) const OPEN: &str = "*\u{1}";

/// Where such a name ends.
const CLOSE: char = '\u{2}';

/// A place that values go from and to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Node {
    /// A fact of the file.
    Fact(u32),
    /// A source that counts only where its value gets to another file.
    Hidden(u32),
    /// A call of something that another file may define.
    Call(u32),
    /// The arguments of a function of the file.
    Given(u32),
    /// The result of a function of the file.
    Result(u32),
}

/// A call of a name of another module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The name as the language writes it, with dots before it where it is relative.
    pub name: String,
    /// Whether it is made when the file is loaded.
    pub scope: Scope,
}

/// A function that others may call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Function {
    /// Its name, `Class.method` for a method.
    pub name: String,
    /// Facts and calls within it.
    pub does: Vec<Node>,
}

/// What joins a file to others.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Modules {
    /// Calls of what others may define.
    pub calls: Vec<Call>,
    /// Functions that others may call.
    pub functions: Vec<Function>,
    /// How values go between all these: from, to, whether through a decoder.
    pub edges: Vec<(Node, Node, bool)>,
    /// Sources that count only where their value gets to another file.
    pub hidden: Vec<Fact>,
    /// Names that the file gives on: its own name for them (`*` for all of a module), and whose they are.
    pub names: Vec<(String, String)>,
    /// Texts that stand at the top of the file, by name.
    pub constants: Vec<(String, String)>,
    /// Facts whose detail holds names of others, as `open` writes them.
    pub open: Vec<(u32, String)>,
}

impl Modules {
    /// Bytes that are kept of them.
    pub(super) fn bytes(&self) -> usize {
        let text =
            |pairs: &[(String, String)]| -> usize { pairs.iter().map(|(a, b)| a.len() + b.len() + 48).sum() };
        self.calls.iter().map(|call| call.name.len() + 32).sum::<usize>()
            + self.functions.iter().map(|f| f.name.len() + 48 + f.does.len() * 8).sum::<usize>()
            + self.edges.len() * 20
            + text(&self.names)
            + text(&self.constants)
            + self.open.iter().map(|(_, text)| text.len() + 32).sum::<usize>()
    }
}

/// A name of another module as part of a detail.
pub(super) fn open(name: &str) -> String {
    format!("{OPEN}{name}{CLOSE}")
}

/// Fills in the names of others that a detail holds; `*` for those that nobody knows. None where there are none.
pub(super) fn filled(detail: &str, mut known: impl FnMut(&str) -> Option<String>) -> Option<String> {
    let mut at = detail.find(OPEN)?;
    let mut out = String::with_capacity(detail.len());
    let mut rest = detail;
    loop {
        out.push_str(&rest[..at]);
        let inner = &rest[at + OPEN.len()..];
        let Some(end) = inner.find(CLOSE) else {
            // Cut off in the middle of a name.
            out.push('*');
            return Some(out);
        };
        out.push_str(&known(&inner[..end]).unwrap_or_else(|| "*".to_owned()));
        rest = &inner[end + 1..];
        match rest.find(OPEN) {
            Some(next) => at = next,
            None => break,
        }
    }
    out.push_str(rest);
    Some(out)
}

/// A place in a package: the file and the place in it.
type Place = (usize, Node);

/// Who is called what.
struct Names {
    /// Files by the dotted name of their module.
    modules: HashMap<String, usize>,
    /// Of each file, the parts of its package's name, for relative names.
    packages: Vec<Vec<String>>,
    functions: HashMap<(usize, String), u32>,
}

/// Joins the files of a package whose stages are known, and forgets what is only needed for that.
pub(super) fn join(package: &mut Package) {
    if package
        .code
        .iter()
        .any(|code| !code.facts.modules.calls.is_empty() || !code.facts.modules.open.is_empty())
    {
        let names = Names::of(package);
        fill(package, &names);
        let called = called(package, &names);
        load(package, &called);
        flows(package, &called);
    }
    package.code.iter_mut().for_each(|code| code.facts.modules = Modules::default());
}

impl Names {
    fn of(package: &Package) -> Self {
        let mut names = Self { modules: HashMap::new(), packages: Vec::new(), functions: HashMap::new() };
        for (file, code) in package.code.iter().enumerate() {
            let mut parts = Vec::new();
            if code.language == Some(Language::Rust) {
                parts = crate_parts(&code.path);
                names.modules.entry(rust_name(&parts)).or_insert(file);
                for (number, function) in (0_u32..).zip(&code.facts.modules.functions) {
                    names.functions.entry((file, function.name.clone())).or_insert(number);
                }
            } else if code.language == Some(Language::Python) {
                parts = module_parts(&code.path);
                let module = parts.join(".");
                names.modules.entry(module).or_insert(file);
                let is_folder =
                    code.path.rsplit('/').next().is_some_and(|name| name.starts_with("__init__."));
                if !is_folder {
                    parts.pop();
                }
                for (number, function) in (0_u32..).zip(&code.facts.modules.functions) {
                    names.functions.entry((file, function.name.clone())).or_insert(number);
                }
            }
            names.packages.push(parts);
        }
        names
    }

    /// As [`Names::module`] for a path of Rust, of which `crate`, `self` and `super` are left out: below the module that it stands in,
    /// beside it, or from the top.
    fn rust_module(&self, from: usize, name: &str) -> Option<(usize, String)> {
        let own = self.packages.get(from)?;
        let parts: Vec<String> = name.split('.').map(str::to_owned).collect();
        let last = parts.last()?.clone();
        let bases = [
            own.as_slice(),
            own.get(..own.len().saturating_sub(1)).unwrap_or_default(),
            &own[..own.len().min(1)],
        ];
        for base in bases {
            for taken in (1..parts.len()).rev() {
                let module = [base, &parts[..taken]].concat();
                if let Some(file) = self.modules.get(&rust_name(&module)) {
                    return Some((*file, last));
                }
            }
        }
        None
    }

    /// The file and the rest of a name as one of its files sees it.
    fn module(&self, from: usize, name: &str) -> Option<(usize, String)> {
        let dots = name.len() - name.trim_start_matches('.').len();
        let parts: Vec<&str> = name[dots..]
            .split('.')
            .map(|part| part.trim_end_matches("()"))
            .filter(|p| !p.is_empty())
            .collect();
        let mut base: Vec<&str> = Vec::new();
        if dots > 0 {
            let package = self.packages.get(from)?;
            let keep = package.len().checked_sub(dots - 1)?;
            base.extend(package[..keep].iter().map(String::as_str));
        }
        for taken in (0..=parts.len()).rev() {
            let module = [base.as_slice(), &parts[..taken]].concat().join(".");
            if module.is_empty() {
                continue;
            }
            if let Some(file) = self.modules.get(&module) {
                return Some((*file, parts[taken..].join(".")));
            }
        }
        None
    }

    /// Whom a name means: the file and what it is called there. Follows names that files give on.
    fn resolve(
        &self,
        package: &Package,
        from: usize,
        name: &str,
        has: &dyn Fn(usize, &str) -> bool,
    ) -> Option<(usize, String)> {
        if package.code[from].language == Some(Language::Rust) {
            return self.rust_module(from, name).filter(|(file, rest)| has(*file, rest));
        }
        let (mut file, mut rest) = self.module(from, name)?;
        for _ in 0..RENAMED {
            if rest.is_empty() {
                return None;
            }
            if has(file, &rest) {
                return Some((file, rest));
            }
            let (first, after) =
                rest.split_once('.').map_or((rest.as_str(), ""), |(first, after)| (first, after));
            let links = &package.code[file].facts.modules;
            let named =
                links.names.iter().find(|(local, _)| local == first).map(|(_, whole)| {
                    if after.is_empty() { whole.clone() } else { format!("{whole}.{after}") }
                });
            let next = match named {
                Some(whole) => self.module(file, &whole),
                None => links.names.iter().filter(|(local, _)| local == "*").find_map(|(_, module)| {
                    let (other, left) = self.module(file, module)?;
                    (left.is_empty() && other != file).then(|| (other, rest.clone()))
                }),
            };
            (file, rest) = next.filter(|next| *next != (file, rest.clone()))?;
        }
        None
    }

    fn function(&self, package: &Package, from: usize, name: &str) -> Option<(usize, u32)> {
        let find = |file: usize, rest: &str| -> Option<u32> {
            let as_class = || self.functions.get(&(file, format!("{rest}.__init__")));
            self.functions.get(&(file, rest.to_owned())).or_else(as_class).copied()
        };
        let (file, rest) = self.resolve(package, from, name, &|file, rest| find(file, rest).is_some())?;
        find(file, &rest).map(|function| (file, function))
    }

    fn constant(&self, package: &Package, from: usize, name: &str) -> Option<String> {
        let find = |file: usize, rest: &str| {
            let constants = &package.code[file].facts.modules.constants;
            constants.iter().find(|(known, _)| known == rest).map(|(_, text)| text.clone())
        };
        let (file, rest) = self.resolve(package, from, name, &|file, rest| find(file, rest).is_some())?;
        find(file, &rest)
    }
}

/// The parts of the name of a module of Rust, by its path; the first is what is built: the library and its programs, or the
/// build script.
fn crate_parts(path: &str) -> Vec<String> {
    let (root, rest) = path.strip_prefix("src/").map_or(("build", path), |rest| ("src", rest));
    let rest = rest.strip_suffix(".rs").unwrap_or(rest);
    let rest = rest.strip_suffix("/mod").unwrap_or(rest);
    let inner = rest.split('/').filter(|part| !matches!(*part, "lib" | "main" | "build"));
    std::iter::once(root).chain(inner).map(str::to_owned).collect()
}

/// The name of a module of Rust, which no module of Python has.
fn rust_name(parts: &[String]) -> String {
    parts.join("::")
}

/// The parts of a module's name, by its path.
fn module_parts(path: &str) -> Vec<String> {
    let path =
        path.split_once(".data/").and_then(|(_, rest)| rest.split_once('/')).map_or(path, |(_, rest)| rest);
    let path = path.strip_prefix("src/").unwrap_or(path);
    let path = path.strip_suffix(".py").or_else(|| path.strip_suffix(".pyw")).unwrap_or(path);
    let path = path.strip_suffix("/__init__").unwrap_or(path);
    path.split('/').map(str::to_owned).collect()
}

/// Puts constants of other files where their names stand.
fn fill(package: &mut Package, names: &Names) {
    let mut known: Vec<(usize, u32, String)> = Vec::new();
    for (file, code) in package.code.iter().enumerate() {
        for (fact, detail) in &code.facts.modules.open {
            known.extend(
                filled(detail, |name| names.constant(package, file, name)).map(|text| (file, *fact, text)),
            );
        }
    }
    for (file, fact, mut detail) in known {
        if let Some(fact) = package.code[file].facts.facts.get_mut(fact as usize) {
            cut(&mut detail, DETAIL_BYTES);
            fact.detail = detail;
        }
    }
}

/// Which function of which file each call means.
fn called(package: &Package, names: &Names) -> BTreeMap<(usize, u32), (usize, u32)> {
    let (mut called, mut looked) = (BTreeMap::new(), 0);
    for (file, code) in package.code.iter().enumerate() {
        for (number, call) in (0_u32..).zip(&code.facts.modules.calls) {
            looked += 1;
            if looked > CALLS {
                return called;
            }
            if let Some(found) = names.function(package, file, &call.name).filter(|found| found.0 != file) {
                called.insert((file, number), found);
            }
        }
    }
    called
}

/// What a file calls on loading runs on loading.
fn load(package: &mut Package, called: &BTreeMap<(usize, u32), (usize, u32)>) {
    let mut open: Vec<(usize, u32)> = called
        .keys()
        .copied()
        .filter(|(file, call)| package.code[*file].facts.modules.calls[*call as usize].scope == Scope::Load)
        .filter(|(file, _)| package.code[*file].reach.stage <= Stage::Import)
        .collect();
    let mut seen = HashSet::new();
    while let Some(call) = open.pop() {
        let Some((file, function)) = called.get(&call).copied().filter(|found| seen.insert(*found)) else {
            continue;
        };
        let facts = &mut package.code[file].facts;
        let Some(does) = facts.modules.functions.get(function as usize).map(|function| function.does.clone())
        else {
            continue;
        };
        for node in does {
            match node {
                Node::Fact(fact) => {
                    if let Some(fact) = facts.facts.get_mut(fact as usize) {
                        fact.scope = Scope::Load;
                    }
                }
                Node::Call(call) => open.push((file, call)),
                _ => {}
            }
        }
    }
}

/// Sources worth following from file to file.
const SOURCES: &[What] = &[
    What::EnvAll,
    What::EnvRead,
    What::HostIdentity,
    What::FileRead,
    What::FolderRead,
    What::KeychainRead,
    What::ClipboardRead,
    What::Tapped,
    What::NetReceive,
    What::ChannelReceive,
    What::DnsReceive,
    What::ExecOutput,
    What::Decode,
    What::BigConstant,
];

/// Sinks that others may reach.
const SINKS: &[What] = &[
    What::NetSend,
    What::DnsQuery,
    What::Exec,
    What::ExecDetached,
    What::Eval,
    What::LibraryLoad,
    What::FileWrite,
    What::FileDelete,
    What::ExecMemory,
    What::ClipboardWrite,
    What::MakeExecutable,
    What::RegistryWrite,
    What::Decode,
];

/// What went from one file to another and arrived somewhere that counts.
struct Arrival {
    source: Fact,
    /// Files that it went through before; one, where the two files know each other.
    hops: u8,
    file: usize,
    to: u32,
    decoded: bool,
}

/// Follows values from file to file and writes what arrives as flows of the file where it arrives.
fn flows(package: &mut Package, called: &BTreeMap<(usize, u32), (usize, u32)>) {
    let mut next: BTreeMap<Place, BTreeSet<(Place, bool)>> = BTreeMap::new();
    for (file, code) in package.code.iter().enumerate() {
        for (from, to, decoded) in &code.facts.modules.edges {
            next.entry((file, *from)).or_default().insert(((file, *to), *decoded));
        }
    }
    for ((file, call), (other, function)) in called {
        let call = (*file, Node::Call(*call));
        next.entry(call).or_default().insert(((*other, Node::Given(*function)), false));
        next.entry((*other, Node::Result(*function))).or_default().insert((call, false));
    }
    let mut steps = 0;
    let mut found: Vec<Arrival> = Vec::new();
    let starts: Vec<Place> =
        next.keys().copied().filter(|(_, node)| matches!(node, Node::Fact(_) | Node::Hidden(_))).collect();
    for start in starts {
        let Some(source) = fact_at(package, start).filter(|fact| SOURCES.contains(&fact.what)).cloned()
        else {
            continue;
        };
        let mut seen = HashSet::from([start]);
        let mut queue = VecDeque::from([(start, false, 0_u32, 0_u8)]);
        while let Some((place, decoded, way, files)) = queue.pop_front() {
            steps += 1;
            if steps > STEPS || way >= WAY {
                break;
            }
            for (to, through) in next.get(&place).into_iter().flatten() {
                if !seen.insert(*to) {
                    continue;
                }
                let decoded = decoded || *through;
                let files = files.saturating_add(u8::from(to.0 != place.0));
                match (to.1, fact_at(package, *to)) {
                    (Node::Fact(fact), Some(sink)) if to.0 != start.0 && counts(sink) => {
                        let hops = files.saturating_sub(1).max(1);
                        found.push(Arrival { source: source.clone(), hops, file: to.0, to: fact, decoded });
                    }
                    _ => {}
                }
                queue.push_back((*to, decoded, way + 1, files));
            }
        }
    }
    for Arrival { mut source, hops, file, to, decoded } in found {
        let facts = &mut package.code[file].facts;
        let Some(sink) = facts.facts.get(to as usize).cloned() else { continue };
        (source.line, source.offset, source.scope) = (sink.line, sink.offset, sink.scope);
        source.hops = source.hops.saturating_add(hops);
        let known = facts.facts.iter().position(|fact| *fact == source).and_then(|at| u32::try_from(at).ok());
        if let Some(from) = known.or_else(|| facts.add(source)) {
            facts.join(Flow { from, to, decoded });
        }
    }
}

/// Whether what arrives at a fact from another file is told. Large libraries hand everything to everyone: what they run, load or write
/// is told only where it happens on loading. Where they send to is told always.
fn counts(sink: &Fact) -> bool {
    let leaves = matches!(sink.what, What::NetSend | What::DnsQuery);
    SINKS.contains(&sink.what) && (leaves || sink.scope == Scope::Load)
}

fn fact_at(package: &Package, (file, node): Place) -> Option<&Fact> {
    let facts = &package.code[file].facts;
    match node {
        Node::Fact(at) => facts.facts.get(at as usize),
        Node::Hidden(at) => facts.modules.hidden.get(at as usize),
        _ => None,
    }
}
