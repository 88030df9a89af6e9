//! What `check` shows of something that was looked into: what is decided, then what was seen, worst first, with where it is, why
//! it matters and what to do; then what was not looked at, the licence and what it brings along.

use std::collections::BTreeMap;

use tidegate_inspect::catalogue;
use tidegate_inspect::inspection::NotSeen;
use tidegate_model::finding::FindingSeverity;
use tidegate_model::{Action, Finding};

use super::{Compared, Form, Judged};
use crate::check::readable::{leading, why};
use crate::cli::show::{BAD, CARE, FAINT, STRONG, action_style, safe, styled};

/// Where details begin: below the name.
const INDENT: &str = "           ";
/// Places of one detector that are shown before the others are counted.
const SHOWN_PLACES: usize = 5;
/// Parts that were not looked at that are shown one by one.
const SHOWN_GAPS: usize = 5;
/// Bundled components with advisories that are shown one by one.
const SHOWN_COMPONENTS: usize = 8;

/// The report; with `all`, also what is of note only.
pub fn readable(judged: &Judged, all: bool) -> String {
    let mut told = String::new();
    head(&mut told, judged);
    let looked = &judged.looked;
    if let Some(compared) = &looked.compared {
        beside(&mut told, compared);
    }
    match &looked.inspection {
        Ok(inspection) => {
            let compared = looked.compared.iter().flat_map(|compared| &compared.findings);
            let findings: Vec<&Finding> = compared.chain(&inspection.findings).collect();
            seen(&mut told, &findings, all);
            bundled(&mut told, judged);
            not_looked_at(&mut told, &inspection.not_seen, all);
        }
        Err(why) => {
            let line = format!("nothing in it was seen: {}", safe(why));
            told.push_str(&format!("{INDENT}{}\n", styled(CARE, &line)));
        }
    }
    told.push_str(&summary(judged));
    told
}

fn head(told: &mut String, judged: &Judged) {
    let (word, style) = match judged.answer.action {
        Some(action) => (action.as_str(), action_style(action.as_str())),
        None => ("failed", BAD),
    };
    let is = judged.item.purl.as_deref().map(|purl| format!(" ({purl})")).unwrap_or_default();
    let name = safe(&format!("{}{is}", judged.looked.given));
    told.push_str(&format!(
        "{} {name}{}\n",
        styled(style, &format!("{word:<10}")),
        safe(&why(&judged.answer))
    ));
    if let Some(reason) = leading(&judged.answer).filter(|reason| reason.action > Action::Allow)
        && let Some(remediation) = &reason.remediation
    {
        told.push_str(&format!("{INDENT}{}\n", styled(STRONG, &safe(remediation))));
    }
    for finding in &judged.answer.findings {
        told.push_str(&format!("{INDENT}{}\n", safe(&finding.line())));
    }
}

fn beside(told: &mut String, compared: &Compared) {
    let version = compared.version.as_deref().map(|version| format!(" ({version})")).unwrap_or_default();
    let mut line = match (&compared.why_not, compared.findings.len()) {
        (Some(why), 0) => format!("not compared with {}{version}: {why}", compared.with),
        (Some(why), new) => format!("compared with {}{version} in part, {new} new: {why}", compared.with),
        (None, 0) => {
            format!("compared with {}{version}: it can do nothing that this could not", compared.with)
        }
        (None, new) => format!("compared with {}{version}: {new} new", compared.with),
    };
    if let Some(other) = &compared.other_package {
        line.push_str(&format!("; that is another package, {other}"));
    }
    told.push_str(&format!("{INDENT}{}\n", styled(STRONG, &safe(&line))));
}

/// Findings, by detector, in the order of the worst of each.
fn seen(told: &mut String, findings: &[&Finding], all: bool) {
    let mut of: Vec<(&str, Vec<&Finding>)> = Vec::new();
    for finding in findings {
        match of.iter_mut().find(|(detector, _)| *detector == finding.detector) {
            Some((_, list)) => list.push(finding),
            None => of.push((&finding.detector, vec![finding])),
        }
    }
    let worst = |list: &[&Finding]| list.iter().map(|f| (f.severity, f.confidence)).max();
    of.sort_by(|a, b| worst(&b.1).cmp(&worst(&a.1)).then(a.0.cmp(b.0)));
    let mut noted: BTreeMap<&str, u64> = BTreeMap::new();
    for (detector, list) in of {
        let severity = list.iter().map(|f| f.severity).max().unwrap_or(FindingSeverity::Info);
        if severity == FindingSeverity::Info && !all {
            noted.insert(detector, list.iter().map(|f| f.count).sum());
        } else {
            one_detector(told, detector, severity, &list, all);
        }
    }
    if !noted.is_empty() {
        let list: Vec<String> =
            noted.iter().map(|(detector, count)| format!("{detector} ({count})")).collect();
        let line = format!("of note: {} (--all shows them)", list.join(", "));
        told.push_str(&format!("{INDENT}{}\n", styled(FAINT, &line)));
    }
}

