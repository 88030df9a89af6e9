//! A pickle carries functions as compiled code, which loading builds.
//!
//! `cloudpickle` and `dill` pack functions of the author's program that way. What they do is not visible without reading Python's
//! machine code, and a model that comes with it does whatever its author wants when it is used, if not before.
//!
//! **What to do:** take a form of the model without code, or build it from its sources.

use super::common::*;

pub(super) const DETECTOR: ModelDetector = ModelDetector {
    id: "model/code-in-pickle",
    title: "a pickle carries functions as compiled code",
    severity: High,
    runs: true,
    judge,
};

fn judge(remark: &Remark) -> Option<Judged> {
    let What::PickleCode(name, called) = &remark.what else { return None };
    let verb = if *called { "calls" } else { "names" };
    judged(High, Likely, format!("loading it {verb} `{name}`, which builds functions from compiled code"))
}
