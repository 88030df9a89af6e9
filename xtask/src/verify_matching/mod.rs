//! `cargo xtask verify-matching`: the matcher against foreign ones, on real advisories.
//!
//! Pairs of package and version are drawn with a fixed seed from the published data sets: versions that advisories of the
//! package name, and neighbours of those. For each pair a foreign matcher answers: Python's `packaging`, npm's `semver`
//! (also for Go), the `semver` crate for Rust, each under a small program of its own that follows the OSV schema. What is
//! found must be the same ids, folded by their aliases in the same way.

mod cargo;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use serde_json::{Value, json};
use tidegate_intel::import::{PlanOptions, ReadOptions, read};
use tidegate_intel::{Intel, Query, Snapshot};
use tidegate_model::Timestamp;
use tidegate_testkit::{ForgetfulDisk, data, tools as clients};

use crate::tools;

/// Check the matcher against foreign ones on real advisories.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Where the draw begins.
    #[arg(long, default_value_t = 20_261_121)]
    seed: u64,
    /// How many pairs are drawn for each of the four ecosystems.
    #[arg(long, default_value_t = 1_000)]
    pairs: usize,
}

/// The releases that are asked.
const PACKAGING: &str = "packaging==25.0";
const SEMVER: &str = "semver@7.7.2";

/// Fewer pairs than this prove little.
const ENOUGH: usize = 2_000;

/// How many differences are printed.
const SHOWN: usize = 20;

/// Why there is no result.
#[derive(Debug, thiserror::Error)]
pub(crate) enum VerifyError {
    /// The data does not load.
    #[error("the advisories cannot be loaded: {0}")]
    Load(String),
    /// A foreign matcher did not answer.
    #[error("the matcher for {0} failed: {1}")]
    Foreign(&'static str, String),
    /// Answers differ; all are printed.
    #[error("{differences} of {pairs} pairs have other answers")]
    Different {
        /// How many.
        differences: usize,
        /// Of how many.
        pairs: usize,
    },
    /// Too few pairs could be compared.
    #[error("only {0} pairs could be compared, at least {ENOUGH} are needed")]
    TooFew(usize),
}

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Pair {
    name: String,
    version: String,
}

/// What a foreign matcher answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Answer {
    /// Matters that touch the version, each with all its ids.
    found: Vec<Vec<String>>,
    /// Ids of matters in which it cannot compare.
    unclear: Vec<String>,
}

/// Draws, asks, compares.
pub(crate) fn run(arguments: &Arguments) -> Result<(), VerifyError> {
    let folders = ["advisories", "advisories-update"].map(data::shared_data);
    let folders: Vec<PathBuf> = folders.into_iter().flatten().collect();
    if folders.len() < 2 {
        eprintln!("SKIPPED: verify-matching: there are no advisories to draw from");
        return Ok(());
    }
    let now = Timestamp::from_unix_seconds(1_795_000_000);
    let intel = load(&folders, now)?;
    let records = records(&folders);
    let (mut compared, mut differences, mut live) = (0, 0, 0);
    for (number, ecosystem) in ["PyPI", "npm", "Go", concat!("crates", ".io")].into_iter().enumerate() {
        let own: Vec<Value> = records.iter().filter(|r| speaks_of(r, ecosystem)).cloned().collect();
        let pairs = draw(ecosystem, &own, arguments.pairs, arguments.seed + number as u64);
        let answers = match number {
            0 => python(&own, &pairs)?,
            1 | 2 => node(ecosystem, &own, &pairs)?,
            _ => Some(cargo::answers(ecosystem, &own, &pairs)),
        };
        let Some(answers) = answers else { continue };
        let snapshot = intel.snapshot();
        let mut tally = Tally::default();
        for (pair, answer) in pairs.iter().zip(answers) {
            tally.compare(&snapshot, ecosystem, pair, answer, now);
        }
        println!("{}", tally.line(number));
        compared += tally.compared;
        differences += tally.different;
        live += tally.withdrawn_live;
    }
    println!("{compared} pairs compared, {differences} differ, {live} withdrawn advisories in force");
    if differences + live > 0 {
        return Err(VerifyError::Different { differences: differences + live, pairs: compared });
    }
    if compared < ENOUGH {
        return Err(VerifyError::TooFew(compared));
    }
    Ok(())
}

