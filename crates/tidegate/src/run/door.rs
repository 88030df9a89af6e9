//! The door that a run uses: the one that is open on its data directory, else one that it starts.
//!
//! A door started here is a process of its own, `tidegate up`, that outlives the run and ends by itself once nobody asks
//! it for anything. Runs that begin at the same time share it: a lock file decides which of them starts it.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use url::Url;

use crate::cli::remote::{Reach, Remote};
use crate::cli::{Failure, up};
use crate::config;

/// A door started by a run ends after this many seconds without a request.
const IDLE_EXIT_SECONDS: u64 = 600;
/// How long a door may take to open: it asks every client for its upstream, and recovers its ledger.
const OPENING: Duration = Duration::from_secs(120);
/// Pause between two looks.
const PAUSE: Duration = Duration::from_millis(50);
/// The log of a door that a run started, in the data directory.
pub const LOG_FILE: &str = "up.log";
/// The lock that decides who starts a door.
const START_LOCK: &str = "run.lock";
/// How much of the log's end is read for a message.
const LOG_TAIL_BYTES: u64 = 4096;

/// A door to use.
pub struct UsedDoor {
    /// How to ask it.
    pub remote: Remote,
    /// Its base address, as clients are given it.
    pub address: Url,
    /// What a person should know about it.
    pub notes: Vec<String>,
}

/// Finds the door of a data directory, or starts one.
///
/// # Errors
/// It cannot be started; the message holds the end of its log.
pub fn find_or_start(data: &Path) -> Result<UsedDoor, Failure> {
    let failed =
        |e: std::io::Error| Failure(format!("the data directory `{}` cannot be used: {e}", data.display()));
    std::fs::create_dir_all(data).map_err(failed)?;
    let data = data.canonicalize().map_err(failed)?;
    let reach = Reach { data: Some(data.clone()), ..Reach::default() };
    let remote = Remote::new(&reach)?;
    if let Some(address) = running(&remote, &data) {
        return Ok(UsedDoor { remote, address, notes: Vec::new() });
    }
    let lock = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(data.join(START_LOCK))
        .map_err(failed)?;
    lock.lock().map_err(failed)?;
    // Somebody else may have started one while we waited.
    if let Some(address) = running(&remote, &data) {
        return Ok(UsedDoor { remote, address, notes: Vec::new() });
    }
    let wanted = listen_address(&data)?;
    let mut notes = Vec::new();
    let free = wanted.port() == 0 || TcpListener::bind(wanted).is_ok();
    let listen = (!free).then(|| {
        notes.push(format!("{wanted} is taken by another program: this door listens on a free port"));
        SocketAddr::new(wanted.ip(), 0)
    });
    let log = data.join(LOG_FILE);
    let mut child = start(&data, listen, &log)?;
    let address = wait_until_open(&remote, &data, &mut child, &log)?;
    drop(lock);
    Ok(UsedDoor { remote, address, notes })
}

fn running(remote: &Remote, data: &Path) -> Option<Url> {
    remote.is_running().then(|| up::noted_address(data)).flatten()
}

/// Where the door of a data directory is meant to listen.
fn listen_address(data: &Path) -> Result<SocketAddr, Failure> {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    if let Some(listen) = variable("TIDEGATE_LISTEN") {
        return listen.parse().map_err(|e| Failure(format!("TIDEGATE_LISTEN `{listen}`: {e}")));
    }
    let path = variable("TIDEGATE_CONFIG").map_or_else(|| data.join("tidegate.toml"), PathBuf::from);
    let config = if path.exists() { config::load(&path)? } else { config::Config::default() };
    Ok(config.server.listen)
}

fn start(data: &Path, listen: Option<SocketAddr>, log: &Path) -> Result<Child, Failure> {
    let failed = |e: std::io::Error| Failure(format!("`{}` cannot be written: {e}", log.display()));
    // Each start begins its log anew, so that it stays small.
    let output = File::create(log).map_err(failed)?;
    let errors = output.try_clone().map_err(failed)?;
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("up").arg("--data").arg(data);
    command.args(["--idle-exit", &IDLE_EXIT_SECONDS.to_string()]);
    if let Some(listen) = listen {
        command.args(["--listen", &listen.to_string()]);
    }
    // A group of its own: a Ctrl-C that ends this run must not end the door of another one.
    command.process_group(0).stdin(Stdio::null()).stdout(output).stderr(errors);
    command.spawn().map_err(|e| Failure(format!("the door cannot be started: {e}")))
}

fn wait_until_open(remote: &Remote, data: &Path, child: &mut Child, log: &Path) -> Result<Url, Failure> {
    let deadline = Instant::now() + OPENING;
    let mut ended: Option<Instant> = None;
    loop {
        if let Some(address) = running(remote, data) {
            return Ok(address);
        }
        if ended.is_none() && child.try_wait()?.is_some() {
            ended = Some(Instant::now());
        }
        // It also ends where a person starts a door at this moment, which is then the one to use.
        if ended.is_some_and(|at| at.elapsed() > Duration::from_secs(2)) {
            return Err(Failure(format!("the door could not be opened:\n{}", tail(log))));
        }
        if Instant::now() >= deadline {
            // It would open unseen, and nobody would know of it.
            let _ended_meanwhile = child.kill();
            return Err(Failure(format!(
                "the door did not open within {} s:\n{}",
                OPENING.as_secs(),
                tail(log)
            )));
        }
        std::thread::sleep(PAUSE);
    }
}

/// The last lines of the log.
fn tail(log: &Path) -> String {
    let read = || -> std::io::Result<String> {
        let mut file = File::open(log)?;
        let start = file.metadata()?.len().saturating_sub(LOG_TAIL_BYTES);
        file.seek(SeekFrom::Start(start))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    };
    match read() {
        Ok(text) => {
            let lines: Vec<&str> = text.lines().collect();
            lines[lines.len().saturating_sub(8)..].iter().map(|line| format!("  {line}\n")).collect()
        }
        Err(e) => format!("  its log `{}` cannot be read: {e}\n", log.display()),
    }
}

/// Tells the door now and then that a run is under way: a long compilation asks for nothing.
pub struct Heartbeat {
    stop: std::sync::mpsc::Sender<()>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Heartbeat {
    /// Begins.
    pub fn begin(data: &Path) -> Self {
        let (stop, stopped) = std::sync::mpsc::channel();
        let reach = Reach { data: Some(data.to_owned()), ..Reach::default() };
        let thread = std::thread::spawn(move || {
            let Ok(remote) = Remote::new(&reach) else { return };
            let pause = Duration::from_secs(IDLE_EXIT_SECONDS / 10);
            while stopped.recv_timeout(pause) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
                // A door that is gone cannot be kept; the summary will say so.
                let _is_there = remote.is_running();
            }
        });
        Self { stop, thread: Some(thread) }
    }
}

impl Drop for Heartbeat {
    fn drop(&mut self) {
        let _ended_already = self.stop.send(());
        if let Some(thread) = self.thread.take() {
            let _it_panicked = thread.join();
        }
    }
}
