//! `who` over a quarter with five million accesses: projects them, then asks for a rare, a common and a hot package.
//!
//! Then it asks who took any of forty versions of one package that was taken 100,000 times, as a recall does.
//!
//! `cargo bench -p tidegate-store --bench who [-- ACCESSES]` prints rows a second, file size, and milliseconds by kind
//! of question (the median and worst of 20). Popularity is log-uniform over 200,000 artifacts, as measured in the field.

use std::sync::Arc;
use std::time::Instant;

use tidegate_ledger::entry::{Access, CacheState};
use tidegate_ledger::pseudonym::{Commitment, PersonKey, Pseudonym};
use tidegate_ledger::{Body, Entry, NodeId};
use tidegate_model::{Action, DecisionId, Ecosystem, PrincipalKind, Sha256, Timestamp};
use tidegate_store::access_index::{AccessIndex, TakersOf, WhoQuery, WhoSubject};
use tidegate_store::catalogue::sqlite::SqliteCatalogue;
use tidegate_store::catalogue::{NewPerson, People as _};

const ARTIFACTS: u64 = 200_000;
const PEOPLE: u64 = 2_000;
const ORIGINS: u64 = 5_000;
const DAYS: i64 = 90;
/// Accesses of the one package that is recalled, and its versions.
const RECALLED: u64 = 100_000;
const RECALLED_VERSIONS: u64 = 40;

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

fn purl(artifact: u64) -> String {
    // Some twenty versions of a package.
    format!("pkg:npm/package-number-{}@1.{}.0", artifact % 10_000, artifact / 10_000)
}

fn recalled(version: u64) -> String {
    format!("pkg:npm/recalled@1.{version}.0")
}

