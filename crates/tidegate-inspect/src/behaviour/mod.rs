//! What the code of a package does: readers of languages, the facts they give, and the detectors that judge them.

pub mod confusion;
pub mod detectors;
pub mod facts;
pub mod languages;
pub mod looks;
mod looks_of_text;
pub mod manifest;
pub mod package;
pub mod shell;
pub mod stages;
pub mod verdict;
pub mod words;
