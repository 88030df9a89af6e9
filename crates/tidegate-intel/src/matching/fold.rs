//! Folding advisories that are one matter.
//!
//! Aliases are symmetric and transitive, but only within one package: closed over a whole database they glue matters
//! together that only share a distribution's bundle. What an advisory was derived from (`upstream`) is listed and does
//! not fold; what it is `related` to does neither. An advisory is never dropped because another id of the matter was
//! rejected: each stands or is withdrawn by itself.
//!
//! Which advisories are one matter does not depend on the version, and most versions of a package are told the same of a
//! matter. So matters are found once a package, described when one of them first has something to say, and what was said
//! of a version is kept for the next one.

use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::sync::Arc;

use tidegate_model::Timestamp;

use super::evaluate::{Candidate, Outcome, VersionAsked};
use super::fixed::Fixes;
use super::{Finding, Findings, MatchReason, Retraction, Says, Source, instant};
use crate::advisory::AdvisoryKind;

/// Up to so many advisories are compared with each other; more are looked up by their ids.
const FEW: usize = 8;

/// The most findings of one matter that are kept: outcomes and fixes that differ between versions are few.
const MAX_KEPT: usize = 16;

/// Advisories of one package that are one matter, whatever the version.
pub(super) struct Matter<'s> {
    /// Numbers of candidates.
    pub members: Vec<usize>,
    /// Milliseconds since 1970.
    now: i64,
    described: OnceCell<Described>,
    said: RefCell<Vec<Said<'s>>>,
}

struct Described {
    /// The id to show.
    id: String,
    /// Every id, sorted.
    ids: Vec<String>,
    /// What the advisories were derived from.
    upstream: Vec<String>,
}

/// What was said of versions for which the advisories of a matter had the same outcome.
struct Said<'s> {
    outcomes: Vec<Outcome>,
    /// The fixes that the matching ones name.
    fixes: Fixes<'s>,
    /// Findings, by how many of the fixes a version stands above.
    findings: Vec<(usize, Arc<Finding>)>,
}

/// The advisories in force at `now` (milliseconds), in groups connected by ids.
pub(super) fn matters<'s>(candidates: &[Candidate<'s>], now: i64) -> Vec<Matter<'s>> {
    let live: Vec<usize> =
        (0..candidates.len()).filter(|c| !candidates[*c].record.is_withdrawn(now)).collect();
    let mut parents: Vec<usize> = (0..live.len()).collect();
    let mut join = |a: usize, b: usize| {
        let (a, b) = (root(&mut parents, a), root(&mut parents, b));
        parents[a.max(b)] = a.min(b);
    };
    let ids = |index: usize| {
        let record = candidates[live[index]].record;
        std::iter::once(record.id()).chain(record.aliases())
    };
    if live.len() <= FEW {
        for one in 1..live.len() {
            for other in 0..one {
                if ids(one).any(|id| ids(other).any(|known| known == id)) {
                    join(one, other);
                }
            }
        }
    } else {
        let mut owner: HashMap<&str, usize> = HashMap::with_capacity(live.len() * 3);
        for index in 0..live.len() {
            ids(index).for_each(|id| join(index, *owner.entry(id).or_insert(index)));
        }
    }
    let mut groups: Vec<Vec<usize>> = vec![Vec::new(); live.len()];
    for (index, number) in live.iter().enumerate() {
        groups[root(&mut parents, index)].push(*number);
    }
    let matter = |members| Matter { members, now, described: OnceCell::new(), said: RefCell::default() };
    groups.into_iter().filter(|members| !members.is_empty()).map(matter).collect()
}

fn root(parents: &mut [usize], mut at: usize) -> usize {
    while parents[at] != at {
        parents[at] = parents[parents[at]];
        at = parents[at];
    }
    at
}

