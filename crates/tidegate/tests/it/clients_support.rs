//! The real binary between a fake registry and real clients.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tidegate_testkit::process::{Home, Program, Running};
use tidegate_testkit::tools::{self, Tool};
use tidegate_testkit::{BuiltFile, FakeUpstream, Package, Style};

/// The program under test.
pub(crate) const TIDEGATE: &str = env!("CARGO_BIN_EXE_tidegate");
/// A slow machine under load opens a door in seconds.
const OPENING: Duration = Duration::from_secs(120);
/// A client that builds something on such a machine.
const CLIENT: Duration = Duration::from_secs(240);

/// A registry, a data directory and a door on it.
pub(crate) struct Site {
    pub(crate) upstream: FakeUpstream,
    /// The user who runs the door; clients have homes of their own.
    pub(crate) operator: Home,
    pub(crate) data: PathBuf,
    door: Option<Running>,
}

impl Site {
    /// A site whose door is not open yet.
    pub(crate) fn closed(style: Style) -> Self {
        let upstream = FakeUpstream::builder().style(style).start();
        let operator = Home::new();
        let data = operator.folder("data");
        Self { upstream, operator, data, door: None }
    }

    /// A site with an open door.
    pub(crate) fn open(style: Style) -> Self {
        Self::configured(style, "")
    }

    /// A site with an open door under a configuration.
    pub(crate) fn configured(style: Style, config: &str) -> Self {
        let mut site = Self::closed(style);
        fs::write(site.data.join("tidegate.toml"), config).unwrap();
        site.start_door("127.0.0.1:0");
        site
    }

    pub(crate) fn start_door(&mut self, listen: &str) {
        let mut door =
            self.tidegate(&self.operator, &["up"]).args(["--listen", listen]).env("NO_COLOR", "1").spawn();
        door.wait_for_line("tidegate is open on", OPENING);
        self.door = Some(door);
    }

    /// Closes the door as an operator does; the data directory stays. Gives everything that it wrote.
    pub(crate) fn close_door(&mut self) -> String {
        let mut door = self.door.take().unwrap();
        door.signal(15);
        assert!(door.wait(OPENING).is_some(), "the door closes when asked to");
        let (out, errors) = door.collect();
        out + &errors
    }

    /// Ends the door without a word, as a power cut does to a process.
    pub(crate) fn kill_door(&mut self) {
        let mut door = self.door.take().unwrap();
        door.kill();
        assert!(door.wait(OPENING).is_some(), "nobody outlives that");
    }

