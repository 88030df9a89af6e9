//! Workers that do not do what they should. Each costs the artifact that it was given, and nothing else.

use std::io::{Read as _, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use tidegate::inspection::wire::{self, Answer, Hello, JobHead, PROTOCOL, Reply, Request};
use tidegate::inspection::{Limits, Loss};

use super::{TestPool, done, lost};

/// Limits that a test can wait for.
fn short() -> Limits {
    Limits { cpu: Duration::from_millis(400), start: Duration::from_secs(5), ..Limits::default() }
}

/// What a worker does with the artifact called `bad`.
type Part = fn(&mut UnixStream, &JobHead);

/// A worker that does its part with every `bad` artifact, and answers for every other.
fn play(part: Part) {
    let Some(mut door) = door() else { return };
    let (Request::Start(_), _) = wire::receive(&mut door).unwrap() else { return };
    say(&mut door, &hello(PROTOCOL));
    while let Ok((Request::Job(job), _)) = wire::receive(&mut door) {
        if job.name == "bad" {
            part(&mut door, &job);
        } else {
            say(&mut door, &answer(&job));
            wire::write_body(&mut door, b"fine").unwrap();
        }
    }
}

/// The socket that a pool hands over; none where a person runs the ignored tests.
fn door() -> Option<UnixStream> {
    let input = std::io::stdin().as_fd().try_clone_to_owned().ok()?;
    rustix::net::getsockname(&input).ok()?;
    Some(input.into())
}

fn say(door: &mut UnixStream, reply: &Reply) {
    door.write_all(&wire::frame(reply).unwrap()).unwrap();
}

fn hello(protocol: u32) -> Reply {
    let program = env!("CARGO_PKG_VERSION").to_owned();
    Reply::Hello(Hello { protocol, program, confinement: wire::Confinement::default() })
}

fn answer(job: &JobHead) -> Reply {
    Reply::Answer(Answer {
        job: job.job,
        digest: job.digest,
        cpu_micros: u64::MAX,
        peak_bytes: 0,
        own_bytes: 0,
    })
}

macro_rules! parts {
    ($($name:ident = $part:expr;)*) => {
        $(
            #[test]
            #[ignore = "a pool starts it as a worker"]
            fn $name() {
                play($part);
            }
        )*
    };
}

parts! {
    answers_for_another_job = |door, job| {
        say(door, &answer(&JobHead { job: job.job + 1, ..job.clone() }));
        wire::write_body(door, b"fine").unwrap();
    };
    answers_for_another_artifact = |door, job| {
        say(door, &answer(&JobHead { digest: tidegate_model::Sha256::new([7; 32]), ..job.clone() }));
        wire::write_body(door, b"fine").unwrap();
    };
    says_hello_again = |door, _| say(door, &hello(PROTOCOL));
    promises_four_gigabytes = |door, _| door.write_all(&[0xff; 4]).unwrap();
    answers_too_much = |door, job| {
        say(door, &answer(job));
        door.write_all(&(8_u32 << 20 | 1).to_be_bytes()).unwrap();
    };
    writes_garbage = |door, _| wire::write_body(door, br#"{"message":"secret words"#).unwrap();
    stops_half_way = |door, job| {
        say(door, &answer(job));
        door.write_all(&[0, 0, 1, 0, b'h', b'a']).unwrap();
        std::process::exit(0);
    };
    ends = |_, _| std::process::exit(3);
    aborts = |_, _| std::process::abort();
    hangs = |_, _| std::thread::sleep(Duration::from_secs(600));
    hangs_up_but_stays = |door, _| {
        door.shutdown(std::net::Shutdown::Both).unwrap();
        std::thread::sleep(Duration::from_secs(600));
    };
    drips = |door, _| {
        let mut frame = wire::frame(&hello(PROTOCOL)).unwrap();
        frame[1] = 0x0f;
        loop {
            frame.iter().for_each(|byte| {
                let _given_up = door.write_all(&[*byte]);
                std::thread::sleep(Duration::from_millis(20));
            });
        }
    };
    floods = |_, _| loop {
        let _given_up = std::io::stderr().write_all(&[b'x'; 4096]);
    };
    mutters = |door, job| {
        eprintln!("memory allocation of secrets");
        say(door, &answer(job));
        wire::write_body(door, b"fine").unwrap();
    };
}

#[test]
#[ignore = "a pool starts it as a worker"]
fn is_of_another_version() {
    let Some(mut door) = door() else { return };
    let _start = wire::receive::<Request>(&mut door).unwrap();
    say(&mut door, &hello(PROTOCOL + 1));
    let _ended = door.read(&mut [0]);
}

#[test]
#[ignore = "a pool starts it as a worker"]
fn never_says_hello() {
    let Some(mut door) = door() else { return };
    let _ended = door.read_to_end(&mut Vec::new());
    std::thread::sleep(Duration::from_secs(600));
}

#[test]
#[ignore = "a pool starts it as a worker"]
fn does_not_read() {
    let Some(mut door) = door() else { return };
    let _start = wire::receive::<Request>(&mut door).unwrap();
    say(&mut door, &hello(PROTOCOL));
    std::thread::sleep(Duration::from_secs(600));
}

/// The artifact before and the one behind are answered; the one between is lost in this way.
#[track_caller]
fn costs_only_its_artifact(part: &str, kind: Loss, words: &str, workers: u64) {
    let pool = TestPool::played_by(&format!("inspection::liars::{part}"), short());
    assert_eq!(done(pool.inspect("before", b"x")).0, b"fine");
    let (found, why) = lost(pool.inspect("bad", b"x"));
    assert_eq!(found, kind, "{why}");
    assert!(why.contains(words) && !why.contains("secret"), "{why}");
    assert_eq!(done(pool.inspect("behind", b"x")).0, b"fine");
    let status = pool.pool.status();
    assert_eq!((status.done, status.lost, status.started), (2, workers, workers + 1), "{status:?}");
    assert_eq!(status.gaps[kind.as_str()], 1);
}

#[test]
fn an_answer_for_something_else_is_a_gap() {
    costs_only_its_artifact("answers_for_another_job", Loss::Protocol, "for another artifact", 1);
    costs_only_its_artifact("answers_for_another_artifact", Loss::Protocol, "for another artifact", 1);
    costs_only_its_artifact("says_hello_again", Loss::Protocol, "what it was not asked", 1);
}

#[test]
fn an_answer_that_is_too_long_is_a_gap_before_it_is_read() {
    costs_only_its_artifact("promises_four_gigabytes", Loss::AnswerTooLarge, "4294967295 bytes", 1);
    costs_only_its_artifact("answers_too_much", Loss::AnswerTooLarge, "8388609 bytes", 1);
}

#[test]
fn an_answer_that_is_none_is_a_gap() {
    costs_only_its_artifact("writes_garbage", Loss::Protocol, "cannot be read: line 1", 1);
}

#[test]
fn a_worker_that_ends_is_given_one_more_try() {
    costs_only_its_artifact("stops_half_way", Loss::Exited, "status 0", 2);
    costs_only_its_artifact("ends", Loss::Exited, "status 3", 2);
    costs_only_its_artifact("aborts", Loss::Crashed, "signal 6", 2);
}

#[test]
fn a_worker_that_hangs_is_given_up() {
    costs_only_its_artifact("hangs", Loss::TimedOut, "inspection timed out", 1);
    costs_only_its_artifact("drips", Loss::TimedOut, "inspection timed out", 1);
}

#[test]
fn a_worker_that_hangs_up_and_stays_is_ended() {
    costs_only_its_artifact("hangs_up_but_stays", Loss::Protocol, "hung up", 1);
}

#[test]
fn a_worker_that_floods_its_standard_error_is_ended() {
    costs_only_its_artifact("floods", Loss::Protocol, "floods", 1);
}

#[test]
fn what_a_worker_says_on_standard_error_changes_nothing() {
    let pool = TestPool::played_by("inspection::liars::mutters", short());
    assert_eq!(done(pool.inspect("bad", b"x")).0, b"fine");
    assert_eq!(pool.pool.status().lost, 0);
}

#[test]
fn a_worker_of_another_version_gets_no_artifact() {
    let pool = TestPool::played_by("inspection::liars::is_of_another_version", short());
    let (kind, why) = lost(pool.inspect("good", b"x"));
    assert_eq!(kind, Loss::NotStarted);
    assert!(why.contains("another version"), "{why}");
    assert_eq!(pool.pool.status().degraded, [why]);
}

#[test]
fn a_worker_that_is_never_ready_is_given_up() {
    let limits = Limits { start: Duration::from_millis(500), ..short() };
    let pool = TestPool::played_by("inspection::liars::never_says_hello", limits);
    assert_eq!(lost(pool.inspect("good", b"x")).0, Loss::NotStarted);
}

#[test]
fn a_worker_that_takes_no_job_is_given_up() {
    let pool = TestPool::played_by("inspection::liars::does_not_read", short());
    assert_eq!(lost(pool.inspect("good", b"x")).0, Loss::TimedOut);
    // Also one whose socket is full.
    let limits = Limits { start: Duration::from_secs(2), ..short() };
    let pool = TestPool::played_by("inspection::liars::does_not_read", limits);
    let mut job = pool.job("good", b"x");
    job.head = "x".repeat(900 << 10).into();
    assert_eq!(lost(pool.run(job)).0, Loss::Protocol);
}
