//! Decisions that were recorded. The ledger is the record; this is where they are looked up.

use tidegate_model::{Action, DecisionId, Sha256, Timestamp};

use super::{CatalogueError, Page};

/// One recorded decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecisionRecord {
    /// Its id.
    pub id: DecisionId,
    /// When it was made.
    pub at: Timestamp,
    /// Package URL, with the version where it is about one.
    pub purl: String,
    /// The file, where it is about one.
    pub file: Option<String>,
    /// Digest of the bytes, where they were here.
    pub sha256: Option<Sha256>,
    /// Through which repository.
    pub repository: String,
    /// What it says.
    pub action: Action,
    /// Whether bytes could leave under it; differs from the action where the policy only observes.
    pub served: bool,
    /// Where it stands in lists; given by the catalogue, ignored when put.
    pub seek: i64,
    /// The whole record as JSON.
    pub json: String,
}

/// Which decisions to list. What is `None` does not narrow.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DecisionFilter {
    /// A package URL: with a version that version, without one every version. Prefixes of names do not match.
    pub purl: Option<String>,
    /// Through this repository.
    pub repository: Option<String>,
    /// With this action.
    pub action: Option<Action>,
    /// Made at or after this.
    pub since: Option<Timestamp>,
}

/// A version that was admitted here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admission {
    /// Package URL with version.
    pub purl: String,
    /// When it was first admitted.
    pub first_at: Timestamp,
    /// When it was last decided to be admitted.
    pub last_at: Timestamp,
}

/// Recorded decisions.
pub trait Decisions: Send + Sync {
    /// Records decisions, all or none. A decision that was served and has a digest also makes its version admitted.
    ///
    /// # Errors
    /// [`CatalogueError`]; recording an id again is one.
    fn put_decisions(&self, decisions: &[DecisionRecord]) -> Result<(), CatalogueError>;

    /// Records one decision.
    ///
    /// # Errors
    /// As [`Decisions::put_decisions`].
    fn put_decision(&self, decision: &DecisionRecord) -> Result<(), CatalogueError> {
        self.put_decisions(std::slice::from_ref(decision))
    }

    /// The decision with this id.
    ///
    /// # Errors
    /// [`CatalogueError`].
    fn decision(&self, id: DecisionId) -> Result<Option<DecisionRecord>, CatalogueError>;

    /// Decisions, newest first.
    ///
    /// # Errors
    /// [`CatalogueError`].
    fn decisions(&self, filter: &DecisionFilter, page: Page) -> Result<Vec<DecisionRecord>, CatalogueError>;

    /// What is in quarantine: per file and repository the latest decision, where that one says quarantine. Newest first.
    /// `filter.action` is ignored.
    ///
    /// # Errors
    /// [`CatalogueError`].
    fn quarantined(&self, filter: &DecisionFilter, page: Page)
    -> Result<Vec<DecisionRecord>, CatalogueError>;

    /// The admission of one version, given by its package URL with version.
    ///
    /// # Errors
    /// [`CatalogueError`].
    fn admission(&self, purl: &str) -> Result<Option<Admission>, CatalogueError>;

    /// Every admitted version of a package, given by its package URL without version.
    ///
    /// # Errors
    /// [`CatalogueError`].
    fn admissions(&self, package_purl: &str) -> Result<Vec<Admission>, CatalogueError>;
}

/// A package URL split into the package and whether there is a version. An `@` of a name is always percent-encoded in
/// a package URL, so the last one begins the version.
pub(crate) fn package_of(purl: &str) -> (&str, bool) {
    purl.rsplit_once('@').map_or((purl, false), |(package, _)| (package, true))
}
