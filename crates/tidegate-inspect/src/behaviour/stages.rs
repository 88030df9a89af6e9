//! When the code of each file runs: what installing starts, what loading the package loads, and what those load in turn.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use tidegate_model::Ecosystem;

use super::facts::{LINK, Language, Scope, Stage, What};
use super::package::Package;

/// How many steps a chain of imports is followed.
const CHAIN: u32 = 64;

/// When a file is loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reach {
    /// When.
    pub stage: Stage,
    /// Whether it surely is, not only if a function runs.
    pub is_sure: bool,
    /// Whether it is started itself, rather than loaded by another file.
    pub is_root: bool,
    /// Steps from the file that is started.
    pub steps: u32,
    /// Whether only starting one of its programs loads it.
    pub is_program: bool,
}

impl Default for Reach {
    fn default() -> Self {
        Self { stage: Stage::Call, is_sure: false, is_root: false, steps: CHAIN, is_program: false }
    }
}

impl Reach {
    pub(crate) const fn root(stage: Stage) -> Self {
        Self { stage, is_sure: true, is_root: true, steps: 0, is_program: false }
    }

    pub(crate) const fn aside() -> Self {
        Self { stage: Stage::Aside, is_sure: false, is_root: false, steps: CHAIN, is_program: false }
    }
}

/// Tells each file of a package when it is loaded.
pub(super) fn settle(package: &mut Package) {
    let index = index(package);
    let mut reaches: Vec<Option<Reach>> = vec![None; package.code.len()];
    let mut queue = VecDeque::new();
    for (path, stage) in roots(package) {
        for at in resolve_root(&index, &path) {
            improve(&mut reaches, &mut queue, at, Reach::root(stage));
        }
    }
    for path in programs(package) {
        for at in resolve_root(&index, &path) {
            let reach = Reach { is_program: true, ..Reach::root(Stage::Import) };
            improve(&mut reaches, &mut queue, at, reach);
        }
    }
    for (at, code) in package.code.iter().enumerate() {
        if code.is_command && code.reach.stage == Stage::Install {
            improve(&mut reaches, &mut queue, at, code.reach);
        }
    }
    while let Some(at) = queue.pop_front() {
        let Some(reach) = reaches[at].filter(|reach| reach.steps < CHAIN) else { continue };
        let code = &package.code[at];
        let steps = reach.steps + 1;
        let is_root = code.is_command;
        for name in &code.facts.imports {
            for next in resolve(package, &index, at, name) {
                improve(&mut reaches, &mut queue, next, Reach { steps, is_root, ..reach });
            }
        }
        let late = if reach.stage == Stage::Import { Stage::Call } else { reach.stage };
        for name in &code.facts.late_imports {
            for next in resolve(package, &index, at, name) {
                improve(
                    &mut reaches,
                    &mut queue,
                    next,
                    Reach { stage: late, is_sure: false, is_root: false, steps, ..reach },
                );
            }
        }
    }
    for (code, reach) in package.code.iter_mut().zip(reaches) {
        code.reach = reach.unwrap_or_else(|| {
            if code.is_command || is_aside(&code.path) { Reach::aside() } else { Reach::default() }
        });
    }
}

/// What the entries of an extension give away as `activate` the editor calls, so it happens without anybody asking.
pub(super) fn activate(package: &mut Package) {
    if !package.manifest.as_ref().is_some_and(|manifest| manifest.is_extension) {
        return;
    }
    for code in package.code.iter_mut().filter(|code| code.reach.is_root && code.reach.stage == Stage::Import)
    {
        let facts = &mut code.facts;
        let called = facts.links.runs.iter().filter(|(name, _)| {
            matches!(name.rsplit('.').next(), Some("activate" | "deactivate" | "activateInternal"))
        });
        let called: Vec<u32> = called.map(|(_, at)| *at).collect();
        let mut lines = BTreeSet::new();
        for at in called {
            let place = if at & LINK == 0 {
                facts.facts.get_mut(at as usize)
            } else {
                facts.links.facts.get_mut((at & !LINK) as usize)
            };
            if let Some(fact) = place {
                fact.scope = Scope::Load;
                if matches!(fact.what, What::Exec | What::ExecDetached) {
                    lines.insert(fact.offset);
                }
            }
        }
        // What a command line does happens where the command is started.
        facts
            .facts
            .iter_mut()
            .filter(|fact| lines.contains(&fact.offset))
            .for_each(|fact| fact.scope = Scope::Load);
    }
}

