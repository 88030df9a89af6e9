//! Reads extensions of editors: what they say of themselves beside what their code can do.
//!
//! The code is read as that of any package; here it is compared with the manifest. A theme does not reach the network; a gallery and
//! an editor should read the same name; settings that protect are not for an extension to switch off. Likeness to a known name is a
//! fact about a coordinate, not about bytes, and no finding here.

pub mod detectors;
mod manifest;
#[cfg(test)]
mod tests;
mod update;

use std::collections::BTreeSet;

use tidegate_model::Finding;

use crate::behaviour::package::Package;
use crate::inspection::Verdict;
use crate::{Format, Leaf, Role};
use manifest::{ExtensionManifest, Identity};

pub use update::Line;
pub(crate) use update::compare;

/// Bytes of a manifest that is read.
const MANIFEST_BYTES: usize = 2 << 20;

/// Bytes of a file of code that is searched for what it writes and shows.
const CODE_BYTES: usize = 16 << 20;

/// Members and places that are kept of one kind.
const PLACES: usize = 200;

/// What an artifact is to an editor.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct Extension {
    /// `publisher.name`, in lower case; empty where the artifact is no extension.
    pub id: String,
    /// Its version.
    pub version: String,
    /// The machine that it is for; empty for all.
    pub platform: String,
    /// When its code is started, as it says: activation events.
    pub activation: BTreeSet<String>,
    /// Extensions that are installed with it.
    pub pack: BTreeSet<String>,
    /// Extensions that it needs.
    pub needs: BTreeSet<String>,
}

impl Extension {
    /// Its package URL; none where its name or version cannot be part of one.
    #[must_use]
    pub fn purl(&self) -> Option<String> {
        let (publisher, name) = self.id.split_once('.')?;
        let is_plain = |part: &str| {
            !part.is_empty()
                && part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '+'))
        };
        let platform =
            if self.platform.is_empty() { String::new() } else { format!("?platform={}", self.platform) };
        let fits = [publisher, name, &self.version].into_iter().all(is_plain)
            && (self.platform.is_empty() || is_plain(&self.platform));
        fits.then(|| {
            format!("pkg:vscode-extension/{publisher}/{name}@{}{platform}", self.version.replace('+', "%2B"))
        })
    }
}

/// What reading an extension came to.
#[derive(Debug, Default)]
pub(crate) struct Read {
    pub(crate) findings: Vec<Finding>,
    pub(crate) extension: Option<Extension>,
    pub(crate) line: Option<Line>,
    pub(crate) verdict: Verdict,
    /// Detectors behind the verdict.
    pub(crate) behind: Vec<String>,
}

/// Something in a file of code that only means something in an extension: the nested path, the line, and the words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Spot {
    pub(crate) full: String,
    pub(crate) line: u32,
    pub(crate) words: String,
}

/// An extension as detectors see it.
pub(crate) struct Seen<'p> {
    pub(crate) manifest: ExtensionManifest,
    pub(crate) identity: Option<Identity>,
    pub(crate) package: &'p Package,
    /// Members beside the folder that is installed: nested path, whether it is code.
    pub(crate) outside: Vec<(String, bool)>,
    /// Settings that protect, in code that writes settings.
    pub(crate) settings: Vec<Spot>,
    /// Pages that load code from elsewhere.
    pub(crate) pages: Vec<Spot>,
    /// Code that has the editor install other extensions.
    pub(crate) installs: Vec<Spot>,
    /// Addresses in code that shows a page with a field for a password.
    pub(crate) passwords: Vec<Spot>,
    /// Files whose code asks its user something.
    asking: BTreeSet<String>,
}

impl Seen<'_> {
    /// Whether code of a file asks its user something.
    pub(crate) fn asks(&self, full: &str) -> bool {
        self.asking.contains(full)
    }
}

/// Takes the leaves of one artifact.
#[derive(Debug, Default)]
pub(crate) struct ExtensionCollector {
    manifest: Option<(usize, ExtensionManifest)>,
    identity: Option<Identity>,
    outside: Vec<(String, bool)>,
    settings: Vec<Spot>,
    pages: Vec<Spot>,
    installs: Vec<Spot>,
    passwords: Vec<Spot>,
    asking: BTreeSet<String>,
}

impl ExtensionCollector {
    /// Takes one leaf.
    pub(crate) fn leaf(&mut self, leaf: &Leaf<'_>) {
        if !matches!(leaf.place.role, Role::Member | Role::OtherReading) {
            return;
        }
        let path = crate::manifests::inner(leaf.path);
        let name = path.rsplit('/').next().unwrap_or_default();
        if leaf.bytes.len() <= MANIFEST_BYTES {
            if name == "package.json" && path.matches('/').count() <= 1 {
                let rank = path.matches('/').count() * 2 + usize::from(!path.starts_with("extension/"));
                if self.manifest.as_ref().is_none_or(|(known, _)| rank < *known)
                    && let Some(read) = ExtensionManifest::read(leaf.bytes, leaf.path)
                {
                    self.manifest = Some((rank, read));
                }
            } else if name == "extension.vsixmanifest" && self.identity.is_none() {
                self.identity = Identity::read(leaf.bytes, leaf.path);
            }
        }
        if leaf.place.container == Some(Format::Zip)
            && leaf.place.depth == 1
            && is_outside(path)
            && self.outside.len() < PLACES
        {
            let is_native = matches!(leaf.format, Format::Elf | Format::Pe | Format::MachO);
            self.outside.push((leaf.path.to_owned(), is_native || is_code(name)));
        }
        if is_code(name) && leaf.bytes.len() <= CODE_BYTES {
            self.code(leaf);
        }
    }

