//! Folding advisories that are one matter.
//!
//! Aliases are symmetric and transitive, but only within one package: closed over a whole database they glue matters
//! together that only share a distribution's bundle. What an advisory was derived from (`upstream`) is listed and does
//! not fold; what it is `related` to does neither. An advisory is never dropped because another id of the matter was
//! rejected: each stands or is withdrawn by itself.

use std::collections::{BTreeSet, HashMap};

use tidegate_model::Timestamp;

use super::evaluate::{Candidate, Evaluated};
use super::{Finding, Findings, MatchReason, Retraction, Says, Source, fixed, instant};
use crate::advisory::AdvisoryKind;

/// Advisories of one package that are one matter, whatever the version.
pub(super) struct Matter {
    /// Numbers of candidates.
    pub members: Vec<usize>,
    /// The id to show.
    id: String,
    /// Every id, sorted.
    ids: Vec<String>,
    /// What the advisories were derived from.
    upstream: Vec<String>,
}

/// The advisories in force at `now` (milliseconds), in groups connected by ids.
pub(super) fn matters(candidates: &[Candidate<'_>], now: i64) -> Vec<Matter> {
    let live: Vec<usize> =
        (0..candidates.len()).filter(|c| !candidates[*c].record.is_withdrawn(now)).collect();
    let mut parents: Vec<usize> = (0..live.len()).collect();
    let mut owner: HashMap<&str, usize> = HashMap::with_capacity(live.len() * 3);
    for (index, number) in live.iter().enumerate() {
        let record = &candidates[*number].record;
        for id in std::iter::once(record.id()).chain(record.aliases()) {
            let other = *owner.entry(id).or_insert(index);
            let (a, b) = (root(&mut parents, index), root(&mut parents, other));
            parents[a.max(b)] = a.min(b);
        }
    }
    let mut groups: HashMap<usize, Vec<usize>> = HashMap::new();
    for (index, number) in live.iter().enumerate() {
        groups.entry(root(&mut parents, index)).or_default().push(*number);
    }
    let mut groups: Vec<Vec<usize>> = groups.into_values().collect();
    groups.sort_unstable();
    let by_id: HashMap<&str, usize> = live.iter().map(|c| (candidates[*c].record.id(), *c)).collect();
    groups.into_iter().map(|members| matter(candidates, &by_id, members)).collect()
}

fn root(parents: &mut [usize], mut at: usize) -> usize {
    while parents[at] != at {
        parents[at] = parents[parents[at]];
        at = parents[at];
    }
    at
}

fn matter(candidates: &[Candidate<'_>], by_id: &HashMap<&str, usize>, members: Vec<usize>) -> Matter {
    let records = || members.iter().map(|number| candidates[*number].record);
    let ids: BTreeSet<&str> = records().flat_map(|r| std::iter::once(r.id()).chain(r.aliases())).collect();
    // What they were derived from, and what those were derived from, as far as they speak of the same package.
    let mut upstream: BTreeSet<&str> = BTreeSet::new();
    let mut open: Vec<&str> = records().flat_map(|r| r.upstream()).collect();
    while let Some(id) = open.pop() {
        if upstream.insert(id) {
            open.extend(by_id.get(id).into_iter().flat_map(|number| candidates[*number].record.upstream()));
        }
    }
    let owned = |ids: BTreeSet<&str>| ids.into_iter().map(str::to_owned).collect();
    Matter { id: shown_id(&ids).to_owned(), ids: owned(ids), upstream: owned(upstream), members }
}

/// The id to show: the lowest CVE by year and number, else the first GHSA, else the first of all.
pub(super) fn shown_id<'i>(ids: &BTreeSet<&'i str>) -> &'i str {
    let cve = ids.iter().filter_map(|id| Some((crate::signals::CveId::parse(id)?, *id))).min();
    cve.map(|(_, id)| id)
        .or_else(|| ids.iter().find(|id| id.starts_with("GHSA-")).copied())
        .or_else(|| ids.first().copied())
        .unwrap_or_default()
}

/// Turns evaluated advisories into findings. `matters` is asked for only if one of them has something to say.
pub(super) fn fold<'m>(
    evaluated: &[Evaluated<'_, '_>],
    matters: impl FnOnce() -> &'m [Matter],
    now: i64,
    findings: &mut Findings,
) {
    let mut anything = false;
    for one in evaluated {
        if one.candidate.record.is_withdrawn(now) {
            if one.outcome.reason().is_some() {
                findings.retracted.push(retraction(one.candidate));
            }
            continue;
        }
        anything |= one.outcome.says() != Says::NotAffected;
        if let Some(at) = one.candidate.record.withdrawn().and_then(instant) {
            findings.changes_at = Some(findings.changes_at.map_or(at, |first| first.min(at)));
        }
    }
    // Most names with advisories are asked about in versions that none of them touches.
    for matter in if anything { matters() } else { &[] } {
        let says =
            |wanted: fn(&Evaluated<'_, '_>) -> bool| matter.members.iter().any(|m| wanted(&evaluated[*m]));
        if says(|one| one.outcome.reason().is_some()) {
            findings.items.push(finding(matter, evaluated));
        } else if says(|one| one.outcome.undecided) {
            findings.undecided.push(matter.id.clone());
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

fn finding(matter: &Matter, evaluated: &[Evaluated<'_, '_>]) -> Finding {
    let group = || matter.members.iter().map(|number| &evaluated[*number]);
    let matched: Vec<&Evaluated<'_, '_>> = group().filter(|one| one.outcome.reason().is_some()).collect();
    let any = |what: fn(&Evaluated<'_, '_>) -> bool| matched.iter().any(|one| what(one));
    let records = || matched.iter().map(|one| &one.candidate.record);
    let kind = if records().any(|r| r.kind() == AdvisoryKind::Malware) {
        AdvisoryKind::Malware
    } else {
        records().map(|r| r.kind()).min().unwrap_or_default()
    };
    let mut ratings: Vec<_> = records().flat_map(|r| r.ratings()).collect();
    ratings.sort();
    ratings.dedup();
    let mut sources: Vec<Source> = group().map(source).collect();
    sources.sort_by(|a, b| (&a.id, &a.feed).cmp(&(&b.id, &b.feed)));
    let reporters: BTreeSet<&str> = records().flat_map(|r| r.reporters()).collect();
    Finding {
        id: matter.id.clone(),
        ids: matter.ids.clone(),
        kind,
        reason: MatchReason::of(any(|one| one.outcome.by_range), any(|one| one.outcome.by_version))
            .expect("a group with a match has a reason"),
        without_local: matched.iter().all(|one| one.outcome.without_local),
        all_versions: any(|one| one.outcome.all_versions),
        fixed: fixed::above(&matched),
        label: records().filter_map(|r| r.label()).max(),
        ratings,
        reporters: reporters.into_iter().map(str::to_owned).collect(),
        upstream: matter.upstream.clone(),
        known_since: records()
            .map(|r| Timestamp::from_unix_millis(r.known_since()))
            .min()
            .expect("a group with a match has a time"),
        sources,
    }
}

fn source(one: &Evaluated<'_, '_>) -> Source {
    let record = &one.candidate.record;
    Source {
        feed: one.candidate.feed.clone(),
        id: record.id().to_owned(),
        says: one.outcome.says(),
        modified: instant(record.modified()),
        reviewed: record.reviewed(),
    }
}
