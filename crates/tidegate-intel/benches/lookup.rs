//! What advisories cost: import, size, opening, a lookup, and the way of a change until it is in force.
//!
//! `cargo bench -p tidegate-intel` takes the published data sets where they are there, and fills up to
//! [`RECORDS`] with copies of their records under other names and ids, marked as synthetic. Without the data sets all
//! records are synthetic.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot run shows why")]

use std::hint::black_box;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tidegate_intel::import::{PlanOptions, ReadOptions, read, read_bytes};
use tidegate_intel::{Intel, Query, inverse};
use tidegate_model::Timestamp;
use tidegate_sys::disk::RealDisk;
use tidegate_testkit::data;

/// How many records there are in all of OSV, about.
const RECORDS: usize = 700_000;

/// Records of one delivery of what changed.
const DELTA: usize = 1_000;

/// Records of one feed: feeds are deliveries by ecosystem, the largest of which has about as many.
const PER_FEED: usize = 120_000;

type Asked = (String, String, &'static str);

/// Set in the process that imports only, so that its memory is that of the import: the folder with the deliveries.
const IMPORT: &str = "TIDEGATE_BENCH_IMPORT";

fn main() {
    let now = Timestamp::from_unix_seconds(1_795_000_000);
    if let Some(folder) = std::env::var_os(IMPORT) {
        return import(Path::new(&folder), now);
    }
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let names = deliveries(&dir.path().join("feeds"));
    for (title, folder) in [("six feeds", "feeds"), ("one feed", "whole")] {
        if folder == "whole" {
            join(&dir.path().join("feeds"), &dir.path().join("whole"));
        }
        print!("{title}: ");
        std::io::stdout().flush().unwrap();
        let child = std::process::Command::new(std::env::current_exe().unwrap())
            .env(IMPORT, dir.path().join(folder))
            .status()
            .unwrap();
        assert!(child.success());
    }
    let dir = dir.path().join("feeds-in-force");
    println!("segments on disk: {:.1} MB", megabytes(bytes_below(&dir)));
    let before = resident();
    let started = Instant::now();
    let intel = Intel::open(Arc::new(RealDisk), &dir).unwrap();
    let opened = started.elapsed();
    println!("open: {opened:.1?}, {:.1} MB resident more than before", megabytes(resident() - before));
    lookups(&intel, &names, now);
    println!("after lookups: {:.1} MB resident more than before opening", megabytes(resident() - before));
    change(&intel, now);
}

/// Imports all deliveries of a folder at once, as a door does, and says what it cost.
fn import(folder: &Path, now: Timestamp) {
    let name = folder.file_name().unwrap().to_str().unwrap();
    let dir = folder.with_file_name(format!("{name}-in-force"));
    let intel = Intel::open(Arc::new(RealDisk), &dir).unwrap();
    let options = ReadOptions { scratch: Some(dir), ..ReadOptions::default() };
    let (before, started) = (status("VmRSS"), Instant::now());
    let step = |title: &str| {
        let [peak, anonymous] =
            ["VmHWM", "RssAnon"].map(|field| megabytes(status(field) - before.min(status(field))));
        println!(
            "  {title} after {:.1?}, cpu {:.1} s, peak +{peak:.0} MB, anonymous {anonymous:.0} MB",
            started.elapsed(),
            cpu()
        );
    };
    println!("import of {:.1} MB packed", megabytes(bytes_below(folder)));
    let deliveries = read(&[folder.to_owned()], &options).unwrap();
    step("read");
    let plan = intel.snapshot().plan(deliveries, &PlanOptions::at(now)).unwrap();
    step("planned");
    let applied = intel.apply(plan).unwrap();
    step("in force");
    assert!(applied.reports.iter().all(|report| !report.refused), "{:?}", applied.reports[0].alarms);
    let records: usize = applied.reports.iter().map(|report| report.added.len()).sum();
    let started = Instant::now();
    let touched = inverse::changes_among(&applied.before, &applied.after, &mut |_, _| false).unwrap();
    println!("  {records} records; what they touch, {} names: {:.1?}", touched.names, started.elapsed());
    step("all");
}

/// A field of this process's status in bytes; 0 where the kernel does not say.
fn status(field: &str) -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
    line.and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) * 1024
}

