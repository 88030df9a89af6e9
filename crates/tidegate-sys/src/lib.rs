//! System primitives, and the one crate that may use `unsafe`.
//!
//! [`disk`] puts the few file operations that durability rests on behind a trait, so that a test can replace the disk
//! by one that forgets everything that was not synced. [`mod@map`] is the memory map behind it.

pub mod disk;
pub mod map;
pub mod memory;
