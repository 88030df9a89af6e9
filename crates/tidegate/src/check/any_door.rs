//! A door to ask: the one that runs on a data directory, else one opened inside this process for as long as the question
//! lasts.
//!
//! A door in this process listens on no port; it is asked through a socket in a private temporary folder, by the same
//! API as any other, so that there is one way to an answer. It uses the data directory where that exists and is free, so
//! that configuration, waivers and what was seen before count, else an empty one that is gone afterwards.

use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};

use url::Url;

use crate::cli::remote::{Reach, Remote};
use crate::cli::{Failure, discover, up};
use crate::config::{self, Config};
use crate::discover::{Surroundings, remember};
use crate::door::{Door, DoorError, Options, lock_data};
use crate::http::server::Server;

/// A door that can be asked.
pub struct AnyDoor {
    remote: Remote,
    data: PathBuf,
    /// Ends the door of this process, where it is one.
    opened: Option<Opened>,
}

/// A door in this process.
struct Opened {
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
    _folder: tempfile::TempDir,
}

impl AnyDoor {
    /// The door of a data directory, or one opened now. One that is opened `offline` looks for no upstreams but those it
    /// knows already.
    ///
    /// # Errors
    /// None runs and none can be opened.
    pub fn of(data: &Path, offline: bool) -> Result<Self, Failure> {
        let remote = Remote::new(&Reach { data: Some(data.to_owned()), ..Reach::default() })?;
        if remote.is_running() {
            return Ok(Self { remote, data: data.to_owned(), opened: None });
        }
        let (remote, opened) = open(data, offline)?;
        Ok(Self { remote, data: data.to_owned(), opened: Some(opened) })
    }

    /// How to ask it.
    pub fn remote(&self) -> &Remote {
        &self.remote
    }

    /// Whether it was opened for this question alone.
    pub fn is_own(&self) -> bool {
        self.opened.is_some()
    }

    /// The address under which clients reach the door of the data directory, running or not.
    ///
    /// # Errors
    /// Its configuration cannot be read.
    pub fn address(&self) -> Result<Url, Failure> {
        if let Some(noted) = up::noted_address(&self.data).filter(|_| self.opened.is_none()) {
            return Ok(noted);
        }
        let own = discover::own_addresses(&self.data)?;
        own.into_iter().next().ok_or_else(|| Failure("the door has no address".into()))
    }
}

fn open(data: &Path, offline: bool) -> Result<(Remote, Opened), Failure> {
    let folder = tempfile::Builder::new().prefix("tidegate-door-").tempdir()?;
    let path = data.join("tidegate.toml");
    let config = if path.exists() { config::load(&path)? } else { Config::default() };
    let own = discover::own_addresses(data)?;
    let around = Surroundings::of_process(std::env::current_dir()?, own).explicit_from_vars();
    let report = if offline {
        remember::remembered(&around, data)?
    } else {
        remember::discover_with_kept(&around, data)?
    };
    let discovery = report.into_iter().map(|(_, found)| found).collect();
    // A directory that is not there yet is not made by a question.
    let (place, lock) = if data.join("catalogue.sqlite").exists() {
        match lock_data(data) {
            Ok(lock) => (data.to_owned(), Some(lock)),
            Err(DoorError::InUse { .. }) => (folder.path().join("data"), None),
            Err(error) => return Err(error.into()),
        }
    } else {
        (folder.path().join("data"), None)
    };
    let socket = folder.path().join("tidegate.sock");
    let (stop, stopped) = tokio::sync::oneshot::channel();
    let (opened, answer) = mpsc::channel();
    let options = Options::new(config, place, discovery);
    let thread = std::thread::spawn(move || {
        // Held for as long as the door is open.
        let _lock = lock;
        serve(options, &socket, stopped, &opened);
    });
    answer.recv().map_err(|_| Failure("the door ended in an unforeseen way".into()))??;
    let remote = Remote::new(&Reach { data: Some(folder.path().to_owned()), ..Reach::default() })?;
    Ok((remote, Opened { stop: Some(stop), thread: Some(thread), _folder: folder }))
}

/// Opens a door and serves its socket until told to stop; says once whether it could be opened.
fn serve(
    options: Options,
    socket: &Path,
    stopped: tokio::sync::oneshot::Receiver<()>,
    opened: &mpsc::Sender<Result<(), Failure>>,
) {
    let say = |result| {
        // Whoever asked waits for just this; if it is gone there is nobody to tell.
        let _nobody = opened.send(result);
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return say(Err(error.into())),
    };
    runtime.block_on(async {
        let door = match tokio::task::spawn_blocking(move || Door::open(options)).await {
            Ok(Ok(door)) => door,
            Ok(Err(error)) => return say(Err(error.into())),
            Err(error) => return say(Err(error.into())),
        };
        let listener = match tokio::net::UnixListener::bind(socket) {
            Ok(listener) => listener,
            Err(error) => {
                return say(Err(Failure(format!(
                    "the socket `{}` cannot be made: {error}",
                    socket.display()
                ))));
            }
        };
        let server = Arc::new(Server::new(Arc::clone(&door)));
        let serving = tokio::spawn({
            let server = Arc::clone(&server);
            async move { server.serve_unix(listener).await }
        });
        say(Ok(()));
        // Its sender being gone is an end, too.
        let _told = stopped.await;
        server.stop().await;
        let _ended = serving.await;
        door.record_stop();
    });
}

impl Drop for Opened {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ended_already = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _it_panicked = thread.join();
        }
    }
}
