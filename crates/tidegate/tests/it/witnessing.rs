//! Witnesses, as processes of their own beside real doors: what continues is cosigned, and whatever does not is refused and told.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tidegate_ledger::checkpoint::{Checkpoint, Root};
use tidegate_ledger::note::{CheckpointSigner as _, Ed25519Signer, KeyKind, SignedNote, VerifierKey};
use tidegate_ledger::witness::{AddCheckpoint, MAX_REQUEST_BYTES};
use tidegate_testkit::client::{RawResponse, exchange};
use tidegate_testkit::process::{Finished, Home, Program, Running};
use tidegate_testkit::{Package, Style};

use crate::clients_support::{Site, TIDEGATE};
use crate::support::days_ago;

const NAME: &str = "witness.example/w1";
const FILE: &str = "/npm/alpha/-/alpha-1.0.0.tgz";

/// A witness in another hand than the door's.
struct Other {
    home: Home,
    folder: PathBuf,
    running: Option<Running>,
    address: SocketAddr,
}

impl Other {
    fn start() -> Self {
        let home = Home::new();
        let folder = home.folder("witness");
        let mut other = Self { home, folder, running: None, address: "127.0.0.1:0".parse().unwrap() };
        other.again();
        other
    }

    /// Starts it where it was before.
    fn again(&mut self) {
        let mut running = Program::new(TIDEGATE, &self.home)
            .args(["witness", "--name", NAME, "--listen", &self.address.to_string(), "--data"])
            .arg(&self.folder)
            .env("NO_COLOR", "1")
            .spawn();
        let line = running.wait_for_line("the witness is open on http://", Duration::from_secs(60));
        self.address = line.split("http://").nth(1).unwrap().split('/').next().unwrap().parse().unwrap();
        self.running = Some(running);
    }

    fn kill(&mut self) {
        let mut running = self.running.take().unwrap();
        running.kill();
        running.wait(Duration::from_secs(30)).expect("a killed process ends");
    }

    fn key(&self, add: &[&str]) -> VerifierKey {
        let mut command =
            Program::new(TIDEGATE, &self.home).args(["witness", "--key", "--data"]).arg(&self.folder);
        for log in add {
            command = command.args(["--log", log]);
        }
        command.run().expect_success().stdout.trim().parse().unwrap()
    }

