//! What advisories say of a component: the findings, a decision on them where nothing else is known, and the nearest
//! version that they do not touch.
//!
//! An ecosystem needs no door for this. What else policy would like to know of the component is a gap then, with its
//! reason; the same engine decides.

use serde_json::{Value, json};
use tidegate_ecosystems::inventory::{OsvPackage, Purl};
use tidegate_intel::{AdvisoryKind, Findings, Query};
use tidegate_model::coordinate::{Coordinate, package_purl};
use tidegate_model::decision::Decision;
use tidegate_model::facts::{
    ApprovalFacts, ArtifactFacts, FactState, Facts, Group, MalwareFacts, PrincipalFacts, RepositoryFacts,
    RequestFacts, Vulnerability,
};
use tidegate_model::version::VersionScheme;
use tidegate_model::{ArtifactKind, Ecosystem, PackageName, Sha256, Timestamp, Version};

use tidegate_store::catalogue::LocalBlock;

use crate::api::subject::{Asker, Subject};
use crate::door::Repository;
use crate::inspection::Seen;
use crate::intel::facts::{known, vulnerability_of};
use crate::intel::words;
use crate::pipeline::decide::Ruleset;
use crate::pipeline::facts;

/// How many versions are looked at to find the nearest one that nothing touches.
const MAX_CANDIDATES: usize = 300;

/// What is asked about.
#[derive(Clone, Debug)]
pub(super) struct Component {
    /// The package URL as given; empty where there is none.
    pub(super) purl: String,
    /// Ours, where its type is one of ours.
    pub(super) ecosystem: Option<Ecosystem>,
    /// Its name, for people and rules.
    pub(super) name: String,
    /// Its version.
    pub(super) version: Option<String>,
    /// What advisories call it, or why they cannot be asked.
    pub(super) osv: Result<OsvPackage, String>,
}

impl Component {
    /// One that a package URL names.
    ///
    /// # Errors
    /// It is no package URL.
    pub(super) fn of_purl(text: &str) -> Result<Self, String> {
        let purl: Purl =
            text.parse().map_err(|e| format!("`{}` is no package URL: {e}", text.escape_debug()))?;
        let ecosystem = purl.ty.parse::<Ecosystem>().ok();
        let name = purl.full_name();
        // One spelling for rules, as at the door.
        let normal = ecosystem.and_then(|ecosystem| PackageName::parse(ecosystem, &name).ok());
        Ok(Self {
            purl: text.to_owned(),
            ecosystem,
            name: normal.map_or(name, |normal| normal.as_str().to_owned()),
            version: purl.version.clone(),
            osv: OsvPackage::of(&purl, None).map_err(|e| e.to_string()),
        })
    }

    /// The same package at another version.
    pub(super) fn at(&self, version: &str) -> Self {
        let osv = self.osv.clone().map(|osv| OsvPackage { version: Some(version.to_owned()), ..osv });
        Self { version: Some(version.to_owned()), osv, ..self.clone() }
    }

    /// One without a package URL; nothing can be looked up.
    pub(super) fn nameless(name: String, version: Option<String>, why: String) -> Self {
        Self { purl: String::new(), ecosystem: None, name, version, osv: Err(why) }
    }

    /// The ecosystem as advisories and we name it.
    fn word(&self) -> Option<&str> {
        match self.ecosystem {
            Some(ecosystem) => Some(ecosystem.as_str()),
            None => self.osv.as_ref().ok().map(|osv| osv.ecosystem.as_str()),
        }
    }

    /// Under what advisories are asked about a version of it.
    fn query<'a>(&'a self, version: &'a str, now: Timestamp) -> Option<Query<'a>> {
        let name = &self.osv.as_ref().ok()?.name;
        Some(Query { ecosystem: self.word()?, name, version, now })
    }

    /// What advisories say of a version; none where they cannot be asked.
    fn findings(&self, rules: &Ruleset, version: &str, now: Timestamp) -> Option<Findings> {
        let query = self.query(version, now)?;
        Some(rules.advisories.snapshot.matches(&query))
    }

