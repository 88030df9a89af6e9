//! Every client installs through the door with empty configuration: cold, with the upstream gone, from its lock file,
//! and with a door that demands a token.

use std::fs;

use tidegate_testkit::process::Home;
use tidegate_testkit::tools;
use tidegate_testkit::{Package, Style};

use crate::clients_support::{Site, cargo_project, npm_project, publish, read, uv_project};

const STYLES: [Style; 2] = [Style::Rich, Style::Thin];

#[test]
fn npm_installs_cold_without_upstream_and_from_its_lock_file() {
    let Some(npm) = tools::npm() else { return };
    for style in STYLES {
        let site = Site::open(style);
        let tree = publish(&site.upstream, Package::npm, "^1.0.0");
        let first = Home::new();
        let project = npm_project(&first, "project", "^1.0.0");
        let done =
            site.run(&first, &npm).args(["install", "--no-fund"]).in_folder(&project).run().expect_success();
        assert!(done.stderr.contains("tidegate: admitted 2, steered 1"), "{style:?}: {}", done.stderr);
        assert!(read(project.join("node_modules/leaf-of-test/index.js")).contains("1.1.0"));
        assert_eq!(site.upstream.count("leaf-of-test-1.1.0.tgz"), 1);
        assert!(site.holds(&tree.leaf) && site.holds(&tree.twig) && !site.holds(&tree.fresh));

        site.upstream.stop();
        let second = Home::new();
        let other = npm_project(&second, "project", "^1.0.0");
        site.run(&second, &npm).arg("install").in_folder(&other).run().expect_success();
        assert!(read(other.join("node_modules/leaf-of-test/index.js")).contains("1.1.0"));

        let third = Home::new();
        let locked = npm_project(&third, "project", "^1.0.0");
        fs::copy(project.join("package-lock.json"), locked.join("package-lock.json")).unwrap();
        let done = site.run(&third, &npm).arg("ci").in_folder(&locked).run().expect_success();
        assert!(done.stderr.contains("admitted 2"), "{}", done.stderr);
        assert_eq!(site.upstream.count(".tgz"), 2, "everything else came from the store");
    }
}

#[test]
fn every_pip_installs_cold_without_upstream_and_by_hashes() {
    for pip in tools::pips() {
        for style in STYLES {
            let site = Site::open(style);
            let tree = publish(&site.upstream, Package::pypi, ">=1");
            let install = |what: &[&str]| {
                let home = Home::new();
                let target = home.folder("site");
                let done = site.run(&home, &pip).args(["install", "--target"]).arg(&target).args(what).run();
                (home, target, done)
            };
            let (_home, target, done) = install(&["leaf-of-test"]);
            let done = done.expect_success();
            assert!(
                done.stderr.contains("tidegate: admitted 2, steered 1"),
                "{} {style:?}: {}",
                pip.name(),
                done.stderr
            );
            assert!(read(target.join("leaf_of_test/__init__.py")).contains("1.1.0"));
            assert!(site.holds(&tree.leaf) && site.holds(&tree.twig));

            site.upstream.stop();
            let (_home, target, done) = install(&["leaf-of-test"]);
            done.expect_success();
            assert!(read(target.join("leaf_of_test/__init__.py")).contains("1.1.0"));

            let requirements = site.operator.path().join("requirements.txt");
            let text = format!(
                "leaf-of-test==1.1.0 --hash=sha256:{}\ntwig-of-test==1.0.0 --hash=sha256:{}\n",
                tree.leaf.sha256, tree.twig.sha256
            );
            fs::write(&requirements, text).unwrap();
            let (_home, _target, done) = install(&["--require-hashes", "-r", requirements.to_str().unwrap()]);
            done.expect_success();
            let whole = |name: &str| {
                site.upstream
                    .requests()
                    .iter()
                    .filter(|r| r.method == "GET" && r.path.ends_with(name))
                    .count()
            };
            assert_eq!(
                whole("leaf_of_test-1.1.0-py3-none-any.whl"),
                1,
                "everything else came from the store"
            );
        }
    }
}

#[test]
fn uv_installs_cold_without_upstream_and_from_its_lock_file() {
    let (Some(uv), Some(_python)) = (tools::uv(), tools::python()) else { return };
    for style in STYLES {
        let site = Site::open(style);
        let tree = publish(&site.upstream, Package::pypi, ">=1");
        let first = Home::new();
        let project = uv_project(&first, "project", ">=1");
        let done = site.run(&first, &uv).arg("sync").in_folder(&project).run().expect_success();
        assert!(done.stderr.contains("tidegate: admitted 2, steered 1"), "{style:?}: {}", done.stderr);
        assert!(site.holds(&tree.leaf) && site.holds(&tree.twig));

        site.upstream.stop();
        let second = Home::new();
        let other = uv_project(&second, "project", ">=1");
        site.run(&second, &uv).arg("sync").in_folder(&other).run().expect_success();

        let third = Home::new();
        let locked = uv_project(&third, "project", ">=1");
        fs::copy(project.join("uv.lock"), locked.join("uv.lock")).unwrap();
        let done = site.run(&third, &uv).args(["sync", "--frozen"]).in_folder(&locked).run().expect_success();
        assert!(done.stderr.contains("admitted 2"), "{}", done.stderr);
        assert_eq!(read(locked.join("uv.lock")), read(project.join("uv.lock")), "given back as it was");
    }
}

