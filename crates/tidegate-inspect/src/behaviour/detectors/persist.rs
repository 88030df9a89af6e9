//! The package makes something start by itself: with the shell, the session, the machine or a clock.
//!
//! What starts by itself stays when the package is removed. Programs that offer this do it when they are asked.
//!
//! **What to do:** look at the place that it names, and remove what you did not put there. **Limits:** on demand it is told as info.
//! **Example:** a postinstall that appends to `~/.bashrc`.

use super::common::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "behaviour/persist",
    catalogue: "PERSIST",
    title: "makes itself start unasked",
    severity: Critical,
    ecosystems: &[],
    run,
};

fn run(package: &Package, findings: &mut Findings) {
    for (code, fact) in package.facts(&[What::FileWrite, What::RegistryWrite, What::Exec, What::ExecDetached])
    {
        let words = words::classes(&fact.detail);
        let writes = matches!(fact.what, What::FileWrite | What::RegistryWrite);
        let registers = match fact.what {
            What::FileWrite => words.has(Class::Autorun),
            What::RegistryWrite => {
                words.has(Class::Autorun) || fact.detail.to_ascii_lowercase().contains("winlogon")
            }
            _ => words.has(Class::AutorunCommand) && is_register(&fact.detail),
        };
        if !registers {
            continue;
        }
        let grade = match code.stage(fact) {
            Stage::Install | Stage::Startup if writes => (Critical, Sure),
            Stage::Install | Stage::Startup => (Critical, Likely),
            Stage::Import if fact.scope == Scope::Load => (Critical, Likely),
            Stage::Import => (Low, Likely),
            _ => (Info, Likely),
        };
        findings.tell(code, fact, grade, &format!("makes something start by itself {}", when(code, fact)));
    }
}

/// Whether the command adds something rather than listing it.
fn is_register(detail: &str) -> bool {
    let detail = detail.to_ascii_lowercase();
    let lists = ["crontab -l", "/query", "reg query", "/delete", "crontab -r"]
        .iter()
        .any(|word| detail.contains(word));
    let adds = [
        "crontab -",
        "crontab /",
        "crontab *",
        "| crontab",
        "/create",
        "register-scheduledtask",
        "launchctl load",
        "launchctl bootstrap",
        "enable",
        "currentversion/run",
        "currentversion\\run",
        "new-service",
        "sc create",
    ];
    adds.iter().any(|word| detail.contains(word))
        && (!lists || detail.contains("| crontab") || detail.contains("/create"))
}
