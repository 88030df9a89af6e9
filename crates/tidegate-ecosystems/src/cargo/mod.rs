//! The cargo ecosystem.

/// The cargo protocol.
#[derive(Debug, Clone, Copy)]
pub struct Cargo;
