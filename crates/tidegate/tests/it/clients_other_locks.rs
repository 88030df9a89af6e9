//! Lock files of pnpm, both Yarns, pip and Poetry: made through a run they install without the door, and the reverse; a
//! run tells their refused entries before the client starts.

use std::fs;
use std::path::Path;

use tidegate_testkit::process::{Home, Program};
use tidegate_testkit::tools::{self, Tool};
use tidegate_testkit::{Package, Style};

use crate::clients_support::{Site, npm_project, publish, read, uv_project, with_python};

/// A client of npm packages with a lock file of its own.
struct Client {
    tool: Tool,
    lock: &'static str,
    /// Installs exactly what the lock file says.
    frozen: &'static [&'static str],
    /// Whether the lock file names whole addresses.
    names_addresses: bool,
    /// Settings that keep it quiet and on the ground, whichever registry it asks.
    settings: &'static [(&'static str, &'static str)],
}

fn clients() -> Vec<Client> {
    let client = |tool: Option<Tool>, lock, frozen, names_addresses, settings| {
        Some(Client { tool: tool?, lock, frozen, names_addresses, settings })
    };
    let all = [
        client(
            tools::pnpm(),
            "pnpm-lock.yaml",
            &["install", "--frozen-lockfile"],
            false,
            &[("npm_config_manage_package_manager_versions", "false")],
        ),
        client(tools::yarn_classic(), "yarn.lock", &["install", "--frozen-lockfile"], true, &[]),
        client(
            tools::yarn_berry(),
            "yarn.lock",
            &["install", "--immutable"],
            false,
            &[
                ("YARN_NODE_LINKER", "node-modules"),
                ("YARN_ENABLE_TELEMETRY", "0"),
                ("YARN_ENABLE_IMMUTABLE_INSTALLS", "false"),
                // A project's own setting in real life.
                ("YARN_NPM_MINIMAL_AGE_GATE", "0"),
            ],
        ),
    ];
    all.into_iter().flatten().collect()
}

impl Client {
    fn set_up(&self, program: Program) -> Program {
        self.settings.iter().fold(program, |program, (name, value)| program.env(name, value))
    }

    /// Through the door.
    fn run(&self, site: &Site, home: &Home, project: &Path) -> Program {
        self.set_up(site.run(home, &self.tool)).in_folder(project)
    }

    /// Without the door, straight at the upstream.
    fn direct(&self, site: &Site, home: &Home, project: &Path) -> Program {
        let registry = site.upstream.npm_url();
        self.set_up(self.tool.called_by(home))
            .env("npm_config_registry", &registry)
            .env("YARN_REGISTRY", &registry)
            .env("YARN_NPM_REGISTRY_SERVER", registry.trim_end_matches('/'))
            .env("YARN_UNSAFE_HTTP_WHITELIST", "127.0.0.1")
            .in_folder(project)
    }

    /// A project of `home`; Yarn takes a folder without a lock file for a part of one above it.
    fn project(&self, home: &Home, name: &str) -> std::path::PathBuf {
        let project = npm_project(home, name, "~1.1.0");
        if self.lock == "yarn.lock" {
            fs::write(project.join("yarn.lock"), "").unwrap();
        }
        project
    }
}

fn installed(project: &Path) -> bool {
    project.join("node_modules/leaf-of-test/index.js").is_file()
}

