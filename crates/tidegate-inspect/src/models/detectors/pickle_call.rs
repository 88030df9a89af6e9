//! Loading a pickle runs a command, code or a program, or opens what does.
//!
//! A pickle is a program that its loader runs. Those of models name classes that hold numbers; one that names functions which start
//! programs, run text, import modules by name or reach the network does so the moment somebody loads it, before any check.
//! Every name on the list of such functions is told, also where it is only named and not called: nothing ordinary names them.
//!
//! **What to do:** do not load it. Treat machines that did as compromised, and take a safetensors, GGUF or ONNX form of the model.
//!
//! **Example:** `cos\nsystem\n(S'curl … | sh'\ntR.`

use super::common::*;

pub(super) const DETECTOR: ModelDetector = ModelDetector {
    id: "model/pickle-call",
    title: "a pickle calls what does harm",
    severity: Critical,
    runs: true,
    judge,
};

fn judge(remark: &Remark) -> Option<Judged> {
    let What::PickleDenied { name, does, called } = &remark.what else { return None };
    let verb = if *called { "calls" } else { "names" };
    judged(Critical, Sure, format!("loading it {verb} `{name}`, which {does}"))
}
