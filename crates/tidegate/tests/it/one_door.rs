//! One door: whatever a client asks for, in whatever form, the decision is the same, and a refused version's bytes
//! leave on no path.

use std::collections::BTreeSet;

use http::{HeaderMap, HeaderName, Method};
use serde_json::Value;
use tidegate::door::PolicySource;
use tidegate_ecosystems::{ClientRequest, protocol};
use tidegate_model::Ecosystem;
use tidegate_testkit::client::RawResponse;
use tidegate_testkit::upstream::{IMAGE_INDEX, IMAGE_MANIFEST, content_digest, image_of, index_of};
use tidegate_testkit::{BuiltFile, FakeUpstream, HubFile, Package};

use crate::mcp_http::Stub;
use crate::mcp_listed;
use crate::mcp_registry::list_bundle;
use crate::support::{Setup, TestDoor, days_ago, decoded, json, leaks};

/// One kind of ask, and how its answer shows that version 2.0.0 is withheld or offered.
struct Row {
    kind: &'static str,
    method: &'static str,
    path: &'static str,
    line: Option<&'static str>,
    body: &'static [u8],
    shows: fn(&RawResponse, bool),
}

const fn row(kind: &'static str, path: &'static str, shows: fn(&RawResponse, bool)) -> Row {
    Row { kind, method: "GET", path, line: None, body: b"", shows }
}

const NPM: &[Row] = &[
    row("npm-full", "alpha", npm_document),
    Row {
        line: Some("Accept: application/vnd.npm.install-v1+json"),
        ..row("npm-abbreviated", "alpha", npm_document)
    },
    row("npm-version", "alpha/2.0.0", refused_or_served),
    row("npm-version", "alpha/latest", npm_latest_version),
    row("npm-dist-tags", "-/package/alpha/dist-tags", npm_tags),
    row("artifact", "alpha/-/alpha-2.0.0.tgz", refused_or_served),
    row("keys", "-/npm/v1/keys", no_matter),
    row("attestations", "-/npm/v1/attestations/alpha@2.0.0", no_matter),
    row("search", "-/v1/search?text=alpha", no_matter),
    Row {
        method: "POST",
        body: b"{\"alpha\":[\"2.0.0\"]}",
        ..row("advisories-bulk", "-/npm/v1/security/advisories/bulk", no_matter)
    },
    Row { method: "POST", body: b"{}", ..row("audits", "-/npm/v1/security/audits", no_matter) },
    Row { method: "POST", body: b"{}", ..row("audits-quick", "-/npm/v1/security/audits/quick", no_matter) },
    row("ping", "-/ping", no_matter),
    row("whoami", "-/whoami", no_matter),
    Row { method: "PUT", body: b"{}", ..row("not-offered", "alpha", not_offered) },
];

const PYPI: &[Row] = &[
    Row { line: Some("Accept: text/html"), ..row("pypi-html", "simple/alpha/", pypi_html) },
    Row {
        line: Some("Accept: application/vnd.pypi.simple.v1+json"),
        ..row("pypi-json", "simple/alpha/", pypi_json)
    },
    row("pypi-project-json", "pypi/alpha/json", pypi_project),
    row("pypi-version-json", "pypi/alpha/2.0.0/json", refused_or_served),
    row("artifact", "files/alpha/alpha-2.0.0-py3-none-any.whl", refused_or_served),
    row("metadata", "files/alpha/alpha-2.0.0-py3-none-any.whl.metadata", refused_or_served),
    row("integrity", "integrity/alpha/2.0.0/alpha-2.0.0-py3-none-any.whl/provenance", no_matter),
    row("redirect", "simple/Alpha/", moved),
    row("not-offered", "simple/", not_offered),
];

const CARGO: &[Row] = &[
    row("cargo-lines", "al/ph/alpha", cargo_lines),
    row("artifact", "api/v1/crates/alpha/2.0.0/download", refused_or_served),
    row("search", "api/v1/crates?q=alpha", no_matter),
    row("config.json", "config.json", no_matter),
    row("not-offered", "api/v1/crates/alpha", not_offered),
];

/// The commits behind `main`: of years ago, and of yesterday.
const FIRST: &str = "1111111111111111111111111111111111111111";
const SECOND: &str = "2222222222222222222222222222222222222222";

const HUGGINGFACE: &[Row] = &[
    row("hub-info", "api/models/org/alpha", refused_or_served),
    row("hub-info", "api/models/org/alpha/revision/main?blobs=true", refused_or_served),
    row(
        "hub-info",
        "api/models/org/alpha/revision/2222222222222222222222222222222222222222",
        refused_or_served,
    ),
    row("hub-info", "api/models/org/alpha/revision/22222222", refused_or_served),
    row("hub-info", "api/models/org/alpha/revision/1111111111111111111111111111111111111111", always_served),
    row("hub-tree", "api/models/org/alpha/tree/main?recursive=true", refused_or_served),
    Row {
        method: "POST",
        body: b"paths=model.safetensors&expand=False",
        ..row("hub-paths", "api/models/org/alpha/paths-info/main", refused_or_served)
    },
    row("artifact", "org/alpha/resolve/main/model.safetensors", refused_or_served),
    row("artifact", "org/alpha/resolve/v2/model.safetensors", refused_or_served),
    row("artifact", "org/alpha/resolve/refs%2Fpr%2F1/model.safetensors", refused_or_served),
    row(
        "artifact",
        "org/alpha/resolve/2222222222222222222222222222222222222222/model.safetensors",
        refused_or_served,
    ),
    row("artifact", "org/older-alpha/resolve/main/model.safetensors", refused_or_served),
    row("refs", "api/models/org/alpha/refs", no_matter),
    row("commits", "api/models/org/alpha/commits/main", no_matter),
    row("whoami", "api/whoami-v2", no_matter),
    row("not-offered", "api/models/org/alpha/xet-read-token/main", not_offered),
    Row {
        method: "POST",
        body: b"{}",
        ..row("not-offered", "api/models/org/alpha/commit/main", not_offered)
    },
];

