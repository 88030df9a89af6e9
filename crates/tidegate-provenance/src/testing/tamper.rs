//! Ways to break a bundle, each named.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::{Build, Sigstore};

/// One way to break a bundle over a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tamper {
    /// Another digest in the statement, with the old signature.
    RewrittenSubject,
    /// One bit of the signature.
    SignatureBit,
    /// No signatures at all.
    NoSignatures,
    /// Two signatures.
    TwoSignatures,
    /// Another payload type.
    PayloadType,
    /// The certificate of another build of the same instance.
    OtherCertificate,
    /// A certificate of an authority of somebody's own.
    SelfMadeCertificate,
    /// No log entry.
    NoLogEntry,
    /// Another bundle's log entry.
    OtherLogEntry,
    /// One bit of a hash of the inclusion proof.
    ProofBit,
    /// Another size in the checkpoint.
    CheckpointSize,
    /// Another integrated time.
    MovedTime,
    /// One bit of the promise.
    PromiseBit,
    /// Relabelled as version 0.1, without its inclusion proof.
    Downgraded,
    /// A log entry of a kind that is not known.
    NewerEntry,
    /// A media type that is not known.
    NewerBundle,
}

impl Tamper {
    /// Every way.
    pub const ALL: [Self; 16] = [
        Self::RewrittenSubject,
        Self::SignatureBit,
        Self::NoSignatures,
        Self::TwoSignatures,
        Self::PayloadType,
        Self::OtherCertificate,
        Self::SelfMadeCertificate,
        Self::NoLogEntry,
        Self::OtherLogEntry,
        Self::ProofBit,
        Self::CheckpointSize,
        Self::MovedTime,
        Self::PromiseBit,
        Self::Downgraded,
        Self::NewerEntry,
        Self::NewerBundle,
    ];
}

pub(super) fn apply(instance: &Sigstore, mut bundle: Value, how: Tamper) -> Value {
    let material = &mut bundle["verificationMaterial"];
    match how {
        Tamper::RewrittenSubject => {
            let payload = STANDARD.decode(text(&bundle["dsseEnvelope"]["payload"])).expect("base64");
            let mut statement: Value = serde_json::from_slice(&payload).expect("a statement");
            let digests = statement["subject"][0]["digest"].as_object_mut().expect("digests");
            digests.values_mut().for_each(|d| *d = "00".repeat(text(d).len() / 2).into());
            bundle["dsseEnvelope"]["payload"] = STANDARD.encode(statement.to_string()).into();
        }
        Tamper::SignatureBit => flip(&mut bundle["dsseEnvelope"]["signatures"][0]["sig"]),
        Tamper::NoSignatures => bundle["dsseEnvelope"]["signatures"] = json!([]),
        Tamper::TwoSignatures => {
            let one = bundle["dsseEnvelope"]["signatures"][0].clone();
            bundle["dsseEnvelope"]["signatures"] = json!([one, one]);
        }
        Tamper::PayloadType => bundle["dsseEnvelope"]["payloadType"] = "application/json".into(),
        Tamper::OtherCertificate => material["certificate"] = certificate(instance),
        Tamper::SelfMadeCertificate => material["certificate"] = certificate(&Sigstore::new()),
        Tamper::NoLogEntry => material["tlogEntries"] = json!([]),
        Tamper::OtherLogEntry => {
            let other =
                instance.attest(&super::statement("other", b"other", &super::slsa(&build())), &build());
            material["tlogEntries"] = other["verificationMaterial"]["tlogEntries"].clone();
        }
        Tamper::ProofBit => flip(&mut material["tlogEntries"][0]["inclusionProof"]["hashes"][0]),
        Tamper::CheckpointSize => {
            let checkpoint = &mut material["tlogEntries"][0]["inclusionProof"]["checkpoint"]["envelope"];
            *checkpoint = text(checkpoint).replacen("\n2\n", "\n3\n", 1).into();
        }
        Tamper::MovedTime => {
            let time = &mut material["tlogEntries"][0]["integratedTime"];
            *time = (text(time).parse::<i64>().expect("a time") + 1).to_string().into();
        }
        Tamper::PromiseBit => {
            flip(&mut material["tlogEntries"][0]["inclusionPromise"]["signedEntryTimestamp"])
        }
        Tamper::Downgraded => {
            let entry = material["tlogEntries"][0].as_object_mut().expect("an entry");
            entry.remove("inclusionProof");
            bundle["mediaType"] = "application/vnd.dev.sigstore.bundle+json;version=0.1".into();
        }
        Tamper::NewerEntry => {
            material["tlogEntries"][0]["kindVersion"] = json!({ "kind": "dsse", "version": "0.0.2" });
        }
        Tamper::NewerBundle => bundle["mediaType"] = "application/vnd.dev.sigstore.bundle.v9.9+json".into(),
    }
    bundle
}

/// A build of the same moment as [`Build::of`] makes.
fn build() -> Build {
    Build::of("somebody/else")
}

fn certificate(instance: &Sigstore) -> Value {
    let other = instance.attest(&super::statement("other", b"other", &super::slsa(&build())), &build());
    other["verificationMaterial"]["certificate"].clone()
}

fn text(value: &Value) -> &str {
    value.as_str().expect("text")
}

/// Flips one bit in the last third of a base64 value.
fn flip(value: &mut Value) {
    let mut bytes = STANDARD.decode(text(value)).expect("base64");
    let at = bytes.len() * 2 / 3;
    bytes[at] ^= 1;
    *value = STANDARD.encode(bytes).into();
}
