//! What must be found again, behind traits named for what the pipeline asks.
//!
//! Each trait is one concern; [`Catalogue`] is all of them, and is what callers hold (`Arc<dyn Catalogue>`). SQLite is
//! the embedded half ([`sqlite::SqliteCatalogue`]); another engine is another implementation that passes the same
//! `contract` suite. Calls block for as long as the engine does. A call that changes something returns once the
//! change survives a power cut; callers at the same time share one sync.
//!
//! Nothing here decides: policy, matching and authentication are done by the callers with what they read.

mod approvals;
mod artifacts;
#[cfg(any(test, feature = "contract"))]
pub mod contract;
mod custody;
mod decisions;
mod documents;
mod edges;
mod exposures;
mod inspections;
mod mcp_tools;
mod people;
mod sightings;
pub mod sqlite;
mod tokens;
mod verifications;
mod waivers;

use std::path::PathBuf;

pub use approvals::{ApprovalFilter, Approvals, StoredApproval};
pub use artifacts::{Artifact, Artifacts, Pin, PinKey};
pub use custody::{
    CustodyCursor, CustodyDocument, CustodyEvent, CustodyOf, CustodyPolicy, CustodyRecords, CustodyStatement,
};
pub(crate) use decisions::package_of;
pub use decisions::{Admission, DecisionFilter, DecisionRecord, Decisions};
pub use documents::{DocumentHead, DocumentKey, Documents, NewDocument, StoredDocument};
pub use edges::{BytesName, Edge, EdgeKind, Edges};
pub use exposures::{AdvisoryHold, Exposure, Exposures, HoldState, VersionExposure};
pub use inspections::{
    AskedSecret, BundledComponent, Comparison, ComparisonKind, ComponentHolder, InspectedFacts, Inspections,
    OutdatedInspection, StoredInspection,
};
pub use mcp_tools::{McpTool, McpToolState, McpToolWord, McpTools};
pub use people::{
    Context, ContextKind, Forgotten, InvalidContextKind, NewContext, NewPerson, People, Person, stand_in,
};
pub use sightings::{Sighting, SightingBatch, SightingState, Sightings};
pub use tokens::{InvalidScope, Scope, Token, TokenHash, Tokens};
pub use verifications::{StoredVerification, Verifications};
pub use waivers::{
    Alarm, Alarms, LocalBlock, NewAlarm, NewLocalBlock, StoredWaiver, WaiverEvent, WaiverFilter, Waivers,
};

/// Everything the door asks of its catalogue.
pub trait Catalogue:
    Documents
    + Sightings
    + Artifacts
    + Decisions
    + Exposures
    + Inspections
    + Waivers
    + Approvals
    + Alarms
    + Tokens
    + People
    + McpTools
    + Edges
    + Verifications
    + CustodyRecords
    + Settings
{
}

impl<T> Catalogue for T where
    T: Documents
        + Sightings
        + Artifacts
        + Decisions
        + Exposures
        + Inspections
        + Waivers
        + Approvals
        + Alarms
        + Tokens
        + People
        + McpTools
        + Edges
        + Edges
        + Verifications
        + CustodyRecords
        + Settings
{
}

/// Values of the installation itself: its node id, counters, choices made at first start.
pub trait Settings: Send + Sync {
    /// The value of a setting.
    ///
    /// # Errors
    /// [`CatalogueError`].
    fn setting(&self, name: &str) -> Result<Option<String>, CatalogueError>;

    /// Sets a value.
    ///
    /// # Errors
    /// [`CatalogueError`].
    fn set_setting(&self, name: &str, value: &str) -> Result<(), CatalogueError>;

    /// Sets a value where none is set yet; returns the one that holds from now on. Makes identities, such as the node
    /// id, that two starts at once must agree on.
    ///
    /// # Errors
    /// [`CatalogueError`].
    fn setting_or_insert(&self, name: &str, value: &str) -> Result<String, CatalogueError>;

    /// The version of the data that this catalogue holds.
    ///
    /// # Errors
    /// [`CatalogueError`].
    fn data_version(&self) -> Result<u32, CatalogueError>;
}

/// A page of a list: how many, and after which.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// At most this many; capped at [`Page::MAX_LIMIT`].
    pub limit: u32,
    /// The `seek` of the last item seen; `None` begins.
    pub after: Option<i64>,
}

impl Page {
    /// The most items of one page.
    pub const MAX_LIMIT: u32 = 1000;

    /// The first `limit` items.
    pub const fn first(limit: u32) -> Self {
        Self { limit, after: None }
    }

    pub(crate) fn bounded_limit(self) -> u32 {
        self.limit.min(Self::MAX_LIMIT)
    }
}

impl Default for Page {
    fn default() -> Self {
        Self::first(100)
    }
}

/// A catalogue operation failed. Every operation fails in these ways and no others, so they share one type that names
/// the operation.
#[derive(Debug, thiserror::Error)]
#[error("{doing} failed in `{}`", path.display())]
pub struct CatalogueError {
    /// What was being done.
    pub doing: &'static str,
    /// The database.
    pub path: PathBuf,
    /// Why.
    #[source]
    pub cause: CatalogueCause,
}

/// Why a catalogue operation failed.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueCause {
    /// The file system is full.
    #[error("no space is left on the disk: free some")]
    Full,
    /// Another process holds the database.
    #[error("another process is using the database: one tidegate at a time may own a data directory")]
    Busy,
    /// The file is damaged.
    #[error("the database is damaged ({0}): restore it from a backup; `sqlite3 FILE .recover` may help")]
    Damaged(String),
    /// A row cannot be read as what it should be.
    #[error("a stored {what} cannot be read: {why}")]
    Unreadable {
        /// What kind of value.
        what: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// A value was given that the catalogue does not store.
    #[error("{0}")]
    Refused(String),
    /// Anything else that the engine says.
    #[error("the database says: {0}")]
    Engine(String),
}

impl CatalogueError {
    /// Whether the disk is full: what is asked to store must then fail, and readiness with it.
    pub const fn is_full(&self) -> bool {
        matches!(self.cause, CatalogueCause::Full)
    }
}
