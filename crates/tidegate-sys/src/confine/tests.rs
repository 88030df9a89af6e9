//! Each case runs in a process of its own, which it then closes in for good.

use std::collections::HashMap;
use std::fs::File;
use std::io::{Read as _, Seek as _, Write as _};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, Output};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use super::*;
use crate::map::FileBytes;
use crate::residency;

const CASE: &str = "TIDEGATE_SYS_CASE";

const BOUNDS: Bounds = Bounds { data_bytes: 96 << 20, file_bytes: 1 << 20, open_files: 32 };

type Case = fn(&Means);

/// What a child does once it is closed in.
const CASES: &[(&str, Case)] = &[
    ("prove", |_| ()),
    ("work", |means| work(&mut means.scratch.try_clone().unwrap())),
    ("files", |means| files(&means.scratch)),
    ("network", |_| network()),
    ("executable", |_| executable()),
    ("shared", |_| shared()),
    ("hog", |_| hog()),
    ("long file", |means| long_file(&mut means.scratch.try_clone().unwrap())),
    ("program", |_| drop(Command::new("true").status())),
    ("thread", |_| drop(std::thread::Builder::new().spawn(|| ()))),
    ("overflow", |_| assert_ne!(overflow(&[0; 1024]), 1)),
    ("large map", large_map),
];

/// What is opened before.
struct Means {
    scratch: File,
    large: File,
    taken: Option<residency::Taken>,
}

#[test]
#[ignore = "the other tests of this module run it in a process of its own"]
fn child() {
    let Ok(name) = std::env::var(CASE) else { return };
    let case = CASES.iter().find(|(case, _)| *case == name).unwrap().1;
    let mut means = Means {
        scratch: tempfile::tempfile().unwrap(),
        large: tempfile::tempfile().unwrap(),
        taken: residency::Taken::open().ok(),
    };
    if name == "large map" {
        for _ in 0..LARGE_MIB {
            means.large.write_all(&vec![7; 1 << 20]).unwrap();
        }
        residency::keep_below(SEEN_BYTES).unwrap();
    }
    let enclosure = enclose(&BOUNDS);
    // A thread from between the steps lives under both.
    let (sender, receiver) = mpsc::channel::<()>();
    let other = std::thread::spawn(move || {
        let _told = receiver.recv();
        std::net::UdpSocket::bind("127.0.0.1:0").is_err()
    });
    let confinement = enclosure.seal();
    println!("\nCONFINED {confinement:?} whole={}", confinement.is_whole());
    case(&means);
    drop(sender);
    println!("DONE other={}", other.join().unwrap());
}

fn run(case: &str) -> Output {
    Command::new(std::env::current_exe().unwrap())
        .args(["confine::tests::child", "--exact", "--ignored", "--nocapture", "--test-threads=1"])
        .env(CASE, case)
        .output()
        .unwrap()
}

/// Whether this kernel has what the tests are about.
fn whole(output: &Output) -> bool {
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().find(|line| line.starts_with("CONFINED ")).unwrap_or_default();
    let whole = line.contains("whole=true");
    if !whole {
        eprintln!("SKIPPED: THIS KERNEL CANNOT CONFINE A PROCESS WHOLLY: {line}");
    }
    whole
}

/// The child did what it was to do, and came to its end.
#[track_caller]
fn passes(case: &str) {
    let output = run(case);
    if whole(&output) {
        let text = String::from_utf8_lossy(&output.stdout);
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}: {text} {error}", output.status);
        assert!(text.contains("DONE other=true"), "{text} {error}");
    }
}

/// The child was ended by a signal.
#[track_caller]
fn dies(case: &str, signal: i32, words: &str) {
    let output = run(case);
    if whole(&output) {
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.signal(), Some(signal), "{}: {error}", output.status);
        assert!(error.contains(words), "{error}");
    }
}

