//! Facts: everything a decision may read, as a plain value.
//!
//! Each group stands in an envelope that says how the group is known. A gap is never clean: a group that nobody looked
//! at is `not_scanned`, not empty. The JSON Schema of [`Facts`] is published as `tidegate/facts/v1`.

use crate::{ArtifactKind, Digest, Ecosystem, PrincipalKind, Sha256, Timestamp};

/// How a group of facts is known.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    serde::Serialize,
    serde::Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum FactState {
    /// Looked at; the value is current.
    Known,
    /// Will be known once the bytes have been looked at.
    Pending,
    /// Nothing has looked, because the control is not there or not switched on.
    #[default]
    NotScanned,
    /// The source of such facts does not offer them.
    NotOffered,
    /// The control is there but cannot look at this kind of thing.
    Unsupported,
    /// The question makes no sense for this artifact.
    NotApplicable,
    /// Known once, too old now. The value is kept: it can add doubt, never erase a finding.
    Stale,
    /// Looking failed.
    Error,
}

impl FactState {
    /// Every state, in the order of the schema.
    pub const ALL: [Self; 8] = [
        Self::Known,
        Self::Pending,
        Self::NotScanned,
        Self::NotOffered,
        Self::Unsupported,
        Self::NotApplicable,
        Self::Stale,
        Self::Error,
    ];

    /// The word used in policies, output and records.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Known => "known",
            Self::Pending => "pending",
            Self::NotScanned => "not_scanned",
            Self::NotOffered => "not_offered",
            Self::Unsupported => "unsupported",
            Self::NotApplicable => "not_applicable",
            Self::Stale => "stale",
            Self::Error => "error",
        }
    }
}

/// A group of facts in its envelope.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Group<T> {
    /// How the group is known.
    pub state: FactState,
    /// When the source said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_of: Option<Timestamp>,
    /// Until when a known value counts as current; from then on the group reads as `stale`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fresh_until: Option<Timestamp>,
    /// Who said so: a feed, a detector, an upstream.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Why the group is not known, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// The facts themselves; absent unless something is or was known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<T>,
}

impl<T> Default for Group<T> {
    fn default() -> Self {
        Self {
            state: FactState::NotScanned,
            as_of: None,
            fresh_until: None,
            source: None,
            why: None,
            value: None,
        }
    }
}

impl<T> Group<T> {
    /// A group that is known now.
    pub const fn known(value: T) -> Self {
        Self {
            state: FactState::Known,
            as_of: None,
            fresh_until: None,
            source: None,
            why: None,
            value: Some(value),
        }
    }

    /// A group that is not known.
    pub fn gap(state: FactState, why: impl Into<String>) -> Self {
        Self { state, as_of: None, fresh_until: None, source: None, why: Some(why.into()), value: None }
    }
}

/// Everything a decision may read. `now` is not in here: it is an argument of the decision, outside the digest.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(default)]
#[schemars(title = "tidegate/facts/v1")]
pub struct Facts {
    /// What is asked for. Always known.
    pub artifact: ArtifactFacts,
    /// Advisories that touch it.
    pub vulnerabilities: Group<VulnerabilityFacts>,
    /// Whether it is known or suspected to be malicious.
    pub malware: Group<MalwareFacts>,
    /// What looking inside found.
    pub contents: Group<ContentFacts>,
    /// Its licence.
    pub licence: Group<LicenceFacts>,
    /// How it was built and who vouches for it.
    pub provenance: Group<ProvenanceFacts>,
    /// Install scripts.
    pub scripts: Group<ScriptFacts>,
    /// Native code inside.
    pub binary: Group<BinaryFacts>,
    /// Secrets found inside.
    pub secrets: Group<SecretFacts>,
    /// Model files.
    pub model: Group<ModelFacts>,
    /// Editor extension.
    pub extension: Group<ExtensionFacts>,
    /// MCP server.
    pub mcp: Group<McpFacts>,
    /// Who publishes the package.
    pub publisher: Group<PublisherFacts>,
    /// What upstream says of the version's life.
    pub lifecycle: Group<LifecycleFacts>,
    /// How its name compares with popular names. A fact of the name, not of the bytes.
    pub name: Group<NameFacts>,
    /// Who asks.
    pub principal: PrincipalFacts,
    /// Through which repository.
    pub repository: RepositoryFacts,
    /// Whether somebody put it on a list of what is approved.
    pub approval: Group<ApprovalFacts>,
    /// For which application, where the request says.
    pub application: Group<ApplicationFacts>,
    /// How it is asked.
    pub request: RequestFacts,
}

