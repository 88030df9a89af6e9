//! The whole environment is sent away.
//!
//! It holds every token of a build machine. Programs read the variables that they know; no purpose needs all of them elsewhere.
//!
//! **What to do:** do not run it; if it ran, exchange every secret of that environment. **Limits:** functions that pass the environment to an address
//! of their caller are told as medium, what goes on demand through several files as low. **Example:** `post(url, JSON.stringify(process.env))`.

use super::common::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "behaviour/exfil-env-all",
    catalogue: "EXFIL-ENV-ALL",
    title: "sends the whole environment",
    severity: Critical,
    ecosystems: &[],
    run,
};

fn run(package: &Package, findings: &mut Findings) {
    for (code, from, to, _) in package.flows() {
        let is_all = from.what == What::EnvAll
            || from.what == What::ExecOutput && words::has(&from.detail, Class::EnvDump)
            || from.what == What::FileRead && words::has(&from.detail, Class::EnvDump);
        if !is_all || !matches!(to.what, What::NetSend | What::DnsQuery) {
            continue;
        }
        // Nobody but its operator reads what a registry is asked.
        if foreign(&to.detail).is_some_and(|address| is_registry(&address.host)) {
            continue;
        }
        let grade = match (early(code, to), foreign(&to.detail).is_some()) {
            (true, true) => (Critical, Sure),
            (true, false) if is_install(code, to) => (Critical, Likely),
            // Programs hand what they run under to servers that their users name.
            (true, false) => (Medium, Likely),
            // What hands everything to everyone on the way is likely to hand on something else.
            (false, true) if is_far(from, to) => (Low, Likely),
            (false, true) => (High, Likely),
            (false, false) => (Medium, Hint),
        };
        findings.tell(
            code,
            to,
            grade,
            &format!("sends the whole environment to {} {}", host(&to.detail), when(code, to)),
        );
    }
}

/// Whether a host is one of a public registry. The last two labels decide: others may use these words too.
fn is_registry(host: &str) -> bool {
    let mut labels = host.rsplit('.');
    let (last, name) = (labels.next().unwrap_or_default(), labels.next().unwrap_or_default());
    matches!((name, last), ("npmjs" | "pypi", "org") | ("crates", "io"))
}

#[cfg(test)]
mod tests {
    use super::is_registry;

    #[test]
    fn a_registry_is_known_by_its_last_two_labels() {
        let host = |labels: &[&str]| labels.join(".");
        assert!(is_registry(&host(&["pypi", "org"])) && is_registry(&host(&["a", "npmjs", "org"])));
        assert!(!is_registry(&host(&["pypi", "org", "sample", "invalid"])) && !is_registry("pypi.invalid"));
    }
}
