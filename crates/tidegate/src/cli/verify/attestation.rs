//! Finds what is signed about an artifact, and says by its content of what kind it is.
//!
//! What a file is called decides nothing but where to look. What is read here is not verified: it only chooses who verifies.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use tidegate_provenance::{custody, predicate};

use super::super::Failure;
use super::artifact::bounded;

/// The most bytes of a file of attestations: the largest form has an index of a distribution in it.
pub(super) const MAX_BYTES: u64 = 32 << 20;
/// The most bytes of JSON, which takes more memory than it has bytes. No verifier takes longer ones.
const MAX_JSON_BYTES: usize = 16 << 20;
/// The most attestations of one file.
const MAX_ATTESTATIONS: usize = 32;
/// What the files beside an artifact are called that hold something signed, behind the artifact's own name.
const BESIDE: [&str; 9] = [
    ".sigstore.json",
    ".sigstore",
    ".sigstore.jsonl",
    ".publish.attestation",
    ".provenance",
    ".attestations.json",
    ".custody.json",
    ".asc",
    ".sig",
];
/// The same in the folder of a model.
const INSIDE: [&str; 3] = ["model.sig", "model.sigstore.json", "claims.jsonl"];

/// Of what kind an attestation is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// An answer of the npm registry: all attestations of a version.
    Npm,
    /// One entry of such an answer.
    NpmEntry,
    /// PEP 740: all attestations of a file.
    Pep740,
    /// PEP 740: one attestation.
    Pep740One,
    /// A Sigstore bundle.
    Bundle,
    /// A Sigstore bundle of cosign over the manifest of an image.
    Cosign,
    /// The signature of a model.
    Model,
    /// A statement of a door about what came through it.
    Custody,
    /// An armoured detached OpenPGP signature.
    Pgp,
    /// A text with an OpenPGP signature in it.
    ClearSigned,
    /// A signed note of a checksum database.
    Note,
    /// A signature archive of Open VSX.
    OpenVsx,
    /// Nothing that can be checked here; the sentence says what to do.
    Unknown(String),
}

/// Something signed, not verified yet.
#[derive(Debug)]
pub(super) struct Attestation {
    /// Where it lies.
    pub(super) path: PathBuf,
    /// Which one of its file, from 1, where that has several.
    pub(super) number: Option<usize>,
    /// What it is.
    pub(super) kind: Kind,
    /// Its bytes.
    pub(super) bytes: Vec<u8>,
}

impl Attestation {
    /// Where it lies, for people.
    pub(super) fn shown(&self) -> String {
        let path = self.path.display();
        self.number.map_or_else(|| path.to_string(), |number| format!("{path} ({number})"))
    }
}

/// The usual places beside an artifact, whether something is there or not.
pub(super) fn places(artifact: &Path) -> Vec<PathBuf> {
    if artifact.is_dir() {
        return INSIDE.map(|name| artifact.join(name)).to_vec();
    }
    let with = |ending: &str| {
        let mut name = artifact.as_os_str().to_owned();
        name.push(ending);
        PathBuf::from(name)
    };
    let mut places: Vec<PathBuf> = BESIDE.map(with).to_vec();
    if artifact.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("vsix")) {
        places.extend([artifact.with_extension("sigzip"), with(".sigzip")]);
    }
    places
}

/// Reads one file of attestations; several where it has several, one a line.
pub(super) fn read(path: &Path) -> Result<Vec<Attestation>, Failure> {
    let one = |kind, bytes| Attestation { path: path.to_owned(), number: None, kind, bytes };
    let Some(bytes) = bounded(path, MAX_BYTES)? else {
        let why = format!("it has more than {} MiB, and nothing signed is that large", MAX_BYTES >> 20);
        return Ok(vec![one(Kind::Unknown(why), Vec::new())]);
    };
    let found = recognise(bytes);
    let many = found.len() > 1;
    let numbered = found
        .into_iter()
        .enumerate()
        .map(|(at, (kind, bytes))| Attestation { number: many.then_some(at + 1), ..one(kind, bytes) });
    Ok(numbered.collect())
}

/// Whether a file carries its signature in itself.
pub(super) fn signed_within(path: &Path) -> Result<Option<Attestation>, Failure> {
    let Some(bytes) = bounded(path, MAX_BYTES)? else { return Ok(None) };
    let kind = of_text(&bytes).filter(|kind| matches!(kind, Kind::ClearSigned | Kind::Note));
    Ok(kind.map(|kind| Attestation { path: path.to_owned(), number: None, kind, bytes }))
}

