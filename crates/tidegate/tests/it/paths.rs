//! Paths made to confuse: none reaches another coordinate, the file system, or another package's bytes.

use std::collections::BTreeSet;

use tidegate_model::Ecosystem;
use tidegate_testkit::client::RawClient;
use tidegate_testkit::upstream::{IMAGE_MANIFEST, image_of};
use tidegate_testkit::{FakeUpstream, HubFile, Package};

use crate::mcp_registry::list_bundle;
use crate::support::{Setup, leaks};

/// Text put in front of, behind or into a path.
const TRICKS: &[&str] = &[
    "..",
    ".",
    "%2e%2e",
    "%2E.",
    ".%2e",
    "..%2f",
    "%2e%2e%2f",
    "..%5c",
    "..\\",
    "\\",
    "%5c",
    "%2f",
    "%2F",
    "/",
    "//",
    "%252f",
    "%252e%252e",
    "%00",
    "%0a",
    "%0d%0a",
    "%09",
    "%7f",
    "%",
    "%2",
    "%zz",
    "%u002f",
    "%c0%ae",
    "%c0%af",
    "%ff",
    "%e2%80%ae",
    "%ef%bc%8f",
    "%e2%81%84",
    ";",
    ";x=1",
    "%3b",
    "%3f",
    "%23",
    "%20",
    "~",
    "*",
    "@",
    "%40",
    ":",
    "%3a",
    "..;",
    "....//",
    "secret",
    "beta",
    "%62eta",
    "-",
    "%2d",
];

/// The commit of each repository of the hub.
const COMMIT: &str = "1111111111111111111111111111111111111111";

fn good(ecosystem: Ecosystem) -> [&'static str; 2] {
    match ecosystem {
        Ecosystem::Npm => ["alpha", "alpha/-/alpha-1.0.0.tgz"],
        Ecosystem::Pypi => ["simple/alpha/", "files/alpha/alpha-1.0.0-py3-none-any.whl"],
        Ecosystem::Cargo => ["al/ph/alpha", "api/v1/crates/alpha/1.0.0/download"],
        Ecosystem::Huggingface => ["api/models/org/alpha/revision/main", "org/alpha/resolve/main/alpha.txt"],
        Ecosystem::Oci => ["org/alpha/manifests/latest", "org/alpha/tags/list"],
        Ecosystem::Vscode => [
            "gallery/vscode/acme/alpha/latest",
            "asset/acme/alpha/1.0.0/Microsoft.VisualStudio.Services.VSIXPackage",
        ],
        Ecosystem::Mcp => ["v0.1/servers/org%2Falpha/versions", "bundles/org%2Falpha/1.0.0/0/alpha.mcpb"],
    }
}