#[test]
fn the_proof_holds_where_the_kernel_has_landlock_and_seccomp() {
    let output = run("prove");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}");
    if cfg!(target_os = "linux") {
        assert!(text.contains("limits: true") && text.contains("unprivileged: true"), "{text}");
    }
    passes("prove");
}

#[test]
fn without_confinement_nothing_is_refused() {
    // The proof must be able to fail: here it runs in a process that may do everything.
    assert!(!Probe::before().files_are_refused());
    assert!(!proof::sockets_are_refused());
    assert!(!Confinement::default().is_whole());
}

#[test]
fn what_reading_takes_still_works() {
    passes("work");
}

fn work(scratch: &mut File) {
    let started = Instant::now();
    scratch.write_all(&[1; 5000]).unwrap();
    scratch.rewind().unwrap();
    let mut bytes = Vec::new();
    scratch.read_to_end(&mut bytes).unwrap();
    let mapped = FileBytes::map_immutable(scratch).unwrap();
    assert_eq!(mapped[..], bytes[..]);
    drop(mapped);
    scratch.set_len(0).unwrap();
    let copy = scratch.try_clone().unwrap();
    assert!(FileBytes::map_immutable(&copy).unwrap().is_empty());
    let map: HashMap<u32, Vec<u8>> = (0..64).map(|n| (n, vec![1; 1 << 19])).collect();
    assert_eq!(map.values().map(Vec::len).sum::<usize>(), 32 << 20);
    drop(map);
    let mut grown = Vec::new();
    (0..40 << 20).for_each(|n: u32| grown.push(n.to_le_bytes()[0]));
    assert!(grown.len() > 1);
    let quiet = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| ()));
    assert!(std::panic::catch_unwind(|| Vec::<u8>::new()[grown.len()]).is_err());
    std::panic::set_hook(quiet);
    std::thread::sleep(Duration::from_millis(1));
    assert!(started.elapsed() >= Duration::from_millis(1));
    assert!(residency::Taken::open().is_err(), "it is a file like any other");
}

#[test]
fn no_file_can_be_opened_made_or_looked_at() {
    passes("files");
}

fn files(scratch: &File) {
    let denied = |result: std::io::Result<()>| {
        assert_eq!(result.unwrap_err().kind(), std::io::ErrorKind::PermissionDenied);
    };
    denied(File::open("/etc/passwd").map(drop));
    denied(File::open("/dev/null").map(drop));
    denied(std::fs::read_dir("/").map(drop));
    denied(std::fs::metadata("/").map(drop));
    denied(std::fs::create_dir(std::env::temp_dir().join("x")));
    denied(std::fs::remove_file("/etc/passwd"));
    denied(std::fs::rename("/etc/passwd", "/etc/y"));
    denied(std::fs::read_link("/proc/self/exe").map(drop));
    // Nor in a way that goes around the library.
    let root = rustix::fs::openat2(
        scratch,
        "/",
        rustix::fs::OFlags::RDONLY,
        rustix::fs::Mode::empty(),
        rustix::fs::ResolveFlags::empty(),
    );
    assert!(root.is_err());
    let unnamed = rustix::fs::memfd_create("x", rustix::fs::MemfdFlags::empty());
    assert!(unnamed.is_err(), "it would be memory that no limit counts");
}

#[test]
fn no_socket_of_any_kind_can_be_had() {
    passes("network");
}

fn network() {
    use rustix::net::{AddressFamily, SocketFlags, SocketType, socket, socketpair};
    let families = [
        AddressFamily::INET,
        AddressFamily::INET6,
        AddressFamily::UNIX,
        AddressFamily::NETLINK,
        AddressFamily::PACKET,
    ];
    for family in families {
        for kind in [SocketType::STREAM, SocketType::DGRAM, SocketType::RAW, SocketType::SEQPACKET] {
            assert_eq!(
                socket(family, kind, None).unwrap_err(),
                rustix::io::Errno::PERM,
                "{family:?} {kind:?}"
            );
        }
    }
    let pair = socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::empty(), None);
    assert_eq!(pair.unwrap_err(), rustix::io::Errno::PERM);
}

