//! Whole images in one archive or folder, as `docker save` and the OCI image layout write them: which blobs make which image.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::{Blob, Config, LAYERS, Layer, Parts, is_natural, merge};
use crate::inspection::{Inspection, NotSeen};
use crate::inventory::Component;
use crate::manifests::segments;

/// Bytes of a manifest or index that is read; registries take no larger one.
const DOCUMENT_BYTES: usize = 4 << 20;

/// Documents of one artifact that are read.
const DOCUMENTS: usize = 2_000;

/// Images of one artifact that are put together.
const IMAGES: usize = 64;

/// Indexes within indexes.
const DEPTH: usize = 4;

/// The documents of an artifact, by their nested paths.
#[derive(Debug, Default)]
pub(super) struct Documents {
    blobs: BTreeMap<String, Document>,
    configs: BTreeMap<String, Config>,
    /// `index.json` of a layout, and where it lies.
    index: Option<(String, Document)>,
    /// `manifest.json` of `docker save`, and where it lies.
    saved: Option<(String, Vec<Saved>)>,
}

/// An index or a manifest of OCI.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Document {
    manifests: Vec<Descriptor>,
    config: Option<Descriptor>,
    layers: Vec<Descriptor>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Descriptor {
    media_type: String,
    digest: String,
}

/// An image of `docker save`: names of files beside it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Saved {
    config: String,
    layers: Vec<String>,
}

/// Which blobs make an image.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Resolved {
    pub(crate) config: Option<Place>,
    /// What the configuration says.
    pub(crate) says: Option<Config>,
    pub(crate) layers: Vec<Place>,
}

/// A blob in the artifact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// Its nested path.
    pub(crate) path: String,
    /// Its digest, or its name where the archive has none.
    pub(crate) digest: String,
}

impl Documents {
    /// Takes a text that begins like JSON.
    pub(super) fn json(&mut self, path: &str, bytes: &[u8]) {
        let Some((_, inner)) = path.rsplit_once("!/") else { return };
        if bytes.len() > DOCUMENT_BYTES || self.blobs.len() >= DOCUMENTS {
            return;
        }
        let parts: Vec<&str> = segments(inner).collect();
        match parts.as_slice() {
            ["index.json"] | [_, "index.json"] => {
                if let Ok(index) = serde_json::from_slice(bytes) {
                    self.index = Some((folder(path), index));
                }
            }
            ["manifest.json"] | [_, "manifest.json"] => {
                if let Ok(saved) = serde_json::from_slice(bytes) {
                    self.saved = Some((folder(path), saved));
                }
            }
            [.., "blobs", _, _] => {
                if let Ok(document) = serde_json::from_slice(bytes) {
                    self.blobs.insert(plain(path), document);
                }
            }
            _ => {}
        }
    }

    /// Takes a configuration.
    pub(super) fn config(&mut self, path: &str, bytes: &[u8]) {
        if self.configs.len() < DOCUMENTS
            && let Some(config) = Config::read(bytes)
        {
            self.configs.insert(plain(path), config);
        }
    }

    /// The images that the documents make.
    pub(super) fn resolve(self) -> Vec<Resolved> {
        let mut images = Vec::new();
        if let Some((folder, index)) = &self.index {
            self.walk(folder, index, 0, &mut images);
        }
        if let Some((folder, saved)) = self.saved.as_ref().filter(|_| images.is_empty()) {
            for image in saved.iter().take(IMAGES) {
                images.push(self.saved(folder, image));
            }
        }
        images.retain(|image: &Resolved| !image.layers.is_empty());
        images
    }

    fn walk(&self, folder: &str, document: &Document, depth: usize, images: &mut Vec<Resolved>) {
        let blob = |digest: &str| {
            let (algorithm, hex) = digest.split_once(':')?;
            Some(Place { path: format!("{folder}blobs/{algorithm}/{hex}"), digest: digest.to_owned() })
        };
        for descriptor in &document.manifests {
            if images.len() >= IMAGES || depth >= DEPTH {
                return;
            }
            let Some(document) = blob(&descriptor.digest).and_then(|place| self.blobs.get(&place.path))
            else {
                continue;
            };
            if !document.manifests.is_empty() {
                self.walk(folder, document, depth + 1, images);
                continue;
            }
            let layers = document.layers.iter().filter(|layer| is_of_files(&layer.media_type));
            let config = document.config.as_ref().and_then(|config| blob(&config.digest));
            let resolved = Resolved {
                says: config.as_ref().and_then(|config| self.configs.get(&config.path)).cloned(),
                config,
                layers: layers.take(LAYERS + 1).filter_map(|layer| blob(&layer.digest)).collect(),
            };
            if !images.contains(&resolved) {
                images.push(resolved);
            }
        }
    }

    fn saved(&self, folder: &str, image: &Saved) -> Resolved {
        let place = |name: &str| plain(&format!("{folder}{name}"));
        let config = place(&image.config);
        let says = self.configs.get(&config).cloned();
        let unpacked = says.as_ref().map(|config| config.unpacked.as_slice()).unwrap_or_default();
        let layers = image.layers.iter().take(LAYERS + 1).enumerate().map(|(at, name)| Place {
            path: place(name),
            digest: unpacked.get(at).cloned().unwrap_or_else(|| name.clone()),
        });
        let layers = layers.collect();
        // The file is named after its digest.
        let name = image.config.rsplit('/').next().unwrap_or_default().trim_end_matches(".json");
        let is_hex = name.len() == 64 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
        let digest = if is_hex { format!("sha256:{name}") } else { image.config.clone() };
        Resolved { config: Some(Place { path: config, digest }), says, layers }
    }
}

