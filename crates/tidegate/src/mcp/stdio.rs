//! `tidegate mcp run`: between a client and the server that it starts, over standard input and output.
//!
//! Standard output belongs to the protocol; what tidegate says stands on standard error, where the server's own words pass as well.
//! The server is a process group of its own that ends with its client: first its input is closed, then it is asked, then it is ended.

mod pipe;
mod socket;

use std::ffi::OsString;
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use rustix::process::{Pid, Signal};
use tidegate_model::Action;
use tokio::io::AsyncRead;
use tokio::process::{Child, ChildStdin};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Mutex;

use super::command;
use super::gate::{Ruling, Server};
use super::governor::{Governor, Step, refusal};
use super::message::Message;
use crate::cli::Failure;
use crate::clients::{self, Launch};
use crate::discover::Surroundings;
use crate::run::door::{Heartbeat, UsedDoor, find_or_start};
use crate::run::{Token, say};
use pipe::{Line, Lines};
use socket::SocketGate;

/// How long a server may take to end once its input is closed, and once it was asked to.
const GRACE: Duration = Duration::from_secs(3);

/// How long what a server said last may take to be judged and recorded.
const LAST_WORDS: Duration = Duration::from_secs(60);

/// A server to govern.
#[derive(Debug)]
pub struct McpRun {
    /// Data directory of the door.
    pub data: PathBuf,
    /// The server's name, where it is given one.
    pub name: Option<String>,
    /// Methods that pass although the protocol does not have them.
    pub methods: Vec<String>,
    /// The command that starts it.
    pub command: Vec<OsString>,
}

impl McpRun {
    /// Governs the server to its end, and returns the status to exit with: the server's own.
    ///
    /// # Errors
    /// The door cannot be used. The server then did not start.
    pub fn run(&self) -> Result<u8, Failure> {
        let words: Vec<String> =
            self.command.iter().map(|word| word.to_string_lossy().into_owned()).collect();
        let started = command::read(&words);
        let name = self.name.clone().unwrap_or(started.name);
        if !command::is_name(&name) {
            return Err(Failure(format!(
                "`{}` cannot name a server\n  use letters, digits and `-_.@/`, at most {} bytes",
                name.escape_debug(),
                command::MAX_NAME_BYTES
            )));
        }
        let UsedDoor { remote, address, notes } = find_or_start(&self.data)?;
        notes.iter().for_each(|note| say(note));
        let around = Surroundings::of_process(std::env::current_dir()?, vec![address.clone()]);
        let token = Token::mint(&remote, &around)?;
        let server = Server { name, transport: "stdio".to_owned(), purl: started.purl };
        let gate = SocketGate::new(self.data.join("tidegate.sock"), server, token.id().to_owned());
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let heartbeat = Heartbeat::begin(&self.data);
        let code = runtime.block_on(async {
            let (gate, ruling) = gate.open().await?;
            if !ruling.passes {
                return Ok(refuse(&ruling).await);
            }
            let launch = clients::launch(&self.command, &address, Some(token.secret()), &around)?;
            if launch.client.is_some() {
                launch.notes.iter().for_each(|note| say(note));
            }
            govern(Governor::new(gate, self.methods.iter().cloned()), &launch).await
        });
        drop(heartbeat);
        // A read of standard input may never end.
        runtime.shutdown_background();
        token.end(&remote);
        code
    }
}

/// Answers every request of the client with the refusal of the server, until the client goes away.
async fn refuse(ruling: &Ruling) -> u8 {
    say(&format!("the server is not started: {}", ruling.reason));
    if !ruling.remedy.is_empty() {
        say(&format!("  {}", ruling.remedy));
    }
    let mut lines = Lines::new(pipe::stdin());
    let out = pipe::Stdout::default();
    while let Ok(Some(line)) = lines.next().await {
        let answer = match line {
            Line::Message(bytes) => match Message::parse(&bytes) {
                Ok(Message::Request { id, .. }) => refusal(&id, ruling),
                Ok(_) => continue,
                Err(malformed) => malformed.answer(),
            },
            Line::TooLong => continue,
        };
        if out.send(answer.to_string().into()).await.is_err() {
            break;
        }
    }
    if ruling.action == Action::Block { 4 } else { 3 }
}

/// The two ends: where answers to the client go, and what the server reads until its input is closed.
struct Ends {
    client: pipe::Stdout,
    server: Mutex<Option<ChildStdin>>,
}

impl Ends {
    async fn to_server(&self, message: &[u8]) -> std::io::Result<()> {
        use tokio::io::AsyncWriteExt as _;
        let mut server = self.server.lock().await;
        let Some(server) = server.as_mut() else { return Ok(()) };
        server.write_all(message).await?;
        server.write_all(b"\n").await?;
        server.flush().await
    }
}

