//! What each run of a client was answered, kept in memory so that `tidegate run` can end with a summary.
//!
//! This is a convenience over the ledger, not a record: it is bounded, and what does not fit is counted.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};

use tidegate_model::{DecisionId, Timestamp};

use crate::pipeline::decide::Decided;

/// How many runs are remembered; the oldest leave.
const MAX_RUNS: usize = 128;
/// How many files of one run are listed.
const MAX_FILES: usize = 10_000;

/// One file that a run asked for.
#[derive(Clone, Debug)]
pub struct RunFile {
    /// Through which repository.
    pub repository: Arc<str>,
    /// Package URL with version.
    pub purl: Arc<str>,
    /// File name.
    pub file: Arc<str>,
    /// What was decided, when, and whether it served.
    pub decision: RunDecision,
}

/// What was decided on a file of a run.
#[derive(Clone, Debug)]
pub struct RunDecision {
    /// Its id.
    pub id: DecisionId,
    /// When it was made.
    pub at: Timestamp,
    /// What it says.
    pub decision: tidegate_model::decision::Decision,
}

/// What one run was answered.
#[derive(Clone, Debug, Default)]
pub struct RunTally {
    /// Files in the order in which they were first asked for.
    pub files: Vec<RunFile>,
    /// How many more there were.
    pub omitted: u64,
    positions: HashMap<(Arc<str>, Arc<str>), usize>,
}

/// The tallies of the latest runs.
#[derive(Debug, Default)]
pub struct Runs {
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    tallies: HashMap<Arc<str>, RunTally>,
    order: VecDeque<Arc<str>>,
}

impl Runs {
    /// Notes what a run was answered. A file that is asked for again counts once, with the latest decision.
    pub fn note(&self, token_id: &Arc<str>, repository: &Arc<str>, decided: &Decided) {
        let mut held = self.held.lock().expect("no panic while holding it");
        if !held.tallies.contains_key(token_id) {
            if held.order.len() >= MAX_RUNS
                && let Some(oldest) = held.order.pop_front()
            {
                held.tallies.remove(&oldest);
            }
            held.order.push_back(Arc::clone(token_id));
        }
        held.tallies.entry(Arc::clone(token_id)).or_default().note(repository, decided);
    }

    /// What a run was answered so far.
    pub fn tally(&self, token_id: &str) -> RunTally {
        self.held
            .lock()
            .expect("no panic while holding it")
            .tallies
            .get(token_id)
            .cloned()
            .unwrap_or_default()
    }
}

impl RunTally {
    fn note(&mut self, repository: &Arc<str>, decided: &Decided) {
        let key = (Arc::clone(&decided.purl), Arc::clone(&decided.file));
        if let Some(known) = self.positions.get(&key) {
            let known = &mut self.files[*known].decision;
            if known.id != decided.id {
                *known = RunDecision::of(decided);
            }
        } else if self.files.len() < MAX_FILES {
            self.positions.insert(key, self.files.len());
            self.files.push(RunFile {
                repository: Arc::clone(repository),
                purl: Arc::clone(&decided.purl),
                file: Arc::clone(&decided.file),
                decision: RunDecision::of(decided),
            });
        } else {
            self.omitted += 1;
        }
    }
}

impl RunDecision {
    fn of(decided: &Decided) -> Self {
        Self { id: decided.id, at: decided.at, decision: decided.decision.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tidegate_model::{Action, Sha256, decision::Decision};

    fn decided(n: u32, action: Action) -> Decided {
        let digest = Sha256::new([0; 32]);
        let mut id = [0; 10];
        id[..4].copy_from_slice(&n.to_be_bytes());
        id[9] = action as u8;
        Decided {
            id: DecisionId::from_random(id),
            at: Timestamp::from_unix_seconds(0),
            epoch: 0,
            decision: Decision {
                action,
                enforced: true,
                reasons: vec![],
                waived: vec![],
                dry_run: None,
                obligations: vec![],
                gaps: vec![],
                valid_until: None,
                selectable_from: None,
                policy_digest: digest,
                facts_digest: digest,
                waivers_digest: digest,
            },
            purl: format!("pkg:npm/x@{n}").into(),
            file: format!("x-{n}.tgz").into(),
            sha256: None,
            rules: Arc::default(),
        }
    }

    #[test]
    fn a_file_counts_once_with_its_latest_decision() {
        let runs = Runs::default();
        let (token, npm): (Arc<str>, Arc<str>) = ("t".into(), "npm".into());
        runs.note(&token, &npm, &decided(1, Action::Quarantine));
        runs.note(&token, &npm, &decided(1, Action::Allow));
        runs.note(&token, &npm, &decided(2, Action::Allow));
        let tally = runs.tally("t");
        assert_eq!(tally.files.len(), 2);
        assert_eq!(tally.files[0].decision.decision.action, Action::Allow);
        assert!(runs.tally("other").files.is_empty());
    }

    #[test]
    fn both_bounds_hold() {
        let runs = Runs::default();
        let (token, npm): (Arc<str>, Arc<str>) = ("t".into(), "npm".into());
        for n in 0..10_003 {
            runs.note(&token, &npm, &decided(n, Action::Allow));
        }
        assert_eq!((runs.tally("t").files.len(), runs.tally("t").omitted), (10_000, 3));
        for n in 0..128 {
            runs.note(&format!("r{n}").into(), &npm, &decided(1, Action::Allow));
        }
        assert!(runs.tally("t").files.is_empty(), "the oldest run left");
        assert_eq!(runs.tally("r0").files.len(), 1);
    }
}
