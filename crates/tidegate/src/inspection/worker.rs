//! The worker's side: a process that gives up what it does not need, then inspects one artifact after another.
//!
//! It opens nothing: standard input is the socket to the door, and what it reads and writes comes along on it as
//! descriptors. Once it is confined it could not open anything either.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use tidegate_inspect::Scratch;
use tidegate_sys::confine::{self, Bounds, Enclosure};
use tidegate_sys::map::FileBytes;
use tidegate_sys::residency::{self, Taken};

use super::HandedFiles;
use super::limits::{Limits, STACK_BYTES};
use super::wire::{self, Answer, Hello, JobHead, PROTOCOL, Panicked, Reply, Request, Start, WireError};

/// The subcommand of this program that is a worker.
pub const SUBCOMMAND: &str = "inspection-worker";

/// By how much the thread that inspects stands back behind others, as `nice` counts it.
const INSPECTING_NICE: i32 = 5;

/// Looks inside one artifact after another, in a process that can open neither files nor sockets.
pub trait Inspector: Send {
    /// Called once before the process is confined: the place for tables that are built, and for anything that must be read.
    fn prepare(&mut self) {}

    /// Inspects `bytes`, an artifact. What it gives is handed to whoever asked, as it is.
    fn inspect(&self, job: &JobHead, bytes: &[u8], scratch: &dyn Scratch) -> Vec<u8>;
}

