//! `tidegate check`: what would be decided on packages, lock files and SBOMs, and what is in files and folders, without
//! installing anything.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use serde_json::json;
use tidegate_model::Timestamp;

use super::{Failure, Outcome, default_data, print};
use crate::check::inside::{self, Bytes, Eyes, Judged, Looked, Source, name_of};
use crate::check::{
    Answers, AnyDoor, Given, How, Input, OwnPolicy, SCHEMA, Worst, ask, is_binary, notes_json, readable,
    report,
};
use crate::clients::locks::write_whole;
use crate::clock::Clock;
use crate::reports::{CannotRender, ReportFormat};

/// Look into files and folders, and decide on packages, lock files and SBOMs, without installing anything.
///
/// A file or folder that is no lock file and no SBOM is looked into, by the workers and detectors of the door. Asks the door
/// that runs on the data directory, else decides in this process. Components of ecosystems without a door are judged by what
/// advisories say of them. Ends with the worst answer: 4 block, 3 quarantine, 1 a failure of our own,
/// 0 allow or warn; 2 wrong usage.
#[derive(Debug, Args)]
pub struct Check {
    /// Files and folders to look into, package URLs (`pkg:npm/left-pad@1.3.0`), lock files, SBOMs (CycloneDX or SPDX as JSON),
    /// or `-` for standard input: an archive to look into, or any of these, one a line.
    #[arg(required = true, value_name = "FILE|DIR|PURL|LOCKFILE|SBOM|-")]
    pub inputs: Vec<String>,
    /// Decide by this pack or policy file instead of the policy in force.
    #[arg(long, value_name = "FILE|PACK")]
    pub policy: Option<String>,
    /// One JSON object a line: one for each component.
    #[arg(long)]
    pub json: bool,
    /// Write a document of this format, of one input.
    #[arg(long, value_name = "FORMAT", conflicts_with = "json", value_parser = formats())]
    pub format: Option<ReportFormat>,
    /// Write what `--json` or `--format` gives to this file, and show the report for people.
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Show everything: each component of a lock file or SBOM, and in files what is only of note.
    #[arg(long)]
    pub all: bool,
    /// Ask nothing of upstreams: decide on what is known here.
    #[arg(long)]
    pub offline: bool,
    /// Compare with an earlier version of the file or folder, and tell what this one can do that the other could not.
    #[arg(long, value_name = "FILE|DIR")]
    pub previous: Option<String>,
    /// Data directory.
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
}

/// The longest line that is read from standard input, in bytes.
const MAX_LINE_BYTES: usize = 16 << 10;
/// How many package URLs are asked about together.
const PURLS_AT_A_TIME: usize = 2_000;
/// The largest policy file, in bytes.
const MAX_POLICY_BYTES: u64 = 4 << 20;
/// Wrong usage.
const USAGE: u8 = 2;

fn formats() -> impl clap::builder::TypedValueParser<Value = ReportFormat> {
    PossibleValuesParser::new(ReportFormat::ALL.map(ReportFormat::as_str)).map(|word| {
        let named = ReportFormat::ALL.into_iter().find(|format| format.as_str() == word);
        named.expect("the parser lets nothing else through")
    })
}

/// A check under way.
struct Running<'a> {
    asked: &'a Check,
    door: AnyDoor,
    /// What looks inside; none before something is to be looked into.
    eyes: Option<Eyes>,
    how: How,
    worst: Worst,
    /// Package URLs that were not asked about yet.
    waiting: Vec<Input>,
    /// What goes to the file.
    written: Vec<u8>,
}

impl Check {
    /// Runs it.
    ///
    /// # Errors
    /// No door can be asked, or the file cannot be written.
    pub fn run(self) -> Outcome {
        if let Some(wrong) = self.wrong_usage() {
            anstream::eprintln!("tidegate: {wrong}");
            return Ok(ExitCode::from(USAGE));
        }
        let data = self.data.clone().unwrap_or_else(default_data);
        let how = How {
            offline: self.offline,
            details: self.format.is_some(),
            policy: self.policy.as_deref().map(own_policy).transpose()?,
        };
        let door = AnyDoor::of(&data, self.offline)?;
        let (worst, waiting, written) = (Worst::default(), Vec::new(), Vec::new());
        let mut running = Running { asked: &self, door, eyes: None, how, worst, waiting, written };
        for given in &self.inputs {
            if given == "-" {
                if !running.stdin()? {
                    anstream::eprintln!(
                        "tidegate: standard input holds no archive: --format and --previous take one file, folder or archive"
                    );
                    return Ok(ExitCode::from(USAGE));
                }
            } else {
                running.one(given)?;
            }
        }
        running.flush()?;
        if let Some(path) = &self.output {
            running.write(path)?;
        }
        Ok(ExitCode::from(running.worst.exit_code()))
    }

