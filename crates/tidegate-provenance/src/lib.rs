//! Attestations, signatures and trust roots: who made an artifact, and which of that is proven.
//!
//! One function per format takes bytes, a [`Subject`], a [`Requirement`] and a [`Trust`], and answers with a
//! [`Verification`]: what was signed, by whom, under which root, and in plain sentences what was *not* proven.
//!
//! What this crate refuses to do: it opens no socket, and its rules read no clock. Whoever calls it brings the bytes, the
//! roots and the time. (The library that checks Sigstore's cryptography also refuses signed times that lie in the future
//! of the machine's own clock; that can only refuse more.)

pub mod formats;
mod keys;
mod requirement;
mod roots;
mod sigstore;
mod statement;
mod subject;
#[cfg(feature = "testing")]
pub mod testing;
mod verification;

pub use keys::{InvalidKeys, KeyRing, KeyUsage, TrustedKey};
pub use requirement::{CacheKey, Requirement, predicate};
pub use roots::{Instance, InvalidRoot, Origin, Root, Roots, Trust};
pub use statement::Statement;
pub use subject::Subject;
pub use verification::{Claim, Evidence, Format, Reason, Signer, State, Verification};
