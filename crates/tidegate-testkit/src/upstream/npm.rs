//! The npm registry: packuments in both forms, version documents, tags, tarballs, audit, keys, attestations, search.

use http::{Method, StatusCode};
use serde_json::{Map, Value, json};
use tidegate_model::Ecosystem;

use super::Style;
use super::catalog::{Contents, Project, Release};
use super::page::{Ask, Page, decoded};
use super::serve::State;

const ABBREVIATED: &str = "application/vnd.npm.install-v1+json";

/// Fields of a version object that the abbreviated form keeps.
const ABBREVIATED_FIELDS: [&str; 14] = [
    "name",
    "version",
    "deprecated",
    "dependencies",
    "optionalDependencies",
    "devDependencies",
    "bundleDependencies",
    "peerDependencies",
    "peerDependenciesMeta",
    "bin",
    "directories",
    "dist",
    "engines",
    "hasInstallScript",
];

/// Answers a path below `/npm/`.
pub(super) fn answer(state: &State, ask: Ask<'_>) -> Page {
    let contents = state.catalog.read();
    if let Some(rest) = ask.path.strip_prefix("-/") {
        return service(state, &contents, ask, rest);
    }
    if let Some((name, file)) = ask.path.split_once("/-/") {
        return tarball(&contents, &decoded(name), file);
    }
    let (name, rest) = split_name(ask.path);
    let Some(project) = contents.project(Ecosystem::Npm, &name) else {
        return Page { status: StatusCode::NOT_FOUND, ..Page::json(&json!({ "error": "Not found" })) };
    };
    match rest {
        None if state.style == Style::Rich && ask.accept.contains(ABBREVIATED) => {
            Page::typed_json(ABBREVIATED, &abbreviated(state, &contents, project))
        }
        None => Page::json(&packument(state, &contents, project)),
        Some(version) => {
            let version = project.tags.get(version).map_or(version, String::as_str);
            match project.releases.iter().find(|r| r.package.version == version) {
                Some(release) => Page::json(&Value::Object(version_object(state, &contents, release))),
                None => Page {
                    status: StatusCode::NOT_FOUND,
                    ..Page::json(&json!(format!("version not found: {version}")))
                },
            }
        }
    }
}

/// A tarball by its file name alone, wherever it was asked for.
pub(super) fn tarball_by_digest(state: &State, path: &str) -> Page {
    let contents = state.catalog.read();
    let (digest, file) = path.split_once('/').unwrap_or((path, ""));
    contents
        .projects(Ecosystem::Npm)
        .flat_map(|project| &project.releases)
        .flat_map(|release| &release.files)
        .find(|built| built.sha1 == digest && built.name == file)
        .map_or_else(Page::not_found, |built| Page::file(contents.served(built)))
}

/// `@scope/name/rest`, `@scope%2fname/rest` or `name/rest`.
fn split_name(path: &str) -> (String, Option<&str>) {
    let scoped_plainly = path.starts_with('@') && !path.to_lowercase().contains("%2f");
    let parts = if scoped_plainly { 2 } else { 1 };
    match path.match_indices('/').nth(parts - 1) {
        Some((at, _)) => (decoded(&path[..at]), Some(&path[at + 1..]).filter(|rest| !rest.is_empty())),
        None => (decoded(path), None),
    }
}

fn tarball(contents: &Contents, name: &str, file: &str) -> Page {
    contents
        .project(Ecosystem::Npm, name)
        .and_then(|project| project.releases.iter().flat_map(|r| &r.files).find(|f| f.name == file))
        .map_or_else(Page::not_found, |built| Page::file(contents.served(built)))
}

fn version_object(state: &State, contents: &Contents, release: &Release) -> Map<String, Value> {
    let file = &release.files[0];
    let package = &release.package;
    let name = &package.name;
    let mut out = file.manifest.clone();
    let tarball = if state.unusual_paths {
        format!("{}/npm-files/{}/{}", state.files_base, file.sha1, file.name)
    } else {
        format!("{}/npm/{name}/-/{}", state.files_base, file.name)
    };
    let mut dist = json!({
        "integrity": file.integrity,
        "shasum": file.sha1,
        "tarball": tarball,
        "fileCount": 2 + package.extra_files.len(),
        "unpackedSize": file.bytes.len() * 2,
    });
    let what = format!("{name}@{}", package.version);
    if state.style == Style::Rich {
        // A key that nobody lists: proves nothing and passes unchanged.
        let unknown = [("SHA256:testkit".to_owned(), format!("c2lnOg{}AA", &file.sha1[..8]))];
        let signatures = contents.signatures.get(&what).map_or(&unknown[..], Vec::as_slice);
        dist["signatures"] =
            signatures.iter().map(|(key, signature)| json!({ "keyid": key, "sig": signature })).collect();
    }
    if contents.attestations.contains_key(&what) {
        dist["attestations"] = json!({
            "url": format!("{}/npm/-/npm/v1/attestations/{what}", state.url),
            "provenance": { "predicateType": "https://slsa.dev/provenance/v1" },
        });
    }
    out.insert("dist".into(), dist);
    if package.install_code.is_some() {
        out.insert("hasInstallScript".into(), json!(true));
    }
    if let Some(message) = &release.deprecated {
        out.insert("deprecated".into(), json!(message));
    }
    for (member, value) in &package.listed {
        match value {
            Value::Null => drop(out.remove(member)),
            value => drop(out.insert(member.clone(), value.clone())),
        }
    }
    out.insert("_id".into(), json!(format!("{name}@{}", package.version)));
    out.insert("_npmUser".into(), json!({ "name": package.publisher, "email": "someone@example.test" }));
    out
}

