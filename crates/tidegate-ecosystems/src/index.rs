//! An index: what a package offers, and how it is shown without what may not be selected.

use tidegate_model::{Action, ListedFile, PackageName, Timestamp};

use crate::advice::Advise;
use crate::catalogue::{Listed, PartOf};
use crate::signed::{AttestationDocument, RegistrySignatures};
use crate::{Companion, View};

/// A parsed index of one package.
pub trait Index: Send + Sync {
    /// Whose index it is.
    fn package(&self) -> &PackageName;

    /// Every file it offers, in the document's order. Decisions are made on these, by position.
    fn files(&self) -> &[ListedFile];

    /// Renders a view without, or with a mark on, what may not be selected.
    ///
    /// Integrity and signature fields, and times, pass unchanged.
    ///
    /// # Errors
    /// A view this ecosystem does not have.
    fn render(&self, view: &View, verdicts: Verdicts<'_>, links: &Links) -> Result<Rendered, IndexError>;

    /// Whether a view tells of vulnerabilities, so that [`Self::render_advised`] is to be asked for it.
    fn tells_vulnerabilities(&self, _view: &View) -> bool {
        false
    }

    /// As [`Self::render`], with vulnerabilities as `advise` knows them; it is `None` where nothing is loaded that could
    /// know any.
    ///
    /// # Errors
    /// As [`Self::render`].
    fn render_advised(
        &self,
        view: &View,
        verdicts: Verdicts<'_>,
        links: &Links,
        _advise: Option<Advise<'_>>,
    ) -> Result<Rendered, IndexError> {
        self.render(view, verdicts, links)
    }

    /// Roughly how many bytes the index keeps in memory, for the cache's budget.
    fn weight(&self) -> usize;

    /// What the document itself says of the version to which a file belongs, as upstream wrote it: npm's version object,
    /// cargo's line, both JSON. None where the document says nothing of a version but its files.
    fn version_object(&self, _position: usize) -> Option<&[u8]> {
        None
    }

    /// The document of attestations that the index announces for a file; `None` where it announces none.
    fn attestations(&self, _position: usize) -> Option<AttestationDocument> {
        None
    }

    /// What the registry itself signed about a file, as the index shows it.
    fn registry_signatures(&self, _position: usize) -> Option<RegistrySignatures> {
        None
    }

    /// The image that this is the index of; `None` for every other kind of index.
    fn image(&self) -> Option<&crate::oci::Image> {
        None
    }

    /// Where upstream keeps what it publishes beside a file; none where it announces no such thing.
    fn companion(&self, _position: usize, _companion: Companion) -> Option<url::Url> {
        None
    }

    /// The packages that a version installs along or needs, by its own word.
    fn brings(&self, _position: usize) -> &[PackageName] {
        &[]
    }

    /// Packages of other ecosystems that the version of a file is made of, and that are decided on with it.
    fn parts(&self, _position: usize) -> &[PartOf] {
        &[]
    }

    /// Addresses at which the version of a file runs elsewhere, by its own word.
    fn remotes(&self, _position: usize) -> &[url::Url] {
        &[]
    }

    /// Its versions as a list of all packages shows them, in their order; empty where there is no such list.
    fn listed(&self, _verdicts: Verdicts<'_>) -> Vec<Listed> {
        Vec::new()
    }

    /// One of them in full.
    fn entry(&self, _listed: &Listed, _verdicts: Verdicts<'_>, _links: &Links) -> Option<serde_json::Value> {
        None
    }

    /// When the project's first version was published, by upstream's claim.
    fn project_published_at(&self) -> Option<Timestamp> {
        self.files().iter().filter_map(|f| f.published_at).min()
    }
}

/// What was decided for each file, in the order of [`Index::files`].
pub type Verdicts<'a> = &'a [Verdict];

/// What a resolver may do with one file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// What policy says. Quarantine and block withhold the file.
    pub action: Action,
    /// Whether the file is withheld: [`Action::serves`] unless policy only observes.
    pub withheld: bool,
    /// One line of printable ASCII that says why, for the client to show. Empty where nothing is to be said.
    pub message: String,
    /// From when time alone makes it selectable.
    pub until: Option<Timestamp>,
}

/// Addresses for rewritten links.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Links {
    /// The repository's base as this client reaches it, absolute, with a trailing slash, for example
    /// `http://127.0.0.1:8484/npm/`. Credentials never stand in it, but a `/t/<token>/` prefix may.
    pub base: String,
    /// Servers that run elsewhere and are reached through this door: the address of each, and its name below `run/` of the base.
    pub runs: std::sync::Arc<[(url::Url, String)]>,
}

impl Links {
    /// Links below a base.
    pub fn below(base: impl Into<String>) -> Self {
        Self { base: base.into(), ..Self::default() }
    }

    /// The base of another repository of the same door, as the same client reaches it, with a trailing slash.
    pub fn sibling(&self, repository: &str) -> String {
        let base = self.base.trim_end_matches('/');
        let door = base.rsplit_once('/').map_or(base, |(door, _)| door);
        format!("{door}/{repository}/")
    }
}

/// A rendered view.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rendered {
    /// The document.
    Document {
        /// Its media type.
        content_type: &'static str,
        /// Its bytes, not compressed.
        body: Vec<u8>,
    },
    /// The view names one version and that is withheld: the position of a file that says why.
    Withheld(usize),
    /// The view names a version or tag that the index does not have.
    Absent(String),
    /// The view tells of vulnerabilities, and whether there are any is not known, for this reason. To show none would look
    /// like good news.
    Unknown(String),
}

/// Why an index could not be read or shown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IndexError {
    /// The document is not what the ecosystem says it is.
    #[error("the index of `{package}` could not be read: {why}")]
    Malformed {
        /// Whose index.
        package: String,
        /// What is wrong and where.
        why: String,
    },
    /// The document says that there is no such package.
    #[error("there is no `{package}`")]
    Absent {
        /// Which package.
        package: String,
    },
    /// The document is about another package than the one asked for.
    #[error("the index of `{package}` says it is about `{found}`")]
    OtherPackage {
        /// Whose index was asked for.
        package: String,
        /// What it says it is.
        found: String,
    },
    /// A bound of ours was exceeded.
    #[error("the index of `{package}` has more than {limit}")]
    TooMuch {
        /// Whose index.
        package: String,
        /// The bound, with its unit.
        limit: &'static str,
    },
    /// The ecosystem has no such view.
    #[error("there is no view `{0}`")]
    NoSuchView(String),
}

/// The most files one index may list.
pub const MAX_FILES: usize = 200_000;
