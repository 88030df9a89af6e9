//! Lock files made through a run install without the door, and those made without it install through a run.

use std::fs;

use tidegate_testkit::process::Home;
use tidegate_testkit::tools;
use tidegate_testkit::{Package, Style};

use crate::clients_steering::upstream_source;
use crate::clients_support::{
    Site, TIDEGATE, cargo_project, npm_project, publish, read, uv_project, with_python,
};

/// Asserts that all that reached the upstream since it last forgot came through the door.
fn all_through_the_door(site: &Site) {
    for request in site.upstream.requests() {
        assert!(
            request.header("via").is_some_and(|via| via.contains("tidegate")),
            "past the door: {}",
            request.path
        );
    }
}

#[test]
fn npm_lock_files_work_both_ways() {
    let Some(npm) = tools::npm() else { return };
    let site = Site::open(Style::Rich);
    publish(&site.upstream, Package::npm, "^1.0.0");
    let home = Home::new();
    let through = npm_project(&home, "through", "^1.0.0");
    site.run(&home, &npm).arg("install").in_folder(&through).run().expect_success();
    let lock = read(through.join("package-lock.json"));
    assert!(lock.contains("leaf-of-test") && !lock.contains(site.address().trim_end_matches('/')), "{lock}");
    fs::remove_dir_all(through.join("node_modules")).unwrap();
    let plain = Home::new();
    npm.called_by(&plain)
        .args(["ci", "--registry", &site.upstream.npm_url()])
        .in_folder(&through)
        .run()
        .expect_success();

    let without = npm_project(&home, "without", "1.1.0");
    npm.called_by(&Home::new())
        .args(["install", "--registry", &site.upstream.npm_url()])
        .in_folder(&without)
        .run()
        .expect_success();
    assert!(read(without.join("package-lock.json")).contains("resolved"));
    fs::remove_dir_all(without.join("node_modules")).unwrap();
    // npm keeps the path of a registry that has one; `lock rewrite` takes the address out.
    site.tidegate(&home, &["lock", "rewrite", "package-lock.json", "--to", "door"])
        .in_folder(&without)
        .run()
        .expect_success();
    site.upstream.forget_requests();
    let other = Home::new();
    let done = site.run(&other, &npm).arg("ci").in_folder(&without).run().expect_success();
    assert!(done.stderr.contains("admitted 2"), "{}", done.stderr);
    all_through_the_door(&site);
}

#[test]
fn uv_lock_files_work_both_ways() {
    let (Some(uv), Some(_python)) = (tools::uv(), tools::python()) else { return };
    let site = Site::open(Style::Rich);
    publish(&site.upstream, Package::pypi, ">=1");
    let home = Home::new();
    let through = uv_project(&home, "through", "<1.2");
    site.run(&home, &uv).arg("lock").in_folder(&through).run().expect_success();
    let lock = read(through.join("uv.lock"));
    assert!(
        lock.contains("leaf_of_test-1.1.0") && !lock.contains(site.address().trim_end_matches('/')),
        "{lock}"
    );
    let index = site.upstream.pypi_url();
    let direct =
        |home: &Home| with_python(uv.called_by(home)).env("UV_DEFAULT_INDEX", index.trim_end_matches('/'));
    direct(&Home::new()).args(["sync", "--locked"]).in_folder(&through).run().expect_success();

    let without = uv_project(&home, "without", "<1.2");
    direct(&Home::new()).arg("lock").in_folder(&without).run().expect_success();
    let before = read(without.join("uv.lock"));
    for mode in ["--frozen", "--locked"] {
        site.upstream.forget_requests();
        let other = Home::new();
        let _ = fs::remove_dir_all(without.join(".venv"));
        let done = site.run(&other, &uv).args(["sync", mode]).in_folder(&without).run().expect_success();
        assert!(done.stderr.contains("admitted 2"), "{mode}: {}", done.stderr);
        all_through_the_door(&site);
        assert_eq!(read(without.join("uv.lock")), before, "{mode}");
    }

    // A lock file that names the door, as after a run that was killed.
    site.tidegate(&home, &["lock", "rewrite", "uv.lock", "--to", "door"])
        .in_folder(&without)
        .run()
        .expect_success();
    assert!(read(without.join("uv.lock")).contains(&site.address()));
    let lint = site.tidegate(&home, &["lock", "lint", "uv.lock"]).in_folder(&without).run();
    assert_eq!(lint.code(), Some(3), "{}", lint.output());
    assert!(lint.stdout.contains("without this door it installs nowhere"), "{}", lint.stdout);
    site.tidegate(&home, &["lock", "rewrite", "uv.lock"]).in_folder(&without).run().expect_success();
    assert_eq!(read(without.join("uv.lock")), before);
}

