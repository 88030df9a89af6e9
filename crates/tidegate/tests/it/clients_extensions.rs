//! Clients of extension galleries through the door: Open VSX's own command line, and code-server where this machine has it; what it
//! asks is replayed everywhere.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};
use tidegate_testkit::process::Home;
use tidegate_testkit::tools::{self, Tool};
use tidegate_testkit::{BuiltFile, Package, Style};

use crate::clients_support::{Site, hours_ago};
use crate::extensions::THIEF;

/// An extension in three versions: the last of an hour ago.
fn publish(site: &Site) -> [BuiltFile; 3] {
    let one = |package: Package| site.upstream.publish(package).remove(0);
    [
        one(Package::vscode("Acme.Tool", "1.0.0")),
        one(Package::vscode("Acme.Tool", "1.1.0")),
        one(Package::vscode("Acme.Tool", "1.2.0").published(&hours_ago(1))),
    ]
}

fn ovsx(site: &Site, home: &Home, tool: &Tool, args: &[&str]) -> tidegate_testkit::process::Finished {
    site.run(home, tool).arg("get").args(args).run()
}

#[test]
fn the_command_line_gets_the_newest_that_may_be_had_and_again_without_upstream() {
    let Some(tool) = tools::ovsx() else { return };
    let mut site = Site::open(Style::Rich);
    let [first, second, _] = publish(&site);
    let get = |site: &Site, args: &[&str]| -> Vec<u8> {
        let home = Home::new();
        let to = home.path().join("got.vsix");
        let mut all = args.to_vec();
        let path = to.display().to_string();
        all.extend(["-o", &path]);
        ovsx(site, &home, &tool, &all).expect_success();
        fs::read(to).unwrap()
    };
    assert_eq!(get(&site, &["Acme.Tool"]), second.bytes);
    assert_eq!(get(&site, &["acme.tool", "-v", "^1.0.0"]), second.bytes, "a range falls back");
    assert_eq!(get(&site, &["acme.tool", "-v", "1.0.0"]), first.bytes);
    site.upstream.stop();
    assert_eq!(get(&site, &["Acme.Tool"]), second.bytes);
    assert_eq!(get(&site, &["acme.tool", "-v", "1.0.0"]), first.bytes);
    let purl = "pkg:vscode-extension/acme/tool@1.1.0";
    let who = site.tidegate(&site.operator, &["who", purl]).run().expect_success().stdout;
    assert!(who.contains("acme.tool-1.1.0.vsix"), "{who}");
    site.close_door();
}

#[test]
fn a_person_reads_why_an_extension_is_refused() {
    let Some(tool) = tools::ovsx() else { return };
    let site = Site::open(Style::Rich);
    publish(&site);
    site.upstream.publish(Package::vscode("acme.bad", "1.0.0").code(THIEF));
    let home = Home::new();
    let pinned = ovsx(&site, &home, &tool, &["acme.tool", "-v", "1.2.0"]).expect_failure().output();
    for words in ["acme/tool@1.2.0 quarantined by cooldown", "newest compliant: 1.1.0"] {
        assert!(pinned.contains(words), "{words}: {pinned}");
    }
    // The index does not know what nobody looked at, so the package itself is refused, in the reason phrase.
    let bad = ovsx(&site, &home, &tool, &["acme.bad"]).expect_failure().output();
    assert!(
        bad.contains("acme/bad@1.0.0 blocked by") || bad.contains("acme/bad@1.0.0 quarantined by"),
        "{bad}"
    );
    let again = ovsx(&site, &home, &tool, &["acme.bad"]).expect_failure().output();
    assert!(again.contains("no version is compliant now"), "{again}");
}

/// What code-server 4.100.3 (VS Code 1.100.3) sends for `--install-extension acme.tool`, as a stub on loopback wrote it down.
const CODE_SERVER: &[&str] = &[
    "X-Market-Client-Id: VSCode 1.100.3",
    "User-Agent: VSCode 1.100.3 (code-server)",
    "X-Market-User-Id: 17247709-7d5d-442a-a806-d580a61da347",
    "VSCode-SessionId: someValue.machineId",
    "Content-Type: application/json",
    "Accept: application/json;api-version=3.0-preview.1",
    "Accept-Encoding: gzip",
];
const CODE_SERVER_QUERY: &str = r#"{"filters":[{"criteria":[{"filterType":7,"value":"acme.tool"},{"filterType":8,"value":"Microsoft.VisualStudio.Code"},{"filterType":12,"value":"4096"}],"pageNumber":1,"pageSize":1,"sortBy":0,"sortOrder":0}],"assetTypes":[],"flags":950}"#;

