//! Fixed versions: which remedy an advisory names, which is nearest, and of what a version is the fix.

use std::collections::BTreeSet;

use tidegate_model::version::VersionScheme;

use super::evaluate::{Candidate, VersionAsked};
use super::{Package, Query, fold};
use crate::order::{self, VersionKeys};
use crate::segment::AffectedRow;
use crate::snapshot::Snapshot;

/// How many fixed versions are tried before saying that none is clean.
const MAX_FIXES_TRIED: usize = 256;

/// What a version is the fix of.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct FixOf {
    /// The id to show.
    pub id: String,
    /// Every id of the advisories that name the version as fixed.
    pub ids: Vec<String>,
    /// The feeds they came by.
    pub feeds: Vec<String>,
    /// Ids of those of them that their publishers' people looked at.
    pub reviewed: Vec<String>,
}

/// The fixed versions that some advisories name.
pub(super) struct Fixes<'s> {
    order: Option<VersionScheme>,
    /// Those that cannot be compared: they are offered to whoever asks.
    without_order: Vec<&'s str>,
    /// The others, lowest first, each once.
    ordered: Vec<(&'s [u8], &'s str)>,
}

impl<'s> Fixes<'s> {
    pub(super) fn of<'r>(rows: impl Iterator<Item = &'r AffectedRow<'s>>) -> Self
    where
        's: 'r,
    {
        let mut fixes = Self { order: None, without_order: Vec::new(), ordered: Vec::new() };
        for (number, row) in rows.enumerate() {
            if number == 0 {
                fixes.order = row.scheme();
            }
            for fix in row.intervals().filter(|i| i.upper_is_fix).filter_map(|interval| interval.upper) {
                match fix.key.filter(|_| row.scheme() == fixes.order) {
                    Some(key) => fixes.ordered.push((key, fix.text)),
                    None => fixes.without_order.push(fix.text),
                }
            }
        }
        fixes.without_order.sort_unstable();
        fixes.without_order.dedup();
        fixes.ordered.sort_unstable();
        fixes.ordered.dedup_by(|b, a| a.0 == b.0);
        fixes
    }

    /// How many of them a version stands at or above.
    pub(super) fn passed(&self, asked: &VersionAsked<'_>) -> usize {
        let Some(asked) = asked.keys(self.order) else { return 0 };
        self.ordered.partition_point(|(key, _)| *key <= asked.exact.as_slice())
    }

    /// Those above, lowest first.
    pub(super) fn above(&self, passed: usize) -> Vec<String> {
        let higher = self.ordered[passed..].iter().map(|(_, text)| text);
        self.without_order.iter().chain(higher).map(|text| (*text).to_owned()).collect()
    }
}

impl Snapshot {
    /// The lowest fixed version above the version asked about that nothing known touches. It may not have been
    /// published; who steers a client compares with what the registry lists.
    pub fn nearest_fixed(&self, query: &Query<'_>) -> Option<String> {
        self.package(query.ecosystem, query.name, query.now).nearest_fixed(query.version)
    }

    /// The advisories in force that name this very version as fixed, folded. Whether one of them may lift a cool-down is
    /// for policy: who publishes a package can publish an advisory about it too.
    pub fn fixes(&self, query: &Query<'_>) -> Vec<FixOf> {
        self.package(query.ecosystem, query.name, query.now).fixes(query.version)
    }
}

impl Package<'_> {
    /// As [`Snapshot::nearest_fixed`].
    pub fn nearest_fixed(&self, version: &str) -> Option<String> {
        let scheme = self.candidates.iter().find_map(|candidate| candidate.row.scheme());
        let mut tried = BTreeSet::new();
        let mut open: BTreeSet<(Option<Vec<u8>>, String)> = BTreeSet::new();
        let mut add = |found: super::Findings, open: &mut BTreeSet<(Option<Vec<u8>>, String)>| {
            for text in found.items.iter().flat_map(|item| &item.fixed) {
                if tried.insert(text.clone()) {
                    open.insert((order::key(scheme, text), text.clone()));
                }
            }
        };
        add(self.matches(version), &mut open);
        for _ in 0..MAX_FIXES_TRIED {
            let (_, version) = open.pop_first()?;
            let found = self.matches(&version);
            if found.items.is_empty() && found.undecided.is_empty() {
                return Some(version);
            }
            add(found, &mut open);
        }
        None
    }

    /// As [`Snapshot::fixes`].
    pub fn fixes(&self, version: &str) -> Vec<FixOf> {
        let names_it = |candidate: &Candidate<'_>| {
            let asked = VersionKeys::of(candidate.row.scheme(), version);
            candidate.row.intervals().any(|interval| {
                let fix = interval.upper.filter(|_| interval.upper_is_fix);
                fix.is_some_and(|fix| {
                    let same = asked.as_ref().is_some_and(|asked| Some(asked.exact.as_slice()) == fix.key);
                    same || fix.text == version
                })
            })
        };
        let mut fixes: Vec<FixOf> = Vec::new();
        for matter in self.matters() {
            let members = matter.members.iter().map(|number| &self.candidates[*number]);
            let naming: Vec<&Candidate<'_>> = members.filter(|candidate| names_it(candidate)).collect();
            if naming.is_empty() {
                continue;
            }
            let ids: BTreeSet<&str> = naming
                .iter()
                .flat_map(|c| std::iter::once(c.record.id()).chain(c.record.aliases()))
                .collect();
            let feeds: BTreeSet<&str> = naming.iter().map(|c| &**c.feed).collect();
            let reviewed = naming.iter().filter(|c| c.record.reviewed() == Some(true)).map(|c| c.record.id());
            let reviewed: BTreeSet<&str> = reviewed.collect();
            let owned = |texts: BTreeSet<&str>| texts.into_iter().map(str::to_owned).collect();
            fixes.push(FixOf {
                id: fold::shown_id(&ids.iter().copied().collect::<Vec<_>>()).to_owned(),
                ids: owned(ids),
                feeds: owned(feeds),
                reviewed: owned(reviewed),
            });
        }
        fixes
    }
}
