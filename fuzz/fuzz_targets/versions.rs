//! Versions: the order of any three of them is an order.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::cmp::Ordering;
use tidegate_model::{Ecosystem, Version};

fuzz_target!(|data: &[u8]| {
    let Some((&choice, rest)) = data.split_first() else { return };
    let Ok(text) = std::str::from_utf8(rest) else { return };
    let ecosystem = Ecosystem::ALL[usize::from(choice) % Ecosystem::ALL.len()];
    let versions: Vec<Version> = text.split('\n').take(3).map(|t| Version::parse(ecosystem, t)).collect();
    for a in &versions {
        assert_eq!(a.cmp(a), Ordering::Equal, "{a}");
        let _ = a.is_prerelease();
        for b in &versions {
            assert_eq!(a.cmp(b), b.cmp(a).reverse(), "{a} {b}");
            assert_eq!(a == b, a.cmp(b) == Ordering::Equal, "{a} {b}");
            for c in &versions {
                if a <= b && b <= c {
                    assert!(a <= c, "{a} {b} {c}");
                }
            }
        }
    }
});
