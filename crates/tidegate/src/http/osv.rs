//! The query API of OSV (`/osv/v1/…`), answered out of the advisories that are loaded here: `pip-audit --osv-url`,
//! osv-scanner and others ask this door and see what decisions are made with. Where it is not known what touches a
//! version they get an error, never an empty list.

use std::collections::BTreeMap;
use std::str::FromStr as _;
use std::sync::Arc;

use http::request::Parts;
use http::{Method, StatusCode, header};
use hyper::body::Incoming;
use packageurl::PackageUrl;
use serde::Deserialize;
use serde_json::{Value, json};
use tidegate_ecosystems::Answer;
use tidegate_intel::Query;
use tidegate_intel::matching::Says;
use tidegate_model::Timestamp;

use super::packages::{self, Arrival, NoIdentity};
use super::respond::{HttpResponse, unrecorded};
use crate::door::{Door, token_of};
use crate::intel::Advisories;

/// The most queries of one batch, as at OSV itself.
const MAX_BATCH: usize = 1000;

/// One query, in OSV's form.
#[derive(Deserialize)]
struct Question {
    version: Option<String>,
    package: Option<Package>,
    commit: Option<String>,
}

#[derive(Deserialize)]
struct Package {
    name: Option<String>,
    ecosystem: Option<String>,
    purl: Option<String>,
}

#[derive(Deserialize)]
struct Batch {
    queries: Vec<Question>,
}

/// Why there is no answer: the status, gRPC's number for it, and a sentence.
struct Refusal(StatusCode, u8, String);

impl Refusal {
    fn bad(why: impl Into<String>) -> Self {
        Self(StatusCode::BAD_REQUEST, 3, why.into())
    }

    fn unknown(why: impl Into<String>) -> Self {
        Self(StatusCode::SERVICE_UNAVAILABLE, 14, why.into())
    }
}

