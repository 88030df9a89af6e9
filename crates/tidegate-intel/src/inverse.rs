//! What a change of snapshots touches: names, and versions of them.
//!
//! A new advisory names one or a few packages; whoever keeps an index of stored artifacts by name looks those up and
//! decides them anew, without looking at any other. The same backwards, when an advisory is taken back or changed: what
//! it said before is touched too. The answer is never too small; it may hold a version whose findings stay the same.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use tidegate_model::version::VersionScheme;

use crate::advisory::{AdvisoryKind, AffectedPackage, compile};
use crate::ecosystem::{EcosystemName, normal_name};
use crate::order;
use crate::osv::range::{Bound, Interval};
use crate::segment::{RecordDigest, Segment, SegmentError, hash_of_name};
use crate::signals::{CveId, Signal};
use crate::snapshot::{Bits, FeedContent, FeedState, Layer, Snapshot};

/// Scores at which a change of probability may change a decision: the steps between two of them touch nothing.
pub const EPSS_STEPS: [f64; 4] = [0.01, 0.1, 0.5, 0.9];

/// What a change says of one name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameChange {
    /// The ecosystem, as looked up.
    pub ecosystem: String,
    /// The name, as looked up.
    pub name: String,
    /// Ids of the advisories that are new, changed, taken back or rated anew.
    pub ids: BTreeSet<String>,
    /// Whether any of them is about malware: such a change waits for nobody.
    pub malware: bool,
    packages: Vec<AffectedPackage>,
}

/// A run of versions that a change speaks of.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct VersionRun {
    /// From this version on; all versions where there is none.
    pub from: Option<String>,
    /// Up to this version; without end where there is none.
    pub to: Option<String>,
    /// Whether `to` belongs to it.
    pub to_inclusive: bool,
}

impl NameChange {
    fn add(&mut self, package: AffectedPackage) {
        if !self.packages.contains(&package) {
            self.packages.push(package);
        }
    }

    /// Whether a version has to be decided anew. A version that cannot be compared has to be.
    pub fn touches(&self, version: &str) -> bool {
        self.packages.iter().any(|package| touches(package, version))
    }

    /// The runs of versions, for stores that can look up by them. Listed versions are runs of one.
    pub fn runs(&self) -> Vec<VersionRun> {
        let mut runs = Vec::new();
        for package in &self.packages {
            if package.not_understood {
                return vec![VersionRun { from: None, to: None, to_inclusive: false }];
            }
            runs.extend(package.intervals.iter().map(|interval| VersionRun {
                from: interval.lower.as_ref().map(|bound| bound.text.clone()),
                to: interval.upper.as_ref().map(|bound| bound.text.clone()),
                to_inclusive: interval.upper_inclusive,
            }));
            runs.extend(package.listed.iter().map(|bound| VersionRun {
                from: Some(bound.text.clone()),
                to: Some(bound.text.clone()),
                to_inclusive: true,
            }));
        }
        runs
    }
}

fn touches(package: &AffectedPackage, version: &str) -> bool {
    if package.not_understood || package.listed.iter().any(|bound| bound.text == version) {
        return true;
    }
    let scheme: Option<VersionScheme> = package.scheme;
    let keys = order::VersionKeys::of(scheme, version);
    let candidates = keys.iter().flat_map(|k| std::iter::once(&k.exact).chain(&k.without_local));
    let mut any = false;
    for key in candidates {
        any = true;
        let listed = package.listed.iter().any(|bound| bound.key.as_ref() == Some(key));
        if listed || package.intervals.iter().any(|interval| holds(interval, key)) {
            return true;
        }
    }
    !any && (!package.intervals.is_empty() || package.listed.iter().any(|bound| bound.key.is_some()))
}

/// Whether a key may lie in an interval; a bound without a key keeps nothing out. Both ends count: at a fixed version the
/// list of fixes changes.
fn holds(interval: &Interval, key: &[u8]) -> bool {
    let not_below = |bound: &Bound| bound.key.as_deref().is_none_or(|lower| key >= lower);
    let not_above = |bound: &Bound| bound.key.as_deref().is_none_or(|upper| key <= upper);
    interval.lower.as_ref().is_none_or(not_below) && interval.upper.as_ref().is_none_or(not_above)
}

/// Every name whose findings may differ between two snapshots, in any version, for any time.
///
/// # Errors
/// [`SegmentError`] where the text of a record is damaged. Then decide everything anew.
pub fn changes(old: &Snapshot, new: &Snapshot) -> Result<Vec<NameChange>, SegmentError> {
    changes_among(old, new, &mut |_, _| true).map(|touched| touched.wanted)
}

/// What a change of snapshots touches.
#[derive(Clone, Debug, Default)]
pub struct Touched {
    /// How many names.
    pub names: usize,
    /// What it says of those that were asked for.
    pub wanted: Vec<NameChange>,
}

