//! Any bytes as a leaf: looked at twice alike, within bounds, and nothing of what is found prints.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tidegate_inspect::secrets::{FingerprintKey, HITS_OF_A_LEAF, Rules};

fuzz_target!(|data: &[u8]| {
    let key = FingerprintKey::new([7; 32]);
    let (once, again) = (Rules::builtin().look(data, &key), Rules::builtin().look(data, &key));
    assert!(once.hits.len() <= HITS_OF_A_LEAF);
    assert_eq!(once.hits.len(), again.hits.len());
    for (hit, other) in once.hits.iter().zip(&again.hits) {
        assert_eq!((&hit.rule.id, &hit.place, hit.fingerprint), (&other.rule.id, &other.place, other.fingerprint));
        assert!(hit.place.start <= hit.place.end && hit.place.end <= data.len());
        assert!(hit.severity <= hit.rule.severity && hit.confidence <= hit.rule.confidence);
        let value = String::from_utf8_lossy(hit.secret.expose()).into_owned();
        assert!(!hit.evidence.contains(&value) && !format!("{hit:?}").contains(&value));
    }
});