    /// What code writes and shows, by words that it cannot do without.
    fn code(&mut self, leaf: &Leaf<'_>) {
        let bytes = leaf.bytes;
        let has = |word: &str| memchr::memmem::find(bytes, word.as_bytes()).is_some();
        if has("getConfiguration") && has(".update(") {
            for key in PROTECTING {
                spot(leaf, key, &mut self.settings);
            }
        }
        if has("webview") || has("createWebviewPanel") {
            for mark in [
                "<script src=\"http",
                "<script src='http",
                "<script type=\"module\" src=\"http",
                "<script async src=\"http",
            ] {
                spot(leaf, mark, &mut self.pages);
            }
        }
        if has("webview") && (has("type=\"password\"") || has("type=password") || has("type='password'")) {
            for mark in [
                "fetch('http",
                "fetch(\"http",
                "fetch(`http",
                "action=\"http",
                "action='http",
                "sendBeacon('http",
                "action=http",
            ] {
                spot(leaf, mark, &mut self.passwords);
            }
        }
        for command in [
            "workbench.extensions.installExtension",
            "--install-extension",
            "workbench.extensions.command.installFromVSIX",
        ] {
            spot(leaf, command, &mut self.installs);
        }
        const QUESTIONS: &[&str] =
            &["showInformationMessage", "showWarningMessage", "showQuickPick", "showErrorMessage"];
        if self.installs.last().is_some_and(|spot| spot.full == leaf.path)
            && QUESTIONS.iter().any(|call| has(call))
        {
            self.asking.insert(leaf.path.to_owned());
        }
    }

    /// What all of it comes to.
    pub(crate) fn finish(self, package: &Package) -> Read {
        let Some((_, manifest)) = self.manifest else { return Read::default() };
        let is_archive = self.identity.is_some();
        let seen = Seen {
            identity: self.identity,
            package,
            outside: if is_archive { self.outside } else { Vec::new() },
            settings: self.settings,
            pages: self.pages,
            installs: self.installs,
            passwords: self.passwords,
            asking: self.asking,
            manifest,
        };
        let findings = detectors::run(&seen);
        let (verdict, behind) = crate::mcp::verdict(&findings);
        let manifest = &seen.manifest;
        let extension = Extension {
            id: manifest.id(),
            version: manifest.version.clone(),
            platform: seen.identity.as_ref().map(|identity| identity.platform.clone()).unwrap_or_default(),
            activation: manifest.activation.clone(),
            pack: manifest.pack.clone(),
            needs: manifest.needs.clone(),
        };
        let line = Line::of(&seen);
        Read { findings, extension: Some(extension), line: Some(line), verdict, behind }
    }
}

/// Settings by which an editor protects, as code writes their names.
const PROTECTING: &[&str] = &[
    "workspace.trust.enabled",
    "chat.tools.autoApprove",
    "chat.tools.global.autoApprove",
    "tools.autoApprove",
    "global.autoApprove",
    "extensions.verifySignature",
    "verifySignature",
    "proxyStrictSSL",
    "allowAutomaticTasks",
    "extensions.allowed",
];

/// Keeps where a word stands first in a file.
fn spot(leaf: &Leaf<'_>, word: &str, spots: &mut Vec<Spot>) {
    let Some(at) = memchr::memmem::find(leaf.bytes, word.as_bytes()).filter(|_| spots.len() < PLACES) else {
        return;
    };
    let line = memchr::memchr_iter(b'\n', &leaf.bytes[..at]).count() + 1;
    let end = leaf.bytes.len().min(at + 160);
    let words = String::from_utf8_lossy(&leaf.bytes[at..end]).lines().next().unwrap_or_default().to_owned();
    spots.push(Spot { full: leaf.path.to_owned(), line: u32::try_from(line).unwrap_or(u32::MAX), words });
}

fn is_code(name: &str) -> bool {
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    matches!(
        ending,
        "js" | "mjs"
            | "cjs"
            | "ts"
            | "sh"
            | "ps1"
            | "bat"
            | "cmd"
            | "exe"
            | "dll"
            | "node"
            | "so"
            | "dylib"
            | "py"
            | "wasm"
    )
}

/// Whether a member of a VSIX lies beside what is installed and described.
fn is_outside(path: &str) -> bool {
    !path.starts_with("extension/")
        && !matches!(path, "extension.vsixmanifest" | "[Content_Types].xml" | "_rels/.rels" | "extension")
        && !path.starts_with(".signature.")
        && !path.starts_with("package/services/digital-signature/")
}
