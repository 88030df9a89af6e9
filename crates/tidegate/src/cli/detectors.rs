//! `tidegate detectors`: what is looked for inside packages.

use std::process::ExitCode;

use clap::Args;
use tidegate_inspect::catalogue::{self, Listed};

use super::show::{FAINT, STRONG, styled};
use super::{Failure, Outcome, print};

/// List what is looked for inside packages: behaviour, archives, secrets, licences.
#[derive(Debug, Args)]
pub struct Detectors {
    /// Only detectors whose id or title holds this.
    #[arg(value_name = "WORD")]
    pub word: Option<String>,
    /// One JSON object a line.
    #[arg(long)]
    pub json: bool,
}

impl Detectors {
    /// Prints the list.
    ///
    /// # Errors
    /// Nothing is called so, or standard output cannot be written.
    pub fn run(self) -> Outcome {
        let word = self.word.as_deref().unwrap_or_default().to_lowercase();
        let is_asked = |listed: &Listed| {
            let catalogue = listed.catalogue.unwrap_or_default().to_lowercase();
            listed.id.contains(&word)
                || listed.title.to_lowercase().contains(&word)
                || catalogue.contains(&word)
        };
        let found: Vec<Listed> = catalogue::all().into_iter().filter(is_asked).collect();
        if found.is_empty() {
            return Err(Failure(format!(
                "no detector is called `{}`\n  `tidegate detectors` lists all",
                word.escape_debug()
            )));
        }
        let lines: String = if self.json {
            let line =
                |listed: &Listed| serde_json::to_string(listed).expect("a detector is plain values") + "\n";
            found.iter().map(line).collect()
        } else {
            found.iter().map(line).collect()
        };
        print(&lines)?;
        Ok(ExitCode::SUCCESS)
    }
}

fn line(listed: &Listed) -> String {
    let id = styled(STRONG, &format!("{:<36}", listed.id));
    let severity = format!("{:<9}", listed.severity);
    let only: Vec<&str> = listed.ecosystems.iter().map(|ecosystem| ecosystem.as_str()).collect();
    let only =
        if only.is_empty() { String::new() } else { styled(FAINT, &format!(" ({})", only.join(", "))) };
    format!("{id} {severity} {}{only}\n", listed.title)
}
