//! A configuration sets a variable by which the started program loads other code, trusts everybody, or talks to somebody else.
//!
//! The command looks as it should; what it does is said by the variable.
//!
//! **What to do:** remove the variable, or find out who needs it.
//!
//! **Limits:** memory and language settings are left alone; proxies and addresses of interfaces are told as medium.
//!
//! **Example:** `"env": { "NODE_OPTIONS": "--require /tmp/x.js" }`

use super::common::*;

pub(super) const DETECTOR: McpDetector = McpDetector {
    id: "mcp/environment",
    title: "changes what a program loads or trusts",
    severity: High,
    judge,
};

fn judge(remark: &Remark) -> Option<Judged> {
    let What::Environment(name, runs) = &remark.what else { return None };
    let (grade, what) = if *runs {
        ((High, Likely), "loads other code or talks to a stranger in the clear")
    } else {
        ((Medium, Likely), "trusts or asks somebody else")
    };
    judged(
        grade,
        format!(
            "{}: `{}` has the program it starts do what the command does not say; it {what}",
            of(remark),
            shown(name)
        ),
    )
}
