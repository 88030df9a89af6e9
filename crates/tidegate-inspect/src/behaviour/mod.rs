//! What the code of a package does: readers of languages, the facts they give, and the detectors that judge them.

pub mod facts;
pub mod languages;
pub mod looks;
pub mod manifest;
pub mod shell;
pub mod words;
