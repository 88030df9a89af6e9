//! Rules or tools of AI assistants are written, or a text gives them hidden orders.
//!
//! An assistant obeys its rule files. Whoever writes them unasked steers every later session on that machine.
//!
//! **What to do:** look at the files that it names, and remove what you did not write. **Limits:** tools that set assistants up write these files on demand;
//! that is told as info. A package that brings rules for work on itself is nothing.
//! **Example:** a postinstall that appends to `~/.claude/CLAUDE.md`.

use super::common::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "behaviour/agent-poison",
    catalogue: "AGENT-POISON",
    title: "steers AI assistants of whoever installs it",
    severity: Critical,
    ecosystems: &[],
    run,
};

fn run(package: &Package, findings: &mut Findings) {
    for (code, fact) in package.facts(&[What::FileWrite]) {
        if words::has(&fact.detail, Class::AgentRules) {
            let stage = code.stage(fact);
            let grade = match stage {
                Stage::Install | Stage::Startup => (Critical, Sure),
                Stage::Import if fact.scope == Scope::Load && !is_program(package, code) => {
                    (Critical, Likely)
                }
                _ => (Info, Likely),
            };
            findings.tell(
                code,
                fact,
                grade,
                &format!("writes a file that steers AI assistants {}", when(code, fact)),
            );
        }
    }
    for (code, fact) in package.facts(&[What::Text]) {
        if words::instructs(&fact.detail) {
            let writes = in_file(code, &[What::FileWrite]) && early(code, fact);
            findings.tell(
                code,
                fact,
                if writes { (High, Likely) } else { (Medium, Likely) },
                "holds hidden orders to an AI assistant",
            );
        }
    }
    for prose in &package.prose {
        if let Some(line) = prose.orders {
            let is_rules = words::has(&format!("/{}", prose.path), Class::AgentRules);
            let grade = if is_rules { (High, Likely) } else { (Medium, Likely) };
            findings.tell_at(
                &prose.full,
                Some(line),
                Stage::Call,
                grade,
                "a text gives hidden orders to AI assistants",
                "",
            );
        }
    }
}

fn is_program(package: &Package, code: &Code) -> bool {
    package
        .manifest
        .iter()
        .flat_map(|m| &m.programs)
        .any(|program| program.target.trim_start_matches("./") == code.path)
}
