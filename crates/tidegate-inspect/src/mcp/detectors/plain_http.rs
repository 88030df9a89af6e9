//! A remote server is reached without encryption.
//!
//! Whoever is on the way reads what is asked, and writes what the model is told.
//!
//! **What to do:** use `https`.
//!
//! **Limits:** this machine and private networks are left alone. Only where a credential goes along is it told as high.
//!
//! **Example:** `"url": "http://x.invalid/mcp"`

use super::common::*;

pub(super) const DETECTOR: McpDetector =
    McpDetector { id: "mcp/plain-http", title: "talks to a server in the clear", severity: High, judge };

fn judge(remark: &Remark) -> Option<Judged> {
    if let What::ClearCredential(host) = &remark.what {
        let message = format!("{} sends a credential to `{}` in the clear", of(remark), shown(host));
        return judged((High, Likely), message);
    }
    let What::PlainHttp(host) = &remark.what else { return None };
    judged((Medium, Sure), format!("{} talks to `{}` in the clear", of(remark), shown(host)))
}
