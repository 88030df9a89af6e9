//! Data is sent away as part of a name that is looked up.
//!
//! Name servers answer also where nothing else may leave the network, so data hides in the labels of a name.
//!
//! **What to do:** do not run it; look in the name server's log for what went out. **Limits:** only data that comes from the machine counts.
//! **Example:** `dns.lookup(hex(os.hostname()) + '.x.invalid')`.

use super::common::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "behaviour/exfil-dns",
    catalogue: "EXFIL-DNS",
    title: "hides data in names that it looks up",
    severity: Critical,
    ecosystems: &[],
    run,
};

fn run(package: &Package, findings: &mut Findings) {
    for (code, from, to, _) in package.flows() {
        let is_data = is_private_source(from) || matches!(from.what, What::FileRead | What::ExecOutput);
        let domain = to.detail.trim_start_matches('*');
        let is_constant_domain = domain.trim_start_matches('.').contains('.');
        if to.what != What::DnsQuery || !is_data || to.detail == domain && !is_constant_domain {
            continue;
        }
        // A pattern is matched, not looked up.
        if to.detail.contains(['(', '[', '\\']) {
            continue;
        }
        let grade = match (early(code, to), is_constant_domain) {
            (true, true) => (Critical, Sure),
            (true, false) if to.detail.contains('.') => (High, Likely),
            (true, false) => (Low, Likely),
            (false, true) => (High, Likely),
            (false, false) => (Low, Hint),
        };
        findings.tell(
            code,
            to,
            grade,
            &format!("puts data of this machine into a name that it looks up {}", when(code, to)),
        );
    }
}
