//! Everything this crate verifies, offline.

#![expect(clippy::unwrap_used, reason = "in a test an error is a failure, and unwrap shows it")]

mod bare_keys;
mod cosign;
mod custody;
mod hostile;
mod labelled;
mod models;
mod own;
mod pgp;
mod updates;
