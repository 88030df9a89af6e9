//! Layers, put together.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use tidegate_model::Finding;

use super::names::{Asked, Hides};
use super::{Image, LAYERS, Layer, LayerFacts, config_label, layer_label};
use crate::inspect::{Found, lacks};
use crate::inspection::{INSPECTOR_VERSION, Inspection, Verdict};
use crate::inventory::{Component, Distro, How, Inventory};

/// Components of one image that are kept.
const COMPONENTS: usize = 25_000;

/// A blob of an image, and what was seen in it.
#[derive(Clone, Copy, Debug)]
pub struct Blob<'a> {
    /// Its digest as the manifest has it, `sha256:…`.
    pub digest: &'a str,
    /// What was seen in it, or why nothing was: a fragment.
    pub seen: Result<&'a Inspection, &'a str>,
}

/// What one image of one platform is made of.
#[derive(Clone, Debug, Default)]
pub struct Parts<'a> {
    /// Its configuration.
    pub config: Option<Blob<'a>>,
    /// Its layers, lowest first. One that occurs twice stands here twice.
    pub layers: Vec<Blob<'a>>,
}

/// Puts an image together from what was seen in its blobs; of an image for several platforms, one after the other.
///
/// `name` begins the paths of what it tells: `app.tar!/layer 3 (sha256:0123456789ab…)!/etc/x`. The verdict is the worst of any blob,
/// what was not looked at is that of all, and every finding counts, also in a file that a later layer removes. In the inventory
/// stands what a container sees; components that are only in layers beneath follow, each saying so.
///
/// The same blobs in the same order give the same. It reads nothing but what it is given.
#[must_use]
pub fn merge(name: &str, images: &[Parts<'_>]) -> Inspection {
    let mut whole = Whole { name, ..Whole::default() };
    for image in images {
        whole.add(image);
    }
    whole.finish()
}

/// What makes components one in an image.
type Key = (String, Option<String>, How);

fn key(component: &Component) -> Key {
    let name = component.purl.clone().unwrap_or_else(|| component.name.clone());
    (name, component.version.clone(), component.how)
}

#[derive(Default)]
struct Whole<'a> {
    name: &'a str,
    into: Inspection,
    image: Image,
    found: Found,
    /// What containers see, and how many places each has.
    standing: BTreeMap<Key, Component>,
    beneath: BTreeMap<Key, Component>,
    /// Blobs whose findings and gaps were told.
    told: BTreeSet<String>,
    not_kept: u64,
}

