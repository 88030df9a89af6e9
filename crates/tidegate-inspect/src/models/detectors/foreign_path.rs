//! A model names a file outside its folder as part of itself.
//!
//! ONNX keeps large tensors in files beside the model. A path that leads up or begins at the root makes whoever loads the model read
//! another file of the machine, which the model can then give away. HDF5 may link to other files and take numbers out of any; files
//! of models never do, so each such file is told.
//!
//! **What to do:** do not load it.

use super::common::*;

pub(super) const DETECTOR: ModelDetector = ModelDetector {
    id: "model/outside-file",
    title: "a model reads files that are not its own",
    severity: High,
    runs: true,
    judge,
};

fn judge(remark: &Remark) -> Option<Judged> {
    let What::OutsideFile(path) = &remark.what else { return None };
    judged(High, Sure, format!("keeps a part of itself in `{path}`, a file that is not its own"))
}
