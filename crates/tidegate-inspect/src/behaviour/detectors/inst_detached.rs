//! While it is installed, the package starts a program that outlives the installation and shows nothing.
//!
//! Whoever installs should see what runs and have it end. Detached and silent is how a program stays behind.
//!
//! **What to do:** see what it starts. **Limits:** programs that are started so when the package is used are not told here.
//! **Example:** `spawn(process.execPath, ['x.js'], {detached: true, stdio: 'ignore'}).unref()`.

use super::common::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "behaviour/inst-detached",
    catalogue: "INST-DETACHED",
    title: "leaves a hidden program running after it is installed",
    severity: High,
    ecosystems: &[],
    run,
};

fn run(package: &Package, findings: &mut Findings) {
    for (code, fact) in package.facts(&[What::ExecDetached]) {
        if is_install(code, fact) {
            let grade = match code.is_sure(fact) || code.reach.is_root {
                // A library that is loaded along starts its own workers.
                _ if is_deep(code) => (Low, Likely),
                true => (High, Sure),
                false => (Medium, Likely),
            };
            findings.tell(
                code,
                fact,
                grade,
                "starts a hidden program that goes on running after it is installed",
            );
        }
    }
}
