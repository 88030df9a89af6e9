//! Keys behind programs.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tidegate_provenance::signing::{
    FileKey, KeyAlgorithm, ProgramKey, ProgramKeyError, ProgramSettings, SignError, SigningKey,
};
use tidegate_testkit::process::Home;
use tidegate_testkit::tools;

fn script(folder: &Path, text: &str) -> PathBuf {
    let path = folder.join("kms");
    std::fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).unwrap();
    path
}

fn settings(program: PathBuf, limit: Duration) -> ProgramSettings {
    ProgramSettings {
        program,
        args: vec!["--signer".into()],
        key: "projects/1/keys/custody".to_owned(),
        limit,
    }
}

fn open(folder: &Path, text: &str, limit: Duration) -> Result<ProgramKey, ProgramKeyError> {
    // A script that was just written can be busy in a sibling that another test thread forks.
    for _ in 0..50 {
        match ProgramKey::open(settings(script(folder, text), limit)) {
            Err(ProgramKeyError::Start { source, .. }) if source.raw_os_error() == Some(26) => {
                std::thread::sleep(Duration::from_millis(20));
            }
            other => return other,
        }
    }
    panic!("the script stays busy")
}

const LONG: Duration = Duration::from_secs(30);

/// A service in a script: keys as files, OpenSSL to sign, Python to read JSON. Real ones call a cloud.
fn service(folder: &Path, openssl: &Path, python: &Path, key: &FileKey, form: &str) -> String {
    std::fs::write(folder.join("public.pem"), key.public_key().to_pem()).unwrap();
    let script = r#"
import base64, json, subprocess, sys
folder, openssl, form = sys.argv[1:4]
asked = json.load(sys.stdin)
assert asked["v"] == 1 and asked["key"] == "projects/1/keys/custody", asked
if asked["operation"] == "public_key":
    print(json.dumps({"public_key": open(folder + "/public.pem").read()}))
else:
    message = base64.b64decode(asked["message"])
    if asked["algorithm"] == "ed25519":
        open(folder + "/message", "wb").write(message)
        call = [openssl, "pkeyutl", "-sign", "-rawin", "-inkey", folder + "/key.pem", "-in", folder + "/message"]
        signature = subprocess.run(call, check=True, capture_output=True).stdout
    else:
        # From the digest alone, as most services take it.
        call = [openssl, "pkeyutl", "-sign", "-inkey", folder + "/key.pem"]
        digest = bytes.fromhex(asked["sha256"])
        signature = subprocess.run(call, input=digest, check=True, capture_output=True).stdout
    if form == "raw" and asked["algorithm"] != "ed25519":
        def integer(at):
            return signature[at + 2:at + 2 + signature[at + 1]], at + 2 + signature[at + 1]
        r, at = integer(2)
        s, _ = integer(at)
        signature = b"".join(int.from_bytes(n, "big").to_bytes(32, "big") for n in (r, s))
    print(json.dumps({"signature": base64.b64encode(signature).decode(), "form": form}))
"#;
    std::fs::write(folder.join("service.py"), script).unwrap();
    let (folder, openssl, python) = (folder.display(), openssl.display(), python.display());
    format!("exec '{python}' -I '{folder}/service.py' '{folder}' '{openssl}' {form}")
}

#[test]
fn a_program_signs_in_either_form() {
    let (Some(openssl), Some(python)) = (tools::openssl(), tools::python()) else { return };
    for (algorithm, form) in
        [(KeyAlgorithm::EcdsaP256, "der"), (KeyAlgorithm::EcdsaP256, "raw"), (KeyAlgorithm::Ed25519, "raw")]
    {
        let home = Home::new();
        let key = FileKey::create(&home.path().join("key.pem"), algorithm, None).unwrap();
        let text = service(home.path(), openssl.path(), python.path(), &key, form);
        let program = open(home.path(), &text, LONG).unwrap();
        assert_eq!(program.public_key(), key.public_key());
        for message in [&b"words"[..], &[0; 100_000]] {
            let signature = program.sign(message).unwrap();
            assert!(key.public_key().verify(message, &signature), "{algorithm} {form}");
        }
    }
}

#[test]
fn a_signature_by_another_key_is_not_handed_on() {
    let (Some(openssl), Some(python)) = (tools::openssl(), tools::python()) else { return };
    let home = Home::new();
    FileKey::create(&home.path().join("key.pem"), KeyAlgorithm::EcdsaP256, None).unwrap();
    let other = FileKey::create(&home.path().join("other.pem"), KeyAlgorithm::EcdsaP256, None).unwrap();
    let text = service(home.path(), openssl.path(), python.path(), &other, "der");
    let program = open(home.path(), &text, LONG).unwrap();
    assert!(
        matches!(program.sign(b"words"), Err(SignError::NotByThisKey(id)) if id == other.public_key().key_id())
    );
}

#[test]
fn programs_that_misbehave_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let check = |text: &str, expected: &str| {
        let refused = open(folder.path(), text, LONG).unwrap_err();
        let source = std::error::Error::source(&refused).map(ToString::to_string).unwrap_or_default();
        let told = format!("{refused}: {source}");
        assert!(told.contains(expected), "{text}: {told}");
    };
    check("exit 3", "failed (exit status: 3): it said nothing");
    check("echo 'no credentials' >&2; exit 1", "no credentials");
    check(r#"printf '{"error":"key\\u001b[31m is disabled"}'"#, "key [31m is disabled");
    check("echo hello", "did not answer in the protocol");
    check("echo '{}'", "there is no `public_key`");
    check(r#"echo '{"public_key":"none"}'"#, "not a public key in PEM");
    check("head -c 20000 /dev/zero", "answered with more than 16384 bytes");
    check("yes", "answered with more than 16384 bytes");
    let absent = ProgramKey::open(settings(folder.path().join("absent"), LONG)).unwrap_err();
    assert!(matches!(absent, ProgramKeyError::Start { .. }));
}

#[test]
fn a_program_that_hangs_is_ended_with_what_it_started() {
    let folder = tempfile::tempdir().unwrap();
    let note = folder.path().join("note");
    let limit = Duration::from_millis(500);
    for hanging in [
        format!("(sleep 3; touch '{0}') & sleep 60", note.display()),
        // The program ends, and something that it left behind keeps its output open.
        format!("(sleep 3; touch '{0}') & exit 0", note.display()),
        // It closes its output and stays.
        format!("exec >&- 2>&-; sleep 3; touch '{0}'", note.display()),
    ] {
        let began = Instant::now();
        let refused = open(folder.path(), &hanging, limit).unwrap_err();
        assert!(matches!(refused, ProgramKeyError::TimedOut { .. }), "{hanging}: {refused}");
        assert!(began.elapsed() < Duration::from_millis(2500), "{hanging}: {:?}", began.elapsed());
    }
    std::thread::sleep(Duration::from_millis(3500));
    assert!(!note.exists(), "something went on");
}