fn recognise(bytes: Vec<u8>) -> Vec<(Kind, Vec<u8>)> {
    if let Some(kind) = of_text(&bytes) {
        return vec![(kind, bytes)];
    }
    if bytes.starts_with(b"PK\x03\x04") {
        return vec![(Kind::OpenVsx, bytes)];
    }
    // The first byte of an OpenPGP signature packet, of the old form or the new.
    if matches!(bytes.first(), Some(0x88..=0x8b | 0xc2)) {
        return vec![(Kind::Pgp, armoured(&bytes))];
    }
    if bytes.len() > MAX_JSON_BYTES {
        let why = format!("it has more than {} MiB, and no attestation is that large", MAX_JSON_BYTES >> 20);
        return vec![(Kind::Unknown(why), Vec::new())];
    }
    match serde_json::from_slice::<Value>(&bytes) {
        Ok(value) => of_json(&value, bytes),
        Err(_) => of_lines(&bytes).unwrap_or_else(|| {
            let why = if bytes.is_empty() { "it is empty" } else { "it has no form that is known here" };
            vec![(Kind::Unknown(why.to_owned()), bytes)]
        }),
    }
}

/// What a text is that is no JSON.
fn of_text(bytes: &[u8]) -> Option<Kind> {
    let text = std::str::from_utf8(bytes).ok()?;
    let begins = |with: &str| text.trim_start().starts_with(with);
    if begins("-----BEGIN PGP SIGNED MESSAGE-----") {
        Some(Kind::ClearSigned)
    } else if begins("-----BEGIN PGP SIGNATURE-----") {
        Some(Kind::Pgp)
    } else {
        text.contains("\n\n\u{2014} ").then_some(Kind::Note)
    }
}

/// A binary OpenPGP signature as text.
fn armoured(bytes: &[u8]) -> Vec<u8> {
    let mut text = "-----BEGIN PGP SIGNATURE-----\n\n".to_owned();
    for line in STANDARD.encode(bytes).as_bytes().chunks(64) {
        text.push_str(&String::from_utf8_lossy(line));
        text.push('\n');
    }
    text.push_str("-----END PGP SIGNATURE-----\n");
    text.into_bytes()
}

/// JSON documents, one a line.
fn of_lines(bytes: &[u8]) -> Option<Vec<(Kind, Vec<u8>)>> {
    let text = std::str::from_utf8(bytes).ok()?;
    let lines: Vec<&str> =
        text.lines().filter(|line| !line.trim().is_empty()).take(MAX_ATTESTATIONS + 1).collect();
    if lines.len() < 2 {
        return None;
    }
    let values: Result<Vec<Value>, _> = lines.iter().map(|line| serde_json::from_str(line)).collect();
    let values = values.ok()?;
    if lines.len() > MAX_ATTESTATIONS {
        return Some(vec![(too_many(), Vec::new())]);
    }
    let each = values.iter().zip(lines);
    Some(each.flat_map(|(value, line)| of_json(value, line.as_bytes().to_vec())).collect())
}

fn too_many() -> Kind {
    Kind::Unknown(format!("it holds more than {MAX_ATTESTATIONS} attestations: give them in several files"))
}

fn of_json(value: &Value, bytes: Vec<u8>) -> Vec<(Kind, Vec<u8>)> {
    let has = |key: &str| value.get(key).is_some();
    let kind = if let Some(entries) = value.get("attestations").and_then(Value::as_array) {
        let labelled = entries.iter().all(|entry| entry.get("predicateType").is_some());
        if !labelled && entries.len() > MAX_ATTESTATIONS {
            too_many()
        } else if !labelled {
            // GitHub's answer: bundles, and nothing that says what they hold.
            let bundles = entries.iter().map(|entry| entry.get("bundle").unwrap_or(&Value::Null));
            return bundles.flat_map(|bundle| of_json(bundle, bundle.to_string().into_bytes())).collect();
        } else {
            Kind::Npm
        }
    } else if has("attestation_bundles") {
        Kind::Pep740
    } else if has("verification_material") {
        Kind::Pep740One
    } else if has("predicateType") && has("bundle") {
        Kind::NpmEntry
    } else if has("verificationMaterial") || has("mediaType") {
        of_bundle(value)
    } else if has("payloadType") {
        Kind::Unknown(
            "it is a bare envelope, which names no certificate, key or log: give the bundle it came in"
                .into(),
        )
    } else if has("base64Signature") {
        Kind::Unknown(
            "it is a bundle of cosign's old form: make one with `cosign sign-blob --new-bundle-format`"
                .into(),
        )
    } else {
        Kind::Unknown("it is JSON of no form that is known here".into())
    };
    vec![(kind, bytes)]
}

