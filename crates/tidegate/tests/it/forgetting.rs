//! Forgetting a person: nothing by which they could be told stays anywhere in the data directory, and the ledger stays as it was.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};

use serde_json::Value;
use tidegate_ledger::note::VerifierKey;
use tidegate_ledger::proof::Receipt;
use tidegate_testkit::process::Program;

use tidegate_store::access_index::{WhoQuery, WhoSubject};
use tidegate_testkit::{FakeUpstream, Package};

use crate::recall::Site;
use crate::support::{PATIENCE, Setup, days_ago};

const NAME: &str = "annabel-of-test";
const HOST: &str = "annabels-laptop.test";
const RUN: &str = "github:annabel/secret-project/42";
const AGENT: &str = "annabels-agent/1.0";
/// Another address of loopback, so that it is hers alone.
const ADDRESS: Ipv4Addr = Ipv4Addr::new(127, 77, 66, 55);

/// Everything by which she could be told.
fn needles() -> Vec<Vec<u8>> {
    [NAME, HOST, RUN, AGENT, "127.77.66.55"].iter().map(|text| text.as_bytes().to_vec()).collect()
}

/// The files below a folder, with their bytes.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut all = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(files(&path));
        } else if path.is_file() {
            all.insert(path.clone(), std::fs::read(&path).unwrap_or_default());
        }
    }
    all
}

/// Where any of some texts stands.
fn named_in(folder: &Path, needles: &[Vec<u8>]) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for (path, bytes) in files(folder) {
        for needle in needles {
            if memchr::memmem::find(&bytes, needle).is_some() {
                found.push((path.clone(), String::from_utf8_lossy(needle).into_owned()));
            }
        }
    }
    found
}

