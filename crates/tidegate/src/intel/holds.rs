//! Advisories whose effect on what was admitted before is held back, until a person decides or because one did.
//!
//! New admissions are decided as if there were no such thing.

use std::collections::HashMap;

use tidegate_store::catalogue::{AdvisoryHold, HoldState};

/// What is held back, by id.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holds(HashMap<String, HoldState>);

impl Holds {
    /// As the catalogue keeps them.
    pub fn of(holds: &[AdvisoryHold]) -> Self {
        Self(holds.iter().map(|hold| (hold.advisory.clone(), hold.state)).collect())
    }

    /// Whether an advisory that goes by these ids is held back, and how: a confirmation of any of them counts for all.
    pub fn state<'i>(&self, ids: impl IntoIterator<Item = &'i str>) -> Option<HoldState> {
        if self.0.is_empty() {
            return None;
        }
        let states: Vec<HoldState> = ids.into_iter().filter_map(|id| self.0.get(id).copied()).collect();
        match states.as_slice() {
            [] => None,
            all if all.contains(&HoldState::Confirmed) => None,
            all if all.contains(&HoldState::Waiting) => Some(HoldState::Waiting),
            _ => Some(HoldState::Dismissed),
        }
    }

    /// Whether there is a decision on, or a wait for, an advisory that goes by these ids.
    pub fn knows<'i>(&self, ids: impl IntoIterator<Item = &'i str>) -> bool {
        ids.into_iter().any(|id| self.0.contains_key(id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_confirmation_counts_for_every_id_of_the_matter() {
        let hold = |id: &str, state| (id.to_owned(), state);
        let holds = Holds(HashMap::from([
            hold("A", HoldState::Waiting),
            hold("B", HoldState::Dismissed),
            hold("C", HoldState::Confirmed),
        ]));
        assert_eq!(holds.state(["x", "A"]), Some(HoldState::Waiting));
        assert_eq!(holds.state(["B"]), Some(HoldState::Dismissed));
        assert_eq!(holds.state(["B", "A"]), Some(HoldState::Waiting));
        assert_eq!(holds.state(["A", "C"]), None);
        assert_eq!(holds.state(["x"]), None);
        assert!(holds.knows(["C"]) && !holds.knows(["x"]));
    }
}