#[derive(Default)]
struct Tally {
    compared: usize,
    different: usize,
    with_findings: usize,
    no_version: usize,
    unclear: usize,
    withdrawn_live: usize,
}

impl Tally {
    fn compare(
        &mut self,
        snapshot: &Snapshot,
        ecosystem: &str,
        pair: &Pair,
        answer: Option<Answer>,
        now: Timestamp,
    ) {
        let Some(answer) = answer else {
            self.no_version += 1;
            return;
        };
        let query = Query { ecosystem, name: &pair.name, version: &pair.version, now };
        let findings = snapshot.matches(&query);
        for source in findings.items.iter().flat_map(|item| &item.sources) {
            let texts = snapshot.records(&source.id, now).unwrap_or_default();
            self.withdrawn_live +=
                usize::from(texts.iter().any(|text| text.id == source.id && text.withdrawn));
        }
        // Where the foreign library has no order for a boundary, ours may have one; those matters prove nothing.
        let unclear: BTreeSet<&String> = answer.unclear.iter().collect();
        self.unclear += usize::from(!unclear.is_empty());
        let clear = |ids: &&Vec<String>| !ids.iter().any(|id| unclear.contains(id));
        let mut ours: Vec<Vec<String>> = findings.items.iter().map(|item| item.ids.clone()).collect();
        ours.sort();
        let ours: Vec<&Vec<String>> = ours.iter().filter(clear).collect();
        let theirs: Vec<&Vec<String>> = answer.found.iter().filter(clear).collect();
        let undecided = findings.undecided.iter().filter(|id| !unclear.contains(id)).count();
        self.compared += 1;
        self.with_findings += usize::from(!theirs.is_empty());
        if ours != theirs || undecided > 0 {
            self.different += 1;
            if self.different <= SHOWN {
                println!(
                    "{} {}: ours {ours:?}, theirs {theirs:?}, undecided {undecided}",
                    pair.name, pair.version
                );
            }
        }
    }

    fn line(&self, number: usize) -> String {
        let name =
            ["Python, `packaging`", "npm, `semver`", "Go, `semver` of npm", "Rust, `semver` crate"][number];
        format!(
            "{name}: {} pairs, {} with findings, {} differ ({} versions are none to it, {} pairs have matters it cannot compare)",
            self.compared, self.with_findings, self.different, self.no_version, self.unclear
        )
    }
}

/// The advisories of some folders, one after another, in memory.
pub(crate) fn load(folders: &[PathBuf], now: Timestamp) -> Result<Intel, VerifyError> {
    let failed = |e: &dyn std::error::Error| VerifyError::Load(e.to_string());
    let intel = Intel::open(Arc::new(ForgetfulDisk::new()), Path::new("intel")).map_err(|e| failed(&e))?;
    for folder in folders {
        let deliveries =
            read(std::slice::from_ref(folder), &ReadOptions::default()).map_err(|e| failed(&e))?;
        let plan = intel.snapshot().plan(deliveries, &PlanOptions::at(now)).map_err(|e| failed(&e))?;
        intel.apply(plan).map_err(|e| failed(&e))?;
    }
    Ok(intel)
}

fn records(folders: &[PathBuf]) -> Vec<Value> {
    let mut files = Vec::new();
    for folder in folders {
        files.extend(std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()));
    }
    files.sort();
    files
        .iter()
        .filter(|file| file.to_string_lossy().ends_with(".osv.jsonl.zst"))
        .flat_map(|file| {
            let text = data::read(file);
            text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect::<Vec<Value>>()
        })
        .collect()
}

