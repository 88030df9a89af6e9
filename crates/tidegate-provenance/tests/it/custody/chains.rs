//! All statements of an artifact as one chain, and what can be done to it.

use tidegate_provenance::custody::{self, Chain, LedgerRecord, Located, SignedStatement};
use tidegate_provenance::signing::{KeyAlgorithm, NewKey, SigningKey, Use};

use super::support::{Deployment, artifact, at, bundle_of, payload, policy, record, stored};

fn bundles<'a>(statements: impl IntoIterator<Item = &'a SignedStatement>) -> Vec<&'a [u8]> {
    statements.into_iter().map(|statement| statement.bundle.as_slice()).collect()
}

fn check(
    d: &Deployment,
    bundles: &[&[u8]],
    ledger: Option<&[LedgerRecord]>,
) -> Result<Chain, Vec<&'static str>> {
    custody::chain(&artifact(), bundles, &d.trust(), ledger).map_err(|broken| {
        assert!(!broken.problems.is_empty() && broken.to_string().contains("does not hold"));
        let mut words: Vec<_> = broken.problems.iter().map(|found: &Located| found.problem.word()).collect();
        words.dedup();
        words
    })
}

#[test]
fn a_life_is_one_chain_in_whatever_order_it_is_given() {
    let d = Deployment::new();
    let life = d.life();
    let mut all = bundles(life.iter().flat_map(|signed| signed.all()));
    assert_eq!(all.len(), 9, "four records, four summaries, one ingestion");
    let records: Vec<LedgerRecord> = [10, 11, 202, 203].map(record).to_vec();
    for _ in 0..all.len() {
        all.rotate_left(1);
        let chain = check(&d, &all, Some(&records)).unwrap();
        let times: Vec<_> = chain.records.iter().map(|record| record.time).collect();
        assert_eq!(times, [10, 500, 2000, 3000].map(at));
        assert_eq!(chain.beside.len(), 5);
        assert_eq!(chain.head(), Some(life[3].custody.payload));
    }
    // Kept twice, it is one statement still.
    let doubled: Vec<&[u8]> = all.iter().chain(&all).copied().collect();
    assert_eq!(check(&d, &doubled, Some(&records)).unwrap().records.len(), 4);
}

#[test]
fn a_record_left_out() {
    let d = Deployment::new();
    let life = d.life();
    let records: Vec<&SignedStatement> = life.iter().map(|signed| &signed.custody).collect();
    for missing in 0..3 {
        let kept = records.iter().enumerate().filter(|(at, _)| *at != missing).map(|(_, record)| *record);
        assert_eq!(check(&d, &bundles(kept), None).unwrap_err(), ["custody_chain_broken"], "{missing}");
    }
    // The last one leaves no gap: only the ledger knows of it.
    let kept = bundles(records[..3].iter().copied());
    assert!(check(&d, &kept, None).is_ok());
    let ledger: Vec<LedgerRecord> = [10, 11, 202, 203].map(record).to_vec();
    assert_eq!(check(&d, &kept, Some(&ledger)).unwrap_err(), ["custody_chain_incomplete"]);
    assert_eq!(check(&d, &[], None).unwrap_err(), ["custody_chain_broken"]);
}

#[test]
fn two_records_after_the_same_one() {
    let d = Deployment::new();
    let life = d.life();
    // Somebody who can sign tells another story: after it was stored, it was never held.
    let mut other = stored(600);
    other.kind = custody::EventKind::Released;
    other.previous = Some(life[0].custody.payload);
    other.record = record(13);
    let other = d.sign(&other);
    let mut all = bundles(life.iter().map(|signed| &signed.custody));
    all.push(&other.custody.bundle);
    assert_eq!(check(&d, &all, None).unwrap_err(), ["custody_chain_forked"]);
    let first = d.sign(&stored(11));
    let mut two_firsts = bundles(life.iter().map(|signed| &signed.custody));
    two_firsts.push(&first.custody.bundle);
    assert_eq!(check(&d, &two_firsts, None).unwrap_err(), ["custody_chain_forked"]);
}

