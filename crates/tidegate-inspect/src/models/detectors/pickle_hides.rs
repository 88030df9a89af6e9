//! A pickle puts together, computes or borrows the name of what it calls.
//!
//! Those who write models have no reason to. Names in parts, attributes taken by a computed name and numbers registered elsewhere
//! exist to get past whoever looks for names.
//!
//! **What to do:** do not load it.

use super::common::*;

pub(super) const DETECTOR: ModelDetector = ModelDetector {
    id: "model/pickle-hides",
    title: "a pickle hides what it calls",
    severity: Critical,
    runs: true,
    judge,
};

fn judge(remark: &Remark) -> Option<Judged> {
    let What::PickleHides(how, grave) = &remark.what else { return None };
    if *grave {
        judged(Critical, Sure, format!("loading it {how}"))
    } else {
        judged(High, Likely, format!("loading it {how}"))
    }
}
