//! Comparing deliveries with what is in force.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io;

use serde_json::Value;
use tidegate_model::Timestamp;

use super::alarm::{
    AlarmKind, CLOCK_SKEW_SECONDS, FEW_RECORDS, FeedAlarm, REJECTED_SHARE, RETRACTION_SHARE, SHRINK_SHARE,
    exceeds,
};
use super::{Delivery, Extent, FeedChange, FeedPlan, FeedReport, Payload, Plan, meta};
use crate::feeds::openvex::Statement;
use crate::scratch::{Head, Records, StoredEntry};
use crate::segment::{Entry, SegmentError};
use crate::signals::{Cell, CveId, TableMeta};
use crate::snapshot::{Bits, FeedContent, FeedState, Snapshot};
use crate::vex::VexMeta;

/// How to compare.
#[derive(Clone, Debug)]
pub struct PlanOptions {
    /// The time it is.
    pub now: Timestamp,
    /// Alarms that a person overrules.
    pub accept: Vec<AlarmKind>,
}

impl PlanOptions {
    /// Nothing overruled.
    pub const fn at(now: Timestamp) -> Self {
        Self { now, accept: Vec::new() }
    }
}

/// Why deliveries cannot be compared with what is in force.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// A record in force has to be looked at and its text is damaged.
    #[error(transparent)]
    Segment(#[from] SegmentError),
    /// What was set aside cannot be read again.
    #[error("cannot read records back from a temporary file")]
    Scratch(#[from] io::Error),
}

/// Which records of a delivery change something, by their place in its order.
#[derive(Debug)]
pub(crate) struct Selection {
    chosen: Bits,
    /// Since when records are known that are in force already as far as it matters.
    known_since: HashMap<u32, i64>,
    /// The time it is, in milliseconds.
    now: i64,
}

impl Selection {
    /// Gives every chosen record to `each`, in order of ids.
    pub(crate) fn entries<E: From<io::Error>>(
        &self,
        records: &Records,
        mut each: impl FnMut(Entry) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut merge = records.merge()?;
        let mut number = 0;
        while let Some(stored) = merge.next()? {
            if self.chosen.get(number) {
                let mut entry = stored.entry();
                entry.advisory.modified = clamped(entry.advisory.modified, self.now);
                entry.known_since = self.known_since.get(&number).copied().unwrap_or(self.now);
                each(entry)?;
            }
            number += 1;
        }
        Ok(())
    }
}

/// Times that lie in the future count as now, or they would outlast every correction.
fn clamped(millis: i64, now: i64) -> i64 {
    if is_future(millis, now) { now } else { millis }
}

fn is_future(millis: i64, now: i64) -> bool {
    millis > now + CLOCK_SKEW_SECONDS * 1000
}

impl Snapshot {
    /// What deliveries would change.
    ///
    /// # Errors
    /// [`PlanError`]: nothing was changed.
    pub fn plan(&self, deliveries: Vec<Delivery>, options: &PlanOptions) -> Result<Plan, PlanError> {
        let feeds: Result<Vec<FeedPlan>, PlanError> = deliveries
            .into_iter()
            .map(|delivery| Comparison::of(self.feed(&delivery.feed), &delivery, options).run(delivery))
            .collect();
        Ok(Plan { generation: self.generation(), feeds: feeds? })
    }
}

struct Comparison<'a> {
    loaded: Option<&'a FeedState>,
    options: &'a PlanOptions,
    report: FeedReport,
    /// Times in the future: how many, and the latest.
    future: (u64, i64),
}

impl<'a> Comparison<'a> {
    fn of(loaded: Option<&'a FeedState>, delivery: &Delivery, options: &'a PlanOptions) -> Self {
        let report = FeedReport {
            feed: delivery.feed.clone(),
            kind: delivery.kind,
            as_of: delivery.as_of,
            added: Vec::new(),
            changed: Vec::new(),
            withdrawn: Vec::new(),
            restored: Vec::new(),
            removed: Vec::new(),
            unchanged: 0,
            older: 0,
            duplicates: delivery.duplicates,
            rejected: delivery.rejected_count,
            rejections: delivery.rejected.clone(),
            alarms: Vec::new(),
            refused: false,
        };
        Self { loaded, options, report, future: (0, i64::MIN) }
    }

