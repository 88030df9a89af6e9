//! A server puts what it is given into a command line or into code.
//!
//! What a model passes on may come from a page or a mail that somebody else wrote. `; rm -rf ~` is then a command.
//!
//! **What to do:** pass arguments as a list, without a shell; until then run the server where it can do no harm.
//!
//! **Limits:** it is not known here whether what is put in was checked before.
//!
//! **Example:** `exec(`git log ${branch}`)`

use super::common::*;

pub(super) const DETECTOR: McpDetector = McpDetector {
    id: "mcp/injectable",
    title: "what a tool is given becomes part of a command or of code",
    severity: Medium,
    judge,
};

fn judge(remark: &Remark) -> Option<Judged> {
    let What::Injectable(call) = &remark.what else { return None };
    judged((Medium, Likely), format!("what it is given becomes part of what `{call}` runs"))
}
