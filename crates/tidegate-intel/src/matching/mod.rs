//! Which advisories touch a version: the OSV rule, advisories folded by their aliases, retractions kept apart.
//!
//! A version is affected by an advisory if it is listed, or lies in any range (OSV schema, "evaluation"). Ids that
//! advisories of one package share, directly or over others, make one finding of them: which of them say the version is
//! affected and which do not stands in [`Finding::sources`], so that policy may ask for any of them or for most. A
//! version or range that cannot be compared is undecided, which is neither a finding nor a clean answer.

mod evaluate;
mod fixed;
mod fold;

use std::cell::OnceCell;
use std::sync::Arc;

use tidegate_model::Timestamp;
use tidegate_model::facts::Severity;

use self::evaluate::Candidate;
use self::fold::Matter;
use crate::advisory::{AdvisoryKind, StatedRating};
use crate::snapshot::{SegmentRef, Snapshot};

pub use fixed::FixOf;

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub struct Query<'a> {
    /// An OSV ecosystem string (with or without suffix), or tidegate's word for an ecosystem.
    pub ecosystem: &'a str,
    /// Name of the package, in any spelling its ecosystem takes for the same.
    pub name: &'a str,
    /// The version as published.
    pub version: &'a str,
    /// The time for which the answer holds: a retraction may lie in the future.
    pub now: Timestamp,
}

/// How an advisory touches a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum MatchReason {
    /// The version lies in a range.
    Range,
    /// The version is listed by name.
    Version,
    /// Both, by one advisory or by several of one finding.
    Both,
}

impl MatchReason {
    pub(crate) const fn of(by_range: bool, by_version: bool) -> Option<Self> {
        match (by_range, by_version) {
            (true, true) => Some(Self::Both),
            (true, false) => Some(Self::Range),
            (false, true) => Some(Self::Version),
            (false, false) => None,
        }
    }
}

/// What one advisory says of the version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Says {
    /// It is affected.
    Affected(MatchReason),
    /// It is not.
    NotAffected,
    /// It cannot be told: the version, or what the advisory says, does not compare.
    Undecided,
}

/// One advisory behind a finding.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Source {
    /// The feed it came by.
    pub feed: Arc<str>,
    /// Its id.
    pub id: String,
    /// What it says.
    pub says: Says,
    /// When it last changed.
    pub modified: Option<Timestamp>,
    /// Whether its publisher's people looked at it, where they say.
    pub reviewed: Option<bool>,
}

/// Advisories of one package that are one matter, at least one of which touches the version.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Finding {
    /// The id to show: a CVE, else a GHSA, else the database's own.
    pub id: String,
    /// Every id of the matter, sorted.
    pub ids: Vec<String>,
    /// What it is about; malware if any of the advisories that match says so.
    pub kind: AdvisoryKind,
    /// How the version is touched.
    pub reason: MatchReason,
    /// Touched only if the local part of the version is left out (PEP 440: `2.1.0+cu118` against `last_affected: 2.1.0`).
    pub without_local: bool,
    /// An advisory that matches speaks of all versions there are and will be, and of no fix.
    pub all_versions: bool,
    /// Fixed versions above the version asked about, lowest first.
    pub fixed: Vec<String>,
    /// The highest severity word of the advisories that match.
    pub label: Option<Severity>,
    /// Ratings of the advisories that match.
    pub ratings: Vec<StatedRating>,
    /// Who reported it, where advisories name them.
    pub reporters: Vec<String>,
    /// Ids that the advisories were derived from, transitively within the package.
    pub upstream: Vec<String>,
    /// When this door first knew of it as it stands: the earliest of the advisories that match.
    pub known_since: Timestamp,
    /// What each advisory says.
    pub sources: Vec<Source>,
}

/// An advisory that would touch the version, were it not taken back.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Retraction {
    /// Its id.
    pub id: String,
    /// Its other ids.
    pub aliases: Vec<String>,
    /// The feed it came by.
    pub feed: Arc<str>,
    /// What it was about.
    pub kind: AdvisoryKind,
    /// Since when it is withdrawn.
    pub withdrawn: Timestamp,
}

/// The answer to a [`Query`].
#[derive(Clone, Debug, PartialEq)]
pub struct Findings {
    /// What touches the version, malware first, then by id. Versions of which the same is said share it.
    pub items: Vec<Arc<Finding>>,
    /// Ids of advisories of which it cannot be told whether they touch it.
    pub undecided: Vec<String>,
    /// What was taken back.
    pub retracted: Vec<Retraction>,
    /// The first moment after `now` at which the answer changes by itself (an announced retraction).
    pub changes_at: Option<Timestamp>,
    /// What was consulted: cite these in a decision.
    pub segments: Arc<[SegmentRef]>,
    /// The generation of the snapshot.
    pub generation: u64,
}

/// Every advisory of one package, read once to ask about many versions: what belongs together does not depend on the
/// version.
pub struct Package<'s> {
    snapshot: &'s Snapshot,
    candidates: Vec<Candidate<'s>>,
    /// Milliseconds since 1970.
    now: i64,
    matters: OnceCell<Vec<Matter<'s>>>,
}

impl Snapshot {
    /// Every advisory of a package, for the time `now`. Use it for the versions of an index.
    pub fn package(&self, ecosystem: &str, name: &str, now: Timestamp) -> Package<'_> {
        let candidates = evaluate::candidates(self, ecosystem, name);
        Package { snapshot: self, candidates, now: now.unix_millis(), matters: OnceCell::new() }
    }

    /// What is known of a version.
    pub fn matches(&self, query: &Query<'_>) -> Findings {
        self.package(query.ecosystem, query.name, query.now).matches(query.version)
    }

    /// Whether anything is recorded under a name, matching or not: the cheap question.
    pub fn knows(&self, ecosystem: &str, name: &str) -> bool {
        evaluate::knows(self, ecosystem, name)
    }
}

impl<'s> Package<'s> {
    fn matters(&self) -> &[Matter<'s>] {
        self.matters.get_or_init(|| fold::matters(&self.candidates, self.now))
    }

    /// What is known of a version.
    pub fn matches(&self, version: &str) -> Findings {
        let mut findings = Findings {
            items: Vec::new(),
            undecided: Vec::new(),
            retracted: Vec::new(),
            changes_at: None,
            segments: self.snapshot.segments(),
            generation: self.snapshot.generation(),
        };
        if !self.candidates.is_empty() {
            let (outcomes, asked) = evaluate::all(&self.candidates, version);
            let matters = || self.matters();
            fold::fold(&self.candidates, &outcomes, &asked, matters, self.now, &mut findings);
        }
        findings
    }

    /// Whether nothing is recorded of the package.
    pub fn is_empty(&self) -> bool {
        self.candidates.is_empty()
    }
}

/// Milliseconds as an instant.
pub(crate) fn instant(millis: i64) -> Option<Timestamp> {
    (millis != i64::MIN).then(|| Timestamp::from_unix_millis(millis))
}
