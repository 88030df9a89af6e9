//! A stolen token is used to create a repository, a gist, a workflow or a runner.
//!
//! Data that is pushed to the victim's own account leaves through a host that every network allows, and is public there.
//!
//! **What to do:** do not run it; look through the account for repositories that nobody made. **Limits:** clients of code hosts do this
//! on demand; only code that runs unasked, or that sends private files, is told. **Example:** `POST /user/repos` with `$(gh auth token)`.

use super::common::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "behaviour/exfil-git-host",
    catalogue: "EXFIL-GIT-HOST",
    title: "uses a found token to write to a code host",
    severity: Critical,
    ecosystems: &[],
    run,
};

fn run(package: &Package, findings: &mut Findings) {
    for code in &package.code {
        let takes_token = code.facts.facts.iter().any(|fact| match fact.what {
            What::EnvRead => words::is_secret_variable(&fact.detail),
            What::FileRead => words::has(&fact.detail, Class::CredentialFile),
            What::ExecOutput | What::Exec => {
                fact.detail.contains("gh auth token") || fact.detail.contains("git credential")
            }
            What::EnvAll => true,
            _ => false,
        });
        for fact in code
            .facts
            .facts
            .iter()
            .filter(|fact| matches!(fact.what, What::NetSend | What::Exec | What::ExecDetached))
        {
            if !words::has(&fact.detail, Class::CodeHost) {
                continue;
            }
            let by_command = fact.what != What::NetSend
                && (fact.detail.contains("gh ") || fact.detail.contains("git push"));
            let takes_private = code
                .facts
                .flowing()
                .any(|(from, to, _)| to == fact && is_private_source(from) && from.what != What::EnvRead);
            let creates = [
                "/user/repos",
                "/gists",
                "repo create",
                "gist create",
                "/actions/",
                ".github/workflows",
                "registration-token",
                "/contents/",
            ]
            .iter()
            .any(|word| fact.detail.contains(word));
            let grade = match (early(code, fact), takes_token || by_command, takes_private) {
                (true, true, _) if creates => (Critical, Sure),
                // A program that somebody starts pushes because they asked it to.
                (true, true, _) if takes_token || code.stage(fact) <= Stage::Startup => (High, Likely),
                (false, _, true) if creates => (High, Likely),
                _ => continue,
            };
            findings.tell(
                code,
                fact,
                grade,
                &format!("writes to a code host with a token that it finds {}", when(code, fact)),
            );
        }
    }
}
