//! Keys that are replaced by command, as those meet it who believed the one before.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use tidegate::cli::remote::{Reach, Remote};
use tidegate::run::checkpoints::{Saved, SavedCheckpoints, WitnessError};
use tidegate::run::witness::look;
use tidegate_ledger::handover;
use tidegate_ledger::note::{SignedNote, VerifierKey};
use tidegate_ledger::proof::Receipt;
use tidegate_testkit::process::{Finished, Home, Program};
use tidegate_testkit::{Package, Style};

use crate::clients_support::{Site, TIDEGATE};
use crate::support::days_ago;

const FILE: &str = "/npm/alpha/-/alpha-1.0.0.tgz";

fn site() -> Site {
    let mut site = Site::closed(Style::Rich);
    site.upstream.publish(Package::npm("alpha", "1.0.0").published(&days_ago(90)));
    site.start_door("127.0.0.1:0");
    site
}

fn command(site: &Site, command: &[&str]) -> Finished {
    site.tidegate(&site.operator, command).run()
}

/// The key and the newest checkpoint, which publishes.
fn checkpoint(site: &Site) -> (VerifierKey, String) {
    let key = command(site, &["ledger", "checkpoint", "--key"]).expect_success().stdout;
    let note = command(site, &["ledger", "checkpoint"]).expect_success().stdout;
    (key.trim().parse().unwrap(), note)
}

fn rotate(site: &Site, more: &[&str]) -> serde_json::Value {
    let mut all = vec!["ledger", "rotate-key", "--json"];
    all.extend_from_slice(more);
    serde_json::from_str(&command(site, &all).expect_success().stdout).unwrap()
}

fn fetch(site: &Site) -> String {
    let address = site.address();
    let address = address.trim_start_matches("http://").trim_end_matches('/').parse().unwrap();
    let answer = tidegate_testkit::client::get(address, FILE).unwrap();
    assert_eq!(answer.status, 200);
    answer.header("x-tidegate-record").unwrap().to_owned()
}

fn receipt(site: &Site, record: &str) -> Receipt {
    let told = command(site, &["ledger", "prove", record]).expect_success().stdout;
    Receipt::from_json(told.trim().as_bytes()).unwrap()
}

/// What somebody who saw the door before makes of it.
fn seen(site: &Site, saved: &SavedCheckpoints) -> Result<Option<Saved>, WitnessError> {
    let remote = Remote::new(&Reach { data: Some(site.data.clone()), ..Reach::default() }).unwrap();
    look(&remote, saved)
}

fn saved(home: &Home) -> SavedCheckpoints {
    let path = home.path().to_owned();
    SavedCheckpoints::of_user(move |name| (name == "HOME").then(|| path.clone())).unwrap()
}

fn verify(data: &Path, more: &[&str]) -> Finished {
    Program::new(TIDEGATE, &Home::new())
        .args(["ledger", "verify", "--data"])
        .arg(data)
        .args(more)
        .timeout(Duration::from_secs(120))
        .run()
}