#[test]
fn records_put_in_another_order() {
    let d = Deployment::new();
    let life = d.life();
    // Without the key: exchanging what two records name as before them breaks both signatures.
    let (mut one, mut two) = (payload(&life[1].custody.bundle), payload(&life[2].custody.bundle));
    let before = one["predicate"]["previous"].clone();
    one["predicate"]["previous"] = two["predicate"]["previous"].clone();
    two["predicate"]["previous"] = before;
    let stranger = d.new_key("stranger.pem", KeyAlgorithm::EcdsaP256);
    let forged = [bundle_of(&one, &stranger), bundle_of(&two, &stranger)];
    let all = [&life[0].custody.bundle[..], &forged[0], &forged[1], &life[3].custody.bundle];
    assert_eq!(check(&d, &all, None).unwrap_err(), ["custody_key_unknown", "custody_chain_broken"]);

    // With it: links that hold, and times that go back.
    let mut late = stored(2000);
    late.decided.policy = policy(2);
    late.record = record(202);
    let late = d.sign(&late);
    let mut early = stored(500);
    early.kind = custody::EventKind::Quarantined;
    early.decided.action = tidegate_model::Action::Quarantine;
    early.record = record(50);
    early.previous = Some(late.custody.payload);
    let early = d.sign(&early);
    let all = [&late.custody.bundle[..], &early.custody.bundle];
    assert_eq!(check(&d, &all, None).unwrap_err(), ["custody_chain_broken"]);

    // The same time, and a number that goes back.
    let mut same = stored(2000);
    same.decided.policy = policy(2);
    same.record = record(201);
    same.previous = Some(late.custody.payload);
    let same = d.sign(&same);
    assert_eq!(
        check(&d, &[&late.custody.bundle, &same.custody.bundle], None).unwrap_err(),
        ["custody_chain_broken"]
    );
}

#[test]
fn a_summary_from_elsewhere() {
    let d = Deployment::new();
    let life = d.life();
    // Signed by us, about the same artifact, under the policy of its time, and belonging to no event.
    let mut again = stored(20);
    again.level = custody::BuildLevel::Three;
    let stray = d.sign(&again);
    let mut all = bundles(life.iter().flat_map(|signed| signed.all()));
    all.push(&stray.summary.bundle);
    assert_eq!(check(&d, &all, None).unwrap_err(), ["custody_not_in_chain"]);
}

#[test]
fn one_bad_statement_spoils_the_chain_and_is_named() {
    let d = Deployment::new();
    let life = d.life();
    let mut all = bundles(life.iter().map(|signed| &signed.custody));
    all.insert(2, b"{}");
    let broken = custody::chain(&artifact(), &all, &d.trust(), None).unwrap_err();
    let [only] = &broken.problems[..] else { panic!("{broken:?}") };
    assert_eq!((only.bundle, only.problem.word()), (Some(2), "custody_media_type"));
    assert_eq!(broken.verified.len(), 4);
    // Another artifact's record does not fit in.
    let mut other = stored(4000);
    other.purl = "pkg:npm/right-pad@1.0.0".to_owned();
    other.decided.policy = policy(2);
    other.record = record(300);
    other.previous = Some(life[3].custody.payload);
    let other = d.sign(&other);
    all[2] = &other.custody.bundle;
    assert_eq!(check(&d, &all, None).unwrap_err(), ["custody_other_name"]);
    let unnamed = custody::Artifact { purl: None, ..artifact() };
    let broken = custody::chain(&unnamed, &all, &d.trust(), None).unwrap_err();
    assert_eq!(broken.problems[0].problem.word(), "custody_other_name");
    let many: Vec<&[u8]> = vec![b"{}"; custody::MAX_CHAIN_BUNDLES + 1];
    assert_eq!(check(&d, &many, None).unwrap_err(), ["custody_too_large"]);
}

#[test]
fn a_chain_goes_on_under_a_new_key() {
    let d = Deployment::new();
    let first = d.sign(&stored(10));
    let second_key = d.new_key("second.pem", KeyAlgorithm::EcdsaP256);
    let new = NewKey { key: second_key.public_key().clone(), used_for: Use::Custody, from: at(100) };
    let ring = d.ring.announcing(new, at(50)).unwrap();
    let mut event = stored(500);
    event.record = record(60);
    event.previous = Some(first.custody.payload);
    let second = custody::sign(&event, &second_key).unwrap();
    let trust = custody::Trust { keys: &ring, ..d.trust() };
    let all = [&first.custody.bundle[..], &second.custody.bundle];
    let chain = custody::chain(&artifact(), &all, &trust, None).unwrap();
    assert_ne!(chain.records[0].key, chain.records[1].key);
    // Signed again by the new key, an old record has the same payload, so the chain would hold: the period does not.
    let again = custody::sign(&stored(10), &second_key).unwrap();
    assert_eq!(again.custody.payload, first.custody.payload);
    let all = [&again.custody.bundle[..], &second.custody.bundle];
    let broken = custody::chain(&artifact(), &all, &trust, None).unwrap_err();
    assert_eq!(broken.problems[0].problem.word(), "custody_key_early");
}
