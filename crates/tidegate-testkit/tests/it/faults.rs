//! Faults, styles and records of the fake upstream, seen over raw HTTP.

use std::io::Read as _;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use tidegate_model::Ecosystem;
use tidegate_testkit::client::{self, RawClient, RawResponse};
use tidegate_testkit::{FakeUpstream, Fault, Package, Style};

fn upstream() -> FakeUpstream {
    let upstream = FakeUpstream::start();
    upstream.publish(Package::npm("leaf", "1.0.0").padded(100_000));
    upstream
}

const TARBALL: &str = "/npm/leaf/-/leaf-1.0.0.tgz";

fn get(upstream: &FakeUpstream, path: &str) -> RawResponse {
    client::get(upstream.address(), path).unwrap()
}

#[test]
fn a_stopped_upstream_refuses_connections_and_comes_back_on_its_port() {
    let upstream = upstream();
    let mut open = RawClient::connect(upstream.address()).unwrap();
    assert_eq!(open.get("/npm/leaf", &[]).unwrap().status, 200);
    upstream.stop();
    assert!(open.is_closed(Duration::from_secs(5)));
    assert!(TcpStream::connect(upstream.address()).is_err());
    upstream.restart();
    assert_eq!(get(&upstream, "/npm/leaf").status, 200);
    assert_eq!(upstream.count("/npm/leaf"), 2);
}

#[test]
fn a_fault_counts_down() {
    let upstream = upstream();
    upstream.fault_times("leaf", Fault::Status { code: 429, retry_after: Some(7) }, 2);
    for _ in 0..2 {
        let answer = get(&upstream, "/npm/leaf");
        assert_eq!((answer.status, answer.header("retry-after")), (429, Some("7")));
    }
    assert_eq!(get(&upstream, "/npm/leaf").status, 200);
    assert_eq!(get(&upstream, "/npm/leaf").status, 200);
}

#[test]
fn a_body_is_cut_where_the_fault_says() {
    let upstream = upstream();
    let whole = get(&upstream, TARBALL);
    assert!(whole.complete);
    upstream.fault(TARBALL, Fault::Truncate(5000));
    let cut = get(&upstream, TARBALL);
    assert_eq!((cut.status, cut.complete, cut.body.len()), (200, false, 5000));
    assert_eq!(cut.header("content-length"), whole.header("content-length"));
    upstream.clear_faults();
    upstream.fault(TARBALL, Fault::Truncate(whole.body.len() - 1));
    assert_eq!(get(&upstream, TARBALL).body, whole.body[..whole.body.len() - 1]);
}

