//! The ledger against disks that forget, fail, fill up and rot, and against many writers.

mod concurrency;
mod crash;
mod damage;
mod faults;
mod support;
