//! What the ledger says of advisories: that they came into force, what that did to what was admitted before, what waits
//! for a person, and which controls were not there.

use tidegate_model::{Action, Ecosystem, Sha256, Timestamp};

use super::Text;
use crate::pseudonym::Pseudonym;

/// Advisories came into force.
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize)]
pub struct AdvisoriesChange {
    /// The generation that is in force from now on.
    pub generation: u64,
    /// Digest of the list of everything that is in force.
    pub manifest: Sha256,
    /// Records that are new or changed.
    pub changed: u64,
    /// Records that were taken back or are gone.
    pub withdrawn: u64,
    /// Names of packages that the change touches.
    pub names: u64,
    /// Who loaded them; none where a feed was followed.
    pub actor: Option<Pseudonym>,
    /// Every feed in force; as many as fit, at most 200.
    pub feeds: Vec<FeedInForce>,
    /// How many more there are.
    #[serde(default)]
    pub feeds_omitted: u64,
}

/// One feed that is in force.
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize)]
pub struct FeedInForce {
    /// Its name.
    pub feed: Text,
    /// What kind of feed.
    pub kind: Text,
    /// The time that its publisher states.
    pub as_of: Option<Timestamp>,
    /// Digest of the delivery that was applied last.
    pub digest: Sha256,
}

/// Why somebody should hear of an advisory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Grave {
    /// It reports malice.
    Malware,
    /// The flaw is being exploited.
    Exploited,
    /// The flaw is critical.
    Critical,
    /// The flaw is of high severity.
    High,
}

impl Grave {
    /// The word in entries and messages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Malware => "malware",
            Self::Exploited => "exploited",
            Self::Critical => "critical",
            Self::High => "high",
        }
    }
}

impl std::str::FromStr for Grave {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        [Self::Malware, Self::Exploited, Self::Critical, Self::High]
            .into_iter()
            .find(|grave| grave.as_str() == word)
            .ok_or_else(|| format!("`{}` is not malware, exploited, critical or high", word.escape_debug()))
    }
}

/// An advisory that touches a version, and why somebody should hear of it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize)]
pub struct Touching {
    /// Its id.
    pub id: Text,
    /// Why.
    pub why: Grave,
}

/// A version that was admitted before and is now exposed to more, or to less.
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize)]
pub struct Effect {
    /// Of which ecosystem.
    pub ecosystem: Option<Ecosystem>,
    /// Which version.
    pub purl: Text,
    /// What was in force for it, where that can be told without asking upstream.
    pub before: Option<Action>,
    /// What is in force for it now, where that can be told without asking upstream.
    pub after: Option<Action>,
    /// Whether it waits for a person: served with a warning until somebody confirms.
    pub held: bool,
    /// How many people took it.
    pub takers: u64,
    /// How often it was taken.
    pub accesses: u64,
    /// When it was last taken.
    pub last_taken_at: Option<Timestamp>,
    /// The generation of advisories it follows from.
    pub generation: u64,
    /// Advisories that touch it now and did not before; as many as fit, at most 200.
    pub new: Vec<Touching>,
    /// How many more there are.
    #[serde(default)]
    pub new_omitted: u64,
    /// Ids of advisories that no longer touch it; as many as fit, at most 200.
    pub gone: Vec<Text>,
    /// How many more there are.
    #[serde(default)]
    pub gone_omitted: u64,
}

/// Whether a control of the door is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ControlState {
    /// It is missing, damaged or too old.
    Degraded,
    /// It is there again.
    Restored,
}

impl ControlState {
    /// The word in entries.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Degraded => "degraded",
            Self::Restored => "restored",
        }
    }
}

/// A control of the door became degraded or came back.
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize)]
pub struct ControlChange {
    /// Which control, for example `advisories`.
    pub control: Text,
    /// What became of it.
    pub state: ControlState,
    /// Why it is degraded; for one that came back, why it was.
    pub why: Text,
}

/// What became of a hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HoldOperation {
    /// It began to wait for a person.
    Held,
    /// A person let the advisory take its full effect.
    Confirmed,
    /// A person decided that the advisory stays a warning for what is stored.
    Dismissed,
    /// Nothing is left to decide: the advisory no longer touches what is stored.
    Ended,
}

impl HoldOperation {
    /// The word in entries.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Confirmed => "confirmed",
            Self::Dismissed => "dismissed",
            Self::Ended => "ended",
        }
    }
}

/// Why an advisory waits for a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HoldReason {
    /// It would hold a large share of what was downloaded in the last week.
    Bulk,
    /// It reports malice in all versions of a name that has long been here and is much used.
    AllVersions,
}

impl HoldReason {
    /// The word in entries.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bulk => "bulk",
            Self::AllVersions => "all_versions",
        }
    }
}

/// The effect of an advisory on what is stored waits for a person, or a person decided.
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize)]
pub struct HoldChange {
    /// What became of it.
    pub operation: HoldOperation,
    /// Which advisory.
    pub advisory: Text,
    /// Why it waits.
    pub reason: HoldReason,
    /// Of the last week's distinct downloads, how many it would hold.
    pub downloads: u64,
    /// How many distinct downloads there were in the last week.
    pub downloads_in_all: u64,
    /// How many independent sources say so.
    pub sources: u64,
    /// The generation of advisories it follows from.
    pub generation: u64,
    /// Who decided; none where it began or ended by itself.
    pub actor: Option<Pseudonym>,
}