impl<'s> Matter<'s> {
    fn described(&self, candidates: &[Candidate<'s>]) -> &Described {
        self.described.get_or_init(|| {
            let records = || self.members.iter().map(|number| candidates[*number].record);
            let mut ids: Vec<&str> =
                records().flat_map(|r| std::iter::once(r.id()).chain(r.aliases())).collect();
            ids.sort_unstable();
            ids.dedup();
            // What they were derived from, and what those were derived from, as far as they speak of the same package.
            let mut upstream: Vec<&str> = Vec::new();
            let mut open: Vec<&str> = records().flat_map(|r| r.upstream()).collect();
            while let Some(id) = open.pop() {
                if !upstream.contains(&id) {
                    upstream.push(id);
                    let live = candidates.iter().map(|c| c.record).filter(|r| !r.is_withdrawn(self.now));
                    let named = live.filter(|record| record.id() == id);
                    open.extend(named.flat_map(|record| record.upstream()));
                }
            }
            upstream.sort_unstable();
            let owned = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect();
            Described { id: shown_id(&ids).to_owned(), ids: owned(&ids), upstream: owned(&upstream) }
        })
    }

    /// What the matter says of a version of which its advisories have these outcomes.
    fn finding(
        &self,
        candidates: &[Candidate<'s>],
        outcomes: &[Outcome],
        asked: &VersionAsked<'_>,
    ) -> Arc<Finding> {
        let mut said = self.said.borrow_mut();
        let same = |known: &Said<'_>| {
            known.outcomes.iter().zip(&self.members).all(|(known, number)| *known == outcomes[*number])
        };
        let place = said.iter().position(same).unwrap_or_else(|| {
            if said.len() >= MAX_KEPT {
                said.clear();
            }
            let outcomes: Vec<Outcome> = self.members.iter().map(|number| outcomes[*number]).collect();
            let matched =
                outcomes.iter().zip(&self.members).filter(|(outcome, _)| outcome.reason().is_some());
            let fixes = Fixes::of(matched.map(|(_, number)| &candidates[*number].row));
            said.push(Said { outcomes, fixes, findings: Vec::new() });
            said.len() - 1
        });
        let Said { outcomes, fixes, findings } = &mut said[place];
        let passed = fixes.passed(asked);
        if let Some((_, finding)) = findings.iter().find(|(known, _)| *known == passed) {
            return Arc::clone(finding);
        }
        let finding = Arc::new(self.described_finding(candidates, outcomes, fixes.above(passed)));
        if findings.len() >= MAX_KEPT {
            findings.clear();
        }
        findings.push((passed, Arc::clone(&finding)));
        finding
    }

    fn described_finding(
        &self,
        candidates: &[Candidate<'s>],
        outcomes: &[Outcome],
        fixed: Vec<String>,
    ) -> Finding {
        let described = self.described(candidates);
        let group = || self.members.iter().map(|number| &candidates[*number]).zip(outcomes);
        let matched = || group().filter(|(_, outcome)| outcome.reason().is_some());
        let any = |what: fn(&Outcome) -> bool| matched().any(|(_, outcome)| what(outcome));
        let records = || matched().map(|(candidate, _)| &candidate.record);
        let kind = if records().any(|r| r.kind() == AdvisoryKind::Malware) {
            AdvisoryKind::Malware
        } else {
            records().map(|r| r.kind()).min().unwrap_or_default()
        };
        let mut ratings: Vec<_> = records().flat_map(|r| r.ratings()).collect();
        ratings.sort();
        ratings.dedup();
        let mut sources: Vec<Source> =
            group().map(|(candidate, outcome)| source(candidate, *outcome)).collect();
        sources.sort_by(|a, b| (&a.id, &a.feed).cmp(&(&b.id, &b.feed)));
        let mut reporters: Vec<&str> = records().flat_map(|r| r.reporters()).collect();
        reporters.sort_unstable();
        reporters.dedup();
        Finding {
            id: described.id.clone(),
            ids: described.ids.clone(),
            kind,
            reason: MatchReason::of(any(|outcome| outcome.by_range), any(|outcome| outcome.by_version))
                .expect("a group with a match has a reason"),
            without_local: matched().all(|(_, outcome)| outcome.without_local),
            all_versions: any(|outcome| outcome.all_versions),
            fixed,
            label: records().filter_map(|r| r.label()).max(),
            ratings,
            reporters: reporters.into_iter().map(str::to_owned).collect(),
            upstream: described.upstream.clone(),
            known_since: records()
                .map(|r| Timestamp::from_unix_millis(r.known_since()))
                .min()
                .expect("a group with a match has a time"),
            sources,
        }
    }
}

/// The id to show, of sorted ones: the lowest CVE by year and number, else the first GHSA, else the first of all.
pub(super) fn shown_id<'i>(ids: &[&'i str]) -> &'i str {
    let cve = ids.iter().filter_map(|id| Some((crate::signals::CveId::parse(id)?, *id))).min();
    cve.map(|(_, id)| id)
        .or_else(|| ids.iter().find(|id| id.starts_with("GHSA-")).copied())
        .or_else(|| ids.first().copied())
        .unwrap_or_default()
}

/// Turns outcomes into findings. `matters` is asked for only if one of them has something to say.
pub(super) fn fold<'m, 's: 'm>(
    candidates: &[Candidate<'s>],
    outcomes: &[Outcome],
    asked: &VersionAsked<'_>,
    matters: impl FnOnce() -> &'m [Matter<'s>],
    now: i64,
    findings: &mut Findings,
) {
    let mut anything = false;
    for (candidate, outcome) in candidates.iter().zip(outcomes) {
        let withdrawn = candidate.record.withdrawn();
        if withdrawn.is_some_and(|at| at <= now) {
            if outcome.reason().is_some() {
                findings.retracted.push(retraction(candidate));
            }
            continue;
        }
        anything |= outcome.says() != Says::NotAffected;
        if let Some(at) = withdrawn.and_then(instant) {
            findings.changes_at = Some(findings.changes_at.map_or(at, |first| first.min(at)));
        }
    }
    // Most names with advisories are asked about in versions that none of them touches.
    for matter in if anything { matters() } else { &[] } {
        let says = |wanted: fn(&Outcome) -> bool| matter.members.iter().any(|m| wanted(&outcomes[*m]));
        if says(|outcome| outcome.reason().is_some()) {
            findings.items.push(matter.finding(candidates, outcomes, asked));
        } else if says(|outcome| outcome.undecided) {
            findings.undecided.push(matter.described(candidates).id.clone());
        }
    }
    findings.items.sort_by(|a, b| {
        let place = |f: &Finding| f.kind != AdvisoryKind::Malware;
        (place(a), &a.id).cmp(&(place(b), &b.id))
    });
    findings.undecided.sort_unstable();
    findings.retracted.sort_by(|a, b| (&a.id, &a.feed).cmp(&(&b.id, &b.feed)));
    findings.retracted.dedup();
}

fn retraction(candidate: &Candidate<'_>) -> Retraction {
    Retraction {
        id: candidate.record.id().to_owned(),
        aliases: candidate.record.aliases().map(str::to_owned).collect(),
        feed: candidate.feed.clone(),
        kind: candidate.record.kind(),
        withdrawn: candidate.record.withdrawn().and_then(instant).expect("a retraction has a time"),
    }
}

fn source(candidate: &Candidate<'_>, outcome: Outcome) -> Source {
    let record = &candidate.record;
    Source {
        feed: candidate.feed.clone(),
        id: record.id().to_owned(),
        says: outcome.says(),
        modified: instant(record.modified()),
        reviewed: record.reviewed(),
    }
}
