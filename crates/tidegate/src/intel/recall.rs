//! From the id of an advisory to the versions admitted here that it touches: the first half of "who has this?".
//!
//! Packages come from the records that the id stands for, versions from the catalogue by their package's name; what is
//! touched is asked of the same matching that decisions use. A block by hand is an advisory of our own and is found by
//! its id like any other.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use tidegate_ecosystems::inventory;
use tidegate_intel::inverse::lookup_form;
use tidegate_intel::signals::CveId;
use tidegate_intel::{AdvisoryKind, RecordText};
use tidegate_model::coordinate::{PackageRef, package_purl};
use tidegate_model::{Ecosystem, PackageName, Sha256, Timestamp};
use tidegate_store::catalogue::{Catalogue, ComponentHolder, LocalBlock};

use super::Advisories;
use super::effects::bundled::{Component, holder_purl};
use super::sync::chain;

/// Beyond this many touched versions an advisory is asked about by package.
pub const MAX_VERSIONS: usize = 20_000;

/// What ids of reports of malicious packages begin with.
const MALICIOUS: &str = "MAL-";

/// How an advisory stands to one version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Touch {
    /// It touches it.
    Affected,
    /// It cannot be told: versions do not compare.
    Undecided,
    /// It touched it and was taken back.
    Withdrawn,
    /// It does not touch it, although it speaks of the package.
    NotAffected,
}

/// A version admitted here of a package that the advisory speaks of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecalledVersion {
    /// Package URL with version.
    pub purl: String,
    /// The version, read.
    pub package: PackageRef,
    /// When it was first admitted.
    pub admitted_at: Option<Timestamp>,
    /// How the advisory stands to it.
    pub touch: Touch,
    /// The lowest version above that nothing known touches.
    pub fixed_in: Option<String>,
    /// The component of it that is touched, and where it lies; none where the version itself is meant.
    pub holds: Option<Held>,
}

/// A component inside an artifact.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Held {
    /// Package URL with version.
    pub purl: String,
    /// Nested path.
    pub path: String,
}

/// What an id stands for, and what of it was admitted here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recall {
    /// The id as recorded.
    pub id: String,
    /// Every id that it goes by here.
    pub ids: BTreeSet<String>,
    /// One line on what it is.
    pub summary: String,
    /// `vulnerability`, `malware`, `unmaintained`…; `malware` for a block by hand.
    pub kind: &'static str,
    /// The feeds that carry it; empty for a block by hand.
    pub feeds: BTreeSet<String>,
    /// Whether it is in force: any record of it is not taken back.
    pub in_force: bool,
    /// Packages that it speaks of, as package URLs, of ecosystems that this door speaks.
    pub packages: BTreeSet<String>,
    /// How many packages of other ecosystems it speaks of.
    pub elsewhere: usize,
    /// Only these bytes, for a block by hand of bytes.
    pub sha256: Option<Sha256>,
    /// Versions of its packages that were admitted here.
    pub versions: Vec<RecalledVersion>,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecallError {
    /// Nothing is known under the id.
    #[error("no advisory `{}` is known here", .0.escape_debug())]
    Unknown(String),
    /// A feed of signals lists it, and no record says what it touches.
    #[error("`{0}` is in feeds of signals, and no advisory that is loaded says which packages it touches")]
    OnlySignals(String),
    /// It touches too much for one list.
    #[error("`{0}` speaks of more than {MAX_VERSIONS} versions admitted here")]
    TooMuch(String),
    /// What is stored could not be read.
    #[error("{0}")]
    Failed(String),
}

impl Recall {
    /// What an id stands for. Blocks.
    ///
    /// # Errors
    /// [`RecallError`].
    pub fn of(
        id: &str,
        advisories: &Advisories,
        catalogue: &dyn Catalogue,
        now: Timestamp,
    ) -> Result<Self, RecallError> {
        if let Some(number) = LocalBlock::number_of(&id.to_ascii_uppercase()) {
            return by_hand(number, catalogue);
        }
        for spelling in spellings_of_id(id) {
            let records =
                advisories.snapshot.records(&spelling, now).map_err(|e| RecallError::Failed(chain(&e)))?;
            if !records.is_empty() {
                return of_records(&spelling, &records, advisories, catalogue, now);
            }
        }
        let signalled = |cve: CveId| !advisories.snapshot.signals(cve).is_empty();
        match CveId::parse(&id.to_ascii_uppercase()).filter(|cve| signalled(*cve)) {
            Some(cve) => Err(RecallError::OnlySignals(cve.to_string())),
            None => Err(RecallError::Unknown(id.chars().take(100).collect())),
        }
    }

    /// Package URLs of the versions that it touches, or touched before it was taken back.
    pub fn touched(&self) -> Vec<String> {
        let touched = self.versions.iter().filter(|v| v.touch != Touch::NotAffected);
        touched.map(|v| v.purl.clone()).collect()
    }
}

