//! `/mcp/run/<server>`: between a client and a server elsewhere, over streamable HTTP in both of its eras.
//!
//! Revisions up to 2025-11-25 begin with a handshake, name a session in a header and stream on GET; from 2026-07-28 on each POST
//! stands by itself and repeats in headers what its body says, which must agree. Which era speaks is read from the request. Only the
//! addresses of the configuration are asked; no redirect is followed, and nothing that the server says leads a client to another.

pub mod events;
mod headers;
mod relay;
mod sessions;

use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, Method, StatusCode, header};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::Incoming;
use serde_json::{Value, json};
use tidegate_ecosystems::Answer;
use tidegate_model::Secret;

use super::gate::{Exchange, Gate as _, Ruling, Server, Unavailable};
use super::governor::{Governor, Shared, Step, refusal};
use super::message::{self, INVALID_REQUEST, MAX_MESSAGE_BYTES, Message, REFUSED};
use super::methods::{self, Rule};
use super::{DoorGate, facts};
use crate::door::{Door, Identity, token_of};
use crate::http::packages::{self, Arrival, NoIdentity};
use crate::http::respond::{HttpResponse, unrecorded};
use crate::upstream::Upstream;

pub use sessions::Sessions;

/// A server elsewhere, as it is configured.
#[derive(Debug)]
pub struct Remote {
    /// Where it is, and with which credentials it is asked.
    pub upstream: Arc<Upstream>,
    /// The package that it runs, where somebody said so.
    pub purl: Option<String>,
    /// Methods that pass although the protocol does not have them.
    pub methods: Vec<String>,
}

/// What one request is answered with, and through whom.
struct Asked<'a> {
    door: &'a Arc<Door>,
    name: &'a str,
    remote: Arc<Remote>,
    identity: Arc<Identity>,
    headers: &'a HeaderMap,
}

impl Asked<'_> {
    fn gate(&self) -> DoorGate {
        let server = Server {
            name: self.name.to_owned(),
            transport: "http".to_owned(),
            purl: self.remote.purl.clone(),
        };
        DoorGate::new(Arc::clone(self.door), server, Arc::clone(&self.identity))
    }

    fn governor(&self) -> Shared<DoorGate> {
        Arc::new(Governor::new(self.gate(), self.remote.methods.iter().cloned()))
    }

    /// The session that the request names; a new one where it names none.
    fn session(&self) -> Shared<DoorGate> {
        match headers::session(self.headers) {
            Some(id) => {
                self.door.mcp.sessions.get_or_insert(self.name, id, &self.identity, || self.governor())
            }
            None => self.governor(),
        }
    }
}

/// Answers a request to a server. `rest` is the path below `/mcp/run/`.
pub async fn answer(
    door: &Arc<Door>,
    path_token: Option<&str>,
    rest: &str,
    parts: &Parts,
    body: Incoming,
    arrival: &Arrival,
) -> HttpResponse {
    let name = rest.trim_end_matches('/');
    let Some(remote) = door.mcp.remotes.get(name).cloned() else {
        return plain(
            StatusCode::NOT_FOUND,
            "there is no such server here: name it with [mcp.server.NAME] in the configuration",
        );
    };
    let token = path_token.map(|token| Secret::new(token.to_owned())).or_else(|| token_of(&parts.headers));
    if let Some(why) = foreign(door, &parts.headers, token.is_some()) {
        return plain(StatusCode::FORBIDDEN, why);
    }
    let identity = match packages::who(door, token, &parts.headers, arrival, arrival.auth_required).await {
        Ok(identity) => identity,
        Err(NoIdentity::Failed(why)) => return plain(StatusCode::SERVICE_UNAVAILABLE, &why),
        Err(_) => {
            return plain(
                StatusCode::UNAUTHORIZED,
                "this door demands a token; make one with `tidegate token create`, and put it into the address: /t/TOKEN/mcp/run/NAME",
            );
        }
    };
    let here = |repository: &String| repository == facts::REPOSITORY;
    if !identity.repositories.is_empty() && !identity.repositories.iter().any(here) {
        return plain(StatusCode::FORBIDDEN, "this token is not for MCP servers");
    }
    let asked = Asked { door, name, remote, identity, headers: &parts.headers };
    match parts.method {
        Method::POST => match read(body).await {
            Ok(bytes) => Box::pin(post(&asked, bytes)).await,
            Err(why) => malformed(INVALID_REQUEST, &why),
        },
        Method::GET => Box::pin(stream(&asked)).await,
        Method::DELETE => Box::pin(delete(&asked)).await,
        _ => plain(StatusCode::METHOD_NOT_ALLOWED, "MCP knows POST, GET and DELETE"),
    }
}

