//! An Open VSX server: the gallery protocol of editors and its own interface, over the same extensions. Files lie on another
//! host, behind redirects.

use std::sync::OnceLock;

use bytes::Bytes;
use http::StatusCode;
use rcgen::{KeyPair, SigningKey as _};
use serde_json::{Map, Value, json};
use tidegate_model::Ecosystem;

use super::catalog::{Project, Release};
use super::page::{Ask, Kind, Page, decoded};
use super::serve::State;
use crate::package::{BuiltFile, archive, vsix};

/// The id of the key that signatures are made with.
const KEY: &str = "0a1b2c3d-0000-4000-8000-000000000001";

/// Answers below `/vsx/`.
pub(super) fn answer(state: &State, ask: Ask<'_>) -> Page {
    let parts: Vec<String> = ask.path.split('/').map(decoded).collect();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    match parts.as_slice() {
        ["vscode", "gallery", "extensionquery"] => query(state, ask),
        ["vscode", "asset", publisher, name, version, kind] => {
            let target = parameter(ask.query, "targetPlatform").unwrap_or_default();
            redirect(state, &format!("{publisher}.{name}"), version, &target, kind)
        }
        ["api", "-", "query"] => rest_query(state, ask),
        ["api", "-", "search"] => search(state, ask),
        ["api", "-", "public-key", KEY] => Page::text(StatusCode::OK, &signing_key().public_key_pem()),
        ["api", publisher, name, version, "file", file] => {
            redirect(state, &format!("{publisher}.{name}"), version, "", file)
        }
        ["api", publisher, name, target, version, "file", file] => {
            redirect(state, &format!("{publisher}.{name}"), version, target, file)
        }
        _ => Page::not_found(),
    }
}

fn parameter(query: &str, key: &str) -> Option<String> {
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs.filter(|(name, _)| *name == key).map(|(_, value)| decoded(&value.replace('+', " "))).next()
}

/// The platform of a built file, as galleries write it.
fn target_of(file: &BuiltFile) -> &str {
    let stem = file.name.strip_suffix(".vsix").unwrap_or_default();
    stem.rsplit_once('@').map_or("universal", |(_, target)| target)
}

/// A file on the host of files.
fn redirect(state: &State, id: &str, version: &str, target: &str, what: &str) -> Page {
    let target = if target.is_empty() { "universal" } else { target };
    let to = format!("{}/vsx-files/{id}/{version}/{target}/{what}", state.files_base);
    Page { status: StatusCode::FOUND, kind: Kind::Text, ..Page::text(StatusCode::FOUND, "") }
        .with("Location", to)
}

/// Answers below `/vsx-files/`.
pub(super) fn file(state: &State, path: &str) -> Page {
    let parts: Vec<String> = path.split('/').map(decoded).collect();
    let [id, version, target, what] = parts.as_slice() else { return Page::not_found() };
    let contents = state.catalog.read();
    let project = contents.project(Ecosystem::Vscode, id);
    let release = project.and_then(|p| p.releases.iter().find(|r| r.package.version == *version));
    let Some((release, file)) =
        release.and_then(|r| Some((r, r.files.iter().find(|f| target_of(f) == target)?)))
    else {
        return Page::not_found();
    };
    let bytes: Vec<u8> = match what.as_str() {
        "package.json" | "Microsoft.VisualStudio.Code.Manifest" => {
            vsix::manifest(&release.package).to_string().into_bytes()
        }
        "extension.vsixmanifest" | "Microsoft.VisualStudio.Services.VsixManifest" => {
            vsix::vsix_manifest(&release.package, target).into_bytes()
        }
        "README.md" | "Microsoft.VisualStudio.Services.Content.Details" => {
            vsix::readme(&release.package).into_bytes()
        }
        "icon.png" | "Microsoft.VisualStudio.Services.Icons.Default" => b"\x89PNG\r\n\x1a\n picture".to_vec(),
        "Microsoft.VisualStudio.Services.VSIXPackage" => return Page::file(contents.served(file)),
        "Microsoft.VisualStudio.Services.VsixSignature" => signature(file),
        _ if what.ends_with(".sigzip") => signature(file),
        _ if what.ends_with(".sha256") => file.sha256.clone().into_bytes(),
        _ if *what == file.name => return Page::file(contents.served(file)),
        _ => return Page::not_found(),
    };
    Page::file(bytes.into())
}

/// The key that signs, made once for all galleries of a process.
fn signing_key() -> &'static KeyPair {
    static KEY: OnceLock<KeyPair> = OnceLock::new();
    KEY.get_or_init(|| KeyPair::generate_for(&rcgen::PKCS_ED25519).expect("a new key"))
}

