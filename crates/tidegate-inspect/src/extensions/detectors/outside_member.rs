//! The archive has members beside the folder that an editor installs and the files that galleries read.
//!
//! They are in the digest and in nobody's view. What is fetched from there later looks as if it came with the extension.
//!
//! **What to do:** ask what they are for.
//!
//! **Limits:** signatures are left alone; what is no code is told as low.
//!
//! **Example:** `payload.js` beside `extension/`.

use super::common::*;

pub(super) const DETECTOR: ExtensionDetector = ExtensionDetector {
    id: "extension/outside-member",
    title: "something lies beside what is installed",
    severity: Medium,
    run,
};

fn run(seen: &Seen<'_>, findings: &mut Findings) {
    for (path, is_code) in &seen.outside {
        let grade = if *is_code { (Medium, Likely) } else { (Low, Likely) };
        findings.tell(path, None, grade, "lies beside what an editor installs".to_owned(), "");
    }
}
