//! Reads the routes of both protocols.
//!
//! They have no route in common, so either repository answers both: what an Open VSX server has below `/vscode/` is found
//! there too, and without it.

use http::Method;
use tidegate_model::{Ecosystem, FileName, PackageName};

use super::assets::{self, PACKAGE, WEB_RESOURCES};
use super::target::{self, UNIVERSAL, package_file};
use super::{query, render, rest};
use crate::ask::{Absence, segments};
use crate::{ApiCall, Ask, ClientRequest, FileSelector, Part, RouteError, View};

/// The key that signatures are checked with, by its id.
pub(super) const PUBLIC_KEY: &str = "public-key";
/// Counts of installations, which editors send.
pub(super) const STATISTICS: &str = "statistics";
/// What this gallery is, for editors that are given one by policy.
pub(super) const MANIFEST: &str = "gallery-manifest";
/// What answers.
pub(super) const VERSION: &str = "version";

const PUBLISH: &str = "publishing: this door lets extensions in; publish to the registry itself";
const SINGLE_FILES: &str = "single files of an extension: they are decided on with their package and come in it, so web \
                            extensions that are loaded file by file do not come through this door";
const PAGES: &str = "pages about extensions and publishers, and reviews: see the registry's own site";

/// Reads a request.
pub(super) fn route(request: &ClientRequest<'_>) -> Result<Ask, RouteError> {
    let (parts, trailing) = segments(request.path, false)?;
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    if let ["api", rest @ ..] = parts.as_slice() {
        return api(request, rest, trailing);
    }
    let parts = match parts.as_slice() {
        ["vscode", rest @ ..] => rest,
        all => all,
    };
    match parts {
        ["item", ..] => return Ok(Ask::NotOffered { what: PAGES }),
        // The item's address is the one that editors write with a slash at the end.
        _ if trailing => return Err(unknown(request)),
        ["gallery", "extensionquery"] | ["extensionquery"] => return query::gallery(request),
        ["gallery", rest @ ..] if is_statistics(rest) => return Ok(Ask::Generated { document: STATISTICS }),
        _ => gets(request)?,
    }
    match parts {
        ["manifest.json"] => Ok(Ask::Generated { document: MANIFEST }),
        ["control.json"] | ["gallery", "control.json"] => Ok(Ask::Recall),
        ["gallery", "vscode", publisher, name, "latest"] | ["gallery", publisher, name, "latest"] => {
            let package = package(publisher, name)?;
            Ok(Ask::Index { package, view: View { form: render::LATEST, selector: None } })
        }
        ["gallery", "publishers", publisher, "vsextensions", name, version, "vspackage"] => {
            artifact(request, publisher, name, version, Part::Whole)
        }
        ["asset", _, _, _, WEB_RESOURCES, ..] | ["unpkg", ..] => Ok(Ask::NotOffered { what: SINGLE_FILES }),
        ["asset", publisher, name, version, kind] => {
            let part = match (*kind, assets::of_gallery_type(kind)) {
                (PACKAGE, _) => Part::Whole,
                (_, Some(companion)) => Part::Companion(companion),
                _ => return Err(unknown(request)),
            };
            artifact(request, publisher, name, version, part)
        }
        _ => Err(unknown(request)),
    }
}

fn unknown(request: &ClientRequest<'_>) -> RouteError {
    let what = request.path.chars().take(80).collect::<String>().escape_debug().to_string();
    RouteError::Unknown { ecosystem: Ecosystem::Vscode, what }
}

fn malformed(why: impl Into<String>) -> RouteError {
    RouteError::Malformed(why.into())
}

fn gets(request: &ClientRequest<'_>) -> Result<(), RouteError> {
    match *request.method {
        Method::GET | Method::HEAD => Ok(()),
        _ => Err(RouteError::Method { allowed: "GET and HEAD" }),
    }
}

fn is_statistics(parts: &[&str]) -> bool {
    matches!(
        parts,
        ["publishers", _, "extensions", _, _, "stats"]
            | ["itemName", _, "version", _, "statType", _, "vscodewebextension"]
    )
}