#[test]
fn a_reset_is_a_reset() {
    let upstream = upstream();
    upstream.fault(TARBALL, Fault::ResetMidBody);
    let mut stream = TcpStream::connect(upstream.address()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    std::io::Write::write_all(
        &mut stream,
        format!("GET {TARBALL} HTTP/1.1\r\nHost: a.test\r\n\r\n").as_bytes(),
    )
    .unwrap();
    let mut got = Vec::new();
    let end = stream.read_to_end(&mut got).unwrap_err();
    assert_eq!(end.kind(), std::io::ErrorKind::ConnectionReset);
    assert!(got.len() > 40_000, "{}", got.len());
}

#[test]
fn slow_heads_and_trickling_bodies_take_their_time() {
    let upstream = upstream();
    upstream.fault_times("/npm/leaf", Fault::Slow(Duration::from_millis(400)), 1);
    let begun = Instant::now();
    assert_eq!(get(&upstream, "/npm/leaf").status, 200);
    assert!(begun.elapsed() >= Duration::from_millis(400));
    upstream.fault(TARBALL, Fault::Trickle(200_000));
    let begun = Instant::now();
    assert!(get(&upstream, TARBALL).complete);
    let took = begun.elapsed();
    assert!(took > Duration::from_millis(400) && took < Duration::from_secs(10), "{took:?}");
}

#[test]
fn answers_are_wrong_in_the_way_that_was_asked_for() {
    let upstream = upstream();
    let right = get(&upstream, TARBALL);
    upstream.fault_times(TARBALL, Fault::WrongBytes, 1);
    let wrong = get(&upstream, TARBALL);
    assert_eq!(wrong.body.len(), right.body.len());
    assert_ne!(wrong.body, right.body);
    upstream.fault_times(TARBALL, Fault::Redirect("http://elsewhere.invalid/x".into()), 1);
    let redirect = get(&upstream, TARBALL);
    assert_eq!((redirect.status, redirect.header("location")), (302, Some("http://elsewhere.invalid/x")));
    upstream.fault_times("/npm/leaf", Fault::ContentType("text/html"), 1);
    assert_eq!(get(&upstream, "/npm/leaf").header("content-type"), Some("text/html"));
    upstream.fault_times("/npm/leaf", Fault::GzipBomb(50_000_000), 1);
    let bomb = get(&upstream, "/npm/leaf");
    assert!(bomb.header("content-encoding") == Some("gzip") && bomb.body.len() < 200_000);
    upstream.fault_times("/npm/leaf", Fault::DeepJson(1000), 1);
    assert!(serde_json::from_slice::<serde_json::Value>(&get(&upstream, "/npm/leaf").body).is_err());
    upstream.fault_times("/npm/leaf", Fault::Drop, 1);
    assert!(client::get(upstream.address(), "/npm/leaf").is_err());
    assert_eq!(get(&upstream, TARBALL).body, right.body);
}

#[test]
fn a_huge_index_still_parses() {
    let upstream = upstream();
    upstream.publish(Package::pypi("leaf", "1.0"));
    upstream.publish(Package::cargo("leaf", "1.0.0"));
    upstream.fault("", Fault::HugeIndex(3_000_000));
    let packument = get(&upstream, "/npm/leaf").body;
    assert!(packument.len() >= 3_000_000);
    assert!(
        serde_json::from_slice::<serde_json::Value>(&packument).unwrap()["versions"]["1.0.0"].is_object()
    );
    assert!(get(&upstream, "/python/simple/leaf/").text().trim_end().ends_with("-->"));
    let lines = get(&upstream, "/index/le/af/leaf").text();
    assert!(lines.len() >= 3_000_000);
    assert_eq!(lines.lines().filter(|line| !line.is_empty()).count(), 1);
}

#[test]
fn a_rich_upstream_revalidates_compresses_and_serves_ranges() {
    let upstream = upstream();
    let mut raw = RawClient::connect(upstream.address()).unwrap();
    let first = raw.get("/npm/leaf", &["Accept-Encoding: gzip"]).unwrap();
    assert_eq!(first.header("content-encoding"), Some("gzip"));
    let etag = first.header("etag").unwrap().to_owned();
    assert_eq!(raw.get("/npm/leaf", &[&format!("If-None-Match: {etag}")]).unwrap().status, 304);
    upstream.publish(Package::npm("leaf", "1.1.0"));
    assert_eq!(raw.get("/npm/leaf", &[&format!("If-None-Match: {etag}")]).unwrap().status, 200);
    let part = raw.get(TARBALL, &["Range: bytes=2-5"]).unwrap();
    assert_eq!((part.status, part.body.len()), (206, 4));
    let head = raw.request("HEAD", TARBALL, &[]).unwrap();
    assert!(head.header("content-length").unwrap().parse::<usize>().unwrap() > 100_000);
    let short = raw.get("/npm/leaf", &["Accept: application/vnd.npm.install-v1+json"]).unwrap();
    assert!(!short.text().contains("readme"));
}

#[test]
fn a_thin_upstream_offers_none_of_that() {
    let upstream = FakeUpstream::builder().style(Style::Thin).start();
    upstream.publish(Package::npm("leaf", "1.0.0"));
    upstream.publish(Package::pypi("leaf", "1.0"));
    let mut raw = RawClient::connect(upstream.address()).unwrap();
    let document = raw
        .get("/npm/leaf", &["Accept-Encoding: gzip", "Accept: application/vnd.npm.install-v1+json"])
        .unwrap();
    assert!(document.header("etag").is_none() && document.header("content-encoding").is_none());
    assert!(document.text().contains("readme") && !document.text().contains("signatures"));
    assert_eq!(raw.get("/npm/-/npm/v1/keys", &[]).unwrap().status, 404);
    assert_eq!(raw.request("POST", "/npm/-/npm/v1/security/advisories/bulk", &[]).unwrap().status, 405);
    assert_eq!(raw.get("/python/pypi/leaf/json", &[]).unwrap().status, 404);
    let plain = raw.get("/python/simple/leaf/", &[]).unwrap();
    assert!(!plain.text().contains("data-upload-time"));
    let asked = raw
        .get("/python/simple/leaf/", &["Accept: application/vnd.pypi.simple.v1+json, text/html;q=0.1"])
        .unwrap();
    assert!(asked.text().contains("data-upload-time"));
    assert!(asked.header("content-type").unwrap().starts_with("text/html"));
}

#[test]
fn the_catalog_changes_while_the_upstream_runs() {
    let upstream = upstream();
    upstream.catalog().deprecate("leaf", "1.0.0", "use twig");
    assert!(get(&upstream, "/npm/leaf/latest").text().contains("use twig"));
    upstream.publish(Package::npm("leaf", "2.0.0"));
    upstream.catalog().tag("leaf", "old", "1.0.0");
    assert!(get(&upstream, "/npm/leaf/old").text().contains("\"1.0.0\""));
    assert_eq!(get(&upstream, "/npm/-/package/leaf/dist-tags").text(), r#"{"latest":"2.0.0","old":"1.0.0"}"#);
    upstream.catalog().delete(Ecosystem::Npm, "leaf", "2.0.0");
    assert_eq!(get(&upstream, "/npm/-/package/leaf/dist-tags").text(), r#"{"latest":"1.0.0","old":"1.0.0"}"#);
    upstream.catalog().delete(Ecosystem::Npm, "leaf", "1.0.0");
    assert_eq!(get(&upstream, "/npm/leaf").status, 404);
}

#[test]
fn files_can_live_on_another_upstream_and_credentials_can_be_required() {
    let files = FakeUpstream::start();
    let index = FakeUpstream::builder()
        .catalog(files.catalog())
        .files_at(files.url())
        .requires_authorization("Bearer secret")
        .unusual_tarball_paths()
        .start();
    index.publish(Package::npm("leaf", "1.0.0"));
    assert_eq!(get(&index, "/npm/leaf").status, 401);
    let mut raw = RawClient::connect(index.address()).unwrap();
    let document = raw.get("/npm/leaf/1.0.0", &["Authorization: Bearer secret"]).unwrap();
    let document: serde_json::Value = serde_json::from_slice(&document.body).unwrap();
    let tarball = document["dist"]["tarball"].as_str().unwrap();
    let path = tarball.strip_prefix(files.url()).expect("the file is on the other upstream");
    assert_eq!(get(&files, path).status, 200);
    assert!(!path.contains("/-/"));
}

#[test]
#[should_panic(expected = "the upstream was asked about `@acme/`")]
fn a_leaked_private_name_fails_the_test() {
    let upstream = upstream();
    upstream.assert_never_asked("@acme/");
    get(&upstream, "/npm/@acme%2fsecret");
    upstream.assert_never_asked("@acme/");
}