#[test]
fn whoever_believes_a_key_follows_it_to_the_next() {
    let mut site = site();
    let (first, kept) = checkpoint(&site);
    let kept_file = site.operator.path().join("kept.txt");
    fs::write(&kept_file, &kept).unwrap();
    let record = fetch(&site);
    let old_receipt = receipt(&site, &record);
    let home = Home::new();
    let reader = saved(&home);
    assert!(matches!(seen(&site, &reader), Ok(Some(Saved::First { .. }))));

    // Prepared: announced, and the old one goes on.
    let prepared = rotate(&site, &["--prepare"]);
    assert_eq!((&prepared["in_force"], checkpoint(&site).0.to_string()), (&false.into(), first.to_string()));
    let rotated = rotate(&site, &[]);
    assert_eq!(
        (&rotated["key"], &rotated["record"]),
        (&prepared["key"], &prepared["record"]),
        "announced once"
    );
    assert_eq!(rotated["before"], first.to_string());
    let (second, note) = checkpoint(&site);
    assert_eq!(rotated["key"], second.to_string());
    assert!(SignedNote::parse(note.as_bytes()).unwrap().verify(&second).is_ok());
    assert!(matches!(seen(&site, &reader), Ok(Some(Saved::Continues { .. }))), "one rotation is followed");

    // Two at once, with a restart in between.
    rotate(&site, &[]);
    site.close_door();
    site.start_door("127.0.0.1:0");
    let third = checkpoint(&site).0;
    assert_ne!(third, second);
    rotate(&site, &[]);
    let fourth = checkpoint(&site).0;
    assert!(matches!(seen(&site, &reader), Ok(Some(Saved::Continues { .. }))), "two are followed");
    let keys = site.ask_door("/ledger/key");
    assert_eq!(keys.lines().collect::<Vec<_>>(), [&fourth, &third, &second, &first].map(ToString::to_string));

    // Old receipts stay, new ones are of the new key, and the handovers are public.
    assert!(old_receipt.check(&first, &[]).is_ok() && old_receipt.check(&fourth, &[]).is_err());
    let new_receipt = receipt(&site, &fetch(&site));
    assert!(new_receipt.check(&fourth, &[]).is_ok() && new_receipt.check(&first, &[]).is_err());
    let handovers = site.ask_door("/ledger/handovers");
    let handovers = handover::read(handovers.as_bytes()).unwrap();
    assert_eq!(handover::follow(&first, &handovers), [second.clone(), third.clone(), fourth.clone()]);
    a_shell_follows(&handovers[0], &first, &second, home.path());
    site.close_door();

    let kept = kept_file.to_str().unwrap();
    for (key, code, says) in [
        (Some(&first), 0, "handed over to"),
        (Some(&third), 0, "handed over to"),
        (Some(&fourth), 0, "whole"),
        (None, 0, "whole"),
    ] {
        let mut more = vec!["--checkpoint", kept];
        let key = key.map(ToString::to_string);
        more.extend(key.iter().flat_map(|key| ["--key", key]));
        let told = verify(&site.data, &more);
        assert_eq!(told.code(), Some(code), "{key:?}: {}", told.output());
        assert!(told.stdout.contains(says), "{key:?}: {}", told.stdout);
    }
    // Without the handovers, the old key alone does not vouch for what the new one signed.
    fs::remove_file(site.data.join("tlog/handovers")).unwrap();
    let told = verify(&site.data, &["--key", &first.to_string()]);
    assert_eq!(told.code(), Some(4), "{}", told.output());
    assert!(told.stdout.contains("checkpoint_signature"), "{}", told.stdout);
}

