//! What a client asks for, parsed.

use http::{HeaderMap, Method};
use tidegate_model::{FileName, PackageName, Sha256, Version};

use crate::queries::Query;

/// A client's request below a repository's base, before it is understood.
#[derive(Clone, Copy, Debug)]
pub struct ClientRequest<'a> {
    /// GET, HEAD, POST…
    pub method: &'a Method,
    /// The raw path below the repository's base, still percent-encoded, without the leading slash.
    pub path: &'a str,
    /// The raw query without `?`.
    pub query: Option<&'a str>,
    /// Request headers.
    pub headers: &'a HeaderMap,
    /// The body, unpacked; empty for GET and HEAD.
    pub body: &'a [u8],
}

/// What a request asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// A view of a package's index. HEAD is answered like GET without the body.
    Index {
        /// Which package.
        package: PackageName,
        /// Which form of its index.
        view: View,
    },
    /// Bytes of a file, or of its metadata sidecar.
    Artifact {
        /// Which package.
        package: PackageName,
        /// Which file of it.
        file: FileSelector,
        /// The file itself or its sidecar.
        part: Part,
    },
    /// A page of the list of all packages.
    Catalogue {
        /// For example `mcp-servers`. A closed set per ecosystem.
        form: &'static str,
        /// Which entries.
        query: Box<crate::catalogue::Query>,
    },
    /// A service of the upstream that is passed through where it is offered.
    Api(ApiCall),
    /// Views of several packages in one answer.
    Query(Query),
    /// What clients are to give up that they took before: the ecosystem's list of it, made from our decisions.
    Recall,
    /// A document we make ourselves; the word is the ecosystem's own.
    Generated {
        /// Which document.
        document: &'static str,
    },
    /// The same thing under its normal path, relative to the repository's base.
    Redirect {
        /// Where it is.
        to: String,
    },
    /// A route that exists in the ecosystem and that tidegate does not offer.
    NotOffered {
        /// What it is and what to do instead, for people.
        what: &'static str,
    },
}

impl Ask {
    /// The word for what kind of ask this is: a form of a view, of a list or of a query, `artifact`, `metadata`, `companion`, a
    /// service, a document of ours, `recall`, `redirect` or `not-offered`. A closed set per ecosystem: [`crate::Protocol::kinds`].
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Index { view, .. } => view.form,
            Self::Artifact { part: Part::Whole, .. } => "artifact",
            Self::Artifact { part: Part::Metadata, .. } => "metadata",
            Self::Artifact { part: Part::Companion(_), .. } => "companion",
            Self::Query(query) => query.form,
            Self::Recall => "recall",
            Self::Catalogue { form, .. } => form,
            Self::Api(call) => call.service,
            Self::Generated { document } => document,
            Self::Redirect { .. } => "redirect",
            Self::NotOffered { .. } => "not-offered",
        }
    }
}

/// A form of an index: the ecosystem's word for it, and a version or tag where the form is about one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct View {
    /// For example `npm-full`, `pypi-json`, `cargo-lines`. A closed set per ecosystem: it is part of cache keys and a metric label.
    pub form: &'static str,
    /// A version or tag, exactly as asked.
    pub selector: Option<String>,
}

/// How a request names a file.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum FileSelector {
    /// By file name.
    Name(FileName),
    /// By version, where an ecosystem has one file per version (cargo).
    Version(String),
    /// By its path in a commit, where an ecosystem's packages are repositories of files.
    Path {
        /// A branch, a tag or a commit, as asked.
        revision: String,
        /// The path within the repository.
        path: FileName,
    },
    /// A manifest of an image, by tag or by digest as asked.
    Manifest(String),
    /// A blob of an image.
    Blob(Sha256),
}

/// Which bytes of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Part {
    /// The file itself.
    Whole,
    /// The metadata sidecar of PEP 658.
    Metadata,
    /// Something else that upstream publishes beside the file and about it.
    Companion(Companion),
}

