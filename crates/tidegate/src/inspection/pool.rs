//! The door's side: workers that are started, handed one artifact at a time, and ended.
//!
//! Each slot of the pool is a thread that owns at most one worker. The thread starts its worker, so the worker dies with
//! the door (the system ties a child to the thread that made it), and it blocks in place of the executor. A slot that is in
//! trouble pauses for longer and longer before it takes the next artifact; the others go on.

use std::collections::{BTreeMap, VecDeque};
use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::fs::OFlags;
use serde::Serialize;
use tidegate_model::Sha256;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use super::Limits;
use super::process::{Lost, Process};
use super::wire::{Confinement, JobHead};
use super::worker::SUBCOMMAND;

/// Artifacts that wait for each worker; whoever brings another waits before it is taken.
const WAITING_PER_WORKER: usize = 8;

/// Workers that one artifact may cost, where it is not clear that it was the artifact.
const ATTEMPTS: u32 = 2;

/// Pause of a slot after its worker was lost, doubled with each that follows without an answer between.
const PAUSE: Duration = Duration::from_millis(5);

/// The longest such pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// What is started as a worker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkerCommand {
    /// The program, by a path that does not depend on the working directory.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<OsString>,
}

impl WorkerCommand {
    /// This program itself, also where its file was replaced meanwhile.
    pub fn this_program() -> Self {
        let running = PathBuf::from("/proc/self/exe");
        // Where the system does not say which program this is, no worker starts, and the status says so.
        let found = || std::env::current_exe().unwrap_or_else(|_| "/proc/self/exe".into());
        let program = if running.exists() { running } else { found() };
        Self { program, arguments: vec![SUBCOMMAND.into()] }
    }
}

/// What a pool is started with.
#[derive(Clone, Debug)]
pub struct Config {
    /// What is started as a worker.
    pub command: WorkerCommand,
    /// Workers at a time, at least one.
    pub workers: usize,
    /// What a worker may use up.
    pub limits: Limits,
    /// The folder of scratch files. It is made where it is not there; files in it have no name.
    pub scratch: PathBuf,
}

/// One artifact to inspect.
#[derive(Debug)]
pub struct Job {
    /// Its digest.
    pub digest: Sha256,
    /// Its bytes.
    pub size: u64,
    /// Its content, open to be read and not to be written: a worker has it in hand.
    pub blob: File,
    /// Its file name, which begins every nested path.
    pub name: String,
    /// What else the inspector is told. At most about a mebibyte.
    pub head: serde_json::Value,
}

/// What an inspection came to.
#[derive(Debug)]
pub enum Outcome {
    /// The inspector's result, as it gave it.
    Done(Vec<u8>, Usage),
    /// There is none.
    Gap {
        /// A sentence's fragment for people. It quotes nothing of the artifact.
        why: String,
        /// What happened.
        kind: Loss,
    },
}

/// What an inspection used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// CPU time; for a worker's first job, its start included.
    pub cpu: Duration,
    /// The most memory that its worker had had by then, mapped files included; earlier jobs of the same worker count.
    pub peak_memory_bytes: u64,
    /// Wall time.
    pub wall: Duration,
}

