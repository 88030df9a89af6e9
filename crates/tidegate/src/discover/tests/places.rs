//! Where upstreams are found, and which place wins.

use super::*;

#[test]
fn an_explicit_setting_wins_and_loses_its_password() {
    let mut machine = Machine::new();
    machine.set("TIDEGATE_UPSTREAM_NPM", "https://u:p%40ss@registry.example/npm?x=1");
    machine.write("home/.npmrc", "registry=https://other.example/\n");
    machine.around = machine.around.explicit_from_vars();
    let found = machine.find(Ecosystem::Npm);
    assert_eq!(found.url.as_str(), "https://registry.example/npm/");
    assert_eq!(found.source.kind, SourceKind::Explicit);
    assert_eq!(found.credentials.as_ref().unwrap().expose(), "Basic dTpwQHNz");
    assert!(!format!("{found:?}{}{}", found.describe(), saved::to_json(&Ok(found.clone()))).contains("dTpw"));
}

#[test]
fn a_broken_explicit_setting_is_not_passed_over() {
    let mut machine = Machine::new();
    machine.write("home/.npmrc", "registry=https://other.example/\n");
    machine.set("TIDEGATE_UPSTREAM_NPM", "ftp://registry.example/");
    machine.around = machine.around.explicit_from_vars();
    let message = machine.fail(Ecosystem::Npm);
    assert!(message.contains("TIDEGATE_UPSTREAM_NPM") && message.contains("`ftp`"), "{message}");
}

#[test]
fn npm_reads_variables_then_user_then_machine() {
    let mut machine = Machine::new();
    let system = machine.write("root/etc/npmrc", "registry = https://machine.example/npm\n");
    let found = machine.find(Ecosystem::Npm);
    assert_eq!(found.url.as_str(), "https://machine.example/npm/");
    assert_eq!(found.source, Source::new(SourceKind::MachineConfiguration, system.display().to_string()));

    machine.set("MIRROR", "mirror.example");
    machine.set("TOKEN", "s3cret");
    let user = "registry=https://${MIRROR}/api/npm/\n//mirror.example/api/:_authToken=${TOKEN}\n\
                //corp.example/:_auth=dTpw\n@acme:registry=https://corp.example/npm/\ncafile=/etc/corp.pem\n";
    machine.write("home/.npmrc", user);
    let found = machine.find(Ecosystem::Npm);
    assert_eq!(found.url.as_str(), "https://mirror.example/api/npm/");
    assert_eq!(found.source.kind, SourceKind::UserConfiguration);
    assert_eq!(found.credentials.unwrap().expose(), "Bearer s3cret");
    assert_eq!(found.scoped.len(), 1);
    assert_eq!(
        (found.scoped[0].pattern.as_str(), found.scoped[0].url.as_str()),
        ("@acme", "https://corp.example/npm/")
    );
    assert_eq!(found.scoped[0].credentials.as_ref().unwrap().expose(), "Basic dTpw");
    assert!(found.notes.iter().any(|note| note.contains("cafile")), "{:?}", found.notes);

    machine.set("NPM_CONFIG_REGISTRY", "https://variable.example");
    let found = machine.find(Ecosystem::Npm);
    assert_eq!(found.url.as_str(), "https://variable.example/");
    assert_eq!(found.source, Source::new(SourceKind::Environment, "NPM_CONFIG_REGISTRY"));
    assert_eq!(found.credentials, None, "a token is for its own host only");
}

#[test]
fn a_token_needs_its_whole_path_and_port() {
    for (entry, expected) in [
        ("//h.example:8443/a/b/:_authToken=t", true),
        ("//h.example:8443/a/:_authToken=t", true),
        ("//h.example:8443/:_authToken=t", true),
        ("//h.example/:_authToken=t", false),
        ("//h.example:8443/a/bb/:_authToken=t", false),
        ("//x.h.example:8443/:_authToken=t", false),
        ("_authToken=t", false),
    ] {
        let machine = Machine::new();
        machine.write("home/.npmrc", &format!("registry=https://h.example:8443/a/b/\n{entry}\n"));
        assert_eq!(machine.find(Ecosystem::Npm).credentials.is_some(), expected, "{entry}");
    }
}

