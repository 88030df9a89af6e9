//! A disk without room: nothing is served that cannot be recorded, `/readyz` says why, and room mends it.

use std::sync::Arc;
use std::time::Duration;

use tidegate_sys::disk::SyncSite;
use tidegate_testkit::process::{Home, Program};
use tidegate_testkit::{FakeUpstream, ForgetfulDisk, Package};

use super::support::Opened;
use super::{publish, until};

fn setting() -> (FakeUpstream, tempfile::TempDir, ForgetfulDisk) {
    (FakeUpstream::start(), tempfile::tempdir().unwrap(), ForgetfulDisk::new())
}

#[test]
fn without_room_for_a_record_nothing_is_served_until_there_is_room() {
    let (upstream, data, disk) = setting();
    let big = publish(&upstream, Package::npm("big", "1.0.0").padded(300_000));
    let opened = Opened::new(&upstream, data.path(), Arc::new(disk.clone())).unwrap();
    assert_eq!(opened.get(&big.target).unwrap().status, 200);
    assert_eq!(opened.get("/readyz").unwrap().status, 200);
    for room in [0, 10, 400] {
        disk.set_room(Some(room));
        let refused = opened.get(&big.target).unwrap();
        assert_eq!(refused.status, 503, "with room for {room} bytes: {}", refused.text());
        assert!(refused.text().contains("cannot record"), "{}", refused.text());
        let ready = opened.get("/readyz").unwrap();
        assert_eq!(ready.status, 503);
        assert!(ready.text().contains("the ledger cannot record"), "{}", ready.text());
        disk.set_room(None);
        until("ready with room", || opened.get("/readyz").unwrap().status == 200);
        let served = opened.get(&big.target).unwrap();
        assert!(served.status == 200 && served.complete);
    }
}

#[test]
fn a_record_that_cannot_be_made_durable_holds_the_last_byte() {
    let (upstream, data, disk) = setting();
    let big = publish(&upstream, Package::npm("big", "1.0.0").padded(3 << 20));
    let small = publish(&upstream, Package::npm("small", "1.0.0"));
    let opened = Opened::new(&upstream, data.path(), Arc::new(disk.clone())).unwrap();
    let whole = opened.get(&big.target).unwrap();
    assert!(whole.status == 200 && whole.complete);
    assert_eq!(opened.get(&small.target).unwrap().status, 200);
    for _ in 0..3 {
        disk.fail_syncs(SyncSite::LedgerEntries, 1);
        let cut = opened.get(&big.target).unwrap();
        // The head may leave before the record is durable, the last byte may not.
        assert!(!cut.complete || cut.status == 503, "served as a whole: {} bytes", cut.body.len());
        assert!(cut.body.len() < whole.body.len());
        until("ready once mended", || opened.get("/readyz").unwrap().status == 200);
        disk.fail_syncs(SyncSite::LedgerEntries, 1);
        let refused = opened.get(&small.target).unwrap();
        assert_eq!(refused.status, 503, "a small body leaves with its head: {}", refused.text());
        until("ready once mended", || opened.get("/readyz").unwrap().status == 200);
        assert!(opened.get(&big.target).unwrap().complete);
    }
}

#[test]
fn a_file_that_does_not_fit_is_refused_in_clear_words() {
    let (upstream, data, disk) = setting();
    let small = publish(&upstream, Package::npm("small", "1.0.0"));
    let big = publish(&upstream, Package::npm("big", "1.0.0").padded(3 << 20));
    let opened = Opened::new(&upstream, data.path(), Arc::new(disk.clone())).unwrap();
    disk.set_room(Some(1 << 20));
    let refused = opened.get(&big.target).unwrap();
    assert_eq!(refused.status, 503, "{}", refused.text());
    assert!(refused.text().contains("space") || refused.text().contains("full"), "{}", refused.text());
    let ready = opened.get("/readyz").unwrap();
    assert_eq!(ready.status, 503);
    assert!(ready.text().contains("MiB left"), "{}", ready.text());
    // What fits is served all the same.
    assert_eq!(opened.get(&small.target).unwrap().status, 200);
    disk.set_room(None);
    assert_eq!(opened.get("/readyz").unwrap().status, 200);
    assert!(opened.get(&big.target).unwrap().complete);
}

/// Whether this machine lets us mount a small file system of our own.
fn can_mount(home: &Home) -> bool {
    let probe = "mount -t tmpfs -o size=1m none /mnt";
    Program::new("unshare", home).args(["-Urm", "sh", "-c", probe]).run().succeeded()
}

