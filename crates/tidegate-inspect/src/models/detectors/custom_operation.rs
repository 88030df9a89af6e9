//! A graph has operations that are not of its format: a library of the user must bring them.
//!
//! Without that library the model does not load. It is of note because such a library is machine code that comes from elsewhere.
//!
//! **What to do:** know where the library comes from.

use super::common::*;

pub(super) const DETECTOR: ModelDetector = ModelDetector {
    id: "model/custom-operation",
    title: "a graph needs a library of its own",
    severity: Medium,
    runs: false,
    judge,
};

fn judge(remark: &Remark) -> Option<Judged> {
    let What::CustomOperation(name) = &remark.what else { return None };
    judged(Medium, Likely, format!("has operations of `{name}`, for which a library must be loaded"))
}
