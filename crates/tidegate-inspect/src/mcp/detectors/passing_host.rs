//! A remote server lies at a tunnel, a bin for requests or a bare address.
//!
//! Nobody answers for such a host, and tomorrow it belongs to somebody else.
//!
//! **What to do:** use a server under a name of whoever runs it.
//!
//! **Limits:** private networks are left alone.
//!
//! **Example:** `"url": "https://abcd.trycloudflare.com/sse"`

use super::common::*;

pub(super) const DETECTOR: McpDetector = McpDetector {
    id: "mcp/passing-host",
    title: "connects to a host that anybody can have for a while",
    severity: Medium,
    judge,
};

fn judge(remark: &Remark) -> Option<Judged> {
    let What::PassingHost(host) = &remark.what else { return None };
    judged(
        (Medium, Likely),
        format!("{} connects to `{}`, which anybody can have for a while", of(remark), shown(host)),
    )
}
