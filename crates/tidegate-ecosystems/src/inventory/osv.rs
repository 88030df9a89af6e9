//! Under which ecosystem and name advisories speak of a package URL.
//!
//! Advisories follow the OSV schema (<https://ossf.github.io/osv-schema/>), whose names differ from package URLs: Maven
//! joins group and artifact by a colon, Go versions have no `v`, distributions have a release behind a colon and name
//! *source* packages. Where advisories have no word for a package the answer is none, with the reason: a component that
//! nobody can look up is a gap and must show as one.

use super::Purl;

/// A package as advisories name it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OsvPackage {
    /// The ecosystem, with the release of a distribution where it is known: `npm`, `Debian:12`.
    pub ecosystem: String,
    /// The name, in the spelling that advisories compare.
    pub name: String,
    /// The version, where one is known.
    pub version: Option<String>,
}

/// Why advisories cannot be asked about a component.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoOsv {
    /// It has no package URL.
    #[error("it has no package URL, and advisories are not matched by name alone or by CPE")]
    NoPurl,
    /// Advisories know no ecosystem for the type.
    #[error("advisories know no ecosystem for package URLs of type `{0}`")]
    Type(String),
    /// The package URL lacks what its ecosystem needs.
    #[error("a package URL of type `{ty}` needs {needs}")]
    Incomplete {
        /// The type.
        ty: String,
        /// What is missing.
        needs: &'static str,
    },
}

/// Rust's ecosystem, which the schema calls by the host of its registry. Written in two parts, because no host of a
/// registry stands in this source.
pub const RUST: &str = concat!("crates", ".io");

impl OsvPackage {
    /// What advisories call a package; `version` where the package URL names none.
    ///
    /// # Errors
    /// They have no word for it: [`NoOsv`].
    pub fn of(purl: &Purl, version: Option<&str>) -> Result<Self, NoOsv> {
        let version = purl.version.as_deref().or(version);
        let incomplete = |needs| NoOsv::Incomplete { ty: purl.ty.clone(), needs };
        let ecosystem = match purl.ty.as_str() {
            "npm" => "npm",
            "pypi" => "PyPI",
            "cargo" => RUST,
            "golang" => "Go",
            "maven" => "Maven",
            "gem" => "RubyGems",
            "composer" => "Packagist",
            "nuget" => "NuGet",
            "hex" => "Hex",
            "pub" => "Pub",
            "swift" => "SwiftURL",
            "cran" => "CRAN",
            "hackage" => "Hackage",
            "opam" => "opam",
            "julia" => "Julia",
            "bitnami" => "Bitnami",
            "conan" => "ConanCenter",
            "githubactions" => "GitHub Actions",
            "vscode-extension" => "VSCode",
            "deb" | "apk" | "rpm" => return distribution(purl, version),
            other => return Err(NoOsv::Type(other.to_owned())),
        };
        let name = match purl.ty.as_str() {
            "maven" if purl.namespace.is_none() => {
                return Err(incomplete("a namespace, which is Maven's group id"));
            }
            "maven" => purl.joined(":"),
            "pypi" => normal_pypi(&purl.name),
            // Case means nothing to these.
            "composer" | "nuget" | "vscode-extension" => purl.full_name().to_lowercase(),
            "bitnami" | "conan" | "cran" | "hackage" | "opam" | "julia" | "pub" | "gem" => purl.name.clone(),
            _ => purl.full_name(),
        };
        let version = version.map(|version| match purl.ty.as_str() {
            "golang" => version.strip_prefix('v').unwrap_or(version).to_owned(),
            _ => version.to_owned(),
        });
        Ok(Self { ecosystem: ecosystem.to_owned(), name, version })
    }
}

/// The package URL, without version and qualifiers, of what advisories call `name` in an ecosystem; `word` is the ecosystem in lower
/// case and without a release. Of distributions it names the *source* package where advisories do. None where no package URL is
/// known to be meant.
pub fn package_of(word: &str, name: &str) -> Option<String> {
    let slashes = || name.rsplit_once('/').map_or((None, name), |(space, name)| (Some(space), name));
    let purl = |ty: &str, (space, name): (Option<&str>, &str)| Purl::new(ty, space, name, None).to_string();
    Some(match word {
        "npm" => purl("npm", slashes()),
        "pypi" => purl("pypi", (None, &normal_pypi(name))),
        "cargo" => purl("cargo", (None, name)),
        "go" => purl("golang", slashes()),
        "maven" => purl("maven", name.split_once(':').map(|(group, name)| (Some(group), name))?),
        "rubygems" => purl("gem", (None, name)),
        "packagist" => purl("composer", slashes()),
        "nuget" => purl("nuget", (None, name)),
        "hex" => purl("hex", slashes()),
        "debian" | "ubuntu" => purl("deb", (Some(word), name)),
        "alpine" | "wolfi" | "chainguard" => purl("apk", (Some(word), name)),
        "almalinux" | "suse" | "opensuse" | "mageia" | "openeuler" => purl("rpm", (Some(word), name)),
        "rocky linux" => purl("rpm", (Some("rocky"), name)),
        "red hat" => purl("rpm", (Some("redhat"), name)),
        "photon os" => purl("rpm", (Some("photon"), name)),
        "azure linux" => purl("rpm", (Some("azurelinux"), name)),
        _ => return None,
    })
}

