//! `tidegate discover`: the upstreams that this machine's clients use, and where each answer came from.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use url::Url;

use super::{Failure, Outcome, default_data, print, up};
use crate::config;
use crate::discover::{Report, Surroundings, remember, saved};

/// Show the upstreams that this machine's clients use, and where each answer came from.
#[derive(Debug, Args)]
pub struct Discover {
    /// One JSON object a line, as `--from-json` reads it. Credentials are never among it.
    #[arg(long)]
    pub json: bool,
    /// Keep the answer of another machine in the data directory, for ecosystems whose clients say nothing here.
    #[arg(long, value_name = "FILE")]
    pub from_json: Option<PathBuf>,
    /// Data directory.
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
}

impl Discover {
    /// Runs it.
    ///
    /// # Errors
    /// A file that cannot be read or kept.
    pub fn run(self) -> Outcome {
        let data = self.data.unwrap_or_else(default_data);
        let own = own_addresses(&data)?;
        let report = match &self.from_json {
            Some(path) => {
                let failed = |why: String| Failure(format!("`{}` cannot be loaded: {why}", path.display()));
                let text = std::fs::read_to_string(path).map_err(|e| failed(e.to_string()))?;
                let report = saved::from_json(&text, &own).map_err(|e| failed(Failure::from(e).0))?;
                remember::keep_loaded(&data, &report, &own)?;
                report
            }
            None => {
                let around = Surroundings::of_process(std::env::current_dir()?, own).explicit_from_vars();
                remember::discover_with_kept(&around, &data)?
            }
        };
        print(&shown(&report, self.json))?;
        if self.from_json.is_some() && !self.json {
            print(&format!(
                "kept in `{}`; `tidegate up` uses it from its next start\n",
                data.join(remember::FILE).display()
            ))?;
        }
        // An ecosystem nobody uses here is no failure; knowing none at all is.
        Ok(if report.iter().any(|(_, found)| found.is_ok()) { ExitCode::SUCCESS } else { ExitCode::from(1) })
    }
}

fn shown(report: &Report, json: bool) -> String {
    report
        .iter()
        .map(|(ecosystem, found)| match (json, found) {
            (true, found) => saved::to_json(found) + "\n",
            (false, Ok(found)) => found.describe(),
            (false, Err(missing)) => {
                let why: String = missing.why.iter().map(|why| format!("       {why}\n")).collect();
                format!("{:<6} not configured\n{why}       {}\n", ecosystem.as_str(), missing.remedy())
            }
        })
        .collect()
}

/// The addresses of the door of a data directory: where it listens now, and where its configuration puts it.
///
/// # Errors
/// Its configuration cannot be read.
pub(crate) fn own_addresses(data: &std::path::Path) -> Result<Vec<Url>, Failure> {
    let path = data.join("tidegate.toml");
    let config = if path.exists() { config::load(&path)? } else { config::Config::default() };
    let scheme = if config.server.tls_certificate.is_some() { "https" } else { "http" };
    let mut own = vec![format!("{scheme}://{}/", config.server.listen).parse()?];
    own.extend(config.server.public_url);
    own.extend(up::noted_address(data));
    Ok(own)
}
