//! What is set and what is written, without a client.

use super::*;
use crate::clients::setup::WriteError;

fn home() -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    std::fs::create_dir(home.path().join("project")).unwrap();
    home
}

fn value(launch: &Launch, name: &str) -> String {
    launch.set[name].expose().to_string_lossy().into_owned()
}

#[test]
fn programs_are_recognised() {
    for (words, expected) in [
        ("npm ci", Some(Client::Npm)),
        ("/usr/bin/npx cowsay", Some(Client::Npm)),
        ("pip3.12 install x", Some(Client::Pip)),
        ("python3 -I -m pip install x", Some(Client::Pip)),
        ("python3 -m venv x", None),
        ("uvx ruff", Some(Client::Uv)),
        ("cargo +nightly build", Some(Client::Cargo)),
        ("code-server --install-extension acme.tool", Some(Client::CodeServer)),
        ("codium .", Some(Client::Vscodium)),
        ("make", None),
        ("pipx run x", None),
    ] {
        assert_eq!(Client::of_command(&command(words)), expected, "{words}");
    }
}

#[test]
fn npm_variables_replace_every_spelling() {
    let home = home();
    let vars = [("NPM_CONFIG_REGISTRY", "https://a.example"), ("Npm_Config_Replace-Registry-Host", "never")];
    let around = around(home.path(), &vars);
    let launch = launch(&command("npm ci"), &door(), None, &around).unwrap();
    assert_eq!(value(&launch, "npm_config_registry"), "http://127.0.0.1:8484/npm/");
    assert_eq!(value(&launch, "npm_config_replace_registry_host"), "always");
    for (name, _) in vars {
        assert!(launch.remove.contains(&name.to_owned()), "{name} is not taken away");
    }
    assert!(launch.scratch().is_none() && launch.args == ["ci"]);
}

#[test]
fn a_token_goes_into_a_private_file_that_ends_with_the_run() {
    use std::os::unix::fs::PermissionsExt as _;
    let home = home();
    std::fs::write(home.path().join(".npmrc"), "cafile=/etc/corp.pem").unwrap();
    let launch = launch(&command("npm ci"), &door(), Some(&token()), &around(home.path(), &[])).unwrap();
    let path = std::path::PathBuf::from(value(&launch, "npm_config_userconfig"));
    let text = std::fs::read_to_string(&path).unwrap();
    assert_eq!(text, "cafile=/etc/corp.pem\n//127.0.0.1:8484/npm/:_authToken=${TIDEGATE_RUN_TOKEN}\n");
    assert_eq!(value(&launch, "TIDEGATE_RUN_TOKEN"), "tok/en");
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(!format!("{launch:?}{:?}", launch.set).contains("tok/en"));
    drop(launch);
    assert!(!path.exists());
}

#[test]
fn python_gets_one_index() {
    let home = home();
    let vars = [
        ("PIP_EXTRA_INDEX_URL", "https://x.example"),
        ("PIP_FIND_LINKS", "/opt/wheels https://l.example/"),
        ("UV_INDEX", "https://x.example"),
        ("UV_FIND_LINKS", "https://l.example/"),
        ("HTTPS_PROXY", "http://proxy.example:3128"),
        ("no_proxy", "a.example"),
    ];
    let launch = launch(&command("uv sync"), &door(), Some(&token()), &around(home.path(), &vars)).unwrap();
    assert_eq!(value(&launch, "UV_DEFAULT_INDEX"), "http://tidegate:tok%2Fen@127.0.0.1:8484/pypi/simple");
    assert_eq!(value(&launch, "PIP_EXTRA_INDEX_URL"), " ");
    assert_eq!(value(&launch, "PIP_FIND_LINKS"), "/opt/wheels");
    assert!(
        launch.remove.contains(&"UV_INDEX".to_owned()) && launch.remove.contains(&"UV_FIND_LINKS".to_owned())
    );
    assert_eq!(value(&launch, "NO_PROXY"), "a.example,127.0.0.1");
    assert!(
        launch.bypasses.iter().any(|bypass| bypass.what.contains("/opt/wheels")),
        "{:?}",
        launch.bypasses
    );
}

