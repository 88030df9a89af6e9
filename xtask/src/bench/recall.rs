//! `cargo xtask bench recall`: how long an advisory takes from the command that loads it to its last effect, in front of a
//! large catalogue and while clients are served.
//!
//! The catalogue is synthetic: rows of admitted versions, as decisions leave them, without blobs. One package is real: every
//! version of it is installed through the door, and taken by many people in a synthetic history of accesses.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use tidegate_ledger::entry::Access;
use tidegate_ledger::pseudonym::{Commitment, Pseudonym};
use tidegate_ledger::{Body, Entry};
use tidegate_model::{Action, DecisionId, Ecosystem, PrincipalKind, Sha256, Timestamp};
use tidegate_store::access_index::AccessIndex;
use tidegate_store::catalogue::sqlite::SqliteCatalogue;
use tidegate_store::catalogue::{DecisionRecord, Decisions as _};
use tidegate_testkit::client::RawClient;
use tidegate_testkit::process::{Home, Program, Running};
use tidegate_testkit::{FakeUpstream, Package};

use super::BenchError;

/// Sizes of a run.
#[derive(Debug, clap::Args)]
pub(super) struct Recall {
    /// Admitted versions in the catalogue
    #[arg(long, default_value_t = 1_000_000)]
    artifacts: u32,
    /// Clients that are served meanwhile
    #[arg(long, default_value_t = 64)]
    clients: usize,
    /// Milliseconds that each client waits between two requests
    #[arg(long, default_value_t = 20)]
    pause: u64,
    /// People who took the package that the advisory is about
    #[arg(long, default_value_t = 500)]
    people: u32,
    /// Rounds of an advisory and its retraction
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// The binary under test
    #[arg(long, default_value_os_t = crate::tools::target().join("release/tidegate"))]
    tidegate: PathBuf,
}

/// Versions of each synthetic package, and of the real one.
const VERSIONS: u32 = 20;
/// Packages that the clients ask for.
const BUSY: usize = 20;
/// Rows that are written at once.
const BATCH: u32 = 20_000;
/// How long anything may take before it counts as never.
const PATIENCE: Duration = Duration::from_secs(120);
const NAME: &str = "widely-used";

pub(super) fn run(options: &Recall) -> Result<(), BenchError> {
    let write = |source| BenchError::Write { path: "a temporary folder".into(), source };
    let place = crate::tools::target().join("bench");
    std::fs::create_dir_all(&place).map_err(write)?;
    let folder = tempfile::Builder::new().prefix("recall-").tempdir_in(&place).map_err(write)?;
    let data = folder.path().join("data");
    std::fs::create_dir_all(&data).map_err(write)?;
    fill(options, &data)?;
    let upstream = publish();
    let (site, _door) = Site::start(options, &upstream, &data)?;
    site.warm()?;
    let stop = AtomicBool::new(false);
    let times: Mutex<Vec<(Instant, Duration)>> = Mutex::default();
    std::thread::scope(|scope| {
        for client in 0..options.clients {
            let (site, stop, times, pause) = (&site, &stop, &times, Duration::from_millis(options.pause));
            scope.spawn(move || load(site, client, pause, stop, times));
        }
        let measured = measure(options, &site, &times);
        stop.store(true, Ordering::Relaxed);
        measured
    })
}

/// Rows of admitted versions, and a history of who took the real package.
fn fill(options: &Recall, data: &Path) -> Result<(), BenchError> {
    let failed =
        |e: &dyn std::fmt::Display| BenchError::Server(format!("the catalogue cannot be filled: {e}"));
    eprintln!("writing {} admitted versions", options.artifacts);
    let begun = Instant::now();
    let catalogue = SqliteCatalogue::open(&data.join("catalogue.sqlite")).map_err(|e| failed(&e))?;
    let now = now();
    for first in (0..options.artifacts).step_by(BATCH as usize) {
        let last = (first + BATCH).min(options.artifacts);
        let rows: Vec<DecisionRecord> = (first..last).map(|n| admitted(n, now)).collect();
        catalogue.put_decisions(&rows).map_err(|e| failed(&e))?;
    }
    drop(catalogue);
    let access = AccessIndex::open(&data.join("access")).map_err(|e| failed(&e))?;
    let history: Vec<Entry> = (0..options.people * VERSIONS).map(|n| taken(n, options.people, now)).collect();
    access.project(&history).map_err(|e| failed(&e))?;
    eprintln!("written in {:.1} s", begun.elapsed().as_secs_f64());
    Ok(())
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_unix_seconds(i64::try_from(since.as_secs()).unwrap_or_default())
}

