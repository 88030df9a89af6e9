//! What each part of an inspection costs over real packages: bytes and CPU seconds of the unfolder, of secrets, of the reader
//! of each language, of licences, of the inventory, and of the whole.
//!
//! `parts [--slowest N] [--dump FOLDER] PACKAGE…` reads packages (`.tgz`, `.whl`, `.crate`) and prints one JSON document.
//! `--dump` writes the facts of every file and the inspection of every package as text, so that two builds can be compared
//! with `diff`. One thread; a second is a second of the kernel's count of that thread.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::hint::black_box;
use std::path::{Path, PathBuf};

use tidegate_inspect::behaviour::facts::Language;
use tidegate_inspect::behaviour::package::{Collector, Subject};
use tidegate_inspect::behaviour::{judge, languages};
use tidegate_inspect::inventory::InventoryCollector;
use tidegate_inspect::licences::LicenceCollector;
use tidegate_inspect::secrets::{FingerprintKey, Rules};
use tidegate_inspect::{
    Budgets, Flow, Format, Gap, Leaf, Oddity, Place, Request, Summary, TemporaryFiles, Visitor, inspect,
    prepare, unfold,
};
use tidegate_model::Ecosystem;

/// A leaf, kept.
struct Kept {
    path: String,
    bytes: Vec<u8>,
    format: Format,
    place: Place,
}

impl Kept {
    fn leaf(&self) -> Leaf<'_> {
        Leaf { path: &self.path, bytes: &self.bytes, format: self.format, place: self.place }
    }

    /// The language by the ending, as far as endings tell.
    fn language(&self) -> Option<Language> {
        let name = self.path.rsplit('/').next()?;
        if [".d.ts", ".d.mts", ".d.cts"].iter().any(|ending| name.ends_with(ending)) {
            return None;
        }
        match name.rsplit_once('.')?.1 {
            "js" | "mjs" | "cjs" | "jsx" | "ts" | "mts" | "cts" | "tsx" => Some(Language::JavaScript),
            "py" => Some(Language::Python),
            "rs" => Some(Language::Rust),
            "sh" => Some(Language::Shell),
            _ => None,
        }
    }
}

/// Keeps leaves, or forgets them.
struct Keep(Option<Vec<Kept>>);

impl Visitor for Keep {
    fn leaf(&mut self, leaf: &Leaf<'_>) -> Flow {
        if let Some(kept) = &mut self.0 {
            let (path, bytes) = (leaf.path.to_owned(), leaf.bytes.to_vec());
            kept.push(Kept { path, bytes, format: leaf.format, place: leaf.place });
        }
        black_box(leaf.bytes.len());
        Flow::Continue(())
    }

    fn oddity(&mut self, _: Oddity) {}

    fn gap(&mut self, _: Gap) {}
}

/// What a part read, and what it cost.
#[derive(Clone, Copy, Default)]
struct Cost {
    bytes: u64,
    files: u64,
    seconds: f64,
}

/// Costs by part, and the files that cost most.
#[derive(Default)]
struct Costs {
    parts: BTreeMap<&'static str, Cost>,
    files: Vec<(f64, &'static str, usize, String)>,
}

impl Costs {
    fn measure<T>(&mut self, part: &'static str, path: &str, bytes: usize, run: impl FnOnce() -> T) -> T {
        let before = cpu_seconds();
        let value = black_box(run());
        let seconds = cpu_seconds() - before;
        let cost = self.parts.entry(part).or_default();
        cost.bytes += bytes as u64;
        cost.files += 1;
        cost.seconds += seconds;
        self.files.push((seconds, part, bytes, path.to_owned()));
        value
    }
}

/// CPU seconds of this thread, user and system, as the kernel's scheduler counts them.
fn cpu_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = text.split_whitespace().next().and_then(|first| first.parse::<f64>().ok());
    nanoseconds.expect("the kernel counts CPU time per thread (CONFIG_SCHEDSTATS)") / 1e9
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let (mut slowest, mut dump, mut packages) = (0, None, Vec::new());
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--slowest" => slowest = arguments.next().and_then(|n| n.parse().ok()).unwrap_or(20),
            "--dump" => dump = arguments.next().map(PathBuf::from),
            _ => packages.push(PathBuf::from(argument)),
        }
    }
    prepare();
    let mut costs = Costs::default();
    for package in &packages {
        match std::fs::read(package) {
            Ok(bytes) => one(package, &bytes, dump.as_deref(), &mut costs),
            Err(error) => eprintln!("{}: {error}", package.display()),
        }
    }
    let parts: serde_json::Map<String, serde_json::Value> = costs
        .parts
        .iter()
        .map(|(name, cost)| {
            let value = serde_json::json!({
                "bytes": cost.bytes, "files": cost.files, "cpu_seconds": cost.seconds,
                "megabytes_per_cpu_second": cost.bytes as f64 / 1e6 / cost.seconds.max(1e-9),
            });
            ((*name).to_owned(), value)
        })
        .collect();
    costs.files.sort_by(|a, b| b.0.total_cmp(&a.0));
    let files: Vec<_> = costs
        .files
        .iter()
        .take(slowest)
        .map(|(seconds, part, bytes, path)| serde_json::json!([seconds, part, bytes, path]))
        .collect();
    let document = serde_json::json!({ "packages": packages.len(), "parts": parts, "slowest": files });
    println!("{document:#}");
}

