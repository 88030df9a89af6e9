//! The machine as discovery sees it, and the only way in which it starts a client.
//!
//! Everything that discovery reads (variables, home, the machine's configuration folder) is a value here, so that a
//! test can put another machine in its place and so that nothing is read by accident.
//!
//! INVARIANT: a client is started only by `Surroundings::ask`: from a `PATH` without relative entries and without
//! the current project, in an empty folder that no configuration file of a client lies above, with an environment that
//! holds only what is listed in `KEPT`.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use tidegate_model::Ecosystem;
use url::Url;

use super::ini::MAX_CONFIG_BYTES;

/// The longest a client may take to answer a question: 10 seconds.
pub const ASK_TIMEOUT: Duration = Duration::from_secs(10);
/// The most bytes of a client's answer that are read: 256 KiB (a help text is about 20).
const MAX_ANSWER_BYTES: u64 = 256 << 10;
/// How often a running client is looked at.
const POLL: Duration = Duration::from_millis(10);
/// The variables that a client needs to find itself. Everything else is withheld: `NODE_OPTIONS`, `PYTHONPATH`,
/// `npm_config_*`, `LD_PRELOAD` and whatever comes next can all make a client run code.
const KEPT: [&str; 12] = [
    "HOME",
    "USER",
    "LOGNAME",
    "LANG",
    "TMPDIR",
    "PYENV_ROOT",
    "NVM_DIR",
    "VOLTA_HOME",
    "ASDF_DATA_DIR",
    "MISE_DATA_DIR",
    "COREPACK_HOME",
    "RUSTUP_HOME",
];
/// Files by which a folder steers a version manager's stand-in for a client that runs below it.
const VERSION_FILES: [&str; 5] = [".python-version", ".tool-versions", ".nvmrc", "mise.toml", ".mise.toml"];
/// Files by which a folder steers pnpm or Yarn below it. npm (`--global`), Python (`-I`) and uv (`--no-config`) can be
/// told to look at none.
const STEERING_FILES: [&str; 7] =
    ["package.json", ".npmrc", ".pnpmfile.cjs", "pnpm-workspace.yaml", ".yarnrc", ".yarnrc.yml", ".yarn"];
/// Files and folders that make a folder the root of a project.
const PROJECT_MARKS: [&str; 10] = [
    ".git",
    ".hg",
    "package.json",
    "package-lock.json",
    ".npmrc",
    ".yarnrc.yml",
    "pyproject.toml",
    "setup.py",
    "requirements.txt",
    "Cargo.toml",
];

/// What discovery may look at.
#[derive(Clone, Debug)]
pub struct Surroundings {
    /// The environment, without the variables that are not UTF-8.
    pub vars: BTreeMap<String, String>,
    /// The user's home folder.
    pub home: Option<PathBuf>,
    /// The folder that the person stands in. Nothing in it, or in the project around it, is read or run.
    pub work_dir: PathBuf,
    /// What stands for `/` when the machine's configuration is read.
    pub machine_root: PathBuf,
    /// The addresses under which the door itself can be reached.
    pub own_addresses: Vec<Url>,
    /// Upstreams that were set for tidegate, each with the name of the setting.
    pub explicit: BTreeMap<Ecosystem, (String, String)>,
    /// The longest a client may take to answer.
    pub ask_timeout: Duration,
}

