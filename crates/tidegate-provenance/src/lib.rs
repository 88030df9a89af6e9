//! Attestations, signatures and trust roots: who made an artifact, and which of that is proven.
//!
//! One function per format takes bytes, a [`Subject`], a [`Requirement`] and a [`Trust`], and answers with a
//! [`Verification`]: what was signed, by whom, under which root, and in plain sentences what was *not* proven.
//!
//! [`custody`] is what tidegate itself says of an artifact: one signed statement for each thing that happened to it.
//! [`signing`] holds the keys for that, [`dsse`] the envelope.
//!
//! What this crate refuses to do: it opens no socket, and its rules read no clock. Whoever calls it brings the bytes, the
//! roots and the time. (Our own keys lie in a file, a token or behind a program, and [`signing`] reaches for them there.
//! The library that checks Sigstore's cryptography also refuses signed times that lie in the future of the machine's own
//! clock; that can only refuse more.)

pub mod custody;
pub mod dsse;
pub mod formats;
mod keys;
mod requirement;
mod roots;
pub mod signing;
mod sigstore;
mod statement;
mod subject;
#[cfg(feature = "testing")]
pub mod testing;
pub mod tuf;
mod verification;

pub use keys::{InvalidKeys, KeyRing, KeyUsage, TrustedKey};
pub use requirement::{CacheKey, Requirement, predicate};
pub use roots::{Instance, InvalidRoot, Origin, Root, Roots, Trust};
pub use statement::Statement;
pub use subject::Subject;
pub use verification::{Claim, Evidence, Format, Reason, Signer, State, Verification};
