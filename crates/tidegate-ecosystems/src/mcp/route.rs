//! Reads the registry's routes. `v0` is another name of `v0.1`.
//!
//! A path is split and decoded once. A slash may be encoded in a server's name alone; everywhere else it would be another
//! spelling of another path.

use http::Method;
use tidegate_model::{Ecosystem, FileName, PackageName, Timestamp};

use super::{SERVERS, VERSION, VERSIONS};
use crate::ask::{MAX_PATH_BYTES, MAX_SEGMENTS, decode_segment};
use crate::catalogue::{Query, Which};
use crate::{Ask, ClientRequest, FileSelector, Part, RouteError, View};

/// `OPTIONS` of any route: whether a page may ask.
pub(super) const PREFLIGHT: &str = "preflight";
/// `GET /v0.1/health`
pub(super) const HEALTH: &str = "health";
/// `GET /v0.1/ping`
pub(super) const PING: &str = "ping";
/// `GET /v0.1/version`
pub(super) const ABOUT: &str = "version";

const PUBLISH: &str = "publishing: this door lets servers in; publish to the registry itself";

/// Entries of a page unless the client says otherwise, and the most it may ask for.
const LIMIT: usize = 30;
const MAX_LIMIT: usize = 100;
/// The longest text that is searched for, and the longest version that is asked for, in bytes.
const MAX_SEARCH_BYTES: usize = 200;
const MAX_VERSION_BYTES: usize = 255;

pub(super) fn route(request: &ClientRequest<'_>) -> Result<Ask, RouteError> {
    let parts = parts(request.path)?;
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    if *request.method == Method::OPTIONS {
        return Ok(Ask::Generated { document: PREFLIGHT });
    }
    let reads = matches!(*request.method, Method::GET | Method::HEAD);
    let rest = match parts.as_slice() {
        ["bundles", name, version, number, file] if reads => return bundle(name, version, number, file),
        ["v0.1" | "v0", rest @ ..] => rest,
        _ => return Err(unknown(request)),
    };
    if !reads {
        return match rest {
            ["publish" | "validate" | "auth", ..] | ["servers", _, ..] => {
                Ok(Ask::NotOffered { what: PUBLISH })
            }
            _ => Err(RouteError::Method { allowed: "GET, HEAD and OPTIONS" }),
        };
    }
    match rest {
        ["servers"] => Ok(Ask::Catalogue { form: SERVERS, query: Box::new(query(request)?) }),
        ["servers", rest @ ..] => server(request, rest),
        ["health"] => Ok(Ask::Generated { document: HEALTH }),
        ["ping"] => Ok(Ask::Generated { document: PING }),
        ["version"] => Ok(Ask::Generated { document: ABOUT }),
        ["publish" | "validate" | "auth", ..] => Ok(Ask::NotOffered { what: PUBLISH }),
        _ => Err(unknown(request)),
    }
}

fn unknown(request: &ClientRequest<'_>) -> RouteError {
    let what = request.path.chars().take(80).collect::<String>().escape_debug().to_string();
    RouteError::Unknown { ecosystem: Ecosystem::Mcp, what }
}

fn malformed(why: impl Into<String>) -> RouteError {
    RouteError::Malformed(why.into())
}

/// Decoded segments; each may hold one encoded slash, which only a name is allowed to.
fn parts(path: &str) -> Result<Vec<String>, RouteError> {
    if path.len() > MAX_PATH_BYTES {
        return Err(malformed("the path is too long"));
    }
    let mut parts = Vec::new();
    for raw in path.split('/').filter(|_| !path.is_empty()) {
        if raw.is_empty() {
            return Err(malformed("an empty path segment"));
        }
        let part = decode_segment(raw)?;
        if part.split('/').any(|piece| piece.is_empty() || piece == "." || piece == "..") {
            return Err(malformed("a dot segment"));
        }
        if parts.len() == MAX_SEGMENTS {
            return Err(malformed("too many path segments"));
        }
        parts.push(part);
    }
    Ok(parts)
}

fn name(text: &str) -> Result<PackageName, RouteError> {
    PackageName::parse(Ecosystem::Mcp, text).map_err(|e| malformed(e.to_string()))
}