/// The archive with the registry's signature over a package, as Open VSX makes it.
pub fn vsix_signature(package: &[u8]) -> Vec<u8> {
    let signed = signing_key().sign(package).expect("a signature");
    let files = [
        (".signature.manifest", "{}".into()),
        (".signature.p7s", Bytes::new()),
        (".signature.sig", signed.into()),
    ];
    archive::zip(&files.map(|(name, bytes)| (name.to_owned(), bytes)))
}

fn signature(file: &BuiltFile) -> Vec<u8> {
    vsix_signature(&file.bytes)
}

/// The address of a file of a release.
fn address(state: &State, release: &Release, file: &BuiltFile, name: &str) -> String {
    let (publisher, extension) = vsix::id(&release.package);
    let version = &release.package.version;
    let target = match target_of(file) {
        "universal" => String::new(),
        target => format!("{target}/"),
    };
    format!("{}/vsx/api/{publisher}/{extension}/{target}{version}/file/{name}", state.url)
}

fn stem(file: &BuiltFile) -> &str {
    file.name.strip_suffix(".vsix").unwrap_or(&file.name)
}

/// `POST /vscode/gallery/extensionquery`
fn query(state: &State, ask: Ask<'_>) -> Page {
    let Ok(question) = serde_json::from_slice::<Value>(ask.body) else {
        return Page::text(StatusCode::BAD_REQUEST, "no query\n");
    };
    let filter = &question["filters"][0];
    let criteria = filter["criteria"].as_array().cloned().unwrap_or_default();
    let values = |kind: u64| -> Vec<String> {
        let all = criteria.iter().filter(|c| c["filterType"] == json!(kind));
        all.filter_map(|c| c["value"].as_str().map(str::to_lowercase)).collect()
    };
    let (ids, names, text) = (values(4), values(7), values(10));
    let contents = state.catalog.read();
    let found: Vec<&Project> = contents
        .projects(Ecosystem::Vscode)
        .filter(|project| {
            let name = project.name.to_lowercase();
            match (ids.is_empty(), names.is_empty()) {
                (false, _) => ids.contains(&public_id(&name)),
                (true, false) => names.contains(&name),
                (true, true) => text.iter().all(|text| name.contains(text.as_str())),
            }
        })
        .collect();
    let latest_only = question["flags"].as_u64().unwrap_or(0) & 0x200 != 0;
    let size = usize::try_from(filter["pageSize"].as_u64().unwrap_or(20)).unwrap_or(20);
    let extensions: Vec<Value> =
        found.iter().take(size).map(|project| extension(state, project, latest_only)).collect();
    let count = json!({
        "metadataType": "ResultCount",
        "metadataItems": [{ "name": "TotalCount", "count": found.len() }],
    });
    Page::json(&json!({ "results": [{ "extensions": extensions, "resultMetadata": [count] }] }))
}

/// The id that the gallery gave an extension.
fn public_id(name: &str) -> String {
    let sum = name.bytes().fold(7_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte)));
    format!("{:08x}-0000-4000-8000-{:012x}", sum & 0xffff_ffff, sum & 0xffff_ffff_ffff)
}

fn extension(state: &State, project: &Project, latest_only: bool) -> Value {
    let first = &project.releases[0].package;
    let (publisher, name) = vsix::id(first);
    let mut releases: Vec<&Release> = project.releases.iter().rev().collect();
    if latest_only {
        releases.truncate(1);
    }
    let versions: Vec<Value> = releases
        .into_iter()
        .flat_map(|release| release.files.iter().map(move |file| version(state, release, file)))
        .collect();
    json!({
        "extensionId": public_id(&project.name.to_lowercase()), "extensionName": name, "displayName": name,
        "shortDescription": "built by tidegate-testkit",
        "publisher": {
            "publisherId": public_id(publisher), "publisherName": publisher, "displayName": publisher,
            "domain": null, "isDomainVerified": null,
        },
        "versions": versions, "statistics": [{ "statisticName": "install", "value": 12.0 }], "tags": ["testkit"],
        "categories": ["Other"], "releaseDate": first.published, "publishedDate": first.published,
        "lastUpdated": first.published, "flags": "",
    })
}

