//! What is odd about a delivery, by name.

use tidegate_model::Timestamp;

/// A whole delivery with fewer than this share of the records in force is refused: feeds grow.
pub const SHRINK_SHARE: f64 = 0.9;

/// A delivery that takes back or drops more than this share of the records in force is refused.
pub const RETRACTION_SHARE: f64 = 0.05;

/// A delivery of which more than this share cannot be read is refused.
pub const REJECTED_SHARE: f64 = 0.01;

/// Shares say nothing about fewer records than this.
pub const FEW_RECORDS: u64 = 20;

/// How far a clock upstream may run ahead of ours, in seconds.
pub const CLOCK_SKEW_SECONDS: i64 = 24 * 60 * 60;

/// Something odd about a delivery.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, thiserror::Error)]
#[serde(tag = "alarm", rename_all = "snake_case")]
pub enum FeedAlarm {
    /// A whole delivery lost too much.
    #[error("shrunk: {delivered} records delivered, {loaded} are in force")]
    Shrunk {
        /// In force.
        loaded: u64,
        /// Delivered.
        delivered: u64,
    },
    /// Too much is taken back at once.
    #[error("mass retraction: {retracted} of {loaded} records in force are taken back or gone at once")]
    MassRetraction {
        /// In force.
        loaded: u64,
        /// Withdrawn and removed.
        retracted: u64,
    },
    /// Older than what is in force.
    #[error("rolled back: the delivery is of {delivered}, what is in force is of {loaded}")]
    RolledBack {
        /// In force.
        loaded: Timestamp,
        /// Delivered.
        delivered: Timestamp,
    },
    /// Some records are older than those in force; they were left out.
    #[error("older records: {count} records are older than those in force and were left out")]
    OlderRecords {
        /// How many.
        count: u64,
    },
    /// Times lie in the future; they count as now.
    #[error("from the future: {count} times lie in the future, the latest is {latest}")]
    Future {
        /// How many.
        count: u64,
        /// The latest.
        latest: Timestamp,
    },
    /// Too much of it cannot be read.
    #[error("unreadable: {rejected} of {delivered} records cannot be read")]
    Unreadable {
        /// How many not.
        rejected: u64,
        /// Of how many.
        delivered: u64,
    },
    /// It holds nothing.
    #[error("empty: the delivery holds nothing")]
    Empty,
    /// Another kind of feed goes by this name.
    #[error("wrong kind: a feed of another kind is in force under this name")]
    OtherKind,
    /// Scores of another model: thresholds do not carry over.
    #[error("model changed: from `{from}` to `{to}`, thresholds do not carry over")]
    ModelChanged {
        /// In force.
        from: String,
        /// Delivered.
        to: String,
    },
}

/// The alarms that a person may overrule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AlarmKind {
    /// [`FeedAlarm::Shrunk`].
    Shrunk,
    /// [`FeedAlarm::MassRetraction`].
    MassRetraction,
    /// [`FeedAlarm::RolledBack`].
    RolledBack,
    /// [`FeedAlarm::Unreadable`].
    Unreadable,
}

impl FeedAlarm {
    /// Whether the delivery is not applied, given what a person overrules.
    pub fn stops(&self, accepted: &[AlarmKind]) -> bool {
        let kind = match self {
            Self::Shrunk { .. } => AlarmKind::Shrunk,
            Self::MassRetraction { .. } => AlarmKind::MassRetraction,
            Self::RolledBack { .. } => AlarmKind::RolledBack,
            Self::Unreadable { .. } => AlarmKind::Unreadable,
            Self::Empty | Self::OtherKind => return true,
            Self::OlderRecords { .. } | Self::Future { .. } | Self::ModelChanged { .. } => return false,
        };
        !accepted.contains(&kind)
    }
}

/// Whether `part` is more than `share` of `whole`, and both are more than a few.
pub(super) fn exceeds(part: u64, whole: u64, share: f64) -> bool {
    #[expect(clippy::cast_precision_loss, reason = "record counts fit a double")]
    let larger = part as f64 > whole as f64 * share;
    part > 0 && larger && whole >= FEW_RECORDS
}
