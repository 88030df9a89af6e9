//! Whether a tar is an archive of images, by the names of its members alone, before it is looked into.

use crate::bytes::slice;

/// Members whose names are looked at.
const MEMBERS: usize = 20_000;

const BLOCK: u64 = 512;

/// Whether a tar that is not compressed holds images: a manifest at its top, and layers beside it.
///
/// What looks like one is looked into differently only within its layers; so a package that pretends to be one gains nothing for
/// its own files.
pub(crate) fn is_archive_of_images(bytes: &[u8]) -> bool {
    let (mut has_manifest, mut has_layers, mut at) = (false, false, 0_u64);
    for _ in 0..MEMBERS {
        let Some(header) = slice(bytes, at, BLOCK) else { break };
        if header.get(257..262) != Some(b"ustar") {
            break;
        }
        let name = header.get(..100).unwrap_or_default();
        let name = String::from_utf8_lossy(name.split(|byte| *byte == 0).next().unwrap_or_default());
        let parts: Vec<&str> = crate::manifests::segments(&name).collect();
        match parts.as_slice() {
            ["manifest.json" | "oci-layout"] | [_, "manifest.json" | "oci-layout"] => has_manifest = true,
            [.., "blobs", _, _] => has_layers = true,
            [.., file] if file.ends_with(".tar") => has_layers = true,
            _ => {}
        }
        if has_manifest && has_layers {
            return true;
        }
        let digits = header.get(124..136).unwrap_or_default();
        // A size in base 256 is that of a member of more than 8 GiB.
        let size = if digits.first().is_some_and(|byte| byte & 0x80 != 0) {
            digits.iter().skip(4).fold(0_u64, |size, byte| (size << 8) | u64::from(*byte))
        } else {
            let octal = |byte: &&u8| (b'0'..=b'7').contains(*byte);
            digits.iter().filter(octal).fold(0, |size, byte| (size << 3) | u64::from(byte - b'0'))
        };
        let Some(next) = size.checked_next_multiple_of(BLOCK).and_then(|size| at.checked_add(BLOCK + size))
        else {
            break;
        };
        at = next;
    }
    false
}
