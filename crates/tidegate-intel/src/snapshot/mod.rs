//! What is known at one moment: every feed's segments, which records in them are in force, under one generation number.
//!
//! A feed of advisories is a base segment and, on top, small segments of what changed since (deltas). A record in a newer
//! layer takes the place of the one below; a removed id hides it. Where several feeds carry a record of one id, the copy
//! that was modified last speaks; copies of the same time speak together.

mod filter;
mod layers;
mod manifest;
mod store;

use std::sync::Arc;

use tidegate_model::{Sha256, Timestamp};

use crate::feeds::FeedKind;
use crate::feeds::openvex::Statement;
use crate::segment::{Segment, SegmentError};
use crate::signals::{CveId, Signal, SignalTable};
use crate::vex::{Product, VexTable};

pub(crate) use layers::{Bits, Layer};
pub use store::{ApplyError, Intel, OpenError};

/// A segment that was consulted, as a decision cites it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
pub struct SegmentRef {
    /// The feed.
    pub feed: Arc<str>,
    /// The time that upstream states.
    pub as_of: Option<Timestamp>,
    /// Digest of the delivery that it was made from.
    pub digest: Sha256,
}

/// One feed as loaded.
#[derive(Clone, Debug)]
pub struct FeedState {
    pub(crate) name: Arc<str>,
    pub(crate) kind: FeedKind,
    pub(crate) as_of: Option<Timestamp>,
    pub(crate) content: FeedContent,
}

/// What a feed loaded.
#[derive(Clone, Debug)]
pub(crate) enum FeedContent {
    /// Base first, newest delta last.
    Advisories(Vec<Layer>),
    Signals {
        table: Arc<SignalTable>,
        file: Arc<str>,
    },
    Vex {
        table: Arc<VexTable>,
        file: Arc<str>,
    },
}

/// A feed whose files cannot be used. What it said is not known any more, which is not the same as clean.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct DamagedFeed {
    /// The feed.
    pub feed: String,
    /// What kind of feed.
    pub kind: FeedKind,
    /// What is wrong.
    pub why: String,
    /// As the manifest has it, so that the gap is still known after the next change.
    #[serde(skip)]
    listed: manifest::ManifestFeed,
}

/// What is known at one moment.
#[derive(Debug, Default)]
pub struct Snapshot {
    generation: u64,
    feeds: Vec<FeedState>,
    damaged: Vec<DamagedFeed>,
    segments: Arc<[SegmentRef]>,
    filter: filter::Filter,
}

impl FeedState {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What kind of feed.
    pub const fn kind(&self) -> FeedKind {
        self.kind
    }

    /// The time that upstream states for what is loaded.
    pub const fn as_of(&self) -> Option<Timestamp> {
        self.as_of
    }

    /// How many records, rows or statements are loaded.
    pub fn len(&self) -> u64 {
        match &self.content {
            FeedContent::Advisories(layers) => layers.iter().map(Layer::live).sum(),
            FeedContent::Signals { table, .. } => u64::from(table.len()),
            FeedContent::Vex { table, .. } => table.statements().len() as u64,
        }
    }

    /// Whether nothing is loaded.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many segments it consists of.
    pub fn layer_count(&self) -> usize {
        match &self.content {
            FeedContent::Advisories(layers) => layers.len(),
            _ => 1,
        }
    }

    pub(crate) fn layers(&self) -> &[Layer] {
        match &self.content {
            FeedContent::Advisories(layers) => layers,
            _ => &[],
        }
    }

    /// The newest copy of a record in this feed, unless it was removed.
    pub(crate) fn top(&self, id: &str) -> Option<(&Layer, u32)> {
        layers::top(self.layers(), id).map(|(layer, record)| (&self.layers()[layer], record))
    }

    /// The same by numbers: which layer, which record of it.
    pub(crate) fn top_at(&self, id: &str) -> Option<(usize, u32)> {
        layers::top(self.layers(), id)
    }

    fn refs(&self) -> Vec<SegmentRef> {
        let cite = |as_of, digest| SegmentRef { feed: self.name.clone(), as_of, digest };
        match &self.content {
            FeedContent::Advisories(layers) => {
                layers.iter().map(|l| l.segment().meta()).map(|m| cite(m.as_of, m.source)).collect()
            }
            FeedContent::Signals { table, .. } => vec![cite(table.meta().as_of, table.meta().source)],
            FeedContent::Vex { table, .. } => vec![cite(table.meta().as_of, table.meta().source)],
        }
    }
}

/// A record as delivered, and where it is from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordText {
    /// The feed.
    pub feed: Arc<str>,
    /// The id.
    pub id: String,
    /// Whether it is withdrawn at the time asked for.
    pub withdrawn: bool,
    /// The JSON text.
    pub json: Vec<u8>,
}

