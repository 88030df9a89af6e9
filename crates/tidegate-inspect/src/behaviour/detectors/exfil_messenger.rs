//! The address of somebody's chat channel is written in the code, with its token.
//!
//! A library for a messenger takes the token from its user. A token in the code belongs to whoever wrote the package, and what is posted with
//! it goes to that person: the usual mailbox of stolen data.
//!
//! **What to do:** do not run it. **Limits:** addresses in tests and documentation are told as low.
//! **Example:** `post('https://chat.invalid/api/webhooks/<number>/<token>', data)`.

use super::common::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "behaviour/exfil-messenger",
    catalogue: "EXFIL-MESSENGER",
    title: "posts to a chat channel of its author",
    severity: Critical,
    ecosystems: &[],
    run,
};

fn run(package: &Package, findings: &mut Findings) {
    for code in &package.code {
        for fact in code.facts.facts.iter().filter(|fact| words::webhook(&fact.detail)) {
            let posts =
                matches!(fact.what, What::NetSend | What::Exec | What::ExecDetached | What::NetReceive);
            let is_near = fact.what == What::Text && in_file(code, &[What::NetSend]);
            if !posts && !is_near {
                continue;
            }
            let takes_private = code.facts.flowing().any(|(from, to, _)| {
                to.what == What::NetSend && (is_private_source(from) || from.what == What::ExecOutput)
            });
            let grade = match (posts || takes_private, early(code, fact), takes_private) {
                (true, true, _) | (true, _, true) => (Critical, Sure),
                (true, false, false) => (High, Likely),
                (false, ..) => (High, Likely),
            };
            findings.tell(
                code,
                fact,
                grade,
                &format!("posts to a chat channel whose token is written in the code {}", when(code, fact)),
            );
        }
    }
}