fn one_detector(told: &mut String, detector: &str, severity: FindingSeverity, list: &[&Finding], all: bool) {
    let style = match severity {
        FindingSeverity::Critical | FindingSeverity::High => BAD,
        FindingSeverity::Medium => CARE,
        FindingSeverity::Low | FindingSeverity::Info => FAINT,
    };
    let word = styled(style, &format!("{:<8}", severity.as_str()));
    told.push_str(&format!("  {word} {}\n", styled(STRONG, &safe(detector))));
    let most = if all { list.len() } else { SHOWN_PLACES };
    for finding in list.iter().take(most) {
        told.push_str(&format!("{INDENT}{}\n", safe(&place(finding))));
    }
    if list.len() > most {
        told.push_str(&format!("{INDENT}and {} more places (--all)\n", list.len() - most));
    }
    if let Some(help) = catalogue::help(detector) {
        let why = help.why.split("\n\n").next().unwrap_or_default();
        told.push_str(&format!("{INDENT}{}\n", styled(FAINT, &format!("why: {why}"))));
        told.push_str(&format!("{INDENT}{}\n", styled(FAINT, &format!("what to do: {}", help.remedy))));
    }
}

/// Where something is, what it is, and what that rests on.
fn place(finding: &Finding) -> String {
    let place = match (finding.location.line, finding.location.offset) {
        (Some(line), _) => format!("{}:{line}", finding.location.path),
        (None, Some(offset)) => format!("{} at byte {offset}", finding.location.path),
        (None, None) => finding.location.path.clone(),
    };
    let evidence = finding.evidence.as_deref().map(|evidence| format!(" [{evidence}]")).unwrap_or_default();
    let count = if finding.count > 1 { format!(" ({} times)", finding.count) } else { String::new() };
    let sure = format!("{} confidence", finding.confidence);
    format!("{place}: {}{evidence}{count}, {sure}", finding.message)
}

/// Bundled components of which advisories say something.
fn bundled(told: &mut String, judged: &Judged) {
    let components = judged.looked.components();
    let touched: Vec<_> = judged
        .bundled
        .iter()
        .filter(|(_, _, answer)| {
            answer.findings.iter().any(|finding| finding.counts() && !finding.is_cleared())
        })
        .collect();
    for (at, item, answer) in touched.iter().take(SHOWN_COMPONENTS) {
        let purl = item.purl.as_deref().unwrap_or(&item.name);
        let path = components.get(*at).map_or("", |one| one.path.as_str());
        told.push_str(&format!("  {} {}\n", styled(CARE, "bundles "), safe(&format!("{purl} in {path}"))));
        for finding in answer.findings.iter().filter(|finding| finding.counts()).take(SHOWN_PLACES) {
            told.push_str(&format!("{INDENT}{}\n", safe(&finding.line())));
        }
    }
    if touched.len() > SHOWN_COMPONENTS {
        let line =
            format!("and {} more bundled components with advisories", touched.len() - SHOWN_COMPONENTS);
        told.push_str(&format!("{INDENT}{line}\n"));
    }
}

fn not_looked_at(told: &mut String, gaps: &[NotSeen], all: bool) {
    if gaps.is_empty() {
        return;
    }
    let count: u64 = gaps.iter().map(|gap| gap.count).sum();
    let line = format!("not looked at: {count} {}", if count == 1 { "part" } else { "parts" });
    told.push_str(&format!("  {}\n", styled(CARE, &line)));
    let most = if all { gaps.len() } else { SHOWN_GAPS };
    for gap in gaps.iter().take(most) {
        let count = if gap.count > 1 { format!(" ({} times)", gap.count) } else { String::new() };
        let line = format!("{}: {} [{}]{count}", gap.path, gap.detail, gap.kind);
        told.push_str(&format!("{INDENT}{}\n", safe(&line)));
    }
    if gaps.len() > most {
        told.push_str(&format!("{INDENT}and {} more (--all)\n", gaps.len() - most));
    }
}

fn summary(judged: &Judged) -> String {
    let looked = &judged.looked;
    let mut parts = Vec::new();
    if let Ok(inspection) = &looked.inspection {
        let compared = looked.compared.iter().flat_map(|compared| &compared.findings);
        let mut counts: BTreeMap<std::cmp::Reverse<FindingSeverity>, u64> = BTreeMap::new();
        for finding in inspection.findings.iter().chain(compared) {
            *counts.entry(std::cmp::Reverse(finding.severity)).or_default() += finding.count;
        }
        let counts: Vec<String> =
            counts.iter().map(|(severity, count)| format!("{count} {}", severity.0)).collect();
        parts.push(if counts.is_empty() { "nothing found".to_owned() } else { counts.join(", ") });
        let seen = inspection.extent.leaves;
        parts.push(format!("{seen} {} looked at", if seen == 1 { "part" } else { "parts" }));
        if let Some(image) = &inspection.image {
            let layers = image.layers.len();
            let distro = image.distro.as_ref().map(|distro| distro.name.as_deref().unwrap_or(&distro.id));
            let of = distro.map(|distro| format!(" of {distro}")).unwrap_or_default();
            parts
                .push(format!("an image{of} with {layers} {}", if layers == 1 { "layer" } else { "layers" }));
        }
        parts.push(match &inspection.licences.concluded {
            Some(licence) => format!("licence {licence}"),
            None => "no licence known".to_owned(),
        });
        if inspection.install_script == Some(true) {
            parts.push("runs code when it is installed".to_owned());
        }
        let beneath = looked.components().iter().filter(|one| one.beneath.is_some()).count();
        match looked.components().len() - beneath {
            0 => {}
            1 => parts.push("brings 1 component".to_owned()),
            count => parts.push(format!("brings {count} components")),
        }
        if beneath > 0 {
            parts.push(format!("{beneath} more in layers beneath"));
        }
    }
    let form = if looked.form == Form::Folder { "folder" } else { "file" };
    let line = format!("{} ({form}): {}", looked.given, parts.join("; "));
    format!("{}\n", styled(STRONG, &safe(line.trim_end_matches(": "))))
}
