//! Tests of the policy crate from outside.

mod packs;
