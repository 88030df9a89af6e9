//! Upstreams that fail in every way: the right answer, a clear reason, never a "not found" made from a failure.

use std::time::Duration;

use tidegate_model::Ecosystem;
use tidegate_testkit::client::RawResponse;
use tidegate_testkit::{FakeUpstream, Fault, Package, Style};

use crate::support::{Setup, TestDoor, days_ago, json, leaks, named, repository, sha256_of};

const INDEX: &str = "/npm/alpha";
const FILE: &str = "/npm/alpha/-/alpha-1.0.0.tgz";

fn upstream() -> FakeUpstream {
    let upstream = FakeUpstream::start();
    upstream.publish(Package::npm("alpha", "1.0.0").padded(50_000));
    upstream
}

/// A door that gives up on upstreams within seconds.
fn impatient(upstream: &FakeUpstream) -> Setup {
    Setup::new(upstream).with(|c| {
        c.upstream.connect_seconds = 2;
        c.upstream.idle_seconds = 2;
    })
}

#[track_caller]
fn says(response: &RawResponse, status: u16, text: &str) {
    let whole = format!("{}\n{}", response.reason, response.text());
    assert_eq!(response.status, status, "{whole}");
    assert!(whole.contains(text), "`{text}` is not in {whole}");
    assert!(response.header("x-tidegate-record").is_some());
}

/// Asks for a fresh index and a fresh file under a fault, then without it.
#[track_caller]
fn under(fault: &Fault, index: (u16, &str), file: (u16, &str)) {
    let upstream = upstream();
    let door = impatient(&upstream).open();
    upstream.fault("", fault.clone());
    says(&door.get(INDEX), index.0, index.1);
    upstream.clear_faults();
    assert_eq!(door.get(INDEX).status, 200, "{fault:?}: it must not stay broken");
    upstream.fault(".tgz", fault.clone());
    says(&door.get(FILE), file.0, file.1);
    upstream.clear_faults();
    assert_eq!(door.get(FILE).status, 200, "{fault:?}: it must not stay broken");
}

#[test]
fn a_server_error_is_a_bad_gateway() {
    for code in [500, 502, 503] {
        let text = format!("HTTP {code}");
        under(&Fault::Status { code, retry_after: None }, (502, &text), (502, &text));
    }
}

#[test]
fn a_gateway_timeout_is_passed_on_as_one() {
    under(&Fault::Status { code: 504, retry_after: None }, (504, "HTTP 504"), (504, "HTTP 504"));
}

#[test]
fn refused_credentials_are_no_absence() {
    for code in [401, 403] {
        let fault = Fault::Status { code, retry_after: None };
        under(&fault, (502, "refuses access"), (502, "token_env"));
    }
}

#[test]
fn a_busy_upstream_says_when_to_come_back() {
    let fault = Fault::Status { code: 429, retry_after: Some(17) };
    under(&fault, (503, "slow down"), (503, "slow down"));
    let upstream = upstream();
    upstream.fault("", fault);
    let door = impatient(&upstream).open();
    assert_eq!(door.get(INDEX).header("retry-after"), Some("17"));
}

#[test]
fn a_hanging_upstream_times_out() {
    under(&Fault::Hang, (504, "in time"), (504, "in time"));
}

#[test]
fn a_trickle_is_given_up() {
    under(&Fault::Trickle(100), (504, "too slow"), (504, "too slow"));
}

#[test]
fn a_dropped_connection_is_a_bad_gateway() {
    under(&Fault::Drop, (502, "main"), (502, "main"));
}

#[test]
fn a_transfer_cut_short_is_never_served() {
    for fault in [Fault::Truncate(100), Fault::ResetMidBody] {
        under(&fault, (502, "broke off"), (502, "broke off"));
    }
}

#[test]
fn a_redirect_to_a_foreign_host_is_not_followed() {
    let foreign = Fault::Redirect("http://elsewhere.test/x".into());
    under(&foreign, (502, "elsewhere.test"), (502, "file_hosts"));
    let metadata = Fault::Redirect("http://169.254.169.254/latest/".into());
    under(&metadata, (502, "169.254.169.254"), (502, "169.254.169.254"));
    let file = Fault::Redirect("file:///etc/passwd".into());
    under(&file, (502, "main"), (502, "main"));
}