/// Targets that are not the good ones.
fn confusions(ecosystem: Ecosystem) -> Vec<String> {
    let mut all = BTreeSet::new();
    for path in good(ecosystem) {
        for trick in TRICKS {
            let half = path.len() / 2;
            for made in [
                format!("{trick}/{path}"),
                format!("{path}/{trick}"),
                format!("{path}{trick}"),
                format!("{}{trick}{}", &path[..half], &path[half..]),
                format!("{path}/{trick}/{trick}/beta"),
            ] {
                all.insert(format!("/{ecosystem}/{made}"));
            }
        }
        for made in [
            format!("/{ecosystem}//{path}"),
            format!("//{ecosystem}/{path}"),
            format!("/{ecosystem}/{}", path.to_uppercase()),
            format!("/{}/{path}", ecosystem.as_str().to_uppercase()),
            format!("/{ecosystem}/../{ecosystem}/{path}"),
            format!("/./{ecosystem}/{path}"),
            format!("/t//{ecosystem}/{path}"),
            format!("/t/../{ecosystem}/{path}"),
            format!("/t/x/../{ecosystem}/{path}"),
            format!("/t/x/t/y/{ecosystem}/{path}"),
            format!("/t/{ecosystem}/{path}"),
            format!("/t/x%2f{ecosystem}/{path}"),
            format!("/{ecosystem}/t/x/{path}"),
            format!("/api/v1/../../{ecosystem}/{path}"),
            format!("/d/../{ecosystem}/{path}"),
            format!("http://door.test/{ecosystem}/{path}"),
            format!("http://127.0.0.1:1/{ecosystem}/{path}"),
            format!("/http://127.0.0.1:1/{ecosystem}/{path}"),
            format!("/{ecosystem}/{}", "a".repeat(1_100)),
            format!("/{ecosystem}/{}", "a/".repeat(300)),
            format!("/{ecosystem}/{}{path}", "x/../".repeat(20)),
            format!("/{ecosystem}/../../../../etc/passwd"),
            format!("/{ecosystem}/%2e%2e/%2e%2e/catalogue.sqlite"),
            format!("/{ecosystem}/file:///etc/passwd"),
            format!("/{ecosystem}/blobs/sha256/"),
            format!("/{ecosystem}"),
            format!("/{ecosystem}?{path}"),
            "*".to_owned(),
            format!("{ecosystem}/{path}"),
        ] {
            all.insert(made);
        }
    }
    for path in good(ecosystem) {
        all.remove(&format!("/{ecosystem}/{path}"));
    }
    all.into_iter().collect()
}

/// An image of one layer whose manifest says what it is called.
fn image(upstream: &FakeUpstream, name: &str, layer: bytes::Bytes) {
    let (repository, catalog) = (format!("org/{name}"), upstream.catalog());
    let (config, mut manifest) = image_of("amd64", std::slice::from_ref(&layer));
    manifest["annotations"] = serde_json::json!({ "title": name });
    catalog.blob(&repository, config);
    catalog.blob(&repository, layer);
    catalog.manifest(&repository, Some("latest"), IMAGE_MANIFEST, manifest.to_string().into());
}

