//! `cargo xtask real-install`: real applications through a door, from the registries that this machine's clients use.
//!
//! Opt-in, because it needs the network and minutes: three applications for each ecosystem, of npm more than a thousand
//! packages in all. The door is an optimised build, looks inside everything, and is opened by this machine's user, so that it
//! finds the registries; the clients belong to a user without any configuration, so that nothing but `tidegate run`
//! leads them. Each application is installed under `baseline`, then installed again from its lock file by another user,
//! whose empty cache the door must fill. The end is a table, and a list of everything that policy withheld with the
//! reason why it was right to: a rule that nobody has defended here fails the run, and so does anything that was held or
//! refused, which no range could step past.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use tidegate_testkit::process::{Finished, Home, Program};

use crate::tools::{self, CommandError};

/// Install real applications through a door, from the registries that this machine's clients use.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Only these: npm, pip, uv, cargo
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
}

const PACKAGE_JSON: &str = r#"{"name":"app","version":"1.0.0","private":true,"dependencies":{"react":"^18","react-dom":"^18",
"react-router-dom":"^6","@tanstack/react-query":"^5","axios":"^1","zustand":"^4"},"devDependencies":{"webpack":"^5",
"webpack-cli":"^5","webpack-dev-server":"^5","@babel/core":"^7","@babel/preset-env":"^7","@babel/preset-react":"^7",
"babel-loader":"^9","css-loader":"^6","style-loader":"^3","html-webpack-plugin":"^5","typescript":"^5","eslint":"^8",
"eslint-plugin-react":"^7","jest":"^29","vite":"^5"}}"#;
const SERVICE_JSON: &str = r#"{"name":"service","version":"1.0.0","private":true,"dependencies":{"@nestjs/core":"^11",
"@nestjs/common":"^11","@nestjs/platform-express":"^11","@nestjs/typeorm":"^11","typeorm":"^0.3","pg":"^8","ioredis":"^5",
"bcrypt":"^6","sharp":"^0.34","better-sqlite3":"^12","@sentry/node":"^10","dd-trace":"^5","puppeteer":"^24","pino":"^9",
"@aws-sdk/client-s3":"^3","googleapis":"^150","nodemailer":"^7","socket.io":"^4","bull":"^4","openai":"^5"},
"devDependencies":{"@nestjs/cli":"^11","jest":"^29","ts-jest":"^29","supertest":"^7","nodemon":"^3","pm2":"^6",
"semantic-release":"^24","husky":"^9","lint-staged":"^16"}}"#;
const SITE_JSON: &str = r#"{"name":"site","version":"1.0.0","private":true,"dependencies":{"next":"^15","react":"^19",
"react-dom":"^19","three":"^0.179","mermaid":"^11","monaco-editor":"^0.52","d3":"^7","firebase":"^12","ethers":"^6"},
"devDependencies":{"tailwindcss":"^3","storybook":"^9","cypress":"^15","playwright":"^1","eslint-config-next":"^15",
"electron":"^38","electron-builder":"^26","sass":"^1","prettier":"^3","esbuild":"^0.25","core-js":"^3","turbo":"^2",
"nx":"^21","wrangler":"^4","vercel":"^48"}}"#;
const REQUIREMENTS: &str = "jupyterlab\npandas\nrequests\nflask\n";
const WEB_REQUIREMENTS: &str = "django\ncelery[redis]\ngunicorn\nfastapi[standard]\nsqlalchemy\npsycopg2-binary\nsentry-sdk\n\
                                ddtrace\nboto3\ngoogle-cloud-storage\nopenai\nlangchain\nscrapy\nselenium\nplaywright\n";
const OPERATIONS_REQUIREMENTS: &str = "ansible-core\nparamiko\nfabric\nawscli\nazure-identity\nkubernetes\npoetry\npre-commit\n\
                                       tox\nmypy\npylint\nblack\ntwine\npyinstaller\nscapy\nhttpie\nkeyring\npsutil\n";
