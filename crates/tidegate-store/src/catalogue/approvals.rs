//! Lists of what is approved.

use tidegate_model::Timestamp;
use tidegate_model::approval::Approval;

use super::{CatalogueError, WaiverEvent};

/// An approval with its history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredApproval {
    /// The approval as it stands.
    pub approval: Approval,
    /// Counts its changes; a change names the one it was made on.
    pub revision: u64,
    /// Every step, oldest first. The steps are those of an exception.
    pub history: Vec<WaiverEvent>,
}

/// Which approvals to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ApprovalFilter {
    /// Of this package URL, exactly as the approval names it.
    pub purl: Option<String>,
    /// Not expired at this time.
    pub unexpired_at: Option<Timestamp>,
}

/// Approvals. The catalogue is the truth; files are import and export.
pub trait Approvals: Send + Sync {
    /// Records a new approval with its first event. False where its id is taken.
    ///
    /// # Errors
    /// [`CatalogueError`].
    fn put_approval(&self, approval: &Approval, event: &WaiverEvent) -> Result<bool, CatalogueError>;

    /// Replaces an approval made on `revision`. False where it has changed since, or does not exist: read it again.
    ///
    /// # Errors
    /// [`CatalogueError`].
    fn replace_approval(
        &self,
        approval: &Approval,
        revision: u64,
        event: &WaiverEvent,
    ) -> Result<bool, CatalogueError>;

    /// One approval.
    ///
    /// # Errors
    /// [`CatalogueError`].
    fn approval(&self, id: &str) -> Result<Option<StoredApproval>, CatalogueError>;

    /// Approvals, by id. There are few; the list is whole.
    ///
    /// # Errors
    /// [`CatalogueError`].
    fn approvals(&self, filter: &ApprovalFilter) -> Result<Vec<StoredApproval>, CatalogueError>;
}
