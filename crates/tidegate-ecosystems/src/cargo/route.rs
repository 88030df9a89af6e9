//! Paths of the sparse registry protocol.

use http::Method;
use tidegate_model::{Ecosystem, PackageName, Version};

use crate::ask::{Absence, segments};
use crate::{ApiCall, Ask, ClientRequest, FileSelector, Part, RouteError, View};

use super::{CONFIG, LINES, SEARCH};

/// The longest value of a search parameter that is forwarded, in bytes.
const MAX_QUERY_BYTES: usize = 200;

const NO_PUBLISH: &str = "publishing, yanking and owner changes: this repository only reads; publish to the upstream \
                          registry directly";
const NO_WEB_API: &str = "the web API's pages about crates: the index files and downloads of this repository hold \
                          what cargo needs";

/// Reads a path below the repository's base.
pub(super) fn route(request: &ClientRequest<'_>) -> Result<Ask, RouteError> {
    let (segments, trailing) = segments(request.path, false)?;
    let unknown = || RouteError::Unknown {
        ecosystem: Ecosystem::Cargo,
        what: request.path.chars().take(120).flat_map(char::escape_debug).collect(),
    };
    if trailing {
        return Err(unknown());
    }
    let parts: Vec<&str> = segments.iter().map(String::as_str).collect();
    match parts.as_slice() {
        ["api", "v1", "crates", rest @ ..] => api(rest, request).unwrap_or_else(|| Err(unknown())),
        [CONFIG] => reading(request, || Ok(Ask::Generated { document: CONFIG })),
        [first, name] if matches!(*first, "1" | "2") => reading(request, || index(&[*first], name)),
        [first, second, name] => reading(request, || index(&[*first, *second], name)),
        _ => Err(unknown()),
    }
}

/// Below `api/v1/crates`; `None` where the web API has no such route.
fn api(rest: &[&str], request: &ClientRequest<'_>) -> Option<Result<Ask, RouteError>> {
    let method = request.method;
    let reads = matches!(*method, Method::GET | Method::HEAD);
    Some(match rest {
        [] => reading(request, || Ok(search(request))),
        ["new"] if *method == Method::PUT => Ok(Ask::NotOffered { what: NO_PUBLISH }),
        [_, _, "yank"] if *method == Method::DELETE => Ok(Ask::NotOffered { what: NO_PUBLISH }),
        [_, _, "unyank"] if *method == Method::PUT => Ok(Ask::NotOffered { what: NO_PUBLISH }),
        [_, "owners"] if reads || matches!(*method, Method::PUT | Method::DELETE) => {
            Ok(Ask::NotOffered { what: NO_PUBLISH })
        }
        [name, version, "download"] => reading(request, || artifact(name, version)),
        [_] | [_, "versions" | "dependencies" | "reverse_dependencies" | "owner_user" | "owner_team"]
            if reads =>
        {
            Ok(Ask::NotOffered { what: NO_WEB_API })
        }
        _ => return None,
    })
}

fn reading(
    request: &ClientRequest<'_>,
    ask: impl FnOnce() -> Result<Ask, RouteError>,
) -> Result<Ask, RouteError> {
    match *request.method {
        Method::GET | Method::HEAD => ask(),
        _ => Err(RouteError::Method { allowed: "GET, HEAD" }),
    }
}

/// An index file. Its path is a function of the name, so any other path to the same name is refused.
fn index(written_prefix: &[&str], name: &str) -> Result<Ask, RouteError> {
    let package = package(name)?;
    if package.as_str() != name {
        return Err(RouteError::Malformed("an index path is lower case".into()));
    }
    if prefix(name) != written_prefix {
        return Err(RouteError::Malformed(format!("`{name}` does not belong in this folder of the index")));
    }
    Ok(Ask::Index { package, view: View { form: LINES, selector: None } })
}

/// A download. cargo writes the crate's name as its publisher does, with capitals; the version is compared as text, so
/// it stays exactly as asked, build metadata included.
fn artifact(name: &str, version: &str) -> Result<Ask, RouteError> {
    let package = package(name)?;
    if !Version::parse(Ecosystem::Cargo, version).is_valid() {
        return Err(RouteError::Malformed("the version is not a semantic version".into()));
    }
    Ok(Ask::Artifact { package, file: FileSelector::Version(version.to_owned()), part: Part::Whole })
}

/// `cargo search`. A query that could be a crate's name is routed like that name, so that a private name in it is not
/// asked of a public upstream.
fn search(request: &ClientRequest<'_>) -> Ask {
    let query: Vec<(String, String)> = url::form_urlencoded::parse(request.query.unwrap_or("").as_bytes())
        .filter(|(key, value)| {
            matches!(&**key, "q" | "per_page" | "page" | "sort") && value.len() <= MAX_QUERY_BYTES
        })
        .map(|(key, value)| (key.into_owned(), value.into_owned()))
        .take(4)
        .collect();
    let package = query
        .iter()
        .find(|(key, _)| key == "q")
        .and_then(|(_, value)| PackageName::parse(Ecosystem::Cargo, value.trim()).ok());
    Ask::Api(ApiCall {
        service: SEARCH,
        package,
        version: None,
        file: None,
        query,
        forwards_body: false,
        absence: Absence::NotOffered,
    })
}

fn package(name: &str) -> Result<PackageName, RouteError> {
    PackageName::parse(Ecosystem::Cargo, name).map_err(|e| RouteError::Malformed(e.to_string()))
}

/// The folders of the index that hold a name: `1`, `2`, `3/a`, `se/rd` (Cargo book, "Index files"). Names are ASCII
/// and never empty.
pub(super) fn prefix(name: &str) -> Vec<&str> {
    match name.len() {
        1 => vec!["1"],
        2 => vec!["2"],
        3 => vec!["3", &name[..1]],
        _ => vec![&name[..2], &name[2..4]],
    }
}