    /// What advisories say of its own version.
    pub(super) fn own_findings(&self, rules: &Ruleset, now: Timestamp) -> Option<Findings> {
        self.findings(rules, self.osv_version()?, now)
    }

    fn osv_version(&self) -> Option<&str> {
        self.osv.as_ref().ok()?.version.as_deref()
    }
}

/// Flaws and malice; that nobody maintains a package touches every version alike.
const fn counts(kind: AdvisoryKind) -> bool {
    matches!(kind, AdvisoryKind::Vulnerability | AdvisoryKind::Malware)
}

/// How many findings another version could mend; what cannot be told counts as one.
fn touching(findings: &Findings) -> usize {
    findings.items.iter().filter(|finding| counts(finding.kind)).count() + findings.undecided.len()
}

/// Findings as told to `check`; `with_details` also the long texts.
pub(super) fn told(
    rules: &Ruleset,
    component: &Component,
    findings: Option<&Findings>,
    with_details: bool,
    now: Timestamp,
) -> Value {
    let Some((findings, version)) = findings.zip(component.osv_version()) else { return json!([]) };
    let Some(query) = component.query(version, now) else { return json!([]) };
    let mut told: Vec<Value> = findings
        .items
        .iter()
        .map(|finding| {
            let words = words::of(&rules.advisories, finding, now);
            json!({
                "kind": finding.kind,
                "certain": true,
                // What matches only because all there will ever be is said to, or with a part of the version left out.
                "confident": !finding.without_local && (!finding.all_versions || counts_as_reviewed(finding)),
                "vulnerability": vulnerability_of(&rules.advisories, &query, finding),
                "summary": words.summary,
                "details": words.details.filter(|_| with_details),
                "links": words.links,
                "cwes": words.cwes,
                "source": words.source,
                "published": words.published,
                "modified": words.modified,
            })
        })
        .collect();
    told.extend(findings.undecided.iter().map(|id| {
        let unclear = Vulnerability { id: id.clone(), ..Vulnerability::default() };
        json!({ "kind": AdvisoryKind::Vulnerability, "certain": false, "confident": false, "vulnerability": unclear })
    }));
    told.into()
}

/// Malice is reported without ranges; of flaws, somebody should have looked at a range without an end.
fn counts_as_reviewed(finding: &tidegate_intel::Finding) -> bool {
    finding.kind == AdvisoryKind::Malware
        || finding.sources.iter().any(|source| source.reviewed == Some(true))
}

