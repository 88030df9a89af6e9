//! A TensorFlow graph holds operations that read or write files or run Python.
//!
//! A saved model is a program too: operations to read and write files need no library to be there and run whenever the graph does.
//! Models that compute need none of them.
//!
//! **What to do:** do not run it; ask what the operation is for.
//!
//! **Limits:** operations by which models read their vocabularies and save their checkpoints are left out.

use super::common::*;

pub(super) const DETECTOR: ModelDetector = ModelDetector {
    id: "model/graph-operation",
    title: "a TensorFlow graph reads, writes or runs",
    severity: Critical,
    runs: true,
    judge,
};

fn judge(remark: &Remark) -> Option<Judged> {
    let What::GraphOperation(name, does, runs) = &remark.what else { return None };
    let message = format!("its graph {does} (`{name}`)");
    if *runs { judged(Critical, Sure, message) } else { judged(High, Sure, message) }
}
