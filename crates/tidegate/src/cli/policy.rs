//! `tidegate policy`: seen, checked, tested and explained without a door.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use tidegate_model::Timestamp;
use tidegate_model::facts::Facts;
use tidegate_model::waiver::Waiver;
use tidegate_policy::{
    CaseFile, Compiled, Level, Mode, Policy, Waivable, WaiverSet, explain, lint, packs, read_facts,
};

use super::show::{Ask, BAD, CARE, GOOD, STRONG, print_json, print_table, safe, styled, text};
use super::{Failure, Outcome, print};
use crate::clock::Clock;

/// Show, check, test and explain policies.
#[derive(Debug, Args)]
pub struct PolicyCommand {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    ask: Ask,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show a pack or a file; without one, what is in force at the door.
    Show {
        /// A pack that ships with the binary, or a file.
        #[arg(value_name = "FILE|PACK")]
        policy: Option<String>,
        /// Print the policy's text instead of its rules.
        #[arg(long)]
        source: bool,
    },
    /// Find mistakes in policy files. Ends with status 1 where a file cannot be used or has warnings.
    Lint {
        /// Packs or files.
        #[arg(value_name = "FILE|PACK", required = true)]
        policies: Vec<String>,
    },
    /// Run cases: facts, and what a policy must make of them. Ends with status 1 where one fails.
    Test {
        /// Files of cases.
        #[arg(value_name = "CASES", required = true)]
        cases: Vec<PathBuf>,
        /// The policy, where a file names none itself.
        #[arg(long, value_name = "FILE|PACK")]
        policy: Option<String>,
    },
    /// Decide on facts, and show every rule with what it read.
    Explain(Explain),
    /// Read the policy of the running door again, or put another in force until it stops.
    Reload {
        /// A pack to put in force.
        #[arg(long, value_name = "PACK", conflicts_with = "file")]
        pack: Option<String>,
        /// A file, on the machine of the door, to put in force.
        #[arg(long, value_name = "FILE")]
        file: Option<PathBuf>,
    },
}

#[derive(Debug, Args)]
struct Explain {
    /// Decide on what the running door knows of this package.
    #[arg(value_name = "PURL", required_unless_present = "facts", conflicts_with = "facts")]
    purl: Option<String>,
    /// Facts as JSON, one document a line or one over many lines; `-` reads standard input.
    #[arg(long, value_name = "FILE")]
    facts: Option<PathBuf>,
    /// Waivers, one JSON object a line.
    #[arg(long, value_name = "FILE", requires = "facts")]
    waivers: Option<PathBuf>,
    /// The time to decide for; now where left out.
    #[arg(long, value_name = "TIME", requires = "facts")]
    now: Option<Timestamp>,
    /// The policy; where left out, the one in force at the door, and `baseline` for given facts.
    #[arg(long, value_name = "FILE|PACK")]
    policy: Option<String>,
}

/// The most bytes of one file that is read whole.
const MAX_FILE_BYTES: u64 = 256 << 20;

impl PolicyCommand {
    /// Runs it.
    ///
    /// # Errors
    /// What cannot be read, with its place and a remedy.
    pub fn run(self) -> Outcome {
        match &self.command {
            Command::Show { policy: Some(policy), source } => self.show(policy, *source),
            Command::Show { policy: None, .. } => self.show_in_force(),
            Command::Lint { policies } => self.lint(policies),
            Command::Test { cases, policy } => self.test(cases, policy.as_deref()),
            Command::Explain(asked) => self.explain(asked),
            Command::Reload { pack, file } => self.reload(pack.as_deref(), file.as_deref()),
        }
    }

    fn show(&self, wanted: &str, source: bool) -> Outcome {
        if source {
            print(&source_of(wanted)?.0)?;
            return Ok(ExitCode::SUCCESS);
        }
        let policy = compiled(wanted)?.policy;
        if self.ask.json {
            print_json([policy.canonical()])?;
            return Ok(ExitCode::SUCCESS);
        }
        let enforced = if policy.enforces() { "enforces" } else { "observes only" };
        print(&format!(
            "{} {}, {enforced}, {} approvers, waivers up to {} days, {}\n",
            styled(STRONG, policy.id()),
            policy.version(),
            policy.approvers(),
            policy.max_waiver_days(),
            policy.digest()
        ))?;
        let rows: Vec<Vec<String>> = policy
            .rules()
            .iter()
            .map(|r| {
                let waivable = match r.waivable() {
                    Waivable::Yes => "yes",
                    Waivable::Digest => "given bytes",
                    Waivable::No => "no",
                };
                let mode = match r.mode() {
                    Mode::Enforce => "on",
                    Mode::DryRun { .. } => "dry run",
                    Mode::Off => "off",
                };
                vec![
                    r.id().into(),
                    r.action().to_string(),
                    mode.into(),
                    waivable.into(),
                    r.place().to_string(),
                ]
            })
            .collect();
        print_table(&["RULE", "ACTION", "MODE", "WAIVABLE", "WHERE"], &rows)?;
        Ok(ExitCode::SUCCESS)
    }

