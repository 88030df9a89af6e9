//! What is in a file or a folder: looked into by the same workers, under the same limits, as everything that comes through a
//! door, and decided on by the same policy.
//!
//! The bytes never leave this machine and nothing is stored: a door is told what was seen, not what it was seen in. Who the bytes
//! say they are (the manifest in them) is believed for the question which advisories and rules are theirs, and for nothing else.

mod bytes;
mod compared;
mod document;
mod json;
mod pack;
mod readable;

use std::path::Path;

use tidegate_ecosystems::inventory::Purl;
use tidegate_inspect::inventory::Component;
use tidegate_inspect::{Inspection, Request};
use tidegate_model::coordinate::PackageRef;
use tidegate_model::{Algorithm, Digest, Ecosystem, Sha256};

pub use bytes::{Bytes, BytesError, Form, Source, name_of};
pub use compared::Compared;
pub use document::document;
pub use readable::readable;

use super::{Answer, Answers, How, Item, ask};
use crate::cli::Failure;
use crate::cli::remote::Remote;
use crate::config::InspectionSection;
use crate::inspection::{Looker, Seen, WorkerCommand};

/// Bundled components that advisories are asked about.
const COMPONENTS_ASKED: usize = 5_000;

/// Workers, and the room that they need.
#[derive(Debug)]
pub struct Eyes {
    looker: Looker,
    runtime: tokio::runtime::Runtime,
    _scratch: tempfile::TempDir,
}

impl Eyes {
    /// Starts none yet: a worker starts with the first artifact.
    ///
    /// # Errors
    /// The system gives no room, threads or random bytes.
    pub fn open() -> Result<Self, Failure> {
        let scratch = tempfile::Builder::new().prefix("tidegate-check-").tempdir()?;
        // Hashes of secrets are not told, so nobody needs to compare them with others.
        let mut key = [0; 32];
        getrandom::fill(&mut key).map_err(|e| Failure(format!("the system gives no random bytes: {e}")))?;
        let section = InspectionSection { workers: Some(std::num::NonZeroUsize::MIN), ..Default::default() };
        let looker = Looker::start(&section, scratch.path(), WorkerCommand::this_program(), key)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        Ok(Self { looker, runtime, _scratch: scratch })
    }

    /// Looks into bytes.
    ///
    /// # Errors
    /// No worker could be had, or the bytes changed meanwhile. That a worker died of them is a result.
    pub fn look(&self, bytes: Bytes) -> Result<Looked, Failure> {
        let request =
            Request { name: bytes.name.clone(), hash_key: self.looker.hash_key(), ..Request::default() };
        let blob = bytes.file.try_clone()?;
        let inspected = self.runtime.block_on(self.looker.run(bytes.sha256, blob, bytes.size, &request));
        let inspected =
            inspected.map_err(|why| Failure(format!("`{}` could not be looked into: {why}", bytes.given)))?;
        bytes.confirm()?;
        Ok(Looked::new(bytes, inspected))
    }
}

/// Bytes that were looked into.
#[derive(Debug)]
pub struct Looked {
    /// As given.
    pub given: String,
    /// What paths begin with.
    pub name: String,
    /// What was handed over.
    pub form: Form,
    /// Bytes of it; of a folder, of its files.
    pub size: u64,
    /// Digest; none of a folder, which nothing else names by one.
    pub sha256: Option<Sha256>,
    /// What was seen, or why nothing was and never will be.
    pub inspection: Result<Inspection, String>,
    /// What an earlier version was found to lack.
    pub compared: Option<Compared>,
}

impl Looked {
    fn new(bytes: Bytes, inspected: Result<Inspection, String>) -> Self {
        let inspection = inspected.map(|mut inspection| {
            if bytes.form == Form::Folder {
                inspection = without_root(inspection, &bytes.name);
                let left_out = bytes.left_out.into_iter().map(|mut gap| {
                    gap.path = format!("{}/{}", bytes.name, gap.path);
                    gap
                });
                inspection.not_seen.extend(left_out);
            }
            inspection
        });
        let sha256 = (bytes.form == Form::File).then_some(bytes.sha256);
        let (given, name, form, size) = (bytes.given, bytes.name, bytes.form, bytes.size);
        Self { given, name, form, size, sha256, inspection, compared: None }
    }

    /// Sets it beside an earlier version.
    pub fn compare(&mut self, previous: &Self) {
        self.compared = Some(Compared::of(self, previous));
    }

    /// What decisions read of it.
    pub fn seen(&self) -> Seen {
        let mut seen = match &self.inspection {
            Ok(inspection) => Seen::of(inspection),
            Err(why) => Seen::failed(why.clone()),
        };
        if let Some(compared) = &self.compared {
            compared.add_to(&mut seen);
        }
        seen
    }

    /// What it says it is.
    pub fn subject(&self) -> Option<&Component> {
        self.inspection.as_ref().ok()?.inventory.subject.as_ref()
    }

    /// What it brings along.
    pub fn components(&self) -> &[Component] {
        self.inspection.as_ref().map_or(&[], |inspection| &inspection.inventory.components)
    }

