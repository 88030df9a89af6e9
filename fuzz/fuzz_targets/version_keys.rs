//! Version keys: any text has one or none under every scheme, and the keys of any three texts are an order.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::cmp::Ordering;
use tidegate_model::VersionScheme;

fuzz_target!(|data: &[u8]| {
    let Some((&choice, rest)) = data.split_first() else { return };
    let Ok(text) = std::str::from_utf8(rest) else { return };
    let scheme = VersionScheme::ALL[usize::from(choice) % VersionScheme::ALL.len()];
    let _ = VersionScheme::from_osv(text);
    let valid: Vec<&str> = text.split('\n').take(3).filter(|text| scheme.key(text).is_some()).collect();
    for a in &valid {
        assert_eq!(scheme.compare(a, a), Some(Ordering::Equal), "{a}");
        if let Some(public) = scheme.key_without_local(a) {
            assert!(Some(public) <= scheme.key(a), "{a}");
        }
        for b in &valid {
            assert_eq!(scheme.compare(a, b), scheme.compare(b, a).map(Ordering::reverse), "{a} {b}");
        }
    }
});