impl Surroundings {
    /// This process's surroundings. `own_addresses` are those of the door; explicit settings are added by the caller,
    /// or taken from `TIDEGATE_UPSTREAM_*` by [`Self::explicit_from_vars`].
    pub fn of_process(work_dir: PathBuf, own_addresses: Vec<Url>) -> Self {
        let vars: BTreeMap<String, String> = std::env::vars_os()
            .filter_map(|(key, value)| Some((key.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        let home = vars.get("HOME").filter(|home| !home.is_empty()).map(PathBuf::from);
        Self {
            vars,
            home,
            work_dir,
            machine_root: PathBuf::from("/"),
            own_addresses,
            explicit: BTreeMap::new(),
            ask_timeout: ASK_TIMEOUT,
        }
    }

    /// Takes `TIDEGATE_UPSTREAM_NPM`, `_PYPI` and those of the other ecosystems from the environment where nothing is set yet.
    #[must_use]
    pub fn explicit_from_vars(mut self) -> Self {
        for ecosystem in Ecosystem::ALL {
            let name = format!("TIDEGATE_UPSTREAM_{}", ecosystem.as_str().to_uppercase());
            if let Some(value) = self.vars.get(&name).filter(|value| !value.trim().is_empty()) {
                let value = value.clone();
                self.explicit.entry(ecosystem).or_insert((name, value));
            }
        }
        self
    }

    /// A variable that is set to something.
    pub(crate) fn var(&self, name: &str) -> Option<&str> {
        self.vars.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// A path below the home folder.
    pub(crate) fn in_home(&self, path: &str) -> Option<PathBuf> {
        self.home.as_ref().map(|home| home.join(path))
    }

    /// A path of the machine's configuration, given absolute.
    pub(crate) fn on_machine(&self, path: &str) -> PathBuf {
        self.machine_root.join(path.trim_start_matches('/'))
    }

    /// The user's configuration folder (XDG base directory specification).
    pub(crate) fn config_home(&self) -> Option<PathBuf> {
        self.var("XDG_CONFIG_HOME")
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
            .or_else(|| self.in_home(".config"))
    }

    /// The machine's configuration folders (XDG base directory specification), best first.
    pub(crate) fn config_dirs(&self) -> Vec<PathBuf> {
        match self.var("XDG_CONFIG_DIRS") {
            Some(list) => list.split(':').map(PathBuf::from).filter(|path| path.is_absolute()).collect(),
            None => vec![self.on_machine("/etc/xdg")],
        }
    }

    /// A file named by a variable, unless it is relative or lies in the project.
    pub(crate) fn file_from_var(&self, name: &str) -> Option<PathBuf> {
        let path = PathBuf::from(self.var(name)?);
        (path.is_absolute() && !self.is_in_project(&path)).then_some(path)
    }

    /// Reads a configuration file of the user or the machine; `None` where there is none, where it lies in the
    /// project, or where it is no text of a sensible size.
    pub(crate) fn read(&self, path: &Path) -> Option<String> {
        if self.is_in_project(path) || !std::fs::metadata(path).is_ok_and(|found| found.is_file()) {
            return None;
        }
        let file = std::fs::File::open(path).ok()?;
        let mut text = String::new();
        file.take(MAX_CONFIG_BYTES).read_to_string(&mut text).ok()?;
        Some(text)
    }

    /// The outermost folder around the working folder that looks like a project, if any.
    ///
    /// The home folder and what lies above it never count: a home under version control is still the user's own. Nor does
    /// a folder in which everybody may write, such as the one for temporary files.
    pub(crate) fn project_root(&self) -> Option<PathBuf> {
        let work_dir = self.work_dir.canonicalize().unwrap_or_else(|_| self.work_dir.clone());
        let home = self.home.as_ref().map(|home| home.canonicalize().unwrap_or_else(|_| home.clone()));
        let allowed = |folder: &&Path| {
            let shared =
                || std::fs::metadata(folder).is_ok_and(|found| found.permissions().mode() & 0o002 != 0);
            folder.parent().is_some()
                && home.as_ref().is_none_or(|home| !home.starts_with(folder))
                && !shared()
        };
        let root = work_dir
            .ancestors()
            .filter(allowed)
            .filter(|folder| PROJECT_MARKS.iter().any(|mark| folder.join(mark).exists()))
            .last()
            .map(Path::to_owned);
        root.or_else(|| Some(work_dir.as_path()).filter(allowed).map(Path::to_owned))
    }

    /// Whether a path, followed through links, lies in the project (or in its `node_modules` or virtual environment).
    pub(crate) fn is_in_project(&self, path: &Path) -> bool {
        let real = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        self.project_root().is_some_and(|root| real.starts_with(&root) || path.starts_with(&root))
    }

    /// The folders of `PATH` that a client may be started from.
    pub(crate) fn search_path(&self) -> Vec<PathBuf> {
        let root = self.project_root();
        let list = self.var("PATH").unwrap_or_default();
        std::env::split_paths(list)
            .filter(|folder| {
                folder.is_absolute() && !folder.components().any(|part| part.as_os_str() == "node_modules")
            })
            .filter(|folder| {
                let real = folder.canonicalize().unwrap_or_else(|_| folder.clone());
                root.as_ref().is_none_or(|root| !real.starts_with(root) && !folder.starts_with(root))
            })
            .collect()
    }

    /// Where a program lies on [`Self::search_path`].
    pub(crate) fn find_program(&self, name: &str) -> Option<PathBuf> {
        self.search_path().into_iter().map(|folder| folder.join(name)).find(|path| {
            !self.is_in_project(path)
                && std::fs::metadata(path)
                    .is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
        })
    }

    /// Asks a client a question and returns what it printed, or `None` when it is not installed, failed, took too long or
    /// could be steered by a file above the temporary folder.
    pub(crate) fn ask(&self, program: &str, args: &[&str], vars: &[(&str, &str)]) -> Option<String> {
        let path = self.find_program(program)?;
        let folder = self.empty_folder(program)?;
        let mut command = Command::new(path);
        command.args(args).current_dir(folder.path()).env_clear();
        for name in KEPT {
            if let Some(value) = self.var(name) {
                command.env(name, value);
            }
        }
        command.env("PATH", std::env::join_paths(self.search_path()).ok()?);
        // One wide line per option, so that an address is never broken; no colours; no downloads by a version manager.
        command.envs([
            ("COLUMNS", "1000"),
            ("NO_COLOR", "1"),
            ("COREPACK_ENABLE_NETWORK", "0"),
            ("COREPACK_ENABLE_DOWNLOAD_PROMPT", "0"),
        ]);
        command.envs(vars.iter().copied());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).process_group(0);
        let answer = run_bounded(command, self.ask_timeout);
        drop(folder);
        answer
    }

    /// A new folder that nothing above steers `program` from.
    fn empty_folder(&self, program: &str) -> Option<tempfile::TempDir> {
        let more: &[&str] = if matches!(program, "pnpm" | "yarn") { &STEERING_FILES } else { &[] };
        let steers = |folder: &Path| VERSION_FILES.iter().chain(more).any(|file| folder.join(file).exists());
        let places = [self.var("XDG_RUNTIME_DIR").map(PathBuf::from), Some(std::env::temp_dir())];
        places.into_iter().flatten().chain(["/var/tmp", "/dev/shm"].map(PathBuf::from)).find_map(|place| {
            let place = place.canonicalize().ok()?;
            if place.ancestors().any(steers) {
                return None;
            }
            tempfile::Builder::new().prefix("tidegate-ask-").tempdir_in(&place).ok()
        })
    }
}

/// Runs a command of its own process group to its end, or ends the group when the time is over.
fn run_bounded(mut command: Command, timeout: Duration) -> Option<String> {
    let mut child = command.spawn().ok()?;
    let output = child.stdout.take()?;
    let reader = std::thread::spawn(move || {
        let mut text = Vec::new();
        let _partial_is_enough = output.take(MAX_ANSWER_BYTES).read_to_end(&mut text);
        text
    });
    let deadline = Instant::now() + timeout;
    let in_time = loop {
        if reader.is_finished() && has_ended(&child) {
            break true;
        }
        if Instant::now() >= deadline {
            break false;
        }
        std::thread::sleep(POLL);
    };
    // The group outlives its leader where the client left something running; nothing of it may stay behind. The leader is
    // not reaped yet, so its number cannot be another group's by now.
    end_group(&child);
    let status = child.wait().ok()?;
    if !in_time || !status.success() {
        return None;
    }
    String::from_utf8(reader.join().ok()?).ok()
}

/// Whether a child has ended, leaving it to be reaped.
fn has_ended(child: &std::process::Child) -> bool {
    use rustix::process::{WaitId, WaitIdOptions, waitid};
    let Some(pid) = pid(child) else { return true };
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    !matches!(waitid(WaitId::Pid(pid), options), Ok(None))
}

fn pid(child: &std::process::Child) -> Option<rustix::process::Pid> {
    i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw)
}

fn end_group(child: &std::process::Child) {
    if let Some(group) = pid(child) {
        let _already_gone = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
}