fn admitted(n: u32, now: Timestamp) -> DecisionRecord {
    let mut id = [0; 10];
    id[..4].copy_from_slice(&n.to_be_bytes());
    let mut sha256 = [0; 32];
    sha256[..4].copy_from_slice(&n.to_be_bytes());
    let (package, version) = (n / VERSIONS, n % VERSIONS);
    DecisionRecord {
        id: DecisionId::from_random(id),
        at: now.plus_seconds(-86_400),
        purl: format!("pkg:npm/synthetic-{package}@1.{version}.0"),
        file: Some(format!("synthetic-{package}-1.{version}.0.tgz")),
        sha256: Some(Sha256::new(sha256)),
        repository: "npm".into(),
        action: Action::Allow,
        served: true,
        seek: 0,
        json: "{}".into(),
    }
}

fn taken(n: u32, people: u32, now: Timestamp) -> Entry {
    let (version, person) = (n / people, n % people);
    let mut pseudonym = [7; 32];
    pseudonym[..4].copy_from_slice(&person.to_be_bytes());
    let access = Access {
        actor: Pseudonym::new(pseudonym),
        actor_kind: PrincipalKind::Human,
        host: None,
        address: Commitment::new([1; 32]),
        client: None,
        credential: None,
        repository: "npm".into(),
        ecosystem: Some(Ecosystem::Npm),
        method: "GET".into(),
        operation: "artifact".into(),
        purl: Some(format!("pkg:npm/{NAME}@1.{version}.0").into()),
        file: Some(format!("{NAME}-1.{version}.0.tgz").into()),
        sha256: None,
        status: 200,
        range: None,
        bytes: 1000,
        action: Some(Action::Allow),
        decision: None,
        rules: [].into(),
        policy: None,
        cache: None,
        upstream: None,
        enforced: true,
        degraded: [].into(),
    };
    Entry {
        time: now.plus_seconds(-3600),
        node: "history".parse().expect("a plain word names a node"),
        seq: u64::from(n) + 1,
        tenant: "default".into(),
        body: Body::Access(Box::new(access)),
    }
}

fn publish() -> FakeUpstream {
    let upstream = FakeUpstream::start();
    let published = now().plus_seconds(-100 * 86_400).to_string();
    for version in 0..=VERSIONS {
        upstream.publish(Package::npm(NAME, &format!("1.{version}.0")).published(&published));
    }
    for n in 0..BUSY {
        upstream.publish(Package::npm(&format!("busy-{n}"), "1.0.0").published(&published).padded(4000));
    }
    upstream
}

/// The door under test.
struct Site {
    program: PathBuf,
    home: Home,
    data: PathBuf,
    address: SocketAddr,
}

impl Site {
    fn start(options: &Recall, upstream: &FakeUpstream, data: &Path) -> Result<(Self, Running), BenchError> {
        let home = Home::new();
        let begun = Instant::now();
        let mut door = Program::new(&options.tidegate, &home)
            .args(["up", "--no-sync", "--listen", "127.0.0.1:0", "--data"])
            .arg(data)
            // With an upstream for each, no client is asked for its own at the start.
            .env("TIDEGATE_UPSTREAM_NPM", upstream.npm_url())
            .env("TIDEGATE_UPSTREAM_PYPI", upstream.pypi_url())
            .env("TIDEGATE_UPSTREAM_CARGO", upstream.cargo_url())
            .timeout(Duration::MAX)
            .spawn();
        let line = door.wait_for_line("tidegate is open on", PATIENCE);
        eprintln!("the door opened in {:.2} s", begun.elapsed().as_secs_f64());
        let address = line
            .split("http://")
            .nth(1)
            .and_then(|rest| rest.split('/').next())
            .and_then(|text| text.parse().ok())
            .ok_or_else(|| BenchError::Server(format!("the door says no address: {line}")))?;
        Ok((Self { program: options.tidegate.clone(), home, data: data.to_owned(), address }, door))
    }

    /// Standard output of a command.
    fn told(&self, arguments: &[&str]) -> String {
        let program = Program::new(&self.program, &self.home);
        program
            .args(arguments)
            .env("TIDEGATE_DATA", &self.data)
            .timeout(PATIENCE)
            .run()
            .expect_success()
            .stdout
    }

    /// Takes every version but the last of the real package, and everything that the clients ask for.
    fn warm(&self) -> Result<(), BenchError> {
        let failed = |e: std::io::Error| BenchError::Server(format!("the door does not answer: {e}"));
        let mut client = RawClient::connect(self.address).map_err(failed)?;
        let real = (0..VERSIONS).map(|version| file(NAME, &format!("1.{version}.0")));
        let busy = (0..BUSY).map(|n| file(&format!("busy-{n}"), "1.0.0"));
        for target in real.chain(busy) {
            let answer = client.request("GET", &target, &[]).map_err(failed)?;
            if answer.status != 200 {
                return Err(BenchError::Server(format!("{target} answers {}", answer.status)));
            }
        }
        Ok(())
    }

    fn import(&self, record: &Value) {
        let path = self.data.join("record.json");
        std::fs::write(&path, record.to_string()).expect("the data folder of the run can be written");
        self.told(&["intel", "import", &path.display().to_string(), "--feed", "bench", "--kind", "osv"]);
    }