const CARGO_TOML: &str = r#"[package]
name = "app"
version = "0.1.0"
edition = "2021"
[dependencies]
tokio = { version = "1", features = ["full"] }
reqwest = "0.12"
axum = "0.7"
serde = { version = "1", features = ["derive"] }
clap = { version = "4", features = ["derive"] }
sqlx = { version = "0.8", default-features = false, features = ["runtime-tokio", "sqlite"] }
"#;
const DESKTOP_TOML: &str = r#"[package]
name = "desktop"
version = "0.1.0"
edition = "2021"
[dependencies]
eframe = "0.31"
bevy_ecs = "0.16"
image = "0.25"
notify = "8"
keyring = "3"
arboard = "3"
git2 = "0.20"
rusqlite = { version = "0.37", features = ["bundled"] }
"#;
const DATA_TOML: &str = r#"[package]
name = "data"
version = "0.1.0"
edition = "2021"
[dependencies]
tonic = "0.13"
prost = "0.13"
rdkafka = "0.38"
aws-sdk-s3 = "1"
diesel = { version = "2", features = ["postgres"] }
pyo3 = "0.25"
wasm-bindgen = "0.2"
rayon = "1"
[build-dependencies]
tonic-build = "0.13"
cxx-build = "1"
bindgen = "0.71"
"#;

/// What uv is given: the same packages as a project.
const PYPROJECT: &str = r#"[project]
name = "app"
version = "0.1.0"
requires-python = ">=3.10"
dependencies = ["jupyterlab", "pandas", "requests", "flask"]
"#;

/// Rules that may withhold a version of a real application on its first day, and why that is right. What stands here
/// is what `baseline` can decide without a feed of advisories; what is inside must hold nothing.
const DEFENDED: [(&str, &str); 4] = [
    (
        "cooldown",
        "published less than 3 days ago: most malicious releases are found within that time, and the range was satisfied by \
         the version before",
    ),
    (
        "new-install-script",
        "the version before ran no script on installation and this one does: what a hijacked release changes first",
    ),
    ("provenance-dropped", "earlier versions proved where they were built and this one does not"),
    ("name-likeness-young", "a name like a popular one, of a project younger than 90 days"),
];

/// One application: its client, what it is, its files, the commands, and how many packages it must bring.
struct Application {
    name: &'static str,
    what: &'static str,
    files: &'static [(&'static str, &'static str)],
    install: &'static [&'static str],
    /// Makes the lock file that the second user installs from, where installing makes none; its output is written to
    /// `requirements.lock`.
    lock: &'static [&'static str],
    /// What the second user runs, on the lock file.
    again: &'static [&'static str],
    at_least: usize,
}

const NPM_INSTALL: &[&str] = &["npm", "install", "--no-audit", "--no-fund"];
/// For packages whose scripts fetch programs from hosts that a machine may not reach.
const NPM_UNSCRIPTED: &[&str] = &["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts"];
const PIP_INSTALL: &[&str] =
    &["python3", "-m", "pip", "install", "--target", "site", "-r", "requirements.txt"];
const PIP_FREEZE: &[&str] = &["python3", "-m", "pip", "freeze", "--path", "site"];
const PIP_AGAIN: &[&str] =
    &["python3", "-m", "pip", "install", "--target", "again", "--no-deps", "-r", "requirements.lock"];
const CARGO_FETCH: &[&str] = &["cargo", "fetch"];
const CARGO_LOCKED: &[&str] = &["cargo", "fetch", "--locked"];

