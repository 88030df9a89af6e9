//! Running a client as a shell would: its terminal, its signals, its exit status.
//!
//! The client stays in our process group, so that the terminal treats both as one job: a Ctrl-C reaches the client from
//! the terminal itself, Ctrl-Z stops both. Signals that reach only us (from a supervisor, a CI runner, `kill`) are passed
//! on. We end when the client has ended, never before.

use std::os::unix::process::ExitStatusExt as _;
use std::process::{ExitStatus, Stdio};

use rustix::process::{Pid, Signal};
use tokio::signal::unix::{SignalKind, signal};

use super::Launch;

/// How a client ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// The operating system's word.
    pub status: ExitStatus,
}

impl Ended {
    /// The status to exit with: the client's own, or 128 + the signal that ended it, as shells say it.
    pub fn exit_code(self) -> i32 {
        self.status.code().or_else(|| self.status.signal().map(|signal| 128 + signal)).unwrap_or(1)
    }
}

/// A client that could not be started or waited for.
#[derive(Debug, thiserror::Error)]
pub enum ChildError {
    /// Not found, or not executable. Shells answer 127 and 126.
    #[error("`{program}` could not be started")]
    Start {
        /// As the person named it.
        program: String,
        /// What the operating system says.
        source: std::io::Error,
    },
    /// Signals or the end of the client could not be waited for.
    #[error("`{program}` could not be waited for")]
    Wait {
        /// As the person named it.
        program: String,
        /// What the operating system says.
        source: std::io::Error,
    },
}

impl ChildError {
    /// The status a shell would exit with.
    pub fn exit_code(&self) -> i32 {
        match self {
            Self::Start { source, .. } if source.kind() == std::io::ErrorKind::NotFound => 127,
            Self::Start { .. } => 126,
            Self::Wait { .. } => 1,
        }
    }
}

/// Runs the client to its end, with our terminal.
///
/// # Errors
/// The client could not be started or waited for.
pub async fn run_child(launch: &Launch) -> Result<Ended, ChildError> {
    let program = || launch.program.to_string_lossy().into_owned();
    let wait = |source| ChildError::Wait { program: program(), source };
    // Listening begins before the client does, so that no signal can end us in between.
    let mut interrupts = signal(SignalKind::interrupt()).map_err(wait)?;
    let mut quits = signal(SignalKind::quit()).map_err(wait)?;
    let mut terminations = signal(SignalKind::terminate()).map_err(wait)?;
    let mut hangups = signal(SignalKind::hangup()).map_err(wait)?;

    let mut command = tokio::process::Command::new(&launch.program);
    command.args(&launch.args).current_dir(&launch.work_dir);
    command.stdin(Stdio::inherit()).stdout(Stdio::inherit()).stderr(Stdio::inherit());
    for name in &launch.remove {
        command.env_remove(name);
    }
    for (name, value) in &launch.set {
        command.env(name, value.expose());
    }
    let mut child = command.spawn().map_err(|source| ChildError::Start { program: program(), source })?;
    let pid = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    loop {
        let (got, from_terminal) = tokio::select! {
            status = child.wait() => return Ok(Ended { status: status.map_err(wait)? }),
            _ = interrupts.recv() => (Signal::INT, true),
            _ = quits.recv() => (Signal::QUIT, true),
            _ = terminations.recv() => (Signal::TERM, false),
            _ = hangups.recv() => (Signal::HUP, false),
        };
        // The terminal sends its own to the whole foreground group; a second one makes npm give up its clean end.
        if let Some(pid) = pid.filter(|_| !(from_terminal && in_foreground())) {
            let _ended_meanwhile = rustix::process::kill_process(pid, got);
        }
    }
}

/// Whether our process group is the one that the terminal sends its signals to. The controlling terminal is asked, not
/// standard input, which may be a file all the same.
fn in_foreground() -> bool {
    let Ok(terminal) = std::fs::File::open("/dev/tty") else { return false };
    rustix::termios::tcgetpgrp(&terminal).is_ok_and(|group| group == rustix::process::getpgrp())
}