/// The artifact itself.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct ArtifactFacts {
    /// What kind of thing.
    pub kind: Option<ArtifactKind>,
    /// Its ecosystem.
    pub ecosystem: Option<Ecosystem>,
    /// Normalised name.
    pub name: String,
    /// Version as published.
    pub version: String,
    /// File name.
    pub file: String,
    /// Package URL with version.
    pub purl: String,
    /// Digest of the bytes, once they are here.
    pub sha256: Option<Sha256>,
    /// SHA-512 of the bytes, once they are here.
    pub sha512: Option<Digest>,
    /// Every digest the index promises.
    pub promised: Vec<Digest>,
    /// Size in bytes.
    pub size: Option<u64>,
    /// Upstream's claim of when it was published; null where upstream does not say.
    pub published_at: Option<Timestamp>,
    /// When this door first saw it listed; null when it stood in the first document ever fetched (age unknown).
    pub first_seen_at: Option<Timestamp>,
    /// Whether it stood in the first document ever fetched, so that `first_seen_at` says nothing about its age.
    pub bootstrap: bool,
    /// When the first version of the project was published, by upstream's claim.
    pub project_published_at: Option<Timestamp>,
    /// Whether the request names this very version (lock file, exact pin).
    pub pinned: Option<bool>,
    /// Advisories whose `fixed` event is this version, under the conditions of the security fast lane.
    pub security_fix_for: Vec<String>,
    /// Whether this door admitted it before.
    pub admitted_before: bool,
    /// Whether the version is a pre-release.
    pub prerelease: bool,
}

/// Severity words, lowest first.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    serde::Serialize,
    serde::Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// No impact stated.
    None,
    /// CVSS 0.1–3.9.
    Low,
    /// CVSS 4.0–6.9.
    Medium,
    /// CVSS 7.0–8.9.
    High,
    /// CVSS 9.0–10.
    Critical,
}

/// Advisories that touch the artifact.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct VulnerabilityFacts {
    /// One item per advisory.
    pub items: Vec<Vulnerability>,
}

/// One advisory that touches the artifact.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct Vulnerability {
    /// Advisory id.
    pub id: String,
    /// Other ids of the same advisory.
    pub aliases: Vec<String>,
    /// Severity as published.
    pub severity: Option<Severity>,
    /// Severity after re-rating.
    pub effective_severity: Option<Severity>,
    /// Who set the effective severity.
    pub rated_by: Option<String>,
    /// CVSS vector.
    pub cvss: Option<String>,
    /// CVSS base score, 0–10.
    pub cvss_score: Option<f64>,
    /// EPSS probability, 0–1.
    pub epss: Option<f64>,
    /// Whether CISA lists it as exploited.
    pub kev: Option<bool>,
    /// What CISA decided about its exploitation (SSVC).
    pub ssvc: Option<Ssvc>,
    /// Whether a fixed version exists.
    pub fix_available: Option<bool>,
    /// Fixed versions.
    pub fixed_in: Vec<String>,
    /// What a VEX statement says.
    pub vex: Option<Vex>,
    /// Whether the publisher took the advisory back.
    pub withdrawn: bool,
    /// Whether this is a report of malice rather than of a flaw.
    pub malicious: bool,
    /// When this door first knew of the advisory as it stands; a grace time for artifacts already here counts from it.
    pub known_since: Option<Timestamp>,
    /// Whether its effect on what was admitted before is held back: `waiting` for a person, or `dismissed` by one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held: Option<String>,
}

/// Decision points of one flaw, of the Stakeholder-Specific Vulnerability Categorization; each may be missing
/// (<https://www.cisa.gov/stakeholder-specific-vulnerability-categorization-ssvc>).
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct Ssvc {
    /// `none`, `poc` or `active`: how far exploitation has come.
    pub exploitation: Option<String>,
    /// Whether an attacker can automate the first steps of an attack.
    pub automatable: Option<bool>,
    /// `partial` or `total`: what an attacker gains.
    pub technical_impact: Option<String>,
}

/// A VEX statement about the artifact and one advisory.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct Vex {
    /// `not_affected`, `affected`, `fixed` or `under_investigation` (OpenVEX).
    pub status: String,
    /// Who says so.
    pub author: Option<String>,
    /// Whether policy trusts the author.
    pub trusted: bool,
}

