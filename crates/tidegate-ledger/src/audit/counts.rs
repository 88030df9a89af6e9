//! Hourly counts, counted again: each entry in exactly one of them, as many of each kind as there are, and no hour without.

use super::AuditReport;
use crate::entry::Counts;
use crate::tally::{Counted, Tally};
use crate::tree::FailureKind;
use crate::{Body, Entry, NodeId};

/// What was counted of one node since its newest counts.
#[derive(Default)]
pub(super) struct Counting {
    tally: Option<Tally>,
    /// Whether this node counts: from its first counts on.
    begun: bool,
    /// Entries were not readable: what the next counts say cannot be held against them.
    lost: bool,
    /// The first entry that should have had counts before it.
    overdue: Option<u64>,
    /// Number of the newest entry.
    last_seq: u64,
}

impl Counting {
    /// Entries cannot be read.
    pub(super) const fn lose(&mut self) {
        self.lost = true;
    }

    pub(super) fn next(&mut self, place: &str, entry: &Entry, report: &mut AuditReport) {
        let tally = self.tally.get_or_insert_with(|| Tally::from(entry.seq));
        self.last_seq = self.last_seq.max(entry.seq);
        let counted = Counted::of(entry.seq, entry.time, &entry.body);
        match &entry.body {
            Body::Counts(counts) => {
                let expected = tally.counts(entry.seq, entry.time);
                tally.push(counted);
                if std::mem::take(&mut self.lost) {
                    report.notes.push(format!(
                        "entries {} to {} of node {} were not counted again: some of them cannot be read",
                        counts.first_seq, counts.last_seq, entry.node
                    ));
                } else {
                    self.compare(place, entry, counts, &expected, report);
                }
                (self.begun, self.overdue) = (true, None);
            }
            _ => {
                if tally.is_due(entry.time) {
                    self.overdue.get_or_insert(entry.seq);
                }
                tally.push(counted);
            }
        }
    }

    fn compare(
        &self,
        place: &str,
        entry: &Entry,
        told: &Counts,
        expected: &Counts,
        report: &mut AuditReport,
    ) {
        report.counts += 1;
        let range = format!("the hour of {}, entries {} to {}", told.hour, told.first_seq, told.last_seq);
        if !self.begun && told.first_seq != expected.first_seq {
            let begins_here = told.first_seq == entry.seq && told.last_seq + 1 == entry.seq;
            if begins_here || told.first_seq < expected.first_seq {
                report.notes.push(format!(
                    "counting on node {} begins with entry {}: what stands before was not counted again",
                    entry.node,
                    told.first_seq.max(expected.first_seq)
                ));
                return;
            }
        }
        if told.first_seq != expected.first_seq || told.last_seq != expected.last_seq {
            let what = format!(
                "{range}: they should cover entries {} to {}, which follow the counts before; {}",
                expected.first_seq,
                expected.last_seq,
                uncovered(told, expected)
            );
            return report.found(FailureKind::CountsMissing, place, what);
        }
        if let Some(seq) = self.overdue {
            let what = format!("{range}: the counts were due before entry {seq}, which is of another hour");
            report.found(FailureKind::CountsMissing, place, what);
        }
        let differences = differences(told, expected);
        if !differences.is_empty() {
            report.found(FailureKind::CountsMismatch, place, format!("{range}: {}", differences.join(", ")));
        }
    }

    pub(super) fn end(&self, node: &NodeId, report: &mut AuditReport) {
        let Some(tally) = &self.tally else { return };
        if let (true, Some(seq), false) = (self.begun, self.overdue, self.lost) {
            let hour = tally.hour().map_or_else(String::new, |hour| format!("of {hour} "));
            let what = format!(
                "entries {} to {} of the hour {hour}were not counted before it",
                tally.first_seq(),
                seq.saturating_sub(1)
            );
            report.found(FailureKind::CountsMissing, format!("{node}-{seq}"), what);
        }
        if !self.begun {
            report
                .notes
                .push(format!("node {node} has no hourly counts: its entries were counted by nobody"));
        } else if tally.first_seq() < self.last_seq {
            report.notes.push(format!(
                "entries {} to {} of node {node} stand after the newest counts",
                tally.first_seq() + 1,
                self.last_seq
            ));
        }
    }
}

fn uncovered(told: &Counts, expected: &Counts) -> String {
    let (first, last) = (told.first_seq, told.last_seq);
    if first > expected.first_seq {
        format!("nobody counted entries {} to {}", expected.first_seq, first - 1)
    } else if last < expected.last_seq {
        format!("nobody counted entries {} to {}", last + 1, expected.last_seq)
    } else {
        format!("entries {first} to {} are counted twice", expected.first_seq.saturating_sub(1))
    }
}

fn differences(told: &Counts, expected: &Counts) -> Vec<String> {
    let mut found = Vec::new();
    if told.hour != expected.hour {
        found.push(format!("the first of them is of the hour of {}", expected.hour));
    }
    for (kind, word) in Body::KINDS.into_iter().enumerate() {
        let (says, holds) = (told.entries.of(kind), expected.entries.of(kind));
        if says != holds {
            found.push(format!("it counts {says} of kind {word}, the ledger holds {holds}"));
        }
    }
    if told.refused != expected.refused {
        found.push(format!("it counts {} refused, the ledger holds {}", told.refused, expected.refused));
    }
    if told.bytes != expected.bytes {
        found.push(format!("it counts {} bytes, the ledger holds {}", told.bytes, expected.bytes));
    }
    found
}
