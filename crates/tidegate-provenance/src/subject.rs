//! The artifact in question: its digests, and the names under which a statement may speak of it.

use tidegate_model::{Algorithm, Digest};

/// What an attestation has to be about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subject {
    /// Names that a statement may use, compared exactly: a purl, a file name. Empty: the name is not compared, and every
    /// verification says so.
    pub names: Vec<String>,
    /// Digests of the bytes. Only SHA-256, SHA-384 and SHA-512 count.
    pub digests: Vec<Digest>,
}

impl Subject {
    /// An artifact with these digests and no name yet.
    pub fn new(digests: impl IntoIterator<Item = Digest>) -> Self {
        Self { names: Vec::new(), digests: digests.into_iter().collect() }
    }

    /// The same artifact, which may also be called `name`.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.names.push(name.into());
        self
    }

    /// A package of the npm registry, named as its attestations name it: `pkg:npm/%40scope/name@version`.
    pub fn npm(name: &str, version: &str, digests: impl IntoIterator<Item = Digest>) -> Self {
        let encoded = name.strip_prefix('@').map_or_else(|| name.to_owned(), |rest| format!("%40{rest}"));
        Self::new(digests).named(format!("pkg:npm/{encoded}@{version}"))
    }

    /// A file of the PyPI index, under its own name and under the one that publishing tools normalise it to (PEP 503
    /// names, PEP 625 source distributions).
    pub fn pypi(file_name: &str, digests: impl IntoIterator<Item = Digest>) -> Self {
        let subject = Self::new(digests).named(file_name);
        match normalised_file(file_name) {
            Some(other) if other != file_name => subject.named(other),
            _ => subject,
        }
    }

    /// The digest of one algorithm.
    pub fn digest(&self, algorithm: Algorithm) -> Option<&Digest> {
        self.digests.iter().find(|d| d.algorithm() == algorithm && algorithm.is_strong())
    }

    pub(crate) fn accepts_name(&self, name: &str) -> bool {
        self.names.is_empty() || self.names.iter().any(|n| n == name)
    }
}

/// The file name with its project part in lower case and with runs of `-`, `_` and `.` as one `_`.
fn normalised_file(file: &str) -> Option<String> {
    let (project, rest) = if file.ends_with(".whl") {
        file.split_once('-')?
    } else {
        let stem = file.strip_suffix(".tar.gz").or_else(|| file.strip_suffix(".zip"))?;
        let at = stem.rfind('-')?;
        (&file[..at], &file[at + 1..])
    };
    let mut name = String::with_capacity(project.len());
    for c in project.chars() {
        match c {
            '-' | '_' | '.' if name.ends_with('_') => {}
            '-' | '_' | '.' => name.push('_'),
            other => name.push(other.to_ascii_lowercase()),
        }
    }
    Some(format!("{name}-{rest}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_that_statements_use() {
        assert_eq!(Subject::npm("@a/b", "1.0.0", []).names, ["pkg:npm/%40a/b@1.0.0"]);
        assert_eq!(Subject::npm("b", "1.0.0", []).names, ["pkg:npm/b@1.0.0"]);
        assert_eq!(
            Subject::pypi("Foo.Bar-1.0.tar.gz", []).names,
            ["Foo.Bar-1.0.tar.gz", "foo_bar-1.0.tar.gz"]
        );
        assert_eq!(Subject::pypi("foo-bar-1.0.zip", []).names[1], "foo_bar-1.0.zip");
        assert_eq!(Subject::pypi("foo_bar-1.0-py3-none-any.whl", []).names.len(), 1);
    }

    #[test]
    fn a_weak_digest_is_no_digest() {
        let weak = Subject::new([Digest::from_bytes(Algorithm::Sha1, &[0; 20]).unwrap()]);
        assert!(weak.digest(Algorithm::Sha1).is_none());
    }
}
