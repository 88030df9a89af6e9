//! Keys in files.

use std::os::unix::fs::PermissionsExt as _;

use tidegate_model::Secret;
use tidegate_provenance::signing::{
    CreateKeyError, FileKey, KeyAlgorithm, OpenKeyError, PrivateFileError, PublicKey, SigningKey,
};
use tidegate_testkit::process::Home;
use tidegate_testkit::tools;

const BOTH: [KeyAlgorithm; 2] = [KeyAlgorithm::EcdsaP256, KeyAlgorithm::Ed25519];

#[test]
fn a_key_that_was_made_is_read_again_and_signs() {
    let folder = tempfile::tempdir().unwrap();
    for algorithm in BOTH {
        let path = folder.path().join(algorithm.as_str());
        let made = FileKey::create(&path, algorithm, None).unwrap();
        let read = FileKey::open(&path, None).unwrap();
        assert_eq!(made.public_key(), read.public_key());
        assert_eq!(made.public_key().algorithm(), algorithm);
        let signature = made.sign(b"words").unwrap();
        assert!(read.public_key().verify(b"words", &signature));
        assert!(!read.public_key().verify(b"other words", &signature));
        assert!(!read.public_key().verify(b"words", &signature[1..]));
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(read.ed25519_seed().is_some(), algorithm == KeyAlgorithm::Ed25519);
    }
    // Nothing half-written stays beside them.
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
}

#[test]
fn a_key_is_never_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key.pem");
    FileKey::create(&path, KeyAlgorithm::EcdsaP256, None).unwrap();
    let before = std::fs::read(&path).unwrap();
    let refused = FileKey::create(&path, KeyAlgorithm::EcdsaP256, None).unwrap_err();
    assert!(matches!(refused, CreateKeyError::Exists(_)), "{refused}");
    assert_eq!(std::fs::read(&path).unwrap(), before);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    // Nor where the name is a link to nowhere, which a plain creation would follow.
    let link = folder.path().join("link.pem");
    std::os::unix::fs::symlink(folder.path().join("nowhere"), &link).unwrap();
    assert!(matches!(FileKey::create(&link, KeyAlgorithm::Ed25519, None), Err(CreateKeyError::Exists(_))));
    let absent = folder.path().join("absent/key.pem");
    assert!(matches!(
        FileKey::create(&absent, KeyAlgorithm::Ed25519, None),
        Err(CreateKeyError::Write { .. })
    ));
}

#[test]
fn a_key_that_others_may_read_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key.pem");
    FileKey::create(&path, KeyAlgorithm::EcdsaP256, None).unwrap();
    for mode in [0o640, 0o604, 0o620, 0o660, 0o644] {
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        let OpenKeyError::File(exposed) = FileKey::open(&path, None).unwrap_err() else { panic!("{mode:o}") };
        assert!(matches!(exposed, PrivateFileError::Exposed { .. }));
        let text = exposed.to_string();
        assert!(
            text.contains(&format!("chmod 600 {}", path.display())) && text.contains(&format!("{mode:04o}"))
        );
    }
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o400)).unwrap();
    assert!(FileKey::open(&path, None).is_ok());
}

#[test]
fn what_is_no_key_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let check = |name: &str, contents: &[u8], expected: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, contents).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        let refused = FileKey::open(&path, None).unwrap_err();
        let source = std::error::Error::source(&refused).map(ToString::to_string).unwrap_or_default();
        let text = format!("{refused}: {source}");
        assert!(text.contains(expected), "{name}: {text}");
    };
    check("empty", b"", "holds no private key in PKCS#8");
    check("binary", &[0xff; 100], "is not UTF-8");
    check("long", &vec![b'a'; 17 << 10], "is longer than 16384 bytes");
    let public =
        PublicKey::from_der(&hex::decode(format!("302a300506032b6570032100{}", "07".repeat(32))).unwrap());
    check("public", public.unwrap().to_pem().as_bytes(), "holds no private key in PKCS#8");
    // PKCS#8 of a key for another algorithm (X25519).
    let other = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VuBCIEIAcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcH\n-----END PRIVATE KEY-----\n";
    check("other", other.as_bytes(), "neither an ECDSA P-256 nor an Ed25519 key");
    let folder_error = FileKey::open(folder.path(), None).unwrap_err();
    assert!(std::error::Error::source(&folder_error).unwrap().to_string().contains("not a plain file"));
}

#[test]
fn a_passphrase_opens_what_it_closed() {
    let folder = tempfile::tempdir().unwrap();
    let passphrase = Secret::new("correct horse".to_owned());
    for algorithm in BOTH {
        let path = folder.path().join(algorithm.as_str());
        let made = FileKey::create(&path, algorithm, Some(&passphrase)).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----"));
        assert_eq!(FileKey::open(&path, Some(&passphrase)).unwrap().public_key(), made.public_key());
        assert!(matches!(FileKey::open(&path, None), Err(OpenKeyError::PassphraseWanted(_))));
        let wrong = FileKey::open(&path, Some(&Secret::new("wrong".to_owned()))).unwrap_err();
        assert!(matches!(wrong, OpenKeyError::WrongPassphrase(_)));
        assert!(!format!("{wrong} {wrong:?}").contains("wrong`") && !format!("{made:?}").contains("correct"));
    }
}

#[test]
fn openssl_reads_our_keys_and_we_read_its() {
    let Some(openssl) = tools::openssl() else { return };
    let home = Home::new();
    let run = |args: &[&str]| {
        openssl.called_by(&home).args(args).in_folder(home.path()).run().expect_success().stdout
    };
    for algorithm in BOTH {
        for passphrase in [None, Some("pass phrase")] {
            let name = format!("ours-{algorithm}-{}", passphrase.is_some());
            let secret = passphrase.map(|text| Secret::new(text.to_owned()));
            let ours = FileKey::create(&home.path().join(&name), algorithm, secret.as_ref()).unwrap();
            let told = run(&["pkey", "-in", &name, "-passin", "pass:pass phrase", "-pubout"]);
            assert_eq!(told, ours.public_key().to_pem());
        }
    }
    run(&["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", "theirs-p256"]);
    run(&["genpkey", "-algorithm", "ed25519", "-out", "theirs-ed25519"]);
    run(&["pkcs8", "-topk8", "-in", "theirs-p256", "-passout", "pass:theirs", "-out", "theirs-closed"]);
    for (name, passphrase) in
        [("theirs-p256", None), ("theirs-ed25519", None), ("theirs-closed", Some("theirs"))]
    {
        let path = home.path().join(name);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        let secret = passphrase.map(|text| Secret::new(text.to_owned()));
        let theirs = FileKey::open(&path, secret.as_ref()).unwrap();
        let told = run(&["pkey", "-in", name, "-passin", "pass:theirs", "-pubout"]);
        assert_eq!(told, theirs.public_key().to_pem());
        let signature = theirs.sign(b"words").unwrap();
        assert!(PublicKey::from_pem(&told).unwrap().verify(b"words", &signature));
    }
    run(&["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384", "-out", "theirs-p384"]);
    let path = home.path().join("theirs-p384");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    assert!(matches!(FileKey::open(&path, None), Err(OpenKeyError::OtherKey(_))));
}
