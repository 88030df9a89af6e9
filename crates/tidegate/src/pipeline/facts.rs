//! Facts about one file, assembled from what its index says and what this door has seen.
//!
//! Nothing here looks inside bytes. What nobody looked at is a gap with a reason, never an empty list.

use std::collections::{HashMap, HashSet};

use tidegate_model::facts::{
    ArtifactFacts, FactState, Facts, Group, LicenceFacts, LifecycleFacts, MalwareFacts, NameFacts,
    PrincipalFacts, ProvenanceFacts, PublisherFacts, RepositoryFacts, RequestFacts, ScriptFacts,
};
use tidegate_model::{ArtifactKind, Coordinate, Digest, Principal, Sha256, Stated, Timestamp};
use tidegate_store::catalogue::{Catalogue, CatalogueError, LocalBlock};

use super::package::Package;
use crate::door::Repository;
use crate::intel::facts::KnownVersions;
use crate::intel::{self, Advisories};

/// What this door did with a package before.
#[derive(Clone, Debug, Default)]
pub struct LocalState {
    /// Digest first seen for each (version, file).
    pub pins: HashMap<(String, String), Sha256>,
    /// Package URLs with version that were admitted here.
    pub admitted: HashSet<String>,
}

impl LocalState {
    /// Reads it from the catalogue. Blocks.
    ///
    /// # Errors
    /// The catalogue's.
    pub fn read(catalogue: &dyn Catalogue, package: &Package) -> Result<Self, CatalogueError> {
        let ecosystem = package.name.ecosystem().as_str();
        let pins = catalogue.pins_of(ecosystem, package.name.as_str())?;
        let admitted = catalogue.admissions(&package.purl)?;
        Ok(Self {
            pins: pins.into_iter().map(|p| ((p.version, p.file), p.sha256)).collect(),
            admitted: admitted.into_iter().map(|a| a.purl).collect(),
        })
    }
}

/// Everything one set of facts is made from.
#[derive(Clone, Copy)]
pub struct Question<'a> {
    /// Through which repository.
    pub repository: &'a Repository,
    /// The package.
    pub package: &'a Package,
    /// Which of its files, by position.
    pub position: usize,
    /// What this door did with the package before.
    pub local: &'a LocalState,
    /// Blocks by hand.
    pub blocks: &'a [LocalBlock],
    /// What is known to be bad.
    pub advisories: &'a Advisories,
    /// Who asks.
    pub principal: &'a Principal,
    /// With which program.
    pub client: Option<&'a str>,
    /// `index` or `artifact`.
    pub operation: &'static str,
    /// Digests of the bytes, once they are here.
    pub bytes: Option<&'a BytesKnown>,
}

/// What is known once the bytes are here.
#[derive(Clone, Debug)]
pub struct BytesKnown {
    /// Their digest.
    pub sha256: Sha256,
    /// Their SHA-512, where computed.
    pub sha512: Option<Digest>,
    /// How many.
    pub size: u64,
}

/// The package URL with version of a file.
pub fn purl_of(package: &Package, position: usize) -> String {
    let file = &package.index.files()[position];
    Coordinate { name: package.name.clone(), version: file.version.clone() }.purl()
}

