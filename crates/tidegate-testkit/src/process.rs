//! Runs real programs the way a user with an empty home would, with their output kept and their time limited.

use std::ffi::{OsStr, OsString};
use std::io::{self, BufRead as _, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// How long a program may take unless [`Program::timeout`] says otherwise.
const PATIENCE: Duration = Duration::from_secs(120);

/// An empty user: a home folder without any configuration, and the variables that keep machine-wide configuration of
/// npm, pip, uv and cargo out. Removed when dropped.
#[derive(Debug)]
pub struct Home {
    folder: TempDir,
}

impl Home {
    /// A new empty home.
    ///
    /// # Panics
    /// Where no temporary folder can be made.
    pub fn new() -> Self {
        let folder = tempfile::Builder::new()
            .prefix("tidegate-home-")
            .tempdir()
            .expect("a temporary folder can be made");
        Self { folder }
    }

    /// Its folder.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// A new empty folder below it, for a project.
    ///
    /// # Panics
    /// Where it cannot be made.
    pub fn folder(&self, name: &str) -> PathBuf {
        let path = self.path().join(name);
        std::fs::create_dir_all(&path).expect("a folder can be made in a temporary folder");
        path
    }

    /// The whole environment of a program that this user starts.
    pub fn environment(&self) -> Vec<(OsString, OsString)> {
        let home = self.path();
        let nowhere = OsStr::new("/dev/null");
        let mut out: Vec<(OsString, OsString)> = Vec::new();
        let mut set = |name: &str, value: &OsStr| out.push((OsString::from(name), value.to_owned()));
        set("HOME", home.as_os_str());
        set("PATH", &search_path());
        set("LANG", OsStr::new("C.UTF-8"));
        set("TMPDIR", std::env::temp_dir().as_os_str());
        set("XDG_CONFIG_HOME", home.join(".config").as_os_str());
        set("XDG_CACHE_HOME", home.join(".cache").as_os_str());
        set("XDG_DATA_HOME", home.join(".local/share").as_os_str());
        set("CARGO_HOME", home.join(".cargo").as_os_str());
        // The tool chain is a program, not configuration: an empty home must still find it.
        if let Some(toolchains) = rustup_home() {
            set("RUSTUP_HOME", toolchains.as_os_str());
        }
        set("PIP_CONFIG_FILE", nowhere);
        set("PIP_DISABLE_PIP_VERSION_CHECK", OsStr::new("1"));
        set("npm_config_globalconfig", home.join("no-npmrc").as_os_str());
        set("npm_config_update_notifier", OsStr::new("false"));
        set("UV_PYTHON_DOWNLOADS", OsStr::new("never"));
        // A door that a test starts follows the feeds that the test names, no others.
        set("TIDEGATE_NO_SYNC", OsStr::new("true"));
        out
    }
}

impl Default for Home {
    fn default() -> Self {
        Self::new()
    }
}

/// `PATH`, beginning with the folder of the cargo that runs the tests: behind a rustup shim an empty home would have
/// no tool chain.
fn search_path() -> OsString {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let own = std::env::var_os("CARGO").map(PathBuf::from).and_then(|p| p.parent().map(Path::to_path_buf));
    match own {
        Some(folder) => {
            std::env::join_paths(std::iter::once(folder).chain(std::env::split_paths(&path))).unwrap_or(path)
        }
        None => path,
    }
}

fn rustup_home() -> Option<PathBuf> {
    let set = std::env::var_os("RUSTUP_HOME").map(PathBuf::from);
    set.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".rustup"))).filter(|p| p.is_dir())
}

/// A program to be run: nothing of the test's own environment reaches it but `PATH`.
#[derive(Debug)]
pub struct Program {
    command: Command,
    shown: String,
    timeout: Duration,
}

/// What a program did.
#[derive(Clone, Debug)]
pub struct Finished {
    /// How it ended; `None` where it was killed because its time was over.
    pub status: Option<ExitStatus>,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
    /// How long it ran.
    pub took: Duration,
    shown: String,
}

impl Finished {
    /// Whether it ended by itself with status 0.
    pub fn succeeded(&self) -> bool {
        self.status.is_some_and(|status| status.success())
    }

    /// Its exit code; `None` where a signal or the time limit ended it.
    pub fn code(&self) -> Option<i32> {
        self.status.and_then(|status| status.code())
    }

    /// Everything it wrote, standard output first.
    pub fn output(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }

    /// Itself, where it succeeded.
    ///
    /// # Panics
    /// Where it did not; the message holds all that it wrote.
    #[track_caller]
    pub fn expect_success(self) -> Self {
        assert!(self.succeeded(), "{} should succeed\n{}", self.shown, self.described());
        self
    }

