//! What was stated and signed of artifacts, how far along the ledger that is, and which policy was in force when.

use tidegate_model::{Action, Sha256, Timestamp};

use super::CatalogueError;

/// One signed statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustodyStatement {
    /// What kind of thing it says.
    pub predicate_type: String,
    /// SHA-256 of its payload.
    pub payload: Sha256,
    /// SHA-256 of the bundle.
    pub bundle_digest: Sha256,
    /// The bundle, byte for byte.
    pub bundle: Vec<u8>,
    /// Of images: the manifest that refers to the image, with its digest.
    pub manifest: Option<(Sha256, Vec<u8>)>,
}

/// Something that happened to an artifact and was stated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustodyEvent {
    /// The artifact.
    pub sha256: Sha256,
    /// What it is called.
    pub purl: String,
    /// Which file of that it is, where that is known.
    pub file: Option<String>,
    /// In which repository it was decided on.
    pub repository: String,
    /// What happened: `stored` and the like.
    pub event: String,
    /// What the decision does.
    pub action: Action,
    /// When.
    pub at: Timestamp,
    /// The ledger's entry, `<node>-<number>`.
    pub record: String,
    /// SHA-256 of the payload of the custody record.
    pub payload: Sha256,
    /// The same of the custody record before it; none in the first of a chain.
    pub previous: Option<Sha256>,
    /// What was signed of it, the custody record first.
    pub statements: Vec<CustodyStatement>,
}

/// A policy that came into force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustodyPolicy {
    /// The ledger's entry.
    pub record: String,
    /// When.
    pub at: Timestamp,
    /// Its digest.
    pub policy: Sha256,
}

/// How far along a node's ledger everything is stated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CustodyCursor<'a> {
    /// Whose ledger.
    pub node: &'a str,
    /// Everything up to this entry.
    pub seq: u64,
}

/// Whose statements are asked for, for OCI: those of one repository about one package.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CustodyOf<'a> {
    /// In which repository.
    pub repository: &'a str,
    /// Package URL without version.
    pub package: &'a str,
}

/// A generated document that stands for a statement in a registry of images.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CustodyDocument {
    /// A manifest.
    Manifest(Vec<u8>),
    /// A bundle.
    Bundle(Vec<u8>),
}

/// Statements.
pub trait CustodyRecords: Send + Sync {
    /// Up to which entry of a node everything is stated; none where nothing was stated yet.
    ///
    /// # Errors
    /// [`CatalogueError`].
    fn custody_cursor(&self, node: &str) -> Result<Option<u64>, CatalogueError>;

    /// Moves the cursor forward, and keeps what was stated of its entry, both or neither. An entry that was stated before, and a
    /// record that follows one which another follows already, are refused.
    ///
    /// # Errors
    /// [`CatalogueError`].
    fn advance_custody(
        &self,
        cursor: CustodyCursor<'_>,
        event: Option<&CustodyEvent>,
        policy: Option<&CustodyPolicy>,
    ) -> Result<(), CatalogueError>;

    /// The payload of the last custody record of an artifact by this name.
    ///
    /// # Errors
    /// [`CatalogueError`].
    fn custody_head(&self, sha256: &Sha256, purl: &str) -> Result<Option<Sha256>, CatalogueError>;

    /// What the last stated decision on an artifact in a repository does.
    ///
    /// # Errors
    /// [`CatalogueError`].
    fn custody_action(
        &self,
        sha256: &Sha256,
        purl: &str,
        repository: &str,
    ) -> Result<Option<Action>, CatalogueError>;

    /// The bytes that were last stated to be this file of a version.
    ///
    /// # Errors
    /// [`CatalogueError`].
    fn custody_of_file(
        &self,
        purl: &str,
        file: &str,
        repository: &str,
    ) -> Result<Option<Sha256>, CatalogueError>;

    /// Everything that was stated of an artifact, in the order in which it was; at most `limit` events.
    ///
    /// # Errors
    /// [`CatalogueError`].
    fn custody_events(&self, sha256: &Sha256, limit: u32) -> Result<Vec<CustodyEvent>, CatalogueError>;

    /// Policies that came into force, in the order of the ledger.
    ///
    /// # Errors
    /// [`CatalogueError`].
    fn custody_policies(&self) -> Result<Vec<CustodyPolicy>, CatalogueError>;

    /// The manifest or bundle of this digest, where it is about an image of that package in that repository.
    ///
    /// # Errors
    /// [`CatalogueError`].
    fn custody_document(
        &self,
        of: CustodyOf<'_>,
        digest: &Sha256,
    ) -> Result<Option<CustodyDocument>, CatalogueError>;

    /// Whether there is any document for images of that package in that repository.
    ///
    /// # Errors
    /// [`CatalogueError`].
    fn has_custody(&self, of: CustodyOf<'_>) -> Result<bool, CatalogueError>;
}
