//! Exploit prediction scores: what is read is a share of one, each CVE once.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tidegate_intel::feeds::epss;

fuzz_target!(|text: &str| {
    let Ok(table) = epss::parse(text) else { return };
    for signal in table.rows.values() {
        assert!((0.0..=1.0).contains(&signal.score) && (0.0..=1.0).contains(&signal.percentile));
    }
    assert!(table.rows.len() <= text.lines().count());
});
