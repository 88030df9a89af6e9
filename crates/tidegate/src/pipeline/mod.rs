//! The life of a request.
//!
//! ```text
//! RequestHead ─ecosystem→ Ask ─store→ Staged ─inspect→ Inspected
//!             ─intel, provenance→ Facts ─policy→ Decision ─ledger→ Admitted | Refused → Response
//! ```
//!
//! [`answer`] is that line. What it returns has its entry in the ledger already; there is no other way to a response.

pub mod admission;
pub mod ahead;
pub mod alarms;
pub mod approved;
pub mod artifacts;
pub mod brought;
pub mod catalogue;
pub mod catalogue_ask;
mod commit_ask;
pub mod commits;
mod comparing;
pub mod contents;
pub mod decide;
pub mod denials;
pub mod documents;
pub mod facts;
pub mod file_ask;
pub mod group;
mod image_ask;
pub mod images;
mod index_ask;
mod listed;
pub mod package;
pub mod parts;
mod query_ask;
pub mod recall;
mod service_ask;
pub mod views;

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Method};
use tidegate_ecosystems::{Answer, Ask, ClientRequest, FileSelector, Links, RouteError};
use tidegate_ledger::RecordError;
use tidegate_ledger::entry::{CacheState, Text};
use tidegate_model::denial::DenialKind;
use tidegate_model::{Denial, Ecosystem, Sha256, Timestamp};

use crate::door::{Door, Identity, Repository};
use admission::{Admitted, Circumstances, Refused};
use decide::Decided;

pub use file_ask::Hot;

/// A client's request to a package route, authenticated.
#[derive(Clone, Debug)]
pub struct PackageRequest {
    /// Which repository.
    pub repository: Arc<Repository>,
    /// GET, HEAD or POST.
    pub method: Method,
    /// The raw path below the repository's base.
    pub path: String,
    /// The raw query.
    pub query: Option<String>,
    /// Request headers, without credentials.
    pub headers: HeaderMap,
    /// The body, unpacked; empty for GET and HEAD.
    pub body: Bytes,
    /// Who asks.
    pub identity: Arc<Identity>,
    /// The repository's base as this client reaches it.
    pub base: String,
    /// The door's base as this client reaches it, without credentials.
    pub door_url: String,
    /// Whether the listener demands a token.
    pub auth_required: bool,
}

/// What goes into the head of a served response, beside what every response carries.
#[derive(Clone, Debug, Default)]
pub struct Representation {
    /// `Content-Type`.
    pub content_type: &'static str,
    /// `ETag`.
    pub etag: String,
    /// `Content-Encoding`.
    pub content_encoding: Option<&'static str>,
    /// `Vary`; empty where the answer depends on nothing.
    pub vary: &'static str,
    /// `Cache-Control`.
    pub cache_control: &'static str,
    /// Whether ranges are served.
    pub ranges: bool,
    /// Whole length of the representation in bytes, for `Content-Range`.
    pub length: u64,
    /// Degraded controls, for a header.
    pub degraded: Arc<[Text]>,
    /// What policy warns of, for a header.
    pub warning: Option<String>,
    /// What clients of the ecosystem need beside that.
    pub headers: Vec<(http::HeaderName, http::HeaderValue)>,
}

/// A recorded answer.
#[derive(Debug)]
pub enum Answered {
    /// Bytes of an artifact or a view.
    Served(Admitted, Representation),
    /// A refusal, a generated document, a relayed service.
    Told(Refused),
}

/// Answers a request. Every path through here ends in an entry, or in the error that there can be none.
///
/// # Errors
/// The ledger cannot record. Nothing is served then.
pub async fn answer(door: &Arc<Door>, request: &PackageRequest) -> Result<Answered, RecordError> {
    let protocol = request.repository.protocol;
    // INVARIANT: one door. What an ecosystem does not list among its kinds is refused, not passed through.
    let ask = protocol.route(&request.client_request()).and_then(|ask| {
        if protocol.kinds().contains(&ask.kind()) {
            return Ok(ask);
        }
        Err(RouteError::Unknown { ecosystem: protocol.ecosystem(), what: ask.kind().to_owned() })
    });
    match ask {
        Ok(Ask::Artifact { package, file: FileSelector::Path { revision, path }, .. }) => {
            commit_ask::answer(door, request, &package, &revision, &path).await
        }
        Ok(Ask::Artifact {
            package,
            file: file @ (FileSelector::Manifest(_) | FileSelector::Blob(_)),
            ..
        }) => image_ask::answer(door, request, &package, &file).await,
        Ok(Ask::Artifact { package, file, part }) => {
            file_ask::answer(door, request, &package, &file, part).await
        }
        Ok(Ask::Index { package, view }) => index_ask::answer(door, request, &package, &view).await,
        Ok(Ask::Catalogue { form, query }) => catalogue_ask::answer(door, request, form, &query).await,
        Ok(Ask::Api(call)) => service_ask::relay(door, request, &call).await,
        Ok(Ask::Query(query)) => query_ask::answer(door, request, &query).await,
        Ok(Ask::Recall) => recall::answer(door, request).await,
        Ok(Ask::Generated { document }) => service_ask::generate(door, request, document),
        Ok(Ask::Redirect { to }) => service_ask::redirect(door, request, &to),
        Ok(Ask::NotOffered { what }) => {
            let denial = denials::plain(DenialKind::NotOffered, what, "");
            refuse(door, request, &Told::new("refused"), &denial)
        }
        Err(error) => refuse(door, request, &Told::new("refused"), &route_denial(&error)),
    }
}

