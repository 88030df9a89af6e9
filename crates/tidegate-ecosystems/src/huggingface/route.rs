//! Reads the hub's routes.
//!
//! A path is split and decoded once. A slash may be encoded in a revision alone (`refs%2Fpr%2F1`); everywhere else it would
//! be another spelling of another path.

use std::borrow::Cow;

use http::Method;
use tidegate_model::version::is_commit;
use tidegate_model::{Ecosystem, FileName, PackageName, Version};

use super::commit::{INFO, PATHS, TREE};
use crate::ask::{Absence, decode_segment};
use crate::{ApiCall, Ask, ClientRequest, FileSelector, Part, RouteError, View};

/// Branches and tags.
pub(super) const REFS: &str = "refs";
/// The commits of a revision.
pub(super) const COMMITS: &str = "commits";
/// `GET /api/whoami-v2`.
pub(super) const WHOAMI: &str = "whoami";

const PUBLISH: &str = "publishing: this door lets models in; publish to the hub itself";
const XET: &str =
    "Xet storage: its clients fetch past every door, so files come from here whole; nothing is to be set";
const SEARCH: &str = "searching the hub: look there; what you name is fetched through this door";
const CLONE: &str = "cloning with git: `hf download` fetches the same files, through this door";
const RAW: &str = "files by `raw` and `blob`: ask for them by `resolve`";

/// What follows a repository's id in an API route.
const VERBS: [&str; 14] = [
    "revision",
    "tree",
    "refs",
    "commits",
    "paths-info",
    "xet-read-token",
    "xet-write-token",
    "commit",
    "preupload",
    "branch",
    "tag",
    "settings",
    "discussions",
    "super-squash",
];

/// The longest path that is read, in bytes, and the most segments.
const MAX_PATH_BYTES: usize = 4096;
const MAX_SEGMENTS: usize = 48;
/// The longest revision, in bytes.
const MAX_REVISION_BYTES: usize = 250;
/// The most paths that one request may ask about, and the most bytes in which it says so.
const MAX_PATHS: usize = 1_000;
const MAX_PATHS_BYTES: usize = 64 << 10;

/// Reads a request.
pub(super) fn route(request: &ClientRequest<'_>) -> Result<Ask, RouteError> {
    let parts = parts(request.path)?;
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    match parts.split_first() {
        Some((&"api", rest)) => api(request, rest),
        Some(_) => file(request, &parts),
        None => Err(unknown(request)),
    }
}

fn unknown(request: &ClientRequest<'_>) -> RouteError {
    let what = request.path.chars().take(80).collect::<String>().escape_debug().to_string();
    RouteError::Unknown { ecosystem: Ecosystem::Huggingface, what }
}

fn malformed(why: impl Into<String>) -> RouteError {
    RouteError::Malformed(why.into())
}

/// Decoded segments; one may hold an encoded slash, which only a revision is allowed to.
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

fn gets(request: &ClientRequest<'_>) -> Result<(), RouteError> {
    match *request.method {
        Method::GET | Method::HEAD => Ok(()),
        _ => Err(RouteError::Method { allowed: "GET and HEAD" }),
    }
}

