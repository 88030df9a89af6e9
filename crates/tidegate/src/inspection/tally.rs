//! An inspector that unfolds an artifact and counts what is in it.

use std::collections::BTreeMap;

use serde_json::json;
use tidegate_inspect::{Budgets, Flow, Gap, Leaf, Oddity, Scratch, Visitor, unfold};

use super::wire::JobHead;
use super::worker::Inspector;

/// Counts leaves by format, oddities and gaps by kind. The result is JSON.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// What one inspection may cost.
    pub budgets: Budgets,
}

#[derive(Debug, Default)]
struct Counts {
    leaves: BTreeMap<String, u64>,
    largest_leaf_bytes: usize,
    oddities: BTreeMap<&'static str, u64>,
    gaps: BTreeMap<&'static str, u64>,
}

impl Visitor for Counts {
    fn leaf(&mut self, leaf: &Leaf<'_>) -> Flow {
        *self.leaves.entry(leaf.format.to_string()).or_default() += 1;
        self.largest_leaf_bytes = self.largest_leaf_bytes.max(leaf.bytes.len());
        Flow::Continue(())
    }

    fn oddity(&mut self, oddity: Oddity) {
        *self.oddities.entry(oddity.kind.as_str()).or_default() += oddity.count;
    }

    fn gap(&mut self, gap: Gap) {
        *self.gaps.entry(gap.kind.as_str()).or_default() += gap.count;
    }
}

impl Inspector for Tally {
    fn inspect(&self, job: &JobHead, bytes: &[u8], scratch: &dyn Scratch) -> Vec<u8> {
        let mut counts = Counts::default();
        let summary = unfold(&job.name, bytes, &self.budgets, scratch, &mut counts);
        let result = json!({
            "entries": summary.entries,
            "unpacked_bytes": summary.unpacked_bytes,
            "leaves": counts.leaves,
            "largest_leaf_bytes": counts.largest_leaf_bytes,
            "oddities": counts.oddities,
            "gaps": counts.gaps,
        });
        result.to_string().into_bytes()
    }
}
