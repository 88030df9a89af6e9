//! The ledger against disks that forget, fail, fill up and rot, and against many writers.

#![expect(clippy::unwrap_used, reason = "in a test an error is a failure, and unwrap shows it")]

mod concurrency;
mod crash;
mod damage;
mod faults;
mod support;
mod tree;