/// `/api/…`
fn api(request: &ClientRequest<'_>, rest: &[&str]) -> Result<Ask, RouteError> {
    let publishes = !matches!(*request.method, Method::GET | Method::HEAD);
    let (kind, rest) = match rest {
        ["whoami-v2"] => {
            gets(request)?;
            return Ok(Ask::Generated { document: WHOAMI });
        }
        [kind @ ("models" | "datasets" | "spaces"), rest @ ..] => (*kind, rest),
        _ if publishes => return Ok(Ask::NotOffered { what: PUBLISH }),
        _ => return Err(unknown(request)),
    };
    let is_verb = |at: usize| rest.get(at).is_some_and(|word| VERBS.contains(word));
    let (id, verb) = match rest.len() {
        0 => return Ok(Ask::NotOffered { what: if publishes { PUBLISH } else { SEARCH } }),
        1 => rest.split_at(1),
        _ if is_verb(2) => rest.split_at(2),
        _ if is_verb(1) => rest.split_at(1),
        2 => rest.split_at(2),
        _ if publishes => return Ok(Ask::NotOffered { what: PUBLISH }),
        _ => return Err(unknown(request)),
    };
    let package = package(kind, id)?;
    let ask = match verb {
        [] => {
            let view = info(request, super::Commits::default_revision(&super::Huggingface));
            Ask::Index { package, view }
        }
        ["refs"] => call(REFS, package, None, Vec::new()),
        ["xet-read-token" | "xet-write-token", ..] => return Ok(Ask::NotOffered { what: XET }),
        [verb @ ("revision" | "tree" | "commits" | "paths-info"), rest @ ..] if !rest.is_empty() => {
            let (revision, below) = revision(rest)?;
            match (*verb, below) {
                ("revision", []) => Ask::Index { package, view: info(request, &revision) },
                ("tree", below) => Ask::Index { package, view: tree(request, &revision, below)? },
                ("commits", []) => {
                    let version = Version::parse(Ecosystem::Huggingface, &revision);
                    call(COMMITS, package, Some(version), paging(request))
                }
                ("paths-info", []) => {
                    if *request.method != Method::POST {
                        return Err(RouteError::Method { allowed: "POST" });
                    }
                    return Ok(Ask::Index { package, view: paths(request, &revision)? });
                }
                _ => return Err(unknown(request)),
            }
        }
        _ if publishes => return Ok(Ask::NotOffered { what: PUBLISH }),
        _ => return Err(unknown(request)),
    };
    if publishes {
        return Ok(Ask::NotOffered { what: PUBLISH });
    }
    Ok(ask)
}

/// `/<id>/resolve/<revision>/<path>`, with `datasets/` or `spaces/` before it.
fn file(request: &ClientRequest<'_>, parts: &[&str]) -> Result<Ask, RouteError> {
    let (kind, rest) = match parts {
        [kind @ ("datasets" | "spaces"), rest @ ..] => (*kind, rest),
        rest => ("models", rest),
    };
    let says = |at: usize, words: &[&str]| rest.get(at).is_some_and(|word| words.contains(word));
    let at = match rest.len() {
        5.. if says(2, &["resolve"]) => 2,
        4.. if says(1, &["resolve"]) => 1,
        _ if rest.ends_with(&["info", "refs"]) || rest.ends_with(&["git-upload-pack"]) => {
            return Ok(Ask::NotOffered { what: CLONE });
        }
        _ if rest.contains(&"info") && rest.contains(&"lfs") => return Ok(Ask::NotOffered { what: PUBLISH }),
        4.. if says(1, &["raw", "blob"]) || says(2, &["raw", "blob"]) => {
            return Ok(Ask::NotOffered { what: RAW });
        }
        _ => return Err(unknown(request)),
    };
    gets(request)?;
    let package = package(kind, &rest[..at])?;
    let (revision, below) = revision(&rest[at + 1..])?;
    if below.is_empty() {
        return Err(unknown(request));
    }
    let path = path(below)?;
    Ok(Ask::Artifact { package, file: FileSelector::Path { revision, path }, part: Part::Whole })
}

fn package(kind: &str, id: &[&str]) -> Result<PackageName, RouteError> {
    if id.iter().any(|part| part.contains('/')) {
        return Err(malformed("an encoded slash"));
    }
    let id = id.join("/");
    let name = if kind == "models" { id } else { format!("{kind}/{id}") };
    let package = PackageName::parse(Ecosystem::Huggingface, &name).map_err(|e| malformed(e.to_string()))?;
    // A model's owner may not be called like a kind: it would be another package.
    if super::kind_and_id(&package).0 == kind {
        Ok(package)
    } else {
        Err(malformed("the name begins with a kind"))
    }
}

fn path(parts: &[&str]) -> Result<FileName, RouteError> {
    if parts.iter().any(|part| part.contains('/')) {
        return Err(malformed("an encoded slash"));
    }
    FileName::parse_path(&parts.join("/")).map_err(|e| malformed(e.to_string()))
}

