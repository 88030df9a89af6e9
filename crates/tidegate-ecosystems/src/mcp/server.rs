//! One server with its versions, as an index.

use std::cmp::Ordering;

use serde_json::{Map, Value};
use sha2::Digest as _;
use tidegate_model::{
    Ecosystem, FileName, ListedFile, PackageName, Sha256, Stated, Timestamp, Version, Yanked,
};
use url::Url;

use super::document::{self, OFFICIAL};
use super::offer::{self, Offer};
use super::{VERSION, VERSIONS, render, servers_url};
use crate::catalogue::{Listed, PartOf};
use crate::index::MAX_FILES;
use crate::{Index, IndexError, Links, Rendered, UpstreamBase, Verdict, Verdicts, View};

/// The file of a version that stands for its listing.
const LISTING: &str = "server.json";

/// What upstream says of an entry's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    Active,
    Deprecated,
    Deleted,
}

impl Status {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Deprecated => "deprecated",
            Self::Deleted => "deleted",
        }
    }
}

/// One version of a server.
#[derive(Debug)]
pub(super) struct Listing {
    pub(super) version: Version,
    /// What stands in it, as upstream wrote it.
    pub(super) server: Map<String, Value>,
    pub(super) status: Status,
    pub(super) status_message: Option<String>,
    pub(super) published_at: Option<Timestamp>,
    pub(super) updated_at: Option<Timestamp>,
    pub(super) offers: Vec<Offer>,
    parts: Vec<PartOf>,
    remotes: Vec<Url>,
    /// The same with its members in order.
    canonical: Vec<u8>,
    /// Positions of its files: that of the listing, and those of its bundles.
    pub(super) files: std::ops::Range<usize>,
}

/// A server of the registry.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) name: PackageName,
    /// In ascending order of versions.
    listings: Vec<Listing>,
    files: Vec<ListedFile>,
    /// Which listing each file belongs to.
    of_file: Vec<usize>,
    weight: usize,
}

impl Server {
    pub(super) fn read(
        name: &PackageName,
        upstream: &UpstreamBase,
        bytes: &[u8],
    ) -> Result<Self, IndexError> {
        let mut listings = Vec::new();
        for entry in document::entries(bytes)? {
            let Some(server) = entry.get("server").and_then(Value::as_object) else { continue };
            let found = server.get("name").and_then(Value::as_str).unwrap_or_default();
            if found != name.as_str() {
                let found = found.chars().take(80).collect::<String>().escape_debug().to_string();
                return Err(IndexError::OtherPackage { package: name.to_string(), found });
            }
            listings.push(listing(server, &entry["_meta"]));
        }
        listings.sort_by(|a, b| order(&a.version, &b.version));
        let mut all = Self {
            name: name.clone(),
            listings: Vec::new(),
            files: Vec::new(),
            of_file: Vec::new(),
            weight: bytes.len() * 4,
        };
        for mut listing in listings {
            let first = all.files.len();
            all.add_files(&listing, upstream);
            if all.files.len() > MAX_FILES {
                return Err(IndexError::TooMuch { package: name.to_string(), limit: "200,000 files" });
            }
            listing.files = first..all.files.len();
            all.listings.push(listing);
        }
        Ok(all)
    }

    /// The listing as a file, and each bundle that it names.
    fn add_files(&mut self, listing: &Listing, upstream: &UpstreamBase) {
        let version = listing.version.as_str();
        let Ok(name) = FileName::parse_path(&format!("{version}/{LISTING}")) else { return };
        let digest = Sha256::new(sha2::Sha256::digest(&listing.canonical).into());
        let location = servers_url(upstream, &[self.name.as_str(), "versions", version]);
        let own = ListedFile {
            version: listing.version.clone(),
            file: name,
            location,
            digests: vec![digest.into()],
            size: Some(listing.canonical.len() as u64),
            published_at: listing.published_at,
            yanked: (listing.status == Status::Deleted)
                .then(|| Yanked { reason: listing.status_message.clone() }),
            deprecated: (listing.status == Status::Deprecated)
                .then(|| listing.status_message.clone().unwrap_or_else(|| "deprecated".to_owned())),
            licence: Stated::NotOffered,
            install_script: Stated::NotOffered,
            publisher: Stated::NotOffered,
            attestation: Stated::NotOffered,
            metadata_sidecar: None,
        };
        let bundles = listing.offers.iter().filter_map(|offer| match offer {
            Offer::Bundle { file, location, digest, .. } => Some(ListedFile {
                file: file.clone(),
                location: location.clone(),
                digests: vec![digest.clone()],
                size: None,
                ..own.clone()
            }),
            _ => None,
        });
        let mut files = vec![own.clone()];
        files.extend(bundles);
        self.of_file.extend(std::iter::repeat_n(self.listings.len(), files.len()));
        self.files.extend(files);
    }

