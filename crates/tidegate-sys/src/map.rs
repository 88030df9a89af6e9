//! Read-only memory maps of files that never change.

use std::fs::File;
use std::io;

use bytes::Bytes;

/// Maps a whole file into memory and hands it out as [`Bytes`], without copying.
///
/// The file must never be truncated or written again while the map lives: tidegate maps blobs only, which are named by
/// their digest, renamed into place once whole, and only ever unlinked. An empty file gives empty bytes.
///
/// # Errors
/// What the operating system says of opening the map.
#[expect(unsafe_code, reason = "a memory map is outside what the compiler can check; see SAFETY")]
pub fn map_immutable(file: &File) -> io::Result<Bytes> {
    if file.metadata()?.len() == 0 {
        return Ok(Bytes::new());
    }
    // SAFETY: the map is read-only, and the file behind it is never written or truncated while it is mapped (see above).
    // An unlinked file keeps its pages until the map is dropped.
    let map = unsafe { memmap2::Mmap::map(file)? };
    Ok(Bytes::from_owner(map))
}
