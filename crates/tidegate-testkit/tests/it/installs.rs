//! npm, pip, uv and cargo install generated packages straight from a fake upstream.

use std::fs;
use std::path::{Path, PathBuf};

use tidegate_model::Ecosystem;
use tidegate_testkit::process::{Finished, Home};
use tidegate_testkit::tools::{self, Tool};
use tidegate_testkit::{FakeUpstream, Package, PythonForms, Style};

fn read(path: impl AsRef<Path>) -> String {
    fs::read_to_string(path.as_ref()).unwrap_or_else(|e| panic!("{}: {e}", path.as_ref().display()))
}

fn styles() -> [FakeUpstream; 2] {
    [Style::Rich, Style::Thin].map(|style| FakeUpstream::builder().style(style).start())
}

fn npm_install(npm: &Tool, home: &Home, upstream: &FakeUpstream, what: &[&str]) -> (Finished, PathBuf) {
    let project = home.folder("project");
    fs::write(project.join("package.json"), r#"{"name":"app","version":"1.0.0","private":true}"#).unwrap();
    let done = npm
        .called_by(home)
        .args(["install", "--registry", &upstream.npm_url(), "--no-audit", "--no-fund"])
        .args(what)
        .in_folder(&project)
        .run();
    (done, project)
}

#[test]
fn npm_installs_a_package_with_dependency_scope_and_script() {
    let Some(npm) = tools::npm() else { return };
    for upstream in styles() {
        upstream.publish(Package::npm("@acme/base", "1.0.0"));
        upstream.publish(Package::npm("@acme/base", "1.2.0"));
        upstream.publish(
            Package::npm("leaf", "2.0.0")
                .depends_on("@acme/base", "^1.0.0")
                .runs_on_install("echo ran > ran.txt"),
        );
        let home = Home::new();
        let (done, project) = npm_install(&npm, &home, &upstream, &["leaf"]);
        done.expect_success();
        assert_eq!(read(project.join("node_modules/leaf/index.js")), "module.exports = \"2.0.0\";\n");
        assert_eq!(read(project.join("node_modules/@acme/base/index.js")), "module.exports = \"1.2.0\";\n");
        assert!(project.join("node_modules/leaf/ran.txt").exists(), "the install script ran");
        assert_eq!(upstream.count("leaf-2.0.0.tgz"), 1);
    }
}

#[test]
fn npm_refuses_bytes_that_its_index_does_not_promise() {
    let Some(npm) = tools::npm() else { return };
    let upstream = FakeUpstream::start();
    upstream.publish(Package::npm("leaf", "2.0.0"));
    let other = Package::npm("leaf", "2.0.0").file("other.js", "1").build().remove(0);
    upstream.catalog().serve_other_bytes("leaf-2.0.0.tgz", other.bytes);
    let home = Home::new();
    // npm tries wrong bytes again, with pauses of up to a minute.
    let (done, _) = npm_install(&npm, &home, &upstream, &["leaf", "--fetch-retries=0"]);
    assert!(done.expect_failure().output().contains("EINTEGRITY"));
}

#[test]
fn npm_audit_prints_the_advisory_of_the_upstream() {
    let Some(npm) = tools::npm() else { return };
    let upstream = FakeUpstream::start();
    upstream.publish(Package::npm("leaf", "2.0.0"));
    upstream.catalog().advise(
        "leaf",
        serde_json::json!({
            "id": 1, "url": "https://advisories.example/1", "title": "leaf breaks", "severity": "high",
            "vulnerable_versions": "<=2.0.0", "cwe": [], "cvss": { "score": 7.5, "vectorString": null },
        }),
    );
    let home = Home::new();
    let (done, project) = npm_install(&npm, &home, &upstream, &["leaf"]);
    done.expect_success();
    let audit = npm
        .called_by(&home)
        .args(["audit", "--registry", &upstream.npm_url()])
        .in_folder(&project)
        .run()
        .expect_failure();
    assert!(audit.output().contains("leaf breaks"), "{}", audit.output());
    let asked = upstream.requests().into_iter().find(|r| r.path.ends_with("/advisories/bulk")).unwrap();
    assert!(String::from_utf8(asked.plain_body()).unwrap().contains("\"leaf\""));
}

fn pip_install(pip: &Tool, home: &Home, upstream: &FakeUpstream, what: &str) -> (Finished, PathBuf) {
    let target = home.folder("site");
    let done = pip
        .called_by(home)
        .args(["install", "--index-url", &upstream.pypi_url(), "--no-cache-dir", "--target"])
        .arg(&target)
        .arg(what)
        .run();
    (done, target)
}

#[test]
fn every_pip_installs_a_wheel_with_its_dependency() {
    for pip in tools::pips() {
        for upstream in styles() {
            upstream.publish(Package::pypi("Some.Base", "1.0"));
            upstream.publish(Package::pypi("leaf", "2.0").depends_on("some-base", ">=1"));
            let home = Home::new();
            let (done, target) = pip_install(&pip, &home, &upstream, "leaf");
            done.expect_success();
            assert_eq!(read(target.join("leaf/__init__.py")), "VERSION = \"2.0\"\n", "{}", pip.name());
            assert_eq!(read(target.join("some_base/__init__.py")), "VERSION = \"1.0\"\n", "{}", pip.name());
        }
    }
}

#[test]
fn the_newest_pip_builds_a_source_distribution_and_passes_over_yanked_versions() {
    let Some(pip) = tools::pips().pop() else { return };
    let upstream = FakeUpstream::start();
    upstream.publish(Package::pypi("leaf", "1.0").forms(PythonForms::Sdist));
    upstream.publish(Package::pypi("leaf", "1.1").forms(PythonForms::Sdist));
    upstream.catalog().yank(Ecosystem::Pypi, "leaf", "1.1", "broken & \"bad\"");
    let home = Home::new();
    let (done, target) = pip_install(&pip, &home, &upstream, "leaf");
    done.expect_success();
    assert_eq!(read(target.join("leaf/__init__.py")), "VERSION = \"1.0\"\n");
}

#[test]
fn uv_installs_from_both_styles() {
    let (Some(uv), Some(python)) = (tools::uv(), tools::python()) else { return };
    for upstream in styles() {
        upstream.publish(Package::pypi("some-base", "1.0"));
        upstream
            .publish(Package::pypi("leaf", "2.0").depends_on("some-base", ">=1").forms(PythonForms::Both));
        let home = Home::new();
        let target = home.folder("site");
        uv.called_by(&home)
            .args(["pip", "install", "--default-index", &upstream.pypi_url(), "--python"])
            .arg(python.path())
            .arg("--target")
            .arg(&target)
            .arg("leaf")
            .run()
            .expect_success();
        assert_eq!(read(target.join("leaf/__init__.py")), "VERSION = \"2.0\"\n");
        assert_eq!(read(target.join("some_base/__init__.py")), "VERSION = \"1.0\"\n");
    }
}

#[test]
fn cargo_builds_with_a_crate_of_the_upstream() {
    let Some(cargo) = tools::cargo() else { return };
    for upstream in styles() {
        upstream.publish(Package::cargo("base", "0.1.0"));
        upstream.publish(Package::cargo("base", "0.1.1"));
        upstream.catalog().yank(Ecosystem::Cargo, "base", "0.1.1", "");
        upstream.publish(
            Package::cargo("Leaf_x", "2.0.0").depends_on("base", "^0.1").runs_on_install("println!(\"\");"),
        );
        let home = Home::new();
        let project = home.folder("project");
        fs::create_dir_all(project.join("src")).unwrap();
        fs::create_dir_all(project.join(".cargo")).unwrap();
        fs::write(
            project.join("Cargo.toml"),
            "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\
             [dependencies]\nLeaf_x = { version = \"2\", registry = \"fake\" }\n",
        )
        .unwrap();
        fs::write(project.join("src/main.rs"), "fn main() { print!(\"{}\", Leaf_x::VERSION) }\n").unwrap();
        fs::write(
            project.join(".cargo/config.toml"),
            format!("[registries.fake]\nindex = \"sparse+{}\"\n", upstream.cargo_url()),
        )
        .unwrap();
        let done = cargo.called_by(&home).args(["run", "--quiet"]).in_folder(&project).run().expect_success();
        assert_eq!(done.stdout, "2.0.0");
        let lock = read(project.join("Cargo.lock"));
        assert!(
            lock.contains("name = \"base\"\nversion = \"0.1.0\""),
            "the yanked version is passed over: {lock}"
        );
    }
}
