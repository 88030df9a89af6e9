//! PyPI: simple pages as HTML (PEP 503) and JSON (PEP 691), files, `.metadata` (PEP 658), the JSON API, provenance.

use std::fmt::Write as _;

use http::StatusCode;
use serde_json::{Map, Value, json};
use tidegate_model::Ecosystem;

use super::Style;
use super::catalog::{Project, Release};
use super::page::{Ask, Page, decoded};
use super::serve::State;
use crate::package::BuiltFile;

const JSON_FORM: &str = "application/vnd.pypi.simple.v1+json";

/// Answers a path below `/python/`.
pub(super) fn answer(state: &State, ask: Ask<'_>) -> Page {
    let path = ask.path;
    if path == "simple/" {
        return projects(state);
    }
    if let Some(name) = path.strip_prefix("simple/") {
        return simple(state, ask, &decoded(name.trim_end_matches('/')));
    }
    if let Some(rest) = path.strip_prefix("pypi/").and_then(|rest| rest.strip_suffix("/json")) {
        return json_api(state, rest);
    }
    if let Some(rest) = path.strip_prefix("integrity/").and_then(|rest| rest.strip_suffix("/provenance")) {
        return provenance(state, rest);
    }
    Page::not_found()
}

/// Answers a path below `/python-files/`: `<sha256>/<file>` and `<sha256>/<file>.metadata`.
pub(super) fn file(state: &State, path: &str) -> Page {
    let contents = state.catalog.read();
    let (digest, name) = path.split_once('/').unwrap_or((path, ""));
    let name = decoded(name);
    let (wanted, metadata) = name.strip_suffix(".metadata").map_or((name.as_str(), false), |n| (n, true));
    let found = contents
        .projects(Ecosystem::Pypi)
        .flat_map(|project| &project.releases)
        .flat_map(|release| &release.files)
        .find(|built| built.sha256 == digest && built.name == wanted);
    match (found, metadata) {
        (Some(built), false) => Page::file(contents.served(built)),
        (Some(BuiltFile { metadata: Some(text), .. }), true) if state.style == Style::Rich => {
            Page::file(text.clone())
        }
        _ => Page::not_found(),
    }
}

fn projects(state: &State) -> Page {
    let contents = state.catalog.read();
    let mut out = String::from("<!DOCTYPE html>\n<html><body>\n");
    for project in contents.projects(Ecosystem::Pypi) {
        let name = super::normalise(&project.name);
        writeln!(out, "<a href=\"{name}/\">{name}</a>").expect("writing to a string does not fail");
    }
    out.push_str("</body></html>\n");
    Page::html(out)
}

fn simple(state: &State, ask: Ask<'_>, name: &str) -> Page {
    let contents = state.catalog.read();
    let Some(project) = contents.project(Ecosystem::Pypi, name) else { return Page::not_found() };
    let names_json = ask.accept.contains(JSON_FORM);
    if state.style == Style::Rich && names_json {
        return Page::typed_json(JSON_FORM, &simple_json(state, project));
    }
    // A thin mirror was seen to add the times to its HTML only where the request names the JSON form.
    let times = state.publish_times && (names_json || state.style == Style::Rich);
    Page::html(simple_html(state, project, times))
}

fn files(project: &Project) -> impl Iterator<Item = (&Release, &BuiltFile)> {
    project.releases.iter().flat_map(|release| release.files.iter().map(move |file| (release, file)))
}

fn url(state: &State, file: &BuiltFile) -> String {
    format!("{}/python-files/{}/{}", state.files_base, file.sha256, file.name)
}

fn simple_json(state: &State, project: &Project) -> Value {
    let files: Vec<Value> = files(project)
        .map(|(release, file)| {
            let mut entry = json!({
                "filename": file.name,
                "url": url(state, file),
                "hashes": { "sha256": file.sha256 },
                "requires-python": ">=3.6",
                "size": file.bytes.len(),
                "yanked": release.yanked.as_ref().map_or(json!(false), |reason| json!(reason)),
            });
            if state.publish_times {
                entry["upload-time"] = json!(release.package.published);
            }
            if let Some(text) = &file.metadata {
                entry["core-metadata"] = json!({ "sha256": sha256_hex(text) });
            }
            entry["provenance"] = json!(format!(
                "{}/python/integrity/{}/{}/{}/provenance",
                state.url,
                super::normalise(&project.name),
                release.package.version,
                file.name
            ));
            entry
        })
        .collect();
    let versions: Vec<&str> = project.releases.iter().map(|r| r.package.version.as_str()).collect();
    json!({
        "meta": { "api-version": "1.4" },
        "name": super::normalise(&project.name),
        "versions": versions,
        "files": files,
    })
}

