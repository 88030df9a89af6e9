//! What others make of our files: Go's sumdb packages, and a shell with openssl.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;

use tidegate_ledger::Mode;
use tidegate_ledger::heads::MemoryHeads;
use tidegate_ledger::note::{CheckpointSigner as _, SignedNote, cosign};
use tidegate_ledger::proof::Receipt;
use tidegate_ledger::tiles::DiskTiles;
use tidegate_ledger::tree::{Publisher, TreeParts};
use tidegate_sys::disk::RealDisk;

use super::rig::{append, signer, witness};
use crate::support::open_in;

struct Published {
    _dir: tempfile::TempDir,
    tlog: PathBuf,
    smaller: PathBuf,
    receipt: Receipt,
}

/// A tree of 700 entries in files, with the cosigned checkpoint of 300.
fn published() -> Published {
    let dir = tempfile::tempdir().unwrap();
    let (ledger, tlog) = (dir.path().join("ledger"), dir.path().join("tlog"));
    let recorder = Arc::new(open_in(Arc::new(RealDisk), &ledger, Mode::Batched).unwrap().0);
    let mut publisher = Publisher::open(TreeParts {
        signer: Arc::new(signer(1)),
        earlier_keys: Vec::new(),
        tiles: Arc::new(DiskTiles::open(Arc::new(RealDisk), &tlog).unwrap()),
        heads: Arc::new(MemoryHeads::default()),
        entries: recorder.clone(),
    })
    .unwrap();
    let view = publisher.view();
    let mut grow_to = |size: u64| {
        append(&recorder, size - publisher.last_seq());
        while publisher.last_seq() < size {
            publisher.publish().unwrap();
        }
    };
    grow_to(300);
    let mut note = SignedNote::parse(view.checkpoint().unwrap().as_bytes()).unwrap();
    note.add_line(&cosign(note.text(), &witness(8), 1_795_000_000).unwrap()).unwrap();
    view.keep_cosigned(&note, &[witness(8).key().clone()]).unwrap();
    let smaller = dir.path().join("smaller");
    std::fs::write(&smaller, note.to_text()).unwrap();
    grow_to(700);
    let receipt = view.receipt(&"n1-42".parse().unwrap()).unwrap();
    Published { _dir: dir, tlog, smaller, receipt }
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Writes the program's source. Where Go's own packages lie is filled in here: no file of ours names such a place.
fn foreign_program(folder: &Path) {
    let templates = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/foreign");
    let packages = format!("{}/x", ["golang", "org"].join("."));
    std::fs::create_dir(folder).unwrap();
    for name in ["go.mod", "go.sum", "main.go"] {
        let text = std::fs::read_to_string(templates.join(format!("{name}.txt"))).unwrap();
        std::fs::write(folder.join(name), text.replace("GO_X", &packages)).unwrap();
    }
}

#[test]
fn gos_own_packages_verify_checkpoint_tiles_and_proofs() {
    let build = tempfile::tempdir().unwrap();
    let program = build.path().join("foreign");
    let source = build.path().join("source");
    foreign_program(&source);
    let built = Command::new("go")
        .args(["build", "-o"])
        .arg(&program)
        .arg(".")
        .current_dir(&source)
        .env("GOFLAGS", "-mod=readonly")
        .env("GOTOOLCHAIN", "local")
        .output();
    let built = match built {
        Ok(built) if built.status.success() => built,
        Ok(built) => {
            let why = said(&built);
            // Without a network the packages cannot be had; anything else is our fault.
            assert!(
                [
                    "dial tcp",
                    "lookup ",
                    "module lookup disabled",
                    "timeout",
                    "403",
                    "404",
                    "requires go",
                    "proxyconnect"
                ]
                .iter()
                .any(|offline| why.contains(offline)),
                "{why}"
            );
            eprintln!("SKIPPED: Go's packages cannot be fetched here: {why}");
            return;
        }
        Err(e) => {
            eprintln!("SKIPPED: there is no Go here: {e}");
            return;
        }
    };
    assert!(built.status.success());
    let p = published();
    let key = signer(1).key().to_string();
    let run = |key: &str| {
        let output = Command::new(&program).arg(&p.tlog).arg(key).arg(&p.smaller).output().unwrap();
        (output.status.success(), said(&output))
    };
    assert_eq!(run(&key), (true, "700 entries, 1 smaller checkpoints\n".to_owned()));
    assert!(!run(&signer(2).key().to_string()).0, "another key");
    for path in ["tile/0/001", "tile/1/000.p/2", "tile/entries/000", "checkpoint"] {
        let path = p.tlog.join(path);
        let intact = std::fs::read(&path).unwrap();
        let mut changed = intact.clone();
        changed[40] ^= 1;
        std::fs::write(&path, changed).unwrap();
        assert!(!run(&key).0, "{} was changed and nobody saw it", path.display());
        std::fs::write(&path, intact).unwrap();
    }
    assert!(run(&key).0);
}

/// Tessera's own check of a log: root and every tile from the bundles. `$TESSERA_FSCK` names the program
/// (`go install github.com/transparency-dev/tessera/cmd/fsck@latest`).
#[test]
fn tesseras_fsck_finds_the_log_whole() {
    let Some(program) = std::env::var_os("TESSERA_FSCK") else {
        eprintln!("SKIPPED: $TESSERA_FSCK does not name Tessera's fsck");
        return;
    };
    let p = published();
    let key = p.tlog.with_file_name("key");
    std::fs::write(&key, signer(1).key().to_string()).unwrap();
    let run = || {
        let mut storage = std::ffi::OsString::from("--storage_url=file://");
        storage.push(&p.tlog);
        storage.push("/");
        let mut public = std::ffi::OsString::from("--public_key=");
        public.push(&key);
        let output = Command::new(&program).args([storage, public]).arg("--ui=false").output().unwrap();
        (output.status.success(), said(&output))
    };
    let (whole, out) = run();
    assert!(whole && !out.contains("failed"), "{out}");
    // It says what it finds in its log, and ends with 0 all the same.
    let path = p.tlog.join("tile/1/000.p/2");
    let mut changed = std::fs::read(&path).unwrap();
    changed[40] ^= 1;
    std::fs::write(&path, changed).unwrap();
    let (_, out) = run();
    assert!(out.contains("fsck failed"), "a tile was changed and nobody saw it: {out}");
}

#[test]
fn a_shell_verifies_a_receipt_and_refuses_changed_ones() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/guides/verify-entry.sh");
    for tool in ["openssl", "sha256sum", "jq", "xxd", "awk"] {
        let there = Command::new("sh").arg("-c").arg(format!("command -v {tool}")).output().unwrap();
        if !there.status.success() {
            eprintln!("SKIPPED: there is no {tool} here");
            return;
        }
    }
    let p = published();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("receipt.json");
    let verify = |receipt: &str, keys: &[String]| {
        std::fs::write(&file, receipt).unwrap();
        let output = Command::new("sh").arg(&script).arg(&file).args(keys).output().unwrap();
        (output.status.success(), said(&output))
    };
    let (key, cosigner) = (signer(1).key().to_string(), witness(8).key().to_string());
    let json = p.receipt.to_json();
    let (whole, out) = verify(&json, &[key.clone(), cosigner.clone()]);
    assert!(whole, "{out}");
    assert_eq!(out.trim_end(), p.receipt.entry);
    assert!(verify(&json, std::slice::from_ref(&key)).0);

    let refused = |what: &str, receipt: &str, keys: &[String], why: &str| {
        assert!(what == "key" || receipt != json, "{what}: nothing was changed");
        let (whole, out) = verify(receipt, keys);
        assert!(!whole && out.contains(why), "{what}: {out}");
    };
    let keys = [key.clone(), cosigner.clone()];
    refused("key", &json, &[signer(2).key().to_string()], "not signed by");
    refused("key", &json, &[key.clone(), witness(9).key().to_string()], "not signed by");
    refused("key", &json, std::slice::from_ref(&cosigner), "right kind");
    let wrong_id = key.replacen(&format!("+{:08x}+", signer(1).key().key_id()), "+00000000+", 1);
    refused("key", &json, &[wrong_id], "not that of its name");
    let entry = json.replacen("\\\"status\\\":200", "\\\"status\\\":403", 1);
    refused("entry", &entry, &keys, "does not lead to the root");
    refused("index", &json.replacen("\"index\":41", "\"index\":40", 1), &keys, "does not lead to the root");
    refused(
        "record",
        &json.replacen("\"record\":\"n1-42\"", "\"record\":\"n1-43\"", 1),
        &keys,
        "names another",
    );
    refused("size", &json.replacen("\"size\":300", "\"size\":299", 1), &keys, "another tree");
    refused("text", &json.replacen("\\n300\\n", "\\n301\\n", 1), &keys, "does not fit");
    let mut receipt = p.receipt;
    receipt.proof.hashes[2][7] ^= 1;
    refused("hash", &receipt.to_json(), &keys, "does not lead to the root");
    receipt.proof.hashes.truncate(3);
    refused("short", &receipt.to_json(), &keys, "too short");
    receipt.proof.hashes.extend([[1; 32]; 20]);
    refused("long", &receipt.to_json(), &keys, "too long");
    refused("empty", "{}", &keys, "no field");
}
