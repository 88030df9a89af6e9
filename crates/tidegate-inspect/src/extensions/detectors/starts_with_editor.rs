//! The extension is started with the editor, and its code can reach the network, start programs or read credentials.
//!
//! Many honest ones do: it says how far a hijacked release would reach, and how soon.
//!
//! **What to do:** nothing; weigh it when you approve the extension.
//!
//! **Limits:** what it does with these abilities is told by the detectors of behaviour.
//!
//! **Example:** `"activationEvents": ["*"]`

use super::common::*;

pub(super) const DETECTOR: ExtensionDetector = ExtensionDetector {
    id: "extension/starts-with-editor",
    title: "starts with the editor and can do much",
    severity: Info,
    run,
};

fn run(seen: &Seen<'_>, findings: &mut Findings) {
    if !seen.manifest.starts_with_editor() {
        return;
    }
    let early = seen.package.facts(STRONG).filter(|(code, fact)| code.stage(fact) <= Stage::Import);
    let abilities: std::collections::BTreeSet<&str> = early.map(|(_, fact)| ability(fact.what)).collect();
    if !abilities.is_empty() {
        let list: Vec<&str> = abilities.into_iter().collect();
        let message = format!("starts with the editor, and {}", list.join(", "));
        findings.tell(&seen.manifest.path, None, (Info, Sure), message, "");
    }
}
