//! Sigstore bundle v0.3 around one signed statement, with the key named by a hint: what Sigstore's tools verify when they
//! are given our public key.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::IgnoredAny;

use crate::dsse::Envelope;

use super::Problem;

/// The media type of a bundle of version 0.3, the only one that we write or read.
pub const BUNDLE_MEDIA_TYPE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
/// The most bytes of a bundle that are read. Ours have some four thousand.
pub const MAX_BUNDLE_BYTES: usize = 256 << 10;

#[derive(serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct Written<'a> {
    media_type: &'static str,
    verification_material: WrittenMaterial<'a>,
    dsse_envelope: &'a Envelope,
}

#[derive(serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct WrittenMaterial<'a> {
    public_key: WrittenKey<'a>,
}

#[derive(serde::Serialize)]
struct WrittenKey<'a> {
    hint: &'a str,
}

/// The bundle of an envelope with one signature. Its key is named in the bundle and not in the envelope: Sigstore's tools in Go pass
/// over a signature whose `keyid` is not their own fingerprint of the key.
pub(super) fn write(envelope: &Envelope) -> Vec<u8> {
    let hint = envelope.signatures.first().map_or("", |signature| signature.keyid.as_str());
    let mut unnamed = envelope.clone();
    unnamed.signatures.iter_mut().for_each(|signature| signature.keyid.clear());
    let bundle = Written {
        media_type: BUNDLE_MEDIA_TYPE,
        verification_material: WrittenMaterial { public_key: WrittenKey { hint } },
        dsse_envelope: &unnamed,
    };
    serde_json::to_vec(&bundle).expect("a bundle is plain JSON")
}

/// What is read of a bundle. Evidence that others may add to it (log entries, timestamps) is not ours and is not read.
#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct Read {
    media_type: String,
    verification_material: ReadMaterial,
    dsse_envelope: Option<Envelope>,
    message_signature: Option<IgnoredAny>,
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct ReadMaterial {
    public_key: Option<ReadKey>,
    certificate: Option<IgnoredAny>,
    x509_certificate_chain: Option<IgnoredAny>,
}

#[derive(serde::Deserialize)]
struct ReadKey {
    hint: String,
}

/// The media type alone: it is told first, since another version has another form.
#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct Labelled {
    media_type: Option<String>,
}

/// A bundle that was read and not verified.
pub(super) struct Unverified {
    /// What it says which key is.
    pub(super) hint: String,
    /// The payload's type.
    pub(super) payload_type: String,
    /// What was signed.
    pub(super) payload: Vec<u8>,
    /// The signature over both.
    pub(super) signature: Vec<u8>,
}

pub(super) fn read(json: &[u8]) -> Result<Unverified, Problem> {
    let malformed = |what: &str| Problem::Malformed(what.to_owned());
    if json.len() > MAX_BUNDLE_BYTES {
        return Err(Problem::TooLarge(format!("{} bytes of a bundle", json.len())));
    }
    let labelled: Labelled =
        serde_json::from_slice(json).map_err(|_| malformed("it is not the JSON of a bundle"))?;
    match labelled.media_type {
        Some(found) if found == BUNDLE_MEDIA_TYPE => {}
        found => return Err(Problem::MediaType(found.unwrap_or_default().chars().take(120).collect())),
    }
    let read: Read = serde_json::from_slice(json).map_err(|e| Problem::Malformed(e.to_string()))?;
    debug_assert_eq!(read.media_type, BUNDLE_MEDIA_TYPE, "INVARIANT: read from the same bytes");
    let material = read.verification_material;
    let by_certificate = material.certificate.is_some() || material.x509_certificate_chain.is_some();
    let key = material.public_key.filter(|_| !by_certificate);
    let key = key.ok_or_else(|| malformed("it names no public key, or a certificate as well"))?;
    let envelope = read.dsse_envelope.filter(|_| read.message_signature.is_none());
    let envelope = envelope.ok_or_else(|| malformed("it holds no DSSE envelope, or a second signature"))?;
    let [signature] = &envelope.signatures[..] else {
        return Err(malformed("a bundle has one signature"));
    };
    if !signature.keyid.is_empty() && signature.keyid != key.hint {
        return Err(malformed("its envelope and its key hint name two keys"));
    }
    let decode = |text: &str| STANDARD.decode(text).map_err(|_| malformed("it is not standard base64"));
    Ok(Unverified {
        payload: decode(&envelope.payload)?,
        signature: decode(&signature.sig)?,
        hint: key.hint,
        payload_type: envelope.payload_type,
    })
}
