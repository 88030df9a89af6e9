//! The model hub: repositories with commits, branches and large files that lie on another host, with the bait of a hub that
//! would rather serve by Xet.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::StatusCode;
use serde_json::{Value, json};
use sha2::Digest as _;

use super::page::{Ask, Kind, Page, decoded};
use super::serve::State;

/// Entries on one page of a file list: few, so that lists have pages.
const PAGE_ENTRIES: usize = 3;

/// A repository.
#[derive(Debug, Default)]
pub(super) struct Repository {
    /// Commits by id, each with its files.
    pub(super) commits: BTreeMap<String, Commit>,
    /// Branches and tags.
    pub(super) refs: BTreeMap<String, String>,
    /// Members that its document has beside the usual ones.
    pub(super) more: BTreeMap<String, Value>,
}

/// One commit.
#[derive(Clone, Debug)]
pub(super) struct Commit {
    pub(super) at: String,
    pub(super) files: BTreeMap<String, HubFile>,
}

/// A file of a commit.
#[derive(Clone, Debug)]
pub struct HubFile {
    bytes: Bytes,
    large: bool,
}

impl HubFile {
    /// A small file, kept in git.
    pub fn small(bytes: impl Into<Bytes>) -> Self {
        Self { bytes: bytes.into(), large: false }
    }

    /// A file that is kept outside git, on the host of large files.
    pub fn large(bytes: impl Into<Bytes>) -> Self {
        Self { bytes: bytes.into(), large: true }
    }

    fn pointer(&self) -> Vec<u8> {
        let (oid, size) = (self.sha256(), self.bytes.len());
        format!("version https://git-lfs.example/spec/v1\noid sha256:{oid}\nsize {size}\n").into_bytes()
    }

    fn sha256(&self) -> String {
        hex::encode(sha2::Sha256::digest(&self.bytes))
    }

    /// The id that git gives what it keeps: the bytes, or the pointer in their place.
    fn oid(&self) -> String {
        let pointer = self.large.then(|| self.pointer());
        git_blob(pointer.as_deref().unwrap_or(&self.bytes))
    }

    fn entry(&self, path: &str) -> Value {
        let mut entry = json!({ "type": "file", "oid": self.oid(), "size": self.bytes.len(), "path": path });
        if self.large {
            entry["lfs"] = json!({
                "oid": self.sha256(), "size": self.bytes.len(), "pointerSize": self.pointer().len(),
            });
            entry["xetHash"] = json!("c0ffee".repeat(10));
        }
        entry
    }
}

/// git's id of a file with these bytes.
pub fn git_blob(bytes: &[u8]) -> String {
    let mut hasher = sha1::Sha1::new_with_prefix(format!("blob {}\0", bytes.len()));
    hasher.update(bytes);
    hex::encode(hasher.finalize())
}

/// Answers below `/hub/`.
pub(super) fn answer(state: &State, ask: Ask<'_>) -> Page {
    let parts: Vec<String> = ask.path.split('/').map(decoded).collect();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    match parts.as_slice() {
        ["api", "resolve-cache", rest @ ..] => cached(state, rest),
        ["api", kind, rest @ ..] => api(state, ask, kind, rest),
        rest => resolve(state, rest),
    }
}

/// The repository's key and what follows it: two parts of an id, or one where two name none.
fn repository<'a>(state: &State, kind: &str, parts: &'a [&'a str]) -> Option<(String, &'a [&'a str])> {
    let contents = state.catalog.read();
    let prefix = if kind == "models" { String::new() } else { format!("{kind}/") };
    [2, 1].into_iter().filter(|count| parts.len() >= *count).find_map(|count| {
        let key = format!("{prefix}{}", parts[..count].join("/"));
        let key = contents.hub_names.get(&key).unwrap_or(&key);
        contents.hub.contains_key(key).then(|| (key.clone(), &parts[count..]))
    })
}

fn absent(code: &'static str) -> Page {
    let mut page = Page::json(&json!({ "error": "not found" }));
    page.status = StatusCode::NOT_FOUND;
    page.with("X-Error-Code", code)
}

fn api(state: &State, ask: Ask<'_>, kind: &str, parts: &[&str]) -> Page {
    let Some((key, rest)) = repository(state, kind, parts) else { return absent("RepoNotFound") };
    let contents = state.catalog.read();
    let repository = &contents.hub[&key];
    let id = key.strip_prefix(&format!("{kind}/")).unwrap_or(&key);
    let (verb, revision) = match rest {
        [] => ("revision", "main"),
        ["refs"] => {
            let branches: Vec<Value> = repository
                .refs
                .iter()
                .map(|(name, to)| json!({ "name": name, "ref": format!("refs/heads/{name}"), "targetCommit": to }))
                .collect();
            return Page::json(&json!({ "branches": branches, "converts": [], "tags": [] }));
        }
        [verb, revision, ..] => (*verb, *revision),
        _ => return absent("RepoNotFound"),
    };
    let Some((commit_id, commit)) = find(repository, revision) else { return absent("RevisionNotFound") };
    match verb {
        "revision" => Page::json(&info(id, repository, commit_id, commit)),
        "tree" => tree(state, ask, commit, &key, commit_id),
        "commits" => Page::json(&json!([{ "id": commit_id, "title": "a change", "date": commit.at }])),
        "xet-read-token" => {
            Page::json(&json!({ "casUrl": format!("{}/cas", state.url), "accessToken": "bait", "exp": 0 }))
        }
        _ => absent("RepoNotFound"),
    }
}

fn find<'a>(repository: &'a Repository, revision: &str) -> Option<(&'a str, &'a Commit)> {
    let id = repository.refs.get(revision).map_or(revision, String::as_str);
    let by_beginning = |(full, commit): (&'a String, &'a Commit)| {
        (full == id || (id.len() >= 7 && full.starts_with(id))).then_some((full.as_str(), commit))
    };
    repository.commits.iter().find_map(by_beginning)
}

