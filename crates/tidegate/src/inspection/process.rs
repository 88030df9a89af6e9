//! One worker process, as the door sees it.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec};

use super::limits::Limits;
use super::pool::{Loss, Usage, WorkerCommand};
use super::wire::{
    self, Answer, Confinement, JobHead, MESSAGE_BYTES, PROTOCOL, Reply, Request, Start, WireError,
};

/// Time between two looks whether the pool is to stop.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Time that a worker gets to end after it has closed its socket.
const END_WITHIN: Duration = Duration::from_secs(2);

/// Bytes of standard error that are looked at for words of the allocator and of the guard of the stack.
const WORDS_BYTES: usize = 1 << 10;

/// A worker that is lost, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Lost {
    pub(super) loss: Loss,
    pub(super) why: String,
}

impl Lost {
    pub(super) fn new(loss: Loss, why: impl Into<String>) -> Self {
        Self { loss, why: why.into() }
    }
}

/// A running worker. Dropping it ends it, and waits for its end.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    door: UnixStream,
    noise: Noise,
    limits: Limits,
    started: Instant,
    jobs: u32,
    /// What it used by its own account, as far as that can be true.
    cpu: Duration,
    own_bytes: u64,
    pub(super) confinement: Confinement,
}

/// What a worker writes to standard error: counted, thrown away, and its beginning looked at when it dies.
#[derive(Debug)]
struct Noise {
    from: Option<ChildStderr>,
    bytes: usize,
    words: Vec<u8>,
}

impl Process {
    /// Starts a worker and waits until it is confined. `go_on` says whether there is still a use for it.
    pub(super) fn start(
        command: &WorkerCommand,
        limits: &Limits,
        scratch: &Path,
        go_on: &dyn Fn() -> bool,
    ) -> Result<Self, Lost> {
        let failed =
            |error: io::Error| Lost::new(Loss::NotStarted, format!("no worker could be started: {error}"));
        let files: Vec<File> = (0..limits.scratch_files)
            .map(|_| tempfile::tempfile_in(scratch))
            .collect::<Result<_, _>>()
            .map_err(failed)?;
        let (door, theirs) = UnixStream::pair().map_err(failed)?;
        let mut child = Command::new(&command.program)
            .args(&command.arguments)
            // Nothing of ours is theirs: tokens stand in environments.
            .env_clear()
            .current_dir("/")
            .stdin(OwnedFd::from(theirs))
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(failed)?;
        let noise = Noise { from: child.stderr.take(), bytes: 0, words: Vec::new() };
        let (limits, started) = (*limits, Instant::now());
        let confinement = Confinement::default();
        let mut process = Self {
            child,
            door,
            noise,
            limits,
            started,
            jobs: 0,
            cpu: Duration::ZERO,
            own_bytes: 0,
            confinement,
        };
        let start = Start {
            protocol: PROTOCOL,
            memory_bytes: limits.memory_bytes,
            file_bytes: limits.file_bytes,
            scratch_files: files.len(),
        };
        let descriptors: Vec<BorrowedFd<'_>> = files.iter().map(AsFd::as_fd).collect();
        process.send(&Request::Start(start), &descriptors)?;
        process.confinement = process.greeting(go_on)?;
        Ok(process)
    }

    fn greeting(&mut self, go_on: &dyn Fn() -> bool) -> Result<Confinement, Lost> {
        let deadline = Instant::now() + self.limits.start;
        let bytes = self.read(MESSAGE_BYTES, deadline, go_on)?;
        let Ok(Reply::Hello(hello)) = wire::message(&bytes) else {
            return Err(Lost::new(Loss::Protocol, "the worker does not say that it is ready"));
        };
        if (hello.protocol, &*hello.program) != (PROTOCOL, env!("CARGO_PKG_VERSION")) {
            return Err(Lost::new(Loss::Protocol, "the worker is of another version"));
        }
        Ok(hello.confinement)
    }

