//! A chat template reaches for Python itself.
//!
//! Language models bring a template that turns a conversation into text. Some programs run it without a cage; one that walks from a
//! text to its class and from there to every other class runs commands in them with the first message.
//!
//! **What to do:** do not load it in anything that runs its template.

use super::common::*;

pub(super) const DETECTOR: ModelDetector = ModelDetector {
    id: "model/template-escape",
    title: "a chat template reaches for the interpreter",
    severity: Critical,
    runs: true,
    judge,
};

fn judge(remark: &Remark) -> Option<Judged> {
    let What::TemplateEscape(how) = &remark.what else { return None };
    judged(Critical, Sure, format!("its chat template {how}"))
}
