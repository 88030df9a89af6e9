//! A package as detectors see it: its files, its manifest, what its code does and when that runs.
//!
//! The [`Collector`] takes leaves during the one pass of the unfolder. A leaf is read at once and only its facts are kept, within the
//! bounds named here; what did not fit is counted. It refuses to judge.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};
use tidegate_model::Ecosystem;

use super::facts::{Fact, FileFacts, Flow, Language, Reading, Scope, Stage, What};
use super::manifest::{Manifest, Script, cargo, npm, python};
use super::stages::{self, Reach};
use super::{languages, links, looks_of_text, modules, words};
use crate::{Format, Leaf, Role};

/// Files of which the name, size and digest are kept.
pub const FILES: usize = 20_000;

/// Files of which the facts are kept.
pub const CODE_FILES: usize = 8_000;

/// Bytes of all facts that are kept.
pub const FACT_BYTES: usize = 48 << 20;

/// Bytes of a manifest that is read.
const MANIFEST_BYTES: usize = 1 << 20;

/// Manifests and files like them that are kept for the end.
const MANIFESTS: usize = 400;

/// Bytes of code without a telling name that is read as code by its looks.
const UNNAMED_CODE_BYTES: usize = 2 << 20;

/// Bytes of text that is searched for hidden characters and orders.
const PROSE_BYTES: usize = 1 << 20;

/// Bytes by which entropy is measured.
const ENTROPY_BYTES: usize = 256 << 10;

/// What is asked of a package before it is seen.
#[derive(Clone, Debug, Default)]
pub struct Subject {
    /// The ecosystem it came through; none for a file or folder that somebody hands over.
    pub ecosystem: Option<Ecosystem>,
    /// The name that the index says.
    pub name: String,
    /// The version that the index says.
    pub version: String,
    /// Name of the file.
    pub file_name: String,
    /// What the index says of this version: npm's version object; core metadata as `{"metadata": text}`; cargo's index line.
    pub index_manifest: Option<serde_json::Value>,
}

/// A file of the package.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// Path within the package: `lib/index.js`; nested archives as `vendor.zip!/x`.
    pub path: String,
    /// The nested path from the artifact on, for findings.
    pub full: String,
    /// Size in bytes.
    pub bytes: u64,
    /// What the content is.
    pub format: Option<Format>,
    /// Unix permission bits, 0 where unknown.
    pub mode: u32,
    /// The first eight bytes of its SHA-256, in hexadecimal.
    pub digest: String,
    /// Bits per byte, in tenths.
    pub entropy: u8,
}

impl Entry {
    /// Whether it is a program or library in machine code.
    #[must_use]
    pub fn is_native(&self) -> bool {
        matches!(self.format, Some(Format::Elf | Format::Pe | Format::MachO))
    }
}

/// A file with code.
#[derive(Clone, Debug, Default)]
pub struct Code {
    /// Path within the package.
    pub path: String,
    /// The nested path, for findings.
    pub full: String,
    /// The language; none for text that is no code.
    pub language: Option<Language>,
    /// What it does.
    pub facts: FileFacts,
    /// When loading it happens.
    pub reach: Reach,
    /// Size in bytes.
    pub bytes: u64,
    /// Whether it compares digests or signatures.
    pub checks_digest: bool,
    /// Whether it holds the instruction by which a processor tells what it is (`cpuid`), byte by byte.
    pub asks_processor: bool,
    /// Whether it is code of a command line in a manifest.
    pub is_command: bool,
}

impl Code {
    /// When a fact of this file happens.
    #[must_use]
    pub fn stage(&self, fact: &Fact) -> Stage {
        match fact.scope {
            Scope::Load => self.reach.stage,
            // What an install script defines it is likely to call.
            Scope::Call if self.reach.is_root && self.reach.stage <= Stage::Startup => self.reach.stage,
            Scope::Call => self.reach.stage.max(Stage::Call),
        }
    }

    /// Whether it surely happens at that stage.
    #[must_use]
    pub fn is_sure(&self, fact: &Fact) -> bool {
        self.reach.is_sure && fact.scope == Scope::Load
    }
}

/// A text that is no code but speaks to machines or hides something.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Prose {
    /// The nested path, for findings.
    pub full: String,
    /// Path within the package.
    pub path: String,
    /// Line and length of a run of at least 32 invisible characters.
    pub invisible: Option<(u32, u32)>,
    /// Line of hidden orders to an assistant.
    pub orders: Option<u32>,
}