// `npm ci` also asks for packages of every other platform, which not every mirror has: npm installs again instead.
const APPLICATIONS: [Application; 10] = [
    Application {
        name: "npm",
        what: "React",
        files: &[("package.json", PACKAGE_JSON)],
        install: NPM_INSTALL,
        lock: &[],
        again: NPM_INSTALL,
        at_least: 300,
    },
    Application {
        name: "npm",
        what: "service",
        files: &[("package.json", SERVICE_JSON)],
        install: NPM_UNSCRIPTED,
        lock: &[],
        again: NPM_UNSCRIPTED,
        at_least: 300,
    },
    Application {
        name: "npm",
        what: "site",
        files: &[("package.json", SITE_JSON)],
        install: NPM_UNSCRIPTED,
        lock: &[],
        again: NPM_UNSCRIPTED,
        at_least: 300,
    },
    Application {
        name: "pip",
        what: "data science",
        files: &[("requirements.txt", REQUIREMENTS)],
        install: PIP_INSTALL,
        lock: PIP_FREEZE,
        again: PIP_AGAIN,
        at_least: 40,
    },
    Application {
        name: "pip",
        what: "web",
        files: &[("requirements.txt", WEB_REQUIREMENTS)],
        install: PIP_INSTALL,
        lock: PIP_FREEZE,
        again: PIP_AGAIN,
        at_least: 40,
    },
    Application {
        name: "pip",
        what: "operations",
        files: &[("requirements.txt", OPERATIONS_REQUIREMENTS)],
        install: PIP_INSTALL,
        lock: PIP_FREEZE,
        again: PIP_AGAIN,
        at_least: 40,
    },
    Application {
        name: "uv",
        what: "data science",
        files: &[("pyproject.toml", PYPROJECT)],
        install: &["uv", "sync"],
        lock: &[],
        again: &["uv", "sync", "--frozen"],
        at_least: 40,
    },
    Application {
        name: "cargo",
        what: "web service",
        files: &[("Cargo.toml", CARGO_TOML), ("src/main.rs", "fn main() {}\n")],
        install: CARGO_FETCH,
        lock: &[],
        again: CARGO_LOCKED,
        at_least: 100,
    },
    Application {
        name: "cargo",
        what: "desktop",
        files: &[("Cargo.toml", DESKTOP_TOML), ("src/main.rs", "fn main() {}\n")],
        install: CARGO_FETCH,
        lock: &[],
        again: CARGO_LOCKED,
        at_least: 100,
    },
    Application {
        name: "cargo",
        what: "data",
        files: &[("Cargo.toml", DATA_TOML), ("src/main.rs", "fn main() {}\n")],
        install: CARGO_FETCH,
        lock: &[],
        again: CARGO_LOCKED,
        at_least: 100,
    },
];

