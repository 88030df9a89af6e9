//! What checking the attestations and signatures of files came to, by coordinate.

use tidegate_model::{Sha256, Timestamp};

use super::CatalogueError;

/// One verification. The texts are the verifier's; the catalogue does not read them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredVerification {
    /// Package URL without version.
    pub package: String,
    /// Package URL with version.
    pub purl: String,
    /// Which file of it.
    pub file: String,
    /// The digest that the evidence was checked against, `algorithm:hex`.
    pub subject: String,
    /// Digest over the evidence, the subject, what was demanded and the roots believed: while it stays, so does the result.
    pub key: Sha256,
    /// When.
    pub checked_at: Timestamp,
    /// What decisions read of it, as JSON.
    pub result: String,
}

/// Verifications.
pub trait Verifications: Send + Sync {
    /// What checking the files of a package came to.
    ///
    /// # Errors
    /// [`CatalogueError`].
    fn verifications_of(&self, package: &str) -> Result<Vec<StoredVerification>, CatalogueError>;

    /// The document of attestations that a file was checked with, byte for byte; `None` where nothing is stored or there was
    /// no document.
    ///
    /// # Errors
    /// [`CatalogueError`].
    fn attestations(&self, package: &str, purl: &str, file: &str) -> Result<Option<Vec<u8>>, CatalogueError>;

    /// Takes the place of what was stored for the file.
    ///
    /// # Errors
    /// [`CatalogueError`].
    fn put_verification(
        &self,
        verification: &StoredVerification,
        document: Option<&[u8]>,
    ) -> Result<(), CatalogueError>;
}
