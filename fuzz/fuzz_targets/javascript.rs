//! What JavaScript does: any bytes give facts within the bounds, and flows between facts that are there.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tidegate_inspect::behaviour::facts::{DETAIL_BYTES, FACTS_OF_A_FILE, FLOWS_OF_A_FILE};
use tidegate_inspect::behaviour::javascript;

fuzz_target!(|text: &[u8]| {
    let facts = javascript::read(text, "index.js");
    assert!(facts.facts.len() <= FACTS_OF_A_FILE && facts.flows.len() <= FLOWS_OF_A_FILE);
    assert!(facts.facts.iter().all(|fact| fact.detail.len() <= DETAIL_BYTES && fact.line > 0));
    let there = facts.facts.len() as u64;
    assert!(facts.flows.iter().all(|flow| u64::from(flow.from) < there && u64::from(flow.to) < there));
});
