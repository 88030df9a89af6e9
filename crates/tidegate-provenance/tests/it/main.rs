//! Everything this crate verifies, offline.

mod labelled;
