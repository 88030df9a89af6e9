//! What inspection said of packages, as one line each: names and numbers, no texts.

use std::collections::BTreeMap;
use std::fmt;
use std::fmt::Write as _;
use std::path::Path;

use serde_json::Value;
use tidegate_inspect::Verdict;
use tidegate_model::Finding;
use tidegate_model::finding::{Confidence, FindingKind, FindingSeverity};

use super::InspectionError;
use super::fetch::Fetched;

/// What stands for the verdict on what no worker could look into.
const NO_RESULT: &str = "unseen";

/// What was found in the bytes; what is told of advisories has another shape.
pub(super) fn findings(answer: &Value) -> Vec<Finding> {
    let told = answer["findings"].as_array().into_iter().flatten();
    told.filter_map(|finding| serde_json::from_value(finding.clone()).ok()).collect()
}

/// One package. The cost is of this run and not recorded.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Look {
    ecosystem: String,
    name: String,
    version: String,
    verdict: String,
    /// Detectors behind the verdict.
    behind: Vec<String>,
    /// Findings of low severity and above by detector, licences left out; `?` behind the name of a secret's detector says that it is a hint.
    findings: BTreeMap<String, u64>,
    /// Gaps by kind.
    gaps: BTreeMap<String, u64>,
    packed_bytes: u64,
    unpacked_bytes: u64,
    seconds: f64,
}

impl Look {
    pub(super) fn of(ecosystem: &str, package: &Fetched, answer: &Value, packed: u64, seconds: f64) -> Self {
        let words = |value: &Value| {
            let words = value.as_array().into_iter().flatten().filter_map(Value::as_str);
            words.map(str::to_owned).collect()
        };
        let mut look = Self {
            ecosystem: ecosystem.to_owned(),
            name: package.name.clone(),
            version: package.version.clone(),
            verdict: answer["verdict"]["is"].as_str().unwrap_or(NO_RESULT).to_owned(),
            behind: words(&answer["verdict"]["behind"]),
            packed_bytes: packed,
            unpacked_bytes: answer["looked_at"]["unpacked_bytes"].as_u64().unwrap_or_default(),
            seconds,
            ..Self::default()
        };
        look.behind.sort();
        let told = |finding: &&Finding| {
            finding.kind != FindingKind::Licence && finding.severity > FindingSeverity::Info
        };
        for finding in findings(answer).iter().filter(told) {
            let hint =
                if finding.kind == FindingKind::Secret && !is_likely_secret(finding) { "?" } else { "" };
            *look.findings.entry(format!("{}{hint}", finding.detector)).or_default() += finding.count;
        }
        for gap in answer["gaps"].as_array().into_iter().flatten() {
            if let Some(kind) = gap["kind"].as_str() {
                *look.gaps.entry(kind.to_owned()).or_default() += gap["count"].as_u64().unwrap_or(1);
            }
        }
        look
    }

    fn key(&self) -> (String, String) {
        (self.ecosystem.clone(), self.name.clone())
    }

    fn row(&self) -> String {
        let behind = self.behind.join(" ");
        let (findings, gaps) = (counted(&self.findings), counted(&self.gaps));
        let (ecosystem, name, version, verdict) = (&self.ecosystem, &self.name, &self.version, &self.verdict);
        format!("{ecosystem}\t{name}\t{version}\t{verdict}\t{behind}\t{findings}\t{gaps}")
    }

    fn parse(row: &str) -> Option<Self> {
        let cells: Vec<&str> = row.split('\t').collect();
        let [ecosystem, name, version, verdict, behind, findings, gaps] = cells.as_slice() else {
            return None;
        };
        Some(Self {
            ecosystem: (*ecosystem).to_owned(),
            name: (*name).to_owned(),
            version: (*version).to_owned(),
            verdict: (*verdict).to_owned(),
            behind: behind.split_whitespace().map(str::to_owned).collect(),
            findings: counts(findings)?,
            gaps: counts(gaps)?,
            ..Self::default()
        })
    }

    fn is_held(&self) -> bool {
        self.verdict != Verdict::Clean.as_str()
    }
}

impl fmt::Display for Look {
    #[expect(clippy::cast_precision_loss, reason = "sizes for people")]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let megabytes = |bytes: u64| bytes as f64 / 1e6;
        write!(f, "{:.1} s {:.1} MB ", self.seconds, megabytes(self.unpacked_bytes))?;
        f.write_str(&self.row().replace('\t', " "))
    }
}

/// Secrets that somebody is told of: not hints.
fn is_likely_secret(finding: &Finding) -> bool {
    finding.kind == FindingKind::Secret
        && finding.severity >= FindingSeverity::Medium
        && finding.confidence >= Confidence::Medium
}

