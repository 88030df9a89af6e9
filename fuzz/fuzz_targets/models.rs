//! Models: any bytes under each of the names that loaders know are told alike twice, and every finding names a detector.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tidegate_inspect::{Budgets, Inspection, Request, TemporaryFiles, inspect};

const NAMES: [&str; 10] = [
    "m.pkl",
    "m.pt",
    "m.joblib",
    "m.npy",
    "m.keras",
    "m.h5",
    "saved_model.pb",
    "m.onnx",
    "m.gguf",
    "m.safetensors",
];

fn look(name: &str, bytes: &[u8]) -> Inspection {
    let request = Request { name: name.to_owned(), hash_key: [7; 32], ..Request::default() };
    inspect(&request, bytes, &Budgets::default(), &TemporaryFiles::default())
}

fuzz_target!(|data: &[u8]| {
    let Some((&first, bytes)) = data.split_first() else { return };
    let name = NAMES[usize::from(first) % NAMES.len()];
    let told = look(name, bytes);
    assert_eq!(told.findings, look(name, bytes).findings, "the same bytes are told alike");
    assert!(told.findings.iter().all(|finding| finding.detector.contains('/') && finding.count > 0));
});