/// The id as written, then as its database writes it: people type `cve-…` at night.
fn spellings_of_id(id: &str) -> Vec<String> {
    let upper = id.to_ascii_uppercase();
    let usual = match upper.strip_prefix("GHSA-") {
        Some(rest) => format!("GHSA-{}", rest.to_ascii_lowercase()),
        None => upper,
    };
    let mut all = vec![id.to_owned()];
    if usual != id {
        all.push(usual);
    }
    all
}

/// The parts of a record that are read.
#[derive(Deserialize)]
struct Record {
    #[serde(default)]
    aliases: Vec<String>,
    #[serde(default)]
    summary: String,
    #[serde(default)]
    details: String,
    #[serde(default)]
    affected: Vec<Affected>,
}

#[derive(Deserialize)]
struct Affected {
    package: Option<Package>,
}

#[derive(Deserialize)]
struct Package {
    ecosystem: String,
    name: String,
}

fn of_records(
    id: &str,
    records: &[RecordText],
    advisories: &Advisories,
    catalogue: &dyn Catalogue,
    now: Timestamp,
) -> Result<Recall, RecallError> {
    let malicious = records.iter().any(|record| record.id.starts_with(MALICIOUS));
    let mut recall = Recall {
        id: id.to_owned(),
        kind: if malicious { AdvisoryKind::Malware } else { AdvisoryKind::Vulnerability }.as_str(),
        ids: BTreeSet::from([id.to_owned()]),
        in_force: records.iter().any(|record| !record.withdrawn),
        ..Recall::default()
    };
    let mut names: BTreeMap<(Ecosystem, String), ()> = BTreeMap::new();
    let mut elsewhere = BTreeSet::new();
    for text in records {
        recall.feeds.insert(text.feed.to_string());
        recall.ids.insert(text.id.clone());
        // A record that was loaded was read once already; one that cannot be read now is told by `intel show`.
        let Ok(record) = serde_json::from_slice::<Record>(&text.json) else { continue };
        recall.ids.extend(record.aliases);
        if recall.summary.is_empty() {
            let line = if record.summary.is_empty() { &record.details } else { &record.summary };
            recall.summary = line.lines().next().unwrap_or_default().chars().take(200).collect();
        }
        for package in record.affected.into_iter().filter_map(|affected| affected.package) {
            let (ecosystem, name) = lookup_form(&package.ecosystem, &package.name);
            match ecosystem.parse::<Ecosystem>() {
                Ok(ecosystem) => drop(names.insert((ecosystem, name), ())),
                Err(_) => drop(elsewhere.insert((ecosystem, name))),
            }
        }
    }
    for (word, name) in &elsewhere {
        if let Some(package) = inventory::package_of(word, name) {
            holders_elsewhere(&mut recall, &package, advisories, catalogue, now)?;
        }
    }
    recall.elsewhere = elsewhere.len();
    for (ecosystem, looked_up) in names.into_keys() {
        let Ok(name) = PackageName::parse(ecosystem, &looked_up) else { continue };
        if !versions(&mut recall, &name, advisories, catalogue, now)? {
            recall.packages.insert(package_purl(&name));
        }
    }
    Ok(recall)
}

/// Adds the versions of one package that were admitted here, under whichever spelling; whether there are any.
fn versions(
    recall: &mut Recall,
    name: &PackageName,
    advisories: &Advisories,
    catalogue: &dyn Catalogue,
    now: Timestamp,
) -> Result<bool, RecallError> {
    let admitted =
        catalogue.admissions_as_spelled(&package_purl(name)).map_err(|e| RecallError::Failed(chain(&e)))?;
    let known = advisories.snapshot.package(name.ecosystem().as_str(), name.as_str(), now);
    let is_admitted = !admitted.is_empty();
    for admission in admitted {
        let Ok(package) = PackageRef::parse(&admission.purl) else { continue };
        let Some(version) = package.version.as_ref().map(|v| v.as_str()) else { continue };
        recall.packages.insert(package_purl(&package.name));
        let touch = touch(recall, &known.matches(version));
        let fixed_in = matches!(touch, Touch::Affected).then(|| known.nearest_fixed(version)).flatten();
        if recall.versions.len() >= MAX_VERSIONS {
            return Err(RecallError::TooMuch(recall.id.clone()));
        }
        recall.versions.push(RecalledVersion {
            purl: admission.purl,
            package,
            admitted_at: Some(admission.first_at),
            touch,
            fixed_in,
            holds: None,
        });
    }
    holders(recall, name, &known, catalogue)?;
    Ok(is_admitted)
}