/// What galleries publish beside an extension's package. A part of the package, or a statement about it: it is decided on
/// with the package and never apart from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Companion {
    /// `package.json`.
    Manifest,
    /// `extension.vsixmanifest`.
    VsixManifest,
    /// The text that introduces it.
    Readme,
    /// What changed.
    Changelog,
    /// The text of its licence.
    Licence,
    /// Its picture.
    Icon,
    /// The registry's signature, an archive of its own.
    Signature,
    /// The SHA-256 digest of the package, as text.
    Checksum,
    /// The key that the signature is checked with.
    PublicKey,
}

impl Companion {
    /// Every one.
    pub const ALL: [Self; 9] = [
        Self::Manifest,
        Self::VsixManifest,
        Self::Readme,
        Self::Changelog,
        Self::Licence,
        Self::Icon,
        Self::Signature,
        Self::Checksum,
        Self::PublicKey,
    ];

    /// The word that stands behind the package's file name in records.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Manifest => "manifest",
            Self::VsixManifest => "vsixmanifest",
            Self::Readme => "readme",
            Self::Changelog => "changelog",
            Self::Licence => "licence",
            Self::Icon => "icon",
            Self::Signature => "signature",
            Self::Checksum => "sha256",
            Self::PublicKey => "public-key",
        }
    }

    /// The media type it is sent as. Pictures are named as one kind: browsers tell by their bytes which.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Manifest => "application/json",
            Self::VsixManifest => "application/xml",
            Self::Readme | Self::Changelog => "text/markdown; charset=utf-8",
            Self::Licence | Self::Checksum | Self::PublicKey => "text/plain; charset=utf-8",
            Self::Icon => "image/png",
            Self::Signature => "application/octet-stream",
        }
    }
}

/// A service of the upstream, in parsed parts. The upstream's URL is built from these, never from the client's path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiCall {
    /// The service: `keys`, `attestations`, `search`, `advisories-bulk`… A closed set per ecosystem.
    pub service: &'static str,
    /// The package it is about, where it is about one: decides routing of private names.
    pub package: Option<PackageName>,
    /// The version it is about, where it is about one.
    pub version: Option<Version>,
    /// The file it is about, where it is about one.
    pub file: Option<FileName>,
    /// Query pairs that are forwarded, already decoded; only names that the service knows.
    pub query: Vec<(String, String)>,
    /// Whether the request's body is forwarded.
    pub forwards_body: bool,
    /// What it means where no upstream offers it.
    pub absence: Absence,
}

/// What to answer where no upstream offers a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Absence {
    /// 404 with "not offered".
    NotOffered,
    /// 503: an empty answer would read as good news.
    Unavailable,
}

/// Why a request is not an [`Ask`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RouteError {
    /// The ecosystem has no such route.
    #[error("no {ecosystem} route has this shape: {what}")]
    Unknown {
        /// Which ecosystem.
        ecosystem: tidegate_model::Ecosystem,
        /// What was asked, shortened and escaped.
        what: String,
    },
    /// The route exists, the path breaks its rules (a name that cannot be one, `..`, an encoded slash or NUL).
    #[error("malformed path: {0}")]
    Malformed(String),
    /// The route exists and takes another method.
    #[error("this route takes {allowed}")]
    Method {
        /// Methods it takes.
        allowed: &'static str,
    },
}

/// Splits a raw path into decoded segments.
///
/// Refused: empty segments (`//`, a trailing slash is reported by the flag), `.` and `..` in any encoding, encoded
/// slashes and backslashes, NUL and control characters, invalid UTF-8 and invalid escapes, more than 12 segments or
/// 1,024 bytes. `@scope%2fname` is the one place where npm encodes a slash: pass `scoped_slash = true` to split such a
/// segment into two.
///
/// # Errors
/// [`RouteError::Malformed`] says which rule the path breaks.
pub fn segments(path: &str, scoped_slash: bool) -> Result<(Vec<String>, bool), RouteError> {
    many_segments(path, scoped_slash, MAX_SEGMENTS, MAX_PATH_BYTES)
}

