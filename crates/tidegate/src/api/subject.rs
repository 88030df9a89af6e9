//! From a package URL to the package in a repository, and the decisions on its files.

use std::sync::Arc;

use serde_json::{Value, json};
use tidegate_model::coordinate::PackageRef;
use tidegate_model::decision::Decision;
use tidegate_model::{Ecosystem, Principal, Timestamp};

use super::call::{Actor, Call};
use super::problem::Problem;
use crate::door::{Door, Repository};
use crate::pipeline::decide::{Ruleset, newest_compliant};
use crate::pipeline::package::Package;
use crate::pipeline::{commits, denials, documents, views};

/// A package with the decisions on every file of it.
pub(crate) struct Subject {
    /// Through which repository.
    pub(crate) repository: Arc<Repository>,
    /// The package.
    pub(crate) package: Arc<Package>,
    /// What decides.
    pub(crate) rules: Arc<Ruleset>,
    /// One per file, in their order.
    pub(crate) decisions: Vec<Decision>,
    /// Why its index is not fresh.
    pub(crate) stale: Option<Arc<str>>,
}

/// Reads a package URL.
pub(crate) fn read_purl(text: &str) -> Result<PackageRef, Problem> {
    PackageRef::parse(text).map_err(|e| {
        Problem::bad(
            e.to_string(),
            "write it as pkg:npm/NAME@VERSION, pkg:pypi/NAME@VERSION or pkg:cargo/NAME@VERSION",
        )
    })
}

/// The repository through which a package is asked for: the one named, else the one named after its ecosystem, else the
/// first that speaks it.
pub(crate) fn repository_of(
    call: &Call,
    ecosystem: Ecosystem,
    named: Option<&str>,
) -> Result<Arc<Repository>, Problem> {
    let repositories = &call.door.repositories;
    let found = match named {
        Some(name) => repositories.get(name).filter(|r| r.ecosystem == ecosystem).ok_or_else(|| {
            Problem::not_found(
                format!("there is no {ecosystem} repository `{}`", name.escape_debug()),
                format!("there are: {}", repositories.keys().cloned().collect::<Vec<_>>().join(", ")),
            )
        })?,
        None => repositories
            .get(ecosystem.as_str())
            .filter(|r| r.ecosystem == ecosystem)
            .or_else(|| repositories.values().find(|r| r.ecosystem == ecosystem))
            .ok_or_else(|| Problem::not_found(format!("there is no repository for {ecosystem}"), ""))?,
    };
    call.may_use(found)?;
    Ok(Arc::clone(found))
}

/// Loads a package and decides on every file of it.
pub(crate) async fn load(
    door: &Arc<Door>,
    repository: &Arc<Repository>,
    name: &tidegate_model::PackageName,
    asker: &Asker,
) -> Result<Subject, Problem> {
    load_under(door, repository, name, asker, &door.rules()).await
}

/// As [`load`]; where versions are commits of which each has a list of its own, the one that is wanted.
pub(crate) async fn load_wanted(
    door: &Arc<Door>,
    repository: &Arc<Repository>,
    wanted: &PackageRef,
    asker: &Asker,
) -> Result<Subject, Problem> {
    let (Some(_), Some(commit)) = (repository.protocol.commits(), &wanted.version) else {
        return load(door, repository, &wanted.name, asker).await;
    };
    let loaded = commits::load(door, repository, &wanted.name, commit.as_str())
        .await
        .map_err(|e| Problem::from(commits::denial(&wanted.name, commit.as_str(), &e)))?;
    decided(door, repository, loaded, asker, &door.rules()).await
}

/// As [`load`], under other rules than those in force.
pub(crate) async fn load_under(
    door: &Arc<Door>,
    repository: &Arc<Repository>,
    name: &tidegate_model::PackageName,
    asker: &Asker,
    rules: &Arc<Ruleset>,
) -> Result<Subject, Problem> {
    let loaded = documents::load(door, repository, name)
        .await
        .map_err(|e| Problem::from(denials::of_load_error(name.as_str(), &e)))?;
    decided(door, repository, loaded, asker, rules).await
}

/// As [`load`], on what is known here alone; none where nothing is.
pub(crate) async fn load_known(
    door: &Arc<Door>,
    repository: &Arc<Repository>,
    name: &tidegate_model::PackageName,
    asker: &Asker,
) -> Result<Option<Subject>, Problem> {
    load_known_under(door, repository, name, asker, &door.rules()).await
}