/// Whether the artifact is malicious.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct MalwareFacts {
    /// `clean`, `suspicious` or `malicious`.
    pub verdict: String,
    /// Ids of reports or detectors behind the verdict.
    pub reports: Vec<String>,
    /// Whether the effect of every report on what was admitted before is held back: `waiting` for a person, or
    /// `dismissed` by one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held: Option<String>,
}

/// What looking inside the artifact found: how its code behaves and how it is packed. Secrets, licence and the like have
/// groups of their own.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct ContentFacts {
    /// `clean`, `suspicious` or `malicious`.
    pub verdict: String,
    /// Detectors behind the verdict, gravest first.
    pub detectors: Vec<String>,
    /// What the gravest of them saw, and where, for people.
    pub summary: Option<String>,
    /// Whether everything was looked at.
    pub complete: Option<bool>,
    /// Why something was not: budgets that were reached, encrypted or damaged parts, forms without a reader.
    pub not_seen: Vec<String>,
}

/// Licence of the artifact.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct LicenceFacts {
    /// As declared in the index.
    pub declared: Option<String>,
    /// As concluded from the bytes.
    pub concluded: Option<String>,
    /// The SPDX expression rules read: concluded where known, else declared.
    pub expression: Option<String>,
}

/// Provenance of the artifact.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct ProvenanceFacts {
    /// `verified`, `offered` (an attestation exists, unchecked), `absent`, `unsupported` (one exists, in a form that is not
    /// checked here) or `invalid`.
    pub status: String,
    /// Why it is invalid or not supported, for people.
    pub reason: Option<String>,
    /// What verified: `build` (how it was built), `publish` (who published it), `registry` (the registry's own signature),
    /// `signature` (somebody whom the evidence names signed it).
    pub proven: Vec<String>,
    /// Builder identity.
    pub builder: Option<String>,
    /// Source repository.
    pub source: Option<String>,
    /// Commit that it was built from.
    pub commit: Option<String>,
    /// The workflow that built it, by its path in the source repository.
    pub workflow: Option<String>,
    /// What the signed time rests on: `inclusion_proof`, `timestamp`, `promise` or `key`, weakest of what verified.
    pub evidence: Option<String>,
    /// When it was signed, by a log or a timestamp authority.
    pub signed_at: Option<Timestamp>,
    /// SLSA build level.
    pub slsa_level: Option<u8>,
    /// Certificate issuer.
    pub issuer: Option<String>,
    /// Whether the previous version had an attestation and this one has none.
    pub dropped: Option<bool>,
    /// Whether the previous version was verifiably built from another source repository.
    pub source_changed: Option<bool>,
    /// The source repository of the previous version, where it was another one.
    pub source_before: Option<String>,
    /// Whether the previous version was verifiably built by another builder.
    pub builder_changed: Option<bool>,
}

/// Install scripts of the artifact.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct ScriptFacts {
    /// Whether installing runs a script of the package.
    pub install: Option<bool>,
    /// Whether it does and the version before did not; null where there is no version before.
    pub new_in_version: Option<bool>,
}

/// Native code in the artifact.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct BinaryFacts {
    /// Whether there is native code.
    pub native: Option<bool>,
}

/// Secrets in the artifact.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct SecretFacts {
    /// How many were found.
    pub count: Option<u32>,
    /// Detectors that found them.
    pub detectors: Vec<String>,
}

/// Model files.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct ModelFacts {
    /// File formats found.
    pub formats: Vec<String>,
    /// Whether loading runs code that is not on the safe list.
    pub unsafe_code: Option<bool>,
    /// Whether the model asks for code from its repository.
    pub remote_code: Option<bool>,
}

/// Editor extension.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct ExtensionFacts {
    /// Permissions asked for.
    pub permissions: Vec<String>,
    /// Activation events.
    pub activation: Vec<String>,
    /// Extensions that are installed along with it or that it needs, as `publisher/name`.
    pub brings: Vec<String>,
    /// Those of them of which no version may be had.
    pub refused: Vec<String>,
    /// Those of them of which every version is blocked.
    pub blocked: Vec<String>,
}