#[test]
fn a_token_with_a_line_end_is_not_sent() {
    let mut machine = Machine::new();
    machine.set("TOKEN", "a\r\nX-Other: b");
    machine.write("home/.npmrc", "registry=https://h.example/\n//h.example/:_authToken=${TOKEN}\n");
    assert_eq!(machine.find(Ecosystem::Npm).credentials, None);
}

#[test]
fn npm_is_asked_for_its_default() {
    let machine = Machine::new();
    assert!(machine.fail(Ecosystem::Npm).contains("TIDEGATE_UPSTREAM_NPM"));
    machine.script("bin/npm", "echo 'warning: noise' >&2; echo 'https://built-in.example/'");
    let found = machine.find(Ecosystem::Npm);
    assert_eq!(found.url.as_str(), "https://built-in.example/");
    assert_eq!(found.source, Source::new(SourceKind::ClientDefault, "`npm --global config get registry`"));
}

#[test]
fn yarn_stands_in_where_npm_is_not_installed() {
    let machine = Machine::new();
    machine
        .script("bin/yarn", "case \"$3\" in registry) echo https://yarn.example;; *) echo undefined;; esac");
    assert_eq!(machine.find(Ecosystem::Npm).url.as_str(), "https://yarn.example/");
    machine.write("home/.yarnrc.yml", "yarnPath: evil.js\nnpmRegistryServer: \"https://berry.example\"\n");
    assert_eq!(machine.find(Ecosystem::Npm).url.as_str(), "https://berry.example/");
}

#[test]
fn a_client_that_hangs_or_prints_nonsense_gives_nothing() {
    let mut machine = Machine::new();
    machine.around.ask_timeout = Duration::from_millis(300);
    machine.script("bin/npm", "/bin/sleep 30 & /bin/sleep 30; echo https://late.example/");
    machine.script("bin/pnpm", "echo undefined");
    machine.script("bin/yarn", "echo https://failed.example/; exit 1");
    let begun = std::time::Instant::now();
    machine.fail(Ecosystem::Npm);
    assert!(begun.elapsed() < Duration::from_secs(8), "a hanging client was waited for");
}

#[test]
fn pypi_reads_variables_pip_and_uv() {
    let mut machine = Machine::new();
    machine.write("root/etc/uv/uv.toml", "[[index]]\nname = 'corp'\nurl = 'https://u:p@corp.example/simple'\n[[index]]\nurl = 'https://uv.example/simple'\ndefault = true\n");
    let found = machine.find(Ecosystem::Pypi);
    assert_eq!(found.url.as_str(), "https://uv.example/simple/");
    assert_eq!(found.scoped[0].pattern, "index `corp`");
    assert!(found.scoped[0].credentials.is_some() && !found.scoped[0].url.as_str().contains("u:p"));

    machine.write("root/etc/pip.conf", "[global]\nindex-url = https://pip.example/simple/\n[install]\nindex-url=https://install.example/simple\nextra-index-url =\n  https://one.example/simple\n  https://two.example/simple\n");
    let found = machine.find(Ecosystem::Pypi);
    assert_eq!(found.url.as_str(), "https://install.example/simple/");
    assert_eq!(found.scoped.iter().filter(|scoped| scoped.pattern == "extra index").count(), 2);

    machine.write("home/.config/pip/pip.conf", "[global]\nindex_url: https://home.example/simple\n");
    machine.write(
        "home/.netrc",
        "machine other.example login a password b\nmachine home.example\n login u password p\n",
    );
    let found = machine.find(Ecosystem::Pypi);
    assert_eq!(found.url.as_str(), "https://home.example/simple/");
    assert_eq!(found.credentials.unwrap().expose(), "Basic dTpw");

    machine.set("UV_DEFAULT_INDEX", "main=https://env.example/simple");
    let found = machine.find(Ecosystem::Pypi);
    assert_eq!(found.url.as_str(), "https://env.example/simple/");
    assert_eq!(found.source, Source::new(SourceKind::Environment, "UV_DEFAULT_INDEX"));
    machine.set("PIP_INDEX_URL", "https://first.example/simple");
    assert_eq!(machine.find(Ecosystem::Pypi).url.as_str(), "https://first.example/simple/");
}

