//! What is known of the files of a commit together.
//!
//! Files of a commit make sense together: a configuration names the script that a loader runs. So what is found in one of
//! them counts for all, from then on, and what runs code or steers loading is looked into before any of them leaves.

use std::collections::HashMap;
use std::sync::Arc;

use tidegate_ecosystems::Part;
use tidegate_inspect::Verdict;
use tidegate_model::{Algorithm, Denial, ListedFile, Sha256, Subject};

use super::artifacts::stage;
use super::contents::{self, NotInspected};
use super::denials;
use super::facts::{LocalState, purl_of};
use super::file_ask::{cannot, pending};
use super::package::Package;
use crate::door::{Door, Repository};
use crate::inspection::Seen;
use crate::upstream::UpstreamError;

/// The most files of a commit that are looked into before the first one leaves, and the most bytes of them together. The
/// others are looked into when they are asked for, and until then are a gap.
const MAX_FIRST_FILES: usize = 256;
const MAX_FIRST_BYTES: u64 = 96 << 20;
/// How many of them are fetched at a time.
const AT_A_TIME: usize = 4;
/// The gap that files are which steer loading and were not looked into.
const NOT_LOOKED_INTO: &str = "other files of the commit";

/// What was seen in the files of a commit, as one.
#[derive(Clone, Debug, Default)]
pub struct GroupSeen {
    /// What all of it comes to.
    pub merged: Seen,
    /// Set where looking into one of them failed for good: says into which.
    pub failed: Option<Seen>,
}

impl GroupSeen {
    /// Puts together what was seen in those files of a package that have been looked into.
    pub fn of(
        package: &Package,
        pins: &HashMap<(String, String), Sha256>,
        seen: &HashMap<Sha256, Seen>,
        steers: impl Fn(&ListedFile) -> bool,
    ) -> Self {
        let mut group = Self::default();
        // What is stored of a manifest was put together from its layers, and would count twice.
        let is_image = package.index.image().is_some();
        let counts = |file: &&ListedFile| !is_image || file.file.as_str().starts_with("blobs/");
        for file in package.index.files().iter().filter(counts) {
            let pin = pins.get(&(file.version.as_str().to_owned(), file.file.as_str().to_owned()));
            match pin.copied().or_else(|| promised(file)).and_then(|digest| seen.get(&digest)) {
                Some(seen) => group.add(file.file.as_str(), seen),
                None if steers(file) => note(&mut group.merged.not_seen, NOT_LOOKED_INTO),
                None => {}
            }
        }
        group
    }

    /// Whether something was found that speaks against the whole commit.
    pub fn speaks_against(&self) -> bool {
        let models = &self.merged.models;
        self.merged.verdict > Verdict::Clean
            || models.unsafe_code == Some(true)
            || models.remote_code == Some(true)
    }

    fn add(&mut self, path: &str, seen: &Seen) {
        if let Some(why) = &seen.failed {
            self.failed.get_or_insert_with(|| Seen::failed(format!("of {path}: {why}")));
            return;
        }
        let merged = &mut self.merged;
        if seen.verdict > merged.verdict || merged.summary.is_none() {
            merged.summary.clone_from(&seen.summary);
        }
        merged.verdict = merged.verdict.max(seen.verdict);
        seen.detectors.iter().for_each(|one| note(&mut merged.detectors, one));
        seen.not_seen.iter().for_each(|one| note(&mut merged.not_seen, one));
        seen.secret_detectors.iter().for_each(|one| note(&mut merged.secret_detectors, one));
        merged.secrets = merged.secrets.saturating_add(seen.secrets);
        merged.native |= seen.native;
        if merged.licence.is_none() {
            merged.licence.clone_from(&seen.licence);
        }
        let (all, one) = (&mut merged.models, &seen.models);
        all.is_model |= one.is_model;
        one.formats.iter().for_each(|format| note(&mut all.formats, format));
        all.unsafe_code = worst(all.unsafe_code, one.unsafe_code);
        all.remote_code = worst(all.remote_code, one.remote_code);
    }
}

fn note(list: &mut Vec<String>, word: &str) {
    if !list.iter().any(|known| known == word) {
        list.push(word.to_owned());
    }
}

/// True where any is, false where one says so and none says otherwise.
fn worst(one: Option<bool>, other: Option<bool>) -> Option<bool> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one || other),
        (known, None) | (None, known) => known,
    }
}

/// The SHA-256 that a listing promises of a file.
pub fn promised(file: &ListedFile) -> Option<Sha256> {
    let digest = file.digests.iter().find(|digest| digest.algorithm() == Algorithm::Sha256)?;
    Sha256::from_hex(&digest.hex())
}

