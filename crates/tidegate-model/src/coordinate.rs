//! Coordinates and their public form, the package URL.

use std::fmt;

use crate::{Ecosystem, PackageName, Version};

/// Ecosystem, name and version, parsed and normalised.
#[derive(Clone, PartialEq, Eq)]
pub struct Coordinate {
    /// The package.
    pub name: PackageName,
    /// The version, as its publisher wrote it.
    pub version: Version,
}

/// A package URL with or without a version, in an ecosystem tidegate knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackageRef {
    /// The package.
    pub name: PackageName,
    /// The version, where the package URL names one.
    pub version: Option<Version>,
}

/// Text that is not a package URL tidegate can use.
#[derive(Debug, Clone, thiserror::Error)]
pub enum InvalidPurl {
    /// It breaks the Package-URL grammar.
    #[error("`{text}` is not a package URL such as pkg:npm/left-pad@1.3.0: {why}")]
    Grammar {
        /// What was given.
        text: String,
        /// What the parser says.
        why: String,
    },
    /// Its type is none of ours.
    #[error("`{text}`: {source}")]
    Ecosystem {
        /// What was given.
        text: String,
        /// Which type it names.
        source: crate::ecosystem::UnknownEcosystem,
    },
    /// Its name breaks the rules of its ecosystem.
    #[error(transparent)]
    Name(#[from] crate::name::InvalidName),
}

impl PackageRef {
    /// Reads a package URL (<https://github.com/package-url/purl-spec>); qualifiers and subpath are ignored.
    ///
    /// # Errors
    /// [`InvalidPurl`] where the text, its type or its name cannot be used.
    pub fn parse(text: &str) -> Result<Self, InvalidPurl> {
        let grammar = |why: String| InvalidPurl::Grammar { text: text.chars().take(300).collect(), why };
        let purl: packageurl::PackageUrl<'_> =
            text.parse().map_err(|e: packageurl::Error| grammar(e.to_string()))?;
        // The newer type for the same images, which has their repository in a qualifier.
        let ty = if purl.ty() == "oci" { Ecosystem::Oci.purl_type() } else { purl.ty() };
        let ecosystem = Ecosystem::of_purl_type(ty)
            .map_err(|source| InvalidPurl::Ecosystem { text: text.to_owned(), source })?;
        let place = purl.qualifiers().get("repository_url").filter(|_| ecosystem == Ecosystem::Oci);
        let name = match (purl.namespace(), place) {
            (Some(namespace), _) => format!("{namespace}/{}", purl.name()),
            (None, Some(place)) => repository_at(place, purl.name()),
            (None, None) => purl.name().to_owned(),
        };
        let name = PackageName::parse(ecosystem, &name)?;
        let version = purl.version().map(|v| Version::parse(ecosystem, v));
        Ok(Self { name, version })
    }
}

/// The repository that `repository_url` of the type `oci` names: what stands behind the registry's host, with the purl's name
/// as its last part.
fn repository_at(place: &str, name: &str) -> String {
    let place = place.split_once("://").map_or(place, |(_, rest)| rest).trim_matches('/');
    let path = match place.split_once('/') {
        Some((first, rest)) if first.contains(['.', ':']) || first == "localhost" => rest,
        Some(_) => place,
        None if place.contains(['.', ':']) || place == "localhost" => "",
        None => place,
    };
    if path.is_empty() || path == name || path.ends_with(&format!("/{name}")) {
        return if path.is_empty() { name.to_owned() } else { path.to_owned() };
    }
    format!("{path}/{name}")
}

impl Coordinate {
    /// The package URL, `pkg:type/namespace/name@version`.
    pub fn purl(&self) -> String {
        format!("{}@{}", package_purl(&self.name), encode(self.version.as_str()))
    }
}

/// The package URL of a package without a version.
pub fn package_purl(name: &PackageName) -> String {
    match name.scope() {
        Some(scope) => {
            let namespace: Vec<String> = scope.split('/').map(encode).collect();
            format!("pkg:{}/{}/{}", name.ecosystem().purl_type(), namespace.join("/"), encode(name.base()))
        }
        None => format!("pkg:{}/{}", name.ecosystem().purl_type(), encode(name.as_str())),
    }
}

fn encode(text: &str) -> String {
    // The purl specification leaves these characters alone and percent-encodes every other.
    const KEEP: &percent_encoding::AsciiSet =
        &percent_encoding::NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b':');
    percent_encoding::utf8_percent_encode(text, KEEP).to_string()
}

impl fmt::Display for Coordinate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.name, self.version)
    }
}

impl fmt::Debug for Coordinate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.purl())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round(text: &str) -> String {
        let parsed = PackageRef::parse(text).unwrap();
        Coordinate { name: parsed.name, version: parsed.version.unwrap() }.purl()
    }

    #[test]
    fn purls_round_trip() {
        for purl in [
            "pkg:npm/left-pad@1.3.0",
            "pkg:npm/%40scope/name@1.0.0-rc.1",
            "pkg:cargo/x@1.0.0%2Bbuild",
            "pkg:pypi/zope-interface@5.0",
            "pkg:mcp/io.github.someone/weather@1.0.2",
            "pkg:huggingface/Org/Model@0123456789abcdef0123456789abcdef01234567",
            "pkg:huggingface/datasets/org/set@0123456789abcdef0123456789abcdef01234567",
            "pkg:vscode-extension/acme/left-pad@1.0.0",
        ] {
            assert_eq!(round(purl), purl);
        }
        assert_eq!(round("pkg:pypi/Zope.Interface@5.0?file_name=x.whl"), "pkg:pypi/zope-interface@5.0");
        assert_eq!(PackageRef::parse("pkg:npm/left-pad").unwrap().version, None);
        let image = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
        for (given, name) in [
            ("pkg:docker/org/app@{}", "org/app"),
            ("pkg:oci/app@{}?repository_url=registry.example/org/app&tag=v1", "org/app"),
            ("pkg:oci/app@{}?repository_url=registry.example:5000/org", "org/app"),
            ("pkg:oci/app@{}?repository_url=registry.example", "app"),
            ("pkg:oci/app@{}", "app"),
        ] {
            let expected = format!("pkg:docker/{name}@{image}");
            assert_eq!(round(&given.replace("{}", &image.replace(':', "%3A"))), expected);
        }
    }

    #[test]
    fn refusals_say_what_is_wrong() {
        for (bad, expected) in [
            ("left-pad", "is not a package URL"),
            ("pkg:maven/a/b@1", "unknown ecosystem `maven`"),
            ("pkg:npm/..%2f..@1", "not a valid npm package name"),
        ] {
            let message = PackageRef::parse(bad).unwrap_err().to_string();
            assert!(message.contains(expected), "{message}");
        }
    }
}