/// The revision at the head of these parts, and what follows. `refs/pr/1` may come in three parts or in one.
fn revision<'a, 'b>(parts: &'b [&'a str]) -> Result<(String, &'b [&'a str]), RouteError> {
    let (text, below) = match parts {
        ["refs", kind @ ("pr" | "convert"), name, below @ ..] => {
            (Cow::Owned(format!("refs/{kind}/{name}")), below)
        }
        [one, below @ ..] => (Cow::Borrowed(*one), below),
        [] => return Err(malformed("no revision")),
    };
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"._-+@=/".contains(&b);
    if text.len() > MAX_REVISION_BYTES || !text.bytes().all(allowed) || text.starts_with(['-', '/']) {
        return Err(malformed("this can be no revision"));
    }
    let lower = text.to_ascii_lowercase();
    // A commit has one spelling.
    Ok((if is_commit(&lower) { lower } else { text.into_owned() }, below))
}

fn query(request: &ClientRequest<'_>, name: &str) -> Option<String> {
    let pairs = url::form_urlencoded::parse(request.query.unwrap_or_default().as_bytes());
    pairs.filter(|(key, _)| key == name).map(|(_, value)| value.into_owned()).next()
}

fn is_on(request: &ClientRequest<'_>, name: &str) -> bool {
    query(request, name).is_some_and(|value| matches!(&*value.to_ascii_lowercase(), "true" | "1"))
}

fn info(request: &ClientRequest<'_>, revision: &str) -> View {
    let blobs = if is_on(request, "blobs") { "\nblobs" } else { "" };
    View { form: INFO, selector: Some(format!("{revision}{blobs}")) }
}

fn tree(request: &ClientRequest<'_>, revision: &str, below: &[&str]) -> Result<View, RouteError> {
    let depth = if is_on(request, "recursive") { "all" } else { "one" };
    let folder = match below {
        [] => String::new(),
        below => path(below)?.as_str().to_owned(),
    };
    Ok(View { form: TREE, selector: Some(format!("{revision}\n{depth}\n{folder}")) })
}

/// The paths that a request's body names, as a form or as JSON.
fn paths(request: &ClientRequest<'_>, revision: &str) -> Result<View, RouteError> {
    if request.body.len() > MAX_PATHS_BYTES {
        return Err(malformed("the request names too many paths"));
    }
    let named: Vec<String> = match serde_json::from_slice::<serde_json::Value>(request.body) {
        Ok(body) => match &body["paths"] {
            serde_json::Value::String(path) => vec![path.clone()],
            serde_json::Value::Array(paths) => {
                paths.iter().filter_map(|path| path.as_str().map(str::to_owned)).collect()
            }
            _ => return Err(malformed("the request's body names no paths")),
        },
        Err(_) => url::form_urlencoded::parse(request.body)
            .filter(|(key, _)| key == "paths")
            .map(|(_, value)| value.into_owned())
            .collect(),
    };
    if named.len() > MAX_PATHS {
        return Err(malformed("the request names too many paths"));
    }
    let mut selector = revision.to_owned();
    // What can be no path is no file either, and the answer leaves it out.
    for path in named.iter().filter_map(|text| FileName::parse_path(text.trim_end_matches('/')).ok()) {
        selector.push('\n');
        selector.push_str(path.as_str());
    }
    Ok(View { form: PATHS, selector: Some(selector) })
}

/// Which page of commits.
fn paging(request: &ClientRequest<'_>) -> Vec<(String, String)> {
    let is_number =
        |text: &String| !text.is_empty() && text.len() < 7 && text.bytes().all(|b| b.is_ascii_digit());
    ["p", "limit"]
        .into_iter()
        .filter_map(|name| Some((name.to_owned(), query(request, name).filter(is_number)?)))
        .collect()
}

fn call(
    service: &'static str,
    package: PackageName,
    version: Option<Version>,
    query: Vec<(String, String)>,
) -> Ask {
    Ask::Api(ApiCall {
        service,
        package: Some(package),
        version,
        file: None,
        query,
        forwards_body: false,
        absence: Absence::NotOffered,
    })
}