fn improve(reaches: &mut [Option<Reach>], queue: &mut VecDeque<usize>, at: usize, reach: Reach) {
    let key = |reach: Reach| (reach.stage, reach.is_program, !reach.is_sure, !reach.is_root);
    if reaches[at].is_none_or(|old| key(reach) < key(old)) {
        reaches[at] = Some(reach);
        queue.push_back(at);
    }
}

/// Files that are started, and when.
fn roots(package: &Package) -> Vec<(String, Stage)> {
    let mut roots = Vec::new();
    let Some(manifest) = &package.manifest else {
        // Without a manifest anything may be what is started.
        let all = package
            .code
            .iter()
            .filter(|code| !is_aside(&code.path))
            .map(|code| (code.path.clone(), Stage::Import));
        return all.collect();
    };
    roots.extend(manifest.builds.iter().map(|path| (path.clone(), Stage::Install)));
    match package.ecosystem {
        Some(Ecosystem::Pypi) => python_roots(package, &mut roots),
        ecosystem => {
            roots.extend(manifest.entries.iter().map(|path| (path.clone(), Stage::Import)));
            if ecosystem == Some(Ecosystem::Cargo) {
                roots.push(("src/main.rs".to_owned(), Stage::Import));
            }
        }
    }
    roots
}

/// Files that are started as programs.
fn programs(package: &Package) -> Vec<String> {
    let manifest = package.manifest.as_ref().filter(|_| package.ecosystem != Some(Ecosystem::Pypi));
    manifest.iter().flat_map(|m| &m.programs).map(|program| program.target.clone()).collect()
}

/// Where the files with code stand, by their paths.
pub(super) fn index(package: &Package) -> BTreeMap<String, usize> {
    package.code.iter().enumerate().map(|(at, code)| (code.path.clone(), at)).collect()
}

fn python_roots(package: &Package, roots: &mut Vec<(String, Stage)>) {
    for code in package.code.iter().filter(|code| code.language == Some(Language::Python)) {
        let path = code.path.as_str();
        // What a wheel carries in `.data/purelib/` is installed as if it lay outside.
        let path_in_site = path
            .split_once(".data/")
            .and_then(|(_, rest)| rest.split_once('/'))
            .map_or(path, |(_, rest)| rest);
        let name = path_in_site.rsplit('/').next().unwrap_or_default();
        let is_startup = path_in_site.ends_with(".pth")
            || matches!(name, "sitecustomize.py" | "usercustomize.py") && !path_in_site.contains('/');
        if is_startup {
            roots.push((path.to_owned(), Stage::Startup));
        } else if !is_aside(path) {
            let is_package =
                matches!(name, "__init__.py" | "__main__.py") && path_in_site.matches('/').count() <= 2;
            let is_tool =
                matches!(name, "setup.py" | "conftest.py" | "noxfile.py" | "tasks.py" | "fabfile.py");
            let is_module = !path_in_site.contains('/') && (package.is_wheel || !is_tool);
            if is_package || is_module {
                roots.push((path.to_owned(), Stage::Import));
            }
        }
        if path.contains(".data/scripts/") {
            roots.push((path.to_owned(), Stage::Import));
        }
    }
    for program in package.manifest.iter().flat_map(|manifest| &manifest.programs) {
        let module = program.target.split(':').next().unwrap_or_default().trim().replace('.', "/");
        for root in ["", "src/"] {
            roots.push((format!("{root}{module}.py"), Stage::Import));
            roots.push((format!("{root}{module}/__init__.py"), Stage::Import));
        }
    }
}

/// Tests, examples, documentation, benchmarks.
pub(crate) fn is_aside(path: &str) -> bool {
    const FOLDERS: &[&str] = &[
        "test",
        "tests",
        "__tests__",
        "spec",
        "specs",
        "example",
        "examples",
        "doc",
        "docs",
        "demo",
        "demos",
        "bench",
        "benches",
        "benchmark",
        "benchmarks",
        "fixtures",
        "__mocks__",
        "testing",
        "samples",
        "website",
        "e2e",
        "conftest.py",
        "coverage",
        "testdata",
        "test_data",
        ".github",
        "perf",
    ];
    let path = path.to_ascii_lowercase();
    let name = path.rsplit('/').next().unwrap_or_default();
    path.split('/').any(|part| FOLDERS.contains(&part))
        || name.contains(".test.")
        || name.contains(".spec.")
        || name.starts_with("test_")
        || name.ends_with("_test.py")
}