async fn read(body: Incoming) -> Result<Bytes, String> {
    match Limited::new(body, MAX_MESSAGE_BYTES).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => {
            Err(format!("a message is larger than {MAX_MESSAGE_BYTES} bytes"))
        }
        Err(_) => Err("the body broke off".to_owned()),
    }
}

async fn post(asked: &Asked<'_>, bytes: Bytes) -> HttpResponse {
    let message = match Message::parse(&bytes) {
        Ok(message) => message,
        Err(wrong) => return answered(StatusCode::BAD_REQUEST, &wrong.answer()),
    };
    if let Err((code, why)) = headers::agree(asked.headers, &message) {
        let id = if let Message::Request { id, .. } = &message { id.to_value() } else { Value::Null };
        let answer = json!({ "jsonrpc": "2.0", "id": id, "error": { "code": code, "message": format!("tidegate: {why}") } });
        return answered(StatusCode::BAD_REQUEST, &answer);
    }
    let governor = asked.session();
    let request = match &message {
        Message::Request { id, method, .. } => Some((id.clone(), methods::of_client(method))),
        _ => None,
    };
    if let Some((id, Rule::Greeting)) = &request {
        match governor.gate().open().await {
            Ok(ruling) if ruling.passes => {}
            Ok(ruling) => return answered(StatusCode::OK, &refusal(id, &ruling)),
            Err(error) => return answered(StatusCode::OK, &cannot(id, &error)),
        }
    }
    match governor.from_client(bytes).await {
        Step::Pass(bytes) => {
            let id = request.map(|(id, _)| id);
            relay::post(asked, governor, id, bytes).await
        }
        Step::Answer(value) => answered(StatusCode::OK, &value),
        Step::Drop => empty(StatusCode::ACCEPTED),
    }
}

/// The stream on which a server of an earlier revision speaks of its own accord.
async fn stream(asked: &Asked<'_>) -> HttpResponse {
    let governor = asked.session();
    let exchange = Exchange { method: "(stream)".to_owned(), ..Exchange::default() };
    match governor.gate().ask(exchange).await {
        Ok(ruling) if ruling.passes => relay::stream(asked, governor).await,
        Ok(ruling) => plain(StatusCode::FORBIDDEN, &ruling.reason),
        Err(error) => plain(StatusCode::SERVICE_UNAVAILABLE, &error.0),
    }
}

async fn delete(asked: &Asked<'_>) -> HttpResponse {
    if let Some(id) = headers::session(asked.headers)
        && let Some(governor) = asked.door.mcp.sessions.remove(asked.name, id, &asked.identity)
    {
        governor.close().await;
    }
    relay::delete(asked).await
}

/// Whether a page of another site asks: a browser says where a request comes from, and under which name it found us.
fn foreign(door: &Door, headers: &HeaderMap, has_token: bool) -> Option<&'static str> {
    let text = |name: header::HeaderName| headers.get(name).and_then(|v| v.to_str().ok());
    let host = text(header::HOST).unwrap_or_default();
    if let Some(origin) = headers.get(header::ORIGIN) {
        let origin = origin.to_str().ok().and_then(|origin| origin.split_once("://"));
        if origin.is_none_or(|(_, from)| from != host) {
            return Some("a page of another site may not use MCP servers through this door");
        }
    }
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    };
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    let public = door.config.server.public_url.as_ref().and_then(|url| url.host_str());
    let is_ours =
        bare.eq_ignore_ascii_case("localhost") || bare.parse::<IpAddr>().is_ok() || public == Some(name);
    // A name that somebody else pointed at this machine is in a token's stead worth nothing.
    (!is_ours && !has_token).then_some("use 127.0.0.1, localhost or the door's public name")
}

fn cannot(id: &message::Id, error: &Unavailable) -> Value {
    let ruling =
        Ruling { reason: format!("nothing can be decided and recorded: {error}"), ..Ruling::default() };
    refusal(id, &ruling)
}

/// A JSON-RPC answer of our own.
fn answered(status: StatusCode, value: &Value) -> HttpResponse {
    let answer = Answer::new(status, "application/json", value.to_string())
        .with_header(header::CACHE_CONTROL, "no-store")
        .with_header(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    unrecorded(answer, false)
}

fn malformed(code: i64, why: &str) -> HttpResponse {
    let value = json!({ "jsonrpc": "2.0", "id": null, "error": { "code": code, "message": format!("tidegate: {why}") } });
    answered(StatusCode::BAD_REQUEST, &value)
}

/// A refusal of the transport's, in the form that clients print.
fn plain(status: StatusCode, why: &str) -> HttpResponse {
    let value = json!({ "jsonrpc": "2.0", "id": null, "error": { "code": REFUSED, "message": format!("tidegate: {why}") } });
    answered(status, &value)
}

fn empty(status: StatusCode) -> HttpResponse {
    unrecorded(Answer::new(status, "application/json", Bytes::new()), false)
}
