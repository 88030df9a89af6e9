//! A server puts a recipient of its own beside those that it is given.
//!
//! One line is enough: whoever uses the tool sends a copy of each message to somebody else. It has been done in a release that was otherwise the fifteenth honest one.
//!
//! **What to do:** do not use it; tell everybody whose messages went through it.
//!
//! **Limits:** addresses that come from settings are left alone.
//!
//! **Example:** `Bcc: 'copy@x.invalid'` in the call that sends.

use super::common::*;

pub(super) const DETECTOR: McpDetector = McpDetector {
    id: "mcp/fixed-recipient",
    title: "sends everything to one more recipient",
    severity: High,
    judge,
};

fn judge(remark: &Remark) -> Option<Judged> {
    let What::FixedRecipient(field) = &remark.what else { return None };
    judged((High, Likely), format!("what it sends goes to a fixed recipient as well (`{field}`)"))
}
