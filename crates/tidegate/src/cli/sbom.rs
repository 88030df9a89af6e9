//! `tidegate sbom`: what a package holds, as CycloneDX or SPDX.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use serde::Deserialize;
use tidegate_inspect::Inspection;
use tidegate_model::{Sha256, Timestamp};

use super::remote::{Reach, Remote};
use super::show::safe;
use super::{Failure, Outcome, print};
use crate::check::inside::{Bytes, Eyes, Looked, Source, name_of};
use crate::clients::locks::write_whole;
use crate::clock::Clock;
use crate::inspection::Seen;
use crate::reports::Tool;
use crate::reports::contents::{Contents, SbomFormat};

/// Write the SBOM of a package: what it is, what it brings along, under which licences.
///
/// A file or folder is looked into here. A package URL or a digest is that of something a running door has looked into.
#[derive(Debug, Args)]
pub struct Sbom {
    /// A file, a folder, a package URL with a version, or a digest (`sha256:…`).
    #[arg(value_name = "FILE|DIR|PURL|DIGEST")]
    pub what: String,
    /// Of which format.
    #[arg(long, value_name = "FORMAT", default_value = SbomFormat::CycloneDx16.as_str(), value_parser = formats())]
    pub format: SbomFormat,
    /// Of several files of a version, which.
    #[arg(long, value_name = "NAME")]
    pub file: Option<String>,
    /// Write it to this file.
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Which door.
    #[command(flatten)]
    pub reach: Reach,
}

fn formats() -> impl clap::builder::TypedValueParser<Value = SbomFormat> {
    PossibleValuesParser::new(SbomFormat::ALL.map(SbomFormat::as_str))
        .map(|word| SbomFormat::named(&word).expect("the parser lets nothing else through"))
}

impl Sbom {
    /// Writes it.
    ///
    /// # Errors
    /// Nothing is known of it, or it cannot be looked into or written.
    pub fn run(self) -> Outcome {
        let text = match self.what.strip_prefix("sha256:").and_then(Sha256::from_hex) {
            Some(sha256) => self.asked("sha256", &sha256.hex())?,
            None if self.what.starts_with("pkg:") => self.asked("purl", &self.what)?,
            None => self.looked_into()?,
        };
        match &self.output {
            Some(path) => write_whole(path, text.as_bytes(), None)
                .map_err(|e| Failure(format!("`{}` cannot be written: {e}", path.display())))?,
            None => print(&text)?,
        }
        Ok(ExitCode::SUCCESS)
    }

    /// Of what a door has looked into.
    fn asked(&self, key: &str, value: &str) -> Result<String, Failure> {
        let told = Remote::new(&self.reach)?.get("inspections", &[(key, value)])?;
        let mut found: Vec<Stored> = serde_json::from_value(told["inspections"].clone())?;
        if let Some(wanted) = &self.file {
            found.retain(|stored| stored.file.as_ref() == Some(wanted));
        }
        let stored = match found.len() {
            0 => return Err(Failure(format!("no file of {value} that was looked into is called so"))),
            1 => found.remove(0),
            _ => {
                let names: Vec<&str> = found.iter().filter_map(|stored| stored.file.as_deref()).collect();
                return Err(Failure(format!(
                    "{value} has several files: {}\n  name one of them with --file",
                    names.join(", ")
                )));
            }
        };
        if let Some(why) = &stored.facts.failed {
            return Err(Failure(format!("{value} could not be looked into: {why}")));
        }
        let file = stored.file.clone().unwrap_or_else(|| named(&stored.report, &stored.sha256));
        let sha256 = Sha256::from_hex(&stored.sha256);
        Ok(self.written(&stored.report, &file, sha256, stored.inspected_at))
    }

    /// Of a file or folder at hand.
    fn looked_into(&self) -> Result<String, Failure> {
        let given = &self.what;
        let metadata = std::fs::metadata(given).map_err(|e| {
            Failure(format!("`{given}` is no package URL and no digest, and cannot be read: {e}"))
        })?;
        let bytes = if metadata.is_dir() {
            Bytes::of_folder(given)?
        } else {
            Source::open(given, &metadata)?.bytes(name_of(given))?
        };
        let looked: Looked = Eyes::open()?.look(bytes)?;
        let inspection =
            looked.inspection.map_err(|why| Failure(format!("`{given}` could not be looked into: {why}")))?;
        Ok(self.written(&inspection, &looked.name, looked.sha256, Clock::system().now()))
    }

    fn written(&self, inspection: &Inspection, file: &str, sha256: Option<Sha256>, at: Timestamp) -> String {
        for gap in &inspection.not_seen {
            anstream::eprintln!(
                "tidegate: not looked at: {}",
                safe(&format!("{}: {}", gap.path, gap.detail))
            );
        }
        let contents = Contents {
            tool: &Tool::this(),
            at,
            file,
            sha256,
            inventory: &inspection.inventory,
            licences: &inspection.licences,
            not_seen: &inspection.not_seen,
        };
        String::from_utf8_lossy(&contents.render(self.format)).into_owned()
    }
}

/// What a door tells of one file; the rest of its answer is not read.
#[derive(Debug, Deserialize)]
struct Stored {
    sha256: String,
    file: Option<String>,
    inspected_at: Timestamp,
    facts: Seen,
    report: Inspection,
}

/// The file that paths of an inspection begin with.
fn named(inspection: &Inspection, sha256: &str) -> String {
    let inventory = &inspection.inventory;
    let path = inventory.subject.iter().chain(&inventory.components).map(|one| one.path.as_str()).next();
    let file = path.and_then(|path| path.split("!/").next()).filter(|file| !file.is_empty());
    file.map_or_else(|| format!("sha256:{sha256}"), str::to_owned)
}