/// Why a worker cannot go on.
#[derive(Debug, thiserror::Error)]
enum WorkerError {
    #[error("standard input is no socket: a running door starts this by itself")]
    NoDoor,
    #[error("the door cannot be understood: {0}")]
    Wire(#[from] WireError),
    #[error("the door speaks version {0} and this worker {PROTOCOL}")]
    Protocol(u32),
    #[error("the door sent {0}")]
    Unexpected(&'static str),
    #[error("the artifact has {found} bytes where {expected} were announced")]
    Size { found: u64, expected: u64 },
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// Serves the door at standard input until it hangs up. For a process that does nothing else.
pub fn run(inspector: impl Inspector + 'static) -> ExitCode {
    confine::close_inherited();
    match serve(inspector) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            anstream::eprintln!("tidegate: the inspection worker ends: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve(mut inspector: impl Inspector + 'static) -> Result<(), WorkerError> {
    let mut door = door()?;
    let (start, scratch) = beginning(&mut door)?;
    // It is cosmetics: lists of processes show the name.
    let _unnamed = rustix::thread::set_name(c"tidegate-inspect");
    inspector.prepare();
    let taken = Taken::open().ok();
    let data_bytes = Limits::data_bytes(start.memory_bytes);
    // Where a system does not tell, the limit of data still holds.
    let _unwatched = residency::keep_below(Limits::seen_bytes());
    let enclosure = confine::enclose(&Bounds {
        data_bytes,
        file_bytes: start.file_bytes,
        open_files: Limits::open_files(start.scratch_files),
    });
    let worker = Worker { door, inspector, scratch, taken, fault: note_faults() };
    let thread = std::thread::Builder::new().name("inspect".into()).stack_size(STACK_BYTES);
    let thread = thread.spawn(move || {
        // Whoever watches the memory, and the door beside it, come to their turn first on a busy machine.
        let _as_before = rustix::process::setpriority_process(None, INSPECTING_NICE);
        worker.serve(enclosure)
    })?;
    thread.join().unwrap_or(Err(WorkerError::Unexpected("something that ended the worker")))
}

/// The socket to the door.
fn door() -> Result<UnixStream, WorkerError> {
    let input = io::stdin().as_fd().try_clone_to_owned()?;
    rustix::net::getsockname(&input).map_err(|_| WorkerError::NoDoor)?;
    Ok(input.into())
}

/// The first message: limits and scratch files.
fn beginning(door: &mut UnixStream) -> Result<(Start, HandedFiles), WorkerError> {
    let (Request::Start(start), descriptors) = wire::receive(door)? else {
        return Err(WorkerError::Unexpected("a job before the start"));
    };
    if start.protocol != PROTOCOL {
        return Err(WorkerError::Protocol(start.protocol));
    }
    if descriptors.len() != start.scratch_files {
        return Err(WorkerError::Unexpected("another number of scratch files than it says"));
    }
    Ok((start, HandedFiles::new(descriptors.into_iter().map(File::from).collect())))
}

/// Where the last panic was.
type Fault = Arc<Mutex<String>>;

/// From here on a panic is noted, not printed: its message may quote what is inspected.
fn note_faults() -> Fault {
    let fault = Fault::default();
    let noted = Arc::clone(&fault);
    std::panic::set_hook(Box::new(move |info: &PanicHookInfo<'_>| {
        let place = info.location().map(|place| format!("{}:{}", last_parts(place.file()), place.line()));
        *noted.lock().unwrap_or_else(PoisonError::into_inner) = place.unwrap_or_default();
    }));
    fault
}

/// The end of a source path, which says enough and names no machine.
fn last_parts(path: &str) -> String {
    let mut parts: Vec<&str> = path.rsplit(['/', '\\']).take(3).collect();
    parts.reverse();
    parts.join("/")
}

struct Worker<I> {
    door: UnixStream,
    inspector: I,
    scratch: HandedFiles,
    taken: Option<Taken>,
    fault: Fault,
}

impl<I: Inspector> Worker<I> {
    /// Closes the last doors, says hello, and works.
    fn serve(mut self, enclosure: Enclosure) -> Result<(), WorkerError> {
        let confinement = enclosure.seal().into();
        let program = env!("CARGO_PKG_VERSION").to_owned();
        self.say(&Reply::Hello(Hello { protocol: PROTOCOL, program, confinement }))?;
        loop {
            let (job, artifact) = match wire::receive(&mut Plain(&self.door)) {
                Ok((Request::Job(job), artifact)) => (job, artifact),
                Ok((Request::Start(_), _)) => return Err(WorkerError::Unexpected("a second start")),
                Err(WireError::Closed) => return Ok(()),
                Err(error) => return Err(error.into()),
            };
            let [artifact] = <[_; 1]>::try_from(artifact)
                .map_err(|_| WorkerError::Unexpected("another number of artifacts than one"))?;
            self.work(&job, &File::from(artifact))?;
        }
    }

    fn work(&mut self, job: &JobHead, artifact: &File) -> Result<(), WorkerError> {
        let bytes = FileBytes::map_immutable(artifact)?;
        let (found, expected) = (bytes.len() as u64, job.size);
        if found != expected {
            return Err(WorkerError::Size { found, expected });
        }
        let inspected = catch_unwind(AssertUnwindSafe(|| self.inspector.inspect(job, &bytes, &self.scratch)));
        drop(bytes);
        let Ok(body) = inspected else {
            let place = self.fault.lock().unwrap_or_else(PoisonError::into_inner).clone();
            self.say(&Reply::Panicked(Panicked { job: job.job, place }))?;
            // What the inspector was in the middle of is in no known state.
            return Err(WorkerError::Unexpected("an artifact that the inspector cannot bear"));
        };
        self.scratch.clear()?;
        let tell =
            |bytes: fn(&Taken) -> io::Result<u64>| self.taken.as_ref().and_then(|taken| bytes(taken).ok());
        let answer = Answer {
            job: job.job,
            digest: job.digest,
            cpu_micros: u64::try_from(cpu_time().as_micros()).unwrap_or(u64::MAX),
            peak_bytes: tell(Taken::peak_bytes).unwrap_or_default(),
            own_bytes: tell(Taken::own_bytes).unwrap_or_default(),
        };
        self.say(&Reply::Answer(answer))?;
        Ok(wire::write_body(&mut Plain(&self.door), &body)?)
    }

    fn say(&self, reply: &Reply) -> Result<(), WorkerError> {
        use io::Write as _;
        Ok(Plain(&self.door).write_all(&wire::frame(reply)?)?)
    }
}

/// Reads and writes the socket as a file: what std does instead takes system calls that workers have given up.
struct Plain<'a>(&'a UnixStream);

impl AsFd for Plain<'_> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl io::Read for Plain<'_> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        Ok(rustix::io::read(self.0, bytes)?)
    }
}

impl io::Write for Plain<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(rustix::io::write(self.0, bytes)?)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// CPU time of this process.
fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or_default())
}
