//! All strings of a script stand in one rotated list, and its names are numbers.
//!
//! Or it has no strings and names at all, and everything is made of brackets and signs. This is what the usual obfuscators make. Some vendors protect their code so; together with starting programs or sending data as soon as it is loaded it
//! weighs more.
//!
//! **What to do:** ask the publisher for readable code. **Limits:** minified code is not meant.
//! **Example:** `const _0x1a2b = ['…', …]; (function (_0x3c, _0x4d) { … })`.

use super::common::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "behaviour/obf-strarray",
    catalogue: "OBF-STRARRAY",
    title: "obfuscated with a rotated list of strings",
    severity: High,
    ecosystems: &[],
    run,
};

/// Bytes of a file in which all that is hidden is what is loaded.
const SMALL_BYTES: u64 = 64 << 10;

/// Bytes of a file from which on it holds a list that is turned by chance, among all that was bundled into it.
const BUNDLE_BYTES: u64 = 1 << 20;

const SINKS: &[What] = &[
    What::Exec,
    What::ExecDetached,
    What::NetSend,
    What::NetReceive,
    What::ChannelReceive,
    What::Eval,
    What::SocketToProcess,
    What::EnvAll,
    What::DnsQuery,
    What::FileDelete,
];

fn run(package: &Package, findings: &mut Findings) {
    for code in &package.code {
        let looks = &code.facts.looks;
        if let Some((line, _)) = looks.signs {
            let message = "its code is written in brackets and signs alone";
            findings.tell_at(&code.full, Some(line), code.reach.stage, (High, Likely), message, "");
        }
        let by_names = looks.hex_names >= 300;
        let Some(line) = looks.string_array.or(by_names.then_some(1)) else { continue };
        // What is loaded by a name that only a decoder of its own knows.
        let hidden = by_names
            && code.bytes < SMALL_BYTES
            && of_file(code, What::DynamicImport)
                .any(|fact| early(code, fact) && fact.detail.starts_with('*'));
        let sink = code.facts.facts.iter().find(|fact| SINKS.contains(&fact.what) && early(code, fact));
        let is_install = code.reach.stage <= Stage::Startup;
        let grade = match (sink.is_some(), is_install) {
            (_, true) => (High, Sure),
            (_, false) if hidden => (High, Likely),
            (true, false)
                if looks.string_array.is_some() && (looks.hex_names >= 20 || code.bytes < BUNDLE_BYTES) =>
            {
                (High, Likely)
            }
            _ => (Medium, Likely),
        };
        let message = "its code is obfuscated: strings in a rotated list, names of numbers";
        findings.tell_at(&code.full, Some(line), code.reach.stage, grade, message, "");
    }
}
