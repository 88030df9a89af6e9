//! A crate runs code before `main`, and that code reaches the network or starts programs.
//!
//! Constructors run in every program that links the crate, whether it calls it or not. They register things; they have nothing to say
//! to a server.
//!
//! **What to do:** do not build with it. **Limits:** constructors of C code that is linked in are not read.
//! **Example:** `#[ctor] fn init() { std::thread::spawn(|| TcpStream::connect(…)); }`.

use super::common::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "behaviour/start-ctor",
    catalogue: "START-CTOR",
    title: "reaches out before `main` runs",
    severity: High,
    ecosystems: &[Ecosystem::Cargo],
    run,
};

const ACTS: &[What] = &[
    What::NetSend,
    What::NetReceive,
    What::ChannelReceive,
    What::Exec,
    What::ExecDetached,
    What::DnsQuery,
    What::SocketToProcess,
    What::FileDelete,
];

fn run(package: &Package, findings: &mut Findings) {
    let libraries = package.code.iter().filter(|code| {
        code.language == Some(Language::Rust)
            && code.path.starts_with("src/")
            && !code.path.contains("main.rs")
            && !code.path.contains("/bin/")
    });
    let is_macro = package.manifest.as_ref().is_some_and(|manifest| manifest.is_macro);
    for code in libraries.filter(|_| !is_macro) {
        let is_program =
            package.manifest.iter().flat_map(|m| &m.programs).any(|program| program.target == code.path);
        for fact in code
            .facts
            .facts
            .iter()
            .filter(|fact| ACTS.contains(&fact.what) && fact.scope == Scope::Load && !is_program)
        {
            let message = "runs before `main` in every program that links it, and reaches the network or starts programs";
            findings.tell_at(
                &code.full,
                Some(fact.line),
                Stage::Startup,
                (High, Sure),
                message,
                &fact.detail,
            );
        }
    }
}
