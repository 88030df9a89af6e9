//! The vocabulary of tidegate: what a package, a digest, a fact, a decision *is*.
//!
//! Every other crate speaks in these types. Nothing here does IO, is async or reads a clock: a value that depends on
//! the time is given it. Each type that stands for something a standard defines has one parser, and the parser's
//! documentation names that standard.

pub mod approval;
pub mod artifact;
pub mod coordinate;
pub mod decision;
pub mod denial;
pub mod digest;
pub mod ecosystem;
pub mod facts;
pub mod finding;
pub mod licence;
pub mod name;
pub mod principal;
pub mod release;
pub mod secret;
pub mod severity;
pub mod time;
pub mod version;
pub mod waiver;

pub use artifact::{ArtifactKind, FileName, Subject};
pub use coordinate::Coordinate;
pub use decision::{Action, Decision, DecisionId};
pub use denial::Denial;
pub use digest::{Algorithm, Digest, Sha256};
pub use ecosystem::Ecosystem;
pub use facts::Facts;
pub use finding::Finding;
pub use name::PackageName;
pub use principal::{Principal, PrincipalKind};
pub use release::{ListedFile, Stated, Yanked};
pub use secret::Secret;
pub use time::Timestamp;
pub use version::{Version, VersionKey, VersionScheme};