/// A package.
#[derive(Clone, Debug, Default)]
pub struct Package {
    /// What was asked.
    pub subject: Subject,
    /// The ecosystem: as asked, or as its manifest says.
    pub ecosystem: Option<Ecosystem>,
    /// What it says of itself.
    pub manifest: Option<Manifest>,
    /// Manifests of packages that lie in it.
    pub inner: Vec<Manifest>,
    /// All files.
    pub files: Vec<Entry>,
    /// Files with code, and command lines.
    pub code: Vec<Code>,
    /// Texts that hide something.
    pub prose: Vec<Prose>,
    /// Settings files by path: `.npmrc`, `.yarnrc`, `top_level.txt`.
    pub settings: BTreeMap<String, (String, String)>,
    /// Whether it is a wheel.
    pub is_wheel: bool,
    /// Facts and files that did not fit.
    pub dropped: u64,
    /// Files of which only tokens were read.
    pub unparsed: Vec<String>,
}

impl Package {
    /// Facts of these kinds, each with its file.
    pub fn facts<'a>(&'a self, kinds: &'a [What]) -> impl Iterator<Item = (&'a Code, &'a Fact)> + 'a {
        self.code.iter().flat_map(move |code| {
            code.facts.facts.iter().filter(|fact| kinds.contains(&fact.what)).map(move |fact| (code, fact))
        })
    }

    /// Flows, each with its file: source, sink, whether decoded between.
    pub fn flows(&self) -> impl Iterator<Item = (&Code, &Fact, &Fact, bool)> {
        let all = self
            .code
            .iter()
            .flat_map(|code| code.facts.flowing().map(move |(from, to, decoded)| (code, from, to, decoded)));
        // Timers take text too, but what they are given is nearly always a function.
        all.filter(|(_, _, to, _)| !(to.what == What::Eval && to.detail.starts_with("set")))
    }

    /// Whether installing it from a registry runs code of it.
    #[must_use]
    pub fn has_install_code(&self) -> Option<bool> {
        let manifest = self.manifest.as_ref()?;
        Some(
            !manifest.hooks.is_empty()
                || self.code.iter().any(|code| code.reach.is_root && code.reach.stage == Stage::Install),
        )
    }
}

/// Takes the leaves of one artifact.
#[derive(Debug)]
pub struct Collector {
    package: Package,
    /// Sources of more bytes are read by their words alone.
    parsed_bytes: usize,
    fact_bytes: usize,
    /// Manifests by full path, kept until the root is known.
    manifests: BTreeMap<String, (String, Vec<u8>)>,
}

impl Collector {
    /// Begins. What the readers bear is parsed.
    #[must_use]
    pub fn new(subject: Subject) -> Self {
        let package = Package { ecosystem: subject.ecosystem, subject, ..Package::default() };
        Self { package, parsed_bytes: usize::MAX, fact_bytes: 0, manifests: BTreeMap::new() }
    }

    /// The same, but sources of more bytes are read by their words alone.
    #[must_use]
    pub fn parsing(mut self, most: Option<usize>) -> Self {
        self.parsed_bytes = most.unwrap_or(usize::MAX);
        self
    }

    /// Takes one leaf.
    pub fn leaf(&mut self, leaf: &Leaf<'_>) {
        if !matches!(leaf.place.role, Role::Member | Role::OtherReading) {
            return;
        }
        let path = inner_path(leaf.path);
        if self.package.files.len() < FILES {
            self.package.files.push(entry(leaf, path));
        } else {
            self.package.dropped += 1;
        }
        let name = path.rsplit('/').next().unwrap_or_default();
        if is_manifest(name, path) && leaf.bytes.len() <= MANIFEST_BYTES && self.manifests.len() < MANIFESTS {
            self.manifests.insert(leaf.path.to_owned(), (path.to_owned(), leaf.bytes.to_vec()));
        }
        match leaf.format {
            // The numbers of tensors, or what pretends to be: that is for who knows models to say.
            Format::Pickle | Format::Text | Format::Binary if crate::models::may_be_storage(leaf) => {}
            Format::Pyc => self.keep(leaf, path, None, super::python::read_compiled(leaf.bytes)),
            Format::Pickle => self.keep(leaf, path, None, super::python::read_pickle(leaf.bytes)),
            Format::Text | Format::Binary if super::python::may_be_text_pickle(leaf.bytes) => {
                self.keep(leaf, path, None, super::python::read_pickle(leaf.bytes));
            }
            _ => {}
        }
        if is_text(leaf.format) {
            match language_of(path, leaf.bytes) {
                Some(language) => self.code(leaf, path, language),
                None => self.prose(leaf, path),
            }
        }
    }

