//! Tests of the whole door.

#![expect(clippy::unwrap_used, reason = "tests")]

mod durability;