#[test]
fn an_endless_redirect_ends() {
    let upstream = upstream();
    let again = format!("{}alpha", upstream.npm_url());
    upstream.fault("/npm/alpha", Fault::Redirect(again));
    says(&impatient(&upstream).open().get(INDEX), 502, "redirects");
    assert!(upstream.count("alpha") <= 6);
}

#[test]
fn a_gzip_bomb_stops_at_the_bound() {
    let upstream = upstream();
    let door = Setup::new(&upstream).open();
    upstream.fault(INDEX, Fault::GzipBomb(200 << 20));
    says(&door.get(INDEX), 502, "larger than");
}

#[test]
fn deep_json_is_a_value_not_a_crash() {
    let upstream = upstream();
    let door = impatient(&upstream).open();
    upstream.fault(INDEX, Fault::DeepJson(500_000));
    says(&door.get(INDEX), 502, "alpha");
    upstream.clear_faults();
    assert_eq!(door.get(INDEX).status, 200);
}

#[test]
fn an_index_that_is_no_index_is_a_bad_gateway() {
    let upstream = upstream();
    upstream.publish(Package::pypi("alpha", "1.0.0"));
    upstream.publish(Package::cargo("alpha", "1.0.0"));
    let door = impatient(&upstream).open();
    for (place, target) in [
        ("/npm/alpha", "/npm/alpha"),
        ("/python/simple/alpha", "/pypi/simple/alpha/"),
        ("/index/al/ph", "/cargo/al/ph/alpha"),
    ] {
        for bytes in ["null", "<html>captive portal</html>", "{\"name\":\"beta\"}", "\u{0}\u{1}", ""] {
            upstream.fault(place, Fault::OtherBytes(bytes.to_owned().into()));
            let response = door.get(target);
            // An HTML page is a simple page without files, and an empty sparse file lists no version.
            let lenient = target.contains("pypi") || (bytes.is_empty() && place.ends_with("ph"));
            let fine = response.status == 502 || (lenient && response.status == 200);
            assert!(fine, "{target} {bytes:?}: {} {}", response.status, response.text());
            upstream.clear_faults();
        }
    }
}

#[test]
fn a_broken_prelude_is_not_kept() {
    let upstream = upstream();
    upstream.publish(Package::cargo("alpha", "1.0.0"));
    let door = impatient(&upstream).open();
    for bytes in ["null", "<html>captive portal</html>", "{\"dl\":\"file:///etc\"}", ""] {
        upstream.fault("config.json", Fault::OtherBytes(bytes.to_owned().into()));
        says(&door.get("/cargo/al/ph/alpha"), 502, "config.json");
    }
    upstream.fault("config.json", Fault::Status { code: 404, retry_after: None });
    says(&door.get("/cargo/al/ph/alpha"), 502, "config.json");
    upstream.clear_faults();
    assert_eq!(door.get("/cargo/al/ph/alpha").status, 200);
}

#[test]
fn an_unreadable_index_does_not_take_the_place_of_a_good_one() {
    let upstream = upstream();
    let door = impatient(&upstream).open();
    assert_eq!(door.get(INDEX).status, 200);
    upstream.fault(INDEX, Fault::OtherBytes("<html>captive portal</html>".into()));
    let degraded = |door: &TestDoor| {
        door.clock().advance(4_000);
        let response = door.get(INDEX);
        assert_eq!(response.status, 200);
        assert!(response.header("x-tidegate-degraded").unwrap().contains("upstream"));
        assert!(json(&response)["versions"]["1.0.0"].is_object());
    };
    degraded(&door);
    degraded(&door);
    let door = door.restart();
    degraded(&door);
    upstream.stop();
    degraded(&door);
}

#[test]
fn a_large_index_is_served() {
    let upstream = upstream();
    let door = Setup::new(&upstream).open();
    upstream.fault(INDEX, Fault::HugeIndex(40 << 20));
    let response = door.ask("GET", INDEX, &["Accept: application/vnd.npm.install-v1+json"]);
    assert_eq!(response.status, 200, "{}", response.text());
    assert!(json(&response)["versions"]["1.0.0"].is_object());
    assert_eq!(door.get(FILE).status, 200);
}

#[test]
fn wrong_bytes_are_refused_with_an_alarm() {
    let upstream = upstream();
    let door = Setup::new(&upstream).open();
    upstream.fault(".tgz", Fault::WrongBytes);
    let response = door.get(FILE);
    says(&response, 403, "not the promised ones");
    assert!(!response.text().contains("padding"));
    assert_eq!(door.alarms().len(), 1);
    upstream.clear_faults();
    assert_eq!(door.get(FILE).status, 200, "the right bytes are welcome later");
}

