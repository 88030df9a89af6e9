//! RustSec: OSV records (its `osv` branch) that may be a notice rather than a vulnerability, and that rate by package.

use super::{Feed, FeedKind, Item, Unreadable, osv};
use crate::advisory::{Advisory, AdvisoryKind, add_rating};
use crate::osv::{DatabaseSpecific, Record, lenient};

/// RustSec.
#[derive(Clone, Copy, Debug)]
pub struct RustSec;

impl Feed for RustSec {
    fn kind(&self) -> FeedKind {
        FeedKind::Rustsec
    }

    fn homes(&self) -> &'static [&'static str] {
        &["RUSTSEC-"]
    }

    fn describe(&self, record: &Record<'_>, advisory: &mut Advisory) {
        let specifics: Vec<DatabaseSpecific<'_>> =
            record.affected.iter().filter_map(|a| lenient(a.database_specific)).collect();
        for specific in &specifics {
            if let Some(vector) = lenient::<Option<String>>(specific.cvss).flatten() {
                let system = if vector.starts_with("CVSS:4") { "CVSS_V4" } else { "CVSS_V3" };
                add_rating(advisory, system, &vector);
            }
        }
        let word = specifics.iter().find_map(|s| lenient::<Option<String>>(s.informational).flatten());
        match word.as_deref() {
            Some("unmaintained") => advisory.kind = AdvisoryKind::Unmaintained,
            Some("unsound") => advisory.kind = AdvisoryKind::Unsound,
            Some(_) => advisory.kind = AdvisoryKind::Notice,
            None => {}
        }
    }

    fn read(&self, document: &[u8]) -> Result<Item, Unreadable> {
        osv::record(document)
    }
}
