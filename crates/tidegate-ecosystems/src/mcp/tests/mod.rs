//! The registry's protocol, as text in and text out.

mod documents;
mod routes;
mod shown;

use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Value, json};
use tidegate_model::Action;

use super::Mcp;
use crate::{
    Catalogue as _, FetchedDocument, Index, Links, Protocol as _, Rendered, UpstreamBase, Verdict, View,
};

const NAME: &str = "io.github.someone/weather";

fn upstream() -> UpstreamBase {
    UpstreamBase { url: "https://registry.example/".parse().unwrap() }
}

fn links() -> Links {
    Links::below("http://door.test/t/tok/mcp/")
}

/// An entry of the registry's list.
fn entry(name: &str, version: &str, packages: &Value, remotes: &Value) -> Value {
    json!({
        "server": {
            "$schema": "https://schemas.example/server.schema.json", "name": name, "title": "Weather",
            "description": "Weather of today", "version": version,
            "repository": { "url": "https://code.example/someone/weather", "source": "github" },
            "packages": packages, "remotes": remotes,
            "icons": [{ "src": "https://cdn.example/icon.png" }],
            "_meta": { "io.modelcontextprotocol.registry/publisher-provided": { "download": "https://past.example/x" } },
        },
        "_meta": { "io.modelcontextprotocol.registry/official": {
            "status": "active", "publishedAt": "2025-09-16T10:00:00Z", "updatedAt": "2025-09-17T10:00:00Z", "isLatest": true,
        } },
    })
}

fn npm(identifier: &str, version: &str) -> Value {
    json!({
        "registryType": "npm", "registryBaseUrl": "https://registry.example", "identifier": identifier,
        "version": version, "transport": { "type": "stdio" },
    })
}

fn page(entries: &[Value]) -> Bytes {
    json!({ "servers": entries, "metadata": { "count": entries.len() } }).to_string().into()
}

/// The index of the one server in these entries.
fn index(entries: &[Value]) -> Arc<dyn Index> {
    let merged = Mcp.merge(None, &[page(entries)]).unwrap();
    let (name, body) = Mcp.split(&merged.document).unwrap().remove(0);
    let document = FetchedDocument { url: upstream().url, content_type: None, body };
    Mcp.parse_index(&name, &upstream(), &document, None, None).unwrap()
}

fn allowed(index: &dyn Index) -> Vec<Verdict> {
    vec![Verdict::default(); index.files().len()]
}

/// Verdicts that withhold these files.
fn without(index: &dyn Index, positions: &[usize]) -> Vec<Verdict> {
    let mut verdicts = allowed(index);
    for at in positions {
        verdicts[*at] = Verdict {
            action: Action::Block,
            withheld: true,
            message: "tidegate blocked it".into(),
            until: None,
        };
    }
    verdicts
}

#[track_caller]
fn shown(index: &dyn Index, form: &'static str, selector: Option<&str>, verdicts: &[Verdict]) -> Value {
    let view = View { form, selector: selector.map(str::to_owned) };
    match index.render(&view, verdicts, &links()).unwrap() {
        Rendered::Document { body, .. } => serde_json::from_slice(&body).unwrap(),
        other => panic!("{other:?}"),
    }
}
