//! What was told of admitted versions, so that each change is told once; advisories whose effect waits for a person.

use tidegate_ledger::entry::{Grave, HoldReason};
use tidegate_model::Timestamp;

use super::{Admission, CatalogueError};

/// One advisory that touches an admitted version, as it was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exposure {
    /// The advisory.
    pub advisory: String,
    /// Why somebody should hear of it.
    pub why: Grave,
    /// Since when it is known here.
    pub since: Timestamp,
}

/// Everything that is told of one admitted version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionExposure {
    /// Package URL with version.
    pub purl: String,
    /// The advisories, by id; empty where none touches it.
    pub advisories: Vec<Exposure>,
}

/// What became of an advisory that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HoldState {
    /// It waits for a person.
    Waiting,
    /// A person let it take its full effect.
    Confirmed,
    /// A person decided that it stays a warning for what was admitted before.
    Dismissed,
}

impl HoldState {
    /// The word in facts, lists and the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Confirmed => "confirmed",
            Self::Dismissed => "dismissed",
        }
    }
}

impl std::str::FromStr for HoldState {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        [Self::Waiting, Self::Confirmed, Self::Dismissed]
            .into_iter()
            .find(|state| state.as_str() == word)
            .ok_or_else(|| format!("`{}` is not waiting, confirmed or dismissed", word.escape_debug()))
    }
}

/// An advisory whose effect on what was admitted before waits for a person, or was decided on by one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdvisoryHold {
    /// Its id.
    pub advisory: String,
    /// Why it waits.
    pub reason: HoldReason,
    /// What became of it.
    pub state: HoldState,
    /// Since when it waits.
    pub since: Timestamp,
    /// The generation of advisories with which it began.
    pub generation: u64,
    /// Of the last week's distinct downloads, how many it would hold.
    pub downloads: u64,
    /// How many distinct downloads there were in the last week.
    pub downloads_in_all: u64,
    /// How many independent sources say so.
    pub sources: u64,
    /// Package URLs, without version, of what it would hold.
    pub packages: Vec<String>,
    /// When it was decided on, and by whom.
    pub decided: Option<(Timestamp, String)>,
}

/// What follows from advisories for what was admitted.
pub trait Exposures: Send + Sync {
    /// Every admitted version of a package, given by its package URL without version; of a crate, under any of the
    /// spellings that `-`, `_` and case make.
    ///
    /// # Errors
    /// [`CatalogueError`].
    fn admissions_as_spelled(&self, package_purl: &str) -> Result<Vec<Admission>, CatalogueError>;

    /// Packages of which a version was admitted, in the order of their package URLs, beginning after one.
    ///
    /// # Errors
    /// [`CatalogueError`].
    fn admitted_packages(&self, after: &str, limit: u32) -> Result<Vec<String>, CatalogueError>;

    /// What was told of the versions of a package, given by its package URL without version.
    ///
    /// # Errors
    /// [`CatalogueError`].
    fn exposures(&self, package_purl: &str) -> Result<Vec<VersionExposure>, CatalogueError>;

    /// Versions of which an advisory was told, as package URLs.
    ///
    /// # Errors
    /// [`CatalogueError`].
    fn exposed_to(&self, advisory: &str) -> Result<Vec<String>, CatalogueError>;

    /// Notes what is told of versions from now on, in the place of what was; all or none.
    ///
    /// # Errors
    /// [`CatalogueError`].
    fn set_exposures(&self, told: &[VersionExposure]) -> Result<(), CatalogueError>;

    /// Every advisory that waits or was decided on.
    ///
    /// # Errors
    /// [`CatalogueError`].
    fn advisory_holds(&self) -> Result<Vec<AdvisoryHold>, CatalogueError>;

    /// Keeps holds, new ones or known ones in another state; all or none.
    ///
    /// # Errors
    /// [`CatalogueError`].
    fn put_advisory_holds(&self, holds: &[AdvisoryHold]) -> Result<(), CatalogueError>;

    /// Forgets a hold. False where there is none.
    ///
    /// # Errors
    /// [`CatalogueError`].
    fn end_advisory_hold(&self, advisory: &str) -> Result<bool, CatalogueError>;
}
