//! What the entries say: numbers without gaps, clocks that run on, counts that agree, and the same in the node's segments.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::counts::Counting;
use super::leaves::Row;
use super::{AuditInput, AuditReport};
use crate::recover::scan;
use crate::tiles::leaf_hash;
use crate::tree::FailureKind;
use crate::{Entry, NodeId, OpenError, ReadError, Reader, RecordId};

/// The most missing numbers that are kept apart; a larger gap is one failure.
const MAX_MISSING: u64 = 4096;

/// Whether numbers follow each other.
#[derive(Default)]
struct Sequence {
    last: u64,
    missing: BTreeSet<u64>,
    /// Entries since the last one that could not be read: so many may seem to be missing.
    unread: u64,
}

impl Sequence {
    fn next(&mut self, place: &str, record: &RecordId, report: &mut AuditReport) {
        let seq = record.seq;
        let unread = std::mem::take(&mut self.unread);
        if self.last == 0 || (seq > self.last && seq - self.last - 1 <= unread) {
            self.last = seq;
        } else if seq > self.last {
            let gap = self.last + 1..seq;
            if seq - self.last > MAX_MISSING {
                let what = format!("{} entries before it are missing", seq - self.last - 1);
                report.found(FailureKind::EntryMissing, place, what);
            } else {
                self.missing.extend(gap);
            }
            self.last = seq;
        } else if self.missing.remove(&seq) {
            let what = format!("{record} stands after {}-{}", record.node, self.last);
            report.found(FailureKind::EntryReordered, place, what);
        } else {
            report.found(FailureKind::EntryDuplicated, place, format!("{record} stands there again"));
        }
    }

    fn end(&self, node: &NodeId, place: &str, report: &mut AuditReport) {
        for seq in &self.missing {
            report.found(
                FailureKind::EntryMissing,
                format!("{node}-{seq}"),
                format!("it is missing in {place}"),
            );
        }
    }
}

/// What is known of one node.
#[derive(Default)]
struct Node {
    published: Sequence,
    newest_ms: Option<i64>,
    counting: Counting,
    segments: Option<Segments>,
}

struct Segments {
    reader: Reader,
    sequence: Sequence,
    ended: bool,
}

/// Every node's entries, in the tree and in its segments.
pub(super) struct Ledgers {
    nodes: BTreeMap<NodeId, Node>,
    place: &'static str,
}

impl Ledgers {
    pub(super) fn open(input: &AuditInput<'_>, report: &mut AuditReport) -> Self {
        let mut nodes: BTreeMap<NodeId, Node> = BTreeMap::new();
        for dir in &input.ledgers {
            let found = match scan(&*input.disk, dir, None, usize::MAX) {
                Ok(found) => found,
                Err(e) => {
                    let place = match &e {
                        OpenError::Damaged(d) => format!("`{}` at byte {}", d.path.display(), d.offset),
                        _ => format!("`{}`", dir.display()),
                    };
                    let kind = match e {
                        OpenError::Disk { .. } => FailureKind::Unreadable,
                        _ => FailureKind::SegmentAltered,
                    };
                    report.found(kind, place, e.to_string());
                    continue;
                }
            };
            if found.torn_bytes > 0 {
                let bytes = found.torn_bytes;
                report.notes.push(format!(
                    "the last {bytes} bytes of `{}` are no whole entry: being written, or cut off by a power cut",
                    dir.display()
                ));
            }
            let (Some(id), true) = (found.node, found.next_seq > found.first_seq) else { continue };
            let reader = Reader::fixed(Arc::clone(&input.disk), dir, found.segments, found.first_seq);
            let segments = Segments { reader, sequence: Sequence::default(), ended: false };
            nodes.entry(id).or_default().segments = Some(segments);
        }
        Self { nodes, place: "the published tree" }
    }