    /// Everyone who took what the advisory touches.
    fn who(&self) -> String {
        self.told(&["who", "MAL-2026-1", "--json", "--limit", "1000000"])
    }
}

fn file(name: &str, version: &str) -> String {
    format!("/npm/{name}/-/{name}-{version}.tgz")
}

/// Asks for warm files until it is stopped.
fn load(
    site: &Site,
    client: usize,
    pause: Duration,
    stop: &AtomicBool,
    times: &Mutex<Vec<(Instant, Duration)>>,
) {
    let Ok(mut connection) = RawClient::connect(site.address) else { return };
    let mut n = client;
    while !stop.load(Ordering::Relaxed) {
        let begun = Instant::now();
        let answered = connection.request("GET", &file(&format!("busy-{}", n % BUSY), "1.0.0"), &[]);
        if !answered.is_ok_and(|answer| answer.status == 200) {
            eprintln!("a client was not served");
            return;
        }
        times.lock().expect("no client panics").push((begun, begun.elapsed()));
        n += 1;
        std::thread::sleep(pause);
    }
}

/// A report of malice in every version, or its retraction; a new one in each round.
fn record(round: usize, withdrawn: bool) -> Value {
    let at = now().plus_seconds(-3600 + i64::try_from(round).unwrap_or_default() * 10 + i64::from(withdrawn));
    let versions: Vec<String> = (0..VERSIONS).map(|version| format!("1.{version}.0")).collect();
    let mut record = json!({
        "id": "MAL-2026-1", "modified": at.to_string(), "summary": "takes credentials",
        "affected": [{ "package": { "ecosystem": "npm", "name": NAME }, "versions": versions }],
    });
    if withdrawn {
        record["withdrawn"] = at.to_string().into();
    }
    record
}

fn measure(options: &Recall, site: &Site, times: &Mutex<Vec<(Instant, Duration)>>) -> Result<(), BenchError> {
    std::thread::sleep(Duration::from_secs(3));
    let quiet = percentiles(times, Instant::now() - Duration::from_secs(2), Instant::now());
    println!("clients before: {quiet}");
    for round in 0..options.rounds {
        for withdrawn in [false, true] {
            let begun = Instant::now();
            let (paths, told) = std::thread::scope(|scope| {
                let watching = scope.spawn(|| watch(site, begun, withdrawn));
                site.import(&record(round, withdrawn));
                let told = begun.elapsed();
                (watching.join().expect("the watcher does not panic"), told)
            });
            let who = site.who();
            let listed = begun.elapsed();
            let what = if withdrawn { "retraction" } else { "advisory" };
            println!(
                "{what} {}: index {}, exact file {}, warm file {}, entries durable and alarms {} ms, list of who took it, {} lines, {} ms; clients {}",
                round + 1,
                shown(paths[0]),
                shown(paths[1]),
                shown(paths[2]),
                told.as_millis(),
                who.lines().count(),
                listed.as_millis(),
                percentiles(times, begun, Instant::now()),
            );
            std::thread::sleep(Duration::from_secs(1));
        }
    }
    Ok(())
}

fn shown(at: Option<Duration>) -> String {
    at.map_or_else(|| "never".into(), |at| format!("{} ms", at.as_millis()))
}

/// When each path first says what the change means: the index, an exact version, one that is asked for all the time.
fn watch(site: &Site, begun: Instant, withdrawn: bool) -> [Option<Duration>; 3] {
    let mut first = [None; 3];
    let Ok(mut client) = RawClient::connect(site.address) else { return first };
    let mut ask = |target: &str| client.request("GET", target, &[]).ok();
    while first.iter().any(Option::is_none) && begun.elapsed() < PATIENCE {
        let index = ask(&format!("/npm/{NAME}")).filter(|answer| answer.status == 200);
        // Publish times of withheld versions stay in an index.
        let lists = index.is_some_and(|answer| answer.text().contains(&format!("{NAME}-1.3.0.tgz")));
        let exact = ask(&file(NAME, "1.7.0")).is_some_and(|answer| answer.status == 200);
        let warm = ask(&file(NAME, "1.3.0")).is_some_and(|answer| answer.status == 200);
        for (at, open) in first.iter_mut().zip([lists, exact, warm]) {
            if open == withdrawn && at.is_none() {
                *at = Some(begun.elapsed());
            }
        }
    }
    first
}

fn percentiles(times: &Mutex<Vec<(Instant, Duration)>>, from: Instant, to: Instant) -> String {
    let all = times.lock().expect("no client panics");
    let mut some: Vec<Duration> =
        all.iter().filter(|(at, _)| (from..to).contains(at)).map(|(_, took)| *took).collect();
    some.sort_unstable();
    let at = |share: usize| some.get((some.len() * share / 100).min(some.len().saturating_sub(1)));
    let ms = |took: Option<&Duration>| took.map_or(0.0, |took| took.as_secs_f64() * 1000.0);
    format!("p50 {:.1} ms, p99 {:.1} ms of {} requests", ms(at(50)), ms(at(99)), some.len())
}