fn affected(record: &Value) -> impl Iterator<Item = &Value> {
    record["affected"].as_array().into_iter().flatten()
}

fn speaks_of(record: &Value, ecosystem: &str) -> bool {
    affected(record).any(|a| a["package"]["ecosystem"] == ecosystem)
}

/// A small generator, so that a seed draws the same everywhere (SplitMix64).
struct Draw(u64);

impl Draw {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % end.max(1) as u64).unwrap_or_default()
    }
}

/// Versions that advisories of a package name, by package; drawn from, with neighbours mixed in.
fn draw(ecosystem: &str, records: &[Value], count: usize, seed: u64) -> Vec<Pair> {
    let mut versions: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for record in records {
        for entry in affected(record).filter(|a| a["package"]["ecosystem"] == ecosystem) {
            let Some(name) = entry["package"]["name"].as_str() else { continue };
            let named = versions.entry(name.to_owned()).or_default();
            let events = entry["ranges"].as_array().into_iter().flatten();
            let events = events.flat_map(|range| range["events"].as_array().into_iter().flatten());
            let bounds = events.flat_map(|event| event.as_object().into_iter().flat_map(|e| e.values()));
            let listed = entry["versions"].as_array().into_iter().flatten();
            named.extend(bounds.chain(listed).filter_map(Value::as_str).map(str::to_owned));
        }
    }
    // Packages with many advisories are where matchers differ, so half of the draw is among them.
    let names: Vec<&String> = versions.keys().collect();
    let rich: Vec<&String> = versions.iter().filter(|(_, v)| v.len() > 3).map(|(name, _)| name).collect();
    let mut draw = Draw(seed);
    let mut pairs = BTreeSet::new();
    for _ in 0..count * 20 {
        if pairs.len() >= count || names.is_empty() {
            break;
        }
        let from = if draw.below(2) == 0 && !rich.is_empty() { &rich } else { &names };
        let name = from[draw.below(from.len())];
        let known: Vec<&String> = versions[name].iter().collect();
        let version = neighbour(ecosystem, known[draw.below(known.len())], draw.below(8));
        pairs.insert(Pair { name: name.clone(), version });
    }
    pairs.into_iter().collect()
}

/// A version, or one close by: where ranges begin and end is where mistakes show.
fn neighbour(ecosystem: &str, version: &str, which: usize) -> String {
    let plain = if version == "0" { "0.0.1" } else { version };
    let without_pre = plain.split(['-', '+']).next().unwrap_or(plain);
    let bumped = || match without_pre.rsplit_once('.') {
        Some((rest, last)) => {
            last.parse::<u64>().map_or_else(|_| plain.to_owned(), |n| format!("{rest}.{}", n + 1))
        }
        None => plain.to_owned(),
    };
    // Four numbers are no SemVer. Each library makes something else of what is put behind them, and nobody publishes it.
    if ecosystem != "PyPI" && without_pre.split('.').count() > 3 {
        return plain.to_owned();
    }
    match (ecosystem, which) {
        (_, 0..=3) => plain.to_owned(),
        (_, 4) => bumped(),
        ("PyPI", 5) => format!("{plain}.post1"),
        ("PyPI", 6) => format!("{plain}rc1"),
        ("PyPI", _) => format!("{plain}+local.1"),
        (_, 5) => format!("{without_pre}-rc.1"),
        (_, 6) => format!("{}-0", bumped()),
        (_, _) => format!("{without_pre}+build.5"),
    }
}

