//! A small Sigstore instance of our own, for tests: an authority that issues certificates with a build's claims, a log of
//! certificates, a log of signatures, a clock, the keys of a registry, and bundles signed with them in the shape of each ecosystem.
//!
//! Everything is made afresh, so nothing of it is worth anything outside a test. It is compiled only with the feature
//! `testing`. Its functions panic where something cannot be signed, as tests do.

#![expect(clippy::expect_used, reason = "a test that cannot sign has nothing to test")]

mod authority;
mod cosign;
mod log;
mod stamps;
mod tamper;
mod tuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{KeyPair, PublicKeyData as _, SigningKey as _};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256, Sha512};
use tidegate_model::{Algorithm, Digest, Timestamp};

use crate::keys::{KeyRing, KeyUsage, TrustedKey};
use crate::requirement::predicate;
use crate::roots::{Instance, Origin, Root};
use crate::statement::PAYLOAD_TYPE;
use authority::Authority;
pub use cosign::{CosignLayer, cosign_payload};
use log::Log;
use stamps::Stamps;
pub use tamper::Tamper;
pub use tuf::TufRepository;

/// Since when the keys of the instance are in use: 2020-01-01.
const IN_USE_SINCE: &str = "2020-01-01T00:00:00Z";

/// The id that the instance's registry key is known by.
pub const REGISTRY_KEY_ID: &str = "SHA256:a-registry-of-the-tests";

/// The build that a certificate is issued to.
#[derive(Clone, Debug)]
pub struct Build {
    /// OIDC issuer.
    pub issuer: String,
    /// URL of the source repository.
    pub repository: String,
    /// Path of the workflow in it.
    pub workflow: String,
    /// Ref.
    pub git_ref: String,
    /// Commit.
    pub commit: String,
    /// Event.
    pub trigger: String,
    /// `github-hosted` or `self-hosted`.
    pub runner: String,
    /// When it signed. Has to lie in the past of the machine's clock.
    pub signed_at: Timestamp,
    /// Whether the certificate carries the deprecated claims alone, as those of early 2023 do.
    pub deprecated_claims: bool,
}

impl Build {
    /// A release build of `https://github.com/<repository>`.
    pub fn of(repository: &str) -> Self {
        Self {
            issuer: "https://token.actions.githubusercontent.com".to_owned(),
            repository: format!("https://github.com/{repository}"),
            workflow: ".github/workflows/release.yml".to_owned(),
            git_ref: "refs/tags/v1.0.0".to_owned(),
            commit: "0123456789abcdef0123456789abcdef01234567".to_owned(),
            trigger: "release".to_owned(),
            runner: "github-hosted".to_owned(),
            signed_at: "2025-06-01T12:00:00Z".parse().expect("a date of this file"),
            deprecated_claims: false,
        }
    }

    /// The same build, at another time.
    #[must_use]
    pub fn at(mut self, time: &str) -> Self {
        self.signed_at = time.parse().expect("a time");
        self
    }

    fn identity(&self) -> String {
        format!("{}/{}@{}", self.repository, self.workflow, self.git_ref)
    }
}

/// The strong digests of `bytes`.
pub fn digests(bytes: &[u8]) -> [Digest; 2] {
    let of =
        |algorithm, bytes: &[u8]| Digest::from_bytes(algorithm, bytes).expect("the length of its algorithm");
    [of(Algorithm::Sha256, &Sha256::digest(bytes)), of(Algorithm::Sha512, &Sha512::digest(bytes))]
}

/// The instance.
pub struct Sigstore {
    authority: Authority,
    log: Log,
    stamps: Stamps,
    registry: KeyPair,
}

impl Default for Sigstore {
    fn default() -> Self {
        Self::new()
    }
}

impl Sigstore {
    /// An instance with keys of its own.
    pub fn new() -> Self {
        Self { authority: Authority::new(), log: Log::new(), stamps: Stamps::new(), registry: key() }
    }

    /// Its `trusted_root.json`.
    pub fn trusted_root(&self) -> String {
        json!({
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "tlogs": [self.log.trusted()],
            "certificateAuthorities": [self.authority.trusted()],
            "ctlogs": [self.authority.trusted_log()],
            "timestampAuthorities": [self.stamps.trusted()],
        })
        .to_string()
    }

    /// Its root, in force for `instance`, as of 2025-06-01.
    pub fn root(&self, instance: Instance) -> Root {
        let as_of = "2025-06-01".parse().expect("a date of this file");
        Root::from_json(instance, &self.trusted_root(), Origin::Configured, None, as_of)
            .expect("a root of its own")
    }

    /// The registry's key, for both of its uses.
    pub fn registry_key(&self) -> TrustedKey {
        TrustedKey {
            id: REGISTRY_KEY_ID.to_owned(),
            usage: KeyUsage::NpmRegistry,
            spki: self.registry.subject_public_key_info(),
            valid_from: Some(IN_USE_SINCE.parse().expect("a date of this file")),
            valid_until: None,
        }
    }

