//! Python code is packed in layers: compiled, compressed or encrypted text that is unpacked and run.
//!
//! **Why:** packers are for those who do not want to be read. Some vendors protect their code so.
//!
//! **What to do:** ask the publisher for readable code. **Limits:** caches that store compiled code use one layer and run nothing of a constant.
//! **Example:** `exec(marshal.loads(zlib.decompress(base64.b64decode(b'…'))))`.

use super::common::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "behaviour/obf-packed",
    catalogue: "OBF-PACKED",
    title: "runs code that is packed in layers",
    severity: High,
    ecosystems: &[Ecosystem::Pypi],
    run,
};

fn run(package: &Package, findings: &mut Findings) {
    for code in package.code.iter().filter(|code| code.language == Some(Language::Python)) {
        for eval in of_file(code, What::Eval) {
            let layers: std::collections::BTreeSet<&str> = code
                .facts
                .flowing()
                .filter(|(from, to, _)| *to == eval && from.what == What::Decode)
                .map(|(from, ..)| from.detail.as_str())
                .collect();
            let big = code.facts.flowing().any(|(from, to, _)| to == eval && from.what == What::BigConstant);
            let is_compiled = layers.contains("marshal");
            let grade = match (layers.len(), big) {
                (2.., _) | (_, true) => (High, Sure),
                (1, false) if is_compiled && early(code, eval) => (High, Likely),
                _ => continue,
            };
            // What others hand over comes in layers, too: a function that runs them hides nothing of its own.
            let holds =
                big || eval.folded || code.facts.flowing().any(|(from, to, _)| to == eval && from.folded);
            let grade = match early(code, eval) {
                true => grade,
                false if holds => (High, Likely),
                false => (Low, Likely),
            };
            findings.tell(
                code,
                eval,
                grade,
                &format!("runs code that it unpacks from layers {}", when(code, eval)),
            );
        }
        let is_protected = code
            .facts
            .imports
            .iter()
            .any(|name| name.contains("pyarmor_runtime") || name.contains("pytransform"));
        if is_protected {
            findings.tell_at(
                &code.full,
                Some(1),
                code.reach.stage,
                (Medium, Likely),
                "its code is encrypted and unpacked by a native library",
                "",
            );
        }
    }
}
