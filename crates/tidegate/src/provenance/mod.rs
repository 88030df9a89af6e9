//! What is signed about files: fetched beside them, checked, kept, and turned into facts.
//!
//! Checking itself is `tidegate-provenance`'s, which knows no network. Here is what it needs: the document of attestations
//! that an index announces, the keys of a registry, the roots in force and how they are renewed.

mod checking;
pub mod images;
mod keys;
pub mod models;
mod outcome;
pub mod told;
mod trust;
pub mod updates;

pub use checking::{CheckKey, check};
pub use images::Offer;
pub use keys::RegistryKeys;
pub use outcome::{Checked, Previous};
pub use trust::{TrustError, Trusted, cosign_keys};
