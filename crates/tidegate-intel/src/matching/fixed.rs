//! Fixed versions: which remedy an advisory names, which is nearest, and of what a version is the fix.

use std::collections::BTreeSet;

use super::evaluate::{self, Candidate};
use super::{Query, fold};
use crate::order;
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

/// Fixed versions of some advisories above the version asked about, lowest first; all of them, as written, where
/// versions of the ecosystem cannot be compared.
pub(super) fn above(candidates: &[&Candidate<'_>]) -> Vec<String> {
    let mut fixes: BTreeSet<(Option<&[u8]>, &str)> = BTreeSet::new();
    for candidate in candidates {
        for interval in candidate.row.intervals() {
            let Some(upper) = interval.upper.filter(|_| interval.upper_is_fix) else { continue };
            let higher = match (upper.key, &candidate.keys) {
                (Some(fix), Some(asked)) => fix > asked.exact.as_slice(),
                _ => true,
            };
            if higher {
                fixes.insert((upper.key, upper.text));
            }
        }
    }
    let mut fixes: Vec<_> = fixes.into_iter().collect();
    fixes.dedup_by(|b, a| a.0.is_some() && a.0 == b.0);
    fixes.into_iter().map(|(_, text)| text.to_owned()).collect()
}

impl Snapshot {
    /// The lowest fixed version above the version asked about that nothing known touches. It may not have been
    /// published; who steers a client compares with what the registry lists.
    pub fn nearest_fixed(&self, query: &Query<'_>) -> Option<String> {
        let findings = self.matches(query);
        let scheme = evaluate::candidates(self, query).iter().find_map(|c| c.row.scheme());
        let mut tried = BTreeSet::new();
        let mut open: BTreeSet<(Option<Vec<u8>>, String)> = BTreeSet::new();
        let mut add = |found: super::Findings, open: &mut BTreeSet<(Option<Vec<u8>>, String)>| {
            for text in found.items.into_iter().flat_map(|item| item.fixed) {
                let key = order::key(scheme, &text);
                if tried.insert(text.clone()) {
                    open.insert((key, text));
                }
            }
        };
        add(findings, &mut open);
        for _ in 0..MAX_FIXES_TRIED {
            let (_, version) = open.pop_first()?;
            let found = self.matches(&Query { version: &version, ..*query });
            if found.items.is_empty() && found.undecided.is_empty() {
                return Some(version);
            }
            add(found, &mut open);
        }
        None
    }

    /// The advisories in force that name this very version as fixed, folded. Whether one of them may lift a cool-down is
    /// for policy: who publishes a package can publish an advisory about it too.
    pub fn fixes(&self, query: &Query<'_>) -> Vec<FixOf> {
        let now = query.now.unix_millis();
        let candidates: Vec<_> =
            evaluate::candidates(self, query).into_iter().filter(|c| !c.record.is_withdrawn(now)).collect();
        let names_it = |candidate: &Candidate<'_>| {
            candidate.row.intervals().any(|interval| {
                let fix = interval.upper.filter(|_| interval.upper_is_fix);
                fix.is_some_and(|fix| {
                    let asked = candidate.keys.as_ref().map(|keys| keys.exact.as_slice());
                    fix.text == query.version || (fix.key.is_some() && fix.key == asked)
                })
            })
        };
        let mut fixes: Vec<FixOf> = Vec::new();
        for group in fold::matters(&candidates.iter().collect::<Vec<_>>()) {
            let naming: Vec<_> = group.iter().filter(|c| names_it(c)).collect();
            if naming.is_empty() {
                continue;
            }
            let ids: BTreeSet<String> = naming
                .iter()
                .flat_map(|c| std::iter::once(c.record.id()).chain(c.record.aliases()))
                .map(str::to_owned)
                .collect();
            let feeds: BTreeSet<String> = naming.iter().map(|c| c.feed.to_string()).collect();
            let reviewed: BTreeSet<String> = naming
                .iter()
                .filter(|c| c.record.reviewed() == Some(true))
                .map(|c| c.record.id().to_owned())
                .collect();
            fixes.push(FixOf {
                id: fold::shown_id(&ids),
                ids: ids.into_iter().collect(),
                feeds: feeds.into_iter().collect(),
                reviewed: reviewed.into_iter().collect(),
            });
        }
        fixes
    }
}
