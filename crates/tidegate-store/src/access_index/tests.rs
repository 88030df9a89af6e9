use std::sync::Arc;

use tidegate_ledger::entry::{Access, ByteRange, CacheState, Stop};
use tidegate_ledger::pseudonym::{Commitment, PersonKey, Pseudonym, Salt};
use tidegate_ledger::{Body, Entry, NodeId};
use tidegate_model::{Action, DecisionId, Ecosystem, PrincipalKind, Sha256, Timestamp};

use super::{AccessIndex, AccessRow, Narrow, Place, Takers, TakersOf, WhoQuery, WhoSubject};
use crate::catalogue::sqlite::SqliteCatalogue;
use crate::catalogue::{ContextKind, NewContext, NewPerson, People as _};

fn node() -> NodeId {
    "n1".parse().unwrap()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn access(person: u8, purl: &str, sha256: u8) -> Access {
    Access {
        actor: Pseudonym::new([person; 32]),
        actor_kind: PrincipalKind::Human,
        host: Some(Commitment::new([person + 100; 32])),
        address: Commitment::new([person + 150; 32]),
        client: None,
        credential: None,
        repository: "npm".into(),
        ecosystem: Some(Ecosystem::Npm),
        method: "GET".into(),
        operation: "artifact".into(),
        purl: Some(purl.into()),
        file: Some("x.tgz".into()),
        sha256: Some(Sha256::new([sha256; 32])),
        status: 200,
        range: None,
        bytes: 1234,
        action: Some(Action::Warn),
        decision: Some(DecisionId::from_random([9; 10])),
        rules: Arc::new([]),
        policy: Some(Sha256::new([8; 32])),
        cache: Some(CacheState::Cold),
        upstream: None,
        enforced: true,
        degraded: Arc::new([]),
    }
}

fn entry(seq: u64, time: &str, access: Access) -> Entry {
    Entry {
        time: at(time),
        node: node(),
        seq,
        tenant: "default".into(),
        body: Body::Access(Box::new(access)),
    }
}

struct Fixture {
    dir: tempfile::TempDir,
    index: AccessIndex,
    catalogue: SqliteCatalogue,
}

fn fixture() -> Fixture {
    let dir = tempfile::tempdir().unwrap();
    let index = AccessIndex::open(&dir.path().join("access")).unwrap();
    let catalogue = SqliteCatalogue::open(&dir.path().join("catalogue.sqlite")).unwrap();
    for (principal, n) in [("ann", 1), ("bob", 2)] {
        let person = NewPerson {
            principal,
            kind: PrincipalKind::Human,
            key: PersonKey::from_bytes([n; 32]),
            pseudonym: Pseudonym::new([n; 32]),
            at: at("2026-11-01"),
        };
        catalogue.person_or_insert(&person).unwrap();
        for (kind, add) in [(ContextKind::Host, 100), (ContextKind::Address, 150)] {
            let context = NewContext {
                pseudonym: Pseudonym::new([n; 32]),
                kind,
                value: &format!("{}-of-{principal}", kind.as_str()),
                salt: Salt::from_bytes([n; 32]),
                commitment: Commitment::new([n + add; 32]),
            };
            catalogue.context_or_insert(&context).unwrap();
        }
    }
    Fixture { dir, index, catalogue }
}

/// Two months, two people, two packages, a refusal and an index.
fn entries() -> Vec<Entry> {
    let refused = Access { status: 403, action: Some(Action::Block), ..access(2, "pkg:npm/x@1", 1) };
    let listed = Access {
        operation: "index".into(),
        file: None,
        sha256: None,
        decision: None,
        policy: None,
        action: None,
        cache: None,
        ..access(1, "pkg:npm/x", 0)
    };
    let part =
        Access { status: 206, range: Some(ByteRange { first: 5, last: 9 }), ..access(2, "pkg:npm/x@2", 2) };
    let stop = Body::Stop(Stop { accesses: 6, refused: 1, bytes: 1, store_reads: 1 });
    vec![
        entry(1, "2026-10-30T10:00:00Z", access(1, "pkg:npm/x@1", 1)),
        entry(2, "2026-10-31T23:59:59Z", refused),
        entry(3, "2026-11-01T00:00:00Z", listed),
        entry(4, "2026-11-02T10:00:00Z", access(2, "pkg:npm/x@1", 1)),
        entry(5, "2026-11-03T10:00:00Z", part),
        entry(6, "2026-11-04T10:00:00Z", access(1, "pkg:npm/x-y@1", 1)),
        Entry { time: at("2026-11-05"), node: node(), seq: 7, tenant: "default".into(), body: stop },
    ]
}

fn seqs(fixture: &Fixture, query: &WhoQuery) -> Vec<u64> {
    let page = fixture.index.who(query, &fixture.catalogue).unwrap();
    page.rows.iter().map(|row| row.record.seq).collect()
}

#[test]
fn everyone_who_took_it_is_found() {
    let f = fixture();
    f.index.project(&entries()).unwrap();
    let taken = |subject| seqs(&f, &WhoQuery::taken(subject));
    assert_eq!(taken(WhoSubject::Purl("pkg:npm/x@1".into())), [4, 1]);
    assert_eq!(taken(WhoSubject::Package("pkg:npm/x".into())), [5, 4, 1]);
    assert_eq!(taken(WhoSubject::Package("pkg:npm/x-y".into())), [6]);
    assert_eq!(taken(WhoSubject::Sha256(Sha256::new([1; 32]))), [6, 4, 1], "under whatever name");
    assert_eq!(seqs(&f, &WhoQuery::taken_by(Pseudonym::new([1; 32]))), [6, 1]);
    assert_eq!(taken(WhoSubject::Purl("pkg:npm/none@1".into())), [] as [u64; 0]);
    let all = |subject| seqs(&f, &WhoQuery { only_taken: false, ..WhoQuery::taken(subject) });
    assert_eq!(all(WhoSubject::Package("pkg:npm/x".into())), [5, 4, 3, 2, 1]);
    assert_eq!(all(WhoSubject::Everything), [6, 5, 4, 3, 2, 1]);
}

#[test]
fn takers_of_several_versions_are_counted_once() {
    let f = fixture();
    let mut entries = entries();
    entries.insert(6, entry(7, "2026-11-04T11:00:00Z", access(1, "pkg:npm/x@2", 2)));
    entries.truncate(7);
    f.index.project(&entries).unwrap();
    let purls: Vec<String> = ["pkg:npm/x@1", "pkg:npm/x@2", "pkg:npm/x@3"].map(str::to_owned).to_vec();
    let of = TakersOf { purls: &purls, ..TakersOf::default() };
    let takers = f.index.takers(of, &f.catalogue).unwrap();
    let told: Vec<(&str, u64, u64)> =
        takers.versions.iter().map(|v| (v.purl.as_str(), v.accesses, v.people)).collect();
    assert_eq!(told, [("pkg:npm/x@1", 2, 2), ("pkg:npm/x@2", 2, 2)], "the refusal is no taking");
    assert_eq!((takers.accesses(), takers.people, takers.hosts), (4, 2, 2));
    assert_eq!(takers.repositories.iter().collect::<Vec<_>>(), ["npm"]);
    assert_eq!(takers.first_at(), Some(at("2026-10-30T10:00:00Z")));
    assert_eq!(takers.last_at(), Some(at("2026-11-04T11:00:00Z")));
    let since = Some(at("2026-11-03"));
    let late = f.index.takers(TakersOf { since, ..of }, &f.catalogue).unwrap();
    assert_eq!((late.accesses(), late.versions.len()), (2, 1));
    assert_eq!(
        seqs(&f, &WhoQuery::taken(WhoSubject::Purls { purls: purls.clone(), sha256: None })),
        [7, 5, 4, 1]
    );
    let bytes = TakersOf { sha256: Some(Sha256::new([2; 32])), ..of };
    assert_eq!(f.index.takers(bytes, &f.catalogue).unwrap().accesses(), 2);
    // Forgotten people and machines still count, each for itself.
    f.catalogue.forget_person("bob", &Pseudonym::new([99; 32])).unwrap();
    let takers = f.index.takers(of, &f.catalogue).unwrap();
    assert_eq!((takers.people, takers.hosts), (2, 2));
    assert_eq!(f.index.takers(TakersOf::default(), &f.catalogue).unwrap(), Takers::default());
}

#[test]
fn people_places_and_repositories_narrow_a_question() {
    let f = fixture();
    let elsewhere = Access {
        repository: "npm-2".into(),
        host: None,
        credential: Some(Commitment::new([77; 32])),
        ..access(1, "pkg:npm/x@2", 2)
    };
    let mut entries = entries();
    entries.insert(6, entry(7, "2026-11-04T11:00:00Z", elsewhere));
    entries.truncate(7);
    f.index.project(&entries).unwrap();
    let place = |n: u8, add: u8| Place {
        person: Pseudonym::new([n; 32]),
        commitment: Commitment::new([n + add; 32]),
    };
    let ask = |subject, from: Narrow| {
        let query = WhoQuery { from, ..WhoQuery::taken(subject) };
        let summary = f.index.summary(&query, &f.catalogue).unwrap();
        let found = seqs(&f, &query);
        assert_eq!(summary.accesses, found.len() as u64, "{query:?}");
        found
    };
    let nothing = || WhoSubject::Everything;
    let package = || WhoSubject::Package("pkg:npm/x".into());
    let by = |n| Some(Pseudonym::new([n; 32]));
    assert_eq!(ask(package(), Narrow { actor: by(1), ..Narrow::default() }), [7, 1]);
    assert_eq!(ask(nothing(), Narrow { actor: by(1), ..Narrow::default() }), [7, 6, 1]);
    let hosts = Some(vec![place(1, 100), place(2, 100)]);
    assert_eq!(ask(nothing(), Narrow { hosts, ..Narrow::default() }), [6, 5, 4, 1]);
    let addresses = || Some(vec![place(2, 150)]);
    assert_eq!(ask(nothing(), Narrow { addresses: addresses(), ..Narrow::default() }), [5, 4]);
    assert_eq!(ask(nothing(), Narrow { addresses: addresses(), actor: by(1), ..Narrow::default() }), [0; 0]);
    let credentials = Some(vec![Commitment::new([77; 32])]);
    assert_eq!(ask(nothing(), Narrow { credentials, ..Narrow::default() }), [7]);
    let repository = Some("npm-2".to_owned());
    assert_eq!(ask(package(), Narrow { repository, ..Narrow::default() }), [7]);
    assert_eq!(ask(package(), Narrow { hosts: Some(Vec::new()), ..Narrow::default() }), [0; 0]);
    // A commitment that is another person's is not found.
    let hosts = Some(vec![Place { person: Pseudonym::new([2; 32]), ..place(1, 100) }]);
    assert_eq!(ask(nothing(), Narrow { hosts, ..Narrow::default() }), [0; 0]);

    let all = f.index.summary(&WhoQuery::taken(package()), &f.catalogue).unwrap();
    assert_eq!((all.accesses, all.people, all.hosts, all.addresses, all.purls), (4, 2, 2, 2, 2));
    assert_eq!(all.repositories.iter().collect::<Vec<_>>(), ["npm", "npm-2"]);
    assert_eq!(all.first_at, Some(at("2026-10-30T10:00:00Z")));
    assert_eq!(all.last_at, Some(at("2026-11-04T11:00:00Z")));
    let paged = WhoQuery { limit: 1, ..WhoQuery::taken(package()) };
    let second = WhoQuery { after: f.index.who(&paged, &f.catalogue).unwrap().next, ..paged };
    assert_eq!(f.index.summary(&second, &f.catalogue).unwrap(), all, "a page does not change the whole");
    assert_eq!(
        f.index.versions_of("pkg:npm/x").unwrap().iter().collect::<Vec<_>>(),
        ["pkg:npm/x@1", "pkg:npm/x@2"]
    );
}

/// So many sources that they are read in the order in which they lie.
#[test]
fn a_crowd_is_counted_as_well() {
    let f = fixture();
    let entries: Vec<Entry> = (1..=5000)
        .map(|n: u64| {
            let mut bytes = [0; 32];
            bytes[..8].copy_from_slice(&(n % 2500).to_be_bytes());
            let access = Access {
                actor: Pseudonym::new(bytes),
                address: Commitment::new(bytes),
                host: None,
                ..access(1, "pkg:npm/x@1", 1)
            };
            entry(n, "2026-11-01T00:00:00Z", access)
        })
        .collect();
    f.index.project(&entries).unwrap();
    let query = WhoQuery::taken(WhoSubject::Purl("pkg:npm/x@1".into()));
    let all = f.index.summary(&query, &f.catalogue).unwrap();
    assert_eq!((all.accesses, all.people, all.hosts, all.addresses), (5000, 2500, 0, 2500));
    let purls = ["pkg:npm/x@1".to_owned()];
    let takers = f.index.takers(TakersOf { purls: &purls, ..TakersOf::default() }, &f.catalogue).unwrap();
    assert_eq!((takers.accesses(), takers.people, takers.versions[0].people), (5000, 2500, 2500));
    assert_eq!(seqs(&f, &WhoQuery::taken_by(Pseudonym::new([0; 32]))), [5000, 2500]);
}

#[test]
fn months_are_dropped_and_not_projected_again() {
    let f = fixture();
    f.index.project(&entries()).unwrap();
    let actors = f.index.actors_since(at("2026-11-03")).unwrap();
    assert_eq!(actors.len(), 2);
    assert_eq!(f.index.actors_since(at("2026-11-04")).unwrap(), [Pseudonym::new([1; 32])].into());
    assert_eq!(f.index.drop_months(at("2026-11-15")).unwrap(), ["2026-10"]);
    let all = WhoQuery { only_taken: false, ..WhoQuery::taken(WhoSubject::Everything) };
    assert_eq!(seqs(&f, &all), [6, 5, 4, 3]);
    f.index.reset().unwrap();
    f.index.project(&entries()).unwrap();
    assert_eq!(seqs(&f, &all), [6, 5, 4, 3], "the ledger still has the others");
    assert_eq!(f.index.drop_months(at("2027-11-15")).unwrap(), [""; 0], "the newest month stays");
}

#[test]
fn rows_say_what_the_entry_said_with_names() {
    let f = fixture();
    f.index.project(&entries()).unwrap();
    let all = WhoQuery { only_taken: false, ..WhoQuery::taken(WhoSubject::Everything) };
    let rows = f.index.who(&all, &f.catalogue).unwrap().rows;
    let expected = AccessRow {
        record: "n1-5".parse().unwrap(),
        at: at("2026-11-03T10:00:00Z"),
        purl: "pkg:npm/x@2".to_owned(),
        file: Some("x.tgz".to_owned()),
        sha256: Some(Sha256::new([2; 32])),
        actor: Pseudonym::new([2; 32]),
        actor_kind: PrincipalKind::Human,
        principal: Some("bob".to_owned()),
        host: Some("host-of-bob".to_owned()),
        address: Some("address-of-bob".to_owned()),
        client: None,
        credential: None,
        repository: "npm".to_owned(),
        method: "GET".to_owned(),
        operation: "artifact".to_owned(),
        status: 206,
        range: Some(ByteRange { first: 5, last: 9 }),
        bytes: 1234,
        action: Some(Action::Warn),
        enforced: true,
        decision: Some(DecisionId::from_random([9; 10])),
        policy: Some(Sha256::new([8; 32])),
        cache: Some("cold".to_owned()),
    };
    assert_eq!(rows[1], expected);
    let listed = &rows[3];
    assert_eq!((&listed.file, listed.sha256, listed.action, &listed.cache), (&None, None, None, &None));
    f.catalogue.forget_person("bob", &Pseudonym::new([99; 32])).unwrap();
    let rows = f.index.who(&all, &f.catalogue).unwrap().rows;
    let bob = AccessRow { principal: None, host: None, address: None, ..expected };
    assert_eq!(rows[1], bob, "the access stays, of nobody");
    assert_eq!(rows[0].principal.as_deref(), Some("ann"));
}

#[test]
fn periods_and_pages() {
    let f = fixture();
    f.index.project(&entries()).unwrap();
    let base = WhoQuery { only_taken: false, ..WhoQuery::taken(WhoSubject::Everything) };
    let between = |since: &str, until: &str| {
        seqs(&f, &WhoQuery { since: Some(at(since)), until: Some(at(until)), ..base.clone() })
    };
    assert_eq!(between("2026-11-01T00:00:00Z", "2026-11-03T10:00:00Z"), [4, 3]);
    assert_eq!(between("2026-10-31", "2026-11-01"), [2]);
    assert_eq!(between("2026-12-01", "2027-01-01"), [] as [u64; 0]);
    for limit in 1..=7 {
        let mut query = WhoQuery { limit, ..base.clone() };
        let mut seen = Vec::new();
        loop {
            let page = f.index.who(&query, &f.catalogue).unwrap();
            assert!(page.rows.len() <= limit as usize);
            seen.extend(page.rows.iter().map(|row| row.record.seq));
            query.after = page.next;
            if query.after.is_none() {
                break;
            }
        }
        assert_eq!(seen, [6, 5, 4, 3, 2, 1], "pages of {limit}");
    }
}

/// More subjects than are merged at once, several accesses at one moment, a page at a time.
#[test]
fn pages_over_many_subjects_hold_each_access_once_and_in_order() {
    let f = fixture();
    let purl = |n: u64| format!("pkg:npm/x@{}", n * 7 % 1501);
    let entries: Vec<Entry> = (1..=3000)
        .map(|n| {
            let at = at("2026-11-01").plus_seconds(i64::try_from(n / 3).unwrap());
            Entry { time: at, ..entry(n, "2026-11-01", access(1, &purl(n), 1)) }
        })
        .collect();
    f.index.project(&entries).unwrap();
    let mut query = WhoQuery { limit: 700, ..WhoQuery::taken(WhoSubject::Package("pkg:npm/x".into())) };
    let mut seen = Vec::new();
    loop {
        let page = f.index.who(&query, &f.catalogue).unwrap();
        seen.extend(page.rows.iter().map(|row| row.record.seq));
        query.after = page.next;
        if query.after.is_none() {
            break;
        }
    }
    assert_eq!(seen, (1..=3000).rev().collect::<Vec<u64>>());
}

#[test]
fn accesses_of_one_moment_are_told_apart_by_node_and_number() {
    let f = fixture();
    let mut same = Vec::new();
    for (name, seq) in [("n1", 1), ("n1", 2), ("n2", 1), ("n2", 2)] {
        let node: NodeId = name.parse().unwrap();
        same.push(Entry { node, ..entry(seq, "2026-11-01T00:00:00Z", access(1, "pkg:npm/x@1", 1)) });
    }
    f.index.project(&same).unwrap();
    let mut query = WhoQuery { limit: 1, ..WhoQuery::taken(WhoSubject::Purl("pkg:npm/x@1".into())) };
    let mut seen = Vec::new();
    loop {
        let page = f.index.who(&query, &f.catalogue).unwrap();
        seen.extend(page.rows.into_iter().map(|row| row.record.to_string()));
        query.after = page.next;
        if query.after.is_none() {
            break;
        }
    }
    assert_eq!(seen, ["n2-2", "n2-1", "n1-2", "n1-1"]);
    assert_eq!(f.index.cursor(&"n2".parse().unwrap()), 2);
}

#[test]
fn projecting_again_changes_nothing_and_goes_on_after_a_restart() {
    let f = fixture();
    let all = WhoQuery { only_taken: false, ..WhoQuery::taken(WhoSubject::Everything) };
    f.index.project(&entries()[..3]).unwrap();
    assert_eq!(f.index.cursor(&node()), 3);
    f.index.project(&entries()[..5]).unwrap();
    assert_eq!(seqs(&f, &all), [5, 4, 3, 2, 1]);
    let Fixture { dir, index, catalogue } = f;
    drop(index);
    let index = AccessIndex::open(&dir.path().join("access")).unwrap();
    assert_eq!(index.cursor(&node()), 5);
    index.project(&entries()).unwrap();
    assert_eq!(index.cursor(&node()), 7, "entries that are no access count too");
    let before = index.who(&all, &catalogue).unwrap();
    assert_eq!(before.rows.len(), 6);
    index.reset().unwrap();
    assert_eq!((index.cursor(&node()), index.who(&all, &catalogue).unwrap().rows.len()), (0, 0));
    index.project(&entries()).unwrap();
    assert_eq!(index.who(&all, &catalogue).unwrap(), before, "rebuilt, it answers the same");
}

/// A crash between the files of one step: the cursor is in the last file, so all of the step comes again.
#[test]
fn a_step_cut_between_two_months_comes_again_whole() {
    let f = fixture();
    f.index.project(&entries()).unwrap();
    let Fixture { dir, index, catalogue } = f;
    drop(index);
    let access = dir.path().join("access");
    for suffix in ["", "-wal", "-shm"] {
        drop(std::fs::remove_file(access.join(format!("access-2026-11.sqlite{suffix}"))));
    }
    let index = AccessIndex::open(&access).unwrap();
    assert_eq!(index.cursor(&node()), 0);
    index.project(&entries()).unwrap();
    let f = Fixture { dir, index, catalogue };
    let all = WhoQuery { only_taken: false, ..WhoQuery::taken(WhoSubject::Everything) };
    assert_eq!(seqs(&f, &all), [6, 5, 4, 3, 2, 1]);
}

#[test]
fn files_of_another_version_are_projected_anew_and_damaged_ones_named() {
    let f = fixture();
    f.index.project(&entries()).unwrap();
    let Fixture { dir, index, .. } = f;
    drop(index);
    let access = dir.path().join("access");
    let file = access.join("access-2026-10.sqlite");
    rusqlite::Connection::open(&file).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let index = AccessIndex::open(&access).unwrap();
    assert_eq!(index.cursor(&node()), 0);
    assert!(std::fs::read_dir(&access).unwrap().next().is_none());
    drop(index);
    std::fs::write(&file, "x".repeat(9000)).unwrap();
    let Err(error) = AccessIndex::open(&access) else { panic!("opened") };
    assert!(error.to_string().contains("access-2026-10.sqlite"), "{error}");
}
