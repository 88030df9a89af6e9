//! Every detector of every family, for lists and pages.

use tidegate_model::Ecosystem;
use tidegate_model::finding::FindingSeverity;

use crate::secrets::Rules;
use crate::{archive, behaviour, licences};

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

/// Every detector: behaviour, archives, secrets, licences, each in the order of its pages.
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
    behaviour.chain(archives).chain(secrets).chain(licences).collect()
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
        assert_eq!(families, BTreeSet::from(["archive", "behaviour", "licence", "secrets"]));
        assert!(all.iter().all(|listed| !listed.title.is_empty()));
    }
}
