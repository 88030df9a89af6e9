//! A scanner for secrets is fetched or run over the machine that installs.
//!
//! A scanner finds what an attacker wants. Packages that are about scanners run them when they are asked to.
//!
//! **What to do:** do not install it. **Limits:** run on demand it is told as low. **Example:** `trufflehog filesystem / --json` in a postinstall.

use super::common::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "behaviour/secret-scanner-drop",
    catalogue: "SECRET-SCANNER-DROP",
    title: "runs a scanner for secrets unasked",
    severity: Critical,
    ecosystems: &[],
    run,
};

fn run(package: &Package, findings: &mut Findings) {
    for (code, fact) in package.facts(&[What::Exec, What::ExecDetached, What::NetReceive, What::FileWrite]) {
        if !words::has(&fact.detail, Class::SecretScanner) {
            continue;
        }
        let grade = match code.stage(fact) {
            Stage::Install | Stage::Startup => (Critical, Sure),
            Stage::Import if fact.what == What::Exec && in_file(code, &[What::NetSend]) => (Critical, Likely),
            _ => (Low, Likely),
        };
        findings.tell(
            code,
            fact,
            grade,
            &format!("fetches or runs a scanner for secrets {}", when(code, fact)),
        );
    }
}
