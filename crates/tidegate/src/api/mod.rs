//! `/api/v1`: what commands and automation ask of a running door.
//!
//! Over the Unix socket the caller is the owner of the data directory and may do everything. Over HTTP, what names
//! people or changes anything needs an administrator's token, also on loopback: a page in somebody's browser can reach
//! loopback too.

mod status;

use std::sync::Arc;

use http::request::Parts;
use http::{Method, StatusCode, header};
use hyper::body::Incoming;
use tidegate_ecosystems::Answer;
use tidegate_model::denial::DenialKind;

use crate::door::Door;
use crate::http::packages::Arrival;
use crate::http::respond::{self, HttpResponse};
use crate::pipeline::denials;

/// Who calls.
#[derive(Clone, Debug)]
pub enum Caller {
    /// Through the Unix socket in the data directory.
    Socket {
        /// The user id at the other end.
        uid: Option<u32>,
    },
    /// Over HTTP.
    Remote {
        /// How it came in.
        arrival: Arrival,
    },
}

/// Answers an API request; `path` is the raw path below `/api/v1/`.
pub async fn answer(
    door: &Arc<Door>,
    path: &str,
    parts: &Parts,
    _body: Incoming,
    _caller: &Caller,
    _base: &str,
) -> HttpResponse {
    match (&parts.method, path) {
        (&Method::GET, "status") => json(StatusCode::OK, &status::status(door)),
        _ => respond::problem(&denials::plain(DenialKind::NotFound, "the API has no such resource", "")),
    }
}

/// A JSON answer.
pub fn json(status: StatusCode, value: &serde_json::Value) -> HttpResponse {
    let answer = Answer::new(status, "application/json", value.to_string())
        .with_header(header::CACHE_CONTROL, "no-store");
    respond::unrecorded(answer, false)
}
