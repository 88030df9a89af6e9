//! Orders come from a public place that somebody else runs: a chain, a calendar, a paste, a name server.
//!
//! What stands there can be changed at any time and cannot be blocked without blocking the place. Code that decodes or runs it obeys whoever writes there.
//!
//! **What to do:** do not run it. **Limits:** wallets and explorers read chains and show what they read.
//! **Example:** `memo = rpc('getSignaturesForAddress', …); eval(atob(memo))`.

use super::common::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "behaviour/c2-deaddrop",
    catalogue: "C2-DEADDROP",
    title: "takes orders from a public drop",
    severity: Critical,
    ecosystems: &[],
    run,
};

const RUNS: &[What] = &[What::Eval, What::Exec, What::ExecDetached, What::DynamicImport, What::LibraryLoad];

fn run(package: &Package, findings: &mut Findings) {
    for (code, from, to, decoded) in package.flows() {
        let is_drop = from.what == What::DnsReceive
            || matches!(from.what, What::NetReceive | What::ChannelReceive) && is_drop(code, &from.detail);
        if !is_drop {
            continue;
        }
        let grade = match (RUNS.contains(&to.what), early(code, to)) {
            (true, true) => (Critical, Sure),
            (true, false) => (High, Likely),
            // The drop tells where to go.
            (false, true)
                if matches!(to.what, What::NetReceive | What::NetSend) && decoded && in_file(code, RUNS) =>
            {
                (Critical, Likely)
            }
            _ => continue,
        };
        findings.tell(
            code,
            to,
            grade,
            &format!("runs or follows what it reads from a public drop {}", when(code, to)),
        );
    }
}

/// Bytes of a file in which a call by name is believed to be the one that was answered.
const SMALL_BYTES: u64 = 64 << 10;

/// Whether an answer comes from such a place: by its address, or by the call that is made there.
fn is_drop(code: &Code, detail: &str) -> bool {
    // In a large library somebody names every interface somewhere.
    let by_call = code.bytes < SMALL_BYTES
        && of_file(code, What::Text).any(|fact| words::has(&fact.detail, Class::DeadDrop));
    words::classes(detail).any(&[Class::DeadDrop, Class::FileHost]) || by_call
}
