//! One small package with each client, through the door, from the registry that this machine's clients use. A machine
//! without network, or whose registries do not answer, skips them and says so. `cargo xtask real-install` installs
//! whole applications.

use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use tidegate_testkit::process::{Home, Program, Running};
use tidegate_testkit::tools::{self, Tool};

use crate::clients_support::{TIDEGATE, cargo_project, uv_project, with_python};

const PATIENCE: Duration = Duration::from_secs(240);

/// A door before the real registries.
struct Door {
    home: Home,
    data: PathBuf,
    _running: Mutex<Running>,
    /// Ecosystems whose upstream answers, as `doctor` tells it.
    answering: Vec<String>,
}

/// The door of the tests that run just now; the last of them closes it. It is started by this process's own user,
/// because only that user's clients know the registries.
fn door() -> Arc<Door> {
    static DOOR: Mutex<Weak<Door>> = Mutex::new(Weak::new());
    let mut shared = DOOR.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(door) = shared.upgrade() {
        return door;
    }
    let door = Arc::new(Door::open());
    *shared = Arc::downgrade(&door);
    door
}

impl Door {
    fn open() -> Self {
        let home = Home::new();
        let data = home.folder("data");
        let mut running = Program::of_this_user(TIDEGATE)
            .args(["up", "--listen", "127.0.0.1:0", "--idle-exit", "120", "--data"])
            .arg(&data)
            .env("NO_COLOR", "1")
            .spawn();
        running.wait_for_line("tidegate is open on", PATIENCE);
        let told = Program::new(TIDEGATE, &home)
            .args(["doctor", "--json", "--data"])
            .arg(&data)
            .timeout(PATIENCE)
            .run();
        let answering = told
            .stdout
            .lines()
            .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
            .filter(|found| found["level"] == "ok")
            .filter_map(|found| found["area"].as_str().map(str::to_owned))
            .collect();
        Self { home, data, _running: Mutex::new(running), answering }
    }
}

/// The door, where the registry of `ecosystem` answers; else it is said that the test cannot run.
fn before(ecosystem: &str) -> Option<Arc<Door>> {
    let door = door();
    if door.answering.iter().any(|name| name == ecosystem) {
        return Some(door);
    }
    tools::skip_because(&format!("no registry for {ecosystem} answers this machine"))
}

impl Door {
    /// `tidegate run -- tool …` by a user whose clients have no configuration at all.
    fn run(&self, home: &Home, tool: &Tool) -> Program {
        let program = Program::new(TIDEGATE, home).args(["run", "--data"]).arg(&self.data).arg("--");
        let program = program.arg(tool.path()).timeout(PATIENCE);
        with_python(program)
    }

    /// That the door admitted a file of this package to somebody.
    fn gave(&self, package: &str) {
        let who = Program::new(TIDEGATE, &self.home)
            .args(["who", package, "--json", "--data"])
            .arg(&self.data)
            .run()
            .expect_success();
        assert!(who.stdout.lines().count() > 0, "nobody took {package} through the door");
    }
}

#[test]
fn npm_installs_from_the_real_registry() {
    let (Some(npm), Some(door)) = (tools::npm(), before("npm")) else { return };
    let home = Home::new();
    let project = home.folder("project");
    fs::write(project.join("package.json"), r#"{"name":"app","version":"1.0.0","private":true}"#).unwrap();
    let done = door
        .run(&home, &npm)
        .args(["install", "left-pad", "--no-audit"])
        .in_folder(&project)
        .run()
        .expect_success();
    assert!(done.stderr.contains("admitted 1,"), "{}", done.stderr);
    assert!(project.join("node_modules/left-pad/package.json").is_file());
    let lock = fs::read_to_string(project.join("package-lock.json")).unwrap();
    assert!(lock.contains("sha512-") && !lock.contains("127.0.0.1"), "{lock}");
    door.gave("pkg:npm/left-pad");
}

#[test]
fn pip_installs_from_the_real_registry() {
    let (Some(python), Some(door)) = (tools::python(), before("pypi")) else { return };
    for pip in tools::pips() {
        let home = Home::new();
        let path = tools::folder().map(|folder| folder.join(pip.name())).filter(|path| path.is_dir());
        let program = door.run(&home, &python);
        let program = match path {
            Some(path) => program.env("PYTHONPATH", path),
            None => program,
        };
        let done = program
            .args(["-m", "pip", "install", "--no-deps", "--target", "site", "six"])
            .run()
            .expect_success();
        assert!(done.stderr.contains("admitted 1,"), "{}: {}", pip.name(), done.stderr);
        assert!(home.path().join("site/six.py").is_file(), "{}", pip.name());
    }
    door.gave("pkg:pypi/six");
}

#[test]
fn uv_installs_from_the_real_registry() {
    let (Some(uv), Some(_python), Some(door)) = (tools::uv(), tools::python(), before("pypi")) else {
        return;
    };
    let home = Home::new();
    let project = uv_project(&home, "project", "");
    let settings = fs::read_to_string(project.join("pyproject.toml")).unwrap();
    fs::write(project.join("pyproject.toml"), settings.replace("leaf-of-test", "iniconfig")).unwrap();
    let done = door.run(&home, &uv).arg("sync").in_folder(&project).run().expect_success();
    // One version for each range of Pythons that the project allows.
    assert!(done.stderr.contains("admitted ") && !done.stderr.contains("admitted 0"), "{}", done.stderr);
    let lock = fs::read_to_string(project.join("uv.lock")).unwrap();
    assert!(lock.contains("name = \"iniconfig\"") && !lock.contains("127.0.0.1"), "{lock}");
    door.gave("pkg:pypi/iniconfig");
}

#[test]
fn cargo_installs_from_the_real_registry() {
    let (Some(cargo), Some(door)) = (tools::cargo(), before("cargo")) else { return };
    let home = Home::new();
    let project = cargo_project(&home, "project", "1");
    let settings = fs::read_to_string(project.join("Cargo.toml")).unwrap();
    fs::write(project.join("Cargo.toml"), settings.replace("leaf-of-test", "itoa")).unwrap();
    let done = door.run(&home, &cargo).arg("fetch").in_folder(&project).run().expect_success();
    assert!(done.stderr.contains("admitted 1,"), "{}", done.stderr);
    let lock = fs::read_to_string(project.join("Cargo.lock")).unwrap();
    assert!(lock.contains("name = \"itoa\"") && !lock.contains("127.0.0.1"), "{lock}");
    door.gave("pkg:cargo/itoa");
}
