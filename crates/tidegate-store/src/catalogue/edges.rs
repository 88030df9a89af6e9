//! What came into what, beside what lies in archives: servers made of packages, extensions that bring others along.
//!
//! What inspection finds inside bytes stands in [`super::Inspections`] and is not repeated here. Edges are learnt with decisions and
//! name the entry of theirs; whatever is decided on again is learnt again.

use std::str::FromStr;

use tidegate_model::{Sha256, Timestamp};

use super::CatalogueError;

/// How something came into something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EdgeKind {
    /// It lies in its bytes.
    ContainedIn,
    /// The other starts it or is made of it.
    BuiltFrom,
    /// It was taken over as it was.
    Promoted,
    /// The other has it installed as well.
    BroughtAlong,
}

impl EdgeKind {
    /// The word in data, API and pages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ContainedIn => "contained_in",
            Self::BuiltFrom => "built_from",
            Self::Promoted => "promoted",
            Self::BroughtAlong => "brought_along",
        }
    }
}

impl FromStr for EdgeKind {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        [Self::ContainedIn, Self::BuiltFrom, Self::Promoted, Self::BroughtAlong]
            .into_iter()
            .find(|kind| kind.as_str() == word)
            .ok_or_else(|| format!("`{}` is no kind of edge", word.escape_debug()))
    }
}

/// One way into something else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edge {
    /// Package URL; without version any version is meant.
    pub parent: String,
    /// Package URL with version.
    pub child: String,
    /// How.
    pub kind: EdgeKind,
    /// Since when that is known.
    pub at: Timestamp,
    /// The entry in the ledger of the decision that it was learnt with.
    pub record: Option<String>,
}

/// A name under which some bytes were seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BytesName {
    /// The ecosystem's word.
    pub ecosystem: String,
    /// Normalised package name.
    pub package: String,
    /// Version as published.
    pub version: String,
    /// File name.
    pub file: String,
}

/// What came into what.
pub trait Edges: Send + Sync {
    /// Keeps edges that are not known yet; those that are stay as they are.
    ///
    /// # Errors
    /// [`CatalogueError`].
    fn put_edges(&self, edges: &[Edge]) -> Result<(), CatalogueError>;

    /// The edges that lead out of a package URL, by child.
    ///
    /// # Errors
    /// [`CatalogueError`].
    fn edges_from(&self, parent: &str) -> Result<Vec<Edge>, CatalogueError>;

    /// The names under which some bytes were seen.
    ///
    /// # Errors
    /// [`CatalogueError`].
    fn names_of_bytes(&self, sha256: &Sha256) -> Result<Vec<BytesName>, CatalogueError>;
}
