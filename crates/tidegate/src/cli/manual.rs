//! `tidegate completions`, `tidegate manual`: made from the same definition that the parser uses.

use std::path::PathBuf;

use clap::{Args, CommandFactory as _};

use super::{Cli, Failure};

/// Print a script that completes commands in a shell.
#[derive(Debug, Args)]
pub struct Completions {
    /// Which shell.
    pub shell: clap_complete::Shell,
}

impl Completions {
    /// Prints it.
    ///
    /// # Errors
    /// Standard output cannot be written.
    pub fn run(self) -> Result<(), Failure> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "tidegate", &mut script);
        super::print(&String::from_utf8_lossy(&script))
    }
}

/// Write the manual pages into a folder.
#[derive(Debug, Args)]
pub struct Manual {
    /// Where to.
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
}

impl Manual {
    /// Writes them.
    ///
    /// # Errors
    /// The folder cannot be made or written.
    pub fn run(self) -> Result<(), Failure> {
        let failed =
            |e: std::io::Error| Failure(format!("`{}` cannot be written: {e}", self.folder.display()));
        std::fs::create_dir_all(&self.folder).map_err(failed)?;
        clap_mangen::generate_to(Cli::command(), &self.folder).map_err(failed)
    }
}
