//! The manifest for galleries and the one that the editor reads name different extensions.
//!
//! Both are written from one source by the tool that packs. Where they differ somebody changed one of them: what was looked at under one name is installed under another.
//!
//! **What to do:** do not install it.
//!
//! **Limits:** upper and lower case are the same.
//!
//! **Example:** `<Identity Id="helper" Publisher="acme">` around a `package.json` of `evil.helper`.

use super::common::*;

pub(super) const DETECTOR: ExtensionDetector = ExtensionDetector {
    id: "extension/identity",
    title: "a gallery and an editor read two names",
    severity: High,
    run,
};

fn run(seen: &Seen<'_>, findings: &mut Findings) {
    let Some(identity) = &seen.identity else { return };
    let manifest = &seen.manifest;
    for (what, one, other) in [
        ("publisher", &identity.publisher, &manifest.publisher),
        ("name", &identity.name, &manifest.name),
        ("version", &identity.version, &manifest.version),
    ] {
        if !one.is_empty() && !other.is_empty() && !one.eq_ignore_ascii_case(other) {
            let message =
                format!("galleries are told the {what} `{}`, editors `{}`", shown(one), shown(other));
            findings.tell(&identity.path, None, (High, Likely), message, "");
        }
    }
}
