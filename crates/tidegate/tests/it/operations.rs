//! Running it: health, limits, drain, TLS, loops.

use std::io::{Read as _, Write as _};
use std::sync::atomic::Ordering;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use tidegate_model::Ecosystem;
use tidegate_testkit::client::RawClient;
use tidegate_testkit::{FakeUpstream, Package};

use crate::support::{PATIENCE, Setup, named, repository};

fn upstream() -> FakeUpstream {
    let upstream = FakeUpstream::start();
    upstream.publish(Package::npm("alpha", "1.0.0").padded(8 << 20));
    upstream
}

const FILE: &str = "/npm/alpha/-/alpha-1.0.0.tgz";

#[test]
fn a_door_says_that_it_is_alive_and_ready() {
    let upstream = upstream();
    let door = Setup::new(&upstream).open();
    for (target, text) in [("/healthz", "alive\n"), ("/readyz", "ready\n")] {
        let response = door.get(target);
        assert_eq!((response.status, response.text().as_str()), (200, text));
        let head = door.ask("HEAD", target, &[]);
        assert_eq!((head.status, head.body.len()), (200, 0));
    }
}

#[test]
fn a_stopping_door_is_not_ready() {
    let upstream = upstream();
    let door = Setup::new(&upstream).open();
    door.door.draining.store(true, Ordering::Relaxed);
    let response = door.get("/readyz");
    assert_eq!(response.status, 503);
    assert!(response.text().contains("stopping"), "{}", response.text());
    assert_eq!(door.get("/healthz").status, 200, "not ready is not dead");
}

#[test]
fn a_door_whose_store_is_gone_is_not_ready() {
    let upstream = upstream();
    let door = Setup::new(&upstream).open();
    std::fs::rename(door.data().join("blobs"), door.data().join("elsewhere")).unwrap();
    let response = door.get("/readyz");
    assert_eq!(response.status, 503);
    assert!(response.text().contains("store"), "{}", response.text());
}

#[test]
fn metrics_count_what_happened() {
    let upstream = upstream();
    let door = Setup::new(&upstream).open();
    let count = |name: &str| -> f64 {
        let text = door.get("/metrics").text();
        assert!(text.ends_with("# EOF\n"));
        let lines = text.lines().filter(|l| l.starts_with(name));
        lines.map(|l| l.rsplit(' ').next().unwrap().parse::<f64>().unwrap()).sum()
    };
    let before = (count("tidegate_served_artifacts_total"), count("tidegate_ledger_entries"));
    let size = door.get(FILE).body.len();
    door.get("/npm/nothing");
    assert_eq!(count("tidegate_served_artifacts_total"), before.0 + 1.0);
    assert!(count("tidegate_ledger_entries") > before.1);
    assert!(count("tidegate_sent_bytes_total") >= size as f64);
    assert_eq!(count("tidegate_requests_total{ecosystem=\"npm\",status=\"2xx\"}"), 1.0);
    assert_eq!(count("tidegate_requests_total{ecosystem=\"npm\",status=\"4xx\"}"), 1.0);
    assert!(!door.get("/metrics").text().contains("alpha"), "labels never name packages");
}

#[test]
fn a_running_transfer_finishes_while_the_door_closes() {
    let upstream = upstream();
    let door = Setup::new(&upstream).open();
    let size = door.get(FILE).body.len();
    let mut client = RawClient::connect(door.address).unwrap();
    let mut idle = RawClient::connect(door.address).unwrap();
    assert_eq!(idle.get("/healthz", &[]).unwrap().status, 200);
    client.send(format!("GET {FILE} HTTP/1.1\r\nHost: door.test\r\n\r\n").as_bytes()).unwrap();
    let head = client.read_head_only().unwrap();
    assert_eq!(head.header("content-length").unwrap(), size.to_string());
    let address = door.address;
    let (told, closed) = mpsc::channel();
    let closing = std::thread::spawn(move || {
        let setup = door.close();
        told.send(()).unwrap();
        setup
    });
    assert!(idle.is_closed(PATIENCE), "idle connections are told to go");
    assert!(closed.recv_timeout(Duration::from_millis(300)).is_err(), "the door waits for the transfer");
    let refused = RawClient::connect(address).and_then(|mut c| c.get("/healthz", &[]));
    assert!(refused.is_err(), "nobody new is let in");
    assert_eq!(client.read_body(size).unwrap().len(), size);
    closed.recv_timeout(PATIENCE).unwrap();
    drop(closing.join().unwrap());
}

