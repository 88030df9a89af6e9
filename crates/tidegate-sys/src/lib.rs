//! System primitives, and the one crate that may use `unsafe`.
//!
//! [`disk`] puts the few file operations that durability rests on behind a trait, so that a test can replace the disk
//! by one that forgets everything that was not synced. [`mod@map`] is the memory map behind it. [`confine`] takes from a
//! process what it does not need for reading hostile bytes, and [`residency`] keeps what it takes below a bound. [`heap`] returns what the allocator keeps.

pub mod confine;
pub mod disk;
pub mod heap;
pub mod map;
pub mod memory;
pub mod residency;
