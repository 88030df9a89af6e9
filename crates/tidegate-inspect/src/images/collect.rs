//! What one pass over an artifact tells of images: whether it is a layer, or an archive of whole images, and what its layers have.

use std::collections::{BTreeMap, BTreeSet};

use super::archive::{Documents, Resolved, plain};
use super::names::NamesCollector;
use super::{Config, Layer};
use crate::Format;
use crate::inspection::Request;
use crate::inventory::Distro;
use crate::manifests::segments;
use crate::path;
use crate::report::{Leaf, Member, Role};

/// Archives within an artifact whose names are collected.
const ARCHIVES: usize = 1_000;

/// Bytes of a leaf that may be an empty layer: a tar of nothing is some blocks of zeros.
const EMPTY_BYTES: usize = 1 << 20;

/// Folders at the root of every system.
const ROOT_FOLDERS: [&str; 14] =
    ["bin", "boot", "dev", "etc", "home", "lib", "lib64", "opt", "root", "run", "sbin", "srv", "usr", "var"];

/// So many of them make a whole system.
const WHOLE_ROOT: u32 = 5;

/// What an artifact is, seen as part of an image.
#[derive(Debug)]
pub(crate) enum Shape {
    /// No part of one.
    Other,
    /// A layer, or a root file system.
    Layer(Box<Layer>),
    /// An archive or a folder of whole images.
    Images(Vec<Resolved>),
}

/// Takes what one pass tells.
#[derive(Debug)]
pub(crate) struct ImageCollector {
    /// Whether names are collected at all: packages of ecosystems are no layers.
    is_wanted: bool,
    is_layer: bool,
    archives: BTreeMap<String, Archive>,
    documents: Documents,
    /// Leaves that are nothing but zeros.
    empty: BTreeSet<String>,
    /// The artifact itself, where it is a configuration.
    config: Option<Config>,
    /// Archives beyond those whose names are collected.
    not_kept: u64,
}

#[derive(Debug, Default)]
struct Archive {
    names: NamesCollector,
    /// Which of [`ROOT_FOLDERS`] it begins names with, a bit each.
    root_folders: u16,
}

impl ImageCollector {
    pub(crate) fn new(request: &Request) -> Self {
        Self {
            is_wanted: request.layer || request.ecosystem.is_none(),
            is_layer: request.layer,
            archives: BTreeMap::new(),
            documents: Documents::default(),
            empty: BTreeSet::new(),
            config: None,
            not_kept: 0,
        }
    }

    /// Takes a member's name, of the artifact's own archive or of one within it.
    pub(crate) fn member(&mut self, member: &Member<'_>) {
        if !self.is_wanted || member.depth > 1 {
            return;
        }
        if !self.archives.contains_key(member.container) {
            if self.archives.len() >= ARCHIVES {
                self.not_kept += 1;
                return;
            }
            self.archives.insert(member.container.to_owned(), Archive::default());
        }
        let Some(archive) = self.archives.get_mut(member.container) else { return };
        let name = path::printable(member.name);
        let first = segments(&name).next().unwrap_or_default();
        if let Some(at) = ROOT_FOLDERS.iter().position(|folder| *folder == first) {
            archive.root_folders |= 1 << at;
        }
        archive.names.member(&name, member.is_folder);
    }

    /// Looks at a leaf: manifests and configurations of images, and layers that hold nothing.
    pub(crate) fn leaf(&mut self, leaf: &Leaf<'_>) {
        if !self.is_wanted || leaf.place.role != Role::Member || leaf.place.depth > 2 {
            return;
        }
        let is_own = !leaf.path.contains("!/");
        match leaf.format {
            Format::ImageConfig if is_own => self.config = Config::read(leaf.bytes),
            Format::ImageConfig => self.documents.config(leaf.path, leaf.bytes),
            Format::Json if leaf.place.depth == 1 => self.documents.json(leaf.path, leaf.bytes),
            _ if !leaf.bytes.is_empty()
                && leaf.bytes.len() <= EMPTY_BYTES
                && self.empty.len() < ARCHIVES
                && crate::bytes::is_zero(leaf.bytes) =>
            {
                self.empty.insert(plain(leaf.path));
                // What a compressed blob holds lies one step below it.
                if let Some((blob, _)) = leaf.path.rsplit_once("!/") {
                    self.empty.insert(plain(blob));
                }
            }
            _ => {}
        }
    }

