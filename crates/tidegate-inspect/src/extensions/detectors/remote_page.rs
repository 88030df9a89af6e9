//! A page that the extension shows within the editor loads a script from the network.
//!
//! Whoever controls that host can exchange it, and the page may speak with the extension, which may do everything.
//!
//! **What to do:** ask the author to bring the script along.
//!
//! **Limits:** whether the page forbids it by a policy of its own is not known here.
//!
//! **Example:** `webview.html = '<script src="https://x.invalid/a.js">'`

use super::common::*;

pub(super) const DETECTOR: ExtensionDetector = ExtensionDetector {
    id: "extension/remote-page",
    title: "shows a page that loads code from elsewhere",
    severity: Medium,
    run,
};

fn run(seen: &Seen<'_>, findings: &mut Findings) {
    for spot in &seen.pages {
        let message = "shows a page that loads a script from the network".to_owned();
        findings.tell(&spot.full, Some(spot.line), (Medium, Likely), message, &spot.words);
    }
}