#[test]
fn python_is_asked_in_isolation() {
    let machine = Machine::new();
    machine.script(
        "bin/uv",
        "echo '  --default-index <I>  The index (by default: <https://uv.example/simple>)'",
    );
    assert_eq!(machine.find(Ecosystem::Pypi).url.as_str(), "https://uv.example/simple/");
    machine.script(
        "bin/python3",
        "[ \"$1\" = -I ] || exit 3\necho '  -i, --index-url <url>  Base URL (default'\necho '     https://pip.example/simple). More'",
    );
    let found = machine.find(Ecosystem::Pypi);
    assert_eq!(found.url.as_str(), "https://pip.example/simple/");
    assert!(found.source.place.starts_with("`python3 -I"), "{}", found.source.place);
}

#[test]
fn cargo_follows_replacements_and_ends_in_the_constant() {
    let mut machine = Machine::new();
    let found = machine.find(Ecosystem::Cargo);
    assert_eq!(found.source.kind, SourceKind::DependencyConstant);
    assert!(tame_index::CRATES_IO_HTTP_INDEX.ends_with(found.url.as_str()));

    machine.write(
        "home/.cargo/config.toml",
        "[source.crates-io]\nreplace-with = 'one'\n[source.one]\nreplace-with = 'my-mirror'\n[registries.my-mirror]\nindex = 'sparse+https://mirror.example/index'\n[registries.acme]\nindex = 'sparse+https://acme.example/'\n[registries.old]\nindex = 'https://acme.example/git'\n",
    );
    machine.write("home/.cargo/credentials.toml", "[registries.my-mirror]\ntoken = 'Bearer t'\n");
    let found = machine.find(Ecosystem::Cargo);
    assert_eq!(found.url.as_str(), "https://mirror.example/index/");
    assert_eq!(found.credentials.as_ref().unwrap().expose(), "Bearer t");
    assert_eq!(found.scoped.len(), 1);
    assert_eq!(found.scoped[0].pattern, "registry `acme`");
    assert_eq!(found.scoped[0].credentials, None);
    assert!(found.notes[0].contains("`old`"));

    machine.set("CARGO_REGISTRIES_MY_MIRROR_INDEX", "sparse+https://variable.example/");
    assert_eq!(machine.find(Ecosystem::Cargo).url.as_str(), "https://variable.example/");
}

