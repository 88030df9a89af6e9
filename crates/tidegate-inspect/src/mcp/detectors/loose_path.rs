//! A server asks whether a path begins like its folder, as texts.
//!
//! `/data-of-others/x` begins like `/data`, and `/data/../etc` does, too. What is to be kept to one folder is not.
//!
//! **What to do:** take a release that compares real paths; until then give it a folder whose neighbours may be read.
//!
//! **Limits:** files that take paths apart in any way are left alone.
//!
//! **Example:** `if (!path.startsWith(root)) throw …; return readFileSync(path)`

use super::common::*;

pub(super) const DETECTOR: McpDetector = McpDetector {
    id: "mcp/loose-path",
    title: "keeps to its folder by comparing beginnings of texts",
    severity: Medium,
    judge,
};

fn judge(remark: &Remark) -> Option<Judged> {
    let What::LoosePath = remark.what else { return None };
    judged((Medium, Likely), "asks whether a path begins like its folder, which a neighbour does, too")
}