    fn code(&mut self, leaf: &Leaf<'_>, path: &str, language: Language) {
        let text;
        let mut bytes = leaf.bytes;
        if path.ends_with(".pth") {
            text = python::pth(&bytes[..bytes.len().min(MANIFEST_BYTES)]);
            bytes = text.as_bytes();
        }
        let facts = match bytes.len() > self.parsed_bytes {
            true => Some(languages::skim(language, bytes, path)),
            false => languages::read(language, bytes, path, 0),
        };
        self.keep(leaf, path, Some(language), facts);
    }

    /// Keeps the facts of a file.
    fn keep(&mut self, leaf: &Leaf<'_>, path: &str, language: Option<Language>, facts: Option<FileFacts>) {
        let Some(facts) = facts else { return };
        if self.package.code.len() >= CODE_FILES {
            self.package.dropped += 1;
            return;
        }
        let size = size_of_facts(&facts);
        if self.fact_bytes + size > FACT_BYTES {
            self.package.dropped += 1 + facts.facts.len() as u64;
            return;
        }
        self.fact_bytes += size;
        if facts.reading == Reading::Tokens && language.is_some() && self.package.unparsed.len() < MANIFESTS {
            self.package.unparsed.push(leaf.path.to_owned());
        }
        self.package.dropped += u64::from(facts.dropped);
        self.package.code.push(Code {
            path: path.to_owned(),
            full: leaf.path.to_owned(),
            language,
            facts,
            bytes: leaf.bytes.len() as u64,
            checks_digest: checks_digest(leaf.bytes),
            asks_processor: asks_processor(leaf.bytes),
            ..Code::default()
        });
    }

    fn prose(&mut self, leaf: &Leaf<'_>, path: &str) {
        let bytes = &leaf.bytes[..leaf.bytes.len().min(PROSE_BYTES)];
        let text = String::from_utf8_lossy(bytes);
        let invisible = looks_of_text::invisible(&text);
        let orders = words::orders_line(&text);
        if (invisible.is_some() || orders.is_some()) && self.package.prose.len() < MANIFESTS {
            self.package.prose.push(Prose {
                full: leaf.path.to_owned(),
                path: path.to_owned(),
                invisible,
                orders,
            });
        }
    }

    /// Reads the manifest, finds out when each file runs, and gives the package.
    #[must_use]
    pub fn finish(mut self) -> Package {
        self.package.ecosystem = self.package.ecosystem.or_else(|| self.guess());
        let root = self.root();
        self.strip(&root);
        self.read_manifests();
        self.forget_compiled();
        stages::settle(&mut self.package);
        links::follow(&mut self.package);
        modules::join(&mut self.package);
        self.package
    }

    /// Compiled Python that lies beside its source says nothing that the source does not say.
    fn forget_compiled(&mut self) {
        let sources: std::collections::BTreeSet<String> = self
            .package
            .code
            .iter()
            .filter(|code| code.language == Some(Language::Python))
            .map(|code| code.path.clone())
            .collect();
        self.package.code.retain(|code| {
            let source = code.path.replace("__pycache__/", "");
            let stem = source.rsplit_once('/').map_or(("", source.as_str()), |(folder, name)| (folder, name));
            let name = stem.1.split('.').next().unwrap_or_default();
            let folder = if stem.0.is_empty() { String::new() } else { format!("{}/", stem.0) };
            code.language.is_some()
                || !code.path.ends_with(".pyc")
                || !sources.contains(&format!("{folder}{name}.py"))
        });
    }

    /// The ecosystem by the manifest that lies highest.
    fn guess(&self) -> Option<Ecosystem> {
        let rank = |path: &String| {
            let name = path.rsplit('/').next().unwrap_or_default();
            let ecosystem = match name {
                "package.json" => Ecosystem::Npm,
                "Cargo.toml" => Ecosystem::Cargo,
                "PKG-INFO" | "METADATA" | "setup.py" | "pyproject.toml" | "setup.cfg" => Ecosystem::Pypi,
                _ => return None,
            };
            Some((path.matches('/').count(), ecosystem))
        };
        let all = self.manifests.values().filter_map(|(path, _)| rank(path));
        let by_manifest = all.min_by_key(|(depth, _)| *depth).map(|(_, ecosystem)| ecosystem);
        by_manifest.or_else(|| {
            self.package.files.iter().any(|f| f.path.contains(".dist-info/")).then_some(Ecosystem::Pypi)
        })
    }

