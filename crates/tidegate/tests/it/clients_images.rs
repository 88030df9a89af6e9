//! skopeo and buildah through the door, with Debian's registry behind it: cold, while the registry is gone, and refused.

use std::fs;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};

use bytes::Bytes;
use serde_json::{Value, json};
use tidegate_testkit::Style;
use tidegate_testkit::process::{Finished, Home, Program, Running};
use tidegate_testkit::tools::{self, Tool};
use tidegate_testkit::upstream::{
    IMAGE_INDEX, IMAGE_MANIFEST, content_digest, descriptor, image_of, index_of, layer,
};

use crate::clients_support::Site;
use crate::images::{BAD_CONTENTS, malicious};

/// How long a registry may take to listen.
const LISTENING: Duration = Duration::from_secs(60);

/// Debian's registry on loopback, with what skopeo pushed to it.
struct Registry {
    home: Home,
    skopeo: Tool,
    place: String,
    running: Option<Running>,
}

impl Registry {
    /// None where this machine has no registry or no skopeo.
    fn start() -> Option<Self> {
        let (program, skopeo) = (tools::docker_registry()?, tools::skopeo()?);
        let home = Home::new();
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let place = format!("127.0.0.1:{port}");
        let storage = home.folder("storage");
        let config = format!(
            "version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: {}\nhttp:\n  addr: \"{place}\"\n",
            storage.display()
        );
        let path = home.path().join("registry.yml");
        fs::write(&path, config).unwrap();
        let running = Program::new(program.path(), &home).arg("serve").arg(&path).spawn();
        let end = Instant::now() + LISTENING;
        while TcpStream::connect(&place).is_err() {
            assert!(Instant::now() < end, "the registry does not listen");
            std::thread::sleep(Duration::from_millis(20));
        }
        Some(Self { home, skopeo, place, running: Some(running) })
    }