impl Whole<'_> {
    fn add(&mut self, parts: &Parts<'_>) {
        self.image.platforms += 1;
        if let Some(blob) = &parts.config {
            self.blob(blob, &config_label(blob.digest), &|_| None);
            if let Ok(seen) = blob.seen {
                self.image.config = self.image.config.take().or_else(|| seen.image_config.clone());
            }
        }
        if parts.layers.len() > LAYERS {
            let count = (parts.layers.len() - LAYERS) as u64;
            self.lacks(self.name, "has more layers than are put together", count);
        }
        let stack = Stack::of(parts.layers.get(..LAYERS).unwrap_or(&parts.layers));
        let distro = stack.distro();
        self.image.distro = self.image.distro.take().or_else(|| distro.cloned());
        for (at, blob) in stack.blobs.iter().enumerate() {
            self.layer(&stack, at, blob);
        }
        let placed = |one: &Component| {
            let is_of_system = one.how == How::PackageDatabase;
            distro.filter(|_| is_of_system).zip(one.purl.as_ref()).map(|(distro, purl)| distro.placed(purl))
        };
        self.components(&stack, &placed);
    }

    fn layer(&mut self, stack: &Stack<'_>, at: usize, blob: &Blob<'_>) {
        let label = layer_label(at as u64 + 1, blob.digest);
        let hidden = |file: &str| stack.hidden(at, file).map(|(by, how)| words(by, how));
        self.blob(blob, &label, &hidden);
        let layer = stack.layers[at];
        let is_known = self.image.layers.iter().any(|known| known.digest == blob.digest);
        if layer.is_none() && blob.seen.is_ok() && !is_known {
            let path = format!("{}!/{label}", self.name);
            self.lacks(&path, "is no file system of files that is read", 1);
        }
        if !is_known || stack.blobs[..at].iter().any(|below| below.digest == blob.digest) {
            self.image.layers.push(LayerFacts {
                digest: blob.digest.to_owned(),
                number: at as u64 + 1,
                members: layer.map_or(0, |layer| layer.members),
                removes: layer.map_or(0, |layer| layer.removes),
                components: 0,
                seen: blob.seen.is_ok() && layer.is_some(),
            });
        }
    }

    /// What was found and not found in one blob, under its name in the image.
    fn blob(&mut self, blob: &Blob<'_>, label: &str, hidden: &dyn Fn(&str) -> Option<String>) {
        if !self.told.insert(blob.digest.to_owned()) {
            return;
        }
        let top = format!("{}!/{label}", self.name);
        let seen = match blob.seen {
            Ok(seen) => seen,
            Err(why) => return self.lacks(&top, why, 1),
        };
        for finding in seen.findings.iter().filter(|finding| !is_told_better(seen, finding)) {
            let mut finding = finding.clone();
            let file = file_of(&finding.location.path);
            if let Some(hidden) = file.and_then(hidden) {
                finding.message = format!("{}; {hidden}, and it is still pulled", finding.message);
            }
            finding.location.path = moved(&finding.location.path, &top);
            self.found.add(finding);
        }
        for gap in &seen.not_seen {
            lacks(&mut self.into.not_seen, &gap.kind, &moved(&gap.path, &top), &gap.detail, gap.count);
        }
        self.verdict(seen);
        let (extent, more) = (&mut self.into.extent, &seen.extent);
        extent.leaves += more.leaves;
        extent.entries += more.entries;
        extent.unpacked_bytes += more.unpacked_bytes;
        extent.largest_leaf_bytes = extent.largest_leaf_bytes.max(more.largest_leaf_bytes);
        extent.native_files += more.native_files;
        let (models, more) = (&mut self.into.models, &seen.models);
        models.formats.extend(more.formats.iter().cloned());
        models.formats.sort_unstable();
        models.formats.dedup();
        models.unsafe_code = models.unsafe_code.max(more.unsafe_code);
        models.remote_code = models.remote_code.max(more.remote_code);
    }

    fn verdict(&mut self, seen: &Inspection) {
        let into = &mut self.into;
        if seen.verdict > into.verdict {
            into.verdict = seen.verdict;
            into.behind.clear();
        }
        if seen.verdict == into.verdict && seen.verdict != Verdict::Clean {
            for detector in &seen.behind {
                if !into.behind.contains(detector) {
                    into.behind.push(detector.clone());
                }
            }
        }
    }

    /// What stands and what lies beneath, of one platform.
    fn components(&mut self, stack: &Stack<'_>, placed: &dyn Fn(&Component) -> Option<String>) {
        for (at, blob) in stack.blobs.iter().enumerate() {
            let Ok(seen) = blob.seen else { continue };
            self.into.inventory.not_kept += seen.inventory.not_kept;
            self.into.inventory.not_read += seen.inventory.not_read;
            let top = format!("{}!/{}", self.name, layer_label(at as u64 + 1, blob.digest));
            for one in &seen.inventory.components {
                let hidden = file_of(&one.path).and_then(|file| stack.hidden(at, file));
                let component = Component {
                    purl: placed(one).or_else(|| one.purl.clone()),
                    path: moved(&one.path, &top),
                    beneath: hidden.map(|(by, how)| words(by, how)),
                    ..one.clone()
                };
                self.component(component, blob.digest);
            }
        }
    }

    fn component(&mut self, component: Component, digest: &str) {
        let room = self.standing.len() + self.beneath.len() < COMPONENTS;
        let is_standing = component.beneath.is_none();
        let kept = if is_standing { &mut self.standing } else { &mut self.beneath };
        match kept.entry(key(&component)) {
            std::collections::btree_map::Entry::Occupied(mut known) => {
                known.get_mut().places += component.places;
            }
            std::collections::btree_map::Entry::Vacant(free) if room => {
                if is_standing
                    && let Some(layer) = self.image.layers.iter_mut().find(|layer| layer.digest == digest)
                {
                    layer.components += 1;
                }
                free.insert(component);
            }
            std::collections::btree_map::Entry::Vacant(_) => self.not_kept += 1,
        }
    }

    fn lacks(&mut self, path: &str, detail: &str, count: u64) {
        lacks(&mut self.into.not_seen, "image", path, detail, count);
    }

    fn finish(mut self) -> Inspection {
        // A package that is in a lower account and in the one above it was not removed.
        let named: BTreeSet<(&str, Option<&str>)> = self
            .standing
            .values()
            .map(|one| (one.purl.as_deref().unwrap_or(&one.name), one.version.as_deref()))
            .collect();
        let beneath = self.beneath.values().filter(|one| {
            !named.contains(&(one.purl.as_deref().unwrap_or(&one.name), one.version.as_deref()))
        });
        let beneath: Vec<Component> = beneath.cloned().collect();
        if self.not_kept > 0 {
            self.lacks(self.name, "more components than are kept", self.not_kept);
        }
        let components = self.standing.into_values().chain(beneath).collect();
        let not_kept = self.into.inventory.not_kept + self.not_kept;
        let inventory = Inventory { components, not_kept, ..self.into.inventory };
        Inspection {
            inspector: INSPECTOR_VERSION,
            findings: self.found.worst_first(),
            inventory,
            image: Some(self.image),
            ..self.into
        }
    }
}

