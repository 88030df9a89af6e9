//! Proves that the fakes are real: the clients themselves install from them, and faults do what they say.

mod faults;
mod installs;