fn one(package: &Path, bytes: &[u8], dump: Option<&Path>, costs: &mut Costs) {
    let name = package.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let budgets = Budgets::default();
    let scratch = TemporaryFiles::default();
    let walk = |keep: &mut Keep| -> Summary { unfold(&name, bytes, &budgets, &scratch, keep) };
    let summary = costs.measure("unfold", &name, 0, || walk(&mut Keep(None)));
    if let Some(cost) = costs.parts.get_mut("unfold") {
        cost.bytes += summary.unpacked_bytes;
    }
    let mut keep = Keep(Some(Vec::new()));
    walk(&mut keep);
    let leaves = keep.0.unwrap_or_default();
    let total: usize = leaves.iter().map(|leaf| leaf.bytes.len()).sum();
    let key = FingerprintKey::new([7; 32]);
    let mut text = String::new();
    for leaf in &leaves {
        costs.measure("secrets", &leaf.path, leaf.bytes.len(), || Rules::builtin().look(&leaf.bytes, &key));
        let Some(language) = leaf.language() else { continue };
        let part = match language {
            Language::JavaScript => "javascript",
            Language::Python => "python",
            Language::Rust => "rust",
            Language::Shell | Language::Windows => "shell",
        };
        let facts = costs.measure(part, &leaf.path, leaf.bytes.len(), || {
            languages::read(language, &leaf.bytes, &leaf.path, 0)
        });
        if dump.is_some() {
            let _infallible = writeln!(text, "{}\n{facts:#?}", leaf.path);
        }
    }
    let (ecosystem, request) = request(&name);
    costs.measure("licences", &name, total, || {
        let mut licences = LicenceCollector::new();
        leaves.iter().for_each(|leaf| licences.leaf(&leaf.leaf()));
        licences.finish()
    });
    costs.measure("inventory", &name, total, || {
        let mut inventory = InventoryCollector::new();
        leaves.iter().for_each(|leaf| inventory.leaf(&leaf.leaf()));
        inventory.finish()
    });
    costs.measure("behaviour", &name, total, || {
        let mut collector = Collector::new(Subject { ecosystem, ..Subject::default() });
        leaves.iter().for_each(|leaf| collector.leaf(&leaf.leaf()));
        judge(&collector.finish())
    });
    drop(leaves);
    let bytes_of_whole = usize::try_from(summary.unpacked_bytes).unwrap_or(usize::MAX);
    let inspection =
        costs.measure("whole", &name, bytes_of_whole, || inspect(&request, bytes, &budgets, &scratch));
    if let Some(folder) = dump {
        let _infallible = writeln!(text, "{inspection:#?}");
        std::fs::create_dir_all(folder).expect("the folder of the dump can be made");
        std::fs::write(folder.join(format!("{name}.txt")), text).expect("the dump can be written");
    }
}

fn request(name: &str) -> (Option<Ecosystem>, Request) {
    let ecosystem = match name.rsplit_once('.').map(|(_, ending)| ending) {
        Some("tgz") => Some(Ecosystem::Npm),
        Some("whl" | "gz") => Some(Ecosystem::Pypi),
        Some("crate") => Some(Ecosystem::Cargo),
        _ => None,
    };
    (ecosystem, Request { name: name.to_owned(), ecosystem, ..Request::default() })
}
