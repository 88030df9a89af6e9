//! `cargo xtask deny`: licences, duplicates, sources and, where their database can be reached, advisories.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::tools::{self, CommandError};

/// Fetching the advisory database may take this long.
const FETCH: Duration = Duration::from_secs(60);

/// Checks the dependencies as `deny.toml` says.
pub(crate) fn run() -> Result<(), CommandError> {
    let program = tools::cargo_deny()?;
    let deny = || {
        let mut command = Command::new(&program);
        command.args(["--workspace", "--locked"]).current_dir(tools::root());
        command
    };
    tools::run(deny().args(["check", "bans", "licenses", "sources"]))?;
    if fetched(deny().args(["fetch", "db"])) {
        tools::run(deny().args(["check", "advisories"]))
    } else {
        eprintln!("SKIPPED: advisories: their database cannot be fetched from here");
        Ok(())
    }
}

/// Whether the command succeeds in time. What it prints of a machine without that network helps nobody.
fn fetched(command: &mut Command) -> bool {
    let spawned = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let Ok(mut child) = spawned else { return false };
    let end = Instant::now() + FETCH;
    while Instant::now() < end {
        match child.try_wait() {
            Ok(Some(status)) => return status.success(),
            Ok(None) => std::thread::sleep(Duration::from_millis(100)),
            Err(_) => break,
        }
    }
    // It may have ended between the last look and now.
    let _ = child.kill();
    let _ = child.wait();
    false
}
