//! One client command through the door, from finding the door to the summary.
//!
//! Standard output belongs to the client. What tidegate says stands on standard error, before the client starts and
//! after it ends.

pub mod checkpoints;
pub mod door;
pub mod precheck;
pub mod relocate;
pub mod summary;
pub mod who;
pub mod witness;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tidegate_model::{Ecosystem, Secret};
use url::Url;

use crate::cli::remote::Remote;
use crate::cli::{Failure, discover};
use crate::clients::{self, Launch, LockFile, LockKind, LockSession};
use crate::discover::Surroundings;
use checkpoints::SavedCheckpoints;
use door::{Heartbeat, UsedDoor};
use precheck::{Checked, text};
use relocate::{Relocation, Whereabouts};
use summary::Summary;
use who::RunIdentity;

/// How many refusals are told before the client starts; the rest is counted.
const MAX_REFUSALS: usize = 200;

/// A command to run through the door.
#[derive(Debug)]
pub struct Run {
    /// Data directory of the door.
    pub data: PathBuf,
    /// Start the client although its lock file holds refused entries.
    pub keep_going: bool,
    /// The command.
    pub command: Vec<OsString>,
}

impl Run {
    /// Runs it, and returns the status to exit with.
    ///
    /// # Errors
    /// The door cannot be used, or a lock file cannot be led through it. The client then did not start.
    pub fn run(&self) -> Result<u8, Failure> {
        if self.command.is_empty() {
            return Err(clients::launch::LaunchError::Empty.into());
        }
        let UsedDoor { remote, address, notes } = door::find_or_start(&self.data)?;
        notes.iter().for_each(|note| say(note));
        let around = Surroundings::of_process(std::env::current_dir()?, vec![address.clone()]);
        let token = Token::mint(&remote, &around)?;
        let mut launch = clients::launch(
            &self.command,
            &base_for(&self.command, &address)?,
            Some(&token.secret),
            &around,
        )?;
        if launch.client.map(clients::Client::ecosystem) == Some(Ecosystem::Oci) {
            let registries = clients::images::Registry::of_status(&remote.get("status", &[])?);
            clients::images::lead(&mut launch, &address, Some(&token.secret), &registries, &around)?;
        }
        launch.notes.iter().for_each(|note| say(note));
        let locks = locks(&launch, &self.command);
        if let Some(code) = self.precheck(&remote, &token, &launch, &locks) {
            token.end(&remote);
            return Ok(code);
        }
        let code = self.start(&remote, &address, &launch, &locks, &token);
        token.end(&remote);
        code
    }

    /// Tells every refusal of the lock files. A status where the client must not start.
    fn precheck(&self, remote: &Remote, token: &Token, launch: &Launch, locks: &[LockFile]) -> Option<u8> {
        let mut worst = None;
        for lock in locks {
            match precheck::check(remote, &token.id, lock) {
                Ok(Some(checked)) => {
                    tell(&checked);
                    worst = worst.max(checked.exit_code());
                }
                Ok(None) => {}
                Err(Failure(why)) => {
                    say(&format!("{} was not checked beforehand: {why}", lock.path.display()))
                }
            }
        }
        let code = worst?;
        let (client, args) = (launch.client?, &self.command[1..]);
        if self.keep_going {
            return None;
        }
        if !precheck::installs_as_locked(client, args) {
            say("the command starts, because it may change the lock file");
            return None;
        }
        say("the client was not started; change these entries, or start it nevertheless with --keep-going");
        Some(code)
    }

    /// Starts the client between leading its lock files through the door and back, and tells how it went.
    fn start(
        &self,
        remote: &Remote,
        address: &Url,
        launch: &Launch,
        locks: &[LockFile],
        token: &Token,
    ) -> Result<u8, Failure> {
        let relocation = relocation(remote, address.clone(), &self.data)?;
        let session = LockSession::begin(locks, &relocation)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let heartbeat = Heartbeat::begin(&self.data);
        let ended = runtime.block_on(clients::run_child(launch));
        drop(heartbeat);
        let unmended = session.finish();
        let code = match &ended {
            Ok(ended) => u8::try_from(ended.exit_code()).unwrap_or(1),
            Err(error) => {
                say(&chain(error));
                u8::try_from(error.exit_code()).unwrap_or(1)
            }
        };
        let mended = unmended.is_empty();
        for error in unmended {
            say(&Failure::from(error).0);
        }
        let mut bypasses = launch.bypasses.clone();
        for lock in locks.iter().filter(|lock| lock.kind == LockKind::Requirements) {
            bypasses.extend(clients::bypass::in_requirements(&lock.path, address));
        }
        let pinned: BTreeSet<String> = locks.iter().flat_map(precheck::pinned).collect();
        match remote.get(&format!("runs/{}", token.id), &[]) {
            Ok(run) => {
                let summary =
                    Summary { run: &run, pinned: &pinned, bypasses: &bypasses, door: address.as_str() };
                summary.lines().iter().for_each(|line| say(line));
            }
            Err(Failure(why)) => say(&format!("there is no summary: {why}")),
        }
        watch_ledger(remote);
        // A lock file that still names the door is a failure, but never hides that of the client.
        Ok(if mended || code != 0 { code } else { 1 })
    }
}

/// Looks at the door's newest checkpoint as its witness: it must continue the one that this user saw last. Says nothing where it
/// does.
fn watch_ledger(remote: &Remote) {
    let Some(saved) = SavedCheckpoints::of_user(|name| std::env::var_os(name).map(PathBuf::from)) else {
        return;
    };
    if let Err(error) = witness::look(remote, &saved) {
        say(&format!("witness: {}", chain(&error)));
    }
}