fn packument(state: &State, contents: &Contents, project: &Project) -> Value {
    let mut versions = Map::new();
    let mut time = Map::new();
    if let (Some(first), Some(last)) = (
        project.releases.iter().map(|r| r.package.published).min(),
        project.releases.iter().map(|r| r.package.published).max(),
    ) {
        time.insert("created".into(), json!(first));
        time.insert("modified".into(), json!(last));
    }
    for release in &project.releases {
        versions
            .insert(release.package.version.clone(), Value::Object(version_object(state, contents, release)));
        time.insert(release.package.version.clone(), json!(release.package.published));
    }
    let mut out = json!({
        "_id": project.name,
        "name": project.name,
        "description": "built by tidegate-testkit",
        "dist-tags": project.tags,
        "versions": versions,
        "maintainers": [{ "name": "someone", "email": "someone@example.test" }],
        "readme": format!("# {}\n", project.name),
    });
    if state.publish_times {
        out["time"] = Value::Object(time);
    }
    out
}

fn abbreviated(state: &State, contents: &Contents, project: &Project) -> Value {
    let versions: Map<String, Value> = project
        .releases
        .iter()
        .map(|release| {
            let mut object = version_object(state, contents, release);
            object.retain(|field, _| ABBREVIATED_FIELDS.contains(&field.as_str()));
            (release.package.version.clone(), Value::Object(object))
        })
        .collect();
    let modified = project.releases.iter().map(|r| r.package.published).max();
    json!({ "name": project.name, "dist-tags": project.tags, "versions": versions, "modified": modified })
}

/// Paths below `/-/`.
fn service(state: &State, contents: &Contents, ask: Ask<'_>, rest: &str) -> Page {
    if let Some(name) = rest.strip_prefix("package/").and_then(|r| r.strip_suffix("/dist-tags")) {
        return contents
            .project(Ecosystem::Npm, &decoded(name))
            .map_or_else(Page::not_found, |project| Page::json(&json!(project.tags)));
    }
    if state.style == Style::Thin {
        return match rest {
            "npm/v1/security/advisories/bulk" => {
                Page::text(StatusCode::METHOD_NOT_ALLOWED, "method not allowed\n")
            }
            "whoami" => Page::text(StatusCode::FORBIDDEN, "forbidden\n"),
            _ => Page::not_found(),
        };
    }
    match (ask.method, rest) {
        (&Method::POST, "npm/v1/security/advisories/bulk") => bulk_audit(contents, ask.body),
        (&Method::POST, "npm/v1/security/audits" | "npm/v1/security/audits/quick") => Page::json(&json!({
            "actions": [], "advisories": {}, "muted": [],
            "metadata": { "vulnerabilities": { "info": 0, "low": 0, "moderate": 0, "high": 0, "critical": 0 } },
        })),
        (_, "npm/v1/keys") if contents.registry_keys.is_some() => {
            Page::json(contents.registry_keys.as_ref().unwrap_or(&Value::Null))
        }
        (_, "npm/v1/keys") => Page::json(&json!({ "keys": [{
            "expires": null, "keyid": "SHA256:testkit", "keytype": "ecdsa-sha2-nistp256",
            "scheme": "ecdsa-sha2-nistp256", "key": "bm90IGEga2V5",
        }] })),
        (_, "ping") => Page::json(&json!({})),
        (_, "whoami") => Page::json(&json!({ "username": "upstream-user" })),
        (_, "v1/search") => search(contents, ask.query),
        _ => match rest.strip_prefix("npm/v1/attestations/").map(decoded) {
            Some(what) => attestations(contents, &what),
            None => Page::not_found(),
        },
    }
}

/// `{name: [versions]}` in, `{name: [advisories]}` out; names without advisories are left out.
fn bulk_audit(contents: &Contents, body: &[u8]) -> Page {
    let Ok(Value::Object(asked)) = serde_json::from_slice::<Value>(body) else {
        return Page::text(StatusCode::BAD_REQUEST, "the body is not a JSON object\n");
    };
    let found: Map<String, Value> = asked
        .keys()
        .filter_map(|name| contents.advisories.get(name).map(|list| (name.clone(), json!(list))))
        .collect();
    Page::json(&Value::Object(found))
}

fn search(contents: &Contents, query: &str) -> Page {
    let text = query.split('&').find_map(|pair| pair.strip_prefix("text=")).map(decoded).unwrap_or_default();
    let objects: Vec<Value> = contents
        .projects(Ecosystem::Npm)
        .filter(|project| project.name.contains(&text))
        .filter_map(|project| {
            let newest = project.releases.last()?;
            Some(json!({ "package": {
                "name": project.name, "version": newest.package.version, "date": newest.package.published,
            } }))
        })
        .collect();
    Page::json(&json!({ "total": objects.len(), "objects": objects, "time": "2026-11-21T00:00:00.000Z" }))
}

/// Bundles in the shape of the real ones; the signatures are inert.
fn attestations(contents: &Contents, what: &str) -> Page {
    if let Some(document) = contents.attestations.get(what) {
        return Page::json(document);
    }
    let found = what.rsplit_once('@').and_then(|(name, version)| {
        let project = contents.project(Ecosystem::Npm, name)?;
        project.releases.iter().find(|r| r.package.version == version)
    });
    let Some(release) = found else { return Page::not_found() };
    let statement = json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{ "name": format!("pkg:npm/{what}"), "digest": { "sha256": release.files[0].sha256 } }],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {},
    });
    let payload = crate::package::base64_of(statement.to_string().as_bytes());
    Page::json(&json!({ "attestations": [{
        "predicateType": "https://slsa.dev/provenance/v1",
        "bundle": {
            "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
            "dsseEnvelope": {
                "payload": payload, "payloadType": "application/vnd.in-toto+json", "signatures": [{ "sig": "" }],
            },
        },
    }] }))
}
