//! Compiled segments: whatever opens can be asked everything. Checksums are made to fit, or nothing would get past them.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use tidegate_intel::segment::{self, Segment};

fuzz_target!(|data: &[u8]| {
    let _ = Segment::open(&Bytes::copy_from_slice(data));
    let mut mended = data.to_vec();
    segment::mend_checksums(&mut mended);
    let Ok(opened) = Segment::open(&Bytes::from(mended)) else { return };
    opened.look_at_everything();
});