/// `/servers/{name}`, `/servers/{name}/versions`, `/servers/{name}/versions/{version}`; the name with its slash encoded, as
/// the protocol wants it, or in two segments, as some clients send it.
fn server(request: &ClientRequest<'_>, rest: &[&str]) -> Result<Ask, RouteError> {
    let (package, rest) = match rest {
        [both, rest @ ..] if both.contains('/') => (name(both)?, rest),
        [namespace, base, rest @ ..] => (name(&format!("{namespace}/{base}"))?, rest),
        _ => return Err(unknown(request)),
    };
    let view = match rest {
        [] => View { form: VERSION, selector: Some("latest".to_owned()) },
        ["versions"] => {
            let gone = is_on(request, "include_deleted").then(|| "gone".to_owned());
            View { form: VERSIONS, selector: gone }
        }
        ["versions", version] if !version.contains('/') && version.len() <= MAX_VERSION_BYTES => {
            View { form: VERSION, selector: Some((*version).to_owned()) }
        }
        ["versions", _] => return Err(malformed("this can be no version")),
        _ => return Err(unknown(request)),
    };
    Ok(Ask::Index { package, view })
}

/// `/bundles/{name}/{version}/{number}/{file}`: a route of this door, which listings name in the place of other hosts.
fn bundle(package: &str, version: &str, number: &str, file: &str) -> Result<Ask, RouteError> {
    let package = name(package)?;
    if [version, number, file].iter().any(|part| part.contains('/')) {
        return Err(malformed("an encoded slash"));
    }
    let file =
        FileName::parse_path(&format!("{version}/{number}/{file}")).map_err(|e| malformed(e.to_string()))?;
    Ok(Ask::Artifact { package, file: FileSelector::Name(file), part: Part::Whole })
}

fn value(request: &ClientRequest<'_>, name: &str) -> Option<String> {
    let pairs = url::form_urlencoded::parse(request.query.unwrap_or_default().as_bytes());
    let mut values = pairs.filter(|(key, _)| key == name).map(|(_, value)| value.into_owned());
    values.next().filter(|value| !value.is_empty())
}

fn is_on(request: &ClientRequest<'_>, name: &str) -> bool {
    value(request, name).is_some_and(|value| matches!(&*value.to_ascii_lowercase(), "true" | "1"))
}

fn query(request: &ClientRequest<'_>) -> Result<Query, RouteError> {
    let limit = match value(request, "limit") {
        None => LIMIT,
        Some(text) => text
            .parse()
            .ok()
            .filter(|limit| (1..=MAX_LIMIT).contains(limit))
            .ok_or_else(|| malformed("`limit` is not a number from 1 to 100"))?,
    };
    let after = match value(request, "cursor") {
        None => None,
        Some(text) => Some(cursor(&text).ok_or_else(|| malformed("this cursor was not given out here"))?),
    };
    let updated_since = match value(request, "updated_since") {
        None => None,
        Some(text) => {
            let time: Result<Timestamp, _> = text.parse();
            Some(time.map_err(|_| malformed("`updated_since` is no time such as 2026-01-31T12:00:00Z"))?)
        }
    };
    let version = match value(request, "version") {
        None => Which::Every,
        Some(text) if text == "latest" => Which::Latest,
        Some(text) if text.len() <= MAX_VERSION_BYTES => Which::This(text),
        Some(_) => return Err(malformed("this can be no version")),
    };
    let search = value(request, "search").map(|text| text.to_ascii_lowercase());
    if search.as_ref().is_some_and(|text| text.len() > MAX_SEARCH_BYTES) {
        return Err(malformed("the text to search for is too long"));
    }
    Ok(Query { after, limit, search, updated_since, version, with_gone: is_on(request, "include_deleted") })
}

/// A cursor names the entry behind which a page begins. It stays good whatever is withheld or published meanwhile.
fn cursor(text: &str) -> Option<(String, String)> {
    let (server, version) = text.split_once(':')?;
    let server = PackageName::parse(Ecosystem::Mcp, server).ok()?;
    (version.len() <= MAX_VERSION_BYTES).then(|| (server.as_str().to_owned(), version.to_owned()))
}
