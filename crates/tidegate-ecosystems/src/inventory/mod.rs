//! Component inventories: SBOMs, and the files in which build tools of other ecosystems say what they use.
//!
//! A component here is a package URL, not one of the ecosystems that the door speaks for: what is read can be looked up
//! in advisories whatever its type. Every component says where in the file it stands, so that a finding can point there;
//! and what a file names without giving something that can be looked up (a version from another file, a branch, text that
//! is no package URL) is kept as a [`Remark`], because a component nobody looked at must not read as a clean one.
//!
//! Nothing here resolves: no file but the given one is read, no version is guessed, and the network is not asked.

mod composer;
mod cyclonedx;
mod detect;
mod gemfile_lock;
mod go;
mod gradle;
mod json;
mod maven;
mod osv;
mod purl;
mod spdx;
mod spdx2;
mod spdx3;
mod xml;

use tidegate_model::Digest;

pub use osv::{NoOsv, OsvPackage, RUST, package_of};
pub use purl::{MAX_PURL_BYTES, NotAPurl, Purl};

/// The largest inventory that is read: 64 MiB.
pub const MAX_INVENTORY_BYTES: usize = 64 << 20;
/// The most components an inventory may hold.
pub const MAX_COMPONENTS: usize = 200_000;
/// How deep components may lie in components.
pub const MAX_COMPONENT_DEPTH: usize = 24;
/// How many remarks are kept; the others are counted.
pub const MAX_REMARKS: usize = 1_000;
/// The longest name, version or other text that is kept of a component, in bytes.
pub const MAX_TEXT_BYTES: usize = 4096;

/// The formats that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum InventoryFormat {
    /// CycloneDX as JSON, versions 1.2 to 1.7 (<https://cyclonedx.org/specification/overview/>).
    CycloneDx,
    /// SPDX 2.2 and 2.3 as JSON (<https://spdx.github.io/spdx-spec/v2.3/>).
    Spdx2,
    /// SPDX 3.0 as JSON-LD (<https://spdx.github.io/spdx-spec/v3.0.1/>).
    Spdx3,
    /// Go's `go.mod` (<https://go.dev/ref/mod#go-mod-file>).
    GoMod,
    /// Go's `go.sum` (<https://go.dev/ref/mod#go-sum-files>).
    GoSum,
    /// Maven's `pom.xml` (<https://maven.apache.org/pom.html>).
    MavenPom,
    /// Gradle's `gradle.lockfile` (<https://docs.gradle.org/current/userguide/dependency_locking.html>).
    GradleLockfile,
    /// Bundler's `Gemfile.lock`.
    GemfileLock,
    /// Composer's `composer.lock`.
    ComposerLock,
}

impl InventoryFormat {
    /// What people call the format.
    pub const fn label(self) -> &'static str {
        match self {
            Self::CycloneDx => "CycloneDX",
            Self::Spdx2 => "SPDX 2",
            Self::Spdx3 => "SPDX 3",
            Self::GoMod => "go.mod",
            Self::GoSum => "go.sum",
            Self::MavenPom => "pom.xml",
            Self::GradleLockfile => "gradle.lockfile",
            Self::GemfileLock => "Gemfile.lock",
            Self::ComposerLock => "composer.lock",
        }
    }

    /// Which format a file has: by its content and, where that says nothing, by its name.
    pub fn detect(file_name: &str, bytes: &[u8]) -> Option<Self> {
        detect::detect(file_name, bytes).ok()
    }
}

/// An inventory, read.
#[derive(Clone, Debug)]
pub struct Inventory {
    /// Which format it has.
    pub format: InventoryFormat,
    /// The version of the format that the file names.
    pub format_version: Option<String>,
    /// What the inventory is of, where the file says so. It is no component of itself.
    pub subject: Option<Component>,
    /// The components, in the file's order. One that stands there twice is here twice.
    pub components: Vec<Component>,
    /// What could not be read as a component, or only in part; at most [`MAX_REMARKS`].
    pub remarks: Vec<Remark>,
    /// How many more remarks there were.
    pub remarks_left_out: usize,
}

/// One component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Component {
    /// Its package URL.
    pub purl: Option<Purl>,
    /// Its name: the package URL's with its namespace, else what the file calls it.
    pub name: String,
    /// Its version: the package URL's, else what the file says.
    pub version: Option<String>,
    /// Its CPE, as written. Shown, never matched.
    pub cpe: Option<String>,
    /// What advisories call it, or why they cannot be asked.
    pub osv: Result<OsvPackage, NoOsv>,
    /// What it is needed for, where the format says.
    pub scope: Option<Scope>,
    /// Digests of its file that the inventory states.
    pub digests: Vec<Digest>,
    /// Its licence, as the inventory states it: an SPDX expression or a name.
    pub licence: Option<String>,
    /// Where it stands.
    pub place: Place,
}

/// What a component is needed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scope {
    /// To run.
    Runtime,
    /// To run with a feature that may be absent.
    Optional,
    /// To build or to test.
    Development,
}

impl Scope {
    /// As a word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Runtime => "runtime",
            Self::Optional => "optional",
            Self::Development => "development",
        }
    }
}

