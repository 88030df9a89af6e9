//! What every catalogue must do, whatever engine is behind it.
//!
//! A backend's tests call [`run`] with a way to make an empty catalogue. Each check gets a fresh one.

#![expect(clippy::unwrap_used, reason = "a suite of tests: a failure is a panic")]

mod custody;
mod documents;
mod exposures;
mod inspections;
mod mcp_tools;
mod packages;
mod people;
mod records;
mod verifications;

use tidegate_model::{Sha256, Timestamp};

use super::Catalogue;

/// A fresh catalogue, and whatever must live as long as it (a temporary directory, a schema to drop).
pub type Fresh = (Box<dyn std::any::Any>, Box<dyn Catalogue>);

/// Runs every check.
///
/// # Panics
/// Where the catalogue does not do what it must; the message says which check.
pub fn run(fresh: &dyn Fn() -> Fresh) {
    for (name, check) in checks() {
        let (_keep, catalogue) = fresh();
        println!("checking: {name}");
        check(&*catalogue);
    }
}

type Check = (&'static str, fn(&dyn Catalogue));

fn checks() -> Vec<Check> {
    [
        documents::CHECKS,
        packages::CHECKS,
        records::CHECKS,
        people::CHECKS,
        exposures::CHECKS,
        inspections::CHECKS,
        mcp_tools::CHECKS,
        verifications::CHECKS,
        custody::CHECKS,
    ]
    .concat()
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_seconds(1_800_000_000 + seconds)
}

fn sha(n: u8) -> Sha256 {
    Sha256::new([n; 32])
}