    /// A ring of the registry's key.
    pub fn keys(&self) -> KeyRing {
        KeyRing::new([self.registry_key()])
    }

    /// The registry's key document, in the form of its key endpoint.
    pub fn registry_keys(&self) -> String {
        let key = STANDARD.encode(self.registry.subject_public_key_info());
        json!({ "keys": [{ "keyid": REGISTRY_KEY_ID, "keytype": "ecdsa-sha2-nistp256", "scheme": "ecdsa-sha2-nistp256", "key": key, "expires": null }] })
            .to_string()
    }

    /// A bundle (0.3) of `build` over a statement.
    pub fn attest(&self, statement: &Value, build: &Build) -> Value {
        let (certificate, key) = self.authority.issue(build);
        let payload = statement.to_string();
        let signature = sign(&key, &pae(payload.as_bytes()));
        let entry =
            self.log.dsse(payload.as_bytes(), &signature, &pem("CERTIFICATE", &certificate), build.signed_at);
        json!({
            "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
            "verificationMaterial": {
                "certificate": { "rawBytes": STANDARD.encode(&certificate) },
                "tlogEntries": [entry],
            },
            "dsseEnvelope": envelope(payload.as_bytes(), &signature, ""),
        })
    }

    /// A bundle (0.3) of `build` over a statement, seen by the timestamp authority and by no log: the form of GitHub's own
    /// instance.
    pub fn attest_unlogged(&self, statement: &Value, build: &Build) -> Value {
        let (certificate, key) = self.authority.issue(build);
        let payload = statement.to_string();
        let signature = sign(&key, &pae(payload.as_bytes()));
        let stamp = STANDARD.encode(self.stamps.stamp(&signature, build.signed_at));
        json!({
            "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
            "verificationMaterial": {
                "certificate": { "rawBytes": STANDARD.encode(&certificate) },
                "timestampVerificationData": { "rfc3161Timestamps": [{ "signedTimestamp": stamp }] },
            },
            "dsseEnvelope": envelope(payload.as_bytes(), &signature, ""),
        })
    }

    /// A bundle (0.2) over a statement by the registry's own key.
    pub fn attest_by_registry(&self, statement: &Value, at: Timestamp) -> Value {
        self.attest_by_key(&self.registry, REGISTRY_KEY_ID, statement, at)
    }

    /// A bundle (0.2) over a statement by any key, known as `id`.
    pub fn attest_by_key(&self, key: &KeyPair, id: &str, statement: &Value, at: Timestamp) -> Value {
        let payload = statement.to_string();
        let signature = sign(key, &pae(payload.as_bytes()));
        let entry = self.log.dsse(payload.as_bytes(), &signature, &key.public_key_pem(), at);
        json!({
            "mediaType": "application/vnd.dev.sigstore.bundle+json;version=0.2",
            "verificationMaterial": { "publicKey": { "hint": id }, "tlogEntries": [entry] },
            "dsseEnvelope": envelope(payload.as_bytes(), &signature, id),
        })
    }

    /// A bundle (0.3) of `build` over bytes as they are, without a statement.
    pub fn sign_bytes(&self, bytes: &[u8], build: &Build) -> Value {
        let (certificate, key) = self.authority.issue(build);
        let signature = sign(&key, bytes);
        let entry = self.log.hashed(bytes, &signature, &pem("CERTIFICATE", &certificate), build.signed_at);
        json!({
            "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
            "verificationMaterial": {
                "certificate": { "rawBytes": STANDARD.encode(&certificate) },
                "tlogEntries": [entry],
            },
            "messageSignature": {
                "messageDigest": { "algorithm": "SHA2_256", "digest": STANDARD.encode(Sha256::digest(bytes)) },
                "signature": STANDARD.encode(&signature),
            },
        })
    }

    /// The npm registry's answer for a version: the build's provenance, and the registry's publish attestation.
    pub fn npm_attestations(&self, name: &str, version: &str, tarball: &[u8], build: &Build) -> String {
        let provenance = self.attest(&npm_statement(name, version, tarball, &slsa(build)), build);
        let said = json!({ "name": name, "version": version, "registry": "https://npm.example" });
        let publish = npm_statement(name, version, tarball, &(predicate::NPM_PUBLISH, said));
        let publish = self.attest_by_registry(&publish, build.signed_at);
        json!({ "attestations": [
            { "predicateType": predicate::NPM_PUBLISH, "bundle": publish },
            { "predicateType": predicate::SLSA_V1, "bundle": provenance },
        ]})
        .to_string()
    }

    /// The npm registry's signature over `name@version:integrity`: key id and base64.
    pub fn npm_signature(&self, name: &str, version: &str, integrity: &str) -> (String, String) {
        let signature = sign(&self.registry, format!("{name}@{version}:{integrity}").as_bytes());
        (REGISTRY_KEY_ID.to_owned(), STANDARD.encode(signature))
    }