    /// The folder that everything lies in, with its `/`.
    fn root(&self) -> String {
        let is_wheel = self.package.files.iter().any(|f| {
            f.path.split('/').next().is_some_and(|first| first.ends_with(".dist-info"))
                && f.path.ends_with("/METADATA")
        });
        let wanted = match self.package.ecosystem {
            Some(Ecosystem::Npm) => &["package.json"][..],
            Some(Ecosystem::Cargo) => &["Cargo.toml"],
            _ => &["PKG-INFO", "pyproject.toml", "setup.py", "setup.cfg"],
        };
        if is_wheel {
            return String::new();
        }
        let all = self.manifests.values().map(|(path, _)| path.as_str());
        let top = all
            .filter(|path| {
                wanted.contains(&path.rsplit('/').next().unwrap_or_default()) && !path.contains("!/")
            })
            .filter(|path| !path.contains(".egg-info/"))
            .min_by_key(|path| (path.matches('/').count(), path.len()));
        top.and_then(|path| path.rfind('/').map(|at| path[..=at].to_owned())).unwrap_or_default()
    }

    fn strip(&mut self, root: &str) {
        // npm drops the first folder of each file whatever it is called.
        let is_npm = self.package.ecosystem == Some(Ecosystem::Npm) && root.matches('/').count() == 1;
        let strip = |path: &mut String| {
            if let Some(rest) = path.strip_prefix(root) {
                *path = rest.to_owned();
            } else if let Some((_, rest)) = path.split_once('/').filter(|_| is_npm) {
                *path = rest.to_owned();
            }
        };
        self.package.files.iter_mut().for_each(|entry| strip(&mut entry.path));
        self.package.code.iter_mut().for_each(|code| strip(&mut code.path));
        self.package.prose.iter_mut().for_each(|prose| strip(&mut prose.path));
        self.manifests.values_mut().for_each(|(path, _)| strip(path));
    }

    fn read_manifests(&mut self) {
        let manifests = std::mem::take(&mut self.manifests);
        let has = |wanted: &str| {
            manifests.values().any(|(path, _)| path == wanted)
                || self.package.files.iter().any(|f| f.path == wanted)
        };
        let (has_gyp, has_build) = (has("binding.gyp"), has("build.rs"));
        let mut manifest = Manifest::default();
        let ecosystem = self.package.ecosystem;
        // Metadata goes before the files it was made from.
        let mut ordered: Vec<_> = manifests.iter().collect();
        ordered.sort_by_key(|(_, (path, _))| {
            (!path.ends_with("METADATA") && !path.ends_with("PKG-INFO"), path.matches('/').count())
        });
        for (full, (path, bytes)) in ordered {
            let name = path.rsplit('/').next().unwrap_or_default();
            let is_dist_info = path
                .split_once('/')
                .is_some_and(|(folder, rest)| folder.ends_with(".dist-info") && !rest.contains('/'));
            match (ecosystem, name) {
                (Some(Ecosystem::Npm), "package.json") if path == name => {
                    if let Some(mut read) = npm::read(bytes, path, has_gyp) {
                        read.hooks.append(&mut manifest.hooks);
                        manifest = Manifest { path: full.clone(), ..read };
                    }
                }
                (_, "package.json") => {
                    if let Some(inner) = npm::read(bytes, path, false) {
                        self.package.inner.push(Manifest { path: full.clone(), ..inner });
                    }
                }
                (Some(Ecosystem::Npm), "binding.gyp") if path == name => {
                    manifest.hooks.extend(npm::gyp(bytes, full))
                }
                (Some(Ecosystem::Cargo), "Cargo.toml") if path == name => {
                    if let Some(read) = cargo::read(bytes, path, has_build) {
                        manifest = Manifest { path: full.clone(), ..read };
                    }
                }
                (Some(Ecosystem::Pypi), "PKG-INFO") if path == name => {
                    python::metadata(bytes, full, &mut manifest)
                }
                (Some(Ecosystem::Pypi), "METADATA") if is_dist_info => {
                    self.package.is_wheel = true;
                    python::metadata(bytes, full, &mut manifest);
                }
                (Some(Ecosystem::Pypi), "entry_points.txt") if is_dist_info => {
                    python::entry_points(bytes, &mut manifest)
                }
                (Some(Ecosystem::Pypi), "pyproject.toml") if path == name => {
                    python::pyproject(bytes, &mut manifest)
                }
                _ if self.package.settings.len() < MANIFESTS => {
                    let text = String::from_utf8_lossy(bytes).into_owned();
                    self.package.settings.insert(path.clone(), (full.clone(), text));
                }
                _ => {}
            }
        }
        let is_python = ecosystem == Some(Ecosystem::Pypi);
        if is_python && !self.package.is_wheel && has("setup.py") {
            manifest.builds.push("setup.py".to_owned());
        }
        if manifest != Manifest::default() || is_python {
            self.package.manifest = Some(manifest);
        }
        self.add_commands();
    }

