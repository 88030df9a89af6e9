//! Facts about one file, assembled from what its index says and what this door has seen.
//!
//! Nothing here looks inside bytes: it reads what was stored when somebody did. What nobody looked at is a gap with a
//! reason, never an empty list.

use std::collections::{HashMap, HashSet};

use tidegate_model::approval::{ApprovalSet, Standing};
use tidegate_model::facts::{
    ApprovalFacts, ArtifactFacts, BinaryFacts, ContentFacts, FactState, Facts, Group, LicenceFacts,
    LifecycleFacts, MalwareFacts, NameFacts, PrincipalFacts, ProvenanceFacts, PublisherFacts,
    RepositoryFacts, RequestFacts, ScriptFacts, SecretFacts,
};
use tidegate_model::{
    ArtifactKind, Coordinate, Digest, Ecosystem, PackageName, Principal, Sha256, Stated, Timestamp,
};
use tidegate_store::catalogue::{CatalogueError, LocalBlock, StoredVerification};

use super::brought::{self, Brought};
use super::group::GroupSeen;
use super::listed;
use super::package::Package;
use super::parts::{self, Part, PartDecided};
use crate::door::{Door, Repository};
use crate::inspection::Seen;
use crate::intel::facts::KnownVersions;
use crate::intel::{self, Advisories};
use crate::provenance::{Checked, Previous, models};

/// What this door did with a package before.
#[derive(Clone, Debug, Default)]
pub struct LocalState {
    /// Digest first seen for each (version, file).
    pub pins: HashMap<(String, String), Sha256>,
    /// Package URLs with version that were admitted here.
    pub admitted: HashSet<String>,
    /// What was seen inside, by digest.
    pub seen: HashMap<Sha256, Seen>,
    /// What comparisons say, by package URL with version and digest.
    pub compared: HashMap<(String, Sha256), Vec<Seen>>,
    /// What checking their attestations came to, by package URL with version and file, with the digest it is about.
    pub checked: CheckedFiles,
    /// What was seen in the files of the package together, where they are decided on together.
    pub group: Option<GroupSeen>,
    /// What may be had of what its versions bring along.
    pub brought: Brought,
    /// What this door did with each package that it is made of.
    pub parts: HashMap<PackageName, (Part, LocalState)>,
    /// Whether this door looks inside what it serves.
    pub inspects: bool,
}

