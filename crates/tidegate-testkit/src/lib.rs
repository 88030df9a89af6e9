//! What tests need and no user gets: real packages, fake registries, a clock that stands still, a disk that forgets.
//!
//! The crate sees the vocabulary (`tidegate-model`) and the platform (`tidegate-sys`) only, so that it can serve the
//! tests of every other crate. It is never shipped.

pub mod client;
pub mod clock;
pub mod data;
pub mod fetch;
pub mod forgetful_disk;
pub mod markdown;
pub mod package;
pub mod process;
pub mod tools;
pub mod upstream;
pub mod validators;

pub use clock::FixedClock;
pub use data::shared_data;
pub use forgetful_disk::{Crash, ForgetfulDisk};
pub use package::{BuiltFile, Package, PythonForms};
pub use upstream::{FakeUpstream, Fault, Gate, HubFile, Style};
