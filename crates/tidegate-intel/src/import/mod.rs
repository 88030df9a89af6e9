//! Importing deliveries: read, compare with what is in force, then apply all of it or nothing.
//!
//! [`read`](fn@read) turns files into [`Delivery`]s; [`Snapshot::plan`] says exactly what each would change and raises
//! alarms; [`Intel::apply`](crate::Intel::apply) puts a plan in force. A feed whose delivery raises an alarm that stops it
//! keeps what it had: a broken delivery never takes away what is known.

pub mod alarm;
pub mod container;
mod plan;
mod read;
mod values;
pub(crate) mod zip;

use std::collections::BTreeMap;
use std::sync::Arc;

use tidegate_model::version::VersionKey;
use tidegate_model::{Sha256, Timestamp};

use crate::feeds::FeedKind;
use crate::feeds::openvex::Statement;
use crate::scratch::{Records, Scratch};
use crate::segment::Meta;
use crate::signals::{Cell, CveId, TableMeta};
use crate::snapshot::Snapshot;
use crate::vex::VexMeta;

pub use alarm::{AlarmKind, FeedAlarm};
pub(crate) use plan::Selection;
pub use plan::{PlanError, PlanOptions};
pub(crate) use read::read_stream;
pub use read::{DeliveryError, ReadOptions, Rejection, read, read_bytes};

/// How much of a feed a delivery holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Extent {
    /// Some of it: what is not in it stays as it is.
    #[default]
    Part,
    /// All of it: what is not in it is gone.
    Whole,
}

/// One delivery of one feed, read whole.
#[derive(Debug)]
pub struct Delivery {
    pub(crate) feed: String,
    pub(crate) kind: FeedKind,
    pub(crate) extent: Extent,
    pub(crate) as_of: Option<Timestamp>,
    pub(crate) source: Sha256,
    pub(crate) payload: Payload,
    pub(crate) rejected: Vec<Rejection>,
    pub(crate) rejected_count: u64,
    pub(crate) duplicates: u64,
    pub(crate) scratch: Scratch,
}

impl Delivery {
    /// Statements that were read already.
    pub(crate) fn of_statements(
        feed: String,
        kind: FeedKind,
        as_of: Option<Timestamp>,
        source: Sha256,
        statements: Vec<Statement>,
    ) -> Self {
        Self {
            feed,
            kind,
            extent: Extent::Whole,
            as_of,
            source,
            payload: Payload::Vex(statements),
            rejected: Vec::new(),
            rejected_count: 0,
            duplicates: 0,
            scratch: Scratch::default(),
        }
    }

    /// The feed it is of.
    pub fn feed(&self) -> &str {
        &self.feed
    }

    /// What kind of feed.
    pub const fn kind(&self) -> FeedKind {
        self.kind
    }

    /// The time it states for itself, or the newest of its records.
    pub const fn as_of(&self) -> Option<Timestamp> {
        self.as_of
    }

    /// How many records, rows or statements it holds. Records that stand in it more than once count each time.
    pub fn len(&self) -> u64 {
        match &self.payload {
            Payload::Advisories(records) => records.given(),
            Payload::Signals { rows, .. } => rows.len() as u64,
            Payload::Vex(statements) => statements.len() as u64,
        }
    }

    /// Whether it holds nothing.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[derive(Debug)]
pub(crate) enum Payload {
    Advisories(Records),
    Signals { rows: BTreeMap<CveId, Cell>, model: Option<String> },
    Vex(Vec<Statement>),
}

/// What a delivery changes. Ids of records, CVEs of signals, documents of VEX statements; each list sorted.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct FeedReport {
    /// The feed.
    pub feed: String,
    /// What kind of feed.
    pub kind: FeedKind,
    /// The time it states for itself.
    pub as_of: Option<Timestamp>,
    /// New ones.
    pub added: Vec<String>,
    /// Ones whose content changed.
    pub changed: Vec<String>,
    /// Ones that their publisher took back.
    pub withdrawn: Vec<String>,
    /// Ones that were taken back and are in force again.
    pub restored: Vec<String>,
    /// Ones that a whole delivery no longer has.
    pub removed: Vec<String>,
    /// How many are as they were.
    pub unchanged: u64,
    /// How many are older than what is in force, and were left out.
    pub older: u64,
    /// How many stood in the delivery more than once.
    pub duplicates: u64,
    /// How many could not be read.
    pub rejected: u64,
    /// The first of those.
    pub rejections: Vec<Rejection>,
    /// What is odd about the delivery.
    pub alarms: Vec<FeedAlarm>,
    /// Whether an alarm keeps it from being applied.
    pub refused: bool,
}

/// What would change, and the generation it was compared with.
#[derive(Debug)]
pub struct Plan {
    pub(crate) generation: u64,
    pub(crate) feeds: Vec<FeedPlan>,
}

impl Plan {
    /// What each delivery would change.
    pub fn reports(&self) -> impl Iterator<Item = &FeedReport> {
        self.feeds.iter().map(|feed| &feed.report)
    }

    /// Whether applying it would change anything.
    pub fn changes_anything(&self) -> bool {
        self.feeds.iter().any(|feed| feed.change.is_some())
    }
}

#[derive(Debug)]
pub(crate) struct FeedPlan {
    pub report: FeedReport,
    pub change: Option<FeedChange>,
}

#[derive(Debug)]
pub(crate) enum FeedChange {
    Advisories {
        records: Records,
        /// Which of them, and what is known of them beside their text.
        selection: Selection,
        removed: Vec<String>,
        meta: Meta,
        /// The first delivery of the feed: it becomes the base.
        base: bool,
        scratch: Scratch,
    },
    Signals {
        rows: BTreeMap<CveId, Cell>,
        meta: TableMeta,
    },
    Vex {
        statements: Vec<Statement>,
        meta: VexMeta,
    },
}

/// What was applied.
#[derive(Debug)]
pub struct Applied {
    /// The generation in force now.
    pub generation: u64,
    /// What each delivery changed.
    pub reports: Vec<FeedReport>,
    /// What was in force before.
    pub before: Arc<Snapshot>,
    /// What is in force now.
    pub after: Arc<Snapshot>,
}

/// The description of a segment; its counts are filled in when it is written.
pub(crate) fn meta(feed: &str, kind: FeedKind, as_of: Option<Timestamp>, source: Sha256) -> Meta {
    Meta {
        feed: feed.to_owned(),
        kind,
        as_of,
        source,
        records: 0,
        withdrawn: 0,
        ignored_ranges: 0,
        keys: VersionKey::FORMAT,
    }
}
