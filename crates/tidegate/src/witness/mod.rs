//! A witness of the ledgers of doors, as a process of its own ([C2SP tlog-witness](https://c2sp.org/tlog-witness)).
//!
//! It belongs in another hand than the doors: what it has cosigned once binds whoever holds a door's key and disk. It has a
//! folder ([`folder`]) with its key, the list of logs that it knows, and the newest checkpoint of each; and one path
//! ([`serve`]). It learns sizes and roots, and nothing of what is recorded.
//!
//! What it refuses to do: to cosign two trees of one size, or a smaller one than it has seen, also after a kill. What it remembers
//! is durable before a cosignature leaves. It asks nobody anything.

pub mod folder;
pub mod serve;

pub use folder::{WitnessFolder, WitnessFolderError};