    pub(super) fn listing_of(&self, position: usize) -> Option<&Listing> {
        self.listings.get(*self.of_file.get(position)?)
    }

    /// What speaks against a version: the verdict on any of its files.
    fn withheld<'a>(&self, listing: &Listing, verdicts: Verdicts<'a>) -> Option<(usize, &'a Verdict)> {
        listing.files.clone().find_map(|at| Some((at, verdicts.get(at).filter(|verdict| verdict.withheld)?)))
    }

    /// The message of what withholds the version of a file.
    pub(super) fn message<'a>(&self, position: usize, verdicts: Verdicts<'a>) -> Option<&'a str> {
        let listing = self.listing_of(position)?;
        self.withheld(listing, verdicts).map(|(_, verdict)| verdict.message.as_str())
    }

    fn document(entries: Vec<Value>) -> Rendered {
        let body = crate::Catalogue::page(&super::Mcp, entries, None);
        Rendered::Document { content_type: super::JSON, body }
    }

    fn versions(&self, verdicts: Verdicts<'_>, links: &Links, with_gone: bool) -> Rendered {
        let listed = self.listed(verdicts);
        if !with_gone && listed.iter().all(|one| one.is_gone) {
            return self.nothing_left(verdicts);
        }
        // The latest is what people look for.
        let shown = listed.iter().rev().filter(|one| with_gone || !one.is_gone);
        Self::document(shown.filter_map(|one| self.entry(one, verdicts, links)).collect())
    }

    /// There is no version to be had: the reason of the newest that is withheld, else that upstream has none any more.
    fn nothing_left(&self, verdicts: Verdicts<'_>) -> Rendered {
        let mut withheld = self.listings.iter().rev().filter(|one| one.status != Status::Deleted);
        match withheld.find_map(|listing| self.withheld(listing, verdicts)) {
            Some((position, _)) => Rendered::Withheld(position),
            None => Rendered::Absent(format!("every version of {} was deleted upstream", self.name)),
        }
    }

    fn version(&self, wanted: &str, verdicts: Verdicts<'_>, links: &Links) -> Rendered {
        let listed = self.listed(verdicts);
        let found = match wanted {
            "latest" => match listed.iter().find(|one| one.is_latest) {
                Some(found) => Some(found),
                None => return self.nothing_left(verdicts),
            },
            wanted => listed.iter().find(|one| one.version == wanted),
        };
        let Some(found) = found else {
            return Rendered::Absent(format!("{} has no version {}", self.name, wanted.escape_debug()));
        };
        let listing = self.listing_of(found.position);
        if let Some((position, _)) = listing.and_then(|listing| self.withheld(listing, verdicts)) {
            return Rendered::Withheld(position);
        }
        if found.is_gone {
            return Rendered::Absent(format!("{} {} was deleted upstream", self.name, wanted.escape_debug()));
        }
        match self.entry(found, verdicts, links) {
            Some(entry) => {
                Rendered::Document { content_type: super::JSON, body: entry.to_string().into_bytes() }
            }
            None => Rendered::Absent(format!("{} has no version {}", self.name, wanted.escape_debug())),
        }
    }
}

