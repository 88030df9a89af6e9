//! What a run came to, told at its end: admitted, steered, held, refused, and what was not seen.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::precheck::{action, text, why};
use crate::clients::Bypass;

/// How many lines of one kind are shown; the rest is counted.
const MAX_LINES: usize = 40;
/// How many names one line lists.
const MAX_NAMES: usize = 6;

/// Everything a summary is made from.
pub struct Summary<'a> {
    /// What the door says of the run.
    pub run: &'a Value,
    /// Package URLs that the lock files pin, after the run.
    pub pinned: &'a BTreeSet<String>,
    /// Ways past the door that were open.
    pub bypasses: &'a [Bypass],
    /// The door's base address.
    pub door: &'a str,
}

impl Summary<'_> {
    /// The lines, without the program's name in front.
    pub fn lines(&self) -> Vec<String> {
        let list = |key: &str| self.run.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
        let (admitted, held, refused) = (list("admitted"), list("held"), list("refused"));
        let steered = list("steered");
        let asked: BTreeSet<&str> =
            [&admitted, &held, &refused].into_iter().flatten().map(|item| text(item, "purl")).collect();
        let unseen: Vec<&str> =
            self.pinned.iter().map(String::as_str).filter(|purl| !asked.contains(purl)).collect();
        let mut lines = vec![format!(
            "admitted {}, steered {}, held {}, refused {}, not seen {}",
            packages(&admitted),
            packages(&steered),
            packages(&held),
            packages(&refused),
            unseen.len()
        )];
        bounded(&mut lines, "steered", steered.iter().map(steered_line));
        bounded(&mut lines, "held", held.iter().map(|item| format!("{} {}", text(item, "purl"), why(item))));
        bounded(
            &mut lines,
            "refused",
            refused.iter().map(|item| format!("{} {}", text(item, "purl"), why(item))),
        );
        lines.extend(warnings(&list("warned")));
        if !unseen.is_empty() {
            lines.push(format!(
                "  not seen: {} of {} pinned packages were not asked of the door, because the client had them already, they \
                 are for another platform, or they came from elsewhere: {}",
                unseen.len(),
                self.pinned.len(),
                names(unseen.into_iter())
            ));
        }
        bounded(
            &mut lines,
            "past the door",
            self.bypasses.iter().map(|bypass| format!("{} ({})", bypass.what, bypass.place)),
        );
        let omitted = self.run.pointer("/counts/omitted").and_then(Value::as_u64).unwrap_or(0);
        if omitted > 0 {
            lines.push(format!("  {omitted} more files are in the records and not in this summary"));
        }
        if !(steered.is_empty() && held.is_empty() && refused.is_empty()) {
            lines.push(format!("  more: `tidegate why PURL`, {}", self.door));
        }
        lines
    }
}

/// How many packages a list of files names.
fn packages(items: &[Value]) -> usize {
    items.iter().map(|item| text(item, "purl")).collect::<BTreeSet<_>>().len()
}

fn steered_line(item: &Value) -> String {
    let instead = item.get("instead_of").unwrap_or(&Value::Null);
    format!("{} instead of {}: {}", text(item, "purl"), text(instead, "version"), why(instead))
}

/// Lines of one kind, each once.
fn bounded(lines: &mut Vec<String>, kind: &str, items: impl Iterator<Item = String>) {
    let mut seen = BTreeSet::new();
    let items: Vec<String> = items.filter(|line| seen.insert(line.clone())).collect();
    lines.extend(items.iter().take(MAX_LINES).map(|line| format!("  {kind}: {line}")));
    if items.len() > MAX_LINES {
        lines.push(format!("  {kind}: and {} more", items.len() - MAX_LINES));
    }
}

/// Warnings as one line, whatever their number: by rule, with the names of a few.
fn warnings(warned: &[Value]) -> Option<String> {
    let mut rules: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for item in warned.iter().filter(|item| action(item) == tidegate_model::Action::Warn) {
        rules.entry(text(item, "rule")).or_default().insert(text(item, "purl"));
    }
    let parts: Vec<String> = rules
        .iter()
        .map(|(rule, purls)| {
            let message = warned
                .iter()
                .find(|item| text(item, "rule") == *rule)
                .map_or("", |item| text(item, "message"));
            // What a gap is tells everything; which packages have it is nearly all of them.
            if purls.len() > MAX_NAMES {
                format!("{rule} on {} packages ({message})", purls.len())
            } else {
                format!("{rule} on {} ({message})", names(purls.iter().copied()))
            }
        })
        .collect();
    (!parts.is_empty()).then(|| format!("  warned: {}", parts.join("; ")))
}

fn names<'a>(purls: impl ExactSizeIterator<Item = &'a str>) -> String {
    let count = purls.len();
    let mut shown: Vec<&str> = purls.take(MAX_NAMES).collect();
    let more = format!("and {} more", count.saturating_sub(MAX_NAMES));
    if count > MAX_NAMES {
        shown.push(&more);
    }
    shown.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_summary_counts_packages_and_tells_what_was_not_seen() {
        let admitted = |n: u32| json!({ "purl": format!("pkg:npm/x{n}@1.0.0"), "file": "f", "action": "warn", "rule": "gaps", "message": "no feed is loaded" });
        let mut steered = admitted(1);
        steered["instead_of"] = json!({ "version": "2.0.0", "action": "quarantine", "rule": "fresh", "message": "too new", "selectable_from": "2026-11-24T09:10:00Z" });
        let run = json!({
            "counts": { "omitted": 0 }, "admitted": (0..20).map(admitted).collect::<Vec<_>>(),
            "warned": (0..20).map(admitted).collect::<Vec<_>>(), "steered": [steered],
            "held": [{ "purl": "pkg:npm/y@3.0.0", "action": "quarantine", "rule": "fresh", "message": "too new", "newest_compliant": "2.0.0" }],
            "refused": [],
        });
        let pinned: BTreeSet<String> = ["pkg:npm/x1@1.0.0", "pkg:npm/z@1.0.0"].map(str::to_owned).into();
        let bypasses =
            [Bypass { what: "packages of `@a` come from another registry".into(), place: "~/.npmrc".into() }];
        let lines =
            Summary { run: &run, pinned: &pinned, bypasses: &bypasses, door: "http://127.0.0.1:8484/" }
                .lines();
        assert_eq!(
            lines,
            [
                "admitted 20, steered 1, held 1, refused 0, not seen 1",
                "  steered: pkg:npm/x1@1.0.0 instead of 2.0.0: quarantine by fresh: too new; selectable from 2026-11-24 09:10 UTC",
                "  held: pkg:npm/y@3.0.0 quarantine by fresh: too new; newest compliant: 2.0.0",
                "  warned: gaps on 20 packages (no feed is loaded)",
                "  not seen: 1 of 2 pinned packages were not asked of the door, because the client had them already, they are for another platform, or they came from elsewhere: pkg:npm/z@1.0.0",
                "  past the door: packages of `@a` come from another registry (~/.npmrc)",
                "  more: `tidegate why PURL`, http://127.0.0.1:8484/",
            ]
        );
    }
}
