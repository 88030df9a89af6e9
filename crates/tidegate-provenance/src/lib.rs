//! Attestations, signatures and trust roots: who made an artifact, and which of that is proven.
//!
//! What this crate refuses to do: it opens no socket and reads no clock. Whoever calls it brings the bytes, the roots and
//! the time.