const ENDINGS: &[&str] = &[
    "",
    ".js",
    ".cjs",
    ".mjs",
    ".ts",
    "/index.js",
    "/index.cjs",
    "/index.mjs",
    ".tsx",
    ".jsx",
    ".py",
    "/__init__.py",
    ".rs",
    "/mod.rs",
    ".sh",
    "/index.ts",
];

fn resolve_root(index: &BTreeMap<String, usize>, path: &str) -> Vec<usize> {
    let path = normal(path);
    if let Some((before, after)) = path.split_once('*') {
        let all = index.range(before.to_owned()..).take_while(|(key, _)| key.starts_with(before));
        return all.filter(|(key, _)| key.ends_with(after)).map(|(_, at)| *at).take(500).collect();
    }
    let at = |ending: &&str| index.get(&format!("{path}{ending}").trim_start_matches('/').to_owned());
    ENDINGS.iter().find_map(at).copied().into_iter().collect()
}

/// The files that an import of another file means.
pub(super) fn resolve(
    package: &Package,
    index: &BTreeMap<String, usize>,
    from: usize,
    name: &str,
) -> Vec<usize> {
    let code = &package.code[from];
    if name.starts_with("npm:") {
        return package
            .code
            .iter()
            .enumerate()
            .filter(|(_, code)| code.is_command && code.path == name)
            .map(|(at, _)| at)
            .collect();
    }
    let folder =
        if code.is_command { "" } else { code.path.rsplit_once('/').map_or("", |(folder, _)| folder) };
    match code.language {
        Some(Language::Python) if !name.contains('/') => python(index, folder, name),
        Some(Language::Rust) if !name.contains('/') => {
            let stem = code.path.rsplit('/').next().unwrap_or_default().trim_end_matches(".rs");
            let inner = if matches!(stem, "lib" | "main" | "mod" | "build") {
                folder.to_owned()
            } else {
                format!("{folder}/{stem}")
            };
            resolve_root(index, &format!("{inner}/{name}"))
        }
        _ => {
            // Paths of command lines begin at the package; those of scripts mostly too.
            let relative = format!("{folder}/{}", name.trim_start_matches("file:").trim_start_matches("*/"));
            let is_local = name.starts_with(['.', '/', '*']) || code.language != Some(Language::JavaScript);
            if !is_local {
                let own = package.manifest.as_ref().and_then(|manifest| manifest.name.as_deref());
                return own
                    .and_then(|own| name.strip_prefix(own))
                    .and_then(|rest| rest.strip_prefix('/'))
                    .map_or_else(Vec::new, |rest| resolve_root(index, rest));
            }
            let found = resolve_root(index, &relative);
            if found.is_empty() { resolve_root(index, name.trim_start_matches("*/")) } else { found }
        }
    }
}

fn python(index: &BTreeMap<String, usize>, folder: &str, name: &str) -> Vec<usize> {
    let dots = name.len() - name.trim_start_matches('.').len();
    let rest = name.trim_start_matches('.').replace('.', "/");
    let bases: Vec<String> = if dots > 0 {
        let mut base = folder.to_owned();
        for _ in 1..dots.min(20) {
            base = base.rsplit_once('/').map_or(String::new(), |(parent, _)| parent.to_owned());
        }
        vec![base]
    } else {
        vec![String::new(), "src".to_owned(), folder.to_owned()]
    };
    let mut found = BTreeSet::new();
    for base in bases {
        // Loading `a.b.c` loads `a` and `a.b` as well.
        let mut path = base;
        for part in rest.split('/').filter(|part| !part.is_empty()) {
            path = format!("{path}/{part}");
            found.extend(resolve_root(index, &path));
        }
        if rest.is_empty() {
            found.extend(resolve_root(index, &path));
        }
    }
    found.into_iter().collect()
}

/// A path without `.`, `..` and doubled separators.
fn normal(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}
