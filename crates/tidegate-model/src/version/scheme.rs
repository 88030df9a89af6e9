//! Which order the versions of an ecosystem follow.

use std::cmp::Ordering;

use super::key::VersionKey;
use super::{MAX_VERSION_BYTES, orders};
use crate::Ecosystem;

/// The order that versions of an ecosystem follow, as advisories and resolvers mean it. Each variant's rule, and the
/// standard or tool it comes from, stands at the head of its file in `version/orders/`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum VersionScheme {
    /// Semantic Versioning precedence, read leniently: npm, cargo, Go, Hex, Swift, Julia and others.
    Semver,
    /// Semantic Versioning in which build metadata counts: Dart's Pub.
    Pub,
    /// PEP 440, and below it what Python's tools accepted before.
    Pypi,
    /// Maven's `ComparableVersion`.
    Maven,
    /// `Gem::Version`.
    RubyGems,
    /// Composer's normal form, in PHP's order.
    Packagist,
    /// NuGet: four numbers, labels in any case.
    NuGet,
    /// Debian's `dpkg`, also Ubuntu and opam.
    Dpkg,
    /// RPM's epoch, version, release.
    Rpm,
    /// Alpine's `apk`, also Wolfi and Chainguard.
    Alpine,
    /// R's package versions: CRAN, Bioconductor.
    Cran,
    /// Haskell's package versioning policy: Hackage, GHC.
    Hackage,
    /// No order that anyone defines: versions are equal or different, neither is before the other.
    Textual,
}

impl VersionScheme {
    /// Every scheme.
    pub const ALL: [Self; 13] = [
        Self::Semver,
        Self::Pub,
        Self::Pypi,
        Self::Maven,
        Self::RubyGems,
        Self::Packagist,
        Self::NuGet,
        Self::Dpkg,
        Self::Rpm,
        Self::Alpine,
        Self::Cran,
        Self::Hackage,
        Self::Textual,
    ];

    /// The scheme of an ecosystem that tidegate speaks for.
    pub const fn of(ecosystem: Ecosystem) -> Self {
        match ecosystem {
            Ecosystem::Npm | Ecosystem::Cargo | Ecosystem::Mcp | Ecosystem::Vscode => Self::Semver,
            Ecosystem::Pypi => Self::Pypi,
            // A version is a commit or a digest, and which of two is the later one only the repository knows.
            Ecosystem::Huggingface | Ecosystem::Oci => Self::Textual,
        }
    }

    /// The scheme of an ecosystem as the OSV schema names it (`affected[].package.ecosystem`, schema 1.7), with or
    /// without a `:suffix`. Names are compared as written, as the schema wants it.
    ///
    /// Ecosystems that rebuild the packages of others (`Root:Alpine:3.18`, `TuxCare:npm`) have the order of those.
    /// `None` for a name that is not known: say so, rather than guess an order.
    pub fn from_osv(name: &str) -> Option<Self> {
        let (base, suffix) = name.split_once(':').unwrap_or((name, ""));
        Some(match base {
            // Written in two parts because the schema calls Rust's ecosystem by the host of its registry, and no host of
            // a registry stands in this source.
            concat!("crates", ".io") => Self::Semver,
            "npm" | "Go" | "Hex" | "SwiftURL" | "Julia" | "Bitnami" | "ConanCenter" | "GitHub Actions"
            | "VSCode" | "Kubernetes" | "Linux" => Self::Semver,
            "Pub" => Self::Pub,
            "PyPI" => Self::Pypi,
            "Maven" => Self::Maven,
            "RubyGems" => Self::RubyGems,
            "Packagist" => Self::Packagist,
            "NuGet" => Self::NuGet,
            "Debian" | "Ubuntu" | "opam" => Self::Dpkg,
            "AlmaLinux" | "Azure Linux" | "Mageia" | "openEuler" | "openSUSE" | "Photon OS" | "Red Hat"
            | "Rocky Linux" | "SUSE" => Self::Rpm,
            "Alpaquita"
            | "Alpine"
            | "BellSoft Hardened Containers"
            | "Chainguard"
            | "CleanStart"
            | "MinimOS"
            | "Wolfi" => Self::Alpine,
            "CRAN" | "Bioconductor" => Self::Cran,
            "Hackage" | "GHC" => Self::Hackage,
            // Echo rebuilds Debian and, lately, packages of languages; its records without a suffix are Debian's.
            "Echo" => Self::rebuilt(suffix).unwrap_or(Self::Dpkg),
            "Docker Hardened Images" | "Root" | "TuxCare" => Self::rebuilt(suffix).unwrap_or(Self::Textual),
            // Android counts by patch level, OSS-Fuzz and GIT by commit; for the others no order is known here.
            "Android" | "FreeBSD" | "GIT" | "Homebrew" | "OSS-Fuzz" | "vcpkg" | "WordPress" => Self::Textual,
            _ => return None,
        })
    }

    /// The scheme that a rebuilder's suffix names; rebuilders are not rebuilt.
    fn rebuilt(suffix: &str) -> Option<Self> {
        let base = suffix.split(':').next()?;
        if matches!(base, "Echo" | "Docker Hardened Images" | "Root" | "TuxCare") {
            return None;
        }
        Self::from_osv(suffix)
    }

    /// Whether versions have an order. Without one, ranges cannot be judged and only equality means something.
    pub const fn is_ordered(self) -> bool {
        !matches!(self, Self::Textual)
    }

    /// The version's place in the order. `None` when the text does not follow the grammar, is empty, longer than
    /// [`MAX_VERSION_BYTES`] or holds control characters; such a version is comparable as text only. White space around
    /// the version is ignored.
    pub fn key(self, text: &str) -> Option<VersionKey> {
        self.key_of(text, orders::pep440::Local::Counts)
    }

    /// The place of the version without its local part, where it has one: `2.1.0` for PEP 440's `2.1.0+cu118`.
    ///
    /// Advisories speak of public versions, and `2.1.0+cu118` sorts above `2.1.0`; so whoever asks whether it is affected
    /// must ask for both keys. `None` when there is nothing to leave out.
    pub fn key_without_local(self, text: &str) -> Option<VersionKey> {
        if self != Self::Pypi || !text.contains('+') {
            return None;
        }
        self.key_of(text, orders::pep440::Local::IsLeftOut)
    }

    /// Compares two versions by their keys. `None` when one has none, or when they differ and the scheme knows no order.
    pub fn compare(self, a: &str, b: &str) -> Option<Ordering> {
        let order = self.key(a)?.cmp(&self.key(b)?);
        (self.is_ordered() || order == Ordering::Equal).then_some(order)
    }

    fn key_of(self, text: &str, local: orders::pep440::Local) -> Option<VersionKey> {
        let text = text.trim_ascii();
        if text.is_empty() || text.len() > MAX_VERSION_BYTES || text.bytes().any(|b| b.is_ascii_control()) {
            return None;
        }
        match self {
            Self::Semver => orders::semver::key(text),
            Self::Pub => orders::pub_dart::key(text),
            Self::Pypi => orders::pep440::key(text, local),
            Self::Maven => Some(orders::maven::key(text)),
            Self::RubyGems => orders::rubygems::key(text),
            Self::Packagist => Some(orders::composer::key(text)),
            Self::NuGet => orders::nuget::key(text),
            Self::Dpkg => orders::dpkg::key(text),
            Self::Rpm => Some(orders::rpm::key(text)),
            Self::Alpine => orders::alpine::key(text),
            Self::Cran => orders::cran::key(text),
            Self::Hackage => orders::hackage::key(text),
            Self::Textual => Some(orders::textual::key(text)),
        }
    }
}
