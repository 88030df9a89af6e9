//! Tests of the policy crate from outside.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests too")]

mod documents;
mod explaining;
mod hostile;
mod language;
mod laws;
mod layers;
mod linting;
mod packs;
mod points;
mod support;
