//! The GitHub advisory database: OSV records with a severity word and a mark of review.

use super::{Feed, FeedKind, Item, Unreadable, osv};
use crate::advisory::Advisory;
use crate::osv::{DatabaseSpecific, Record, lenient};

/// The GitHub advisory database.
#[derive(Clone, Copy, Debug)]
pub struct Ghsa;

impl Feed for Ghsa {
    fn kind(&self) -> FeedKind {
        FeedKind::Ghsa
    }

    fn homes(&self) -> &'static [&'static str] {
        &["GHSA-"]
    }

    /// Drafts name no packages.
    fn keeps(&self, path: &str) -> bool {
        let file = path.rsplit('/').next().unwrap_or(path);
        file.starts_with("GHSA-") && file.ends_with(".json") && !path.contains("/unreviewed/")
    }

    fn describe(&self, record: &Record<'_>, advisory: &mut Advisory) {
        let specific: DatabaseSpecific<'_> = lenient(record.database_specific).unwrap_or_default();
        advisory.reviewed = lenient(specific.github_reviewed);
    }

    fn read(&self, document: &[u8]) -> Result<Item, Unreadable> {
        osv::record(document)
    }
}