    /// The PyPI index's provenance object (PEP 740) for a file that `build` published.
    pub fn pypi_provenance(&self, file_name: &str, bytes: &[u8], build: &Build) -> String {
        let statement = statement(file_name, bytes, &(predicate::PYPI_PUBLISH, Value::Null));
        let bundle = self.attest(&statement, build);
        let repository = build.repository.trim_start_matches("https://github.com/");
        let workflow = build.workflow.rsplit('/').next();
        json!({ "version": 1, "attestation_bundles": [{
            "publisher": { "kind": "GitHub", "repository": repository, "workflow": workflow, "environment": null },
            "attestations": [to_pep740(&bundle)],
        }]})
        .to_string()
    }

    /// The same bundle, broken in one way.
    pub fn tampered(&self, bundle: &Value, how: Tamper) -> Value {
        tamper::apply(self, bundle.clone(), how)
    }
}

/// A new key.
pub fn key() -> KeyPair {
    KeyPair::generate().expect("a new key")
}

/// A new Ed25519 key: its SubjectPublicKeyInfo, and what signs with it.
pub fn ed25519_key() -> (Vec<u8>, impl Fn(&[u8]) -> Vec<u8>) {
    let key = KeyPair::generate_for(&rcgen::PKCS_ED25519).expect("a new key");
    (key.subject_public_key_info(), move |message: &[u8]| sign(&key, message))
}

/// ECDSA over SHA-256, in DER form.
pub fn sign(key: &KeyPair, message: &[u8]) -> Vec<u8> {
    key.sign(message).expect("a signature")
}

/// A statement (version 1) about `bytes` called `name`, with a predicate type and a predicate.
pub fn statement(name: &str, bytes: &[u8], (kind, predicate): &(&str, Value)) -> Value {
    json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{ "name": name, "digest": { "sha256": hex::encode(Sha256::digest(bytes)) } }],
        "predicateType": kind,
        "predicate": predicate,
    })
}

fn npm_statement(name: &str, version: &str, tarball: &[u8], said: &(&str, Value)) -> Value {
    let purl = crate::Subject::npm(name, version, []).names.remove(0);
    let mut made = statement(&purl, tarball, said);
    made["subject"][0]["digest"] = json!({ "sha512": hex::encode(Sha512::digest(tarball)) });
    made
}

/// The SLSA provenance (version 1) that `build` says of itself.
pub fn slsa(build: &Build) -> (&'static str, Value) {
    let predicate = json!({
        "buildDefinition": {
            "buildType": "https://slsa-framework.github.io/github-actions-buildtypes/workflow/v1",
            "externalParameters": { "workflow": { "ref": build.git_ref, "repository": build.repository, "path": build.workflow } },
            "resolvedDependencies": [{ "uri": format!("git+{}@{}", build.repository, build.git_ref), "digest": { "gitCommit": build.commit } }],
        },
        "runDetails": { "builder": { "id": "https://github.com/actions/runner/github-hosted" } },
    });
    (predicate::SLSA_V1, predicate)
}

/// A bundle rearranged as an attestation object of PEP 740.
pub fn to_pep740(bundle: &Value) -> Value {
    json!({
        "version": 1,
        "verification_material": {
            "certificate": bundle["verificationMaterial"]["certificate"]["rawBytes"],
            "transparency_entries": bundle["verificationMaterial"]["tlogEntries"],
        },
        "envelope": {
            "statement": bundle["dsseEnvelope"]["payload"],
            "signature": bundle["dsseEnvelope"]["signatures"][0]["sig"],
        },
    })
}

/// What an envelope's signature is over: DSSE's pre-authentication encoding.
pub fn pae(payload: &[u8]) -> Vec<u8> {
    sigstore_verify::types::pae(PAYLOAD_TYPE, payload)
}

fn envelope(payload: &[u8], signature: &[u8], key_id: &str) -> Value {
    let mut signed = json!({ "sig": STANDARD.encode(signature) });
    if !key_id.is_empty() {
        signed["keyid"] = key_id.into();
    }
    json!({ "payloadType": PAYLOAD_TYPE, "payload": STANDARD.encode(payload), "signatures": [signed] })
}

fn pem(label: &str, der: &[u8]) -> String {
    let mut text = format!("-----BEGIN {label}-----\n");
    let encoded = STANDARD.encode(der);
    for line in encoded.as_bytes().chunks(64) {
        text.push_str(std::str::from_utf8(line).expect("base64 is ASCII"));
        text.push('\n');
    }
    text + &format!("-----END {label}-----\n")
}

/// Id of a log: SHA-256 of its key's SubjectPublicKeyInfo.
fn log_id(key: &KeyPair) -> [u8; 32] {
    Sha256::digest(key.subject_public_key_info()).into()
}

/// A log's key as a trust root lists it.
fn trusted_log(key: &KeyPair, url: &str) -> Value {
    json!({
        "baseUrl": url,
        "hashAlgorithm": "SHA2_256",
        "publicKey": {
            "rawBytes": STANDARD.encode(key.subject_public_key_info()),
            "keyDetails": "PKIX_ECDSA_P256_SHA_256",
            "validFor": { "start": IN_USE_SINCE },
        },
        "logId": { "keyId": STANDARD.encode(log_id(key)) },
    })
}
