//! What packuments offer that is signed.

use serde_json::json;

use super::parse;
use crate::AttestationForm;

#[test]
fn attestations_and_signatures_are_told_by_version() {
    let version = |number: &str, dist: serde_json::Value| {
        let mut dist = dist;
        dist["tarball"] = format!("https://files.example/left-{number}.tgz").into();
        json!({ "name": "left", "version": number, "dist": dist })
    };
    let document = json!({
        "name": "left",
        "versions": {
            "1.0.0": version("1.0.0", json!({
                "integrity": "sha512-AAAA",
                "signatures": [{ "keyid": "SHA256:key", "sig": "MEUC" }, { "keyid": "SHA256:next", "sig": "MEUD" }],
                "attestations": { "url": "/-/npm/v1/attestations/left@1.0.0", "provenance": {} },
            })),
            "1.1.0": version("1.1.0", json!({ "integrity": "sha512-BBBB" })),
            "1.2.0": version("1.2.0", json!({
                "signatures": [{ "keyid": "SHA256:key", "sig": "MEUC" }],
                "attestations": { "url": "file:///etc/passwd" },
            })),
            "1.3.0": version("1.3.0", json!({ "integrity": "sha512-CCCC", "signatures": "none" })),
        },
    });
    let index = parse("left", document.to_string()).unwrap();
    let offered = index.attestations(0).unwrap();
    assert_eq!(offered.form, AttestationForm::Npm);
    assert_eq!(offered.request.url.as_str(), "https://registry.example/-/npm/v1/attestations/left@1.0.0");
    let signed = index.registry_signatures(0).unwrap();
    assert_eq!(signed.integrity, "sha512-AAAA");
    assert_eq!(signed.signatures[1], ("SHA256:next".to_owned(), "MEUD".to_owned()));
    for at in 1..4 {
        assert!(index.attestations(at).is_none(), "{at}");
        // Without an integrity there is nothing that they could be over.
        assert!(index.registry_signatures(at).is_none(), "{at}");
    }
    assert!(index.attestations(9).is_none() && index.registry_signatures(9).is_none());
}

#[test]
fn the_keys_of_a_registry_have_one_address() {
    use crate::Protocol as _;
    let request = super::Npm.registry_keys_request(&super::upstream()).unwrap();
    assert_eq!(request.url.as_str(), "https://registry.example/npm/-/npm/v1/keys");
}
