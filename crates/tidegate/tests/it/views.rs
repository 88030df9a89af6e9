//! Representations: conditions, ranges, codings, lengths; and when a view changes.

use tidegate::door::PolicySource;
use tidegate_testkit::{BuiltFile, FakeUpstream, Package};

use crate::support::{Setup, TestDoor, days_ago, decoded, json};

const VIEWS: &[&str] = &["/npm/alpha", "/pypi/simple/alpha/", "/pypi/pypi/alpha/json", "/cargo/al/ph/alpha"];
const FILES: &[&str] = &[
    "/npm/alpha/-/alpha-1.0.0.tgz",
    "/pypi/files/alpha/alpha-1.0.0-py3-none-any.whl",
    "/pypi/files/alpha/alpha-1.0.0-py3-none-any.whl.metadata",
    "/cargo/api/v1/crates/alpha/1.0.0/download",
];

fn opened() -> (FakeUpstream, TestDoor, Vec<BuiltFile>) {
    let upstream = FakeUpstream::start();
    let mut files = Vec::new();
    for version in ["1.0.0", "1.1.0", "1.2.0"] {
        for package in [
            Package::npm("alpha", version),
            Package::pypi("alpha", version),
            Package::cargo("alpha", version),
        ] {
            files.extend(upstream.publish(package.padded(100_000)));
        }
    }
    let door = Setup::new(&upstream).open();
    (upstream, door, files)
}

#[test]
fn a_view_has_one_entity_tag_for_each_coding() {
    let (_upstream, door, _) = opened();
    for view in VIEWS {
        let plain = door.get(view);
        let mut tags = vec![plain.header("etag").unwrap().to_owned()];
        for coding in ["gzip", "zstd"] {
            let coded = door.ask("GET", view, &[&format!("Accept-Encoding: {coding}")]);
            assert_eq!(coded.header("content-encoding"), Some(coding), "{view}");
            assert_eq!(decoded(&coded), plain.body, "{view}");
            assert!(coded.body.len() < plain.body.len());
            tags.push(coded.header("etag").unwrap().to_owned());
        }
        for response in [&plain, &door.ask("GET", view, &["Accept-Encoding: gzip;q=0, identity"])] {
            assert_eq!(response.header("content-encoding"), None);
            assert!(response.header("vary").unwrap().contains("Accept-Encoding"));
            assert!(response.header("vary").unwrap().contains("Accept,"));
            assert_eq!(response.header("content-length").unwrap(), plain.body.len().to_string());
        }
        tags.dedup();
        assert_eq!(tags.len(), 3, "{tags:?}");
        for (tag, accept) in tags.iter().zip(["identity", "gzip", "zstd"]) {
            let lines = [format!("Accept-Encoding: {accept}"), format!("If-None-Match: W/{tag}")];
            let known = door.ask("GET", view, &[&lines[0], &lines[1]]);
            assert_eq!((known.status, known.body.len()), (304, 0), "{view}");
            assert_eq!(known.header("etag"), Some(tag.as_str()));
            assert!(known.header("x-tidegate-record").is_some());
        }
    }
}

#[test]
fn the_two_forms_of_one_address_vary_by_accept() {
    let (_upstream, door, _) = opened();
    for (view, accept, media) in [
        ("/npm/alpha", "application/vnd.npm.install-v1+json", "application/vnd.npm.install-v1+json"),
        ("/pypi/simple/alpha/", "application/vnd.pypi.simple.v1+json", "application/vnd.pypi.simple.v1+json"),
    ] {
        let plain = door.get(view);
        let other = door.ask("GET", view, &[&format!("Accept: {accept}")]);
        assert_eq!(other.header("content-type"), Some(media));
        assert_ne!(other.header("etag"), plain.header("etag"));
        for response in [plain, other] {
            assert!(response.header("vary").unwrap().split(", ").any(|v| v == "Accept"));
        }
    }
}

