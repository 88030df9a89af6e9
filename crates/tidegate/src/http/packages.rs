//! Package routes: who asks, through which repository, and the way into the pipeline.

use std::io::Read as _;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use http::header::{self, HeaderMap};
use http::request::Parts;
use http::{Method, StatusCode, Uri};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::Incoming;
use tidegate_ecosystems::Answer;
use tidegate_model::denial::DenialKind;
use tidegate_model::{Denial, Secret};
use tidegate_store::catalogue::TokenHash;

use super::respond::{self, HttpResponse};
use crate::door::{Door, Identity, Repository, identify, token_of};
use crate::pipeline::{self, Answered, PackageRequest, denials};

/// How a request came in.
#[derive(Clone, Copy, Debug)]
pub struct Arrival {
    /// The client's address; none through the Unix socket.
    pub peer: Option<SocketAddr>,
    /// Whether package routes demand a token.
    pub auth_required: bool,
    /// Whether the connection is encrypted.
    pub tls: bool,
}

impl Arrival {
    /// The client's IP address; loopback for the Unix socket.
    pub fn address(&self) -> IpAddr {
        self.peer.map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |p| p.ip())
    }
}

/// The door's base address as this client reaches it, with a trailing slash: the configured one, else what the `Host`
/// header says.
pub fn door_url(door: &Door, headers: &HeaderMap, arrival: &Arrival) -> String {
    if let Some(url) = &door.config.server.public_url {
        let mut text = url.to_string();
        if !text.ends_with('/') {
            text.push('/');
        }
        return text;
    }
    let scheme = if arrival.tls { "https" } else { "http" };
    let host = headers.get(header::HOST).and_then(|v| v.to_str().ok()).filter(|h| is_host(h));
    match host {
        Some(host) => format!("{scheme}://{host}/"),
        None => format!("{scheme}://{}/", door.config.server.listen),
    }
}

/// Whether text can stand in a URL as host and port.
fn is_host(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 255
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b':' | b'[' | b']' | b'_'))
}

/// Why a request has no identity.
pub enum NoIdentity {
    /// A token was shown and is not valid.
    Wrong,
    /// A token is demanded and none was shown.
    Missing,
    /// It is valid and not for this repository.
    NotHere,
    /// The catalogue failed.
    Failed(String),
}

/// Finds out who asks. The result is cached until a token is revoked or ends.
///
/// # Errors
/// [`NoIdentity`].
pub async fn who(
    door: &Arc<Door>,
    token: Option<Secret<String>>,
    headers: &HeaderMap,
    arrival: &Arrival,
    demanded: bool,
) -> Result<Arc<Identity>, NoIdentity> {
    if token.is_none() && demanded {
        return Err(NoIdentity::Missing);
    }
    let hash = token.as_ref().map(|t| TokenHash::of(t.expose()));
    let client = headers.get(header::USER_AGENT).and_then(|v| v.to_str().ok()).map(str::to_owned);
    let key = (hash, arrival.address(), client);
    let now = door.clock.now();
    if let Some(identity) = door.caches.identities.get(&key) {
        if identity.expires_at.is_none_or(|end| now < end) {
            return Ok(identity);
        }
        door.caches.identities.remove(&key);
    }
    let revocations = door.revocations.load(Ordering::SeqCst);
    let (door2, key2) = (door.clone(), key.clone());
    let found = door
        .blocking(move || {
            // Nobody is forgotten between the look at the token and the look at the person.
            let _not_now = door2.forgetting.read().unwrap_or_else(std::sync::PoisonError::into_inner);
            let token = match &key2.0 {
                Some(hash) => {
                    let token =
                        door2.store.catalogue.token(hash).map_err(|e| NoIdentity::Failed(e.to_string()))?;
                    Some(token.filter(|t| t.is_valid_at(now)).ok_or(NoIdentity::Wrong)?)
                }
                None => None,
            };
            identify(&*door2.store.catalogue, token.as_ref(), key2.1, key2.2.as_deref(), now)
                .map_err(|e| NoIdentity::Failed(e.to_string()))
        })
        .await?;
    let identity = Arc::new(found);
    door.caches.identities.insert(key.clone(), Arc::clone(&identity));
    if door.revocations.load(Ordering::SeqCst) != revocations {
        // What was looked up may have been revoked since; the next request looks again.
        door.caches.identities.remove(&key);
    }
    Ok(identity)
}