    /// The process's number.
    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether it is still there.
    pub(super) fn lives(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Whether it has done enough, or keeps too much.
    pub(super) fn is_due(&self) -> bool {
        self.jobs >= self.limits.jobs || self.own_bytes > self.limits.kept_bytes()
    }

    /// Whether it has inspected something already.
    pub(super) const fn is_used(&self) -> bool {
        self.jobs > 0
    }

    /// Has one artifact inspected. After an error the worker is of no further use.
    pub(super) fn inspect(
        &mut self,
        head: JobHead,
        artifact: &File,
        go_on: &dyn Fn() -> bool,
    ) -> Result<(Vec<u8>, Usage), Lost> {
        let began = Instant::now();
        let time = self.limits.deadline(head.size);
        let deadline = began + time;
        self.jobs += 1;
        self.noise.begin(self.limits.noise_bytes);
        self.limit_cpu(self.limits.cpu_time(head.size));
        let (job, digest) = (head.job, head.digest);
        self.send(&Request::Job(head), &[artifact.as_fd()])?;
        let bytes = self.read(MESSAGE_BYTES, deadline, go_on)?;
        let answer = match wire::message(&bytes) {
            Ok(Reply::Answer(answer)) => answer,
            Ok(Reply::Panicked(fault)) if fault.job == job => {
                let place: String = fault.place.chars().filter(|c| c.is_ascii_graphic()).take(120).collect();
                return Err(Lost::new(Loss::Panicked, format!("the inspector failed at `{place}`")));
            }
            Ok(_) => return Err(Lost::new(Loss::Protocol, "the worker answers what it was not asked")),
            Err(error) => return Err(Lost::new(Loss::Protocol, format!("the worker answers with {error}"))),
        };
        if (answer.job, answer.digest) != (job, digest) {
            return Err(Lost::new(Loss::Protocol, "the worker answers for another artifact"));
        }
        let body = self.read(self.limits.answer_bytes, deadline, go_on)?;
        Ok((body, self.account(&answer, began)))
    }

    /// What the job used. A worker is believed no more CPU time than has passed.
    fn account(&mut self, answer: &Answer, began: Instant) -> Usage {
        let most = self.started.elapsed().saturating_mul(2);
        let cpu = Duration::from_micros(answer.cpu_micros).min(most).max(self.cpu);
        let used = cpu - self.cpu;
        self.cpu = cpu;
        self.own_bytes = answer.own_bytes;
        Usage { cpu: used, peak_memory_bytes: answer.peak_bytes, wall: began.elapsed() }
    }

    /// Limits the worker's CPU time to what it used and `more`. Without it, wall time remains as a bound.
    fn limit_cpu(&self, more: Duration) {
        #[cfg(target_os = "linux")]
        {
            use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit};
            let seconds = self.cpu.saturating_add(more).as_secs() + 1;
            let maximum = getrlimit(Resource::Cpu).maximum;
            let current = Some(maximum.map_or(seconds, |maximum| maximum.min(seconds)));
            let _wall_time_remains =
                prlimit(Some(Pid::from_child(&self.child)), Resource::Cpu, Rlimit { current, maximum });
        }
        #[cfg(not(target_os = "linux"))]
        let _ = more;
    }

