//! The SBOM of one artifact: what inspection found in its bytes, as CycloneDX or SPDX.
//!
//! Inspection knows no format of output; so the inventory is written here, beside the reports of `check`, whose CycloneDX it
//! shares. Identifiers are derived from the content: the same bytes, looked at by the same inspector, give the same document
//! but for the time, which is the caller's.

use serde_json::{Value, json};
use tidegate_inspect::inspection::NotSeen;
use tidegate_inspect::inventory::{Component as Part, How, Inventory};
use tidegate_inspect::licences::Licences;
use tidegate_model::facts::FactState;
use tidegate_model::finding::Confidence;
use tidegate_model::{Sha256, Timestamp};

use super::{Component, Report, ReportGap, Subject, Tool, cyclonedx, ids, spdx};

/// A format of SBOMs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SbomFormat {
    /// CycloneDX 1.6 as JSON (<https://cyclonedx.org/docs/1.6/json/>).
    CycloneDx16,
    /// SPDX 2.3 as JSON (<https://spdx.github.io/spdx-spec/v2.3/>).
    Spdx23,
}

impl SbomFormat {
    /// Every format.
    pub const ALL: [Self; 2] = [Self::CycloneDx16, Self::Spdx23];

    /// The word on the command line and in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CycloneDx16 => "cyclonedx",
            Self::Spdx23 => "spdx",
        }
    }

    /// The format of a word.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.as_str() == word)
    }
}

/// An artifact, with what inspection says of it.
#[derive(Clone, Copy, Debug)]
pub struct Contents<'a> {
    /// What makes the document.
    pub tool: &'a Tool,
    /// When it is made.
    pub at: Timestamp,
    /// The name of the artifact's file.
    pub file: &'a str,
    /// Its digest; none of a folder.
    pub sha256: Option<Sha256>,
    /// The components.
    pub inventory: &'a Inventory,
    /// The licences.
    pub licences: &'a Licences,
    /// What was not looked at. An SBOM that leaves it out would claim to be whole.
    pub not_seen: &'a [NotSeen],
}

impl Contents<'_> {
    /// Writes the SBOM; the text ends with a line break.
    #[must_use]
    pub fn render(&self, format: SbomFormat) -> Vec<u8> {
        let document = match format {
            SbomFormat::CycloneDx16 => self.cyclonedx(),
            SbomFormat::Spdx23 => spdx::document(self),
        };
        let mut text = serde_json::to_vec_pretty(&document).expect("a JSON value is written to memory");
        text.push(b'\n');
        text
    }

    /// What the artifact is called: as its manifest says, else as its file.
    pub(super) fn name(&self) -> &str {
        self.inventory.subject.as_ref().map_or(self.file, |own| &own.name)
    }

    fn cyclonedx(&self) -> Value {
        let own = self.inventory.subject.as_ref();
        let report = Report {
            tool: self.tool.clone(),
            author: None,
            at: self.at,
            subject: Subject {
                name: self.name().to_owned(),
                version: own.and_then(|own| own.version.clone()),
                purl: own.and_then(|own| own.purl.clone()),
                file: Some(self.file.to_owned()),
                sha256: self.sha256,
            },
            policy: None,
            components: self.inventory.components.iter().map(component).collect(),
            findings: Vec::new(),
            gaps: self.not_seen.iter().map(gap).collect(),
            observations: Vec::new(),
        };
        let mut document = cyclonedx::document(&report, "1.6");
        for (part, written) in
            self.inventory.components.iter().zip(document["components"].as_array_mut().into_iter().flatten())
        {
            written["evidence"] = evidence(part);
        }
        if let Some(concluded) = &self.licences.concluded {
            document["metadata"]["component"]["licenses"] = json!([{ "expression": concluded }]);
        }
        document["metadata"]["component"]["type"] = json!("library");
        // What parts are known to be there, and whether that is all of them (§ compositions).
        let is_whole =
            self.not_seen.is_empty() && self.inventory.not_kept == 0 && self.inventory.not_read == 0;
        document["compositions"] = json!([{
            "aggregate": if is_whole { "unknown" } else { "incomplete" }, "assemblies": [ids::SUBJECT],
        }]);
        // Derived anew, from all of it.
        document["serialNumber"] = Value::Null;
        document["serialNumber"] = Value::from(ids::uuid(document.to_string().as_bytes()));
        document
    }
}

/// Something that was not looked at.
fn gap(gap: &NotSeen) -> ReportGap {
    ReportGap {
        component: None,
        fact: "contents".into(),
        state: FactState::NotScanned,
        why: Some(format!("{}: {} ({})", gap.path, gap.detail, gap.kind)),
        line: None,
    }
}

fn component(part: &Part) -> Component {
    Component {
        purl: part.purl.clone(),
        name: part.name.clone(),
        version: part.version.clone(),
        licence: part.licence.clone(),
        beneath: part.beneath.clone(),
        ..Component::default()
    }
}

/// Where a component is, and how that is known.
fn evidence(part: &Part) -> Value {
    let technique = match part.how {
        How::Manifest | How::PackageDatabase | How::Sbom | How::DotNetDeps | How::VendorList => {
            "manifest-analysis"
        }
        How::GoBuildInfo | How::CargoAuditable | How::KnownText => "binary-analysis",
        How::SourceMap | How::Banner => "source-code-analysis",
        How::CopiedLibrary => "filename",
    };
    let confidence = match part.confidence {
        Confidence::High => 1.0,
        Confidence::Medium => 0.6,
        Confidence::Low => 0.3,
    };
    let field = if part.purl.is_some() { "purl" } else { "name" };
    json!({
        "identity": [{
            "field": field,
            "confidence": confidence,
            "methods": [{ "technique": technique, "confidence": confidence, "value": part.how.as_str() }],
        }],
        "occurrences": [{ "location": part.path }],
    })
}

#[cfg(test)]
mod tests;
