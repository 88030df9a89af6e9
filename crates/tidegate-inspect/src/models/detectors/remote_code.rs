//! A model asks its loader to import code of a repository.
//!
//! With `auto_map` in its settings a model says which Python files hold its classes; they run where somebody loads it with
//! `trust_remote_code`. Files of the same repository are looked at like all code. Code of another repository can change at any time,
//! without a change here.
//!
//! **What to do:** pin the other repository to a commit, or copy its files after reading them.

use super::common::*;

pub(super) const DETECTOR: ModelDetector = ModelDetector {
    id: "model/remote-code",
    title: "a model asks for code of its repository",
    severity: High,
    runs: true,
    judge,
};

fn judge(remark: &Remark) -> Option<Judged> {
    let What::RemoteCode(name, other) = &remark.what else { return None };
    if *other {
        judged(High, Likely, format!("its classes are code of another repository that may change: `{name}`"))
    } else {
        judged(Low, Sure, format!("its classes are code of its own repository: `{name}`"))
    }
}
