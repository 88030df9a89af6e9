//! Where something went, beyond what lies in archives: the servers that a package is started for, and the packs that bring an
//! extension along.

use serde_json::Value;
use tidegate_testkit::Package;

use crate::effects::admin;
use crate::extensions::{Gallery, package_of};
use crate::mcp_registry::{NAME, site, versions_path};
use crate::support::{Setup, TestDoor, json};

fn asked(door: &TestDoor, lead: &str, purl: &str) -> Value {
    json(&door.ask("GET", &format!("/api/v1/accesses?purl={purl}&follow=true"), &[lead]))
}

/// Who took `purl`, or anything that it came into; by which way, one line a row.
fn ways(door: &TestDoor, lead: &str, purl: &str) -> Vec<String> {
    let told = asked(door, lead, purl);
    let rows = told["accesses"].as_array().unwrap_or_else(|| panic!("{told}"));
    let way = |row: &Value| {
        let steps = row["path"].as_array().cloned().unwrap_or_default();
        let steps =
            steps.iter().map(|step| format!(" {} {}", step["kind"].as_str().unwrap(), step["within"]));
        format!("{}{}", row["purl"].as_str().unwrap(), steps.collect::<String>().replace('"', ""))
    };
    let mut ways: Vec<String> = rows.iter().map(way).collect();
    ways.sort();
    ways.dedup();
    ways
}

#[test]
fn a_package_is_followed_to_the_server_that_starts_it() {
    let upstream = site();
    let door = Setup::new(&upstream).open();
    let lead = admin(&door);
    let listed = door.get(&versions_path(NAME, "/1.1.0"));
    assert_eq!(listed.status, 200, "{}", listed.text());
    // Who reads what a registry says of a server has not taken it: its package is what they take.
    let holders = |purl: &str| asked(&door, &lead, purl)["followed"]["holders"].clone();
    assert_eq!(holders("pkg:npm/lib@1.1.0"), 1);
    assert_eq!(holders("pkg:npm/lib@1.0.0"), 0, "no server starts that version");
}

#[test]
fn an_extension_is_followed_to_the_pack_that_brings_it_along() {
    let gallery = Gallery::start();
    gallery.publish(Package::vscode("acme.member", "1.0.0"));
    gallery.publish(Package::vscode("acme.pack", "2.0.0").brings(&["acme.member"]));
    let door = Setup::new(&gallery.server).open();
    let lead = admin(&door);
    assert_eq!(door.get(&package_of("vscode", "pack", "2.0.0")).status, 200);
    let pack = "pkg:vscode-extension/acme/pack@2.0.0";
    // Editors take the newest member: any version is meant.
    assert_eq!(
        ways(&door, &lead, "pkg:vscode-extension/acme/member@1.0.0"),
        [format!("{pack} brought_along {pack}")]
    );
}