impl Snapshot {
    /// A snapshot of some feeds; what can be taken over from the one before is.
    pub(crate) fn new(
        generation: u64,
        mut feeds: Vec<FeedState>,
        damaged: Vec<DamagedFeed>,
        before: &Self,
    ) -> Self {
        feeds.sort_by(|a, b| a.name.cmp(&b.name));
        let segments = feeds.iter().flat_map(FeedState::refs).collect();
        let layers = feeds.iter().flat_map(FeedState::layers).map(Layer::segment);
        let filter = filter::Filter::over(layers, &before.filter);
        Self { generation, feeds, damaged, segments, filter }
    }

    /// The generation: grows by one with every change, never goes back. 0 where nothing was ever loaded.
    pub const fn generation(&self) -> u64 {
        self.generation
    }

    /// The feeds, by name.
    pub fn feeds(&self) -> &[FeedState] {
        &self.feeds
    }

    /// Feeds whose files cannot be used.
    pub fn damaged(&self) -> &[DamagedFeed] {
        &self.damaged
    }

    /// Everything that answers are made from.
    pub fn segments(&self) -> Arc<[SegmentRef]> {
        self.segments.clone()
    }

    pub(crate) fn feed(&self, name: &str) -> Option<&FeedState> {
        self.feeds.iter().find(|feed| &*feed.name == name)
    }

    pub(crate) fn layers(&self) -> impl Iterator<Item = (&Arc<str>, &Layer)> {
        self.feeds.iter().flat_map(|feed| feed.layers().iter().map(move |layer| (&feed.name, layer)))
    }

    /// The layers in which a name may stand, given its hash.
    pub(crate) fn layers_with(&self, hash: u64) -> impl Iterator<Item = (&Arc<str>, &Layer)> {
        let may_hold = self.filter.may_hold(hash);
        self.layers().filter(move |(_, layer)| may_hold || !self.filter.covers(layer.segment()))
    }

    /// Whether any loaded feed speaks of an ecosystem at all. Where none does, "no finding" says nothing.
    pub fn covers(&self, ecosystem: &str) -> bool {
        let asked = crate::ecosystem::EcosystemName::parse(ecosystem);
        self.layers().any(|(_, layer)| layer.segment().has_ecosystem(&asked.word))
    }

    /// What feeds of signals say of a CVE.
    pub fn signals(&self, cve: CveId) -> Vec<(&str, Signal)> {
        self.feeds
            .iter()
            .filter_map(|feed| match &feed.content {
                FeedContent::Signals { table, .. } => Some((feed.name(), table.get(cve)?)),
                _ => None,
            })
            .collect()
    }

    /// Whether a feed of a kind is loaded.
    pub fn has(&self, kind: FeedKind) -> bool {
        self.feeds.iter().any(|feed| feed.kind == kind)
    }

    /// VEX statements about a vulnerability in a package, newest first.
    pub fn vex(&self, ids: &[String], product: &Product<'_>) -> Vec<&Statement> {
        let tables = self.feeds.iter().filter_map(|feed| match &feed.content {
            FeedContent::Vex { table, .. } => Some(table),
            _ => None,
        });
        let mut statements: Vec<&Statement> = tables.flat_map(|t| t.about(ids, product)).collect();
        statements.sort_by(|a, b| b.at.cmp(&a.at).then_with(|| a.cmp(b)));
        statements
    }

    /// The records that an id stands for: those of the id itself, then those that name it as an alias.
    ///
    /// # Errors
    /// [`SegmentError`] where the text of a record is damaged.
    pub fn records(&self, id: &str, now: Timestamp) -> Result<Vec<RecordText>, SegmentError> {
        let now = now.unix_millis();
        let mut found = Vec::new();
        let mut named = Vec::new();
        for (feed, layer) in self.layers() {
            let segment = layer.segment();
            let own = segment.find_record(id);
            let aliased = segment.records_by_alias(id).filter(|record| Some(*record) != own);
            for record in own.into_iter().chain(aliased).filter(|record| !layer.is_dead(*record)) {
                let row = segment.record(record);
                let text = RecordText {
                    feed: feed.clone(),
                    id: row.id().to_owned(),
                    withdrawn: row.is_withdrawn(now),
                    json: segment.json(record)?,
                };
                if Some(record) == own { found.push(text) } else { named.push(text) }
            }
        }
        named.sort_by(|a, b| (&a.id, &a.feed).cmp(&(&b.id, &b.feed)));
        found.extend(named);
        Ok(found)
    }
}

impl Segment {
    /// Whether any name of the ecosystem is in it.
    fn has_ecosystem(&self, word: &str) -> bool {
        let mut range = 0..self.name_count();
        while range.start < range.end {
            let middle = range.start + (range.end - range.start) / 2;
            match self.name(middle).0.cmp(word) {
                std::cmp::Ordering::Less => range.start = middle + 1,
                std::cmp::Ordering::Greater => range.end = middle,
                std::cmp::Ordering::Equal => return true,
            }
        }
        false
    }
}
