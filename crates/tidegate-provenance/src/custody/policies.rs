//! Which policy was in force when, as the ledger tells it.

use tidegate_model::{Sha256, Timestamp};

use super::{LedgerRecord, Problem};

/// A policy that came into force on a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyInForce {
    /// The ledger's record of it.
    pub record: LedgerRecord,
    /// When.
    pub from: Timestamp,
    /// Its digest.
    pub policy: Sha256,
}

/// Every policy that came into force, up to a moment.
#[derive(Clone, Debug)]
pub struct PolicyHistory {
    entries: Vec<PolicyInForce>,
    until: Timestamp,
}

impl PolicyHistory {
    /// The history that the ledger's `policy` entries make, which were read up to `until`.
    pub fn new(mut entries: Vec<PolicyInForce>, until: Timestamp) -> Self {
        entries.sort_by(|one, two| {
            (one.record.node(), one.record.seq()).cmp(&(two.record.node(), two.record.seq()))
        });
        Self { entries, until }
    }

    /// Checks that `policy` was in force at `time`, or, where a record of the same ledger is known, when it was written.
    ///
    /// The record is the better witness: numbers of one node have an order, while clocks of several nodes differ. By
    /// time alone any node's policy of that moment is accepted, and both of a millisecond in which it changed.
    pub(super) fn check(
        &self,
        policy: Sha256,
        time: Timestamp,
        record: Option<&LedgerRecord>,
    ) -> Result<(), Problem> {
        if time > self.until {
            return Err(Problem::PolicyUnknown(time));
        }
        if let Some(in_force) = record.and_then(|record| self.at_record(record)) {
            return replayed_unless(in_force.policy == policy, policy, in_force.policy);
        }
        let in_force: Vec<&PolicyInForce> = self.at_time(time).collect();
        let first = in_force.first().ok_or(Problem::PolicyUnknown(time))?;
        replayed_unless(in_force.iter().any(|entry| entry.policy == policy), policy, first.policy)
    }

    /// The last policy that its node recorded before `record`.
    fn at_record(&self, record: &LedgerRecord) -> Option<&PolicyInForce> {
        let before = |entry: &&PolicyInForce| {
            entry.record.node() == record.node() && entry.record.seq() < record.seq()
        };
        self.entries.iter().rev().find(before)
    }

    /// What each node had in force at `time`.
    fn at_time(&self, time: Timestamp) -> impl Iterator<Item = &PolicyInForce> {
        self.entries.iter().enumerate().filter_map(move |(at, entry)| {
            let next = self.entries.get(at + 1).filter(|next| next.record.node() == entry.record.node());
            let holds = entry.from <= time && next.is_none_or(|next| time <= next.from);
            holds.then_some(entry)
        })
    }
}

fn replayed_unless(holds: bool, claimed: Sha256, in_force: Sha256) -> Result<(), Problem> {
    if holds { Ok(()) } else { Err(Problem::PolicyReplayed { claimed, in_force }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(byte: u8) -> Sha256 {
        Sha256::new([byte; 32])
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_seconds(seconds)
    }

    #[test]
    fn records_decide_before_clocks_do() {
        let entry = |record: &str, seconds, byte| PolicyInForce {
            record: record.parse().unwrap(),
            from: at(seconds),
            policy: digest(byte),
        };
        // Node b took policy 2 later than node a.
        let history = PolicyHistory::new(
            vec![entry("a-9", 100, 2), entry("a-1", 0, 1), entry("b-1", 0, 1), entry("b-5", 110, 2)],
            at(1000),
        );
        let check = |policy, seconds, record: Option<&str>, word: &str| {
            let record = record.map(|record| record.parse().unwrap());
            let found = history.check(digest(policy), at(seconds), record.as_ref());
            assert_eq!(found.err().map_or("ok", |p| p.word()), word, "{policy} {seconds} {record:?}");
        };
        check(1, 50, Some("a-5"), "ok");
        check(1, 105, Some("b-4"), "ok");
        check(1, 105, Some("a-10"), "custody_policy_replayed");
        check(2, 105, Some("b-4"), "custody_policy_replayed");
        check(1, 105, None, "ok");
        check(1, 100, None, "ok");
        check(1, 111, None, "custody_policy_replayed");
        check(2, 50, None, "custody_policy_replayed");
        // A node without policy entries of its own is judged by time.
        check(1, 50, Some("c-5"), "ok");
        check(1, -1, None, "custody_policy_unknown");
        check(2, 1001, Some("a-10"), "custody_policy_unknown");
    }
}