/// npm promises SHA-512, PyPI and cargo SHA-256: each is compared.
#[test]
fn every_ecosystem_compares_its_digests() {
    let upstream = FakeUpstream::start();
    upstream.publish(Package::npm("alpha", "1.0.0"));
    upstream.publish(Package::pypi("alpha", "1.0.0"));
    upstream.publish(Package::cargo("alpha", "1.0.0"));
    let door = Setup::new(&upstream).open();
    for (place, target) in [
        (".tgz", FILE),
        // What stands beside a wheel is fetched with it, to be compared.
        (".whl.metadata", "/pypi/files/alpha/alpha-1.0.0-py3-none-any.whl.metadata"),
        (".whl", "/pypi/files/alpha/alpha-1.0.0-py3-none-any.whl"),
        ("download", "/cargo/api/v1/crates/alpha/1.0.0/download"),
    ] {
        upstream.fault(place, Fault::WrongBytes);
        says(&door.get(target), 403, "not the promised ones");
        upstream.clear_faults();
        assert_eq!(door.get(target).status, 200, "{target}");
    }
    assert_eq!(door.alarms().len(), 4);
}

#[test]
fn a_version_whose_bytes_change_stays_what_it_was() {
    let upstream = upstream();
    let door = Setup::new(&upstream).open();
    let first = door.get(FILE);
    assert_eq!(first.status, 200);
    upstream.publish(Package::npm("alpha", "1.0.0").padded(50_000).file("evil.js", "// new"));
    let changed = |door: &TestDoor| {
        says(&door.get(FILE), 403, "first seen with other digests");
        let view = json(&door.get(INDEX));
        assert!(view["versions"].get("1.0.0").is_none(), "{view}");
    };
    door.clock().advance(86_400);
    door.get(INDEX);
    changed(&door);
    assert!(door.alarms().len() == 1, "{:?}", door.alarms());
    let door = door.restart();
    changed(&door);
    // Not even a policy that only observes lets it pass.
    door.door.put_in_force(&tidegate::door::PolicySource::Pack("observe".into())).unwrap();
    changed(&door);
}

#[test]
fn bytes_first_seen_stay_across_an_upstream_switch() {
    let (one, two) = (upstream(), FakeUpstream::start());
    two.publish(Package::npm("alpha", "1.0.0").file("other.js", "// other"));
    two.publish(Package::npm("alpha", "1.1.0"));
    let door = Setup::new(&one).open();
    assert_eq!(door.get(FILE).status, 200);
    let setup = door.close().with(|c| {
        c.repository.insert("npm".into(), repository(vec![named("other", &two, Ecosystem::Npm)]));
    });
    let door = setup.open();
    says(&door.get(FILE), 403, "first seen with other digests");
    assert_eq!(door.alarms().len(), 1);
    assert_eq!(door.get("/npm/alpha/-/alpha-1.1.0.tgz").status, 200);
}

#[test]
fn the_first_upstream_that_has_a_name_answers_for_it() {
    let (one, two) = (upstream(), FakeUpstream::start());
    two.publish(Package::npm("alpha", "9.0.0"));
    two.publish(Package::npm("only-two", "1.0.0"));
    let setup = Setup::new(&one).with(|c| {
        c.upstream.idle_seconds = 2;
        let both = vec![named("one", &one, Ecosystem::Npm), named("two", &two, Ecosystem::Npm)];
        c.repository.insert("npm".into(), repository(both));
    });
    let door = setup.open();
    assert!(json(&door.get(INDEX))["versions"].get("9.0.0").is_none());
    assert_eq!(door.get("/npm/only-two").status, 200);
    // A failure of the first is no licence for the second to answer in its place.
    one.fault("", Fault::Status { code: 500, retry_after: None });
    says(&door.get("/npm/fresh-name"), 502, "one");
    assert_eq!(two.count("fresh-name"), 0);
}

