//! Everything this crate verifies, offline.

#![expect(clippy::unwrap_used, reason = "in a test an error is a failure, and unwrap shows it")]

mod hostile;
mod labelled;
mod own;
