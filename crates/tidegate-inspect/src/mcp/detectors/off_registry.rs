//! A configuration starts code from an address, a repository or an index of somebody's own.
//!
//! What comes past the registries comes past their records, their ages and this door.
//!
//! **What to do:** take a release from a registry, or name a commit and look at it.
//!
//! **Limits:** files of the same machine are left alone. What comes in the clear, so that everybody on the way decides what runs, is told as high.
//!
//! **Example:** `uvx --from git+https://x.invalid/y.git y`

use super::common::*;

pub(super) const DETECTOR: McpDetector =
    McpDetector { id: "mcp/off-registry", title: "starts code past every registry", severity: High, judge };

fn judge(remark: &Remark) -> Option<Judged> {
    let What::OffRegistry(spec) = &remark.what else { return None };
    let grade = if remark.evidence.contains("http://") { (High, Sure) } else { (Medium, Sure) };
    judged(grade, format!("{} starts code past every registry: `{}`", of(remark), shown(spec)))
}
