//! Reads the routes of the distribution specification, below the repository's base.
//!
//! A repository's name has as many parts as it likes, so a path is read from its end. Nothing in it may be encoded: names,
//! tags and digests are made of letters that need no encoding, and a second spelling would be a second name.

use http::Method;
use tidegate_model::version::is_content_digest;
use tidegate_model::{Ecosystem, PackageName, Version};

use crate::ask::Absence;
use crate::{ApiCall, Ask, ClientRequest, FileSelector, Part, RouteError};

/// The list of a repository's tags.
pub(super) const TAGS: &str = "tags";
/// What refers to an image: signatures, SBOMs, attestations.
pub const REFERRERS: &str = "referrers";
/// `GET /v2/`
pub(super) const VERSION: &str = "api-version";

const PUSH: &str = "pushing: this door lets images in; push to the registry itself";
const CATALOG: &str =
    "listing repositories: look in the registry itself; what you name is fetched through this door";
const DIGESTS: &str = "digests other than SHA-256: images are known by that one here";

/// The longest path that is read, in bytes.
const MAX_PATH_BYTES: usize = 512;
/// The longest tag, in bytes.
const MAX_TAG_BYTES: usize = 128;
/// The most tags that a client may ask for at a time.
const MAX_TAGS: u32 = 10_000;

/// Reads a request.
pub(super) fn route(request: &ClientRequest<'_>) -> Result<Ask, RouteError> {
    let path = request.path;
    if path.len() > MAX_PATH_BYTES {
        return Err(malformed("the path is too long"));
    }
    if path.is_empty() {
        gets(request)?;
        return Ok(Ask::Generated { document: VERSION });
    }
    if path == "_catalog" {
        return Ok(Ask::NotOffered { what: CATALOG });
    }
    let parts: Vec<&str> = path.split('/').collect();
    if parts.iter().any(|part| part.is_empty() || part.contains('%')) && !path.ends_with("/blobs/uploads/") {
        return Err(malformed("an empty or an encoded part"));
    }
    let pushes = !matches!(*request.method, Method::GET | Method::HEAD);
    match parts.as_slice() {
        [_, .., "blobs", "uploads"] | [_, .., "blobs", "uploads", _] => Ok(Ask::NotOffered { what: PUSH }),
        [_, .., "manifests" | "blobs", _] if pushes => Ok(Ask::NotOffered { what: PUSH }),
        [name @ .., "manifests", reference] if !name.is_empty() => {
            artifact(name, FileSelector::Manifest(self::reference(reference)?))
        }
        [name @ .., "blobs", digest] if !name.is_empty() => match self::digest(digest)? {
            Digests::Ours(digest) => {
                artifact(name, FileSelector::Blob(digest.parse().expect("it has the form of one")))
            }
            Digests::Other => Ok(Ask::NotOffered { what: DIGESTS }),
        },
        [name @ .., "tags", "list"] if !name.is_empty() => {
            gets(request)?;
            Ok(call(TAGS, package(name)?, None, paging(request)))
        }
        [name @ .., "referrers", digest] if !name.is_empty() => {
            gets(request)?;
            match self::digest(digest)? {
                Digests::Ours(digest) => {
                    let digest = Version::parse(Ecosystem::Oci, digest);
                    Ok(call(REFERRERS, package(name)?, Some(digest), artifact_type(request)))
                }
                Digests::Other => Ok(Ask::NotOffered { what: DIGESTS }),
            }
        }
        _ => Err(unknown(request)),
    }
}

fn artifact(name: &[&str], file: FileSelector) -> Result<Ask, RouteError> {
    let other =
        matches!(&file, FileSelector::Manifest(text) if text.contains(':') && !is_content_digest(text));
    if other {
        return Ok(Ask::NotOffered { what: DIGESTS });
    }
    Ok(Ask::Artifact { package: package(name)?, file, part: Part::Whole })
}

fn unknown(request: &ClientRequest<'_>) -> RouteError {
    let what = request.path.chars().take(80).collect::<String>().escape_debug().to_string();
    RouteError::Unknown { ecosystem: Ecosystem::Oci, what }
}

fn malformed(why: impl Into<String>) -> RouteError {
    RouteError::Malformed(why.into())
}

fn gets(request: &ClientRequest<'_>) -> Result<(), RouteError> {
    match *request.method {
        Method::GET | Method::HEAD => Ok(()),
        _ => Err(RouteError::Method { allowed: "GET and HEAD" }),
    }
}

fn package(name: &[&str]) -> Result<PackageName, RouteError> {
    PackageName::parse(Ecosystem::Oci, &name.join("/")).map_err(|e| malformed(e.to_string()))
}

/// A tag or a digest.
fn reference(text: &str) -> Result<String, RouteError> {
    if text.contains(':') {
        digest(text)?;
        return Ok(text.to_owned());
    }
    let bytes = text.as_bytes();
    let begins = bytes.first().is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_');
    let allowed = |b: &u8| b.is_ascii_alphanumeric() || b"._-".contains(b);
    if begins && text.len() <= MAX_TAG_BYTES && bytes.iter().all(allowed) {
        return Ok(text.to_owned());
    }
    Err(malformed("this can be no tag and no digest"))
}

enum Digests<'a> {
    Ours(&'a str),
    /// A digest by the specification's grammar that nothing is known by here.
    Other,
}

fn digest(text: &str) -> Result<Digests<'_>, RouteError> {
    if is_content_digest(text) {
        return Ok(Digests::Ours(text));
    }
    match text.split_once(':') {
        Some((algorithm, digits))
            if algorithm != "sha256"
                && !algorithm.is_empty()
                && algorithm
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"+._-".contains(&b))
                && digits.len() >= 32
                && digits.bytes().all(|b| b.is_ascii_alphanumeric() || b"=_-".contains(&b)) =>
        {
            Ok(Digests::Other)
        }
        _ => Err(malformed("this can be no digest")),
    }
}

fn query<'a>(request: &'a ClientRequest<'_>, name: &'a str) -> impl Iterator<Item = String> + 'a {
    let pairs = url::form_urlencoded::parse(request.query.unwrap_or_default().as_bytes());
    pairs.filter(move |(key, _)| key == name).map(|(_, value)| value.into_owned())
}

/// Which part of a list of tags.
fn paging(request: &ClientRequest<'_>) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    let count = query(request, "n").next().and_then(|text| text.parse::<u32>().ok());
    pairs.extend(count.map(|count| ("n".to_owned(), count.min(MAX_TAGS).to_string())));
    let last = query(request, "last").next().filter(|tag| reference(tag).is_ok());
    pairs.extend(last.map(|tag| ("last".to_owned(), tag)));
    pairs
}

fn artifact_type(request: &ClientRequest<'_>) -> Vec<(String, String)> {
    let types = query(request, "artifactType").filter(|text| !text.is_empty() && text.len() <= 255).take(8);
    types.map(|text| ("artifactType".to_owned(), text)).collect()
}

fn call(
    service: &'static str,
    package: PackageName,
    version: Option<Version>,
    query: Vec<(String, String)>,
) -> Ask {
    Ask::Api(ApiCall {
        service,
        package: Some(package),
        version,
        file: None,
        query,
        forwards_body: false,
        absence: Absence::NotOffered,
    })
}
