//! `tidegate check`: what would be decided on packages and lock files, without installing anything.

use std::io::BufRead as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::{Failure, Outcome, default_data, print};
use crate::check::{AnyDoor, Input, Worst, ask};
use crate::config::PolicySection;

/// Decide on packages and lock files without installing anything.
///
/// Asks the door that runs on the data directory, else decides in this process. Ends with the worst answer: 4 block,
/// 3 quarantine, 1 a failure of our own, 0 allow or warn; 2 wrong usage.
#[derive(Debug, Args)]
pub struct Check {
    /// Package URLs (`pkg:npm/left-pad@1.3.0`), lock files, or `-` to read them from standard input, one a line.
    #[arg(required = true, value_name = "PURL|LOCKFILE|-")]
    pub inputs: Vec<String>,
    /// Decide by this pack or policy file instead of the policy in force.
    #[arg(long, value_name = "FILE|PACK")]
    pub policy: Option<String>,
    /// One JSON object a line.
    #[arg(long)]
    pub json: bool,
    /// Ask nothing of upstreams: decide on what is known here.
    #[arg(long)]
    pub offline: bool,
    /// Compare with an earlier version. Not in this version.
    #[arg(long, value_name = "FILE", hide = true)]
    pub previous: Option<PathBuf>,
    /// Data directory.
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
}

/// The longest line that is read from standard input, in bytes.
const MAX_LINE_BYTES: usize = 16 << 10;
/// Wrong usage.
const USAGE: u8 = 2;

impl Check {
    /// Runs it.
    ///
    /// # Errors
    /// No door can be asked.
    pub fn run(self) -> Outcome {
        if self.previous.is_some() {
            anstream::eprintln!(
                "tidegate: --previous compares files, which this version does not look into; leave it out to decide on the package"
            );
            return Ok(ExitCode::from(USAGE));
        }
        let data = self.data.clone().unwrap_or_else(default_data);
        let policy = self.policy.as_deref().map(policy_section).transpose()?;
        let door = AnyDoor::of(&data, policy.as_ref())?;
        let mut worst = Worst::default();
        for given in &self.inputs {
            if given == "-" {
                for line in std::io::stdin().lock().lines() {
                    let line = line.map_err(|e| Failure(format!("standard input cannot be read: {e}")))?;
                    if line.len() > MAX_LINE_BYTES {
                        return Err(Failure(format!(
                            "a line of standard input is longer than {MAX_LINE_BYTES} bytes"
                        )));
                    }
                    if !line.trim().is_empty() {
                        self.one(&door, line.trim(), &mut worst)?;
                    }
                }
            } else {
                self.one(&door, given, &mut worst)?;
            }
        }
        Ok(ExitCode::from(worst.exit_code()))
    }

    fn one(&self, door: &AnyDoor, given: &str, worst: &mut Worst) -> Result<(), Failure> {
        let input = match Input::read(given) {
            Ok(input) => input,
            Err(error) => {
                worst.fail();
                if self.json {
                    let line = serde_json::json!({
                        "input": given, "error": { "code": "bad_input", "message": error.to_string() }, "findings": [],
                        "gaps": [{ "fact": "artifact", "state": "unsupported", "why": error.to_string() }],
                    });
                    return print(&format!("{line}\n"));
                }
                anstream::eprintln!("tidegate: {error}");
                return Ok(());
            }
        };
        let mut text = String::new();
        for answer in ask(door.remote(), &input.items, self.offline)? {
            worst.add(&answer);
            text.push_str(&if self.json { answer.json.to_string() } else { answer.line });
            text.push('\n');
        }
        print(&text)?;
        if !input.skipped.is_empty() && !self.json {
            anstream::eprintln!(
                "tidegate: {given}: {} entries come from no registry and are not decided on, the first: {}",
                input.skipped.len(),
                input.skipped[0]
            );
        }
        Ok(())
    }
}

/// A pack by its name, else a policy file.
fn policy_section(text: &str) -> Result<PolicySection, Failure> {
    if tidegate_policy::packs::NAMES.contains(&text) {
        return Ok(PolicySection { pack: text.to_owned(), file: None });
    }
    let path = PathBuf::from(text);
    if !path.is_file() {
        return Err(Failure(format!(
            "`{text}` is neither a pack ({}) nor a policy file",
            tidegate_policy::packs::NAMES.join(", ")
        )));
    }
    Ok(PolicySection { file: Some(path), ..PolicySection::default() })
}