/// Where in a file something stands.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    /// Line, from 1.
    pub line: u32,
    /// JSON pointer (RFC 6901), in files that are JSON.
    pub pointer: Option<String>,
}

/// Something in a file that gives no component that can be looked up, or not all of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    /// Which entry.
    pub what: String,
    /// What is the matter with it, and what that means.
    pub why: String,
    /// Line, from 1.
    pub line: u32,
}

/// Why an inventory could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InventoryError {
    /// Neither its content nor its name is that of a format that is read.
    #[error(
        "`{}` is no inventory tidegate reads: expected CycloneDX 1.4 to 1.7, SPDX 2.3 or SPDX 3.0 as JSON, go.mod, go.sum, \
         pom.xml, gradle.lockfile, Gemfile.lock or composer.lock{hint}", .file_name.escape_debug()
    )]
    UnknownFormat {
        /// Its name.
        file_name: String,
        /// What it looks like and what to do about it, where that is known; begins with `; `.
        hint: &'static str,
    },
    /// It breaks its format.
    #[error("line {line}: {why}")]
    MalformedAt {
        /// Where, from 1.
        line: u32,
        /// What is wrong and what was expected.
        why: String,
    },
    /// A bound of ours was exceeded.
    #[error("the inventory has more than {limit}")]
    TooMuch {
        /// The bound, with its unit.
        limit: &'static str,
    },
}

/// Reads an inventory.
///
/// # Errors
/// An unknown format, a file that breaks its format, a bound that is exceeded.
pub fn parse(file_name: &str, bytes: &[u8]) -> Result<Inventory, InventoryError> {
    if bytes.len() > MAX_INVENTORY_BYTES {
        return Err(InventoryError::TooMuch { limit: "64 MiB" });
    }
    let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
    let format = detect::detect(file_name, bytes).map_err(|hint| InventoryError::UnknownFormat {
        file_name: file_name.chars().take(200).collect(),
        hint,
    })?;
    let text = std::str::from_utf8(bytes).map_err(|e| {
        let line = 1 + bytes[..e.valid_up_to()].iter().filter(|b| **b == b'\n').count();
        InventoryError::MalformedAt {
            line: line.try_into().unwrap_or(u32::MAX),
            why: "text that is not UTF-8".into(),
        }
    })?;
    match format {
        InventoryFormat::CycloneDx => cyclonedx::parse(text),
        InventoryFormat::Spdx2 => spdx2::parse(text),
        InventoryFormat::Spdx3 => spdx3::parse(text),
        InventoryFormat::GoMod => go::parse_mod(text),
        InventoryFormat::GoSum => go::parse_sum(text),
        InventoryFormat::MavenPom => maven::parse(text),
        InventoryFormat::GradleLockfile => gradle::parse(text),
        InventoryFormat::GemfileLock => gemfile_lock::parse(text),
        InventoryFormat::ComposerLock => composer::parse(text),
    }
}

/// UTF-8's byte order mark, which some tools put first.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

impl Component {
    /// A component that a package URL names in full.
    fn of(purl: Purl, place: Place) -> Self {
        let osv = OsvPackage::of(&purl, None);
        Self {
            name: purl.full_name(),
            version: purl.version.clone(),
            osv,
            purl: Some(purl),
            cpe: None,
            scope: None,
            digests: Vec::new(),
            licence: None,
            place,
        }
    }
}

impl Inventory {
    fn new(format: InventoryFormat) -> Self {
        Self {
            format,
            format_version: None,
            subject: None,
            components: Vec::new(),
            remarks: Vec::new(),
            remarks_left_out: 0,
        }
    }

    /// Adds a component, up to the bound.
    fn push(&mut self, component: Component) -> Result<(), InventoryError> {
        if self.components.len() == MAX_COMPONENTS {
            return Err(InventoryError::TooMuch { limit: "200,000 components" });
        }
        self.components.push(component);
        Ok(())
    }

    /// Adds a remark, up to the bound.
    fn remark(&mut self, line: u32, what: impl AsRef<str>, why: impl Into<String>) {
        if self.remarks.len() == MAX_REMARKS {
            self.remarks_left_out += 1;
            return;
        }
        self.remarks.push(Remark { what: shown(what.as_ref()), why: why.into(), line });
    }
}

/// Text of a file, short enough for a message.
fn shown(text: &str) -> String {
    const SHOWN_CHARS: usize = 200;
    match text.char_indices().nth(SHOWN_CHARS) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// Finds the lines of many offsets in one text.
struct Lines(Vec<u32>);

impl Lines {
    fn of(text: &str) -> Self {
        let breaks = text.bytes().enumerate().filter(|(_, b)| *b == b'\n');
        // `MAX_INVENTORY_BYTES` fits 32 bits.
        Self(breaks.map(|(i, _)| u32::try_from(i).unwrap_or(u32::MAX)).collect())
    }

    /// The line, from 1, that holds a byte offset.
    fn at(&self, offset: u32) -> u32 {
        u32::try_from(self.0.partition_point(|newline| *newline < offset) + 1).unwrap_or(u32::MAX)
    }
}

/// The lines of a text file, each with its number from 1.
fn numbered(text: &str) -> impl Iterator<Item = (u32, &str)> {
    text.lines().zip(1..).map(|(line, number)| (number, line))
}

#[cfg(test)]
mod tests;
