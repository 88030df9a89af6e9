//! What the door keeps: blobs, the catalogue, and the index of who took what.
//!
//! * [`blobs`] holds artifact bytes under their SHA-256. A blob is whole or absent, also after a power cut, and it is
//!   checked against stored checksums before its first byte is used.
//! * [`catalogue`] holds everything else that must be found again: documents, first sightings, decisions, waivers,
//!   tokens, people. Its traits name what the pipeline asks, not rows; SQLite is the embedded half.
//! * [`access_index`] is a projection of the ledger that answers "who took this" and can be rebuilt from the ledger.
//!
//! Nothing here decides or fetches. Every call blocks; callers run them off the async executor. One process owns a data
//! directory at a time: opening the blob store removes what an earlier process left half written.

pub mod access_index;
pub mod blobs;
pub mod catalogue;
