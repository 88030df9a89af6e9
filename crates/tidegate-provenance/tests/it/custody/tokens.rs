//! Keys in a token, with SoftHSM.
//!
//! SoftHSM finds its tokens through a variable that must be set before it is loaded, and a test must not change its own
//! environment: so the test starts this binary again, with the variable, for the one test that does the work.

use std::path::{Path, PathBuf};
use std::process::Command;

use tidegate_provenance::signing::{
    FileKey, KeyAlgorithm, PinSource, SigningKey, TokenKey, TokenKeyError, TokenSettings,
};
use tidegate_testkit::process::Home;
use tidegate_testkit::tools;

/// Names the folder that the outer test prepared.
const PREPARED: &str = "TIDEGATE_TEST_TOKEN_FOLDER";
const MODULE: &str = "TIDEGATE_TEST_TOKEN_MODULE";
const PIN: &str = "48151623";

#[test]
fn a_token_signs() {
    let Some(softhsm) = tools::softhsm() else { return };
    let home = Home::new();
    let tokens = home.folder("tokens");
    let configuration = home.path().join("softhsm2.conf");
    std::fs::write(
        &configuration,
        format!("directories.tokendir = {}\nlog.level = ERROR\n", tokens.display()),
    )
    .unwrap();
    // Unpacked rather than installed, the program looks for its module where Debian would have put it.
    let util = |args: &[&str]| {
        softhsm
            .util
            .called_by(&home)
            .args(args)
            .arg("--module")
            .arg(&softhsm.module)
            .env("SOFTHSM2_CONF", &configuration)
            .in_folder(home.path())
            .run()
            .expect_success()
    };
    util(&["--init-token", "--free", "--label", "tidegate", "--so-pin", "9999", "--pin", PIN]);
    util(&["--init-token", "--free", "--label", "another", "--so-pin", "9999", "--pin", PIN]);
    for (name, label, id) in
        [("custody.pem", "custody", "01"), ("a.pem", "twice", "02"), ("b.pem", "twice", "03")]
    {
        FileKey::create(&home.path().join(name), KeyAlgorithm::EcdsaP256, None).unwrap();
        util(&["--import", name, "--token", "tidegate", "--label", label, "--id", id, "--pin", PIN]);
    }
    if let Some(openssl) = tools::openssl() {
        let make = ["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384", "-out", "p384.pem"];
        openssl.called_by(&home).args(make).in_folder(home.path()).run().expect_success();
        util(&["--import", "p384.pem", "--token", "tidegate", "--label", "p384", "--id", "04", "--pin", PIN]);
    }
    let inner = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "custody::tokens::in_a_process_with_a_token", "--nocapture"])
        .env("SOFTHSM2_CONF", &configuration)
        .env(PREPARED, home.path())
        .env(MODULE, &softhsm.module)
        .output()
        .unwrap();
    let said =
        format!("{}{}", String::from_utf8_lossy(&inner.stdout), String::from_utf8_lossy(&inner.stderr));
    assert!(inner.status.success(), "{said}");
    assert!(said.contains("the token signed"), "the inner test did nothing: {said}");
    assert!(!said.contains(PIN), "{said}");
}

/// Does nothing unless [`a_token_signs`] starts it.
#[test]
fn in_a_process_with_a_token() {
    let (Some(folder), Some(module)) = (std::env::var_os(PREPARED), std::env::var_os(MODULE)) else { return };
    let (folder, module) = (PathBuf::from(folder), PathBuf::from(module));
    let file = FileKey::open(&folder.join("custody.pem"), None).unwrap();
    let settings = |key: &str, pin: &Path| TokenSettings {
        module: module.clone(),
        token: "tidegate".to_owned(),
        key: key.to_owned(),
        pin: PinSource::File(pin.to_owned()),
    };
    let pin = secret(&folder, "pin", &format!("{PIN}\n"));

    let token = TokenKey::open(settings("custody", &pin)).unwrap();
    assert_eq!(token.public_key(), file.public_key());
    for round in 0..20 {
        let message = format!("words {round}");
        let signature = token.sign(message.as_bytes()).unwrap();
        assert!(file.public_key().verify(message.as_bytes(), &signature));
    }
    // Two keys in one process, from several threads.
    let second = TokenKey::open(settings("custody", &pin)).unwrap();
    std::thread::scope(|scope| {
        for key in [&token, &second, &token, &second] {
            scope.spawn(move || check_signs(key));
        }
    });

    refusals(&settings, &folder, &pin, &module);
    println!("the token signed");
}

fn check_signs(key: &TokenKey) {
    for _ in 0..20 {
        assert!(key.public_key().verify(b"words", &key.sign(b"words").unwrap()));
    }
}

fn refusals(settings: &dyn Fn(&str, &Path) -> TokenSettings, folder: &Path, pin: &Path, module: &Path) {
    let refused = |settings: TokenSettings| TokenKey::open(settings).unwrap_err();
    let counted = refused(settings("twice", pin));
    assert!(matches!(counted, TokenKeyError::KeyCount { found: 2, .. }), "{counted}");
    let counted = refused(settings("absent", pin));
    assert!(matches!(counted, TokenKeyError::KeyCount { found: 0, class: "private", .. }), "{counted}");
    if folder.join("p384.pem").exists() {
        assert!(matches!(refused(settings("p384", pin)), TokenKeyError::OtherKey { .. }));
    }
    let unlabelled = refused(TokenSettings { token: "absent".to_owned(), ..settings("custody", pin) });
    assert!(
        unlabelled.to_string().contains("`tidegate`, `another`")
            || unlabelled.to_string().contains("`another`, `tidegate`"),
        "{unlabelled}"
    );
    let relative = TokenSettings { module: "libsofthsm2.so".into(), ..settings("custody", pin) };
    assert!(matches!(refused(relative), TokenKeyError::RelativeModule(_)));
    let no_module = TokenSettings { module: folder.join("absent.so"), ..settings("custody", pin) };
    assert!(matches!(refused(no_module), TokenKeyError::Module { .. }));
    let variable = TokenSettings {
        module: module.to_owned(),
        pin: PinSource::Variable("TIDEGATE_TEST_NO_SUCH_PIN".to_owned()),
        ..settings("custody", pin)
    };
    assert!(matches!(refused(variable), TokenKeyError::PinVariable(_)));
    // A PIN is asked for again only by a process that is not logged in, so a wrong one shows on the other token.
    let wrong = secret(folder, "wrong", "00000000");
    let refusal = refused(TokenSettings { token: "another".to_owned(), ..settings("custody", &wrong) });
    assert!(matches!(refusal, TokenKeyError::Login { .. }), "{refusal}");
    assert!(!format!("{refusal} {refusal:?}").contains("00000000"));
    let open = folder.join("open-pin");
    std::fs::write(&open, PIN).unwrap();
    std::fs::set_permissions(&open, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    assert!(matches!(refused(settings("custody", &open)), TokenKeyError::PinFile(_)));
}

fn secret(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    path
}
