//! Files of credentials are read and sent away.
//!
//! Tokens of registries and clouds, SSH keys, the history of a shell: nobody but the program that they belong to has business with them.
//!
//! **What to do:** do not run it; if it ran, exchange everything that the files held. **Limits:** clients of clouds and registries read their own file and
//! send what is in it to their own service; where that host is not written in the code and only a function does it, it is told as low.
//! **Example:** `fetch(url, {method: 'POST', body: fs.readFileSync(home + '/.npmrc')})`.

use super::common::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "behaviour/exfil-cred-file",
    catalogue: "EXFIL-CRED-FILE",
    title: "reads files of credentials and sends them",
    severity: Critical,
    ecosystems: &[],
    run,
};

const STORES: &[Class] = &[Class::CredentialFile];

fn run(package: &Package, findings: &mut Findings) {
    keys(package, findings);
    for (code, from, to, _) in package.flows() {
        let sends = matches!(to.what, What::NetSend | What::DnsQuery);
        let is_store = match from.what {
            What::FileRead | What::FolderRead => words::classes(&from.detail).any(STORES),
            What::KeychainRead => true,
            What::ExecOutput => words::classes(&from.detail).any(&[Class::Keychain, Class::CredentialFile]),
            _ => false,
        };
        if !sends || !is_store {
            continue;
        }
        let address = foreign(&to.detail);
        let own = address.as_ref().is_some_and(|address| is_own_service(&from.detail, address));
        let grade = match (early(code, to), &address) {
            (true, Some(_)) if !own => (Critical, Sure),
            (true, None) => (Critical, Likely),
            (false, Some(_)) if !own => (High, Likely),
            _ => (Low, Likely),
        };
        findings.tell(
            code,
            to,
            grade,
            &format!(
                "sends what it reads from a file of credentials to {} {}",
                host(&to.detail),
                when(code, to)
            ),
        );
    }
    collections(package, findings);
    walks(package, findings);
}

/// Files of settings, or whatever a walk through folders finds, sent to an address that is written in the code as soon as it is loaded. Nobody
/// asked for that; programs send files when they are started.
fn walks(package: &Package, findings: &mut Findings) {
    for code in package.code.iter().filter(|code| !code.reach.is_program) {
        let into = |to: &Fact, what: What| {
            code.facts.flowing().any(|(from, sink, _)| sink == to && from.what == what)
        };
        for (from, to, _) in code.facts.flowing() {
            let is_sent = to.what == What::NetSend && from.what == What::FileRead;
            if !is_sent || !early(code, to) || !code.is_sure(to) || foreign(&to.detail).is_none() {
                continue;
            }
            let is_settings = words::has(&from.detail, Class::DotEnv);
            let is_walk = from.detail.starts_with(['*', '~', '.'])
                && from.detail.ends_with('*')
                && into(to, What::FolderRead);
            if is_settings || is_walk {
                let what = if is_settings { "a file of settings" } else { "files that it finds in folders" };
                let message = format!("sends {what} to {} {}", host(&to.detail), when(code, to));
                findings.tell(code, to, (High, Likely), &message);
            }
        }
    }
}

/// Many files of credentials named in one file that also reads files and sends: a collection, whatever way the data takes.
fn collections(package: &Package, findings: &mut Findings) {
    for code in package.code.iter().filter(|code| in_file(code, &[What::NetSend, What::DnsQuery])) {
        let mut stores = std::collections::BTreeSet::new();
        let named = code
            .facts
            .facts
            .iter()
            .filter(|fact| matches!(fact.what, What::FileRead | What::FolderRead | What::Text));
        for fact in named {
            stores.extend(words::find(&fact.detail, Class::CredentialFile));
        }
        let reads =
            code.facts.facts.iter().find(|fact| matches!(fact.what, What::FileRead | What::FolderRead));
        let Some(read) = reads.filter(|_| stores.len() >= 3) else { continue };
        let flows = code.facts.flowing().any(|(from, to, _)| {
            matches!(from.what, What::FileRead | What::FolderRead) && to.what == What::NetSend
        });
        let sends_abroad = of_file(code, What::NetSend).any(|fact| foreign(&fact.detail).is_some());
        let grade = match (early(code, read), flows, sends_abroad) {
            (true, true, _) => (Critical, Sure),
            (true, false, true) => (Critical, Likely),
            (_, true, true) => (High, Likely),
            _ => (Medium, Likely),
        };
        findings.tell(
            code,
            read,
            grade,
            &format!("names {} kinds of credential files, reads files and sends something", stores.len()),
        );
    }
}