/// In place of a token in a path: the token comes in the `Authorization` header, and is demanded. cargo sends one only
/// where it is, and keeps what it downloads by address, which must therefore not change from run to run.
pub const ASK_FOR_TOKEN: &str = "-";

/// Answers a request to a repository.
pub async fn answer(
    door: &Arc<Door>,
    repository: &Arc<Repository>,
    path_token: Option<&str>,
    rest: &str,
    parts: &Parts,
    body: Incoming,
    arrival: &Arrival,
) -> HttpResponse {
    let head_only = parts.method == Method::HEAD;
    let door_url = door_url(door, &parts.headers, arrival);
    let asks_for_token = path_token == Some(ASK_FOR_TOKEN);
    let token = match path_token.filter(|_| !asks_for_token) {
        Some(token) => Some(Secret::new(token.to_owned())),
        None => token_of(&parts.headers),
    };
    // Clients of image registries look for everything below `/v2/`.
    let below = if parts.uri.path().starts_with("/v2/") { "v2/" } else { "" };
    let base = match path_token {
        // Links below the same prefix, or the next request would arrive without its token.
        Some(token) => format!("{door_url}{below}t/{token}/{}/", repository.name),
        None => format!("{door_url}{below}{}/", repository.name),
    };
    // Whether a page may ask at all is asked without credentials, by the rules of browsers; nothing is told but that.
    let is_preflight = parts.method == Method::OPTIONS;
    let demanded = (arrival.auth_required || asks_for_token) && !is_preflight;
    // Whether a token is any good, clients of image registries find out where no repository is named.
    let names_none = rest.is_empty() && parts.uri.path() == "/v2/";
    let identity = match who(door, token, &parts.headers, arrival, demanded).await {
        Ok(identity)
            if !names_none
                && !identity.repositories.is_empty()
                && !identity.repositories.iter().any(|r| **r == *repository.name) =>
        {
            Err(NoIdentity::NotHere)
        }
        other => other,
    };
    let mut request = PackageRequest {
        repository: Arc::clone(repository),
        method: parts.method.clone(),
        path: rest.to_owned(),
        query: parts.uri.query().map(str::to_owned),
        headers: without_credentials(&parts.headers),
        body: Bytes::new(),
        identity: match &identity {
            Ok(identity) => Arc::clone(identity),
            // A refusal for want of an identity is recorded as anonymous.
            Err(_) => match who(door, None, &parts.headers, arrival, false).await {
                Ok(anonymous) => anonymous,
                Err(_) => return failed("the catalogue cannot be read"),
            },
        },
        base,
        door_url,
        auth_required: demanded,
    };
    let answered = match identity {
        Err(reason) => refuse_unidentified(door, &request, &reason),
        Ok(_) => match read_body(door, parts, body).await {
            Ok(bytes) => {
                request.body = bytes;
                pipeline::answer(door, &request).await
            }
            Err(denial) => pipeline::refuse_request(door, &request, &denial),
        },
    };
    finish(door, &request, answered, head_only).await
}

async fn finish(
    door: &Arc<Door>,
    request: &PackageRequest,
    answered: Result<Answered, tidegate_ledger::RecordError>,
    head_only: bool,
) -> HttpResponse {
    let response = match answered {
        Ok(answered) => respond::response(answered, head_only).await,
        Err(error) => Err(error),
    };
    let response = response.unwrap_or_else(|error| {
        tracing::error!(error = %error, "a request could not be recorded and was not served: {error}");
        door.metrics.unrecordable.inc();
        respond::cannot_record(&error)
    });
    door.metrics.request(Some(request.repository.ecosystem), response.status().as_u16());
    response
}

