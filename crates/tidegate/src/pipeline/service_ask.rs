//! Services of the upstream that are passed through, documents of our own, redirects to the normal spelling.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode};
use tidegate_ecosystems::ask::Absence;
use tidegate_ecosystems::{Answer, ApiCall, FetchedDocument};
use tidegate_ledger::RecordError;
use tidegate_ledger::entry::Text;
use tidegate_model::Denial;
use tidegate_model::coordinate::package_purl;
use tidegate_model::denial::DenialKind;

use super::file_ask::cannot;
use super::{Answered, PackageRequest, Told, denials, documents, refuse, tell};
use crate::door::Door;
use crate::intel::told;
use crate::upstream::{Fetched, Upstream, UpstreamError, Validators};

/// Relays a service call to the first upstream that offers it. Names that are private to one upstream are told to no
/// other, neither in the address nor in the body.
pub(super) async fn relay(
    door: &Arc<Door>,
    request: &PackageRequest,
    call: &ApiCall,
) -> Result<Answered, RecordError> {
    let purl: Option<Text> = call.package.as_ref().map(|p| package_purl(p).into());
    let mut told = Told { purl, ..Told::new("api") };
    if let Some(answered) = advised(door, request, call).await {
        return match answered {
            Ok(answer) => tell(door, request, &told, answer),
            Err(denial) => refuse(door, request, &told, &denial),
        };
    }
    match relayed(door, request, call).await {
        Ok((answer, upstream)) => {
            told.upstream = Some(upstream.name.as_str().into());
            match crate::custody::oci::merge(door, request, call, answer).await {
                Ok(answer) => tell(door, request, &told, answer),
                Err(error) => refuse(door, request, &told, &cannot(&error.to_string())),
            }
        }
        Err(denial) => refuse(door, request, &told, &denial),
    }
}

/// An audit, out of the advisories that are loaded here: they are those that decisions are made with. `None` where the
/// call is no audit, or nothing is loaded and an upstream may know more.
async fn advised(
    door: &Arc<Door>,
    request: &PackageRequest,
    call: &ApiCall,
) -> Option<Result<Answer, Denial>> {
    let rules = door.rules();
    if !call.forwards_body || !rules.advisories.covers(request.repository.ecosystem) {
        return None;
    }
    let (call, request, now) = (call.clone(), request.clone(), door.clock.now());
    let protocol = request.repository.protocol;
    let unknown = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let answered = door
        .blocking({
            let unknown = Arc::clone(&unknown);
            move || {
                let advise = |package: &tidegate_model::PackageName, version: &str| {
                    told::advice(&rules.advisories, package, version, &request.door_url, now)
                        .inspect_err(|_| unknown.store(true, Ordering::Relaxed))
                };
                protocol.advise(&call, &request.body, &advise)
            }
        })
        .await?;
    Some(answered.map_err(|why| {
        // What is not known is our matter, what cannot be read is the client's.
        if unknown.load(Ordering::Relaxed) {
            denials::plain(DenialKind::Unavailable, format!("{why}; this is not a clean bill"), "")
        } else {
            denials::plain(DenialKind::BadRequest, format!("this audit cannot be read: {why}"), "")
        }
    }))
}

async fn relayed(
    door: &Arc<Door>,
    request: &PackageRequest,
    call: &ApiCall,
) -> Result<(Answer, Arc<Upstream>), Denial> {
    let repository = &request.repository;
    if repository.upstreams.is_empty() {
        return Err(denials::plain(DenialKind::Unavailable, repository.not_configured.clone(), ""));
    }
    let upstreams = match &call.package {
        Some(package) => repository.upstreams_for(package),
        None => repository.upstreams.clone(),
    };
    if call.package.is_none() && call.query.iter().any(|(_, value)| repository.mentions_private(value)) {
        return Err(denials::plain(
            DenialKind::NotOffered,
            "this search names something private, so it stays here",
            "",
        ));
    }
    let mut last = None;
    for upstream in upstreams {
        match ask(door, request, &upstream, call).await {
            Ok(answer) => return Ok((answer, upstream)),
            Err(denial) => last = Some(denial),
        }
    }
    Err(last.unwrap_or_else(|| absent(call)))
}