/// Answers a request below `/osv/v1/`.
pub async fn answer(
    door: &Arc<Door>,
    path: &str,
    parts: &Parts,
    body: Incoming,
    arrival: &Arrival,
) -> HttpResponse {
    let head_only = parts.method == Method::HEAD;
    let (status, told) = match answered(door, path, parts, body, arrival).await {
        Ok(told) => (StatusCode::OK, told),
        Err(Refusal(status, code, message)) => (status, json!({ "code": code, "message": message })),
    };
    let answer = Answer::new(status, "application/json", told.to_string())
        .with_header(header::CACHE_CONTROL, "no-store")
        .with_header(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    unrecorded(answer, head_only)
}

async fn answered(
    door: &Arc<Door>,
    path: &str,
    parts: &Parts,
    body: Incoming,
    arrival: &Arrival,
) -> Result<Value, Refusal> {
    let demanded = arrival.auth_required;
    packages::who(door, token_of(&parts.headers), &parts.headers, arrival, demanded).await.map_err(
        |reason| match reason {
            NoIdentity::Failed(why) => Refusal::unknown(why),
            _ => Refusal(StatusCode::UNAUTHORIZED, 16, "this door demands a valid token".into()),
        },
    )?;
    let post = parts.method == Method::POST;
    let body = packages::read_body(door, parts, body).await.map_err(|denial| Refusal::bad(denial.reason))?;
    let (door2, path, now) = (Arc::clone(door), path.to_owned(), door.clock.now());
    door.blocking(move || {
        let rules = door2.rules();
        let advisories = &rules.advisories;
        match (post, path.as_str()) {
            (true, "query") => {
                let vulns = vulnerabilities(advisories, &read(&body)?, now)?;
                Ok(if vulns.is_empty() { json!({}) } else { json!({ "vulns": vulns }) })
            }
            (true, "querybatch") => batch(advisories, &read(&body)?, now),
            (false, path) if path.starts_with("vulns/") => record(advisories, &path["vulns/".len()..], now),
            _ => Err(Refusal(StatusCode::NOT_FOUND, 5, "the API has query, querybatch and vulns/ID".into())),
        }
    })
    .await
}

fn read<T: for<'de> Deserialize<'de>>(body: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(body).map_err(|e| Refusal::bad(format!("the body cannot be read: {e}")))
}

fn batch(advisories: &Advisories, batch: &Batch, now: Timestamp) -> Result<Value, Refusal> {
    if batch.queries.len() > MAX_BATCH {
        return Err(Refusal::bad(format!("a batch has at most {MAX_BATCH} queries")));
    }
    let short = |record: &Value| json!({ "id": record["id"], "modified": record["modified"] });
    let results = batch.queries.iter().map(|question| {
        let vulns = vulnerabilities(advisories, question, now)?;
        Ok(if vulns.is_empty() {
            json!({})
        } else {
            json!({ "vulns": vulns.iter().map(short).collect::<Vec<_>>() })
        })
    });
    Ok(json!({ "results": results.collect::<Result<Vec<Value>, Refusal>>()? }))
}

fn record(advisories: &Advisories, id: &str, now: Timestamp) -> Result<Value, Refusal> {
    let id = percent_encoding::percent_decode_str(id).decode_utf8_lossy();
    let records = advisories.snapshot.records(&id, now).map_err(|e| Refusal::unknown(e.to_string()))?;
    let found = records.iter().find(|record| record.id == *id).or(records.first());
    let found = found.and_then(|record| serde_json::from_slice(&record.json).ok());
    found.ok_or_else(|| Refusal(StatusCode::NOT_FOUND, 5, "no such advisory is loaded here".into()))
}

/// The records that touch what is asked about, each once.
fn vulnerabilities(
    advisories: &Advisories,
    question: &Question,
    now: Timestamp,
) -> Result<Vec<Value>, Refusal> {
    let (ecosystem, name, version) = subject(question)?;
    if !advisories.snapshot.covers(&ecosystem) {
        return Err(Refusal::unknown(format!("no advisory feed for {ecosystem} is loaded here")));
    }
    if advisories.fresh_until().is_some_and(|end| now >= end) {
        return Err(Refusal::unknown("the advisories loaded here are too old to trust"));
    }
    let query = Query { ecosystem: &ecosystem, name: &name, version: &version, now };
    let findings = advisories.snapshot.matches(&query);
    if !findings.undecided.is_empty() {
        let ids = findings.undecided.join(", ");
        return Err(Refusal::unknown(format!("it cannot be told whether {ids} touch {name} {version}")));
    }
    let mut records = BTreeMap::new();
    let sources = findings.items.iter().flat_map(|finding| &finding.sources);
    for source in sources.filter(|source| matches!(source.says, Says::Affected(_))) {
        let texts =
            advisories.snapshot.records(&source.id, now).map_err(|e| Refusal::unknown(e.to_string()))?;
        for text in texts.iter().filter(|text| text.id == source.id && !text.withdrawn) {
            if let Ok(record) = serde_json::from_slice::<Value>(&text.json) {
                records.insert(text.id.clone(), record);
            }
        }
    }
    Ok(records.into_values().collect())
}

/// Ecosystem, name and version of a query.
fn subject(question: &Question) -> Result<(String, String, String), Refusal> {
    if question.commit.is_some() {
        return Err(Refusal::bad("commits are not looked up here: ask for a package and version"));
    }
    let package = question.package.as_ref().ok_or_else(|| Refusal::bad("`package` is missing"))?;
    let versionless = || Refusal::bad("`version` is missing: this door is asked about one version at a time");
    if let Some(purl) = &package.purl {
        let purl = PackageUrl::from_str(purl).map_err(|e| Refusal::bad(format!("`purl`: {e}")))?;
        let ecosystem = match purl.ty() {
            "golang" => "go",
            "gem" => "rubygems",
            "composer" => "packagist",
            other => other,
        };
        let joint = if ecosystem == "maven" { ':' } else { '/' };
        let name = match purl.namespace() {
            Some(namespace) => format!("{namespace}{joint}{}", purl.name()),
            None => purl.name().to_owned(),
        };
        let version = purl.version().map(str::to_owned).or_else(|| question.version.clone());
        return Ok((ecosystem.to_owned(), name, version.ok_or_else(versionless)?));
    }
    match (&package.ecosystem, &package.name, &question.version) {
        (Some(ecosystem), Some(name), Some(version)) => {
            Ok((ecosystem.clone(), name.clone(), version.clone()))
        }
        (Some(_), Some(_), None) => Err(versionless()),
        _ => Err(Refusal::bad("`package` takes `name` and `ecosystem`, or `purl`")),
    }
}