/// The shell script checks a handover with the old key, prints the new one, and says who signed where it is asked for another.
fn a_shell_follows(handed: &Receipt, old: &VerifierKey, new: &VerifierKey, folder: &Path) {
    for tool in ["openssl", "sha256sum", "jq", "xxd", "awk"] {
        if !Command::new("sh").arg("-c").arg(format!("command -v {tool}")).output().unwrap().status.success()
        {
            eprintln!("SKIPPED: there is no {tool} here");
            return;
        }
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/guides/verify-entry.sh");
    let file = folder.join("handover.json");
    fs::write(&file, handed.to_json()).unwrap();
    let run = |key: &str| Command::new("sh").arg(&script).arg(&file).arg(key).output().unwrap();
    let told = run(&old.to_string());
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
    assert!(String::from_utf8_lossy(&told.stdout).contains(&new.to_string()));
    assert!(run(&new.to_string()).status.success(), "both signed");
    let stranger = VerifierKey::new(old.name(), old.kind(), [9; 32]).unwrap();
    let told = run(&stranger.to_string());
    let said = String::from_utf8_lossy(&told.stderr).into_owned();
    for key in [old, new] {
        assert!(said.contains(&format!("{}+{:08x}", key.name(), key.key_id())), "{said}");
    }
}

#[test]
fn a_key_that_nobody_announced_is_not_followed() {
    let mut site = site();
    let home = Home::new();
    let reader = saved(&home);
    let first = checkpoint(&site).0;
    assert!(matches!(seen(&site, &reader), Ok(Some(Saved::First { .. }))));
    let prepared = rotate(&site, &["--prepare"])["record"].clone();
    site.close_door();
    // Lost, or replaced by somebody who has the disk.
    fs::remove_file(site.data.join("keys/checkpoint.pem")).unwrap();
    site.start_door("127.0.0.1:0");
    assert_ne!(checkpoint(&site).0, first);
    let refused = seen(&site, &reader).unwrap_err();
    assert!(matches!(&refused, WitnessError::Key { .. }), "{refused}");
    assert!(refused.to_string().contains("did not hand over"), "{refused}");
    // A key that was prepared under the lost one is announced again before it follows.
    let second = checkpoint(&site).0;
    let rotated = rotate(&site, &[]);
    assert_eq!(rotated["before"], second.to_string());
    assert_ne!(rotated["record"], prepared);
    site.close_door();
    let told = verify(&site.data, &["--key", &second.to_string()]);
    assert_eq!(told.code(), Some(0), "{}", told.output());
    let told = verify(&site.data, &["--key", &first.to_string()]);
    assert_eq!(told.code(), Some(4), "{}", told.output());
}

#[test]
fn a_rotation_that_was_cut_short_after_the_handover_is_brought_to_its_end() {
    let mut site = site();
    let home = Home::new();
    let reader = saved(&home);
    let first = checkpoint(&site).0;
    assert!(seen(&site, &reader).is_ok());
    let (now, next) = (site.data.join("keys/checkpoint.pem"), site.data.join("keys/checkpoint-next.pem"));
    let old = site.operator.path().join("old.pem");
    fs::copy(&now, &old).unwrap();
    let second = rotate(&site, &[])["key"].as_str().unwrap().to_owned();
    site.close_door();
    // As if the last step had not been done.
    fs::rename(&now, &next).unwrap();
    fs::rename(&old, &now).unwrap();
    site.start_door("127.0.0.1:0");
    assert_eq!(checkpoint(&site).0.to_string(), second);
    assert!(!next.exists());
    assert!(matches!(seen(&site, &reader), Ok(Some(Saved::Continues { .. }))));
    site.close_door();
    let told = verify(&site.data, &["--key", &first.to_string()]);
    assert_eq!(told.code(), Some(0), "{}", told.output());
}

#[test]
fn a_kill_in_the_middle_leaves_a_key_that_can_be_followed() {
    const ROUNDS: u64 = 24;
    let mut site = site();
    let home = Home::new();
    let reader = saved(&home);
    let first = checkpoint(&site).0;
    assert!(seen(&site, &reader).is_ok());
    let mut changed = 0;
    for round in 0..ROUNDS {
        let before = checkpoint(&site).0;
        let asking = site.tidegate(&site.operator, &["ledger", "rotate-key", "--json"]).spawn();
        // From before the request arrives until after it is done.
        std::thread::sleep(Duration::from_millis(round * 37 % 190));
        site.kill_door();
        drop(asking);
        site.start_door("127.0.0.1:0");
        fetch(&site);
        let after = checkpoint(&site).0;
        changed += u64::from(before != after);
        let looked = seen(&site, &reader);
        assert!(matches!(looked, Ok(Some(Saved::Continues { .. }))), "round {round}: {looked:?}");
    }
    assert!(
        (1..ROUNDS).contains(&changed),
        "{changed} of {ROUNDS} rotations got through: the kills hit nothing"
    );
    rotate(&site, &[]);
    site.close_door();
    let told = verify(&site.data, &["--key", &first.to_string()]);
    assert_eq!(told.code(), Some(0), "{}", told.output());
}
