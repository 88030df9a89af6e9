//! Asking issuers whether secrets are still good: an issuer on loopback that knows one of them.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use tidegate_store::catalogue::Page;
use tidegate_testkit::{FakeUpstream, Package};

use crate::clients_inspected::{files_below, lacks, token};
use crate::effects::admin;
use crate::support::{Setup, TestDoor, days_ago, json};

/// An issuer that accepts one token, and what it was asked.
struct FakeIssuer {
    address: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl FakeIssuer {
    fn start(good: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}/registry/", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&asked);
        // Ends with the process: nobody connects once the test is over.
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut head = String::new();
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                while reader.read_line(&mut head).unwrap() > 2 {}
                let status =
                    if head.contains(&format!("Bearer {good}\r\n")) { "200 OK" } else { "401 Unauthorized" };
                log.lock().unwrap().push(head);
                write!(stream, "HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                    .unwrap();
            }
        });
        Self { address, asked }
    }

    fn count(&self) -> usize {
        self.asked.lock().unwrap().len()
    }
}

fn published(name: &str, secret: &str) -> Package {
    Package::npm(name, "1.0.0").published(&days_ago(90)).file("notes.txt", format!("NPM_TOKEN={secret}\n"))
}

fn ask_all(door: &TestDoor) {
    door.runtime().block_on(tidegate::liveness::ask_all(&door.door));
}

fn said(door: &TestDoor, admin: &str, name: &str) -> String {
    let target = format!("/api/v1/inspections?purl=pkg:npm/{name}@1.0.0");
    let told = json(&door.ask("GET", &target, &[admin]));
    let liveness = told["inspections"][0]["liveness"].as_array().unwrap();
    liveness.iter().map(|one| one["state"].as_str().unwrap()).collect::<Vec<_>>().join(" ")
}

#[test]
fn a_secret_that_is_still_good_is_told_and_kept_nowhere() {
    let (good, revoked) = (token(11), token(12));
    let issuer = FakeIssuer::start(good.clone());
    let upstream = FakeUpstream::start();
    upstream.publish(published("alpha", &good));
    upstream.publish(published("beta", &revoked));
    let address = issuer.address.clone();
    let door = Setup::new(&upstream)
        .with(|config| drop(config.inspection.issuers.insert("npm".into(), address.parse().unwrap())))
        .open();
    for name in ["alpha", "beta"] {
        assert_eq!(door.get(&format!("/npm/{name}/-/{name}-1.0.0.tgz")).status, 200);
    }
    let admin = admin(&door);
    assert_eq!(issuer.count(), 0, "whoever takes a package waits for no issuer");
    ask_all(&door);
    let asked = issuer.asked.lock().unwrap().clone();
    assert_eq!(asked.len(), 2, "{asked:?}");
    assert!(asked.iter().all(|head| head.starts_with("GET /registry/-/whoami HTTP/1.1\r\n")), "{asked:?}");
    assert_eq!(
        (said(&door, &admin, "alpha").as_str(), said(&door, &admin, "beta").as_str()),
        ("live", "dead")
    );
    let alarms = door.door.store.catalogue.alarms(false, Page::default()).unwrap();
    let [alarm] = &alarms[..] else { panic!("{} alarms", alarms.len()) };
    assert!(alarm.alarm.message.contains("npm access token in alpha-1.0.0.tgz!/"), "{}", alarm.alarm.message);
    // Not again before its time.
    ask_all(&door);
    assert_eq!(issuer.count(), 2);
    door.clock().advance(25 * 3600);
    ask_all(&door);
    assert_eq!(issuer.count(), 4);
    let data = door.data();
    let _setup = door.close();
    for file in files_below(&data) {
        for secret in [&good, &revoked] {
            lacks(&std::fs::read(&file).unwrap(), secret, &file.display().to_string());
        }
    }
}

#[test]
fn nobody_is_asked_who_is_not_named_and_an_issuer_that_fails_says_nothing() {
    let secret = token(13);
    let issuer = FakeIssuer::start(secret.clone());
    let upstream = FakeUpstream::start();
    upstream.publish(published("alpha", &secret));
    let door = Setup::new(&upstream).open();
    assert_eq!(door.get("/npm/alpha/-/alpha-1.0.0.tgz").status, 200);
    let admin = admin(&door);
    ask_all(&door);
    assert_eq!((issuer.count(), said(&door, &admin, "alpha").as_str()), (0, ""));
    let mut setup = door.close();
    // Nobody listens there.
    let nowhere = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    setup.config.inspection.issuers.insert("npm".into(), format!("http://{nowhere}/").parse().unwrap());
    let door = setup.open();
    ask_all(&door);
    assert_eq!((issuer.count(), said(&door, &admin, "alpha").as_str()), (0, "unknown"));
    assert!(door.door.store.catalogue.alarms(false, Page::default()).unwrap().is_empty());
}
