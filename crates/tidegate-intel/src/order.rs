//! Versions as byte strings whose plain comparison is the ecosystem's order.
//!
//! Every boundary of an advisory is turned into such a key once, when the advisory is compiled; a version that is asked
//! about is turned into one once per question. What is left of matching is comparing bytes.

/// An order of versions that can be written as bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scheme {
    /// Semantic Versioning 2.0.0 precedence, lenient about a leading `v` or `=` and about missing parts.
    SemVer,
    /// PEP 440.
    Pep440,
}

/// A version as it was asked for, turned into keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct VersionKeys {
    /// The key itself.
    pub exact: Vec<u8>,
    /// The key without a local part (PEP 440, `+cu118`), where there is one.
    pub without_local: Option<Vec<u8>>,
}

impl Scheme {
    /// The order of an ecosystem, where it is known here.
    pub(crate) fn of(ecosystem_word: &str) -> Option<Self> {
        Some(match ecosystem_word {
            "npm" | "cargo" | "go" | "hex" | "swifturl" | "pub" | "bitnami" => Self::SemVer,
            "pypi" => Self::Pep440,
            _ => return None,
        })
    }

    /// The key of a version; `None` where the text breaks the order's grammar.
    pub(crate) fn key(self, text: &str) -> Option<Vec<u8>> {
        if text.len() > tidegate_model::version::MAX_VERSION_BYTES {
            return None;
        }
        match self {
            Self::SemVer => semver_key(text),
            Self::Pep440 => Some(pep440_key(&text.parse().ok()?)),
        }
    }

    /// The keys of a version that is asked about.
    pub(crate) fn keys(self, text: &str) -> Option<VersionKeys> {
        let exact = self.key(text)?;
        let without_local = match self {
            Self::Pep440 if text.contains('+') => text.split('+').next().and_then(|t| self.key(t)),
            _ => None,
        };
        Some(VersionKeys { exact, without_local })
    }
}

/// A number as its length and its digits, so that longer means larger.
fn number(digits: &str, out: &mut Vec<u8>) -> Option<()> {
    let digits = digits.trim_start_matches('0');
    out.push(u8::try_from(digits.len()).ok()?);
    out.extend_from_slice(digits.as_bytes());
    Some(())
}

fn semver_key(text: &str) -> Option<Vec<u8>> {
    let text = text.trim().trim_start_matches('=').trim_start();
    let text = text.strip_prefix(['v', 'V']).unwrap_or(text);
    let text = text.split('+').next().unwrap_or(text);
    let (core, pre) = match text.split_once('-') {
        Some((core, pre)) => (core, Some(pre)),
        None => (text, None),
    };
    let mut out = Vec::with_capacity(text.len() + 6);
    let mut parts = 0;
    for part in core.split('.') {
        if part.is_empty() || !part.bytes().all(|b| b.is_ascii_digit()) || parts == 3 {
            return None;
        }
        number(part, &mut out)?;
        parts += 1;
    }
    out.extend(std::iter::repeat_n(0, 3 - parts));
    let Some(pre) = pre else {
        out.push(0xff);
        return Some(out);
    };
    for part in pre.split('.') {
        if part.is_empty() || !part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
            return None;
        }
        if part.bytes().all(|b| b.is_ascii_digit()) {
            out.push(1);
            number(part, &mut out)?;
        } else {
            out.push(2);
            out.extend_from_slice(part.as_bytes());
            out.push(0);
        }
    }
    out.push(0);
    Some(out)
}

fn pep440_key(version: &pep440_rs::Version) -> Vec<u8> {
    let mut out = Vec::with_capacity(32);
    let put = |value: u64, out: &mut Vec<u8>| out.extend_from_slice(&value.to_be_bytes());
    put(version.epoch(), &mut out);
    let release = version.release();
    let significant = release.iter().rposition(|part| *part != 0).map_or(0, |last| last + 1);
    for part in &release[..significant] {
        out.push(1);
        put(*part, &mut out);
    }
    out.push(0);
    // A development release of a final version comes before its pre-releases; a version without a pre-release part comes
    // after them.
    match version.pre() {
        Some(pre) => {
            out.push(match pre.kind {
                pep440_rs::PrereleaseKind::Alpha => 1,
                pep440_rs::PrereleaseKind::Beta => 2,
                pep440_rs::PrereleaseKind::Rc => 3,
            });
            put(pre.number, &mut out);
        }
        None if version.post().is_none() && version.dev().is_some() => out.push(0),
        None => out.push(0xff),
    }
    match version.post() {
        Some(post) => {
            out.push(1);
            put(post, &mut out);
        }
        None => out.push(0),
    }
    match version.dev() {
        Some(dev) => {
            out.push(0);
            put(dev, &mut out);
        }
        None => out.push(0xff),
    }
    for segment in version.local() {
        match segment {
            pep440_rs::LocalSegment::String(text) => {
                out.push(1);
                out.extend_from_slice(text.as_bytes());
                out.push(0);
            }
            pep440_rs::LocalSegment::Number(value) => {
                out.push(2);
                put(*value, &mut out);
            }
        }
    }
    out.push(0);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ascending(scheme: Scheme, versions: &[&str]) {
        let keys: Vec<Vec<u8>> = versions.iter().map(|v| scheme.key(v).unwrap()).collect();
        for (i, pair) in keys.windows(2).enumerate() {
            assert!(pair[0] < pair[1], "{} should come before {}", versions[i], versions[i + 1]);
        }
    }

    #[test]
    fn keys_compare_as_the_standards_say() {
        ascending(
            Scheme::SemVer,
            &[
                "0.0.0-0",
                "0.0.0",
                "1.0.0-1",
                "1.0.0-2",
                "1.0.0-10",
                "1.0.0-alpha",
                "1.0.0-alpha.1",
                "1.0.0-alpha.beta",
                "1.0.0-beta.2",
                "1.0.0-beta.11",
                "1.0.0-rc.1",
                "1.0.0",
                "1.4.4-lts.1",
                "2.0.0",
                "10.0.0",
                "99999999999999999999.0.0",
            ],
        );
        ascending(
            Scheme::Pep440,
            &[
                "1.dev0",
                "1.0a1.dev1",
                "1.0a1",
                "1.0b2",
                "1.0rc1",
                "1.0",
                "1.0+abc",
                "1.0+1",
                "1.0.post1.dev2",
                "1.0.post1",
                "1.1.dev1",
                "1.1",
                "1.10",
                "1!0.1",
            ],
        );
    }

    #[test]
    fn equal_spellings_have_one_key() {
        for (scheme, a, b) in [
            (Scheme::SemVer, "v1.2", "1.2.0"),
            (Scheme::SemVer, "=1.2.3", "1.2.3+build"),
            (Scheme::Pep440, "1.0", "1.0.0"),
            (Scheme::Pep440, "1.0alpha1", "1.0a1"),
        ] {
            assert_eq!(scheme.key(a).unwrap(), scheme.key(b).unwrap(), "{a} {b}");
        }
        assert!(Scheme::SemVer.key("1.2.3.4").is_none() && Scheme::Pep440.key("2.0.0-final").is_none());
        let keys = Scheme::Pep440.keys("2.1.0+cu118").unwrap();
        assert_eq!(keys.without_local, Scheme::Pep440.key("2.1.0"));
    }
}
