//! The registry's signature of an extension: checked with the key that the registry names, over the bytes that came.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use rcgen::{KeyPair, PublicKeyData as _, SigningKey as _};
use serde_json::{Value, json};
use tidegate_testkit::client::RawResponse;
use tidegate_testkit::upstream::vsix_signature;
use tidegate_testkit::{BuiltFile, Fault, Package};

use crate::extensions::{Gallery, package_of};
use crate::support::{Setup, TestDoor, days_ago, json as read};

const SIGNATURE: &str = "/openvsx/api/acme/tool/1.0.0/file/acme.tool-1.0.0.sigzip";

fn tool(gallery: &Gallery) -> BuiltFile {
    gallery.publish(Package::vscode("acme.tool", "1.0.0").published(&days_ago(90)))
}

fn open(gallery: &Gallery) -> TestDoor {
    Setup::new(&gallery.server).open()
}

fn pull(door: &TestDoor) -> RawResponse {
    door.get(&package_of("openvsx", "tool", "1.0.0"))
}

fn checked(door: &TestDoor) -> Value {
    let name = tidegate_model::PackageName::parse(tidegate_model::Ecosystem::Vscode, "acme/tool").unwrap();
    let purl = tidegate_model::coordinate::package_purl(&name);
    let rows = door.door.store.catalogue.verifications_of(&purl).unwrap();
    assert_eq!(rows.len(), 1, "{rows:?}");
    serde_json::from_str(&rows[0].result).unwrap()
}

fn decided(door: &TestDoor, answer: &RawResponse) -> String {
    door.get(&format!("/d/{}", answer.header("x-tidegate-decision").unwrap())).text()
}

/// The archive with one bit of the signature in it flipped: it is stored as it is, since it cannot be made smaller.
fn flipped(archive: &[u8], package: &[u8]) -> Vec<u8> {
    let mut zip = zip::ZipArchive::new(std::io::Cursor::new(archive)).unwrap();
    let mut signature = Vec::new();
    std::io::Read::read_to_end(&mut zip.by_name(".signature.sig").unwrap(), &mut signature).unwrap();
    assert_eq!(signature.len(), 64, "of {} bytes", package.len());
    signature[20] ^= 1;
    archive_of(&[(".signature.sig", &signature)])
}