/// How long one installation may take.
const PATIENCE: Duration = Duration::from_secs(1800);

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RealInstallError {
    /// A command failed.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// A file could not be written.
    #[error("the application could not be written")]
    Write(#[from] std::io::Error),
    /// Some applications did not install, brought less than they must, or were refused something without a defence.
    #[error("{0}")]
    Install(String),
}

/// What the summary of a run says, read back from its lines.
#[derive(Debug, Default, PartialEq, Eq)]
struct Summary {
    /// Packages: admitted, steered, held, refused, not seen.
    counts: [usize; 5],
    /// Lines on single packages: what was steered, held and refused.
    withheld: Vec<String>,
}

impl Summary {
    fn of(said: &str) -> Self {
        let mut summary = Self::default();
        for line in said.lines().filter_map(|line| line.strip_prefix("tidegate: ")) {
            if line.starts_with("admitted ") {
                let numbers = line.split(", ").filter_map(|part| part.rsplit(' ').next()?.parse().ok());
                for (slot, number) in summary.counts.iter_mut().zip(numbers) {
                    *slot = number;
                }
            }
            let line = line.trim();
            if ["steered: ", "held: ", "refused: "].iter().any(|kind| line.starts_with(kind)) {
                summary.withheld.push(line.to_owned());
            }
        }
        summary
    }
}

/// The rule that a line of a summary names: `… quarantine by RULE: …`.
fn rule_of(line: &str) -> Option<&str> {
    let (_, behind) = line.split_once(" by ")?;
    behind.split(':').next()
}

/// Runs it. Skips loudly what this machine cannot reach.
pub(crate) fn run(arguments: &Arguments) -> Result<(), RealInstallError> {
    tools::ensure_clients();
    tools::run(
        Command::new("cargo")
            .args(["build", "--release", "--locked", "-p", "tidegate"])
            .current_dir(tools::root()),
    )?;
    let program = std::path::absolute(tools::target().join("release/tidegate"))?;
    let operator = Home::new();
    let data = operator.folder("data");
    let mut door = Program::of_this_user(&program)
        .args(["up", "--listen", "127.0.0.1:0", "--data"])
        .arg(&data)
        .env("NO_COLOR", "1")
        .spawn();
    door.wait_for_line("tidegate is open on", Duration::from_secs(120));
    let wanted = |name: &str| arguments.only.is_empty() || arguments.only.iter().any(|only| only == name);
    let (mut table, mut withheld, mut wrong) = (String::new(), Vec::new(), Vec::new());
    for application in APPLICATIONS.iter().filter(|application| wanted(application.name)) {
        let site = Site { program: &program, data: &data, application };
        match site.install() {
            Ok(Some(done)) => {
                let [admitted, steered, held, refused, not_seen] = done.first.counts;
                // Writing to a String cannot fail.
                let _ = writeln!(
                    table,
                    "| {} | {} | {admitted} | {steered} | {held} | {refused} | {not_seen} | {:.0} s | {} | {:.0} s |",
                    application.name,
                    application.what,
                    done.took[0].as_secs_f64(),
                    done.again.counts[0],
                    done.took[1].as_secs_f64(),
                );
                withheld.extend(done.first.withheld.iter().chain(&done.again.withheld).cloned());
                if done.first.counts[2] + done.first.counts[3] > 0 {
                    let Application { name, what, .. } = application;
                    wrong.push(format!("{name}, {what}: something that it needs was held or refused"));
                }
            }
            Ok(None) => {}
            Err(why) => {
                eprintln!("{why}");
                wrong.push(why);
            }
        }
    }
    println!(
        "| client | application | admitted | steered | held | refused | not seen | cold | again | warm |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n{table}");
    wrong.extend(defend(&mut withheld));
    if wrong.is_empty() { Ok(()) } else { Err(RealInstallError::Install(wrong.join("\n"))) }
}

/// Prints everything that was withheld, below the rule that did it and its defence; returns what nobody has defended.
fn defend(withheld: &mut Vec<String>) -> Vec<String> {
    withheld.sort();
    withheld.dedup();
    for (rule, why) in DEFENDED {
        let lines: Vec<_> = withheld.iter().filter(|line| rule_of(line) == Some(rule)).collect();
        if !lines.is_empty() {
            println!("{rule} withheld {} versions ({why}):", lines.len());
            lines.iter().for_each(|line| println!("  {line}"));
        }
    }
    let defended = |line: &&String| DEFENDED.iter().any(|(rule, _)| rule_of(line) == Some(*rule));
    withheld.iter().filter(|line| !defended(line)).map(|line| format!("not defended: {line}")).collect()
}

/// Both installations of one application.
struct Done {
    first: Summary,
    again: Summary,
    took: [Duration; 2],
}

/// One application before the door.
struct Site<'a> {
    program: &'a Path,
    data: &'a Path,
    application: &'a Application,
}

