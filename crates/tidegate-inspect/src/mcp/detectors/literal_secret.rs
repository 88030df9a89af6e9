//! A configuration holds a credential as it is.
//!
//! Such files are copied, synchronised and committed. The value is neither kept nor shown.
//!
//! **What to do:** revoke it, and let the client ask for it or take it from the environment.
//!
//! **Limits:** examples and references to variables are left alone.
//!
//! **Example:** `"env": { "API_TOKEN": "…" }`

use super::common::*;

pub(super) const DETECTOR: McpDetector = McpDetector {
    id: "mcp/literal-secret",
    title: "a credential stands in a configuration",
    severity: Medium,
    judge,
};

fn judge(remark: &Remark) -> Option<Judged> {
    let What::LiteralSecret(name) = &remark.what else { return None };
    judged((Medium, Likely), format!("{} holds a credential as it is (`{}`)", of(remark), shown(name)))
}
