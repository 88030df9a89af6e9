//! A file that is not source runs code when it is loaded: a pickle that calls the shell, compiled Python that came without its source.
//!
//! Whoever reads the sources of the package sees a harmless `load`. Pickles of models and caches build values; they start no
//! programs. Compiled modules lie beside their sources; one that came alone and reaches the network, starts programs or runs
//! hidden text was meant not to be read.
//!
//! **What to do:** do not load the file; list what it names with a tool that does not run it. **Limits:** what compiled code names is known,
//! not what it does with it; a compiled module without its source that names nothing of this is told as medium. Pickles in tests are
//! those of tools that look for such pickles.
//! **Example:** `model.pkl` whose loading calls `os.system`.

use super::common::*;
use crate::Format;

pub(super) const DETECTOR: Detector = Detector {
    id: "behaviour/data-code",
    catalogue: "DATA-CODE",
    title: "a data file runs code when it is loaded",
    severity: High,
    ecosystems: &[],
    run,
};

const STARTS: &[What] =
    &[What::Exec, What::ExecDetached, What::Eval, What::NetSend, What::LibraryLoad, What::SocketToProcess];

fn run(package: &Package, findings: &mut Findings) {
    for code in package.code.iter().filter(|code| code.language.is_none()) {
        let stage = code.reach.stage.min(Stage::Import);
        let stage = if crate::behaviour::stages::is_aside(&code.path) { Stage::Aside } else { stage };
        let format = package.files.iter().find(|file| file.full == code.full).and_then(|file| file.format);
        if format == Some(Format::Pyc) {
            compiled(code, stage, findings);
        } else if let Some(fact) = code.facts.facts.iter().find(|fact| STARTS.contains(&fact.what)) {
            let message = "loading this pickle starts programs, reaches the network or runs text as code";
            findings.tell_at(&code.full, None, stage, (High, Sure), message, &fact.detail);
        }
    }
}

/// A compiled module whose source is not there.
fn compiled(code: &Code, stage: Stage, findings: &mut Findings) {
    let sends = of_file(code, What::NetSend).next();
    let runs = code.facts.facts.iter().find(|fact| matches!(fact.what, What::Exec | What::Eval));
    let takes = code.facts.facts.iter().find(|fact| {
        matches!(fact.what, What::EnvAll | What::HostIdentity)
            || fact.what == What::Text
                && words::classes(&fact.detail).any(&[
                    Class::CredentialFile,
                    Class::BrowserStore,
                    Class::Wallet,
                ])
    });
    let joins = of_file(code, What::SocketToProcess).next();
    let is_bad = joins.or_else(|| sends.and(runs).or_else(|| sends.and(takes)));
    let decodes = of_file(code, What::Decode).next();
    let hides = decodes.and(of_file(code, What::Eval).next());
    match is_bad.or(hides) {
        Some(fact) => {
            let message = "compiled code without its source reaches the network and runs programs, text or takes private data";
            findings.tell_at(&code.full, None, stage, (High, Likely), message, &fact.detail);
        }
        None => {
            let message = "compiled code without its source";
            findings.tell_at(&code.full, None, stage, (Medium, Likely), message, "");
        }
    }
}
