//! What decisions read of an inspection: the small half that is stored beside the report.

use serde::{Deserialize, Serialize};
use tidegate_inspect::models::Models;
use tidegate_inspect::{Inspection, Verdict};
use tidegate_model::facts::{
    BinaryFacts, ContentFacts, FactState, Group, LicenceFacts, ModelFacts, ScriptFacts, SecretFacts,
};
use tidegate_model::finding::{Confidence, FindingKind, FindingSeverity};
use tidegate_model::{ArtifactKind, Finding};

/// Characters of a summary.
const SUMMARY_CHARS: usize = 400;

/// What decisions read of one inspection, or of a comparison beside it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Seen {
    /// What the findings come to.
    pub verdict: Verdict,
    /// Detectors behind it, gravest first.
    pub detectors: Vec<String>,
    /// What the gravest of them saw, and where.
    pub summary: Option<String>,
    /// Why something was not looked at; empty means that everything was.
    pub not_seen: Vec<String>,
    /// Secrets that are likely to be ones.
    pub secrets: u32,
    /// Detectors that found them.
    pub secret_detectors: Vec<String>,
    /// Whether installing runs code of the package, by its own manifest.
    pub install_script: Option<bool>,
    /// Whether there is machine code in it.
    pub native: bool,
    /// The licence that its texts come to.
    pub licence: Option<String>,
    /// Models in it, and what loading them does.
    pub models: Models,
    /// What it is to an editor or an assistant, where that is what it is.
    pub what: Option<ArtifactKind>,
    /// Set where inspection failed for good: a worker died of it, or it took too long.
    pub failed: Option<String>,
}

impl Seen {
    /// The small half of an inspection.
    pub fn of(inspection: &Inspection) -> Self {
        let secrets: Vec<&Finding> = inspection.findings.iter().filter(|f| is_likely_secret(f)).collect();
        let mut secret_detectors: Vec<String> = secrets.iter().map(|f| f.detector.clone()).collect();
        secret_detectors.sort_unstable();
        secret_detectors.dedup();
        let mut not_seen: Vec<String> = inspection.not_seen.iter().map(|gap| gap.kind.clone()).collect();
        not_seen.sort_unstable();
        not_seen.dedup();
        let leading = inspection
            .behind
            .first()
            .and_then(|detector| inspection.findings.iter().find(|f| f.detector == *detector));
        Self {
            verdict: inspection.verdict,
            detectors: inspection.behind.clone(),
            summary: leading.map(summary),
            not_seen,
            secrets: u32::try_from(secrets.iter().map(|f| f.count).sum::<u64>()).unwrap_or(u32::MAX),
            secret_detectors,
            install_script: inspection.install_script,
            native: inspection.extent.native_files > 0,
            licence: inspection.licences.concluded.clone(),
            models: inspection.models.clone(),
            what: what(inspection),
            failed: None,
        }
    }

    /// The small half of a comparison.
    pub fn of_findings(mut findings: Vec<Finding>) -> Self {
        findings.sort_by_key(|f| std::cmp::Reverse((f.severity, f.confidence)));
        let holds: Vec<&Finding> = findings
            .iter()
            .filter(|f| f.severity >= FindingSeverity::High && f.confidence >= Confidence::Medium)
            .collect();
        let mut detectors: Vec<String> = Vec::new();
        for finding in &holds {
            if !detectors.contains(&finding.detector) {
                detectors.push(finding.detector.clone());
            }
        }
        Self {
            // A difference alone is a reason to look, not a proof.
            verdict: if holds.is_empty() { Verdict::Clean } else { Verdict::Suspicious },
            summary: holds.first().map(|finding| summary(finding)),
            detectors,
            ..Self::default()
        }
    }

    /// An inspection that failed for good.
    pub fn failed(why: impl Into<String>) -> Self {
        Self { failed: Some(why.into()), ..Self::default() }
    }