/// Who is to check a bundle, by what it says it holds.
fn of_bundle(bundle: &Value) -> Kind {
    let payload = bundle["dsseEnvelope"]["payload"].as_str().and_then(|text| STANDARD.decode(text).ok());
    let statement = payload.and_then(|payload| serde_json::from_slice::<Value>(&payload).ok());
    let said =
        statement.as_ref().and_then(|statement| statement["predicateType"].as_str()).unwrap_or_default();
    let material = &bundle["verificationMaterial"];
    let logged = material["tlogEntries"].as_array().is_some_and(|entries| !entries.is_empty());
    let ours = [custody::CUSTODY_TYPE, custody::SUMMARY_TYPE, custody::DEPENDENCY_TYPE];
    match said {
        predicate::MODEL_SIGNATURE => Kind::Model,
        predicate::COSIGN_SIGN => Kind::Cosign,
        said if ours.contains(&said) && !logged && material.get("publicKey").is_some() => Kind::Custody,
        _ => Kind::Bundle,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(bytes: &[u8]) -> Vec<Kind> {
        recognise(bytes.to_vec()).into_iter().map(|(kind, _)| kind).collect()
    }

    #[test]
    fn the_content_says_what_it_is() {
        for (bytes, expected) in [
            (&br#"{"attestations":[]}"#[..], Kind::Npm),
            (br#"{"attestations":[{"predicateType":"p","bundle":{}}]}"#, Kind::Npm),
            (br#"{"predicateType":"p","bundle":{}}"#, Kind::NpmEntry),
            (br#"{"version":1,"attestation_bundles":[]}"#, Kind::Pep740),
            (br#"{"version":1,"verification_material":{},"envelope":{}}"#, Kind::Pep740One),
            (br#"{"attestations":[{"bundle":{"mediaType":"m","verificationMaterial":{}}}]}"#, Kind::Bundle),
            (br#"{"mediaType":"m","verificationMaterial":{}}"#, Kind::Bundle),
            (b"-----BEGIN PGP SIGNATURE-----\n", Kind::Pgp),
            (b"\x88\x75\x04", Kind::Pgp),
            (b"-----BEGIN PGP SIGNED MESSAGE-----\n", Kind::ClearSigned),
            ("a v1 h1:x=\n\n\u{2014} sum.example abcd\n".as_bytes(), Kind::Note),
            (b"PK\x03\x04", Kind::OpenVsx),
        ] {
            assert_eq!(kinds(bytes), [expected], "{}", String::from_utf8_lossy(bytes));
        }
        for odd in
            [&b""[..], b"words", b"{}", b"[]", br#"{"payloadType":"x"}"#, br#"{"base64Signature":"x"}"#]
        {
            assert!(matches!(&kinds(odd)[..], [Kind::Unknown(_)]), "{odd:?}");
        }
        let bundle = r#"{"mediaType":"m","verificationMaterial":{}}"#;
        assert_eq!(kinds(format!("{bundle}\n{bundle}\n").as_bytes()), [Kind::Bundle, Kind::Bundle]);
        let many = format!("{bundle}\n").repeat(MAX_ATTESTATIONS + 1);
        assert!(matches!(&kinds(many.as_bytes())[..], [Kind::Unknown(_)]));
    }

    #[test]
    fn the_statement_chooses_who_checks_a_bundle() {
        let bundle = |kind: &str, material: &str| {
            let payload = STANDARD.encode(format!(r#"{{"predicateType":"{kind}"}}"#));
            format!(
                r#"{{"mediaType":"m","verificationMaterial":{material},"dsseEnvelope":{{"payload":"{payload}"}}}}"#
            )
        };
        let key = r#"{"publicKey":{"hint":"x"}}"#;
        for (text, expected) in [
            (bundle(predicate::MODEL_SIGNATURE, "{}"), Kind::Model),
            (bundle(predicate::COSIGN_SIGN, "{}"), Kind::Cosign),
            (bundle(custody::CUSTODY_TYPE, key), Kind::Custody),
            (bundle(custody::SUMMARY_TYPE, r#"{"certificate":{}}"#), Kind::Bundle),
            (bundle(predicate::SLSA_V1, key), Kind::Bundle),
        ] {
            assert_eq!(kinds(text.as_bytes()), [expected], "{text}");
        }
    }
}
