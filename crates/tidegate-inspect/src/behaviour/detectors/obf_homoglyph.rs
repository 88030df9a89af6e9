//! A name mixes scripts so that it looks like another one.
//!
//! A Cyrillic letter in `require` makes another name that no reader tells apart.
//!
//! **What to do:** compare the bytes of the name. **Limits:** names that are wholly of one script are nobody's business.
//! **Example:** `const fеtch = …` with a Cyrillic second letter.

use super::common::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "behaviour/obf-homoglyph",
    catalogue: "OBF-HOMOGLYPH",
    title: "a name that looks like another one",
    severity: High,
    ecosystems: &[],
    run,
};

fn run(package: &Package, findings: &mut Findings) {
    for code in &package.code {
        if let Some((line, name)) = &code.facts.looks.homoglyph {
            let message = "a name mixes scripts and looks like a common one";
            findings.tell_at(&code.full, Some(*line), code.reach.stage, (High, Likely), message, name);
        }
    }
}
