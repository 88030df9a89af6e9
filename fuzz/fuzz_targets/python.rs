//! Any bytes as a source: read without a panic, twice the same, and no flow leads to a fact that is not there.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tidegate_inspect::behaviour::python;

fuzz_target!(|data: &[u8]| {
    let told = python::read(data, "setup.py");
    for flow in &told.flows {
        assert!((flow.from as usize) < told.facts.len() && (flow.to as usize) < told.facts.len());
    }
    let _ = python::read_pth(data);
    assert!(told.facts.iter().all(|fact| fact.line > 0));
    assert_eq!(told, python::read(data, "setup.py"));
});