#[test]
fn cargo_arguments_stand_behind_the_toolchain() {
    let home = home();
    let launch =
        launch(&command("cargo +nightly build -q"), &door(), Some(&token()), &around(home.path(), &[]))
            .unwrap();
    let args: Vec<_> = launch.args.iter().map(|arg| arg.to_str().unwrap()).collect();
    assert_eq!((args[0], args[1]), ("+nightly", "--config"));
    assert_eq!(args[2], "source.crates-io.replace-with=\"tidegate\"");
    assert_eq!(&args[args.len() - 2..], ["build", "-q"]);
    assert!(!args.concat().contains("tok/en"), "a token among the arguments is everybody's to read");
    assert_eq!(value(&launch, "CARGO_REGISTRIES_TIDEGATE_TOKEN"), "Bearer tok/en");
}

#[test]
fn ways_past_the_door_are_listed() {
    let home = home();
    let project = home.path().join("project");
    let files = [
        (".npmrc", "@acme:registry=https://corp.example/\n@door:registry=http://localhost:8484/npm/\n"),
        ("pnpm-workspace.yaml", "registries:\n  default: https://corp.example/\n"),
        ("pyproject.toml", "[[tool.uv.index]]\nname='corp'\nurl='https://corp.example/simple'\n"),
        ("requirements.txt", "--extra-index-url https://corp.example/simple\n-r other.txt\ndemo==1\n"),
    ];
    for (name, text) in files {
        std::fs::write(project.join(name), text).unwrap();
    }
    let list = |words: &str| {
        let launch = launch(&command(words), &door(), None, &around(home.path(), &[])).unwrap();
        launch.bypasses.iter().map(|bypass| format!("{} {}", bypass.place, bypass.what)).collect::<Vec<_>>()
    };
    let npm = list("npm ci --registry=https://corp.example -- --index-url x");
    assert!(
        npm.iter().any(|line| line.contains("`@acme`"))
            && npm.iter().any(|line| line.contains("`--registry`"))
    );
    assert!(npm.iter().any(|line| line.contains("pnpm-workspace.yaml")));
    assert_eq!(npm.len(), 3, "{npm:?}");
    assert_eq!(list("npm ci --registry http://127.0.0.1:8484/npm/").len(), 2);
    let uv = list("uv sync");
    assert!(uv.len() == 1 && uv[0].contains("`corp`"), "{uv:?}");
    let found = bypass::in_requirements(&project.join("requirements.txt"), &door());
    assert!(found.len() == 1 && found[0].what.contains("--extra-index-url"), "{found:?}");
}

/// Writes a client's setup into a home that holds `before`, and returns what stands there afterwards.
fn written(client: Client, file: &str, before: Option<&str>) -> Result<String, WriteError> {
    let home = home();
    let path = home.path().join(file);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    if let Some(before) = before {
        std::fs::write(&path, before).unwrap();
    }
    let setup = setup(client, &door(), Some(&token()));
    let around = around(home.path(), &[]);
    let mut text = String::new();
    for entry in &setup.files {
        let first = entry.write(&around)?;
        assert!(first.changed);
        if first.path == path {
            assert_eq!(first.backup.is_some(), before.is_some());
            if let (Some(backup), Some(before)) = (&first.backup, before) {
                assert_eq!(
                    std::fs::read_to_string(backup).unwrap(),
                    before,
                    "the backup is not what stood there"
                );
            }
            text = std::fs::read_to_string(&path).unwrap();
        }
        let second = entry.write(&around)?;
        assert!(
            !second.changed && second.backup.is_none() && second.undo().is_none(),
            "{client:?} is written twice"
        );
    }
    Ok(text)
}

