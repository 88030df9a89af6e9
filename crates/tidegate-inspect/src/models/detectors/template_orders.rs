//! A chat template puts words into the conversation that nobody sees.
//!
//! The template stands between the user and the model. One that adds orders when certain words appear, or tells the model to keep
//! something from the user, turns every answer. Ordinary templates add the name of the model, the date and how tools are called.
//!
//! **What to do:** read the template; use the one of the model's publisher.
//!
//! **Limits:** orders are told by their words, and only in English.

use super::common::*;

pub(super) const DETECTOR: ModelDetector = ModelDetector {
    id: "model/template-orders",
    title: "a chat template gives orders of its own",
    severity: High,
    runs: false,
    judge,
};

fn judge(remark: &Remark) -> Option<Judged> {
    let What::TemplateOrders(how) = &remark.what else { return None };
    judged(High, Likely, format!("its chat template {how}"))
}
