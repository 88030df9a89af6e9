//! A layer of a Keras model holds Python code, compiled, in its configuration.
//!
//! A Lambda layer keeps its function as compiled code. Keras 2 runs it as soon as the model is loaded and built; Keras 3 refuses by
//! default, but not for files of the old form, and not where somebody switched that off.
//!
//! **What to do:** do not load it; ask for the model without Lambda layers.
//!
//! **Limits:** a Lambda layer that names a function instead of holding one is judged by that name.

use super::common::*;

pub(super) const DETECTOR: ModelDetector = ModelDetector {
    id: "model/keras-code",
    title: "a layer of a Keras model is code",
    severity: Critical,
    runs: true,
    judge,
};

fn judge(remark: &Remark) -> Option<Judged> {
    let What::KerasCode(layer) = &remark.what else { return None };
    judged(Critical, Sure, format!("{layer} holds compiled code, which runs when the model is loaded"))
}
