//! A project's simple page in one shape, whichever form it came in.

use std::collections::{HashMap, HashSet};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::{Map, Value};
use tidegate_model::{
    Algorithm, Digest, Ecosystem, FileName, ListedFile, PackageName, Stated, Version, Yanked,
};
use url::Url;

use super::filename::{self, Kind};
use super::{html, json};
use crate::index::MAX_FILES;
use crate::{FetchedDocument, IndexError};

/// A page, read.
#[derive(Debug, Default)]
pub(super) struct Page {
    /// `major.minor` of PEP 629, where given.
    pub(super) api_version: Option<String>,
    /// PEP 792.
    pub(super) status: Option<Status>,
    /// PEP 708: projects of other repositories that this one extends.
    pub(super) tracks: Vec<String>,
    /// PEP 708: other repositories of the same project.
    pub(super) alternate_locations: Vec<String>,
    /// Every version, where the upstream lists them (PEP 700).
    pub(super) versions: Option<Vec<String>>,
    /// Members of JSON's `meta` that no standard read here names.
    pub(super) extra_meta: Map<String, Value>,
    /// Members of the JSON document that no standard read here names.
    pub(super) extra: Map<String, Value>,
    /// The files, in the document's order.
    pub(super) files: Vec<ListedFile>,
    /// What the page says of each file beyond that, in the same order.
    pub(super) links: Vec<Link>,
}

/// What the index says of a whole project (PEP 792).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Status {
    /// `active`, `archived`, `deprecated`, `quarantined`, or a word from after this was written.
    pub(super) status: String,
    /// Why, where given.
    pub(super) reason: Option<String>,
}

/// What a page says of a file, as written, so that it is passed on as written.
#[derive(Debug, Default)]
pub(super) struct Link {
    /// Algorithm and digits.
    pub(super) hashes: Pairs,
    pub(super) requires_python: Option<String>,
    /// The sidecar's hashes; empty where one is announced without any.
    pub(super) core_metadata: Option<Pairs>,
    pub(super) gpg_sig: Option<bool>,
    /// The reason, empty where there is none; `None` where the file is not yanked.
    pub(super) yanked: Option<String>,
    pub(super) upload_time: Option<String>,
    pub(super) provenance: Option<Url>,
    /// Members of the JSON object that no standard read here names.
    pub(super) extra: Map<String, Value>,
}

/// Names and values in their order.
pub(super) type Pairs = Vec<(String, String)>;

/// A file as a form states it, before it is known whether anything can be decided about it.
#[derive(Debug)]
pub(super) struct Candidate {
    pub(super) file_name: String,
    pub(super) location: Url,
    pub(super) size: Option<u64>,
    pub(super) link: Link,
}

/// Reads a page in either form.
pub(super) fn read(package: &PackageName, document: &FetchedDocument) -> Result<Page, IndexError> {
    let media = document.content_type.as_deref().unwrap_or_default().to_ascii_lowercase();
    let looks_like_json = || document.body.iter().find(|b| !b.is_ascii_whitespace()) == Some(&b'{');
    let is_json = if media.contains("json") {
        true
    } else if media.contains("html") {
        false
    } else {
        // A thin mirror may label nothing.
        looks_like_json()
    };
    let page = if is_json { json::read(package, document)? } else { html::read(package, document)? };
    check_api_version(package, page.api_version.as_deref())?;
    Ok(page)
}

/// PEP 629: another major version means another format.
fn check_api_version(package: &PackageName, version: Option<&str>) -> Result<(), IndexError> {
    let Some(version) = version else { return Ok(()) };
    if version.split('.').next() == Some("1") {
        return Ok(());
    }
    let shown = version.chars().take(20).collect::<String>();
    Err(malformed(package, format!("its API version is `{}`, only 1.x is known", shown.escape_debug())))
}

pub(super) fn malformed(package: &PackageName, why: impl Into<String>) -> IndexError {
    IndexError::Malformed { package: package.to_string(), why: why.into() }
}

/// Refuses a document that says it is about another project.
pub(super) fn check_name(package: &PackageName, found: &str) -> Result<(), IndexError> {
    match PackageName::parse(Ecosystem::Pypi, found) {
        Ok(name) if name == *package => Ok(()),
        _ => Err(IndexError::OtherPackage {
            package: package.to_string(),
            found: found.chars().take(80).collect::<String>().escape_debug().to_string(),
        }),
    }
}

/// Collects the files of a page and leaves out those about which nothing could be decided.
pub(super) struct Files<'a> {
    package: &'a PackageName,
    seen: HashSet<FileName>,
    versions: HashMap<Box<str>, Version>,
    files: Vec<ListedFile>,
    links: Vec<Link>,
}

impl<'a> Files<'a> {
    pub(super) fn of(package: &'a PackageName) -> Self {
        Self { package, seen: HashSet::new(), versions: HashMap::new(), files: Vec::new(), links: Vec::new() }
    }

