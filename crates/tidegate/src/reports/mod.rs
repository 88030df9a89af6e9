//! What `check` found, in the formats that other tools read: CycloneDX, SARIF and OpenVEX.
//!
//! A [`Report`] is a plain value that knows no format. The renderers are pure: the same report gives the same bytes,
//! identifiers are derived from the content, and the time is the report's. A format says only what is known: a gap is
//! written as a gap, and a VEX statement that something is *not* affected is passed on from an author whom policy trusts,
//! never made here.
//!
//! # How `check` uses it
//!
//! ```text
//! bytes ─lockfile::parse | inventory::parse→ components, with their places
//!       ─door (facts, decision per component)→ Report ─render(format)→ bytes for standard output or a file
//! ```
//!
//! `check --format FORMAT` reads one input, makes a [`Component`] of each [`LockedPackage`] or inventory component, adds what
//! the door answered ([`Outcome`] from its decision, one [`Finding`] per advisory, gaps as they are), and prints
//! [`Report::render`]. Remarks of an inventory and skipped entries of a lock file become [`ReportGap`]s. The exit status is
//! that of the decisions, whatever the format.
//!
//! [`LockedPackage`]: tidegate_ecosystems::lockfile::LockedPackage

pub mod contents;
mod cyclonedx;
mod ids;
mod openvex;
mod parts;
mod sarif;
mod sarif_inside;
mod spdx;

use std::collections::HashMap;

use tidegate_ecosystems::inventory::{Place, Scope};
use tidegate_model::decision::Reason;
use tidegate_model::facts::{FactState, Severity, Vulnerability};
use tidegate_model::{Action, Digest, Sha256, Timestamp};

/// A format that a report can be written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ReportFormat {
    /// CycloneDX 1.6 as JSON: the components with their vulnerabilities
    /// (<https://cyclonedx.org/docs/1.6/json/>).
    CycloneDx16,
    /// CycloneDX 1.7 as JSON.
    CycloneDx17,
    /// SARIF 2.1.0 (<https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>).
    Sarif,
    /// OpenVEX 0.2.0 (<https://github.com/openvex/spec/blob/main/OPENVEX-SPEC.md>).
    OpenVex,
}

impl ReportFormat {
    /// Every format.
    pub const ALL: [Self; 4] = [Self::CycloneDx16, Self::CycloneDx17, Self::Sarif, Self::OpenVex];

    /// The word on the command line. `cyclonedx` alone is the version that most tools read.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CycloneDx16 => "cyclonedx",
            Self::CycloneDx17 => "cyclonedx-1.7",
            Self::Sarif => "sarif",
            Self::OpenVex => "openvex",
        }
    }
}

/// A report cannot be written in a format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CannotRender {
    /// OpenVEX has no document without statements.
    #[error(
        "there is nothing to state in an OpenVEX document: no advisory touches a component with a package URL"
    )]
    NothingToState,
}

/// What was looked at, and what was found.
#[derive(Clone, Debug)]
pub struct Report {
    /// What made the report.
    pub tool: Tool,
    /// Who answers for it: an organisation or a person. The tool's name where nobody does.
    pub author: Option<String>,
    /// When it was made.
    pub at: Timestamp,
    /// What was looked at.
    pub subject: Subject,
    /// Digest of the policy that decided.
    pub policy: Option<Sha256>,
    /// The components, in the order of the input.
    pub components: Vec<Component>,
    /// What advisories say of them. The order does not matter.
    pub findings: Vec<Finding>,
    /// What is not known: of the whole, or of one component.
    pub gaps: Vec<ReportGap>,
    /// What was seen in the subject's bytes, in the order in which it is told. Only SARIF has a place for it.
    pub observations: Vec<Observation>,
}

/// Something that was seen in the subject's bytes.
#[derive(Clone, Debug)]
pub struct Observation {
    /// What.
    pub finding: tidegate_model::Finding,
    /// The file that it is in, where the subject is a folder.
    pub file: Option<String>,
    /// The nested path within the file; none where it is about all of it.
    pub within: Option<String>,
}

