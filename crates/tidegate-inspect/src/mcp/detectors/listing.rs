//! What a registry lists of a server disagrees with itself, or leaves open what it stands for.
//!
//! A listing may point at anything. Whose name it bears and whose code it names should be the same, and a file should be named by its digest.
//!
//! **What to do:** ask the publisher, or take the package from whoever owns it.
//!
//! **Limits:** names outside code hosts' namespaces are not compared.
//!
//! **Example:** a name `io.github.alice/x` with the repository of `bob`.

use super::common::*;

pub(super) const DETECTOR: McpDetector =
    McpDetector { id: "mcp/listing", title: "a listing does not hold together", severity: Medium, judge };

fn judge(remark: &Remark) -> Option<Judged> {
    let What::Listing(how) = remark.what else { return None };
    judged((Medium, Likely), format!("{}: {how}", of(remark)))
}
