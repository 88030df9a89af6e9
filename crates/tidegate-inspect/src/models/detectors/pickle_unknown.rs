//! Loading a pickle calls a function or makes an object of a class that is not known to be safe.
//!
//! Lists of dangerous functions lose: any function that leads from a text to another one defeats them. So what is not on the safe
//! list is not safe, whoever wrote it. A class that the loading program must define itself is told, but does not
//! hold the model; parts of well-known libraries that are named but not called are told as of note only.
//!
//! **What to do:** find out which library the name belongs to and what it does when it is made; else take a form of the model that
//! holds no code.
//!
//! **Limits:** classes of well-known libraries are taken as safe where making them only keeps what they are given.

use super::common::*;

pub(super) const DETECTOR: ModelDetector = ModelDetector {
    id: "model/pickle-unknown",
    title: "a pickle calls what is not on the safe list",
    severity: High,
    runs: true,
    judge,
};

fn judge(remark: &Remark) -> Option<Judged> {
    let What::PickleUnknown { name, called, unlisted } = &remark.what else { return None };
    let verb = if *called { "calls" } else { "names" };
    let message = format!("loading it {verb} `{name}`, which is not on the safe list");
    match unlisted {
        Unlisted::Unknown => judged(High, Likely, message),
        Unlisted::Own if *called => judged(Medium, Likely, message),
        Unlisted::Own | Unlisted::Part => judged(Info, Likely, message),
    }
}