/// The same requests in the same order, for machines without code-server.
#[test]
fn what_code_server_asks_is_answered() {
    let gallery = crate::extensions::Gallery::start();
    let tool = gallery.server.publish(Package::vscode("acme.tool", "1.0.0")).remove(0);
    gallery.server.publish(Package::vscode("acme.tool", "1.1.0").published(&crate::support::days_ago(1)));
    let door = crate::support::Setup::new(&gallery.server).open();
    let found =
        door.send("POST", "/vscode/gallery/extensionquery", CODE_SERVER, CODE_SERVER_QUERY.as_bytes());
    assert_eq!((found.status, found.header("content-encoding")), (200, Some("gzip")));
    let found = crate::support::json(&found);
    let extension = &found["results"][0]["extensions"][0];
    assert_eq!(extension["versions"].as_array().unwrap().len(), 1, "{found}");
    let version = &extension["versions"][0];
    assert_eq!(version["version"], "1.0.0");
    let below = |kind: &str| {
        let base = version["fallbackAssetUri"]
            .as_str()
            .unwrap()
            .strip_prefix("http://door.test")
            .unwrap()
            .to_owned();
        format!("{base}/Microsoft.VisualStudio.{kind}?redirect=true&targetPlatform=universal")
    };
    let manifest = door.ask("GET", &below("Code.Manifest"), CODE_SERVER);
    assert_eq!(crate::support::json(&manifest)["publisher"], "acme");
    let package = door.ask("GET", &below("Services.VSIXPackage"), CODE_SERVER);
    assert_eq!((package.status, &package.body[..]), (200, &tool.bytes[..]));
    let signature = door.ask("GET", &below("Services.VsixSignature"), CODE_SERVER);
    assert_eq!(signature.body, tidegate_testkit::upstream::vsix_signature(&tool.bytes));
}

/// code-server's own server, started as its command line starts it.
fn code_server(
    site: &Site,
    home: &Home,
    tool: &Tool,
    extension: &str,
) -> (tidegate_testkit::process::Finished, PathBuf) {
    let folder = home.path().join("extensions");
    let command =
        site.run(home, tool).arg("--extensions-dir").arg(&folder).args(["--install-extension", extension]);
    (command.run(), folder)
}

#[test]
fn code_server_installs_what_may_be_had() {
    let Some(tool) = tools::code_server() else { return };
    let mut site = Site::open(Style::Rich);
    publish(&site);
    site.upstream.publish(Package::vscode("acme.needy", "1.0.0").depends_on("acme.tool", ""));
    let installed = |site: &Site, extension: &str| -> Vec<String> {
        let home = Home::new();
        let (ended, folder) = code_server(site, &home, &tool, extension);
        let output = ended.expect_success().output();
        let list: Value = serde_json::from_str(&fs::read_to_string(folder.join("extensions.json")).unwrap())
            .unwrap_or_else(|e| panic!("{e}: {output}"));
        let name = |one: &Value| {
            format!("{}@{}", one["identifier"]["id"].as_str().unwrap(), one["version"].as_str().unwrap())
        };
        let mut all: Vec<String> = list.as_array().unwrap().iter().map(name).collect();
        all.sort();
        all
    };
    assert_eq!(installed(&site, "acme.tool"), ["acme.tool@1.1.0"]);
    assert_eq!(installed(&site, "acme.tool@1.0.0"), ["acme.tool@1.0.0"]);
    assert_eq!(installed(&site, "acme.needy"), ["acme.needy@1.0.0", "acme.tool@1.1.0"]);
    site.upstream.stop();
    assert_eq!(installed(&site, "acme.needy"), ["acme.needy@1.0.0", "acme.tool@1.1.0"]);
    site.close_door();
}

#[test]
fn code_server_installs_nothing_that_is_refused() {
    let Some(tool) = tools::code_server() else { return };
    let site = Site::open(Style::Rich);
    publish(&site);
    site.upstream.publish(Package::vscode("acme.bad", "1.0.0").code(THIEF));
    for extension in ["acme.bad", "acme.tool@1.2.0"] {
        let home = Home::new();
        let (ended, folder) = code_server(&site, &home, &tool, extension);
        let output = ended.output();
        assert!(output.contains("Failed Installing Extensions"), "{output}");
        let list = fs::read_to_string(folder.join("extensions.json")).unwrap_or_else(|_| "[]".to_owned());
        assert_eq!(serde_json::from_str::<Value>(&list).unwrap(), json!([]), "{output}");
    }
}
