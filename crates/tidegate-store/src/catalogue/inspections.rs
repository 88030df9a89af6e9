//! What inspection found, by digest; comparisons between versions; what is bundled in what.

use std::borrow::Cow;

use tidegate_model::{Sha256, Timestamp};

use super::CatalogueError;

/// One inspection. The texts are the inspector's; the catalogue does not read them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredInspection {
    /// Of which bytes.
    pub sha256: Sha256,
    /// By which version of the inspector.
    pub inspector: u32,
    /// When.
    pub at: Timestamp,
    /// What decisions read of it, as JSON; small.
    pub facts: String,
    /// Everything, as JSON.
    pub report: String,
}

/// What decisions read of one inspection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InspectedFacts {
    /// Of which bytes.
    pub sha256: Sha256,
    /// By which version of the inspector.
    pub inspector: u32,
    /// When.
    pub at: Timestamp,
    /// As JSON.
    pub facts: String,
}

/// What one artifact was compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ComparisonKind {
    /// With the artifact of the version before.
    Release,
    /// With what the index says of it.
    Manifest,
}

impl ComparisonKind {
    /// The word in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Release => "release",
            Self::Manifest => "manifest",
        }
    }
}

impl std::str::FromStr for ComparisonKind {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        [Self::Release, Self::Manifest]
            .into_iter()
            .find(|kind| kind.as_str() == word)
            .ok_or_else(|| format!("`{}` is not release or manifest", word.escape_debug()))
    }
}

/// One comparison. It belongs to both digests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// Package URL with version, under which the bytes were listed.
    pub purl: String,
    /// With what.
    pub kind: ComparisonKind,
    /// The bytes.
    pub sha256: Sha256,
    /// Digest of what they were compared with.
    pub against: Sha256,
    /// By which version of the inspector.
    pub inspector: u32,
    /// When.
    pub at: Timestamp,
    /// Findings, as JSON.
    pub findings: String,
}

/// A component inside an artifact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BundledComponent {
    /// Package URL with version.
    pub purl: String,
    /// Nested path.
    pub path: String,
}

impl BundledComponent {
    /// Under which package URL without version it is found by those who ask what holds it: its own, but of packages of Debian's and
    /// Alpine's families that of their source, which is what advisories name; where letters mean the same in both cases, in lower
    /// case.
    #[must_use]
    pub fn key(&self) -> Cow<'_, str> {
        let (path, qualifiers) = self.purl.split_once('?').unwrap_or((&self.purl, ""));
        let package = super::decisions::package_of(path).0;
        let kind = package.strip_prefix("pkg:").and_then(|rest| rest.split('/').next()).unwrap_or_default();
        let source = || {
            let upstream = qualifiers.split('&').find_map(|one| one.strip_prefix("upstream="))?;
            // The `@` before a source's version is encoded, or not.
            let name = upstream.split("%40").next()?.split('@').next()?;
            let (vendor, _) = package.rsplit_once('/')?;
            (!name.is_empty()).then(|| Cow::Owned(format!("{vendor}/{name}")))
        };
        match kind {
            "deb" | "apk" => source().unwrap_or(Cow::Borrowed(package)),
            "nuget" | "composer" => Cow::Owned(package.to_lowercase()),
            _ => Cow::Borrowed(package),
        }
    }
}

/// A component in a file of a version.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ComponentHolder {
    /// The component: package URL with version.
    pub purl: String,
    /// The artifact that holds it.
    pub sha256: Sha256,
    /// Where in it.
    pub path: String,
    /// Whose file that is: the ecosystem's word,
    pub ecosystem: String,
    /// normalised package name,
    pub package: String,
    /// and version as published.
    pub version: String,
}

/// An artifact that an older inspector looked at, and what it is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutdatedInspection {
    /// The bytes, which are stored.
    pub sha256: Sha256,
    /// The ecosystem's word.
    pub ecosystem: String,
    /// Normalised package name.
    pub package: String,
    /// Version as published.
    pub version: String,
    /// File name.
    pub file: String,
}

/// What an issuer said of a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AskedSecret {
    /// The keyed hash of its value, as findings carry it.
    pub secret_hash: String,
    /// The detector that found it.
    pub detector: String,
    /// `live`, `dead` or `unknown`.
    pub state: String,
    /// When it was asked.
    pub at: Timestamp,
}

/// Inspections, comparisons and components.
pub trait Inspections: Send + Sync {
    /// The last inspection of some bytes.
    ///
    /// # Errors
    /// [`CatalogueError`].
    fn inspection(&self, sha256: &Sha256) -> Result<Option<StoredInspection>, CatalogueError>;

    /// Records an inspection and the components it found, in the place of what was recorded of these bytes before.
    ///
    /// # Errors
    /// [`CatalogueError`].
    fn put_inspection(
        &self,
        inspection: &StoredInspection,
        components: &[BundledComponent],
    ) -> Result<(), CatalogueError>;

    /// What decisions read of every pinned file of a package that was inspected.
    ///
    /// # Errors
    /// [`CatalogueError`].
    fn inspected_of(&self, ecosystem: &str, package: &str) -> Result<Vec<InspectedFacts>, CatalogueError>;

    /// Artifacts that hold bytes here and were inspected by an older inspector than `inspector`, last accessed first.
    ///
    /// # Errors
    /// [`CatalogueError`].
    fn outdated_inspections(
        &self,
        inspector: u32,
        limit: u32,
    ) -> Result<Vec<OutdatedInspection>, CatalogueError>;

    /// Records a comparison, in the place of one of the same two by an older inspector; one with an index in the place of
    /// any other with it, since an index says one thing at a time.
    ///
    /// # Errors
    /// [`CatalogueError`].
    fn put_comparison(&self, comparison: &Comparison) -> Result<(), CatalogueError>;

    /// Every comparison of a package's versions; `package_purl` is without version.
    ///
    /// # Errors
    /// [`CatalogueError`].
    fn comparisons_of(&self, package_purl: &str) -> Result<Vec<Comparison>, CatalogueError>;

    /// Versions whose files hold a component, of any version; `package_purl` is without version, as [`BundledComponent::key`] has it.
    ///
    /// # Errors
    /// [`CatalogueError`].
    fn component_holders(&self, package_purl: &str) -> Result<Vec<ComponentHolder>, CatalogueError>;

    /// The components in the files of a package's versions.
    ///
    /// # Errors
    /// [`CatalogueError`].
    fn components_in(&self, ecosystem: &str, package: &str) -> Result<Vec<ComponentHolder>, CatalogueError>;

    /// The components of some bytes.
    ///
    /// # Errors
    /// [`CatalogueError`].
    fn components_of(&self, sha256: &Sha256) -> Result<Vec<BundledComponent>, CatalogueError>;

    /// Artifacts that hold bytes here and in which likely secrets were found, by digest, beginning after one.
    ///
    /// # Errors
    /// [`CatalogueError`].
    fn artifacts_with_secrets(
        &self,
        after: Option<&Sha256>,
        limit: u32,
    ) -> Result<Vec<Sha256>, CatalogueError>;

    /// What issuers said of secrets, by hash and detector; of those of these hashes.
    ///
    /// # Errors
    /// [`CatalogueError`].
    fn asked_secrets(&self, secret_hashes: &[String]) -> Result<Vec<AskedSecret>, CatalogueError>;

    /// Records what an issuer said, in the place of what it said before.
    ///
    /// # Errors
    /// [`CatalogueError`].
    fn put_asked_secret(&self, asked: &AskedSecret) -> Result<(), CatalogueError>;
}