macro_rules! losses {
    ($($(#[$doc:meta])* $variant:ident = $text:literal $lasting:literal,)*) => {
        /// How an inspection was lost.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Loss { $($(#[$doc])* $variant,)* }

        impl Loss {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Its name in data and on pages.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }

            /// Whether it would happen again with the same artifact and the same program. Else the artifact is worth another
            /// try when it is next asked for.
            #[must_use]
            pub const fn is_lasting(self) -> bool {
                match self { $(Self::$variant => $lasting,)* }
            }
        }
    };
}

losses! {
    /// It took longer than an artifact of its size may.
    TimedOut = "timed_out" true,
    /// It took more CPU time than an artifact of its size may.
    CpuTime = "cpu_time" true,
    /// It took more memory than a worker has.
    Memory = "memory" true,
    /// It is nested deeper than a worker's stack.
    Stack = "stack" true,
    /// It unpacks to a larger file than a worker may write.
    FileSize = "file_size" true,
    /// It had the worker make a system call that none makes: the worker was taken over, or a library is not known well enough.
    SystemCall = "system_call" true,
    /// The inspector failed on it.
    Panicked = "panicked" true,
    /// The answer is larger than any.
    AnswerTooLarge = "answer_too_large" true,
    /// The worker did not keep to the protocol.
    Protocol = "protocol" true,
    /// Two workers crashed on it.
    Crashed = "crashed" true,
    /// Two workers ended by themselves on it.
    Exited = "exited" true,
    /// Two workers were ended from outside, perhaps by the system for want of memory.
    Killed = "killed" false,
    /// No worker could be started.
    NotStarted = "not_started" false,
    /// The door is stopping.
    Stopped = "stopped" false,
}

impl Loss {
    /// Whether another worker may do better.
    const fn may_be_chance(self) -> bool {
        matches!(self, Self::Crashed | Self::Exited | Self::Killed | Self::NotStarted)
    }
}

/// How a pool is doing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Status {
    /// Workers that there may be at a time.
    pub workers: usize,
    /// Processes that there are, by number.
    pub processes: Vec<u32>,
    /// Mebibytes that each may take.
    pub memory_mib: u64,
    /// Artifacts being inspected.
    pub busy: usize,
    /// Artifacts that wait.
    pub waiting: usize,
    /// Inspections that came to a result.
    pub done: u64,
    /// Inspections that came to none, by kind.
    pub gaps: BTreeMap<&'static str, u64>,
    /// Workers started.
    pub started: u64,
    /// Workers lost.
    pub lost: u64,
    /// What keeps workers in, as the last one that started has proven. None before the first.
    pub confinement: Option<Confinement>,
    /// What is not as it should be, as fragments. Empty where everything is.
    pub degraded: Vec<String>,
}

/// Worker processes, and what waits for them. Dropping it ends them.
#[derive(Debug)]
pub struct Pool {
    shared: Arc<Shared>,
    slots: Vec<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    config: Config,
    places: Arc<Semaphore>,
    state: Mutex<State>,
    more: Condvar,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Ticket>,
    stopping: bool,
    next_job: u64,
    /// Why the last attempt to start a worker failed.
    not_started: Option<String>,
    status: Status,
}

/// Something to do for a slot.
#[derive(Debug)]
enum Ticket {
    /// An artifact, who waits for it, and its place in the queue.
    Inspect(Job, oneshot::Sender<Outcome>, OwnedSemaphorePermit),
    /// Have a worker ready.
    WarmUp,
}

impl Pool {
    /// Starts a pool. Workers start with the first artifact, or with [`warm_up`](Self::warm_up).
    ///
    /// # Errors
    /// The folder of scratch files cannot be made, or the system gives no threads.
    pub fn start(config: Config) -> io::Result<Self> {
        std::fs::create_dir_all(&config.scratch)?;
        let workers = config.workers.max(1);
        let status = Status { workers, memory_mib: config.limits.memory_bytes >> 20, ..Status::default() };
        let shared = Arc::new(Shared {
            places: Arc::new(Semaphore::new(workers * WAITING_PER_WORKER)),
            state: Mutex::new(State { status, ..State::default() }),
            more: Condvar::new(),
            config,
        });
        let mut pool = Self { shared, slots: Vec::new() };
        for number in 0..workers {
            let shared = Arc::clone(&pool.shared);
            let thread = std::thread::Builder::new().name(format!("inspection-{number}"));
            pool.slots.push(thread.spawn(move || Slot { shared, worker: None, trouble: 0 }.serve())?);
        }
        Ok(pool)
    }

