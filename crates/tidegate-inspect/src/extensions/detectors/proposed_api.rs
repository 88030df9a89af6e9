//! The extension asks for interfaces of the editor that are open to few.
//!
//! Some of them show more of what is typed, said to a model or run than stable ones do.
//!
//! **What to do:** nothing; weigh it when you approve the extension.
//!
//! **Limits:** editors grant them to extensions on their own list only.
//!
//! **Example:** `"enabledApiProposals": ["terminalDataWriteEvent"]`

use super::common::*;

pub(super) const DETECTOR: ExtensionDetector = ExtensionDetector {
    id: "extension/proposed-api",
    title: "asks for interfaces that are not stable",
    severity: Info,
    run,
};

fn run(seen: &Seen<'_>, findings: &mut Findings) {
    let list: Vec<&str> = seen.manifest.proposed.iter().map(String::as_str).take(10).collect();
    if !list.is_empty() {
        let message = "asks for interfaces of the editor that are not stable".to_owned();
        findings.tell(&seen.manifest.path, None, (Info, Sure), message, &list.join(", "));
    }
}