    /// What is asked about it.
    pub fn item(&self) -> Item {
        let subject = self.subject();
        let purl = subject.and_then(|own| own.purl.as_deref()).and_then(readable_purl);
        let digest = self.sha256.and_then(|sha256| Digest::from_hex(Algorithm::Sha256, &sha256.hex()));
        Item {
            input: self.given.clone(),
            name: subject.map_or_else(|| self.name.clone(), |own| own.name.clone()),
            version: subject.and_then(|own| own.version.clone()),
            why_nameless: purl.is_none().then(|| "nothing in it says which package it is".to_owned()),
            purl,
            digests: digest.into_iter().collect(),
            is_component: true,
            seen: Some(Box::new(self.seen())),
            ..Item::default()
        }
    }

    /// What advisories are asked about: bundled components with a public name and a version.
    fn component_items(&self) -> Vec<(usize, Item)> {
        let item = |(at, one): (usize, &Component)| {
            let purl = one.purl.as_deref().and_then(readable_purl)?;
            // What no container sees is told, not judged.
            let version = one.version.clone().filter(|_| one.beneath.is_none())?;
            let item = Item {
                input: self.given.clone(),
                purl: Some(purl),
                name: one.name.clone(),
                version: Some(version),
                licence: one.licence.clone(),
                is_component: true,
                ..Item::default()
            };
            Some((at, item))
        };
        self.components().iter().enumerate().filter_map(item).take(COMPONENTS_ASKED).collect()
    }
}

/// What a door says of something that was looked into.
#[derive(Debug)]
pub struct Judged {
    /// What was looked into.
    pub looked: Looked,
    /// What was asked about it.
    pub item: Item,
    /// What is decided.
    pub answer: Answer,
    /// Bundled components that advisories were asked about, by their place, with what these say.
    pub bundled: Vec<(usize, Item, Answer)>,
    /// What the answers were made with.
    pub with: Answers,
}

impl Judged {
    /// Has it decided on.
    ///
    /// # Errors
    /// The door does not answer.
    pub fn by(remote: &Remote, looked: Looked, how: &How) -> Result<Self, Failure> {
        let item = looked.item();
        let mut with = ask(remote, std::slice::from_ref(&item), how)?;
        let mut answer = with.list.pop().expect("one item has one answer");
        let (places, items): (Vec<usize>, Vec<Item>) = looked.component_items().into_iter().unzip();
        // Advisories alone: nobody is about to install what lies in it, and no upstream is told what does.
        let answers = ask(remote, &items, &How { offline: true, ..how.clone() })?;
        let bundled: Vec<(usize, Item, Answer)> = places
            .into_iter()
            .zip(items)
            .zip(answers.list)
            .map(|((at, item), answer)| (at, item, answer))
            .collect();
        answer.json = json::line(&looked, &item, &answer, &bundled);
        Ok(Self { looked, item, answer, bundled, with })
    }
}

/// A package URL that a door can read.
fn readable_purl(purl: &str) -> Option<String> {
    let read: Purl = purl.parse().ok()?;
    let is_ours = read.ty.parse::<Ecosystem>().is_ok();
    (!is_ours || PackageRef::parse(purl).is_ok()).then(|| read.to_string())
}

/// Paths of a packed folder are those of the folder.
fn without_root(inspection: Inspection, name: &str) -> Inspection {
    let (packed, plain) = (format!("{name}!/{}/", pack::ROOT), format!("{name}/"));
    let top = format!("{name}!/");
    let shorten = |path: &mut String| {
        if let Some(rest) = path.strip_prefix(&packed).or_else(|| path.strip_prefix(&top)) {
            *path = format!("{plain}{rest}");
        }
    };
    let mut inspection = inspection;
    for finding in &mut inspection.findings {
        shorten(&mut finding.location.path);
        if let Some(evidence) = &mut finding.evidence {
            *evidence = evidence.replace(&packed, &plain);
        }
    }
    inspection.not_seen.iter_mut().for_each(|gap| shorten(&mut gap.path));
    let licences = &mut inspection.licences;
    licences.declared.iter_mut().for_each(|one| shorten(&mut one.path));
    licences.detected.iter_mut().for_each(|one| shorten(&mut one.path));
    licences.tags.iter_mut().for_each(|one| shorten(&mut one.path));
    for conflict in &mut licences.conflicts {
        shorten(&mut conflict.path);
        shorten(&mut conflict.declared_path);
    }
    let inventory = &mut inspection.inventory;
    inventory.components.iter_mut().chain(&mut inventory.subject).for_each(|one| shorten(&mut one.path));
    inspection
}

/// The path in a folder of what a finding's path names: the file that is really there, and what lies within that.
pub(super) fn in_folder<'p>(given: &str, name: &str, path: &'p str) -> (String, Option<&'p str>) {
    let (file, within) = path.split_once("!/").map_or((path, None), |(file, within)| (file, Some(within)));
    let rest = file.strip_prefix(name).map_or(file, |rest| rest.trim_start_matches('/'));
    (Path::new(given).join(rest).to_string_lossy().into_owned(), within)
}
