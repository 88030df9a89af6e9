//! Reaching registries: which hosts may be asked, how an answer is bounded, what a failure means.
//!
//! A failure of an upstream is never a "does not exist": only 404, 410 and 451 say that a thing is absent.

mod client;
mod decode;
mod error;
mod promised;
pub mod proxy;
mod resolver;
mod tokens;

use std::collections::HashSet;
use std::sync::RwLock;

use http::HeaderValue;
use tidegate_ecosystems::UpstreamBase;
use tidegate_model::{PackageName, Secret};

pub use client::{ArtifactBody, Client, ClientSettings, Fetched, Posted, Validators};
pub use error::UpstreamError;
pub use promised::{Checking, Promised};
pub use tokens::Tokens;

/// One upstream of a repository.
#[derive(Debug)]
pub struct Upstream {
    /// A word for messages and records.
    pub name: String,
    /// Where it begins.
    pub base: UpstreamBase,
    /// Sent to the upstream's own host only.
    pub authorization: Option<Secret<HeaderValue>>,
    /// Names that only this upstream may be asked for.
    pub private: NamePatterns,
    /// Where its address came from, for `status` and `doctor`.
    pub source: String,
    /// Whether its own redirects name the hosts of its files, because no document of its does. What they hold is compared
    /// with what its documents promise.
    pub redirects_to_files: bool,
    /// The tokens that it handed out; `None` where an upstream of its kind hands out none.
    pub tokens: Option<Tokens>,
    hosts: RwLock<HashSet<String>>,
}

impl Upstream {
    /// An upstream whose files may come from its own host and from `file_hosts`.
    pub fn new(
        name: String,
        base: UpstreamBase,
        authorization: Option<Secret<HeaderValue>>,
        private: NamePatterns,
        file_hosts: &[String],
        source: String,
    ) -> Self {
        let mut hosts: HashSet<String> = file_hosts.iter().map(|h| h.to_ascii_lowercase()).collect();
        hosts.extend(base.url.host_str().map(str::to_ascii_lowercase));
        Self {
            name,
            base,
            authorization,
            private,
            source,
            redirects_to_files: false,
            tokens: None,
            hosts: RwLock::new(hosts),
        }
    }

    /// As it is reached by one ecosystem: whether its redirects name the hosts of its files, and whether it hands out tokens.
    #[must_use]
    pub fn of(self, ecosystem: tidegate_model::Ecosystem) -> Self {
        let tokens = (ecosystem == tidegate_model::Ecosystem::Oci).then(Tokens::default);
        Self { tokens, ..self.redirecting_to_files(ecosystem.redirects_to_files()) }
    }

    /// The same, and its own redirects say where its files lie.
    #[must_use]
    pub fn redirecting_to_files(mut self, redirects: bool) -> Self {
        self.redirects_to_files = redirects;
        self
    }

    /// Remembers a host that the upstream's own documents name as the place of its files.
    pub fn learn_host(&self, url: &url::Url) {
        let Some(host) = url.host_str() else { return };
        let host = host.to_ascii_lowercase();
        if !self.hosts.read().expect("no panic while holding it").contains(&host) {
            let mut hosts = self.hosts.write().expect("no panic while holding it");
            // A document that names ever more hosts must not grow this without bound.
            if hosts.len() < MAX_LEARNT_HOSTS {
                hosts.insert(host);
            }
        }
    }

    /// Whether bytes may be fetched from this address on behalf of this upstream.
    pub fn allows(&self, url: &url::Url) -> bool {
        let secure_enough =
            url.scheme() == "https" || (url.scheme() == "http" && self.base.url.scheme() == "http");
        let known = url.host_str().is_some_and(|host| {
            self.hosts.read().expect("no panic while holding it").contains(&host.to_ascii_lowercase())
        });
        secure_enough && known
    }

