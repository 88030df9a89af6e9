//! Finds secrets in the leaves of an artifact.
//!
//! Rules are data (`rules/secrets/*.toml`, one file an issuer or family). One automaton looks for the keywords of all of them
//! at once; where one stands, the patterns of its rules are tried in a window around it, and what they match has to pass the
//! checks that its format allows: checksums, encoded structure, randomness, no filler of documentation. The views of
//! [`crate::views`] are looked at in the same way, and what is found there is told at its place in the leaf.
//!
//! A found value never prints: [`Hit`] carries evidence that is cut, and a [`Fingerprint`] under the caller's key. Nothing
//! here asks an issuer anything; [`liveness`] says how another might.
//!
//! Paths and names of files play no part: what silences a scanner in a repository is where a package hides things.

mod attempt;
mod checksum;
mod edges;
mod engine;
mod files;
pub mod liveness;
mod look;
mod placeholder;
mod rule;
mod secret;
mod structure;
mod words;

pub use checksum::{Checksum, ChecksumKind};
pub use engine::Rules;
pub use look::{Found, Hit};
pub use rule::{Examples, Rule, RuleError};
pub use secret::{Fingerprint, FingerprintKey, Revealed, Secret};

/// Bytes behind a keyword in which any rule looks, at most.
pub const WINDOW_BYTES_MOST: usize = 16 << 10;

/// Findings of one rule in one leaf that are told one by one.
pub const HITS_OF_A_RULE: u32 = 32;

/// Findings in one leaf that are told one by one.
pub const HITS_OF_A_LEAF: usize = 256;
