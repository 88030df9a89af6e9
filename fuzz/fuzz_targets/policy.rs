//! Policies and their cases: compiled, linted, decided with, never a panic and never an endless one.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tidegate_model::Timestamp;
use tidegate_model::facts::Facts;
use tidegate_policy::{CaseFile, Policy, WaiverSet, decide, explain, lint};

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match Policy::compile(text, "fuzz.toml") {
        Ok(compiled) => {
            let policy = &compiled.policy;
            let (facts, waivers) = (Facts::default(), WaiverSet::empty());
            let now = Timestamp::from_unix_seconds(1_800_000_000);
            let once = decide(policy, &facts, &waivers, now);
            let again = decide(policy, &facts, &waivers, now);
            assert_eq!(once, again, "the same inputs give the same decision");
            let _ = explain(policy, &facts, &waivers, now).to_text();
            let _ = lint(policy, &waivers, Some(now));
        }
        Err(errors) => assert!(!errors.to_string().is_empty()),
    }
    let _ = CaseFile::parse(text, "fuzz.toml");
});