/// `{index}`, `{child}`, `{config}` and `{layer}` stand for digests of the image that is refused.
const OCI: &[Row] = &[
    row("artifact", "org/alpha/manifests/latest", refused_or_served),
    row("artifact", "org/alpha/manifests/v2", refused_or_served),
    row("artifact", "org/alpha/manifests/{index}", refused_or_served),
    row("artifact", "org/alpha/manifests/{child}", refused_or_served),
    Row {
        line: Some("Accept: application/vnd.oci.image.manifest.v1+json, */*"),
        ..row("artifact", "org/alpha/manifests/{child}", refused_or_served)
    },
    row("artifact", "org/alpha/blobs/{layer}", refused_or_served),
    row("artifact", "org/alpha/blobs/{config}", refused_or_served),
    row("tags", "org/alpha/tags/list", no_matter),
    row("referrers", "org/alpha/referrers/{index}", no_matter),
    row("api-version", "", no_matter),
    Row { method: "PUT", body: b"{}", ..row("not-offered", "org/alpha/manifests/latest", not_offered) },
];

const VSCODE: &[Row] = &[
    row("gallery-latest", "gallery/vscode/acme/alpha/latest", gallery_latest),
    row("gallery-latest", "vscode/gallery/vscode/Acme/Alpha/latest", gallery_latest),
    Row {
        method: "POST",
        body: br#"{"filters":[{"criteria":[{"filterType":7,"value":"acme.alpha"},{"filterType":8,"value":"Microsoft.VisualStudio.Code"}],"pageNumber":1,"pageSize":1}],"flags":147}"#,
        ..row("gallery-query", "gallery/extensionquery", gallery_found)
    },
    Row {
        method: "POST",
        body: br#"{"filters":[{"criteria":[{"filterType":10,"value":"alpha"}],"pageNumber":1,"pageSize":10}],"flags":946}"#,
        ..row("gallery-query", "vscode/gallery/extensionquery", gallery_found)
    },
    row("vsx-extension", "api/acme/alpha", vsx_newest),
    row("vsx-extension", "api/acme/alpha/latest", vsx_newest),
    row("vsx-extension", "api/acme/alpha/linux-x64", vsx_newest),
    row("vsx-extension", "api/acme/alpha/2.0.0", refused_or_served),
    row("vsx-extension", "api/acme/alpha/linux-x64/2.0.0", refused_or_served),
    row("vsx-versions", "api/acme/alpha/versions", vsx_versions),
    row("vsx-query", "api/-/query?extensionId=acme.alpha&includeAllVersions=true", vsx_found),
    row("vsx-query", "api/v2/-/query?namespaceName=acme", vsx_found),
    row("vsx-search", "api/-/search?query=alpha", vsx_found),
    row("artifact", "gallery/publishers/acme/vsextensions/alpha/2.0.0/vspackage", refused_or_served),
    row(
        "artifact",
        "gallery/publishers/acme/vsextensions/alpha/2.0.0/vspackage?targetPlatform=linux-x64",
        refused_or_served,
    ),
    row(
        "artifact",
        "asset/acme/alpha/2.0.0/Microsoft.VisualStudio.Services.VSIXPackage?redirect=true",
        refused_or_served,
    ),
    row(
        "artifact",
        "vscode/asset/acme/alpha/2.0.0/Microsoft.VisualStudio.Services.VSIXPackage?targetPlatform=linux-x64",
        refused_or_served,
    ),
    row("artifact", "api/acme/alpha/2.0.0/file/acme.alpha-2.0.0.vsix", refused_or_served),
    row("artifact", "api/acme/alpha/linux-x64/2.0.0/file/acme.alpha-2.0.0@linux-x64.vsix", refused_or_served),
    row("companion", "asset/acme/alpha/2.0.0/Microsoft.VisualStudio.Services.VsixSignature", refused_or_served),
    row("companion", "asset/acme/alpha/2.0.0/Microsoft.VisualStudio.Services.PublicKey", refused_or_served),
    row("companion", "asset/acme/alpha/2.0.0/Microsoft.VisualStudio.Code.Manifest", refused_or_served),
    row("companion", "asset/acme/alpha/2.0.0/Microsoft.VisualStudio.Services.Content.Details", refused_or_served),
    row("companion", "asset/acme/alpha/2.0.0/Microsoft.VisualStudio.Services.Icons.Default", refused_or_served),
    row("companion", "api/acme/alpha/2.0.0/file/package.json", refused_or_served),
    row("companion", "api/acme/alpha/2.0.0/file/acme.alpha-2.0.0.sigzip", refused_or_served),
    row("companion", "api/acme/alpha/linux-x64/2.0.0/file/acme.alpha-2.0.0@linux-x64.sha256", refused_or_served),
    row("public-key", "api/-/public-key/0a1b2c3d-0000-4000-8000-000000000001", no_matter),
    Row {
        method: "POST",
        body: b"{}",
        ..row("statistics", "gallery/publishers/acme/extensions/alpha/2.0.0/stats?statType=install", no_matter)
    },
    row("version", "api/version", no_matter),
    row("gallery-manifest", "manifest.json", no_matter),
    row("recall", "control.json", no_matter),
    row("not-offered", "unpkg/acme/alpha/2.0.0/extension/extension.js", not_offered),
    row(
        "not-offered",
        "asset/acme/alpha/2.0.0/Microsoft.VisualStudio.Code.WebResources/extension/extension.js",
        not_offered,
    ),
    row("not-offered", "item?itemName=acme.alpha", not_offered),
    Row { method: "POST", body: b"x", ..row("not-offered", "api/-/publish", not_offered) },
];

