//! `tidegate ledger reindex`: the access index, made anew from the ledger.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use tidegate_ledger::{Entry, Reader};
use tidegate_model::Timestamp;
use tidegate_store::access_index::{AccessIndex, MAX_BATCH};
use tidegate_sys::disk::RealDisk;

use super::{Failure, Outcome, default_data, print};
use crate::clock::Clock;
use crate::config;
use crate::door::{keep_accesses_since, lock_data};

/// Make the index behind `tidegate who` anew from the ledger. No door may run on the data directory meanwhile.
#[derive(Debug, Args)]
pub(super) struct Reindex {
    /// Data directory.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Configuration file; else `tidegate.toml` in the data directory.
    #[arg(long, value_name = "FILE", env = "TIDEGATE_CONFIG")]
    config: Option<PathBuf>,
}

impl Reindex {
    /// Runs it.
    ///
    /// # Errors
    /// A door runs there, there is no ledger, or it is damaged; then with the file and the place.
    pub(super) fn run(self) -> Outcome {
        let data = self.data.unwrap_or_else(default_data);
        let ledger = data.join("ledger");
        // An empty folder would become an empty index.
        if !ledger.is_dir() {
            return Err(Failure(format!(
                "there is no ledger in `{}`\n  --data names the data directory of the door",
                ledger.display()
            )));
        }
        let path = self.config.unwrap_or_else(|| data.join("tidegate.toml"));
        let config = if path.exists() { config::load(&path)? } else { config::Config::default() };
        // A door that runs there follows the ledger by itself; two that write are one too many.
        let _lock = lock_data(&data)?;
        let index = AccessIndex::open(&data.join("access"))?;
        index.reset()?;
        if let Some(since) = keep_accesses_since(&config, Clock::system().now()) {
            index.drop_months(since)?;
        }
        let (mut batch, mut entries, mut last) = (Vec::new(), 0_u64, None::<(String, Timestamp)>);
        for frame in Reader::open(Arc::new(RealDisk), &ledger, 1)? {
            let entry = Entry::parse(&frame?.json)?;
            entries += 1;
            last = Some((entry.record().to_string(), entry.time));
            batch.push(entry);
            if batch.len() >= MAX_BATCH {
                index.project(&batch)?;
                batch.clear();
            }
        }
        index.project(&batch)?;
        let up_to = last.map_or_else(String::new, |(record, at)| format!(", up to {record} of {at}"));
        print(&format!("{entries} entries of the ledger are in the index{up_to}\n"))?;
        Ok(ExitCode::SUCCESS)
    }
}