    /// Pushes an image for two architectures, each with these layers beside a common one. Gives the index's digest.
    fn push(&self, name: &str, tag: &str, [one, two]: [&[(&str, &[u8])]; 2]) -> String {
        let layout = self.home.folder(&format!("{}-{tag}", name.replace('/', "-")));
        fs::create_dir_all(layout.join("blobs/sha256")).unwrap();
        let keep = |bytes: &[u8]| {
            let digest = content_digest(bytes);
            fs::write(layout.join("blobs").join(digest.replace(':', "/")), bytes).unwrap();
        };
        let base = layer(&[("etc/base", b"base")]);
        let manifests = [("amd64", one), ("arm64", two)].map(|(architecture, files)| {
            let layers = [base.clone(), layer(files)];
            let (config, manifest) = image_of(architecture, &layers);
            let manifest = Bytes::from(manifest.to_string());
            layers.iter().chain([&config, &manifest]).for_each(|bytes| keep(bytes));
            manifest
        });
        let index = index_of(&[("amd64", &manifests[0]), ("arm64", &manifests[1])]).to_string();
        keep(index.as_bytes());
        let mut entry = descriptor(IMAGE_INDEX, index.as_bytes());
        entry["annotations"] = json!({ "org.opencontainers.image.ref.name": tag });
        let whole = json!({ "schemaVersion": 2, "manifests": [entry] });
        fs::write(layout.join("index.json"), whole.to_string()).unwrap();
        fs::write(layout.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
        Program::new(self.skopeo.path(), &self.home)
            .args(["--insecure-policy", "copy", "--all", "--dest-tls-verify=false"])
            .arg(format!("oci:{}:{tag}", layout.display()))
            .arg(format!("docker://{}/{name}:{tag}", self.place))
            .run()
            .expect_success();
        content_digest(index.as_bytes())
    }

    fn stop(&mut self) {
        let mut running = self.running.take().unwrap();
        running.signal(15);
        assert!(running.wait(LISTENING).is_some(), "the registry stops when asked to");
    }

    /// A site whose door has this registry as its upstream.
    fn site(&self, more: &str) -> Site {
        let config = format!("[[repository.oci.upstream]]\nurl = \"http://{}/\"\n{more}", self.place);
        Site::configured(Style::Rich, &config)
    }
}

/// `tidegate run -- skopeo copy` of an image by its own name into a folder.
fn copy(site: &Site, skopeo: &Tool, home: &Home, from: &str, to: &Path, more: &[&str]) -> Finished {
    site.run(home, skopeo)
        .args(["--insecure-policy", "copy"])
        .args(more)
        .arg(format!("docker://{from}"))
        .arg(format!("dir:{}", to.display()))
        .run()
}

fn manifest_of(folder: &Path) -> Value {
    serde_json::from_slice(&fs::read(folder.join("manifest.json")).unwrap()).unwrap()
}

#[test]
fn skopeo_copies_an_image_cold_and_while_the_registry_is_gone() {
    let Some(mut registry) = Registry::start() else { return };
    let digest = registry.push("org/app", "v1", [&[("bin/one", b"one")], &[("bin/two", b"two")]]);
    let mut site = registry.site("");
    let from = format!("{}/org/app:v1", registry.place);
    for turn in ["cold", "warm"] {
        let home = Home::new();
        let one = home.path().join("one");
        copy(&site, &registry.skopeo, &home, &from, &one, &[]).expect_success();
        let manifest = manifest_of(&one);
        assert_eq!(manifest["mediaType"], IMAGE_MANIFEST, "{turn}");
        for layer in manifest["layers"].as_array().unwrap() {
            let digest = layer["digest"].as_str().unwrap();
            let bytes = fs::read(one.join(digest.trim_start_matches("sha256:"))).unwrap();
            assert_eq!(content_digest(&bytes), digest, "{turn}");
        }
        let all = home.path().join("all");
        let by_digest = format!("{}/org/app@{digest}", registry.place);
        copy(&site, &registry.skopeo, &home, &by_digest, &all, &["--all"]).expect_success();
        assert_eq!(
            content_digest(&fs::read(all.join("manifest.json")).unwrap()),
            digest,
            "{turn}: byte for byte"
        );
        if turn == "cold" {
            registry.stop();
        }
    }
    let purl = format!("pkg:docker/org/app@{digest}");
    let who = site.tidegate(&site.operator, &["who", &purl]).run().expect_success().stdout;
    assert!(who.contains("blobs/sha256:") && who.contains("skopeo/"), "{who}");
    site.close_door();
}

#[test]
fn buildah_pulls_through_the_door() {
    let (Some(mut registry), Some(buildah)) = (Registry::start(), tools::buildah()) else { return };
    registry.push("org/app", "v1", [&[("bin/one", b"one")], &[("bin/two", b"two")]]);
    let mut site = registry.site("");
    for turn in ["cold", "warm"] {
        let home = Home::new();
        let (root, run) = (home.folder("root"), home.folder("run"));
        let pulled = site
            .run(&home, &buildah)
            .args(["--storage-driver", "vfs", "--root"])
            .arg(&root)
            .arg("--runroot")
            .arg(&run)
            .arg("pull")
            .arg(format!("{}/org/app:v1", registry.place))
            .run();
        let text = pulled.expect_success().output();
        assert!(text.contains("Writing manifest"), "{turn}: {text}");
        if turn == "cold" {
            registry.stop();
        }
    }
    site.close_door();
}

#[test]
fn a_person_reads_why_an_image_is_refused() {
    let Some(registry) = Registry::start() else { return };
    let bad = malicious();
    registry.push("org/bad", "v1", [&[("opt/weights.pkl", &bad)], &[("bin/two", b"two")]]);
    let digest = registry.push("org/app", "v1", [&[("bin/one", b"one")], &[("bin/two", b"two")]]);
    let site = {
        let policy = registry.home.path().join("policy.toml");
        let rules = format!("[policy]\nid = \"test\"\nversion = \"1\"\n{BAD_CONTENTS}");
        fs::write(&policy, rules).unwrap();
        registry.site(&format!("[policy]\nfile = {policy:?}\n"))
    };
    let home = Home::new();
    let from = format!("{}/org/bad:v1", registry.place);
    for _ in 0..2 {
        let refused =
            copy(&site, &registry.skopeo, &home, &from, &home.path().join("bad"), &[]).expect_failure();
        for words in ["org/bad@sha256:", "blocked by bad-contents: its contents are bad", "/d/"] {
            assert!(refused.output().contains(words), "{words}: {}", refused.output());
        }
    }
    // By the door's own name, without `run`.
    let door = site.address();
    let door = door.trim_start_matches("http://").trim_end_matches('/');
    let copy = |name: &str| {
        Program::new(registry.skopeo.path(), &home)
            .args(["--insecure-policy", "copy", "--src-tls-verify=false"])
            .arg(format!("docker://{door}/oci/{name}"))
            .arg(format!("dir:{}", home.folder("direct").display()))
            .run()
    };
    copy(&format!("org/app@{digest}")).expect_success();
    let refused = copy("org/bad:v1").expect_failure();
    assert!(refused.output().contains("its contents are bad"), "{}", refused.output());
}