/// A finding in full, for whoever decides whether it is right; none for those that nobody acts on.
pub(super) fn shown(finding: &Finding) -> Option<String> {
    let worth = finding.severity >= FindingSeverity::Medium && finding.kind != FindingKind::Licence;
    worth.then(|| {
        let (place, evidence) = (&finding.location, finding.evidence.as_deref().unwrap_or_default());
        let line = place.line.map(|line| format!(":{line}")).unwrap_or_default();
        format!(
            "{} {} {} {}{line} {} | {evidence}",
            finding.detector, finding.severity, finding.confidence, place.path, finding.message
        )
    })
}

fn counted(counts: &BTreeMap<String, u64>) -> String {
    counts.iter().map(|(word, count)| format!("{word}={count}")).collect::<Vec<_>>().join(" ")
}

fn counts(cell: &str) -> Option<BTreeMap<String, u64>> {
    let count =
        |word: &str| word.split_once('=').and_then(|(word, n)| Some((word.to_owned(), n.parse().ok()?)));
    cell.split_whitespace().map(count).collect()
}

/// What was found in all packages, by ecosystem and name.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Record {
    looks: BTreeMap<(String, String), Look>,
}

const HEAD: &str = "# What inspection finds in popular packages, of low severity and above: `cargo xtask verify-inspection --write`. \
                    A name with ? is a hint of a secret. Licences are left out.\n\
                    # ecosystem\tname\tversion\tverdict\tbehind\tfindings\tgaps\n";

