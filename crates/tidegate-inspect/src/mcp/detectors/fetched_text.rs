//! What a server says of its tools is fetched while it runs.
//!
//! What was approved is then not what the model is told tomorrow, and no release shows the difference.
//!
//! **What to do:** pin the list of tools at the door, so that each change is seen.
//!
//! **Limits:** bridges to other servers do this by their nature.
//!
//! **Example:** `description: (await (await fetch(url)).json()).text`

use super::common::*;

pub(super) const DETECTOR: McpDetector = McpDetector {
    id: "mcp/fetched-text",
    title: "what its tools say comes from the network",
    severity: Medium,
    judge,
};

fn judge(remark: &Remark) -> Option<Judged> {
    let What::FetchedText = remark.what else { return None };
    judged((Medium, Likely), "what its tools say of themselves comes from the network")
}