/// The layers of one platform.
struct Stack<'a> {
    blobs: &'a [Blob<'a>],
    layers: Vec<Option<&'a Layer>>,
    /// What was asked of a layer's file before: accounts are asked for once for each of their packages.
    known: std::cell::RefCell<HashMap<(usize, String), Hidden>>,
}

/// Which layer hides a file, and how.
type Hidden = Option<(usize, Hides)>;

/// Answers that are kept to be given again.
const ANSWERS_KEPT: usize = 50_000;

impl<'a> Stack<'a> {
    fn of(blobs: &'a [Blob<'a>]) -> Self {
        let layers = blobs.iter().map(|blob| blob.seen.ok().and_then(|seen| seen.layer.as_deref())).collect();
        Self { blobs, layers, known: std::cell::RefCell::default() }
    }

    /// Which layer above hides a file of the layer at this place, and how: the lowest of them.
    fn hidden(&self, at: usize, file: &str) -> Hidden {
        let asked_before = (at, file.to_owned());
        if let Some(known) = self.known.borrow().get(&asked_before) {
            return *known;
        }
        let asked = Asked::of(file);
        let mut above = self.layers.iter().enumerate().skip(at + 1);
        let hidden = above.find_map(|(by, layer)| Some((by, asked.hidden_by(&(*layer)?.names)?)));
        let mut known = self.known.borrow_mut();
        if known.len() < ANSWERS_KEPT {
            known.insert(asked_before, hidden);
        }
        hidden
    }

    /// The distribution that a container sees: the highest that no layer above hides.
    fn distro(&self) -> Option<&'a Distro> {
        let of =
            |at: usize| self.layers[at].and_then(|layer| layer.distro.as_ref()).map(|distro| (at, distro));
        let stands = |(at, distro): &(usize, &Distro)| {
            file_of(&distro.path).is_none_or(|file| self.hidden(*at, file).is_none())
        };
        let all = || (0..self.layers.len()).rev().filter_map(of);
        all().find(stands).or_else(|| all().next()).map(|(_, distro)| distro)
    }
}

/// Whether a secret of a configuration is told again under the line of the history or the variable that it stands in.
fn is_told_better(seen: &Inspection, finding: &Finding) -> bool {
    let is_whole = seen.layer.is_none() && !finding.location.path.contains("!/");
    let better =
        |other: &Finding| other.secret_hash == finding.secret_hash && other.location.path.contains("!/");
    is_whole && finding.secret_hash.is_some() && seen.findings.iter().any(better)
}

/// How a file came to be hidden, as a fragment.
fn words(by: usize, how: Hides) -> String {
    let how = match how {
        Hides::Removes => "deleted",
        Hides::Replaces => "replaced",
    };
    format!("the file is {how} in layer {}", by + 1)
}

/// The file of the layer that a nested path leads into.
fn file_of(path: &str) -> Option<&str> {
    path.split("!/").nth(1)
}

/// A nested path, with another beginning in the place of the blob's own name.
fn moved(path: &str, top: &str) -> String {
    match path.split_once("!/") {
        Some((_, within)) => format!("{top}!/{within}"),
        None => top.to_owned(),
    }
}
