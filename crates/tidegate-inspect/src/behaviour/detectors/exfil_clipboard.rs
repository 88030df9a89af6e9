//! Addresses of wallets are exchanged: in the clipboard, or in what a page sends.
//!
//! Whoever pastes an address pays to the attacker's instead. In a page, requests and wallet calls are replaced so that the amount goes elsewhere.
//!
//! **What to do:** do not load it. **Limits:** tools for the clipboard read and write it without knowing addresses.
//! **Example:** reading the clipboard, matching `0x[a-f0-9]{40}`, writing another address.

use super::common::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "behaviour/exfil-clipboard",
    catalogue: "EXFIL-CLIPBOARD",
    title: "exchanges addresses of wallets",
    severity: Critical,
    ecosystems: &[],
    run,
};

fn run(package: &Package, findings: &mut Findings) {
    for code in &package.code {
        let patterns = code
            .facts
            .facts
            .iter()
            .filter(|fact| fact.what == What::Text && words::has(&fact.detail, Class::AddressPattern))
            .count();
        let addresses = code.facts.facts.iter().filter(|fact| words::is_wallet_address(&fact.detail)).count();
        let reads = of_file(code, What::ClipboardRead).next();
        let writes = of_file(code, What::ClipboardWrite).next();
        let knows = patterns + addresses > 0;
        if let (Some(_), Some(write)) = (reads, writes)
            && knows
        {
            let grade =
                if early(code, write) || addresses > 0 { (Critical, Sure) } else { (Critical, Likely) };
            findings.tell(code, write, grade, "exchanges addresses of wallets in the clipboard");
        }
        // Whoever copies for somebody copies what they are given; one fixed run of letters and digits is somebody's account.
        let fixed = of_file(code, What::ClipboardWrite)
            .find(|fact| fact.detail.len() >= 26 && fact.detail.bytes().all(|b| b.is_ascii_alphanumeric()));
        if let (Some(_), Some(write)) = (of_file(code, What::ClipboardRead).next(), fixed) {
            findings.tell(
                code,
                write,
                (High, Likely),
                "reads the clipboard and puts a fixed account number there",
            );
        }
        let hook = of_file(code, What::GlobalHook).find(|fact| {
            let detail = fact.detail.to_ascii_lowercase();
            ["fetch", "xmlhttprequest", "ethereum", "request", "send", "solana", "open"]
                .iter()
                .any(|name| detail.contains(name))
        });
        let pays = |hook: &&Fact| {
            let near = || code.facts.facts.iter().filter(|fact| !is_far(hook, fact));
            let addresses = near().filter(|fact| words::is_wallet_address(&fact.detail)).count();
            let patterns = near()
                .filter(|fact| fact.what == What::Text && words::has(&fact.detail, Class::AddressPattern))
                .count();
            let calls = near().any(|fact| words::has(&fact.detail, Class::WalletApi));
            addresses >= 2 || (addresses >= 1 && (patterns >= 1 || calls)) || patterns >= 2 && calls
        };
        if let Some(hook) = hook.filter(pays) {
            findings.tell(code, hook, (Critical, Sure), "replaces functions of the page and holds addresses of wallets, so that payments go elsewhere");
        }
        let sent = code
            .facts
            .flowing()
            .find(|(from, to, _)| from.what == What::ClipboardRead && to.what == What::NetSend);
        if let Some((_, to, _)) = sent {
            let grade = if early(code, to) { (High, Sure) } else { (Medium, Likely) };
            findings.tell(code, to, grade, &format!("sends the clipboard to {}", host(&to.detail)));
        }
    }
}
