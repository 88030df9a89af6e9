//! Tests of the whole door.

#![expect(clippy::unwrap_used, reason = "tests")]

mod config_fields;
mod crowd;
mod faults;
mod groups;
mod one_door;
mod operations;
mod paths;
mod private_names;
mod support;
mod views;