impl LocalState {
    /// Reads it from the catalogue. Blocks.
    ///
    /// # Errors
    /// The catalogue's.
    pub fn read(door: &Door, package: &Package) -> Result<Self, CatalogueError> {
        let catalogue = &door.store.catalogue;
        let ecosystem = package.name.ecosystem().as_str();
        let pins = catalogue.pins_of(ecosystem, package.name.as_str())?;
        let admitted = catalogue.admissions(&package.purl)?;
        // A row that cannot be read is as if nobody had looked: the bytes are looked at again when they are asked for.
        let seen = catalogue.inspected_of(ecosystem, package.name.as_str())?.into_iter();
        let mut compared: HashMap<_, Vec<Seen>> = HashMap::new();
        for comparison in listed::current(package, catalogue.comparisons_of(&package.purl)?) {
            if let Ok(seen) = serde_json::from_str(&comparison.findings) {
                compared.entry((comparison.purl, comparison.sha256)).or_default().push(seen);
            }
        }
        let mut seen: HashMap<Sha256, Seen> =
            seen.filter_map(|i| Some((i.sha256, serde_json::from_str(&i.facts).ok()?))).collect();
        let mut pins: HashMap<(String, String), Sha256> =
            pins.into_iter().map(|p| ((p.version, p.file), p.sha256)).collect();
        for (position, (sha256, of_it)) in &package.listings {
            let file = &package.index.files()[*position];
            pins.insert((file.version.as_str().to_owned(), file.file.as_str().to_owned()), *sha256);
            seen.insert(*sha256, of_it.clone());
        }
        let commits = tidegate_ecosystems::protocol(package.name.ecosystem()).commits();
        Ok(Self {
            group: commits
                .map(|c| GroupSeen::of(package, &pins, &seen, |file| c.steers(&package.name, file))),
            seen,
            compared,
            checked: checked(door, package)?,
            brought: Brought::new(),
            parts: parts::locals(door, package)?,
            inspects: door.config.inspection.enabled,
            pins,
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
    /// What is approved by name.
    pub approvals: &'a ApprovalSet,
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

/// What kind of thing a package's files are. Those of a repository of models are a model together.
pub fn kind_of(package: &Package) -> ArtifactKind {
    match package.name.ecosystem() {
        Ecosystem::Huggingface => ArtifactKind::Model,
        Ecosystem::Oci => ArtifactKind::Image,
        Ecosystem::Vscode => ArtifactKind::Extension,
        Ecosystem::Mcp => ArtifactKind::McpServer,
        Ecosystem::Npm | Ecosystem::Pypi | Ecosystem::Cargo => ArtifactKind::Package,
    }
}

/// The package URL with version of a file.
pub fn purl_of(package: &Package, position: usize) -> String {
    let file = &package.index.files()[position];
    Coordinate { name: package.name.clone(), version: file.version.clone() }.purl()
}

/// Assembles the facts; `made_of` is what was decided on the packages that it is made of.
pub fn assemble(
    question: &Question<'_>,
    known: &KnownVersions<'_>,
    made_of: &[PartDecided],
    now: Timestamp,
) -> Facts {
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
    let is_listed = package.name.ecosystem() == Ecosystem::Mcp;
    let vulnerabilities = match is_listed {
        // Advisories speak of packages, and those it names are decided on by themselves.
        true => Group::gap(FactState::NotApplicable, "advisories speak of the packages that it names"),
        false => vulnerabilities,
    };
    let inside = inside(question, &purl, sha256);
    let scripts = scripts(&file.install_script, history.install_script_new, &inside);
    Facts {
        artifact: ArtifactFacts {
            kind: Some(kind_of(package)),
            ecosystem: Some(package.name.ecosystem()),
            name: package.name.as_str().to_owned(),
            version: file.version.as_str().to_owned(),
            file: file.file.as_str().to_owned(),
            sha256,
            sha512: question.bytes.and_then(|b| b.sha512.clone()),
            promised: file.digests.clone(),
            // Of an image the size of what it is made of, as far as it is known, and not of its manifest.
            size: match package.index.image() {
                Some(_) => Some(package.index.files().iter().filter_map(|file| file.size).sum()),
                None => question.bytes.map(|b| b.size).or(file.size),
            },
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
        contents: inside.contents,
        licence: licence(&file.licence, inside.seen.and_then(|seen| seen.licence.as_ref())),
        provenance: provenance(question, &purl),
        scripts,
        binary: inside.binary,
        secrets: inside.secrets,
        model: inside.seen.filter(|seen| seen.failed.is_none()).map_or_else(not_applicable, Seen::model),
        extension: brought::facts(package, position, &local.brought),
        mcp: if is_listed { parts::facts(made_of) } else { not_applicable() },
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
        approval: approval(question.approvals, (&purl, &package.purl), sha256, &repository.name, now),
        application: Group::gap(FactState::NotApplicable, "the request names no application"),
        request: RequestFacts {
            operation: question.operation.into(),
            client: question.client.map(str::to_owned),
        },
    }
}

/// What checking came to, by package URL with version and file, with the digest that it is about.
pub type CheckedFiles = HashMap<(String, String), (String, Checked)>;

/// What is stored of checking the attestations of a package's files. Blocks.
fn checked(door: &Door, package: &Package) -> Result<CheckedFiles, CatalogueError> {
    let rows = door.store.catalogue.verifications_of(&package.purl)?;
    let (roots, now) = (door.trusted.digest(), door.clock.now());
    // A row that cannot be read is as if nobody had checked.
    let standing = |row: StoredVerification| {
        let checked: Checked = serde_json::from_str(&row.result).ok()?;
        let stands = checked.stands(row.checked_at, roots, now);
        stands.then_some(((row.purl, row.file), (row.subject, checked)))
    };
    Ok(rows.into_iter().filter_map(standing).collect())
}

/// What is proven of a file's origin.
fn provenance(question: &Question<'_>, purl: &str) -> Group<ProvenanceFacts> {
    let Question { package, position, local, .. } = *question;
    let (file, dropped) = (&package.index.files()[position], package.history[position].attestation_dropped);
    let of = |position: usize, purl: &str| {
        if let Some(signature) = models::signature_of(package) {
            // A signature of a model is about all files of the commit.
            let signature = package.index.files()[signature].file.as_str().to_owned();
            let (subject, checked) = local.checked.get(&(purl.to_owned(), signature))?;
            return (*subject == models::subject_of(package)).then_some(checked);
        }
        let file = &package.index.files()[position];
        let (subject, checked) = local.checked.get(&(purl.to_owned(), file.file.as_str().to_owned()))?;
        // What was checked against other bytes says nothing of these.
        let pin = local.pins.get(&(file.version.as_str().to_owned(), file.file.as_str().to_owned()));
        let is_it = file.digests.iter().any(|promised| promised.to_string() == *subject)
            || pin.is_some_and(|pinned| pinned.to_string() == *subject);
        is_it.then_some(checked)
    };
    let before = package.before(position).and_then(|before| of(before, &purl_of(package, before)));
    match of(position, purl) {
        Some(checked) => checked.facts(&checked.stated(&file.attestation), dropped, Previous(before)),
        None if package.index.image().is_some() => {
            Group::gap(FactState::NotScanned, "what is signed about an image is asked for when it is pulled")
        }
        None => Checked::default().facts(&file.attestation, dropped, Previous(before)),
    }
}

/// What was seen inside, as far as somebody looked.
struct Inside<'a> {
    seen: Option<&'a Seen>,
    contents: Group<ContentFacts>,
    secrets: Group<SecretFacts>,
    binary: Group<BinaryFacts>,
}

impl Inside<'_> {
    /// The gap of a fact that the bytes could have told.
    fn gap<T>(&self, why: &str) -> Group<T> {
        match self.seen {
            Some(seen) if seen.failed.is_none() => Group::gap(FactState::NotOffered, why),
            _ => Group::gap(self.contents.state, self.contents.why.clone().unwrap_or_default()),
        }
    }
}

fn inside<'a>(question: &Question<'a>, purl: &str, sha256: Option<Sha256>) -> Inside<'a> {
    let local = question.local;
    let own = sha256.and_then(|digest| Some((digest, local.seen.get(&digest)?)));
    // Whoever asks about an image with its bytes has had what it is made of looked into; its manifest itself holds nothing.
    let looked_into = match question.package.index.image() {
        Some(_) => local.inspects && question.bytes.is_some(),
        None => own.is_some(),
    };
    if let Some(group) = &local.group
        && let Some(seen) = together(group, looked_into)
    {
        return Inside {
            seen: Some(seen),
            contents: seen.contents(&[]),
            secrets: seen.secrets(),
            binary: seen.binary(),
        };
    }
    let Some((sha256, seen)) = own else {
        let (state, why) = match (local.inspects, question.bytes) {
            (false, _) => (FactState::NotScanned, "looking inside is switched off"),
            (true, None) => (FactState::Pending, "looked into when the bytes are asked for"),
            (true, Some(_)) => (FactState::Error, "inspection is not available; see `tidegate status`"),
        };
        return Inside {
            seen: None,
            contents: Group::gap(state, why),
            secrets: Group::gap(state, why),
            binary: Group::gap(state, why),
        };
    };
    let compared = local.compared.get(&(purl.to_owned(), sha256)).map_or(&[][..], Vec::as_slice);
    Inside {
        seen: Some(seen),
        contents: seen.contents(compared),
        secrets: seen.secrets(),
        binary: seen.binary(),
    }
}

/// What counts for a file of a commit: what was found in any of them; else, once it was looked into itself, that all of those
/// that were are clean, or that one could not be.
fn together(group: &GroupSeen, looked_into: bool) -> Option<&Seen> {
    if group.speaks_against() {
        return Some(&group.merged);
    }
    looked_into.then(|| group.failed.as_ref().unwrap_or(&group.merged))
}

/// What the index says of install scripts, else what the bytes do.
fn scripts(stated: &Stated<bool>, new_in_version: Option<bool>, inside: &Inside<'_>) -> Group<ScriptFacts> {
    match stated {
        Stated::Known(runs) => Group::known(ScriptFacts { install: Some(*runs), new_in_version }),
        // Whether it is new cannot be told: the index says nothing of the version before either.
        Stated::NotOffered => inside
            .seen
            .and_then(Seen::scripts)
            .unwrap_or_else(|| inside.gap("the index does not say, and the bytes do not either")),
    }
}

/// What the index declares and what the texts in the bytes come to; rules read the latter where it is known.
fn licence(declared: &Stated<String>, concluded: Option<&String>) -> Group<LicenceFacts> {
    let declared = match declared {
        Stated::Known(text) => Some(text.clone()),
        Stated::NotOffered if concluded.is_none() => {
            return Group::gap(FactState::NotOffered, "the index does not state licences");
        }
        Stated::NotOffered => None,
    };
    let stated = declared.clone().filter(|text| !text.is_empty());
    Group::known(LicenceFacts {
        expression: concluded.cloned().or(stated),
        concluded: concluded.cloned(),
        declared,
    })
}

/// Whether something is approved by name, until that approval ends: `names` are its package URL with version and without.
pub fn approval(
    approvals: &ApprovalSet,
    names: (&str, &str),
    sha256: Option<Sha256>,
    repository: &str,
    now: Timestamp,
) -> Group<ApprovalFacts> {
    match approvals.standing(names, sha256, repository, now) {
        Standing::Not => Group::known(ApprovalFacts::default()),
        Standing::ByBytes(_) => {
            Group::gap(FactState::Pending, "it is approved by its digest, and not here yet")
        }
        Standing::Approved(approval) => Group {
            fresh_until: approval.expires_at,
            ..Group::known(ApprovalFacts {
                approved: true,
                id: Some(approval.id.clone()),
                expires_at: approval.expires_at,
            })
        },
    }
}

pub(super) fn not_applicable<T>() -> Group<T> {
    Group { state: FactState::NotApplicable, ..Group::default() }
}

/// A block by hand is an advisory of our own and stands beside what feeds report.
fn malware(
    question: &Question<'_>,
    purl: &str,
    sha256: Option<Sha256>,
    reported: Group<MalwareFacts>,
) -> Group<MalwareFacts> {
    let reports: Vec<String> = question
        .blocks
        .iter()
        .filter(|b| b.block.purl == purl || b.block.purl == *question.package.purl)
        .filter(|b| {
            // A block of one layer is one of every image that it is a part of.
            let is_part = |blocked| {
                question.package.index.image().is_some() && question.package.promised.contains(&blocked)
            };
            b.block.sha256.is_none() || b.block.sha256 == sha256 || b.block.sha256.is_some_and(is_part)
        })
        .map(LocalBlock::id)
        .collect();
    blocked_by_hand(reports, reported)
}

/// What feeds report, with blocks by hand before it.
pub(super) fn blocked_by_hand(
    mut reports: Vec<String>,
    reported: Group<MalwareFacts>,
) -> Group<MalwareFacts> {
    if reports.is_empty() {
        return reported;
    }
    reports.extend(reported.value.map(|known| known.reports).unwrap_or_default());
    Group {
        source: Some("blocked by hand".into()),
        ..Group::known(MalwareFacts { verdict: "malicious".into(), reports, held: None })
    }
}