    fn run(mut self, mut delivery: Delivery) -> Result<FeedPlan, PlanError> {
        let delivered = delivery.len();
        let rejected = delivery.rejected_count;
        if delivered == 0 && rejected == 0 {
            self.report.alarms.push(FeedAlarm::Empty);
        }
        if delivered == 0 && rejected > 0 || exceeds(rejected, delivered + rejected, REJECTED_SHARE) {
            self.report.alarms.push(FeedAlarm::Unreadable { rejected, delivered: delivered + rejected });
        }
        let same_shape = |state: &FeedState| {
            state.kind == delivery.kind || state.kind.is_advisories() && delivery.kind.is_advisories()
        };
        if self.loaded.is_some_and(|state| !same_shape(state)) {
            self.report.alarms.push(FeedAlarm::OtherKind);
            self.report.refused = true;
            return Ok(FeedPlan { report: self.report, change: None });
        }
        self.times(&mut delivery);
        let change = match std::mem::replace(&mut delivery.payload, Payload::Vex(Vec::new())) {
            Payload::Advisories(records) => self.advisories(&delivery, records)?,
            Payload::Signals { rows, model } => self.signals(&delivery, rows, model),
            Payload::Vex(statements) => self.vex(&delivery, &statements),
        };
        if self.future.0 > 0 {
            let latest = Timestamp::from_unix_millis(self.future.1);
            self.report.alarms.push(FeedAlarm::Future { count: self.future.0, latest });
        }
        self.report.refused = self.report.alarms.iter().any(|alarm| alarm.stops(&self.options.accept));
        let change = change.filter(|_| !self.report.refused);
        Ok(FeedPlan { report: self.report, change })
    }

    fn clamp(&mut self, millis: i64) -> i64 {
        let now = self.options.now.unix_millis();
        if is_future(millis, now) {
            self.future = (self.future.0 + 1, self.future.1.max(millis));
        }
        clamped(millis, now)
    }

    fn times(&mut self, delivery: &mut Delivery) {
        let stated = delivery.as_of.map(Timestamp::unix_millis);
        delivery.as_of = stated.map(|at| Timestamp::from_unix_millis(self.clamp(at)));
        self.report.as_of = delivery.as_of;
        let loaded = self.loaded.and_then(|state| state.as_of);
        if delivery.extent == Extent::Whole
            && let (Some(loaded), Some(delivered)) = (loaded, delivery.as_of)
            && delivered < loaded
        {
            self.report.alarms.push(FeedAlarm::RolledBack { loaded, delivered });
        }
    }

    /// The time of the feed once the delivery is in: never older than it was.
    fn as_of(&self, delivery: &Delivery) -> Option<Timestamp> {
        let loaded = self.loaded.and_then(|state| state.as_of);
        let overruled = self.options.accept.contains(&AlarmKind::RolledBack);
        match delivery.extent {
            Extent::Whole if overruled => delivery.as_of.or(loaded),
            _ => delivery.as_of.max(loaded),
        }
    }

    fn advisories(&mut self, delivery: &Delivery, records: Records) -> Result<Option<FeedChange>, PlanError> {
        let now = self.options.now.unix_millis();
        let mut selection = Selection { chosen: Bits::default(), known_since: HashMap::new(), now };
        let layers = self.loaded.map(FeedState::layers).unwrap_or_default();
        let mut delivered: Vec<Bits> = layers.iter().map(|_| Bits::default()).collect();
        let mut merge = records.merge()?;
        let mut count = 0_u32;
        while let Some(stored) = merge.next()? {
            let loaded = self.loaded.and_then(|state| state.top_at(stored.head().id));
            if let Some((layer, record)) = loaded {
                delivered[layer].grow_and_set(record);
            }
            if let Some(known_since) = self.compare(stored, loaded)? {
                selection.chosen.grow_and_set(count);
                if known_since != now {
                    selection.known_since.insert(count, known_since);
                }
            }
            count = count.checked_add(1).ok_or_else(|| io::Error::other("too many records"))?;
        }
        self.report.duplicates = merge.duplicates();
        drop(merge);
        let delivered_count = u64::from(count);
        if delivery.extent == Extent::Whole {
            self.missing(&delivered);
        }
        if self.report.older > 0 {
            self.report.alarms.push(FeedAlarm::OlderRecords { count: self.report.older });
        }
        let loaded = self.loaded.map_or(0, FeedState::len);
        if delivery.extent == Extent::Whole && shrunk(loaded, delivered_count) {
            self.report.alarms.push(FeedAlarm::Shrunk { loaded, delivered: delivered_count });
        }
        let retracted = (self.report.withdrawn.len() + self.report.removed.len()) as u64;
        if retracted >= FEW_RECORDS && exceeds(retracted, loaded, RETRACTION_SHARE) {
            self.report.alarms.push(FeedAlarm::MassRetraction { loaded, retracted });
        }
        let removed = self.report.removed.clone();
        if selection.chosen.count() == 0 && removed.is_empty() && self.loaded.is_some() {
            return Ok(None);
        }
        let meta = meta(&delivery.feed, delivery.kind, self.as_of(delivery), delivery.source);
        let (base, scratch) = (self.loaded.is_none(), delivery.scratch.clone());
        Ok(Some(FeedChange::Advisories { records, selection, removed, meta, base, scratch }))
    }

