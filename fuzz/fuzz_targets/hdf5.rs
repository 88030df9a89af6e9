//! HDF5: trees of groups and data sets, under the names that loaders of weights know.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tidegate_inspect::{Budgets, Inspection, Request, TemporaryFiles, inspect};

/// What such a file begins with, so that no run spends its time on finding it.
const BEGINNING: &[u8] = b"\x89HDF\r\n\x1a\n";

fn look(bytes: &[u8]) -> Inspection {
    let request = Request { name: "w.h5".to_owned(), hash_key: [7; 32], ..Request::default() };
    let budgets = Budgets { total_bytes: 16 << 20, leaf_bytes: 8 << 20, ..Budgets::default() };
    inspect(&request, bytes, &budgets, &TemporaryFiles::default())
}

fuzz_target!(|data: &[u8]| {
    let bytes = [BEGINNING, data].concat();
    let (told, again) = (look(&bytes), look(&bytes));
    assert_eq!(told.findings, again.findings, "the same bytes are told alike");
    assert!(told.findings.iter().all(|finding| finding.detector.contains('/') && finding.count > 0));
});
