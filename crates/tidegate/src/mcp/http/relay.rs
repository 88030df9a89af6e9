//! What goes to a server elsewhere and comes back from it: JSON, or a stream of events, governed one message at a time.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use tokio::sync::mpsc;

use super::events::Reader;
use super::{Asked, answered, headers, plain};
use crate::http::body::RecordedBody;
use crate::http::respond::HttpResponse;
use crate::mcp::DoorGate;
use crate::mcp::governor::{Shared, Step};
use crate::mcp::message::{self, Id, MAX_MESSAGE_BYTES, REFUSED};

/// How long a tool may take before it begins to answer.
const PATIENCE: Duration = Duration::from_secs(600);

/// How long a stream may be silent.
const SILENCE: Duration = Duration::from_secs(3_600);

/// Events between the server and a client that takes them slowly.
const EVENTS_HELD: usize = 16;

/// Sends a message of the client, and governs what comes back.
pub(super) async fn post(
    asked: &Asked<'_>,
    governor: Shared<DoorGate>,
    id: Option<Id>,
    bytes: Bytes,
) -> HttpResponse {
    let answer = match send(asked, Method::POST, bytes).await {
        Ok(answer) => answer,
        Err(why) => return failed(&governor, id.as_ref(), &why).await,
    };
    if let Some(session) = headers::session(answer.headers()) {
        asked.door.mcp.sessions.begin(asked.name, session, &asked.identity, &governor);
    }
    let status = answer.status();
    if status.is_redirection() {
        let why =
            format!("the server answers with a redirect (HTTP {}), which is not followed", status.as_u16());
        return failed(&governor, id.as_ref(), &why).await;
    }
    if matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
        let why = format!(
            "the server refuses the door (HTTP {}): set token_env of [mcp.server.{}]",
            status.as_u16(),
            asked.name
        );
        return failed(&governor, id.as_ref(), &why).await;
    }
    if is(&answer, "text/event-stream") {
        // Of an earlier revision a client may take the rest of a stream up again; a request of the newer stands alone.
        let ends = id.filter(|_| headers::session(asked.headers).is_none());
        return streamed(answer, governor, ends);
    }
    let back = headers::to_client(answer.headers());
    let body = match Limited::new(answer.into_body(), MAX_MESSAGE_BYTES).collect().await {
        Ok(body) => body.to_bytes(),
        Err(_) => return failed(&governor, id.as_ref(), "its answer broke off or is too large").await,
    };
    if body.trim_ascii().is_empty() {
        if let Some(id) = &id {
            governor.close_request(id).await;
        }
        return with(status, back, RecordedBody::free(Bytes::new().into()));
    }
    match governor.from_server(body).await {
        Step::Pass(bytes) => json(status, back, bytes),
        // It asked something where an answer belongs, or answered what was not asked.
        Step::Answer(_) | Step::Drop => {
            let why = format!("what it answered (HTTP {}) is no answer to this request", status.as_u16());
            let told = failed(&governor, id.as_ref(), &why).await;
            // A session that is no more is known by the status alone.
            if status == StatusCode::NOT_FOUND { plain(status, &why) } else { told }
        }
    }
}

/// The stream of a session.
pub(super) async fn stream(asked: &Asked<'_>, governor: Shared<DoorGate>) -> HttpResponse {
    match send(asked, Method::GET, Bytes::new()).await {
        Ok(answer) if answer.status().is_success() && is(&answer, "text/event-stream") => {
            streamed(answer, governor, None)
        }
        Ok(answer) if answer.status().is_success() || answer.status().is_redirection() => {
            plain(StatusCode::BAD_GATEWAY, "the server does not answer with a stream")
        }
        Ok(answer) => plain(answer.status(), "the server gives no such stream"),
        Err(why) => plain(StatusCode::BAD_GATEWAY, &why),
    }
}

/// Ends a session.
pub(super) async fn delete(asked: &Asked<'_>) -> HttpResponse {
    match send(asked, Method::DELETE, Bytes::new()).await {
        Ok(answer) if answer.status().is_redirection() => {
            plain(StatusCode::BAD_GATEWAY, "the server redirects")
        }
        Ok(answer) => with(
            answer.status(),
            headers::to_client(answer.headers()),
            RecordedBody::free(Bytes::new().into()),
        ),
        Err(why) => plain(StatusCode::BAD_GATEWAY, &why),
    }
}

async fn send(asked: &Asked<'_>, method: Method, body: Bytes) -> Result<Response<Incoming>, String> {
    let headers = headers::to_server(asked.headers);
    let upstream = &asked.remote.upstream;
    let answer = asked.door.client.relay(upstream, &method, headers, body, PATIENCE).await;
    answer.map_err(|error| error.to_string())
}

fn is(answer: &Response<Incoming>, media: &str) -> bool {
    let told = answer.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let bare = told.and_then(|told| told.split(';').next()).unwrap_or_default();
    bare.trim().eq_ignore_ascii_case(media)
}

/// What a client is told whose request came to nothing; it is recorded as not answered.
async fn failed(governor: &Shared<DoorGate>, id: Option<&Id>, why: &str) -> HttpResponse {
    let Some(id) = id else { return plain(StatusCode::BAD_GATEWAY, why) };
    governor.close_request(id).await;
    answered(StatusCode::OK, &message::error(id, REFUSED, &format!("tidegate: {why}"), None))
}

/// A stream of events in which each message is governed. `ends` is the request that ends with the stream.
fn streamed(answer: Response<Incoming>, governor: Shared<DoorGate>, ends: Option<Id>) -> HttpResponse {
    let status = answer.status();
    let mut back = headers::to_client(answer.headers());
    back.insert(header::CONTENT_TYPE, http::HeaderValue::from_static("text/event-stream"));
    let (sender, receiver) = mpsc::channel(EVENTS_HELD);
    tokio::spawn(async move {
        // Where the client goes away, so does our request to the server.
        tokio::select! {
            () = govern(answer.into_body(), &governor, &sender) => {}
            () = sender.closed() => {}
        }
        if let Some(id) = ends {
            governor.close_request(&id).await;
        }
    });
    with(status, back, RecordedBody::stream(receiver))
}

async fn govern(mut body: Incoming, governor: &Shared<DoorGate>, sender: &mpsc::Sender<Bytes>) {
    let mut reader = Reader::default();
    while let Ok(Some(Ok(frame))) = tokio::time::timeout(SILENCE, body.frame()).await {
        let Ok(bytes) = frame.into_data() else { continue };
        if reader.push(&bytes).is_err() {
            return;
        }
        loop {
            let event = match reader.next_event() {
                Ok(Some(event)) => event,
                Ok(None) => break,
                Err(_) => return,
            };
            let event = if event.has_data() && !event.data.trim_ascii().is_empty() {
                match governor.from_server(Bytes::from(event.data.clone())).await {
                    Step::Pass(bytes) => event.with_data(Some(bytes)),
                    // A request of the server's that does not pass: there is no way to answer it on this stream.
                    Step::Answer(_) | Step::Drop => event.with_data(None),
                }
            } else {
                event
            };
            if sender.send(event.encoded()).await.is_err() {
                return;
            }
        }
    }
}

fn json(status: StatusCode, mut headers: HeaderMap, body: Bytes) -> HttpResponse {
    headers.insert(header::CONTENT_TYPE, http::HeaderValue::from_static("application/json"));
    headers.insert(header::CONTENT_LENGTH, body.len().into());
    with(status, headers, RecordedBody::free(body.into()))
}

fn with(status: StatusCode, headers: HeaderMap, body: RecordedBody) -> HttpResponse {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}