const MCP: &[Row] = &[
    row("mcp-servers", "v0.1/servers", mcp_list),
    row("mcp-servers", "v0/servers", mcp_list),
    row("mcp-servers", "v0.1/servers?search=ALPHA&limit=100&include_deleted=false", mcp_list),
    row("mcp-servers", "v0.1/servers?version=2.0.0&cursor=org.test/alpha:1.0.0", mcp_rest),
    row("mcp-versions", "v0.1/servers/org.test%2Falpha/versions", mcp_list),
    row("mcp-versions", "v0/servers/org.test%2falpha/versions", mcp_list),
    row("mcp-versions", "v0.1/servers/org.test/alpha/versions", mcp_list),
    row("mcp-version", "v0.1/servers/org.test%2Falpha/versions/2.0.0", refused_or_served),
    row("mcp-version", "v0/servers/org.test/alpha/versions/2.0.0", refused_or_served),
    row("mcp-version", "v0.1/servers/org.test%2Falpha/versions/latest", mcp_latest),
    row("mcp-version", "v0/servers/org.test%2Falpha", mcp_latest),
    row("artifact", "bundles/org.test%2Falpha/2.0.0/0/alpha-2.0.0.mcpb", refused_or_served),
    Row { method: "OPTIONS", ..row("preflight", "v0.1/servers", no_matter) },
    row("health", "v0.1/health", no_matter),
    row("ping", "v0.1/ping", no_matter),
    row("version", "v0.1/version", no_matter),
    Row { method: "POST", body: b"{}", ..row("not-offered", "v0.1/publish", not_offered) },
];

fn rows(ecosystem: Ecosystem) -> &'static [Row] {
    match ecosystem {
        Ecosystem::Npm => NPM,
        Ecosystem::Pypi => PYPI,
        Ecosystem::Cargo => CARGO,
        Ecosystem::Huggingface => HUGGINGFACE,
        Ecosystem::Oci => OCI,
        Ecosystem::Vscode => VSCODE,
        Ecosystem::Mcp => MCP,
    }
}

/// A path with the digests that it stands for.
fn named(path: &str) -> String {
    let Images { index, image, config, layer } = second_image();
    let all: [(&str, &[u8]); 4] =
        [("{index}", &index), ("{child}", &image), ("{config}", &config), ("{layer}", &layer)];
    all.iter().fold(path.to_owned(), |path, (name, bytes)| path.replace(name, &content_digest(bytes)))
}

