//! The certificate authority, and the log in which it has to publish what it issues (RFC 6962).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, PublicKeyData as _, SanType,
};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tidegate_model::Timestamp;

use super::{Build, IN_USE_SINCE, key, log_id, sign, trusted_log};

/// How long a certificate is valid, in seconds: ten minutes.
const VALID_FOR_SECONDS: u64 = 600;

/// Arc of the claims in a certificate.
const CLAIMS: [u64; 8] = [1, 3, 6, 1, 4, 1, 57264, 1];

/// Embedded signed certificate timestamps.
const SCT_LIST: [u64; 10] = [1, 3, 6, 1, 4, 1, 11129, 2, 4, 2];

pub(super) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    spki: Vec<u8>,
    certificate: Vec<u8>,
    log: KeyPair,
}

impl Authority {
    pub(super) fn new() -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "tests of provenance");
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::CodeSigning];
        params.not_before = rcgen::date_time_ymd(2020, 1, 1);
        params.not_after = rcgen::date_time_ymd(2040, 1, 1);
        let key = key();
        let certificate = params.self_signed(&key).expect("a certificate of its own").der().to_vec();
        let spki = key.subject_public_key_info();
        Self { issuer: Issuer::new(params, key), spki, certificate, log: super::key() }
    }

    /// As a trust root lists it.
    pub(super) fn trusted(&self) -> Value {
        json!({
            "subject": { "organization": "tests", "commonName": "tests of provenance" },
            "uri": "https://ca.test",
            "certChain": { "certificates": [{ "rawBytes": STANDARD.encode(&self.certificate) }] },
            "validFor": { "start": IN_USE_SINCE },
        })
    }

    /// Its log, as a trust root lists it.
    pub(super) fn trusted_log(&self) -> Value {
        trusted_log(&self.log, "https://ct.test")
    }

    /// A certificate for `build`, valid from a minute before it signs, and its key.
    pub(super) fn issue(&self, build: &Build) -> (Vec<u8>, KeyPair) {
        let leaf = key();
        let mut params = CertificateParams::default();
        params.distinguished_name = rcgen::DistinguishedName::new();
        let identity = build.identity().try_into().expect("an identity in ASCII");
        params.subject_alt_names = vec![SanType::URI(identity)];
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::CodeSigning];
        let epoch = rcgen::date_time_ymd(1970, 1, 1);
        let from = u64::try_from(build.signed_at.unix_seconds() - 60).expect("a time after 1970");
        params.not_before = epoch + std::time::Duration::from_secs(from);
        params.not_after = epoch + std::time::Duration::from_secs(from + VALID_FOR_SECONDS);
        params.custom_extensions = claims(build);
        let draft = params.signed_by(&leaf, &self.issuer).expect("a certificate");
        let stamp = self.stamp(to_be_signed(draft.der()), build.signed_at);
        params.custom_extensions.push(CustomExtension::from_oid_content(&SCT_LIST, stamp));
        let issued = params.signed_by(&leaf, &self.issuer).expect("a certificate");
        (issued.der().to_vec(), leaf)
    }

    /// The log's list of one timestamp over a certificate without that list.
    fn stamp(&self, tbs: &[u8], at: Timestamp) -> Vec<u8> {
        let millis = u64::try_from(at.unix_millis()).expect("a time after 1970").to_be_bytes();
        let mut signed = vec![0, 0];
        signed.extend(millis);
        signed.extend([0, 1]);
        signed.extend(Sha256::digest(&self.spki));
        signed.extend(&u32::try_from(tbs.len()).expect("a small certificate").to_be_bytes()[1..]);
        signed.extend(tbs);
        signed.extend([0, 0]);
        let signature = sign(&self.log, &signed);
        let mut stamp = vec![0];
        stamp.extend(log_id(&self.log));
        stamp.extend(millis);
        stamp.extend([0, 0, 4, 3]);
        stamp.extend(prefixed(&signature));
        der(0x04, &prefixed(&prefixed(&stamp)))
    }
}

fn claims(build: &Build) -> Vec<CustomExtension> {
    let old = |last: u64, text: &str| claim(last, text.as_bytes().to_vec());
    let new = |last: u64, text: &str| claim(last, der(0x0c, text.as_bytes()));
    let repository = build.repository.trim_start_matches("https://github.com/");
    let mut all = vec![
        old(1, &build.issuer),
        old(2, &build.trigger),
        old(3, &build.commit),
        old(4, "release"),
        old(5, repository),
        old(6, &build.git_ref),
    ];
    if !build.deprecated_claims {
        all.extend([
            new(8, &build.issuer),
            new(9, &build.identity()),
            new(10, &build.commit),
            new(11, &build.runner),
            new(12, &build.repository),
            new(13, &build.commit),
            new(14, &build.git_ref),
            new(18, &build.identity()),
            new(20, &build.trigger),
            new(21, &format!("{}/actions/runs/1/attempts/1", build.repository)),
        ]);
    }
    all
}

fn claim(last: u64, content: Vec<u8>) -> CustomExtension {
    let oid: Vec<u64> = CLAIMS.into_iter().chain([last]).collect();
    CustomExtension::from_oid_content(&oid, content)
}

/// With its length in two bytes before it.
fn prefixed(bytes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(bytes.len()).expect("a small list").to_be_bytes();
    length.into_iter().chain(bytes.iter().copied()).collect()
}

/// One DER value with a content of less than 64 KiB.
pub(super) fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).expect("a small value").to_be_bytes();
    let mut out = vec![tag];
    match content.len() {
        0..=127 => out.push(length[1]),
        128..=255 => out.extend([0x81, length[1]]),
        _ => out.extend([0x82, length[0], length[1]]),
    }
    out.extend(content);
    out
}

/// The first part of a certificate: what its authority signs.
fn to_be_signed(certificate: &[u8]) -> &[u8] {
    let (start, _) = content(certificate);
    let inner = &certificate[start..];
    let (start, length) = content(inner);
    &inner[..start + length]
}

/// Where the content of the first DER value begins, and its length.
fn content(der: &[u8]) -> (usize, usize) {
    match der[1] {
        short @ 0..=127 => (2, usize::from(short)),
        0x81 => (3, usize::from(der[2])),
        _ => (4, usize::from(u16::from_be_bytes([der[2], der[3]]))),
    }
}
