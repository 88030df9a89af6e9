//! What upstream says of a revision and of a commit's files, read and brought into one form.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tidegate_model::version::is_commit;
use tidegate_model::{Algorithm, Digest, Ecosystem, FileName, PackageName, Version};

use super::kind_and_id;
use crate::IndexError;
use crate::commits::Pointer;
use crate::index::MAX_FILES;

/// A commit's file list as it is kept: what a decision on the commit is about.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Listing {
    pub(super) repository: String,
    pub(super) commit: String,
    /// Ordered by path, so that the same commit always gives the same bytes.
    pub(super) entries: Vec<Entry>,
}

/// A file or a folder. Only what is read here is kept: nothing of Xet.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Entry {
    pub(super) path: String,
    #[serde(rename = "type")]
    pub(super) kind: Kind,
    /// git's id: of the bytes, or of the pointer in whose place they are stored elsewhere.
    pub(super) oid: String,
    #[serde(default)]
    pub(super) size: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) lfs: Option<Lfs>,
}

/// What kind of thing an entry is; others are left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Kind {
    File,
    Directory,
}

/// A file that is stored outside git.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Lfs {
    /// SHA-256 of the bytes.
    #[serde(alias = "sha256")]
    pub(super) oid: String,
    pub(super) size: u64,
    #[serde(default)]
    pub(super) pointer_size: u64,
}

impl Entry {
    /// The digest that the list promises; none where it promises nothing that can be compared.
    pub(super) fn digest(&self) -> Option<Digest> {
        match &self.lfs {
            Some(lfs) => {
                Digest::from_hex(Algorithm::Sha256, lfs.oid.strip_prefix("sha256:").unwrap_or(&lfs.oid))
            }
            None => Digest::from_hex(Algorithm::GitBlob, &self.oid),
        }
    }

    /// How many bytes the file has.
    pub(super) fn bytes(&self) -> u64 {
        self.lfs.as_ref().map_or(self.size, |lfs| lfs.size)
    }
}

pub(super) fn broken(package: &PackageName, why: impl Into<String>) -> IndexError {
    IndexError::Malformed { package: package.to_string(), why: why.into() }
}

/// Reads which commit a revision is.
pub(super) fn pointer(package: &PackageName, body: &[u8]) -> Result<Pointer, IndexError> {
    let info: Value = serde_json::from_slice(body).map_err(|e| broken(package, e.to_string()))?;
    let commit = info["sha"].as_str().filter(|sha| is_commit(sha));
    let commit = commit.ok_or_else(|| broken(package, "it names no commit"))?;
    let (kind, _) = kind_and_id(package);
    let id = info["id"].as_str().unwrap_or_default();
    let other = || IndexError::OtherPackage {
        package: package.to_string(),
        found: id.chars().take(80).collect::<String>().escape_debug().to_string(),
    };
    // Old names and other letter case lead to a repository's name of today; decisions are made on that one.
    let name = if kind == "models" { id.to_owned() } else { format!("{kind}/{id}") };
    let found = PackageName::parse(Ecosystem::Huggingface, &name).map_err(|_| other())?;
    if kind_and_id(&found).0 != kind {
        return Err(other());
    }
    Ok(Pointer { package: found, commit: Version::parse(Ecosystem::Huggingface, commit) })
}

/// The cursor of the next page in a `Link` header (RFC 8288).
pub(super) fn next_cursor(link: &str) -> Option<String> {
    let is_next = |part: &&str| {
        part.split(';').skip(1).any(|p| p.trim().trim_start_matches("rel=").trim_matches('"') == "next")
    };
    let part = link.split(',').find(is_next)?;
    let address = part.trim().strip_prefix('<')?.split('>').next()?;
    let (_, query) = address.split_once('?')?;
    let cursor = url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "cursor")?.1;
    (!cursor.is_empty() && cursor.len() <= MAX_CURSOR_BYTES).then(|| cursor.into_owned())
}

/// The longest cursor that is followed.
const MAX_CURSOR_BYTES: usize = 2_048;

/// Brings the pages of a file list into one document.
pub(super) fn write(pointer: &Pointer, pages: &[Bytes]) -> Result<Bytes, IndexError> {
    let package = &pointer.package;
    let mut entries = BTreeMap::new();
    for page in pages {
        let page: Vec<Value> = serde_json::from_slice(page)
            .map_err(|e| broken(package, format!("its list of files cannot be read: {e}")))?;
        for entry in page {
            // A kind of entry that came after this was written cannot be served, so it is not listed.
            let Ok(entry) = serde_json::from_value::<Entry>(entry) else { continue };
            if FileName::parse_path(&entry.path).is_err() {
                continue;
            }
            if entries.len() == MAX_FILES {
                return Err(IndexError::TooMuch { package: package.to_string(), limit: "200,000 files" });
            }
            let path = entry.path.clone();
            if entries.insert(path, entry).is_some() {
                return Err(broken(package, "its list of files names a path twice"));
            }
        }
    }
    let listing = Listing {
        repository: package.to_string(),
        commit: pointer.commit.as_str().to_owned(),
        entries: entries.into_values().collect(),
    };
    Ok(serde_json::to_vec(&listing).expect("plain values").into())
}
