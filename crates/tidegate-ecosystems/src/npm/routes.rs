//! Reads npm's routes.
//!
//! A path is split and decoded once; what is asked for is read from the parts, so that another spelling of a path can
//! only mean the same thing or nothing.

use http::header::ACCEPT;
use http::{HeaderMap, Method};
use tidegate_model::{Ecosystem, FileName, PackageName, Version};

use super::packument::is_plain_version;
use super::render::{ABBREVIATED, ABBREVIATED_TYPE, DIST_TAGS, FULL, VERSION};
use crate::ask::{Absence, segments};
use crate::{ApiCall, Ask, ClientRequest, FileSelector, Part, RouteError, View};

/// Keys with which the registry signs versions.
pub(super) const KEYS: &str = "keys";
/// Attestations of one version.
pub(super) const ATTESTATIONS: &str = "attestations";
/// Search.
pub(super) const SEARCH: &str = "search";
/// Advisories for a list of versions.
pub(super) const ADVISORIES_BULK: &str = "advisories-bulk";
/// The audit of npm 6, Yarn 1 and older pnpm.
pub(super) const AUDITS: &str = "audits";
/// The same, shorter.
pub(super) const AUDITS_QUICK: &str = "audits-quick";

/// `GET /-/ping`.
pub(super) const PING: &str = "ping";
/// `GET /-/whoami`.
pub(super) const WHOAMI: &str = "whoami";

/// Query pairs of the search route.
const SEARCH_QUERY: [&str; 6] = ["text", "size", "from", "quality", "popularity", "maintenance"];
/// The longest decoded value of a query pair that is forwarded, in bytes.
const MAX_QUERY_VALUE_BYTES: usize = 512;

const PUBLISH: &str = "publishing: this door lets packages in; publish to the registry itself";
const ACCOUNT: &str = "accounts of the npm registry: sign in at the registry itself; a token for this door comes from \
                       `tidegate token`";
const TAGGING: &str = "changing tags: change them at the registry itself";
const OLD_SEARCH: &str = "the list of all packages: search with `npm search`";

/// Reads a request.
pub(super) fn route(request: &ClientRequest<'_>) -> Result<Ask, RouteError> {
    let (segments, trailing) = segments(request.path, true)?;
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    let unknown = || RouteError::Unknown { ecosystem: Ecosystem::Npm, what: shown(request.path) };
    if trailing && segments != ["-", "ping"] {
        return Err(unknown());
    }
    match segments.split_first() {
        None => Err(unknown()),
        Some((&"-", [])) => package_route(request, &segments, unknown),
        // The package `-` exists; its files stand below `-/-/`.
        Some((&"-", ["-", _])) => package_route(request, &segments, unknown),
        Some((&"-", rest)) => service(request, rest, unknown),
        Some(_) => package_route(request, &segments, unknown),
    }
}

fn shown(path: &str) -> String {
    path.chars().take(120).collect::<String>().escape_debug().to_string()
}