fn question(ecosystem: &str, records: &[Value], pairs: &[Pair]) -> Value {
    let names: BTreeSet<&str> = pairs.iter().map(|pair| pair.name.as_str()).collect();
    let asked =
        |r: &&Value| affected(r).any(|a| a["package"]["name"].as_str().is_some_and(|n| names.contains(n)));
    // Python's names have several spellings, so all of its records go along.
    let records: Vec<&Value> = records.iter().filter(|r| ecosystem == "PyPI" || asked(r)).collect();
    let pairs: Vec<[&str; 2]> = pairs.iter().map(|p| [p.name.as_str(), p.version.as_str()]).collect();
    json!({"ecosystem": ecosystem, "records": records, "pairs": pairs})
}

/// Puts a question to a program's standard input and reads its answers.
fn ask(
    who: &'static str,
    command: &mut Command,
    question: &Value,
) -> Result<Vec<Option<Answer>>, VerifyError> {
    let failed = |e: String| VerifyError::Foreign(who, e);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().map_err(|e| failed(e.to_string()))?;
    let mut input = child.stdin.take().ok_or_else(|| failed("it has no input".to_owned()))?;
    let text = question.to_string();
    // It reads all of its input before it writes.
    input.write_all(text.as_bytes()).map_err(|e| failed(e.to_string()))?;
    drop(input);
    let output = child.wait_with_output().map_err(|e| failed(e.to_string()))?;
    if !output.status.success() {
        return Err(failed(output.status.to_string()));
    }
    let answers: Vec<Value> = serde_json::from_slice(&output.stdout).map_err(|e| failed(e.to_string()))?;
    let texts = |list: &Value| -> Vec<String> {
        list.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let answer = |value: Value| {
        let found = value.get("found")?.as_array()?.iter().map(texts).collect::<BTreeSet<_>>();
        Some(Answer { found: found.into_iter().collect(), unclear: texts(&value["unclear"]) })
    };
    Ok(answers.into_iter().map(answer).collect())
}

fn scratch() -> PathBuf {
    tools::target().join("tools/verify-matching")
}

fn skip(what: &str) {
    eprintln!("SKIPPED: verify-matching: {what} cannot be installed here");
}

fn write(path: &Path, text: &str, who: &'static str) -> Result<(), VerifyError> {
    std::fs::write(path, text).map_err(|e| VerifyError::Foreign(who, format!("`{}`: {e}", path.display())))
}

fn python(records: &[Value], pairs: &[Pair]) -> Result<Option<Vec<Option<Answer>>>, VerifyError> {
    let Some(python) = clients::python() else { return Ok(None) };
    let site = scratch().join("python");
    let install = Command::new(python.path())
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--upgrade", "--target"])
        .arg(&site)
        .arg(PACKAGING)
        .stdin(Stdio::null())
        .status();
    if !install.is_ok_and(|status| status.success()) {
        skip(PACKAGING);
        return Ok(None);
    }
    let script = site.join("pypi.py");
    write(&script, include_str!("pypi.py"), "PyPI")?;
    let mut command = Command::new(python.path());
    command.arg(&script).env("PYTHONPATH", &site);
    ask("PyPI", &mut command, &question("PyPI", records, pairs)).map(Some)
}

fn node(
    ecosystem: &str,
    records: &[Value],
    pairs: &[Pair],
) -> Result<Option<Vec<Option<Answer>>>, VerifyError> {
    let Some(npm) = clients::npm() else { return Ok(None) };
    let folder = scratch().join("node");
    if std::fs::create_dir_all(&folder).is_err() {
        skip(SEMVER);
        return Ok(None);
    }
    write(&folder.join("package.json"), r#"{"name":"verify-matching","private":true}"#, "npm")?;
    let install = Command::new(npm.path())
        .args(["install", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error", SEMVER])
        .current_dir(&folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status();
    if !install.is_ok_and(|status| status.success()) {
        skip(SEMVER);
        return Ok(None);
    }
    let script = folder.join("semver.js");
    write(&script, include_str!("semver.js"), "npm")?;
    let mut command = Command::new("node");
    command.arg(&script).current_dir(&folder);
    ask("npm", &mut command, &question(ecosystem, records, pairs)).map(Some)
}
