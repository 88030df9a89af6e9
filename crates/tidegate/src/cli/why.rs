//! `tidegate why`: what was decided, by which rules, on which facts; what is withheld and until when.

use std::fmt::Write as _;
use std::process::ExitCode;

use clap::Args;
use serde_json::Value;
use tidegate_model::DecisionId;

use super::show::{Ask, FAINT, STRONG, action_style, list, minute, print_json, safe, styled, text};
use super::{Outcome, print};

/// Explain what is decided on a package, and what was.
#[derive(Debug, Args)]
pub struct Why {
    /// A package URL such as `pkg:npm/left-pad@1.3.0`, with or without version, or the id of a decision.
    #[arg(value_name = "PURL|DECISION-ID")]
    pub subject: String,
    /// Through this repository; else the one of the ecosystem.
    #[arg(long, value_name = "NAME")]
    pub repository: Option<String>,
    /// List every version that is withheld, not only the newest.
    #[arg(long)]
    pub all: bool,
    #[command(flatten)]
    ask: Ask,
}

impl Why {
    /// Prints it.
    ///
    /// # Errors
    /// No door, or its refusal.
    pub fn run(self) -> Outcome {
        let by_id = self.subject.parse::<DecisionId>().is_ok();
        let mut query = vec![(if by_id { "decision" } else { "purl" }, self.subject.as_str())];
        if let Some(repository) = &self.repository {
            query.push(("repository", repository));
        }
        if self.all {
            query.push(("all", "true"));
        }
        let told = self.ask.door()?.get("why", &query)?;
        if self.ask.json {
            print_json([&told])?;
        } else if by_id {
            print(&of_decision(&told))?;
        } else {
            print(&of_purl(&told))?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn of_decision(told: &Value) -> String {
    let mut out = String::new();
    let record = &told["recorded"];
    // Writing to a String cannot fail.
    let _ = writeln!(out, "{}", styled(STRONG, "recorded"));
    recorded(&mut out, record);
    decision(&mut out, &record["decision"], "    ");
    let _ = writeln!(out, "{}", styled(STRONG, "now"));
    match text(&told["now"], "error") {
        "" => out.push_str(&of_purl(&told["now"])),
        error => {
            let _ = writeln!(out, "  cannot be told: {}", safe(error));
        }
    }
    out
}

fn of_purl(told: &Value) -> String {
    let mut out = String::new();
    for file in list(told, "files") {
        one_file(&mut out, file);
    }
    if let Some(newer) = told.get("newer_withheld") {
        let _ = writeln!(
            out,
            "a newer version is withheld, so resolvers land here: {} {}",
            safe(text(newer, "version")),
            withheld_why(newer)
        );
    }
    let policy = &told["policy"];
    let newest = match text(told, "newest_compliant") {
        "" => "no version is compliant now".to_owned(),
        version => format!("newest compliant version: {}", styled(STRONG, &safe(version))),
    };
    let _ = writeln!(
        out,
        "{newest}\n{} versions at {} in repository {}, under policy {} {}",
        told["versions"],
        safe(text(told, "upstream")),
        text(told, "repository"),
        text(policy, "id"),
        text(policy, "version")
    );
    if !text(told, "stale").is_empty() {
        let _ = writeln!(out, "the index is old: {}", safe(text(told, "stale")));
    }
    let withheld = list(told, "withheld");
    if withheld.is_empty() {
        let _ = writeln!(out, "nothing is withheld");
    } else {
        let _ = writeln!(out, "withheld:");
        for one in withheld {
            let _ = writeln!(out, "  {:16} {}", safe(text(one, "version")), withheld_why(one));
        }
        if told["withheld_omitted"].as_u64().unwrap_or(0) > 0 {
            let _ = writeln!(out, "  and {} more; --all lists them", told["withheld_omitted"]);
        }
    }
    let records = list(told, "recorded");
    if !records.is_empty() {
        let _ = writeln!(out, "decided before:");
        for record in records {
            recorded(&mut out, record);
        }
    }
    out
}

fn withheld_why(one: &Value) -> String {
    let action = text(one, "action");
    let until = match minute(one, "selectable_from") {
        at if at.is_empty() || text(one, "message").contains("selectable from") => String::new(),
        at => format!("; selectable from {at}"),
    };
    format!(
        "{} by {}: {}{until}",
        styled(action_style(action), action),
        text(one, "rule"),
        safe(text(one, "message"))
    )
}

fn recorded(out: &mut String, record: &Value) {
    let action = text(record, "action");
    let _ = writeln!(
        out,
        "  {} {} {} {} {}",
        minute(record, "decided_at"),
        text(record, "id"),
        styled(action_style(action), action),
        safe(text(record, "purl")),
        styled(FAINT, &safe(text(record, "file")))
    );
}

fn one_file(out: &mut String, file: &Value) {
    let outcome = text(file, "outcome");
    let _ = writeln!(
        out,
        "{} is {}  {}",
        styled(STRONG, &safe(text(file, "purl"))),
        styled(action_style(text(file, "action")), outcome),
        styled(FAINT, &safe(text(file, "file")))
    );
    let from = minute(file, "selectable_from");
    if !from.is_empty() {
        let _ = writeln!(out, "  selectable from {from}");
    }
    decision(out, &file["decision"], "  ");
    let facts = &file["facts"];
    let mut dates = Vec::new();
    for (key, words) in [
        ("published_at", "published"),
        ("first_seen_at", "first seen here"),
        ("project_published_at", "project since"),
    ] {
        let at = minute(facts, key);
        if !at.is_empty() {
            dates.push(format!("{words} {at}"));
        }
    }
    if facts["first_seen_at_start"] == true {
        dates.push("listed already when this door first saw the package".to_owned());
    }
    for (key, words) in [("publisher", "published by"), ("licence", "licence")] {
        if !text(facts, key).is_empty() {
            dates.push(format!("{words} {}", safe(text(facts, key))));
        }
    }
    if facts["install_script"] == true {
        dates.push("runs a script when installed".to_owned());
    }
    if !dates.is_empty() {
        let _ = writeln!(out, "  facts: {}", dates.join("; "));
    }
    for item in list(facts, "advisories") {
        let _ = writeln!(out, "  advisory {}", advisory(item));
    }
    inside(out, &file["inside"]);
    if text(file, "stage") == "index" {
        let _ = writeln!(out, "  decided from the index; its bytes were not asked for yet");
    } else {
        let _ = writeln!(out, "  bytes sha256:{}", text(file, "sha256"));
    }
}

/// What looking inside found.
fn inside(out: &mut String, inside: &Value) {
    if inside.is_null() {
        return;
    }
    let at = minute(inside, "inspected_at");
    let mut parts = vec![match inside["failed"].as_str() {
        Some(why) => format!("not known, looked into {at}: {}", safe(why)),
        None => format!("{}, looked into {at}", text(inside, "verdict")),
    }];
    for (key, one, many) in [("components", "component", "components"), ("not_seen", "gap", "gaps")] {
        match inside[key].as_u64() {
            None | Some(0) => {}
            Some(1) => parts.push(format!("1 {one}")),
            Some(n) => parts.push(format!("{n} {many}")),
        }
    }
    let _ = writeln!(out, "  inside: {}", parts.join("; "));
    for finding in list(inside, "findings") {
        // The artifact's own name is known to whoever reads this.
        let path = text(finding, "path");
        let path = path.split_once("!/").map_or(path, |(_, within)| within);
        let line = finding["line"].as_u64().map(|line| format!(":{line}")).unwrap_or_default();
        let _ = writeln!(
            out,
            "    {} {}: {} in {}{line}",
            text(finding, "severity"),
            safe(text(finding, "detector")),
            safe(text(finding, "message")),
            safe(path)
        );
    }
    if inside["findings_omitted"].as_u64().unwrap_or(0) > 0 {
        let _ =
            writeln!(out, "    and {} more; GET /api/v1/inspections lists them", inside["findings_omitted"]);
    }
}

/// An advisory in one line: id, how bad, whether exploited, what mends it.
fn advisory(item: &Value) -> String {
    let mut parts = vec![safe(text(item, "id"))];
    match (text(item, "effective_severity"), item["cvss_score"].as_f64()) {
        ("", _) if item["malicious"] == true => parts.push("malware".into()),
        ("", _) => parts.push("not rated".into()),
        (word, Some(score)) => parts.push(format!("{} ({score:.1})", safe(word))),
        (word, None) => parts.push(safe(word)),
    }
    if item["kev"] == true {
        parts.push("being exploited".into());
    }
    if let Some(epss) = item["epss"].as_f64() {
        parts.push(format!("EPSS {:.1} %", epss * 100.0));
    }
    match text(&item["ssvc"], "exploitation") {
        "active" if item["kev"] != true => parts.push("exploitation seen".into()),
        "poc" => parts.push("proof of concept public".into()),
        _ => {}
    }
    let fixes = list(item, "fixed_in").iter().filter_map(Value::as_str).map(safe).collect::<Vec<_>>();
    parts.push(if fixes.is_empty() { "no fix".into() } else { format!("fixed in {}", fixes.join(", ")) });
    parts.join(", ")
}

fn decision(out: &mut String, decision: &Value, indent: &str) {
    for reason in list(decision, "reasons") {
        let action = text(reason, "action");
        let _ = writeln!(
            out,
            "{indent}{} [{}] {}",
            styled(action_style(action), action),
            text(reason, "rule"),
            safe(text(reason, "message"))
        );
        if text(reason, "truth") == "unknown" {
            let _ = writeln!(out, "{indent}  a fact that this rule needs is missing");
        }
        for fact in list(&reason["because"], "facts") {
            let value = fact.get("value").map_or_else(|| text(fact, "state").to_owned(), Value::to_string);
            let _ = writeln!(out, "{indent}  {} = {}", safe(text(fact, "path")), safe(&value));
        }
        let until = minute(reason, "until");
        if !until.is_empty() {
            let _ = writeln!(out, "{indent}  until {until}");
        }
        if !text(reason, "remediation").is_empty() && !matches!(action, "allow" | "warn") {
            let _ = writeln!(out, "{indent}  {}", safe(text(reason, "remediation")));
        }
    }
    for waived in list(decision, "waived") {
        let ids = super::show::words(waived, "waivers");
        let _ = writeln!(out, "{indent}waived [{}] by {}", text(waived, "rule"), safe(&ids));
    }
    let gaps: Vec<String> = list(decision, "gaps")
        .iter()
        .map(|g| format!("{} ({})", text(g, "fact"), text(g, "state").replace('_', " ")))
        .collect();
    if !gaps.is_empty() {
        let _ = writeln!(out, "{indent}not known: {}", gaps.join(", "));
    }
}
