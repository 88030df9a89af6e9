//! Folding advisories that are one matter.
//!
//! Aliases are symmetric and transitive, but only within one package: closed over a whole database they glue matters
//! together that only share a distribution's bundle. What an advisory was derived from (`upstream`) is listed and does
//! not fold; what it is `related` to does neither. An advisory is never dropped because another id of the matter was
//! rejected: each stands or is withdrawn by itself.

use std::collections::{BTreeSet, HashMap};

use tidegate_model::Timestamp;

use super::evaluate::Candidate;
use super::{Finding, Findings, MatchReason, Query, Retraction, Says, Source, fixed, instant};
use crate::advisory::AdvisoryKind;

/// Turns evaluated advisories into findings.
pub(super) fn fold(candidates: &[Candidate<'_>], query: &Query<'_>, findings: &mut Findings) {
    let now = query.now.unix_millis();
    let mut live = Vec::with_capacity(candidates.len());
    for candidate in candidates {
        let withdrawn = candidate.record.withdrawn();
        if candidate.record.is_withdrawn(now) {
            if candidate.outcome.reason().is_some() {
                findings.retracted.push(retraction(candidate));
            }
            continue;
        }
        if let Some(at) = withdrawn.and_then(instant) {
            findings.changes_at = Some(findings.changes_at.map_or(at, |first| first.min(at)));
        }
        live.push(candidate);
    }
    if live.iter().all(|c| c.outcome.says() == Says::NotAffected) {
        // Most names with advisories are asked about in versions that none of them touches.
        return sort(findings);
    }
    for group in matters(&live) {
        if group.iter().any(|c| c.outcome.reason().is_some()) {
            findings.items.push(finding(&group, &live));
        } else if group.iter().any(|c| c.outcome.undecided) {
            findings.undecided.push(shown_id(&ids(&group)));
        }
    }
    sort(findings);
}

fn sort(findings: &mut Findings) {
    let malware_first = |f: &Finding| (f.kind != AdvisoryKind::Malware, f.id.clone());
    findings.items.sort_by_cached_key(malware_first);
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

/// The advisories in groups connected by ids.
pub(super) fn matters<'c, 'a>(live: &[&'c Candidate<'a>]) -> Vec<Vec<&'c Candidate<'a>>> {
    if let [only] = live {
        return vec![vec![only]];
    }
    let mut parents: Vec<usize> = (0..live.len()).collect();
    let mut owner: HashMap<&str, usize> = HashMap::with_capacity(live.len() * 3);
    for (index, candidate) in live.iter().enumerate() {
        for id in std::iter::once(candidate.record.id()).chain(candidate.record.aliases()) {
            let other = *owner.entry(id).or_insert(index);
            let (a, b) = (root(&mut parents, index), root(&mut parents, other));
            parents[a.max(b)] = a.min(b);
        }
    }
    let mut groups: HashMap<usize, Vec<&Candidate<'a>>> = HashMap::new();
    for (index, candidate) in live.iter().enumerate() {
        groups.entry(root(&mut parents, index)).or_default().push(candidate);
    }
    let mut groups: Vec<_> = groups.into_iter().collect();
    groups.sort_unstable_by_key(|(first, _)| *first);
    groups.into_iter().map(|(_, group)| group).collect()
}

fn root(parents: &mut [usize], mut at: usize) -> usize {
    while parents[at] != at {
        parents[at] = parents[parents[at]];
        at = parents[at];
    }
    at
}

fn ids(group: &[&Candidate<'_>]) -> BTreeSet<String> {
    group
        .iter()
        .flat_map(|c| std::iter::once(c.record.id()).chain(c.record.aliases()))
        .map(str::to_owned)
        .collect()
}

/// The id to show: the lowest CVE by year and number, else the first GHSA, else the first of all.
pub(crate) fn shown_id(ids: &BTreeSet<String>) -> String {
    let cve = ids.iter().filter_map(|id| Some((crate::signals::CveId::parse(id)?, id))).min();
    let shown = cve
        .map(|(_, id)| id)
        .or_else(|| ids.iter().find(|id| id.starts_with("GHSA-")))
        .or_else(|| ids.first());
    shown.cloned().unwrap_or_default()
}

fn finding(group: &[&Candidate<'_>], live: &[&Candidate<'_>]) -> Finding {
    let matched: Vec<&Candidate<'_>> =
        group.iter().copied().filter(|c| c.outcome.reason().is_some()).collect();
    let ids = ids(group);
    let any = |what: fn(&Candidate<'_>) -> bool| matched.iter().any(|c| what(c));
    let kind = matched.iter().map(|c| c.record.kind());
    let kind = if kind.clone().any(|k| k == AdvisoryKind::Malware) {
        AdvisoryKind::Malware
    } else {
        kind.min().unwrap_or_default()
    };
    let mut ratings: Vec<_> = matched.iter().flat_map(|c| c.record.ratings()).collect();
    ratings.sort();
    ratings.dedup();
    let mut sources: Vec<Source> = group.iter().map(|c| source(c)).collect();
    sources.sort_by(|a, b| (&a.id, &a.feed).cmp(&(&b.id, &b.feed)));
    let sorted = |texts: BTreeSet<&str>| texts.into_iter().map(str::to_owned).collect();
    Finding {
        id: shown_id(&ids),
        kind,
        reason: MatchReason::of(any(|c| c.outcome.by_range), any(|c| c.outcome.by_version))
            .expect("a group with a match has a reason"),
        without_local: matched.iter().all(|c| c.outcome.without_local),
        all_versions: any(|c| c.outcome.all_versions),
        fixed: fixed::above(&matched),
        label: matched.iter().filter_map(|c| c.record.label()).max(),
        ratings,
        reporters: sorted(matched.iter().flat_map(|c| c.record.reporters()).collect()),
        upstream: upstream(group, live),
        known_since: matched
            .iter()
            .map(|c| Timestamp::from_unix_millis(c.record.known_since()))
            .min()
            .expect("a group with a match has a time"),
        sources,
        ids: ids.into_iter().collect(),
    }
}

fn source(candidate: &Candidate<'_>) -> Source {
    Source {
        feed: candidate.feed.clone(),
        id: candidate.record.id().to_owned(),
        says: candidate.outcome.says(),
        modified: instant(candidate.record.modified()),
        reviewed: candidate.record.reviewed(),
    }
}

/// What the advisories were derived from, and what those were derived from, as far as they speak of the same package.
fn upstream(group: &[&Candidate<'_>], live: &[&Candidate<'_>]) -> Vec<String> {
    let mut found: BTreeSet<&str> = BTreeSet::new();
    let mut open: Vec<&str> = group.iter().flat_map(|c| c.record.upstream()).collect();
    while let Some(id) = open.pop() {
        if found.insert(id) {
            open.extend(live.iter().filter(|c| c.record.id() == id).flat_map(|c| c.record.upstream()));
        }
    }
    found.into_iter().map(str::to_owned).collect()
}
