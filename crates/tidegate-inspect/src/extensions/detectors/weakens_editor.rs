//! The extension changes settings by which the editor protects its user: trust in folders, questions before a tool runs, signatures of extensions, checks of certificates.
//!
//! No function of an extension needs that. It takes effect in every folder, and stays.
//!
//! **What to do:** do not install it; look at the settings of editors that had it.
//!
//! **Limits:** a default for a setting of its own is nothing.
//!
//! **Example:** `"configurationDefaults": { "chat.tools.autoApprove": true }`

use super::common::*;

pub(super) const DETECTOR: ExtensionDetector = ExtensionDetector {
    id: "extension/weakens-editor",
    title: "switches off what protects the editor",
    severity: High,
    run,
};

fn run(seen: &Seen<'_>, findings: &mut Findings) {
    for (key, value) in &seen.manifest.defaults {
        if let Some(harm) = weak_setting(key, value) {
            let grade = if harm { (High, Likely) } else { (Medium, Likely) };
            let message = format!("changes the editor's setting `{}`, which protects its user", shown(key));
            findings.tell(&seen.manifest.path, None, grade, message, &value.to_string());
        }
    }
    for spot in &seen.settings {
        let message = "writes a setting of the editor that protects its user".to_owned();
        findings.tell(&spot.full, Some(spot.line), (High, Likely), message, &spot.words);
    }
}
