//! The packs that ship with the binary.

use crate::policy::Policy;

/// Their names, the default first.
pub const NAMES: [&str; 3] = ["baseline", "strict", "observe"];

/// The TOML of a pack, as it ships.
pub fn source(name: &str) -> Option<&'static str> {
    match name {
        "baseline" => Some(include_str!("../packs/baseline.toml")),
        "strict" => Some(include_str!("../packs/strict.toml")),
        "observe" => Some(include_str!("../packs/observe.toml")),
        _ => None,
    }
}

impl Policy {
    /// A pack by name; `None` where there is no such pack.
    pub fn pack(name: &str) -> Option<Self> {
        let compiled = Self::compile(source(name)?, &format!("pack:{name}"));
        Some(compiled.expect("the packs of this build compile: a test sees to it").policy)
    }
}
