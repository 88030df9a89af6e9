//! A door that goes on serving while what it looks into is hostile, and while its workers are killed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tidegate_testkit::{FakeUpstream, Package};

use crate::inspection::{gzip_as, tar, zip};
use crate::support::{Setup, TestDoor, days_ago};

/// Memory of a worker in all.
const MEMORY_BYTES: u64 = 256 << 20;
/// Who asks for ordinary things meanwhile.
const CLIENTS: usize = 64;
/// A busy machine and detectors without optimisation.
const PATIENCE: Duration = Duration::from_secs(300);

/// What was not looked at holds.
const HOLDS_GAPS: &str =
    "extends = \"baseline\"\n[[rule]]\nid = \"contents-incomplete\"\naction = \"quarantine\"\n";

/// What exhausts whoever reads it, with the gap that it must end as.
fn bombs() -> Vec<(&'static str, &'static str, Vec<u8>)> {
    let zeros = zip::archive(&[zip::Member::deflated("0", &vec![0; 64 << 20])]);
    let (mut headers, mut size) = (Vec::new(), 512_usize);
    for _ in 0..2_000 {
        headers.push(tar::header("a.tar", format!("{size:011o}").as_bytes(), b'0', ""));
        size += 512 + 1024;
    }
    let mut nested: Vec<u8> = headers.into_iter().rev().flatten().collect();
    nested.resize(size, 0);
    let again = (0..200).fold(b"x".to_vec(), |inner, _| gzip_as(flate2::Compression::none(), &inner));
    vec![("zeros", "ratio", zeros), ("nested", "depth", nested), ("again", "depth", again)]
}

fn file_of(name: &str) -> String {
    format!("/npm/{name}/-/{name}-1.0.0.tgz")
}