/// Everything that a decision on advisories alone is made from.
pub(super) struct Alone<'a> {
    /// What decides.
    pub(super) rules: &'a Ruleset,
    /// For whom.
    pub(super) asker: &'a Asker,
    /// Through which repository it would come, where there is one.
    pub(super) repository: Option<&'a Repository>,
    /// How everything but advisories is not known, and why.
    pub(super) gap: (FactState, &'a str),
    /// What was seen inside the bytes, and their digest, where they are at hand.
    pub(super) seen: Option<(&'a Seen, Option<Sha256>)>,
    /// When.
    pub(super) now: Timestamp,
}

impl Alone<'_> {
    /// Decides on a version of a component, of which advisories say `findings`.
    pub(super) fn decide(
        &self,
        component: &Component,
        version: Option<&str>,
        findings: Option<&Findings>,
    ) -> Decision {
        let facts = self.facts(component, version, findings);
        tidegate_policy::decide(&self.rules.policy, &facts, &self.rules.waivers, self.now)
    }

    fn approval(&self, component: &Component) -> Group<ApprovalFacts> {
        let purl = &*component.purl;
        let package = purl.rsplit_once('@').map_or(purl, |(package, _)| package);
        let repository = self.repository.map_or("", |repository| &repository.name);
        let sha256 = self.seen.and_then(|(_, sha256)| sha256);
        facts::approval(&self.rules.approvals, (purl, package), sha256, repository, self.now)
    }

    fn facts(&self, component: &Component, version: Option<&str>, findings: Option<&Findings>) -> Facts {
        let (state, why) = self.gap;
        fn not_applicable<T>() -> Group<T> {
            Group { state: FactState::NotApplicable, ..Group::default() }
        }
        let text = version.or(component.version.as_deref()).unwrap_or_default();
        let query = component.query(text, self.now);
        let (vulnerabilities, malware) = match (findings.zip(query), &component.osv) {
            (Some((findings, query)), _) => known(&self.rules.advisories, &query, findings),
            (None, Err(why)) => {
                (Group::gap(FactState::Unsupported, why), Group::gap(FactState::Unsupported, why))
            }
            (None, Ok(_)) => {
                let why = "it has no version, so it cannot be told what touches it";
                (Group::gap(FactState::Error, why), Group::gap(FactState::Error, why))
            }
        };
        let malware = self.with_blocks(component, text, malware);
        let version_of = |ecosystem| Version::parse(ecosystem, text).is_prerelease();
        let seen = self.seen.map(|(seen, _)| seen);
        Facts {
            artifact: ArtifactFacts {
                kind: Some(seen.map_or(ArtifactKind::Package, Seen::kind)),
                ecosystem: component.ecosystem,
                name: component.name.clone(),
                version: text.to_owned(),
                prerelease: component.ecosystem.is_some_and(version_of),
                purl: component.purl.clone(),
                sha256: self.seen.and_then(|(_, sha256)| sha256),
                ..ArtifactFacts::default()
            },
            vulnerabilities,
            malware,
            contents: seen.map_or_else(|| Group::gap(state, why), |seen| seen.contents(&[])),
            licence: seen.and_then(Seen::licence_facts).unwrap_or_else(|| Group::gap(state, why)),
            provenance: Group::gap(state, why),
            scripts: seen.and_then(Seen::scripts).unwrap_or_else(|| Group::gap(state, why)),
            binary: seen.map_or_else(|| Group::gap(state, why), Seen::binary),
            secrets: seen.map_or_else(|| Group::gap(state, why), Seen::secrets),
            publisher: Group::gap(state, why),
            lifecycle: Group::gap(state, why),
            name: Group::gap(state, why),
            model: seen.filter(|seen| seen.failed.is_none()).map_or_else(not_applicable, Seen::model),
            extension: not_applicable(),
            mcp: not_applicable(),
            approval: self.approval(component),
            application: not_applicable(),
            principal: PrincipalFacts {
                id: self.asker.principal.id.clone(),
                kind: Some(self.asker.principal.kind),
                groups: self.asker.principal.groups.clone(),
            },
            repository: RepositoryFacts {
                name: self.repository.map(|repository| repository.name.to_string()).unwrap_or_default(),
                kind: if self.repository.is_some() { "remote" } else { "" }.into(),
                upstream: None,
                private: self.repository.is_some_and(|repository| {
                    PackageName::parse(repository.ecosystem, &component.name)
                        .is_ok_and(|name| repository.is_private(&name))
                }),
            },
            // As if the bytes were asked for: an unknown package must not pass as one whose inspection comes later.
            request: RequestFacts { operation: "artifact".into(), client: self.asker.client.clone() },
        }
    }

    /// A block by hand of the package or the version stands beside what feeds report. One of certain bytes cannot be told
    /// without them.
    fn with_blocks(
        &self,
        component: &Component,
        version: &str,
        reported: Group<MalwareFacts>,
    ) -> Group<MalwareFacts> {
        let name = component.ecosystem.and_then(|e| PackageName::parse(e, &component.name).ok());
        let Some(name) = name.filter(|_| !self.rules.blocks.is_empty()) else { return reported };
        let package = package_purl(&name);
        let version = Version::parse(name.ecosystem(), version);
        let purl = Coordinate { name, version }.purl();
        let blocks = self.rules.blocks.iter().filter(|b| b.block.sha256.is_none());
        let mut reports: Vec<String> =
            blocks.filter(|b| b.block.purl == purl || b.block.purl == package).map(LocalBlock::id).collect();
        if reports.is_empty() {
            return reported;
        }
        reports.extend(reported.value.map(|known| known.reports).unwrap_or_default());
        Group {
            source: Some("blocked by hand".into()),
            ..Group::known(MalwareFacts { verdict: "malicious".into(), reports, held: None })
        }
    }

    /// The lowest version among those that mend a finding which policy lets through and nothing touches, or the least.
    pub(super) fn nearest(&self, component: &Component, findings: Option<&Findings>) -> Option<String> {
        let findings = findings.filter(|findings| touching(findings) > 0)?;
        let scheme = match component.ecosystem {
            Some(Ecosystem::Pypi) => VersionScheme::from_osv("PyPI"),
            Some(_) => VersionScheme::from_osv("npm"),
            None => component.word().and_then(VersionScheme::from_osv),
        }?;
        let mut candidates: Vec<_> = findings
            .items
            .iter()
            .flat_map(|finding| &finding.fixed)
            .filter_map(|version| Some((scheme.key(version)?, version)))
            .collect();
        candidates.sort_by(|a, b| a.0.as_bytes().cmp(b.0.as_bytes()));
        candidates.dedup_by(|a, b| a.1 == b.1);
        let left = |version: &str| {
            let found = component.findings(self.rules, version, self.now)?;
            let serves = self.decide(component, Some(version), Some(&found)).serves();
            serves.then(|| touching(&found))
        };
        let looked_at = candidates.into_iter().take(MAX_CANDIDATES).map(|(_, version)| version.as_str());
        fewest(looked_at, left, touching(findings)).map(str::to_owned)
    }
}