#[test]
fn setup_merges_and_keeps_the_rest() {
    let npm = written(
        Client::Npm,
        ".npmrc",
        Some("# mine\nregistry = https://old.example\nfund=false\nregistry=https://older.example"),
    )
    .unwrap();
    assert_eq!(
        npm,
        "# mine\nregistry=http://127.0.0.1:8484/npm/\nfund=false\nreplace-registry-host=always\nomit-lockfile-registry-resolved=true\n//127.0.0.1:8484/npm/:_authToken=tok/en\n"
    );

    let pip = written(
        Client::Pip,
        ".config/pip/pip.conf",
        Some("[install]\nindex-url = keep\n[global]\ntimeout = 9\nindex_url =\n  https://old.example\n"),
    )
    .unwrap();
    assert_eq!(
        pip,
        "[install]\nindex-url = keep\n[global]\nindex-url = http://tidegate:tok%2Fen@127.0.0.1:8484/pypi/simple\ntimeout = 9\n"
    );

    let uv = written(Client::Uv, ".config/uv/uv.toml", Some("# mine\nindex-url = 'https://old.example'\noffline = false\n\n[[index]]\nname = 'corp'\nurl = 'https://corp.example'\n")).unwrap();
    assert!(
        uv.contains("name = 'corp'") && uv.contains("default = true") && !uv.contains("index-url"),
        "{uv}"
    );

    let cargo = written(
        Client::Cargo,
        ".cargo/config.toml",
        Some("# mine\n[build]\njobs = 2 # two\n[source.crates-io]\nreplace-with = 'old'\n"),
    )
    .unwrap();
    assert!(cargo.contains("jobs = 2 # two") && cargo.contains("replace-with = \"tidegate\""), "{cargo}");
    assert!(
        cargo.contains("index = \"sparse+http://127.0.0.1:8484/cargo/\"") && !cargo.contains("tok/en"),
        "{cargo}"
    );

    let yarn = written(
        Client::Yarn,
        ".yarnrc.yml",
        Some("nodeLinker: pnp\nunsafeHttpWhitelist:\n    - \"a.test\"\n"),
    )
    .unwrap();
    assert!(
        yarn.contains("    - \"127.0.0.1\"\n    - \"a.test\"") && yarn.starts_with("nodeLinker: pnp\n"),
        "{yarn}"
    );
    for client in Client::ALL.into_iter().filter(|client| client.ecosystem() != Ecosystem::Oci) {
        written(client, "absent", None).unwrap();
    }
}

#[test]
fn setup_refuses_what_it_cannot_read() {
    for (client, file, text, expected) in [
        (Client::Cargo, ".cargo/config.toml", "[build]\njobs = \n", "line 2"),
        (Client::Cargo, ".cargo/config.toml", "source = 1\n", "`source` is not a table"),
        (Client::Uv, ".config/uv/uv.toml", "index = 1\n", "[[index]]"),
        (Client::Yarn, ".yarnrc.yml", "unsafeHttpWhitelist: [a]\n", "line 1"),
    ] {
        let home = home();
        let path = home.path().join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        let error = setup(client, &door(), None).files[0].write(&around(home.path(), &[])).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        assert_eq!(
            std::fs::read_dir(path.parent().unwrap()).unwrap().count(),
            if file.starts_with(".y") { 2 } else { 1 }
        );
    }
}

#[test]
fn clients_of_galleries_are_led_through_by_variables() {
    let home = home();
    let around = around(home.path(), &[("EXTENSIONS_GALLERY", "{}")]);
    let (door, token) = (door(), Secret::new("tg_x".to_owned()));
    let launch = launch(&command("ovsx get acme.tool"), &door, Some(&token), &around).unwrap();
    assert_eq!(launch.client, Some(Client::Ovsx));
    assert_eq!(value(&launch, "OVSX_REGISTRY_URL"), "http://127.0.0.1:8484/t/tg_x/openvsx");
    assert_eq!(value(&launch, "VSCODE_GALLERY_SERVICE_URL"), "http://127.0.0.1:8484/t/tg_x/vscode/gallery");
    let gallery: serde_json::Value = serde_json::from_str(&value(&launch, "EXTENSIONS_GALLERY")).unwrap();
    assert_eq!(gallery["controlUrl"], "http://127.0.0.1:8484/t/tg_x/vscode/control.json");
    assert!(launch.notes.iter().any(|note| note.contains("EXTENSIONS_GALLERY")), "{:?}", launch.notes);
    for (client, words) in [
        (Client::Ovsx, "OVSX_REGISTRY_URL=http://127.0.0.1:8484/openvsx"),
        (Client::CodeServer, "\"serviceUrl\":\"http://127.0.0.1:8484/vscode/gallery\""),
        (Client::Vscodium, "VSCODE_GALLERY_CONTROL_URL='http://127.0.0.1:8484/vscode/control.json'"),
        (Client::Vscode, "http://127.0.0.1:8484/vscode/manifest.json"),
    ] {
        let setup = setup(client, &door, None);
        let all = setup.commands.iter().chain(&setup.notes).cloned().collect::<Vec<_>>().join("\n");
        assert!(all.contains(words), "{client:?}: {all}");
        let setup = super::super::setup(client, &door, Some(&token));
        let all = format!("{:?}{:?}", setup.commands, setup.notes);
        assert!(all.contains("TOKEN") && !all.contains("tg_x"), "{client:?}: {all}");
    }
}