fn simple_html(state: &State, project: &Project, times: bool) -> String {
    let mut out = format!(
        "<!DOCTYPE html>\n<html><head><meta name=\"pypi:repository-version\" content=\"1.0\"><title>Links for {name}</title>\
         </head><body>\n<h1>Links for {name}</h1>\n",
        name = escape(&project.name)
    );
    for (release, file) in files(project) {
        let mut attributes = String::from(" data-requires-python=\"&gt;=3.6\"");
        if let Some(reason) = &release.yanked {
            write!(attributes, " data-yanked=\"{}\"", escape(reason))
                .expect("writing to a string does not fail");
        }
        if times {
            write!(attributes, " data-upload-time=\"{}\"", release.package.published)
                .expect("writing to a string does not fail");
        }
        if let (Style::Rich, Some(text)) = (state.style, &file.metadata) {
            write!(attributes, " data-core-metadata=\"sha256={}\"", sha256_hex(text))
                .expect("writing to a string does not fail");
        }
        writeln!(
            out,
            "<a href=\"{}#sha256={}\"{attributes}>{}</a><br>",
            url(state, file),
            file.sha256,
            escape(&file.name)
        )
        .expect("writing to a string does not fail");
    }
    out.push_str("</body></html>\n");
    out
}

/// `<name>` or `<name>/<version>` of the JSON API.
fn json_api(state: &State, rest: &str) -> Page {
    if state.style == Style::Thin {
        return Page::not_found();
    }
    let contents = state.catalog.read();
    let (name, version) = rest.split_once('/').map_or((rest, None), |(name, version)| (name, Some(version)));
    let Some(project) = contents.project(Ecosystem::Pypi, &decoded(name)) else { return Page::not_found() };
    let chosen = match version {
        Some(version) => project.releases.iter().find(|r| r.package.version == version),
        None => project.releases.last(),
    };
    let Some(chosen) = chosen else { return Page::not_found() };
    let listed = |release: &Release| -> Vec<Value> {
        let mut files = Vec::new();
        for file in &release.files {
            let mut entry = json!({
                "filename": file.name,
                "url": url(state, file),
                "digests": { "sha256": file.sha256 },
                "size": file.bytes.len(),
                "yanked": release.yanked.is_some(),
                "yanked_reason": release.yanked,
            });
            if state.publish_times {
                entry["upload_time_iso_8601"] = json!(release.package.published);
            }
            files.push(entry);
        }
        files
    };
    let mut out = json!({
        "info": {
            "name": project.name,
            "version": chosen.package.version,
            "license": chosen.package.licence,
            "yanked": chosen.yanked.is_some(),
            "yanked_reason": chosen.yanked,
        },
        "urls": listed(chosen),
        "vulnerabilities": [],
    });
    if version.is_none() {
        let releases: Map<String, Value> =
            project.releases.iter().map(|r| (r.package.version.clone(), json!(listed(r)))).collect();
        out["releases"] = Value::Object(releases);
    }
    Page::json(&out)
}

/// `<name>/<version>/<file>` of the integrity API; the attestation is inert.
fn provenance(state: &State, rest: &str) -> Page {
    if state.style == Style::Thin {
        return Page::not_found();
    }
    let contents = state.catalog.read();
    let mut parts = rest.splitn(3, '/').map(decoded);
    let (Some(name), Some(version), Some(file)) = (parts.next(), parts.next(), parts.next()) else {
        return Page::text(StatusCode::BAD_REQUEST, "expected name, version and file\n");
    };
    let found = contents
        .project(Ecosystem::Pypi, &name)
        .is_some_and(|project| files(project).any(|(r, f)| r.package.version == version && f.name == file));
    if !found {
        return Page::not_found();
    }
    if let Some(document) = contents.attestations.get(&file) {
        return Page::json(document);
    }
    Page::json(&json!({ "version": 1, "attestation_bundles": [{
        "publisher": { "kind": "example", "repository": "example/project" }, "attestations": [],
    }] }))
}

fn sha256_hex(bytes: &[u8]) -> String {
    use sha2::Digest as _;
    hex::encode(sha2::Sha256::digest(bytes))
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
