//! A dependency that lies in the package has an install script.
//!
//! Packages inside a package pass the index by: nobody lists, dates or checks them, and their scripts run all the same.
//!
//! **What to do:** compare the bundled package with the one of the same name and version. **Limits:** medium; it holds nothing by itself.
//! **Example:** `node_modules/x/package.json` with `"postinstall"`.

use super::common::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "behaviour/pkg-bundled-hook",
    catalogue: "PKG-BUNDLED-HOOK",
    title: "a bundled dependency has an install script",
    severity: Medium,
    ecosystems: &[Ecosystem::Npm],
    run,
};

fn run(package: &Package, findings: &mut Findings) {
    for inner in package.inner.iter().filter(|inner| inner.path.contains("node_modules/")) {
        for hook in &inner.hooks {
            let name = inner.name.clone().unwrap_or_default();
            let message = format!("the bundled package `{name}` has a `{}` script", hook.name);
            findings.tell_at(
                &inner.path,
                Some(hook.line),
                Stage::Install,
                (Medium, Sure),
                &message,
                &hook.command,
            );
        }
    }
}