#[test]
fn no_memory_can_be_made_executable() {
    passes("executable");
}

#[expect(unsafe_code, reason = "the mapping fails, and is not used")]
fn executable() {
    use rustix::mm::{MapFlags, MprotectFlags, ProtFlags, mmap_anonymous, mprotect};
    let prot = ProtFlags::READ | ProtFlags::WRITE;
    // SAFETY: a mapping at an address that the kernel chooses touches no other.
    let executable =
        unsafe { mmap_anonymous(std::ptr::null_mut(), 4096, prot | ProtFlags::EXEC, MapFlags::PRIVATE) };
    assert_eq!(executable.unwrap_err(), rustix::io::Errno::PERM);
    // SAFETY: as above.
    let ordinary = unsafe { mmap_anonymous(std::ptr::null_mut(), 4096, prot, MapFlags::PRIVATE) }.unwrap();
    // SAFETY: the page was mapped above and nothing refers to it.
    let changed = unsafe { mprotect(ordinary, 4096, MprotectFlags::READ | MprotectFlags::EXEC) };
    assert_eq!(changed.unwrap_err(), rustix::io::Errno::PERM);
}

#[test]
fn no_memory_can_be_had_that_the_limit_does_not_count() {
    passes("shared");
}

#[expect(unsafe_code, reason = "the mapping fails, and is not used")]
fn shared() {
    use rustix::mm::{MapFlags, ProtFlags, mmap_anonymous};
    let prot = ProtFlags::READ | ProtFlags::WRITE;
    // SAFETY: a mapping at an address that the kernel chooses touches no other.
    let shared = unsafe { mmap_anonymous(std::ptr::null_mut(), 4096, prot, MapFlags::SHARED) };
    assert_eq!(shared.unwrap_err(), rustix::io::Errno::PERM);
}

#[test]
fn memory_ends_at_its_limit() {
    dies("hog", 6, "memory allocation of ");
}

fn hog() {
    let hoard: Vec<Vec<u8>> = (0..1024).map(|n| vec![u8::from(n > 0) + 1; 1 << 20]).collect();
    assert!(hoard.is_empty(), "it should not have come to this");
}

#[test]
fn a_file_ends_at_its_limit() {
    dies("long file", 25, "");
}

fn long_file(scratch: &mut File) {
    let _cut_off = scratch.write_all(&vec![0; 2 << 20]);
    let _ends_here = scratch.write_all(&[0]);
}

#[test]
fn starting_a_program_or_a_thread_ends_the_process() {
    dies("program", 31, "");
    dies("thread", 31, "");
}

#[test]
fn an_overflowing_stack_says_so() {
    dies("overflow", 6, "has overflowed its stack");
}

/// Depth without end that the compiler cannot turn into a loop.
fn overflow(above: &[u8; 1024]) -> usize {
    let mut frame = *above;
    frame[usize::from(above[0])] = frame[1].wrapping_add(1);
    if std::hint::black_box(&mut frame)[2] == 1 {
        return 2;
    }
    overflow(&frame) + usize::from(frame[2])
}

/// Size of the map, and of the memory that may be seen meanwhile.
const LARGE_MIB: usize = 192;
const SEEN_BYTES: u64 = 64 << 20;

#[test]
fn a_map_larger_than_the_memory_is_given_back_while_it_is_read() {
    passes("large map");
}

fn large_map(means: &Means) {
    let mapped = FileBytes::map_immutable(&means.large).unwrap();
    for _ in 0..8 {
        assert!(!mapped.contains(&8) && mapped.contains(&7));
    }
    let taken = means.taken.as_ref().unwrap();
    let most = taken.peak_bytes().unwrap();
    assert!(most < SEEN_BYTES + (80 << 20), "{most} bytes were in memory");
    assert!(most > 32 << 20, "{most} bytes: too few to have been measured");
    assert!(taken.own_bytes().unwrap() < taken.bytes().unwrap());
}
