//! The ledger's tree at the door: its key, its publisher, and what readers of it ask.
//!
//! Entries are made by whoever answers; here they become leaves of a Merkle tree, once a second, behind everybody. Nothing
//! waits for it: an answer's entry is durable before the tree knows it.

pub mod cosigning;
mod keys;
mod tree;

pub use cosigning::Cosigners;
pub use keys::key_path;
pub use tree::{OpenTreeError, RotateError, Rotated, Rotation, Tree, TreeSources, tiles_folder};

/// The control that is degraded while nothing is published, or not cosigned.
const CONTROL: &str = "ledger";
