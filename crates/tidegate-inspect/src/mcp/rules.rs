//! Files by which assistants are steered: rules, skills, prompts, agents.

use super::judge::{Reader, judge};
use super::remark::Told;

/// Bytes of such a file that are read.
const RULES_BYTES: usize = 256 << 10;

/// Whether a file is one by its place or name. `is_whole` is whether it is all there is.
pub(crate) fn is_rules(path: &str, is_whole: bool) -> bool {
    let lower = path.to_ascii_lowercase();
    let name = lower.rsplit('/').next().unwrap_or_default();
    let is_text = name.ends_with(".md")
        || name.ends_with(".mdc")
        || name.ends_with(".txt")
        || !name.contains('.')
        || name.starts_with('.');
    if !is_text {
        return false;
    }
    const NAMES: &[&str] = &[
        "claude.md",
        "claude.local.md",
        "agents.md",
        "agent.md",
        "gemini.md",
        "skill.md",
        "copilot-instructions.md",
        ".cursorrules",
        ".windsurfrules",
        ".clinerules",
        ".roorules",
        ".goosehints",
        "warp.md",
        "qwen.md",
        "crush.md",
        "junie.md",
        "guidelines.md",
        "conventions.md",
    ];
    const ENDS: &[&str] =
        &[".mdc", ".instructions.md", ".prompt.md", ".chatmode.md", ".agent.md", ".rules.md"];
    const FOLDERS: &[&str] = &[
        ".claude/",
        ".cursor/",
        ".clinerules/",
        ".windsurf/",
        ".kiro/",
        ".roo/",
        ".continue/",
        ".augment/",
        ".codex/",
        ".gemini/",
        ".github/instructions/",
        ".github/prompts/",
        ".github/chatmodes/",
        ".github/agents/",
        ".github/skills/",
        ".agents/",
        ".amazonq/",
        ".junie/",
        ".trae/",
        ".opencode/",
        "skills/",
    ];
    let rooted = format!("/{lower}");
    NAMES.contains(&name)
        || ENDS.iter().any(|end| name.ends_with(end))
        || FOLDERS.iter().any(|folder| rooted.contains(&format!("/{folder}")))
        || is_whole && (name.ends_with(".md") || name.ends_with(".txt"))
}

/// Reads one.
pub(crate) fn read(bytes: &[u8], told: &mut Told) {
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(RULES_BYTES)]);
    let plain = text.to_lowercase();
    for (what, evidence) in judge(&text, Reader::Rules) {
        let line = plain.find(&evidence.to_lowercase()).or_else(|| text.find(&evidence));
        let line = line.map(|at| {
            u32::try_from(plain.get(..at).unwrap_or_default().matches('\n').count() + 1).unwrap_or(u32::MAX)
        });
        told.on_line(what, "", line, evidence);
    }
}