/// How the advisory stands to a version of which this is known.
fn touch(recall: &mut Recall, findings: &tidegate_intel::Findings) -> Touch {
    let finding = findings.items.iter().find(|f| f.ids.iter().any(|id| recall.ids.contains(id)));
    if let Some(finding) = finding {
        if finding.kind != AdvisoryKind::Vulnerability {
            recall.kind = finding.kind.as_str();
        }
        return Touch::Affected;
    }
    let retracted = |r: &tidegate_intel::matching::Retraction| {
        recall.ids.contains(&r.id) || r.aliases.iter().any(|id| recall.ids.contains(id))
    };
    if findings.undecided.iter().any(|id| recall.ids.contains(id)) {
        Touch::Undecided
    } else if findings.retracted.iter().any(retracted) {
        Touch::Withdrawn
    } else {
        Touch::NotAffected
    }
}

/// Adds admitted versions of other packages that bring a touched version of this one along.
fn holders(
    recall: &mut Recall,
    name: &PackageName,
    known: &tidegate_intel::matching::Package<'_>,
    catalogue: &dyn Catalogue,
) -> Result<(), RecallError> {
    let failed = |e: tidegate_store::catalogue::CatalogueError| RecallError::Failed(chain(&e));
    for holder in catalogue.component_holders(&package_purl(name)).map_err(failed)? {
        let Ok(component) = PackageRef::parse(&holder.purl) else { continue };
        let Some(version) = component.version.as_ref().map(|v| v.as_str()) else { continue };
        let touch = touch(recall, &known.matches(version));
        held(recall, holder, touch, catalogue)?;
    }
    Ok(())
}

/// Adds admitted versions that bring a touched version of a package along which can only be a component.
fn holders_elsewhere(
    recall: &mut Recall,
    package: &str,
    advisories: &Advisories,
    catalogue: &dyn Catalogue,
    now: Timestamp,
) -> Result<(), RecallError> {
    let failed = |e: tidegate_store::catalogue::CatalogueError| RecallError::Failed(chain(&e));
    for holder in catalogue.component_holders(package).map_err(failed)? {
        let Some(component) = Component::of(&holder.purl) else { continue };
        let Some(query) = component.query(now) else { continue };
        let touch = touch(recall, &advisories.snapshot.matches(&query));
        held(recall, holder, touch, catalogue)?;
    }
    Ok(())
}

/// Adds the version whose file holds a component of which this is known, if it was admitted.
fn held(
    recall: &mut Recall,
    holder: ComponentHolder,
    touch: Touch,
    catalogue: &dyn Catalogue,
) -> Result<(), RecallError> {
    let failed = |e: tidegate_store::catalogue::CatalogueError| RecallError::Failed(chain(&e));
    let Some(purl) = holder_purl(&holder).filter(|_| touch != Touch::NotAffected) else { return Ok(()) };
    let Ok(package) = PackageRef::parse(&purl) else { return Ok(()) };
    let Some(admission) = catalogue.admission(&purl).map_err(failed)? else { return Ok(()) };
    if recall.versions.iter().any(|v| v.purl == purl && v.touch != Touch::NotAffected) {
        return Ok(());
    }
    if recall.versions.len() >= MAX_VERSIONS {
        return Err(RecallError::TooMuch(recall.id.clone()));
    }
    recall.versions.retain(|v| v.purl != purl);
    recall.versions.push(RecalledVersion {
        purl,
        package,
        admitted_at: Some(admission.first_at),
        touch,
        fixed_in: None,
        holds: Some(Held { purl: holder.purl, path: holder.path }),
    });
    Ok(())
}

/// A block by hand.
fn by_hand(number: u64, catalogue: &dyn Catalogue) -> Result<Recall, RecallError> {
    let failed = |e: tidegate_store::catalogue::CatalogueError| RecallError::Failed(chain(&e));
    let blocks = catalogue.local_blocks(true).map_err(failed)?;
    let Some(found) = blocks.into_iter().find(|block| block.number == number) else {
        return Err(RecallError::Unknown(format!("{}{number}", LocalBlock::PREFIX)));
    };
    let in_force = found.withdrawn.is_none();
    let mut recall = Recall {
        id: found.id(),
        ids: BTreeSet::from([found.id()]),
        summary: found.block.reason,
        kind: AdvisoryKind::Malware.as_str(),
        in_force,
        sha256: found.block.sha256,
        ..Recall::default()
    };
    let unreadable = |e: tidegate_model::coordinate::InvalidPurl| RecallError::Failed(e.to_string());
    let blocked = PackageRef::parse(&found.block.purl).map_err(unreadable)?;
    let package = package_purl(&blocked.name);
    for admission in catalogue.admissions(&package).map_err(failed)? {
        let Ok(read) = PackageRef::parse(&admission.purl) else { continue };
        let touch = match () {
            () if blocked.version.is_some() && read.version != blocked.version => Touch::NotAffected,
            () if in_force => Touch::Affected,
            () => Touch::Withdrawn,
        };
        recall.versions.push(RecalledVersion {
            purl: admission.purl,
            package: read,
            admitted_at: Some(admission.first_at),
            touch,
            fixed_in: None,
            holds: None,
        });
    }
    recall.packages.insert(package);
    Ok(recall)
}
