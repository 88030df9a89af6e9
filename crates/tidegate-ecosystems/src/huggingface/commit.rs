//! The index of one commit: its files, what upstream says of it, and the views that clients ask for.

use std::collections::HashSet;

use serde_json::{Map, Value, json};
use tidegate_model::{FileName, ListedFile, PackageName, Stated, Timestamp, Version, Yanked};

use super::listing::{Entry, Kind, Listing, broken};
use super::{JSON, file_url, kind_and_id};
use crate::{FetchedDocument, Index, IndexError, Links, Rendered, UpstreamBase, Verdicts, View};

/// What upstream says of a revision, with its files.
pub(super) const INFO: &str = "hub-info";
/// Files and folders, as a list.
pub(super) const TREE: &str = "hub-tree";
/// The same of paths that the request names.
pub(super) const PATHS: &str = "hub-paths";

/// A commit, read.
#[derive(Debug)]
pub(super) struct Commit {
    package: PackageName,
    commit: Version,
    entries: Vec<Entry>,
    files: Vec<ListedFile>,
    /// What upstream said of the commit when it was first fetched.
    info: Map<String, Value>,
    weight: usize,
}

impl Commit {
    /// Reads a listing in its normal form, and what upstream says beside it.
    pub(super) fn read(
        package: &PackageName,
        upstream: &UpstreamBase,
        listing: &[u8],
        info: Option<&FetchedDocument>,
    ) -> Result<Self, IndexError> {
        let read: Listing = serde_json::from_slice(listing).map_err(|e| broken(package, e.to_string()))?;
        if read.repository != package.as_str() {
            return Err(IndexError::OtherPackage { package: package.to_string(), found: read.repository });
        }
        let commit = Version::parse(package.ecosystem(), &read.commit);
        if !commit.is_valid() {
            return Err(broken(package, "it names no commit"));
        }
        let (info, info_bytes) = match info {
            Some(document) => match serde_json::from_slice(&document.body) {
                Ok(Value::Object(info)) => (info, document.body.len()),
                _ => (Map::new(), 0),
            },
            None => (Map::new(), 0),
        };
        let files = files(package, &commit, upstream, &read.entries, &info);
        let weight = listing.len() * 4 + info_bytes * 3;
        Ok(Self { package: package.clone(), commit, entries: read.entries, files, info, weight })
    }

    /// Whether anything of the commit may be had. Where nothing may, the views refuse too, and say why.
    fn withheld(verdicts: Verdicts<'_>) -> Option<usize> {
        (!verdicts.is_empty() && verdicts.iter().all(|verdict| verdict.withheld)).then_some(0)
    }

    fn document(&self, with_blobs: bool) -> Value {
        let mut info = self.info.clone();
        // Xet would lead past the door, and scan results of others belong to what they were asked of.
        info.retain(|key, _| !key.to_ascii_lowercase().contains("xet") && !key.starts_with("security"));
        let (_, id) = kind_and_id(&self.package);
        info.insert("id".into(), id.into());
        if info.contains_key("modelId") {
            info.insert("modelId".into(), id.into());
        }
        info.insert("sha".into(), self.commit.as_str().into());
        let files = self.entries.iter().filter(|entry| entry.kind == Kind::File);
        let siblings: Vec<Value> = files.map(|entry| sibling(entry, with_blobs)).collect();
        info.insert("siblings".into(), siblings.into());
        Value::Object(info)
    }

    fn tree(&self, recursive: bool, folder: &str) -> Option<Vec<Value>> {
        let below = |entry: &&Entry| {
            let rest = match folder {
                "" => Some(entry.path.as_str()),
                folder => entry.path.strip_prefix(folder).and_then(|rest| rest.strip_prefix('/')),
            };
            rest.is_some_and(|rest| recursive || !rest.contains('/'))
        };
        let found: Vec<Value> = self.entries.iter().filter(below).map(listed).collect();
        (folder.is_empty() || !found.is_empty()).then_some(found)
    }

    fn paths(&self, paths: &str) -> Vec<Value> {
        let wanted: HashSet<&str> = paths.split('\n').collect();
        self.entries.iter().filter(|entry| wanted.contains(entry.path.as_str())).map(listed).collect()
    }
}

impl Index for Commit {
    fn package(&self) -> &PackageName {
        &self.package
    }

    fn files(&self) -> &[ListedFile] {
        &self.files
    }

