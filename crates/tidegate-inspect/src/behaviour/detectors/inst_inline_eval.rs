//! A script of the manifest holds code of its own that reaches the network, decodes text or starts programs.
//!
//! Code in a manifest is read by nobody. Ordinary packages keep theirs in files, and what they write inline only prints or loads a
//! file.
//!
//! **What to do:** read the line. **Limits:** inline code that only loads a file is judged by that file.
//! **Example:** `"postinstall": "node -e \"require('https').get(…)\""`.

use super::common::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "behaviour/inst-inline-eval",
    catalogue: "INST-INLINE-EVAL",
    title: "code inside an install script's line does more than print",
    severity: High,
    ecosystems: &[Ecosystem::Npm, Ecosystem::Pypi],
    run,
};

const ACTS: &[What] = &[
    What::NetSend,
    What::NetReceive,
    What::Eval,
    What::ExecDetached,
    What::EnvAll,
    What::SocketToProcess,
    What::DnsQuery,
    What::ChannelReceive,
];

fn run(package: &Package, findings: &mut Findings) {
    for code in package.code.iter().filter(|code| code.reach.stage == Stage::Install) {
        let inline = of_file(code, What::Exec).find(|fact| is_inline(&fact.detail));
        let Some(inline) = inline else { continue };
        let act = code.facts.facts.iter().find(|fact| ACTS.contains(&fact.what) && fact.line == inline.line);
        // `tr` and `rev` change letters in every other build script.
        let is_coded = |fact: &Fact| !matches!(fact.detail.as_str(), "rot" | "reverse");
        let decodes = code
            .facts
            .facts
            .iter()
            .any(|fact| fact.what == What::Decode && fact.line == inline.line && is_coded(fact));
        if let Some(act) = act {
            let grade = if decodes || matches!(act.what, What::NetSend | What::NetReceive) {
                (High, Sure)
            } else {
                (High, Likely)
            };
            findings.tell(
                code,
                inline,
                grade,
                "code inside the line of an install script reaches the network or runs other code",
            );
        } else if decodes {
            findings.tell(
                code,
                inline,
                (High, Likely),
                "code inside the line of an install script decodes hidden text",
            );
        }
    }
}

/// Whether a command line brings its own code.
fn is_inline(detail: &str) -> bool {
    let mut words = detail.split_whitespace();
    let program = words.next().unwrap_or_default().rsplit('/').next().unwrap_or_default();
    let takes_code =
        ["node", "python", "bun", "deno", "perl", "ruby", "php"].iter().any(|name| program.starts_with(name));
    takes_code
        && words.any(|word| matches!(word, "-e" | "-c" | "-p" | "-pe" | "--eval" | "--print" | "-r" | "eval"))
}