    /// What the artifact is. `distros` are those that its files name, `has_account` says whether a package manager kept account in
    /// it, and `is_package` whether it says of itself that it is a package.
    pub(crate) fn finish(mut self, distros: &[Distro], has_account: bool, is_package: bool) -> Images {
        let own = self.archives.keys().find(|path| !path.contains("!/")).cloned();
        let images = std::mem::take(&mut self.documents).resolve();
        let mut lacks = Vec::new();
        if self.not_kept > 0 && !images.is_empty() {
            lacks.push(("names of more archives than are kept in mind".to_owned(), self.not_kept));
        }
        let mut layers = BTreeMap::new();
        let shape = if !images.is_empty() {
            let paths: BTreeSet<&str> =
                images.iter().flat_map(|image| &image.layers).map(|layer| layer.path.as_str()).collect();
            for (written, archive) in std::mem::take(&mut self.archives) {
                let path = plain(&written);
                if paths.contains(path.as_str()) {
                    layers.insert(path, layer(archive, &written, distros, &mut lacks));
                }
            }
            for path in self.empty.iter().filter(|path| paths.contains(path.as_str())) {
                layers.entry(path.clone()).or_default();
            }
            Shape::Images(images)
        } else {
            let archive = own.as_ref().and_then(|own| self.archives.remove(own));
            let is_empty = !self.empty.is_empty() && archive.is_none();
            let is_of_system = has_account || !distros.is_empty();
            let is_system = archive.as_ref().is_some_and(|archive| match archive.root_folders.count_ones() {
                // A package that brings such folders along stays one, unless it is a whole system around an application.
                folders if is_package => is_of_system && folders >= WHOLE_ROOT,
                folders => is_of_system || archive.names.removes > 0 || folders > 0,
            });
            let path = own.unwrap_or_default();
            match archive {
                Some(archive) if self.is_layer || is_system => {
                    Shape::Layer(Box::new(layer(archive, &path, distros, &mut lacks)))
                }
                None if self.is_layer && is_empty => Shape::Layer(Box::default()),
                _ => Shape::Other,
            }
        };
        Images { shape, layers, config: self.config, lacks, is_asked: self.is_layer }
    }
}

/// What a pass told of images.
#[derive(Debug)]
pub(crate) struct Images {
    pub(crate) shape: Shape,
    /// The layers of images in the artifact, by their nested paths.
    pub(crate) layers: BTreeMap<String, Layer>,
    /// The artifact, where it is a configuration.
    pub(crate) config: Option<Config>,
    /// What was not kept: fragment and number.
    pub(crate) lacks: Vec<(String, u64)>,
    /// Whether a manifest lists it as a layer.
    pub(crate) is_asked: bool,
}

fn layer(archive: Archive, path: &str, distros: &[Distro], lacks: &mut Vec<(String, u64)>) -> Layer {
    let names = archive.names;
    if names.not_kept > 0 {
        lacks.push(("more names of a layer than are kept in mind".to_owned(), names.not_kept));
    }
    let prefix = format!("{path}!/");
    // `/etc` has the last word.
    let own = || distros.iter().filter(|distro| distro.path.starts_with(&prefix));
    let distro = own().find(|distro| distro.path.ends_with("etc/os-release")).or_else(|| own().next());
    let distro = distro.map(|distro| {
        let within = distro.path.strip_prefix(&prefix).unwrap_or_default();
        Distro { path: format!("layer!/{within}"), ..distro.clone() }
    });
    let (members, removes) = (names.members, names.removes);
    Layer { names: names.finish(), members, removes, distro }
}