    /// What is wrong with the way it was called.
    fn wrong_usage(&self) -> Option<&'static str> {
        let is_one = self.inputs.len() == 1;
        let is_purl = self.inputs.iter().any(|given| given.starts_with("pkg:"));
        if self.previous.is_some() && (!is_one || is_purl) {
            return Some("--previous compares two files or folders: give one of each");
        }
        if self.format.is_some() && !is_one {
            return Some("--format writes the document of one input: give one file, folder or package URL");
        }
        None
    }
}

impl Running<'_> {
    /// An archive, or inputs one a line: the first bytes decide. False where these were not to be lines.
    fn stdin(&mut self) -> Result<bool, Failure> {
        let mut stdin = BufReader::new(std::io::stdin().lock());
        let failed = |e| Failure(format!("standard input cannot be read: {e}"));
        if is_binary(stdin.fill_buf().map_err(failed)?) {
            let bytes = Source::of_pipe("-", stdin).and_then(|source| source.bytes("stdin".to_owned()));
            return self.inside("-", bytes.map_err(|e| e.to_string())).map(|()| true);
        }
        if self.asked.format.is_some() || self.asked.previous.is_some() {
            return Ok(false);
        }
        loop {
            let mut line = Vec::new();
            let read = (&mut stdin).take(MAX_LINE_BYTES as u64 + 1).read_until(b'\n', &mut line);
            if read.map_err(failed)? == 0 {
                return Ok(true);
            }
            if line.len() > MAX_LINE_BYTES {
                return Err(Failure(format!(
                    "a line of standard input is longer than {MAX_LINE_BYTES} bytes"
                )));
            }
            let line = String::from_utf8_lossy(&line);
            if !line.trim().is_empty() {
                self.one(line.trim())?;
            }
        }
    }

    fn one(&mut self, given: &str) -> Result<(), Failure> {
        match Input::read(given) {
            Ok(Given::Components(input)) if input.is_purl() && self.asked.format.is_none() => {
                self.waiting.push(input);
                if self.waiting.len() >= PURLS_AT_A_TIME { self.flush() } else { Ok(()) }
            }
            Ok(Given::Components(_)) if self.asked.previous.is_some() => self.wrong(
                given,
                "it is a lock file or an SBOM, and --previous compares what is inside files and folders",
            ),
            Ok(Given::Components(input)) => {
                self.flush()?;
                self.answer(&input)
            }
            Ok(Given::File(source)) => {
                let bytes = source.bytes(name_of(given));
                self.inside(given, bytes.map_err(|e| e.to_string()))
            }
            Ok(Given::Folder) => self.inside(given, Bytes::of_folder(given).map_err(|e| e.to_string())),
            Err(error) => self.wrong(given, &error.to_string()),
        }
    }

    /// An input that nothing can be said of.
    fn wrong(&mut self, given: &str, why: &str) -> Result<(), Failure> {
        self.flush()?;
        self.worst.fail();
        if self.asked.json {
            let line = json!({
                "schema": SCHEMA, "input": given, "error": { "code": "bad_input", "message": why }, "findings": [],
                "gaps": [{ "fact": "artifact", "state": "unsupported", "why": why }],
            });
            self.machine_readable(&format!("{line}\n"))?;
        }
        if !self.asked.json || self.asked.output.is_some() {
            anstream::eprintln!("tidegate: {why}");
        }
        Ok(())
    }

    /// Looks into bytes, and has what was seen decided on.
    fn inside(&mut self, given: &str, bytes: Result<Bytes, String>) -> Result<(), Failure> {
        self.flush()?;
        let looked = match bytes.and_then(|bytes| self.look(bytes)) {
            Ok(looked) => looked,
            Err(why) => return self.wrong(given, &why),
        };
        let judged = Judged::by(self.door.remote(), looked, &self.how)?;
        self.worst.add(&judged.answer);
        if self.asked.json {
            self.machine_readable(&format!("{}\n", judged.answer.json))?;
        } else if let Some(format) = self.asked.format {
            self.rendered(inside::document(&judged, format, Clock::system().now()))?;
        }
        let people_read = self.people_read();
        if people_read { self.people_readable(&inside::readable(&judged, self.asked.all)) } else { Ok(()) }
    }

    /// Looks into bytes, and compares them with those of the earlier version where one was given.
    fn look(&mut self, bytes: Bytes) -> Result<Looked, String> {
        let previous = self.asked.previous.as_deref().map(previous_bytes).transpose()?;
        let eyes = match &mut self.eyes {
            Some(eyes) => eyes,
            none => none.insert(Eyes::open().map_err(|Failure(why)| why)?),
        };
        let look = |bytes| eyes.look(bytes).map_err(|Failure(why)| why);
        let mut looked = look(bytes)?;
        if let Some(previous) = previous {
            looked.compare(&look(previous)?);
        }
        Ok(looked)
    }

    fn people_read(&self) -> bool {
        self.asked.output.is_some() || (!self.asked.json && self.asked.format.is_none())
    }

    /// Asks about the package URLs that wait, together.
    fn flush(&mut self) -> Result<(), Failure> {
        let waiting = std::mem::take(&mut self.waiting);
        if waiting.is_empty() {
            return Ok(());
        }
        let items = waiting.into_iter().flat_map(|input| input.items).collect();
        self.answer(&Input { items, ..Input::default() })
    }

    fn answer(&mut self, input: &Input) -> Result<(), Failure> {
        let answers = ask(self.door.remote(), &input.items, &self.how)?;
        answers.list.iter().for_each(|answer| self.worst.add(answer));
        if self.asked.json {
            let mut lines: String = answers.list.iter().map(|answer| format!("{}\n", answer.json)).collect();
            if let Some(notes) = notes_json(input) {
                lines.push_str(&format!("{notes}\n"));
            }
            self.machine_readable(&lines)?;
        } else if let Some(format) = self.asked.format {
            self.document(format, input, &answers)?;
        }
        let people_read = self.people_read();
        if people_read { self.people_readable(&readable(input, &answers, self.asked.all)) } else { Ok(()) }
    }

    fn document(&mut self, format: ReportFormat, input: &Input, answers: &Answers) -> Result<(), Failure> {
        let now: Timestamp = Clock::system().now();
        self.rendered(report(input, answers, now).render(format))
    }

    fn rendered(&mut self, document: Result<Vec<u8>, CannotRender>) -> Result<(), Failure> {
        match document {
            Ok(document) => self.machine_readable(&String::from_utf8_lossy(&document)),
            // That there is nothing to say is no failure; the status is that of the decisions.
            Err(nothing) => {
                anstream::eprintln!("tidegate: {nothing}; nothing is written");
                Ok(())
            }
        }
    }

    /// What programs read goes to the file, else to standard output.
    fn machine_readable(&mut self, text: &str) -> Result<(), Failure> {
        if self.asked.output.is_some() {
            self.written.extend_from_slice(text.as_bytes());
            Ok(())
        } else {
            print(text)
        }
    }

    /// What people read goes to standard output, and to the file where nothing else does.
    fn people_readable(&mut self, text: &str) -> Result<(), Failure> {
        if self.asked.output.is_some() && !self.asked.json && self.asked.format.is_none() {
            self.written.extend_from_slice(anstream::adapter::strip_str(text).to_string().as_bytes());
            return Ok(());
        }
        print(text)
    }

    fn write(&self, path: &Path) -> Result<(), Failure> {
        if self.written.is_empty() {
            return Ok(());
        }
        write_whole(path, &self.written, None)
            .map_err(|e| Failure(format!("`{}` cannot be written: {e}", path.display())))
    }
}

