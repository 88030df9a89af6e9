//! The tree over the ledger, as auditors and clients meet it: static files, receipts, an offline check, and a client that notices
//! that a ledger was rolled back.

use std::fs;
use std::path::Path;

use tidegate_ledger::note::VerifierKey;
use tidegate_ledger::proof::{ConsistencyProof, Receipt};
use tidegate_ledger::tiles::leaf_hash;
use tidegate_testkit::process::{Finished, Home, Program};
use tidegate_testkit::{FakeUpstream, Package, Style, tools};

use crate::clients_support::{Site, TIDEGATE, npm_project};
use crate::support::{Setup, TestDoor, days_ago};

const FILE: &str = "/npm/alpha/-/alpha-1.0.0.tgz";

fn upstream() -> FakeUpstream {
    let upstream = FakeUpstream::start();
    upstream.publish(Package::npm("alpha", "1.0.0").published(&days_ago(90)));
    upstream
}

fn key(door: &TestDoor) -> VerifierKey {
    door.get("/ledger/key").text().lines().next().unwrap().parse().unwrap()
}

#[test]
fn every_answer_has_a_receipt_that_its_key_alone_verifies() {
    let upstream = upstream();
    let door = Setup::new(&upstream).open();
    assert_eq!(door.get("/ledger/checkpoint").status, 404, "nothing is published yet");
    let served = door.get(FILE);
    let record = served.header("x-tidegate-record").unwrap().to_owned();
    let (node, seq) = record.rsplit_once('-').unwrap();
    let target = format!("/ledger/receipt/{node}/{seq}");
    door.door.tree.publish();
    let receipt = door.get(&target);
    assert_eq!(receipt.status, 200, "{}", receipt.text());
    let receipt = Receipt::from_json(&receipt.body).unwrap();
    let proven = receipt.check(&key(&door), &[]).unwrap();
    assert_eq!(proven.entry.record().to_string(), record);
    // Somebody else's key proves nothing.
    let other = Setup::new(&upstream).open();
    assert!(receipt.check(&key(&other), &[]).is_err());
    assert_eq!(door.get(&format!("/ledger/receipt/{node}/999999")).status, 404);
    assert_eq!(door.get("/ledger/receipt/x/0").status, 400);
}

#[test]
fn the_tree_is_static_files_and_nothing_else() {
    let upstream = upstream();
    let door = Setup::new(&upstream).open();
    for _ in 0..3 {
        door.get(FILE);
    }
    door.door.tree.publish();
    let head = door.door.tree.view().unwrap().head().unwrap();
    let bundle = door.get(&format!("/ledger/tile/entries/000.p/{}", head.size));
    assert_eq!(bundle.status, 200);
    let tile = door.get(&format!("/ledger/tile/0/000.p/{}", head.size));
    let first = usize::from(u16::from_be_bytes([bundle.body[0], bundle.body[1]]));
    assert_eq!(tile.body[..32], leaf_hash(&bundle.body[2..2 + first]));
    let refused = [
        "../catalogue.sqlite",
        "tile/../../keys/checkpoint.pem",
        "keys/checkpoint.pem",
        "tile/0/0",
        "checkpoint/",
    ];
    for path in refused {
        assert_eq!(door.get(&format!("/ledger/{path}")).status, 404, "{path}");
    }
    assert_eq!(door.send("POST", "/ledger/checkpoint", &[], b"x").status, 400);
    let demanding = Setup::new(&upstream).with(|c| c.server.require_token = true).open();
    assert_eq!(demanding.get("/ledger/checkpoint").status, 401);
}

#[test]
fn a_later_checkpoint_continues_an_earlier_one_also_after_a_restart() {
    let upstream = upstream();
    let door = Setup::new(&upstream).open();
    door.door.tree.publish();
    let (before, signer) = (door.door.tree.view().unwrap().head().unwrap(), key(&door));
    let door = door.restart();
    door.get(FILE);
    door.door.tree.publish();
    let after = door.door.tree.view().unwrap().head().unwrap();
    assert!(after.size > before.size);
    assert_eq!(key(&door), signer, "the key stays");
    let proof = door.get(&format!("/ledger/consistency/{}/{}", before.size, after.size));
    let proof = ConsistencyProof::from_json(&proof.body).unwrap();
    proof.check(&before.root, &after.root).unwrap();
    assert_eq!(door.get(&format!("/ledger/consistency/{}/{}", after.size, after.size + 1000)).status, 400);
}