/// Other spellings of the refused artifact's path.
fn spellings(ecosystem: Ecosystem) -> &'static [&'static str] {
    match ecosystem {
        Ecosystem::Npm => &[
            "alph%61/-/alpha-2.0.0.tgz",
            "alpha/%2d/alpha-2.0.0.tgz",
            "alpha/-/alpha-2.0.0%2etgz",
            "alpha/-/alpha-2.0.0.tgz?x=1",
            "alpha/-/alpha-2.0.0.tgz/",
            "alpha/-/alpha-v2.0.0.tgz",
            "alpha/-/alpha-2.0.0+build.tgz",
            "alpha/-/ALPHA-2.0.0.tgz",
            "alpha/-/alpha-2.0.0.TGZ",
            "alpha/2.0.0/",
            "alpha/v2.0.0",
            "alpha/=2.0.0",
            "alpha/%5e2",
            "alpha/next",
        ],
        Ecosystem::Pypi => &[
            "files/Alpha/alpha-2.0.0-py3-none-any.whl",
            "files/alpha/alpha-2.0.0-py3-none-any.whl?x=1",
            "files/alpha/alpha-2.0.0-py3-none-any.whl/",
            "files/alpha/alpha-2.0-py3-none-any.whl",
            "files/alpha/ALPHA-2.0.0-py3-none-any.whl",
            "files/alpha/alpha-2.0.0-py3-none-any.whl.metadata.metadata",
            "files/alpha/alpha-2.0.0-py3-none-any.whl.asc",
            "files/al%70ha/alpha-2.0.0-py3-none-any.whl",
            "files/beta/alpha-2.0.0-py3-none-any.whl",
        ],
        Ecosystem::Cargo => &[
            "api/v1/crates/Alpha/2.0.0/download",
            "api/v1/crates/ALPHA/2.0.0/download",
            "api/v1/crates/alpha/2.0.0+x/download",
            "api/v1/crates/alpha/2.0.0/download/",
            "api/v1/crates/alpha/2.0.0/download?x=1",
            "api/v1/crates/al%70ha/2.0.0/download",
            "al/ph/Alpha",
        ],
        Ecosystem::Huggingface => &[
            "org/alpha/resolve/main/model%2Esafetensors",
            "org/alph%61/resolve/main/model.safetensors",
            "org/alpha/resolve/%6dain/model.safetensors",
            "org/alpha/resolve/main/model.safetensors?download=true",
            "org/alpha/resolve/main/model.safetensors/",
            "org/alpha/resolve/MAIN/model.safetensors",
            "org/alpha/resolve/2222222/model.safetensors",
            "org/alpha/resolve/refs/pr/1/model.safetensors",
            "org/alpha/resolve/main/./model.safetensors",
            "org/alpha/resolve/main/x%2f..%2fmodel.safetensors",
            "org/ALPHA/resolve/main/model.safetensors",
            "models/org/alpha/resolve/main/model.safetensors",
            "org/alpha/raw/main/model.safetensors",
            "org/alpha/blob/main/model.safetensors",
            "api/resolve-cache/models/org/alpha/2222222222222222222222222222222222222222/model.safetensors",
            "datasets/org/alpha/resolve/main/model.safetensors",
        ],
        Ecosystem::Oci => &[
            "org/alpha/manifests/%6catest",
            "org/alpha/manifests/LATEST",
            "org/ALPHA/manifests/latest",
            "org/alpha/manifests/latest/",
            "org/alpha/manifests/latest?ns=registry.test",
            "org/alpha/manifests/{layer}",
            "org/alpha/blobs/{index}",
            "org/alpha/blobs/{child}",
            "org/alpha/blobs/{layer}/",
            "org/alpha/blobs/{layer}?ns=registry.test",
            "org/beta/blobs/{layer}",
            "org/beta/manifests/{child}",
            "org/beta/manifests/{index}",
            "alpha/blobs/{layer}",
            "org/alpha/blobs/uploads/?mount={layer}&from=org/alpha",
        ],
        Ecosystem::Vscode => &[
            "asset/ACME/Alpha/2.0.0/Microsoft.VisualStudio.Services.VSIXPackage",
            "asset/acme/alph%61/2.0.0/Microsoft.VisualStudio.Services.VSIXPackage",
            "asset/acme/alpha/2.0.0/Microsoft.VisualStudio.Services.VSIXPackage/",
            "asset/acme/alpha/2.0.0/microsoft.visualstudio.services.vsixpackage",
            "asset/acme/alpha/2.0.0/Microsoft.VisualStudio.Services.VSIXPackage?targetPlatform=universal",
            "asset/acme/alpha/2.0.0/Microsoft.VisualStudio.Services.VSIXPackage?targetPlatform=LINUX-X64",
            "asset/acme/alpha/v2.0.0/Microsoft.VisualStudio.Services.VSIXPackage",
            "asset/acme/alpha/2.0.0+x/Microsoft.VisualStudio.Services.VSIXPackage",
            "asset/acme/alpha/2.0/Microsoft.VisualStudio.Services.VSIXPackage",
            "asset/acme/alpha/latest/Microsoft.VisualStudio.Services.VSIXPackage",
            "asset/acme.alpha/2.0.0/Microsoft.VisualStudio.Services.VSIXPackage",
            "gallery/publishers/acme/vsextensions/alpha/latest/vspackage",
            "gallery/publishers/acme/vsextensions/ALPHA/2.0.0/vspackage",
            "gallery/publisher/acme/extension/alpha/2.0.0/assetbyname/Microsoft.VisualStudio.Services.VSIXPackage",
            "_apis/public/gallery/publishers/acme/vsextensions/alpha/2.0.0/vspackage",
            "api/acme/alpha/2.0.0/file/ACME.alpha-2.0.0.vsix",
            "api/acme/alpha/2.0.0/file/acme.alpha-2.0.0@linux-x64.vsix",
            "api/acme/alpha/linux-x64/2.0.0/file/acme.alpha-2.0.0.vsix",
            "api/acme/beta/2.0.0/file/acme.alpha-2.0.0.vsix",
            "api/acme/alpha/2.0.0/file/extension/extension.js",
            "vsx-files/acme.alpha/2.0.0/universal/acme.alpha-2.0.0.vsix",
        ],
        Ecosystem::Mcp => &[
            "bundles/org.test%2falpha/2.0.0/0/alpha-2.0.0.mcpb",
            "bundles/org.test/alpha/2.0.0/0/alpha-2.0.0.mcpb",
            "bundles/org.test%2Falpha/2.0.0/0/alpha-2.0.0.mcpb?x=1",
            "bundles/org.test%2Falpha/2.0.0/0/alpha-2.0.0.mcpb/",
            "bundles/org.test%2Falpha/2.0.0/1/alpha-2.0.0.mcpb",
            "bundles/org.test%2Falpha/2.0/0/alpha-2.0.0.mcpb",
            "bundles/org.test%2Falpha/1.0.0/0/alpha-2.0.0.mcpb",
            "bundles/org.test%2Fbeta/2.0.0/0/alpha-2.0.0.mcpb",
            "bundles/ORG.test%2Falpha/2.0.0/0/alpha-2.0.0.mcpb",
            "bundles/org.test%2Falpha/2.0.0/0/ALPHA-2.0.0.mcpb",
            "bundles/org.test%2Falpha/2%2E0.0/0/alpha-2.0.0.mcpb",
            "bundles/org.test%2Falpha/2.0.0/server.json",
            "bundles/org.test%2Falpha/2.0.0/server.json/x",
            "v0.1/servers/org.test%2Falpha/versions/v2.0.0",
            "v0.1/servers/org.test%2Falpha/versions/=2.0.0",
            "v0.1/servers/org.test%2Falpha/versions/2.0.0/",
        ],
    }
}

