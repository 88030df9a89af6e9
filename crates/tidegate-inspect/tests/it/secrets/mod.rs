//! Secrets: all rules over all their examples, laws, containers, and content that has none.

mod benign;
mod containers;
mod laws;
mod rules;
pub(crate) mod template;

use tidegate_inspect::secrets::{FingerprintKey, Found, Rules};

/// The key of the tests.
pub(crate) const KEY: FingerprintKey = FingerprintKey::new([7; 32]);

/// Looks through a text.
pub(crate) fn look(text: &[u8]) -> Found<'static> {
    Rules::builtin().look(text, &KEY)
}

/// The ids of what is found in a text.
pub(crate) fn ids(text: &[u8]) -> Vec<&'static str> {
    look(text).hits.iter().map(|hit| hit.rule.id.as_str()).collect()
}
