//! Code publishes packages with a token that it finds, or publishes what a maintainer owns.
//!
//! This is how a worm spreads: it takes the token of whoever installs it and publishes itself under that person's packages.
//!
//! **What to do:** do not install it; if it ran, revoke publishing tokens and look for versions that nobody released. **Limits:** release
//! tools publish on demand; that is told as info. **Example:** `npm publish` in a postinstall.

use super::common::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "behaviour/worm-publish",
    catalogue: "WORM-PUBLISH",
    title: "publishes packages unasked",
    severity: Critical,
    ecosystems: &[],
    run,
};

fn run(package: &Package, findings: &mut Findings) {
    for code in &package.code {
        let lists = code.facts.facts.iter().any(|fact| words::has(&fact.detail, Class::MaintainerList));
        let finds_token = code.facts.facts.iter().any(|fact| match fact.what {
            What::FileRead => words::has(&fact.detail, Class::CredentialFile),
            What::EnvRead => words::is_secret_variable(&fact.detail),
            _ => false,
        });
        for fact in code
            .facts
            .facts
            .iter()
            .filter(|fact| matches!(fact.what, What::Exec | What::ExecDetached | What::NetSend))
        {
            let publishes = words::has(&fact.detail, Class::Publish);
            let puts = fact.what == What::NetSend && lists && finds_token;
            if !publishes && !puts {
                continue;
            }
            let grade = match (code.stage(fact), lists, finds_token) {
                (Stage::Install | Stage::Startup, ..) => (Critical, Sure),
                (Stage::Import, _, true) | (Stage::Import, true, _) => (Critical, Sure),
                (Stage::Call, true, true) => (Critical, Likely),
                (Stage::Call, true, _) => (High, Likely),
                (Stage::Import, ..) => (Medium, Likely),
                _ => (Info, Likely),
            };
            findings.tell(
                code,
                fact,
                grade,
                &format!("publishes packages with what it finds on the machine {}", when(code, fact)),
            );
        }
    }
}