/// Assembles the facts.
pub fn assemble(question: &Question<'_>, known: &KnownVersions<'_>, now: Timestamp) -> Facts {
    let Question { repository, package, position, local, .. } = *question;
    let file = &package.index.files()[position];
    let history = &package.history[position];
    let sighting = &package.sightings[position];
    let purl = purl_of(package, position);
    let pinned_digest =
        local.pins.get(&(file.version.as_str().to_owned(), file.file.as_str().to_owned())).copied();
    let admitted_before = local.admitted.contains(&purl);
    let sha256 = question.bytes.map(|b| b.sha256).or(pinned_digest);
    let known = known.of(file.version.as_str());
    let (vulnerabilities, reported) = (known.0.clone(), known.1.clone());
    Facts {
        artifact: ArtifactFacts {
            kind: Some(ArtifactKind::Package),
            ecosystem: Some(package.name.ecosystem()),
            name: package.name.as_str().to_owned(),
            version: file.version.as_str().to_owned(),
            file: file.file.as_str().to_owned(),
            sha256,
            sha512: question.bytes.and_then(|b| b.sha512.clone()),
            promised: file.digests.clone(),
            size: question.bytes.map(|b| b.size).or(file.size),
            published_at: file.published_at,
            first_seen_at: sighting.first_seen_at,
            bootstrap: sighting.bootstrap,
            project_published_at: package.project_published_at,
            pinned: None,
            security_fix_for: intel::fixes::proven(question.advisories, package, position, now),
            admitted_before,
            prerelease: file.version.is_prerelease(),
            purl: purl.clone(),
        },
        vulnerabilities,
        malware: malware(question, &purl, sha256, reported),
        licence: match &file.licence {
            Stated::Known(text) => Group::known(LicenceFacts {
                declared: Some(text.clone()),
                concluded: None,
                expression: (!text.is_empty()).then(|| text.clone()),
            }),
            Stated::NotOffered => Group::gap(FactState::NotOffered, "the index does not state licences"),
        },
        provenance: match &file.attestation {
            Stated::Known(offered) => Group::known(ProvenanceFacts {
                status: if *offered { "offered" } else { "absent" }.into(),
                dropped: history.attestation_dropped,
                ..ProvenanceFacts::default()
            }),
            Stated::NotOffered => Group::gap(FactState::NotOffered, "the upstream offers no attestations"),
        },
        scripts: match &file.install_script {
            Stated::Known(runs) => {
                Group::known(ScriptFacts { install: Some(*runs), new_in_version: history.install_script_new })
            }
            Stated::NotOffered => {
                Group::gap(FactState::NotScanned, "the index does not say, and nothing looks inside yet")
            }
        },
        binary: Group::gap(FactState::NotScanned, "nothing looks inside yet"),
        secrets: Group::gap(FactState::NotScanned, "nothing looks inside yet"),
        model: not_applicable(),
        extension: not_applicable(),
        mcp: not_applicable(),
        publisher: match &file.publisher {
            Stated::Known(account) => Group::known(PublisherFacts {
                account: Some(account.clone()),
                changed: history.publisher_changed,
                // Counted up to this version's own publication, so that the fact does not depend on today.
                changed_days_ago: history
                    .publisher_changed_at
                    .zip(file.published_at)
                    .map(|(changed, published)| published.seconds_since(changed).div_euclid(86_400)),
            }),
            Stated::NotOffered => Group::gap(FactState::NotOffered, "the index does not name publishers"),
        },
        lifecycle: Group::known(LifecycleFacts {
            yanked: file.yanked.is_some(),
            yanked_reason: file.yanked.as_ref().and_then(|y| y.reason.clone()),
            deprecated: file.deprecated.is_some(),
            deprecated_reason: file.deprecated.clone(),
        }),
        name: Group::known(NameFacts {
            resembles: package.resembles.map(|r| r.popular.to_owned()),
            difference: package.resembles.map(|r| r.difference.as_str().to_owned()),
        }),
        principal: PrincipalFacts {
            id: question.principal.id.clone(),
            kind: Some(question.principal.kind),
            groups: question.principal.groups.clone(),
        },
        repository: RepositoryFacts {
            name: repository.name.to_string(),
            kind: "remote".into(),
            upstream: Some(package.upstream.name.clone()),
            private: repository.is_private(&package.name),
        },
        application: Group::gap(FactState::NotApplicable, "the request names no application"),
        request: RequestFacts {
            operation: question.operation.into(),
            client: question.client.map(str::to_owned),
        },
    }
}

fn not_applicable<T>() -> Group<T> {
    Group { state: FactState::NotApplicable, ..Group::default() }
}

/// A block by hand is an advisory of our own and stands beside what feeds report.
fn malware(
    question: &Question<'_>,
    purl: &str,
    sha256: Option<Sha256>,
    reported: Group<MalwareFacts>,
) -> Group<MalwareFacts> {
    let mut reports: Vec<String> = question
        .blocks
        .iter()
        .filter(|b| b.block.purl == purl || b.block.purl == *question.package.purl)
        .filter(|b| b.block.sha256.is_none() || b.block.sha256 == sha256)
        .map(LocalBlock::id)
        .collect();
    if reports.is_empty() {
        return reported;
    }
    reports.extend(reported.value.map(|known| known.reports).unwrap_or_default());
    Group {
        source: Some("blocked by hand".into()),
        ..Group::known(MalwareFacts { verdict: "malicious".into(), reports, held: None })
    }
}
