//! Repositories: the endpoints that clients point at, and which upstream a name belongs to.

use std::sync::Arc;

use tidegate_ecosystems::Protocol;
use tidegate_model::{Ecosystem, PackageName};
use tidegate_provenance::{Instance, KeyRing};

use crate::upstream::{NamePatterns, Upstream};

/// An endpoint that clients point at.
pub struct Repository {
    /// Its name: the first part of its path.
    pub name: Arc<str>,
    /// What it speaks.
    pub ecosystem: Ecosystem,
    /// How it speaks.
    pub protocol: &'static dyn Protocol,
    /// Names that leave through no upstream.
    pub private: NamePatterns,
    /// Upstreams in the order in which they are asked.
    pub upstreams: Vec<Arc<Upstream>>,
    /// Whether a branch stays at the last of its commits that may be had.
    pub hold_at_approved: bool,
    /// Names of registries of images that it stands for, beside the hosts of its upstreams, in lower case.
    pub registries: Vec<String>,
    /// Whether nothing is let in but what is approved by name.
    pub approved_only: bool,
    /// The Sigstore instance whose root vouches, where it is not the public one.
    pub sigstore: Option<String>,
    /// Keys whose signatures of images count.
    pub cosign_keys: Arc<KeyRing>,
    /// Why there is no upstream, and what to do; empty where there is one.
    pub not_configured: String,
}

impl Repository {
    /// The upstreams that may be asked for a name, in order: the one that owns it where a private pattern says so, none
    /// where the repository keeps it home, else all.
    pub fn upstreams_for(&self, name: &PackageName) -> Vec<Arc<Upstream>> {
        if self.private.matches(name) {
            return Vec::new();
        }
        let owners: Vec<_> = self.upstreams.iter().filter(|u| u.private.matches(name)).cloned().collect();
        if owners.is_empty() { self.upstreams.clone() } else { owners }
    }

    /// The Sigstore instance whose root vouches for what it serves.
    pub fn instance(&self) -> Instance {
        self.sigstore.as_deref().map_or(Instance::PublicGood, Instance::named)
    }

    /// Whether a name is private to the organisation.
    pub fn is_private(&self, name: &PackageName) -> bool {
        self.private.matches(name) || self.upstreams.iter().any(|u| u.private.matches(name))
    }

    /// Whether a name may be spoken of to this upstream.
    pub fn may_tell(&self, upstream: &Upstream, name: &PackageName) -> bool {
        upstream.private.matches(name) || !self.is_private(name)
    }

    /// Whether text (a search) mentions something private.
    pub fn mentions_private(&self, text: &str) -> bool {
        let patterns = self.upstreams.iter().map(|u| &u.private).chain([&self.private]);
        let words: Vec<&str> = text.split(|c: char| c.is_whitespace() || c == ',').collect();
        let folded = folded(text);
        patterns.into_iter().any(|p| {
            words.iter().any(|word| p.matches_text(word))
                || p.as_slice().iter().any(|glob| telling(glob).is_some_and(|part| folded.contains(&part)))
        })
    }
}

/// The fixed part of a pattern that tells as much as a whole name: `acme` of `@acme/*` (a search may say `scope:acme`),
/// `acme` of `acme-*`. Short ones would match everything.
fn telling(glob: &str) -> Option<String> {
    let parts = glob.split('*').map(|part| folded(part.trim_matches(|c: char| !c.is_ascii_alphanumeric())));
    parts.max_by_key(String::len).filter(|part| part.len() > 2)
}

/// Without the differences that ecosystems ignore in names.
fn folded(text: &str) -> String {
    text.to_ascii_lowercase().replace(['_', '.'], "-")
}

impl std::fmt::Debug for Repository {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Repository")
            .field("name", &self.name)
            .field("upstreams", &self.upstreams)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tidegate_ecosystems::UpstreamBase;

    fn repository() -> Repository {
        let upstream = |name: &str, private: &[&str]| {
            let private: Vec<String> = private.iter().map(|s| (*s).to_owned()).collect();
            let base = UpstreamBase { url: format!("https://{name}.example/").parse().unwrap() };
            Arc::new(Upstream::new(name.into(), base, None, NamePatterns::new(&private), &[], String::new()))
        };
        Repository {
            name: "npm".into(),
            ecosystem: Ecosystem::Npm,
            protocol: tidegate_ecosystems::protocol(Ecosystem::Npm),
            private: NamePatterns::new(&["@secret/*".into()]),
            hold_at_approved: false,
            registries: Vec::new(),
            approved_only: false,
            sigstore: None,
            cosign_keys: Arc::default(),
            upstreams: vec![upstream("acme", &["@acme/*"]), upstream("public", &[])],
            not_configured: String::new(),
        }
    }

    #[test]
    fn private_names_have_one_way() {
        let repository = repository();
        let names = |text: &str| -> Vec<String> {
            let name = PackageName::parse(Ecosystem::Npm, text).unwrap();
            repository.upstreams_for(&name).iter().map(|u| u.name.clone()).collect()
        };
        assert_eq!(names("@acme/x"), ["acme"]);
        assert_eq!(names("@secret/x"), Vec::<String>::new());
        assert_eq!(names("left-pad"), ["acme", "public"]);
    }

    #[test]
    fn a_search_that_mentions_a_private_name_is_noticed() {
        let repository = repository();
        for yes in ["@acme/x", "scope:acme @acme", "scope:acme", "@secret/plan", "keywords:@ACME/tool"] {
            assert!(repository.mentions_private(yes), "{yes}");
        }
        assert!(!repository.mentions_private("left-pad"));
    }
}
