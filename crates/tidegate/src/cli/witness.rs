//! `tidegate witness`: cosign the ledgers of doors.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use tidegate_ledger::note::VerifierKey;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use super::{Failure, Outcome, print, up};
use crate::clock::Clock;
use crate::config::Config;
use crate::door::lock_data;
use crate::witness::{WitnessFolder, serve};

/// Cosign the checkpoints of doors, each only where it continues what was seen before.
///
/// Run it where those who run the door have no hand: another team, another building. It learns sizes and roots, nothing of what is
/// recorded.
#[derive(Debug, Args)]
pub struct Witness {
    /// Folder of the witness: its key, the logs that it knows, what it has seen. Not the data directory of a door.
    #[arg(long, value_name = "DIR")]
    pub data: PathBuf,
    /// Address and port.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8485")]
    pub listen: SocketAddr,
    /// What the witness is called, as part of its key; for the first start. A name of a host and a path is usual.
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// A log to be cosigned from now on: its key, as `tidegate ledger checkpoint --key` prints it. Kept in the file `logs` of the folder.
    #[arg(long, value_name = "KEY")]
    pub log: Vec<VerifierKey>,
    /// Print the key of the witness, which doors and auditors are told, and end. Makes it where there is none.
    #[arg(long)]
    pub key: bool,
}

impl Witness {
    /// Runs until a signal says to stop.
    ///
    /// # Errors
    /// What keeps the witness from starting.
    pub fn run(self) -> Outcome {
        if self.data.join("catalogue.sqlite").exists() {
            return Err(Failure(format!(
                "`{}` is the data directory of a door\n  give the witness a folder of its own, best on another machine",
                self.data.display()
            )));
        }
        if self.key {
            // Without the lock: a running witness does not mind.
            let folder = WitnessFolder::open(&self.data, self.name.as_deref())?;
            folder.add(&self.log)?;
            print(&format!("{}\n", folder.key()))?;
            return Ok(ExitCode::SUCCESS);
        }
        up::start_log(&Config::default());
        let _lock = lock_data(&self.data)?;
        let folder = WitnessFolder::open(&self.data, self.name.as_deref())?;
        folder.add(&self.log)?;
        let logs = folder.logs()?;
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        runtime.block_on(async {
            let address = self.listen;
            let listener = TcpListener::bind(address).await.map_err(|e| {
                Failure(format!("cannot listen on {address}: {e}\n  choose another address with --listen"))
            })?;
            let (bound, key) = (listener.local_addr()?, folder.key().clone());
            tracing::info!(server.address = %bound, "the witness is open on http://{bound}/ as {key}");
            for log in &logs {
                tracing::info!("cosigns {log}");
            }
            if logs.is_empty() {
                tracing::warn!(
                    "no log is known yet: add one with --log, or to `{}`",
                    self.data.join("logs").display()
                );
            }
            let mut terminate = signal(SignalKind::terminate())?;
            let mut interrupt = signal(SignalKind::interrupt())?;
            tokio::select! {
                () = serve::serve(folder, Clock::system(), listener) => {}
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            Ok(ExitCode::SUCCESS)
        })
    }
}
