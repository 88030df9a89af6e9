//! The code of a TorchScript model reads or writes files.
//!
//! TorchScript is code that the model brings. Its language has few doors to the outside; those that it has serve no model.
//!
//! **What to do:** do not run it; ask what the operation is for.

use super::common::*;

pub(super) const DETECTOR: ModelDetector = ModelDetector {
    id: "model/script-operation",
    title: "TorchScript touches files",
    severity: High,
    runs: true,
    judge,
};

fn judge(remark: &Remark) -> Option<Judged> {
    let What::ScriptOperation(name) = &remark.what else { return None };
    judged(High, Sure, format!("its code calls `{name}`"))
}
