//! Workflows, tasks of editors or hooks of git are written outside the package's own folder.
//!
//! What stands there runs later, with the rights of the repository or of whoever opens it.
//!
//! Settings of git that start programs do the same for every repository of a person.
//!
//! **What to do:** look for files that nobody committed. **Limits:** tools that manage hooks of git write them when they are installed; that is told as medium.
//! **Example:** a postinstall that writes `.github/workflows/x.yml`.

use super::common::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "behaviour/worm-ci",
    catalogue: "WORM-CI",
    title: "writes workflows, editor tasks or hooks unasked",
    severity: Critical,
    ecosystems: &[],
    run,
};

/// Settings of git that make it start programs.
const SETTINGS: &[&str] = &[
    "core.hookspath",
    "init.templatedir",
    "core.sshcommand",
    "core.fsmonitor",
    "core.pager",
    "core.editor",
    "alias.",
    "credential.helper",
    "diff.external",
    "gpg.program",
];

fn run(package: &Package, findings: &mut Findings) {
    for (code, fact) in package.facts(&[What::Exec, What::ExecDetached]) {
        let detail = fact.detail.to_ascii_lowercase();
        let is_wide = detail.starts_with("git ")
            && detail.contains(" config ")
            && ["--global", "--system"].iter().any(|flag| detail.contains(flag));
        let reads = ["--get", "--unset", "--list"].iter().any(|flag| detail.contains(flag));
        if is_wide
            && !reads
            && SETTINGS.iter().any(|name| detail.contains(name))
            && code.is_sure(fact)
            && !code.reach.is_program
        {
            let message = format!("makes git start something in every repository {}", when(code, fact));
            findings.tell(code, fact, (High, Likely), &message);
        }
    }
    for (code, fact) in package.facts(&[What::FileWrite, What::NetSend]) {
        if !words::has(&fact.detail, Class::CiFile) {
            continue;
        }
        let is_git_hook = fact.detail.contains("hooks/") || fact.detail.contains(".git/hooks");
        let is_odd = code
            .facts
            .facts
            .iter()
            .any(|other| matches!(other.what, What::NetSend | What::Decode | What::EnvAll));
        let sends = is_git_hook
            && code.facts.facts.iter().any(|other| {
                other.what == What::Text
                    && other.line.abs_diff(fact.line) <= 3
                    && words::has(&other.detail, Class::Download)
                    && foreign(&other.detail).is_some()
            });
        let grade = match (code.stage(fact), is_git_hook) {
            // What stands in the hook goes to a host, or comes from one.
            (Stage::Install | Stage::Startup | Stage::Import, true) if sends => (Critical, Likely),
            (Stage::Call, true) if sends => (High, Likely),
            // Outside of any project: hooks of all repositories of a person.
            (Stage::Install | Stage::Startup, true) if fact.detail.starts_with('~') => (High, Likely),
            (Stage::Install | Stage::Startup, true) if is_odd => (Critical, Likely),
            (Stage::Install | Stage::Startup, true) => (Medium, Likely),
            (Stage::Install | Stage::Startup, false) => (Critical, Sure),
            (Stage::Import, false) if fact.scope == Scope::Load && is_odd => (Critical, Likely),
            (Stage::Import, _) if is_odd => (High, Likely),
            _ => (Info, Likely),
        };
        findings.tell(
            code,
            fact,
            grade,
            &format!("writes a file that CI, git or an editor will run {}", when(code, fact)),
        );
    }
}