    /// Adds a file; left out are those whose name cannot be a file's or belongs to another project, whose address no
    /// door could fetch, whose digest is no digest, and a second file of the same name.
    pub(super) fn add(&mut self, mut candidate: Candidate) -> Result<(), IndexError> {
        let Some(listed) = self.listed(&candidate) else { return Ok(()) };
        if listed.published_at.is_none() {
            // A time that is none would trip clients, and is no claim that could be passed on.
            candidate.link.upload_time = None;
        }
        if self.files.len() == MAX_FILES {
            return Err(IndexError::TooMuch { package: self.package.to_string(), limit: "200,000 files" });
        }
        if self.seen.insert(listed.file.clone()) {
            self.files.push(listed);
            self.links.push(candidate.link);
        }
        Ok(())
    }

    fn listed(&mut self, candidate: &Candidate) -> Option<ListedFile> {
        let file = FileName::parse(&candidate.file_name).ok()?;
        let (kind, version) = filename::read(file.as_str(), self.package)?;
        // Most files share their version with the one before: keep one copy of each.
        let version = self.versions.entry(version.as_str().into()).or_insert(version).clone();
        let link = &candidate.link;
        Some(ListedFile {
            version,
            file,
            location: fetchable(candidate.location.clone())?,
            digests: digests(&link.hashes)?,
            size: candidate.size,
            published_at: link.upload_time.as_deref().and_then(|text| text.parse().ok()),
            yanked: link.yanked.as_deref().map(yanked),
            deprecated: None,
            licence: Stated::NotOffered,
            install_script: install_script(kind),
            publisher: Stated::NotOffered,
            attestation: Stated::NotOffered,
            metadata_sidecar: match &link.core_metadata {
                Some(hashes) => Some(digests(hashes)?),
                None => None,
            },
        })
    }

    /// The files and what the page says of each.
    pub(super) fn finish(self) -> (Vec<ListedFile>, Vec<Link>) {
        (self.files, self.links)
    }
}

pub(super) fn yanked(reason: &str) -> Yanked {
    Yanked { reason: Some(reason.to_owned()).filter(|reason| !reason.is_empty()) }
}

/// A wheel is unpacked; building from source runs what the project wrote.
const fn install_script(kind: Kind) -> Stated<bool> {
    match kind {
        Kind::Wheel => Stated::Known(false),
        Kind::Source => Stated::Known(true),
        Kind::Legacy => Stated::NotOffered,
    }
}

/// Digests of the algorithms we can compare, strongest first; `None` where one of them promises what cannot be one.
fn digests(hashes: &Pairs) -> Option<Vec<Digest>> {
    let mut digests = Vec::with_capacity(hashes.len());
    for (algorithm, digits) in hashes {
        let known =
            [Algorithm::Sha512, Algorithm::Sha384, Algorithm::Sha256, Algorithm::Sha1, Algorithm::Md5]
                .into_iter()
                .find(|known| known.as_str() == algorithm);
        if let Some(known) = known {
            digests.push(Digest::from_hex(known, digits)?);
        }
    }
    digests.sort_by_key(Digest::algorithm);
    Some(digests)
}

/// An address a door can fetch from: http or https with a host, without credentials and fragment.
fn fetchable(mut url: Url) -> Option<Url> {
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return None;
    }
    url.set_fragment(None);
    // Only the operator's configuration holds credentials; those of a page would end in records and messages.
    url.set_username("").ok()?;
    url.set_password(None).ok()?;
    Some(url)
}

/// The last segment of an address, decoded: the name of the file that it leads to.
pub(super) fn last_segment(url: &Url) -> Option<String> {
    let last = url.path_segments()?.next_back()?;
    percent_decode_str(last).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}

/// `algorithm=digits` pairs of a link's fragment; anything else in it (`egg=…`) is passed over.
pub(super) fn fragment_hashes(fragment: &str) -> Pairs {
    fragment.split('&').filter_map(hash_pair).collect()
}

/// One `algorithm=digits`, as in fragments and in `data-core-metadata`.
pub(super) fn hash_pair(text: &str) -> Option<(String, String)> {
    let (algorithm, digits) = text.split_once('=')?;
    is_hash(algorithm, digits).then(|| (algorithm.to_owned(), digits.to_owned()))
}

/// Whether the pair names an algorithm by a name that can be one. Digits of algorithms we know are checked later.
pub(super) fn is_hash(algorithm: &str, digits: &str) -> bool {
    const FAMILIES: [&str; 4] = ["sha", "md5", "blake", "shake"];
    FAMILIES.iter().any(|family| algorithm.starts_with(family))
        && algorithm.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b))
        && !digits.is_empty()
        && digits.bytes().all(|b| b.is_ascii_alphanumeric())
}

/// What stays as it is in a path segment (RFC 3986 §2.3). `+` is encoded, as some servers read it as a space.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'!');

/// `text` as one path segment.
pub(super) fn encode(text: &str) -> impl std::fmt::Display + '_ {
    utf8_percent_encode(text, SEGMENT)
}

/// Where a file lies below the repository's base.
pub(super) fn artifact_path(package: &PackageName, file: &FileName) -> String {
    format!("files/{package}/{}", encode(file.as_str()))
}

/// Where a file's provenance lies below the repository's base.
pub(super) fn integrity_path(package: &PackageName, version: &str, file: &FileName) -> String {
    format!("integrity/{package}/{}/{}/provenance", encode(version), encode(file.as_str()))
}
