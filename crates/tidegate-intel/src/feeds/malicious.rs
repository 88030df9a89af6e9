//! The OpenSSF's malicious packages: OSV records of malware, with the names of those who reported it.

use serde::Deserialize;

use super::{Feed, FeedKind, Item, Unreadable, osv};
use crate::advisory::{Advisory, AdvisoryKind};
use crate::osv::{DatabaseSpecific, Record, lenient};

/// The OpenSSF's malicious packages.
#[derive(Clone, Copy, Debug)]
pub struct Malicious;

#[derive(Deserialize)]
struct Origin {
    #[serde(default)]
    source: String,
}

impl Feed for Malicious {
    fn kind(&self) -> FeedKind {
        FeedKind::Malicious
    }

    fn homes(&self) -> &'static [&'static str] {
        &["MAL-"]
    }

    fn describe(&self, record: &Record<'_>, advisory: &mut Advisory) {
        const MAX_REPORTERS: usize = 64;
        advisory.kind = AdvisoryKind::Malware;
        let specific: DatabaseSpecific<'_> = lenient(record.database_specific).unwrap_or_default();
        let origins: Vec<Origin> = lenient(specific.origins).unwrap_or_default();
        let mut reporters: Vec<String> = lenient(specific.sources).unwrap_or_default();
        reporters.extend(origins.into_iter().map(|origin| origin.source));
        reporters.retain(|reporter| !reporter.is_empty() && reporter.len() <= 256);
        reporters.sort_unstable();
        reporters.dedup();
        reporters.truncate(MAX_REPORTERS);
        advisory.reporters = reporters;
    }

    fn read(&self, document: &[u8]) -> Result<Item, Unreadable> {
        osv::record(document)
    }
}
