//! What one inspection came to: the value that is stored under the digest of the bytes.

use tidegate_model::{Ecosystem, Finding};

use crate::behaviour::diff::Summary;
use crate::extensions::Extension;
use crate::images::{Config, Image, Layer};
use crate::inventory::Inventory;
use crate::licences::Licences;
use crate::mcp::Mcp;
use crate::models::Models;
use crate::secrets::Revealed;

/// Counts changes of what inspection finds. What an older inspector said is kept and looked at again behind.
pub const INSPECTOR_VERSION: u32 = 6;

/// Findings that one inspection keeps; what is beyond is counted under their detectors.
pub const FINDINGS_KEPT: usize = 500;

/// Gaps that one inspection keeps one by one.
pub const GAPS_KEPT: usize = 50;

/// What is asked of an inspection. Nothing of it is believed to be true of the bytes.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct Request {
    /// The file's name, for paths in findings. Never for telling what the bytes are.
    pub name: String,
    /// The ecosystem it came through; none for a file that somebody hands over.
    pub ecosystem: Option<Ecosystem>,
    /// The package that the index says it is.
    pub package: String,
    /// The version that the index says it is.
    pub version: String,
    /// Whether a manifest of an image lists it as a layer. Else what it holds decides whether it is read as one.
    pub layer: bool,
    /// What the index says of it, as [`confusion::relevant`](crate::behaviour::confusion::relevant) leaves it; none where
    /// that is not to be compared.
    pub listed: Option<serde_json::Value>,
    /// The hash of a secret whose value is wanted, to ask its issuer; hexadecimal.
    pub reveal: Option<String>,
    /// Sources of more bytes are read by their words and not parsed; none: what the readers bear is parsed. For a second
    /// attempt at what took too much memory or time.
    #[serde(default)]
    pub parsed_bytes: Option<usize>,
    /// Under which key secrets are hashed, 32 bytes.
    #[serde(with = "hex_key")]
    pub hash_key: [u8; 32],
}

mod hex_key {
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    pub(super) fn serialize<S: Serializer>(key: &[u8; 32], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&key.iter().map(|byte| format!("{byte:02x}")).collect::<String>())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<[u8; 32], D::Error> {
        let text = String::deserialize(deserializer)?;
        let mut key = [0; 32];
        if text.len() != 64 || !text.is_ascii() {
            return Err(D::Error::custom("a key has 64 hexadecimal digits"));
        }
        for (at, byte) in key.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[2 * at..2 * at + 2], 16).map_err(D::Error::custom)?;
        }
        Ok(key)
    }
}

/// Something that was not looked at, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct NotSeen {
    /// Why: a word of [`GapKind`](crate::GapKind), or `parse` for code that only its tokens were read of.
    pub kind: String,
    /// The nested path.
    pub path: String,
    /// What exactly, as a fragment.
    pub detail: String,
    /// How many this one stands for.
    pub count: u64,
}

/// What the bytes are judged to be.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Nothing that holds them.
    #[default]
    Clean,
    /// A person should look before anybody runs it.
    Suspicious,
    /// No purpose explains it but harm.
    Malicious,
}

impl Verdict {
    /// The word in facts.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Clean => "clean",
            Self::Suspicious => "suspicious",
            Self::Malicious => "malicious",
        }
    }
}

/// What was seen of the content as a whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct Extent {
    /// Leaves looked at.
    pub leaves: u64,
    /// Members of all containers.
    pub entries: u64,
    /// Bytes unpacked.
    pub unpacked_bytes: u64,
    /// Bytes of the largest leaf.
    pub largest_leaf_bytes: u64,
    /// Programs and libraries in machine code.
    pub native_files: u64,
}

/// What one inspection came to. Stored under the digest of the bytes; holds no secret and nothing of a request.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct Inspection {
    /// [`INSPECTOR_VERSION`] of the inspector.
    pub inspector: u32,
    /// What was found, worst first.
    pub findings: Vec<Finding>,
    /// What was not looked at. Empty means everything was.
    pub not_seen: Vec<NotSeen>,
    /// What the findings come to.
    pub verdict: Verdict,
    /// Detectors behind the verdict.
    pub behind: Vec<String>,
    /// Whether installing runs code of the package, as its own manifest says; none where it has no manifest.
    pub install_script: Option<bool>,
    /// What it declares and holds of licences.
    pub licences: Licences,
    /// What it is, and which components it holds.
    pub inventory: Inventory,
    /// What models it holds, and what loading them does.
    pub models: Models,
    /// What it is to an editor; none where it is no extension.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extension: Option<Extension>,
    /// What it is to an assistant.
    pub mcp: Mcp,
    /// What it adds to the layers below it; none where it is no layer of an image.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub layer: Option<Box<Layer>>,
    /// How containers start; none where it is no configuration of an image.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_config: Option<Config>,
    /// What it is as an image, put together; none where it is none, or a part of one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<Image>,
    /// How much was looked at.
    pub extent: Extent,
    /// What a later release is compared with.
    pub summary: Summary,
    /// Where the package disagrees with what its index says of it. Belongs to both, so it is no part of the verdict on the
    /// bytes.
    pub against_index: Vec<Finding>,
    /// The secret that was asked for by its hash. Never stored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revealed: Option<Revealed>,
}