/// MCP server: its listing, the packages and remotes that it names, and what was seen of its tools, as one.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct McpFacts {
    /// Transport: `stdio`, `streamable-http` or `sse`; the one that reaches furthest where there are several.
    pub transport: Option<String>,
    /// Tools offered.
    pub tools: Vec<String>,
    /// The server's name, where it is asked at run time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// What of it is decided on: `server`, `tool`, `prompt`, `instructions`, or what passes: `call`, `answer`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub part: Option<String>,
    /// Name of the tool or prompt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item: Option<String>,
    /// How its text stands to what was approved: `first_seen`, `approved`, `changed`, `new`, `expired` or `revoked`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pin: Option<String>,
    /// The packages that the listing names, each with what was decided on it; of a server that runs, its listing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<PartFacts>,
    /// What belongs to the server and was not looked at, with the state of that: `tools`, `workspace`.
    #[serde(skip_serializing_if = "std::collections::BTreeMap::is_empty")]
    pub unseen: std::collections::BTreeMap<String, FactState>,
}

/// A package that is a part of something else, and what was decided on it by itself.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct PartFacts {
    /// Its package URL with version.
    pub purl: String,
    /// How it is known: `known` with its index, `pending` from what is said of its name and version alone,
    /// `unsupported` where this door speaks for no such packages.
    pub state: FactState,
    /// What was decided on it.
    pub action: crate::Action,
    /// Whether that withholds it.
    pub withheld: bool,
    /// The rule that led to it, where it is not simply allowed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// What that rule says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// From when time alone makes it selectable.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

/// Publisher of the artifact.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct PublisherFacts {
    /// Account that published this version.
    pub account: Option<String>,
    /// Whether the version before was published by another account that never published this package since the first version listed.
    pub changed: Option<bool>,
    /// Days since the publishing account changed; null with a known publisher means never.
    pub changed_days_ago: Option<i64>,
}

/// What upstream says of the version's life.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct LifecycleFacts {
    /// Yanked upstream.
    pub yanked: bool,
    /// Upstream's reason for the yank.
    pub yanked_reason: Option<String>,
    /// Deprecated upstream.
    pub deprecated: bool,
    /// Upstream's deprecation text.
    pub deprecated_reason: Option<String>,
}

/// How the name compares with popular names.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct NameFacts {
    /// The popular name it could be taken for; null where there is none.
    pub resembles: Option<String>,
    /// How it differs: `swap`, `omission`, `repetition`, `replacement`, `separator`, `affix`, `scope`.
    pub difference: Option<String>,
}

/// Who asks.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct PrincipalFacts {
    /// Account, service or job; empty when anonymous.
    pub id: String,
    /// What kind.
    pub kind: Option<PrincipalKind>,
    /// Groups.
    pub groups: Vec<String>,
}

/// Through which repository.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct RepositoryFacts {
    /// Repository name.
    pub name: String,
    /// `remote`, `hosted` or `virtual`.
    pub kind: String,
    /// Upstream that answered.
    pub upstream: Option<String>,
    /// Whether the name is private to this organisation.
    pub private: bool,
}

/// Whether somebody put it on a list of what is approved. Names of people are not among the facts.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct ApprovalFacts {
    /// Whether an approval covers it now.
    pub approved: bool,
    /// That approval's id.
    pub id: Option<String>,
    /// When that approval ends.
    pub expires_at: Option<Timestamp>,
}

/// For which application.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct ApplicationFacts {
    /// Application name.
    pub name: String,
    /// Team that owns it.
    pub team: Option<String>,
    /// Stage.
    pub stage: Option<String>,
}

/// How it is asked.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct RequestFacts {
    /// `index` (which versions may be chosen) or `artifact` (bytes).
    pub operation: String,
    /// Client program, as its user agent names it.
    pub client: Option<String>,
}

impl Facts {
    /// The groups that are gaps, with their names: what a decision could not read.
    pub fn gaps(&self) -> Vec<(&'static str, FactState, Option<&str>)> {
        macro_rules! gaps {
            ($($field:ident),*) => {{
                let mut gaps = Vec::new();
                $(if !matches!(self.$field.state, FactState::Known | FactState::NotApplicable) {
                    gaps.push((stringify!($field), self.$field.state, self.$field.why.as_deref()));
                })*
                gaps
            }};
        }
        gaps!(
            vulnerabilities,
            malware,
            contents,
            licence,
            provenance,
            scripts,
            binary,
            secrets,
            model,
            extension,
            mcp,
            publisher,
            lifecycle,
            name,
            approval,
            application
        )
    }
}
