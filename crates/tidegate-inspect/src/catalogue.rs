//! Every detector of every family, for lists and pages.

use tidegate_model::Ecosystem;
use tidegate_model::finding::FindingSeverity;

use crate::secrets::Rules;
use crate::{archive, behaviour, extensions, licences, mcp, models};

/// One detector, as lists show it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Listed {
    /// `family/name`.
    pub id: &'static str,
    /// Its id in catalogues that people compare, where it has one.
    pub catalogue: Option<&'static str>,
    /// One line.
    pub title: &'static str,
    /// The most severe that it gives.
    pub severity: FindingSeverity,
    /// Ecosystems that it is for; empty for all.
    pub ecosystems: &'static [Ecosystem],
}

impl Listed {
    /// The part of the id before the name.
    #[must_use]
    pub fn family(&self) -> &'static str {
        self.id.split('/').next().unwrap_or_default()
    }
}

include!(concat!(env!("OUT_DIR"), "/heads.rs"));

/// What a person is told of a detector who has never heard of it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Help {
    /// Why it matters. Markdown, in paragraphs.
    pub why: String,
    /// What to do. Markdown, one paragraph.
    pub remedy: String,
}

/// Why the findings of a detector matter and what to do about them; none of what is no detector of ours.
#[must_use]
pub fn help(id: &str) -> Option<Help> {
    if let Ok(at) = HEADS.binary_search_by(|(known, _)| known.cmp(&id)) {
        return Some(Help {
            why: paragraphs(before_marks(HEADS[at].1)),
            remedy: marked(HEADS[at].1, REMEDY),
        });
    }
    if let Some(rule) = Rules::builtin().all().iter().find(|rule| rule.id == id) {
        return Some(Help { why: rule.lets.clone(), remedy: rule.revoke.clone() });
    }
    let detector = licences::DETECTORS.iter().find(|detector| detector.id == id)?;
    Some(Help { why: detector.why.to_owned(), remedy: detector.remedy.to_owned() })
}

/// The head of a detector's file: its page. None of detectors that are data.
#[must_use]
pub fn head(id: &str) -> Option<&'static str> {
    HEADS.binary_search_by(|(known, _)| known.cmp(&id)).ok().map(|at| HEADS[at].1)
}

/// What begins the part of a head that says what to do.
const REMEDY: &str = "**What to do:**";

/// A head up to its first mark, but for one that only says that this is the reason.
fn before_marks(head: &str) -> &str {
    let marks = [REMEDY, "**Limits:**", "**Example:**"];
    let end = marks.iter().filter_map(|mark| head.find(mark)).min().unwrap_or(head.len());
    &head[..end]
}

/// The part of a head behind a mark, up to the next mark or paragraph, with a capital letter.
fn marked(head: &str, mark: &str) -> String {
    let Some((_, rest)) = head.split_once(mark) else { return String::new() };
    let end = [rest.find("**"), rest.find("\n\n")].into_iter().flatten().min().unwrap_or(rest.len());
    let text = paragraphs(&rest[..end]);
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// Text with one line for each paragraph and an empty one between.
fn paragraphs(text: &str) -> String {
    let lines = |paragraph: &str| paragraph.split_whitespace().collect::<Vec<_>>().join(" ");
    let all = text.replace("**Why:**", "");
    all.split("\n\n").map(lines).filter(|text| !text.is_empty()).collect::<Vec<_>>().join("\n\n")
}

/// Every detector: behaviour, archives, models, extensions, servers and rules, secrets, licences, each in the order of its pages.
#[must_use]
pub fn all() -> Vec<Listed> {
    let behaviour = behaviour::detectors::DETECTORS.iter().map(|detector| Listed {
        id: detector.id,
        catalogue: Some(detector.catalogue),
        title: detector.title,
        severity: detector.severity,
        ecosystems: detector.ecosystems,
    });
    let archives = archive::DETECTORS.iter().map(|detector| Listed {
        id: detector.id,
        catalogue: Some(detector.catalogue),
        title: detector.title,
        severity: if detector.id == "archive/incomplete" {
            FindingSeverity::Info
        } else {
            FindingSeverity::High
        },
        ecosystems: &[],
    });
    let models = models::detectors::DETECTORS.iter().map(|detector| Listed {
        id: detector.id,
        catalogue: None,
        title: detector.title,
        severity: detector.severity,
        ecosystems: &[],
    });
    let extensions = extensions::detectors::DETECTORS.iter().map(|detector| Listed {
        id: detector.id,
        catalogue: None,
        title: detector.title,
        severity: detector.severity,
        ecosystems: &[],
    });
    let mcp = mcp::detectors::DETECTORS.iter().map(|detector| Listed {
        id: detector.id,
        catalogue: None,
        title: detector.title,
        severity: detector.severity,
        ecosystems: &[],
    });
    let secrets = Rules::builtin().all().iter().map(|rule| Listed {
        id: &rule.id,
        catalogue: None,
        title: &rule.title,
        severity: rule.severity,
        ecosystems: &[],
    });
    let licences = licences::DETECTORS.iter().map(|detector| Listed {
        id: detector.id,
        catalogue: None,
        title: detector.title,
        severity: FindingSeverity::Info,
        ecosystems: &[],
    });
    let code = behaviour.chain(archives).chain(models).chain(extensions).chain(mcp);
    code.chain(secrets).chain(licences).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_detector_is_listed_once_under_its_family() {
        let all = all();
        let ids: BTreeSet<&str> = all.iter().map(|listed| listed.id).collect();
        assert_eq!(ids.len(), all.len());
        let families: BTreeSet<&str> = all.iter().map(Listed::family).collect();
        assert_eq!(
            families,
            BTreeSet::from(["archive", "behaviour", "extension", "licence", "mcp", "model", "secrets"])
        );
        assert!(all.iter().all(|listed| !listed.title.is_empty()));
    }

    #[test]
    fn every_detector_says_why_it_matters_and_what_to_do() {
        for listed in all() {
            let id = listed.id;
            let help = help(id).unwrap_or_else(|| panic!("{id} has no help"));
            assert!(help.why.len() > 15 && !help.why.contains("**"), "{id}: {help:?}");
            assert!(help.remedy.ends_with(['.', ')']) && help.remedy.len() > 5, "{id}: {help:?}");
            let first = help.remedy.chars().next().unwrap();
            assert!(!first.is_lowercase() && !help.remedy.contains("**"), "{id}: {help:?}");
        }
        assert_eq!(help("behaviour/nothing"), None);
        let families = [
            behaviour::detectors::DETECTORS.len(),
            archive::DETECTORS.len(),
            models::detectors::DETECTORS.len(),
            extensions::detectors::DETECTORS.len(),
            mcp::detectors::DETECTORS.len(),
        ];
        assert_eq!(HEADS.len(), families.iter().sum::<usize>());
    }
}
