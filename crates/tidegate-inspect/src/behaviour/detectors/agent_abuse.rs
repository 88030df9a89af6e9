//! An AI assistant is started with its questions switched off, or is asked to look for secrets.
//!
//! Assistants on developers' machines may read every file. Code that starts one without asking makes it do the search.
//!
//! **What to do:** do not run it. **Limits:** tools that drive assistants switch questions off when their user says so; they are told as low.
//! **Example:** `spawn('claude', ['--dangerously-skip-permissions', '-p', prompt])` in a postinstall.

use super::common::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "behaviour/agent-abuse",
    catalogue: "AGENT-ABUSE",
    title: "makes an AI assistant search the machine",
    severity: Critical,
    ecosystems: &[],
    run,
};

fn run(package: &Package, findings: &mut Findings) {
    for code in &package.code {
        let names_cli =
            any_in(code, &[What::Exec, What::ExecDetached, What::Text, What::ExecOutput], &[Class::AgentCli])
                .is_some();
        for fact in code.facts.facts.iter().filter(|fact| {
            matches!(fact.what, What::Exec | What::ExecDetached | What::ExecOutput | What::Text)
        }) {
            let words = words::classes(&fact.detail);
            let skips = words.has(Class::AgentFlag)
                && (words.has(Class::AgentCli)
                    || names_cli && in_file(code, &[What::Exec, What::ExecDetached]));
            let asks = words::asks_for_secrets(&fact.detail);
            let grade = match (asks, skips, early(code, fact)) {
                (true, _, _) if names_cli || words.has(Class::AgentFlag) => (Critical, Sure),
                (true, _, true) => (High, Likely),
                (true, _, false) => (Medium, Likely),
                (_, true, true) => (Critical, if code.stage(fact) == Stage::Install { Sure } else { Likely }),
                (_, true, false) => (Low, Likely),
                _ => continue,
            };
            let message = if asks {
                "asks an AI assistant to search the machine for secrets"
            } else {
                "starts an AI assistant with its questions switched off"
            };
            findings.tell(code, fact, grade, message);
        }
    }
}
