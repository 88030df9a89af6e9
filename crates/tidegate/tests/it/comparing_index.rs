//! What an index says of a version beside what the package says, at the door.

use serde_json::json;
use tidegate::config::Compare;
use tidegate_testkit::{FakeUpstream, Package, Style};

use crate::support::{Setup, TestDoor, days_ago};

const FILE: &str = "/npm/alpha/-/alpha-1.0.0.tgz";

/// `alpha` with a dependency, which its index shows or not.
fn alpha(is_shown: bool) -> Package {
    let package = Package::npm("alpha", "1.0.0").published(&days_ago(100)).depends_on("beta", "^1.0.0");
    if is_shown { package } else { package.listed("dependencies", json!(null)) }
}

#[track_caller]
fn holds(door: &TestDoor, target: &str, words: &[&str]) {
    let refused = door.get(target);
    assert_eq!(refused.status, 403, "{}", refused.text());
    for word in ["behaviour/meta-manifest-diff"].iter().chain(words) {
        assert!(refused.text().contains(word), "{word} is not in {}", refused.text());
    }
}

#[test]
fn a_dependency_that_the_index_does_not_show_holds_the_package() {
    let upstream = FakeUpstream::start();
    upstream.publish(alpha(false));
    let door = Setup::new(&upstream).open();
    holds(&door, FILE, &["contents-suspicious", "dependencies that the index does not show"]);
    assert_eq!(door.door.inspection.status().unwrap().done, 1, "it is read once for both");
    // Also after a restart, without looking again.
    let door = door.restart();
    holds(&door, FILE, &[]);
    assert_eq!(door.door.inspection.status().unwrap().done, 0);
}

#[test]
fn an_index_that_changes_is_compared_again() {
    let upstream = FakeUpstream::start();
    upstream.publish(alpha(true));
    let always_asked = |config: &mut tidegate::config::Config| {
        (config.cache.fresh_seconds, config.cache.stale_while_revalidate_seconds) = (0, 0);
    };
    let door = Setup::new(&upstream).with(always_asked).open();
    assert_eq!(door.get(FILE).status, 200);
    // Upstream turns over: the same bytes under another description, and back.
    for (is_shown, status) in [(false, 403), (true, 200)] {
        upstream.publish(alpha(is_shown));
        door.get("/npm/alpha");
        assert_eq!(door.get(FILE).status, status);
    }
}

#[test]
fn a_wheel_is_compared_with_the_metadata_beside_it() {
    let upstream = FakeUpstream::builder().style(Style::Rich).start();
    let text = "Metadata-Version: 2.1\nName: alpha\nVersion: 1.0.0\nLicense: MIT\nRequires-Python: >=3.6\n";
    upstream.publish(
        Package::pypi("alpha", "1.0.0")
            .published(&days_ago(100))
            .depends_on("beta", ">=1")
            .listed("metadata", json!(text)),
    );
    upstream.publish(Package::pypi("gamma", "1.0.0").published(&days_ago(100)).depends_on("beta", ">=1"));
    let door = Setup::new(&upstream).open();
    holds(
        &door,
        "/pypi/files/alpha/alpha-1.0.0-py3-none-any.whl",
        &["dependencies that the index does not show"],
    );
    assert_eq!(door.get("/pypi/files/gamma/gamma-1.0.0-py3-none-any.whl").status, 200);
    let off = Setup::new(&upstream).with(|config| config.inspection.compare = Compare::Never).open();
    assert_eq!(off.get("/pypi/files/alpha/alpha-1.0.0-py3-none-any.whl").status, 200);
}

#[test]
fn a_crate_is_compared_with_its_line() {
    let upstream = FakeUpstream::start();
    let of = |name: &str| Package::cargo(name, "1.0.0").published(&days_ago(100)).depends_on("beta", "1");
    upstream.publish(of("alpha").listed("deps", json!([])));
    upstream.publish(of("gamma"));
    let door = Setup::new(&upstream).open();
    holds(&door, "/cargo/api/v1/crates/alpha/1.0.0/download", &["dependencies that the index does not show"]);
    assert_eq!(door.get("/cargo/api/v1/crates/gamma/1.0.0/download").status, 200);
}
