//! What the ledger reads from its disk: headers, frames, entries.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tidegate_ledger::Entry;
use tidegate_ledger::frame::{SegmentHeader, parse_frame};

fuzz_target!(|data: &[u8]| {
    if let Ok(header) = SegmentHeader::parse(data) {
        let bytes = header.to_bytes();
        assert_eq!(data[..bytes.len()], bytes, "a header says one thing in one way");
    }
    if let Ok(frame) = parse_frame(data) {
        assert!(frame.file_bytes() <= data.len());
        let _ = Entry::parse(frame.json);
    }
    if let Ok(entry) = Entry::parse(data) {
        let _ = entry.record().to_string();
    }
});