#[test]
fn a_drain_ends_after_its_time() {
    let upstream = upstream();
    let door = Setup::new(&upstream).with(|c| c.server.drain_seconds = 1).open();
    assert_eq!(door.get(FILE).status, 200);
    let mut client = RawClient::connect(door.address).unwrap();
    client.send(format!("GET {FILE} HTTP/1.1\r\nHost: door.test\r\n\r\n").as_bytes()).unwrap();
    client.read_head_only().unwrap();
    // The client reads no further; closing must end all the same.
    drop(door.close());
}

#[test]
fn connections_beyond_the_limit_wait_their_turn() {
    let upstream = upstream();
    let door = Setup::new(&upstream).with(|c| c.server.max_connections = 2).open();
    let mut first = RawClient::connect(door.address).unwrap();
    let mut second = RawClient::connect(door.address).unwrap();
    assert_eq!(first.get("/healthz", &[]).unwrap().status, 200);
    assert_eq!(second.get("/healthz", &[]).unwrap().status, 200);
    let mut third = RawClient::connect(door.address).unwrap();
    third.send(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    assert!(!third.is_closed(Duration::from_millis(500)), "it waits");
    drop(first);
    assert_eq!(third.read().unwrap().status, 200);
}

#[test]
fn idle_connections_and_slow_heads_end() {
    let upstream = upstream();
    let door = Setup::new(&upstream).with(|c| c.server.idle_seconds = 1).open();
    let mut silent = RawClient::connect(door.address).unwrap();
    let mut idle = RawClient::connect(door.address).unwrap();
    assert_eq!(idle.get("/healthz", &[]).unwrap().status, 200);
    let mut slow = RawClient::connect(door.address).unwrap();
    slow.send(b"GET /healthz HTTP/1.1\r\nHost: a\r\nX-Slow: ").unwrap();
    for (what, client) in [("silent", &mut silent), ("idle", &mut idle), ("slow", &mut slow)] {
        // A head that does not end may be told so before the connection closes.
        while !client.is_closed(PATIENCE) {}
        assert!(client.get("/healthz", &[]).is_err(), "{what}");
    }
}

#[test]
fn a_body_that_never_comes_ends() {
    let upstream = upstream();
    let door = Setup::new(&upstream).with(|c| c.server.idle_seconds = 1).open();
    let mut client = RawClient::connect(door.address).unwrap();
    let head =
        "POST /npm/-/npm/v1/security/advisories/bulk HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n{";
    client.send(head.as_bytes()).unwrap();
    let response = client.read().unwrap();
    assert_eq!(response.status, 400);
    assert!(response.text().contains("did not arrive"), "{}", response.text());
}

#[test]
fn heads_and_bodies_are_bounded() {
    let upstream = upstream();
    let setup = Setup::new(&upstream).with(|c| {
        c.server.max_head_bytes = 2_000;
        c.server.max_body_bytes = 1_000;
    });
    let door = setup.open();
    let long = format!("X-Long: {}", "a".repeat(1_500));
    assert_eq!(door.ask("GET", "/healthz", &[&long]).status, 200);
    let longer = format!("X-Long: {}", "a".repeat(2_500));
    assert_eq!(door.ask("GET", "/healthz", &[&longer]).status, 400);
    let audit = "/npm/-/npm/v1/security/advisories/bulk";
    let body = |pad: usize| format!("{{\"alpha\":[\"1.0.0\"{}]}}", ",\"1.0.0\"".repeat(pad));
    assert_eq!(door.send("POST", audit, &[], body(10).as_bytes()).status, 200);
    let too_large = door.send("POST", audit, &[], body(500).as_bytes());
    assert_eq!(too_large.status, 400);
    assert!(too_large.text().contains("larger than 1000 bytes"), "{}", too_large.text());
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    packed.write_all(body(500).as_bytes()).unwrap();
    let packed = packed.finish().unwrap();
    assert!(packed.len() < 1_000);
    let bomb = door.send("POST", audit, &["Content-Encoding: gzip"], &packed);
    assert_eq!(bomb.status, 400, "what is unpacked is bounded too");
}

#[test]
fn a_door_that_asks_itself_says_so() {
    let upstream = upstream();
    let door = Setup::new(&upstream).open();
    let via = format!("Via: 1.1 proxy.test, 1.1 {}", door.door.via);
    assert_eq!(door.ask("GET", "/npm/alpha", &[&via]).status, 508);
    assert_eq!(door.ask("GET", "/npm/alpha", &["Via: 1.1 tidegate-other"]).status, 200);
    let sent = upstream.requests();
    let sent = sent.iter().find(|r| r.path == "/npm/alpha").unwrap();
    assert!(sent.header("via").unwrap().contains(&door.door.via));
}

/// The upstream of this door is this door.
#[test]
fn a_loop_through_the_network_ends() {
    let upstream = upstream();
    let door = Setup::new(&upstream).open();
    let address = door.address;
    let setup = door.close().with(|c| {
        let mut me = named("me", &upstream, Ecosystem::Npm);
        me.url = format!("http://{address}/npm/").parse().unwrap();
        c.repository.insert("npm".into(), repository(vec![me]));
    });
    let door = setup.open_at(address);
    let response = door.get("/npm/alpha");
    assert_eq!(response.status, 502);
    assert!(response.text().contains("508"), "{}", response.text());
}

#[test]
fn a_door_with_a_certificate_speaks_tls() {
    let upstream = upstream();
    let mut setup = Setup::new(&upstream);
    let made = rcgen::generate_simple_self_signed(vec!["door.test".into()]).unwrap();
    let (chain, key) = (setup.data().join("chain.pem"), setup.data().join("key.pem"));
    std::fs::write(&chain, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    setup.tls = Some(tidegate::http::tls::acceptor(&chain, &key).unwrap());
    let door = setup.open();
    let mut roots = rustls::RootCertStore::empty();
    roots.add(made.cert.der().clone()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = "door.test".try_into().unwrap();
    let mut session = rustls::ClientConnection::new(Arc::new(config), name).unwrap();
    let mut socket = std::net::TcpStream::connect(door.address).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut stream = rustls::Stream::new(&mut session, &mut socket);
    stream.write_all(b"GET /npm/alpha HTTP/1.1\r\nHost: door.test\r\nConnection: close\r\n\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    assert!(text.starts_with("HTTP/1.1 200"), "{text}");
    assert!(text.contains("\"https://door.test/npm/alpha/-/alpha-1.0.0.tgz\""), "links are https: {text}");
    let plain = RawClient::connect(door.address).unwrap().get("/healthz", &[]);
    assert!(plain.is_err(), "no plain text on a TLS port");
}

/// Far more than the kernel keeps for a client that does not read.
const LARGE_BYTES: usize = 48 << 20;

#[test]
fn a_client_that_stops_reading_loses_its_connection() {
    let upstream = FakeUpstream::start();
    upstream.publish(Package::npm("large", "1.0.0").padded(LARGE_BYTES));
    let open = |seconds: u64| Setup::new(&upstream).with(|c| c.server.write_seconds = seconds).open();
    let ask = |door: &crate::support::TestDoor| {
        let mut client = RawClient::connect(door.address).unwrap();
        client.send(b"GET /npm/large/-/large-1.0.0.tgz HTTP/1.1\r\nHost: door.test\r\n\r\n").unwrap();
        assert_eq!(client.read_head_only().unwrap().status, 200);
        client
    };
    let door = open(1);
    let stalled = ask(&door);
    door.until("the stalled connection is closed", || door.door.metrics.connections.get() == 0);
    drop(stalled);

    // One that has time enough is waited for, and gets the rest.
    let door = open(600);
    let mut slow = ask(&door);
    std::thread::sleep(Duration::from_millis(1500));
    assert_eq!(door.door.metrics.connections.get(), 1);
    let length = LARGE_BYTES / 2;
    assert_eq!(slow.read_body(length).unwrap().len(), length);
}
