//! Attestations, signatures and trust roots: who made an artifact, and which of that is proven.
//!
//! [`custody`] is what tidegate itself says of an artifact: one signed statement for each thing that happened to it.
//! [`signing`] holds the keys for that, [`dsse`] the envelope.
//!
//! What this crate refuses to do: it opens no socket and reads no clock. Whoever calls it brings the bytes, the roots and
//! the time. (Keys are the exception that their nature makes: a key lies in a file, a token or behind a program.)

pub mod custody;
pub mod dsse;
pub mod signing;