/// Starts a door whose data lies on a file system of 40 MiB; `then` may move parts of it elsewhere.
fn on_a_small_disk(then: &str) {
    let home = Home::new();
    if !std::path::Path::new("/usr/bin/unshare").exists() || !can_mount(&home) {
        eprintln!(
            "SKIPPED: this machine does not allow `unshare -Urm` with a tmpfs; no real full disk is tested"
        );
        return;
    }
    let upstream = FakeUpstream::start();
    let warm = publish(&upstream, Package::npm("warm", "1.0.0"));
    let cold = publish(&upstream, Package::npm("cold", "1.0.0").padded(200_000));
    let (data, elsewhere) = (home.folder("data"), home.folder("elsewhere"));
    let script = format!(
        "mount -t tmpfs -o size=40m none \"$1\" && {then} exec \"$3\" up --listen 127.0.0.1:0 --data \"$1\""
    );
    let mut door = Program::new("unshare", &home)
        .args(["-Urm", "sh", "-c", &script, "sh"])
        .arg(&data)
        .arg(&elsewhere)
        .arg(env!("CARGO_BIN_EXE_tidegate"))
        .env("TIDEGATE_UPSTREAM_NPM", upstream.npm_url())
        .env("TIDEGATE_UPSTREAM_PYPI", upstream.pypi_url())
        .env("TIDEGATE_UPSTREAM_CARGO", upstream.cargo_url())
        .env("NO_COLOR", "1")
        .spawn();
    let line = door.wait_for_line("tidegate is open on http://", Duration::from_secs(60));
    let address = line.split("http://").nth(1).unwrap().split('/').next().unwrap().parse().unwrap();
    let get = |target: &str| tidegate_testkit::client::get(address, target).unwrap();
    let before = get(&warm.target);
    assert_eq!(before.status, 200);
    assert_eq!(get("/readyz").status, 200);
    until("a checkpoint is shown", || get("/ledger/checkpoint").status == 200);
    let mut shown = vec![get("/ledger/checkpoint").body];
    // Through the process one reaches the file system that only it sees.
    let filler = std::path::PathBuf::from(format!("/proc/{}/root{}/filler", door.id(), data.display()));
    let fill = || {
        use std::io::Write as _;
        let mut file = std::fs::OpenOptions::new().create(true).append(true).open(&filler).unwrap();
        for size in [1 << 20, 4096, 512, 1] {
            while file.write_all(&vec![1; size]).is_ok() {}
        }
    };
    fill();
    let refused = get(&cold.target);
    assert_eq!(refused.status, 503, "{}", refused.text());
    let ready = get("/readyz");
    assert_eq!(ready.status, 503, "{}", ready.text());
    assert!(ready.text().contains("MiB left"), "{}", ready.text());
    if then.is_empty() {
        // What the write-ahead space of a segment still takes is recorded; then nothing is served any more.
        until("nothing is served without a record", || {
            fill();
            get(&warm.target).status == 503
        });
    }
    // What can be published still is, and what cannot is not shown.
    std::thread::sleep(Duration::from_millis(2500));
    shown.push(get("/ledger/checkpoint").body);
    std::fs::remove_file(&filler).unwrap();
    until("ready with room", || get("/readyz").status == 200);
    let served = get(&cold.target);
    assert!(served.status == 200 && served.complete, "{}", served.text());
    assert_eq!(get(&warm.target).status, 200);
    shown.push(get("/ledger/checkpoint").body);
    // Tree and custody catch up: each answer has its receipt, each artifact its statement.
    for answer in [&before, &served] {
        let record = answer.header("x-tidegate-record").unwrap();
        let (node, seq) = record.rsplit_once('-').unwrap();
        until("it has its receipt", || get(&format!("/ledger/receipt/{node}/{seq}")).status == 200);
    }
    for question in [&warm, &cold] {
        let digits = question.sha256.unwrap().hex();
        let asked = format!(
            "GET /api/v1/custody/sha256:{digits} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        );
        let mut told = String::new();
        until("it is stated", || {
            let answer = tidegate_testkit::client::exchange(address, asked.as_bytes()).unwrap();
            if told != answer.text() {
                told = answer.text();
                eprintln!("{}: {told:.200}", answer.status);
            }
            answer.status == 200
        });
    }
    let seen = std::path::PathBuf::from(format!("/proc/{}/root{}", door.id(), data.display()));
    let copy = home.folder("copy");
    let copied = Program::new("cp", &home).args(["-r"]).arg(seen.join("ledger")).arg(seen.join("tlog"));
    copied.arg(seen.join("keys")).arg(&copy).run().expect_success();
    let mut verify =
        Program::new(env!("CARGO_BIN_EXE_tidegate"), &home).args(["ledger", "verify", "--data"]).arg(&copy);
    for (at, note) in shown.iter().enumerate() {
        let file = home.path().join(format!("shown-{at}"));
        std::fs::write(&file, note).unwrap();
        verify = verify.arg("--checkpoint").arg(file);
    }
    let told = verify.run();
    assert_eq!(told.code(), Some(0), "{}", told.output());
}

#[test]
fn a_real_disk_that_is_full() {
    on_a_small_disk("");
}

/// Ledger and blobs have room, the catalogue has none: what cannot be written down there is not served.
#[test]
fn a_catalogue_without_room() {
    on_a_small_disk(
        "mkdir \"$1/ledger\" \"$1/blobs\" \"$2/ledger\" \"$2/blobs\" && \
         mount --bind \"$2/ledger\" \"$1/ledger\" && mount --bind \"$2/blobs\" \"$1/blobs\" &&",
    );
}
