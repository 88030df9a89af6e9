//! Evaluating every advisory of a name against one version.

use std::sync::Arc;

use tidegate_model::version::VersionScheme;

use super::{MatchReason, Says};
use crate::ecosystem::{EcosystemName, normal_name};
use crate::order::VersionKeys;
use crate::segment::{AffectedRow, RecordRow, hash_of_name};
use crate::snapshot::Snapshot;

/// One advisory of a package.
pub(super) struct Candidate<'s> {
    pub feed: &'s Arc<str>,
    pub row: AffectedRow<'s>,
    pub record: RecordRow<'s>,
}

/// The version asked about, keyed once for each order that is met: nearly always one.
pub(super) struct VersionAsked<'q> {
    version: &'q str,
    known: Vec<(Option<VersionScheme>, Option<VersionKeys>)>,
}

impl VersionAsked<'_> {
    /// Its keys in an order that an evaluated row has.
    pub(super) fn keys(&self, scheme: Option<VersionScheme>) -> Option<&VersionKeys> {
        self.known.iter().find(|(known, _)| *known == scheme).and_then(|(_, keys)| keys.as_ref())
    }

    fn keyed(&mut self, scheme: Option<VersionScheme>) -> Option<&VersionKeys> {
        let place = self.known.iter().position(|(known, _)| *known == scheme).unwrap_or_else(|| {
            self.known.push((scheme, VersionKeys::of(scheme, self.version)));
            self.known.len() - 1
        });
        self.known[place].1.as_ref()
    }
}

/// What one package row says of one version.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub by_range: bool,
    pub by_version: bool,
    /// Only the version without its local part matched.
    pub without_local: bool,
    /// The range that matched has neither beginning nor end.
    pub all_versions: bool,
    pub undecided: bool,
}

impl Outcome {
    pub(crate) const fn reason(self) -> Option<MatchReason> {
        MatchReason::of(self.by_range, self.by_version)
    }

    pub(crate) fn says(self) -> Says {
        match self.reason() {
            Some(reason) => Says::Affected(reason),
            None if self.undecided => Says::Undecided,
            None => Says::NotAffected,
        }
    }
}

/// Every advisory, in force or withdrawn, that names a package. Copies that a newer one has taken the place of are left
/// out.
pub(super) fn candidates<'s>(snapshot: &'s Snapshot, ecosystem: &str, name: &str) -> Vec<Candidate<'s>> {
    let ecosystem = EcosystemName::parse(ecosystem);
    let name = normal_name(&ecosystem.word, name);
    let hash = hash_of_name(&ecosystem.word, &name);
    let mut found = Vec::new();
    for (feed, layer) in snapshot.layers_with(hash) {
        let Some(at) = layer.segment().find_name(hash, &ecosystem.word, &name) else { continue };
        for row in layer.segment().affected_of(at) {
            let record = row.record();
            if ecosystem.covers(row.suffix()) && !layer.is_dead(record.index) {
                found.push(Candidate { feed, row, record });
            }
        }
    }
    found
}

/// Evaluates advisories against one version.
pub(super) fn all<'q>(candidates: &[Candidate<'_>], version: &'q str) -> (Vec<Outcome>, VersionAsked<'q>) {
    let mut asked = VersionAsked { version, known: Vec::with_capacity(1) };
    let outcome =
        |candidate: &Candidate<'_>| evaluate(&candidate.row, version, asked.keyed(candidate.row.scheme()));
    (candidates.iter().map(outcome).collect(), asked)
}

/// Whether a name has rows at all.
pub(super) fn knows(snapshot: &Snapshot, ecosystem: &str, name: &str) -> bool {
    let ecosystem = EcosystemName::parse(ecosystem);
    let name = normal_name(&ecosystem.word, name);
    let hash = hash_of_name(&ecosystem.word, &name);
    snapshot
        .layers_with(hash)
        .any(|(_, layer)| layer.segment().find_name(hash, &ecosystem.word, &name).is_some())
}

/// Evaluates one row. `keys` is `None` where the version does not parse or its order is not known.
fn evaluate(row: &AffectedRow<'_>, version: &str, keys: Option<&VersionKeys>) -> Outcome {
    let mut outcome = against(row, version, keys.map(|k| k.exact.as_slice()));
    let public = keys.and_then(|k| k.without_local.as_deref());
    if outcome.reason().is_none()
        && let Some(public) = public
    {
        // A local build stands above its public version, so a rule that ends at the public version misses it by the
        // letter. It holds the same code: fail closed, and say so.
        let without = against(row, version, Some(public));
        if without.reason().is_some() {
            outcome = Outcome { without_local: true, ..without };
        }
    }
    outcome
}

fn against(row: &AffectedRow<'_>, version: &str, key: Option<&[u8]>) -> Outcome {
    let mut outcome = Outcome { by_version: row.lists(key, version), ..Outcome::default() };
    let mut unclear = row.not_understood();
    for interval in row.intervals() {
        match within(&interval, version, key) {
            Some(true) => {
                outcome.by_range = true;
                outcome.all_versions |= interval.lower.is_none() && interval.upper.is_none();
            }
            Some(false) => {}
            None => unclear = true,
        }
    }
    outcome.undecided = unclear && outcome.reason().is_none();
    outcome
}

/// Whether a version lies in an interval; `None` where it cannot be told.
fn within(
    interval: &crate::segment::read::IntervalRow<'_>,
    version: &str,
    key: Option<&[u8]>,
) -> Option<bool> {
    let above = interval.lower.map_or(Some(true), |lower| {
        if lower.text == version { Some(true) } else { Some(key? >= lower.key?) }
    });
    let below = interval.upper.map_or(Some(true), |upper| {
        if upper.text == version {
            return Some(interval.upper_inclusive);
        }
        let (key, upper) = (key?, upper.key?);
        Some(if interval.upper_inclusive { key <= upper } else { key < upper })
    });
    match (above, below) {
        (Some(true), Some(true)) => Some(true),
        (Some(false), _) | (_, Some(false)) => Some(false),
        _ => None,
    }
}
