//! Many clients on one file that is not here yet, at a door in a process of its own.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use tidegate_testkit::process::{Home, Program};
use tidegate_testkit::{FakeUpstream, Package};

use crate::support::PATIENCE;

const CLIENTS: usize = 200;
const MIB: u64 = 1 << 20;

/// Resident memory of a process, in bytes.
fn memory(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|l| l.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}

/// Bytes of the body; the answer is not kept.
fn download(address: SocketAddr) -> usize {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(150))).unwrap();
    let target = "/npm/large/-/large-1.0.0.tgz";
    write!(stream, "GET {target} HTTP/1.1\r\nHost: door.test\r\nConnection: close\r\n\r\n").unwrap();
    let mut buffer = vec![0; 64 * 1024];
    let mut head = 0;
    let mut total = 0;
    loop {
        let count = stream.read(&mut buffer).unwrap();
        if total == 0 {
            assert!(buffer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&buffer[..count]));
            head = buffer[..count].windows(4).position(|w| w == b"\r\n\r\n").unwrap() + 4;
        }
        if count == 0 {
            return total - head;
        }
        total += count;
    }
}

#[test]
fn two_hundred_clients_on_one_cold_file_are_one_upstream_request() {
    let upstream = FakeUpstream::start();
    let file = upstream.publish(Package::npm("large", "1.0.0").padded(50 << 20)).remove(0);
    let home = Home::new();
    let config = home.path().join("tidegate.toml");
    let text = format!(
        "[server]\nlisten = \"127.0.0.1:0\"\n[[repository.npm.upstream]]\nurl = \"{}\"\n",
        upstream.npm_url()
    );
    std::fs::write(&config, text).unwrap();
    let mut running = Program::new(env!("CARGO_BIN_EXE_tidegate"), &home)
        .args(["up", "--config"])
        .arg(&config)
        .arg("--data")
        .arg(home.path().join("d"))
        .spawn();
    let line = running.wait_for_line("is open on", PATIENCE);
    let address =
        line.split("http://").nth(1).unwrap().split('/').next().unwrap().parse::<SocketAddr>().unwrap();
    let pid = running.id();
    let before = memory(pid);
    let clients: Vec<_> = (0..CLIENTS).map(|_| std::thread::spawn(move || download(address))).collect();
    let mut most = before;
    while clients.iter().any(|c| !c.is_finished()) {
        most = most.max(memory(pid));
        std::thread::sleep(Duration::from_millis(5));
    }
    for client in clients {
        assert_eq!(client.join().unwrap(), file.bytes.len());
    }
    let grown = most - before;
    println!("grew by {} MiB", grown / MIB);
    assert_eq!(upstream.count(".tgz"), 1);
    assert_eq!(upstream.requests().iter().filter(|r| r.path == "/npm/large").count(), 1);
    // Everybody shares one map of the file, and its pages are given back while it is served.
    assert!(grown <= 64 * MIB, "grew by {} MiB", grown / MIB);
}