    /// What is said of the contents, with what comparisons of this version say.
    pub fn contents(&self, compared: &[Seen]) -> Group<ContentFacts> {
        if let Some(why) = &self.failed {
            return Group::gap(FactState::Error, format!("inspection failed: {why}"));
        }
        let mut all: Vec<&Seen> = std::iter::once(self).chain(compared).collect();
        all.sort_by_key(|seen| std::cmp::Reverse(seen.verdict));
        let mut detectors: Vec<String> = Vec::new();
        for detector in all.iter().flat_map(|seen| &seen.detectors) {
            if !detectors.contains(detector) {
                detectors.push(detector.clone());
            }
        }
        Group::known(ContentFacts {
            verdict: all[0].verdict.as_str().to_owned(),
            detectors,
            summary: all.iter().find_map(|seen| seen.summary.clone()),
            complete: Some(self.not_seen.is_empty()),
            not_seen: self.not_seen.clone(),
        })
    }

    /// What is said of secrets.
    pub fn secrets(&self) -> Group<SecretFacts> {
        match &self.failed {
            Some(why) => Group::gap(FactState::Error, format!("inspection failed: {why}")),
            None => Group::known(SecretFacts {
                count: Some(self.secrets),
                detectors: self.secret_detectors.clone(),
            }),
        }
    }

    /// What is said of install scripts: whether they are new takes another version to say.
    pub fn scripts(&self) -> Option<Group<ScriptFacts>> {
        self.install_script
            .map(|runs| Group::known(ScriptFacts { install: Some(runs), new_in_version: None }))
    }

    /// What is said of the licence.
    pub fn licence_facts(&self) -> Option<Group<LicenceFacts>> {
        self.licence.as_ref().map(|licence| {
            Group::known(LicenceFacts {
                declared: None,
                concluded: Some(licence.clone()),
                expression: Some(licence.clone()),
            })
        })
    }

    /// What it is, by what was seen: a model, an extension, a server, or else a package.
    pub fn kind(&self) -> ArtifactKind {
        let is_model = self.models.is_model && self.what != Some(ArtifactKind::Image);
        if is_model { ArtifactKind::Model } else { self.what.unwrap_or(ArtifactKind::Package) }
    }

    /// What is said of models.
    pub fn model(&self) -> Group<ModelFacts> {
        match &self.failed {
            Some(why) => Group::gap(FactState::Error, format!("inspection failed: {why}")),
            None if self.models.formats.is_empty() => {
                Group { state: FactState::NotApplicable, ..Group::default() }
            }
            None => Group::known(ModelFacts {
                formats: self.models.formats.clone(),
                unsafe_code: self.models.unsafe_code,
                remote_code: self.models.remote_code,
            }),
        }
    }

    /// What is said of machine code.
    pub fn binary(&self) -> Group<BinaryFacts> {
        match &self.failed {
            Some(why) => Group::gap(FactState::Error, format!("inspection failed: {why}")),
            None => Group::known(BinaryFacts { native: Some(self.native) }),
        }
    }
}

/// What an artifact is as an image, to an editor or an assistant, where nothing else says what it is.
pub fn what(inspection: &Inspection) -> Option<ArtifactKind> {
    if inspection.image.is_some() {
        Some(ArtifactKind::Image)
    } else if inspection.extension.is_some() {
        Some(ArtifactKind::Extension)
    } else {
        // A package stays one, whatever it serves.
        let is_package = inspection.install_script.is_some();
        (inspection.mcp.is_server && !is_package).then_some(ArtifactKind::McpServer)
    }
}

/// Whether a finding is a secret that a person should hear of: not a hint, and not one known to be harmless.
fn is_likely_secret(finding: &Finding) -> bool {
    finding.kind == FindingKind::Secret
        && finding.severity >= FindingSeverity::Medium
        && finding.confidence >= Confidence::Medium
}

/// What a finding saw, and where, on one line.
pub fn summary(finding: &Finding) -> String {
    let place = &finding.location;
    // The artifact's own name is known to whoever reads this.
    let path = place.path.split_once("!/").map_or(place.path.as_str(), |(_, within)| within);
    let line = place.line.map(|line| format!(":{line}")).unwrap_or_default();
    let text = format!("{} in {path}{line}", finding.message);
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(SUMMARY_CHARS).collect()
}
