//! The extension holds programs or libraries in machine code.
//!
//! They run with the rights of the editor, and no reader of scripts sees what they do.
//!
//! **What to do:** ask for the source they were built from.
//!
//! **Limits:** in an extension that says which machine it is for it is told as info.
//!
//! **Example:** `extension/bin/helper.exe` in an extension for all machines.

use super::common::*;

pub(super) const DETECTOR: ExtensionDetector = ExtensionDetector {
    id: "extension/native-code",
    title: "holds programs or libraries in machine code",
    severity: Low,
    run,
};

fn run(seen: &Seen<'_>, findings: &mut Findings) {
    let platform = seen.identity.as_ref().is_some_and(|identity| !identity.platform.is_empty());
    let grade = if platform { (Info, Sure) } else { (Low, Sure) };
    for file in seen.package.files.iter().filter(|file| file.is_native()).take(20) {
        findings.tell(&file.full, None, grade, "is machine code".to_owned(), "");
    }
}