    /// What the door answers, as its owner is answered on this machine.
    pub(crate) fn ask_door(&self, target: &str) -> String {
        let address = self.address();
        let address = address.trim_start_matches("http://").trim_end_matches('/').parse().unwrap();
        let asked = format!("GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        tidegate_testkit::client::exchange(address, asked.as_bytes()).unwrap().text()
    }

    /// A call of tidegate by the user of `home`, on this site's data directory and upstreams.
    pub(crate) fn tidegate(&self, home: &Home, command: &[&str]) -> Program {
        Program::new(TIDEGATE, home)
            .args(command)
            .arg("--data")
            .arg(&self.data)
            .env("TIDEGATE_UPSTREAM_NPM", self.upstream.npm_url())
            .env("TIDEGATE_UPSTREAM_PYPI", self.upstream.pypi_url())
            .env("TIDEGATE_UPSTREAM_CARGO", self.upstream.cargo_url())
            .env("TIDEGATE_UPSTREAM_HUGGINGFACE", self.upstream.hub_url())
            .env("TIDEGATE_UPSTREAM_OCI", self.upstream.registry_url())
            .env("TIDEGATE_UPSTREAM_VSCODE", self.upstream.vsx_url())
            .env("TIDEGATE_UPSTREAM_MCP", self.upstream.mcp_url())
            .timeout(CLIENT)
    }

    /// `tidegate run -- tool …` by the user of `home`.
    pub(crate) fn run(&self, home: &Home, tool: &Tool) -> Program {
        self.run_with(home, &[], tool)
    }

    /// The same with options of `run`.
    pub(crate) fn run_with(&self, home: &Home, options: &[&str], tool: &Tool) -> Program {
        let program = self.tidegate(home, &["run"]).args(options).arg("--").arg(tool.path());
        if !tool.name().starts_with("pip") {
            return with_python(program);
        }
        let program = program.args(["-m", "pip"]);
        match tools::folder().map(|folder| folder.join(tool.name())).filter(|path| path.is_dir()) {
            Some(path) => program.env("PYTHONPATH", path),
            None => program,
        }
    }

    /// Where the door listens.
    pub(crate) fn address(&self) -> String {
        fs::read_to_string(self.data.join("address")).unwrap().trim().to_owned()
    }

    /// Whether the store holds the bytes of a file.
    pub(crate) fn holds(&self, file: &BuiltFile) -> bool {
        self.holds_digest(&file.sha256)
    }

    /// Whether the store holds bytes under a name that has these digits.
    pub(crate) fn holds_digest(&self, digits: &str) -> bool {
        holds(&self.data.join("blobs"), digits)
    }
}

fn holds(folder: &Path, digest: &str) -> bool {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.into_iter().any(|entry| {
        let path = entry.path();
        if path.is_dir() {
            holds(&path, digest)
        } else {
            digest.ends_with(&*entry.file_name().to_string_lossy())
                || entry.file_name().to_string_lossy().contains(digest)
        }
    })
}

/// uv must use the interpreter that is here, and asks for no other.
pub(crate) fn with_python(program: Program) -> Program {
    match tools::python() {
        Some(python) => program.env("UV_PYTHON", python.path()),
        None => program,
    }
}

/// A time `hours` ago, as registries write it.
pub(crate) fn hours_ago(hours: i64) -> String {
    (jiff::Timestamp::now() - jiff::SignedDuration::from_hours(hours))
        .strftime("%Y-%m-%dT%H:%M:%SZ")
        .to_string()
}

/// The packages of one ecosystem that most tests use: `leaf` in a version that is fine, a newer one that is fine, and
/// one from an hour ago, which `baseline` holds; it needs `twig`.
pub(crate) struct Tree {
    pub(crate) twig: BuiltFile,
    pub(crate) leaf: BuiltFile,
    pub(crate) fresh: BuiltFile,
}

pub(crate) fn publish(upstream: &FakeUpstream, make: fn(&str, &str) -> Package, requirement: &str) -> Tree {
    let one = |package: Package| upstream.publish(package).remove(0);
    let twig = one(make("twig-of-test", "1.0.0"));
    upstream.publish(make("leaf-of-test", "1.0.0").depends_on("twig-of-test", requirement));
    let leaf = one(make("leaf-of-test", "1.1.0").depends_on("twig-of-test", requirement));
    let fresh =
        one(make("leaf-of-test", "1.2.0").depends_on("twig-of-test", requirement).published(&hours_ago(1)));
    Tree { twig, leaf, fresh }
}

pub(crate) fn read(path: impl AsRef<Path>) -> String {
    fs::read_to_string(path.as_ref()).unwrap_or_else(|e| panic!("{}: {e}", path.as_ref().display()))
}

pub(crate) fn npm_project(home: &Home, name: &str, requirement: &str) -> PathBuf {
    let project = home.folder(name);
    let json = format!(
        r#"{{"name":"app","version":"1.0.0","private":true,"dependencies":{{"leaf-of-test":"{requirement}"}}}}"#
    );
    fs::write(project.join("package.json"), json).unwrap();
    project
}

pub(crate) fn uv_project(home: &Home, name: &str, requirement: &str) -> PathBuf {
    let project = home.folder(name);
    let toml = format!(
        "[project]\nname = \"app\"\nversion = \"0.1.0\"\nrequires-python = \">=3.8\"\ndependencies = [\"leaf-of-test{requirement}\"]\n"
    );
    fs::write(project.join("pyproject.toml"), toml).unwrap();
    project
}

pub(crate) fn cargo_project(home: &Home, name: &str, requirement: &str) -> PathBuf {
    let project = home.folder(name);
    fs::create_dir_all(project.join("src")).unwrap();
    let toml = format!(
        "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2021\"\n[dependencies]\nleaf-of-test = \"{requirement}\"\n"
    );
    fs::write(project.join("Cargo.toml"), toml).unwrap();
    fs::write(project.join("src/main.rs"), "fn main() { print!(\"{}\", leaf_of_test::VERSION) }\n").unwrap();
    project
}
