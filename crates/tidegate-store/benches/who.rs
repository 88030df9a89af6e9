//! `tidegate who` over a long history: projects made-up accesses as the field has them, then asks.
//!
//! `cargo xtask bench who --events 10000000` runs it, or `cargo bench -p tidegate-store --bench who [-- N]`. It measures at a tenth of
//! the size and at the size, so that the slope to larger ones can be told. Popularity is log-uniform over 200,000 artifacts,
//! 20,000 people on 40,000 machines and addresses, 90 days.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tidegate_ledger::entry::{Access, CacheState};
use tidegate_ledger::pseudonym::{Commitment, PersonKey, Pseudonym, Salt};
use tidegate_ledger::{Body, Entry, NodeId};
use tidegate_model::{Action, DecisionId, Ecosystem, PrincipalKind, Sha256, Timestamp, Version};
use tidegate_store::access_index::{AccessIndex, Narrow, Place, WhoQuery, WhoSubject};
use tidegate_store::catalogue::sqlite::SqliteCatalogue;
use tidegate_store::catalogue::{ContextKind, NewContext, NewPerson, People as _};

const ARTIFACTS: u64 = 200_000;
/// Versions of each package.
const VERSIONS: u64 = 20;
const PEOPLE: u64 = 20_000;
/// Machines, each with an address of its own, of each person.
const MACHINES: u64 = 2;
const DAYS: i64 = 90;
/// When the history begins.
const START: i64 = 1_788_000_000_000;
/// Entries that are projected at once.
const BATCH: u64 = 10_000;
/// How often each question is asked.
const ROUNDS: usize = 21;
/// Rows of a page.
const PAGE: u32 = 100;

struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn unit(&mut self) -> f64 {
        (self.roll() >> 11) as f64 / (1u64 << 53) as f64
    }
}

