//! The npm ecosystem.

/// The npm protocol.
#[derive(Debug, Clone, Copy)]
pub struct Npm;
