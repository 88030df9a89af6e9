//! A settings file of a model names a function that its loader calls.
//!
//! `_target_` in settings of Hydra, NeMo and others, and tags in YAML, are imported and called with arguments of the file. A name that
//! starts programs or runs text makes of the settings a program.
//!
//! **What to do:** do not load it.
//!
//! **Limits:** names of unknown libraries are told as low: settings name classes all the time.

use super::common::*;

pub(super) const DETECTOR: ModelDetector = ModelDetector {
    id: "model/target",
    title: "a settings file names what is to be called",
    severity: Critical,
    runs: true,
    judge,
};

fn judge(remark: &Remark) -> Option<Judged> {
    let What::Target(name, harm) = &remark.what else { return None };
    if *harm {
        judged(Critical, Sure, format!("its settings call `{name}`"))
    } else {
        judged(Low, Likely, format!("its settings call `{name}`"))
    }
}