fn bytes32(tag: u8, n: u64) -> [u8; 32] {
    let mut bytes = [tag; 32];
    bytes[..8].copy_from_slice(&n.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
    bytes
}

/// Neighbours in popularity are of different packages.
fn package(artifact: u64) -> String {
    format!("pkg:npm/package-number-{}", artifact % (ARTIFACTS / VERSIONS))
}

fn purl(artifact: u64) -> String {
    format!("{}@1.{}.0", package(artifact), artifact / (ARTIFACTS / VERSIONS))
}

fn entry(dice: &mut Dice, seq: u64, total: u64, node: &NodeId) -> Entry {
    let artifact = ((ARTIFACTS as f64).powf(dice.unit()) as u64).saturating_sub(1);
    let person = dice.roll() % PEOPLE;
    let machine = person * MACHINES + dice.roll() % MACHINES;
    let time = START + (DAYS * 86_400_000) * seq as i64 / total as i64;
    let mut id = [0; 10];
    id[..8].copy_from_slice(&(artifact * 7 + seq / 50_000).to_be_bytes());
    let access = Access {
        actor: Pseudonym::new(bytes32(1, person)),
        actor_kind: PrincipalKind::Human,
        host: Some(Commitment::new(bytes32(2, machine))),
        address: Commitment::new(bytes32(3, machine)),
        client: Some(Commitment::new(bytes32(4, person))),
        credential: None,
        repository: "npm".into(),
        ecosystem: Some(Ecosystem::Npm),
        method: "GET".into(),
        operation: "artifact".into(),
        purl: Some(purl(artifact).into()),
        file: Some(format!("package-number-{artifact}.tgz").into()),
        sha256: Some(Sha256::new(bytes32(5, artifact))),
        status: 200,
        range: None,
        bytes: 10_000 + artifact,
        action: Some(if artifact.is_multiple_of(10) { Action::Warn } else { Action::Allow }),
        decision: Some(DecisionId::from_random(id)),
        rules: Arc::new([]),
        policy: Some(Sha256::new([8; 32])),
        cache: Some(CacheState::Warm),
        upstream: None,
        enforced: true,
        degraded: Arc::new([]),
    };
    Entry {
        time: Timestamp::from_unix_millis(time),
        node: node.clone(),
        seq,
        tenant: "default".into(),
        body: Body::Access(Box::new(access)),
    }
}

/// Everybody, with names, machines and addresses.
fn people(catalogue: &SqliteCatalogue) {
    std::thread::scope(|scope| {
        // Writers at the same time share a sync.
        for thread in 0..64 {
            scope.spawn(move || {
                for n in (thread..PEOPLE).step_by(64) {
                    person(catalogue, n);
                }
            });
        }
    });
}

fn person(catalogue: &SqliteCatalogue, n: u64) {
    let pseudonym = Pseudonym::new(bytes32(1, n));
    let person = NewPerson {
        principal: &format!("person-{n}"),
        kind: PrincipalKind::Human,
        key: PersonKey::from_bytes(bytes32(6, n)),
        pseudonym,
        at: Timestamp::from_unix_seconds(0),
    };
    catalogue.person_or_insert(&person).expect("a person");
    for machine in (0..MACHINES).map(|k| n * MACHINES + k) {
        for (kind, tag) in [(ContextKind::Host, 2), (ContextKind::Address, 3)] {
            let context = NewContext {
                pseudonym,
                kind,
                value: &format!("{}-{machine}", kind.as_str()),
                salt: Salt::from_bytes([7; 32]),
                commitment: Commitment::new(bytes32(tag, machine)),
            };
            catalogue.context_or_insert(&context).expect("a context");
        }
    }
}

/// Processor time of this process, user and system.
fn cpu() -> Duration {
    // Clock ticks of a hundredth of a second; the name of the program may hold blanks.
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks: u64 = [11, 12].iter().filter_map(|n| fields.get(*n)?.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}

/// The middle and the worst of some rounds, in milliseconds.
fn timed(mut ask: impl FnMut() -> u64) -> (f64, f64, u64) {
    let mut found = 0;
    let mut times: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let begun = Instant::now();
            found = ask();
            begun.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    times.sort_by(f64::total_cmp);
    (times[ROUNDS / 2], times[ROUNDS - 1], found)
}

fn measure(total: u64, catalogue: &SqliteCatalogue) {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let index = AccessIndex::open(&dir.path().join("access")).expect("an index");
    let node: NodeId = "n1".parse().expect("a node name");
    let mut dice = Dice(42);
    let (mut wall, mut processor, mut last_tenth) = (Duration::ZERO, Duration::ZERO, Duration::ZERO);
    let mut seq = 1;
    while seq <= total {
        let batch: Vec<Entry> =
            (seq..=total.min(seq + BATCH - 1)).map(|seq| entry(&mut dice, seq, total, &node)).collect();
        let (begun, used) = (Instant::now(), cpu());
        index.project(&batch).expect("projected");
        wall += begun.elapsed();
        processor += cpu() - used;
        if seq > total / 10 * 9 {
            last_tenth += begun.elapsed();
        }
        seq += batch.len() as u64;
    }
    // A stop empties the log of each month.
    drop(index);
    let index = AccessIndex::open(&dir.path().join("access")).expect("an index");
    let size: u64 = std::fs::read_dir(dir.path().join("access"))
        .expect("listed")
        .map(|file| file.and_then(|f| f.metadata()).map_or(0, |m| m.len()))
        .sum();
    let rows = total as f64;
    println!("\n{total} accesses over {DAYS} days");
    println!(
        "ingest {:.0} rows/s of wall time ({:.0} in the last tenth), {:.0} rows/s of processor time; {:.1} bytes a row, {:.0} MB",
        rows / wall.as_secs_f64(),
        rows / 10.0 / last_tenth.as_secs_f64(),
        rows / processor.as_secs_f64().max(0.01),
        size as f64 / rows,
        size as f64 / 1e6,
    );
    questions(&index, catalogue);
}

fn questions(index: &AccessIndex, catalogue: &SqliteCatalogue) {
    let digest = |n| WhoQuery::taken(WhoSubject::Sha256(Sha256::new(bytes32(5, n))));
    let everything = |from| WhoQuery { from, ..WhoQuery::taken(WhoSubject::Everything) };
    let place = |kind, value: &str| -> Vec<Place> {
        let found = catalogue.contexts_of_value(kind, value).expect("contexts");
        found.iter().map(|c| Place { person: c.pseudonym, commitment: c.commitment }).collect()
    };
    let addresses = place(ContextKind::Address, "address-777");
    let hosts = place(ContextKind::Host, "host-777");
    let middle = DAYS * 86_400_000 / 2;
    let window = WhoQuery {
        since: Some(Timestamp::from_unix_millis(START + middle)),
        until: Some(Timestamp::from_unix_millis(START + middle + 3_600_000)),
        ..everything(Narrow::default())
    };
    let hot_by_one = Narrow { actor: Some(Pseudonym::new(bytes32(1, 7))), ..Narrow::default() };
    let all = [
        ("digest, rare", digest(ARTIFACTS - 1000)),
        ("digest, medium", digest(2_000)),
        ("digest, hot", digest(0)),
        ("digest never seen", digest(ARTIFACTS + 1)),
        ("package, hot", WhoQuery::taken(WhoSubject::Package(package(0)))),
        ("person", WhoQuery::taken_by(Pseudonym::new(bytes32(1, 7)))),
        ("hot digest by one person", WhoQuery { from: hot_by_one, ..digest(0) }),
        ("address", everything(Narrow { addresses: Some(addresses), ..Narrow::default() })),
        ("host", everything(Narrow { hosts: Some(hosts), ..Narrow::default() })),
        ("one hour", window),
    ];
    println!(
        "{:26} {:>9} {:>9} {:>9} | {:>9} {:>9}",
        "question", "rows", "ms", "worst", "count ms", "of all"
    );
    for (name, query) in all {
        let query = WhoQuery { limit: PAGE, ..query };
        let (median, worst, rows) = timed(|| index.who(&query, catalogue).expect("rows").rows.len() as u64);
        let (counting, _, accesses) = timed(|| index.summary(&query, catalogue).expect("a summary").accesses);
        println!("{name:26} {rows:>9} {median:>9.2} {worst:>9.2} | {counting:>9.2} {accesses:>9}");
    }
    // What the door does for a range of versions: the dictionary, the order, then a question about those within.
    let bounds =
        [">=1.5.0", "<1.9.0"].map(|b| Version::parse(Ecosystem::Npm, b.trim_start_matches(['>', '<', '='])));
    let (median, worst, rows) = timed(|| {
        let within = index.versions_of(&package(1)).expect("versions").into_iter().filter(|purl| {
            let version =
                Version::parse(Ecosystem::Npm, purl.rsplit_once('@').map_or("", |(_, version)| version));
            version >= bounds[0] && version < bounds[1]
        });
        let subject = WhoSubject::Purls { purls: within.collect(), sha256: None };
        let query = WhoQuery { limit: PAGE, ..WhoQuery::taken(subject) };
        index.who(&query, catalogue).expect("rows").rows.len() as u64
    });
    println!("{:26} {rows:>9} {median:>9.2} {worst:>9.2} |", "range of versions");
}

fn main() {
    let total: u64 = std::env::args().skip(1).find_map(|arg| arg.parse().ok()).unwrap_or(5_000_000);
    let dir = tempfile::tempdir().expect("a temporary directory");
    let catalogue = SqliteCatalogue::open(&dir.path().join("catalogue.sqlite")).expect("a catalogue");
    people(&catalogue);
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    println!("load {}", load.trim());
    for size in [total / 10, total] {
        measure(size, &catalogue);
    }
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    println!("load {}", load.trim());
}
