//! Storages of PyTorch files: members of a zip that hold nothing but the numbers of tensors.
//!
//! No reader takes them for a pickle, so numbers that happen to spell one do nothing. A member is such a storage only where the
//! `data.pkl` beside it names it with just its length; of any other member what it spells is believed.

use std::collections::HashMap;

use tidegate_model::Finding;
use tidegate_model::finding::FindingSeverity;

use super::remark::Storage;
use crate::{Format, Leaf};

/// Storages of one artifact that are kept.
const STORAGES: usize = 256 << 10;

/// Findings in what may be storages that wait for the end. Of those beyond, each is believed.
const WAITING: usize = 400;

/// Storages that were named, and findings that may lie in one.
#[derive(Debug, Default)]
pub(super) struct Storages {
    /// By the folder of their pickle and their key: how many bytes each has. None where two pickles differ about it.
    named: HashMap<(String, String), Option<u64>>,
    waiting: Vec<Waiting>,
}

/// A finding in a member that may be a storage.
#[derive(Debug)]
struct Waiting {
    place: (String, String),
    bytes: u64,
    runs: bool,
    finding: Finding,
}

impl Storages {
    /// Takes the storages that the pickle of a leaf names.
    pub(super) fn name(&mut self, leaf: &Leaf<'_>, storages: Vec<Storage>) {
        let Some(folder) = leaf.path.strip_suffix("/data.pkl").filter(|_| is_member(leaf)) else { return };
        for storage in storages {
            let place = (folder.to_owned(), storage.key);
            if let Some(known) = self.named.get_mut(&place) {
                *known = known.filter(|bytes| *bytes == storage.bytes);
            } else if self.named.len() < STORAGES {
                self.named.insert(place, Some(storage.bytes));
            }
        }
    }

    /// Keeps a finding until all storages are known; gives it back where its leaf can be none.
    pub(super) fn wait(&mut self, leaf: &Leaf<'_>, finding: Finding, runs: bool) -> Option<Finding> {
        let Some((folder, key)) = place(leaf).filter(|_| self.waiting.len() < WAITING) else {
            return Some(finding);
        };
        let place = (folder.to_owned(), key.to_owned());
        self.waiting.push(Waiting { place, bytes: leaf.bytes.len() as u64, runs, finding });
        None
    }

    /// Whether a pickle that came before names this leaf, with its length.
    pub(super) fn knows(&self, leaf: &Leaf<'_>) -> bool {
        let Some((folder, key)) = place(leaf) else { return false };
        self.named.get(&(folder.to_owned(), key.to_owned())) == Some(&Some(leaf.bytes.len() as u64))
    }

    /// Every finding that waited, and whether what it tells may run.
    pub(super) fn settle(&mut self) -> Vec<(Finding, bool)> {
        let waiting = std::mem::take(&mut self.waiting);
        let settled = waiting.into_iter().map(|mut one| {
            let is_storage = self.named.get(&one.place) == Some(&Some(one.bytes));
            if is_storage && one.finding.detector.contains("pickle") {
                one.finding.severity = FindingSeverity::Low;
                one.finding.message =
                    format!("the numbers of a tensor spell a pickle: {}", one.finding.message);
                one.runs = false;
            }
            (one.finding, one.runs)
        });
        settled.collect()
    }
}

/// Whether a leaf lies where a storage would.
pub(crate) fn may_be(leaf: &Leaf<'_>) -> bool {
    place(leaf).is_some_and(|(_, key)| !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_digit()))
}

/// The folder of the pickle that would name a leaf as its storage, and the key.
fn place<'l>(leaf: &Leaf<'l>) -> Option<(&'l str, &'l str)> {
    let (folder, key) = leaf.path.rsplit_once('/').filter(|_| is_member(leaf))?;
    Some((folder.strip_suffix("/data")?, key))
}

fn is_member(leaf: &Leaf<'_>) -> bool {
    leaf.place.container == Some(Format::Zip)
}
