//! A server in a container is given rights or folders of the machine that it is to be kept from.
//!
//! With the engine's socket, all rights or the home folder, there is no container any more.
//!
//! **What to do:** give it one folder of its work, read-only where that is enough.
//!
//! **Limits:** folders for work are left alone. Only two of all rights, the engine and the whole disk together are told as high.
//!
//! **Example:** `docker run -v /:/host …`

use super::common::*;

pub(super) const DETECTOR: McpDetector = McpDetector {
    id: "mcp/wide-container",
    title: "gives a container more than its own",
    severity: High,
    judge,
};

fn judge(remark: &Remark) -> Option<Judged> {
    if remark.what == What::OpenContainer {
        return judged((High, Likely), format!("{} gives a container so much that none is left", of(remark)));
    }
    let What::WideContainer(what) = remark.what else { return None };
    judged((Medium, Sure), format!("{} gives a container {what}", of(remark)))
}
