//! VEX statements of both standards: each has an id and a product, and is written and read alike.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tidegate_intel::feeds::{csaf, openvex};

fuzz_target!(|data: &[u8]| {
    let Some((&choice, document)) = data.split_first() else { return };
    let read = if choice % 2 == 0 { openvex::parse(document) } else { csaf::parse(document) };
    let Ok(statements) = read else { return };
    for statement in &statements {
        assert!(!statement.ids.is_empty());
    }
    let json = serde_json::to_vec(&statements).expect("statements are plain JSON");
    let again: Vec<openvex::Statement> = serde_json::from_slice(&json).expect("what was written is read");
    assert_eq!(statements, again);
});
