//! The pypi ecosystem.

/// The pypi protocol.
#[derive(Debug, Clone, Copy)]
pub struct Pypi;
