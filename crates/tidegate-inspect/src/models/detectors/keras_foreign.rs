//! A Keras model names a module, class or function that is not of Keras.
//!
//! The configuration of a model says which class each layer has, by module and name. A name outside Keras imports that module and
//! calls what it finds there with arguments that the file chooses; several gaps of the last years were just that.
//!
//! **What to do:** do not load it where the name does harm. Else find out whether the class is your own.
//!
//! **Limits:** classes that are registered under a name of their own package are told, but do not hold the model: the loading
//! program must bring them.

use super::common::*;

pub(super) const DETECTOR: ModelDetector = ModelDetector {
    id: "model/keras-foreign",
    title: "a Keras model names code outside Keras",
    severity: Critical,
    runs: true,
    judge,
};

fn judge(remark: &Remark) -> Option<Judged> {
    let What::KerasForeign(name, harm) = &remark.what else { return None };
    if *harm {
        return judged(Critical, Sure, format!("loading it calls `{name}`"));
    }
    let is_registered = name.contains('>');
    let grade = if is_registered { (Medium, Likely) } else { (High, Likely) };
    judged(grade.0, grade.1, format!("names `{name}`, which is not of Keras"))
}