    /// Itself, where it ended by itself with another status than 0.
    ///
    /// # Panics
    /// Where it succeeded or ran out of time; the message holds all that it wrote.
    #[track_caller]
    pub fn expect_failure(self) -> Self {
        let failed = self.status.is_some_and(|status| !status.success());
        assert!(failed, "{} should fail\n{}", self.shown, self.described());
        self
    }

    fn described(&self) -> String {
        let how = self.status.map_or_else(|| "killed: out of time".to_owned(), |status| status.to_string());
        format!("{how} after {:.1?}\n--- stdout\n{}\n--- stderr\n{}", self.took, self.stdout, self.stderr)
    }
}

impl Program {
    /// A program that `home`'s user starts in `home`'s folder, without arguments yet.
    pub fn new(program: impl AsRef<OsStr>, home: &Home) -> Self {
        let mut command = Command::new(program.as_ref());
        command.env_clear().envs(home.environment()).current_dir(home.path()).stdin(Stdio::null());
        Self { command, shown: program.as_ref().to_string_lossy().into_owned(), timeout: PATIENCE }
    }

    /// A program that this process's own user starts, with this process's whole environment. For a door that shall find
    /// the registries of this machine; whatever it writes must be led elsewhere by its arguments.
    pub fn of_this_user(program: impl AsRef<OsStr>) -> Self {
        let mut command = Command::new(program.as_ref());
        command.current_dir(std::env::temp_dir()).stdin(Stdio::null());
        Self { command, shown: program.as_ref().to_string_lossy().into_owned(), timeout: PATIENCE }
    }

    /// One more argument.
    pub fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.shown.push(' ');
        self.shown.push_str(&argument.as_ref().to_string_lossy());
        self.command.arg(argument);
        self
    }

    /// More arguments.
    pub fn args<A: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        for argument in arguments {
            self = self.arg(argument);
        }
        self
    }

    /// One more variable of the environment.
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// The folder to start in.
    pub fn in_folder(mut self, folder: impl AsRef<Path>) -> Self {
        self.command.current_dir(folder);
        self
    }

    /// How long it may take before it is killed. Default: two minutes.
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.timeout = limit;
        self
    }

    /// Runs it to its end, or to the end of its time.
    ///
    /// # Panics
    /// Where it cannot be started: tests look for tools with [`crate::tools`] first.
    pub fn run(self) -> Finished {
        let (timeout, started) = (self.timeout, Instant::now());
        let mut running = self.spawn();
        let status = running.wait(timeout.saturating_sub(started.elapsed()));
        if status.is_none() {
            running.kill();
        }
        let (stdout, stderr) = running.collect();
        Finished { status, stdout, stderr, took: started.elapsed(), shown: running.shown.clone() }
    }

    /// Starts it and returns at once. The program is killed when the value is dropped.
    ///
    /// # Panics
    /// Where it cannot be started.
    pub fn spawn(mut self) -> Running {
        use std::os::unix::process::CommandExt as _;
        // A group of its own: what the program starts is ended with it.
        self.command.process_group(0).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child =
            self.command.spawn().unwrap_or_else(|e| panic!("`{}` cannot be started: {e}", self.shown));
        let stdout = child.stdout.take().expect("standard output is piped");
        let stderr = child.stderr.take().expect("standard error is piped");
        let (stdout_lines, stdout) = follow(stdout);
        let (stderr_lines, stderr) = follow(stderr);
        Running {
            child,
            shown: self.shown,
            stdout: Followed { lines: stdout_lines, reader: Some(stdout), text: String::new() },
            stderr: Followed { lines: stderr_lines, reader: Some(stderr), text: String::new() },
        }
    }
}

/// A program that runs. Dropping it kills it and what it started.
#[derive(Debug)]
pub struct Running {
    child: Child,
    shown: String,
    stdout: Followed,
    stderr: Followed,
}

#[derive(Debug)]
struct Followed {
    lines: Receiver<String>,
    reader: Option<JoinHandle<()>>,
    text: String,
}

impl Followed {
    fn drain(&mut self) {
        while let Ok(line) = self.lines.try_recv() {
            self.text.push_str(&line);
        }
    }
}

impl Running {
    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until it ends; `None` where it still runs after `limit`.
    pub fn wait(&mut self, limit: Duration) -> Option<ExitStatus> {
        let end = Instant::now() + limit;
        let mut pause = Duration::from_millis(1);
        loop {
            match self.child.try_wait() {
                Ok(Some(status)) => return Some(status),
                Ok(None) if Instant::now() >= end => return None,
                Ok(None) => std::thread::sleep(pause),
                Err(e) => panic!("`{}` cannot be waited for: {e}", self.shown),
            }
            pause = (pause * 2).min(Duration::from_millis(20));
        }
    }