/// As [`changes`], for the names that somebody cares for. A first delivery touches a million names; of those that nobody
/// cares for nothing is kept. `wanted` is asked once for each ecosystem and name, in the form in which they are looked up.
///
/// # Errors
/// As [`changes`].
pub fn changes_among(
    old: &Snapshot,
    new: &Snapshot,
    wanted: &mut dyn FnMut(&str, &str) -> bool,
) -> Result<Touched, SegmentError> {
    let mut collected = Collected { wanted, seen: HashSet::new(), names: BTreeMap::new() };
    let mut elsewhere = BTreeMap::new();
    for (snapshot, other) in [(old, new), (new, old)] {
        for (layer, feed) in unshared(snapshot, other) {
            let changed = changed(snapshot, other, layer, feed, &mut elsewhere);
            collected.layer(layer, &changed);
        }
    }
    elsewhere.into_values().try_for_each(|copy| collected.record(&copy))?;
    signals(old, new, &mut collected)?;
    vex(old, new, &mut collected)?;
    Ok(Touched { names: collected.seen.len(), wanted: collected.names.into_values().collect() })
}

/// Layers that only one of two snapshots has, with their feeds.
fn unshared<'s>(snapshot: &'s Snapshot, other: &Snapshot) -> Vec<(&'s Layer, &'s str)> {
    let shared = |layer: &Layer| {
        other.layers().any(|(_, known)| std::sync::Arc::ptr_eq(known.segment(), layer.segment()))
    };
    snapshot.layers().filter(|(_, layer)| !shared(layer)).map(|(feed, layer)| (layer, &**feed)).collect()
}

/// The records of a layer that speak in its snapshot, and of whose ids something else is said in the other. Copies of
/// those ids in layers that both snapshots have go to `elsewhere`, by segment and number.
fn changed<'s>(
    snapshot: &'s Snapshot,
    other: &'s Snapshot,
    layer: &'s Layer,
    feed: &str,
    elsewhere: &mut BTreeMap<(*const Segment, u32), Speaking<'s>>,
) -> Bits {
    let segment = layer.segment();
    let mut bits = Bits::default();
    let nothing_else = other.layers().next().is_none();
    let mut compare = |id: &str| -> bool {
        if nothing_else {
            return true;
        }
        let (here, there) = (speaking(snapshot, id), speaking(other, id));
        if digests(&here) == digests(&there) {
            return false;
        }
        let both = |copy: &Speaking<'_>| {
            let has = |s: &Snapshot| {
                s.layers().any(|(_, l)| std::sync::Arc::ptr_eq(l.segment(), copy.layer.segment()))
            };
            has(snapshot) && has(other)
        };
        for copy in here.into_iter().chain(there).filter(|copy| both(copy)) {
            elsewhere.insert((std::sync::Arc::as_ptr(copy.layer.segment()), copy.record), copy);
        }
        true
    };
    for record in 0..segment.record_count() {
        let id = segment.record(record).id();
        let differs = compare(id);
        let is_top = || {
            snapshot
                .feed(feed)
                .and_then(|f| f.top(id))
                .is_some_and(|(l, r)| r == record && std::sync::Arc::ptr_eq(l.segment(), segment))
        };
        if differs && !layer.is_dead(record) && is_top() {
            bits.grow_and_set(record);
        }
    }
    for id in segment.removed() {
        compare(id);
    }
    bits
}

/// One copy of a record that speaks.
struct Speaking<'s> {
    feed: &'s str,
    layer: &'s Layer,
    record: u32,
}

/// The copies of a record that speak in a snapshot, by feed.
fn speaking<'s>(snapshot: &'s Snapshot, id: &str) -> Vec<Speaking<'s>> {
    snapshot
        .feeds()
        .iter()
        .filter_map(|feed: &FeedState| {
            let (layer, record) = feed.top(id)?;
            (!layer.is_dead(record)).then_some(Speaking { feed: feed.name(), layer, record })
        })
        .collect()
}

fn digests<'s>(copies: &[Speaking<'s>]) -> Vec<(&'s str, RecordDigest)> {
    copies.iter().map(|c| (c.feed, c.layer.segment().record(c.record).digest())).collect()
}

struct Collected<'w> {
    wanted: &'w mut dyn FnMut(&str, &str) -> bool,
    /// Names by hash, so that counting them costs little.
    seen: HashSet<u64>,
    names: BTreeMap<(String, String), NameChange>,
}