    /// Has one worker ready before the first artifact comes, so that the [status](Self::status) knows what keeps it in.
    pub fn warm_up(&self) {
        self.shared.state().waiting.push_back(Ticket::WarmUp);
        self.shared.more.notify_all();
    }

    /// Has one artifact inspected. Waits while too many others do; where the caller goes away while it waits, nothing is
    /// inspected.
    pub async fn inspect(&self, job: Job) -> Outcome {
        let stopped = || Outcome::Gap { why: "the door is stopping".to_owned(), kind: Loss::Stopped };
        let Ok(place) = Arc::clone(&self.shared.places).acquire_owned().await else { return stopped() };
        let (reply, outcome) = oneshot::channel();
        {
            let mut state = self.shared.state();
            if state.stopping {
                return stopped();
            }
            state.waiting.push_back(Ticket::Inspect(job, reply, place));
        }
        self.shared.more.notify_all();
        outcome.await.unwrap_or_else(|_| stopped())
    }

    /// How the pool is doing.
    #[must_use]
    pub fn status(&self) -> Status {
        let state = self.shared.state();
        let mut status = state.status.clone();
        status.waiting = state.waiting.len();
        if let Some(confinement) = &status.confinement {
            status.degraded.clone_from(&confinement.missing);
            let unproven = [(confinement.files_refused, "files"), (confinement.sockets_refused, "sockets")];
            for (_, what) in unproven.iter().filter(|(refused, _)| !refused) {
                status.degraded.push(format!("workers can open {what}"));
            }
        }
        status.degraded.extend(state.not_started.clone());
        status
    }