    fn show_in_force(&self) -> Outcome {
        let told = self.ask.door()?.get("policy", &[])?;
        if self.ask.json {
            print_json([&told])?;
            return Ok(ExitCode::SUCCESS);
        }
        let enforced = if told["enforces"] == true { "enforced" } else { "observing only" };
        print(&format!(
            "{} {} ({}), {enforced}, {}\n",
            styled(STRONG, text(&told, "id")),
            text(&told, "version"),
            safe(text(&told, "source")),
            text(&told, "digest")
        ))?;
        let rows: Vec<Vec<String>> = super::show::list(&told, "rules")
            .iter()
            .map(|r| vec![text(r, "id").into(), text(r, "action").into(), text(r, "waivable").into()])
            .collect();
        print_table(&["RULE", "ACTION", "WAIVABLE"], &rows)?;
        Ok(ExitCode::SUCCESS)
    }

    fn lint(&self, policies: &[String]) -> Outcome {
        let mut bad = false;
        for wanted in policies {
            let policy = match compiled(wanted) {
                Ok(compiled) => compiled.policy,
                Err(Failure(why)) if self.ask.json => {
                    bad = true;
                    print_json([&json!({ "policy": wanted, "level": "error", "what": why })])?;
                    continue;
                }
                Err(Failure(why)) => {
                    bad = true;
                    print(&format!("{}\n", styled(BAD, &why)))?;
                    continue;
                }
            };
            let findings = lint(&policy, &WaiverSet::empty(), Some(Clock::system().now()));
            let warnings = findings.iter().filter(|f| f.level == Level::Warning).count();
            bad |= warnings > 0;
            for finding in &findings {
                if self.ask.json {
                    print_json([&serde_json::to_value(finding)?])?;
                } else {
                    let style = if finding.level == Level::Warning { CARE } else { super::show::FAINT };
                    print(&format!("{}\n", styled(style, &finding.to_string())))?;
                }
            }
            if !self.ask.json && warnings == 0 {
                print(&format!(
                    "{wanted}: {} rules, {}\n",
                    policy.rules().len(),
                    styled(GOOD, "no warnings")
                ))?;
            }
        }
        Ok(ExitCode::from(u8::from(bad)))
    }

    fn test(&self, files: &[PathBuf], policy: Option<&str>) -> Outcome {
        let mut failed = 0;
        for path in files {
            let origin = path.display().to_string();
            let cases = CaseFile::parse(&read_text(path)?, &origin)?;
            let policy = match (policy, cases.own_policy(&origin)) {
                (Some(wanted), _) => compiled(wanted)?.policy,
                (None, Some(own)) => own?,
                (None, None) => {
                    return Err(Failure(format!(
                        "{origin}: names no policy\n  give one with --policy FILE|PACK, or write `pack = \"baseline\"` into the file"
                    )));
                }
            };
            let report = cases.run(&policy, &origin)?;
            failed += report.failed.len();
            if self.ask.json {
                print_json([&json!({
                    "file": origin, "policy": policy.id(), "passed": report.passed,
                    "failed": serde_json::to_value(&report.failed)?, "coverage": serde_json::to_value(&report.coverage)?,
                })])?;
                continue;
            }
            for failure in &report.failed {
                print(&format!("{} {}\n", styled(BAD, "failed"), failure.case))?;
                for difference in &failure.differences {
                    print(&format!("  {difference}\n"))?;
                }
            }
            print(&format!("{origin}: {} passed, {} failed\n", report.passed, report.failed.len()))?;
        }
        Ok(ExitCode::from(u8::from(failed > 0)))
    }

    fn explain(&self, asked: &Explain) -> Outcome {
        let policy = match &asked.policy {
            Some(wanted) => compiled(wanted)?.policy,
            None if asked.purl.is_some() => self.in_force()?,
            None => compiled("baseline")?.policy,
        };
        let (documents, now) = match (&asked.purl, &asked.facts) {
            (Some(purl), _) => {
                let told = self.ask.door()?.get("facts", &[("purl", purl.as_str())])?;
                let now = text(&told, "decided_at").parse().unwrap_or_else(|_| Clock::system().now());
                (super::show::list(&told, "facts").to_vec(), now)
            }
            (None, Some(path)) => {
                (documents(&read_text(path)?, path)?, asked.now.unwrap_or_else(|| Clock::system().now()))
            }
            (None, None) => return Err(Failure("give a package or --facts".into())),
        };
        let waivers = match &asked.waivers {
            Some(path) => waivers(&read_text(path)?, path)?,
            None => WaiverSet::empty(),
        };
        for (n, document) in documents.into_iter().enumerate() {
            let (facts, problems) = read_facts(document).map_err(|e| {
                Failure(format!(
                    "facts document {}: {e}\n  docs/reference/facts.schema.json describes it",
                    n + 1
                ))
            })?;
            for problem in problems {
                anstream::eprintln!("facts document {}: {problem}", n + 1);
            }
            self.explain_one(&policy, &facts, &waivers, now)?;
        }
        Ok(ExitCode::SUCCESS)
    }