/// [`segments`] with bounds of their own, for ecosystems whose paths name files in folders.
///
/// # Errors
/// As [`segments`].
pub fn many_segments(
    path: &str,
    scoped_slash: bool,
    max_segments: usize,
    max_bytes: usize,
) -> Result<(Vec<String>, bool), RouteError> {
    let malformed = |why: &str| RouteError::Malformed(why.to_owned());
    if path.len() > max_bytes {
        return Err(malformed("the path is too long"));
    }
    let (path, trailing) = match path.strip_suffix('/') {
        Some(rest) => (rest, true),
        None => (path, false),
    };
    let mut segments = Vec::new();
    if path.is_empty() {
        return Ok((segments, trailing));
    }
    for raw in path.split('/') {
        if raw.is_empty() {
            return Err(malformed("an empty path segment"));
        }
        let decoded = decode_segment(raw)?;
        let split = match decoded.split_once('/') {
            Some((scope, name)) if scoped_slash && scope.starts_with('@') && !name.contains('/') => {
                vec![scope.to_owned(), name.to_owned()]
            }
            Some(_) => return Err(malformed("an encoded slash")),
            None => vec![decoded],
        };
        for part in split {
            if part.is_empty() || part == "." || part == ".." {
                return Err(malformed("a dot segment"));
            }
            segments.push(part);
        }
    }
    if segments.len() > max_segments {
        return Err(malformed("too many path segments"));
    }
    Ok((segments, trailing))
}

/// The longest path that is read, in bytes.
pub const MAX_PATH_BYTES: usize = 1024;
/// The most segments a path may have.
pub const MAX_SEGMENTS: usize = 12;

pub(crate) fn decode_segment(raw: &str) -> Result<String, RouteError> {
    let malformed = |why: &str| RouteError::Malformed(why.to_owned());
    let bytes = raw.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut i = 0;
    while i < bytes.len() {
        if bytes[i] == b'%' {
            let hex = raw.get(i + 1..i + 3).ok_or_else(|| malformed("an incomplete percent escape"))?;
            let byte = u8::from_str_radix(hex, 16).map_err(|_| malformed("an invalid percent escape"))?;
            if !hex.bytes().all(|b| b.is_ascii_hexdigit()) {
                return Err(malformed("an invalid percent escape"));
            }
            decoded.push(byte);
            i += 3;
        } else {
            decoded.push(bytes[i]);
            i += 1;
        }
    }
    if decoded.iter().any(|b| *b < 0x20 || *b == 0x7f || *b == b'\\') {
        return Err(malformed("a control character or backslash"));
    }
    if decoded.contains(&b'%') {
        return Err(malformed("a percent sign that stays after decoding (encoded twice)"));
    }
    String::from_utf8(decoded).map_err(|_| malformed("text that is not UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_paths_split() {
        assert_eq!(segments("a/b", false).unwrap(), (vec!["a".into(), "b".into()], false));
        assert_eq!(segments("a/", false).unwrap(), (vec!["a".into()], true));
        assert_eq!(segments("@s%2fn/-/x.tgz", true).unwrap().0, ["@s", "n", "-", "x.tgz"]);
        assert_eq!(segments("", false).unwrap(), (vec![], false));
    }

    #[test]
    fn confusing_paths_are_refused() {
        let deep = "a/".repeat(13);
        let long = "a".repeat(1025);
        for bad in [
            "..",
            "a/../b",
            "a//b",
            "/a",
            "%2e%2e/a",
            "a%2fb",
            "a%5cb",
            "a\\b",
            "a%00b",
            "%",
            "%2",
            "%zz",
            "%+1",
            "%ff",
            "%252f",
            "a/.",
            &deep,
            &long,
            "@s%2f..",
            "@s%2f%2e%2e",
            "@s%2fa%2fb",
        ] {
            assert!(segments(bad, true).is_err(), "{bad:?}");
        }
    }
}
