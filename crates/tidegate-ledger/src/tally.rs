//! What is counted of a node's entries, from one `counts` entry to the next.
//!
//! The recorder keeps a [`Tally`] under the lock that gives entries their numbers, and writes it down before the first entry of
//! a later hour. So each entry is counted once: in the first `counts` entry after it. Whoever has the entries alone keeps the same
//! tally by the same rules, and must come to the same numbers at the same places; [`crate::audit`] does.

use tidegate_model::Timestamp;

use crate::entry::{Body, Counts, KindCounts};

/// An hour, in milliseconds.
const HOUR_MS: i64 = 3_600_000;
/// The most entries of one period. Bounds how far a start has to look back for the newest counts.
pub(crate) const MAX_COUNTED: u64 = 1 << 20;
/// Statuses from here on refuse.
const REFUSED: u16 = 400;

/// One period of counting.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Number of its first entry; 0 where nothing says yet where counting begins.
    first_seq: u64,
    /// The hour of its first entry, in hours since 1970; none before there is one.
    hour: Option<i64>,
    kinds: KindCounts,
    refused: u64,
    bytes: u64,
}

/// What a tally reads of an entry.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Counted {
    pub(crate) seq: u64,
    pub(crate) time: Timestamp,
    pub(crate) kind: usize,
    /// Status and bytes of an access.
    pub(crate) access: Option<(u16, u64)>,
}

impl Counted {
    pub(crate) fn of(seq: u64, time: Timestamp, body: &Body) -> Self {
        let access = match body {
            Body::Access(access) => Some((access.status, access.bytes)),
            _ => None,
        };
        Self { seq, time, kind: body.kind_index(), access }
    }
}

impl Tally {
    /// Counting that begins with entry `first_seq`; with 0, wherever the next entry is.
    pub(crate) fn from(first_seq: u64) -> Self {
        Self { first_seq, ..Self::default() }
    }

    pub(crate) const fn first_seq(&self) -> u64 {
        self.first_seq
    }

    /// When the hour began that is counted now.
    pub(crate) fn hour(&self) -> Option<Timestamp> {
        self.hour.map(|hour| Timestamp::from_unix_millis(hour.saturating_mul(HOUR_MS)))
    }

    /// Whether there is anything but the counts that the period began with.
    pub(crate) fn is_worth_telling(&self) -> bool {
        let total = self.kinds.total();
        total > 1 || (total == 1 && self.kinds.of(Body::COUNTS_KIND) == 0)
    }

    /// Whether counts are due before an entry of this time. A moment of an hour before is no reason: requests that were
    /// begun just before the hour end just after it. A clock that was set back by more is.
    pub(crate) fn is_due(&self, time: Timestamp) -> bool {
        if self.first_seq == 0 || self.kinds.total() >= MAX_COUNTED {
            return true;
        }
        let hour = time.unix_millis().div_euclid(HOUR_MS);
        self.hour.is_some_and(|begun| hour > begun || hour < begun - 1)
    }

    /// Counts an entry. One that holds counts ends the period and is the first of the next.
    pub(crate) fn push(&mut self, entry: Counted) {
        if entry.kind == Body::COUNTS_KIND {
            *self = Self::from(entry.seq);
        }
        self.hour.get_or_insert(entry.time.unix_millis().div_euclid(HOUR_MS));
        self.kinds.add(entry.kind);
        if let Some((status, bytes)) = entry.access {
            self.refused += u64::from(status >= REFUSED);
            self.bytes = self.bytes.saturating_add(bytes);
        }
    }

    /// What an entry with the number `seq` and this time has to say of the period, which it ends.
    pub(crate) fn counts(&self, seq: u64, time: Timestamp) -> Counts {
        let hour = self.hour.unwrap_or_else(|| time.unix_millis().div_euclid(HOUR_MS));
        Counts {
            hour: Timestamp::from_unix_millis(hour.saturating_mul(HOUR_MS)),
            first_seq: if self.first_seq == 0 { seq } else { self.first_seq },
            last_seq: seq - 1,
            entries: self.kinds,
            refused: self.refused,
            bytes: self.bytes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: i64 = 1_795_000_000_000 / HOUR_MS * HOUR_MS;

    fn access(seq: u64, at: i64, status: u16, bytes: u64) -> Counted {
        Counted { seq, time: Timestamp::from_unix_millis(at), kind: 0, access: Some((status, bytes)) }
    }

    #[test]
    fn an_hour_ends_with_the_first_entry_of_a_later_one() {
        let mut tally = Tally::from(1);
        let time = Timestamp::from_unix_millis;
        assert!(!tally.is_due(time(AT)), "there is nothing to tell");
        tally.push(access(1, AT, 200, 7));
        tally.push(access(2, AT + 5, 403, 2));
        assert!(!tally.is_due(time(AT + HOUR_MS - 1)));
        assert!(tally.is_due(time(AT + HOUR_MS)));
        // A request of the hour before, and a clock set back.
        assert!(!tally.is_due(time(AT - 1)));
        assert!(tally.is_due(time(AT - HOUR_MS - 1)));
        let counts = tally.counts(3, time(AT + HOUR_MS));
        assert_eq!((counts.hour, counts.first_seq, counts.last_seq), (time(AT), 1, 2));
        assert_eq!((counts.entries.of(0), counts.refused, counts.bytes), (2, 1, 9));
        tally.push(Counted { seq: 3, time: time(AT + HOUR_MS), kind: Body::COUNTS_KIND, access: None });
        assert!(!tally.is_worth_telling());
        let idle = tally.counts(4, time(AT + 2 * HOUR_MS));
        assert_eq!((idle.first_seq, idle.last_seq, idle.entries.total()), (3, 3, 1));
    }

    #[test]
    fn counting_that_begins_late_says_so_at_once() {
        let tally = Tally::from(0);
        assert!(tally.is_due(Timestamp::from_unix_millis(AT)));
        let counts = tally.counts(9, Timestamp::from_unix_millis(AT));
        assert_eq!((counts.first_seq, counts.last_seq, counts.entries.total()), (9, 8, 0));
    }
}