fn listing(server: &Map<String, Value>, meta: &Value) -> Listing {
    let version = server.get("version").and_then(Value::as_str).unwrap_or_default();
    let official = &meta[OFFICIAL];
    let either =
        |new: &str, old: &str| official[new].as_str().or_else(|| official[old].as_str()).map(str::to_owned);
    // The status stood in the listing itself before it stood beside it.
    let status = match official["status"].as_str().or_else(|| server.get("status").and_then(Value::as_str)) {
        Some("deleted") => Status::Deleted,
        Some("deprecated") => Status::Deprecated,
        _ => Status::Active,
    };
    let offers = offer::read(server, version);
    let parts = offers.iter().filter_map(|offer| match offer {
        Offer::Package { part, .. } => Some(part.clone()),
        _ => None,
    });
    let remotes = offers.iter().filter_map(|offer| match offer {
        Offer::Remote { address, .. } => address.clone(),
        _ => None,
    });
    Listing {
        version: Version::parse(Ecosystem::Mcp, version),
        status,
        status_message: either("statusMessage", "status_message"),
        published_at: either("publishedAt", "published_at").and_then(|text| text.parse().ok()),
        updated_at: document::updated_at(meta),
        parts: parts.collect(),
        remotes: remotes.collect(),
        offers,
        canonical: sorted(&Value::Object(server.clone())).to_string().into_bytes(),
        server: server.clone(),
        files: 0..0,
    }
}

/// The same value with the members of every object in order, so that two spellings of one listing have one digest. Values
/// come from a parser that bounds how deep they nest.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Array(items) => Value::Array(items.iter().map(sorted).collect()),
        Value::Object(members) => {
            let mut keys: Vec<&String> = members.keys().collect();
            keys.sort_unstable();
            Value::Object(keys.into_iter().map(|key| (key.clone(), sorted(&members[key]))).collect())
        }
        other => other.clone(),
    }
}

/// The order of versions; two that it cannot tell apart by their text.
fn order(a: &Version, b: &Version) -> Ordering {
    a.cmp(b).then_with(|| a.as_str().cmp(b.as_str()))
}

impl Index for Server {
    fn package(&self) -> &PackageName {
        &self.name
    }

    fn files(&self) -> &[ListedFile] {
        &self.files
    }

    fn render(&self, view: &View, verdicts: Verdicts<'_>, links: &Links) -> Result<Rendered, IndexError> {
        match (view.form, view.selector.as_deref()) {
            (VERSIONS, with) => Ok(self.versions(verdicts, links, with == Some("gone"))),
            (VERSION, Some(wanted)) => Ok(self.version(wanted, verdicts, links)),
            (other, _) => Err(IndexError::NoSuchView(other.to_owned())),
        }
    }

    fn weight(&self) -> usize {
        self.weight + self.files.len() * 600
    }

    fn version_object(&self, position: usize) -> Option<&[u8]> {
        self.listing_of(position).map(|listing| &listing.canonical[..])
    }

    fn parts(&self, position: usize) -> &[PartOf] {
        self.listing_of(position).map_or(&[], |listing| &listing.parts)
    }

    fn remotes(&self, position: usize) -> &[Url] {
        self.listing_of(position).map_or(&[], |listing| &listing.remotes)
    }

    fn listed(&self, verdicts: Verdicts<'_>) -> Vec<Listed> {
        let mut listed: Vec<Listed> = Vec::with_capacity(self.listings.len());
        for listing in self.listings.iter().filter(|listing| !listing.files.is_empty()) {
            let is_withheld = self.withheld(listing, verdicts).is_some();
            listed.push(Listed {
                position: listing.files.start,
                version: listing.version.as_str().to_owned(),
                is_latest: false,
                is_gone: is_withheld || listing.status == Status::Deleted,
                updated_at: listing.updated_at.filter(|_| !is_withheld),
            });
        }
        let stable = |one: &&mut Listed| {
            let listing = self.listing_of(one.position);
            !one.is_gone && listing.is_some_and(|listing| !listing.version.is_prerelease())
        };
        let latest = match listed.iter_mut().rev().find(stable) {
            Some(latest) => Some(latest.position),
            None => listed.iter().rev().find(|one| !one.is_gone).map(|one| one.position),
        };
        listed.iter_mut().for_each(|one| one.is_latest = Some(one.position) == latest);
        listed
    }

    fn entry(&self, listed: &Listed, verdicts: Verdicts<'_>, links: &Links) -> Option<Value> {
        render::entry(self, listed, verdicts, links)
    }
}
