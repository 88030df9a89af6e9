//! Decisions: allow, warn, quarantine or block, with every reason. One type everywhere.

use std::fmt;
use std::str::FromStr;

use crate::facts::FactState;
use crate::{Sha256, Timestamp};

/// What a rule, and in the end a decision, does. Ordered: the most restrictive live rule decides.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    serde::Serialize,
    serde::Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// Served.
    #[default]
    Allow,
    /// Served, with a warning.
    Warn,
    /// Held: neither served nor deleted; evaluated again by itself and may end.
    Quarantine,
    /// Refused until a fact, the policy or a waiver changes.
    Block,
}

impl Action {
    /// The word used everywhere.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Warn => "warn",
            Self::Quarantine => "quarantine",
            Self::Block => "block",
        }
    }

    /// Whether bytes may be served.
    pub const fn serves(self) -> bool {
        matches!(self, Self::Allow | Self::Warn)
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Names one recorded decision; holds 80 random bits, so that it cannot be guessed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DecisionId([u8; 10]);

/// Text that is not a decision id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a decision id: expected 16 characters of a-z and 2-7")]
pub struct InvalidDecisionId(String);

const BASE32: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

impl DecisionId {
    /// Wraps ten random bytes.
    pub const fn from_random(bytes: [u8; 10]) -> Self {
        Self(bytes)
    }

    /// The ten bytes.
    pub const fn as_bytes(&self) -> &[u8; 10] {
        &self.0
    }
}

impl fmt::Display for DecisionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [0u8; 16];
        for (chunk, out) in self.0.chunks_exact(5).zip(text.chunks_exact_mut(8)) {
            let bits = chunk.iter().fold(0u64, |acc, b| (acc << 8) | u64::from(*b));
            for (i, digit) in out.iter_mut().enumerate() {
                *digit = BASE32[((bits >> (35 - 5 * i)) & 31) as usize];
            }
        }
        f.write_str(std::str::from_utf8(&text).expect("base 32 is ASCII"))
    }
}

impl fmt::Debug for DecisionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for DecisionId {
    type Err = InvalidDecisionId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidDecisionId(text.chars().take(40).collect());
        if text.len() != 16 {
            return Err(invalid());
        }
        let mut bytes = [0u8; 10];
        for (chunk, out) in text.as_bytes().chunks_exact(8).zip(bytes.chunks_exact_mut(5)) {
            let mut bits = 0u64;
            for digit in chunk {
                let value = BASE32.iter().position(|b| b == digit).ok_or_else(invalid)?;
                bits = (bits << 5) | value as u64;
            }
            out.copy_from_slice(&bits.to_be_bytes()[3..]);
        }
        Ok(Self(bytes))
    }
}

impl serde::Serialize for DecisionId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for DecisionId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Whether a rule held, or could not be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Truth {
    /// The rule's condition holds.
    True,
    /// A fact the rule needs is missing; the rule acted with its unknown-action.
    Unknown,
}

/// One live rule behind a decision.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Reason {
    /// Rule id.
    pub rule: String,
    /// Whether it held or could not be told.
    pub truth: Truth,
    /// What it does.
    pub action: Action,
    /// What it saw, for people: one sentence.
    pub message: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remediation: Option<String>,
    /// Fact paths and advisories that made it so.
    #[serde(default)]
    pub because: Because,
    /// When time alone ends it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Whether a waiver can silence it.
    #[serde(default)]
    pub waivable: bool,
}

/// The facts that made a rule true or unknown.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Because {
    /// Fact paths, with the state of those that are not known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub facts: Vec<BecauseFact>,
    /// Advisory ids.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub advisories: Vec<String>,
}

/// One fact a rule read.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct BecauseFact {
    /// Path, for example `artifact.published_at`.
    pub path: String,
    /// How it is known.
    pub state: FactState,
    /// The value as JSON, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<serde_json::Value>,
}

/// A rule that a waiver silenced.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Waived {
    /// Rule id.
    pub rule: String,
    /// Waiver ids.
    pub waivers: Vec<String>,
}

/// What rules in dry run would have done.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct DryRun {
    /// The action had they been live.
    pub action: Action,
    /// Their reasons.
    pub reasons: Vec<Reason>,
}

/// A group of facts that was not known.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Gap {
    /// Which group.
    pub fact: String,
    /// How it is not known.
    pub state: FactState,
    /// Why, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// A decision: a pure function of policy, facts, waivers and a time.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Decision {
    /// What happens.
    pub action: Action,
    /// False where the policy only observes: `action` is then what would have happened.
    pub enforced: bool,
    /// Every live rule, most restrictive first, then by rule id.
    pub reasons: Vec<Reason>,
    /// Rules silenced by waivers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waived: Vec<Waived>,
    /// What dry-run rules would have done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dry_run: Option<DryRun>,
    /// What must follow, for example `notify:security`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub obligations: Vec<String>,
    /// Groups of facts that were not known.
    #[serde(default)]
    pub gaps: Vec<Gap>,
    /// The earliest moment at which the same facts could decide otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<Timestamp>,
    /// When time alone makes it servable; none where it is or time will not do it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selectable_from: Option<Timestamp>,
    /// Digest of the policy in force.
    pub policy_digest: Sha256,
    /// Digest of the facts read.
    pub facts_digest: Sha256,
    /// Digest of the waivers given.
    pub waivers_digest: Sha256,
}

impl Decision {
    /// Whether bytes may leave under this decision.
    pub const fn serves(&self) -> bool {
        !self.enforced || self.action.serves()
    }

    /// The reason that decided: the first of the most restrictive.
    pub fn leading_reason(&self) -> Option<&Reason> {
        self.reasons.first()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decision_ids_round_trip() {
        for bytes in [[0; 10], [255; 10], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]] {
            let id = DecisionId::from_random(bytes);
            assert_eq!(id.to_string().len(), 16);
            assert_eq!(id.to_string().parse::<DecisionId>().unwrap(), id);
        }
        assert!("short".parse::<DecisionId>().is_err());
        assert!("0000000000000000".parse::<DecisionId>().is_err());
    }

    #[test]
    fn actions_are_ordered() {
        assert!(
            Action::Allow < Action::Warn
                && Action::Warn < Action::Quarantine
                && Action::Quarantine < Action::Block
        );
    }
}