/// What made a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tool {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
}

impl Tool {
    /// This program.
    pub fn this() -> Self {
        Self { name: "tidegate".into(), version: env!("CARGO_PKG_VERSION").into() }
    }
}

/// What was looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subject {
    /// What it is called: the name in an SBOM, else that of the file.
    pub name: String,
    /// Its version, where it has one.
    pub version: Option<String>,
    /// Its package URL, where it has one.
    pub purl: Option<String>,
    /// The path of the file as given; none where a package URL was asked about or text came from standard input.
    pub file: Option<String>,
    /// Digest of the file.
    pub sha256: Option<Sha256>,
}

/// One component.
#[derive(Clone, Debug, Default)]
pub struct Component {
    /// Its package URL, with the version.
    pub purl: Option<String>,
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: Option<String>,
    /// Digests of its file.
    pub digests: Vec<Digest>,
    /// Its licence: an SPDX expression, or whatever its publisher says.
    pub licence: Option<String>,
    /// What it is needed for.
    pub scope: Option<Scope>,
    /// Where in the subject's file it stands.
    pub place: Option<Place>,
    /// Why it is in no container of the image that holds it, as a fragment; none where it is, or where there is no image.
    pub beneath: Option<String>,
    /// What was decided.
    pub outcome: Option<Outcome>,
    /// The nearest version that the policy admits.
    pub nearest_compliant: Option<String>,
}

/// What was decided on a component.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// What happens to it.
    pub action: Action,
    /// The rules that made it so.
    pub reasons: Vec<Reason>,
}

/// One advisory that touches one component.
#[derive(Clone, Debug, Default)]
pub struct Finding {
    /// The component's place in [`Report::components`]. A finding on a component that is not there is left out.
    pub component: usize,
    /// What the facts hold of it. A withdrawn one is left out.
    pub advisory: Vulnerability,
    /// Whether the match is certain.
    pub certainty: Certainty,
    /// One sentence.
    pub summary: Option<String>,
    /// The whole text; Markdown.
    pub details: Option<String>,
    /// Who publishes it, for example `GitHub Advisory Database`.
    pub source: Option<String>,
    /// Addresses to read on. The first is the advisory's own.
    pub links: Vec<String>,
    /// Weaknesses, by their CWE number.
    pub cwes: Vec<u32>,
    /// When it was published.
    pub published: Option<Timestamp>,
    /// When it was changed last.
    pub modified: Option<Timestamp>,
    /// Why a VEX statement says `not_affected`: one of OpenVEX's five words.
    pub justification: Option<String>,
    /// What a VEX statement says in words.
    pub impact: Option<String>,
}

/// Whether an advisory touches a component for certain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Certainty {
    /// The version lies in what the advisory calls affected.
    #[default]
    Matched,
    /// The name is the advisory's, but the component's version is unknown or has no place in the order of versions.
    Unclear,
}

/// Something that is not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportGap {
    /// Of which component; none for the whole input.
    pub component: Option<usize>,
    /// Which facts.
    pub fact: String,
    /// How they are not known.
    pub state: FactState,
    /// Why, for people.
    pub why: Option<String>,
    /// Line of the input that it is about, from 1.
    pub line: Option<u32>,
}

impl Report {
    /// Writes the report; the text ends with a line break.
    ///
    /// # Errors
    /// The format cannot express the report: [`CannotRender`].
    pub fn render(&self, format: ReportFormat) -> Result<Vec<u8>, CannotRender> {
        let document = match format {
            ReportFormat::CycloneDx16 => cyclonedx::document(self, "1.6"),
            ReportFormat::CycloneDx17 => cyclonedx::document(self, "1.7"),
            ReportFormat::Sarif => sarif::document(self),
            ReportFormat::OpenVex => openvex::document(self).ok_or(CannotRender::NothingToState)?,
        };
        let mut text = serde_json::to_vec_pretty(&document).expect("a JSON value is written to memory");
        text.push(b'\n');
        Ok(text)
    }

