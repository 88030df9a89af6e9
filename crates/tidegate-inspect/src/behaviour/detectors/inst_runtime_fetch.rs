//! While it is installed, the package fetches another runtime and runs a file of its own with it.
//!
//! Tools that watch what Node or Python does see nothing of another runtime. Ordinary packages that need one say so, and let the user install it.
//!
//! **What to do:** do not install it. **Limits:** packages that are themselves a runtime are told as info.
//! **Example:** `curl https://bun.sh/install | bash`, then `bun run payload.js`.

use super::common::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "behaviour/inst-runtime-fetch",
    catalogue: "INST-RUNTIME-FETCH",
    title: "fetches another runtime to run its own file",
    severity: Critical,
    ecosystems: &[Ecosystem::Npm, Ecosystem::Pypi],
    run,
};

const RUNTIMES: &[&str] = &["bun", "deno", "node", "python", "uv", "pypy"];

fn run(package: &Package, findings: &mut Findings) {
    let name = package.manifest.as_ref().and_then(|manifest| manifest.name.clone()).unwrap_or_default();
    for code in package.code.iter().filter(|code| code.reach.stage <= Stage::Startup) {
        let fetches = code.facts.facts.iter().find(|fact| {
            let is_use = matches!(
                fact.what,
                What::NetReceive | What::Exec | What::ExecDetached | What::Text | What::NetSend
            );
            is_use && words::has(&fact.detail, Class::Runtime) && is_fetch(code, fact)
        });
        let Some(fetch) = fetches else { continue };
        if RUNTIMES.iter().any(|runtime| {
            name == *runtime
                || name.starts_with(&format!("{runtime}-"))
                || name.starts_with(&format!("@{runtime}/"))
        }) {
            findings.tell(
                code,
                fetch,
                (Info, Likely),
                "a package of a runtime fetches that runtime while it is installed",
            );
            continue;
        }
        let runs = code.facts.facts.iter().find(|fact| {
            matches!(fact.what, What::Exec | What::ExecDetached)
                && package.files.iter().any(|file| {
                    let script = file.path.rsplit('/').next().unwrap_or_default();
                    ["js", "ts", "py", "mjs", "cjs"].contains(&script.rsplit('.').next().unwrap_or_default())
                        && script.len() > 4
                        && fact.detail.contains(script)
                })
        });
        match runs {
            Some(fact) => findings.tell(
                code,
                fact,
                (Critical, Sure),
                "fetches another runtime and runs a file of the package with it while it is installed",
            ),
            None => {
                findings.tell(code, fetch, (High, Likely), "fetches another runtime while it is installed")
            }
        }
    }
}

/// Whether the runtime is fetched rather than only called.
fn is_fetch(code: &Code, fact: &Fact) -> bool {
    fact.what == What::NetReceive
        || words::has(&fact.detail, Class::Download)
        || fact.detail.contains("://") && in_file(code, &[What::NetReceive, What::FileWrite])
}
