//! What an index says of the files it lists, in one shape for every ecosystem.

use crate::{Digest, FileName, Timestamp, Version};

/// Something an index may or may not say. Not saying is not the same as saying no.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Stated<T> {
    /// The index says so.
    Known(T),
    /// This index does not carry the information.
    #[default]
    NotOffered,
}

impl<T> Stated<T> {
    /// The value, where the index says it.
    pub const fn known(&self) -> Option<&T> {
        match self {
            Self::Known(value) => Some(value),
            Self::NotOffered => None,
        }
    }
}

/// Upstream's word that a file should not be chosen any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Yanked {
    /// Why, where upstream says.
    pub reason: Option<String>,
}

/// One file an index offers: the unit a resolver selects and a decision is made on.
///
/// npm and cargo list one file per version; PyPI lists several, added at different times.
#[derive(Clone, Debug)]
pub struct ListedFile {
    /// The version the file belongs to.
    pub version: Version,
    /// The file's name, which with the package names it for good.
    pub file: FileName,
    /// Where upstream keeps the bytes: an absolute URL.
    pub location: url::Url,
    /// Every digest the index promises, strongest first. Empty where it promises none.
    pub digests: Vec<Digest>,
    /// Size in bytes, where the index says (npm says only the unpacked size, which is not this).
    pub size: Option<u64>,
    /// When upstream claims the file was published.
    pub published_at: Option<Timestamp>,
    /// Set where upstream yanked it.
    pub yanked: Option<Yanked>,
    /// Upstream's deprecation text.
    pub deprecated: Option<String>,
    /// The licence as declared: an SPDX expression or free text; `Known("")` where the package declares none.
    pub licence: Stated<String>,
    /// Whether installing runs a script of the package.
    pub install_script: Stated<bool>,
    /// Who published this version.
    pub publisher: Stated<String>,
    /// Whether the registry offers an attestation for the file.
    pub attestation: Stated<bool>,
    /// Digests of the metadata sidecar (PEP 658 / PEP 714); `None` where no sidecar is announced.
    pub metadata_sidecar: Option<Vec<Digest>>,
}