#[test]
fn a_known_index_survives_an_upstream_that_is_down() {
    let upstream = upstream();
    let door = impatient(&upstream).open();
    assert_eq!(door.get(INDEX).status, 200);
    assert_eq!(door.get(FILE).status, 200);
    upstream.stop();
    door.clock().advance(2 * 86_400);
    let stale = door.get(INDEX);
    assert_eq!(stale.status, 200);
    assert!(stale.header("x-tidegate-degraded").unwrap().contains("cannot be reached"));
    assert_eq!(door.get(FILE).status, 200, "checked bytes need no upstream");
    says(&door.get("/npm/alpha/-/alpha-1.0.1.tgz"), 502, "does not know");
    says(&door.get("/npm/never-seen"), 502, "cannot be reached");
    let door = door.restart();
    assert_eq!(door.get(INDEX).status, 200);
    door.clock().advance(8 * 86_400);
    says(&door.get(INDEX), 502, "cannot be reached");
    upstream.restart();
    let fresh = door.get(INDEX);
    assert_eq!(fresh.status, 200);
    assert!(!fresh.header("x-tidegate-degraded").unwrap_or("").contains("reached"));
}

#[test]
fn an_absence_is_believed_for_seconds() {
    let upstream = upstream();
    let door = Setup::new(&upstream).open();
    for _ in 0..3 {
        says(&door.get("/npm/gone"), 404, "gone");
    }
    assert_eq!(upstream.count("/npm/gone"), 1);
    upstream.publish(Package::npm("gone", "1.0.0"));
    door.clock().advance(21);
    assert_eq!(door.get("/npm/gone").status, 200);
}

#[test]
fn a_new_version_can_be_had_without_waiting_for_the_index_to_age() {
    let upstream = upstream();
    let door = Setup::new(&upstream).open();
    assert_eq!(door.get(INDEX).status, 200);
    upstream.publish(Package::npm("alpha", "1.0.1").published(&days_ago(10)));
    door.clock().advance(10);
    assert_eq!(door.get("/npm/alpha/-/alpha-1.0.1.tgz").status, 200);
}

/// Flips one byte of every stored blob of more than 10,000 bytes.
fn damage(door: &TestDoor) -> usize {
    use std::io::{Read as _, Seek as _, Write as _};
    let mut damaged = 0;
    for shard in std::fs::read_dir(door.data().join("blobs/sha256")).unwrap() {
        for blob in std::fs::read_dir(shard.unwrap().path()).unwrap() {
            let path = blob.unwrap().path();
            let mut file = std::fs::OpenOptions::new().read(true).write(true).open(&path).unwrap();
            if file.metadata().unwrap().len() < 10_000 {
                continue;
            }
            let mut byte = [0];
            file.seek(std::io::SeekFrom::Start(9_000)).unwrap();
            file.read_exact(&mut byte).unwrap();
            file.seek(std::io::SeekFrom::Start(9_000)).unwrap();
            file.write_all(&[byte[0] ^ 0x40]).unwrap();
            file.sync_all().unwrap();
            damaged += 1;
        }
    }
    damaged
}

#[test]
fn a_damaged_blob_is_fetched_again_not_served() {
    let upstream = upstream();
    let right = upstream.publish(Package::npm("alpha", "1.0.0").padded(50_000)).remove(0);
    let door = Setup::new(&upstream).open();
    assert_eq!(door.get(FILE).body, right.bytes);
    let setup = door.close();
    let door = setup.open();
    assert_eq!(damage(&door), 1);
    let response = door.get(FILE);
    assert_eq!((response.status, sha256_of(&response.body)), (200, right.sha256));
    assert_eq!(upstream.count(".tgz"), 2);
    assert_eq!(door.alarms().len(), 1);
}

/// The same while the door is running and has the file at hand.
#[test]
fn a_blob_damaged_while_it_is_hot_is_not_served() {
    let upstream = upstream();
    let right = upstream.publish(Package::npm("alpha", "1.0.0").padded(50_000)).remove(0);
    let door = Setup::new(&upstream).open();
    assert_eq!(door.get(FILE).body, right.bytes);
    assert_eq!(door.get(FILE).body, right.bytes);
    assert_eq!(damage(&door), 1);
    upstream.stop();
    for _ in 0..2 {
        let response = door.get(FILE);
        assert_ne!(response.status, 200, "damaged bytes left");
        assert!(!leaks(&response, &right.bytes));
    }
    upstream.restart();
    let response = door.get(FILE);
    assert_eq!((response.status, sha256_of(&response.body)), (200, right.sha256));
}