fn no_matter(_: &RawResponse, _: bool) {}

fn not_offered(response: &RawResponse, _: bool) {
    assert_eq!(response.status, 404, "{}", response.text());
}

/// The older commit is nobody's trouble.
fn always_served(response: &RawResponse, _: bool) {
    assert_eq!(response.status, 200, "{}", response.text());
    assert_eq!(json(response)["sha"], FIRST);
}

fn moved(response: &RawResponse, _: bool) {
    assert_eq!(response.status, 301);
    assert!(response.header("location").unwrap().ends_with("/pypi/simple/alpha/"));
}

fn refused_or_served(response: &RawResponse, withheld: bool) {
    assert_eq!(response.status, if withheld { 403 } else { 200 }, "{} {}", response.reason, response.text());
    if withheld {
        assert!(response.reason.contains("cooldown"), "{}", response.reason);
        assert!(response.header("x-tidegate-decision").unwrap().len() > 10);
    }
}

/// Which versions of the server a list shows.
fn mcp_versions(response: &RawResponse) -> Vec<String> {
    assert_eq!(response.status, 200, "{}", response.text());
    let list = json(response);
    let named = list["servers"].as_array().unwrap().iter().map(|entry| &entry["server"]);
    let alpha = named.filter(|server| server["name"] == "org.test/alpha");
    let mut versions: Vec<String> =
        alpha.map(|server| server["version"].as_str().unwrap().to_owned()).collect();
    versions.sort();
    versions
}

fn mcp_list(response: &RawResponse, withheld: bool) {
    let expected: &[&str] = if withheld { &["1.0.0"] } else { &["1.0.0", "2.0.0"] };
    assert_eq!(mcp_versions(response), expected);
}

fn mcp_rest(response: &RawResponse, withheld: bool) {
    let expected: &[&str] = if withheld { &[] } else { &["2.0.0"] };
    assert_eq!(mcp_versions(response), expected);
}

fn mcp_latest(response: &RawResponse, withheld: bool) {
    assert_eq!(json(response)["server"]["version"], if withheld { "1.0.0" } else { "2.0.0" });
}

fn npm_document(response: &RawResponse, withheld: bool) {
    assert_eq!(response.status, 200, "{}", response.text());
    let document = json(response);
    assert_eq!(document["versions"].get("2.0.0").is_none(), withheld);
    assert_eq!(document["policyRestrictions"]["versions"].get("2.0.0").is_some(), withheld);
    npm_tag(&document["dist-tags"], withheld);
}

fn npm_tags(response: &RawResponse, withheld: bool) {
    npm_tag(&json(response), withheld);
}

fn npm_tag(tags: &Value, withheld: bool) {
    assert_eq!(tags["latest"], if withheld { "1.0.0" } else { "2.0.0" });
}

fn npm_latest_version(response: &RawResponse, withheld: bool) {
    assert_eq!(json(response)["version"], if withheld { "1.0.0" } else { "2.0.0" });
}

fn pypi_html(response: &RawResponse, withheld: bool) {
    let page = String::from_utf8(decoded(response)).unwrap();
    let anchor = page.lines().find(|l| l.contains("alpha-2.0.0-")).unwrap();
    assert_eq!(anchor.contains("data-yanked=\"tidegate"), withheld, "{anchor}");
}

fn pypi_json(response: &RawResponse, withheld: bool) {
    let page = json(response);
    let file = page["files"].as_array().unwrap().iter().find(|f| is_second(&f["filename"])).unwrap();
    assert_eq!(file["yanked"].as_str().is_some_and(|y| y.starts_with("tidegate")), withheld, "{file}");
}

fn is_second(name: &Value) -> bool {
    name.as_str().unwrap().contains("-2.0.0-")
}

fn pypi_project(response: &RawResponse, withheld: bool) {
    let project = json(response);
    let is_yanked =
        |v: &Value| v["yanked"] == true && v["yanked_reason"].as_str().unwrap().starts_with("tidegate");
    assert_eq!(is_yanked(&project["info"]), withheld, "{project}");
    assert_eq!(project["urls"].as_array().unwrap().iter().any(is_yanked), withheld, "{project}");
    assert_eq!(is_yanked(&project["releases"]["2.0.0"][0]), withheld, "{project}");
    assert!(!is_yanked(&project["releases"]["1.0.0"][0]), "{project}");
}

fn cargo_lines(response: &RawResponse, withheld: bool) {
    let text = String::from_utf8(decoded(response)).unwrap();
    let line: Value = text
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .find(|v: &Value| v["vers"] == "2.0.0")
        .unwrap();
    assert_eq!(line["yanked"], withheld, "{line}");
}

fn gallery_versions(extension: &Value) -> Vec<&str> {
    let versions = extension["versions"].as_array().unwrap();
    versions.iter().map(|v| v["version"].as_str().unwrap()).collect()
}

fn gallery_latest(response: &RawResponse, withheld: bool) {
    assert_eq!(response.status, 200, "{}", response.text());
    let extension = json(response);
    assert_eq!(gallery_versions(&extension).contains(&"2.0.0"), !withheld, "{extension}");
    assert!(gallery_versions(&extension).contains(&if withheld { "1.0.0" } else { "2.0.0" }), "{extension}");
}

