//! Where something went: what contains it, is made of it or brings it along, and what contains that.
//!
//! What lies in archives and images is asked of what inspection found, the rest of the edges that decisions taught. Both are in the
//! catalogue, by name; nothing is scanned.

use std::collections::{BTreeMap, VecDeque};

use serde_json::{Value, json};
use tidegate_model::coordinate::{PackageRef, package_purl};
use tidegate_model::{Coordinate, Ecosystem, PackageName, Version};
use tidegate_store::access_index::WhoSubject;
use tidegate_store::catalogue::{BytesName, CatalogueError, EdgeKind};

use super::super::problem::Problem;
use crate::door::Door;
use crate::intel::effects::bundled::holder_purl;

/// How many steps are followed.
const MAX_DEPTH: usize = 6;
/// How many holders are found; an answer with more says that it is cut.
const MAX_HOLDERS: usize = 10_000;

/// One step from a thing to what holds it.
#[derive(Clone, Debug)]
struct Step {
    kind: EdgeKind,
    of: String,
    within: String,
    /// Where in the bytes.
    path: Option<String>,
    /// The entry in the ledger.
    record: Option<String>,
}

/// What holds what was asked about, and by which way.
pub(super) struct Holders {
    /// What was asked about itself.
    roots: Vec<String>,
    /// By holder: the first step from it back.
    steps: BTreeMap<String, Step>,
    cut: bool,
}

/// The versions of a package that lie in something. Blocks.
pub(super) fn inside(door: &Door, package: &str) -> Result<Vec<String>, Problem> {
    let failed = |e: CatalogueError| Problem::failed(format!("{e}: {}", e.cause));
    let holders = door.store.catalogue.component_holders(package).map_err(failed)?;
    Ok(holders.into_iter().map(|one| bare(&one.purl)).collect())
}

/// Finds them. Blocks.
pub(super) fn holders(door: &Door, subject: &WhoSubject) -> Result<Holders, Problem> {
    let failed = |e: CatalogueError| Problem::failed(format!("{e}: {}", e.cause));
    let catalogue = &*door.store.catalogue;
    let recorded =
        |package: &str| door.store.access.versions_of(package).map_err(|e| Problem::failed(format!("{e}")));
    let mut roots: Vec<String> = match subject {
        WhoSubject::Purl(purl) => vec![purl.clone()],
        WhoSubject::Purls { purls, .. } => purls.clone(),
        WhoSubject::Package(package) => {
            let mut all: Vec<String> = recorded(package)?.into_iter().collect();
            all.extend(inside(door, package)?);
            all.push(package.clone());
            all
        }
        WhoSubject::Sha256(sha256) => {
            let names = catalogue.names_of_bytes(sha256).map_err(failed)?;
            names.iter().filter_map(purl_of).collect()
        }
        WhoSubject::Everything => {
            return Err(Problem::bad("`follow` needs something to follow", "give `purl` or `sha256`"));
        }
    };
    roots.sort();
    roots.dedup();
    let mut found = Holders { steps: BTreeMap::new(), cut: false, roots };
    let mut waiting: VecDeque<(String, usize)> = found.roots.iter().map(|root| (root.clone(), 0)).collect();
    while let Some((of, depth)) = waiting.pop_front() {
        if depth >= MAX_DEPTH {
            found.cut = true;
            continue;
        }
        for step in steps_from(door, &of).map_err(failed)? {
            if found.steps.contains_key(&step.within) || found.roots.contains(&step.within) {
                continue;
            }
            if found.steps.len() >= MAX_HOLDERS {
                found.cut = true;
                return Ok(found);
            }
            waiting.push_back((step.within.clone(), depth + 1));
            found.steps.insert(step.within.clone(), step);
        }
    }
    Ok(found)
}

/// What holds one thing at once.
fn steps_from(door: &Door, of: &str) -> Result<Vec<Step>, CatalogueError> {
    let catalogue = &*door.store.catalogue;
    let package = match PackageRef::parse(of) {
        Ok(read) => package_purl(&read.name),
        // A component of an ecosystem that no door speaks.
        Err(_) => of.rsplit_once('@').map_or(of, |(package, _)| package).to_owned(),
    };
    let mut steps = Vec::new();
    for holder in catalogue.component_holders(&package)? {
        let Some(within) = holder_purl(&holder) else { continue };
        if within != of && (bare(&holder.purl) == of) {
            let path = Some(holder.path);
            steps.push(Step { kind: EdgeKind::ContainedIn, of: of.to_owned(), within, path, record: None });
        }
    }
    let mut edges = catalogue.edges_from(of)?;
    if package != of {
        // What brings any version along brings this one.
        edges.extend(catalogue.edges_from(&package)?);
    }
    for edge in edges.into_iter().filter(|edge| edge.child != of) {
        let record = edge.record;
        steps.push(Step { kind: edge.kind, of: of.to_owned(), within: edge.child, path: None, record });
    }
    Ok(steps)
}

/// A package URL without qualifiers.
fn bare(purl: &str) -> String {
    purl.split('?').next().unwrap_or(purl).to_owned()
}

fn purl_of(name: &BytesName) -> Option<String> {
    let ecosystem: Ecosystem = name.ecosystem.parse().ok()?;
    let version = Version::parse(ecosystem, &name.version);
    Some(Coordinate { name: PackageName::parse(ecosystem, &name.package).ok()?, version }.purl())
}

impl Holders {
    /// The question about all of it.
    pub(super) fn subject(&self) -> WhoSubject {
        let purls = self.roots.iter().chain(self.steps.keys()).cloned().collect();
        WhoSubject::Purls { purls, sha256: None }
    }

    pub(super) fn told(&self) -> Value {
        json!({ "holders": self.steps.len(), "cut": self.cut })
    }

    /// The way from what was asked about to this; none for what was asked about itself.
    pub(super) fn of(&self, purl: &str) -> Option<Value> {
        let mut way: Vec<&Step> = Vec::new();
        let mut at = purl;
        while let Some(step) = self.steps.get(at) {
            way.push(step);
            at = &step.of;
            if way.len() > MAX_DEPTH {
                break;
            }
        }
        if way.is_empty() {
            return None;
        }
        let one = |step: &&Step| {
            json!({
                "kind": step.kind, "of": step.of, "within": step.within, "path": step.path,
                "record": step.record,
            })
        };
        Some(way.iter().rev().map(one).collect())
    }
}