impl Record {
    /// An earlier record; an empty one where there is none.
    pub(super) fn read(path: &Path) -> Result<Self, InspectionError> {
        let mut record = Self::default();
        match std::fs::read_to_string(path) {
            Ok(text) => {
                let rows = text.lines().filter(|line| !line.starts_with('#'));
                rows.filter_map(Look::parse).for_each(|look| record.add(look));
                Ok(record)
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(record),
            Err(source) => Err(InspectionError::File { path: path.to_owned(), source }),
        }
    }

    pub(super) fn write(&self, path: &Path) -> Result<(), InspectionError> {
        std::fs::write(path, self.text())
            .map_err(|source| InspectionError::File { path: path.to_owned(), source })
    }

    fn text(&self) -> String {
        let mut text = HEAD.to_owned();
        for look in self.looks.values() {
            text.push_str(&look.row());
            text.push('\n');
        }
        text
    }

    pub(super) fn add(&mut self, look: Look) {
        self.looks.insert(look.key(), look);
    }

    /// This record, and what another says of packages that it says nothing of.
    pub(super) fn over(mut self, other: Self) -> Self {
        for (key, look) in other.looks {
            self.looks.entry(key).or_insert(look);
        }
        self
    }

    /// Packages that are held and that nobody has defended.
    pub(super) fn held(&self, defended: &[(&str, &str, &str)]) -> Vec<String> {
        let is_defended = |look: &Look| defended.iter().any(|d| d.0 == look.ecosystem && d.1 == look.name);
        self.looks.values().filter(|look| look.is_held() && !is_defended(look)).map(Look::to_string).collect()
    }

    /// What this record says otherwise than an earlier one of the same version.
    pub(super) fn changes_since(&self, before: &Self) -> Vec<String> {
        let mut changes = Vec::new();
        for (key, look) in &self.looks {
            let Some(old) = before.looks.get(key).filter(|old| old.version == look.version) else { continue };
            if old.row() != look.row() {
                changes.push(format!("before: {}\nnow:    {}", old.row(), look.row()));
            }
        }
        changes
    }

    /// Numbers by ecosystem, then every package that a person may have to look at.
    pub(super) fn report(&self, slow: f64) -> String {
        let mut page = String::new();
        let mut ecosystems: Vec<&str> = self.looks.values().map(|look| look.ecosystem.as_str()).collect();
        ecosystems.dedup();
        // Writing to a String cannot fail.
        let _ = writeln!(
            page,
            "| ecosystem | packages | held | likely secrets | with gaps | MB packed | MB unpacked | CPU s | MB per CPU-s |"
        );
        let _ = writeln!(page, "| --- | --- | --- | --- | --- | --- | --- | --- | --- |");
        for ecosystem in ecosystems {
            let own: Vec<&Look> = self.looks.values().filter(|look| look.ecosystem == ecosystem).collect();
            let _ = writeln!(page, "| {ecosystem} | {} |", sums(&own));
        }
        for look in self.looks.values() {
            if look.is_held() {
                let _ = writeln!(page, "held: {look}");
            }
            let secrets: Vec<_> = look.likely_secrets().collect();
            if !secrets.is_empty() {
                let _ =
                    writeln!(page, "likely secret: {} {} {}", look.ecosystem, look.name, secrets.join(" "));
            }
            if !look.gaps.is_empty() {
                let _ = writeln!(page, "gaps: {} {} {}", look.ecosystem, look.name, counted(&look.gaps));
            }
            if look.seconds > slow {
                let _ = writeln!(page, "slow: {} {} {:.1} CPU s", look.ecosystem, look.name, look.seconds);
            }
        }
        page
    }
}

impl Look {
    fn likely_secrets(&self) -> impl Iterator<Item = String> {
        let secret = |word: &str| word.starts_with("secrets/") && !word.ends_with('?');
        self.findings.iter().filter(move |(word, _)| secret(word)).map(|(word, n)| format!("{word}={n}"))
    }
}

#[expect(clippy::cast_precision_loss, reason = "sizes for people")]
fn sums(looks: &[&Look]) -> String {
    let megabytes = |size: fn(&Look) -> u64| looks.iter().map(|look| size(look)).sum::<u64>() as f64 / 1e6;
    let seconds: f64 = looks.iter().map(|look| look.seconds).sum();
    let unpacked = megabytes(|look| look.unpacked_bytes);
    format!(
        "{} | {} | {} | {} | {:.0} | {unpacked:.0} | {seconds:.0} | {:.1}",
        looks.len(),
        looks.iter().filter(|look| look.is_held()).count(),
        looks.iter().filter(|look| look.likely_secrets().next().is_some()).count(),
        looks.iter().filter(|look| !look.gaps.is_empty()).count(),
        megabytes(|look| look.packed_bytes),
        unpacked / seconds.max(0.001),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example(verdict: &str, detector: &str) -> Look {
        Look {
            ecosystem: "npm".to_owned(),
            name: "@a/b".to_owned(),
            version: "1.2.3".to_owned(),
            verdict: verdict.to_owned(),
            behind: vec!["behaviour/inst-net-exec".to_owned()],
            findings: BTreeMap::from([(detector.to_owned(), 2), ("secrets/x?".to_owned(), 1)]),
            gaps: BTreeMap::from([("ratio".to_owned(), 3)]),
            ..Look::default()
        }
    }

    fn record(look: Look) -> Record {
        let mut record = Record::default();
        record.add(look);
        record
    }

    fn looked(answer: &Value) -> Look {
        let package = Fetched { name: "a".to_owned(), version: "1".to_owned(), file: "a-1.tgz".into() };
        Look::of("npm", &package, answer, 10, 0.5)
    }

    #[test]
    fn what_check_prints_is_read() {
        let finding = |detector: &str, kind: &str, severity: &str, count: u64| {
            serde_json::json!({
                "detector": detector, "kind": kind, "severity": severity, "confidence": "low",
                "location": { "path": "a" }, "message": "m", "count": count,
            })
        };
        let look = looked(&serde_json::json!({
            "verdict": { "is": "suspicious", "behind": ["behaviour/b", "behaviour/a"] },
            "looked_at": { "unpacked_bytes": 7 },
            "findings": [
                finding("behaviour/a", "malware", "high", 2), finding("behaviour/a", "malware", "low", 1),
                finding("secrets/s", "secret", "high", 1), finding("licences/l", "licence", "high", 1),
                finding("behaviour/of-note", "malware", "info", 1),
            ],
            "gaps": [{ "fact": "contents", "state": "not_scanned", "kind": "depth", "count": 3 }, { "fact": "components", "count": 9 }],
        }));
        assert_eq!(
            look.row(),
            "npm\ta\t1\tsuspicious\tbehaviour/a behaviour/b\tbehaviour/a=3 secrets/s?=1\tdepth=3"
        );
        assert_eq!((look.unpacked_bytes, look.is_held()), (7, true));
    }

    #[test]
    fn what_nobody_could_look_into_is_not_clean() {
        let look = looked(
            &serde_json::json!({ "findings": [], "gaps": [{ "fact": "contents", "state": "error" }] }),
        );
        assert_eq!((look.verdict.as_str(), look.is_held()), (NO_RESULT, true));
    }

    #[test]
    fn a_record_is_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("found.tsv");
        assert_eq!(Record::read(&path).unwrap(), Record::default());
        let written = record(example("clean", "behaviour/miner"));
        written.write(&path).unwrap();
        assert_eq!(Record::read(&path).unwrap(), written);
    }

    #[test]
    fn what_is_held_needs_a_defence() {
        let held = record(example("suspicious", "behaviour/miner"));
        assert_eq!(held.held(&[]).len(), 1);
        assert_eq!(held.held(&[("npm", "@a/b", "why")]), [""; 0]);
        assert_eq!(held.held(&[("pypi", "@a/b", "why")]).len(), 1);
        assert_eq!(record(example("clean", "behaviour/miner")).held(&[]), [""; 0]);
    }

    #[test]
    fn a_change_is_told_of_the_same_version_only() {
        let before = record(example("clean", "behaviour/miner"));
        let now = record(example("suspicious", "behaviour/miner"));
        assert_eq!(now.changes_since(&before).len(), 1);
        assert_eq!(now.changes_since(&now), [""; 0]);
        let mut newer = example("suspicious", "behaviour/miner");
        newer.version = "1.2.4".to_owned();
        assert_eq!(record(newer).changes_since(&before), [""; 0]);
    }

    #[test]
    fn hints_are_no_likely_secrets() {
        assert_eq!(example("clean", "behaviour/miner").likely_secrets().count(), 0);
        let with: Vec<_> = example("clean", "secrets/y").likely_secrets().collect();
        assert_eq!(with, ["secrets/y=2"]);
    }
}