/// Asks from an address of loopback that is not the usual one.
fn get_from(address: Ipv4Addr, door: SocketAddr, target: &str, token: &str) -> u16 {
    use rustix::net::{AddressFamily, SocketType, bind, connect, socket};
    let fd = socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
    bind(&fd, &SocketAddr::new(IpAddr::V4(address), 0)).unwrap();
    connect(&fd, &door).unwrap();
    let mut stream = TcpStream::from(fd);
    let head = format!(
        "GET {target} HTTP/1.1\r\nHost: {door}\r\nAuthorization: Bearer {token}\r\nUser-Agent: {AGENT}\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    String::from_utf8_lossy(&answer[9..12]).parse().unwrap()
}

fn lib(version: &str) -> String {
    format!("/npm/lib/-/lib-{version}.tgz")
}

struct Annabel {
    site: Site,
    /// Her tokens: of her laptop, of a build, of an administrator.
    tokens: [String; 3],
}

/// A person who left traces wherever a person can.
fn annabel() -> Annabel {
    let site = Site::open("");
    let made = |arguments: &[&str]| {
        let mut all = vec!["token", "create", NAME];
        all.extend(arguments);
        site.json(&all)[0]["token"].as_str().unwrap().to_owned()
    };
    let tokens = [
        made(&["--host", HOST]),
        made(&["--host", HOST, "--run", RUN, "--kind", "ci"]),
        made(&["--scope", "admin"]),
    ];
    for version in ["1.0.0", "1.1.0"] {
        assert_eq!(get_from(ADDRESS, site.address, &lib(version), &tokens[0]), 200);
    }
    assert_eq!(get_from(ADDRESS, site.address, &lib("2.0.0"), &tokens[1]), 200);
    let door = format!("http://{}/", site.address);
    let as_her = |arguments: &[&str]| {
        let mut all = arguments.to_vec();
        all.extend(["--door", &door, "--token", &tokens[2]]);
        Program::new(env!("CARGO_BIN_EXE_tidegate"), &site.home)
            .args(all)
            .timeout(PATIENCE)
            .run()
            .expect_success()
    };
    let reason = format!("{NAME} asked for it");
    as_her(&["waiver", "request", "pkg:npm/lib", "--rule", "cooldown", "--reason", &reason]);
    as_her(&["quarantine", "block", "pkg:npm/fine@1.0.0", "--reason", &reason]);
    as_her(&["quarantine", "unblock", "TIDEGATE-LOCAL-1"]);
    // Many others, so that rows move from page to page.
    for n in 0..40 {
        let token = site.token(&format!("somebody-else-{n}"));
        assert_eq!(site.take("1.0.0", &token), 200);
    }
    let everywhere = named_in(&site.data, &needles());
    for needle in needles() {
        let text = String::from_utf8(needle).unwrap();
        assert!(everywhere.iter().any(|(_, found)| *found == text), "{text} was never there");
    }
    Annabel { site, tokens }
}

/// The ledger as it was is the beginning of the ledger as it is.
#[track_caller]
fn only_grew(before: &BTreeMap<PathBuf, Vec<u8>>, ledger: &Path) {
    let after = files(ledger);
    for (path, bytes) in before {
        assert!(after[path].starts_with(bytes), "{} changed", path.display());
    }
}

#[test]
fn nothing_names_a_forgotten_person_and_the_ledger_stays() {
    let Annabel { mut site, tokens } = annabel();
    let ledger = site.data.join("ledger");
    let before = files(&ledger);
    let rows = site.json(&["who", "--by", NAME]);
    let pseudonym = rows[0]["pseudonym"].as_str().unwrap().to_owned();
    let proofs = site.json(&["who", "--by", NAME, "--proofs"]);
    let key = site.told(&["ledger", "checkpoint", "--key"]);
    let (key, checkpoint) = (key.trim(), site.told(&["ledger", "checkpoint"]));
    let kept = site.home.path().join("kept-checkpoint");
    std::fs::write(&kept, checkpoint).unwrap();

    let told = &site.json(&["person", "forget", NAME])[0];
    assert_eq!(
        (&told["pseudonym"], &told["deleted"]["tokens"]),
        (&pseudonym.as_str().into(), &3.into()),
        "{told}"
    );
    assert_eq!(told["still_named_in"], serde_json::json!([]));
    assert!(told["deleted"]["mentions"].as_u64().unwrap() >= 5, "{told}");
    // While the door runs, in every file, its logs and what is unused in them too.
    assert_eq!(named_in(&site.data, &needles()), []);
    only_grew(&before, &ledger);

    // What she did stays, by nobody; waivers and blocks too.
    let after = site.json(&["who", "pkg:npm/lib@2.0.0"]);
    assert_eq!((&after[0]["pseudonym"], &after[0]["person"]), (&pseudonym.as_str().into(), &Value::Null));
    let stand_in = told["stand_in"].as_str().unwrap();
    let waivers = site.told(&["waiver", "list"]);
    assert!(waivers.contains(stand_in), "{waivers}");
    // Her tokens are dead, and nobody else's.
    for token in &tokens {
        assert_eq!(site.take("1.0.0", token), 401);
    }
    assert!(site.told(&["person", "list"]).contains("somebody-else-7"));
    let last = site.told(&["ledger", "export"]);
    let erasure = last.lines().rfind(|line| line.contains("\"kind\":\"person\"")).unwrap();
    assert!(erasure.contains(&pseudonym) && erasure.contains("\"forget\""), "{erasure}");

    // Twice is once.
    let refused = site.run(&["person", "forget", NAME]).expect_failure();
    assert!(refused.stderr.contains(&format!("nobody is known as `{NAME}`")), "{}", refused.stderr);
    // A name that comes back is somebody new.
    let back = site.token(NAME);
    assert_eq!(site.take("1.0.0", &back), 200);
    let new = site.json(&["who", "--by", NAME]);
    assert!(new.len() == 1 && new[0]["pseudonym"] != pseudonym.as_str(), "{new:?}");
    site.told(&["person", "forget", NAME]);
    site.kill_and_start();
    assert_eq!(named_in(&site.data, &needles()), [], "after a kill too");
    only_grew(&before, &ledger);

    // Everything that was proven before still is, and the whole ledger continues what was signed then.
    let key: VerifierKey = key.parse().unwrap();
    let receipts: Vec<&Value> = proofs.iter().map(|row| &row["proof"]).filter(|p| p.is_object()).collect();
    assert!(!receipts.is_empty(), "{proofs:?}");
    for receipt in receipts {
        Receipt::from_json(receipt.to_string().as_bytes()).unwrap().check(&key, &[]).unwrap();
    }
    let whole =
        site.told(&["ledger", "verify", "--key", &key.to_string(), "--checkpoint", kept.to_str().unwrap()]);
    assert!(whole.contains("whole: every check fits"), "{whole}");
}

#[test]
fn those_who_forget_themselves_and_those_who_are_nobody_are_forgotten_too() {
    let Annabel { site, tokens } = annabel();
    let door = format!("http://{}/", site.address);
    let as_her = |arguments: &[&str]| {
        let mut all = arguments.to_vec();
        all.extend(["--door", &door, "--token", &tokens[2]]);
        Program::new(env!("CARGO_BIN_EXE_tidegate"), &site.home).args(all).timeout(PATIENCE).run()
    };
    as_her(&["person", "forget", NAME]).expect_success();
    assert_eq!(named_in(&site.data, &needles()), [], "whoever forgets oneself is not written down again");
    assert!(as_her(&["person", "list"]).expect_failure().stderr.contains("not valid"));

    // Somebody who is named and never came.
    site.told(&["quarantine", "block", "pkg:npm/fine@1.0.0", "--reason", "mail from carol-of-test"]);
    assert!(!named_in(&site.data, &[b"carol-of-test".to_vec()]).is_empty());
    let told = &site.json(&["person", "forget", "carol-of-test"])[0];
    assert_eq!(told["deleted"]["mentions"], 1, "{told}");
    assert_eq!(named_in(&site.data, &[b"carol-of-test".to_vec()]), []);

    // Those who show no token: all that was kept of them are addresses and agents.
    assert_eq!(site.take("1.0.0", ""), 200);
    site.told(&["person", "forget", "anonymous"]);
    assert_eq!(site.take("1.0.0", ""), 200, "and the next one is served");

    // A file that a person wrote is theirs to change, and is told.
    std::fs::write(site.data.join("policy.toml"), "# somebody-else-3 wrote this").unwrap();
    let told = &site.json(&["person", "forget", "somebody-else-3"])[0];
    let still = told["still_named_in"][0].as_str().unwrap();
    assert!(still.ends_with("policy.toml"), "{told}");
}

/// Nobody is half forgotten: while somebody takes files as fast as they can, they are forgotten again and again.
#[test]
fn requests_under_way_bring_nobody_back() {
    let site = Site::open("");
    for _ in 0..5 {
        let token = site.token(NAME);
        std::thread::scope(|scope| {
            let takers: Vec<_> = (0..4)
                .map(|n| {
                    let (door, token) = (site.address, &token);
                    scope.spawn(move || {
                        let address = Ipv4Addr::new(127, 77, 66, 52 + n);
                        (0..60).map(|_| get_from(address, door, &lib("1.0.0"), token)).collect::<Vec<_>>()
                    })
                })
                .collect();
            std::thread::sleep(std::time::Duration::from_millis(15));
            site.told(&["person", "forget", NAME]);
            for taker in takers {
                let answers = taker.join().unwrap();
                assert!(answers.iter().all(|status| matches!(status, 200 | 401)), "{answers:?}");
                assert_eq!(answers.last(), Some(&401));
            }
        });
        // Whoever comes with a dead token is nobody, from some address.
        assert_eq!(named_in(&site.data, &[NAME.as_bytes().to_vec()]), []);
        assert!(!site.told(&["person", "list"]).contains(NAME));
    }
}

#[test]
fn people_and_accesses_that_are_too_old_leave_by_themselves() {
    const DAY: i64 = 86_400;
    let upstream = FakeUpstream::start();
    upstream.publish(Package::npm("lib", "1.0.0").published(&days_ago(1000)));
    let door = Setup::new(&upstream)
        .with(|c| {
            c.retention.names_days = 30;
            c.retention.access_days = 60;
        })
        .open();
    let [old, late] = ["old-of-test", "late-of-test"].map(|name| door.token(name, &[]));
    let take =
        |token: &str| door.ask("GET", &lib("1.0.0"), &[&format!("Authorization: Bearer {token}")]).status;
    assert_eq!((take(&old), take(&late)), (200, 200));
    door.clock().advance(20 * DAY);
    assert_eq!(take(&late), 200);
    let known = || -> Vec<String> {
        let people = door.door.store.catalogue.people().unwrap();
        people.into_iter().map(|p| p.principal).filter(|name| name.ends_with("-of-test")).collect()
    };
    let revoke = |name: &str| {
        let now = door.clock().now();
        let tokens = door.door.store.catalogue.tokens(false, now).unwrap();
        let token = tokens.into_iter().find(|t| t.principal.id == name).unwrap();
        assert!(door.door.store.catalogue.revoke_token(&token.id, now).unwrap());
    };
    // A valid token is somebody who may come any moment.
    door.clock().advance(15 * DAY);
    door.door.retain().unwrap();
    assert_eq!(known(), ["late-of-test", "old-of-test"]);
    revoke("old-of-test");
    revoke("late-of-test");
    door.door.retain().unwrap();
    assert_eq!(known(), ["late-of-test"], "seen fifteen days ago");
    let rows = || {
        let query = WhoQuery::taken(WhoSubject::Everything);
        door.door.project().unwrap();
        door.door.store.access.who(&query, &*door.door.store.catalogue).unwrap().rows.len()
    };
    assert_eq!(rows(), 3);
    // The month of the last accesses is not the newest any more.
    let token = door.token("new-of-test", &[]);
    door.clock().advance(100 * DAY);
    assert_eq!(take(&token), 200);
    door.door.retain().unwrap();
    assert_eq!((known(), rows()), (vec!["new-of-test".to_owned()], 1));
    let mut entries = 0;
    let mut forgotten = 0;
    for frame in door.door.recorder.reader(1) {
        let json = String::from_utf8(frame.unwrap().json).unwrap();
        entries += usize::from(json.contains("\"kind\":\"access\""));
        forgotten += usize::from(json.contains("\"kind\":\"person\""));
    }
    assert_eq!((entries, forgotten), (4, 2), "the ledger keeps everything");
}
