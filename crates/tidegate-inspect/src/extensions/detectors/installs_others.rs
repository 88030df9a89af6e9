//! Code of the extension has the editor install another one.
//!
//! What is installed this way was chosen by nobody, and is another tomorrow. Extensions that were clean when somebody looked have brought their harm so.
//!
//! **What to do:** look at what it installs; prefer extensions that name what they need in their manifest.
//!
//! **Limits:** what happens as soon as it is loaded, without a question in the same file, is told as high; all else as low. Packs and dependencies in manifests are facts, judged with the extension.
//!
//! **Example:** `commands.executeCommand('workbench.extensions.installExtension', url)` in `activate`.

use super::common::*;

pub(super) const DETECTOR: ExtensionDetector = ExtensionDetector {
    id: "extension/installs-others",
    title: "has the editor install other extensions",
    severity: High,
    run,
};

fn run(seen: &Seen<'_>, findings: &mut Findings) {
    for spot in &seen.installs {
        let Some(code) = seen.package.code.iter().find(|code| code.full == spot.full) else { continue };
        let asks = seen.asks(&spot.full);
        let own = format!("{}.", seen.manifest.publisher.to_ascii_lowercase());
        let is_own = own.len() > 1 && spot.words.to_ascii_lowercase().contains(&own);
        let unasked =
            seen.manifest.starts_with_editor() && code.reach.stage <= Stage::Import && !asks && !is_own;
        let grade = if unasked { (High, Likely) } else { (Low, Likely) };
        findings.tell(
            &spot.full,
            Some(spot.line),
            grade,
            "has the editor install another extension".to_owned(),
            &spot.words,
        );
    }
}