#[test]
fn lock_files_of_other_npm_clients_work_both_ways() {
    for client in clients() {
        let name = format!("{} ({})", client.tool.path().display(), client.lock);
        let site = Site::open(Style::Rich);
        publish(&site.upstream, Package::npm, "^1.0.0");
        let door = site.address();
        let door = door.trim_end_matches('/');

        // Made through the door, used without it.
        let home = Home::new();
        let through = client.project(&home, "through");
        let done = client.run(&site, &home, &through).arg("install").run().expect_success();
        assert!(done.stderr.contains("admitted 2"), "{name}: {}", done.stderr);
        let lock = read(through.join(client.lock));
        assert!(lock.contains("leaf-of-test") && !lock.contains(door), "{name}: {lock}");
        let lint = site.tidegate(&home, &["lock", "lint", client.lock]).in_folder(&through).run();
        // A whole address leads past the door whoever wrote it.
        assert_eq!(
            lint.code(),
            Some(if client.names_addresses { 3 } else { 0 }),
            "{name}: {}",
            lint.output()
        );
        fs::remove_dir_all(through.join("node_modules")).unwrap();
        client.direct(&site, &Home::new(), &through).args(client.frozen).run().expect_success();
        assert!(installed(&through), "{name}");

        // Made without the door, used through it.
        let other = Home::new();
        let without = client.project(&other, "without");
        client.direct(&site, &other, &without).arg("install").run().expect_success();
        fs::remove_dir_all(without.join("node_modules")).unwrap();
        let before = read(without.join(client.lock));
        site.upstream.forget_requests();
        let third = Home::new();
        let done = client.run(&site, &third, &without).args(client.frozen).run().expect_success();
        assert!(done.stderr.contains("admitted 2"), "{name}: {}", done.stderr);
        assert!(installed(&without), "{name}");
        for request in site.upstream.requests() {
            let via = request.header("via").is_some_and(|via| via.contains("tidegate"));
            assert!(via, "{name}: past the door: {}", request.path);
        }
        assert_eq!(read(without.join(client.lock)), before, "{name}");
    }
}

#[test]
fn refused_entries_of_other_lock_files_are_told_before_the_client_starts() {
    for client in clients() {
        let site = Site::open(Style::Rich);
        publish(&site.upstream, Package::npm, "^1.0.0");
        let home = Home::new();
        let project = client.project(&home, "project");
        fs::write(
            project.join("package.json"),
            read(project.join("package.json")).replace("~1.1.0", "1.2.0"),
        )
        .unwrap();
        client.direct(&site, &home, &project).arg("install").run().expect_success();
        fs::remove_dir_all(project.join("node_modules")).unwrap();
        let done = client.run(&site, &Home::new(), &project).args(client.frozen).run();
        assert_eq!(done.code(), Some(3), "{}: {}", client.lock, done.output());
        let told = format!("{}: 1 of 2 packages are refused", client.lock);
        assert!(done.stderr.contains(&told), "{}", done.stderr);
        assert!(done.stderr.contains("pkg:npm/leaf-of-test@1.2.0 quarantine by cooldown"), "{}", done.stderr);
        assert!(!project.join("node_modules").exists(), "the client did not start");
        let path = project.join(client.lock);
        let checked = site.tidegate(&home, &["check", "--json", path.to_str().unwrap()]).run();
        assert_eq!(checked.code(), Some(3), "{}", checked.output());
        assert_eq!(checked.stdout.lines().count(), 2, "{}", checked.stdout);
    }
}

/// A yarn.lock that names the door, as after a run that was killed.
#[test]
fn a_yarn_lock_that_names_the_door_is_found_and_mended() {
    let Some(client) = clients().into_iter().find(|client| client.names_addresses) else { return };
    let site = Site::open(Style::Rich);
    publish(&site.upstream, Package::npm, "^1.0.0");
    let home = Home::new();
    let project = client.project(&home, "project");
    client.direct(&site, &home, &project).arg("install").run().expect_success();
    let before = read(project.join("yarn.lock"));
    let lock = |args: &[&str]| site.tidegate(&home, &[&["lock"], args].concat()).in_folder(&project).run();
    assert!(lock(&["lint", "yarn.lock"]).stdout.contains("the upstream's own"));
    lock(&["rewrite", "yarn.lock", "--to", "door"]).expect_success();
    assert!(read(project.join("yarn.lock")).contains(&site.address()));
    let lint = lock(&["lint", "yarn.lock"]);
    assert_eq!(lint.code(), Some(3));
    assert!(lint.stdout.contains("without this door it installs nowhere"), "{}", lint.stdout);
    lock(&["rewrite", "yarn.lock"]).expect_success();
    let after = read(project.join("yarn.lock"));
    assert_eq!(after.replace('"', ""), before.replace('"', ""));
}