/// The earlier version, whatever form it has.
fn previous_bytes(given: &str) -> Result<Bytes, String> {
    let wrong = |why: String| format!("the earlier version: {why}");
    match Input::read(given).map_err(|e| wrong(e.to_string()))? {
        Given::File(source) => source.bytes(name_of(given)).map_err(|e| wrong(e.to_string())),
        Given::Folder => Bytes::of_folder(given).map_err(|e| wrong(e.to_string())),
        Given::Components(_) => {
            Err(wrong(format!("`{given}` is a lock file or an SBOM: give a file or folder")))
        }
    }
}

/// A pack by its name, else a policy file.
fn own_policy(given: &str) -> Result<OwnPolicy, Failure> {
    let name = given.to_owned();
    if tidegate_policy::packs::NAMES.contains(&given) {
        return Ok(OwnPolicy { name, text: None });
    }
    if !Path::new(given).is_file() {
        return Err(Failure(format!(
            "`{given}` is neither a pack ({}) nor a policy file",
            tidegate_policy::packs::NAMES.join(", ")
        )));
    }
    let failed = |e: std::io::Error| Failure(format!("the policy file `{given}` cannot be read: {e}"));
    let mut text = String::new();
    let file = std::fs::File::open(given).map_err(failed)?;
    let read = file.take(MAX_POLICY_BYTES + 1).read_to_string(&mut text).map_err(failed)?;
    if read as u64 > MAX_POLICY_BYTES {
        return Err(Failure(format!(
            "the policy file `{given}` is larger than {} MiB",
            MAX_POLICY_BYTES >> 20
        )));
    }
    Ok(OwnPolicy { name, text: Some(text) })
}