    /// Waits until a line of its output contains `text`, and returns that line.
    ///
    /// # Panics
    /// Where no such line comes within `limit` or the program ends before; the message holds all that it wrote.
    #[track_caller]
    pub fn wait_for_line(&mut self, text: &str, limit: Duration) -> String {
        let end = Instant::now() + limit;
        loop {
            let ended = self.child.try_wait().ok().flatten();
            self.stdout.drain();
            self.stderr.drain();
            let found = [&self.stdout.text, &self.stderr.text]
                .into_iter()
                .flat_map(|output| output.lines())
                .find(|line| line.contains(text));
            if let Some(line) = found {
                return line.to_owned();
            }
            if ended.is_some() || Instant::now() >= end {
                self.kill();
                let (stdout, stderr) = self.collect();
                panic!(
                    "`{}` never wrote `{text}` ({ended:?})\n--- stdout\n{stdout}\n--- stderr\n{stderr}",
                    self.shown
                );
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Sends a signal by its number (2 interrupt, 9 kill, 15 terminate) to the program alone.
    ///
    /// # Panics
    /// Where the number is no signal.
    pub fn signal(&self, number: i32) {
        let signal = rustix::process::Signal::from_named_raw(number).expect("a signal's number");
        // A program that has ended meanwhile needs no signal.
        let _ = rustix::process::kill_process(self.pid(), signal);
    }

    /// Kills it, and what it started, with SIGKILL.
    pub fn kill(&mut self) {
        let _ = rustix::process::kill_process_group(self.pid(), rustix::process::Signal::KILL);
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// What it has written so far, standard output and standard error.
    pub fn output_so_far(&mut self) -> (String, String) {
        self.stdout.drain();
        self.stderr.drain();
        (self.stdout.text.clone(), self.stderr.text.clone())
    }

    fn pid(&self) -> rustix::process::Pid {
        rustix::process::Pid::from_child(&self.child)
    }

    /// All that it wrote, after it has ended.
    pub fn collect(&mut self) -> (String, String) {
        for followed in [&mut self.stdout, &mut self.stderr] {
            // A program that left a daemon behind keeps the pipe open: then take what is there.
            let end = Instant::now() + Duration::from_secs(2);
            while let Ok(line) = followed.lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
                followed.text.push_str(&line);
            }
            if followed.reader.as_ref().is_some_and(JoinHandle::is_finished)
                && let Some(reader) = followed.reader.take()
            {
                let _ = reader.join();
            }
        }
        (self.stdout.text.clone(), self.stderr.text.clone())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Reads a pipe line by line on a thread, so that a program never blocks on a full one.
fn follow(pipe: impl io::Read + Send + 'static) -> (Receiver<String>, JoinHandle<()>) {
    let (sender, lines) = mpsc::channel();
    let reader = std::thread::spawn(move || {
        let mut reader = io::BufReader::new(pipe);
        let mut line = Vec::new();
        while matches!(reader.by_ref().read_until(b'\n', &mut line), Ok(count) if count > 0) {
            if sender.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                return;
            }
            line.clear();
        }
    });
    (lines, reader)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, home: &Home) -> Program {
        Program::new("/bin/sh", home).args(["-c", script])
    }

    #[test]
    fn nothing_of_our_environment_gets_through() {
        let home = Home::new();
        let seen = shell("env", &home).run().expect_success().stdout;
        assert!(seen.contains(&format!("HOME={}", home.path().display())), "{seen}");
        assert!(!seen.contains("CARGO_PKG_NAME"), "{seen}");
    }

    #[test]
    fn output_and_status_are_kept() {
        let home = Home::new();
        let done = shell("echo out; echo err >&2; exit 3", &home).run().expect_failure();
        assert_eq!((done.code(), done.stdout.as_str(), done.stderr.as_str()), (Some(3), "out\n", "err\n"));
    }

    #[test]
    fn a_program_without_end_is_killed_with_its_children() {
        let home = Home::new();
        let done = shell("echo begun; sleep 60 & sleep 60", &home).timeout(Duration::from_millis(300)).run();
        assert!(done.status.is_none());
        assert_eq!(done.stdout, "begun\n");
        assert!(done.took < Duration::from_secs(20), "{:?}", done.took);
    }

    #[test]
    fn a_line_is_waited_for_and_a_signal_is_passed() {
        let home = Home::new();
        let script = "trap 'echo told; exit 7' TERM; echo ready; while :; do sleep 0.05; done";
        let mut running = shell(script, &home).spawn();
        assert_eq!(running.wait_for_line("ready", Duration::from_secs(10)), "ready");
        running.signal(15);
        assert_eq!(running.wait(Duration::from_secs(10)).and_then(|s| s.code()), Some(7));
        assert_eq!(running.output_so_far().0, "ready\ntold\n");
    }
}
