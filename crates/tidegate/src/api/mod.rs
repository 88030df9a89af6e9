//! `/api/v1`: what commands and automation ask of a running door.
//!
//! Over the Unix socket the caller is the owner of the data directory and may do everything. Over HTTP, what names
//! people or changes anything needs an administrator's token, also on loopback: a page in somebody's browser can reach
//! loopback too. Answers are JSON, refusals problem details (RFC 9457) with a stable `code`.

mod accesses;
mod alarms;
mod approvals;
mod call;
mod checks;
mod custody;
mod decisions;
mod diagnosis;
mod events;
mod inspections;
mod intel;
mod ledger;
mod locations;
mod mcp;
mod people;
mod policy;
mod problem;
mod provenance;
mod quarantines;
mod recall;
mod runs;
mod status;
mod subject;
mod tokens;
mod trust;
mod waivers;
mod why;

use std::sync::Arc;

use http::request::Parts;
use http::{Method, StatusCode, header};
use hyper::body::Incoming;
use tidegate_ecosystems::Answer;

use crate::door::Door;
use crate::http::packages::Arrival;
use crate::http::respond::{self, HttpResponse};
use call::{Call, Right};
use problem::Problem;

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
    body: Incoming,
    caller: &Caller,
    _base: &str,
) -> HttpResponse {
    match dispatch(door, path, parts, body, caller).await {
        Ok(value) => {
            let created =
                parts.method == Method::POST && matches!(path, "tokens" | "waivers" | "approvals" | "blocks");
            json(if created { StatusCode::CREATED } else { StatusCode::OK }, &value)
        }
        Err(problem) => problem.response(),
    }
}

type Handled = Result<serde_json::Value, Problem>;

