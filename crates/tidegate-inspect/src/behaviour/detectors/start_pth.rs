//! A `.pth` file runs code at every start of Python.
//!
//! Lines of such files that begin with `import` are run whenever any Python program starts, whether or not it uses the package. A few known
//! tools set a variable or load a module so. Starting programs, reaching the network or decoding text there is how malice stays.
//!
//! **What to do:** do not install it; remove the file from the site folder where it was. **Limits:** modules that the line loads are followed
//! within the package. **Example:** `import base64; exec(base64.b64decode('…'))`.

use super::common::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "behaviour/start-pth",
    catalogue: "START-PTH",
    title: "runs code at every start of Python",
    severity: High,
    ecosystems: &[Ecosystem::Pypi],
    run,
};

const ACTS: &[What] = &[
    What::Exec,
    What::ExecDetached,
    What::NetSend,
    What::NetReceive,
    What::Decode,
    What::FileWrite,
    What::FileDelete,
    What::EnvAll,
    What::LibraryLoad,
    What::SocketToProcess,
    What::ChannelReceive,
    What::DnsQuery,
    What::BigConstant,
];

fn run(package: &Package, findings: &mut Findings) {
    for code in package.code.iter().filter(|code| code.reach.stage == Stage::Startup) {
        let is_pth = code.path.ends_with(".pth");
        let act = code
            .facts
            .facts
            .iter()
            .find(|fact| ACTS.contains(&fact.what) && (is_pth || fact.scope == Scope::Load));
        let hidden = of_file(code, What::Eval).find(|fact| is_pth && fact.folded);
        if let Some(fact) = act.or(hidden) {
            findings.tell(code, fact, (High, Sure), "runs at every start of Python and starts programs, reaches the network or decodes hidden text");
        } else if is_pth && let Some(fact) = of_file(code, What::Eval).next() {
            findings.tell(
                code,
                fact,
                (Low, Likely),
                "a `.pth` file runs text as code at every start of Python",
            );
        } else if is_pth && (!code.facts.imports.is_empty() || !code.facts.facts.is_empty()) {
            findings.tell_at(
                &code.full,
                Some(1),
                Stage::Startup,
                (Info, Sure),
                "a `.pth` file loads a module at every start of Python",
                "",
            );
        }
    }
}
