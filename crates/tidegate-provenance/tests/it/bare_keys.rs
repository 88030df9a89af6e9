//! Signatures by a published key: Open VSX, and Go's checksum database.

use std::io::Write as _;

use signed_note::{Note, StandardSigner, generate_key};
use tidegate_provenance::testing::digests;
use tidegate_provenance::{KeyRing, Requirement, State, Subject, Trust, TrustedKey, formats};

use crate::own::World;

const VSIX: &[u8] = b"the bytes of an extension";

/// A new key's SubjectPublicKeyInfo, and its signature over `message`.
fn ed25519(message: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let (spki, sign) = tidegate_provenance::testing::ed25519_key();
    (spki, sign(message))
}

fn archive(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        zip.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

#[test]
fn open_vsx_signs_the_whole_file() {
    let world = World::new();
    let (spki, signature) = ed25519(VSIX);
    let keys = KeyRing::new([TrustedKey::from_spki(spki)]);
    let subject = Subject::new(digests(VSIX));
    let check = |archive: &[u8], extension: &[u8], keys: &KeyRing| {
        let trust = Trust { keys, ..world.trust() };
        formats::open_vsx::verify(archive, extension, &subject, &Requirement::default(), trust)
            .state
            .to_string()
    };
    let signed =
        archive(&[(".signature.sig", &signature), (".signature.manifest", b"{}"), (".signature.p7s", b"")]);
    assert_eq!(check(&signed, VSIX, &keys), "verified");
    assert_eq!(check(&signed, b"other bytes", &keys), "invalid(signature)");
    assert_eq!(check(&signed, VSIX, &KeyRing::default()), "invalid(unknown_key)");
    let foreign = KeyRing::new([TrustedKey::from_spki(ed25519(b"").0)]);
    assert_eq!(check(&signed, VSIX, &foreign), "invalid(signature)");
    let long = [signature.as_slice(), &[0; 1 << 20]].concat();
    assert_eq!(check(&archive(&[(".signature.sig", &long)]), VSIX, &keys), "malformed");
    assert_eq!(check(&archive(&[(".signature.p7s", b"cms")]), VSIX, &keys), "unsupported");
    assert_eq!(check(&archive(&[("other", b"")]), VSIX, &keys), "malformed");
    assert_eq!(check(b"PK\x03\x04", VSIX, &keys), "malformed");
}

#[test]
fn the_checksum_database_signs_notes() {
    let mut random = rand::rngs::OsRng;
    let (secret, public) = generate_key(&mut random, "sum.example");
    let (_, foreign) = generate_key(&mut random, "sum.example");
    let record = "example.test/m v1.0.0 h1:aaa=\nexample.test/m v1.0.0/go.mod h1:bbb=\n";
    let mut note = Note::new(record.as_bytes(), &[]).unwrap();
    note.add_sigs(&[&StandardSigner::new(&secret).unwrap()]).unwrap();
    let note = note.to_bytes();
    let check = |note: &[u8], key: &str| {
        formats::go_sumdb::verify_note(note, key, &Requirement::default()).state.to_string()
    };
    assert_eq!(check(&note, &public), "verified");
    assert_eq!(check(&note, &foreign), "invalid(unknown_key)");
    let edited = String::from_utf8(note.clone()).unwrap().replacen("aaa", "aab", 1);
    assert_eq!(check(edited.as_bytes(), &public), "invalid(signature)");
    assert_eq!(check(b"no note", &public), "malformed");
    assert_eq!(check(&note, "sum.example"), "invalid(unknown_key)");

    let compare = |version: &str, h1: &str| {
        formats::go_sumdb::compare(record, "example.test/m", version, h1).to_string()
    };
    assert_eq!(compare("v1.0.0", "h1:aaa="), "verified");
    assert_eq!(
        compare("v1.0.0", "h1:bbb="),
        "invalid(artifact_digest)",
        "the digest of go.mod is not the module's"
    );
    assert_eq!(compare("v1.0.1", "h1:aaa="), State::Absent.to_string());
}
