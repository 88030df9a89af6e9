//! The Python packaging advisory database: plain OSV records, in YAML in its repository and in JSON in OSV's bulk.

use super::{Feed, FeedKind, Item, Unreadable, osv};

/// The Python packaging advisory database.
#[derive(Clone, Copy, Debug)]
pub struct PyPa;

impl Feed for PyPa {
    fn kind(&self) -> FeedKind {
        FeedKind::Pypa
    }

    fn homes(&self) -> &'static [&'static str] {
        &["PYSEC-"]
    }

    fn read(&self, document: &[u8]) -> Result<Item, Unreadable> {
        osv::record(document)
    }
}