impl Site<'_> {
    /// Installs it, and again from its lock file by another user. None where this machine cannot.
    fn install(&self) -> Result<Option<Done>, String> {
        let Application { name, what, files, install, lock, again, at_least } = self.application;
        if !available(install[0]) {
            eprintln!("SKIPPED: real-install: `{}` is not on this machine", install[0]);
            return Ok(None);
        }
        let failed = |e: std::io::Error| format!("{name}: {e}");
        let (home, other) = (Home::new(), Home::new());
        let project = home.folder("project");
        for (file, text) in *files {
            let path = project.join(file);
            path.parent().map_or(Ok(()), std::fs::create_dir_all).map_err(failed)?;
            std::fs::write(path, text).map_err(failed)?;
        }
        let first = self.run(&home, install, &project);
        let summary = Summary::of(&first.stderr);
        if summary.counts[0] == 0 && is_offline(&first.stderr) {
            eprintln!("SKIPPED: real-install: {name}, {what}: the registry cannot be reached from here");
            return Ok(None);
        }
        if !first.succeeded() || summary.counts[0] < *at_least {
            return Err(format!(
                "{name}, {what}: {} packages were admitted, at least {at_least} are expected\n{}",
                summary.counts[0],
                last_lines(&first.stderr)
            ));
        }
        if !lock.is_empty() {
            let made = plain(&home, lock, &project);
            std::fs::write(project.join("requirements.lock"), &made.stdout).map_err(failed)?;
        }
        for leftover in ["node_modules", ".venv"] {
            // What is not there need not be taken away.
            let _ = std::fs::remove_dir_all(project.join(leftover));
        }
        let second = self.run(&other, again, &project);
        let repeated = Summary::of(&second.stderr);
        if !second.succeeded() || repeated.counts[0] < *at_least {
            return Err(format!(
                "{name}, {what}: {} did not install\n{}",
                again.join(" "),
                last_lines(&second.stderr)
            ));
        }
        Ok(Some(Done { first: summary, again: repeated, took: [first.took, second.took] }))
    }

    fn run(&self, home: &Home, command: &[&str], project: &Path) -> Finished {
        eprintln!("== {}", command.join(" "));
        let run = Program::new(self.program, home).args(["run", "--data"]).arg(self.data).arg("--");
        let done = with_tools(run.arg(found(command[0])).args(&command[1..])).in_folder(project).run();
        done.stderr.lines().filter(|line| line.starts_with("tidegate:")).for_each(|line| eprintln!("{line}"));
        done
    }
}

/// The same without the door.
fn plain(home: &Home, command: &[&str], project: &Path) -> Finished {
    Program::new(found(command[0]), home).args(&command[1..]).in_folder(project).timeout(PATIENCE).run()
}

fn with_tools(program: Program) -> Program {
    let program = program.timeout(PATIENCE);
    match tidegate_testkit::tools::python() {
        Some(python) => program.env("UV_PYTHON", python.path()),
        None => program,
    }
}

/// The file behind a client's name: the interpreter itself for Python, the tools folder's uv.
fn found(name: &str) -> std::path::PathBuf {
    let tool = match name {
        "python3" => tidegate_testkit::tools::python(),
        "uv" => tidegate_testkit::tools::uv(),
        "npm" => tidegate_testkit::tools::npm(),
        _ => tidegate_testkit::tools::cargo(),
    };
    tool.map_or_else(|| name.into(), |tool| tool.path().to_owned())
}

fn available(name: &str) -> bool {
    found(name).is_file()
}

fn last_lines(said: &str) -> String {
    let mut last: Vec<&str> = said.lines().rev().take(20).collect();
    last.reverse();
    last.join("\n")
}

/// Whether a failure is that of a machine without network, or without an upstream.
fn is_offline(said: &str) -> bool {
    ["not configured", "has no upstream", "dns", "connect", "unreachable", "502", "503", "504"]
        .iter()
        .any(|sign| said.to_ascii_lowercase().contains(sign))
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEERED: &str =
        "steered: pkg:npm/rollup@4.68.6 instead of 4.68.7: quarantine by cooldown: published 2 d ago";

    #[test]
    fn a_summary_is_read_back() {
        let said = format!(
            "npm notice\ntidegate: admitted 851, steered 8, held 0, refused 1, not seen 24\ntidegate:   {STEERED}\n"
        );
        let expected = Summary { counts: [851, 8, 0, 1, 24], withheld: vec![STEERED.to_owned()] };
        assert_eq!(Summary::of(&said), expected);
    }

    #[test]
    fn what_no_defence_names_is_wrong() {
        let other = "held: pkg:npm/x@1.0.0 block by malware: reported";
        assert_eq!(
            defend(&mut vec![STEERED.to_owned(), other.to_owned()]),
            [format!("not defended: {other}")]
        );
    }
}