impl Collected<'_> {
    /// The change of a name, made if it is new; `None` where nobody cares for it.
    fn name(&mut self, ecosystem: &str, name: &str) -> Option<&mut NameChange> {
        let key = || (ecosystem.to_owned(), name.to_owned());
        if self.seen.insert(hash_of_name(ecosystem, name)) && (self.wanted)(ecosystem, name) {
            let change = NameChange {
                ecosystem: ecosystem.to_owned(),
                name: name.to_owned(),
                ids: BTreeSet::new(),
                malware: false,
                packages: Vec::new(),
            };
            return Some(self.names.entry(key()).or_insert(change));
        }
        if self.names.is_empty() { None } else { self.names.get_mut(&key()) }
    }

    /// The names of some records of a layer.
    fn layer(&mut self, layer: &Layer, records: &Bits) {
        let segment = layer.segment();
        if records.count() == 0 {
            return;
        }
        for number in 0..segment.name_count() {
            let (ecosystem, name) = segment.name(number);
            for row in segment.affected_of(number).filter(|row| records.get(row.record().index)) {
                if let Some(change) = self.name(ecosystem, name) {
                    change.ids.insert(row.record().id().to_owned());
                    change.malware |= row.record().kind() == AdvisoryKind::Malware;
                    change.add(row.package(ecosystem, name));
                }
            }
        }
    }

    fn record(&mut self, copy: &Speaking<'_>) -> Result<(), SegmentError> {
        let json = copy.layer.segment().json(copy.record)?;
        let advisory = compile(&json)
            .map_err(|_| SegmentError::inconsistent("text", "a record cannot be read any more"))?;
        for package in advisory.affected {
            if let Some(change) = self.name(&package.ecosystem, &package.name) {
                change.ids.insert(advisory.id.clone());
                change.malware |= advisory.kind == AdvisoryKind::Malware;
                change.add(package);
            }
        }
        Ok(())
    }

    /// Every record that goes by an id.
    fn id(&mut self, snapshot: &Snapshot, id: &str) -> Result<(), SegmentError> {
        for (feed, layer) in snapshot.layers() {
            let segment = layer.segment();
            for record in segment.find_record(id).into_iter().chain(segment.records_by_alias(id)) {
                if !layer.is_dead(record) {
                    self.record(&Speaking { feed, layer, record })?;
                }
            }
        }
        Ok(())
    }
}

/// What policy may read of a signal: a probability only by the step it stands on.
#[derive(PartialEq)]
enum Read {
    Signal(Signal),
    Step(usize),
}

fn read(signal: Signal) -> Read {
    match signal {
        Signal::Epss(epss) => Read::Step(EPSS_STEPS.iter().filter(|step| epss.score >= **step).count()),
        other => Read::Signal(other),
    }
}

fn signals(old: &Snapshot, new: &Snapshot, collected: &mut Collected<'_>) -> Result<(), SegmentError> {
    let tables = |snapshot: &Snapshot, other: &Snapshot| -> Vec<CveId> {
        let mut cves = Vec::new();
        for feed in snapshot.feeds() {
            let FeedContent::Signals { table, .. } = &feed.content else { continue };
            let same = other.feed(feed.name()).is_some_and(|known| match &known.content {
                FeedContent::Signals { table: known, .. } => std::sync::Arc::ptr_eq(known, table),
                _ => false,
            });
            if !same {
                cves.extend(table.rows().map(|(cve, _)| cve));
            }
        }
        cves
    };
    let cves: BTreeSet<CveId> = tables(old, new).into_iter().chain(tables(new, old)).collect();
    for cve in cves {
        let seen = |snapshot: &Snapshot| -> Vec<Read> {
            snapshot.signals(cve).into_iter().map(|(_, signal)| read(signal)).collect()
        };
        if seen(old) != seen(new) {
            collected.id(new, &cve.to_string())?;
        }
    }
    Ok(())
}

fn vex(old: &Snapshot, new: &Snapshot, collected: &mut Collected<'_>) -> Result<(), SegmentError> {
    let statements = |snapshot: &Snapshot| {
        let mut all = BTreeSet::new();
        for feed in snapshot.feeds() {
            if let FeedContent::Vex { table, .. } = &feed.content {
                all.extend(table.statements().iter().cloned());
            }
        }
        all
    };
    let unchanged = |name: &FeedState| match (&name.content, new.feed(name.name()).map(|f| &f.content)) {
        (FeedContent::Vex { table, .. }, Some(FeedContent::Vex { table: known, .. })) => {
            std::sync::Arc::ptr_eq(table, known)
        }
        (FeedContent::Vex { .. }, _) => false,
        _ => true,
    };
    let tables = |snapshot: &Snapshot| {
        snapshot.feeds().iter().filter(|f| matches!(f.content, FeedContent::Vex { .. })).count()
    };
    if old.feeds().iter().all(unchanged) && tables(old) == tables(new) {
        return Ok(());
    }
    let (before, after) = (statements(old), statements(new));
    let ids: BTreeSet<&String> = before.symmetric_difference(&after).flat_map(|s| &s.ids).collect();
    ids.into_iter().try_for_each(|id| collected.id(new, id))
}

/// A name in the form in which changes are keyed, for whoever keeps an index by it.
pub fn lookup_form(ecosystem: &str, name: &str) -> (String, String) {
    let ecosystem = EcosystemName::parse(ecosystem);
    let name = normal_name(&ecosystem.word, name).into_owned();
    (ecosystem.word.into_owned(), name)
}
