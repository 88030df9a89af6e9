//! From the command that starts a server to the package behind it, and to a name for the server.
//!
//! Only what a command line says by itself is read: `npx`, `uvx`, `docker run` and their like name what they start. A script on
//! this machine is no package, and none is made up for it.

use tidegate_model::coordinate::package_purl;
use tidegate_model::{Ecosystem, PackageName};

/// The longest name of a server, in bytes.
pub const MAX_NAME_BYTES: usize = 128;

/// What a command line says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Started {
    /// A name for the server, where nobody gave it one.
    pub name: String,
    /// The package: a package URL, with a version where the command names exactly one.
    pub purl: Option<String>,
}

/// Whether a text can name a server: what stands in addresses, tables and messages without quotes.
pub fn is_name(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'@');
    !text.is_empty()
        && text.len() <= MAX_NAME_BYTES
        && text.split('/').all(|part| !part.is_empty() && !part.starts_with('.') && part.bytes().all(plain))
}

/// Reads a command.
pub fn read(words: &[String]) -> Started {
    let found = runner(words).and_then(|(runner, rest)| match runner {
        Runner::Npm => node(rest),
        Runner::Python => python(rest),
        Runner::Container => container(rest),
    });
    found.unwrap_or_else(|| Started { name: name_of_program(words), purl: None })
}

#[derive(Clone, Copy)]
enum Runner {
    Npm,
    Python,
    Container,
}

fn base(word: &str) -> &str {
    let name = word.rsplit(['/', '\\']).next().unwrap_or_default();
    name.trim_end_matches(".exe").trim_end_matches(".cmd")
}

fn runner(words: &[String]) -> Option<(Runner, &[String])> {
    let second = words.get(1).map(String::as_str).unwrap_or_default();
    let third = words.get(2).map(String::as_str).unwrap_or_default();
    let (runner, taken) = match (base(words.first()?), second, third) {
        ("npx" | "bunx" | "pnpx", _, _) => (Runner::Npm, 1),
        ("pnpm" | "yarn", "dlx", _) | ("npm", "exec" | "x", _) | ("bun", "x", _) => (Runner::Npm, 2),
        ("uvx", _, _) => (Runner::Python, 1),
        ("pipx", "run", _) => (Runner::Python, 2),
        ("uv", "tool", "run") => (Runner::Python, 3),
        ("docker" | "podman" | "nerdctl", "run", _) => (Runner::Container, 2),
        ("docker" | "podman" | "nerdctl", "container", "run") => (Runner::Container, 3),
        _ => return None,
    };
    Some((runner, words.get(taken..)?))
}

/// The value of one of `named`, else the first word that is no flag; `takes` are flags with a value of their own.
fn chosen<'a>(rest: &'a [String], named: &[&str], takes: &[&str]) -> Option<&'a str> {
    let mut at = 0;
    while let Some(word) = rest.get(at) {
        if named.contains(&word.as_str()) {
            return rest.get(at + 1).map(String::as_str);
        }
        if let Some((flag, value)) = word.split_once('=')
            && named.contains(&flag)
        {
            return Some(value);
        }
        if word == "--" {
            return rest.get(at + 1).map(String::as_str);
        }
        if !word.starts_with('-') {
            return Some(word);
        }
        at += if takes.contains(&word.as_str()) { 2 } else { 1 };
    }
    None
}

fn node(rest: &[String]) -> Option<Started> {
    let takes = ["--registry", "--cache", "--prefix", "--userconfig", "--loglevel", "-c", "--call", "-w"];
    let spec = chosen(rest, &["-p", "--package"], &takes)?;
    let from = usize::from(spec.starts_with('@'));
    let (name, version) = match spec.get(from..).and_then(|rest| rest.find('@')) {
        Some(at) => (&spec[..from + at], spec.get(from + at + 1..)),
        None => (spec, None),
    };
    package(Ecosystem::Npm, name, version)
}

fn python(rest: &[String]) -> Option<Started> {
    let takes =
        ["--python", "-p", "--with", "--index-url", "-i", "--extra-index-url", "--index", "--default-index"];
    let spec = chosen(rest, &["--from", "--spec"], &takes)?;
    let (name, version) = match spec.split_once("==").or_else(|| spec.split_once('@')) {
        Some((name, version)) => (name, Some(version)),
        None => (spec.split(['<', '>', '~', '!']).next().unwrap_or(spec), None),
    };
    let name = name.split('[').next().unwrap_or(name).trim();
    package(Ecosystem::Pypi, name, version.map(str::trim))
}

fn package(ecosystem: Ecosystem, name: &str, version: Option<&str>) -> Option<Started> {
    let name = PackageName::parse(ecosystem, name).ok()?;
    let mut purl = package_purl(&name);
    if let Some(version) = version.filter(|version| is_exact(version)) {
        purl.push('@');
        purl.push_str(&version.replace('+', "%2B"));
    }
    Some(Started { name: named(name.as_str()), purl: Some(purl) })
}

/// Whether a requirement means one release.
fn is_exact(version: &str) -> bool {
    version.contains('.')
        && version.starts_with(|c: char| c.is_ascii_digit())
        && version.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'+'))
        && !version.split('.').any(|part| matches!(part, "x" | "X" | ""))
}

