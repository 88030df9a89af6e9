//! The package brings its own build back end, and that reaches the network or runs hidden code.
//!
//! A back end that lies in the package runs before anything else of it. Projects have one to wrap an ordinary back end, and then it only
//! calls that.
//!
//! **What to do:** read the back end. **Limits:** starting compilers is ordinary and told as info.
//! **Example:** `backend-path = ["."]` with a module that posts to a server.

use super::common::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "behaviour/inst-backend-intree",
    catalogue: "INST-BACKEND-INTREE",
    title: "a build back end of its own reaches out",
    severity: High,
    ecosystems: &[Ecosystem::Pypi],
    run,
};

fn run(package: &Package, findings: &mut Findings) {
    let Some(backend) = package.manifest.as_ref().and_then(|manifest| manifest.own_backend.as_ref()) else {
        return;
    };
    let file = backend.replace('.', "/");
    let is_backend = |code: &&Code| {
        code.path.ends_with(&format!("{file}.py")) || code.path.ends_with(&format!("{file}/__init__.py"))
    };
    for code in package.code.iter().filter(is_backend) {
        for fact in &code.facts.facts {
            let grade = match fact.what {
                What::NetSend | What::ExecDetached | What::SocketToProcess | What::DnsQuery => (High, Sure),
                What::NetReceive if !code.checks_digest => (High, Likely),
                What::Eval
                    if code.facts.flowing().any(|(from, to, _)| {
                        to == fact && matches!(from.what, What::Decode | What::BigConstant)
                    }) =>
                {
                    (High, Sure)
                }
                What::Exec if words::classes(&fact.detail).any(&[Class::Download, Class::ShellEval]) => {
                    (High, Likely)
                }
                What::Exec => (Info, Likely),
                _ => continue,
            };
            let message = if fact.what == What::Exec && grade.0 == Info {
                "its own build back end starts programs"
            } else {
                "its own build back end reaches the network or runs hidden code while it is built"
            };
            findings.tell(code, fact, grade, message);
        }
    }
}