/// PEP 503: runs of `-`, `_` and `.` are one `-`, letters are lower case.
fn normal_pypi(name: &str) -> String {
    let mut normal = String::with_capacity(name.len());
    for c in name.chars() {
        match c {
            '-' | '_' | '.' if normal.ends_with('-') => {}
            '-' | '_' | '.' => normal.push('-'),
            c => normal.extend(c.to_lowercase()),
        }
    }
    normal
}

/// Packages of Linux distributions. Debian, Ubuntu and Alpine publish advisories about source packages; the scanners that
/// write package URLs put the source package into the qualifier `upstream`.
fn distribution(purl: &Purl, version: Option<&str>) -> Result<OsvPackage, NoOsv> {
    let vendor = purl.namespace.as_deref().unwrap_or_default().to_ascii_lowercase();
    let distro = purl.qualifier("distro").unwrap_or_default();
    let release = release(distro);
    let suffixed = |base: &str, suffix: Option<String>| match suffix {
        Some(suffix) => format!("{base}:{suffix}"),
        None => base.to_owned(),
    };
    let major = || release.map(|r| r.split('.').next().unwrap_or(r).to_owned());
    let ecosystem = match (purl.ty.as_str(), vendor.as_str()) {
        ("deb", "debian") => suffixed("Debian", major()),
        ("deb", "ubuntu") => suffixed("Ubuntu", release.map(ubuntu_release)),
        ("apk", "alpine") => suffixed("Alpine", release.and_then(two_numbers).map(|r| format!("v{r}"))),
        ("apk", "wolfi") => "Wolfi".to_owned(),
        ("apk", "chainguard") => "Chainguard".to_owned(),
        ("rpm", "almalinux" | "alma") => suffixed("AlmaLinux", major()),
        ("rpm", "rocky" | "rockylinux" | "rocky-linux") => suffixed("Rocky Linux", major()),
        // Red Hat's suffixes name a product, its release and a repository: the product and the release are what is known here.
        ("rpm", "redhat" | "rhel") => suffixed("Red Hat", major().map(|m| format!("enterprise_linux:{m}"))),
        ("rpm", "suse" | "sles" | "sled") => "SUSE".to_owned(),
        ("rpm", "opensuse") => "openSUSE".to_owned(),
        ("rpm", "mageia") => suffixed("Mageia", major()),
        ("rpm", "openeuler") => "openEuler".to_owned(),
        ("rpm", "photon") => suffixed("Photon OS", release.and_then(two_numbers)),
        ("rpm", "azurelinux" | "azure-linux") => suffixed("Azure Linux", major()),
        ("deb" | "apk" | "rpm", "") => {
            let needs = "a namespace that names the distribution, such as pkg:deb/debian/…";
            return Err(NoOsv::Incomplete { ty: purl.ty.clone(), needs });
        }
        (ty, vendor) => return Err(NoOsv::Type(format!("{ty}/{vendor}"))),
    };
    let (name, version) = match purl.qualifier("upstream").filter(|_| purl.ty != "rpm") {
        Some(upstream) => match upstream.split_once('@') {
            Some((name, of_source)) => (name, Some(of_source)),
            None => (upstream, version),
        },
        None => (purl.name.as_str(), version),
    };
    let epoch = purl.qualifier("epoch").filter(|e| e.bytes().all(|b| b.is_ascii_digit()));
    let version = version.map(|version| match epoch {
        Some(epoch) if !version.contains(':') => format!("{epoch}:{version}"),
        _ => version.to_owned(),
    });
    Ok(OsvPackage { ecosystem, name: name.to_owned(), version })
}

/// The number in `debian-12`, `alpine-3.18.4`, `3.18.4`; code names say nothing here.
fn release(distro: &str) -> Option<&str> {
    let number = distro.rsplit_once('-').map_or(distro, |(_, number)| number).trim_start_matches('v');
    let is_number = number.starts_with(|c: char| c.is_ascii_digit())
        && number.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    is_number.then_some(number)
}

fn two_numbers(release: &str) -> Option<String> {
    let mut parts = release.split('.');
    Some(format!("{}.{}", parts.next()?, parts.next()?))
}