#[test]
fn hashed_requirements_work_both_ways() {
    let (Some(uv), Some(_python)) = (tools::uv(), tools::python()) else { return };
    let site = Site::open(Style::Rich);
    publish(&site.upstream, Package::pypi, ">=1");
    let index = site.upstream.pypi_url();
    let home = Home::new();
    let compile = ["pip", "compile", "--generate-hashes", "--no-header", "wanted.in", "--output-file"];
    for folder in ["through", "without"] {
        fs::write(home.folder(folder).join("wanted.in"), "leaf-of-test<1.2\n").unwrap();
    }
    let (through, without) = (home.folder("through"), home.folder("without"));
    site.run(&home, &uv).args(compile).arg("requirements.txt").in_folder(&through).run().expect_success();
    with_python(uv.called_by(&Home::new()))
        .env("UV_DEFAULT_INDEX", index.trim_end_matches('/'))
        .args(compile)
        .arg("requirements.txt")
        .in_folder(&without)
        .run()
        .expect_success();
    let made = read(through.join("requirements.txt"));
    assert!(made.contains("--hash=sha256:") && !made.contains("127.0.0.1"), "{made}");
    assert_eq!(made, read(without.join("requirements.txt")), "the door changes no digest");
    for pip in tools::pips() {
        let install = ["install", "--require-hashes", "-r", "requirements.txt", "--target"];
        let other = Home::new();
        let site_folder = other.folder("site");
        pip.called_by(&other)
            .args(install)
            .arg(&site_folder)
            .args(["--index-url", &index])
            .in_folder(&through)
            .run()
            .expect_success();
        assert!(read(site_folder.join("leaf_of_test/__init__.py")).contains("1.1.0"), "{}", pip.name());
        site.upstream.forget_requests();
        let third = Home::new();
        let site_folder = third.folder("site");
        let done =
            site.run(&third, &pip).args(install).arg(&site_folder).in_folder(&without).run().expect_success();
        assert!(done.stderr.contains("admitted 2"), "{}: {}", pip.name(), done.stderr);
        assert!(read(site_folder.join("leaf_of_test/__init__.py")).contains("1.1.0"), "{}", pip.name());
        for request in site.upstream.requests() {
            let via = request.header("via").is_some_and(|via| via.contains("tidegate"));
            assert!(via, "{}: past the door: {}", pip.name(), request.path);
        }
    }
}

/// Poetry takes its index from the project, so a run leads it nowhere; what its lock file says is checked nevertheless.
#[test]
fn poetry_locks_through_the_door_where_the_project_says_so() {
    let (Some(poetry), Some(_python)) = (tools::poetry(), tools::python()) else { return };
    let site = Site::open(Style::Rich);
    publish(&site.upstream, Package::pypi, ">=1");
    let home = Home::new();
    let project = uv_project(&home, "project", "<1.2");
    let source = |index: &str| {
        let plain = "[project]\nname = \"app\"\nversion = \"0.1.0\"\nrequires-python = \">=3.8\"\ndependencies = [\"leaf-of-test";
        format!(
            "{plain}<1.2\"]\n[tool.poetry]\npackage-mode = false\n[[tool.poetry.source]]\nname = \"tidegate\"\nurl = \"{}\"\npriority = \"primary\"\n",
            index.trim_end_matches('/')
        )
    };
    let door = format!("{}pypi/simple/", site.address());
    fs::write(project.join("pyproject.toml"), source(&door)).unwrap();
    poetry.called_by(&home).arg("lock").in_folder(&project).run().expect_success();
    let lint = site.tidegate(&home, &["lock", "lint", "poetry.lock"]).in_folder(&project).run();
    assert_eq!(lint.code(), Some(3), "{}", lint.output());
    assert!(
        lint.stdout.contains("the door's own") && lint.stdout.contains("pyproject.toml"),
        "{}",
        lint.stdout
    );
    // With the source of the upstream, and a version that is held, locked without the door.
    fs::write(project.join("pyproject.toml"), source(&site.upstream.pypi_url()).replace("<1.2", "==1.2.0"))
        .unwrap();
    poetry.called_by(&Home::new()).args(["lock", "--no-cache"]).in_folder(&project).run().expect_success();
    let done = site.run(&Home::new(), &poetry).arg("install").in_folder(&project).run();
    assert_eq!(done.code(), Some(3), "{}", done.output());
    assert!(done.stderr.contains("pkg:pypi/leaf-of-test@1.2.0 quarantine by cooldown"), "{}", done.stderr);
}
