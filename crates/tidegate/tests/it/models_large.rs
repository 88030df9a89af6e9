//! Large models at a door in a process of its own: killed while they arrive, and asked for by many.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};

use sha2::{Digest as _, Sha256};
use tidegate_testkit::process::{Home, Program, Running};
use tidegate_testkit::{FakeUpstream, HubFile};

use crate::models::{AT, FIRST, file, safetensors};
use crate::support::PATIENCE;

const MIB: usize = 1 << 20;

fn hub(model: Vec<u8>) -> FakeUpstream {
    let hub = FakeUpstream::start();
    let files = [("config.json", HubFile::small("{}")), ("x.safetensors", HubFile::large(model))];
    hub.catalog().commit("org/m", "main", (FIRST, AT), files);
    hub
}

/// A door that waits for as long as a transfer takes.
fn start(home: &Home, hub: &FakeUpstream, data: &Path) -> (Running, SocketAddr) {
    let config = home.path().join("tidegate.toml");
    let text = format!(
        "[server]\nlisten = \"127.0.0.1:0\"\n[upstream]\nhold_seconds = 300\n[intel]\nsync = false\n\
         [[repository.huggingface.upstream]]\nurl = \"{}\"\n",
        hub.hub_url()
    );
    std::fs::write(&config, text).unwrap();
    let mut door = Program::new(env!("CARGO_BIN_EXE_tidegate"), home)
        .args(["up", "--config"])
        .arg(&config)
        .arg("--data")
        .arg(data)
        .spawn();
    let line = door.wait_for_line("is open on", PATIENCE);
    let address = line.split("http://").nth(1).unwrap().split('/').next().unwrap().parse().unwrap();
    (door, address)
}

/// Status, length and digest of an answer; none where the door went away.
fn download(address: SocketAddr) -> Option<(String, usize, [u8; 32])> {
    let mut hasher = Sha256::new();
    let (status, length) = receive(address, |bytes| hasher.update(bytes))?;
    Some((status, length, hasher.finalize().into()))
}

/// Status and length of an answer, whose body is handed on; none where the door went away.
fn receive(address: SocketAddr, mut body: impl FnMut(&[u8])) -> Option<(String, usize)> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(600))).ok()?;
    let target = file("main", "x.safetensors");
    write!(stream, "GET {target} HTTP/1.1\r\nHost: door.test\r\nConnection: close\r\n\r\n").ok()?;
    let (mut head, mut length, mut begun) = (Vec::new(), 0, false);
    let mut buffer = vec![0; 256 << 10];
    loop {
        let count = stream.read(&mut buffer).ok()?;
        if count == 0 {
            break;
        }
        if begun {
            length += count;
            body(&buffer[..count]);
            continue;
        }
        head.extend_from_slice(&buffer[..count]);
        if let Some(end) = head.windows(4).position(|window| window == b"\r\n\r\n") {
            begun = true;
            let rest = head.split_off(end + 4);
            length += rest.len();
            body(&rest);
        }
    }
    let status = String::from_utf8_lossy(head.split(|byte| *byte == b'\r').next()?).into_owned();
    Some((status, length))
}

/// Every file of the store is whole, and nothing half written lies there.
fn nothing_is_half(blobs: &Path) {
    let mut waiting = vec![blobs.join("sha256")];
    while let Some(folder) = waiting.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            if entry.file_type().unwrap().is_dir() {
                waiting.push(entry.path());
                continue;
            }
            let found = hex::encode(Sha256::digest(std::fs::read(entry.path()).unwrap()));
            assert_eq!(found, entry.file_name().to_string_lossy(), "a blob is whole or absent");
        }
    }
}

#[test]
fn a_door_killed_while_a_model_arrives_has_it_whole_or_not_at_all() {
    let model = safetensors(9, 96 * MIB);
    let expected: [u8; 32] = Sha256::digest(&model).into();
    let length = model.len();
    let (hub, home, data) = (hub(model), Home::new(), tempfile::tempdir().unwrap());
    for round in 0..8_u64 {
        let (mut door, address) = start(&home, &hub, data.path());
        let before = hub.count("/cdn/");
        let client = std::thread::spawn(move || download(address));
        let until = Instant::now() + PATIENCE;
        while hub.count("/cdn/") == before && !client.is_finished() && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(1));
        }
        // Moments in the transfer, in the look into it, and behind both.
        std::thread::sleep(Duration::from_millis(round * round * 12));
        door.signal(9);
        door.wait(PATIENCE).expect("a killed process ends");
        if let Some((status, got, digest)) = client.join().unwrap()
            && got == length
        {
            assert_eq!((status.as_str(), digest), ("HTTP/1.1 200 OK", expected), "round {round}");
        }
        nothing_is_half(&data.path().join("blobs"));
    }
    let (_door, address) = start(&home, &hub, data.path());
    let (status, got, digest) = download(address).unwrap();
    assert_eq!((status.as_str(), got, digest), ("HTTP/1.1 200 OK", length, expected));
    nothing_is_half(&data.path().join("blobs"));
}

/// Resident memory of a process that no file backs, in MiB.
fn own_memory(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("RssAnon:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}

#[test]
#[ignore = "moves 64 GB through loopback: run it by hand"]
fn sixty_four_clients_on_one_gigabyte_are_one_request() {
    let model = safetensors(9, 1 << 30);
    let expected: [u8; 32] = Sha256::digest(&model).into();
    let (hub, home, data) = (hub(model), Home::new(), tempfile::tempdir().unwrap());
    let (door, address) = start(&home, &hub, data.path());
    let before = own_memory(door.id());
    let first = std::thread::spawn(move || download(address));
    // To count is enough for the others: what is sent is the same map.
    let clients: Vec<_> = (1..64).map(|_| std::thread::spawn(move || receive(address, |_| {}))).collect();
    let mut most = before;
    while clients.iter().any(|client| !client.is_finished()) {
        most = most.max(own_memory(door.id()));
        std::thread::sleep(Duration::from_millis(20));
    }
    let (status, length, digest) = first.join().unwrap().unwrap();
    assert_eq!((status.as_str(), digest), ("HTTP/1.1 200 OK", expected));
    for client in clients {
        assert_eq!(client.join().unwrap().unwrap(), (status.clone(), length));
    }
    assert_eq!(hub.count("/cdn/"), 1);
    println!("memory of its own grew by {} MiB", most - before);
    assert!(most - before <= 64, "grew by {} MiB", most - before);
}
