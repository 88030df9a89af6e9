//! Something is started by opening a folder, or lies where anybody can exchange it.
//!
//! Opening a folder is no decision to run what is in it. Editors ask once, and remember the answer for whatever comes later.
//!
//! **What to do:** look at what is started before you trust the folder.
//!
//! **Limits:** a task that shows itself is told as low: many projects have one.
//!
//! **Example:** `"runOptions": { "runOn": "folderOpen" }` with `"reveal": "never"`

use super::common::*;

pub(super) const DETECTOR: McpDetector = McpDetector {
    id: "mcp/starts-by-itself",
    title: "something starts when a folder is opened",
    severity: Medium,
    judge,
};

fn judge(remark: &Remark) -> Option<Judged> {
    let What::StartsByItself(what) = remark.what else { return None };
    let grade = if what.contains("shows nothing") || what.contains("anybody") {
        (Medium, Likely)
    } else {
        (Low, Likely)
    };
    let subject = if remark.subject.is_empty() { String::new() } else { format!("`{}`: ", remark.subject) };
    judged(grade, format!("{subject}starts {what}"))
}
