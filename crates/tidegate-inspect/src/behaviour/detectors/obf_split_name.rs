//! The name of something dangerous is put together from pieces.
//!
//! `globalThis['ev' + 'al']`, `getattr(os, 'sys' + 'tem')`: nobody writes that who wants to be read. Some libraries hide the word `require` from bundlers so;
//! that is told as info.
//!
//! **What to do:** read what it calls. **Limits:** long command lines are put together everywhere, so only names and short commands count.
//! **Example:** `require('child' + '_process')['ex' + 'ec']`.

use super::common::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "behaviour/obf-split-name",
    catalogue: "OBF-SPLIT-NAME",
    title: "puts dangerous names together from pieces",
    severity: High,
    ecosystems: &[],
    run,
};

fn run(package: &Package, findings: &mut Findings) {
    for code in
        package.code.iter().filter(|code| !matches!(code.language, Some(Language::Shell | Language::Windows)))
    {
        let folded: Vec<&Fact> =
            code.facts.facts.iter().filter(|fact| fact.folded && is_dangerous(fact)).collect();
        let kinds: std::collections::BTreeSet<What> = folded.iter().map(|fact| fact.what).collect();
        for fact in &folded {
            let is_require =
                matches!(fact.what, What::Eval | What::DynamicImport) && fact.detail.contains("require");
            let grade = match (early(code, fact), kinds.len()) {
                _ if is_require => (Info, Hint),
                (true, 2..) => (High, Sure),
                (true, _) if fact.what == What::Eval => (High, Likely),
                (true, _) => (Medium, Likely),
                (false, 3..) => (Medium, Likely),
                (false, _) => (Low, Hint),
            };
            findings.tell(
                code,
                fact,
                grade,
                &format!("puts the name of what it calls together from pieces {}", when(code, fact)),
            );
        }
    }
}

fn is_dangerous(fact: &Fact) -> bool {
    match fact.what {
        What::Eval | What::ExecMemory | What::SocketToProcess => true,
        What::Exec | What::ExecDetached => fact.detail.len() < 32 && !fact.detail.contains(['*', '/']),
        What::DynamicImport => {
            let name = fact.detail.trim_start_matches("node:");
            matches!(
                name,
                "child_process"
                    | "fs"
                    | "net"
                    | "http"
                    | "https"
                    | "dns"
                    | "vm"
                    | "os"
                    | "subprocess"
                    | "ctypes"
            )
        }
        What::FileRead | What::EnvRead => {
            words::has(&fact.detail, Class::CredentialFile) || words::is_secret_variable(&fact.detail)
        }
        _ => false,
    }
}