    fn post(&self, body: &[u8]) -> RawResponse {
        let head = format!(
            "POST /add-checkpoint HTTP/1.1\r\nHost: w.test\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        let mut bytes = head.into_bytes();
        bytes.extend_from_slice(body);
        exchange(self.address, &bytes).unwrap_or_else(|e| panic!("{e}"))
    }
}

#[track_caller]
fn until(what: &str, mut done: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(120);
    while !done() {
        assert!(Instant::now() < end, "never: {what}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// What an answer says of controls that are degraded. Leaves entries.
fn degraded(site: &Site) -> String {
    let address = site.address();
    let address = address.trim_start_matches("http://").trim_end_matches('/').parse().unwrap();
    let answer = tidegate_testkit::client::get(address, FILE).unwrap();
    answer.header("x-tidegate-degraded").unwrap_or_default().to_owned()
}

/// How many entries a published file of the tree speaks of, and who signed it.
fn published(site: &Site, file: &str) -> Option<(u64, SignedNote)> {
    let note = SignedNote::parse(&fs::read(site.data.join("tlog").join(file)).ok()?).unwrap();
    Some((Checkpoint::parse(note.text()).unwrap().size, note))
}

fn cosigned(site: &Site) -> u64 {
    published(site, "checkpoint.cosigned").map_or(0, |(size, _)| size)
}

fn site(witnesses: &[(&Other, &VerifierKey)]) -> Site {
    let site = Site::closed(Style::Rich);
    site.upstream.publish(Package::npm("alpha", "1.0.0").published(&days_ago(90)));
    let entries = witnesses
        .iter()
        .map(|(other, key)| format!(r#"{{ url = "http://{}/", key = "{key}" }}"#, other.address));
    let config = format!("[ledger]\nwitnesses = [{}]\n", entries.collect::<Vec<_>>().join(", "));
    fs::write(site.data.join("tidegate.toml"), config).unwrap();
    site
}

fn door_key(site: &Site) -> String {
    let told =
        site.tidegate(&site.operator, &["ledger", "checkpoint", "--key"]).run().expect_success().stdout;
    told.trim().to_owned()
}

fn verify(site: &Site, more: &[&str]) -> Finished {
    site.tidegate(&site.operator, &["ledger", "verify"]).args(more).timeout(Duration::from_secs(120)).run()
}

/// What the ledger says of the control, oldest first.
fn told(site: &Site) -> Vec<(String, String)> {
    let exported = site.tidegate(&site.operator, &["ledger", "export"]).run().expect_success().stdout;
    exported
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .filter(|entry| entry["kind"] == "control" && entry["control"] == "ledger")
        .map(|entry| (entry["state"].as_str().unwrap().to_owned(), entry["why"].as_str().unwrap().to_owned()))
        .collect()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let (kind, target) = (entry.file_type().unwrap(), to.join(entry.file_name()));
        if kind.is_dir() {
            copy(&entry.path(), &target);
        } else if kind.is_file() {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn a_door_is_cosigned_and_a_witness_that_is_away_is_told() {
    let mut other = Other::start();
    let key = other.key(&[]);
    let mut site = site(&[(&other, &key)]);
    site.start_door("127.0.0.1:0");
    // The witness learns of the door's key from its operator, and answers until then that it does not know it.
    until("the refusal is told", || degraded(&site).contains("it does not know this ledger"));
    let log = door_key(&site);
    assert!(degraded(&site).contains(&log), "what to give to the witness is told");
    other.key(&[&log]);
    until("it is cosigned", || cosigned(&site) > 0);
    until("that is told", || !degraded(&site).contains("not cosigned"));
    let status = site.tidegate(&site.operator, &["status"]).run().expect_success().stdout;
    assert!(!status.contains("not cosigned"), "{status}");

    other.kill();
    until("its absence is told", || {
        degraded(&site).contains("checkpoints are not cosigned by witness.example/w1")
    });
    let status = site.tidegate(&site.operator, &["status"]).run().stdout;
    assert!(status.contains("not cosigned by witness.example/w1"), "{status}");
    let before = cosigned(&site);
    assert!(published(&site, "checkpoint").unwrap().0 > before, "checkpoints go on without it");
    other.again();
    until("it cosigns again", || cosigned(&site) > before);
    until("that is told, too", || !degraded(&site).contains("not cosigned"));

    // Whoever asks for a receipt has one that the witness vouches for.
    let size = cosigned(&site);
    let proof = site.tidegate(&site.operator, &["ledger", "checkpoint"]).run().expect_success().stdout;
    assert!(proof.lines().count() >= 5, "{proof}");
    let receipt = serde_json::from_str::<serde_json::Value>(&site.ask_door(&format!(
        "/ledger/receipt/{}/1",
        log.split('/').next().unwrap().trim_start_matches("tidegate-")
    )))
    .unwrap();
    let receipt = tidegate_ledger::proof::Receipt::from_json(receipt.to_string().as_bytes()).unwrap();
    let proven = receipt.check(&log.parse().unwrap(), std::slice::from_ref(&key)).unwrap();
    assert!(proven.checkpoint.size >= size && proven.cosigned.len() == 1);
    site.close_door();
    let states: Vec<String> = told(&site).into_iter().map(|(state, _)| state).collect();
    assert_eq!(states, ["degraded", "restored", "degraded", "restored"]);

    let whole = verify(&site, &["--key", &log, "--witness", &key.to_string()]);
    assert_eq!(whole.code(), Some(0), "{}", whole.output());
    assert!(whole.stdout.contains("witness  witness.example/w1 at "), "{}", whole.stdout);
    let stranger = Ed25519Signer::from_seed("witness.example/w2", KeyKind::Cosignature, &[9; 32]).unwrap();
    let demanded = verify(&site, &["--key", &log, "--witness", &stranger.key().to_string()]);
    assert_eq!(demanded.code(), Some(4), "{}", demanded.output());
    assert!(
        demanded.stdout.contains("cosignature_missing") && demanded.stdout.contains("witness.example/w2"),
        "{}",
        demanded.stdout
    );
}

#[test]
fn a_door_that_was_put_back_from_a_backup_is_refused_and_told() {
    let other = Other::start();
    let key = other.key(&[]);
    let mut site = site(&[(&other, &key)]);
    site.start_door("127.0.0.1:0");
    let log = door_key(&site);
    other.key(&[&log]);
    until("it is cosigned", || cosigned(&site) > 0);
    site.close_door();
    let backup = site.operator.folder("backup");
    copy(&site.data, &backup);
    site.start_door("127.0.0.1:0");
    let before = cosigned(&site);
    for _ in 0..40 {
        degraded(&site);
    }
    until("more is cosigned", || cosigned(&site) > before + 40);
    let seen = cosigned(&site);
    site.close_door();
    fs::remove_dir_all(&site.data).unwrap();
    copy(&backup, &site.data);

    site.start_door("127.0.0.1:0");
    until("it is told", || degraded(&site).contains("put back from a backup"));
    assert!(degraded(&site).contains(&format!("it has cosigned {seen} entries")), "{}", degraded(&site));
    // It grows past what the witness has seen, and still does not continue it.
    for _ in 0..60 {
        degraded(&site);
    }
    until("it is not continued", || degraded(&site).contains("does not continue"));
    assert!(cosigned(&site) < seen, "nothing of the other tree is cosigned");
    site.close_door();
    let told = told(&site);
    assert!(told.iter().any(|(state, why)| state == "degraded" && why.contains("backup")), "{told:?}");
}

fn signer(log: &str) -> Ed25519Signer {
    Ed25519Signer::from_seed(log, KeyKind::Ed25519, &[3; 32]).unwrap()
}

fn request(log: &str, old: u64, size: u64, root: u8) -> Vec<u8> {
    let note = Checkpoint::new(log, size, Root([root; 32])).sign(&signer(log)).unwrap();
    AddCheckpoint { old, proof: Vec::new(), note }.to_body().into_bytes()
}

#[test]
fn a_witness_answers_as_the_standard_says_also_after_a_kill() {
    let mut other = Other::start();
    let log = "forked.example/log";
    let key = other.key(&[&signer(log).key().to_string()]);
    let status = |other: &Other, body: &[u8]| {
        let answer = other.post(body);
        (answer.status, answer.text())
    };
    let first = other.post(&request(log, 0, 5, 1));
    assert_eq!(first.status, 200, "{}", first.text());
    let mut note = SignedNote::parse(&{
        let body = request(log, 0, 5, 1);
        body[body.windows(2).position(|two| two == b"\n\n").unwrap() + 2..].to_vec()
    })
    .unwrap();
    note.add_line(&first.text()).unwrap();
    assert!(note.verify(&key).unwrap() > 1_700_000_000);
    for _ in 0..2 {
        // One size, two trees.
        let forked = other.post(&request(log, 5, 5, 2));
        assert_eq!((forked.status, &*forked.text()), (409, "5\n"));
        assert_eq!(forked.header("content-type"), Some("text/x.tlog.size"));
        assert_eq!(status(&other, &request(log, 0, 5, 2)), (409, "5\n".to_owned()));
        // Smaller than what was seen, and larger without a proof.
        assert_eq!(status(&other, &request(log, 0, 4, 1)).0, 409);
        assert_eq!(status(&other, &request(log, 5, 9, 1)).0, 422);
        assert_eq!(status(&other, &request(log, 5, 5, 1)).0, 200, "the same again");
        other.kill();
        other.again();
    }
    assert_eq!(status(&other, &request("other.example/log", 0, 5, 1)).0, 404);
    let stranger = Ed25519Signer::from_seed(log, KeyKind::Ed25519, &[4; 32]).unwrap();
    let note = Checkpoint::new(log, 6, Root([1; 32])).sign(&stranger).unwrap();
    let unknown = AddCheckpoint { old: 5, proof: Vec::new(), note }.to_body();
    assert_eq!(status(&other, unknown.as_bytes()).0, 403);
    assert_eq!(status(&other, b"old 5\nno proof\n\nno note\n").0, 400);
    assert_eq!(status(&other, &request(log, 7, 5, 1)).0, 400, "an old size above the new one");
    assert_eq!(status(&other, &vec![b'x'; MAX_REQUEST_BYTES + 1]).0, 413);
    let asked = b"GET /add-checkpoint HTTP/1.1\r\nHost: w.test\r\nConnection: close\r\n\r\n";
    assert_eq!(exchange(other.address, asked).unwrap().status, 405);
    let asked = b"POST /else HTTP/1.1\r\nHost: w.test\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    assert_eq!(exchange(other.address, asked).unwrap().status, 404);
    fs::write(other.folder.join("logs"), "no key\n").unwrap();
    assert_eq!(status(&other, &request(log, 5, 5, 1)).0, 500, "a list that cannot be read knows nobody");
}

#[test]
fn no_two_trees_of_one_size_are_cosigned_by_a_witness_that_is_killed() {
    const ROUNDS: u64 = 24;
    const ASKERS: u8 = 6;
    let mut other = Other::start();
    let logs: Vec<String> = (0..ROUNDS).map(|n| format!("log-{n}.example/x")).collect();
    let keys: Vec<String> = logs.iter().map(|log| signer(log).key().to_string()).collect();
    other.key(&keys.iter().map(String::as_str).collect::<Vec<_>>());
    let mut cosigned = 0;
    for (round, log) in (0..).zip(&logs) {
        let address = other.address;
        let before: Vec<bool> = std::thread::scope(|scope| {
            let askers: Vec<_> = (0..ASKERS)
                .map(|root| {
                    scope.spawn(move || {
                        let body = request(log, 0, 5, root);
                        let mut bytes = format!(
                            "POST /add-checkpoint HTTP/1.1\r\nHost: w.test\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
                            body.len()
                        )
                        .into_bytes();
                        bytes.extend_from_slice(&body);
                        exchange(address, &bytes).is_ok_and(|answer| answer.status == 200)
                    })
                })
                .collect();
            // Moments around the one at which the first is remembered.
            std::thread::sleep(Duration::from_millis(round % 12));
            other.kill();
            askers.into_iter().map(|asker| asker.join().unwrap()).collect()
        });
        other.again();
        let after: Vec<bool> =
            (0..ASKERS).map(|root| other.post(&request(log, 5, 5, root)).status == 200).collect();
        let signed = (0..usize::from(ASKERS)).filter(|root| before[*root] || after[*root]).count();
        assert!(signed <= 1, "round {round}: {before:?} before the kill, {after:?} after it");
        cosigned += signed;
    }
    assert!(cosigned > 0, "the kills come too early to show anything");
}
