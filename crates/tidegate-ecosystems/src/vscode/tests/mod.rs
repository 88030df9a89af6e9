//! Both protocols, asked and answered without a network.

mod queries;
mod routes;
mod views;

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Method};
use serde_json::{Value, json};
use tidegate_model::{Action, Ecosystem, PackageName};

use super::Vscode;
use crate::{
    Ask, ClientRequest, FetchedDocument, Index, IndexError, Links, Protocol as _, Rendered, RouteError,
    UpstreamBase, Verdict, View,
};

fn name(text: &str) -> PackageName {
    PackageName::parse(Ecosystem::Vscode, text).unwrap()
}

fn upstream() -> UpstreamBase {
    UpstreamBase { url: "https://vsx.example/".parse().unwrap() }
}

fn links() -> Links {
    Links::below("http://door.test/vscode/")
}

fn document(value: &Value) -> FetchedDocument {
    FetchedDocument {
        url: "https://vsx.example/x".parse().unwrap(),
        content_type: Some("application/json".into()),
        body: Bytes::from(value.to_string()),
    }
}

fn ask(method: &Method, target: &str, body: &str) -> Result<Ask, RouteError> {
    let (path, query) = target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
    let headers = HeaderMap::new();
    Vscode.route(&ClientRequest { method, path, query, headers: &headers, body: body.as_bytes() })
}

fn get(target: &str) -> Result<Ask, RouteError> {
    ask(&Method::GET, target, "")
}

/// A version as a gallery writes it.
fn version(version: &str, target: &str, more: &Value) -> Value {
    let base = format!("https://vsx.example/vscode/asset/Acme/Tool/{version}");
    let api = format!("https://vsx.example/api/Acme/Tool/{target}/{version}/file");
    let mut object = json!({
        "version": version, "targetPlatform": target, "lastUpdated": "2024-01-15T12:00:00Z", "assetUri": base,
        "fallbackAssetUri": base,
        "files": [
            { "assetType": "Microsoft.VisualStudio.Services.VSIXPackage", "source": format!("{api}/x.vsix") },
            { "assetType": "Microsoft.VisualStudio.Code.Manifest", "source": format!("{api}/package.json") },
            { "assetType": "Microsoft.VisualStudio.Services.VsixSignature", "source": format!("{api}/x.sigzip") },
        ],
        "properties": [
            { "key": "Microsoft.VisualStudio.Code.Engine", "value": "^1.60.0" },
            { "key": "Microsoft.VisualStudio.Code.ExtensionPack", "value": "acme.other, Acme.Third,not-one" },
            { "key": "Microsoft.VisualStudio.Services.Links.Source", "value": "https://vsx.example/leads/past" },
            { "key": "Microsoft.VisualStudio.Services.Links.GitHub", "value": "https://code.example/acme/tool" },
        ],
    });
    for (key, value) in more.as_object().unwrap() {
        object[key] = value.clone();
    }
    object
}

fn answer(versions: &[Value]) -> Value {
    json!({ "results": [{
        "extensions": [{
            "extensionId": "0a1b2c3d-0000-4000-8000-000000000001", "extensionName": "Tool", "displayName": "A tool",
            "shortDescription": "does things", "publisher": { "publisherName": "Acme", "publisherId": "x",
            "avatar": "https://vsx.example/avatar" }, "versions": versions, "tags": ["t"], "categories": ["c"],
            "statistics": [{ "statisticName": "install", "value": 3 }], "unknown": "https://vsx.example/x",
        }],
        "resultMetadata": [{ "metadataType": "ResultCount", "metadataItems": [{ "name": "TotalCount", "count": 71 }] }],
    }] })
}

/// 2.0.0 for two platforms, a pre-release 2.1.0, and 1.0.0 for all.
fn several() -> Value {
    let pre = json!({ "properties": [{ "key": "Microsoft.VisualStudio.Code.PreRelease", "value": "true" }] });
    answer(&[
        version("2.1.0", "universal", &pre),
        version("2.0.0", "linux-x64", &json!({})),
        version("2.0.0", "darwin-arm64", &json!({})),
        version("1.0.0", "universal", &json!({})),
    ])
}

fn parse(value: &Value, supplement: Option<&Value>) -> Result<Arc<dyn Index>, IndexError> {
    let supplement = supplement.map(document);
    Vscode.parse_index(&name("acme.tool"), &upstream(), &document(value), None, supplement.as_ref())
}

/// Verdicts that withhold these versions.
fn withholding(index: &dyn Index, versions: &[&str]) -> Vec<Verdict> {
    let verdict = |withheld| Verdict {
        action: if withheld { Action::Quarantine } else { Action::Allow },
        withheld,
        ..Verdict::default()
    };
    index.files().iter().map(|f| verdict(versions.contains(&f.version.as_str()))).collect()
}

fn view(form: &'static str, selector: &str) -> View {
    View { form, selector: Some(selector.to_owned()) }
}

#[track_caller]
fn shown(index: &dyn Index, view: &View, withheld: &[&str]) -> Value {
    match index.render(view, &withholding(index, withheld), &links()).unwrap() {
        Rendered::Document { body, .. } => serde_json::from_slice(&body).unwrap(),
        other => panic!("{other:?}"),
    }
}