#[test]
fn cargo_builds_cold_without_upstream_and_from_its_lock_file() {
    let Some(cargo) = tools::cargo() else { return };
    for style in STYLES {
        let site = Site::open(style);
        let tree = publish(&site.upstream, Package::cargo, "1");
        let first = Home::new();
        let project = cargo_project(&first, "project", "1");
        let done =
            site.run(&first, &cargo).args(["run", "--quiet"]).in_folder(&project).run().expect_success();
        assert_eq!(done.stdout, "1.1.0", "standard output is the client's alone");
        assert!(done.stderr.contains("tidegate: admitted 2, steered 1"), "{style:?}: {}", done.stderr);
        assert!(site.holds(&tree.leaf) && site.holds(&tree.twig));

        site.upstream.stop();
        let second = Home::new();
        let other = cargo_project(&second, "project", "1");
        site.run(&second, &cargo).arg("fetch").in_folder(&other).run().expect_success();

        let third = Home::new();
        let locked = cargo_project(&third, "project", "1");
        fs::copy(project.join("Cargo.lock"), locked.join("Cargo.lock")).unwrap();
        let done =
            site.run(&third, &cargo).args(["fetch", "--locked"]).in_folder(&locked).run().expect_success();
        assert!(done.stderr.contains("admitted 2"), "{}", done.stderr);
        assert_eq!(site.upstream.count("/leaf-of-test/1.1.0"), 1, "everything else came from the store");
    }
}

/// A door that demands a token answers each client with it, and tells each without it what is missing.
#[test]
fn a_door_that_demands_a_token_lets_runs_in_and_tells_others_why() {
    const REASON: &str = "token";
    let site = Site::configured(Style::Rich, "[server]\nrequire_token = true\n");
    for (make, requirement) in
        [(Package::npm as fn(&str, &str) -> Package, "^1.0.0"), (Package::pypi, ">=1"), (Package::cargo, "1")]
    {
        publish(&site.upstream, make, requirement);
    }
    let address = site.address();
    if let Some(npm) = tools::npm() {
        let home = Home::new();
        let project = npm_project(&home, "npm", "^1.0.0");
        let without = npm
            .called_by(&home)
            .args(["install", "--registry", &format!("{address}npm/")])
            .in_folder(&project)
            .run()
            .expect_failure();
        assert!(
            without.output().contains("E401") && without.output().contains(REASON),
            "{}",
            without.output()
        );
        site.run(&home, &npm).arg("install").in_folder(&project).run().expect_success();
    }
    for pip in tools::pips() {
        let home = Home::new();
        let target = home.folder("site");
        let without = pip
            .called_by(&home)
            .args(["install", "--no-input", "--index-url", &format!("{address}pypi/simple/"), "--target"])
            .arg(&target)
            .arg("leaf-of-test")
            .run()
            .expect_failure();
        assert!(without.output().contains("leaf-of-test"), "{}", without.output());
        site.run(&home, &pip)
            .args(["install", "--target"])
            .arg(&target)
            .arg("leaf-of-test")
            .run()
            .expect_success();
    }
    if let (Some(uv), Some(_python)) = (tools::uv(), tools::python()) {
        let home = Home::new();
        let project = uv_project(&home, "uv", ">=1");
        let without = crate::clients_support::with_python(uv.called_by(&home))
            .arg("sync")
            .env("UV_DEFAULT_INDEX", format!("{address}pypi/simple"))
            .in_folder(&project)
            .run()
            .expect_failure();
        assert!(without.output().contains("401"), "{}", without.output());
        site.run(&home, &uv).arg("sync").in_folder(&project).run().expect_success();
        assert!(!read(project.join("uv.lock")).contains("tg_"), "no token in the lock file");
    }
    if let Some(cargo) = tools::cargo() {
        let home = Home::new();
        let project = cargo_project(&home, "cargo", "1");
        let index = format!("source.door.registry=\"sparse+{address}cargo/\"");
        let without = cargo
            .called_by(&home)
            .args(["--config", "source.crates-io.replace-with=\"door\"", "--config", &index, "fetch"])
            .in_folder(&project)
            .run()
            .expect_failure();
        // cargo says this in words of its own, and shows none of ours.
        assert!(
            without.output().contains("authenticated registries require a credential-provider"),
            "{}",
            without.output()
        );
        site.run(&home, &cargo).arg("fetch").in_folder(&project).run().expect_success();
    }
}
