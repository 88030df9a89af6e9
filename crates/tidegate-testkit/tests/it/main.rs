//! Proves that the fakes are real: the clients themselves install from them, and faults do what they say.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails as the test would")]

mod faults;
mod installs;
