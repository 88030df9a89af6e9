//! What clients are given instead of a refused version, and what they show of the reason.

use std::fs;

use tidegate_testkit::process::Home;
use tidegate_testkit::tools;
use tidegate_testkit::{Package, Style};

use crate::clients_support::{Site, cargo_project, npm_project, publish, read, uv_project, with_python};

/// What the policy says of a version from an hour ago.
const REASON: &str = "published";

#[test]
fn npm_takes_the_newest_compliant_version_and_shows_why_a_pin_is_refused() {
    let Some(npm) = tools::npm() else { return };
    let site = Site::open(Style::Rich);
    let tree = publish(&site.upstream, Package::npm, "^1.0.0");
    let home = Home::new();
    let project = npm_project(&home, "range", ">=1.0.0");
    let done = site.run(&home, &npm).arg("install").in_folder(&project).run().expect_success();
    assert!(read(project.join("node_modules/leaf-of-test/package.json")).contains("1.1.0"));
    assert!(
        done.stderr.contains("steered: pkg:npm/leaf-of-test@1.1.0 instead of 1.2.0: quarantine by"),
        "{}",
        done.stderr
    );
    assert!(done.stderr.contains("selectable from"), "{}", done.stderr);

    let pinned = npm_project(&home, "pin", "1.2.0");
    let done = site.run(&home, &npm).arg("install").in_folder(&pinned).run().expect_failure();
    assert!(done.output().contains(REASON), "{}", done.output());

    // A lock file that holds it fails at the artifact, with the reason, where nobody checked beforehand.
    let lock = format!(
        r#"{{"name":"app","version":"1.0.0","lockfileVersion":3,"requires":true,"packages":{{"":{{"name":"app","version":"1.0.0","dependencies":{{"leaf-of-test":"1.2.0"}}}},
        "node_modules/leaf-of-test":{{"version":"1.2.0","resolved":"https://registry.example/leaf-of-test/-/leaf-of-test-1.2.0.tgz","integrity":"{}","dependencies":{{"twig-of-test":"^1.0.0"}}}},
        "node_modules/twig-of-test":{{"version":"1.0.0","integrity":"{}"}}}}}}"#,
        tree.fresh.integrity, tree.twig.integrity
    );
    fs::write(pinned.join("package-lock.json"), lock).unwrap();
    let done = site.run(&home, &npm).arg("ci").in_folder(&pinned).run();
    assert_eq!(done.code(), Some(3), "{}", done.output());
    assert!(done.stderr.contains("package-lock.json: 1 of 2 packages are refused"), "{}", done.stderr);
    assert!(done.stderr.contains("newest compliant: 1.1.0"), "{}", done.stderr);
    assert!(done.stderr.contains("the client was not started"), "{}", done.stderr);

    let done =
        site.run_with(&home, &["--keep-going"], &npm).arg("ci").in_folder(&pinned).run().expect_failure();
    assert!(done.output().contains("403") && done.output().contains(REASON), "{}", done.output());
    assert!(done.stderr.contains("held 1"), "{}", done.stderr);
    assert!(!site.holds(&tree.fresh) || !pinned.join("node_modules/leaf-of-test").exists());
}

#[test]
fn pip_takes_the_newest_compliant_version_and_shows_why_a_pin_is_refused() {
    for pip in tools::pips() {
        let site = Site::open(Style::Rich);
        let tree = publish(&site.upstream, Package::pypi, ">=1");
        let home = Home::new();
        let target = home.folder("site");
        let done = site
            .run(&home, &pip)
            .args(["install", "--target"])
            .arg(&target)
            .arg("leaf-of-test>=1")
            .run()
            .expect_success();
        assert!(
            done.stderr.contains("steered: pkg:pypi/leaf-of-test@1.1.0 instead of 1.2.0"),
            "{}",
            done.stderr
        );

        let done = site
            .run(&home, &pip)
            .args(["install", "--target"])
            .arg(&target)
            .arg("leaf-of-test==1.2.0")
            .run()
            .expect_failure();
        assert!(done.output().contains(REASON), "{}: {}", pip.name(), done.output());

        let requirements = home.path().join("requirements.txt");
        fs::write(
            &requirements,
            format!(
                "leaf-of-test==1.2.0 --hash=sha256:{}\ntwig-of-test==1.0.0 --hash=sha256:{}\n",
                tree.fresh.sha256, tree.twig.sha256
            ),
        )
        .unwrap();
        let done = site
            .run(&home, &pip)
            .args(["install", "--target"])
            .arg(&target)
            .arg("-r")
            .arg(&requirements)
            .run();
        assert_eq!(done.code(), Some(3), "{}", done.output());
        assert!(done.stderr.contains("requirements.txt: 1 of 2 packages are refused"), "{}", done.stderr);
    }
}

