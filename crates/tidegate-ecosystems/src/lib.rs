//! What tidegate knows of each ecosystem: its routes, its index formats, how its clients are told no, its lock
//! files; and what stands in SBOMs of every ecosystem.
//!
//! Everything here is a function from bytes to values or back. Nothing here fetches, stores, decides or reads a clock,
//! and no registry's host name stands here. An ecosystem is a folder that implements [`Protocol`]; the rest of the
//! product reaches it through [`protocol`].

pub mod advice;
pub mod answer;
pub mod ask;
pub mod cargo;
pub mod catalogue;
pub mod commits;
pub mod huggingface;
pub mod index;
pub mod inventory;
pub mod likeness;
pub mod lockfile;
pub mod mcp;
pub mod npm;
pub mod oci;
pub mod pypi;
pub mod queries;
pub mod signed;
pub mod upstream;
pub mod vscode;

use tidegate_model::{Denial, Ecosystem, PackageName};

pub use answer::Answer;
pub use ask::{ApiCall, Ask, ClientRequest, Companion, FileSelector, Part, RouteError, View};
pub use catalogue::Catalogue;
pub use commits::Commits;
pub use index::{Index, IndexError, Links, Rendered, Verdict, Verdicts};
pub use queries::{Found, Queries, Query};
pub use signed::{AttestationDocument, AttestationForm, RegistrySignatures};
pub use upstream::{DocumentRequest, FetchedDocument, UpstreamBase};

