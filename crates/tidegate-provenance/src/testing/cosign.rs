//! Signatures as cosign 2 keeps them: a simple-signing payload, and what proves it in annotations of its layer.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::KeyPair;
use serde_json::{Map, Value, json};

use super::{Build, Sigstore, sign};

/// A layer of a `.sig` manifest: the payload, and its descriptor's annotations.
#[derive(Clone, Debug)]
pub struct CosignLayer {
    /// The layer's bytes.
    pub payload: String,
    /// Its annotations.
    pub annotations: Map<String, Value>,
}

/// The payload that signs the manifest of this digest (`sha256:…`).
pub fn cosign_payload(manifest: &str) -> String {
    json!({
        "critical": {
            "identity": { "docker-reference": "images.example/thing" },
            "image": { "docker-manifest-digest": manifest },
            "type": "cosign container image signature",
        },
        "optional": null,
    })
    .to_string()
}

impl CosignLayer {
    /// Signed with a bare key.
    pub fn by_key(key: &KeyPair, manifest: &str) -> Self {
        let payload = cosign_payload(manifest);
        let signature = STANDARD.encode(sign(key, payload.as_bytes()));
        let mut annotations = Map::new();
        annotations.insert("dev.cosignproject.cosign/signature".into(), signature.into());
        Self { payload, annotations }
    }

    /// Signed by a build, with its certificate and the log's promise.
    pub fn by_build(sigstore: &Sigstore, build: &Build, manifest: &str) -> Self {
        let payload = cosign_payload(manifest);
        let bundle = sigstore.sign_bytes(payload.as_bytes(), build);
        let material = &bundle["verificationMaterial"];
        let entry = &material["tlogEntries"][0];
        let text = |value: &Value| value.as_str().expect("text").to_owned();
        let number = |value: &Value| text(value).parse::<i64>().expect("a number");
        let id = STANDARD.decode(text(&entry["logId"]["keyId"])).expect("base64");
        let promise = json!({
            "SignedEntryTimestamp": entry["inclusionPromise"]["signedEntryTimestamp"],
            "Payload": {
                "body": entry["canonicalizedBody"],
                "integratedTime": number(&entry["integratedTime"]),
                "logIndex": number(&entry["logIndex"]),
                "logID": hex::encode(id),
            },
        });
        let certificate = text(&material["certificate"]["rawBytes"]);
        let pem = format!("-----BEGIN CERTIFICATE-----\n{certificate}\n-----END CERTIFICATE-----\n");
        let mut annotations = Map::new();
        let signature = text(&bundle["messageSignature"]["signature"]);
        annotations.insert("dev.cosignproject.cosign/signature".into(), signature.into());
        annotations.insert("dev.sigstore.cosign/certificate".into(), pem.into());
        annotations.insert("dev.sigstore.cosign/chain".into(), "".into());
        annotations.insert("dev.sigstore.cosign/bundle".into(), promise.to_string().into());
        Self { payload, annotations }
    }
}