#[test]
fn uv_takes_the_newest_compliant_version_and_shows_why_a_pin_is_refused() {
    let (Some(uv), Some(_python)) = (tools::uv(), tools::python()) else { return };
    let site = Site::open(Style::Rich);
    publish(&site.upstream, Package::pypi, ">=1");
    let home = Home::new();
    let project = uv_project(&home, "range", ">=1");
    let done = site.run(&home, &uv).arg("sync").in_folder(&project).run().expect_success();
    assert!(done.stderr.contains("steered: pkg:pypi/leaf-of-test@1.1.0 instead of 1.2.0"), "{}", done.stderr);
    let pinned = uv_project(&home, "pin", "==1.2.0");
    let done = site.run(&home, &uv).arg("sync").in_folder(&pinned).run().expect_failure();
    assert!(done.output().contains(REASON), "{}", done.output());

    // A lock file made at the registry itself, without the door.
    with_python(uv.called_by(&home))
        .arg("lock")
        .env("UV_DEFAULT_INDEX", site.upstream.pypi_url())
        .in_folder(&pinned)
        .run()
        .expect_success();
    let before = read(pinned.join("uv.lock"));
    let done = site.run(&home, &uv).args(["sync", "--frozen"]).in_folder(&pinned).run();
    assert_eq!(done.code(), Some(3), "{}", done.output());
    let done = site
        .run_with(&home, &["--keep-going"], &uv)
        .args(["sync", "--frozen"])
        .in_folder(&pinned)
        .run()
        .expect_failure();
    assert!(done.output().contains("403"), "{}", done.output());
    assert!(done.stderr.contains("held 1"), "{}", done.stderr);
    assert_eq!(read(pinned.join("uv.lock")), before);
}

#[test]
fn cargo_takes_the_newest_compliant_version_and_shows_why_a_pin_is_refused() {
    let Some(cargo) = tools::cargo() else { return };
    let site = Site::open(Style::Rich);
    publish(&site.upstream, Package::cargo, "1");
    let home = Home::new();
    let project = cargo_project(&home, "range", "1");
    let done = site.run(&home, &cargo).arg("fetch").in_folder(&project).run().expect_success();
    assert!(
        done.stderr.contains("steered: pkg:cargo/leaf-of-test@1.1.0 instead of 1.2.0"),
        "{}",
        done.stderr
    );
    let pinned = cargo_project(&home, "pin", "=1.2.0");
    let done = site.run(&home, &cargo).arg("fetch").in_folder(&pinned).run().expect_failure();
    // cargo has no place for a reason in its index: all it shows is this (docs/guides/clients.md).
    assert!(done.output().contains("version 1.2.0 is yanked"), "{}", done.output());

    cargo
        .called_by(&home)
        .args(upstream_source(&site))
        .arg("generate-lockfile")
        .in_folder(&pinned)
        .run()
        .expect_success();
    let done = site.run(&home, &cargo).args(["fetch", "--locked"]).in_folder(&pinned).run();
    assert_eq!(done.code(), Some(3), "{}", done.output());
    let other = Home::new();
    let done = site
        .run_with(&other, &["--keep-going"], &cargo)
        .args(["fetch", "--locked"])
        .in_folder(&pinned)
        .run()
        .expect_failure();
    assert!(done.output().contains(REASON), "{}", done.output());
    assert!(done.stderr.contains("held 1"), "{}", done.stderr);
}

/// Arguments that make cargo use the registry itself.
pub(crate) fn upstream_source(site: &Site) -> [String; 4] {
    let registry = format!("source.plain.registry=\"sparse+{}\"", site.upstream.cargo_url());
    ["--config".into(), "source.crates-io.replace-with=\"plain\"".into(), "--config".into(), registry]
}