/// The most memory that any worker ever had, looked at as long as `over` is not set.
fn watch(door: &TestDoor, over: &AtomicBool) -> u64 {
    let mut most = 0;
    while !over.load(Ordering::Relaxed) {
        for id in door.door.inspection.status().unwrap().processes {
            let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
            let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
            let kib: Option<u64> = peak.and_then(|rest| rest.split_whitespace().next()?.parse().ok());
            most = most.max(kib.unwrap_or(0) * 1024);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    most
}

/// Asks until the answer is not "ask again", and gives it.
fn settled(door: &TestDoor, target: &str) -> (u16, String) {
    let ends = Instant::now() + PATIENCE;
    loop {
        let answer = door.get(target);
        if answer.status != 503 {
            return (answer.status, answer.text());
        }
        assert!(answer.header("retry-after").is_some(), "{answer:?}");
        assert!(Instant::now() < ends, "{target}: {}", answer.text());
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn sixty_four_clients_are_served_while_bombs_are_looked_into() {
    let upstream = FakeUpstream::start();
    let bombs = bombs();
    for (name, _, bytes) in &bombs {
        upstream
            .publish(Package::npm(name, "1.0.0").published(&days_ago(90)).file("data.bin", bytes.clone()));
    }
    upstream.publish(Package::npm("alpha", "1.0.0").published(&days_ago(90)));
    for n in 0..CLIENTS {
        upstream.publish(Package::npm(&format!("fresh-{n}"), "1.0.0").published(&days_ago(90)));
    }
    let door = Setup::new(&upstream).policy(HOLDS_GAPS).open();
    assert_eq!(settled(&door, &file_of("alpha")).0, 200);
    let (over, served) = (AtomicBool::new(false), AtomicU64::new(0));
    let peak = std::thread::scope(|scope| {
        let watcher = scope.spawn(|| watch(&door, &over));
        let holders: Vec<_> =
            bombs.iter().map(|(name, _, _)| scope.spawn(|| settled(&door, &file_of(name)))).collect();
        let clients: Vec<_> = (0..CLIENTS)
            .map(|n| {
                let (door, over, served) = (&door, &over, &served);
                scope.spawn(move || {
                    // What is here is served, and what is new is looked into between the bombs.
                    assert_eq!(settled(door, &file_of(&format!("fresh-{n}"))).0, 200);
                    loop {
                        for target in ["/npm/alpha", &file_of("alpha")] {
                            let answer = door.get(target);
                            assert_eq!(answer.status, 200, "{target}: {}", answer.text());
                            served.fetch_add(1, Ordering::Relaxed);
                        }
                        if over.load(Ordering::Relaxed) {
                            return;
                        }
                        std::thread::sleep(Duration::from_millis(50));
                    }
                })
            })
            .collect();
        for (holder, (name, gap, _)) in holders.into_iter().zip(&bombs) {
            let (status, told) = holder.join().unwrap();
            assert_eq!(status, 403, "{name}: {told}");
            assert!(told.contains(gap), "{name} is held for what was not looked at: {told}");
        }
        // Also where the bombs were looked into before any client came to its turn.
        std::thread::sleep(Duration::from_millis(200));
        over.store(true, Ordering::Relaxed);
        clients.into_iter().for_each(|client| client.join().unwrap());
        watcher.join().unwrap()
    });
    assert!(served.load(Ordering::Relaxed) >= 2 * CLIENTS as u64);
    assert!(peak > 0 && peak <= MEMORY_BYTES, "a worker had {peak} bytes");
    let status = door.door.inspection.status().unwrap();
    assert_eq!((status.lost, status.busy), (0, 0), "{status:?}");
}

/// Kills every worker, again and again; how many it killed.
fn kill_until(over: &AtomicBool, door: &TestDoor) -> usize {
    /// As many are killed as soon as they are seen: on a fast machine all would be done before a pause ends.
    const AT_SIGHT: usize = 3;
    let mut killed = BTreeSet::new();
    while !over.load(Ordering::Relaxed) {
        for id in door.door.inspection.status().unwrap().processes {
            let pid = Pid::from_raw(i32::try_from(id).unwrap()).unwrap();
            if kill_process(pid, Signal::KILL).is_ok() {
                killed.insert(id);
            }
        }
        // Without optimisation a worker takes about as long to be ready as the longer pause.
        let pause = if killed.len() < AT_SIGHT { 2 } else { 400 };
        std::thread::sleep(Duration::from_millis(pause));
    }
    killed.len()
}

#[test]
fn nothing_passes_uninspected_while_workers_are_killed() {
    /// Of each kind.
    const PACKAGES: usize = 12;
    let upstream = FakeUpstream::start();
    let noise: Vec<u8> = (0..1_u64 << 18).map(|n| ((n * n) >> 7).to_le_bytes()[0]).collect();
    let mut disguised = b"\x7fELF\x02\x01\x01".to_vec();
    disguised.resize(400, 0);
    for n in 0..PACKAGES {
        let of = |name: String| {
            Package::npm(&name, "1.0.0").published(&days_ago(90)).file("data.bin", noise.clone())
        };
        upstream.publish(of(format!("good-{n}")));
        upstream.publish(of(format!("bad-{n}")).file("assets/logo.png", disguised.clone()));
    }
    let door = Setup::new(&upstream).open();
    let names: Vec<String> = (0..PACKAGES).flat_map(|n| [format!("good-{n}"), format!("bad-{n}")]).collect();
    let over = AtomicBool::new(false);
    let (answers, killed) = std::thread::scope(|scope| {
        let killer = scope.spawn(|| kill_until(&over, &door));
        let asked: Vec<_> = names.iter().map(|name| scope.spawn(|| settled(&door, &file_of(name)))).collect();
        let answers: Vec<(u16, String)> = asked.into_iter().map(|one| one.join().unwrap()).collect();
        over.store(true, Ordering::Relaxed);
        (answers, killer.join().unwrap())
    });
    let answers: BTreeMap<&str, (u16, String)> = names.iter().map(String::as_str).zip(answers).collect();
    for (name, (status, told)) in &answers {
        let (wanted, why) = if name.starts_with("good") { (200, "") } else { (403, "archive/type-mismatch") };
        assert_eq!(*status, wanted, "{name}: {told}");
        assert!(told.contains(why) || wanted == 200, "{name} is held for what is in it: {told}");
    }
    assert!(killed > 1, "{killed} workers were killed");
    assert_eq!(door.door.inspection.status().unwrap().done, names.len() as u64, "each was looked into once");
}