/// As [`load_known`], under other rules than those in force.
pub(crate) async fn load_known_under(
    door: &Arc<Door>,
    repository: &Arc<Repository>,
    name: &tidegate_model::PackageName,
    asker: &Asker,
    rules: &Arc<Ruleset>,
) -> Result<Option<Subject>, Problem> {
    let known = documents::known(door, repository, name)
        .await
        .map_err(|e| Problem::from(denials::of_load_error(name.as_str(), &e)))?;
    match known {
        Some(loaded) => decided(door, repository, loaded, asker, rules).await.map(Some),
        None => Ok(None),
    }
}

async fn decided(
    door: &Arc<Door>,
    repository: &Arc<Repository>,
    loaded: documents::Loaded,
    asker: &Asker,
    rules: &Arc<Ruleset>,
) -> Result<Subject, Problem> {
    let now = door.clock.now();
    let (door2, repository2, package, rules2, asker) = (
        Arc::clone(door),
        Arc::clone(repository),
        Arc::clone(&loaded.package),
        Arc::clone(rules),
        asker.clone(),
    );
    let decisions = door
        .blocking(move || {
            let asker = (&asker.principal, asker.client.as_deref());
            views::decisions_for(&door2, &repository2, &package, &rules2, asker, now)
        })
        .await
        .map_err(Problem::failed)?;
    Ok(Subject {
        repository: Arc::clone(repository),
        package: loaded.package,
        rules: Arc::clone(rules),
        decisions,
        stale: loaded.stale.as_deref().map(Arc::from),
    })
}

/// For whom decisions are made.
#[derive(Clone, Debug)]
pub(crate) struct Asker {
    /// Who.
    pub(crate) principal: Principal,
    /// With which program.
    pub(crate) client: Option<String>,
}

impl From<&Actor> for Asker {
    fn from(actor: &Actor) -> Self {
        Self { principal: actor.principal.clone(), client: actor.client.clone() }
    }
}

impl Subject {
    /// The highest version that is served.
    pub(crate) fn newest_compliant(&self) -> Option<&str> {
        newest_compliant(&self.package, &self.decisions)
            .map(|i| self.package.index.files()[i].version.as_str())
    }

    /// The files of one version, by position. Versions are compared as their ecosystem does, so that `1.0` finds `1.0.0`
    /// where that is the same.
    pub(crate) fn files_of(&self, version: &tidegate_model::Version) -> Vec<usize> {
        let files = self.package.index.files();
        let exact: Vec<usize> =
            (0..files.len()).filter(|i| files[*i].version.as_str() == version.as_str()).collect();
        if !exact.is_empty() {
            return exact;
        }
        (0..files.len()).filter(|i| files[*i].version == *version).collect()
    }

    /// What is withheld, the highest versions first.
    pub(crate) fn withheld(&self) -> Vec<usize> {
        let files = self.package.index.files();
        let mut withheld: Vec<usize> = (0..files.len()).filter(|i| !self.decisions[*i].serves()).collect();
        withheld.sort_by(|a, b| files[*b].version.cmp(&files[*a].version).then_with(|| a.cmp(b)));
        withheld
    }

    /// The highest withheld version above `version`, where nothing as high is served: a client that asked for the newest
    /// would have taken it.
    pub(crate) fn withheld_above(&self, version: &tidegate_model::Version) -> Option<usize> {
        let files = self.package.index.files();
        self.withheld().into_iter().find(|i| {
            let file = &files[*i];
            file.version > *version
                && file.yanked.is_none()
                && (!file.version.is_prerelease() || version.is_prerelease())
        })
    }

    /// A withheld file in a list.
    pub(crate) fn withheld_json(&self, position: usize) -> Value {
        let file = &self.package.index.files()[position];
        let decision = &self.decisions[position];
        let leading = decision.leading_reason();
        json!({
            "version": file.version.as_str(), "file": file.file.as_str(), "action": decision.action,
            "rule": leading.map(|r| &r.rule), "message": leading.map(|r| &r.message),
            "published_at": file.published_at, "selectable_from": decision.selectable_from,
        })
    }
}

/// The problem of a version that the index does not list.
pub(crate) fn no_such_version(subject: &Subject, version: &str) -> Problem {
    let newest = subject.newest_compliant().map_or_else(String::new, |v| format!("; newest compliant: {v}"));
    Problem::not_found(
        format!(
            "{} lists no version {} of {}",
            subject.package.upstream.name,
            version.escape_debug(),
            subject.package.name
        ),
        format!("check the version{newest}"),
    )
}

/// A time that lies in the future, as one: nothing to wait for is nothing to say.
pub(crate) fn in_future(at: Option<Timestamp>, now: Timestamp) -> Option<Timestamp> {
    at.filter(|t| *t > now)
}
