//! A configuration lets tools run without anybody being asked.
//!
//! The question before a call is where a person sees what a poisoned text made of it.
//!
//! **What to do:** approve single tools that only read.
//!
//! **Limits:** lists of single tools are left alone.
//!
//! **Example:** `"alwaysAllow": ["*"]`

use super::common::*;

pub(super) const DETECTOR: McpDetector = McpDetector {
    id: "mcp/auto-approve",
    title: "lets every call run without a question",
    severity: Medium,
    judge,
};

fn judge(remark: &Remark) -> Option<Judged> {
    let What::AutoApprove(how) = &remark.what else { return None };
    judged(
        (Medium, Likely),
        format!("{} lets every call run without a question (`{}`)", of(remark), shown(how)),
    )
}