/// Seconds of CPU that this process took.
fn cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks: f64 = [11, 12].iter().filter_map(|at| fields.get(*at)?.parse::<f64>().ok()).sum();
    ticks / 100.0
}

/// Puts deliveries of several feeds together as one.
fn join(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    let mut out = std::fs::File::create(to.join("all.jsonl.zst")).unwrap();
    for file in std::fs::read_dir(from).unwrap().map(|entry| entry.unwrap().path()) {
        std::io::copy(&mut std::fs::File::open(file).unwrap(), &mut out).unwrap();
    }
}

fn load(intel: &Intel, feed: &str, text: String, now: Timestamp) -> Duration {
    let options = ReadOptions { feed: Some(feed.to_owned()), ..ReadOptions::default() };
    let started = Instant::now();
    let deliveries = read_bytes(feed, text.into_bytes(), &options).unwrap();
    let plan = intel.snapshot().plan(deliveries, &PlanOptions::at(now)).unwrap();
    let applied = intel.apply(plan).unwrap();
    assert!(applied.reports.iter().all(|report| !report.refused), "{:?}", applied.reports[0].alarms);
    started.elapsed()
}

/// Writes the deliveries, and gives the names of real records.
fn deliveries(folder: &Path) -> Vec<(String, String)> {
    let mut lines = Vec::new();
    for folder in ["advisories", "advisories-update"] {
        let Some(folder) = data::shared_data(folder) else { continue };
        let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
        files.sort();
        for file in files.iter().filter(|f| f.to_string_lossy().ends_with(".osv.jsonl.zst")) {
            lines.extend(data::read(file).lines().map(str::to_owned));
        }
    }
    if lines.is_empty() {
        lines.push(r#"{"id":"X-0","modified":"2026-01-01T00:00:00Z","affected":[{"package":{"ecosystem":"npm","name":"p"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"2.0.0"}]}]}]}"#.to_owned());
    }
    println!("{} real records, {} synthetic", lines.len(), RECORDS - lines.len());
    std::fs::create_dir(folder).unwrap();
    let mut names = Vec::new();
    let mut out: Option<zstd::Encoder<'_, std::fs::File>> = None;
    let mut bytes = 0;
    for number in 0..RECORDS {
        if number % PER_FEED == 0 {
            let file =
                std::fs::File::create(folder.join(format!("feed-{}.jsonl.zst", number / PER_FEED))).unwrap();
            let before = out.replace(zstd::Encoder::new(file, 3).unwrap());
            before.map(|out| out.finish().unwrap());
        }
        let (copy, line) = (number / lines.len(), &lines[number % lines.len()]);
        let text = if copy == 0 { line.clone() } else { synthetic(line, copy) };
        if copy == 0 {
            let record: Value = serde_json::from_str(line).unwrap();
            names.extend(record["affected"].as_array().unwrap().iter().map(|a| {
                let text = |field: &str| a["package"][field].as_str().unwrap_or_default().to_owned();
                (text("ecosystem"), text("name"))
            }));
        }
        bytes += text.len() as u64 + 1;
        writeln!(out.as_mut().unwrap(), "{text}").unwrap();
    }
    out.map(|out| out.finish().unwrap());
    println!("{:.1} MB unpacked", megabytes(bytes));
    names
}

/// A record under other names and another id, marked.
fn synthetic(line: &str, copy: usize) -> String {
    let mut record: Value = serde_json::from_str(line).unwrap();
    record["id"] = json!(format!("{}-S{copy}", record["id"].as_str().unwrap()));
    record["aliases"] = json!([]);
    record["database_specific"]["synthetic"] = json!(true);
    for affected in record["affected"].as_array_mut().unwrap() {
        let name = affected["package"]["name"].as_str().unwrap_or_default();
        affected["package"]["name"] = json!(format!("{name}-s{copy}"));
    }
    record.to_string()
}

fn lookups(intel: &Intel, names: &[(String, String)], now: Timestamp) {
    let snapshot = intel.snapshot();
    let versions = ["0.0.1", "1.0.0", "1.2.3", "2.0.0", "4.17.20", "10.0.0"];
    let names: std::collections::BTreeSet<_> = names.iter().cloned().collect();
    let step = (names.len() / 10_000).max(1);
    let hits: Vec<Asked> = names
        .iter()
        .step_by(step)
        .enumerate()
        .map(|(n, (ecosystem, name))| (ecosystem.clone(), name.clone(), versions[n % versions.len()]))
        .collect();
    let misses: Vec<Asked> =
        hits.iter().map(|(e, name, version)| (e.clone(), format!("{name}-unheard-of"), *version)).collect();
    // As an index asks: nine names in ten have no advisory.
    let mixed: Vec<Asked> = hits
        .iter()
        .enumerate()
        .map(|(n, hit)| if n % 10 == 0 { hit.clone() } else { misses[n].clone() })
        .collect();
    let largest: Vec<Asked> = vec![("PyPI".into(), "tensorflow-cpu".into(), "2.4.0")];
    index_of_the_largest(&snapshot, now);
    for (title, asked) in
        [("miss", misses), ("hit", hits), ("nine misses, one hit", mixed), ("the largest name", largest)]
    {
        let mut at = 0;
        let cost = cost(|| {
            at = (at + 7919) % asked.len();
            let (ecosystem, name, version) = &asked[at];
            black_box(snapshot.matches(&Query { ecosystem, name, version, now }));
        });
        println!("{title}: {cost:.2} µs of CPU");
    }
}

/// Microseconds of CPU that something takes: what other processes do beside it counts little.
fn cost(mut what: impl FnMut()) -> f64 {
    let mut spent = |rounds: u32| {
        let before = cpu();
        (0..rounds).for_each(|_| what());
        cpu() - before
    };
    // The clock of the system has steps of 10 ms, so long runs are needed.
    let mut rounds = 16;
    loop {
        let seconds = spent(rounds);
        if seconds >= 1.5 {
            return seconds * 1e6 / f64::from(rounds);
        }
        rounds *= 4;
    }
}

/// The versions of an index ask about one name; it is read once.
fn index_of_the_largest(snapshot: &tidegate_intel::Snapshot, now: Timestamp) {
    let versions: Vec<String> = (0..200).map(|n| format!("{}.{}.{}", n / 80, n / 8 % 10, n % 8)).collect();
    let cost = cost(|| {
        let package = snapshot.package("PyPI", "tensorflow-cpu", now);
        let findings: usize = versions.iter().map(|version| package.matches(version).items.len()).sum();
        black_box(findings);
    });
    println!("200 versions of the largest name: {:.1} µs of CPU each", cost / 200.0);
}

fn change(intel: &Intel, now: Timestamp) {
    let delta: Vec<String> = (0..DELTA)
        .map(|n| format!(r#"{{"id":"NEW-{n}","modified":"2026-11-20T00:00:00Z","affected":[{{"package":{{"ecosystem":"npm","name":"new-{n}"}},"ranges":[{{"type":"SEMVER","events":[{{"introduced":"0"}},{{"fixed":"2.0.0"}}]}}]}}]}}"#))
        .collect();
    let before = intel.snapshot();
    let took = load(intel, "feed-0", delta.join("\n"), now);
    println!("a delta of {DELTA} records, from bytes to in force and synced: {took:.1?}");
    let took = load(intel, "feed-0", delta[0].replace("NEW-0", "NEW-X"), now);
    println!("a delta of one record: {took:.1?}");
    let started = Instant::now();
    let touched = inverse::changes(&before, &intel.snapshot()).unwrap();
    println!("what {} records touch, {} names: {:.1?}", DELTA + 1, touched.len(), started.elapsed());
    let started = Instant::now();
    let merged = intel.compact().unwrap();
    println!("merge of the largest feed (due: {merged}): {:.1?}", started.elapsed());
}

fn bytes_below(dir: &Path) -> u64 {
    let entries = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap());
    entries
        .map(|entry| match entry.metadata().unwrap() {
            metadata if metadata.is_dir() => bytes_below(&entry.path()),
            metadata => metadata.len(),
        })
        .sum()
}

/// Resident memory of this process in bytes, maps included; 0 where the kernel does not say.
fn resident() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    statm.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok()).unwrap_or(0) * 4096
}

#[expect(clippy::cast_precision_loss, reason = "for people")]
fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}
