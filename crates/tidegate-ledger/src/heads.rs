//! Where the newest signed head of a log stands, and how it is moved: by compare-and-swap.
//!
//! Whoever wants to publish says which head it went on from. If another one was faster, nothing changes. So no two heads of
//! one size can both be published, whatever two nodes do at the same time. A database row, or an object store with
//! conditional writes, is enough.

#[cfg(any(test, feature = "contract"))]
pub mod contract;

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use crate::checkpoint::Root;
use crate::{NodeId, RecordId};

/// Entries of one node that follow each other in the tree: number `first_seq` of `node` is leaf `index`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Run {
    /// Leaf of its first entry, from 0.
    pub index: u64,
    /// Whose entries.
    pub node: NodeId,
    /// Number of its first entry on that node.
    pub first_seq: u64,
    /// How many.
    pub count: u64,
}

/// Which leaf is which entry. A single node has one run; several nodes alternate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Runs(Vec<Run>);

#[derive(Serialize)]
struct WireRun<'a> {
    index: u64,
    node: &'a str,
    first_seq: u64,
    count: u64,
}

impl Runs {
    /// The longest text that is read, in bytes.
    const MAX_TEXT_BYTES: usize = 64 << 20;

    /// The runs, in the order of their leaves.
    pub fn as_slice(&self) -> &[Run] {
        &self.0
    }

    /// How many leaves they cover.
    pub fn size(&self) -> u64 {
        self.0.last().map_or(0, |run| run.index + run.count)
    }

    /// The leaf of an entry.
    pub fn index_of(&self, record: &RecordId) -> Option<u64> {
        let holds = |run: &&Run| {
            run.node == record.node && record.seq >= run.first_seq && record.seq - run.first_seq < run.count
        };
        self.0.iter().rev().find(holds).map(|run| run.index + (record.seq - run.first_seq))
    }

    /// The entry of a leaf.
    pub fn record_at(&self, index: u64) -> Option<RecordId> {
        let run = &self.0[self.0.partition_point(|run| run.index <= index).checked_sub(1)?];
        let seq = run.first_seq + (index - run.index);
        (index - run.index < run.count).then(|| RecordId { node: run.node.clone(), seq })
    }

    /// Number of the node's newest entry in the tree; 0 for none.
    pub fn last_seq(&self, node: &NodeId) -> u64 {
        self.0.iter().rev().find(|run| run.node == *node).map_or(0, |run| run.first_seq + run.count - 1)
    }

    /// Appends the next leaf.
    pub(crate) fn push(&mut self, node: &NodeId, seq: u64) {
        let index = self.size();
        match self.0.last_mut() {
            Some(run) if run.node == *node && run.first_seq + run.count == seq => run.count += 1,
            _ => self.0.push(Run { index, node: node.clone(), first_seq: seq, count: 1 }),
        }
    }

    /// The runs as JSON, for the head's row.
    pub fn to_text(&self) -> String {
        let wire: Vec<_> = self
            .0
            .iter()
            .map(|r| WireRun {
                index: r.index,
                node: r.node.as_str(),
                first_seq: r.first_seq,
                count: r.count,
            })
            .collect();
        serde_json::to_string(&wire).expect("numbers and names are JSON")
    }

    /// Reads what [`Runs::to_text`] wrote.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.len() > Self::MAX_TEXT_BYTES {
            return Err("the list of runs is too long".to_owned());
        }
        let runs: Vec<Run> = serde_json::from_str(text).map_err(|e| e.to_string())?;
        let mut next = 0u64;
        for run in &runs {
            if run.index != next || run.count == 0 || run.first_seq == 0 {
                return Err(format!("the run at leaf {} does not follow the one before", run.index));
            }
            next = run.index.checked_add(run.count).ok_or("the runs are too long")?;
            run.first_seq.checked_add(run.count).ok_or("the runs are too long")?;
        }
        Ok(Self(runs))
    }
}

/// A signed head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// How many entries.
    pub size: u64,
    /// The root over them.
    pub root: Root,
    /// The signed note that says so.
    pub note: String,
    /// Which leaf is which entry.
    pub runs: Runs,
}

/// The store of heads failed.
#[derive(Debug, thiserror::Error)]
#[error("the head of the ledger's tree cannot be read or written: {0}")]
pub struct HeadsError(#[source] pub Box<dyn std::error::Error + Send + Sync>);

/// A store of heads. What it says is done survives a power cut.
pub trait Heads: Send + Sync {
    /// The newest head of a log.
    ///
    /// # Errors
    /// [`HeadsError`].
    fn head(&self, log: &str) -> Result<Option<Head>, HeadsError>;

    /// Puts `next` in the place of the head with this size and root; of none, where `from` is none. Returns whether that was
    /// still the newest. At most one of those who go on from one head succeeds.
    ///
    /// # Errors
    /// [`HeadsError`].
    fn advance(&self, log: &str, from: Option<(u64, Root)>, next: &Head) -> Result<bool, HeadsError>;
}

/// Heads in memory, for tests and for tools that keep nothing.
#[derive(Debug, Default)]
pub struct MemoryHeads(Mutex<BTreeMap<String, Head>>);

impl Heads for MemoryHeads {
    fn head(&self, log: &str) -> Result<Option<Head>, HeadsError> {
        Ok(self.0.lock().unwrap_or_else(PoisonError::into_inner).get(log).cloned())
    }

    fn advance(&self, log: &str, from: Option<(u64, Root)>, next: &Head) -> Result<bool, HeadsError> {
        let mut heads = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if heads.get(log).map(|head| (head.size, head.root)) != from {
            return Ok(false);
        }
        heads.insert(log.to_owned(), next.clone());
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_passes_the_contract() {
        contract::run(&|| (Box::new(()), Box::new(MemoryHeads::default())));
    }

    #[test]
    fn runs_of_several_nodes_find_their_entries() {
        let (a, b): (NodeId, NodeId) = ("a".parse().unwrap(), "b-1".parse().unwrap());
        let mut runs = Runs::default();
        for (node, seq) in [(&a, 1), (&a, 2), (&b, 5), (&a, 3), (&b, 6), (&b, 7)] {
            runs.push(node, seq);
        }
        assert_eq!((runs.size(), runs.as_slice().len()), (6, 4));
        assert_eq!((runs.last_seq(&a), runs.last_seq(&b)), (3, 7));
        for index in 0..6 {
            let record = runs.record_at(index).unwrap();
            assert_eq!(runs.index_of(&record), Some(index), "{record}");
        }
        assert_eq!(runs.record_at(6), None);
        assert_eq!(runs.index_of(&"a-4".parse().unwrap()), None);
        assert_eq!(Runs::parse(&runs.to_text()), Ok(runs));
        assert!(Runs::parse(r#"[{"index":1,"node":"a","first_seq":1,"count":1}]"#).is_err());
    }
}