#[track_caller]
fn never_lead_elsewhere(ecosystem: Ecosystem) {
    let upstream = FakeUpstream::start();
    let [alpha, beta, secret] =
        [("alpha", "alpha.txt"), ("beta", "beta.txt"), ("secret", "secret.txt")].map(|(name, file)| {
            let package = match ecosystem {
                Ecosystem::Npm | Ecosystem::Huggingface | Ecosystem::Oci => Package::npm(name, "1.0.0"),
                // A bundle is a zip file, as a wheel is.
                Ecosystem::Mcp => Package::pypi(name, "1.0.0"),
                Ecosystem::Pypi => Package::pypi(name, "1.0.0"),
                Ecosystem::Cargo => Package::cargo(name, "1.0.0"),
                Ecosystem::Vscode => Package::vscode(&format!("acme.{name}"), "1.0.0"),
            };
            let built = upstream.publish(package.padded(2_000)).remove(0);
            let commit = (COMMIT, "2022-03-02T23:29:04.000Z");
            let files = [(file, HubFile::large(built.bytes.clone()))];
            upstream.catalog().commit(&format!("org/{name}"), "main", commit, files);
            image(&upstream, name, built.bytes.clone());
            list_bundle(&upstream, &format!("org/{name}"), "1.0.0", "2022-03-02T23:29:04Z", &built);
            built
        });
    let door = Setup::new(&upstream).open();
    // What is in the store and in memory is the easiest to reach by mistake.
    for name in ["alpha", "beta"] {
        for path in good(ecosystem) {
            let path = match ecosystem {
                Ecosystem::Cargo if path.starts_with("al/") && name == "beta" => "be/ta/beta".to_owned(),
                _ => path.replace("alpha", name),
            };
            assert_eq!(door.get(&format!("/{ecosystem}/{path}")).status, 200, "{path}");
        }
    }
    upstream.forget_requests();
    let mut known = 0;
    let confusions = confusions(ecosystem);
    assert!(confusions.len() >= 200, "{}", confusions.len());
    for target in &confusions {
        let response = RawClient::connect(door.address)
            .and_then(|mut c| c.get(target, &["Connection: close"]))
            .unwrap_or_else(|e| panic!("{target}: {e}"));
        let about_beta = target.contains("beta") || target.contains("%62eta");
        for other in [&beta, &secret] {
            assert!(!leaks(&response, &other.bytes), "{target} got {}", other.name);
        }
        let text = response.text();
        assert!(!text.contains("root:") && !text.contains("SQLite"), "{target} read a file");
        if response.status == 200 {
            known += 1;
            let own = leaks(&response, &alpha.bytes) || text.contains("alpha");
            assert!(own || about_beta, "{target} got 200: {text}");
        } else {
            assert!(!leaks(&response, &alpha.bytes), "{target}: {}", response.status);
        }
    }
    assert!(known < confusions.len() / 4, "{known} of {} are spellings of the same thing", confusions.len());
    for request in upstream.requests() {
        let path = request.path.as_str();
        let plain = path.split('?').next().unwrap();
        assert!(plain.bytes().all(|b| b.is_ascii_graphic()), "asked {path}");
        assert!(plain.split('/').all(|s| !matches!(s, "." | "..")), "asked {path}");
        assert!(!plain.contains("//") && !plain.contains('\\') && !plain.contains("%2e"), "asked {path}");
        let below = [
            "/npm/",
            "/python/simple/",
            "/python/pypi/",
            "/python-files/",
            "/index/",
            "/crates/dl/",
            "/hub/",
            "/cdn/",
            "/v2/",
            "/vsx/",
            "/vsx-files/",
            "/registry/",
            "/feeds/",
        ];
        assert!(
            below.iter().any(|b| plain.starts_with(b)) || plain.starts_with("/api/v1/crates"),
            "asked {path}"
        );
        assert!(!plain.contains("/-/secret") && !plain.contains(&secret.sha256), "asked {path}");
        assert!(!request.mentions("acme.secret"), "asked {path}");
        // A name of one segment can only be the name that the client wrote.
        let name = plain.trim_end_matches('/').rsplit('/').next().unwrap();
        let asked = confusions.iter().any(|c| {
            let decoded = percent_encoding::percent_decode_str(c).decode_utf8_lossy().to_lowercase();
            let wanted = percent_encoding::percent_decode_str(name).decode_utf8_lossy().to_lowercase();
            decoded.replace(['_', '.', '-'], "-").contains(&wanted.replace(['_', '.', '-'], "-"))
        });
        assert!(
            asked
                || matches!(
                    name,
                    "config.json"
                        | "json"
                        | "crates"
                        | "download"
                        | "versions"
                        | "extensionquery"
                        | "query"
                        | "servers"
                        | COMMIT
                ),
            "asked {path}"
        );
    }
}

#[test]
fn confusing_npm_paths_never_lead_elsewhere() {
    never_lead_elsewhere(Ecosystem::Npm);
}

#[test]
fn confusing_pypi_paths_never_lead_elsewhere() {
    never_lead_elsewhere(Ecosystem::Pypi);
}

#[test]
fn confusing_cargo_paths_never_lead_elsewhere() {
    never_lead_elsewhere(Ecosystem::Cargo);
}

#[test]
fn confusing_paths_of_the_model_hub_never_lead_elsewhere() {
    never_lead_elsewhere(Ecosystem::Huggingface);
}

#[test]
fn confusing_paths_of_images_never_lead_elsewhere() {
    never_lead_elsewhere(Ecosystem::Oci);
}

#[test]
fn confusing_paths_of_extensions_never_lead_elsewhere() {
    never_lead_elsewhere(Ecosystem::Vscode);
}

