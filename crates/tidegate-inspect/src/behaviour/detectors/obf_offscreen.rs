//! Code stands behind so many spaces that no editor shows it.
//!
//! A line that looks empty, or ends where it seems to end, goes on far to the right.
//!
//! **What to do:** read the line to its end. **Limits:** below 200 spaces nothing is told; lines on which nothing of note happens are told as medium.
//! **Example:** `const a = 1;` with 400 spaces and `eval(…)` behind it.

use super::common::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "behaviour/obf-offscreen",
    catalogue: "OBF-OFFSCREEN",
    title: "code behind hundreds of spaces",
    severity: High,
    ecosystems: &[],
    run,
};

fn run(package: &Package, findings: &mut Findings) {
    for code in &package.code {
        let Some(line) = code.facts.looks.off_screen else { continue };
        let acts = code.facts.facts.iter().any(|fact| fact.line == line && fact.what != What::Text);
        let grade = if acts { (High, Sure) } else { (Medium, Likely) };
        findings.tell_at(
            &code.full,
            Some(line),
            code.reach.stage,
            grade,
            "code stands behind hundreds of spaces, where no editor shows it",
            "",
        );
    }
}
