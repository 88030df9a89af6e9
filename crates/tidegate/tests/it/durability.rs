//! Every answer has its entry, whatever ends the door: clients that leave, kills, power cuts, full disks.
//!
//! The ledger and the store show the same of themselves, operation by operation; here it is shown of answers.

mod full;
mod kills;
mod power;
mod support;

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tidegate_model::Ecosystem;
use tidegate_sys::disk::RealDisk;
use tidegate_testkit::client::RawClient;
use tidegate_testkit::{FakeUpstream, Package};

use support::{Opened, Question, Told, accesses, ask, check, sha256};

/// Publishes a package and says how to ask for its file.
fn publish(upstream: &FakeUpstream, package: Package) -> Question {
    let (ecosystem, name, version) =
        (package.ecosystem(), package.name().to_owned(), package.version().to_owned());
    let file = upstream.publish(package).remove(0);
    let target = match ecosystem {
        Ecosystem::Npm => format!("/npm/{name}/-/{name}-{version}.tgz"),
        Ecosystem::Pypi => format!("/pypi/files/{name}/{}", file.name),
        Ecosystem::Cargo => format!("/cargo/api/v1/crates/{name}/{version}/download"),
        Ecosystem::Huggingface | Ecosystem::Oci | Ecosystem::Mcp | Ecosystem::Vscode => {
            unreachable!("no package of a test is one")
        }
    };
    Question {
        method: "GET",
        target,
        lines: Vec::new(),
        purl: format!("pkg:{ecosystem}/{name}@{version}"),
        sha256: Some(sha256(&file.bytes)),
    }
}

fn question(method: &'static str, target: &str, lines: &[&str], purl: &str) -> Question {
    let lines = lines.iter().map(|l| (*l).to_owned()).collect();
    Question { method, target: target.into(), lines, purl: purl.into(), sha256: None }
}

/// Asks of every kind: indexes in several forms, files, HEAD, parts, conditions, refusals, what does not exist.
fn questions(upstream: &FakeUpstream) -> Vec<Question> {
    let mut all = Vec::new();
    for package in
        [Package::npm("alpha", "1.0.0"), Package::pypi("beta", "1.0.0"), Package::cargo("gamma", "1.0.0")]
    {
        let file = publish(upstream, package.padded(200_000));
        let etag = format!("If-None-Match: \"{}\"", file.sha256.unwrap().hex());
        for (method, line) in [
            ("GET", None),
            ("HEAD", None),
            ("GET", Some("Range: bytes=5-104")),
            ("GET", Some("Range: bytes=-7")),
            ("GET", Some("Range: bytes=999999999-")),
            ("GET", Some(etag.as_str())),
        ] {
            let lines = line.iter().map(|l| (*l).to_owned()).collect();
            all.push(Question { method, lines, ..file.clone() });
        }
    }
    // Too young for `baseline`: held.
    let held = publish(upstream, Package::npm("young", "1.0.0").published("2100-01-01"));
    all.push(Question { sha256: None, ..held });
    let gzip = "Accept-Encoding: gzip";
    all.extend([
        question("GET", "/npm/alpha", &[], "pkg:npm/alpha"),
        question("HEAD", "/npm/alpha", &[gzip], "pkg:npm/alpha"),
        question("GET", "/npm/alpha", &["If-None-Match: *"], "pkg:npm/alpha"),
        question("GET", "/npm/alpha/1.0.0", &[], "pkg:npm/alpha"),
        question("GET", "/npm/young/1.0.0", &[], "pkg:npm/young"),
        question("GET", "/npm/nowhere", &[], "pkg:npm/nowhere"),
        question("HEAD", "/npm/nowhere", &[], "pkg:npm/nowhere"),
        question("GET", "/npm/alpha/-/alpha-9.9.9.tgz", &[], "pkg:npm/alpha"),
        question("GET", "/pypi/simple/beta/", &[gzip], "pkg:pypi/beta"),
        question(
            "GET",
            "/pypi/simple/beta/",
            &["Accept: application/vnd.pypi.simple.v1+json"],
            "pkg:pypi/beta",
        ),
        question("GET", "/cargo/ga/mm/gamma", &[], "pkg:cargo/gamma"),
        question("GET", "/cargo/config.json", &[], ""),
        question("HEAD", "/npm/..%2f..%2fsecret", &[], ""),
        question("GET", "/pypi/no/such/route", &[], ""),
    ]);
    all
}

