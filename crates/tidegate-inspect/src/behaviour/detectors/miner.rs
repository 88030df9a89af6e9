//! Currency is mined on the machine.
//!
//! **Why:** it takes the machine's power for somebody else.
//!
//! **What to do:** do not run it. **Limits:** names of algorithms and pools in libraries for currencies are told as info.
//! **Example:** `spawn('./xmrig', ['-o', 'stratum+tcp://pool.invalid:3333'])`.

use super::common::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "behaviour/miner",
    catalogue: "MINER",
    title: "mines currency",
    severity: High,
    ecosystems: &[],
    run,
};

fn run(package: &Package, findings: &mut Findings) {
    for code in &package.code {
        for fact in code.facts.facts.iter().filter(|fact| words::has(&fact.detail, Class::Miner)) {
            let protocol = fact.detail.to_ascii_lowercase().contains("stratum");
            let starts = in_file(code, &[What::Exec, What::ExecDetached, What::LibraryLoad]);
            let grade = match fact.what {
                What::Exec | What::ExecDetached => (High, Sure),
                What::NetSend | What::NetReceive | What::ChannelReceive if protocol => (High, Sure),
                What::NetReceive | What::FileWrite | What::MakeExecutable if starts => (High, Likely),
                What::Text if protocol && starts => (High, Likely),
                _ => (Info, Hint),
            };
            findings.tell(
                code,
                fact,
                grade,
                &format!("starts a miner or speaks the protocol of miners {}", when(code, fact)),
            );
        }
    }
}