fn gallery_found(response: &RawResponse, withheld: bool) {
    assert_eq!(response.status, 200, "{}", response.text());
    let found = json(response);
    let extensions = found["results"][0]["extensions"].as_array().unwrap();
    assert_eq!(extensions.len(), 1, "{found}");
    assert_eq!(gallery_versions(&extensions[0]).contains(&"2.0.0"), !withheld, "{found}");
}

fn vsx_newest(response: &RawResponse, withheld: bool) {
    let extension = json(response);
    assert_eq!(extension["version"], if withheld { "1.0.0" } else { "2.0.0" }, "{extension}");
}

fn vsx_versions(response: &RawResponse, withheld: bool) {
    let listed = json(response);
    assert_eq!(listed["versions"].get("2.0.0").is_none(), withheld, "{listed}");
}

fn vsx_found(response: &RawResponse, withheld: bool) {
    let found = json(response);
    let alpha: Vec<&Value> =
        found["extensions"].as_array().unwrap().iter().filter(|e| e["name"] == "alpha").collect();
    assert!(!alpha.is_empty(), "{found}");
    assert_eq!(alpha.iter().all(|e| e["version"] != "2.0.0"), withheld, "{found}");
}

fn package(ecosystem: Ecosystem, name: &str, version: &str) -> Package {
    match ecosystem {
        Ecosystem::Npm => Package::npm(name, version),
        Ecosystem::Pypi => Package::pypi(name, version),
        Ecosystem::Cargo => Package::cargo(name, version),
        Ecosystem::Vscode => {
            Package::vscode(&format!("acme.{name}"), version).targets(&["universal", "linux-x64"])
        }
        Ecosystem::Huggingface | Ecosystem::Oci | Ecosystem::Mcp => {
            unreachable!("these have commits, images and listings")
        }
    }
}

/// `alpha` 1.0.0, years old, and 2.0.0, of yesterday; `beta`, which nobody asks for.
fn published(ecosystem: Ecosystem) -> (FakeUpstream, BuiltFile, BuiltFile) {
    let upstream = FakeUpstream::start();
    upstream.publish(package(ecosystem, "beta", "1.0.0").padded(3_000));
    let first = upstream.publish(package(ecosystem, "alpha", "1.0.0").padded(3_000));
    let second = upstream.publish(package(ecosystem, "alpha", "2.0.0").padded(3_000).published(&days_ago(1)));
    let pick = |files: Vec<BuiltFile>| files.into_iter().next().unwrap();
    (upstream, pick(first), pick(second))
}

/// The same as two commits: `main` was moved from the one to the other yesterday.
fn committed() -> (FakeUpstream, BuiltFile) {
    let upstream = FakeUpstream::start();
    let old = [("README.md", HubFile::small("alpha")), ("model.safetensors", HubFile::large(safetensors(1)))];
    let catalog = upstream.catalog();
    catalog.commit("org/alpha", "main", (FIRST, "2022-03-02T23:29:04.000Z"), old);
    let model = safetensors(2);
    let new =
        || [("README.md", HubFile::small("alpha")), ("model.safetensors", HubFile::large(model.clone()))];
    for branch in ["main", "v2", "refs/pr/1"] {
        catalog.commit("org/alpha", branch, (SECOND, &days_ago(1)), new());
    }
    catalog.renamed("org/older-alpha", "org/alpha");
    let mut built = upstream.publish(Package::npm("unasked", "1.0.0")).remove(0);
    built.sha256 = crate::support::sha256_of(&model);
    built.bytes = model.into();
    (upstream, built)
}

/// What an image of two platforms is made of.
struct Images {
    index: Vec<u8>,
    image: bytes::Bytes,
    config: bytes::Bytes,
    layer: bytes::Bytes,
}

/// The image that is refused: an index, of which one platform is had.
fn second_image() -> Images {
    let layer = tidegate_testkit::upstream::layer(&[("etc/motd", &safetensors(7))]);
    let (config, image) = image_of("amd64", std::slice::from_ref(&layer));
    let image = bytes::Bytes::from(image.to_string());
    let index = index_of(&[("amd64", &image), ("arm64", b"never asked for")]).to_string().into_bytes();
    Images { index, image, config, layer }
}

/// An image behind a tag, and the refused one that comes behind it later.
fn pushed() -> (FakeUpstream, BuiltFile) {
    let upstream = FakeUpstream::start();
    let catalog = upstream.catalog();
    catalog.image("org/alpha", "latest", &[tidegate_testkit::upstream::layer(&[("etc/motd", b"first")])]);
    catalog.image("org/alpha", "v2", &[tidegate_testkit::upstream::layer(&[("etc/motd", b"first")])]);
    catalog.image("org/beta", "latest", &[tidegate_testkit::upstream::layer(&[("etc/motd", b"beta")])]);
    let mut built = upstream.publish(Package::npm("unasked", "1.0.0")).remove(0);
    built.bytes = second_image().layer;
    built.sha256 = crate::support::sha256_of(&built.bytes);
    (upstream, built)
}

/// Lets the door see the tags as they were, moves them, and lets the door see that.
fn moved_tags(upstream: &FakeUpstream, door: &TestDoor) {
    for tag in ["latest", "v2"] {
        assert_eq!(door.get(&format!("/oci/org/alpha/manifests/{tag}")).status, 200);
    }
    assert_eq!(door.get("/oci/org/beta/manifests/latest").status, 200);
    let Images { index, image, config, layer } = second_image();
    let catalog = upstream.catalog();
    catalog.blob("org/alpha", config);
    catalog.blob("org/alpha", layer);
    catalog.manifest("org/alpha", None, IMAGE_MANIFEST, image);
    for tag in ["latest", "v2"] {
        catalog.manifest("org/alpha", Some(tag), IMAGE_INDEX, index.clone().into());
    }
    door.clock().advance(3_600);
}

