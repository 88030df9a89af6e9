//! Settings that come with a folder switch off what protects whoever opens it, or name a program of the folder as a tool of the editor.
//!
//! An editor takes them with the folder, from whoever made it.
//!
//! **What to do:** remove them before you trust the folder.
//!
//! **Limits:** whether the editor's own policy forbids the setting is not known here.
//!
//! **Example:** `"chat.tools.autoApprove": true`

use super::common::*;

pub(super) const DETECTOR: McpDetector = McpDetector {
    id: "mcp/weak-setting",
    title: "settings of a folder take protection away",
    severity: Medium,
    judge,
};

fn judge(remark: &Remark) -> Option<Judged> {
    let What::WeakSetting(name, _) = &remark.what else { return None };
    judged(
        (Medium, Likely),
        format!("the setting `{}` takes protection away or starts a program of the folder", shown(name)),
    )
}
