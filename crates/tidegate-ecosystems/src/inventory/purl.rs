//! Package URLs of every type, as other tools wrote them.
//!
//! The grammar is the Package-URL specification's (<https://github.com/package-url/purl-spec>). What the specification
//! wants of a type's *names* is left to whoever compares them: it lower-cases Go modules, for one, while advisories
//! compare them as written. A package URL that breaks a rule of its type is still the name of a component, and a
//! component that is thrown away is one that nobody looks at.

use std::borrow::Cow;
use std::fmt::{self, Write as _};
use std::str::FromStr;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// The longest package URL that is read, in bytes.
pub const MAX_PURL_BYTES: usize = 4096;

/// A package URL: type, namespace, name, version, qualifiers and subpath, all decoded.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Purl {
    /// The type, in lower case: `npm`, `maven`, `golang`.
    pub ty: String,
    /// What stands before the name: a scope, a group, a vendor. Its segments are joined by `/`.
    pub namespace: Option<String>,
    /// The name.
    pub name: String,
    /// The version.
    pub version: Option<String>,
    /// The qualifiers, by key.
    pub qualifiers: Vec<(String, String)>,
    /// The path inside the package.
    pub subpath: Option<String>,
}

/// Text that is not a package URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotAPurl {
    /// It is longer than [`MAX_PURL_BYTES`].
    #[error("it is longer than 4096 bytes")]
    TooLong,
    /// It does not begin with `pkg:`.
    #[error("it does not begin with `pkg:`")]
    Scheme,
    /// Its type is missing or holds other characters than letters, digits, `.`, `+` and `-`.
    #[error("its type is missing or is not a word")]
    Type,
    /// It has no name.
    #[error("it has no name")]
    Name,
    /// Its percent-encoding does not give text, or gives control characters.
    #[error("its percent-encoding does not give printable text")]
    Encoding,
    /// A qualifier has no key, or a key that is not a word.
    #[error("a qualifier has no key")]
    Qualifier,
}

impl Purl {
    /// A package URL of parts that need no parsing. An empty namespace or version is none, and segments of a namespace
    /// that the grammar does not have are left out.
    pub fn new(ty: &str, namespace: Option<&str>, name: &str, version: Option<&str>) -> Self {
        Self {
            ty: ty.to_ascii_lowercase(),
            namespace: path_of(namespace.unwrap_or_default()),
            name: name.to_owned(),
            version: version.filter(|v| !v.is_empty()).map(str::to_owned),
            qualifiers: Vec::new(),
            subpath: None,
        }
    }

    /// The same with one more qualifier; an empty value is none.
    #[must_use]
    pub fn with(mut self, key: &str, value: &str) -> Self {
        if !value.is_empty() {
            self.qualifiers.retain(|(k, _)| k != key);
            self.qualifiers.push((key.to_owned(), value.to_owned()));
            self.qualifiers.sort();
        }
        self
    }

    /// The value of a qualifier.
    pub fn qualifier(&self, key: &str) -> Option<&str> {
        self.qualifiers.iter().find(|(k, _)| k == key).map(|(_, value)| value.as_str())
    }

    /// Namespace and name, joined by `/`.
    pub fn full_name(&self) -> String {
        self.joined("/")
    }

    /// Namespace and name, joined by what the ecosystem joins them with.
    pub(super) fn joined(&self, by: &str) -> String {
        match &self.namespace {
            Some(namespace) => format!("{namespace}{by}{}", self.name),
            None => self.name.clone(),
        }
    }
}

impl FromStr for Purl {
    type Err = NotAPurl;

