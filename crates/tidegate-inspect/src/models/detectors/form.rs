//! The head of a model file does not fit what follows.
//!
//! Formats that hold only numbers are safe because their readers trust nothing. A head with lengths that lead outside, tensors that
//! share bytes, names twice, or bytes that nobody describes is built by hand: to break a reader, or to carry something else along.
//!
//! **What to do:** do not load it with a reader written in C; ask the publisher for an intact file.

use super::common::*;

pub(super) const DETECTOR: ModelDetector = ModelDetector {
    id: "model/form",
    title: "the form of a model file contradicts itself",
    severity: High,
    runs: false,
    judge,
};

fn judge(remark: &Remark) -> Option<Judged> {
    let What::Form(what, severity) = &remark.what else { return None };
    judged(*severity, Sure, what.clone())
}