fn route_denial(error: &RouteError) -> Denial {
    let kind = match error {
        RouteError::Unknown { .. } | RouteError::Method { .. } => DenialKind::UnknownRoute,
        RouteError::Malformed(_) => DenialKind::BadRequest,
    };
    denials::plain(
        kind,
        format!("tidegate: {error}"),
        "Only the routes that the ecosystem describes are served.",
    )
}

impl PackageRequest {
    /// Where links in answers to it lead.
    pub fn links(&self, door: &Door) -> Links {
        let mut links = Links::below(self.base.clone());
        // The runtime proxy has its place below the repository of this name.
        if &*self.repository.name == Ecosystem::Mcp.as_str() {
            let servers = &door.config.mcp.server;
            links.runs = servers.iter().map(|(name, server)| (server.url.clone(), name.clone())).collect();
        }
        links
    }

    /// The request as the ecosystem reads it.
    pub fn client_request(&self) -> ClientRequest<'_> {
        ClientRequest {
            method: &self.method,
            path: &self.path,
            query: self.query.as_deref(),
            headers: &self.headers,
            body: &self.body,
        }
    }
}

/// What an entry says of an answer, where it is more than the request.
#[derive(Clone, Debug, Default)]
struct Told<'a> {
    operation: &'static str,
    purl: Option<Text>,
    file: Option<Text>,
    sha256: Option<Sha256>,
    decision: Option<&'a Decided>,
    cache: Option<CacheState>,
    upstream: Option<Text>,
    degraded: Arc<[Text]>,
}

impl Told<'_> {
    fn new(operation: &'static str) -> Self {
        Self { operation, ..Self::default() }
    }
}

fn circumstances<'a>(
    door: &Door,
    request: &'a PackageRequest,
    told: &Told<'a>,
    at: Timestamp,
) -> Circumstances<'a> {
    Circumstances {
        identity: &request.identity,
        repository: request.repository.name.clone(),
        ecosystem: Some(request.repository.ecosystem),
        method: door.words.method(&request.method),
        operation: door.words.operation(told.operation),
        purl: told.purl.clone(),
        file: told.file.clone(),
        sha256: told.sha256,
        decision: told.decision,
        policy: Some(door.rules().policy.digest()),
        cache: told.cache,
        upstream: told.upstream.clone(),
        degraded: told.degraded.clone(),
        at,
    }
}

/// Records a refusal and puts it into the ecosystem's words.
fn refuse(
    door: &Door,
    request: &PackageRequest,
    told: &Told<'_>,
    denial: &Denial,
) -> Result<Answered, RecordError> {
    let answer = request.repository.protocol.deny(denial, &request.client_request());
    tell(door, request, told, answer)
}

/// Records a refusal made before a request was understood: no identity, no readable body.
///
/// # Errors
/// The ledger cannot record.
pub fn refuse_request(
    door: &Door,
    request: &PackageRequest,
    denial: &Denial,
) -> Result<Answered, RecordError> {
    let mut answer = request.repository.protocol.deny(denial, &request.client_request());
    if denial.kind == DenialKind::Unauthenticated {
        answer = answer.with_header(http::header::WWW_AUTHENTICATE, request.repository.protocol.challenge());
    }
    tell(door, request, &Told::new("refused"), answer)
}

/// Records an answer that carries no artifact.
fn tell(
    door: &Door,
    request: &PackageRequest,
    told: &Told<'_>,
    answer: Answer,
) -> Result<Answered, RecordError> {
    let circumstances = circumstances(door, request, told, door.clock.now());
    admission::refuse(&door.recorder, &circumstances, answer).map(Answered::Told)
}
