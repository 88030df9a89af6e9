//! A configuration starts a package without saying which release.
//!
//! Every start may run other code than the one that somebody looked at, and the first minutes of a hijacked release reach everybody who does so.
//!
//! **What to do:** write the version behind the name, and let the door hold back young releases.
//!
//! **Limits:** ranges are as open as no version; tags of containers are not told.
//!
//! **Example:** `npx -y @acme/server@latest`

use super::common::*;

pub(super) const DETECTOR: McpDetector =
    McpDetector { id: "mcp/unpinned", title: "starts whatever version is newest", severity: Medium, judge };

fn judge(remark: &Remark) -> Option<Judged> {
    let What::Unpinned(spec) = &remark.what else { return None };
    judged((Medium, Sure), format!("{} starts `{}` in whatever version is newest", of(remark), shown(spec)))
}
