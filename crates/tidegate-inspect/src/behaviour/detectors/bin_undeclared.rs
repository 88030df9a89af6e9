//! Machine code lies in a package that says nothing of native parts.
//!
//! Packages with native parts say so: by a build description, a platform, a loader, a wheel's tag. A program among scripts is worth a look.
//!
//! **What to do:** ask what it is for. **Limits:** it is medium and holds nothing by itself; that it is new in a release is told by the release diff.
//! **Example:** a wheel tagged `none-any` with an `.exe` in it.

use super::common::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "behaviour/bin-undeclared",
    catalogue: "BIN-UNDECLARED",
    title: "machine code without a word about it",
    severity: Medium,
    ecosystems: &[],
    run,
};

fn run(package: &Package, findings: &mut Findings) {
    if is_declared(package) {
        return;
    }
    for file in package.files.iter().filter(|file| file.is_native()) {
        let message =
            "holds a program or library in machine code, and its manifest says nothing of native parts";
        findings.tell_at(&file.full, None, Stage::Call, (Medium, Likely), message, &file.path);
    }
}

/// Whether the package says that it has native parts.
pub(crate) fn is_declared(package: &Package) -> bool {
    let Some(manifest) = &package.manifest else { return true };
    let by_wheel = package.settings.iter().any(|(path, (_, text))| {
        path.ends_with(".dist-info/WHEEL")
            && (text.contains("Root-Is-Purelib: false")
                || text.lines().any(|line| line.starts_with("Tag:") && !line.ends_with("-any")))
    });
    manifest.is_native || by_wheel
}
