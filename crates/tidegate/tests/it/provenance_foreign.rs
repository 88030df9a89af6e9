//! What passed through a door, given to verifiers that others wrote: Sigstore's in JavaScript, and PyPI's own.

use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use tidegate_testkit::process::{Home, Program};
use tidegate_testkit::{data, tools};

use crate::clients_support::Site;

const PATIENCE: Duration = Duration::from_secs(120);

/// Verifies each attestation of npm's document under Sigstore's root and the registry's keys; a line for each.
const JAVASCRIPT: &str = r#"
const fs = require('fs');
const path = require('path');
const crypto = require('crypto');
const [kitFolder, rootFile, keysFile, document] = process.argv.slice(2);
const at = (name) => require(path.join(kitFolder, 'node_modules', '@sigstore', name));
const { bundleFromJSON } = at('bundle');
const { Verifier, toSignedEntity, toTrustMaterial } = at('verify');
const { TrustedRoot } = at('protobuf-specs');
const listed = JSON.parse(fs.readFileSync(keysFile)).keys.filter((key) => key.keyUsage === 'npm:attestations');
const keys = (hint) => {
  const found = listed.find((key) => key.keyId === hint);
  if (!found) throw new Error('no key ' + hint);
  const der = Buffer.from(found.publicKey.rawBytes, 'base64');
  return { publicKey: crypto.createPublicKey({ key: der, format: 'der', type: 'spki' }), validFor: () => true };
};
const trust = toTrustMaterial(TrustedRoot.fromJSON(JSON.parse(fs.readFileSync(rootFile))), keys);
for (const { bundle } of JSON.parse(fs.readFileSync(document)).attestations) {
  try {
    new Verifier(trust).verify(toSignedEntity(bundleFromJSON(bundle)));
    console.log('holds');
  } catch (error) {
    console.log('refused: ' + (error.code || error.message));
  }
}
"#;

/// What Sigstore's verifier in JavaScript says of npm's document; `None` where it is not here.
pub(crate) fn javascript(set: &Path, document: &[u8]) -> Option<Vec<String>> {
    let (node, kit) = (tools::node()?, tools::sigstore_kit()?);
    let home = Home::new();
    let folder = home.folder("verify");
    std::fs::write(folder.join("verify.js"), JAVASCRIPT).unwrap();
    std::fs::write(folder.join("attestations.json"), document).unwrap();
    let done = Program::new(node.path(), &home)
        .arg(folder.join("verify.js"))
        .arg(&kit)
        .arg(set.join("trusted_root.json"))
        .arg(set.join("npm-keys.json"))
        .arg(folder.join("attestations.json"))
        .timeout(PATIENCE)
        .run()
        .expect_success();
    Some(done.stdout.lines().map(str::to_owned).collect())
}

/// Whether PyPI's own verifier accepts an attestation of a file, signed by `identity`; `None` where it is not here.
pub(crate) fn pypi_attestations(
    name: &str,
    bytes: &[u8],
    attestation: &Value,
    identity: &str,
) -> Option<Result<(), String>> {
    let tool = tools::pypi_attestations()?;
    let home = Home::new();
    let folder = home.folder("verify");
    std::fs::write(folder.join(name), bytes).unwrap();
    std::fs::write(folder.join(format!("{name}.publish.attestation")), attestation.to_string()).unwrap();
    let done = Program::new(tool.path(), &home)
        .args(["verify", "attestation", "--offline", "--identity", identity])
        .arg(folder.join(name))
        .timeout(PATIENCE)
        .run();
    let accepted = done.status.is_some_and(|status| status.success());
    Some(if accepted { Ok(()) } else { Err(done.output()) })
}

/// A document as a door hands it on.
pub(crate) fn through(site: &Site, path: &str, accept: &str) -> Vec<u8> {
    let address = site.address();
    let address = address.trim_start_matches("http://").trim_end_matches('/').parse().unwrap();
    let asked = format!(
        "GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept: {accept}\r\nAccept-Encoding: identity\r\nConnection: close\r\n\r\n"
    );
    let served = tidegate_testkit::client::exchange(address, asked.as_bytes()).unwrap();
    assert_eq!(served.status, 200, "{path}: {}", String::from_utf8_lossy(&served.body));
    served.body
}

#[test]
fn the_foreign_verifiers_refuse_what_was_changed() {
    let Some(set) = data::shared_data("provenance") else { return };
    let row = |name: &str| -> Value {
        serde_json::from_str(&data::read(&set.join("cases").join(format!("{name}.json")))).unwrap()
    };
    let npm = row("npm-sigstore-2.3.1-prov")["attestation"].clone();
    let mut changed = npm.clone();
    changed["bundle"]["dsseEnvelope"]["payload"] = "e30=".into();
    let document = serde_json::json!({ "attestations": [npm, changed] }).to_string();
    if let Some(said) = javascript(&set, document.as_bytes()) {
        assert_eq!(said[0], "holds");
        assert!(said[1].starts_with("refused"), "{said:?}");
    }
    let pypi = row("pypi-pypi_attestations-0.0.19-publish");
    let name = pypi["subject"].as_str().unwrap();
    let said = pypi_attestations(name, b"other bytes", &pypi["attestation"], IDENTITY);
    assert!(said.is_none_or(|said| said.is_err()), "it accepts whatever it is given");
}

/// Who published the set's file of PyPI.
pub(crate) const IDENTITY: &str =
    "https://github.com/trailofbits/pypi-attestations/.github/workflows/release.yml@refs/tags/v0.0.19";
