//! What could be better about a policy that compiles.

use tidegate_model::Timestamp;

use crate::policy::Policy;
use crate::source::Place;
use crate::waivers::WaiverSet;

/// How much a finding of lint matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Something to know.
    Note,
    /// Something to mend.
    Warning,
}

/// One finding of lint.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Lint {
    /// How much it matters.
    pub level: Level,
    /// Stable name of the check.
    pub code: &'static str,
    /// The rule it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// Where.
    #[serde(flatten)]
    pub place: Place,
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub remedy: String,
}

/// Checks a policy; `now` lets it judge dates.
pub fn lint(_policy: &Policy, _waivers: &WaiverSet, _now: Option<Timestamp>) -> Vec<Lint> {
    Vec::new()
}
