//! Which components a package holds, with where and how each is known.
//!
//! [`InventoryCollector`] sees each leaf of an inspection once: manifests of what is bundled (`node_modules`, vendored trees,
//! poms in jars), what compilers write into programs (Go's build information, `cargo auditable`), lists that packages carry
//! (SBOMs, `deps.json`), and, with less confidence, sources of bundles, banners and the texts by which built-in libraries name
//! their version.
//!
//! In images it reads what package managers keep account in: databases of dpkg, apk and rpm, and which distribution that is.
//!
//! Refused: to guess a version. What is not exact has none, or is not told.

mod auditable;
mod bundles;
mod collect;
mod go;
mod libraries;
mod listed;
mod objects;
mod purl;
mod subject;
mod system;

pub use collect::InventoryCollector;
pub(crate) use collect::Whose;
pub use system::Distro;

use tidegate_model::finding::Confidence;

/// What a package holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Inventory {
    /// The package itself, as its own manifest says.
    pub subject: Option<Component>,
    /// What it brings along, by package URL.
    pub components: Vec<Component>,
    /// Components beyond what is kept.
    pub not_kept: u64,
    /// Lists that were too long to be read.
    pub not_read: u64,
}

/// One component.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Component {
    /// Its package URL; none where no public name of it is known, so that nobody else's advisories touch it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purl: Option<String>,
    /// Its name, with its namespace.
    pub name: String,
    /// Its version, where it is known exactly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The licence that its own manifest declares: an SPDX expression.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub licence: Option<String>,
    /// The nested path of the file that tells of it; of several the first.
    pub path: String,
    /// How it is known.
    pub how: How,
    /// How sure that is.
    pub confidence: Confidence,
    /// Places that tell of it in this way.
    pub places: u64,
    /// Of an image: why no container sees it although it is pulled, as a fragment; none where it stands in the file system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beneath: Option<String>,
}

/// How a component is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// Its own manifest lies in the package.
    Manifest,
    /// The system's package manager keeps account of it.
    PackageDatabase,
    /// Go's build information in a program.
    GoBuildInfo,
    /// The list of `cargo auditable` in a program.
    CargoAuditable,
    /// An SBOM in the package names it.
    Sbom,
    /// The list of dependencies of a .NET program.
    DotNetDeps,
    /// A list of vendored packages names it.
    VendorList,
    /// Paths of the sources of a bundle.
    SourceMap,
    /// A text in a program, by which a library names itself.
    KnownText,
    /// A banner in a script.
    Banner,
    /// The name of a library that was copied into a wheel.
    CopiedLibrary,
}

impl How {
    /// The word in data and on pages.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Manifest => "manifest",
            Self::PackageDatabase => "package_database",
            Self::GoBuildInfo => "go_build_info",
            Self::CargoAuditable => "cargo_auditable",
            Self::Sbom => "sbom",
            Self::DotNetDeps => "dot_net_deps",
            Self::VendorList => "vendor_list",
            Self::SourceMap => "source_map",
            Self::KnownText => "known_text",
            Self::Banner => "banner",
            Self::CopiedLibrary => "copied_library",
        }
    }
}

/// The longest name or version that is believed, in bytes.
const NAME_BYTES: usize = 300;

/// A component as one reader found it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Found {
    /// Type of the package URL; empty where it has no public name.
    kind: &'static str,
    namespace: Option<String>,
    name: String,
    version: Option<String>,
    /// Qualifiers of the package URL, in the order of their keys.
    qualifiers: Vec<(&'static str, String)>,
    /// The package URL as somebody else wrote it.
    purl: Option<String>,
    licence: Option<String>,
    how: How,
    confidence: Confidence,
    /// Whether it is what was built, not what was built in.
    is_own: bool,
}

impl Found {
    fn exact(
        kind: &'static str,
        namespace: Option<&str>,
        name: &str,
        version: Option<&str>,
        how: How,
    ) -> Self {
        Self {
            kind,
            namespace: namespace.map(str::to_owned),
            name: name.to_owned(),
            version: version.map(str::to_owned),
            qualifiers: Vec::new(),
            purl: None,
            licence: None,
            how,
            confidence: Confidence::High,
            is_own: false,
        }
    }

    /// What somebody's package URL names; qualifiers and subpath are left out.
    fn of_purl(purl: &str, how: How) -> Option<Self> {
        let plain = purl.split(['?', '#']).next().unwrap_or_default();
        let path = plain.strip_prefix("pkg:")?;
        let (path, version) = path
            .rsplit_once('@')
            .filter(|(before, _)| !before.ends_with('/'))
            .map_or((path, None), |(p, v)| (p, Some(v)));
        let (_, full) = path.split_once('/')?;
        let decode =
            |text: &str| text.replace("%40", "@").replace("%2B", "+").replace("%2b", "+").replace("%3A", ":");
        let is_plain = !plain.contains(|c: char| c.is_control() || c.is_whitespace()) && !full.is_empty();
        let mut found = Self::exact("", None, &decode(full), version.map(decode).as_deref(), how);
        found.purl = Some(plain.to_owned());
        is_plain.then_some(found)
    }

    fn full_name(&self) -> String {
        match &self.namespace {
            Some(space) if self.kind == "maven" => format!("{space}:{}", self.name),
            Some(space) => format!("{space}/{}", self.name),
            None => self.name.clone(),
        }
    }

    /// As it is told; nothing where its name or version cannot be one.
    fn component(&self, path: &str) -> Option<Component> {
        let name = self.full_name();
        let fits = |text: &str| {
            !text.is_empty()
                && text.len() <= NAME_BYTES
                && !text.contains(|c: char| c.is_control() || c.is_whitespace())
        };
        if !fits(&name) || !self.version.as_deref().is_none_or(fits) {
            return None;
        }
        let made = || {
            let mut purl =
                purl::purl(self.kind, self.namespace.as_deref(), &self.name, self.version.as_deref());
            purl::qualify(&mut purl, &self.qualifiers);
            purl
        };
        Some(Component {
            purl: self.purl.clone().or_else(|| (!self.kind.is_empty()).then(made)),
            name,
            version: self.version.clone(),
            licence: self.licence.clone(),
            path: path.to_owned(),
            how: self.how,
            confidence: self.confidence,
            places: 1,
            beneath: None,
        })
    }
}

#[cfg(test)]
mod tests;
