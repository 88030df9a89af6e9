//! What a person does with a registry of MCP servers: read it as an editor's page does, and start what it names with the real
//! npm. No client of a package registry reads such a registry, so its reading is node's own `fetch`, which follows the same
//! rules as a browser's but for asking first; that question is put by hand.

use serde_json::Value;
use tidegate_testkit::process::{Home, Program};
use tidegate_testkit::tools::{self, Tool};
use tidegate_testkit::{Package, Style};

use crate::clients_support::{Site, hours_ago, read};
use crate::mcp_registry::{NAME, list_package, package_of};

/// Asks whether it may ask, lists, and tells what it would start.
const READER: &str = r#"
const [base, name] = process.argv.slice(2);
const headers = { Origin: "https://editor.test" };
const list = `${base}v0.1/servers?limit=10`;
const preflight = await fetch(list, { method: "OPTIONS", headers: { ...headers, "Access-Control-Request-Method": "GET" } });
if (!preflight.ok || preflight.headers.get("access-control-allow-origin") !== "*") throw new Error("may not ask");
const page = await (await fetch(list, { headers })).json();
const latest = await fetch(`${base}v0.1/servers/${encodeURIComponent(name)}/versions/latest`, { headers });
if (latest.headers.get("access-control-allow-origin") !== "*") throw new Error("may not read");
console.log(JSON.stringify({ page, status: latest.status, latest: await latest.json() }));
"#;

fn node(npm: &Tool) -> Option<std::path::PathBuf> {
    let beside = npm.path().parent().map(|folder| folder.join("node")).filter(|path| path.is_file());
    let path = std::env::var_os("PATH")?;
    beside.or_else(|| {
        std::env::split_paths(&path).map(|folder| folder.join("node")).find(|path| path.is_file())
    })
}

/// What the reader sees.
fn seen(site: &Site, npm: &Tool) -> Value {
    let home = Home::new();
    let script = home.path().join("reader.mjs");
    std::fs::write(&script, READER).unwrap();
    let base = format!("{}mcp/", site.address());
    let done =
        Program::new(node(npm).unwrap(), &home).arg(&script).args([&base, NAME]).run().expect_success();
    serde_json::from_str(&done.stdout).unwrap()
}

/// Installs what an entry names from where it says, with npm's own settings empty.
fn install(npm: &Tool, entry: &Value) -> (Home, tidegate_testkit::process::Finished) {
    let package = &entry["server"]["packages"][0];
    let text = |key: &str| package[key].as_str().unwrap();
    let home = Home::new();
    let folder = home.folder("started");
    let done = npm
        .called_by(&home)
        .args(["install", "--no-audit", "--no-fund", "--registry", text("registryBaseUrl"), "--prefix"])
        .arg(&folder)
        .arg(format!("{}@{}", text("identifier"), text("version")))
        .run();
    (home, done)
}

#[test]
fn what_a_registry_names_is_installed_through_the_door() {
    let Some(npm) = tools::npm().filter(|npm| node(npm).is_some()) else { return };
    let mut site = Site::open(Style::Rich);
    site.upstream.publish(Package::npm("weather-of-test", "1.0.0"));
    site.upstream.publish(Package::npm("weather-of-test", "1.1.0").published(&hours_ago(1)));
    for version in ["1.0.0", "1.1.0"] {
        list_package(&site.upstream, NAME, version, &package_of("npm", "weather-of-test", version));
    }
    // The newest listing is old enough, the package behind it is not: the one before is the latest that may be had.
    let cold = seen(&site, &npm);
    assert_eq!(
        (&cold["status"], &cold["latest"]["server"]["version"]),
        (&200.into(), &"1.0.0".into()),
        "{cold}"
    );
    assert_eq!(cold["page"]["servers"].as_array().unwrap().len(), 1, "{cold}");
    let (home, done) = install(&npm, &cold["latest"]);
    done.expect_success();
    assert!(read(home.path().join("started/node_modules/weather-of-test/index.js")).contains("1.0.0"));
    assert_eq!(site.upstream.count("weather-of-test-1.0.0.tgz"), 1);

    site.upstream.stop();
    let warm = seen(&site, &npm);
    assert_eq!(warm["latest"], cold["latest"]);
    let (_home, done) = install(&npm, &warm["latest"]);
    done.expect_success();

    // What is withheld of the registry is withheld of the packages too, for who knows its name.
    let mut young = warm["latest"].clone();
    young["server"]["packages"][0]["version"] = "1.1.0".into();
    let (_home, done) = install(&npm, &young);
    let refused = done.expect_failure().stderr;
    assert!(refused.contains("cooldown"), "{refused}");
    let told = site.ask_door(&format!("/mcp/v0.1/servers/{}/versions/1.1.0", NAME.replace('/', "%2F")));
    assert!(told.contains("tidegate/part") && told.contains("cooldown"), "{told}");
    site.close_door();
}

#[test]
fn a_server_whose_package_is_blocked_can_be_neither_found_nor_installed() {
    let Some(npm) = tools::npm().filter(|npm| node(npm).is_some()) else { return };
    let site = Site::open(Style::Rich);
    site.upstream.publish(Package::npm("weather-of-test", "1.0.0"));
    list_package(&site.upstream, NAME, "1.0.0", &package_of("npm", "weather-of-test", "1.0.0"));
    let before = seen(&site, &npm);
    assert_eq!(before["status"], 200, "{before}");
    let block = ["quarantine", "block", "pkg:npm/weather-of-test", "--reason", "stolen"];
    site.tidegate(&site.operator, &block).run().expect_success();
    let after = seen(&site, &npm);
    assert_eq!(
        (&after["status"], after["page"]["servers"].as_array().unwrap().len()),
        (&403.into(), 0),
        "{after}"
    );
    assert!(after["latest"]["detail"].as_str().unwrap().contains("pkg:npm/weather-of-test@1.0.0"), "{after}");
    let (_home, done) = install(&npm, &before["latest"]);
    done.expect_failure();
}
