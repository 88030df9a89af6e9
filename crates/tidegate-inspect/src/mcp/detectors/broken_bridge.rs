//! A configuration uses a version of a bridge or inspector in which the other side can run commands on this machine.
//!
//! `mcp-remote` from 0.0.5 to 0.1.15 starts what the address of a server's sign-in page says (CVE-2025-6514); the inspector before 0.14.1 takes commands from any page.
//!
//! **What to do:** take a later version.
//!
//! **Limits:** advisories tell the same of packages that are asked for at the door.
//!
//! **Example:** `npx mcp-remote@0.1.14 https://x.invalid/mcp`

use super::common::*;

pub(super) const DETECTOR: McpDetector = McpDetector {
    id: "mcp/broken-bridge",
    title: "uses a bridge by which a server can run commands",
    severity: High,
    judge,
};

fn judge(remark: &Remark) -> Option<Judged> {
    let What::BrokenBridge(spec) = &remark.what else { return None };
    judged(
        (High, Sure),
        format!("{} uses `{}`, by which the other side can run commands", of(remark), shown(spec)),
    )
}
