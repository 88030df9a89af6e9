//! What an inspector cannot do, by an inspector that tries. It runs in a worker as the product makes it.

use std::fs::File;
use std::io::{Read as _, Seek as _, Write as _};
use std::net::{TcpStream, UdpSocket};
use std::os::fd::AsFd as _;
use std::time::Duration;

use serde_json::{Value, json};
use tidegate::inspection::wire::JobHead;
use tidegate::inspection::{Inspector, Limits, Loss, worker};
use tidegate_inspect::Scratch;

use super::{TestPool, done, lost};

/// Does what the artifact's name says.
struct Naughty;

impl Inspector for Naughty {
    fn inspect(&self, job: &JobHead, bytes: &[u8], scratch: &dyn Scratch) -> Vec<u8> {
        match &*job.name {
            "open" => return open(&job.head).to_string().into_bytes(),
            "memory" => assert_ne!((1..512_u64).map(|n| hoard(n).len()).sum::<usize>(), 1),
            "cpu" => spin(),
            "stack" => assert_ne!(deep(&[1; 512]), 1),
            "file" => {
                let mut file = scratch.file().unwrap();
                (0..64).for_each(|_| drop(file.write_all(&[1; 1 << 20])));
            }
            "panic" => panic!("{}", String::from_utf8_lossy(bytes)),
            "program" => drop(std::process::Command::new("true").status()),
            "answer" => return vec![0; 9 << 20],
            "leave" => {
                let mut file = scratch.file().unwrap();
                file.write_all(bytes).unwrap();
            }
            "find" => return find(scratch),
            _ => {}
        }
        b"fine".to_vec()
    }
}

/// Memory that is kept for good.
fn hoard(n: u64) -> &'static mut [u8] {
    Box::leak(vec![n.to_le_bytes()[0] | 1; 1 << 20].into_boxed_slice())
}

fn spin() {
    for n in 0_u64.. {
        std::hint::black_box(n);
    }
}

fn deep(above: &[u8; 512]) -> usize {
    let mut frame = *above;
    if std::hint::black_box(&mut frame)[0] == 0 {
        return 1;
    }
    deep(&frame) + usize::from(frame[1])
}

/// Tries to open what the head names, and tells what came of each.
fn open(head: &Value) -> Value {
    let text = |key: &str| head[key].as_str().unwrap();
    let said = |result: std::io::Result<()>| result.map_err(|error| error.kind().to_string()).err();
    json!({
        "file": said(File::open(text("file")).map(drop)),
        "new file": said(File::create(text("new file")).map(drop)),
        "tcp": said(TcpStream::connect(text("tcp")).map(drop)),
        "udp": said(UdpSocket::bind("127.0.0.1:0").map(drop)),
        "environment": std::env::vars().count(),
    })
}

/// What there is in every scratch file.
fn find(scratch: &dyn Scratch) -> Vec<u8> {
    let mut found = Vec::new();
    while let Ok(mut file) = scratch.file() {
        file.rewind().unwrap();
        file.read_to_end(&mut found).unwrap();
    }
    found
}

#[test]
#[ignore = "a pool starts it as a worker"]
fn naughty() {
    if rustix::net::getsockname(std::io::stdin().as_fd()).is_ok() {
        worker::run(Naughty);
    }
}

fn pool() -> TestPool {
    // On a busy machine one second of CPU time takes long.
    let limits =
        Limits { cpu: Duration::from_secs(1), wall_per_cpu: 60, file_bytes: 8 << 20, ..Limits::default() };
    TestPool::played_by("inspection::confined::naughty", limits)
}

/// Whether the kernel has what the test is about.
fn confined(pool: &TestPool) -> bool {
    done(pool.inspect("nothing", b"x"));
    let confinement = pool.pool.status().confinement.unwrap();
    if !confinement.missing.is_empty() {
        eprintln!("SKIPPED: THIS KERNEL CANNOT CONFINE A WORKER WHOLLY: {:?}", confinement.missing);
    }
    confinement.missing.is_empty()
}

#[test]
fn a_worker_opens_neither_a_foreign_file_nor_a_socket() {
    let pool = pool();
    if !confined(&pool) {
        return;
    }
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let (file, new) = (pool.folder.path().join("secret"), pool.folder.path().join("new"));
    std::fs::write(&file, "secret").unwrap();
    let mut job = pool.job("open", b"x");
    job.head = json!({ "file": file, "new file": new, "tcp": listener.local_addr().unwrap().to_string() });
    // All of it is possible here.
    let here = open(&job.head);
    assert_eq!(
        (&here["file"], &here["new file"], &here["tcp"], &here["udp"]),
        (&Value::Null, &Value::Null, &Value::Null, &Value::Null)
    );
    std::fs::remove_file(&new).unwrap();
    let there: Value = serde_json::from_slice(&done(pool.run(job)).0).unwrap();
    let refused = "permission denied";
    assert_eq!(
        there,
        json!({ "file": refused, "new file": refused, "tcp": refused, "udp": refused, "environment": 0 })
    );
    assert!(!new.exists());
}

#[track_caller]
fn costs_only_its_artifact(name: &str, kind: Loss, words: &str, workers: u64) {
    let pool = pool();
    if !confined(&pool) {
        return;
    }
    let (found, why) = lost(pool.inspect(name, b"secret"));
    assert_eq!(found, kind, "{why}");
    assert!(why.contains(words) && !why.contains("secret"), "{why}");
    assert_eq!(done(pool.inspect("behind", b"x")).0, b"fine");
    assert_eq!(pool.pool.status().lost, workers);
}

#[test]
fn memory_beyond_the_limit_is_a_gap() {
    // The worker had looked into something before, and may have kept too much of that: a new one tries, and fails as well.
    costs_only_its_artifact("memory", Loss::Memory, "more memory", 2);
}

#[test]
fn cpu_time_beyond_the_limit_is_a_gap() {
    costs_only_its_artifact("cpu", Loss::CpuTime, "more CPU time", 1);
}

#[test]
fn a_stack_that_overflows_is_a_gap() {
    costs_only_its_artifact("stack", Loss::Stack, "nested deeper", 1);
}

#[test]
fn a_file_beyond_the_limit_is_a_gap() {
    costs_only_its_artifact("file", Loss::FileSize, "larger file", 1);
}

#[test]
fn a_fault_of_the_inspector_is_a_gap_that_quotes_nothing() {
    costs_only_its_artifact("panic", Loss::Panicked, "inspection/confined.rs:", 1);
}

#[test]
fn starting_a_program_is_a_gap() {
    costs_only_its_artifact("program", Loss::SystemCall, "system call", 1);
}

#[test]
fn an_answer_beyond_the_limit_is_a_gap() {
    costs_only_its_artifact("answer", Loss::AnswerTooLarge, "9437184 bytes", 1);
}

#[test]
fn nothing_of_one_artifact_is_left_for_the_next() {
    let pool = pool();
    assert_eq!(done(pool.inspect("leave", b"secret")).0, b"fine");
    assert_eq!(done(pool.inspect("find", b"x")).0, b"");
    assert_eq!(pool.pool.status().started, 1, "it was the same worker");
    let scratch = std::fs::read_dir(pool.folder.path().join("scratch")).unwrap();
    assert_eq!(scratch.count(), 0, "scratch files have no names");
}