/// Splits the name of a package, with its scope, from the segments behind it.
fn package<'s>(segments: &'s [&'s str]) -> Result<(PackageName, &'s [&'s str]), RouteError> {
    let (name, rest) = match segments {
        [scope, name, rest @ ..] if scope.starts_with('@') => (format!("{scope}/{name}"), rest),
        [name, rest @ ..] => ((*name).to_owned(), rest),
        [] => return Err(RouteError::Malformed("a path without a package name".into())),
    };
    Ok((parse_name(&name)?, rest))
}

fn parse_name(name: &str) -> Result<PackageName, RouteError> {
    PackageName::parse(Ecosystem::Npm, name).map_err(|e| RouteError::Malformed(e.to_string()))
}

fn package_route(
    request: &ClientRequest<'_>,
    segments: &[&str],
    unknown: impl Fn() -> RouteError,
) -> Result<Ask, RouteError> {
    let (package, rest) = package(segments)?;
    match rest {
        [] if *request.method == Method::PUT => Ok(Ask::NotOffered { what: PUBLISH }),
        ["-rev", _] if matches!(*request.method, Method::PUT | Method::DELETE) => {
            Ok(Ask::NotOffered { what: PUBLISH })
        }
        ["-", _, "-rev", _] if *request.method == Method::DELETE => Ok(Ask::NotOffered { what: PUBLISH }),
        [] => {
            reads(request)?;
            let form = if wants_abbreviated(request.headers) { ABBREVIATED } else { FULL };
            Ok(Ask::Index { package, view: View { form, selector: None } })
        }
        ["-", file] => {
            reads(request)?;
            Ok(Ask::Artifact { file: tarball(&package, file)?, package, part: Part::Whole })
        }
        ["-" | "-rev"] => Err(unknown()),
        [selector] => {
            reads(request)?;
            let view = View { form: VERSION, selector: Some((*selector).to_owned()) };
            Ok(Ask::Index { package, view })
        }
        _ => Err(unknown()),
    }
}

/// The file name of a tarball: `<base>-<version>.tgz`, of this package and no other.
fn tarball(package: &PackageName, file: &str) -> Result<FileSelector, RouteError> {
    let malformed = || {
        let expected = format!("`{}`: expected `{}-<version>.tgz`", shown(file), package.base());
        RouteError::Malformed(expected)
    };
    let version = file
        .strip_prefix(package.base())
        .and_then(|rest| rest.strip_prefix('-'))
        .and_then(|rest| rest.strip_suffix(".tgz"))
        .ok_or_else(malformed)?;
    if !is_plain_version(version) {
        return Err(malformed());
    }
    FileName::parse(file).map(FileSelector::Name).map_err(|e| RouteError::Malformed(e.to_string()))
}

/// Routes below `/-/`.
fn service(
    request: &ClientRequest<'_>,
    rest: &[&str],
    unknown: impl Fn() -> RouteError,
) -> Result<Ask, RouteError> {
    let api = |service, absence| ApiCall {
        service,
        package: None,
        version: None,
        file: None,
        query: Vec::new(),
        forwards_body: false,
        absence,
    };
    let audit = |service| {
        posts(request)?;
        Ok(Ask::Api(ApiCall { forwards_body: true, ..api(service, Absence::Unavailable) }))
    };
    match rest {
        ["ping"] => {
            reads(request)?;
            Ok(Ask::Generated { document: PING })
        }
        ["whoami"] => {
            reads(request)?;
            Ok(Ask::Generated { document: WHOAMI })
        }
        ["package", rest @ ..] => package_service(request, rest, unknown),
        ["npm", "v1", "keys"] => {
            reads(request)?;
            Ok(Ask::Api(api(KEYS, Absence::NotOffered)))
        }
        ["npm", "v1", "attestations", named @ ..] => {
            reads(request)?;
            let (package, version) = named_version(named)?;
            let call = api(ATTESTATIONS, Absence::NotOffered);
            Ok(Ask::Api(ApiCall { package: Some(package), version: Some(version), ..call }))
        }
        ["npm", "v1", "security", "advisories", "bulk"] => audit(ADVISORIES_BULK),
        ["npm", "v1", "security", "audits"] => audit(AUDITS),
        ["npm", "v1", "security", "audits", "quick"] => audit(AUDITS_QUICK),
        ["v1", "search"] => {
            reads(request)?;
            let query = search_query(request.query.unwrap_or_default());
            Ok(Ask::Api(ApiCall { query, ..api(SEARCH, Absence::NotOffered) }))
        }
        ["all" | "all.json", ..] => Ok(Ask::NotOffered { what: OLD_SEARCH }),
        ["user" | "org" | "team" | "v1", ..] | ["npm", "v1", "tokens" | "user" | "hooks" | "oidc", ..] => {
            Ok(Ask::NotOffered { what: ACCOUNT })
        }
        _ => Err(unknown()),
    }
}

/// Routes below `/-/package/`.
fn package_service(
    request: &ClientRequest<'_>,
    rest: &[&str],
    unknown: impl Fn() -> RouteError,
) -> Result<Ask, RouteError> {
    let (package, rest) = package(rest)?;
    match rest {
        ["dist-tags"] if *request.method == Method::PUT || *request.method == Method::POST => {
            Ok(Ask::NotOffered { what: TAGGING })
        }
        ["dist-tags"] => {
            reads(request)?;
            Ok(Ask::Index { package, view: View { form: DIST_TAGS, selector: None } })
        }
        ["dist-tags", _] => Ok(Ask::NotOffered { what: TAGGING }),
        ["access" | "collaborators" | "visibility" | "trust", ..] => Ok(Ask::NotOffered { what: ACCOUNT }),
        _ => Err(unknown()),
    }
}

/// `name@version`, where a scoped name may have come as two segments.
fn named_version(segments: &[&str]) -> Result<(PackageName, Version), RouteError> {
    let text = segments.join("/");
    let malformed = || RouteError::Malformed(format!("`{}`: expected `<name>@<version>`", shown(&text)));
    let (name, version) = text.rsplit_once('@').ok_or_else(malformed)?;
    let parsed = Version::parse(Ecosystem::Npm, version);
    if !is_plain_version(version) || !parsed.is_valid() {
        return Err(malformed());
    }
    Ok((parse_name(name)?, parsed))
}

fn search_query(query: &str) -> Vec<(String, String)> {
    let mut pairs: Vec<(String, String)> = Vec::new();
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        let known = SEARCH_QUERY.contains(&&*name) && !pairs.iter().any(|(seen, _)| *seen == name);
        if known && value.len() <= MAX_QUERY_VALUE_BYTES {
            pairs.push((name.into_owned(), value.into_owned()));
        }
    }
    pairs
}

fn reads(request: &ClientRequest<'_>) -> Result<(), RouteError> {
    match *request.method {
        Method::GET | Method::HEAD => Ok(()),
        _ => Err(RouteError::Method { allowed: "GET, HEAD" }),
    }
}

fn posts(request: &ClientRequest<'_>) -> Result<(), RouteError> {
    match *request.method {
        Method::POST => Ok(()),
        _ => Err(RouteError::Method { allowed: "POST" }),
    }
}

/// Whether a client would rather have the abbreviated form (RFC 9110 §12.5.1). It has to name it: `*/*` means the full
/// document, as the registry has it.
fn wants_abbreviated(headers: &HeaderMap) -> bool {
    let mut abbreviated = None;
    let mut full = None;
    let mut anything = None;
    for value in headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok()) {
        for range in value.split(',') {
            let mut parts = range.split(';').map(str::trim);
            let weight = || {
                let q = parts.clone().skip(1).find_map(|p| p.strip_prefix("q=").or(p.strip_prefix("Q=")));
                q.map_or(1.0, |q| q.trim().parse::<f32>().unwrap_or(0.0))
            };
            let weight = weight();
            let place = match parts.next().unwrap_or_default().to_ascii_lowercase().as_str() {
                ABBREVIATED_TYPE => &mut abbreviated,
                "application/json" => &mut full,
                "*/*" | "application/*" => &mut anything,
                _ => continue,
            };
            *place = Some(f32::max(place.unwrap_or(0.0), weight));
        }
    }
    abbreviated.is_some_and(|q| q > 0.0 && q >= full.or(anything.map(|q: f32| q.min(0.99))).unwrap_or(0.0))
}
