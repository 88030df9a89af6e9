//! Memory is made executable, filled and run.
//!
//! Compilers at run time make memory executable too; they do not fill it from a constant or from the network.
//!
//! **What to do:** do not run it. **Limits:** memory that is filled by computed values is told as low.
//! **Example:** `VirtualAlloc(…, 0x40); memmove(p, buf, n); CreateThread(…)`.

use super::common::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "behaviour/shellcode",
    catalogue: "SHELLCODE",
    title: "runs machine code from memory that it filled",
    severity: Critical,
    ecosystems: &[],
    run,
};

fn run(package: &Package, findings: &mut Findings) {
    for code in &package.code {
        let Some(fact) = of_file(code, What::ExecMemory).next() else { continue };
        // Allocating, copying and calling are different steps; functions of a library are called by the last alone.
        let steps: std::collections::BTreeSet<&str> =
            of_file(code, What::ExecMemory).map(|fact| fact.detail.as_str()).collect();
        let flow = code.facts.flowing().any(|(from, to, _)| {
            to.what == What::ExecMemory
                && matches!(
                    from.what,
                    What::Decode | What::BigConstant | What::NetReceive | What::ChannelReceive
                )
        });
        let fills = in_file(code, &[What::Decode, What::BigConstant, What::NetReceive, What::ChannelReceive]);
        let grade = match (flow || fills, early(code, fact)) {
            (true, true) => (Critical, Sure),
            (true, false) => (High, Likely),
            // No interpreter lets code ask the processor what it is, so libraries bring the few bytes that do.
            (false, true) if code.asks_processor => (Low, Likely),
            (false, true) if steps.len() >= 2 => (Critical, Likely),
            (false, _) => (Low, Likely),
        };
        findings.tell(
            code,
            fact,
            grade,
            &format!("fills memory with machine code and runs it {}", when(code, fact)),
        );
    }
}
