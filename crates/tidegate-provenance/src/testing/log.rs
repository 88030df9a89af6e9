//! The log of signatures, of the first generation: promise, inclusion proof and checkpoint.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::KeyPair;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tidegate_model::Timestamp;

use super::{key, log_id, sign, trusted_log};

const ORIGIN: &str = "rekor.test - 1";

pub(super) struct Log {
    key: KeyPair,
}

impl Log {
    pub(super) fn new() -> Self {
        Self { key: key() }
    }

    pub(super) fn trusted(&self) -> Value {
        trusted_log(&self.key, "https://rekor.test")
    }

    /// An entry for an envelope. `verifier` is PEM: the certificate or the key.
    pub(super) fn dsse(&self, payload: &[u8], signature: &[u8], verifier: &str, at: Timestamp) -> Value {
        let digest = hex::encode(Sha256::digest(payload));
        let body = json!({
            "apiVersion": "0.0.1", "kind": "dsse",
            "spec": {
                "envelopeHash": { "algorithm": "sha256", "value": digest },
                "payloadHash": { "algorithm": "sha256", "value": digest },
                "signatures": [{ "signature": STANDARD.encode(signature), "verifier": STANDARD.encode(verifier) }],
            },
        });
        self.entry("dsse", &body, at)
    }

    /// An entry for a signature over bytes.
    pub(super) fn hashed(&self, bytes: &[u8], signature: &[u8], verifier: &str, at: Timestamp) -> Value {
        let body = json!({
            "apiVersion": "0.0.1", "kind": "hashedrekord",
            "spec": {
                "data": { "hash": { "algorithm": "sha256", "value": hex::encode(Sha256::digest(bytes)) } },
                "signature": {
                    "content": STANDARD.encode(signature),
                    "publicKey": { "content": STANDARD.encode(verifier) },
                },
            },
        });
        self.entry("hashedrekord", &body, at)
    }

    /// The second of two entries of a tree.
    fn entry(&self, kind: &str, body: &Value, at: Timestamp) -> Value {
        let body = body.to_string();
        let (before, ours) = (leaf(b"an entry before"), leaf(body.as_bytes()));
        let root = node(before, ours);
        let index = 41;
        let promised = format!(
            r#"{{"body":"{}","integratedTime":{},"logID":"{}","logIndex":{index}}}"#,
            STANDARD.encode(&body),
            at.unix_seconds(),
            hex::encode(log_id(&self.key)),
        );
        json!({
            "logIndex": index.to_string(),
            "logId": { "keyId": STANDARD.encode(log_id(&self.key)) },
            "kindVersion": { "kind": kind, "version": "0.0.1" },
            "integratedTime": at.unix_seconds().to_string(),
            "inclusionPromise": { "signedEntryTimestamp": STANDARD.encode(sign(&self.key, promised.as_bytes())) },
            "inclusionProof": {
                "logIndex": "1",
                "rootHash": STANDARD.encode(root),
                "treeSize": "2",
                "hashes": [STANDARD.encode(before)],
                "checkpoint": { "envelope": self.checkpoint(root) },
            },
            "canonicalizedBody": STANDARD.encode(&body),
        })
    }

    fn checkpoint(&self, root: [u8; 32]) -> String {
        let text = format!("{ORIGIN}\n2\n{}\n", STANDARD.encode(root));
        let mut signature = log_id(&self.key)[..4].to_vec();
        signature.extend(sign(&self.key, text.as_bytes()));
        let name = ORIGIN.split(' ').next().unwrap_or(ORIGIN);
        format!("{text}\n\u{2014} {name} {}\n", STANDARD.encode(signature))
    }
}

fn leaf(body: &[u8]) -> [u8; 32] {
    Sha256::new().chain_update([0]).chain_update(body).finalize().into()
}

fn node(left: [u8; 32], right: [u8; 32]) -> [u8; 32] {
    Sha256::new().chain_update([1]).chain_update(left).chain_update(right).finalize().into()
}