/// One ecosystem's client protocol. All methods are pure.
pub trait Protocol: Send + Sync + 'static {
    /// Which ecosystem this is.
    fn ecosystem(&self) -> Ecosystem;

    /// Reads a client's request below the repository's base into what it asks for.
    ///
    /// # Errors
    /// A route that the ecosystem does not describe, or a path that names nothing it could name. Both are refused; an
    /// implementation never guesses.
    fn route(&self, request: &ClientRequest<'_>) -> Result<Ask, RouteError>;

    /// Every [`Ask::kind`] that [`Protocol::route`] can give. An ask of another kind is refused, and the one-door tests
    /// demand a row for each: so no new form, service or document can come in beside the gate.
    fn kinds(&self) -> &'static [&'static str];

    /// How versions are found where packages are repositories of files and versions are their commits; `None` elsewhere.
    fn commits(&self) -> Option<&'static dyn Commits> {
        None
    }

    /// How questions about several packages are answered; `None` where clients ask none.
    fn queries(&self) -> Option<&'static dyn Queries> {
        None
    }

    /// The list of packages that clients are to give up, where they read one.
    fn recall(&self, _recalled: &[queries::Recalled]) -> Option<Answer> {
        None
    }

    /// How the list of all packages is followed, where that list is the index of each of them; `None` elsewhere.
    fn catalogue(&self) -> Option<&'static dyn Catalogue> {
        None
    }

    /// Headers that every view needs so that clients of the ecosystem may read it.
    fn view_headers(&self) -> Vec<(http::HeaderName, http::HeaderValue)> {
        Vec::new()
    }

    /// A document that must be fetched once per upstream before any other (cargo's `config.json`).
    fn prelude(&self, _upstream: &UpstreamBase) -> Option<DocumentRequest> {
        None
    }

    /// Whether a prelude can be used. One that cannot is not kept.
    ///
    /// # Errors
    /// What is wrong with it.
    fn check_prelude(&self, _prelude: &FetchedDocument) -> Result<(), IndexError> {
        Ok(())
    }

    /// The document that lists a package's files.
    fn index_request(&self, package: &PackageName, upstream: &UpstreamBase) -> DocumentRequest;

    /// A second document worth asking for because `index` lacks what policy reads (publish times above all). Best
    /// effort: its absence is a gap, not a failure.
    fn supplement_request(
        &self,
        _package: &PackageName,
        _upstream: &UpstreamBase,
        _index: &dyn Index,
        _prelude: Option<&FetchedDocument>,
    ) -> Option<DocumentRequest> {
        None
    }

    /// Reads the upstream's documents into an index.
    ///
    /// # Errors
    /// The document is not what the ecosystem says it is, or breaks a bound (size, depth, number of versions). One
    /// file that cannot be understood is left out, never a reason to fail the whole document.
    fn parse_index(
        &self,
        package: &PackageName,
        upstream: &UpstreamBase,
        index: &FetchedDocument,
        prelude: Option<&FetchedDocument>,
        supplement: Option<&FetchedDocument>,
    ) -> Result<std::sync::Arc<dyn Index>, IndexError>;

    /// The keys with which the registry itself signs what its index says; `None` where it does not.
    fn registry_keys_request(&self, _upstream: &UpstreamBase) -> Option<DocumentRequest> {
        None
    }

    /// The upstream request behind an [`ApiCall`], built from its parsed parts; `None` where this upstream cannot have
    /// such a service.
    fn api_request(
        &self,
        call: &ApiCall,
        upstream: &UpstreamBase,
        prelude: Option<&FetchedDocument>,
    ) -> Option<DocumentRequest>;

    /// What to ask where the upstream does not offer a service, and what its answer is where it has not even that; `None` where
    /// a service that is not offered is just that.
    fn api_fallback(
        &self,
        _call: &ApiCall,
        _upstream: &UpstreamBase,
    ) -> Option<(DocumentRequest, bytes::Bytes)> {
        None
    }

    /// What the upstream answered to an [`ApiCall`] in a form that leads nowhere else; `link` is its `Link` header. `None` where
    /// the document passes as it is.
    fn api_answer(
        &self,
        _call: &ApiCall,
        _document: &FetchedDocument,
        _link: Option<&str>,
        _links: &Links,
    ) -> Option<Result<Answer, IndexError>> {
        None
    }

    /// An [`ApiCall`]'s request body without the private names in it, so that they stay home. `Err` names why a body
    /// cannot be read (it is then refused, not forwarded).
    ///
    /// # Errors
    /// The body is not what the call takes.
    fn redact_api_body(
        &self,
        _call: &ApiCall,
        body: &[u8],
        _is_private: &dyn Fn(&PackageName) -> bool,
    ) -> Result<Vec<u8>, String> {
        Ok(body.to_vec())
    }

    /// Answers an audit out of the advisories that this door knows; `None` where the call is no audit.
    ///
    /// # Errors
    /// The body is not what the call takes, or `advise` does not know.
    fn advise(
        &self,
        _call: &ApiCall,
        _body: &[u8],
        _advise: advice::Advise<'_>,
    ) -> Option<Result<Answer, String>> {
        None
    }

    /// A document that we make ourselves (cargo's `config.json`, npm's `ping` and `whoami`).
    fn generate(
        &self,
        document: &str,
        links: &Links,
        principal: &tidegate_model::Principal,
        auth_required: bool,
    ) -> Answer;

    /// Puts a refusal into the words and the form that this ecosystem's clients show to a person.
    fn deny(&self, denial: &Denial, request: &ClientRequest<'_>) -> Answer;

    /// The challenge sent with a 401 on a listener that demands a token.
    fn challenge(&self) -> &'static str {
        "Basic realm=\"tidegate\""
    }

    /// The conventional path of an artifact below the repository's base, without a leading slash, for messages and tests.
    fn artifact_path(&self, file: &tidegate_model::ListedFile, package: &PackageName) -> String;
}

/// The protocol of an ecosystem.
pub fn protocol(ecosystem: Ecosystem) -> &'static dyn Protocol {
    match ecosystem {
        Ecosystem::Npm => &npm::Npm,
        Ecosystem::Pypi => &pypi::Pypi,
        Ecosystem::Cargo => &cargo::Cargo,
        Ecosystem::Huggingface => &huggingface::Huggingface,
        Ecosystem::Oci => &oci::Oci,
        Ecosystem::Vscode => &vscode::Vscode,
        Ecosystem::Mcp => &mcp::Mcp,
    }
}