fn archive_of(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in files {
        writer.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        std::io::Write::write_all(&mut writer, bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

#[test]
fn a_registrys_signature_is_verified_and_proves_no_more() {
    let gallery = Gallery::start();
    let tool = tool(&gallery);
    let door = open(&gallery);
    let pulled = pull(&door);
    assert_eq!((pulled.status, &pulled.body[..]), (200, &tool.bytes[..]));
    let checked = checked(&door);
    let outcome = &checked["outcomes"][0];
    assert_eq!((&outcome["format"], &outcome["state"]), (&json!("open_vsx"), &json!("verified")));
    assert!(outcome["not_proven"].to_string().contains("who published it"), "{outcome}");
    assert!(outcome["builder"].is_null() && outcome["source_repository"].is_null());
    // Signature and key leave as they came.
    assert_eq!(door.get(SIGNATURE).body, vsix_signature(&tool.bytes));
    let asked = (gallery.server.count("/public-key/"), gallery.files.count("sigzip"));
    let door = door.restart();
    assert_eq!(pull(&door).status, 200);
    assert_eq!((gallery.server.count("/public-key/"), gallery.files.count("sigzip")), asked, "it is known");
    // It says nothing of who built it: whoever demands that, is not satisfied by it.
    let strict = "[[rule]]\nid = \"built\"\naction = \"warn\"\nunknown = \"block\"\nmessage = \"m\"\n[rule.when]\n\"provenance.status\" = \"verified\"\n";
    assert_eq!(pull(&Setup::new(&gallery.server).policy(strict).open()).status, 403);
}

#[test]
fn what_the_registry_did_not_sign_is_refused_with_the_reason() {
    let other = KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
    let pem = format!(
        "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n",
        STANDARD.encode(other.subject_public_key_info())
    );
    type Spoil<'a> = &'a dyn Fn(&Gallery, &BuiltFile);
    let serve = |gallery: &Gallery, archive: Vec<u8>| {
        gallery.files.fault("sigzip", Fault::OtherBytes(archive.into()));
    };
    let cases: [(&str, &str, Spoil<'_>); 7] = [
        ("a flipped bit", "invalid(signature)", &|gallery, tool| {
            serve(gallery, flipped(&vsix_signature(&tool.bytes), &tool.bytes));
        }),
        ("another package's signature", "invalid(signature)", &|gallery, _| {
            serve(gallery, vsix_signature(b"another package"));
        }),
        ("another key", "invalid(signature)", &|gallery, _| {
            gallery.server.fault("/public-key/", Fault::OtherBytes(Bytes::from(pem.clone())));
        }),
        ("garbage", "no ZIP archive", &|gallery, _| serve(gallery, b"garbage".to_vec())),
        ("an archive without a signature", "holds no signature", &|gallery, _| {
            serve(gallery, archive_of(&[(".signature.manifest", b"{}")]));
        }),
        ("a signature that is too long", "holds no Ed25519 signature", &|gallery, _| {
            serve(gallery, archive_of(&[(".signature.sig", &[0; 65])]));
        }),
        ("more entries than any", "more entries", &|gallery, _| {
            let names: Vec<String> = (0..20).map(|n| n.to_string()).collect();
            let files: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), &b""[..])).collect();
            serve(gallery, archive_of(&files));
        }),
    ];
    for (what, why, spoil) in cases {
        let gallery = Gallery::start();
        let tool = tool(&gallery);
        spoil(&gallery, &tool);
        let door = open(&gallery);
        let refused = pull(&door);
        assert_eq!(refused.status, 403, "{what}: {:?}", checked(&door));
        let told = read(&refused)["message"].to_string();
        assert!(
            told.contains("its provenance does not verify: the registry's signature") && told.contains(why),
            "{what}: {told}"
        );
        // The same through the other protocol, and no editor lands on it again.
        assert_eq!(door.get(&package_of("vscode", "tool", "1.0.0")).status, 403, "{what}");
        assert_ne!(read(&door.get("/openvsx/api/acme/tool"))["version"], "1.0.0", "{what}");
        // The same without the control.
        let off = Setup::new(&gallery.server).with(|c| c.provenance.enabled = false).open();
        assert_eq!(pull(&off).status, 200, "{what}");
    }
}

#[test]
fn what_cannot_be_had_is_a_gap_and_asked_for_again() {
    let status = |code| Fault::Status { code, retry_after: None };
    type Spoil<'a> = &'a dyn Fn(&Gallery);
    let cases: [(&str, Spoil<'_>); 5] = [
        ("no signature", &|gallery| gallery.files.fault("sigzip", status(404))),
        ("a failing signature", &|gallery| gallery.files.fault("sigzip", status(500))),
        ("no key", &|gallery| gallery.server.fault("/public-key/", status(404))),
        ("a failing key", &|gallery| gallery.server.fault("/public-key/", status(500))),
        ("a key that is none", &|gallery| {
            gallery.server.fault("/public-key/", Fault::OtherBytes("no key".into()));
        }),
    ];
    for (what, spoil) in cases {
        let gallery = Gallery::start();
        let tool = tool(&gallery);
        spoil(&gallery);
        let door = open(&gallery);
        let answer = pull(&door);
        assert_eq!((answer.status, &answer.body[..]), (200, &tool.bytes[..]), "{what}");
        assert!(decided(&door, &answer).contains("provenance error"), "{what}: {}", decided(&door, &answer));
        assert!(checked(&door)["unavailable"].is_string(), "{what}");
        gallery.files.clear_faults();
        gallery.server.clear_faults();
        door.clock().advance(700);
        let door = door.restart();
        assert_eq!(pull(&door).status, 200, "{what}");
        assert_eq!(checked(&door)["outcomes"][0]["state"], "verified", "{what}");
    }
    // Another kind of signature is said to be one, and stops nobody.
    let gallery = Gallery::start();
    tool(&gallery);
    let other = archive_of(&[(".signature.p7s", b"cms")]);
    gallery.files.fault("sigzip", Fault::OtherBytes(other.into()));
    let door = open(&gallery);
    assert_eq!(pull(&door).status, 200);
    assert_eq!(checked(&door)["outcomes"][0]["state"], "unsupported");
}

#[test]
fn a_registry_that_signs_anew_with_another_key_is_believed() {
    let gallery = Gallery::start();
    let tool = tool(&gallery);
    let door = open(&gallery);
    assert_eq!(pull(&door).status, 200);
    let first = checked(&door)["outcomes"][0]["signer"].clone();
    let new = KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
    let signature = new.sign(&tool.bytes).unwrap();
    let archive = archive_of(&[(".signature.sig", &signature)]);
    gallery.files.fault("sigzip", Fault::OtherBytes(archive.into()));
    gallery.server.fault("/public-key/", Fault::OtherBytes(new.public_key_pem().into()));
    // Within a day its key is the one that is known.
    let door = door.restart();
    assert_eq!(pull(&door).status, 200);
    assert_eq!(checked(&door)["outcomes"][0]["signer"], first);
    door.clock().advance(90_000);
    let door = door.restart();
    assert_eq!(pull(&door).status, 200);
    let checked = checked(&door);
    assert_eq!(checked["outcomes"][0]["state"], "verified", "{checked}");
    assert_ne!(checked["outcomes"][0]["signer"], first);
}