#[test]
fn every_answer_under_64_clients_has_one_entry_that_says_the_same() {
    const CLIENTS: usize = 64;
    let upstream = FakeUpstream::start();
    let questions = questions(&upstream);
    let data = tempfile::tempdir().unwrap();
    let opened = Opened::new(&upstream, data.path(), Arc::new(RealDisk)).unwrap();
    let address = opened.address;
    let told: Vec<Told> = std::thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|i| {
                let questions = &questions;
                scope.spawn(move || {
                    let mut client = RawClient::connect(address).unwrap();
                    // Each begins elsewhere, so that what is cold is asked for by many at once.
                    (0..questions.len())
                        .map(|n| {
                            let question = &questions[(n * 7 + i) % questions.len()];
                            ask(&mut client, question)
                                .unwrap_or_else(|| panic!("no whole answer to {question:?}"))
                        })
                        .collect::<Vec<_>>()
                })
            })
            .collect();
        clients.into_iter().flat_map(|c| c.join().unwrap()).collect()
    });
    let statuses: BTreeSet<u16> = told.iter().map(|t| t.status).collect();
    for status in [200, 206, 304, 403, 404, 416] {
        assert!(statuses.contains(&status), "{status} is among {statuses:?}");
    }
    drop(opened);
    let accesses = accesses(Arc::new(RealDisk), &data.path().join("ledger")).unwrap();
    check(&told, &accesses).unwrap();
    let records: BTreeSet<u64> = told.iter().map(|t| t.record.seq).collect();
    assert_eq!(records.len(), CLIENTS * questions.len(), "every answer has a record of its own");
    assert_eq!(accesses.len(), records.len(), "there are as many entries as answers");
}

/// Sends a request, reads `keep` bytes of the body and leaves. Returns the record that the head named.
fn leave_after(address: std::net::SocketAddr, target: &str, keep: usize) -> u64 {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    write!(stream, "GET {target} HTTP/1.1\r\nHost: door.test\r\n\r\n").unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    let mut body = vec![0; keep];
    stream.read_exact(&mut body).unwrap();
    let head = String::from_utf8(head).unwrap().to_ascii_lowercase();
    let record = head.split("x-tidegate-record: ").nth(1).unwrap().split("\r\n").next().unwrap();
    record.rsplit_once('-').unwrap().1.parse().unwrap()
}

#[test]
fn a_client_that_leaves_one_byte_early_has_its_entry() {
    let upstream = FakeUpstream::start();
    let big = publish(&upstream, Package::npm("big", "1.0.0").padded(6 << 20));
    let small = publish(&upstream, Package::npm("small", "1.0.0"));
    let data = tempfile::tempdir().unwrap();
    let opened = Opened::new(&upstream, data.path(), Arc::new(RealDisk)).unwrap();
    let mut left = Vec::new();
    for question in [&big, &small] {
        let whole = opened.get(&question.target).unwrap();
        assert_eq!(whole.status, 200);
        let length = whole.body.len();
        for keep in [length - 1, length / 2, 0] {
            left.push((leave_after(opened.address, &question.target, keep), question, length));
        }
    }
    drop(opened);
    let accesses = accesses(Arc::new(RealDisk), &data.path().join("ledger")).unwrap();
    for (seq, question, length) in left {
        let access = accesses.get(&seq).unwrap_or_else(|| panic!("entry {seq} of {question:?}"));
        assert_eq!((access.status, access.bytes, access.sha256), (200, length as u64, question.sha256));
        assert_eq!(access.purl.as_deref(), Some(&*question.purl));
    }
}

/// A number that differs from call to call.
fn unique() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// Waits until `done` holds.
#[track_caller]
fn until(what: &str, mut done: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(60);
    while !done() {
        assert!(Instant::now() < end, "never: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
