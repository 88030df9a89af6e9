//! The package puts a `sitecustomize`, a `usercustomize` or a `.pth` file where Python loads it by itself.
//!
//! These files belong to whoever runs the machine. Python loads them at every start.
//!
//! **What to do:** do not install it. **Limits:** a file of that name deeper in a package, as tracing tools have it, is nothing.
//! **Example:** a wheel with `sitecustomize.py` at its top.

use super::common::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "behaviour/start-sitecustomize",
    catalogue: "START-SITECUSTOMIZE",
    title: "places a file that Python loads at every start",
    severity: Critical,
    ecosystems: &[Ecosystem::Pypi],
    run,
};

fn run(package: &Package, findings: &mut Findings) {
    for file in &package.files {
        let path = file
            .path
            .split_once(".data/")
            .and_then(|(_, rest)| rest.split_once('/'))
            .map_or(file.path.as_str(), |(_, rest)| rest);
        if matches!(
            path,
            "sitecustomize.py"
                | "usercustomize.py"
                | "src/sitecustomize.py"
                | "sitecustomize/__init__.py"
                | "usercustomize/__init__.py"
        ) {
            let grade = if package.is_wheel { (Critical, Sure) } else { (Critical, Likely) };
            findings.tell_at(
                &file.full,
                Some(1),
                Stage::Startup,
                grade,
                "installs a file that Python loads at every start of any program",
                path,
            );
        }
    }
    for (code, fact) in package.facts(&[What::FileWrite]) {
        let name = fact.detail.rsplit('/').next().unwrap_or_default();
        let is_startup = matches!(name, "sitecustomize.py" | "usercustomize.py")
            || name.ends_with(".pth") && name.len() > 4;
        if is_startup && early(code, fact) {
            findings.tell(
                code,
                fact,
                (Critical, Sure),
                &format!("writes a file that Python loads at every start {}", when(code, fact)),
            );
        }
    }
}