    fn from_str(text: &str) -> Result<Self, NotAPurl> {
        if text.len() > MAX_PURL_BYTES {
            return Err(NotAPurl::TooLong);
        }
        // The specification's order: from the right, subpath, qualifiers; from the left, scheme and type; then version,
        // name, namespace.
        let (rest, subpath) = cut_last(text.trim(), '#');
        let (rest, qualifiers) = cut_last(rest, '?');
        let (scheme, rest) = rest.split_once(':').ok_or(NotAPurl::Scheme)?;
        if !scheme.eq_ignore_ascii_case("pkg") {
            return Err(NotAPurl::Scheme);
        }
        let (ty, rest) = rest.trim_start_matches('/').split_once('/').ok_or(NotAPurl::Type)?;
        if !is_word(ty) {
            return Err(NotAPurl::Type);
        }
        let (path, version) = split_version(rest);
        let mut segments = segments(path)?;
        let name = segments.pop().ok_or(NotAPurl::Name)?;
        Ok(Self {
            ty: ty.to_ascii_lowercase(),
            namespace: path_of(&segments.join("/")),
            name,
            version: version.map(decode).transpose()?.filter(|v| !v.is_empty()),
            qualifiers: read_qualifiers(qualifiers.unwrap_or_default())?,
            subpath: match subpath {
                Some(path) => path_of(&self::segments(path)?.join("/")),
                None => None,
            },
        })
    }
}

/// Splits the version off. The `@` of an npm scope that somebody left unencoded stands before a `/`, but for a version
/// with slashes (branches, digests of images), which some tools do not encode: the first `@` that does not begin a
/// segment begins the version.
fn split_version(text: &str) -> (&str, Option<&str>) {
    let bytes = text.as_bytes();
    let at = (1..bytes.len()).find(|i| bytes[*i] == b'@' && bytes[i - 1] != b'/');
    at.map_or((text, None), |at| (&text[..at], Some(&text[at + 1..])))
}

fn cut_last(text: &str, by: char) -> (&str, Option<&str>) {
    text.rsplit_once(by).map_or((text, None), |(before, after)| (before, Some(after)))
}

fn segments(path: &str) -> Result<Vec<String>, NotAPurl> {
    path.split('/').filter(is_segment).map(decode).collect()
}

/// A path without the segments that the grammar does not have, also where slashes and dots were encoded; none if empty.
fn path_of(path: &str) -> Option<String> {
    let segments: Vec<&str> = path.split('/').filter(is_segment).collect();
    (!segments.is_empty()).then(|| segments.join("/"))
}

fn is_segment(segment: &&str) -> bool {
    !matches!(*segment, "" | "." | "..")
}

fn decode(text: &str) -> Result<String, NotAPurl> {
    let decoded: Cow<'_, str> = percent_decode_str(text).decode_utf8().map_err(|_| NotAPurl::Encoding)?;
    if decoded.chars().any(char::is_control) {
        return Err(NotAPurl::Encoding);
    }
    Ok(decoded.into_owned())
}

fn read_qualifiers(text: &str) -> Result<Vec<(String, String)>, NotAPurl> {
    let mut read: Vec<(String, String)> = Vec::new();
    for pair in text.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        if !is_word(key) {
            return Err(NotAPurl::Qualifier);
        }
        if !value.is_empty() {
            read.push((key.to_ascii_lowercase(), decode(value)?));
        }
    }
    // Of two values of one key the first counts; the sort keeps their order.
    read.sort_by(|a, b| a.0.cmp(&b.0));
    read.dedup_by(|a, b| a.0 == b.0);
    Ok(read)
}

fn is_word(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'+' | b'-' | b'_'))
}

/// The specification leaves these characters alone and percent-encodes every other.
const KEEP: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b':');
/// In values of qualifiers slashes stay, too.
const KEEP_IN_VALUES: &AsciiSet = &KEEP.remove(b'/');