async fn govern(governor: Governor<SocketGate>, launch: &Launch) -> Result<u8, Failure> {
    let mut child = start(launch)?;
    let pid = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
        return Err(Failure("the server has no input and output".to_owned()));
    };
    let ends = Arc::new(Ends { client: pipe::Stdout::default(), server: Mutex::new(Some(input)) });
    let governor = Arc::new(governor);
    let (governor2, ends2) = (Arc::clone(&governor), Arc::clone(&ends));
    let mut from_client = tokio::spawn(async move { client_side(&governor2, &ends2).await });
    let (governor2, ends2) = (Arc::clone(&governor), Arc::clone(&ends));
    let from_server = tokio::spawn(async move { server_side(&governor2, &ends2, output).await });
    let mut signals = Signals::listen()?;
    let status = loop {
        tokio::select! {
            status = child.wait() => break status?,
            _ = &mut from_client => {
                // The client is gone: the server reads the end of its input, as it would without us.
                *ends.server.lock().await = None;
                break finish(&mut child, pid).await?;
            }
            got = signals.next() => pass_on(pid, got),
        }
    };
    // Nothing that it started outlives it; what the server said last still goes to the client.
    end_group(pid, Signal::KILL);
    let _ = tokio::time::timeout(LAST_WORDS, from_server).await;
    governor.close().await;
    Ok(exit_code(status))
}

fn start(launch: &Launch) -> Result<Child, Failure> {
    let mut command = tokio::process::Command::new(&launch.program);
    command.args(&launch.args).current_dir(&launch.work_dir);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit());
    // A group of its own, so that what it starts ends with it.
    command.process_group(0).kill_on_drop(true);
    for name in &launch.remove {
        command.env_remove(name);
    }
    for (name, value) in &launch.set {
        command.env(name, value.expose());
    }
    command.spawn().map_err(|error| {
        Failure(format!("`{}` could not be started: {error}", launch.program.to_string_lossy()))
    })
}

async fn client_side(governor: &Governor<SocketGate>, ends: &Ends) {
    let mut lines = Lines::new(pipe::stdin());
    while let Ok(Some(line)) = lines.next().await {
        let step = match line {
            Line::Message(bytes) => governor.from_client(bytes).await,
            Line::TooLong => Step::Answer(pipe::too_long()),
        };
        let sent = match step {
            Step::Pass(bytes) => ends.to_server(&bytes).await,
            Step::Answer(value) => ends.client.send(value.to_string().into()).await,
            Step::Drop => Ok(()),
        };
        if sent.is_err() {
            return;
        }
    }
}

async fn server_side<R: AsyncRead + Unpin>(governor: &Governor<SocketGate>, ends: &Ends, output: R) {
    let mut lines = Lines::new(output);
    let mut said_unreadable = false;
    while let Ok(Some(line)) = lines.next().await {
        let step = match line {
            Line::Message(bytes) => {
                if Message::parse(&bytes).is_err() && !std::mem::replace(&mut said_unreadable, true) {
                    say(
                        "the server wrote something to its standard output that is no message; such lines are dropped",
                    );
                }
                governor.from_server(bytes).await
            }
            Line::TooLong => {
                say("the server wrote a message that is too large; it is dropped");
                Step::Drop
            }
        };
        let sent = match step {
            Step::Pass(bytes) => ends.client.send(bytes).await,
            Step::Answer(value) => ends.to_server(value.to_string().as_bytes()).await,
            Step::Drop => Ok(()),
        };
        if sent.is_err() {
            return;
        }
    }
}

/// Waits for a server whose input is closed; asks it, and ends it where that does not help.
async fn finish(child: &mut Child, pid: Option<Pid>) -> std::io::Result<ExitStatus> {
    for next in [Signal::TERM, Signal::KILL] {
        if let Ok(status) = tokio::time::timeout(GRACE, child.wait()).await {
            return status;
        }
        end_group(pid, next);
    }
    child.wait().await
}

/// Signals a server and everything that it started.
fn end_group(pid: Option<Pid>, signal: Signal) {
    if let Some(pid) = pid {
        // Usually nobody is left.
        let _ = rustix::process::kill_process_group(pid, signal);
    }
}

fn pass_on(pid: Option<Pid>, signal: Signal) {
    end_group(pid, signal);
}

fn exit_code(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(1);
    u8::try_from(code).unwrap_or(1)
}

/// Signals that a supervisor or a terminal sends us and that are the server's.
struct Signals {
    interrupts: tokio::signal::unix::Signal,
    quits: tokio::signal::unix::Signal,
    terminations: tokio::signal::unix::Signal,
    hangups: tokio::signal::unix::Signal,
}

impl Signals {
    fn listen() -> std::io::Result<Self> {
        Ok(Self {
            interrupts: signal(SignalKind::interrupt())?,
            quits: signal(SignalKind::quit())?,
            terminations: signal(SignalKind::terminate())?,
            hangups: signal(SignalKind::hangup())?,
        })
    }

    async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.interrupts.recv() => Signal::INT,
            _ = self.quits.recv() => Signal::QUIT,
            _ = self.terminations.recv() => Signal::TERM,
            _ = self.hangups.recv() => Signal::HUP,
        }
    }
}
