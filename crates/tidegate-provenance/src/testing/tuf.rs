//! A repository of The Update Framework with one key for every role.

use std::collections::BTreeMap;

use rcgen::KeyPair;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{key, sign};
use crate::tuf::{Files, TRUSTED_ROOT};

/// The id of the one key.
const KEY_ID: &str = "the-one-key";

/// Until when the slow roles hold.
const LONG: &str = "2099-01-01T00:00:00Z";

/// A repository.
pub struct TufRepository {
    key: KeyPair,
}

impl Default for TufRepository {
    fn default() -> Self {
        Self::new()
    }
}

impl TufRepository {
    /// A repository with a key of its own.
    pub fn new() -> Self {
        Self { key: key() }
    }

    /// Its `root.json` of a version.
    pub fn root(&self, version: u64) -> Vec<u8> {
        let role = json!({ "keyids": [KEY_ID], "threshold": 1 });
        let public = json!({ "keytype": "ecdsa", "scheme": "ecdsa-sha2-nistp256", "keyval": { "public": self.key.public_key_pem() } });
        self.signed(&json!({
            "_type": "root", "spec_version": "1.0.31", "version": version, "expires": LONG, "consistent_snapshot": true,
            "keys": { KEY_ID: public },
            "roles": { "root": role, "timestamp": role, "snapshot": role, "targets": role },
        }))
    }

    /// All its files at a version: roots up to it, and `targets` (with the instance's root among them) current until
    /// `expires`.
    pub fn files(&self, version: u64, expires: &str, targets: &BTreeMap<String, Vec<u8>>) -> Files {
        let listed: BTreeMap<&String, Value> =
            targets.iter().map(|(path, bytes)| (path, pinned(bytes))).collect();
        let listed = self.signed(&json!({ "_type": "targets", "spec_version": "1.0.31", "version": version, "expires": LONG, "targets": listed }));
        let snapshot = self.signed(&json!({
            "_type": "snapshot", "spec_version": "1.0.31", "version": version, "expires": LONG,
            "meta": { "targets.json": versioned(&listed, version) },
        }));
        let timestamp = self.signed(&json!({
            "_type": "timestamp", "spec_version": "1.0.31", "version": version, "expires": expires,
            "meta": { "snapshot.json": versioned(&snapshot, version) },
        }));
        let mut metadata: BTreeMap<String, Vec<u8>> =
            (1..=version).map(|v| (format!("{v}.root.json"), self.root(v))).collect();
        metadata.insert("timestamp.json".to_owned(), timestamp);
        metadata.insert(format!("{version}.snapshot.json"), snapshot);
        metadata.insert(format!("{version}.targets.json"), listed);
        let named = targets.iter().map(|(path, bytes)| (with_digest(path, bytes), bytes.clone())).collect();
        Files::new(metadata, named)
    }

    /// The files of a repository that holds `trusted_root` alone.
    pub fn of_root(&self, version: u64, expires: &str, trusted_root: &str) -> Files {
        let targets = BTreeMap::from([(TRUSTED_ROOT.to_owned(), trusted_root.as_bytes().to_vec())]);
        self.files(version, expires, &targets)
    }

    fn signed(&self, signed: &Value) -> Vec<u8> {
        let canonical = sigstore_tuf::canonical_json::to_canonical_bytes(signed).expect("integers alone");
        let signature = hex::encode(sign(&self.key, &canonical));
        json!({ "signed": signed, "signatures": [{ "keyid": KEY_ID, "sig": signature }] })
            .to_string()
            .into_bytes()
    }
}

impl Files {
    /// Writes the files as a repository lies on a server: metadata in `folder`, targets in its `targets/`.
    ///
    /// # Panics
    /// If it cannot.
    pub fn write(&self, folder: &std::path::Path) {
        let [metadata, targets] = self.parts();
        for (below, files) in [(folder.to_owned(), metadata), (folder.join("targets"), targets)] {
            for (name, bytes) in files {
                let path = below.join(name);
                std::fs::create_dir_all(path.parent().expect("in a folder")).expect("a folder");
                std::fs::write(path, bytes).expect("a file");
            }
        }
    }
}

fn pinned(bytes: &[u8]) -> Value {
    json!({ "length": bytes.len(), "hashes": { "sha256": hex::encode(Sha256::digest(bytes)) } })
}

fn versioned(bytes: &[u8], version: u64) -> Value {
    let mut entry = pinned(bytes);
    entry["version"] = version.into();
    entry
}

/// A target's path with its digest before the last part, as repositories with consistent snapshots keep it.
fn with_digest(path: &str, bytes: &[u8]) -> String {
    let digest = hex::encode(Sha256::digest(bytes));
    match path.rsplit_once('/') {
        Some((folder, name)) => format!("{folder}/{digest}.{name}"),
        None => format!("{digest}.{path}"),
    }
}
