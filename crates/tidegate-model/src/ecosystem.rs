//! The ecosystems tidegate speaks for, and what can be said of each without knowing its protocol.

use std::fmt;
use std::str::FromStr;

/// Packages that share naming, version order and client protocol (the word is the OSV schema's).
///
/// This list is where an ecosystem is added: configuration keys, metric labels and documentation derive from it.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    serde::Serialize,
    serde::Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Ecosystem {
    /// JavaScript packages: npm, pnpm, Yarn.
    Npm,
    /// Python packages: pip, uv, Poetry.
    Pypi,
    /// Rust crates: cargo.
    Cargo,
    /// AI models, and the data sets and spaces beside them: `huggingface_hub`, `hf`, and what is built on them.
    Huggingface,
    /// Container images, and what else registries of the OCI distribution specification hold: docker, podman, containerd.
    Oci,
    /// Listings of MCP servers in a registry, and the bundles that they name.
    Mcp,
    /// Editor extensions: VS Code and what is built from it, by the gallery protocol and by that of Open VSX.
    Vscode,
}

impl Ecosystem {
    /// Every ecosystem, in the order in which lists are shown.
    pub const ALL: [Self; 7] =
        [Self::Npm, Self::Pypi, Self::Cargo, Self::Huggingface, Self::Oci, Self::Mcp, Self::Vscode];

    /// The word used in configuration, URLs and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Npm => "npm",
            Self::Pypi => "pypi",
            Self::Cargo => "cargo",
            Self::Huggingface => "huggingface",
            Self::Oci => "oci",
            Self::Mcp => "mcp",
            Self::Vscode => "vscode",
        }
    }

    /// The `type` of a package URL.
    pub const fn purl_type(self) -> &'static str {
        match self {
            Self::Vscode => "vscode-extension",
            // The type `oci` has no place for a repository's path but a qualifier.
            Self::Oci => "docker",
            other => other.as_str(),
        }
    }

    /// The ecosystem whose package URLs have this type.
    ///
    /// # Errors
    /// [`UnknownEcosystem`].
    pub fn of_purl_type(text: &str) -> Result<Self, UnknownEcosystem> {
        let known = Self::ALL.into_iter().find(|e| e.purl_type() == text);
        known.ok_or_else(|| UnknownEcosystem(text.to_owned()))
    }

    /// The repositories that exist out of the box: one named after the ecosystem, and where its clients speak two protocols
    /// one for the other.
    pub const fn repositories(self) -> &'static [&'static str] {
        match self {
            Self::Npm => &["npm"],
            Self::Pypi => &["pypi"],
            Self::Cargo => &["cargo"],
            Self::Huggingface => &["huggingface"],
            Self::Oci => &["oci"],
            Self::Mcp => &["mcp"],
            Self::Vscode => &["vscode", "openvsx"],
        }
    }

    /// The ecosystem of a repository that exists out of the box.
    pub fn of_repository(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|e| e.repositories().contains(&name))
    }

    /// Whether a version is a commit or an image whose files are decided on together: what is found in one of them counts for
    /// all.
    pub const fn is_grouped(self) -> bool {
        matches!(self, Self::Huggingface | Self::Oci)
    }

    /// Whether a registry's own redirects, and no document of it, name the hosts of its files.
    pub const fn redirects_to_files(self) -> bool {
        matches!(self, Self::Huggingface | Self::Oci | Self::Vscode)
    }

    /// What people call the registry of this ecosystem, for messages.
    pub const fn registry_label(self) -> &'static str {
        match self {
            Self::Npm => "the npm registry",
            Self::Pypi => "the Python package index",
            Self::Cargo => "the Rust crate registry",
            Self::Huggingface => "the model hub",
            Self::Oci => "the image registry",
            Self::Mcp => "the registry of MCP servers",
            Self::Vscode => "the extension gallery",
        }
    }
}

impl fmt::Display for Ecosystem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A word that names no ecosystem tidegate knows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown ecosystem `{0}`: expected one of npm, pypi, cargo, huggingface, oci, mcp, vscode")]
pub struct UnknownEcosystem(String);

impl FromStr for Ecosystem {
    type Err = UnknownEcosystem;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|e| e.as_str() == text).ok_or_else(|| UnknownEcosystem(text.to_owned()))
    }
}
