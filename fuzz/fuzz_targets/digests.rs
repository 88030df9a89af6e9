//! Digests and Subresource Integrity: what is read is written the same way ever after.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tidegate_model::{Digest, Sha256};

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(digest) = text.parse::<Digest>() {
        assert_eq!(digest.to_string().parse::<Digest>().as_ref(), Ok(&digest));
        assert!(Digest::from_sri(&digest.to_sri()).contains(&digest), "{text:?}");
    }
    for digest in Digest::from_sri(text) {
        assert_eq!(digest.as_bytes().len() * 2, digest.hex().len());
        assert_eq!(Digest::from_hex(digest.algorithm(), &digest.hex()).as_ref(), Some(&digest));
    }
    if let Some(digest) = Sha256::from_hex(text) {
        assert_eq!(digest.hex(), text.to_ascii_lowercase());
    }
});
