//! What the code of a package does: readers of languages, the facts they give, and the detectors that judge them.

pub mod facts;
pub mod python;
mod record;
#[cfg(test)]
mod render;
