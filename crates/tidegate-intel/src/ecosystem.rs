//! How feeds name ecosystems and packages, and the one form under which tidegate looks them up.
//!
//! The OSV schema names an ecosystem by a word, with a suffix after a colon where there are several of a kind
//! (`Alpine:v3.18`). The word is folded to lower case here. Rust packages are an exception: the schema names them after
//! the domain of their registry, which this source does not spell out; any word that begins like that domain, and
//! cargo's own name, stand for the same ecosystem.

use std::borrow::Cow;

/// What the schema's name for the ecosystem of Rust packages begins with.
const RUST_PREFIX: &str = "crates.";

/// The word for Rust packages here, as in package URLs.
const RUST: &str = "cargo";

/// An ecosystem as looked up: a lower-case word, and the suffix that narrows it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EcosystemName<'a> {
    /// `npm`, `pypi`, `cargo`, `go`, `maven`, `alpine`, …
    pub word: Cow<'a, str>,
    /// What stood after the colon, such as the release of a distribution.
    pub suffix: Option<&'a str>,
}

impl<'a> EcosystemName<'a> {
    /// Reads an OSV ecosystem string, or tidegate's own word for an ecosystem.
    pub fn parse(text: &'a str) -> Self {
        let (base, suffix) = match text.split_once(':') {
            Some((base, suffix)) => (base, Some(suffix).filter(|s| !s.is_empty())),
            None => (text, None),
        };
        let starts_like_rust =
            base.get(..RUST_PREFIX.len()).is_some_and(|start| start.eq_ignore_ascii_case(RUST_PREFIX));
        let word = if starts_like_rust {
            Cow::Borrowed(RUST)
        } else if base.bytes().any(|b| b.is_ascii_uppercase()) {
            Cow::Owned(base.to_ascii_lowercase())
        } else {
            Cow::Borrowed(base)
        };
        Self { word, suffix }
    }

    /// Whether an advisory for an ecosystem with the suffix `stated` speaks of this one. A missing suffix on either side
    /// means all of them, and one that is only a beginning of the other's, up to a colon, means all that go on from there:
    /// Red Hat's name a repository behind the release (`enterprise_linux:9::baseos`).
    pub fn covers(&self, stated: Option<&str>) -> bool {
        match (self.suffix, stated) {
            (Some(asked), Some(stated)) => {
                let rest = stated.strip_prefix(asked);
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
            }
            _ => true,
        }
    }
}

/// The form of a package name under which it is stored and looked up, by the rules of its ecosystem.
///
/// * PyPI: PEP 503, lower case with runs of `-`, `_` and `.` as one `-`.
/// * cargo: lower case, `_` as `-`: the registry lets only one of such names exist.
/// * NuGet, Packagist, Hex: lower case.
/// * VS Code: lower case, `publisher/name`, also where a feed writes `publisher.name`.
/// * All others, npm and Go among them: as given.
pub fn normal_name<'a>(ecosystem_word: &str, name: &'a str) -> Cow<'a, str> {
    match ecosystem_word {
        "pypi" => pep_503(name),
        RUST if name.bytes().any(|b| b == b'_' || b.is_ascii_uppercase()) => {
            Cow::Owned(name.to_ascii_lowercase().replace('_', "-"))
        }
        "nuget" | "packagist" | "hex" if name.chars().any(char::is_uppercase) => {
            Cow::Owned(name.to_lowercase())
        }
        "vscode" if !name.contains('/') || name.bytes().any(|b| b.is_ascii_uppercase()) => {
            let name = if name.contains('/') { name.to_owned() } else { name.replacen('.', "/", 1) };
            Cow::Owned(name.to_ascii_lowercase())
        }
        _ => Cow::Borrowed(name),
    }
}

fn pep_503(name: &str) -> Cow<'_, str> {
    let separator = |b: u8| matches!(b, b'-' | b'_' | b'.');
    let bytes = name.as_bytes();
    let normal = bytes.iter().all(|&b| !b.is_ascii_uppercase() && b != b'_' && b != b'.')
        && !bytes.windows(2).any(|pair| pair == b"--");
    if normal {
        return Cow::Borrowed(name);
    }
    let mut out = String::with_capacity(name.len());
    let mut in_run = false;
    for c in name.chars() {
        let is_separator = u8::try_from(c).is_ok_and(separator);
        if !is_separator {
            out.push(c.to_ascii_lowercase());
        } else if !in_run {
            out.push('-');
        }
        in_run = is_separator;
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ecosystems_are_folded_and_suffixes_kept_apart() {
        let rust = concat!("crates", ".", "io");
        for (text, word, suffix) in [
            ("npm", "npm", None),
            ("PyPI", "pypi", None),
            (rust, "cargo", None),
            ("cargo", "cargo", None),
            ("Alpine:v3.18", "alpine", Some("v3.18")),
            ("Debian:", "debian", None),
            ("GitHub Actions", "github actions", None),
        ] {
            let name = EcosystemName::parse(text);
            assert_eq!((&*name.word, name.suffix), (word, suffix), "{text}");
        }
    }

    #[test]
    fn a_missing_suffix_means_every_release() {
        let asked = EcosystemName::parse("Alpine:v3.18");
        assert!(asked.covers(Some("v3.18")) && asked.covers(None) && !asked.covers(Some("v3.19")));
        assert!(EcosystemName::parse("Alpine").covers(Some("v3.19")));
        let asked = EcosystemName::parse("Red Hat:enterprise_linux:9");
        assert!(asked.covers(Some("enterprise_linux:9::baseos")));
        assert!(!asked.covers(Some("enterprise_linux:90")) && !asked.covers(Some("rhel_eus:9.2::baseos")));
    }

    #[test]
    fn names_take_the_form_of_their_ecosystem() {
        for (word, name, normal) in [
            ("pypi", "Zope.Interface__x", "zope-interface-x"),
            ("pypi", "plain-name", "plain-name"),
            ("pypi", "a--b", "a-b"),
            ("cargo", "Serde_JSON", "serde-json"),
            ("npm", "JSONStream", "JSONStream"),
            ("npm", "@Scope/x_y", "@Scope/x_y"),
            ("go", "github.com/Masterminds/x/v2", "github.com/Masterminds/x/v2"),
            ("nuget", "Newtonsoft.Json", "newtonsoft.json"),
            ("packagist", "TYPO3/cms", "typo3/cms"),
        ] {
            assert_eq!(normal_name(word, name), normal, "{word} {name}");
        }
    }
}