/// Every resource and what it takes to use it. One table, so that no handler can forget to ask who calls.
async fn dispatch(door: &Arc<Door>, path: &str, parts: &Parts, body: Incoming, caller: &Caller) -> Handled {
    let segments: Vec<&str> = path.split('/').collect();
    let method = if parts.method == Method::HEAD { &Method::GET } else { &parts.method };
    let right = match (method.as_str(), segments.as_slice()) {
        (
            "GET",
            [
                "status" | "diagnosis" | "why" | "facts" | "decisions" | "locations" | "policy"
                | "quarantines" | "runs" | "intel" | "inspections" | "ledger" | "provenance" | "custody"
                | "trust",
                ..,
            ],
        )
        | ("POST", ["checks"]) => Right::Read,
        ("GET" | "POST" | "DELETE" | "PUT", _) => Right::Administer,
        _ => return Err(Problem::method(&parts.method)),
    };
    let call = Call::read(door, parts, body, caller, right).await?;
    // Large futures live on the heap, not in every connection.
    match (method.as_str(), segments.as_slice()) {
        ("GET", ["status"]) => Ok(status::status(door)),
        ("GET", ["diagnosis"]) => Box::pin(diagnosis::diagnose(&call)).await,
        ("GET", ["why"]) => Box::pin(why::why(&call)).await,
        ("GET", ["provenance"]) => Box::pin(provenance::provenance(&call)).await,
        ("GET", ["trust"]) => Ok(trust::status(&call)),
        ("POST", ["trust", "refresh"]) => Box::pin(trust::refresh(&call)).await,
        ("POST", ["trust", "import"]) => trust::import(&call).await,
        ("POST", ["trust", "export"]) => trust::export(&call).await,
        ("GET", ["facts"]) => Box::pin(why::facts(&call)).await,
        ("GET", ["decisions"]) => decisions::list(&call).await,
        ("GET", ["inspections"]) => Box::pin(inspections::list(&call)).await,
        ("GET", ["custody", "keys"]) => custody::keys(&call),
        ("POST", ["custody", "keys"]) => Box::pin(custody::rotate(&call)).await,
        ("GET", ["custody", digest]) => Box::pin(custody::of(&call, digest)).await,
        ("GET", ["locations"]) => Box::pin(locations::locate(&call)).await,
        ("POST", ["checks"]) => Box::pin(checks::check(&call)).await,
        ("GET", ["runs", id]) => Box::pin(runs::summary(&call, id)).await,
        ("GET", ["accesses"]) => accesses::list(&call).await,
        ("GET", ["tokens"]) => tokens::list(&call).await,
        ("POST", ["tokens"]) => tokens::create(&call).await,
        ("DELETE", ["tokens", id]) => tokens::revoke(&call, id).await,
        ("GET", ["waivers"]) => waivers::list(&call).await,
        ("POST", ["waivers"]) => Box::pin(waivers::request(&call)).await,
        ("POST", ["waivers", "import"]) => waivers::import(&call).await,
        ("POST", ["waivers", id, step]) => waivers::step(&call, id, step).await,
        ("GET", ["approvals"]) => Box::pin(approvals::list(&call)).await,
        ("POST", ["approvals"]) => approvals::request(&call).await,
        ("POST", ["approvals", "import"]) => approvals::import(&call).await,
        ("POST", ["approvals", id, step]) => approvals::step(&call, id, step).await,
        ("GET", ["quarantines"]) => quarantines::list(&call).await,
        ("POST", ["quarantines", "release"]) => Box::pin(quarantines::release(&call)).await,
        ("GET", ["blocks"]) => quarantines::blocks(&call).await,
        ("POST", ["blocks"]) => Box::pin(quarantines::block(&call)).await,
        ("DELETE", ["blocks", id]) => quarantines::unblock(&call, id).await,
        ("GET", ["intel"]) => Ok(intel::status(&call)),
        ("GET", ["intel", "advisories", id]) => intel::advisory(&call, id).await,
        ("GET", ["intel", "key"]) => intel::key(&call).await,
        ("POST", ["intel", "export"]) => Box::pin(intel::export(&call)).await,
        ("GET", ["intel", "held"]) => intel::held(&call).await,
        ("POST", ["intel", "held", id, step]) => Box::pin(intel::decide_held(&call, id, step)).await,
        ("POST", ["intel", "sync"]) => Box::pin(intel::sync(&call)).await,
        ("POST", ["intel", "import"]) => Box::pin(intel::import(&call)).await,
        ("GET", ["ledger", "checkpoint"]) => Box::pin(ledger::checkpoint(&call)).await,
        ("GET", ["ledger", "receipts", record]) => ledger::receipt(&call, record).await,
        ("GET", ["ledger", "consistency"]) => ledger::consistency(&call).await,
        ("POST", ["ledger", "keys"]) => Box::pin(ledger::rotate(&call)).await,
        ("GET", ["policy"]) => Ok(policy::show(&call)),
        ("POST", ["policy", "reload"]) => policy::reload(&call).await,
        ("PUT", ["policy"]) => policy::put_in_force(&call).await,
        ("GET", ["events"]) => events::list(&call).await,
        ("POST", ["events", "test"]) => Box::pin(events::test(&call)).await,
        ("GET", ["alarms"]) => alarms::list(&call).await,
        ("POST", ["alarms", number, "ack"]) => alarms::acknowledge(&call, number).await,
        ("GET", ["mcp", "servers"]) => mcp::list(&call).await,
        ("GET", ["mcp", "entries"]) => mcp::show(&call).await,
        ("GET", ["mcp", "diff"]) => mcp::diff(&call).await,
        ("POST", ["mcp", "approve"]) => mcp::approve(&call).await,
        ("POST", ["mcp", "revoke"]) => mcp::revoke(&call).await,
        ("POST", ["mcp", "open"]) => Box::pin(mcp::open(&call)).await,
        ("POST", ["mcp", "list"]) => Box::pin(mcp::listed(&call)).await,
        ("POST", ["mcp", "ask"]) => Box::pin(mcp::ask(&call)).await,
        ("POST", ["mcp", "end"]) => Box::pin(mcp::end(&call)).await,
        ("GET", ["people"]) => people::list(&call).await,
        ("DELETE", ["people"]) => people::forget(&call).await,
        _ => Err(Problem::no_such_resource(path)),
    }
}

/// A JSON answer.
pub fn json(status: StatusCode, value: &serde_json::Value) -> HttpResponse {
    let answer = Answer::new(status, "application/json", value.to_string())
        .with_header(header::CACHE_CONTROL, "no-store")
        .with_header(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    respond::unrecorded(answer, false)
}
