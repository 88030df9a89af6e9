//! Checks a ledger without a server and without trusting whoever kept it: everything is computed again.
//!
//! From the entries in the bundles come leaves, tiles and root; they must be those that are stored and signed. Numbers must
//! follow each other, clocks must not run back, hourly counts must agree. The node's own segments must hold the same
//! entries. And every checkpoint that somebody saved must be the root of the beginning of this very tree: that is what
//! whoever holds the signing key cannot fake. Each failure has a stable name, a place and a remedy.
//!
//! Memory does not grow with the ledger; time does.

mod counts;
mod entries;
mod heads;
mod leaves;

use std::path::PathBuf;
use std::sync::Arc;

use serde_json::json;
use tidegate_sys::disk::Disk;

use crate::checkpoint::Root;
use crate::heads::Head;
use crate::note::VerifierKey;
use crate::tiles::Tiles;
use crate::tree::{Failure, FailureKind};

/// The most failures of one kind that are listed; the rest is counted.
const MAX_LISTED: usize = 20;

/// A checkpoint that somebody kept.
#[derive(Clone, Debug)]
pub struct SavedCheckpoint {
    /// What to call it: a file's name.
    pub name: String,
    /// The signed note.
    pub note: Vec<u8>,
}

/// What is to be checked, and against what.
pub struct AuditInput<'a> {
    /// The disk with the segments.
    pub disk: Arc<dyn Disk>,
    /// Folders of segments, one for each node; none where only the published tree is at hand.
    pub ledgers: Vec<PathBuf>,
    /// The published tree.
    pub tiles: &'a dyn Tiles,
    /// The log's name.
    pub origin: &'a str,
    /// Keys of the log; its checkpoint must be signed by one of them.
    pub keys: &'a [VerifierKey],
    /// Keys that signed before and must not sign the newest checkpoint: those of saved and cosigned ones only.
    pub earlier_keys: &'a [VerifierKey],
    /// The newest head as its row has it, where the database is at hand.
    pub head: Option<Head>,
    /// Checkpoints from elsewhere.
    pub saved: &'a [SavedCheckpoint],
    /// Keys of witnesses.
    pub witnesses: &'a [VerifierKey],
    /// How many of them must have cosigned.
    pub required_cosignatures: usize,
    /// How far a node's clock may run back, in milliseconds.
    pub clock_tolerance_ms: i64,
}

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct AuditReport {
    /// How many entries the checkpoint states.
    pub size: u64,
    /// The root over the entries as they are.
    pub root: Option<Root>,
    /// How many entries were read and hashed.
    pub entries: u64,
    /// How many of them were compared with a node's segments.
    pub compared: u64,
    /// How many hourly counts were counted again.
    pub counts: u64,
    /// Witnesses that cosigned the checkpoint or its newest cosigned predecessor, with their times in Unix seconds.
    pub cosigned: Vec<(VerifierKey, u64)>,
    /// What is wrong, in the order in which it was found.
    pub failures: Vec<Failure>,
    /// Failures that are not listed because there are many of their kind.
    pub failures_omitted: u64,
    /// What could not be checked, and why; no failures.
    pub notes: Vec<String>,
}

impl AuditReport {
    /// Whether everything fits.
    pub fn is_whole(&self) -> bool {
        self.failures.is_empty()
    }

    /// Whether something of this kind was found.
    pub fn has(&self, kind: FailureKind) -> bool {
        self.failures.iter().any(|failure| failure.kind == kind)
    }

    /// As one JSON object.
    pub fn to_json(&self) -> String {
        let failures = self.failures.iter().map(
            |f| json!({"kind": f.kind.as_str(), "place": f.place, "what": f.what, "remedy": f.kind.remedy()}),
        );
        let cosigned =
            self.cosigned.iter().map(|(key, time)| json!({"key": key.to_string(), "time_seconds": time}));
        json!({
            "whole": self.is_whole(),
            "size": self.size,
            "root": self.root.map(|root| root.to_string()),
            "entries": self.entries,
            "compared": self.compared,
            "counts": self.counts,
            "cosigned": cosigned.collect::<Vec<_>>(),
            "failures": failures.collect::<Vec<_>>(),
            "failures_omitted": self.failures_omitted,
            "notes": self.notes,
        })
        .to_string()
    }

    fn fail(&mut self, failure: Failure) {
        if self.failures.iter().filter(|f| f.kind == failure.kind).count() < MAX_LISTED {
            self.failures.push(failure);
        } else {
            self.failures_omitted += 1;
        }
    }

    fn found(&mut self, kind: FailureKind, place: impl Into<String>, what: impl Into<String>) {
        self.fail(Failure::new(kind, place, what));
    }
}

/// Checks everything. What cannot be read is a failure like others, so this always ends with a report.
pub fn audit(input: &AuditInput<'_>) -> AuditReport {
    let mut report = AuditReport::default();
    let stated = heads::check(input, &mut report);
    report.size = stated.as_ref().map_or(0, |checkpoint| checkpoint.size);
    let saved = heads::saved(input, stated.as_ref(), &mut report);
    let mut ledgers = entries::Ledgers::open(input, &mut report);
    leaves::check(input, stated.as_ref(), &saved, &mut ledgers, &mut report);
    ledgers.end(&mut report);
    report
}
