//! The program that answers requests for a model runs what the requests say.
//!
//! Repositories of models may bring the handler of an endpoint: a class that is given every request. One that starts the program
//! which a request names, or runs its text as code, gives the machine to whoever can ask.
//!
//! **What to do:** do not put it behind an endpoint; take the model without its handler.
//!
//! **Limits:** handlers are known by the names that endpoints ask for (`EndpointHandler`, `PreTrainedPipeline`). Arguments of a
//! program that the handler itself names are not told.

use super::common::*;

pub(super) const DETECTOR: ModelDetector = ModelDetector {
    id: "model/handler",
    title: "the handler of a model runs what requests say",
    severity: Critical,
    runs: true,
    judge,
};

fn judge(remark: &Remark) -> Option<Judged> {
    let What::Handler(command) = &remark.what else { return None };
    judged(Critical, Likely, format!("its handler runs what requests say: `{command}`"))
}