    fn send(&mut self, request: &Request, descriptors: &[BorrowedFd<'_>]) -> Result<(), Lost> {
        // A worker that does not read cannot keep the door waiting.
        let waiting = self.door.set_write_timeout(Some(self.limits.start));
        waiting.map_err(|error| Lost::new(Loss::NotStarted, error.to_string()))?;
        match wire::send(&mut self.door, request, descriptors) {
            Ok(()) => Ok(()),
            Err(WireError::Closed) => Err(self.ended()),
            // Too long a head is the caller's, and costs the worker nothing; but it has not had its job.
            Err(error) => Err(Lost::new(Loss::Protocol, format!("the worker could not be told: {error}"))),
        }
    }

    /// One frame, before the deadline.
    fn read(&mut self, limit: usize, deadline: Instant, go_on: &dyn Fn() -> bool) -> Result<Vec<u8>, Lost> {
        let waiting = self.door.set_nonblocking(true);
        waiting.map_err(|error| Lost::new(Loss::Protocol, error.to_string()))?;
        let mut patient = Patient {
            door: &self.door,
            noise: &mut self.noise,
            limits: &self.limits,
            deadline,
            go_on,
            gave_up: None,
        };
        let frame = wire::read_frame(&mut patient, limit);
        let gave_up = patient.gave_up.take();
        let _blocking_again = self.door.set_nonblocking(false);
        match (gave_up, frame) {
            (_, Ok(bytes)) => Ok(bytes),
            (Some(lost), _) => Err(lost),
            (None, Err(WireError::Closed)) => Err(self.ended()),
            (None, Err(WireError::TooLong { length, limit })) => Err(Lost::new(
                Loss::AnswerTooLarge,
                format!("the worker answers {length} bytes where {limit} are taken"),
            )),
            (None, Err(error)) => Err(Lost::new(Loss::Protocol, format!("the worker answers with {error}"))),
        }
    }

    /// How a worker ended that has closed its socket.
    fn ended(&mut self) -> Lost {
        let until = Instant::now() + END_WITHIN;
        loop {
            match self.child.try_wait() {
                Ok(Some(status)) => {
                    self.noise.drain(self.limits.noise_bytes);
                    return death(status, &self.noise.words);
                }
                Ok(None) if Instant::now() < until => std::thread::sleep(Duration::from_millis(1)),
                _ => return Lost::new(Loss::Protocol, "the worker hung up without ending"),
            }
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended meanwhile; that is what is wanted.
        let _ended_already = self.child.kill();
        let _gone = self.child.wait();
    }
}

/// What the end of a worker means.
fn death(status: ExitStatus, words: &[u8]) -> Lost {
    let said = |phrase: &str| memchr_in(words, phrase.as_bytes());
    let lost = |loss: Loss, why: &str| Lost::new(loss, why);
    match (status.signal(), status.code()) {
        // ABRT, from the allocator or the guard page of the stack.
        (Some(6), _) if said("memory allocation of ") => {
            lost(Loss::Memory, "it takes more memory than a worker has")
        }
        (Some(6), _) if said("has overflowed its stack") => {
            lost(Loss::Stack, "it is nested deeper than a worker's stack")
        }
        (Some(9), _) => lost(Loss::Killed, "the worker was ended from outside"),
        (Some(24), _) => lost(Loss::CpuTime, "it takes more CPU time than an artifact of its size gets"),
        (Some(25), _) => lost(Loss::FileSize, "it unpacks to a larger file than a worker may write"),
        (Some(31), _) => lost(Loss::SystemCall, "the worker made a system call that none makes"),
        (Some(signal), _) => Lost::new(Loss::Crashed, format!("the worker ended by signal {signal}")),
        (None, code) => Lost::new(
            Loss::Exited,
            format!("the worker ended by itself with status {}", code.unwrap_or_default()),
        ),
    }
}

fn memchr_in(words: &[u8], phrase: &[u8]) -> bool {
    words.windows(phrase.len()).any(|window| window == phrase)
}

impl Noise {
    /// Another job begins; what was written before is not its.
    fn begin(&mut self, limit: usize) {
        self.drain(limit);
        (self.bytes, self.words) = (0, Vec::new());
    }

    /// Takes what there is, without waiting, as long as it is no more than `limit`.
    fn drain(&mut self, limit: usize) {
        let Some(from) = &mut self.from else { return };
        let mut buffer = [0; 4096];
        while self.bytes <= limit {
            let mut ready = [PollFd::new(&*from, PollFlags::IN)];
            if !matches!(rustix::event::poll(&mut ready, Some(&Timespec::default())), Ok(1..)) {
                return;
            }
            match from.read(&mut buffer) {
                Ok(read) if read > 0 => {
                    self.bytes = self.bytes.saturating_add(read);
                    let room = WORDS_BYTES.saturating_sub(self.words.len());
                    self.words.extend_from_slice(&buffer[..read.min(room)]);
                }
                _ => {
                    self.from = None;
                    return;
                }
            }
        }
    }
}

/// Reads from a worker that may hang, flood or have been given up meanwhile.
struct Patient<'a> {
    door: &'a UnixStream,
    noise: &'a mut Noise,
    limits: &'a Limits,
    deadline: Instant,
    go_on: &'a dyn Fn() -> bool,
    gave_up: Option<Lost>,
}

impl Patient<'_> {
    fn give_up(&mut self, loss: Loss, why: impl Into<String>) -> io::Error {
        self.gave_up = Some(Lost::new(loss, why));
        io::Error::other("given up")
    }

    /// Waits until there is something to read, or a reason to stop.
    fn wait(&mut self) -> io::Result<()> {
        loop {
            if !(self.go_on)() {
                return Err(self.give_up(Loss::Stopped, "the door is stopping"));
            }
            let left = self.deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(self.give_up(Loss::TimedOut, "inspection timed out"));
            }
            let pause = Timespec::try_from(left.min(LOOK_EVERY)).unwrap_or_default();
            let mut watched = vec![PollFd::new(self.door, PollFlags::IN)];
            watched.extend(self.noise.from.as_ref().map(|from| PollFd::new(from, PollFlags::IN)));
            match rustix::event::poll(&mut watched, Some(&pause)) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
            let [door, noise @ ..] = &watched[..] else { continue };
            let (door, noise) = (!door.revents().is_empty(), noise.iter().any(|n| !n.revents().is_empty()));
            drop(watched);
            if noise {
                self.noise.drain(self.limits.noise_bytes);
                if self.noise.bytes > self.limits.noise_bytes {
                    return Err(self.give_up(Loss::Protocol, "the worker floods its standard error"));
                }
            }
            if door {
                return Ok(());
            }
        }
    }
}

impl Read for Patient<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            self.wait()?;
            match (&mut &*self.door).read(buffer) {
                Err(error)
                    if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {}
                other => return other,
            }
        }
    }
}
