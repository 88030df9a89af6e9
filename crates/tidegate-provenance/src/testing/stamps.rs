//! The timestamp authority: RFC 3161 tokens in CMS, written out by hand, since the libraries here only read them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose,
};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tidegate_model::Timestamp;

use super::authority::der;
use super::{IN_USE_SINCE, key, sign};

/// Names the signer of a token: the leaf's subject key identifier.
const KEY_IDENTIFIER: [u8; 4] = *b"test";

const SIGNED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02];
const CONTENT_TYPE: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x03];
const MESSAGE_DIGEST: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x04];
const TOKEN_INFO: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x01, 0x04];
const SHA_256: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01];
const ECDSA_SHA_256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];
const A_POLICY: &[u8] = &[0x2a, 0x03, 0x04];

pub(super) struct Stamps {
    key: KeyPair,
    chain: [Vec<u8>; 2],
}

impl Stamps {
    pub(super) fn new() -> Self {
        let mut root = CertificateParams::default();
        root.distinguished_name.push(DnType::CommonName, "timestamps of the tests");
        root.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        root.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        (root.not_before, root.not_after) =
            (rcgen::date_time_ymd(2020, 1, 1), rcgen::date_time_ymd(2040, 1, 1));
        let root_key = key();
        let root_der = root.self_signed(&root_key).expect("a certificate of its own").der().to_vec();
        let issuer = Issuer::new(root, root_key);
        let mut leaf = CertificateParams::default();
        leaf.distinguished_name.push(DnType::CommonName, "a clock");
        leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::TimeStamping];
        (leaf.not_before, leaf.not_after) =
            (rcgen::date_time_ymd(2020, 1, 1), rcgen::date_time_ymd(2040, 1, 1));
        leaf.custom_extensions =
            vec![CustomExtension::from_oid_content(&[2, 5, 29, 14], der(0x04, &KEY_IDENTIFIER))];
        let key = key();
        let leaf = leaf.signed_by(&key, &issuer).expect("a certificate").der().to_vec();
        Self { key, chain: [leaf, root_der] }
    }

    /// As a trust root lists it.
    pub(super) fn trusted(&self) -> Value {
        let certificates: Vec<Value> =
            self.chain.iter().map(|c| json!({ "rawBytes": STANDARD.encode(c) })).collect();
        json!({
            "subject": { "organization": "tests", "commonName": "a clock" },
            "uri": "https://tsa.test",
            "certChain": { "certificates": certificates },
            "validFor": { "start": IN_USE_SINCE },
        })
    }

    /// A response that says that `signature` was there at `at`.
    pub(super) fn stamp(&self, signature: &[u8], at: Timestamp) -> Vec<u8> {
        let time: String = at.to_string().chars().filter(|c| c.is_ascii_digit()).collect();
        let info = sequence(&[
            number(1),
            oid(A_POLICY),
            sequence(&[algorithm(SHA_256), der(0x04, &Sha256::digest(signature))]),
            number(7),
            der(0x18, format!("{time}Z").as_bytes()),
        ]);
        let attributes = [
            sequence(&[oid(CONTENT_TYPE), der(0x31, &oid(TOKEN_INFO))]),
            sequence(&[oid(MESSAGE_DIGEST), der(0x31, &der(0x04, &Sha256::digest(&info)))]),
        ]
        .concat();
        let signer = sequence(&[
            number(3),
            der(0x80, &KEY_IDENTIFIER),
            algorithm(SHA_256),
            der(0xa0, &attributes),
            algorithm(ECDSA_SHA_256),
            der(0x04, &sign(&self.key, &der(0x31, &attributes))),
        ]);
        let data = sequence(&[
            number(3),
            der(0x31, &algorithm(SHA_256)),
            sequence(&[oid(TOKEN_INFO), der(0xa0, &der(0x04, &info))]),
            der(0x31, &signer),
        ]);
        sequence(&[sequence(&[number(0)]), sequence(&[oid(SIGNED_DATA), der(0xa0, &data)])])
    }
}

fn sequence(parts: &[Vec<u8>]) -> Vec<u8> {
    der(0x30, &parts.concat())
}

fn number(value: u8) -> Vec<u8> {
    der(0x02, &[value])
}

fn oid(bytes: &[u8]) -> Vec<u8> {
    der(0x06, bytes)
}

fn algorithm(bytes: &[u8]) -> Vec<u8> {
    sequence(&[oid(bytes)])
}