#[test]
fn a_tree_that_was_tampered_with_is_not_signed_over_and_the_door_says_so() {
    let upstream = upstream();
    let door = Setup::new(&upstream).open();
    door.get(FILE);
    door.door.tree.publish();
    let setup = door.close();
    let folder = setup.data().join("door/tlog/tile/0");
    let tile = fs::read_dir(folder.join("000.p")).unwrap().next().unwrap().unwrap().path();
    let mut bytes = fs::read(&tile).unwrap();
    bytes[0] ^= 1;
    fs::write(&tile, bytes).unwrap();
    let before = fs::read(setup.data().join("door/tlog/checkpoint")).unwrap();
    let door = setup.open();
    let served = door.get(FILE);
    assert_eq!(served.status, 200);
    assert!(served.header("x-tidegate-degraded").is_some_and(|told| told.contains("ledger")), "{served:?}");
    door.door.tree.publish();
    let after = fs::read(door.data().join("tlog/checkpoint")).unwrap();
    assert_eq!(before, after, "nothing is signed over damage");
}

fn verify(data: &Path, more: &[&str]) -> Finished {
    let home = Home::new();
    Program::new(TIDEGATE, &home)
        .args(["ledger", "verify", "--data"])
        .arg(data)
        .args(more)
        .timeout(std::time::Duration::from_secs(120))
        .run()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let kind = entry.file_type().unwrap();
        let target = to.join(entry.file_name());
        if kind.is_dir() {
            copy(&entry.path(), &target);
        } else if kind.is_file() {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn an_offline_check_names_what_was_changed_and_run_notices_a_rollback() {
    let Some(npm) = tools::npm() else { return };
    let mut site = Site::closed(Style::Rich);
    site.upstream.publish(Package::npm("alpha", "1.0.0").published(&days_ago(90)));
    site.upstream.publish(Package::npm("beta", "1.0.0").published(&days_ago(90)));
    site.start_door("127.0.0.1:0");
    let home = Home::new();
    let install = |site: &Site, name: &str| {
        let project = npm_project(&home, &format!("project-{name}"), "1.0.0");
        let manifest =
            serde_json::json!({ "name": "p", "version": "1.0.0", "dependencies": { name: "1.0.0" } });
        fs::write(project.join("package.json"), manifest.to_string()).unwrap();
        site.run(&home, &npm).arg("install").in_folder(&project).run().expect_success().stderr
    };
    assert!(!install(&site, "alpha").contains("witness"), "a first look has nothing to compare with");
    site.close_door();
    let whole = verify(&site.data, &[]);
    assert_eq!(whole.status.and_then(|s| s.code()), Some(0), "{}{}", whole.stdout, whole.stderr);
    assert!(whole.stdout.contains("whole: every check fits"), "{}", whole.stdout);

    // A backup, more of it, and the backup put back.
    let backup = site.operator.folder("backup");
    copy(&site.data, &backup);
    site.start_door("127.0.0.1:0");
    assert!(!install(&site, "beta").contains("witness"), "it continues what was seen");
    let kept = site.operator.path().join("kept.txt");
    let told = site.tidegate(&home, &["ledger", "checkpoint"]).run().expect_success();
    fs::write(&kept, &told.stdout).unwrap();
    site.close_door();
    let continued = verify(&site.data, &["--checkpoint", kept.to_str().unwrap()]);
    assert_eq!(continued.status.and_then(|s| s.code()), Some(0), "{}", continued.stdout);
    fs::remove_dir_all(&site.data).unwrap();
    copy(&backup, &site.data);
    let rolled = verify(&site.data, &["--checkpoint", kept.to_str().unwrap()]);
    assert_eq!(rolled.status.and_then(|s| s.code()), Some(4), "{}", rolled.stdout);
    assert!(rolled.stdout.contains("log_rolled_back"), "{}", rolled.stdout);
    site.start_door("127.0.0.1:0");
    let told = install(&site, "alpha");
    assert!(told.contains("THE LEDGER OF THIS DOOR WAS REWRITTEN"), "{told}");
    let diff = site.tidegate(&home, &["ledger", "diff", kept.to_str().unwrap()]).run();
    assert_eq!(diff.status.and_then(|s| s.code()), Some(4), "{}{}", diff.stdout, diff.stderr);
    site.close_door();

    // One bit of an entry in a segment.
    let segment = fs::read_dir(site.data.join("ledger")).unwrap().next().unwrap().unwrap().path();
    let mut bytes = fs::read(&segment).unwrap();
    bytes[300] ^= 1;
    fs::write(&segment, bytes).unwrap();
    let changed = verify(&site.data, &["--json"]);
    assert_eq!(changed.status.and_then(|s| s.code()), Some(4), "{}", changed.stdout);
    assert!(changed.stdout.contains("segment_altered"), "{}", changed.stdout);
}