    /// The findings that stand, each with its component: by the order of components, then by advisory.
    fn standing(&self) -> Vec<(&Finding, &Component)> {
        let mut standing: Vec<_> = self
            .findings
            .iter()
            .filter(|finding| !finding.advisory.withdrawn)
            .filter_map(|finding| Some((finding, self.components.get(finding.component)?)))
            .collect();
        standing.sort_by(|(a, _), (b, _)| (a.component, &a.advisory.id).cmp(&(b.component, &b.advisory.id)));
        standing.dedup_by(|(a, _), (b, _)| (a.component, &a.advisory.id) == (b.component, &b.advisory.id));
        standing
    }

    /// The gaps of each component.
    fn gaps_of_components(&self) -> HashMap<usize, Vec<&ReportGap>> {
        let mut gaps: HashMap<usize, Vec<&ReportGap>> = HashMap::new();
        for gap in &self.gaps {
            if let Some(component) = gap.component {
                gaps.entry(component).or_default().push(gap);
            }
        }
        gaps
    }
}

impl Finding {
    /// The severity that counts: after re-rating, else as published. Malice is critical by itself.
    pub fn severity(&self) -> Option<Severity> {
        let stated = self.advisory.effective_severity.or(self.advisory.severity);
        if self.advisory.malicious { Some(Severity::Critical) } else { stated }
    }

    /// What a trusted VEX statement says, where there is one.
    fn trusted_vex(&self) -> Option<&str> {
        self.advisory.vex.as_ref().filter(|vex| vex.trusted).map(|vex| vex.status.as_str())
    }

    /// Whether a trusted author says that there is nothing to do here, and what is needed to repeat it is there.
    fn is_cleared(&self) -> bool {
        match self.trusted_vex() {
            Some("fixed") => true,
            Some("not_affected") => self.justification().is_some() || self.impact.is_some(),
            _ => false,
        }
    }

    /// The justification, if it is one that OpenVEX knows.
    fn justification(&self) -> Option<&str> {
        const KNOWN: [&str; 5] = [
            "component_not_present",
            "vulnerable_code_not_present",
            "vulnerable_code_not_in_execute_path",
            "vulnerable_code_cannot_be_controlled_by_adversary",
            "inline_mitigations_already_exist",
        ];
        self.justification.as_deref().filter(|word| KNOWN.contains(word))
    }

    /// The addresses that are web addresses, which all formats want.
    fn addresses(&self) -> impl Iterator<Item = &str> {
        let is_web =
            |link: &&str| url::Url::parse(link).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
        self.links.iter().map(String::as_str).filter(is_web)
    }

    /// What to do, in a sentence.
    fn advice(&self, component: &Component) -> String {
        let remediation = component.outcome.iter().flat_map(|outcome| &outcome.reasons).find_map(|reason| {
            let about_it = reason.because.advisories.contains(&self.advisory.id);
            reason.remediation.clone().filter(|_| about_it)
        });
        match (&component.nearest_compliant, self.advisory.fixed_in.as_slice()) {
            _ if self.advisory.malicious => format!(
                "Remove {} {} and treat every machine that installed it as compromised.",
                component.name,
                component.version.as_deref().unwrap_or("(of any version)")
            ),
            (Some(version), _) => {
                format!("Use {} {version}, the nearest version that the policy admits.", component.name)
            }
            (None, []) => remediation.unwrap_or_else(|| {
                format!("No fixed version of {} is known: replace it or mitigate.", component.name)
            }),
            (None, [version]) => format!("Upgrade {} to {version} or later.", component.name),
            (None, versions) => {
                format!("Upgrade {} to a fixed version: {}.", component.name, versions.join(", "))
            }
        }
    }
}

#[cfg(test)]
mod tests;