#[test]
fn cargo_lock_files_work_both_ways() {
    let Some(cargo) = tools::cargo() else { return };
    let site = Site::open(Style::Rich);
    publish(&site.upstream, Package::cargo, "1");
    let home = Home::new();
    let through = cargo_project(&home, "through", "1");
    site.run(&home, &cargo).arg("generate-lockfile").in_folder(&through).run().expect_success();
    let lock = read(through.join("Cargo.lock"));
    assert!(lock.contains("leaf-of-test") && !lock.contains("127.0.0.1"), "{lock}");
    cargo
        .called_by(&Home::new())
        .args(upstream_source(&site))
        .args(["fetch", "--locked"])
        .in_folder(&through)
        .run()
        .expect_success();

    let without = cargo_project(&home, "without", ">=1, <1.2");
    cargo
        .called_by(&Home::new())
        .args(upstream_source(&site))
        .arg("generate-lockfile")
        .in_folder(&without)
        .run()
        .expect_success();
    let before = read(without.join("Cargo.lock"));
    site.upstream.forget_requests();
    let done =
        site.run(&Home::new(), &cargo).args(["fetch", "--locked"]).in_folder(&without).run().expect_success();
    assert!(done.stderr.contains("admitted 2"), "{}", done.stderr);
    all_through_the_door(&site);
    assert_eq!(read(without.join("Cargo.lock")), before);
}

#[test]
fn checks_answer_with_and_without_a_running_door() {
    let mut site = Site::closed(Style::Rich);
    let tree = publish(&site.upstream, Package::npm, "^1.0.0");
    let home = Home::new();
    let check = |site: &Site, args: &[&str]| site.tidegate(&home, &["check"]).args(args).run();
    let both = ["--json", "pkg:npm/leaf-of-test@1.1.0", "pkg:npm/leaf-of-test@1.2.0"];
    for running in [false, true] {
        if running {
            site.start_door("127.0.0.1:0");
        }
        let done = check(&site, &both);
        assert_eq!(done.code(), Some(3), "{}", done.output());
        let lines: Vec<serde_json::Value> =
            done.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[0]["input"], "pkg:npm/leaf-of-test@1.1.0");
        assert!(
            ["allow", "warn"].contains(&lines[0]["decision"]["action"].as_str().unwrap()),
            "{}",
            lines[0]
        );
        assert_eq!(lines[1]["decision"]["action"], "quarantine");
        assert_eq!(lines[1]["artifact"]["kind"], "package");
        assert!(!lines[1]["gaps"].as_array().unwrap().is_empty(), "what nobody looked at is a gap");
        assert_eq!(check(&site, &["--policy", "observe", "pkg:npm/leaf-of-test@1.2.0"]).code(), Some(0));
        assert_eq!(check(&site, &["pkg:npm/no-such-package-of-test@1.0.0"]).code(), Some(1));
        assert_eq!(check(&site, &["--previous", "x", "pkg:npm/leaf-of-test@1.1.0"]).code(), Some(2));
    }
    // A lock file, one line a package; and inputs from standard input.
    let folder = home.folder("locked");
    let lock = format!(
        r#"{{"lockfileVersion":3,"packages":{{"node_modules/leaf-of-test":{{"version":"1.2.0","integrity":"{}"}},"node_modules/twig-of-test":{{"version":"1.0.0","integrity":"{}"}}}}}}"#,
        tree.fresh.integrity, tree.twig.integrity
    );
    fs::write(folder.join("package-lock.json"), lock).unwrap();
    let path = folder.join("package-lock.json");
    let done = check(&site, &[path.to_str().unwrap()]);
    assert_eq!(done.code(), Some(3), "{}", done.output());
    assert!(done.stdout.starts_with("quarantine pkg:npm/leaf-of-test@1.2.0 cooldown: "), "{}", done.stdout);
    assert!(done.stdout.contains("take 1.1.0 instead"), "{}", done.stdout);
    assert!(!done.stdout.contains("twig-of-test"), "only what needs action: {}", done.stdout);
    assert_eq!(check(&site, &["--json", path.to_str().unwrap()]).stdout.lines().count(), 2);
    let script = format!(
        "printf 'pkg:npm/twig-of-test@1.0.0\\n' | '{TIDEGATE}' check - --data '{}'",
        site.data.display()
    );
    let piped = tidegate_testkit::process::Program::new("/bin/sh", &home)
        .args(["-c", &script])
        .run()
        .expect_success();
    assert!(piped.stdout.contains("pkg:npm/twig-of-test@1.0.0"), "{}", piped.stdout);

    // Without asking upstream: what is known is decided on, what is not is a gap, and never an admission under `strict`.
    site.upstream.stop();
    let offline = |args: &[&str]| check(&site, &[&["--offline", "--json"], args].concat());
    assert_eq!(offline(&["pkg:npm/leaf-of-test@1.2.0"]).code(), Some(3));
    let unknown = offline(&["pkg:npm/unheard-of-here@1.0.0"]);
    assert!(unknown.stdout.contains("nothing is known of it here"), "{}", unknown.stdout);
    assert_eq!(offline(&["--policy", "strict", "pkg:npm/unheard-of-here@1.0.0"]).code(), Some(3));
}