#[test]
fn a_cargo_source_that_cannot_be_fronted_is_not_passed_by() {
    for (config, expected) in [
        ("[source.crates-io]\nreplace-with='v'\n[source.v]\ndirectory='vendor'\n", "a folder"),
        (
            "[source.crates-io]\nreplace-with='g'\n[source.g]\nregistry='https://g.example/index'\n",
            "git index",
        ),
        ("[source.crates-io]\nreplace-with='a'\n[source.a]\nreplace-with='a'\n", "without an end"),
        ("[source\n", "not readable as TOML"),
    ] {
        let machine = Machine::new();
        machine.write("home/.cargo/config.toml", config);
        let message = machine.fail(Ecosystem::Cargo);
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn the_door_is_never_its_own_upstream() {
    for own in [
        "http://127.0.0.1:8484/npm/",
        "http://localhost:8484/npm/",
        "http://[::1]:8484/",
        "http://LOCALHOST.:8484/npm/",
    ] {
        let machine = Machine::new();
        machine.script("bin/npm", "echo https://built-in.example/");
        machine.write("home/.npmrc", &format!("registry={own}\n"));
        let message = machine.fail(Ecosystem::Npm);
        assert!(message.contains("already points at this door"), "{own}: {message}");
    }
    let own = [Url::parse("http://0.0.0.0:8484").unwrap(), Url::parse("https://gate.example/").unwrap()];
    for (url, expected) in [
        ("http://127.0.0.1:8484/x", true),
        ("http://[::ffff:127.0.0.1]:8484/", true),
        ("https://GATE.example:443/npm/", true),
        ("https://gate.example:8443/npm/", false),
        ("http://127.0.0.1:8485/", false),
        ("https://registry.example/", false),
    ] {
        assert_eq!(is_self(&Url::parse(url).unwrap(), &own), expected, "{url}");
    }
}

#[test]
fn saved_answers_load_again_without_credentials() {
    let machine = Machine::new();
    machine.write(
        "home/.npmrc",
        "registry=https://u:hunter2@registry.example/\n@acme:registry=https://corp.example/\n",
    );
    let text: Vec<String> =
        discover_all(&machine.around).iter().map(|(_, found)| saved::to_json(found)).collect();
    let text = text.join("\n");
    assert!(!text.contains("hunter2"), "{text}");
    let loaded = saved::from_json(&text, &machine.around.own_addresses).unwrap();
    assert_eq!(loaded.len(), Ecosystem::ALL.len());
    let npm = loaded[0].1.as_ref().unwrap();
    assert_eq!(npm.url.as_str(), "https://registry.example/");
    assert_eq!(npm.scoped[0].pattern, "@acme");
    assert!(npm.credentials.is_none() && npm.notes.iter().any(|note| note.contains("not saved")));
    assert!(loaded[1].1.is_err());

    let own = text.replace("registry.example", "127.0.0.1:8484").replace("https", "http");
    let error = saved::from_json(&own, &machine.around.own_addresses).unwrap_err().to_string();
    assert!(error.contains("line 1") && error.contains("door itself"), "{error}");
    assert!(saved::from_json("{}", &[]).unwrap_err().to_string().contains("line 1"));
}

#[test]
fn the_model_hub_is_where_its_client_says() {
    let mut machine = Machine::new();
    let message = machine.fail(Ecosystem::Huggingface);
    for words in ["huggingface has no upstream", "`HF_ENDPOINT` is not set", "TIDEGATE_UPSTREAM_HUGGINGFACE"]
    {
        assert!(message.contains(words), "{message}");
    }
    // A Python without the client fails, and is no answer.
    machine.script("bin/python3", "exit 1");
    machine.script(
        "bin/python",
        "case \"$*\" in \"-I -c import huggingface_hub\"*) echo https://hub.example;; esac",
    );
    machine.write("home/.cache/huggingface/token", "of-a-file\n");
    let found = machine.find(Ecosystem::Huggingface);
    assert_eq!((found.url.as_str(), found.source.kind), ("https://hub.example/", SourceKind::ClientDefault));
    assert_eq!(found.credentials.unwrap().expose(), "Bearer of-a-file");
    machine.set("HF_ENDPOINT", "https://mirror.example/hub");
    machine.set("HF_TOKEN", "of-a-variable");
    let found = machine.find(Ecosystem::Huggingface);
    assert_eq!(
        (found.url.as_str(), found.source.kind),
        ("https://mirror.example/hub/", SourceKind::Environment)
    );
    assert_eq!(found.credentials.unwrap().expose(), "Bearer of-a-variable");
    machine.set("HF_ENDPOINT", "http://127.0.0.1:8484/huggingface");
    assert!(machine.fail(Ecosystem::Huggingface).contains("already points at this door"));
}

#[test]
fn images_are_where_names_without_a_registry_lead() {
    let machine = Machine::new();
    let message = machine.fail(Ecosystem::Oci);
    for words in ["oci has no upstream", "unqualified-search-registries", "TIDEGATE_UPSTREAM_OCI"] {
        assert!(message.contains(words), "{message}");
    }
    machine.script("bin/docker", "case \"$*\" in info*) echo https://index.example/v1/;; esac");
    let found = machine.find(Ecosystem::Oci);
    assert_eq!(
        (found.url.as_str(), found.source.kind),
        ("https://index.example/", SourceKind::ClientDefault)
    );
    // containerd's host for all registries, then docker's mirror, then what libraries of containers say.
    let folder = "root/etc/containerd/certs.d";
    machine.write(&format!("{folder}/_default/hosts.toml"), "server = \"https://of-all.example\"\n");
    machine.write(
        &format!("{folder}/one.example/hosts.toml"),
        "server = \"https://one.example\"\n[host.\"https://first.example\"]\n[host.\"https://second.example\"]\n",
    );
    let found = machine.find(Ecosystem::Oci);
    assert_eq!(found.url.as_str(), "https://of-all.example/");
    assert_eq!(
        (&*found.scoped[0].pattern, found.scoped[0].url.as_str()),
        ("one.example", "https://first.example/")
    );
    machine.write("root/etc/docker/daemon.json", r#"{"registry-mirrors":["https://mirror.example"]}"#);
    assert_eq!(machine.find(Ecosystem::Oci).url.as_str(), "https://mirror.example/");
    machine.write(
        "root/etc/containers/registries.conf",
        "unqualified-search-registries = [\"images.example\", \"other.example\"]\n\
         [[registry]]\nprefix = \"images.example\"\nlocation = \"10.0.0.1:5000/cache\"\ninsecure = true\n\
         [[registry]]\nlocation = \"blocked.example\"\nblocked = true\n\
         [[registry]]\nlocation = \"other.example\"\n[[registry.mirror]]\nlocation = \"near.example\"\n",
    );
    machine.write("home/.docker/config.json", r#"{"auths":{"10.0.0.1:5000":{"auth":"dTpw"},"x":{}}}"#);
    let found = machine.find(Ecosystem::Oci);
    assert_eq!(
        (found.url.as_str(), found.source.kind),
        ("http://10.0.0.1:5000/cache/", SourceKind::MachineConfiguration)
    );
    assert_eq!(found.credentials.unwrap().expose(), "Basic dTpw");
    let beside: Vec<&str> = found.scoped.iter().map(|scoped| scoped.url.as_str()).collect();
    assert_eq!(beside, ["https://near.example/"]);
    // The user's own file stands in for the machine's, and what it names may be the door.
    machine.write(
        "home/.config/containers/registries.conf",
        "unqualified-search-registries = [\"images.example\"]\n\
         [[registry]]\nprefix = \"images.example\"\nlocation = \"127.0.0.1:8484/oci\"\ninsecure = true\n",
    );
    assert!(machine.fail(Ecosystem::Oci).contains("already points at this door"));
    machine.write(
        "home/.config/containers/registries.conf",
        "unqualified-search-registries = [\"plain.example\"]\n",
    );
    std::fs::remove_file(machine.path("root/etc/docker/daemon.json")).unwrap();
    std::fs::remove_dir_all(machine.path(folder)).unwrap();
    machine.script("bin/docker", "exit 1");
    assert_eq!(machine.find(Ecosystem::Oci).url.as_str(), "https://plain.example/");
    machine.write("home/.config/containers/registries.conf", "[[registry");
    assert!(machine.fail(Ecosystem::Oci).contains("not readable as TOML"));
}

#[test]
fn extensions_come_from_where_editors_get_them() {
    let mut machine = Machine::new();
    let message = machine.fail(Ecosystem::Vscode);
    for words in ["vscode has no upstream", "`ovsx` is not on `PATH`", "TIDEGATE_UPSTREAM_VSCODE"] {
        assert!(message.contains(words), "{message}");
    }
    // The command line's own source is read, not run.
    machine.script("modules/ovsx/lib/ovsx", "exit 1");
    machine.write("modules/ovsx/lib/registry.js", "exports.DEFAULT_URL = 'https://vsx.example';\n");
    std::os::unix::fs::symlink(machine.path("modules/ovsx/lib/ovsx"), machine.path("bin/ovsx")).unwrap();
    let found = machine.find(Ecosystem::Vscode);
    assert_eq!((found.url.as_str(), found.source.kind), ("https://vsx.example/", SourceKind::ClientDefault));
    let product = |url: &str| format!(r#"{{"extensionsGallery": {{"serviceUrl": "{url}"}}}}"#);
    machine.write(
        "root/usr/share/code/resources/app/product.json",
        &product("https://licensed.example/gallery"),
    );
    let found = machine.find(Ecosystem::Vscode);
    assert_eq!(found.url.as_str(), "https://licensed.example/gallery/");
    assert!(found.notes.iter().any(|note| note.contains("your licence")), "{:?}", found.notes);
    machine.write(
        "root/usr/share/codium/resources/app/product.json",
        &product("https://open.example/vscode/gallery"),
    );
    let found = machine.find(Ecosystem::Vscode);
    assert_eq!((found.url.as_str(), found.notes.len()), ("https://open.example/vscode/gallery/", 0));
    machine.write("home/.config/VSCodium/product.json", &product("https://mine.example/vscode/gallery"));
    assert_eq!(machine.find(Ecosystem::Vscode).source.kind, SourceKind::UserConfiguration);
    machine.set("EXTENSIONS_GALLERY", &product("x"));
    assert!(machine.find(Ecosystem::Vscode).notes[0].contains("names no `serviceUrl`"));
    machine.set("EXTENSIONS_GALLERY", r#"{"serviceUrl": "https://variable.example/vscode/gallery"}"#);
    assert_eq!(machine.find(Ecosystem::Vscode).url.as_str(), "https://variable.example/vscode/gallery/");
    machine.set("OVSX_REGISTRY_URL", "http://127.0.0.1:8484/openvsx");
    assert!(machine.fail(Ecosystem::Vscode).contains("already points at this door"));
}