    /// Whether an address is on the upstream's own host, the only one that gets its credentials.
    pub fn is_own_host(&self, url: &url::Url) -> bool {
        url.host_str() == self.base.url.host_str()
            && url.port_or_known_default() == self.base.url.port_or_known_default()
            && url.scheme() == self.base.url.scheme()
    }
}

/// The most hosts learnt from one upstream's documents.
const MAX_LEARNT_HOSTS: usize = 256;

/// Globs over package names: `*` stands for anything but `/`, a trailing `/*` for every name of a scope.
#[derive(Clone, Debug, Default)]
pub struct NamePatterns {
    globs: Vec<String>,
}

impl NamePatterns {
    /// Patterns as configured.
    pub fn new(globs: &[String]) -> Self {
        Self { globs: globs.iter().map(|g| g.to_ascii_lowercase()).collect() }
    }

    /// Whether a name matches any pattern. Letter case is ignored: a private name must not leak by another spelling.
    pub fn matches(&self, name: &PackageName) -> bool {
        self.matches_text(name.as_str())
    }

    /// [`NamePatterns::matches`] for text that may not be a whole name.
    pub fn matches_text(&self, text: &str) -> bool {
        let text = text.to_ascii_lowercase();
        // crates and Python names treat `-`, `_` and `.` alike; comparing that way can only protect more names.
        let folded = text.replace(['_', '.'], "-");
        self.globs
            .iter()
            .any(|glob| glob_match(glob, &text) || glob_match(&glob.replace(['_', '.'], "-"), &folded))
    }

    /// The patterns, for messages.
    pub fn as_slice(&self) -> &[String] {
        &self.globs
    }
}

/// `*` matches any run of characters but `/`. Linear in practice, no backtracking beyond the last star.
fn glob_match(glob: &str, text: &str) -> bool {
    let (glob, text) = (glob.as_bytes(), text.as_bytes());
    let (mut g, mut t, mut star) = (0, 0, None);
    while t < text.len() {
        if g < glob.len() && glob[g] == b'*' {
            star = Some((g, t));
            g += 1;
        } else if g < glob.len() && glob[g] == text[t] {
            g += 1;
            t += 1;
        } else if let Some((star_g, star_t)) = star.filter(|(_, st)| text[*st] != b'/') {
            star = Some((star_g, star_t + 1));
            g = star_g + 1;
            t = star_t + 1;
        } else {
            return false;
        }
    }
    glob[g..].iter().all(|b| *b == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;
    use tidegate_model::Ecosystem;

    #[test]
    fn patterns_cover_scopes_and_spellings() {
        let patterns = NamePatterns::new(&["@acme/*".into(), "acme-*".into(), "internal_lib".into()]);
        for yes in
            ["@acme/x", "@ACME/x", "@acme/", "acme-tools", "acme_tools", "internal-lib", "internal.lib"]
        {
            assert!(patterns.matches_text(yes), "{yes}");
        }
        for no in ["@acme", "@acme2/x", "x@acme/x", "acme", "@acme/x/y", "lib"] {
            assert!(!patterns.matches_text(no), "{no}");
        }
        assert!(patterns.matches(&PackageName::parse(Ecosystem::Pypi, "Acme.Tools").unwrap()));
    }

    #[test]
    fn only_known_hosts_are_asked() {
        let base = UpstreamBase { url: "https://registry.example/npm/".parse().unwrap() };
        let upstream = Upstream::new(
            "r".into(),
            base,
            None,
            NamePatterns::default(),
            &["files.example".into()],
            String::new(),
        );
        let allows = |u: &str| upstream.allows(&u.parse().unwrap());
        assert!(allows("https://registry.example/x") && allows("https://FILES.example/x"));
        assert!(
            !allows("https://other.example/x")
                && !allows("http://registry.example/x")
                && !allows("ftp://files.example/x")
        );
        upstream.learn_host(&"https://other.example/y".parse().unwrap());
        assert!(allows("https://other.example/x"));
        assert!(!upstream.is_own_host(&"https://registry.example:444/".parse().unwrap()));
    }
}
