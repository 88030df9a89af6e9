//! What a door stored about the files of a package. The door is asked; nothing is fetched or checked anew.

use std::fmt::Write as _;

use serde_json::{Value, json};
use tidegate_model::Timestamp;
use tidegate_provenance::Verification;

use super::super::show::{Ask, FAINT, STRONG, list, minute, safe, styled, text};
use super::super::{Failure, print};
use super::told::{RootLine, Told, aged, conclusion, status};

/// Asks, prints, and gives the status.
pub(super) fn run(ask: &Ask, purl: &str) -> Result<u8, Failure> {
    let told = ask.door()?.get("provenance", &[("purl", purl)])?;
    let roots = root_lines(&told);
    let (mut all, mut out) = (Vec::new(), String::new());
    for file in list(&told, "files") {
        let mut found = of_file(file, &roots)?;
        if ask.json {
            for one in &mut found {
                one.json["purl"] = file["purl"].clone();
                one.json["file"] = file["file"].clone();
                one.json["subject"] = file["subject"].clone();
                one.json["checked_at"] = file["checked_at"].clone();
                let _ = writeln!(out, "{}", one.json);
            }
        } else {
            head(&mut out, file);
            found.iter().for_each(|one| out.push_str(&one.readable()));
        }
        all.append(&mut found);
    }
    if all.is_empty() {
        let why = match told["enabled"].as_bool() {
            Some(false) => "checking provenance is switched off there ([provenance] enabled)",
            _ => "nobody took a file of it there for which its upstream announces anything signed",
        };
        if ask.json {
            let line =
                json!({ "purl": told["purl"], "state": "not_checked", "evidence": "none", "detail": why });
            let _ = writeln!(out, "{line}");
        } else {
            let _ = writeln!(out, "nothing is stored about {}: {why}", safe(text(&told, "purl")));
        }
    } else if !ask.json {
        if told["files_omitted"].as_u64().unwrap_or(0) > 0 {
            let _ = writeln!(out, "and {} more files; name a version", told["files_omitted"]);
        }
        if text(&told, "custody") == "not_offered" {
            let _ = writeln!(out, "custody: the door keeps no statements of its own about it");
        }
        out.push_str(&conclusion(&all));
    }
    print(&out)?;
    Ok(status(&all))
}

fn head(out: &mut String, file: &Value) {
    let _ = writeln!(
        out,
        "{} {}\n  {} checked {}",
        styled(STRONG, &safe(text(file, "purl"))),
        safe(text(file, "file")),
        styled(FAINT, &safe(text(file, "subject"))),
        minute(file, "checked_at"),
    );
}

fn of_file(file: &Value, roots: &[RootLine]) -> Result<Vec<Told>, Failure> {
    let mut found = Vec::new();
    for outcome in list(file, "outcomes") {
        let outcome: Verification = serde_json::from_value(outcome.clone()).map_err(|e| {
            Failure(format!(
                "the door answers an outcome that cannot be read: {e}\n  use a tidegate of the door's version"
            ))
        })?;
        found.push(Told::of("what the door stored".to_owned(), &outcome, roots));
    }
    if let Some(why) = file["unavailable"].as_str() {
        let from = "the door's upstream";
        found.push(Told::nothing(from, "what its index announces", "unavailable", why.to_owned()));
    }
    if found.is_empty() {
        found.push(Told::nothing(
            "what the door stored",
            "nothing",
            "absent",
            "nothing is signed about it".to_owned(),
        ));
    }
    Ok(found)
}

/// The roots that the door believes now.
fn root_lines(told: &Value) -> Vec<RootLine> {
    let roots = list(told, "roots").iter();
    roots
        .map(|root| {
            // A file that was configured is as old as it is; the door knows only when it was read.
            let dated = Some(text(root, "as_of")).filter(|_| text(root, "origin") != "configured");
            let as_of = dated.unwrap_or_default().parse::<Timestamp>();
            let age = root["age_days"].as_i64().unwrap_or_default();
            let aged = as_of.map_or_else(|_| String::new(), |as_of| format!(", {}", aged(as_of, age)));
            RootLine {
                digest: text(root, "digest").to_owned(),
                shown: format!("{}, {}{aged}", text(root, "instance"), text(root, "origin")),
                json: root.clone(),
            }
        })
        .collect()
}