/// Whether a layer's type says that it holds files; statements about an image are layers, too.
fn is_of_files(media_type: &str) -> bool {
    media_type.is_empty() || media_type.contains("tar")
}

/// The nested path of the folder that a document lies in, with a slash at its end.
fn folder(path: &str) -> String {
    let path = plain(path);
    let end = path.rfind('/').map_or(0, |at| at + 1);
    path[..end].to_owned()
}

/// A nested path of which the innermost part has no `./` at its beginning.
pub(super) fn plain(path: &str) -> String {
    match path.rsplit_once("!/") {
        Some((outer, inner)) => format!("{outer}!/{}", segments(inner).collect::<Vec<_>>().join("/")),
        None => path.to_owned(),
    }
}

/// Puts images together that lie in one artifact, of which `whole` was seen. What belongs to none of their layers stays as it is.
pub(crate) fn together(
    name: &str,
    mut whole: Inspection,
    images: &[Resolved],
    layers: BTreeMap<String, Layer>,
) -> Inspection {
    let mut blobs: BTreeMap<&str, Inspection> = BTreeMap::new();
    for place in images.iter().flat_map(|image| image.config.iter().chain(&image.layers)) {
        blobs.entry(&place.path).or_default();
    }
    for (path, layer) in layers {
        if let Some(blob) = blobs.get_mut(path.as_str()) {
            blob.layer = Some(Box::new(layer));
        }
    }
    for image in images {
        if let Some(blob) = image.config.as_ref().and_then(|place| blobs.get_mut(place.path.as_str())) {
            blob.image_config.clone_from(&image.says);
        }
    }
    share(&mut whole, &mut blobs);
    let why = "is listed by the manifest and is not in the archive, or is no file system of files";
    let seen = |place: &Place| {
        let blob = blobs.get(place.path.as_str()).filter(|blob| blob.layer.is_some());
        blob.ok_or(why)
    };
    let parts: Vec<Parts<'_>> = images
        .iter()
        .map(|image| Parts {
            config: image.config.as_ref().and_then(|place| {
                let seen = Ok(blobs.get(place.path.as_str())?);
                Some(Blob { digest: &place.digest, seen })
            }),
            layers: image
                .layers
                .iter()
                .map(|place| Blob { digest: &place.digest, seen: seen(place) })
                .collect(),
        })
        .collect();
    let merged = merge(name, &parts);
    whole.findings.extend(merged.findings);
    whole.findings.sort_by(|a, b| {
        (b.severity, b.confidence, &a.detector, &a.location).cmp(&(
            a.severity,
            a.confidence,
            &b.detector,
            &b.location,
        ))
    });
    whole.not_seen.extend(merged.not_seen);
    // What is in no layer comes after what containers see.
    let others = std::mem::take(&mut whole.inventory.components);
    whole.inventory.components = merged.inventory.components;
    whole.inventory.components.extend(others);
    whole.inventory.not_kept += merged.inventory.not_kept;
    whole.inventory.subject = None;
    whole.image = merged.image;
    whole
}

/// Gives each blob what was seen in it, under the blob's own name.
fn share(whole: &mut Inspection, blobs: &mut BTreeMap<&str, Inspection>) {
    let paths: BTreeSet<String> = blobs.keys().map(|path| (*path).to_owned()).collect();
    let blob_of = |path: &str| {
        let mut end = path.len();
        loop {
            let (outer, rest) = (&path[..end], &path[end..]);
            let outer = plain(outer);
            if let Some(found) = paths.get(&outer) {
                return Some((found.clone(), format!("blob{rest}")));
            }
            end = path[..end].rfind("!/")?;
        }
    };
    let mut findings = Vec::new();
    for mut finding in std::mem::take(&mut whole.findings) {
        match blob_of(&finding.location.path) {
            Some((blob, path)) => {
                finding.location.path = path;
                let blob = blobs.entry_of(&blob);
                if blob.layer.is_none() || !is_natural(&finding) {
                    blob.findings.push(finding);
                }
            }
            None => findings.push(finding),
        }
    }
    whole.findings = findings;
    let mut not_seen = Vec::new();
    for gap in std::mem::take(&mut whole.not_seen) {
        match blob_of(&gap.path) {
            Some((blob, path)) => blobs.entry_of(&blob).not_seen.push(NotSeen { path, ..gap }),
            None => not_seen.push(gap),
        }
    }
    whole.not_seen = not_seen;
    let mut components = Vec::new();
    for component in std::mem::take(&mut whole.inventory.components) {
        match blob_of(&component.path) {
            Some((blob, path)) => {
                blobs.entry_of(&blob).inventory.components.push(Component { path, ..component });
            }
            None => components.push(component),
        }
    }
    whole.inventory.components = components;
}

/// A blob that is known to be there.
trait Known {
    fn entry_of(&mut self, path: &str) -> &mut Inspection;
}

impl Known for BTreeMap<&str, Inspection> {
    fn entry_of(&mut self, path: &str) -> &mut Inspection {
        self.get_mut(path).expect("only paths of blobs are looked up")
    }
}
