//! `tidegate status`, `tidegate doctor`.

use std::fmt::Write as _;
use std::process::ExitCode;

use clap::Args;
use serde_json::{Value, json};
use tidegate_model::Ecosystem;

use super::show::{Ask, BAD, CARE, FAINT, GOOD, STRONG, list, minute, print_json, safe, styled, text};
use super::{Failure, Outcome, print};
use crate::config;
use crate::discover::{Surroundings, discover_all, is_self};

/// Show what is on and where each upstream came from.
#[derive(Debug, Args)]
pub struct Status {
    #[command(flatten)]
    ask: Ask,
}

impl Status {
    /// Prints it.
    ///
    /// # Errors
    /// No door, or its refusal.
    pub fn run(self) -> Outcome {
        let status = self.ask.door()?.get("status", &[])?;
        if self.ask.json {
            print_json([&status])?;
        } else {
            print(&shown(&status))?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn shown(status: &Value) -> String {
    let mut out = String::new();
    let ready = status["ready"] == true;
    let word = if ready { styled(GOOD, "ready") } else { styled(BAD, "not ready") };
    // Writing to a String cannot fail.
    let _ = writeln!(
        out,
        "tidegate {} is {word}, open since {}",
        text(status, "version"),
        minute(status, "opened_at")
    );
    for reason in list(status, "not_ready_because") {
        let _ = writeln!(out, "  {}", safe(reason.as_str().unwrap_or_default()));
    }
    let policy = &status["policy"];
    let enforced = if policy["enforces"] == true { "enforced" } else { "observing only" };
    let _ = writeln!(
        out,
        "policy      {} {} ({}), {enforced}",
        text(policy, "id"),
        text(policy, "version"),
        safe(text(policy, "source"))
    );
    let ledger = &status["ledger"];
    let _ = write!(out, "ledger      {} entries, {}", ledger["entries"], text(ledger, "mode"));
    if text(ledger, "mode") == "batched" {
        let _ = write!(out, " (a power cut may lose {} ms)", ledger["unsynced_window_ms"]);
    }
    out.push('\n');
    if let Some(store) = status.get("store").filter(|s| !s.is_null()) {
        let mib = |key: &str| store[key].as_u64().unwrap_or(0) >> 20;
        let _ = writeln!(
            out,
            "store       {} of {} MiB used, {} MiB free",
            mib("used_bytes"),
            mib("quota_bytes"),
            mib("free_bytes")
        );
    }
    if let Some(inspection) = status.get("inspection").filter(|s| !s.is_null()) {
        let _ = writeln!(out, "inspection  {}", inspecting(inspection));
    }
    let trusted = list(status, "trust_roots");
    if !trusted.is_empty() {
        let _ = writeln!(out, "provenance  {}", roots(trusted));
    }
    for sink in list(status, "event_sinks") {
        let _ = writeln!(out, "events      {}", event_sink(sink));
    }
    for control in list(status, "degraded") {
        let _ = writeln!(out, "off         {}", styled(CARE, &safe(control.as_str().unwrap_or_default())));
    }
    for repository in list(status, "repositories") {
        let name = styled(STRONG, text(repository, "name"));
        if !text(repository, "not_configured").is_empty() {
            let _ = writeln!(out, "{name}: not configured: {}", safe(text(repository, "not_configured")));
        }
        for upstream in list(repository, "upstreams") {
            let source = styled(FAINT, &format!("(from {})", safe(text(upstream, "source"))));
            let _ = writeln!(out, "{name} <- {} {source}", safe(text(upstream, "url")));
        }
    }
    out
}

/// The roots under which attestations are checked, on a line: each with its age.
fn roots(roots: &[Value]) -> String {
    let told = roots.iter().map(|root| {
        let age = format!("{} days old", root["age_days"]);
        let age = if root["stale"] == true { styled(CARE, &age) } else { age };
        format!("root of {} {age}", safe(text(root, "instance")))
    });
    told.collect::<Vec<_>>().join(", ")
}

/// How inspection stands, on a line.
fn inspecting(inspection: &Value) -> String {
    let mut line = format!(
        "{} workers of {} MiB, {} artifacts looked into",
        inspection["workers"], inspection["memory_mib"], inspection["done"]
    );
    let gaps: u64 =
        inspection["gaps"].as_object().into_iter().flatten().filter_map(|(_, n)| n.as_u64()).sum();
    if gaps > 0 {
        let _ = write!(line, ", {}", styled(CARE, &format!("{gaps} could not be")));
    }
    for reason in list(inspection, "degraded") {
        let _ = write!(line, ", {}", styled(BAD, &safe(reason.as_str().unwrap_or_default())));
    }
    line
}

/// How a sink of events stands, on a line.
fn event_sink(sink: &Value) -> String {
    let name = styled(STRONG, &safe(text(sink, "name")));
    let mut line = format!("{name} -> {}: {} sent", safe(text(sink, "target")), sink["delivered"]);
    if sink["parked"] != 0 {
        let _ = write!(line, ", {}", styled(BAD, &format!("{} put aside", sink["parked"])));
    }
    match (text(sink, "off"), text(sink, "last_error")) {
        ("", "") => {}
        ("", error) => {
            let told = format!("{} entries behind, {}", sink["entries_behind"], safe(error));
            let _ = write!(line, ", {}", styled(CARE, &told));
        }
        (off, _) => {
            let _ = write!(line, ", {}", styled(BAD, &format!("off: {}", safe(off))));
        }
    }
    line
}

/// Find out what is wrong, and what to do about it. Ends with status 1 where something is.
#[derive(Debug, Args)]
pub struct Doctor {
    #[command(flatten)]
    ask: Ask,
}

impl Doctor {
    /// Prints every finding.
    ///
    /// # Errors
    /// Standard output cannot be written.
    pub fn run(self) -> Outcome {
        let answer = self.ask.door().and_then(|door| door.get("diagnosis", &[]));
        let diagnosis = match answer {
            Ok(diagnosis) => diagnosis,
            Err(Failure(why)) => self.without_a_door(&why),
        };
        let mut findings = list(&diagnosis, "findings").to_vec();
        // A door elsewhere has its clients elsewhere.
        if self.ask.reach.door.is_none() {
            findings.extend(clients(&self.ask.reach.data()));
        }
        let problems = findings.iter().filter(|f| text(f, "level") == "problem").count();
        if self.ask.json {
            print_json(&findings)?;
        } else {
            print(&told(&findings, problems))?;
        }
        Ok(ExitCode::from(u8::from(problems > 0)))
    }

    /// What can be told of a machine on which no door runs.
    fn without_a_door(&self, why: &str) -> Value {
        let mut findings = Vec::new();
        let (what, remedy) = why.split_once('\n').unwrap_or((why, ""));
        findings.push(json!({ "level": "problem", "area": "door", "what": what, "remedy": remedy.trim() }));
        if self.ask.reach.door.is_none() {
            let path = self.ask.reach.data().join("tidegate.toml");
            if path.exists() {
                findings.push(match config::load(&path) {
                    Ok(_) => {
                        let what = format!("`{}` can be used", path.display());
                        json!({ "level": "ok", "area": "configuration", "what": what, "remedy": "" })
                    }
                    Err(error) => {
                        let error = error.to_string();
                        let (what, remedy) = error.split_once('\n').unwrap_or((&error, ""));
                        json!({ "level": "problem", "area": "configuration", "what": what, "remedy": remedy.trim() })
                    }
                });
            }
            findings.extend(discovered());
        }
        json!({ "findings": findings })
    }
}

/// Programs that fetch packages, as `PATH` knows them.
const CLIENTS: [&str; 9] = ["npm", "pnpm", "yarn", "python3", "pip", "uv", "poetry", "cargo", "hf"];

/// Which clients this machine has, and whether their own configuration leads to the door. Clients that are found are asked
/// as discovery asks them: nothing of the current project is read or run.
fn clients(data: &std::path::Path) -> Vec<Value> {
    let (Ok(folder), Ok(own)) = (std::env::current_dir(), super::discover::own_addresses(data)) else {
        return Vec::new();
    };
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<_> = std::env::split_paths(&path).filter(|folder| folder.is_absolute()).collect();
    let (here, missing): (Vec<&str>, Vec<&str>) =
        CLIENTS.iter().partition(|client| folders.iter().any(|folder| folder.join(client).is_file()));
    let mut what = format!("{} on PATH", if here.is_empty() { "none".to_owned() } else { here.join(", ") });
    if !missing.is_empty() {
        what.push_str(&format!("; not here: {}", missing.join(", ")));
    }
    let mut findings = vec![json!({ "level": "ok", "area": "clients", "what": what, "remedy": "" })];
    // What is set for tidegate alone says nothing of the clients, and their way to the door is no loop here.
    for (ecosystem, found) in discover_all(&Surroundings::of_process(folder, Vec::new())) {
        let client = match ecosystem {
            Ecosystem::Npm => "npm",
            Ecosystem::Pypi => "pip",
            Ecosystem::Cargo => "cargo",
            Ecosystem::Huggingface => "huggingface",
            Ecosystem::Oci => "images",
            Ecosystem::Vscode => "vscode",
            Ecosystem::Mcp => "mcp-registry",
        };
        let Ok(found) = found else { continue };
        let place = &found.source.place;
        findings.push(if is_self(&found.url, &own) {
            let what = format!("is set up: what it installs comes through the door (from {place})");
            json!({ "level": "ok", "area": client, "what": what, "remedy": "" })
        } else {
            let what =
                format!("asks {} (from {place}), past the door unless `tidegate run` starts it", found.url);
            let remedy = format!("`tidegate setup {client} --write` leads it through for good");
            json!({ "level": "note", "area": client, "what": what, "remedy": remedy })
        });
        for scoped in found.scoped.iter().filter(|scoped| !is_self(&scoped.url, &own)) {
            let what = format!(
                "`{}` comes from {} (from {}), past the door",
                scoped.pattern, scoped.url, scoped.place
            );
            let remedy = "make that registry an upstream of the door, with the names it owns as `private`";
            findings.push(json!({ "level": "note", "area": client, "what": what, "remedy": remedy }));
        }
    }
    findings
}

/// The upstreams that a door started here would front.
fn discovered() -> Vec<Value> {
    let Ok(folder) = std::env::current_dir() else { return Vec::new() };
    let around = Surroundings::of_process(folder, Vec::new()).explicit_from_vars();
    discover_all(&around)
        .into_iter()
        .map(|(ecosystem, found)| match found {
            Ok(found) => {
                let what = format!("a door would front {} (from {})", found.url, found.source.place);
                json!({ "level": "ok", "area": ecosystem.as_str(), "what": what, "remedy": "" })
            }
            Err(missing) => json!({
                "level": "note", "area": ecosystem.as_str(), "what": missing.to_string(), "remedy": missing.remedy(),
            }),
        })
        .collect()
}

fn told(findings: &[Value], problems: usize) -> String {
    let mut out = String::new();
    for finding in findings {
        let word = match text(finding, "level") {
            "ok" => styled(GOOD, "ok     "),
            "note" => styled(CARE, "note   "),
            _ => styled(BAD, "problem"),
        };
        let _ = writeln!(out, "{word} {}: {}", safe(text(finding, "area")), safe(text(finding, "what")));
        if !text(finding, "remedy").is_empty() {
            let _ = writeln!(out, "          {}", safe(text(finding, "remedy")));
        }
    }
    let _ = match problems {
        0 => writeln!(out, "nothing is wrong"),
        1 => writeln!(out, "1 thing is wrong"),
        n => writeln!(out, "{n} things are wrong"),
    };
    out
}