    /// Says what a record changes; since when it counts as known, where it changes anything.
    fn compare(
        &mut self,
        stored: StoredEntry<'_>,
        loaded: Option<(usize, u32)>,
    ) -> Result<Option<i64>, SegmentError> {
        let now = self.options.now.unix_millis();
        let delivered: Head<'_> = stored.head();
        let modified = self.clamp(delivered.modified);
        let (Some(state), Some((layer, record))) = (self.loaded, loaded) else {
            self.report.added.push(delivered.id.to_owned());
            return Ok(Some(now));
        };
        let segment = state.layers()[layer].segment();
        let row = segment.record(record);
        if row.digest() == delivered.digest {
            self.report.unchanged += 1;
            return Ok(None);
        }
        if modified < row.modified() {
            self.report.older += 1;
            return Ok(None);
        }
        let known = segment.json(record)?;
        if same_json(&known, delivered.json) {
            self.report.unchanged += 1;
            return Ok(None);
        }
        let was_withdrawn = row.is_withdrawn(now);
        let is_withdrawn = delivered.withdrawn.is_some_and(|at| at <= now);
        // What it touches is as it was: a grace time that runs keeps running, or an edit a week would be one for ever.
        let touches_the_same = !was_withdrawn
            && crate::advisory::compile(&known)
                .is_ok_and(|old| old.affected == stored.entry().advisory.affected);
        let id = delivered.id.to_owned();
        match (was_withdrawn, is_withdrawn) {
            (false, true) => self.report.withdrawn.push(id),
            (true, false) => self.report.restored.push(id),
            _ => self.report.changed.push(id),
        }
        Ok(Some(if touches_the_same { row.known_since() } else { now }))
    }

    /// What a whole delivery no longer has.
    fn missing(&mut self, delivered: &[Bits]) {
        let Some(state) = self.loaded else { return };
        let mut missing = BTreeSet::new();
        for (number, (layer, delivered)) in state.layers().iter().zip(delivered).enumerate() {
            for record in (0..layer.segment().record_count()).filter(|record| !delivered.get(*record)) {
                let id = layer.segment().record(record).id();
                if state.top_at(id) == Some((number, record)) {
                    missing.insert(id.to_owned());
                }
            }
        }
        self.report.removed = missing.into_iter().collect();
    }