#[test]
fn a_slow_first_download_is_held_and_goes_on_behind() {
    let upstream = upstream();
    upstream.fault_times(".tgz", Fault::Slow(Duration::from_secs(3)), 1);
    let door = Setup::new(&upstream).with(|c| c.upstream.hold_seconds = Some(1)).open();
    let held = door.get(FILE);
    says(&held, 503, "on its way");
    assert_eq!(held.header("retry-after"), Some("5"));
    door.until("the file arrives", || door.get(FILE).status == 200);
    assert_eq!(upstream.count(".tgz"), 1, "the work went on behind");
}

/// A thin mirror offers no ETag, JSON, abbreviated form, attestations or audits: installs work all the same.
#[test]
fn a_thin_upstream_works() {
    let upstream = FakeUpstream::builder().style(Style::Thin).start();
    upstream.publish(Package::npm("alpha", "1.0.0"));
    upstream.publish(Package::pypi("alpha", "1.0.0"));
    upstream.publish(Package::cargo("alpha", "1.0.0"));
    let door = Setup::new(&upstream).open();
    for target in [
        INDEX,
        FILE,
        "/npm/alpha/latest",
        "/npm/-/package/alpha/dist-tags",
        "/pypi/simple/alpha/",
        "/pypi/files/alpha/alpha-1.0.0-py3-none-any.whl",
        "/cargo/config.json",
        "/cargo/al/ph/alpha",
        "/cargo/api/v1/crates/alpha/1.0.0/download",
    ] {
        let response = door.get(target);
        assert_eq!(response.status, 200, "{target}: {}", response.text());
    }
    let abbreviated = door.ask("GET", INDEX, &["Accept: application/vnd.npm.install-v1+json"]);
    assert_eq!(abbreviated.header("content-type"), Some("application/vnd.npm.install-v1+json"));
    let json_page = door.ask("GET", "/pypi/simple/alpha/", &["Accept: application/vnd.pypi.simple.v1+json"]);
    assert!(json(&json_page)["files"][0]["upload-time"].is_string(), "{}", json_page.text());
    for (target, status) in [
        ("/npm/-/npm/v1/keys", 404),
        ("/npm/-/npm/v1/attestations/alpha@1.0.0", 404),
        ("/npm/-/v1/search?text=alpha", 404),
        ("/pypi/integrity/alpha/1.0.0/alpha-1.0.0-py3-none-any.whl/provenance", 404),
        ("/cargo/api/v1/crates?q=alpha", 404),
    ] {
        says(&door.get(target), status, "not offer");
    }
    says(&door.get("/pypi/pypi/alpha/json"), 404, "offers no JSON API");
    for audit in ["advisories/bulk", "audits", "audits/quick"] {
        let target = format!("/npm/-/npm/v1/security/{audit}");
        let body = br#"{"requires":{"alpha":"1"},"dependencies":{"alpha":{"version":"1.0.0"}}}"#;
        let bulk = br#"{"alpha":["1.0.0"]}"#;
        let body = if audit.ends_with("bulk") { &bulk[..] } else { &body[..] };
        let response = door.send("POST", &target, &[], body);
        says(&response, 503, "not a clean bill");
    }
}

#[test]
fn what_a_rich_upstream_offers_is_passed_through() {
    let upstream = FakeUpstream::start();
    upstream.publish(Package::npm("alpha", "1.0.0"));
    let wheel = upstream.publish(Package::pypi("alpha", "1.0.0")).remove(0);
    let advisory =
        serde_json::json!({ "id": 7, "title": "bad", "severity": "high", "vulnerable_versions": "<2" });
    upstream.catalog().advise("alpha", advisory);
    let door = Setup::new(&upstream).open();
    let audit = door.send("POST", "/npm/-/npm/v1/security/advisories/bulk", &[], b"{\"alpha\":[\"1.0.0\"]}");
    assert_eq!(json(&audit)["alpha"][0]["id"], 7, "{}", audit.text());
    for target in [
        "/npm/-/npm/v1/keys",
        "/npm/-/npm/v1/attestations/alpha@1.0.0",
        "/npm/-/v1/search?text=alpha",
        "/pypi/integrity/alpha/1.0.0/alpha-1.0.0-py3-none-any.whl/provenance",
    ] {
        let response = door.get(target);
        assert_eq!(response.status, 200, "{target}: {}", response.text());
        assert!(!response.body.is_empty());
    }
    let metadata = door.get("/pypi/files/alpha/alpha-1.0.0-py3-none-any.whl.metadata");
    assert_eq!(metadata.body, wheel.metadata.unwrap());
}