fn version(state: &State, release: &Release, file: &BuiltFile) -> Value {
    let package = &release.package;
    let (publisher, name) = vsix::id(package);
    let base = format!("{}/vsx/vscode/asset/{publisher}/{name}/{}", state.url, package.version);
    let source = |kind: &str, called: &str| json!({ "assetType": kind, "source": address(state, release, file, called) });
    let files = json!([
        source("Microsoft.VisualStudio.Code.Manifest", "package.json"),
        source("Microsoft.VisualStudio.Services.Content.Details", "README.md"),
        source("Microsoft.VisualStudio.Services.Icons.Default", "icon.png"),
        source("Microsoft.VisualStudio.Services.VSIXPackage", &file.name),
        source("Microsoft.VisualStudio.Services.VsixManifest", "extension.vsixmanifest"),
        source("Microsoft.VisualStudio.Services.VsixSignature", &format!("{}.sigzip", stem(file))),
        {
            "assetType": "Microsoft.VisualStudio.Services.PublicKey",
            "source": format!("{}/vsx/api/-/public-key/{KEY}", state.url),
        },
    ]);
    let needs: Vec<&str> = package.dependencies.iter().map(|d| d.name.as_str()).collect();
    let properties = json!([
        { "key": "Microsoft.VisualStudio.Services.Links.Source", "value": "https://code.invalid/repository" },
        { "key": "Microsoft.VisualStudio.Code.Engine", "value": "^1.60.0" },
        { "key": "Microsoft.VisualStudio.Code.ExtensionDependencies", "value": needs.join(",") },
        { "key": "Microsoft.VisualStudio.Code.ExtensionPack", "value": package.pack.join(",") },
    ]);
    let mut version = json!({
        "version": package.version, "assetUri": base, "fallbackAssetUri": base, "files": files,
        "properties": properties, "targetPlatform": target_of(file),
    });
    if state.publish_times {
        version["lastUpdated"] = json!(package.published);
    }
    version
}

/// `GET /api/-/query`
fn rest_query(state: &State, ask: Ask<'_>) -> Page {
    let id = parameter(ask.query, "extensionId");
    let namespace = parameter(ask.query, "namespaceName");
    let contents = state.catalog.read();
    let wanted = |project: &&Project| {
        let (publisher, _) = vsix::id(&project.releases[0].package);
        id.as_ref().is_none_or(|id| id.eq_ignore_ascii_case(&project.name))
            && namespace.as_ref().is_none_or(|namespace| namespace.eq_ignore_ascii_case(publisher))
    };
    let all: Vec<Value> = contents
        .projects(Ecosystem::Vscode)
        .filter(wanted)
        .flat_map(|project| project.releases.iter().rev())
        .flat_map(|release| release.files.iter().map(move |file| described(state, release, file)))
        .collect();
    Page::json(&json!({ "offset": 0, "totalSize": all.len(), "extensions": all }))
}

fn described(state: &State, release: &Release, file: &BuiltFile) -> Value {
    let package = &release.package;
    let (publisher, name) = vsix::id(package);
    let files: Map<String, Value> = [
        ("download", file.name.clone()),
        ("manifest", "package.json".to_owned()),
        ("readme", "README.md".to_owned()),
        ("sha256", format!("{}.sha256", stem(file))),
        ("signature", format!("{}.sigzip", stem(file))),
    ]
    .into_iter()
    .map(|(key, called)| (key.to_owned(), address(state, release, file, &called).into()))
    .collect();
    let base = format!("{}/vsx/api/{publisher}/{name}", state.url);
    json!({
        "namespaceUrl": format!("{}/vsx/api/{publisher}", state.url), "reviewsUrl": format!("{base}/reviews"),
        "url": format!("{base}/{}", package.version), "files": files, "name": name, "namespace": publisher,
        "targetPlatform": target_of(file), "version": package.version, "preRelease": false,
        "publishedBy": {
            "loginName": package.publisher, "avatarUrl": format!("{}/avatar", state.files_base), "provider": "testkit",
        },
        "verified": true, "unrelatedPublisher": false, "namespaceAccess": "restricted", "timestamp": package.published,
        "displayName": name, "description": "built by tidegate-testkit", "engines": { "vscode": "^1.60.0" },
        "license": package.licence, "downloadCount": 12, "reviewCount": 0,
        "allVersionsUrl": format!("{base}/versions"), "homepage": format!("{}/home", state.url),
        "versionAlias": [],
    })
}

/// `GET /api/-/search`
fn search(state: &State, ask: Ask<'_>) -> Page {
    let text = parameter(ask.query, "query").unwrap_or_default().to_lowercase();
    let contents = state.catalog.read();
    let found: Vec<Value> = contents
        .projects(Ecosystem::Vscode)
        .filter(|project| project.name.to_lowercase().contains(&text))
        .filter_map(|project| {
            let release = project.releases.last()?;
            Some(described(state, release, &release.files[0]))
        })
        .collect();
    Page::json(&json!({ "offset": 0, "totalSize": found.len(), "extensions": found }))
}
