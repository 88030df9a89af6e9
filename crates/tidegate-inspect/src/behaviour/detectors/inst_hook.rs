//! Installing the package runs a program of it.
//!
//! One in seven popular packages of npm has such a script, most of them to build or fetch native code. So it says nothing by
//! itself; what the script does is other detectors' matter. It is told because whoever installs with scripts switched off should know.
//!
//! **What to do:** nothing. **Limits:** build files of Python and Rust always run, so they are not told.
//! **Example:** `"postinstall": "node install.js"`.

use super::common::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "behaviour/inst-hook",
    catalogue: "INST-HOOK",
    title: "installing runs a script of the package",
    severity: Info,
    ecosystems: &[Ecosystem::Npm],
    run,
};

fn run(package: &Package, findings: &mut Findings) {
    for hook in package.manifest.iter().flat_map(|manifest| &manifest.hooks) {
        let message = format!("installing it runs its `{}` script", hook.name);
        let path = &package.manifest.as_ref().map_or(hook.path.clone(), |manifest| manifest.path.clone());
        findings.tell_at(path, Some(hook.line), Stage::Install, (Info, Sure), &message, &hook.command);
    }
}
