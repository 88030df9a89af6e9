//! A procedural macro reaches the network, starts programs or reads credentials.
//!
//! A macro runs inside the compiler, and inside the editor of whoever opens the project. It turns code into code; asking `git` for a version is
//! about the most that ordinary ones do besides.
//!
//! **What to do:** read the macro before anybody opens a project that uses it. **Limits:** macros that check queries against a database do so in
//! another crate. **Example:** `#[proc_macro] … TcpStream::connect("x.invalid:80")`.

use super::common::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "behaviour/inst-procmacro-io",
    catalogue: "INST-PROCMACRO-IO",
    title: "a procedural macro reaches out",
    severity: High,
    ecosystems: &[Ecosystem::Cargo],
    run,
};

fn run(package: &Package, findings: &mut Findings) {
    if !package.manifest.as_ref().is_some_and(|manifest| manifest.is_macro) {
        return;
    }
    for code in package.code.iter().filter(|code| code.path.starts_with("src/")) {
        for fact in &code.facts.facts {
            let grade = match fact.what {
                What::NetSend
                | What::NetReceive
                | What::ChannelReceive
                | What::DnsQuery
                | What::SocketToProcess
                | What::ExecDetached => (High, Sure),
                What::Exec
                    if ["git", "rustc", "rustfmt", "cargo", "*"]
                        .iter()
                        .any(|tool| fact.detail.trim_start().starts_with(tool)) =>
                {
                    (Low, Likely)
                }
                What::Exec => (High, Likely),
                What::FileRead if words::has(&fact.detail, Class::CredentialFile) => (High, Sure),
                What::EnvAll | What::FileDelete => (Medium, Likely),
                What::FileWrite
                    if words::classes(&fact.detail).any(&[
                        Class::Autorun,
                        Class::CiFile,
                        Class::AgentRules,
                    ]) =>
                {
                    (High, Sure)
                }
                _ => continue,
            };
            let stage = if code.reach.stage == Stage::Aside { Stage::Aside } else { Stage::Install };
            let message = "a macro that runs inside the compiler reaches the network, starts programs or reads private data";
            findings.tell_at(&code.full, Some(fact.line), stage, grade, message, &fact.detail);
        }
    }
}
