//! One line of a file is unlike the rest and does something dangerous.
//!
//! Who takes over a package often adds one long line to a file that stays as it was.
//!
//! **What to do:** compare the file with the release before. **Limits:** bundles are one line that is unlike the banner above it; so the rest of the file must be
//! of some size, and the line must both hide and act.
//! **Example:** a readable module whose last line is ten thousand characters that end in `eval`.

use super::common::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "behaviour/obf-tail",
    catalogue: "OBF-TAIL",
    title: "one line unlike the rest of its file acts",
    severity: High,
    ecosystems: &[],
    run,
};

/// Bytes that the rest of the file has at least.
const REST_BYTES: u64 = 400;

fn run(package: &Package, findings: &mut Findings) {
    for code in package.code.iter().filter(|code| !code.is_command) {
        let Some((line, length)) = code.facts.looks.odd_line else { continue };
        let here = || code.facts.facts.iter().filter(|fact| fact.line == line);
        let acts = here().find(|fact| {
            matches!(
                fact.what,
                What::Eval
                    | What::Exec
                    | What::ExecDetached
                    | What::NetSend
                    | What::NetReceive
                    | What::ChannelReceive
                    | What::GlobalHook
                    | What::DynamicImport
            )
        });
        let hides = here().any(|fact| matches!(fact.what, What::Decode | What::BigConstant) || fact.folded);
        let obfuscated = code.facts.looks.hex_names >= 100 || code.facts.looks.string_array.is_some();
        let rest = code.bytes.saturating_sub(u64::from(length));
        if let Some(fact) = acts.filter(|_| rest >= REST_BYTES && (hides || obfuscated)) {
            let grade = if early(code, fact) { (High, Sure) } else { (Medium, Likely) };
            findings.tell(
                code,
                fact,
                grade,
                "one line is unlike the rest of the file, hides what it holds and acts",
            );
        }
    }
}