impl fmt::Display for Purl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pkg:{}", self.ty)?;
        for segment in self.namespace.iter().flat_map(|namespace| namespace.split('/')) {
            write!(f, "/{}", utf8_percent_encode(segment, KEEP))?;
        }
        match self.name.as_str() {
            // As they are they would be no name.
            "." => f.write_str("/%2E")?,
            ".." => f.write_str("/%2E%2E")?,
            name => write!(f, "/{}", utf8_percent_encode(name, KEEP))?,
        }
        if let Some(version) = &self.version {
            write!(f, "@{}", utf8_percent_encode(version, KEEP))?;
        }
        for (i, (key, value)) in self.qualifiers.iter().enumerate() {
            f.write_char(if i == 0 { '?' } else { '&' })?;
            write!(f, "{key}={}", utf8_percent_encode(value, KEEP_IN_VALUES))?;
        }
        for (i, segment) in self.subpath.iter().flat_map(|path| path.split('/')).enumerate() {
            f.write_char(if i == 0 { '#' } else { '/' })?;
            write!(f, "{}", utf8_percent_encode(segment, KEEP))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn canonical_forms_stay_what_they_are() {
        for text in [
            "pkg:npm/%40scope/name@1.0.0-rc.1",
            "pkg:maven/org.example/lib@1.0?classifier=sources&type=jar",
            "pkg:golang/github.com/BurntSushi/toml@v1.2.3#sub/path",
            "pkg:deb/debian/libssl3@3.0.11-1~deb12u2?arch=amd64&distro=debian-12",
            "pkg:cargo/x@1.0.0%2Bbuild",
            "pkg:oci/app@sha256:abc?repository_url=registry.example/team/app",
            "pkg:generic/only-a-name",
            "pkg:generic/a/%2E%2E",
            "pkg:generic/a%2Fb",
        ] {
            assert_eq!(text.parse::<Purl>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn loose_spellings_are_read() {
        for (loose, canonical) in [
            ("pkg:npm/@scope/name@1.0.0", "pkg:npm/%40scope/name@1.0.0"),
            ("PKG:NPM/x@1", "pkg:npm/x@1"),
            ("pkg://npm//x@1", "pkg:npm/x@1"),
            ("pkg:composer/acme/lib@dev-feature/x", "pkg:composer/acme/lib@dev-feature%2Fx"),
            (
                "pkg:deb/debian/x@1%3A2.0-1?Arch=amd64&arch=arm64&empty=",
                "pkg:deb/debian/x@1:2.0-1?arch=amd64",
            ),
            (" pkg:pypi/a@ ", "pkg:pypi/a"),
            ("pkg:npm/a%2F%2Fb/%2E/c@1", "pkg:npm/a/b/c@1"),
        ] {
            assert_eq!(loose.parse::<Purl>().unwrap().to_string(), canonical, "{loose}");
        }
    }

    #[test]
    fn what_is_none_says_why() {
        for (bad, why) in [
            ("npm/x", NotAPurl::Scheme),
            ("http://registry.example/x", NotAPurl::Scheme),
            ("pkg:npm", NotAPurl::Type),
            ("pkg:n pm/x", NotAPurl::Type),
            ("pkg:npm/", NotAPurl::Name),
            ("pkg:npm/%ff", NotAPurl::Encoding),
            ("pkg:npm/a%0Ab", NotAPurl::Encoding),
            ("pkg:npm/a?=b", NotAPurl::Qualifier),
            ("", NotAPurl::Scheme),
        ] {
            assert_eq!(bad.parse::<Purl>(), Err(why), "{bad}");
        }
        assert_eq!(format!("pkg:npm/{}", "a".repeat(5000)).parse::<Purl>(), Err(NotAPurl::TooLong));
    }

    proptest::proptest! {
        #[test]
        fn what_is_read_is_written_and_read_back(text in r"(pkg:)?[a-z%@/?#&=.:+~ é0-9A-F-]{0,40}") {
            if let Ok(purl) = text.parse::<Purl>() {
                let written = purl.to_string();
                proptest::prop_assert_eq!(written.parse::<Purl>(), Ok(purl), "{}", written);
            }
        }
    }
}