fn refuse_unidentified(
    door: &Door,
    request: &PackageRequest,
    reason: &NoIdentity,
) -> Result<Answered, tidegate_ledger::RecordError> {
    let denial = match reason {
        NoIdentity::Wrong => {
            unauthenticated("this token is not valid here: it may have ended or been revoked")
        }
        NoIdentity::Missing => {
            unauthenticated("this door demands a token; make one with `tidegate token create`")
        }
        NoIdentity::NotHere => denials::plain(
            DenialKind::UnknownRoute,
            format!("this token is not for the repository {}", request.repository.name),
            "",
        ),
        NoIdentity::Failed(why) => {
            denials::plain(DenialKind::CannotRecord, format!("tidegate cannot tell who asks: {why}"), "")
        }
    };
    pipeline::refuse_request(door, request, &denial)
}

fn unauthenticated(reason: &str) -> Denial {
    denials::plain(DenialKind::Unauthenticated, reason, "")
}

fn failed(why: &str) -> HttpResponse {
    respond::problem(&denials::plain(DenialKind::CannotRecord, why, ""))
}

/// Headers without what must never be kept or shown.
fn without_credentials(headers: &HeaderMap) -> HeaderMap {
    let mut headers = headers.clone();
    headers.remove(header::AUTHORIZATION);
    headers.remove(header::PROXY_AUTHORIZATION);
    headers.remove(header::COOKIE);
    headers
}

/// Reads a bounded body and unpacks gzip, as npm sends its audits.
pub async fn read_body(door: &Door, parts: &Parts, body: Incoming) -> Result<Bytes, Denial> {
    if matches!(parts.method, Method::GET | Method::HEAD) {
        return Ok(Bytes::new());
    }
    let limit = door.config.server.max_body_bytes;
    let too_large = || {
        denials::plain(DenialKind::BadRequest, format!("the request's body is larger than {limit} bytes"), "")
    };
    let idle = Duration::from_secs(door.config.server.idle_seconds);
    let bytes = match tokio::time::timeout(idle, Limited::new(body, limit).collect()).await {
        Ok(Ok(collected)) => collected.to_bytes(),
        Ok(Err(error)) if error.is::<LengthLimitError>() => return Err(too_large()),
        Ok(Err(_)) => {
            return Err(denials::plain(
                DenialKind::BadRequest,
                "the request's body broke off or is malformed",
                "",
            ));
        }
        Err(_) => {
            let why = format!("the request's body did not arrive in {} s", idle.as_secs());
            return Err(denials::plain(DenialKind::BadRequest, why, ""));
        }
    };
    let coding =
        parts.headers.get(header::CONTENT_ENCODING).and_then(|v| v.to_str().ok()).unwrap_or("identity");
    match coding.to_ascii_lowercase().as_str() {
        "identity" => Ok(bytes),
        "gzip" => {
            let mut out = Vec::new();
            let mut decoder = flate2::read::MultiGzDecoder::new(&bytes[..]).take(limit as u64 + 1);
            decoder
                .read_to_end(&mut out)
                .map_err(|_| denials::plain(DenialKind::BadRequest, "the body is not valid gzip", ""))?;
            if out.len() > limit { Err(too_large()) } else { Ok(out.into()) }
        }
        other => Err(denials::plain(
            DenialKind::BadRequest,
            format!("the body's coding `{}` is not known here", other.escape_debug()),
            "",
        )),
    }
}

/// Whether a request came through this very door already.
pub fn is_loop(door: &Door, headers: &HeaderMap) -> bool {
    headers
        .get_all(header::VIA)
        .iter()
        .filter_map(|v| v.to_str().ok())
        .any(|via| via.split(',').any(|hop| hop.split_ascii_whitespace().nth(1) == Some(door.via.as_str())))
}

/// What is said to a request that came through this door already (RFC 5842 §7.2).
pub fn loop_detected() -> HttpResponse {
    let reason = "this door asks itself: one of its upstreams is its own address";
    let answer = Answer::new(StatusCode::LOOP_DETECTED, "text/plain; charset=utf-8", format!("{reason}\n"))
        .with_phrase(reason.into());
    respond::unrecorded(answer, false)
}

/// The raw path of a request's target; absolute forms are not for us.
pub fn raw_path(uri: &Uri) -> Option<&str> {
    if uri.scheme().is_some() || uri.authority().is_some() { None } else { Some(uri.path()) }
}