    /// Command lines of the manifest are code too.
    fn add_commands(&mut self) {
        let Some(manifest) = &self.package.manifest else { return };
        let mut lines: Vec<(Script, bool)> =
            manifest.hooks.iter().map(|script| (script.clone(), true)).collect();
        lines.extend(manifest.scripts.iter().map(|script| (script.clone(), false)));
        let manifest_path = manifest.path.clone();
        for (script, is_hook) in lines {
            let Some(mut facts) = languages::read(Language::Shell, script.command.as_bytes(), "", 0) else {
                continue;
            };
            for fact in &mut facts.facts {
                fact.line = fact.line.saturating_sub(1) + script.line;
            }
            let full = if script.path.contains('/') || script.path.contains('!') {
                script.path.clone()
            } else {
                manifest_path.clone()
            };
            self.package.code.push(Code {
                path: format!("npm:{}", script.name),
                full,
                language: Some(Language::Shell),
                facts,
                reach: if is_hook { Reach::root(Stage::Install) } else { Reach::aside() },
                bytes: script.command.len() as u64,
                is_command: true,
                ..Code::default()
            });
        }
    }
}

/// Manifests and settings that are kept whole until the end.
fn is_manifest(name: &str, path: &str) -> bool {
    matches!(
        name,
        "package.json"
            | "binding.gyp"
            | "Cargo.toml"
            | "PKG-INFO"
            | "METADATA"
            | "entry_points.txt"
            | "top_level.txt"
            | "setup.cfg"
            | "pyproject.toml"
            | ".npmrc"
            | ".yarnrc"
            | ".yarnrc.yml"
            | "RECORD"
            | "WHEEL"
    ) || path.ends_with(".cargo/config.toml")
        || path.ends_with(".vscode/tasks.json")
}

/// The path behind the artifact's own name.
fn inner_path(path: &str) -> &str {
    path.split_once("!/").map_or(path, |(_, inner)| inner)
}

fn is_text(format: Format) -> bool {
    matches!(
        format,
        Format::Text
            | Format::Json
            | Format::InlineSourceMap
            | Format::Empty
            | Format::Utf16
            | Format::Binary
    )
}

fn entry(leaf: &Leaf<'_>, path: &str) -> Entry {
    let digest = Sha256::digest(leaf.bytes);
    Entry {
        path: path.to_owned(),
        full: leaf.path.to_owned(),
        bytes: leaf.bytes.len() as u64,
        format: Some(leaf.format),
        mode: leaf.place.mode,
        digest: digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect(),
        entropy: entropy(leaf.bytes),
    }
}

/// Entropy in tenths of bits per byte.
fn entropy(bytes: &[u8]) -> u8 {
    let sample = &bytes[..bytes.len().min(ENTROPY_BYTES)];
    if sample.is_empty() {
        return 0;
    }
    let mut counts = [0_u32; 256];
    for byte in sample {
        counts[usize::from(*byte)] += 1;
    }
    let length = sample.len() as f64;
    let bits: f64 =
        counts.iter().filter(|n| **n > 0).map(|n| f64::from(*n) / length).map(|p| -p * p.log2()).sum();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 80")]
    let tenths = (bits * 10.0).round() as u8;
    tenths
}