fn info(id: &str, repository: &Repository, commit_id: &str, commit: &Commit) -> Value {
    let siblings: Vec<Value> = commit.files.keys().map(|path| json!({ "rfilename": path })).collect();
    let mut info = json!({
        "_id": "621ffdc036468d709f17434d", "id": id, "modelId": id, "sha": commit_id, "private": false,
        "author": id.split('/').next(), "gated": false, "disabled": false, "downloads": 7, "likes": 1, "tags": [],
        "lastModified": commit.at, "createdAt": "2022-03-02T23:29:04.000Z", "siblings": siblings, "xetEnabled": true,
    });
    for (key, value) in &repository.more {
        info[key] = value.clone();
    }
    info
}

fn tree(state: &State, ask: Ask<'_>, commit: &Commit, key: &str, commit_id: &str) -> Page {
    let mut entries: Vec<Value> = commit.files.iter().map(|(path, file)| file.entry(path)).collect();
    let mut folders: Vec<&str> =
        commit.files.keys().filter_map(|path| path.rsplit_once('/').map(|(folder, _)| folder)).collect();
    folders.dedup();
    let folder = |path| json!({ "type": "directory", "oid": git_blob(b""), "size": 0, "path": path });
    entries.extend(folders.into_iter().map(folder));
    let cursor = ask.query.split('&').find_map(|pair| pair.strip_prefix("cursor="));
    let from: usize = cursor
        .and_then(|text| decoded(&text.replace('+', " ")).trim_start_matches("at ").parse().ok())
        .unwrap_or(0);
    let more = entries.len() > from + PAGE_ENTRIES;
    let page: Vec<Value> = entries.into_iter().skip(from).take(PAGE_ENTRIES).collect();
    let page = Page::json(&json!(page));
    if !more {
        return page;
    }
    let next =
        format!("{}/hub/api/models/{key}/tree/{commit_id}?cursor=at+{}", state.url, from + PAGE_ENTRIES);
    page.with("Link", format!("<{}>; rel=\"next\"", next.replace('+', "%20")))
}

/// `/<id>/resolve/<revision>/<path>`
fn resolve(state: &State, parts: &[&str]) -> Page {
    let (kind, parts) = match parts {
        [kind @ ("datasets" | "spaces"), rest @ ..] => (*kind, rest),
        rest => ("models", rest),
    };
    let Some((key, rest)) = repository(state, kind, parts) else { return absent("RepoNotFound") };
    let ["resolve", revision, path @ ..] = rest else { return absent("RepoNotFound") };
    let contents = state.catalog.read();
    let Some((commit_id, commit)) = find(&contents.hub[&key], revision) else {
        return absent("RevisionNotFound");
    };
    let path = path.join("/");
    let Some(file) = commit.files.get(&path) else { return absent("EntryNotFound") };
    let to = if file.large {
        format!("{}/cdn/{}", state.files_base, file.sha256())
    } else {
        format!("/hub/api/resolve-cache/{commit_id}/{}/{path}", key.replace('/', ":"))
    };
    let page = Page { status: StatusCode::FOUND, kind: Kind::Text, ..Page::text(StatusCode::FOUND, "") };
    let page = page
        .with("Location", to)
        .with("X-Repo-Commit", commit_id)
        .with("X-Linked-Size", file.bytes.len().to_string())
        .with("X-Linked-Etag", format!("\"{}\"", if file.large { file.sha256() } else { file.oid() }));
    if !file.large {
        return page;
    }
    let refresh = format!("{}/hub/api/models/{key}/xet-read-token/{commit_id}", state.url);
    page.with("X-Xet-Hash", "c0ffee".repeat(10)).with("X-Xet-Refresh-Route", refresh.clone()).with(
        "Link",
        format!("<{refresh}>; rel=\"xet-auth\", <{}/cas/x>; rel=\"xet-reconstruction-info\"", state.url),
    )
}

/// Small files, behind a redirect to the same host.
fn cached(state: &State, parts: &[&str]) -> Page {
    let [commit_id, key, path @ ..] = parts else { return Page::not_found() };
    let contents = state.catalog.read();
    let commit = contents.hub.get(&key.replace(':', "/")).and_then(|r| r.commits.get(*commit_id));
    let file = commit.and_then(|commit| commit.files.get(&path.join("/")));
    file.map_or_else(|| absent("EntryNotFound"), |file| Page::file(file.bytes.clone()))
}

/// Large files, by digest, as a content network has them.
pub(super) fn content(state: &State, sha256: &str) -> Page {
    let contents = state.catalog.read();
    let mut files = contents.hub.values().flat_map(|r| r.commits.values()).flat_map(|c| c.files.values());
    let found = files.find(|file| file.large && file.sha256() == sha256);
    found.map_or_else(Page::not_found, |file| Page::file(file.bytes.clone()))
}
