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

/// Whether a file that is written is also started or made executable by the same code.
fn is_started(code: &Code, path: &str) -> bool {
    let Some(name) = basename(path) else { return false };
    code.facts.facts.iter().any(|fact| {
        matches!(fact.what, What::Exec | What::ExecDetached | What::LibraryLoad | What::MakeExecutable)
            && fact.detail.contains(name)
            && !is_unpacking(&fact.detail)
    })
}

/// Whether an address is one of a release page, which keeps what it once published.
fn is_release(detail: &str) -> bool {
    detail.contains("/releases/download/") || detail.contains("/releases/")
}
