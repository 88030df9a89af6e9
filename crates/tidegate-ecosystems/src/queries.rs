//! Questions about several packages at once: searches, and clients that ask for all they have in one request.
//!
//! Whatever upstream answers, it is read for names alone. What is said of each package is a view of its own index, decided
//! on as any other, so that a search never shows what asking for the package would not.

use bytes::Bytes;
use tidegate_model::PackageName;

use crate::{DocumentRequest, FetchedDocument, IndexError, UpstreamBase, View};

/// Such a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// The ecosystem's word for it. A closed set.
    pub form: &'static str,
    /// The packages that it names, in its order.
    pub packages: Vec<PackageName>,
    /// What upstream is to be asked for the names of more; `None` where all are named.
    pub search: Option<Search>,
    /// Which view of each package the answer is made of.
    pub entry: View,
}

/// What upstream is asked in order to learn names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Search {
    /// Parameters that the protocol knows, by its own names for them. No other part of the client's request leaves.
    pub parameters: Vec<(&'static str, String)>,
}

impl Search {
    /// The first value of a parameter.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(key, _)| *key == name).map(|(_, value)| value.as_str())
    }

    /// Every value of a parameter.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.parameters.iter().filter(move |(key, _)| *key == name).map(|(_, value)| value.as_str())
    }
}

/// What upstream found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Names, in its order.
    pub packages: Vec<PackageName>,
    /// How many there are in all, by its count.
    pub total: u64,
}

/// A package that clients are to give up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recalled {
    /// Which package.
    pub package: PackageName,
    /// Where the door says why, where it made a decision that has a page.
    pub help: Option<String>,
}

/// How an ecosystem's queries are answered. Pure functions, as everything here.
pub trait Queries: Send + Sync {
    /// The upstream request behind a search; `None` where this upstream cannot be asked so.
    fn search_request(&self, query: &Query, upstream: &UpstreamBase) -> Option<DocumentRequest>;

    /// Reads the names that upstream found. What cannot be one is left out.
    ///
    /// # Errors
    /// The answer is not what the ecosystem says it is.
    fn read_found(&self, query: &Query, document: &FetchedDocument) -> Result<Found, IndexError>;

    /// Puts the answer together. Each entry is a document that the view of one package gave; `total` is upstream's count of
    /// all that it found.
    fn compose(&self, query: &Query, entries: &[Bytes], total: u64) -> Vec<u8>;
}

/// The most packages that one answer tells of. An editor asks for all of its extensions at once.
pub const MAX_PACKAGES: usize = 500;