    fn signals(
        &mut self,
        delivery: &Delivery,
        rows: BTreeMap<CveId, Cell>,
        model: Option<String>,
    ) -> Option<FeedChange> {
        let table = self.loaded.and_then(|state| match &state.content {
            FeedContent::Signals { table, .. } => Some(table),
            _ => None,
        });
        let known: BTreeMap<CveId, Cell> = table.map(|t| t.rows().collect()).unwrap_or_default();
        let delivered = rows.len() as u64;
        let mut next = if delivery.extent == Extent::Part { known.clone() } else { BTreeMap::new() };
        for (cve, cell) in rows {
            match known.get(&cve) {
                None => self.report.added.push(cve.to_string()),
                Some(before) if *before == cell => self.report.unchanged += 1,
                Some(_) => self.report.changed.push(cve.to_string()),
            }
            next.insert(cve, cell);
        }
        self.report.removed =
            known.keys().filter(|cve| !next.contains_key(cve)).map(CveId::to_string).collect();
        let loaded = known.len() as u64;
        if delivery.extent == Extent::Whole && shrunk(loaded, delivered) {
            self.report.alarms.push(FeedAlarm::Shrunk { loaded, delivered });
        }
        let old_model = table.and_then(|t| t.model().map(str::to_owned));
        if let (Some(from), Some(to)) = (&old_model, &model)
            && from != to
        {
            self.report.alarms.push(FeedAlarm::ModelChanged { from: from.clone(), to: to.clone() });
        }
        let as_of = self.as_of(delivery);
        if next == known && as_of == self.loaded.and_then(|s| s.as_of) && self.loaded.is_some() {
            return None;
        }
        let meta = TableMeta {
            feed: delivery.feed.clone(),
            kind: delivery.kind,
            as_of,
            source: delivery.source,
            model: model.or(old_model),
        };
        Some(FeedChange::Signals { rows: next, meta })
    }

    fn vex(&mut self, delivery: &Delivery, statements: &[Statement]) -> Option<FeedChange> {
        let known: BTreeSet<&Statement> = self
            .loaded
            .and_then(|state| match &state.content {
                FeedContent::Vex { table, .. } => Some(table.statements().iter().collect()),
                _ => None,
            })
            .unwrap_or_default();
        let before = by_unit(known.iter().copied());
        let delivered = by_unit(statements.iter());
        let mut next = known.clone();
        for (unit, statements) in &delivered {
            let name = format!("{} {}", unit.0, unit.1);
            let Some(said) = before.get(unit) else {
                self.report.added.push(name);
                next.extend(statements);
                continue;
            };
            let time = |statements: &BTreeSet<&Statement>| statements.iter().map(|s| s.at).max();
            match time(statements).cmp(&time(said)) {
                Ordering::Less => self.report.older += 1,
                _ if statements.is_subset(said) && time(statements) == time(said) => {
                    self.report.unchanged += 1;
                }
                // Files of one time that share a document's id and a product speak together.
                Ordering::Equal => {
                    self.report.changed.push(name);
                    next.extend(statements);
                }
                Ordering::Greater => {
                    self.report.changed.push(name);
                    next.retain(|statement| !said.contains(statement));
                    next.extend(statements);
                }
            }
        }
        if delivery.extent == Extent::Whole {
            for (unit, said) in before.iter().filter(|(unit, _)| !delivered.contains_key(*unit)) {
                self.report.removed.push(format!("{} {}", unit.0, unit.1));
                next.retain(|statement| !said.contains(statement));
            }
        }
        let (loaded, new) = (known.len() as u64, next.len() as u64);
        if delivery.extent == Extent::Whole && shrunk(loaded, new) {
            self.report.alarms.push(FeedAlarm::Shrunk { loaded, delivered: new });
        }
        if next == known && self.loaded.is_some() {
            return None;
        }
        let next: Vec<Statement> = next.into_iter().cloned().collect();
        let meta = VexMeta {
            feed: delivery.feed.clone(),
            kind: delivery.kind,
            as_of: self.as_of(delivery),
            source: delivery.source,
        };
        Some(FeedChange::Vex { statements: next, meta })
    }
}

/// Statements by document and product. A document's id alone is no unit: hubs carry many files of one id.
fn by_unit<'s>(
    statements: impl Iterator<Item = &'s Statement>,
) -> BTreeMap<(&'s str, &'s str), BTreeSet<&'s Statement>> {
    let mut units: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for statement in statements {
        let product = match statement.product.rsplit_once('@') {
            Some((product, version)) if !version.contains('/') => product,
            _ => &statement.product,
        };
        units.entry((statement.document.as_str(), product)).or_default().insert(statement);
    }
    units
}

/// Whether a whole delivery lost too much.
fn shrunk(loaded: u64, delivered: u64) -> bool {
    let lost = loaded.saturating_sub(delivered);
    exceeds(lost, loaded, 1.0 - SHRINK_SHARE)
}

/// Whether two documents say the same, whatever the order of their members.
fn same_json(a: &[u8], b: &[u8]) -> bool {
    let value = |json| serde_json::from_slice::<Value>(json).ok();
    a == b || matches!((value(a), value(b)), (Some(a), Some(b)) if a == b)
}
