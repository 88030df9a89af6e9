//! Paths below the repository's base.

use http::Method;
use tidegate_model::{Ecosystem, FileName, PackageName, Version};

use super::{FORM_HTML, FORM_JSON, FORM_PROJECT_JSON, FORM_VERSION_JSON, accept, filename, page};
use crate::ask::{Absence, segments};
use crate::{ApiCall, Ask, ClientRequest, FileSelector, Part, RouteError, View};

/// The service that answers with a file's provenance (PEP 740).
pub(super) const SERVICE_INTEGRITY: &str = "integrity";

const WHOLE_LIST: &str = "the list of every project is not passed on: ask for one project, `simple/<name>/`";
const UPLOAD: &str = "uploading is not offered: publish to the registry that owns the project";
const SIGNATURE: &str = "detached signatures of files are not passed on: the index promises digests instead";

/// The longest version that is read from a path, in bytes.
const MAX_VERSION_BYTES: usize = 128;

pub(super) fn route(request: &ClientRequest<'_>) -> Result<Ask, RouteError> {
    let (parts, slash) = segments(request.path, false)?;
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let ask = match parts.as_slice() {
        ["simple"] => Ask::NotOffered { what: WHOLE_LIST },
        ["simple", name] => simple(name, slash, request)?,
        ["files", name, file] if !slash => artifact(name, file)?,
        ["pypi", name, "json"] => json_api(name, None, slash)?,
        ["pypi", name, version, "json"] => json_api(name, Some(version), slash)?,
        ["integrity", name, version, file, "provenance"] => integrity([name, version, file], slash)?,
        // Uploads come by POST, probes by GET: both are told the same.
        ["legacy"] => return Ok(Ask::NotOffered { what: UPLOAD }),
        _ => {
            let what = request.path.chars().take(80).collect::<String>().escape_debug().to_string();
            return Err(RouteError::Unknown { ecosystem: Ecosystem::Pypi, what });
        }
    };
    if *request.method != Method::GET && *request.method != Method::HEAD {
        return Err(RouteError::Method { allowed: "GET, HEAD" });
    }
    Ok(ask)
}

fn simple(name: &str, slash: bool, request: &ClientRequest<'_>) -> Result<Ask, RouteError> {
    let package = project(name)?;
    if !slash || package.as_str() != name {
        return Ok(Ask::Redirect { to: format!("simple/{package}/") });
    }
    let form = if accept::prefers_json(request.headers) { FORM_JSON } else { FORM_HTML };
    Ok(Ask::Index { package, view: View { form, selector: None } })
}

fn artifact(name: &str, file: &str) -> Result<Ask, RouteError> {
    let package = project(name)?;
    let file = file_name(file)?;
    if package.as_str() != name {
        return Ok(Ask::Redirect { to: page::artifact_path(&package, &file) });
    }
    if file.as_str().ends_with(".asc") {
        return Ok(Ask::NotOffered { what: SIGNATURE });
    }
    let (file, part) = match file.as_str().strip_suffix(".metadata") {
        Some(whole) => (file_name(whole)?, Part::Metadata),
        None => (file, Part::Whole),
    };
    Ok(Ask::Artifact { package, file: FileSelector::Name(file), part })
}

fn json_api(name: &str, version: Option<&str>, slash: bool) -> Result<Ask, RouteError> {
    let package = project(name)?;
    let selector = version.map(version_text).transpose()?;
    if slash || package.as_str() != name {
        let to = match &selector {
            Some(version) => format!("pypi/{package}/{}/json", page::encode(version)),
            None => format!("pypi/{package}/json"),
        };
        return Ok(Ask::Redirect { to });
    }
    let form = if selector.is_some() { FORM_VERSION_JSON } else { FORM_PROJECT_JSON };
    Ok(Ask::Index { package, view: View { form, selector } })
}

fn integrity([name, version, file]: [&str; 3], slash: bool) -> Result<Ask, RouteError> {
    let package = project(name)?;
    let version = Version::parse(Ecosystem::Pypi, &version_text(version)?);
    let file = file_name(file)?;
    // The three parts must agree, else one name would be decided on and another one answered.
    if filename::read(file.as_str(), &package).is_none_or(|(_, own)| own != version) {
        return Err(RouteError::Malformed("the file is not one of that project and version".into()));
    }
    if slash || package.as_str() != name {
        return Ok(Ask::Redirect { to: page::integrity_path(&package, version.as_str(), &file) });
    }
    Ok(Ask::Api(ApiCall {
        service: SERVICE_INTEGRITY,
        package: Some(package),
        version: Some(version),
        file: Some(file),
        query: Vec::new(),
        forwards_body: false,
        absence: Absence::NotOffered,
    }))
}

fn project(name: &str) -> Result<PackageName, RouteError> {
    PackageName::parse(Ecosystem::Pypi, name).map_err(|e| RouteError::Malformed(e.to_string()))
}

fn file_name(text: &str) -> Result<FileName, RouteError> {
    FileName::parse(text).map_err(|e| RouteError::Malformed(e.to_string()))
}

fn version_text(text: &str) -> Result<String, RouteError> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"._+!-".contains(&b);
    if text.len() > MAX_VERSION_BYTES || !text.bytes().all(allowed) {
        return Err(RouteError::Malformed("the version holds what no version may hold".into()));
    }
    Ok(text.to_owned())
}
