//! A server listens on all addresses of its machine, and its code asks nobody who they are.
//!
//! Whoever is in the same network, and any page that a browser there shows, can then use its tools.
//!
//! **What to do:** let it listen on 127.0.0.1, or put something in front of it that asks.
//!
//! **Limits:** whether another file or a proxy asks is not known here.
//!
//! **Example:** `mcp.run(transport='sse', host='0.0.0.0')`

use super::common::*;

pub(super) const DETECTOR: McpDetector = McpDetector {
    id: "mcp/open-server",
    title: "listens for everybody and asks nobody",
    severity: Medium,
    judge,
};

fn judge(remark: &Remark) -> Option<Judged> {
    let What::OpenServer(address) = &remark.what else { return None };
    judged((Medium, Likely), format!("listens on {address} and asks nobody who they are"))
}