/// The language by the name, or by the looks of a text whose name says nothing.
fn language_of(path: &str, bytes: &[u8]) -> Option<Language> {
    let name = path.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    if name.ends_with(".d.ts") || name.ends_with(".d.mts") || name.ends_with(".d.cts") {
        return None;
    }
    match ending {
        "js" | "mjs" | "cjs" | "jsx" | "ts" | "mts" | "cts" | "tsx" => Some(Language::JavaScript),
        // A picture that does not begin like one.
        "svg" if !bytes.trim_ascii_start().starts_with(b"<") && !bytes.starts_with(b"\xEF\xBB\xBF") => {
            by_looks(bytes)
        }
        "py" | "pyw" | "pth" => Some(Language::Python),
        "rs" => Some(Language::Rust),
        "sh" | "bash" | "zsh" | "ksh" | "command" => Some(Language::Shell),
        "ps1" | "psm1" | "bat" | "cmd" | "vbs" => Some(Language::Windows),
        "md" | "txt" | "rst" | "json" | "html" | "htm" | "css" | "scss" | "less" | "yml" | "yaml"
        | "toml" | "map" | "svg" | "xml" | "lock" | "csv" | "c" | "h" | "cc" | "cpp" | "hpp" | "go"
        | "java" | "pyi" | "pyx" | "pxd" | "gyp" | "gypi" | "cfg" | "ini" | "in" | "markdown" | "mdx"
        | "vue" | "svelte" | "po" | "tcl" | "f" | "f90" | "cu" | "cuh" | "proto" | "ipynb" | "tex"
        | "asm" | "s" | "cmake" | "m4" | "ac" | "am" | "pl" | "rb" | "php" => None,
        _ => by_looks(bytes),
    }
}

fn by_looks(bytes: &[u8]) -> Option<Language> {
    if bytes.is_empty() || bytes.len() > UNNAMED_CODE_BYTES {
        return None;
    }
    let start = String::from_utf8_lossy(&bytes[..bytes.len().min(4_096)]).into_owned();
    if let Some(rest) = start.strip_prefix("#!") {
        let first = rest.lines().next().unwrap_or_default();
        return [
            ("node", Language::JavaScript),
            ("bun", Language::JavaScript),
            ("deno", Language::JavaScript),
            ("python", Language::Python),
            ("sh", Language::Shell),
        ]
        .iter()
        .find(|(word, _)| first.contains(word))
        .map(|(_, language)| *language);
    }
    let has = |words: &[&str]| words.iter().filter(|word| start.contains(**word)).count();
    if has(&["require(", "=> {", "const ", "function", "module.exports", "process.", "await "]) >= 2 {
        return Some(Language::JavaScript);
    }
    let is_python = start.lines().any(|line| line.starts_with("import ") || line.starts_with("from "));
    (is_python && has(&["import ", "def ", "exec(", "print(", "__import__", "subprocess"]) >= 2)
        .then_some(Language::Python)
}

/// Whether code compares digests or signatures, by the names that such code cannot do without.
fn checks_digest(bytes: &[u8]) -> bool {
    const NAMES: &[&str] = &[
        "createHash",
        "sha256",
        "sha512",
        "SHA256",
        "Sha256",
        "hashlib",
        "integrity",
        "createVerify",
        "shasum",
        "Get-FileHash",
        "blake3",
    ];
    NAMES.iter().any(|name| memchr::memmem::find(bytes, name.as_bytes()).is_some())
}

/// Whether machine code that is written out as numbers or escapes asks the processor what it is: `0f a2`.
fn asks_processor(bytes: &[u8]) -> bool {
    ["0x0f, 0xa2", "0x0F, 0xA2", "\\x0f\\xa2", "\\x0F\\xA2"]
        .iter()
        .any(|code| memchr::memmem::find(bytes, code.as_bytes()).is_some())
}

fn size_of_facts(facts: &FileFacts) -> usize {
    let fact: usize = facts.facts.iter().map(|f| f.detail.len() + size_of::<Fact>()).sum();
    let imports: usize = facts.imports.iter().chain(&facts.late_imports).map(|name| name.len() + 24).sum();
    let ends: usize = facts.links.facts.iter().map(|f| f.detail.len() + size_of::<Fact>()).sum();
    let runs: usize = facts.links.runs.iter().map(|(name, _)| name.len() + size_of::<(String, u32)>()).sum();
    let ends = ends + runs + facts.links.flows.len() * size_of::<Flow>();
    facts.modules.bytes() + ends + fact + imports + facts.flows.len() * size_of::<Flow>()
}