    /// Ends every worker; what is being inspected, and what waits, becomes a gap. Waits for at most a moment.
    pub fn stop(&self) {
        self.shared.places.close();
        let waiting = {
            let mut state = self.shared.state();
            state.stopping = true;
            std::mem::take(&mut state.waiting)
        };
        self.shared.more.notify_all();
        // Whoever waits for one of these is told by the end of its channel.
        drop(waiting);
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.stop();
        for slot in self.slots.drain(..) {
            // A slot that panicked has said so.
            let _ended = slot.join();
        }
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next thing to do; none where nothing came in this time. `Err` where the pool is stopping.
    fn next(&self, within: Duration) -> Result<Option<Ticket>, Stopping> {
        let until = Instant::now() + within;
        let mut state = self.state();
        loop {
            if state.stopping {
                return Err(Stopping);
            }
            if let Some(ticket) = state.waiting.pop_front() {
                return Ok(Some(ticket));
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(None);
            }
            state = self.more.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Waits, unless the pool is stopping.
    fn pause(&self, time: Duration) {
        let state = self.state();
        let waited = self.more.wait_timeout_while(state, time, |state| !state.stopping);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }
}

/// The pool is stopping.
struct Stopping;

/// One thread and its worker.
struct Slot {
    shared: Arc<Shared>,
    worker: Option<Process>,
    /// Workers lost since the last answer.
    trouble: u32,
}

impl Slot {
    fn serve(mut self) {
        let idle = self.shared.config.limits.idle;
        while let Ok(ticket) = self.shared.next(idle) {
            match ticket {
                Some(Ticket::Inspect(job, reply, place)) => {
                    if !reply.is_closed() {
                        let outcome = self.inspect(&job);
                        self.count(&outcome);
                        // Whoever asked may have gone away meanwhile.
                        let _nobody_waits = reply.send(outcome);
                    }
                    drop(place);
                }
                Some(Ticket::WarmUp) => drop(self.ready()),
                None => self.end_worker(),
            }
            if self.worker.as_ref().is_some_and(Process::is_due) {
                self.end_worker();
            }
            if self.trouble > 0 {
                let pause = PAUSE.saturating_mul(1 << self.trouble.min(16)).min(LONGEST_PAUSE);
                self.shared.pause(pause);
            }
        }
        self.end_worker();
    }

    /// Has an artifact inspected, by another worker too where the first one's end may have been chance.
    fn inspect(&mut self, job: &Job) -> Outcome {
        self.shared.state().status.busy += 1;
        let mut attempts = 0;
        let outcome = loop {
            attempts += 1;
            let is_used = self.worker.as_ref().is_some_and(Process::is_used);
            match self.attempt(job) {
                Ok((body, usage)) => {
                    self.trouble = 0;
                    break Outcome::Done(body, usage);
                }
                Err(lost) => {
                    self.trouble = self.trouble.saturating_add(1);
                    let stopping = self.shared.state().stopping;
                    // What a worker keeps of earlier artifacts leaves less for this one, so a new worker may bear what a used one
                    // did not. What is seen must not depend on who came before.
                    let may_be_chance = lost.loss.may_be_chance() || is_used && lost.loss == Loss::Memory;
                    if attempts == ATTEMPTS || !may_be_chance || stopping {
                        tracing::warn!(artifact.digest = %job.digest, inspection.loss = lost.loss.as_str(),
                            "{} was not inspected: {}", job.digest, lost.why);
                        break Outcome::Gap { why: lost.why, kind: lost.loss };
                    }
                }
            }
        };
        self.shared.state().status.busy -= 1;
        outcome
    }

    fn attempt(&mut self, job: &Job) -> Result<(Vec<u8>, Usage), Lost> {
        let access = rustix::fs::fcntl_getfl(&job.blob).map(|flags| flags & OFlags::RWMODE);
        if access != Ok(OFlags::RDONLY) {
            return Err(Lost::new(
                Loss::Protocol,
                "the artifact is open to be written, so no worker may have it",
            ));
        }
        let number = {
            let mut state = self.shared.state();
            state.next_job += 1;
            state.next_job
        };
        let head = JobHead {
            job: number,
            digest: job.digest,
            size: job.size,
            name: job.name.clone(),
            head: job.head.clone(),
        };
        let shared = Arc::clone(&self.shared);
        let result = self.ready()?.inspect(head, &job.blob, &|| !shared.state().stopping);
        if result.is_err() {
            self.shared.state().status.lost += 1;
            self.end_worker();
        }
        result
    }

    /// A worker that lives.
    fn ready(&mut self) -> Result<&mut Process, Lost> {
        if self.worker.as_mut().is_some_and(|worker| !worker.lives()) {
            // It was ended while it had nothing to do, so no artifact is to blame.
            self.shared.state().status.lost += 1;
            self.end_worker();
        }
        if self.worker.is_none() {
            let Config { command, limits, scratch, .. } = &self.shared.config;
            let started = Process::start(command, limits, scratch, &|| !self.shared.state().stopping);
            let mut state = self.shared.state();
            match started {
                Ok(worker) => {
                    state.not_started = None;
                    state.status.started += 1;
                    state.status.processes.push(worker.id());
                    state.status.confinement = Some(worker.confinement.clone());
                    drop(state);
                    self.worker = Some(worker);
                }
                Err(lost) => {
                    // Whatever it was, it had not seen the artifact.
                    let kind = if lost.loss == Loss::Stopped { Loss::Stopped } else { Loss::NotStarted };
                    state.not_started = (kind == Loss::NotStarted).then(|| lost.why.clone());
                    return Err(Lost::new(kind, lost.why));
                }
            }
        }
        Ok(self.worker.as_mut().expect("a worker was started above"))
    }

    fn end_worker(&mut self) {
        if let Some(worker) = self.worker.take() {
            self.shared.state().status.processes.retain(|id| *id != worker.id());
            drop(worker);
        }
    }

    fn count(&self, outcome: &Outcome) {
        let status = &mut self.shared.state().status;
        match outcome {
            Outcome::Done(..) => status.done += 1,
            Outcome::Gap { kind, .. } => *status.gaps.entry(kind.as_str()).or_default() += 1,
        }
    }
}