/// What a decision on a file of a commit is about: the commit, by the list of its files. Members are the digests that the list
/// promises; a small file has only git's id there, and joins under the digest that it came with.
pub fn subject_of(package: &Package, position: usize, sha256: Sha256) -> Subject {
    let members =
        if package.promised.contains(&sha256) { Arc::clone(&package.promised) } else { [sha256].into() };
    // An image is known by its own manifest, which is the root that everybody else means.
    let root = package.index.image().map_or(package.document, |image| image.root());
    Subject::Group { name: purl_of(package, position), root, members }
}

/// Why what must be looked into first was not.
#[derive(Clone, Debug)]
pub enum NotReady {
    /// A file of the commit could not be had.
    Fetch(String, UpstreamError),
    /// It could not be looked into.
    Look(String, NotInspected),
    /// Our own storage failed.
    Storage(String),
}

impl NotReady {
    /// The refusal that this becomes for whoever asked for any file of the commit.
    pub fn denial(&self) -> Denial {
        match self {
            Self::Fetch(file, error) => denials::of_upstream_error(file, error),
            Self::Look(_, NotInspected::Storage(why)) | Self::Storage(why) => cannot(why),
            Self::Look(file, NotInspected::Unavailable(why)) => {
                pending(format!("{file} could not be looked into: {why}; ask again"))
            }
        }
    }
}

/// Sees to it that what steers loading has been looked into, once for all who ask for files of the commit.
///
/// # Errors
/// [`NotReady`]; the next who asks begins again.
pub async fn ready(
    door: &Arc<Door>,
    repository: &Arc<Repository>,
    package: &Arc<Package>,
) -> Result<(), NotReady> {
    if !door.config.inspection.enabled || package.is_ready() || package.index.files().is_empty() {
        return Ok(());
    }
    if package.index.image().is_some() {
        return super::images::all_ready(door, repository, package).await;
    }
    let key = (Arc::clone(&repository.name), Arc::from(purl_of(package, 0)));
    let (door2, repository, package) = (Arc::clone(door), Arc::clone(repository), Arc::clone(package));
    let flight = door.flights.groups.run(key, move || async move {
        look(&door2, &repository, &package).await?;
        package.set_ready();
        Ok(())
    });
    flight
        .await
        .unwrap_or_else(|| Err(NotReady::Storage("it ended in an unforeseen way; see the log".into())))
}

async fn look(
    door: &Arc<Door>,
    repository: &Arc<Repository>,
    package: &Arc<Package>,
) -> Result<(), NotReady> {
    let (door2, package2) = (Arc::clone(door), Arc::clone(package));
    let local = door.blocking(move || LocalState::read(&door2, &package2)).await;
    let local = local.map_err(|e| NotReady::Storage(e.to_string()))?;
    look_at(door, repository, package, first(repository, package, &local)).await
}

/// Has files fetched and looked into, some at a time.
pub(super) async fn look_at(
    door: &Arc<Door>,
    repository: &Arc<Repository>,
    package: &Arc<Package>,
    positions: Vec<usize>,
) -> Result<(), NotReady> {
    let mut waiting = positions.into_iter();
    let mut looks = tokio::task::JoinSet::new();
    loop {
        while looks.len() < AT_A_TIME
            && let Some(position) = waiting.next()
        {
            let (door, repository, package) = (Arc::clone(door), Arc::clone(repository), Arc::clone(package));
            looks.spawn(async move { look_into(&door, &repository, &package, position).await });
        }
        match looks.join_next().await {
            Some(Ok(looked)) => looked?,
            Some(Err(error)) => return Err(NotReady::Storage(error.to_string())),
            None => return Ok(()),
        }
    }
}

async fn look_into(
    door: &Arc<Door>,
    repository: &Arc<Repository>,
    package: &Arc<Package>,
    position: usize,
) -> Result<(), NotReady> {
    let file = || package.index.files()[position].file.to_string();
    let staged = stage(door, repository, package, position, Part::Whole).await;
    let staged = staged.map_err(|error| NotReady::Fetch(file(), error))?;
    let looked = contents::look(door, repository, package, position, &staged).await;
    looked.map_err(|error| NotReady::Look(file(), error))
}

/// The files that are to be looked into first and were not yet, smallest first: a bound then leaves out as few as it can.
fn first(repository: &Repository, package: &Package, local: &LocalState) -> Vec<usize> {
    let Some(commits) = repository.protocol.commits() else { return Vec::new() };
    let files = package.index.files();
    let is_seen = |file: &ListedFile| {
        let pin = local.pins.get(&(file.version.as_str().to_owned(), file.file.as_str().to_owned()));
        pin.is_some_and(|digest| local.seen.contains_key(digest))
    };
    let mut first: Vec<usize> = (0..files.len())
        .filter(|at| commits.steers(&package.name, &files[*at]) && !is_seen(&files[*at]))
        .collect();
    first.sort_by_key(|at| files[*at].size);
    let mut bytes = 0;
    let within = first.iter().take(MAX_FIRST_FILES).take_while(|at| {
        bytes += files[**at].size.unwrap_or(0);
        bytes <= MAX_FIRST_BYTES
    });
    let within = within.count();
    first.truncate(within);
    first
}
