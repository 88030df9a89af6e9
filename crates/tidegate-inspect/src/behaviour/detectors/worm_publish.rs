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
    // A package with commands publishes for who types them, with the credentials that npm itself would read.
    let has_commands = package.manifest.as_ref().is_some_and(|manifest| !manifest.programs.is_empty());
    for code in &package.code {
        let lists = code.facts.facts.iter().any(|fact| words::has(&fact.detail, Class::MaintainerList));
        let takes_file = code
            .facts
            .facts
            .iter()
            .any(|fact| fact.what == What::FileRead && words::has(&fact.detail, Class::CredentialFile));
        // Settings of a project are read to run in it; those of a person lie at home.
        let takes_home = code.facts.facts.iter().any(|fact| {
            fact.what == What::FileRead
                && fact.detail.starts_with('~')
                && words::has(&fact.detail, Class::CredentialFile)
        });
        let finds_token =
            takes_file || of_file(code, What::EnvRead).any(|fact| words::is_secret_variable(&fact.detail));
        // `setup.py publish` is how many projects make their releases: with the token of whoever types it.
        let is_setup = basename(&code.path) == Some("setup.py");
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
                (Stage::Install, false, false) if is_setup => (Medium, Likely),
                (Stage::Install | Stage::Startup, ..) => (Critical, Sure),
                // A program for releases is started by who makes one, and takes the token that it is given.
                (Stage::Import, false, _) if code.reach.is_program && !takes_home => (Low, Likely),
                (Stage::Import, _, true) | (Stage::Import, true, _) => (Critical, Sure),
                // Tools for releases list maintainers, and are given their token; they do not look for one.
                (Stage::Call, true, _) if takes_file && has_commands => (Low, Likely),
                (Stage::Call, true, _) if takes_home => (Critical, Likely),
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