/// Ubuntu marks the releases with long support, which are April's of even years.
fn ubuntu_release(release: &str) -> String {
    let year = release.split_once('.').and_then(|(year, month)| Some((year.parse::<u32>().ok()?, month)));
    match year {
        Some((year, month)) if year % 2 == 0 && month.starts_with("04") => format!("{release}:LTS"),
        _ => release.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use tidegate_model::VersionScheme;

    use super::*;

    fn osv(purl: &str) -> Result<OsvPackage, NoOsv> {
        OsvPackage::of(&purl.parse().unwrap(), None)
    }

    #[test]
    fn package_urls_become_what_advisories_call_them() {
        for (purl, ecosystem, name, version) in [
            ("pkg:npm/%40scope/Name@1.0.0", "npm", "@scope/Name", "1.0.0"),
            ("pkg:pypi/Zope.Inter__face@5.0", "PyPI", "zope-inter-face", "5.0"),
            ("pkg:cargo/serde_json@1.0.0", RUST, "serde_json", "1.0.0"),
            ("pkg:golang/github.com/BurntSushi/toml@v1.2.3", "Go", "github.com/BurntSushi/toml", "1.2.3"),
            ("pkg:golang/stdlib@1.22.1", "Go", "stdlib", "1.22.1"),
            ("pkg:maven/org.example/lib@1.0", "Maven", "org.example:lib", "1.0"),
            ("pkg:gem/nokogiri@1.15.4?platform=java", "RubyGems", "nokogiri", "1.15.4"),
            ("pkg:composer/Acme/Lib@v1.0", "Packagist", "acme/lib", "v1.0"),
            ("pkg:nuget/Newtonsoft.Json@13.0.1", "NuGet", "newtonsoft.json", "13.0.1"),
            ("pkg:swift/github.com/acme/lib@1.0", "SwiftURL", "github.com/acme/lib", "1.0"),
            ("pkg:githubactions/acme/act@v3", "GitHub Actions", "acme/act", "v3"),
            (
                "pkg:deb/debian/libssl3@3.0.11-1?distro=debian-12&upstream=openssl",
                "Debian:12",
                "openssl",
                "3.0.11-1",
            ),
            ("pkg:deb/debian/x@1?upstream=src%401:2&distro=bookworm", "Debian", "src", "1:2"),
            ("pkg:deb/ubuntu/x@1?distro=ubuntu-22.04", "Ubuntu:22.04:LTS", "x", "1"),
            ("pkg:deb/ubuntu/x@1?distro=ubuntu-23.10", "Ubuntu:23.10", "x", "1"),
            (
                "pkg:apk/alpine/libcrypto3@3.1.4-r5?distro=alpine-3.18.4&upstream=openssl",
                "Alpine:v3.18",
                "openssl",
                "3.1.4-r5",
            ),
            ("pkg:rpm/redhat/openssl@1.1.1k-9.el8?epoch=1", "Red Hat", "openssl", "1:1.1.1k-9.el8"),
            ("pkg:rpm/redhat/x@1-1.el9?distro=rhel-9.4", "Red Hat:enterprise_linux:9", "x", "1-1.el9"),
            (
                "pkg:rpm/rocky/x@1-1.el9?distro=rocky-9.3&upstream=y-1.src.rpm",
                "Rocky Linux:9",
                "x",
                "1-1.el9",
            ),
        ] {
            let found = osv(purl).unwrap();
            let expected = (ecosystem, name, Some(version));
            assert_eq!(
                (found.ecosystem.as_str(), found.name.as_str(), found.version.as_deref()),
                expected,
                "{purl}"
            );
            assert!(VersionScheme::from_osv(&found.ecosystem).is_some(), "{ecosystem} has an order");
        }
    }

    #[test]
    fn what_advisories_name_becomes_a_package_url() {
        for (word, name, expected) in [
            ("npm", "@scope/x", Some("pkg:npm/%40scope/x")),
            ("go", "github.com/Acme/x/v2", Some("pkg:golang/github.com/Acme/x/v2")),
            ("maven", "org.acme:x", Some("pkg:maven/org.acme/x")),
            ("debian", "gtk+3.0", Some("pkg:deb/debian/gtk%2B3.0")),
            ("alpine", "openssl", Some("pkg:apk/alpine/openssl")),
            ("rocky linux", "openssl", Some("pkg:rpm/rocky/openssl")),
            ("maven", "x", None),
            ("android", "x", None),
        ] {
            assert_eq!(package_of(word, name).as_deref(), expected, "{word} {name}");
        }
    }

    #[test]
    fn what_advisories_do_not_know_says_why() {
        for (purl, why) in [
            ("pkg:generic/openssl@3.0", "type `generic`"),
            ("pkg:oci/app@sha256:abc", "type `oci`"),
            ("pkg:maven/lib@1", "group id"),
            ("pkg:deb/openssl@1", "names the distribution"),
            ("pkg:rpm/fedora/openssl@1", "type `rpm/fedora`"),
        ] {
            let message = osv(purl).unwrap_err().to_string();
            assert!(message.contains(why), "{message}");
        }
    }

    #[test]
    fn a_version_beside_the_package_url_counts_where_that_has_none() {
        let version =
            |purl: &str| OsvPackage::of(&purl.parse().unwrap(), Some("v2")).unwrap().version.unwrap();
        assert_eq!(version("pkg:golang/example.test/m"), "2");
        assert_eq!(version("pkg:golang/example.test/m@v1"), "1");
    }
}