#[test]
fn heads_are_like_their_answers_without_bodies() {
    let (_upstream, door, _) = opened();
    for target in VIEWS.iter().chain(FILES) {
        for lines in [&[][..], &["Accept-Encoding: gzip"]] {
            let get = door.ask("GET", target, lines);
            let head = door.ask("HEAD", target, lines);
            assert_eq!((head.status, head.body.len()), (200, 0), "{target}");
            for name in
                ["etag", "content-length", "content-type", "content-encoding", "vary", "accept-ranges"]
            {
                assert_eq!(head.header(name), get.header(name), "{target} {name}");
            }
        }
    }
}

#[test]
fn artifacts_are_served_whole_or_in_ranges() {
    let (_upstream, door, files) = opened();
    for target in FILES {
        let whole = door.ask("GET", target, &["Accept-Encoding: gzip, zstd"]);
        let length = whole.body.len();
        assert_eq!(whole.header("content-length").unwrap(), length.to_string());
        assert_eq!(whole.header("content-encoding"), None, "an artifact is never coded");
        assert_eq!(whole.header("transfer-encoding"), None);
        let known = files
            .iter()
            .any(|f| f.bytes == whole.body || f.metadata.as_ref().is_some_and(|m| *m == whole.body));
        assert!(known, "{target}");
        let etag = whole.header("etag").unwrap();
        let part = door.ask("GET", target, &["Range: bytes=3-7"]);
        assert_eq!((part.status, &part.body[..]), (206, &whole.body[3..8]));
        assert_eq!(part.header("content-range").unwrap(), format!("bytes 3-7/{length}"));
        assert_eq!(part.header("content-length"), Some("5"));
        let tail = door.ask("GET", target, &["Range: bytes=-4", &format!("If-Range: {etag}")]);
        assert_eq!((tail.status, &tail.body[..]), (206, &whole.body[length - 4..]));
        let other = door.ask("GET", target, &["Range: bytes=0-0", "If-Range: \"other\""]);
        assert_eq!((other.status, other.body.len()), (200, length));
        let beyond = door.ask("GET", target, &[&format!("Range: bytes={length}-")]);
        assert_eq!(beyond.status, 416);
        assert_eq!(beyond.header("content-range").unwrap(), format!("bytes */{length}"));
        let known = door.ask("GET", target, &[&format!("If-None-Match: {etag}")]);
        assert_eq!((known.status, known.body.len()), (304, 0));
    }
}

#[test]
fn a_view_keeps_its_tag_until_it_changes() {
    let upstream = FakeUpstream::start();
    upstream.publish(Package::npm("alpha", "1.0.0"));
    upstream.publish(Package::npm("alpha", "2.0.0").published(&days_ago(2)));
    let door = Setup::new(&upstream).open();
    let tag = || door.get("/npm/alpha").header("etag").unwrap().to_owned();
    let before = tag();
    door.door.reload_rules().unwrap();
    assert_eq!(tag(), before, "reading the same policy again changes nothing");
    door.door.put_in_force(&PolicySource::Pack("observe".into())).unwrap();
    let observed = tag();
    assert_ne!(observed, before);
    door.door.put_in_force(&PolicySource::Pack("baseline".into())).unwrap();
    assert_eq!(tag(), before);
    upstream.publish(Package::npm("alpha", "1.0.1"));
    door.clock().advance(4000);
    assert_ne!(tag(), before);
}

/// The cooldown of three days ends within the life of a cached view.
#[test]
fn a_view_changes_at_the_moment_a_cooldown_ends() {
    let upstream = FakeUpstream::start();
    let three_days = 3 * 86_400;
    upstream.publish(Package::npm("alpha", "1.0.0"));
    let published = tidegate::clock::Clock::system().now().plus_seconds(30 - three_days).to_string();
    upstream.publish(Package::npm("alpha", "2.0.0").published(&published));
    let door = Setup::new(&upstream).with(|c| c.cache.fresh_seconds = 86_400).open();
    let latest = || json(&door.get("/npm/alpha"))["dist-tags"]["latest"].as_str().unwrap().to_owned();
    let file = || door.get("/npm/alpha/-/alpha-2.0.0.tgz").status;
    assert_eq!((latest().as_str(), file()), ("1.0.0", 403));
    door.clock().advance(31);
    assert_eq!((latest().as_str(), file()), ("2.0.0", 200));
    assert_eq!(upstream.requests().iter().filter(|r| r.path == "/npm/alpha").count(), 1);
}
