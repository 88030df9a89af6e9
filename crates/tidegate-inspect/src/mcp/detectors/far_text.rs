//! Behind many blanks or empty lines stand words that a model reads and a window does not show.
//!
//! Clients show the beginning of a description. What is pushed out of it was not meant to be approved.
//!
//! **What to do:** read it to the end before you approve it.
//!
//! **Limits:** tables are left alone.
//!
//! **Example:** a description, two hundred spaces, and one more sentence.

use super::common::*;

pub(super) const DETECTOR: McpDetector =
    McpDetector { id: "mcp/far-text", title: "words stand where nobody scrolls to", severity: Medium, judge };

fn judge(remark: &Remark) -> Option<Judged> {
    let What::FarText = remark.what else { return None };
    judged((Medium, Likely), format!("{} goes on behind a long blank", of(remark)))
}