/// The first version that nothing touches, else the first of those that the fewest findings touch, as long as these are
/// fewer than `now`; `left` says how many touch a version, and nothing where it may not be taken.
fn fewest<'v>(
    versions: impl Iterator<Item = &'v str>,
    left: impl Fn(&str) -> Option<usize>,
    now: usize,
) -> Option<&'v str> {
    let mut best: Option<(usize, &str)> = None;
    for version in versions {
        match left(version) {
            Some(0) => return Some(version),
            Some(count) if count < best.map_or(now, |(count, _)| count) => best = Some((count, version)),
            _ => {}
        }
    }
    best.map(|(_, version)| version)
}

/// The version to take instead of `version`, where that is withheld or touched: the lowest above it that is served and
/// that nothing touches, else the highest below it; with neither, whatever of them is served at least.
pub(super) fn nearest_listed(
    subject: &Subject,
    component: &Component,
    position: usize,
    findings: Option<&Findings>,
    now: Timestamp,
) -> Option<String> {
    let touched = findings.is_some_and(|findings| touching(findings) > 0);
    let withheld = !subject.decisions[position].serves();
    if !touched && !withheld {
        return None;
    }
    let files = subject.package.index.files();
    let own = &files[position].version;
    let usable = |i: &usize| {
        let file = &files[*i];
        subject.decisions[*i].serves()
            && file.yanked.is_none()
            && (!file.version.is_prerelease() || own.is_prerelease())
            && file.version != *own
    };
    let (mut above, mut below): (Vec<usize>, Vec<usize>) =
        (0..files.len()).filter(usable).partition(|i| files[*i].version > *own);
    above.sort_by(|a, b| files[*a].version.cmp(&files[*b].version));
    below.sort_by(|a, b| files[*b].version.cmp(&files[*a].version));
    let mut in_order: Vec<&str> = above.into_iter().chain(below).map(|i| files[i].version.as_str()).collect();
    in_order.dedup();
    let snapshot = &subject.rules.advisories.snapshot;
    let osv = component.osv.as_ref().ok();
    let package = osv.and_then(|osv| Some(snapshot.package(component.word()?, &osv.name, now)));
    let left = |version: &str| package.as_ref().map(|package| touching(&package.matches(version)));
    let best =
        fewest(in_order.iter().copied().take(MAX_CANDIDATES), left, findings.map_or(1, touching).max(1));
    // Something that is served is better than something that is not, though flaws may remain.
    best.or_else(|| in_order.first().copied().filter(|_| withheld)).map(str::to_owned)
}
