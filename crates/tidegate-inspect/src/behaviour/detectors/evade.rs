//! Before it acts, code asks whether somebody watches: names of machines, debuggers, countries, dates.
//!
//! A condition of this kind before something grave raises that by one level in its own finding. By itself it is told as low: programs ask these questions for
//! ordinary reasons too.
//!
//! **What to do:** see what it does where nobody watches. **Limits:** asking for CI is so common that it is not told.
//! **Example:** `if (os.cpus().length < 4 || /sandbox/.test(os.hostname())) return;`.

use super::common::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "behaviour/evade",
    catalogue: "EVADE",
    title: "acts only where nobody watches",
    severity: Low,
    ecosystems: &[],
    run,
};

const SINKS: &[What] = &[
    What::Exec,
    What::ExecDetached,
    What::NetSend,
    What::Eval,
    What::FileDelete,
    What::SocketToProcess,
    What::DynamicImport,
    What::NetReceive,
];

fn run(package: &Package, findings: &mut Findings) {
    for (code, fact) in package.facts(SINKS) {
        let hides = fact.gates.iter().find(|gate| matches!(gate, Gate::Machine | Gate::Locale | Gate::Time));
        if let Some(gate) = hides.filter(|_| early(code, fact)) {
            let what = match gate {
                Gate::Machine => "machine, user or debugger",
                Gate::Locale => "language or country",
                _ => "date or time",
            };
            findings.tell(
                code,
                fact,
                (Low, Likely),
                &format!("acts only after it looked at {what} {}", when(code, fact)),
            );
        }
    }
}