/// Keys of wallets are looked for in the sources of others by their form, or read for whoever asks, and sent to a host that is written
/// in the code.
fn keys(package: &Package, findings: &mut Findings) {
    let name =
        package.manifest.as_ref().and_then(|m| m.name.clone()).unwrap_or_default().to_ascii_lowercase();
    let name: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    let keeps_keys = ["keypair", "wallet", "mnemonic", "keystore", "seedphrase", "privatekey"]
        .iter()
        .any(|word| name.contains(word));
    for code in package.code.iter().filter(|code| !code.reach.is_program) {
        let hosts: std::collections::BTreeSet<String> =
            of_file(code, What::NetSend).filter_map(|fact| Some(foreign(&fact.detail)?.host)).collect();
        let searches = of_file(code, What::Text)
            .find(|fact| words::has(&fact.detail, Class::AddressPattern) && is_pattern(&fact.detail));
        let walks = of_file(code, What::FolderRead)
            .any(|fact| matches!(fact.detail.as_str(), "." | "*" | "~" | "./*"));
        if let Some(fact) = searches.filter(|_| walks && hosts.len() == 1 && in_file(code, &[What::FileRead]))
        {
            let host = hosts.first().map_or("", String::as_str);
            let message =
                format!("looks for keys of wallets in files that it finds and sends something to `{host}`");
            findings.tell(code, fact, (High, Likely), &message);
        }
        let hands_on = code.facts.flowing().find(|(from, to, _)| {
            from.what == What::FileRead
                && from.detail.starts_with('*')
                && to.what == What::NetSend
                && foreign(&to.detail).is_some()
                && !is_far(from, to)
        });
        if let Some((_, to, _)) = hands_on.filter(|_| keeps_keys && hosts.len() == 1) {
            let message = format!("reads keys for whoever calls it and sends them to {}", host(&to.detail));
            findings.tell(code, to, (High, Likely), &message);
        }
    }
}

/// Whether a text is a pattern with a number of characters that keys have.
fn is_pattern(text: &str) -> bool {
    ["{64}", "{32,44}", "{43,44}", "{87,88}", "{88}", "{51,52}", "{51}", "{86,88}", "{80,90}"]
        .iter()
        .any(|times| text.contains(times))
}

/// Whether a host belongs to the program whose file it is: `.aws/credentials` to amazonaws.
fn is_own_service(path: &str, address: &Address) -> bool {
    let path = path.to_ascii_lowercase();
    let services: &[(&str, &str)] = &[
        ("aws", "amazonaws"),
        ("boto", "amazonaws"),
        ("azure", "azure"),
        ("azure", "microsoftonline"),
        ("gcloud", "googleapis"),
        ("application_default", "googleapis"),
        ("gh/hosts", "github"),
        ("git-credentials", "github"),
        ("npmrc", "npmjs"),
        ("pypirc", "pypi"),
        ("cargo", "crates"),
        ("docker", "docker"),
        ("huggingface", "huggingface"),
        ("kaggle", "kaggle"),
        ("databricks", "databricks"),
        ("vercel", "vercel"),
        ("sentryclirc", "sentry"),
        ("netrc", "heroku"),
        ("credential fill", "github"),
        ("credential fill", "gitlab"),
        ("firebase", "googleapis"),
        ("wrangler", "cloudflare"),
    ];
    services.iter().any(|(file, service)| path.contains(file) && address.belongs_to(service))
}