/// Requests whose framing two parsers could read differently, each followed by a second request.
#[test]
fn ambiguous_framing_is_refused_and_nothing_behind_it_is_executed() {
    let upstream = FakeUpstream::start();
    upstream.publish(Package::npm("alpha", "1.0.0"));
    let door = Setup::new(&upstream).open();
    let shapes: &[(&str, &str)] = &[
        (
            "CL and TE",
            "POST /npm/x HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        ),
        (
            "TE and CL",
            "POST /npm/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
        ),
        ("two lengths", "POST /npm/x HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: 9\r\n\r\n"),
        (
            "equal lengths",
            "POST /npm/x HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n",
        ),
        ("a list of lengths", "POST /npm/x HTTP/1.1\r\nHost: a\r\nContent-Length: 0, 0\r\n\r\n"),
        ("signed length", "POST /npm/x HTTP/1.1\r\nHost: a\r\nContent-Length: +0\r\n\r\n"),
        ("negative length", "POST /npm/x HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n"),
        ("hex length", "POST /npm/x HTTP/1.1\r\nHost: a\r\nContent-Length: 0x0\r\n\r\n"),
        (
            "other coding",
            "POST /npm/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        ),
        ("hidden coding", "POST /npm/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"),
        (
            "two codings",
            "POST /npm/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
        ),
        ("TE in HTTP/1.0", "POST /npm/x HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        ("space before the colon", "POST /npm/x HTTP/1.1\r\nHost: a\r\nContent-Length : 0\r\n\r\n"),
        ("folded line", "GET /npm/x HTTP/1.1\r\nHost: a\r\nX-A: b\r\n c\r\n\r\n"),
        (
            "folded coding",
            "POST /npm/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
        ),
        ("bare line feeds", "GET /npm/x HTTP/1.1\nHost: a\n\n"),
        ("one bare line feed", "GET /npm/x HTTP/1.1\r\nHost: a\nX-B: c\r\n\r\n"),
        ("bare carriage return", "GET /npm/x HTTP/1.1\r\nHost: a\rX-B: c\r\n\r\n"),
        ("NUL in a value", "GET /npm/x HTTP/1.1\r\nHost: a\r\nX-A: b\0c\r\n\r\n"),
        ("two hosts", "GET /npm/x HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"),
        ("no host", "GET /npm/x HTTP/1.1\r\nX: y\r\n\r\n"),
        ("line without a colon", "GET /npm/x HTTP/1.1\r\nHost: a\r\nnonsense\r\n\r\n"),
        ("two spaces", "GET  /npm/x HTTP/1.1\r\nHost: a\r\n\r\n"),
        ("a target with a space", "GET /npm/x y HTTP/1.1\r\nHost: a\r\n\r\n"),
        ("another protocol", "GET /npm/x HTTP/2.0\r\nHost: a\r\n\r\n"),
        ("a target beyond ASCII", "GET /npm/\u{e9} HTTP/1.1\r\nHost: a\r\n\r\n"),
        (
            "chunk extension",
            "POST /npm/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0;x=1\r\n\r\n",
        ),
        (
            "chunk size with a sign",
            "POST /npm/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n+0\r\n\r\n",
        ),
        (
            "chunk size too long",
            "POST /npm/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n00000000000000000\r\n\r\n",
        ),
        ("chunk ended by LF", "POST /npm/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\n\n"),
    ];
    for (what, bytes) in shapes {
        let mut client = RawClient::connect(door.address).unwrap();
        let second = "GET /npm/alpha HTTP/1.1\r\nHost: door.test\r\n\r\n";
        client.send(format!("{bytes}{second}").as_bytes()).unwrap();
        let response = client.read().unwrap_or_else(|e| panic!("{what}: {e}"));
        // A body that turns out broken may be refused by the route before it is read; the connection ends either way.
        let early = what.contains("chunk") && matches!(response.status, 400 | 403);
        assert!(response.status == 400 || early, "{what}: {} {}", response.status, response.reason);
        assert!(client.read().is_err(), "{what}: something was answered behind it");
    }
    upstream.assert_never_asked("alpha");
    // The same second request alone is fine.
    assert_eq!(door.get("/npm/alpha").status, 200);
}

#[test]
fn confusing_paths_of_the_registry_of_servers_never_lead_elsewhere() {
    never_lead_elsewhere(Ecosystem::Mcp);
}
