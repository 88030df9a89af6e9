//! Licences of a package: what it declares, which texts it holds, and where the two differ.
//!
//! [`LicenceCollector`] sees each leaf of an inspection once. It reads declarations where each ecosystem makes them, compares
//! licence files with the texts of the SPDX list, and collects `SPDX-License-Identifier` tags. [`Licences`] tells all of it with
//! its places, and concludes one SPDX expression.
//!
//! The texts are those of the `spdx` crate, made into an index when this crate is built: two megabytes that are read where they
//! lie. `askalono`, and the copy of it in `spdx`, build their stores at each start, for a second and tens of megabytes in every
//! worker; and they name the one licence that a file is most like, where a package's notices hold many.
//!
//! Refused: to say what a licence permits, which is policy's; and to guess. A statement with several meanings stays ambiguous
//! unless the texts beside it leave one of them.

mod collect;
mod conclude;
mod files;
mod findings;
mod index;
mod matching;
mod notices;
mod words;

pub use collect::LicenceCollector;
pub use findings::{DETECTORS, LicenceDetector};

use tidegate_model::licence::Reading;

/// What a package says about its licence, and what was found.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Licences {
    /// What manifests declare: the package's own first, then those of what it brings along.
    pub declared: Vec<Declared>,
    /// Texts and notices of licences.
    pub detected: Vec<Detected>,
    /// `SPDX-License-Identifier` tags of files, each expression once.
    pub tags: Vec<Tag>,
    /// Where what is declared and what was found differ. Only of the package itself.
    pub conflicts: Vec<Conflict>,
    /// The licence of the package as one SPDX expression; none where nothing certain is known.
    pub concluded: Option<String>,
    /// What the conclusion rests on, or why there is none; a fragment.
    pub because: String,
    /// Licence files that were not compared, or not to their end, because a bound was reached.
    pub not_compared: u64,
    /// Declarations, texts and tags beyond what is kept.
    pub not_kept: u64,
}

/// One declaration.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Declared {
    /// The nested path of the file.
    pub path: String,
    /// The field, as the file names it.
    pub field: String,
    /// What it says, shortened if it is long.
    pub text: String,
    /// What that means.
    pub reading: Reading,
    /// Whether the package says it of itself, not of something it brings along.
    pub own: bool,
}

/// A text or notice of a licence in a file.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Detected {
    /// The nested path of the file.
    pub path: String,
    /// First line, from 1.
    pub line: u32,
    /// Last line.
    pub last_line: u32,
    /// The licences of which this is the text: more than one where the text does not tell them apart.
    pub licences: Vec<String>,
    /// How it was recognised.
    pub how: How,
    /// Words of the licence's text that are there, in percent.
    pub percent: u8,
    /// Words between its first and last that are not the licence's.
    pub foreign_words: u32,
    /// Whether it stands where a package puts its own licence.
    pub own: bool,
}

/// How a licence was recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// Its text is there.
    Text,
    /// A notice that names it is there.
    Notice,
}

/// An `SPDX-License-Identifier` tag.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Tag {
    /// The expression, as written.
    pub text: String,
    /// What that means.
    pub reading: Reading,
    /// The first file that has it.
    pub path: String,
    /// Files that have it.
    pub files: u64,
    /// Whether the first file is the package's own.
    pub own: bool,
}

/// A difference between what is declared and what was found.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Conflict {
    /// What kind.
    pub kind: ConflictKind,
    /// What is declared: an expression.
    pub declared: String,
    /// Where.
    pub declared_path: String,
    /// What was found.
    pub detected: Vec<String>,
    /// Where.
    pub path: String,
    /// Its line, from 1.
    pub line: u32,
}

/// Kinds of conflict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConflictKind {
    /// No licence text of the package is one that it declares.
    Different,
    /// Beside a text that is declared there is one that is not.
    Undeclared,
}

#[cfg(test)]
mod tests;
