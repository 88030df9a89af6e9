//! A release beside the one before it, at the door.

use tidegate::config::Compare;
use tidegate_testkit::{FakeUpstream, Fault, Package};

use crate::support::{Setup, TestDoor, days_ago, json};

const OLD: &str = "/npm/alpha/-/alpha-1.0.0.tgz";
const NEW: &str = "/npm/alpha/-/alpha-1.0.1.tgz";

/// `alpha` 1.0.0, and a patch release of it that reaches the network as soon as it is loaded.
fn upstream() -> FakeUpstream {
    let upstream = FakeUpstream::start();
    let of = |version: &str, code: &str, days| {
        Package::npm("alpha", version)
            .published(&days_ago(days))
            .file("lib/start.js", code.as_bytes().to_vec())
    };
    upstream.publish(of("1.0.0", "module.exports = () => 1;\n", 100));
    let calls = "const { execSync } = require('child_process');\nconst https = require('https');\n\
                 const made = execSync('git --version').toString().length > 0;\n\
                 https.get('https://counter.invalid/hit');\nmodule.exports = () => made;\n";
    upstream
        .publish(of("1.0.1", calls, 90).file("index.js", &b"module.exports = require('./lib/start');\n"[..]));
    upstream
}

fn door(upstream: &FakeUpstream, compare: Compare) -> TestDoor {
    Setup::new(upstream).with(|config| config.inspection.compare = compare).open()
}

fn listed(door: &TestDoor) -> Vec<String> {
    json(&door.get("/npm/alpha"))["versions"].as_object().unwrap().keys().cloned().collect()
}

#[test]
fn a_patch_that_gains_a_network_call_is_held_although_nobody_took_the_one_before() {
    let upstream = upstream();
    let door = door(&upstream, Compare::Fetch);
    let refused = door.get(NEW);
    assert_eq!(refused.status, 403, "{}", refused.text());
    let told = refused.text();
    assert!(told.contains("behaviour/diff-capability") && told.contains("1.0.0"), "{told}");
    assert_eq!(listed(&door), ["1.0.0"]);
    assert_eq!(door.get(OLD).status, 200, "the one before is no worse for it");
    // Both stay so without looking again.
    let door = door.restart();
    assert_eq!((door.get(NEW).status, door.get(OLD).status), (403, 200));
    assert_eq!(door.door.inspection.status().unwrap().done, 0);
}

#[test]
fn what_is_known_is_compared_and_nothing_is_fetched_for_it() {
    let upstream = upstream();
    let door = door(&upstream, Compare::Known);
    assert_eq!(door.get(NEW).status, 200, "there is nothing to compare with");
    assert_eq!(upstream.count("alpha-1.0.0.tgz"), 0);
    assert_eq!(door.get(OLD).status, 200);
    door.door.decide_anew();
    assert_eq!(door.get(NEW).status, 403, "now there is");
}

#[test]
fn it_can_be_switched_off() {
    let upstream = upstream();
    let door = door(&upstream, Compare::Never);
    assert_eq!((door.get(OLD).status, door.get(NEW).status), (200, 200));
}

#[test]
fn an_upstream_that_no_longer_has_the_one_before_costs_the_comparison_only() {
    let upstream = upstream();
    upstream.fault("alpha-1.0.0.tgz", Fault::Status { code: 404, retry_after: None });
    let door = door(&upstream, Compare::Fetch);
    assert_eq!(door.get(NEW).status, 200);
}
