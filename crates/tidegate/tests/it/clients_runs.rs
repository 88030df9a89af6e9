//! Runs share a door, a door that others can reach demands a token, and a project's files change nothing.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::time::Duration;

use tidegate_testkit::process::{Home, Program};
use tidegate_testkit::tools;
use tidegate_testkit::{Package, Style};

use crate::clients_support::{Site, TIDEGATE, npm_project, publish};

/// Ends the door that a run started, by its process id, when the test ends.
struct EndsDoor(PathBuf);

impl EndsDoor {
    fn pid(&self) -> Option<String> {
        Some(fs::read_to_string(self.0.join("pid")).ok()?.trim().to_owned())
    }
}

impl Drop for EndsDoor {
    fn drop(&mut self) {
        if let Some(pid) = self.pid() {
            Program::new("/bin/kill", &Home::new()).arg(pid).run();
        }
    }
}

#[test]
fn two_runs_at_once_share_a_door() {
    let Some(npm) = tools::npm() else { return };
    let site = Site::closed(Style::Rich);
    publish(&site.upstream, Package::npm, "^1.0.0");
    let ends = EndsDoor(site.data.clone());
    let homes = [Home::new(), Home::new()];
    // Something else has the port that the door would take.
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let mut runs: Vec<_> = homes
        .iter()
        .map(|home| {
            let project = npm_project(home, "project", "^1.0.0");
            let run = site.run(home, &npm).env("TIDEGATE_LISTEN", taken.local_addr().unwrap().to_string());
            run.arg("install").in_folder(&project).spawn()
        })
        .collect();
    let mut said = String::new();
    for run in &mut runs {
        let status = run.wait(Duration::from_secs(240));
        let (stdout, stderr) = run.output_so_far();
        assert!(status.is_some_and(|status| status.success()), "{stdout}{stderr}");
        said.push_str(&stderr);
    }
    assert_eq!(said.matches("admitted 2").count(), 2, "{said}");
    assert_eq!(
        said.matches("is taken by another program").count(),
        1,
        "one of them started the door: {said}"
    );
    let pid = ends.pid().unwrap();
    let command = fs::read(format!("/proc/{pid}/cmdline")).unwrap();
    assert!(String::from_utf8_lossy(&command).contains("--idle-exit"), "it ends by itself");
    assert_eq!(site.upstream.count("leaf-of-test-1.1.0.tgz"), 1, "one door, one download");
}

#[test]
fn a_door_that_nobody_uses_ends_by_itself() {
    let site = Site::closed(Style::Rich);
    let mut door =
        site.tidegate(&site.operator, &["up"]).args(["--listen", "127.0.0.1:0", "--idle-exit", "1"]).spawn();
    let status = door.wait(Duration::from_secs(120));
    assert!(status.is_some_and(|status| status.success()), "{:?}", door.output_so_far());
    assert!(!site.data.join("tidegate.sock").exists());
}

#[test]
fn a_door_that_others_can_reach_refuses_without_a_token() {
    let mut site = Site::closed(Style::Rich);
    publish(&site.upstream, Package::npm, "^1.0.0");
    site.start_door("0.0.0.0:0");
    let address = site.address();
    let authority = address.trim_start_matches("http://").trim_end_matches('/');
    assert!(authority.starts_with("127.0.0.1:"), "{address}");
    for (method, path) in [
        ("GET", "/npm/leaf-of-test"),
        ("GET", "/npm/leaf-of-test/-/leaf-of-test-1.1.0.tgz"),
        ("GET", "/pypi/simple/x/"),
        ("GET", "/cargo/config.json"),
        ("GET", "/t/-/cargo/config.json"),
        ("GET", "/api/v1/status"),
        ("POST", "/api/v1/tokens"),
    ] {
        let mut stream = TcpStream::connect(authority).unwrap();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: {authority}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 401 "), "{method} {path}: {answer}");
    }
    assert_eq!(site.upstream.requests().len(), 0, "nothing was asked for a stranger");
    if let Some(npm) = tools::npm() {
        let home = Home::new();
        let project = npm_project(&home, "project", "^1.0.0");
        site.run(&home, &npm).arg("install").in_folder(&project).run().expect_success();
    }
}

/// A project folder in which every file would lead somebody who trusts it elsewhere, or leave a mark.
fn hostile(home: &Home) -> PathBuf {
    let project = home.folder("hostile");
    let mark = project.join("ran");
    let write = |name: &str, text: String| {
        use std::os::unix::fs::PermissionsExt as _;
        let path = project.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    };
    let script = format!("#!/bin/sh\ntouch '{}'\necho https://evil.invalid/\n", mark.display());
    for name in ["pip", "npm", "uv", "cargo", "python3", "yarn", "pnpm", "node_modules/.bin/npm"] {
        write(name, script.clone());
    }
    write(".npmrc", "registry=https://evil.invalid/\n".into());
    write("package.json", r#"{"name":"app","packageManager":"yarn@4.0.0"}"#.into());
    write(".yarnrc.yml", "yarnPath: ./yarn\nnpmRegistryServer: https://evil.invalid\n".into());
    write("pip.conf", "[global]\nindex-url = https://evil.invalid/simple\n".into());
    write("uv.toml", "index-url = \"https://evil.invalid/simple\"\n".into());
    write(".cargo/config.toml", "[source.crates-io]\nreplace-with = \"evil\"\n[source.evil]\nregistry = \"sparse+https://evil.invalid/\"\n".into());
    project
}

#[test]
fn discovery_in_a_hostile_folder_runs_and_saves_nothing_of_it() {
    let home = Home::new();
    let project = hostile(&home);
    let data = home.folder("data");
    let path = format!(
        ".:{}:{}:{}",
        project.display(),
        project.join("node_modules/.bin").display(),
        std::env::var("PATH").unwrap()
    );
    let tidegate = |args: &[&str]| {
        Program::new(TIDEGATE, &home)
            .args(args)
            .arg("--data")
            .arg(&data)
            .env("PATH", &path)
            .in_folder(&project)
    };
    let found = tidegate(&["discover", "--json"]).run();
    assert!(!found.output().contains("evil"), "{}", found.output());
    assert_eq!(found.stdout.lines().count(), tidegate_model::Ecosystem::ALL.len(), "{}", found.output());
    let mut door = tidegate(&["up", "--listen", "127.0.0.1:0"]).env("NO_COLOR", "1").spawn();
    door.wait_for_line("tidegate is open on", Duration::from_secs(120));
    door.signal(15);
    door.wait(Duration::from_secs(60));
    let kept = fs::read_to_string(data.join("upstreams.json")).unwrap_or_default();
    assert!(!kept.contains("evil"), "{kept}");
    assert!(!project.join("ran").exists(), "something of the project ran");
}

#[test]
fn setup_writes_the_door_and_the_upstream_is_still_known() {
    let home = Home::new();
    let data = home.folder("data");
    fs::write(home.path().join(".npmrc"), "registry=http://mirror.test/npm/\n").unwrap();
    let tidegate = |args: &[&str]| Program::new(TIDEGATE, &home).args(args).arg("--data").arg(&data);
    let shown = tidegate(&["setup", "npm"]).run().expect_success();
    assert!(shown.stdout.contains("registry=http://127.0.0.1:8484/npm/"), "{}", shown.stdout);
    tidegate(&["setup", "npm", "--write"]).run().expect_success();
    assert!(fs::read_to_string(home.path().join(".npmrc")).unwrap().contains("127.0.0.1:8484"));
    let found = tidegate(&["discover", "--json"]).run();
    assert!(found.stdout.contains("http://mirror.test/npm/"), "{}", found.output());
}