fn container(rest: &[String]) -> Option<Started> {
    const TAKES: &[&str] = &[
        "-e",
        "--env",
        "--env-file",
        "-v",
        "--volume",
        "--mount",
        "--name",
        "-p",
        "--publish",
        "-u",
        "--user",
        "-w",
        "--workdir",
        "--network",
        "--net",
        "--entrypoint",
        "-l",
        "--label",
        "--platform",
        "--add-host",
        "-m",
        "--memory",
        "--cpus",
        "--cap-add",
        "--cap-drop",
        "--device",
        "--dns",
        "--gpus",
        "-h",
        "--hostname",
        "--ip",
        "--log-driver",
        "--pid",
        "--pull",
        "--restart",
        "--runtime",
        "--security-opt",
        "--shm-size",
        "--tmpfs",
        "--ulimit",
    ];
    let image = chosen(rest, &[], TAKES)?;
    let (path, digest) = image.split_once('@').map_or((image, None), |(path, digest)| (path, Some(digest)));
    let last = path.rfind('/').map_or(0, |at| at + 1);
    let (path, tag) = match path[last..].find(':') {
        Some(at) => (&path[..last + at], Some(&path[last + at + 1..])),
        None => (path, None),
    };
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'/' | b':');
    if path.is_empty() || !path.bytes().all(plain) {
        return None;
    }
    let mut purl = format!("pkg:docker/{}", path.to_ascii_lowercase());
    if let Some(version) = digest.or(tag).filter(|version| version.bytes().all(plain)) {
        purl.push('@');
        purl.push_str(version);
    }
    Some(Started { name: named(path.rsplit('/').next().unwrap_or(path)), purl: Some(purl) })
}

/// The program, or of an interpreter the script that it is given.
fn name_of_program(words: &[String]) -> String {
    const INTERPRETERS: &[&str] = &["node", "deno", "bun", "python", "python3", "sh", "bash", "ruby", "java"];
    let program = words.first().map(|word| base(word)).unwrap_or_default();
    let script = words.iter().skip(1).find(|word| !word.starts_with('-'));
    let text = match script.filter(|_| INTERPRETERS.contains(&program)) {
        Some(script) => base(script),
        None => program,
    };
    named(text)
}

/// A text made a name.
fn named(text: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "-_.@/".contains(c) { c } else { '-' };
    let name: String = text.chars().map(plain).take(MAX_NAME_BYTES).collect();
    if is_name(&name) { name } else { "server".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, name: &str, purl: Option<&str>) {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        let expected = Started { name: name.to_owned(), purl: purl.map(str::to_owned) };
        assert_eq!(read(&words), expected, "{line}");
    }

    #[test]
    fn packages_are_known_behind_what_starts_them() {
        check("npx -y @acme/files@1.2.0 /srv", "@acme/files", Some("pkg:npm/%40acme/files@1.2.0"));
        check("npx -y @acme/files@latest", "@acme/files", Some("pkg:npm/%40acme/files"));
        check("/usr/bin/npx --package files@^1.0.0 files-bin", "files", Some("pkg:npm/files"));
        check("npx --registry http://registry.example/ files@1.0.0", "files", Some("pkg:npm/files@1.0.0"));
        check("pnpm dlx files@1.0.0-beta.1", "files", Some("pkg:npm/files@1.0.0-beta.1"));
        check("npm exec -- files@2.0.0", "files", Some("pkg:npm/files@2.0.0"));
        check("uvx Mcp_Server.Time@1.0", "mcp-server-time", Some("pkg:pypi/mcp-server-time@1.0"));
        check("uvx --from mcp-time[extra]==2.1 mcp-time", "mcp-time", Some("pkg:pypi/mcp-time@2.1"));
        check("uv tool run --python 3.12 mcp-time>=1", "mcp-time", Some("pkg:pypi/mcp-time"));
        check("pipx run --spec mcp-time==1.0 time", "mcp-time", Some("pkg:pypi/mcp-time@1.0"));
        check(
            "docker run -i --rm -e KEY registry.example:5000/acme/files:1.2",
            "files",
            Some("pkg:docker/registry.example:5000/acme/files@1.2"),
        );
        check("podman run --rm acme/files@sha256:0123", "files", Some("pkg:docker/acme/files@sha256:0123"));
    }

    #[test]
    fn what_is_no_package_gets_none() {
        check("node ./dist/server.js --port 1", "server.js", None);
        check("python3 -u /srv/time.py", "time.py", None);
        check("./bin/files", "files", None);
        check("npx -y ./local", "npx", None);
        check("npx", "npx", None);
        check("uvx --from git+https://code.example/x.git x", "uvx", None);
    }

    #[test]
    fn names_stand_in_addresses() {
        for good in ["files", "@acme/files", "io.github.acme/files", "a_b-c.1"] {
            assert!(is_name(good), "{good}");
        }
        for bad in ["", "a b", "a//b", "../a", ".a", "a/.b", "é", "a?b", &"a".repeat(129)] {
            assert!(!is_name(bad), "{bad}");
        }
    }
}
