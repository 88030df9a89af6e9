//! An update brings extensions of others along, has code where there was none, or starts with the editor since.
//!
//! Extensions slept for months, with good reviews, before one release made loaders of them. Often that release only names one more extension.
//!
//! **What to do:** look at what it brings before you take the update.
//!
//! **Limits:** collections of extensions change what they collect; extensions of well-known publishers are told as low.
//!
//! **Example:** `extensionDependencies` with a publisher whom nobody knows, in a patch release.

use super::common::*;

pub(super) const DETECTOR: ExtensionDetector = ExtensionDetector {
    id: "extension/update",
    title: "an update brings what the release before did not have",
    severity: High,
    run: |_, _| {},
};

/// Publishers whose extensions half of all others build on.
const KNOWN: &[&str] = &[
    "ms-python",
    "ms-vscode",
    "ms-toolsai",
    "ms-dotnettools",
    "ms-azuretools",
    "ms-kubernetes-tools",
    "vscode",
    "vscjava",
    "redhat",
    "github",
    "rust-lang",
    "golang",
    "dbaeumer",
    "esbenp",
    "eamodio",
    "llvm-vs-code-extensions",
    "ms-vscode-remote",
    "ms-vsliveshare",
    "denoland",
    "svelte",
    "vue",
    "angular",
    "tamasfe",
    "hashicorp",
    "dart-code",
    "julialang",
    "haskell",
    "scalameta",
    "ocamllabs",
    "elixir-lsp",
];

/// Extensions of others that an update brings.
pub(super) fn brings(new: &[&str], is_collection: bool, from: &str) -> (Grade, String) {
    let unknown = new.iter().any(|id| !KNOWN.contains(&id.split('.').next().unwrap_or_default()));
    let grade = match (unknown, is_collection) {
        (true, false) => (High, Likely),
        (true, true) | (false, false) => (Low, Sure),
        (false, true) => (Info, Sure),
    };
    (grade, format!("brings extensions of others along, which {from} did not: {}", shown(&new.join(", "))))
}