    fn render(&self, view: &View, verdicts: Verdicts<'_>, _links: &Links) -> Result<Rendered, IndexError> {
        if let Some(position) = Self::withheld(verdicts) {
            return Ok(Rendered::Withheld(position));
        }
        let selector = view.selector.as_deref().unwrap_or_default();
        let (_, argument) = selector.split_once('\n').unwrap_or((selector, ""));
        let body = match view.form {
            INFO => self.document(argument == "blobs"),
            TREE => {
                let (depth, folder) = argument.split_once('\n').unwrap_or((argument, ""));
                match self.tree(depth == "all", folder) {
                    Some(entries) => entries.into(),
                    None => return Ok(Rendered::Absent(format!("there is no folder `{folder}`"))),
                }
            }
            PATHS => self.paths(argument).into(),
            other => return Err(IndexError::NoSuchView(other.to_owned())),
        };
        let body = serde_json::to_vec(&body).expect("plain values");
        Ok(Rendered::Document { content_type: JSON, body })
    }

    fn weight(&self) -> usize {
        self.weight
    }

    fn project_published_at(&self) -> Option<Timestamp> {
        time(&self.info, "createdAt")
    }
}

fn sibling(entry: &Entry, with_blobs: bool) -> Value {
    if !with_blobs {
        return json!({ "rfilename": entry.path });
    }
    let mut sibling = json!({ "rfilename": entry.path, "blobId": entry.oid, "size": entry.bytes() });
    if let Some(lfs) = &entry.lfs {
        sibling["lfs"] = json!({ "sha256": lfs.oid, "size": lfs.size, "pointerSize": lfs.pointer_size });
    }
    sibling
}

fn listed(entry: &Entry) -> Value {
    let mut listed = serde_json::to_value(entry).expect("plain values");
    if entry.kind == Kind::File {
        listed["size"] = entry.bytes().into();
    }
    listed
}

fn time(info: &Map<String, Value>, key: &str) -> Option<Timestamp> {
    info.get(key)?.as_str()?.parse().ok()
}

/// The files about which something can be decided: those with a digest that is promised.
fn files(
    package: &PackageName,
    commit: &Version,
    upstream: &UpstreamBase,
    entries: &[Entry],
    info: &Map<String, Value>,
) -> Vec<ListedFile> {
    let published_at = time(info, "lastModified");
    let author = info.get("author").and_then(Value::as_str).or_else(|| package.scope());
    let publisher = author.map_or(Stated::NotOffered, |author| Stated::Known(author.to_owned()));
    let disabled = info.get("disabled") == Some(&Value::Bool(true));
    let licence = licence(info);
    let files = entries.iter().filter(|entry| entry.kind == Kind::File);
    files
        .filter_map(|entry| {
            Some(ListedFile {
                version: commit.clone(),
                file: FileName::parse_path(&entry.path).ok()?,
                location: file_url(upstream, package, commit.as_str(), &entry.path),
                digests: vec![entry.digest()?],
                size: Some(entry.bytes()),
                published_at,
                yanked: disabled
                    .then(|| Yanked { reason: Some("upstream has disabled the repository".into()) }),
                deprecated: None,
                licence: licence.clone(),
                // Nothing is installed; what loading runs is for inspection to say.
                install_script: Stated::Known(false),
                publisher: publisher.clone(),
                attestation: Stated::NotOffered,
                metadata_sidecar: None,
            })
        })
        .collect()
}

/// The licence on the repository's card, else in its tags.
fn licence(info: &Map<String, Value>) -> Stated<String> {
    let on_card = info.get("cardData").and_then(|card| card.get("license")).map(|licence| match licence {
        Value::Array(all) => all.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" AND "),
        other => other.as_str().unwrap_or_default().to_owned(),
    });
    let tags = info.get("tags").and_then(Value::as_array);
    let in_tags = || {
        let tags = tags?.iter().filter_map(Value::as_str);
        tags.filter_map(|tag| tag.strip_prefix("license:")).next().map(str::to_owned)
    };
    match on_card.or_else(in_tags) {
        Some(text) => Stated::Known(spdx(&text)),
        None if tags.is_some() => Stated::Known(String::new()),
        None => Stated::NotOffered,
    }
}

/// The hub writes ids of the SPDX list in lower case, and words of its own (`openrail`, `llama3`), which stay as they are.
fn spdx(text: &str) -> String {
    let lower = text.to_ascii_lowercase();
    SPDX.iter().find(|id| id.to_ascii_lowercase() == lower).map_or_else(
        || match lower.as_str() {
            // Without `-only` these are ids that SPDX has withdrawn.
            "gpl-2.0" | "gpl-3.0" | "lgpl-3.0" | "agpl-3.0" => format!("{}-only", lower.to_ascii_uppercase()),
            _ => text.to_owned(),
        },
        |id| (*id).to_owned(),
    )
}

/// The ids of the SPDX list that models carry most, in its spelling.
const SPDX: [&str; 14] = [
    "Apache-2.0",
    "MIT",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "MPL-2.0",
    "ISC",
    "Unlicense",
    "CC0-1.0",
    "CC-BY-4.0",
    "CC-BY-SA-4.0",
    "CC-BY-NC-4.0",
    "CC-BY-NC-SA-4.0",
    "BSL-1.0",
    "Artistic-2.0",
];
