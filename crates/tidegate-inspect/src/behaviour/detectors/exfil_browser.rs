//! Stores of browsers, wallets or chat clients are read by code that also sends.
//!
//! Passwords, cookies, keys of wallets and sessions lie there. Tools for tests start browsers and name their folders; they never open these
//! databases.
//!
//! **What to do:** do not run it; if it ran, end all sessions and move what the wallets hold. **Limits:** a store that is read and not sent is told as low.
//! **Example:** copying `…/User Data/Default/Login Data` and posting it.

use super::common::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "behaviour/exfil-browser",
    catalogue: "EXFIL-BROWSER",
    title: "takes data of browsers, wallets or chat clients",
    severity: Critical,
    ecosystems: &[],
    run,
};

const STORES: &[Class] = &[Class::BrowserStore, Class::Wallet, Class::ChatStore];

fn run(package: &Package, findings: &mut Findings) {
    key_hunts(package, findings);
    for code in &package.code {
        let reads = [What::FileRead, What::FolderRead, What::FileWrite, What::Exec];
        let Some(named) = any_in(
            code,
            &[What::FileRead, What::FolderRead, What::FileWrite, What::Text, What::LibraryLoad, What::Exec],
            STORES,
        ) else {
            continue;
        };
        let count = code.facts.facts.iter().filter(|fact| words::classes(&fact.detail).any(STORES)).count();
        let sends = in_file(code, &[What::NetSend]);
        let abroad = of_file(code, What::NetSend).any(|fact| foreign(&fact.detail).is_some());
        let is_read =
            reads.contains(&named.what) || count >= 2 && in_file(code, &[What::FileRead, What::FolderRead]);
        let flow = code.facts.flowing().any(|(from, to, _)| {
            to.what == What::NetSend
                && matches!(
                    from.what,
                    What::FileRead | What::FolderRead | What::ExecOutput | What::KeychainRead
                )
        });
        let is_early = early(code, named)
            || code.facts.facts.iter().any(|fact| fact.what == What::NetSend && early(code, fact));
        let grade = match (is_read, sends, flow) {
            (true, true, true) if abroad || is_early => (Critical, Sure),
            (true, true, true) => (Critical, Likely),
            (true, true, false) if is_early => (Critical, Likely),
            (true, true, false) => (High, Likely),
            (true, false, _) => (Low, Likely),
            _ => continue,
        };
        findings.tell(
            code,
            named,
            grade,
            "reads stores of browsers, wallets or chat clients and sends something",
        );
    }
}

/// Files are searched for what looks like keys and addresses of wallets, and what is found is sent to an address in the code.
fn key_hunts(package: &Package, findings: &mut Findings) {
    for code in &package.code {
        let pattern = code
            .facts
            .facts
            .iter()
            .any(|fact| fact.what == What::Text && words::has(&fact.detail, Class::AddressPattern));
        let sent = code.facts.flowing().find(|(from, to, _)| {
            matches!(from.what, What::FileRead | What::FolderRead)
                && to.what == What::NetSend
                && foreign(&to.detail).is_some()
        });
        if let (true, Some((_, to, _))) = (pattern, sent) {
            let grade = if early(code, to) { (Critical, Sure) } else { (High, Likely) };
            let message =
                format!("searches files for keys of wallets and sends what it finds to {}", host(&to.detail));
            findings.tell(code, to, grade, &message);
        }
    }
}
