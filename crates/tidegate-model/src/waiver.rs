//! Waivers: approved exceptions with an owner, a reason, a scope and an end.

use crate::{Sha256, Timestamp};

/// Where a waiver stands in its life. Expiry is a matter of time, not a state that is stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WaiverState {
    /// Asked for.
    #[default]
    Requested,
    /// Approved by enough people.
    Approved,
    /// Refused.
    Rejected,
    /// Taken back.
    Revoked,
}

/// One exception: which rules it silences, for what, until when.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Waiver {
    /// Its id, for example `W-7F3K2A`.
    pub id: String,
    /// Rule ids it silences; `*` is not a rule.
    pub rules: Vec<String>,
    /// Advisories it covers; compulsory for rules that read advisories.
    #[serde(default)]
    pub advisories: Vec<String>,
    /// Package URL, exact or without a version.
    pub purl: String,
    /// Only for these bytes.
    #[serde(default)]
    pub digest: Option<Sha256>,
    /// Only in these repositories; empty means all.
    #[serde(default)]
    pub repositories: Vec<String>,
    /// Only for these principals; empty means all.
    #[serde(default)]
    pub principals: Vec<String>,
    /// Who asked.
    pub requested_by: String,
    /// Who approved.
    #[serde(default)]
    pub approved_by: Vec<String>,
    /// Where it stands.
    #[serde(default)]
    pub state: WaiverState,
    /// When it was asked for.
    pub created_at: Option<Timestamp>,
    /// Not valid before.
    #[serde(default)]
    pub not_before: Option<Timestamp>,
    /// Not valid from then on; compulsory.
    pub expires_at: Option<Timestamp>,
    /// Why.
    #[serde(default)]
    pub reason: String,
    /// Ticket that tracks it.
    #[serde(default)]
    pub ticket: Option<String>,
    /// Whether it also silences a rule that could not be told.
    #[serde(default)]
    pub covers_unknown: bool,
}
