//! A long run of invisible characters stands in code or text.
//!
//! Variation selectors, tags and private characters can carry any bytes and show nothing in an editor. Emoji and scripts never need more than a few in a
//! row. Controls that reorder text show code otherwise than it runs.
//!
//! **What to do:** do not run it; look at the bytes. **Limits:** runs below 32 characters are not told.
//! **Example:** `` decode(`…`) `` with a thousand selectors between the quotes.

use super::common::*;
use crate::behaviour::stages::is_aside;

pub(super) const DETECTOR: Detector = Detector {
    id: "behaviour/eval-unicode",
    catalogue: "EVAL-UNICODE",
    title: "holds long runs of invisible characters",
    severity: Critical,
    ecosystems: &[],
    run,
};

fn run(package: &Package, findings: &mut Findings) {
    for code in &package.code {
        let stage = code.reach.stage;
        if let Some((line, length)) = code.facts.looks.invisible {
            let runs = in_file(
                code,
                &[What::Eval, What::Exec, What::Decode, What::DynamicImport, What::LibraryLoad],
            );
            let grade = if runs { (Critical, Sure) } else { (High, Likely) };
            let message = format!("holds a run of {length} invisible characters in code");
            findings.tell_at(&code.full, Some(line), stage, grade, &message, "");
        }
        if let Some(line) = code.facts.looks.bidi {
            let message = "holds controls that show code in another order than it runs";
            // Where nothing stands between them they are part of a list of characters.
            let grade = if code.facts.looks.bidi_words { (High, Likely) } else { (Medium, Likely) };
            findings.tell_at(&code.full, Some(line), stage, grade, message, "");
        }
    }
    for prose in &package.prose {
        if let Some((line, length)) = prose.invisible {
            let message = format!("holds a run of {length} invisible characters");
            // Lists of strange strings are what tests of parsers read.
            let stage = if is_aside(&prose.path) { Stage::Aside } else { Stage::Call };
            findings.tell_at(&prose.full, Some(line), stage, (High, Likely), &message, "");
        }
    }
}
