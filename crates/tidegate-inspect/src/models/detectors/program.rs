//! A model is a program, or a program lies in it.
//!
//! A llamafile is a model and the program that runs it in one file; others hide a program behind the head of a model. Who takes a
//! model does not expect to start one.
//!
//! **What to do:** take the model without the program.

use super::common::*;

pub(super) const DETECTOR: ModelDetector = ModelDetector {
    id: "model/program",
    title: "a program lies where a model should be",
    severity: High,
    runs: true,
    judge,
};

fn judge(remark: &Remark) -> Option<Judged> {
    let What::Program(what) = &remark.what else { return None };
    judged(High, Likely, *what)
}