async fn ask(
    door: &Arc<Door>,
    asked: &PackageRequest,
    upstream: &Arc<Upstream>,
    call: &ApiCall,
) -> Result<Answer, Denial> {
    let (name, repository, body) = (call.service, &asked.repository, &asked.body);
    let prelude = documents::prelude_of(door, repository, upstream)
        .await
        .map_err(|e| denials::of_load_error(name, &e))?;
    let Some(mut request) = repository.protocol.api_request(call, &upstream.base, prelude.as_ref()) else {
        return Err(absent(call));
    };
    let body = if call.forwards_body {
        let is_private = |package: &tidegate_model::PackageName| !repository.may_tell(upstream, package);
        let redacted = repository.protocol.redact_api_body(call, body, &is_private).map_err(|why| {
            denials::plain(
                DenialKind::BadRequest,
                format!("the body of this {name} request cannot be read: {why}"),
                "",
            )
        })?;
        request
            .headers
            .entry(http::header::CONTENT_TYPE)
            .or_insert(HeaderValue::from_static("application/json"));
        Some(Bytes::from(redacted))
    } else {
        None
    };
    upstream.learn_host(&request.url);
    match door.client.document(upstream, &request, body, &Validators::default()).await {
        Ok(Fetched::Document { document, status, link, .. }) => {
            if let Some(answer) = shaped(asked, upstream, call, &document, link.as_deref()) {
                return answer;
            }
            let mut headers = HeaderMap::new();
            let media = document.content_type.as_deref().and_then(|v| HeaderValue::from_str(v).ok());
            headers.insert(
                http::header::CONTENT_TYPE,
                media.unwrap_or(HeaderValue::from_static("application/json")),
            );
            headers.insert(http::header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
            Ok(Answer { status, phrase: None, headers, body: document.body })
        }
        Ok(Fetched::NotModified) => Err(absent(call)),
        // Mirrors answer what they do not have with 404, 405 or 501.
        Err(UpstreamError::Absent { .. }) => fall_back(door, asked, upstream, call).await,
        Err(UpstreamError::Broken { why, .. }) if why == "HTTP 405" || why == "HTTP 501" => {
            fall_back(door, asked, upstream, call).await
        }
        Err(error) => Err(denials::of_upstream_error(name, &error)),
    }
}

/// The document in the ecosystem's own form, where it has one for this service.
fn shaped(
    asked: &PackageRequest,
    upstream: &Upstream,
    call: &ApiCall,
    document: &FetchedDocument,
    link: Option<&str>,
) -> Option<Result<Answer, Denial>> {
    let links = tidegate_ecosystems::Links::below(asked.base.clone());
    let answer = asked.repository.protocol.api_answer(call, document, link, &links)?;
    let private = |answer: Answer| answer.with_header(http::header::CACHE_CONTROL, "private, no-cache");
    Some(answer.map(private).map_err(|error| {
        let error = UpstreamError::Broken { upstream: upstream.name.clone(), why: error.to_string() };
        denials::of_upstream_error(call.service, &error)
    }))
}

/// What stands in for a service that an upstream does not offer, where the ecosystem knows something.
async fn fall_back(
    door: &Arc<Door>,
    asked: &PackageRequest,
    upstream: &Arc<Upstream>,
    call: &ApiCall,
) -> Result<Answer, Denial> {
    let Some((request, empty)) = asked.repository.protocol.api_fallback(call, &upstream.base) else {
        return Err(absent(call));
    };
    let document = match door.client.document(upstream, &request, None, &Validators::default()).await {
        Ok(Fetched::Document { document, .. }) => document,
        Ok(Fetched::NotModified) => return Err(absent(call)),
        Err(UpstreamError::Absent { .. }) => {
            FetchedDocument { url: request.url, content_type: None, body: empty }
        }
        Err(error) => return Err(denials::of_upstream_error(call.service, &error)),
    };
    shaped(asked, upstream, call, &document, None).unwrap_or_else(|| Err(absent(call)))
}

/// What is said where no upstream offers a service. An audit that nobody can answer must not look like good news.
fn absent(call: &ApiCall) -> Denial {
    match call.absence {
        Absence::NotOffered => denials::plain(
            DenialKind::NotOffered,
            format!("the upstream does not offer `{}`, and neither does this door", call.service),
            "",
        ),
        Absence::Unavailable => denials::plain(
            DenialKind::Unavailable,
            format!(
                "no upstream answers `{}`, so nothing is known about vulnerabilities; this is not a clean bill",
                call.service
            ),
            "",
        ),
    }
}

pub(super) fn generate(
    door: &Arc<Door>,
    request: &PackageRequest,
    document: &'static str,
) -> Result<Answered, RecordError> {
    let links = request.links(door);
    let answer = request.repository.protocol.generate(
        document,
        &links,
        &request.identity.principal,
        request.auth_required,
    );
    tell(door, request, &Told::new("generated"), answer)
}

pub(super) fn redirect(
    door: &Arc<Door>,
    request: &PackageRequest,
    to: &str,
) -> Result<Answered, RecordError> {
    let answer = Answer::new(
        StatusCode::MOVED_PERMANENTLY,
        "text/plain; charset=utf-8",
        "moved to the normal spelling\n",
    )
    .with_header(http::header::LOCATION, &format!("{}{to}", request.base))
    .with_header(http::header::CACHE_CONTROL, "no-store");
    tell(door, request, &Told::new("generated"), answer)
}