    /// The policy that the running door decides by.
    fn in_force(&self) -> Result<Policy, Failure> {
        let told = self.ask.door()?.get("policy", &[])?;
        let source = text(&told, "source");
        let wanted = source.strip_prefix("pack ").or_else(|| source.strip_prefix("file ")).unwrap_or(source);
        let policy = compiled(wanted)?.policy;
        // The door may be on another machine, or its file may have been edited since it was read.
        if told["digest"] != serde_json::to_value(policy.digest())? {
            return Err(Failure(format!(
                "`{}` is not the policy that the door has in force\n  name one with --policy, or `tidegate policy reload`",
                safe(wanted)
            )));
        }
        Ok(policy)
    }

    fn explain_one(
        &self,
        policy: &Policy,
        facts: &Facts,
        waivers: &WaiverSet,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let explanation = explain(policy, facts, waivers, now);
        if self.ask.json {
            let mut value = serde_json::to_value(&explanation)?;
            value["artifact"] = json!({ "purl": facts.artifact.purl, "file": facts.artifact.file });
            return print_json([&value]);
        }
        let mut out = String::new();
        if !facts.artifact.purl.is_empty() {
            out.push_str(&format!("{} ", styled(STRONG, &safe(&facts.artifact.purl))));
        }
        out.push_str(&explanation.to_text());
        print(&out)
    }

    fn reload(&self, pack: Option<&str>, file: Option<&Path>) -> Outcome {
        let door = self.ask.door()?;
        let told = if pack.is_none() && file.is_none() {
            door.post("policy/reload", &json!({}))?
        } else {
            let file = file.map(std::path::absolute).transpose()?;
            door.put("policy", &json!({ "pack": pack, "file": file }))?
        };
        if self.ask.json {
            print_json([&told])?;
        } else {
            print(&format!(
                "{} {} is in force ({})\n",
                text(&told, "id"),
                text(&told, "version"),
                safe(text(&told, "source"))
            ))?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// The text of a pack or a file, and what to call it in messages.
fn source_of(wanted: &str) -> Result<(String, String), Failure> {
    match packs::source(wanted) {
        Some(source) => Ok((source.to_owned(), format!("pack:{wanted}"))),
        None => {
            let path = Path::new(wanted);
            if !path.exists() {
                return Err(Failure(format!(
                    "`{wanted}` is neither a policy pack nor a file\n  the packs are {}",
                    packs::NAMES.join(", ")
                )));
            }
            Ok((read_text(path)?, wanted.to_owned()))
        }
    }
}

fn compiled(wanted: &str) -> Result<Compiled, Failure> {
    let (source, origin) = source_of(wanted)?;
    Ok(Policy::compile(&source, &origin)?)
}

fn read_text(path: &Path) -> Result<String, Failure> {
    let failed = |e: std::io::Error| Failure(format!("`{}` cannot be read: {e}", path.display()));
    let mut content = String::new();
    if path == Path::new("-") {
        std::io::stdin().take(MAX_FILE_BYTES).read_to_string(&mut content).map_err(failed)?;
    } else {
        let file = std::fs::File::open(path).map_err(failed)?;
        file.take(MAX_FILE_BYTES).read_to_string(&mut content).map_err(failed)?;
    }
    Ok(content)
}

/// JSON documents one after another: one a line, or pretty-printed.
fn documents(content: &str, path: &Path) -> Result<Vec<Value>, Failure> {
    let mut out = Vec::new();
    for document in serde_json::Deserializer::from_str(content).into_iter::<Value>() {
        out.push(document.map_err(|e| {
            Failure(format!(
                "{}: line {}: this is no JSON: {e}\n  docs/reference/facts.schema.json describes what is expected",
                path.display(),
                e.line()
            ))
        })?);
    }
    if out.is_empty() {
        return Err(Failure(format!("{}: holds no facts document", path.display())));
    }
    Ok(out)
}

fn waivers(content: &str, path: &Path) -> Result<WaiverSet, Failure> {
    let mut out = Vec::new();
    for waiver in serde_json::Deserializer::from_str(content).into_iter::<Waiver>() {
        out.push(waiver.map_err(|e| {
            Failure(format!(
                "{}: line {}: this is no waiver: {e}\n  one JSON object a line, as `tidegate waiver export` writes it",
                path.display(),
                e.line()
            ))
        })?);
    }
    Ok(WaiverSet::new(out))
}
