//! `cargo xtask bench who`: what it takes to know who took what. The measuring itself is a benchmark of the store, so that it is
//! built as a release without the rest of the product.

use std::process::Command;

use super::BenchError;

/// Sizes of a run.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// Accesses in the history; a tenth of them is measured first, for the slope
    #[arg(long, default_value_t = 10_000_000)]
    events: u64,
}

pub(super) fn run(options: &Options) -> Result<(), BenchError> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let ended = Command::new(cargo)
        .args(["bench", "-p", "tidegate-store", "--bench", "who", "--", &options.events.to_string()])
        .status()
        .map_err(|e| BenchError::Server(format!("cargo cannot be started: {e}")))?;
    if ended.success() { Ok(()) } else { Err(BenchError::Server("the benchmark failed".to_owned())) }
}