fn package(publisher: &str, name: &str) -> Result<PackageName, RouteError> {
    PackageName::parse(Ecosystem::Vscode, &format!("{publisher}/{name}"))
        .map_err(|e| malformed(e.to_string()))
}

/// A release's file, for the platform that the query names.
fn artifact(
    request: &ClientRequest<'_>,
    publisher: &str,
    name: &str,
    version: &str,
    part: Part,
) -> Result<Ask, RouteError> {
    let target = query::platform(request)?.unwrap_or(UNIVERSAL);
    of_release(package(publisher, name)?, version, target, part)
}

fn of_release(package: PackageName, version: &str, target: &str, part: Part) -> Result<Ask, RouteError> {
    let file =
        FileName::parse(&package_file(&package, version, target)).map_err(|e| malformed(e.to_string()))?;
    Ok(Ask::Artifact { package, file: FileSelector::Name(file), part })
}

/// `/api/…`
fn api(request: &ClientRequest<'_>, parts: &[&str], trailing: bool) -> Result<Ask, RouteError> {
    if !matches!(*request.method, Method::GET | Method::HEAD) {
        return match parts {
            ["-", "publish" | "namespace", ..] | [_, "verify-pat"] | [_, _, "review", ..] => {
                Ok(Ask::NotOffered { what: PUBLISH })
            }
            _ => Err(RouteError::Method { allowed: "GET and HEAD" }),
        };
    }
    if trailing {
        return Err(unknown(request));
    }
    match parts {
        ["version"] => Ok(Ask::Generated { document: VERSION }),
        ["-", "query"] | ["v2", "-", "query"] => query::rest_query(request),
        ["-", "search"] => query::rest_search(request),
        ["-", "public-key", id] => public_key(id),
        ["-", "publish" | "namespace", ..] | [_, "verify-pat"] => Ok(Ask::NotOffered { what: PUBLISH }),
        ["-" | "v2", ..] | [] => Err(unknown(request)),
        [_] | [_, "details"] | [_, _, "reviews"] => Ok(Ask::NotOffered { what: PAGES }),
        [publisher, name, rest @ ..] => of_extension(request, package(publisher, name)?, rest),
    }
}

fn public_key(id: &str) -> Result<Ask, RouteError> {
    let is_id = id.len() <= 64 && id.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
    let file = FileName::parse(id).ok().filter(|_| is_id).ok_or_else(|| malformed("no id of a key"))?;
    Ok(Ask::Api(ApiCall {
        service: PUBLIC_KEY,
        package: None,
        version: None,
        file: Some(file),
        query: Vec::new(),
        forwards_body: false,
        absence: Absence::NotOffered,
    }))
}

/// `/api/{publisher}/{name}/…`: a platform, a version, a list or a file.
fn of_extension(
    request: &ClientRequest<'_>,
    package: PackageName,
    parts: &[&str],
) -> Result<Ask, RouteError> {
    let (target, parts) = match parts {
        [first, rest @ ..] if target::parse(first).is_some() => (target::parse(first), rest),
        all => (None, all),
    };
    let index = |form: &'static str, version: &str| {
        if version.contains('\n') {
            return Err(malformed("a version of several lines"));
        }
        let selector = rest::selector(target.unwrap_or_default(), version);
        Ok(Ask::Index { package: package.clone(), view: View { form, selector } })
    };
    match parts {
        [] => index(rest::EXTENSION, ""),
        ["versions" | "version-references"] => index(rest::VERSIONS, ""),
        [version] => index(rest::EXTENSION, version),
        [version, "file", name] => {
            let part = match assets::of_file_name(name) {
                Some(companion) => Part::Companion(companion),
                None => Part::Whole,
            };
            let target = target.unwrap_or(UNIVERSAL);
            let called = package_file(&package, version, target);
            // A package has one name, in any case of its letters; another name is that of nothing.
            if part == Part::Whole && !name.eq_ignore_ascii_case(&called) {
                return Err(unknown(request));
            }
            of_release(package, version, target, part)
        }
        [_, "file", ..] => Ok(Ask::NotOffered { what: SINGLE_FILES }),
        _ => Err(unknown(request)),
    }
}
