//! A cargo registry: the sparse index, downloads on another path, the part of the web API that carries times.

use http::StatusCode;
use serde_json::{Value, json};
use tidegate_model::Ecosystem;

use super::Style;
use super::catalog::Release;
use super::page::{Ask, Page};
use super::serve::State;

/// Answers a path below `/index/`.
pub(super) fn index(state: &State, ask: Ask<'_>) -> Page {
    if ask.path == "config.json" {
        let mut config = json!({ "dl": format!("{}/crates/dl", state.files_base), "api": state.url });
        if state.authorization.is_some() {
            config["auth-required"] = json!(true);
        }
        return Page::json(&config);
    }
    let name = ask.path.rsplit('/').next().unwrap_or_default();
    let contents = state.catalog.read();
    match contents.project(Ecosystem::Cargo, name) {
        Some(project) if ask.path == index_path(&project.name) => Page::lines(
            project.releases.iter().map(|release| format!("{}\n", line(state, release))).collect(),
        ),
        _ => Page::not_found(),
    }
}

/// The path of a crate's index file: `1/x`, `2/xx`, `3/a/abc`, `se/rd/serde`; always lower case.
fn index_path(name: &str) -> String {
    let name = name.to_lowercase();
    match name.len() {
        1 => format!("1/{name}"),
        2 => format!("2/{name}"),
        3 => format!("3/{}/{name}", &name[..1]),
        _ => format!("{}/{}/{name}", &name[..2], &name[2..4]),
    }
}

fn line(state: &State, release: &Release) -> Value {
    let package = &release.package;
    let deps: Vec<Value> = package
        .dependencies
        .iter()
        .map(|dependency| {
            json!({
                "name": dependency.name, "req": dependency.requirement, "features": [], "optional": false,
                "default_features": true, "target": null, "kind": "normal",
            })
        })
        .collect();
    let mut out = json!({
        "name": package.name, "vers": package.version, "deps": deps, "cksum": release.files[0].sha256,
        "features": {}, "yanked": release.yanked.is_some(),
    });
    for (member, value) in &package.listed {
        out[member] = value.clone();
    }
    if state.publish_times {
        out["pubtime"] = json!(package.published);
    }
    out
}

/// Answers a path below `/crates/dl/`: `<name>/<version>/download`.
pub(super) fn download(state: &State, path: &str) -> Page {
    let contents = state.catalog.read();
    let mut parts = path.split('/');
    let (Some(name), Some(version), Some("download"), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Page::not_found();
    };
    contents
        .project(Ecosystem::Cargo, name)
        .and_then(|project| project.releases.iter().find(|r| r.package.version == version))
        .map_or_else(Page::not_found, |release| Page::file(contents.served(&release.files[0])))
}

/// Answers a path below `/api/v1/crates/`: a crate with its versions.
pub(super) fn api(state: &State, name: &str) -> Page {
    let contents = state.catalog.read();
    let project = contents.project(Ecosystem::Cargo, name);
    let (Style::Rich, Some(project)) = (state.style, project) else {
        let body = json!({ "errors": [{ "detail": format!("crate `{name}` does not exist") }] });
        return Page { status: StatusCode::NOT_FOUND, ..Page::json(&body) };
    };
    let versions: Vec<Value> = project
        .releases
        .iter()
        .map(|release| {
            let mut out = json!({
                "crate": release.package.name, "num": release.package.version, "license": release.package.licence,
                "yanked": release.yanked.is_some(), "checksum": release.files[0].sha256,
                "published_by": { "login": release.package.publisher },
            });
            if state.publish_times {
                out["created_at"] = json!(release.package.published);
            }
            out
        })
        .collect();
    Page::json(&json!({ "crate": { "id": project.name, "name": project.name }, "versions": versions }))
}
