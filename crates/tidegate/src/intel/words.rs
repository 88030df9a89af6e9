//! What the records behind a finding say in words, for people and reports.

use serde::Deserialize;
use serde_json::Value;
use tidegate_intel::Finding;
use tidegate_intel::matching::Says;
use tidegate_model::Timestamp;

use super::Advisories;

/// The longest text that is passed on, in bytes; records may hold megabytes.
const MAX_DETAILS_BYTES: usize = 32 << 10;
/// The longest summary, in bytes.
const MAX_SUMMARY_BYTES: usize = 500;
/// The most links and weaknesses.
const MAX_LINKS: usize = 20;

/// The words of a finding.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Words {
    /// One line.
    pub summary: Option<String>,
    /// The whole text; Markdown.
    pub details: Option<String>,
    /// Addresses to read on, advisories first.
    pub links: Vec<String>,
    /// Weaknesses, by their CWE number.
    pub cwes: Vec<u32>,
    /// Who publishes it.
    pub source: Option<String>,
    /// When it was published first.
    pub published: Option<Timestamp>,
    /// When it was changed last.
    pub modified: Option<Timestamp>,
}

/// The parts of a record that are read.
#[derive(Deserialize)]
struct Record {
    #[serde(default)]
    summary: String,
    #[serde(default)]
    details: String,
    #[serde(default)]
    published: Option<String>,
    #[serde(default)]
    references: Vec<Reference>,
    #[serde(default)]
    database_specific: Value,
}

#[derive(Deserialize)]
struct Reference {
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default)]
    url: String,
}

/// Reads what the records that match say. A record that cannot be read now only lacks words.
pub fn of(advisories: &Advisories, finding: &Finding, now: Timestamp) -> Words {
    let mut words = Words { source: publisher(finding), ..Words::default() };
    words.modified = finding.sources.iter().filter_map(|source| source.modified).max();
    let (mut own, mut others) = (Vec::new(), Vec::new());
    for source in finding.sources.iter().filter(|source| matches!(source.says, Says::Affected(_))) {
        for text in advisories.snapshot.records(&source.id, now).unwrap_or_default() {
            if text.id != source.id || text.feed != source.feed {
                continue;
            }
            let Ok(record) = serde_json::from_slice::<Record>(&text.json) else { continue };
            words.take(&record);
            for reference in record.references {
                if reference.kind == "ADVISORY" {
                    own.push(reference.url)
                } else {
                    others.push(reference.url)
                }
            }
        }
    }
    for link in own.into_iter().chain(others) {
        if words.links.len() < MAX_LINKS && !words.links.contains(&link) {
            words.links.push(link);
        }
    }
    words
}

impl Words {
    fn take(&mut self, record: &Record) {
        let text = |text: &str, most| Some(cut(text, most)).filter(|text| !text.is_empty());
        self.summary = self.summary.take().or_else(|| text(&record.summary, MAX_SUMMARY_BYTES));
        self.details = self.details.take().or_else(|| text(&record.details, MAX_DETAILS_BYTES));
        let published = record.published.as_deref().and_then(|at| at.parse::<Timestamp>().ok());
        self.published = self.published.into_iter().chain(published).min();
        let stated = record.database_specific.get("cwe_ids").or_else(|| record.database_specific.get("cwes"));
        for cwe in stated.and_then(Value::as_array).into_iter().flatten() {
            let number = cwe.as_str().and_then(|cwe| cwe.strip_prefix("CWE-")).and_then(|n| n.parse().ok());
            if let Some(number) = number.filter(|n| self.cwes.len() < MAX_LINKS && !self.cwes.contains(n)) {
                self.cwes.push(number);
            }
        }
    }
}

/// Text up to a bound, cut between characters.
fn cut(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    let end = (0..=most).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    format!("{}…", &text[..end])
}

/// Who publishes it: told by the form of the id of an advisory that matches, else the feed it came by.
fn publisher(finding: &Finding) -> Option<String> {
    const KNOWN: [(&str, &str); 6] = [
        ("GHSA-", "GitHub Advisory Database"),
        ("PYSEC-", "Python Packaging Advisory Database"),
        ("RUSTSEC-", "RustSec Advisory Database"),
        ("GO-", "Go Vulnerability Database"),
        ("MAL-", "OpenSSF Malicious Packages"),
        ("CVE-", "CVE"),
    ];
    let source = finding.sources.iter().find(|source| matches!(source.says, Says::Affected(_)))?;
    let known = KNOWN.iter().find(|(prefix, _)| source.id.starts_with(prefix));
    Some(known.map_or_else(|| source.feed.to_string(), |(_, name)| (*name).to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_text_is_cut_between_characters() {
        assert_eq!(cut("abc", 3), "abc");
        assert_eq!(cut("aäb", 2), "a…");
        assert_eq!(cut("äää", 4), "ää…");
    }

    #[test]
    fn the_first_record_that_says_something_is_told() {
        let record = |json: &str| serde_json::from_str::<Record>(json).unwrap();
        let mut words = Words::default();
        words.take(&record(r#"{"details":"long","published":"2026-02-01T00:00:00Z"}"#));
        words.take(&record(
            r#"{"summary":"short","published":"2026-01-01T00:00:00Z","database_specific":{"cwe_ids":["CWE-79","CWE-x","CWE-79"]}}"#,
        ));
        assert_eq!(words.summary.as_deref(), Some("short"));
        assert_eq!(words.details.as_deref(), Some("long"));
        assert_eq!(words.cwes, [79]);
        assert_eq!(words.published.unwrap().to_string(), "2026-01-01T00:00:00Z");
    }
}