/// The same as two listings of a server, each with a bundle of its own.
fn listed() -> (FakeUpstream, BuiltFile) {
    let upstream = FakeUpstream::start();
    let bundle = |version: &str, at: &str| {
        let package = Package::pypi("alpha", version).padded(3_000);
        let built = upstream.publish(package).remove(0);
        list_bundle(&upstream, "org.test/alpha", version, at, &built);
        built
    };
    bundle("1.0.0", "2022-03-02T23:29:04Z");
    let second = bundle("2.0.0", &days_ago(1));
    let beta = upstream.publish(Package::pypi("beta", "1.0.0").padded(3_000)).remove(0);
    list_bundle(&upstream, "org.test/beta", "1.0.0", "2022-03-02T23:29:04Z", &beta);
    (upstream, second)
}

/// A model file that holds one tensor of this byte.
fn safetensors(byte: u8) -> Vec<u8> {
    let head = br#"{"weight":{"dtype":"U8","shape":[3000],"data_offsets":[0,3000]}}"#;
    let mut file = (head.len() as u64).to_le_bytes().to_vec();
    file.extend_from_slice(head);
    file.resize(file.len() + 3000, byte);
    file
}

/// Asks every row in every way and checks that all tell the same.
#[track_caller]
fn agree(door: &TestDoor, ecosystem: Ecosystem, token: &str, refused: &BuiltFile, withheld: bool) {
    let base = format!("/{ecosystem}/");
    let prefixed = format!("/t/{token}/{ecosystem}/");
    let etag = format!("If-None-Match: \"{}\"", refused.sha256);
    let ways: &[(&str, &str, &[&str])] = &[
        ("", &base, &[]),
        ("by token", &prefixed, &[]),
        ("gzip", &base, &["Accept-Encoding: gzip"]),
        ("zstd", &base, &["Accept-Encoding: zstd"]),
        ("conditional", &base, &[&etag]),
        ("any", &base, &["If-None-Match: *"]),
        ("range", &base, &["Range: bytes=0-99"]),
        ("if-range", &base, &["Range: bytes=10-", &etag.replace("None-Match", "Range")]),
    ];
    for row in rows(ecosystem) {
        for (way, base, lines) in ways {
            let mut all: Vec<&str> = lines.to_vec();
            all.extend(row.line);
            let target = format!("{base}{}", named(row.path));
            let response = match row.body {
                b"" => door.ask(row.method, &target, &all),
                body => door.send(row.method, &target, &all, body),
            };
            let place =
                format!("{ecosystem} {} {target} {way}: {} {}", row.kind, response.status, response.reason);
            assert!(response.complete, "{place}");
            assert!(response.header("x-tidegate-record").is_some(), "{place}");
            assert!(!withheld || !leaks(&response, &refused.bytes), "refused bytes left by {place}");
            let file = matches!(row.kind, "artifact" | "metadata" | "companion");
            match response.status {
                206 if file && way.contains("range") => assert!(!withheld, "{place}"),
                304 => assert!(!(withheld && file), "{place}"),
                _ => {
                    println!("{place}");
                    (row.shows)(&response, withheld);
                }
            }
            if row.method == "GET" {
                let head = door.ask("HEAD", &target, &all);
                assert_eq!(head.body, b"", "HEAD {place}");
                // A range means nothing to HEAD.
                let expected = if matches!(response.status, 206) { 200 } else { response.status };
                assert_eq!(head.status, expected, "HEAD {place}");
            }
        }
    }
    for spelling in spellings(ecosystem) {
        let response = door.get(&format!("{base}{}", named(spelling)));
        if withheld {
            assert!(!leaks(&response, &refused.bytes), "refused bytes left by {spelling}");
            let view = spelling == &"al/ph/Alpha";
            assert!(view || response.status >= 300, "{spelling}: {}", response.status);
        }
        if let Some(to) = response.header("location").filter(|_| response.status == 301) {
            let path = to.strip_prefix("http://door.test").unwrap();
            let followed = door.get(path);
            assert_eq!(followed.status == 403, withheld, "{spelling} -> {path}");
        }
    }
}

/// What is started on this machine and what is called elsewhere has the decision of its listing.
#[track_caller]
fn what_runs_agrees(door: &TestDoor, elsewhere: &Stub, purl: &str, withheld: bool) {
    for (way, told) in [
        ("started", mcp_listed::started(door, "alpha", purl)),
        ("called", mcp_listed::called(door, elsewhere)),
    ] {
        let rule = told.map(|(rule, _)| rule);
        assert_eq!(rule.as_deref(), withheld.then_some("cooldown"), "{way}");
    }
}

