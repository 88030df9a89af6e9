//! Waivers as an input of a decision: which are valid for an artifact, and when that changes.

use std::borrow::Cow;
use std::collections::BTreeSet;

use tidegate_model::coordinate::{PackageRef, package_purl};
use tidegate_model::facts::Facts;
use tidegate_model::waiver::{Waiver, WaiverState};
use tidegate_model::{Coordinate, Digest, Sha256};

use crate::file::Waivable;
use crate::policy::{MALWARE_APPROVERS, MALWARE_WAIVER_HOURS, Policy, Rule, digest_of};
use crate::tree::Context;

const DAY_SECONDS: i64 = 86_400;

/// Every waiver of a scope, prepared for decisions.
#[derive(Clone, Debug)]
pub struct WaiverSet {
    waivers: Vec<Prepared>,
    digest: Sha256,
    reads_repository: bool,
    reads_principal: bool,
}

#[derive(Clone, Debug)]
struct Prepared {
    waiver: Waiver,
    /// Canonical package URL without a version, and the version where it is exact.
    package: String,
    version: Option<String>,
    /// Distinct approvers who are not the requester.
    approvers: u32,
}

impl WaiverSet {
    /// Prepares waivers. Their order does not matter; a second waiver of the same id is kept, each stands for itself.
    pub fn new(mut waivers: Vec<Waiver>) -> Self {
        waivers.sort_by_cached_key(|w| (w.id.clone(), serde_json::to_string(w).unwrap_or_default()));
        let digest = digest_of(&serde_json::to_value(&waivers).expect("waivers are plain data"));
        Self {
            reads_repository: waivers.iter().any(|w| !w.repositories.is_empty()),
            reads_principal: waivers.iter().any(|w| !w.principals.is_empty()),
            waivers: waivers.into_iter().map(Prepared::new).collect(),
            digest,
        }
    }

    /// No waivers.
    pub fn empty() -> Self {
        Self::new(Vec::new())
    }

    /// SHA-256 of the waivers as canonical JSON, sorted by id.
    pub const fn digest(&self) -> Sha256 {
        self.digest
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.waivers.is_empty()
    }

    /// The waivers, sorted by id.
    pub fn iter(&self) -> impl Iterator<Item = &Waiver> {
        self.waivers.iter().map(|p| &p.waiver)
    }

    pub(crate) const fn reads_repository(&self) -> bool {
        self.reads_repository
    }

    pub(crate) const fn reads_principal(&self) -> bool {
        self.reads_principal
    }

    /// Approved waivers that name principals, each with whether `id` is one.
    pub(crate) fn principal_bits<'s>(&'s self, id: &'s str) -> impl Iterator<Item = bool> + 's {
        self.waivers
            .iter()
            .filter(|p| p.waiver.state == WaiverState::Approved && !p.waiver.principals.is_empty())
            .map(move |p| p.names_principal(id))
    }

    /// Approved waivers whose scope holds the artifact, whatever the time.
    pub(crate) fn in_scope<'s>(&'s self, facts: &Facts) -> Vec<Scoped<'s>> {
        if self.waivers.is_empty() {
            return Vec::new();
        }
        let (package, version) = split_purl(&facts.artifact.purl);
        self.waivers
            .iter()
            .filter(|p| {
                p.waiver.state == WaiverState::Approved && p.covers(facts, &package, version.as_deref())
            })
            .map(Scoped)
            .collect()
    }
}

/// A waiver whose scope holds the artifact.
#[derive(Clone, Copy)]
pub(crate) struct Scoped<'s>(&'s Prepared);

impl<'s> Scoped<'s> {
    pub(crate) fn waiver(self) -> &'s Waiver {
        &self.0.waiver
    }

    /// Whether the waiver is valid now for `rule` under the policy's parameters; notes when that changes.
    pub(crate) fn valid_for(self, rule: &Rule, policy: &Policy, context: &Context<'_>) -> bool {
        let waiver = &self.0.waiver;
        if !waiver.rules.contains(&rule.id) {
            return false;
        }
        let (approvers, term) = match rule.waivable {
            Waivable::No => return false,
            Waivable::Yes => (policy.approvers, i64::from(policy.max_days) * DAY_SECONDS),
            Waivable::Digest if waiver.digest.is_none() => return false,
            Waivable::Digest => (
                policy.approvers.max(MALWARE_APPROVERS),
                (MALWARE_WAIVER_HOURS * 3600).min(i64::from(policy.max_days) * DAY_SECONDS),
            ),
        };
        // An end and a beginning are compulsory: without them the term cannot be held to its limit.
        let (Some(created), Some(expires)) = (waiver.created_at, waiver.expires_at) else { return false };
        let start = waiver.not_before.map_or(created, |t| t.max(created));
        let end = expires.min(created.plus_seconds(term));
        if self.0.approvers < approvers || start >= end {
            return false;
        }
        context.note_boundary(start);
        context.note_boundary(end);
        start <= context.now && context.now < end
    }
}

impl Prepared {
    fn new(waiver: Waiver) -> Self {
        let (package, version) = split_purl(&waiver.purl);
        let (package, version) = (package.into_owned(), version.map(Cow::into_owned));
        let approvers: BTreeSet<&str> = waiver
            .approved_by
            .iter()
            .map(|a| a.trim())
            .filter(|a| !a.is_empty() && *a != waiver.requested_by.trim())
            .collect();
        let approvers = u32::try_from(approvers.len()).unwrap_or(u32::MAX);
        Self { waiver, package, version, approvers }
    }

    fn covers(&self, facts: &Facts, package: &str, version: Option<&str>) -> bool {
        let same_version = self.version.as_deref().is_none_or(|v| Some(v) == version);
        let repositories = &self.waiver.repositories;
        !self.package.is_empty()
            && self.package == package
            && same_version
            && self.waiver.digest.is_none_or(|d| has_digest(facts, d))
            && (repositories.is_empty() || repositories.contains(&facts.repository.name))
            && (self.waiver.principals.is_empty() || self.names_principal(&facts.principal.id))
    }

    fn names_principal(&self, id: &str) -> bool {
        !id.is_empty() && self.waiver.principals.iter().any(|p| p == id)
    }
}

/// Whether the artifact's bytes have the digest. Before they are here, the index's promise stands for them: other bytes
/// are refused whatever policy says.
fn has_digest(facts: &Facts, wanted: Sha256) -> bool {
    match facts.artifact.sha256 {
        Some(found) => found == wanted,
        None => facts.artifact.promised.contains(&Digest::from(wanted)),
    }
}

/// A package URL without its version, and the version; canonical where the ecosystem is one of ours.
fn split_purl(purl: &str) -> (Cow<'_, str>, Option<Cow<'_, str>>) {
    if let Ok(PackageRef { name, version }) = PackageRef::parse(purl) {
        let package = package_purl(&name);
        let version = version.map(|version| {
            // Percent-encoded alike on both sides, so that odd spellings of one version meet.
            Coordinate { name, version }.purl()[package.len() + 1..].to_owned().into()
        });
        return (package.into(), version);
    }
    let bare = purl.split(['?', '#']).next().unwrap_or_default();
    match bare.rsplit_once('@') {
        Some((package, version)) if !version.contains('/') && !package.is_empty() => {
            (package.into(), Some(version.into()))
        }
        _ => (bare.into(), None),
    }
}
