//! First sightings, pins, artifacts, holds, eviction.

use tidegate_model::{Algorithm, ArtifactKind, Digest, Sha256};

use super::super::{Artifact, Catalogue, PinKey, Sighting, SightingBatch, SightingState};
use super::{Check, at, sha};

pub(super) const CHECKS: &[Check] = &[
    ("the first document is bootstrap, later files are dated", first_document),
    ("each source has its own first document", each_source),
    ("promised digests stay the first", promised_digests),
    ("an unknown file of a known document is recorded", same_document_more_files),
    ("a large document", large_document),
    ("a pin is set once", pins),
    ("artifacts", artifacts),
    ("eviction spares what is held and pinned", eviction),
    ("what is found on disk is adopted", adoption),
];

const SOURCE: &str = "https://registry.example/";

fn digest(algorithm: Algorithm, n: u8) -> Digest {
    Digest::from_bytes(algorithm, &vec![n; algorithm.byte_len()]).expect("of the algorithm's length")
}

fn record(
    c: &dyn Catalogue,
    source: &str,
    document: u8,
    seconds: i64,
    files: &[Sighting<'_>],
) -> Vec<SightingState> {
    let batch = SightingBatch {
        ecosystem: "npm",
        package: "x",
        source,
        document: sha(document),
        now: at(seconds),
        files,
    };
    c.record_sightings(&batch).unwrap()
}

fn file<'a>(version: &'a str, digests: &'a [Digest]) -> Sighting<'a> {
    Sighting { version, file: "x.tgz", digests }
}

fn first_document(c: &dyn Catalogue) {
    let first = record(c, SOURCE, 1, 0, &[file("1", &[]), file("2", &[])]);
    assert!(first.iter().all(|s| s.bootstrap && s.first_seen_at.is_none()));
    let second = record(c, SOURCE, 2, 100, &[file("3", &[]), file("1", &[])]);
    assert_eq!((second[0].first_seen_at, second[0].bootstrap), (Some(at(100)), false));
    assert_eq!((second[1].first_seen_at, second[1].bootstrap), (None, true));
    for (document, seconds) in [(2, 200), (3, 300)] {
        let again = record(c, SOURCE, document, seconds, &[file("3", &[])]);
        assert_eq!(again[0].first_seen_at, Some(at(100)), "first seen stays");
    }
    assert_eq!(c.sighting("npm", "x", "3", "x.tgz").unwrap().unwrap().first_seen_at, Some(at(100)));
    assert_eq!(c.sighting("npm", "x", "4", "x.tgz").unwrap(), None);
    assert_eq!(c.sighting("pypi", "x", "3", "x.tgz").unwrap(), None);
}

fn each_source(c: &dyn Catalogue) {
    record(c, SOURCE, 1, 0, &[file("1", &[])]);
    record(c, SOURCE, 2, 10, &[file("2", &[])]);
    let mirror =
        record(c, "https://mirror.example/", 3, 20, &[file("1", &[]), file("2", &[]), file("0", &[])]);
    assert_eq!(mirror[1].first_seen_at, Some(at(10)), "a date that is known stays");
    assert!(mirror[0].bootstrap && mirror[2].bootstrap);
    let later = record(c, "https://mirror.example/", 4, 30, &[file("9", &[])]);
    assert_eq!(later[0].first_seen_at, Some(at(30)));
}

fn promised_digests(c: &dyn Catalogue) {
    let sha1 = digest(Algorithm::Sha1, 1);
    let sha512 = digest(Algorithm::Sha512, 2);
    let other = digest(Algorithm::Sha512, 3);
    let first = record(c, SOURCE, 1, 0, &[file("1", std::slice::from_ref(&sha1))]);
    assert_eq!((first[0].changed, &first[0].promised_digests_first[..]), (false, &[sha1.clone()][..]));
    let both = [sha512, sha1.clone()];
    let extended = record(c, SOURCE, 2, 10, &[file("1", &both)]);
    assert_eq!((extended[0].changed, &extended[0].promised_digests_first[..]), (false, &both[..]));
    let changed = record(c, SOURCE, 3, 20, &[file("1", &[other, sha1])]);
    assert_eq!((changed[0].changed, &changed[0].promised_digests_first[..]), (true, &both[..]));
    let back = record(c, SOURCE, 4, 30, &[file("1", &both)]);
    assert!(back[0].changed, "a change is not forgotten");
    // An algorithm that comes with nothing to agree with proves nothing.
    let alone = record(c, SOURCE, 5, 40, &[file("1", &[digest(Algorithm::Md5, 4)])]);
    assert_eq!(&alone[0].promised_digests_first[..], &both[..]);
}

fn same_document_more_files(c: &dyn Catalogue) {
    record(c, SOURCE, 1, 0, &[file("1", &[])]);
    let more = record(c, SOURCE, 1, 10, &[file("1", &[]), file("2", &[])]);
    assert!(more[0].bootstrap);
    assert_eq!(more[1].first_seen_at, Some(at(10)));
}

fn large_document(c: &dyn Catalogue) {
    let versions: Vec<String> = (0..3000).map(|n| format!("1.0.{n}")).collect();
    let digests = [digest(Algorithm::Sha512, 1)];
    let files: Vec<Sighting<'_>> = versions.iter().map(|v| file(v, &digests)).collect();
    let states = record(c, SOURCE, 1, 0, &files);
    assert_eq!(states.len(), files.len());
    assert_eq!(record(c, SOURCE, 1, 10, &files), states);
}

fn pins(c: &dyn Catalogue) {
    let key = PinKey { ecosystem: "npm", package: "x", version: "1", file: "x.tgz" };
    assert_eq!(c.pin(&key).unwrap(), None);
    assert_eq!(c.set_pin(&key, &sha(1), at(0)).unwrap(), sha(1));
    assert_eq!(c.set_pin(&key, &sha(2), at(1)).unwrap(), sha(1));
    assert_eq!(c.pin(&key).unwrap(), Some(sha(1)));
    for other in [
        PinKey { ecosystem: "pypi", ..key },
        PinKey { package: "y", ..key },
        PinKey { version: "2", ..key },
        PinKey { file: "y.tgz", ..key },
    ] {
        assert_eq!(c.pin(&other).unwrap(), None, "{other:?}");
    }
    assert_eq!(c.set_pin(&PinKey { version: "0", ..key }, &sha(3), at(0)).unwrap(), sha(3));
    let listed: Vec<(String, Sha256)> =
        c.pins_of("npm", "x").unwrap().into_iter().map(|pin| (pin.version, pin.sha256)).collect();
    assert_eq!(listed, [("0".to_owned(), sha(3)), ("1".to_owned(), sha(1))]);
    assert!(c.pins_of("pypi", "x").unwrap().is_empty());
    let race = PinKey { package: "race", ..key };
    let winners: Vec<Sha256> = std::thread::scope(|scope| {
        let racers: Vec<_> =
            (0..8).map(|n| scope.spawn(move || c.set_pin(&race, &sha(n), at(0)).unwrap())).collect();
        racers.into_iter().map(|r| r.join().unwrap()).collect()
    });
    assert!(winners.iter().all(|w| *w == winners[0]), "{winners:?}");
}

fn artifact(n: u8, size: u64, seconds: i64) -> Artifact {
    Artifact {
        sha256: sha(n),
        sha512: Some(digest(Algorithm::Sha512, n)),
        size,
        kind: ArtifactKind::Package,
        upstream_url: Some("https://files.example/x.tgz".to_owned()),
        first_stored_at: at(seconds),
        last_access_at: at(seconds),
        stored: true,
        pinned: false,
    }
}

fn artifacts(c: &dyn Catalogue) {
    assert_eq!(c.artifact(&sha(1)).unwrap(), None);
    c.put_artifact(&artifact(1, 10, 0)).unwrap();
    assert_eq!(c.artifact(&sha(1)).unwrap(), Some(artifact(1, 10, 0)));
    assert!(c.pin_artifact(&sha(1), true).unwrap() && !c.pin_artifact(&sha(9), true).unwrap());
    c.mark_absent(&[sha(1)]).unwrap();
    assert!(!c.artifact(&sha(1)).unwrap().unwrap().stored);
    c.put_artifact(&Artifact { sha512: None, upstream_url: None, ..artifact(1, 10, 50) }).unwrap();
    let again = c.artifact(&sha(1)).unwrap().unwrap();
    let expected = Artifact { last_access_at: at(50), pinned: true, ..artifact(1, 10, 0) };
    assert_eq!(again, expected, "what was known stays known");
    c.touch_artifacts(&[(sha(1), at(40)), (sha(9), at(99))]).unwrap();
    assert_eq!(c.artifact(&sha(1)).unwrap().unwrap().last_access_at, at(50));
    c.touch_artifacts(&[(sha(1), at(60))]).unwrap();
    assert_eq!(c.artifact(&sha(1)).unwrap().unwrap().last_access_at, at(60));
}

fn eviction(c: &dyn Catalogue) {
    for n in 1..=5 {
        c.put_artifact(&artifact(n, 100, i64::from(n))).unwrap();
    }
    c.hold(&sha(1), "npm", at(0)).unwrap();
    c.hold(&sha(1), "npm", at(5)).unwrap();
    c.hold(&sha(1), "other", at(0)).unwrap();
    c.pin_artifact(&sha(2), true).unwrap();
    c.touch_artifacts(&[(sha(3), at(100))]).unwrap();
    assert_eq!(c.take_for_eviction(150, 100).unwrap(), [sha(4), sha(5)], "least recently used first");
    assert_eq!(c.take_for_eviction(1000, 1).unwrap(), [sha(3)]);
    assert!(c.take_for_eviction(1000, 100).unwrap().is_empty(), "the held and the pinned stay");
    assert_eq!(c.holds(&sha(1)).unwrap(), ["npm", "other"]);
    assert!(c.unhold(&sha(1), "npm").unwrap() && !c.unhold(&sha(1), "npm").unwrap());
    assert!(c.take_for_eviction(1000, 100).unwrap().is_empty(), "one reason is left");
    assert!(c.unhold(&sha(1), "other").unwrap());
    assert_eq!(c.take_for_eviction(1000, 100).unwrap(), [sha(1)]);
    assert_eq!(c.stored_artifacts().unwrap(), [sha(2)]);
    assert!(c.artifact(&sha(4)).unwrap().is_some(), "what is known of evicted bytes stays");
}

fn adoption(c: &dyn Catalogue) {
    c.put_artifact(&artifact(1, 10, 0)).unwrap();
    c.mark_absent(&[sha(1)]).unwrap();
    c.adopt_artifacts(&[(sha(1), 10), (sha(2), 20)], at(100)).unwrap();
    let known = c.artifact(&sha(1)).unwrap().unwrap();
    assert_eq!((known.stored, known.kind), (true, ArtifactKind::Package));
    let unknown = c.artifact(&sha(2)).unwrap().unwrap();
    assert_eq!((unknown.stored, unknown.size, unknown.last_access_at), (true, 20, at(100)));
}