/// How often the refused version's file was fetched.
fn downloads(upstream: &FakeUpstream) -> usize {
    let asides = ["metadata", "attestations", "provenance", "json"];
    let requests = upstream.requests();
    if requests.iter().any(|r| r.path.starts_with("/v2/")) {
        let layer = format!("/org/alpha/blobs/{}", content_digest(&second_image().layer));
        return requests.iter().filter(|r| r.path.ends_with(&layer)).count();
    }
    if requests.iter().any(|r| r.path.starts_with("/hub/")) {
        let file = format!("/resolve/{SECOND}/model.safetensors");
        return requests.iter().filter(|r| r.path.ends_with(&file)).count();
    }
    if requests.iter().any(|r| r.path.starts_with("/vsx/")) {
        let file = "/vsx-files/acme.alpha/2.0.0/universal/acme.alpha-2.0.0.vsix";
        return requests.iter().filter(|r| r.path == file).count();
    }
    requests.iter().filter(|r| r.path.contains("2.0.0") && !asides.iter().any(|a| r.path.contains(a))).count()
}

#[track_caller]
fn the_decision_is_the_same_everywhere(ecosystem: Ecosystem) {
    let (upstream, second, purl) = match ecosystem {
        Ecosystem::Huggingface => {
            let (upstream, model) = committed();
            (upstream, model, format!("pkg:huggingface/org/alpha@{SECOND}"))
        }
        Ecosystem::Oci => {
            let (upstream, layer) = pushed();
            let digest = content_digest(&second_image().index);
            (upstream, layer, format!("pkg:docker/org/alpha@{digest}"))
        }
        Ecosystem::Mcp => {
            let (upstream, bundle) = listed();
            (upstream, bundle, "pkg:mcp/org.test/alpha@2.0.0".to_owned())
        }
        _ => {
            let (upstream, _, second) = published(ecosystem);
            let name = if ecosystem == Ecosystem::Vscode { "acme/alpha" } else { "alpha" };
            (upstream, second, format!("pkg:{}/{name}@2.0.0", ecosystem.purl_type()))
        }
    };
    let elsewhere = Stub::tools();
    let setup = Setup::new(&upstream);
    let door = match ecosystem {
        Ecosystem::Mcp => mcp_listed::opened(setup.with(|c| mcp_listed::lead_to(c, &elsewhere, Some(&purl)))),
        _ => setup.open(),
    };
    let agree = |door: &TestDoor, token: &str, withheld: bool| {
        agree(door, ecosystem, token, &second, withheld);
        if ecosystem == Ecosystem::Mcp {
            what_runs_agrees(door, &elsewhere, &purl, withheld);
        }
    };
    // Nobody but its author says when an image was made; that a tag moved, the door sees.
    let rule = if ecosystem == Ecosystem::Oci { "cooldown-first-seen" } else { "cooldown" };
    if ecosystem == Ecosystem::Oci {
        moved_tags(&upstream, &door);
    }
    let token = door.token("dev", &[]);
    let pack = |name: &str| PolicySource::Pack(name.into());
    agree(&door, &token, true);
    agree(&door, &token, true);
    let door = door.restart();
    agree(&door, &token, true);
    assert_eq!(downloads(&upstream), 0, "what coordinate facts refuse is not fetched");
    door.door.put_in_force(&pack("observe")).unwrap();
    agree(&door, &token, false);
    door.door.put_in_force(&pack("baseline")).unwrap();
    agree(&door, &token, true);
    door.release(&purl, rule);
    agree(&door, &token, false);
    let door = door.restart();
    agree(&door, &token, false);
    // Until time alone lets it through.
    door.clock().advance(if ecosystem == Ecosystem::Oci { 4 } else { 2 } * 86_400);
    agree(&door, &token, false);
    assert_eq!(downloads(&upstream), 1, "checked bytes are served from the store");
}

#[test]
fn npm_tells_one_decision_on_every_path() {
    the_decision_is_the_same_everywhere(Ecosystem::Npm);
}

#[test]
fn pypi_tells_one_decision_on_every_path() {
    the_decision_is_the_same_everywhere(Ecosystem::Pypi);
}

#[test]
fn cargo_tells_one_decision_on_every_path() {
    the_decision_is_the_same_everywhere(Ecosystem::Cargo);
}

#[test]
fn the_registry_of_servers_tells_one_decision_on_every_path() {
    the_decision_is_the_same_everywhere(Ecosystem::Mcp);
}

#[test]
fn the_model_hub_tells_one_decision_on_every_path() {
    the_decision_is_the_same_everywhere(Ecosystem::Huggingface);
}

#[test]
fn images_tell_one_decision_on_every_path() {
    the_decision_is_the_same_everywhere(Ecosystem::Oci);
}

#[test]
fn extensions_have_one_decision_in_both_protocols() {
    the_decision_is_the_same_everywhere(Ecosystem::Vscode);
}

/// A new view, service or document that nobody added a row for fails here.
#[test]
fn every_kind_of_ask_has_a_row() {
    for ecosystem in Ecosystem::ALL {
        let protocol = protocol(ecosystem);
        let mut found = BTreeSet::new();
        for row in rows(ecosystem) {
            let mut headers = HeaderMap::new();
            if let Some((name, value)) = row.line.and_then(|l| l.split_once(": ")) {
                headers.insert(name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
            }
            let path = named(row.path);
            let (path, query) = path.split_once('?').map_or((&*path, None), |(p, q)| (p, Some(q)));
            let method: Method = row.method.parse().unwrap();
            let (headers, body) = (&headers, row.body);
            let ask = protocol.route(&ClientRequest { method: &method, path, query, headers, body }).unwrap();
            assert_eq!(ask.kind(), row.kind, "{}", row.path);
            found.insert(row.kind);
        }
        assert_eq!(found, protocol.kinds().iter().copied().collect(), "{ecosystem}");
    }
}
