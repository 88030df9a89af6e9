//! While it is installed, the package fetches something and runs it.
//!
//! What is run is not in the package that anybody looked at: it can be another thing for every caller. Installers that fetch a program
//! and compare its digest with one in the package are told as medium, and so are those that take it from a release page; those that fetch
//! the program that the package's own command stands for, or only unpack what they fetch, are told as low.
//!
//! **What to do:** read the script; see whether what it fetches is fixed by a digest. **Limits:** a flow through files of two scripts is
//! not followed. **Example:** `get(url).pipe(createWriteStream(tmp)); … spawn(tmp)`.

use super::common::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "behaviour/inst-net-exec",
    catalogue: "INST-NET-EXEC",
    title: "fetches and runs a program while it is installed",
    severity: High,
    ecosystems: &[],
    run,
};

const RUNS: &[What] = &[What::Exec, What::ExecDetached, What::LibraryLoad, What::Eval, What::DynamicImport];

fn run(package: &Package, findings: &mut Findings) {
    other_sources(package, findings);
    for (code, from, to, _) in package.flows() {
        if !matches!(from.what, What::NetReceive | What::ChannelReceive) || !is_install(code, to) {
            continue;
        }
        let is_run = match to.what {
            What::FileWrite => is_started(code, &to.detail),
            what => RUNS.contains(&what),
        };
        if is_run {
            let grade = if code.checks_digest {
                (Medium, Likely)
            } else if is_own_program(package, &to.detail) || is_unpacking(&to.detail) {
                (Low, Sure)
            } else if is_release(&from.detail) {
                (Medium, Sure)
            } else if is_deep(code) && foreign(&from.detail).is_none() {
                (Medium, Likely)
            } else if code.is_sure(to) || code.reach.is_root {
                (High, Sure)
            } else {
                (High, Likely)
            };
            let message = format!("runs what it fetches from {} while it is installed", host(&from.detail));
            findings.tell(code, to, grade, &message);
        }
    }
}

/// The package manager is told to fetch from an address of the package's own choosing.
fn other_sources(package: &Package, findings: &mut Findings) {
    for (code, fact) in package.facts(&[What::Exec, What::ExecDetached]) {
        let Some(address) = installs_from(&fact.detail).filter(|_| early(code, fact)) else { continue };
        let is_code_host =
            ["github.", "gitlab.", "bitbucket."].iter().any(|name| address.host.contains(name));
        let grade = match code.stage(fact) {
            _ if is_code_host => (Medium, Likely),
            Stage::Install | Stage::Startup => (High, Sure),
            _ => (High, Likely),
        };
        let message =
            format!("makes the package manager install from `{}` {}", address.host, when(code, fact));
        findings.tell(code, fact, grade, &message);
    }
}

/// The address from which a command line installs, where it is not the usual registry.
fn installs_from(line: &str) -> Option<Address> {
    const MANAGERS: &[&str] =
        &["pip", "pip3", "uv", "npm", "pnpm", "yarn", "cargo", "easy_install", "poetry", "pipx"];
    let words: Vec<&str> = line.split_whitespace().take(64).collect();
    let is_manager = words.iter().any(|word| {
        let name = word.rsplit('/').next().unwrap_or_default();
        MANAGERS.contains(&name.trim_end_matches(".exe"))
    });
    let installs =
        words.iter().any(|word| matches!(*word, "install" | "add" | "i" | "download" | "easy_install"));
    // `--path` and the like are folders; what has a scheme is an address.
    let source = words.iter().find(|word| word.contains("://"))?;
    let usual =
        ["npmjs", "pypi", "pythonhosted", "pytorch", "crates"].iter().any(|name| source.contains(name));
    (is_manager && installs && !usual).then(|| foreign(source)).flatten()
}

/// Whether a file that is written is also started or made executable by the same code.
fn is_started(code: &Code, path: &str) -> bool {
    let Some(name) = basename(path) else { return false };
    code.facts.facts.iter().any(|fact| {
        matches!(fact.what, What::Exec | What::ExecDetached | What::LibraryLoad | What::MakeExecutable)
            && fact.detail.contains(name)
            && !starts_nothing(&fact.detail)
    })
}

/// Whether an address is one of a release page, which keeps what it once published.
fn is_release(detail: &str) -> bool {
    detail.contains("/releases/download/") || detail.contains("/releases/")
}