/// The base address that a command's client is given. cargo sends a token only where one is demanded, so that it is given
/// a way into the door that demands one.
fn base_for(command: &[OsString], address: &Url) -> Result<Url, Failure> {
    if clients::Client::of_command(command) == Some(clients::Client::Cargo) {
        return Ok(address.join(&format!("t/{}/", crate::http::packages::ASK_FOR_TOKEN))?);
    }
    Ok(address.clone())
}

/// The lock files of a command.
fn locks(launch: &Launch, command: &[OsString]) -> Vec<LockFile> {
    let Some(client) = launch.client else { return Vec::new() };
    clients::find_locks(client, &command[1..], &launch.work_dir)
}

/// An error and its causes on one line.
fn chain(error: &dyn std::error::Error) -> String {
    std::iter::successors(Some(error), |error| error.source())
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}

/// Says a line on standard error.
pub(crate) fn say(line: &str) {
    anstream::eprintln!("tidegate: {line}");
}

fn tell(checked: &Checked) {
    if let Some((count, first)) = &checked.undecided {
        say(&format!(
            "{}: {count} entries could not be decided beforehand, the first: {first}",
            checked.file
        ));
    }
    if checked.refused.is_empty() {
        return;
    }
    say(&format!("{}: {} of {} packages are refused", checked.file, checked.refused.len(), checked.packages));
    for refused in checked.refused.iter().take(MAX_REFUSALS) {
        say(&format!("  {} {}", refused.purl, refused.why));
    }
    if checked.refused.len() > MAX_REFUSALS {
        say(&format!("  and {} more", checked.refused.len() - MAX_REFUSALS));
    }
}

/// The token of this run.
pub(crate) struct Token {
    id: String,
    secret: Secret<String>,
}

impl Token {
    /// Makes one for whoever runs this.
    pub(crate) fn mint(remote: &Remote, around: &Surroundings) -> Result<Self, Failure> {
        let host = rustix::system::uname();
        let identity = RunIdentity::of(
            &around.vars,
            rustix::process::getuid().as_raw(),
            &host.nodename().to_string_lossy(),
            std::process::id(),
            jiff::Timestamp::now().as_second(),
        );
        let told = remote.post("tokens", &identity.token_request())?;
        let (id, secret) = (text(&told, "id"), text(&told, "token"));
        if id.is_empty() || secret.is_empty() {
            return Err(Failure(
                "the door made no token: it may be of another version than this program".into(),
            ));
        }
        Ok(Self { id: id.to_owned(), secret: Secret::new(secret.to_owned()) })
    }

    /// Its id, which may be told.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// Itself.
    pub(crate) const fn secret(&self) -> &Secret<String> {
        &self.secret
    }

    /// Takes it back. Should that fail, it ends by itself.
    pub(crate) fn end(&self, remote: &Remote) {
        if let Err(Failure(why)) = remote.delete(&format!("tokens/{}", self.id), &[]) {
            say(&format!("this run's token could not be taken back and ends by itself in a day: {why}"));
        }
    }
}

/// Asks a door where files lie: once for all files of a version, of which a `uv.lock` names every one.
pub struct AskDoor<'a> {
    door: &'a Remote,
    /// Answers by package URL.
    told: RefCell<BTreeMap<String, Addresses>>,
}

/// Addresses by file name, or why there are none.
type Addresses = Result<BTreeMap<String, String>, String>;

impl<'a> AskDoor<'a> {
    /// Asks this one.
    pub const fn new(door: &'a Remote) -> Self {
        Self { door, told: RefCell::new(BTreeMap::new()) }
    }

    fn files_of(&self, purl: &str) -> Addresses {
        let told = self.door.get("locations", &[("purl", purl)]).map_err(|Failure(why)| why)?;
        let files = told.get("files").and_then(Value::as_array).into_iter().flatten();
        Ok(files.map(|file| (text(file, "file").to_owned(), text(file, "url").to_owned())).collect())
    }
}

impl Whereabouts for AskDoor<'_> {
    fn upstream_of(&self, purl: &str, file: &str) -> Result<String, String> {
        let mut told = self.told.borrow_mut();
        let files = told.entry(purl.to_owned()).or_insert_with(|| self.files_of(purl)).as_ref()?;
        let url = files.get(file).filter(|url| !url.is_empty());
        url.cloned().ok_or_else(|| format!("the door does not say where `{file}` of {purl} lies"))
    }
}

/// The upstreams of a door, those that answer for every name first.
fn upstreams(status: &Value) -> Vec<(Ecosystem, Url)> {
    let repositories = status.get("repositories").and_then(Value::as_array).into_iter().flatten();
    let mut found: Vec<(bool, Ecosystem, Url)> = repositories
        .flat_map(|repository| {
            let ecosystem = text(repository, "ecosystem").parse::<Ecosystem>().ok();
            let upstreams =
                repository.get("upstreams").and_then(Value::as_array).cloned().unwrap_or_default();
            upstreams.into_iter().filter_map(move |upstream| {
                let private =
                    upstream.get("private").and_then(Value::as_array).is_some_and(|p| !p.is_empty());
                Some((private, ecosystem?, text(&upstream, "url").parse().ok()?))
            })
        })
        .collect();
    found.sort_by_key(|(private, _, _)| *private);
    found.into_iter().map(|(_, ecosystem, url)| (ecosystem, url)).collect()
}

/// What is known of a door for rewriting lock files.
///
/// # Errors
/// The door does not answer.
pub fn relocation<'a>(asked: &'a Remote, address: Url, data: &Path) -> Result<Relocation<'a>, Failure> {
    let status = asked.get("status", &[])?;
    let mut doors = discover::own_addresses(data)?;
    doors.push(address.clone());
    Ok(Relocation {
        door: address,
        doors,
        upstreams: upstreams(&status),
        whereabouts: Box::new(AskDoor::new(asked)),
    })
}
