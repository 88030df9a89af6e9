//! Exceptions, blocks by hand, and alarms.

use tidegate_model::waiver::{Waiver, WaiverState};
use tidegate_model::{Sha256, Timestamp};

use super::{CatalogueError, Page};

/// One step in a waiver's life.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaiverEvent {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: String,
    /// What: `requested`, `approved`, `rejected`, `revoked`, `imported`…
    pub what: String,
    /// Why, in the actor's words.
    pub note: Option<String>,
}

/// A waiver with its history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredWaiver {
    /// The waiver as it stands.
    pub waiver: Waiver,
    /// Counts its changes; a change names the one it was made on.
    pub revision: u64,
    /// Every step, oldest first.
    pub history: Vec<WaiverEvent>,
}

/// Which waivers to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WaiverFilter {
    /// In this state.
    pub state: Option<WaiverState>,
    /// For this package URL, exactly as the waiver names it.
    pub purl: Option<String>,
    /// Not expired at this time.
    pub unexpired_at: Option<Timestamp>,
}

/// A block by hand to record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewLocalBlock {
    /// Package URL, with or without a version.
    pub purl: String,
    /// Only these bytes.
    pub sha256: Option<Sha256>,
    /// Why, for whoever is refused.
    pub reason: String,
    /// Who blocked it.
    pub actor: String,
    /// When.
    pub at: Timestamp,
}

/// A block by hand: an advisory of our own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalBlock {
    /// Its number; never given twice.
    pub number: u64,
    /// What was recorded.
    pub block: NewLocalBlock,
    /// When and by whom it was taken back.
    pub withdrawn: Option<(Timestamp, String)>,
}

impl LocalBlock {
    /// The advisory id, `TIDEGATE-LOCAL-n`.
    pub fn id(&self) -> String {
        format!("{}{}", Self::PREFIX, self.number)
    }

    /// What every id begins with.
    pub const PREFIX: &'static str = "TIDEGATE-LOCAL-";

    /// Reads an id.
    pub fn number_of(id: &str) -> Option<u64> {
        id.strip_prefix(Self::PREFIX)?.parse().ok()
    }
}

/// Waivers and blocks by hand. The catalogue is the truth for both; files are import and export.
pub trait Waivers: Send + Sync {
    /// Records a new waiver with its first event. False where its id is taken.
    ///
    /// # Errors
    /// [`CatalogueError`].
    fn put_waiver(&self, waiver: &Waiver, event: &WaiverEvent) -> Result<bool, CatalogueError>;

    /// Replaces a waiver made on `revision`. False where it has changed since, or does not exist: read it again. So two
    /// people who approve at once both count.
    ///
    /// # Errors
    /// [`CatalogueError`].
    fn replace_waiver(
        &self,
        waiver: &Waiver,
        revision: u64,
        event: &WaiverEvent,
    ) -> Result<bool, CatalogueError>;

    /// One waiver.
    ///
    /// # Errors
    /// [`CatalogueError`].
    fn waiver(&self, id: &str) -> Result<Option<StoredWaiver>, CatalogueError>;

    /// Waivers, by id. There are few; the list is whole.
    ///
    /// # Errors
    /// [`CatalogueError`].
    fn waivers(&self, filter: &WaiverFilter) -> Result<Vec<StoredWaiver>, CatalogueError>;

    /// Counts changes to waivers and blocks: what was decided under another number may be decided otherwise now.
    ///
    /// # Errors
    /// [`CatalogueError`].
    fn waiver_epoch(&self) -> Result<u64, CatalogueError>;

    /// Records a block and gives it its number.
    ///
    /// # Errors
    /// [`CatalogueError`].
    fn put_local_block(&self, block: &NewLocalBlock) -> Result<LocalBlock, CatalogueError>;

    /// Takes a block back. False where it does not stand.
    ///
    /// # Errors
    /// [`CatalogueError`].
    fn withdraw_local_block(&self, number: u64, at: Timestamp, actor: &str) -> Result<bool, CatalogueError>;

    /// Blocks by number; `withdrawn` also lists those taken back.
    ///
    /// # Errors
    /// [`CatalogueError`].
    fn local_blocks(&self, withdrawn: bool) -> Result<Vec<LocalBlock>, CatalogueError>;
}

/// Something that a person must look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewAlarm {
    /// What kind: `bytes_changed`, `blob_corrupt`…
    pub kind: String,
    /// What it is about, such that the same trouble has the same subject: a purl and file, a digest.
    pub subject: String,
    /// For people: one sentence.
    pub message: String,
    /// Details as JSON.
    pub json: String,
    /// When.
    pub at: Timestamp,
}

/// An alarm and how often it was raised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alarm {
    /// Its number, which is also where it stands in lists.
    pub number: i64,
    /// As raised last.
    pub alarm: NewAlarm,
    /// When it was raised first.
    pub first_at: Timestamp,
    /// How often it was raised.
    pub count: u64,
    /// When and by whom it was acknowledged.
    pub acknowledged: Option<(Timestamp, String)>,
}

/// Alarms.
pub trait Alarms: Send + Sync {
    /// Raises an alarm. One of the same kind and subject that nobody has acknowledged counts up instead; true where the
    /// alarm is new.
    ///
    /// # Errors
    /// [`CatalogueError`].
    fn raise_alarm(&self, alarm: &NewAlarm) -> Result<bool, CatalogueError>;

    /// Alarms, newest number first; `acknowledged` also lists those somebody has seen to.
    ///
    /// # Errors
    /// [`CatalogueError`].
    fn alarms(&self, acknowledged: bool, page: Page) -> Result<Vec<Alarm>, CatalogueError>;

    /// Records that somebody has seen to it. False where there is no such open alarm.
    ///
    /// # Errors
    /// [`CatalogueError`].
    fn acknowledge_alarm(&self, number: i64, at: Timestamp, actor: &str) -> Result<bool, CatalogueError>;

    /// Closes the open alarm of a kind about a subject, because its cause is gone. False where there is none.
    ///
    /// # Errors
    /// [`CatalogueError`].
    fn lift_alarm(
        &self,
        kind: &str,
        subject: &str,
        at: Timestamp,
        actor: &str,
    ) -> Result<bool, CatalogueError>;
}
