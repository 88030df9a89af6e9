//! What holds for any bytes.

use proptest::prelude::*;
use tidegate_inspect::secrets::{HITS_OF_A_LEAF, HITS_OF_A_RULE, Rules};

use super::look;
use super::template::expand;

/// No evidence and no form of a hit shows its value.
fn check(bytes: &[u8]) {
    let found = look(bytes);
    assert!(found.hits.len() <= HITS_OF_A_LEAF);
    for hit in &found.hits {
        assert!(hit.place.start <= hit.place.end && hit.place.end <= bytes.len());
        let value = String::from_utf8_lossy(hit.secret.expose()).into_owned();
        let printed = format!("{hit:?}");
        assert!(!printed.contains(&value), "{} prints its value", hit.rule.id);
        let shown = hit.evidence.split("****").next().unwrap();
        assert!(shown.len() * 2 <= value.len(), "{} shows {shown}", hit.rule.id);
    }
    let again = look(bytes);
    let key = |f: &tidegate_inspect::secrets::Found<'_>| {
        f.hits.iter().map(|h| (h.rule.id.clone(), h.place.clone(), h.fingerprint)).collect::<Vec<_>>()
    };
    assert_eq!(key(&found), key(&again));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..1500)) {
        check(&bytes);
    }

    #[test]
    fn damaged_examples(
        which in any::<prop::sample::Index>(),
        seed in 1u64..1000,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..3),
        cut in any::<prop::sample::Index>(),
    ) {
        let rules = Rules::builtin().all();
        let example = &rules[which.index(rules.len())].examples.found[0];
        let mut bytes = expand(example, seed).into_bytes();
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        check(&bytes);
        bytes.truncate(cut.index(bytes.len()));
        check(&bytes);
    }
}

#[test]
fn evidence_of_every_example_hides_it() {
    for rule in Rules::builtin().all() {
        for example in &rule.examples.found {
            check(expand(example, 3).as_bytes());
        }
    }
}

#[test]
fn equal_secrets_are_told_once_and_counted() {
    let token = expand("npm_{base62:30}{crc32_base62}", 4);
    let text = format!("a = {token}\nb = {token}\nc = \"\\u0041 {token}\"\n");
    let found = look(text.as_bytes());
    assert_eq!(found.hits.len(), 1);
    assert_eq!((found.hits[0].times, found.hits[0].place.start), (3, 4));
}

#[test]
fn too_many_are_counted() {
    let text: String = (0..400).map(|n| expand("npm_{base62:30}{crc32_base62}\n", n + 1)).collect();
    let found = look(text.as_bytes());
    assert_eq!(found.hits.len(), HITS_OF_A_RULE as usize);
    assert_eq!(found.untold, 400 - u64::from(HITS_OF_A_RULE));
    assert!(!found.is_cut);
}

#[test]
fn a_leaf_of_keywords_is_left_and_says_so() {
    let text = "eyJaaaaaaaaaaaa.".repeat(400_000);
    let started = std::time::Instant::now();
    let found = look(text.as_bytes());
    assert!(found.is_cut, "took {:?}", started.elapsed());
}
