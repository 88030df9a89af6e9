//! Container images: what each layer holds, and what the layers of an image come to when they are put together.
//!
//! A layer is looked into by itself, once for its digest, and keeps a [`Layer`]: which names it has, so that later somebody can say
//! what of the layers below it hides. [`merge`] does that for the layers of an image, in their order, from what was stored of each:
//! it reads no bytes. What stands in the file system that a container sees is the image's inventory; what lies beneath is pulled
//! with it and told as such, and secrets there count like any others.
//!
//! In layers secrets, models and components are looked for; what code does is judged where packages come in, not where they are
//! installed: a distribution starts programs, reads everything and speaks to networks by nature.
//!
//! Refused: to run or to unpack anything; to believe that a file is gone because a layer says so; to follow links between layers.

mod archive;
mod collect;
mod config;
mod merge;
mod names;
mod prescan;

pub use config::Config;
pub use merge::{Blob, Parts, merge};
pub use names::{Hides, Names};

pub(crate) use archive::together;
pub(crate) use collect::{ImageCollector, Shape};
pub(crate) use prescan::is_archive_of_images;

pub use crate::inventory::Distro;

/// Layers of one image that are put together. Engines mount a quarter of that.
pub const LAYERS: usize = 512;

/// What a layer adds to those below it. Stored with what was seen in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct Layer {
    /// Its names, and those that it removes.
    pub names: Names,
    /// Members of its archive.
    pub members: u64,
    /// Names of layers below that it removes, and folders whose former content it removes.
    pub removes: u64,
    /// The distribution that its `os-release` names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub distro: Option<Distro>,
}

/// An image, put together.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct Image {
    /// Its layers, lowest first; those of several platforms one after the other, each layer once.
    pub layers: Vec<LayerFacts>,
    /// The distribution that its containers see; of several platforms the first one's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub distro: Option<Distro>,
    /// How its containers start; of several platforms the first one's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config: Option<Config>,
    /// Platforms that were put together.
    pub platforms: u64,
}

/// One layer of an image.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct LayerFacts {
    /// Its digest, `sha256:…`, as the manifest has it.
    pub digest: String,
    /// Its place among the layers of its platform, from 1.
    pub number: u64,
    /// Members of its archive.
    pub members: u64,
    /// Names of layers below that it removes.
    pub removes: u64,
    /// Components that containers see and that it is the first to hold.
    pub components: u64,
    /// Whether it was looked into.
    pub seen: bool,
}

/// What a place in a layer is called: `layer 3 (sha256:0123456789ab…)`.
#[must_use]
pub fn layer_label(number: u64, digest: &str) -> String {
    format!("layer {number} ({})", shortened(digest))
}

/// What a place in the configuration is called.
pub(crate) fn config_label(digest: &str) -> String {
    format!("config ({})", shortened(digest))
}

/// Whether a finding about the form of an archive says nothing of a layer: layers hold devices and links that begin at the root, and are
/// unpacked by engines that let none of them lead out.
pub(crate) fn is_natural(finding: &tidegate_model::Finding) -> bool {
    finding.detector == "archive/tar-link-escape"
}

/// A digest by its first 48 bits; anything else as it is.
fn shortened(digest: &str) -> String {
    /// Digits that are shown.
    const DIGITS: usize = 12;
    match digest.split_once(':') {
        Some((algorithm, hex)) if hex.len() > DIGITS && hex.is_ascii() => {
            format!("{algorithm}:{}…", &hex[..DIGITS])
        }
        _ => digest.to_owned(),
    }
}

#[cfg(test)]
mod tests;
