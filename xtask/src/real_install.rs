//! `cargo xtask real-install`: real applications through a door, from the registries that this machine's clients use.
//!
//! Opt-in, because it needs the network and minutes: a React application with its build tools, a data science
//! environment, a web service with a database. Each is installed by `tidegate run` into a temporary folder under the
//! `baseline` pack; every line of each summary is printed, so that every refusal can be looked at.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::tools::{self, CommandError};

/// Install real applications through a door, from the registries that this machine's clients use.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {}

const PACKAGE_JSON: &str = r#"{"name":"app","version":"1.0.0","private":true,"dependencies":{"react":"^18","react-dom":"^18",
"react-router-dom":"^6","@tanstack/react-query":"^5","axios":"^1","zustand":"^4"},"devDependencies":{"webpack":"^5",
"webpack-cli":"^5","webpack-dev-server":"^5","@babel/core":"^7","@babel/preset-env":"^7","@babel/preset-react":"^7",
"babel-loader":"^9","css-loader":"^6","style-loader":"^3","html-webpack-plugin":"^5","typescript":"^5","eslint":"^8",
"eslint-plugin-react":"^7","jest":"^29","vite":"^5"}}"#;
const REQUIREMENTS: &str = "jupyterlab\npandas\nrequests\nflask\n";
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

/// One application: its client, its files, the command, and how many packages it must bring.
struct Application {
    client: &'static str,
    files: &'static [(&'static str, &'static str)],
    command: &'static [&'static str],
    at_least: usize,
}

const APPLICATIONS: [Application; 3] = [
    Application {
        client: "npm",
        files: &[("package.json", PACKAGE_JSON)],
        command: &["npm", "install", "--no-audit", "--no-fund"],
        at_least: 300,
    },
    Application {
        client: "python3",
        files: &[("requirements.txt", REQUIREMENTS)],
        command: &[
            "python3",
            "-m",
            "pip",
            "install",
            "--no-cache-dir",
            "--target",
            "site",
            "-r",
            "requirements.txt",
        ],
        at_least: 40,
    },
    Application {
        client: "cargo",
        files: &[("Cargo.toml", CARGO_TOML), ("src/main.rs", "fn main() {}\n")],
        command: &["cargo", "fetch"],
        at_least: 100,
    },
];

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RealInstallError {
    /// A command failed.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// A file could not be written.
    #[error("the application could not be written")]
    Write(#[from] std::io::Error),
    /// An application did not install, or brought less than it must.
    #[error("{0}")]
    Install(String),
}

/// Runs it. Skips loudly what this machine cannot reach.
pub(crate) fn run(_arguments: &Arguments) -> Result<(), RealInstallError> {
    tools::run(
        Command::new("cargo").args(["build", "--locked", "-p", "tidegate"]).current_dir(tools::root()),
    )?;
    let program = std::path::absolute(tools::target().join("debug/tidegate"))?;
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data");
    let result =
        APPLICATIONS.iter().try_for_each(|application| install(application, &program, folder.path(), &data));
    if let Ok(pid) = std::fs::read_to_string(data.join("pid")) {
        // The door that the first run started; it would end by itself in ten minutes.
        let _gone_already = Command::new("kill").arg(pid.trim()).status();
    }
    result
}

fn install(
    application: &Application,
    program: &Path,
    folder: &Path,
    data: &Path,
) -> Result<(), RealInstallError> {
    let Application { client, files, command, at_least } = application;
    if !tools::on_path(client) {
        eprintln!("SKIPPED: real-install: `{client}` is not on PATH");
        return Ok(());
    }
    let project = folder.join(client);
    for (name, text) in *files {
        let path = project.join(name);
        std::fs::create_dir_all(path.parent().unwrap_or(&project))?;
        std::fs::write(path, text)?;
    }
    eprintln!("== {}", command.join(" "));
    let done = Command::new(program)
        .args(["run", "--data"])
        .arg(data)
        .arg("--")
        .args(*command)
        .current_dir(&project)
        // Caches of the user would keep packages from being asked of the door.
        .env("npm_config_cache", folder.join("npm-cache"))
        .env("CARGO_HOME", folder.join("cargo-home"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .output()?;
    let said = String::from_utf8_lossy(&done.stderr);
    said.lines().filter(|line| line.starts_with("tidegate:")).for_each(|line| eprintln!("{line}"));
    let admitted = said
        .lines()
        .find_map(|line| line.strip_prefix("tidegate: admitted ")?.split(',').next()?.parse::<usize>().ok())
        .unwrap_or(0);
    if admitted == 0 && is_offline(&said) {
        eprintln!("SKIPPED: real-install: {client}: the registry cannot be reached from here");
        return Ok(());
    }
    if !done.status.success() || admitted < *at_least {
        let last: Vec<&str> = said.lines().rev().take(20).collect();
        let last: Vec<&str> = last.into_iter().rev().collect();
        return Err(RealInstallError::Install(format!(
            "{client}: {admitted} packages were admitted, at least {at_least} are expected ({})\n{}",
            done.status,
            last.join("\n")
        )));
    }
    eprintln!("{client}: {admitted} packages admitted");
    Ok(())
}

/// Whether a failure is that of a machine without network, or without an upstream.
fn is_offline(said: &str) -> bool {
    ["not configured", "has no upstream", "dns", "connect", "unreachable", "502", "503", "504"]
        .iter()
        .any(|sign| said.to_ascii_lowercase().contains(sign))
}
