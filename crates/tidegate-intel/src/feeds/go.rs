//! The Go vulnerability database: OSV records with a state of review. Symbols stay in the record's text.

use super::{Feed, FeedKind, Item, Unreadable, osv};
use crate::advisory::Advisory;
use crate::osv::{DatabaseSpecific, Record, lenient};

/// The Go vulnerability database.
#[derive(Clone, Copy, Debug)]
pub struct Go;

impl Feed for Go {
    fn kind(&self) -> FeedKind {
        FeedKind::Go
    }

    fn homes(&self) -> &'static [&'static str] {
        &["GO-"]
    }

    fn describe(&self, record: &Record<'_>, advisory: &mut Advisory) {
        let specific: DatabaseSpecific<'_> = lenient(record.database_specific).unwrap_or_default();
        advisory.reviewed =
            lenient::<String>(specific.review_status).map(|status| status.eq_ignore_ascii_case("reviewed"));
    }

    fn read(&self, document: &[u8]) -> Result<Item, Unreadable> {
        osv::record(document)
    }
}