    /// The entries of one bundle, of which the first is leaf `first`.
    pub(super) fn row(&mut self, input: &AuditInput<'_>, first: u64, row: &Row, report: &mut AuditReport) {
        let Some(entries) = &row.entries else { return self.unread(row.width() as u64) };
        for (at, json) in entries.iter().enumerate() {
            let index = first + at as u64;
            let place = format!("leaf {index}");
            let leaves = [row.entry_leaf(at), row.tile_leaf(at)];
            let entry = match Entry::parse(json) {
                Ok(entry) => entry,
                Err(e) => {
                    // Where tile and bundle disagree, that is what is wrong, and reported.
                    if leaves[0] == leaves[1] {
                        report.found(FailureKind::EntryMalformed, place, e.to_string());
                    }
                    self.unread(1);
                    continue;
                }
            };
            if leaves[0] != leaves[1] {
                self.unread(1);
                continue;
            }
            let record = entry.record();
            if let Some(named) = input.head.as_ref().and_then(|head| head.runs.record_at(index))
                && named != record
            {
                let what = format!("it calls leaf {index} {named}, its entry is {record}");
                report.found(FailureKind::HeadAltered, "the head's row", what);
            }
            let node = self.nodes.entry(entry.node.clone()).or_default();
            node.published.next(&place, &record, report);
            node.clock(&place, &entry, input.clock_tolerance_ms, report);
            node.counting.next(&place, &entry, report);
            if let Some(segments) = &mut node.segments {
                segments.compare(&record, &leaves[0], report);
            }
        }
    }

    /// So many entries cannot be read: whose they are is not known.
    fn unread(&mut self, count: u64) {
        for node in self.nodes.values_mut() {
            node.published.unread += count;
            node.counting.lose();
        }
    }

    pub(super) fn end(self, report: &mut AuditReport) {
        for (id, node) in &self.nodes {
            node.published.end(id, self.place, report);
            if let Some(segments) = &node.segments {
                segments.sequence.end(id, "the node's segments", report);
            }
            node.counting.end(id, report);
        }
    }
}

impl Node {
    fn clock(&mut self, place: &str, entry: &Entry, tolerance_ms: i64, report: &mut AuditReport) {
        let now = entry.time.unix_millis();
        let newest = self.newest_ms.unwrap_or(now);
        if newest.saturating_sub(now) > tolerance_ms {
            let what = format!("{} is {} ms before an entry that stands before it", entry.time, newest - now);
            report.found(FailureKind::ClockSetBack, place, what);
        }
        self.newest_ms = Some(newest.max(now));
    }
}

impl Segments {
    /// The node's entry must be the one that the tree has.
    fn compare(&mut self, record: &RecordId, leaf: &[u8; 32], report: &mut AuditReport) {
        // Entries before the oldest segment were taken away after their time.
        while !self.ended && Reader::position(&self.reader) <= record.seq {
            let frame = match self.reader.next() {
                Some(Ok(frame)) => frame,
                None => {
                    self.ended = true;
                    let what = "the node's segments end before it, the tree does not";
                    return report.found(FailureKind::LogTruncated, record.to_string(), what);
                }
                Some(Err(e)) => {
                    self.ended = true;
                    let place = match &e {
                        ReadError::Damaged { path, offset, .. } => {
                            format!("`{}` at byte {offset}", path.display())
                        }
                        _ => record.to_string(),
                    };
                    return report.found(FailureKind::SegmentAltered, place, e.to_string());
                }
            };
            let place = format!("entry {} of the node's segments", frame.seq);
            let found = match Entry::parse(&frame.json) {
                Ok(entry) => entry.record(),
                Err(e) => {
                    report.found(FailureKind::EntryAltered, place, e.to_string());
                    self.sequence.unread += 1;
                    continue;
                }
            };
            self.sequence.next(&place, &found, report);
            if frame.seq < record.seq {
                // In the tree it could not be read, or is missing there; or the tree begins later.
                continue;
            }
            report.compared += 1;
            if found == *record && leaf_hash(&frame.json) != *leaf {
                let what = "it is not the entry of this number in the tree";
                report.found(FailureKind::EntryAltered, place, what);
            }
        }
    }
}
