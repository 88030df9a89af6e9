//! An extension that only contributes colours, icons, keys, snippets or a language starts programs, reaches the network or runs text as code.
//!
//! Nothing of what it offers needs code. Themes are installed without a second look, which is why loaders were put into them.
//!
//! **What to do:** do not install it.
//!
//! **Limits:** code without such abilities is told as low: some themes switch themselves by the hour. What only a command of it does is told as medium.
//!
//! **Example:** a `main` that downloads, in an extension of which `contributes` has nothing but `themes`.

use super::common::*;

pub(super) const DETECTOR: ExtensionDetector = ExtensionDetector {
    id: "extension/passive-code",
    title: "a theme, keymap or snippet does what needs code",
    severity: High,
    run,
};

fn run(seen: &Seen<'_>, findings: &mut Findings) {
    if !seen.manifest.is_passive() || !seen.manifest.has_code {
        return;
    }
    let mut strong = false;
    for (code, fact) in seen.package.facts(STRONG) {
        let stage = code.stage(fact);
        if stage == Stage::Aside {
            continue;
        }
        strong = true;
        let grade = if stage <= Stage::Import { (High, Likely) } else { (Medium, Likely) };
        let message = format!("offers only what needs no code, and {}", ability(fact.what));
        findings.tell(&code.full, Some(fact.line), grade, message, &fact.detail);
    }
    if !strong {
        findings.tell(
            &seen.manifest.path,
            None,
            (Low, Likely),
            "offers only what needs no code, and has code".to_owned(),
            "",
        );
    }
}