fn entry(dice: &mut Dice, seq: u64, total: u64, node: &NodeId) -> Entry {
    let artifact = ((ARTIFACTS as f64).powf(dice.unit()) as u64).saturating_sub(1);
    let purl = match seq % (total / RECALLED).max(1) {
        0 => recalled(dice.roll() % RECALLED_VERSIONS),
        _ => purl(artifact),
    };
    let person = dice.roll() % PEOPLE;
    let origin = person + PEOPLE * (dice.roll() % (ORIGINS / PEOPLE).max(1));
    let start = 1_788_000_000_000i64;
    let time = start + (DAYS * 86_400_000) * seq as i64 / total as i64;
    let mut id = [0; 10];
    id[..8].copy_from_slice(&(artifact * 7 + seq / 50_000).to_be_bytes());
    let access = Access {
        actor: Pseudonym::new(bytes32(1, person)),
        actor_kind: PrincipalKind::Human,
        host: Some(Commitment::new(bytes32(2, origin))),
        address: Commitment::new(bytes32(3, origin)),
        client: Some(Commitment::new(bytes32(4, person))),
        credential: None,
        repository: "npm".into(),
        ecosystem: Some(Ecosystem::Npm),
        method: "GET".into(),
        operation: "artifact".into(),
        purl: Some(purl.into()),
        file: Some(format!("package-number-{}.tgz", artifact).into()),
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

fn main() {
    let total: u64 = std::env::args().skip(1).find_map(|arg| arg.parse().ok()).unwrap_or(5_000_000);
    let dir = tempfile::tempdir().expect("a temporary directory");
    let index = AccessIndex::open(&dir.path().join("access")).expect("an index");
    let catalogue = SqliteCatalogue::open(&dir.path().join("catalogue.sqlite")).expect("a catalogue");
    for n in 0..PEOPLE {
        let person = NewPerson {
            principal: &format!("person-{n}"),
            kind: PrincipalKind::Human,
            key: PersonKey::from_bytes(bytes32(6, n)),
            pseudonym: Pseudonym::new(bytes32(1, n)),
            at: Timestamp::from_unix_seconds(0),
        };
        catalogue.person_or_insert(&person).expect("a person");
    }
    let node: NodeId = "n1".parse().expect("a node name");
    let mut dice = Dice(42);
    let started = Instant::now();
    let mut projecting = std::time::Duration::ZERO;
    let mut seq = 1;
    while seq <= total {
        let batch: Vec<Entry> =
            (seq..=total.min(seq + 9_999)).map(|seq| entry(&mut dice, seq, total, &node)).collect();
        seq += batch.len() as u64;
        let begun = Instant::now();
        index.project(&batch).expect("projected");
        projecting += begun.elapsed();
    }
    let size: u64 = std::fs::read_dir(dir.path().join("access"))
        .expect("listed")
        .map(|file| file.and_then(|f| f.metadata()).map_or(0, |m| m.len()))
        .sum();
    println!(
        "projected {total} accesses in {:.1} s ({:.0} a second; {:.1} s with making them up), {:.0} MB, {:.0} bytes each",
        projecting.as_secs_f64(),
        total as f64 / projecting.as_secs_f64(),
        started.elapsed().as_secs_f64(),
        size as f64 / 1e6,
        size as f64 / total as f64,
    );
    let questions = [
        ("hottest file", WhoSubject::Purl(purl(0))),
        ("hottest file by digest", WhoSubject::Sha256(Sha256::new(bytes32(5, 0)))),
        ("hottest package", WhoSubject::Package("pkg:npm/package-number-0".to_owned())),
        ("common file", WhoSubject::Purl(purl(2_000))),
        ("rare file", WhoSubject::Purl(purl(150_000))),
        ("never taken", WhoSubject::Purl("pkg:npm/none@1.0.0".to_owned())),
        ("one person", WhoSubject::Actor(Pseudonym::new(bytes32(1, 7)))),
        ("everything", WhoSubject::Everything),
    ];
    for (name, subject) in questions {
        for limit in [1_000, WhoQuery::MAX_LIMIT] {
            let query = WhoQuery { limit, ..WhoQuery::taken(subject.clone()) };
            let mut times: Vec<f64> = Vec::new();
            let mut rows = 0;
            for _ in 0..20 {
                let begun = Instant::now();
                rows = index.who(&query, &catalogue).expect("an answer").rows.len();
                times.push(begun.elapsed().as_secs_f64() * 1e3);
            }
            times.sort_by(f64::total_cmp);
            println!(
                "{name:24} limit {limit:6}: {rows:6} rows, median {:8.2} ms, worst {:8.2} ms",
                times[10], times[19]
            );
        }
    }
    let purls: Vec<String> = (0..RECALLED_VERSIONS).map(recalled).collect();
    let mut times: Vec<[f64; 3]> = Vec::new();
    let mut told = String::new();
    for _ in 0..5 {
        let begun = Instant::now();
        let of = TakersOf { purls: &purls, ..TakersOf::default() };
        let takers = index.takers(of, &catalogue).expect("an answer");
        let counted = begun.elapsed();
        let begun = Instant::now();
        let mut query = WhoQuery::taken(WhoSubject::Purls(purls.clone()));
        let first = index.who(&query, &catalogue).expect("an answer");
        let first_page = begun.elapsed();
        query.after = first.next;
        let mut rows = first.rows.len();
        while query.after.is_some() {
            let page = index.who(&query, &catalogue).expect("an answer");
            rows += page.rows.len();
            query.after = page.next;
        }
        times.push([counted, first_page, begun.elapsed()].map(|t| t.as_secs_f64() * 1e3));
        told = format!("{} accesses by {} people, {rows} rows", takers.accesses(), takers.people);
    }
    times.sort_by(|a, b| a[2].total_cmp(&b[2]));
    let [counted, first, all] = times[2];
    println!(
        "recall of {RECALLED_VERSIONS} versions: {told}; counted in {counted:.0} ms, first 1,000 rows in {first:.0} ms, all in {all:.0} ms"
    );
}
