//! Ranges of versions, in the order of their ecosystem: `>=1.0.0,<1.3.0`.
//!
//! A range is held against the versions of which anything was recorded, which are few, and never against rows.

use serde_json::{Value, json};
use tidegate_model::coordinate::{PackageRef, package_purl};
use tidegate_model::{Ecosystem, PackageName, Version};
use tidegate_store::access_index::{AccessIndex, AccessIndexError, WhoSubject};

use super::super::problem::Problem;

/// The most conditions of one range.
const MAX_CONDITIONS: usize = 16;
/// The most versions that are listed; all of them count.
const MAX_LISTED: usize = 1000;

/// Versions between bounds: every condition must hold.
#[derive(Debug)]
pub(super) struct Range {
    package: PackageName,
    text: String,
    conditions: Vec<(Operator, Version)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    AtLeast,
    Above,
    AtMost,
    Below,
    Is,
    IsNot,
}

impl Operator {
    /// Longer words first: `>=` begins with `>`.
    const ALL: [(&'static str, Self); 7] = [
        (">=", Self::AtLeast),
        ("<=", Self::AtMost),
        ("!=", Self::IsNot),
        ("==", Self::Is),
        (">", Self::Above),
        ("<", Self::Below),
        ("=", Self::Is),
    ];

    fn holds(self, version: &Version, bound: &Version) -> bool {
        match self {
            Self::AtLeast => version >= bound,
            Self::Above => version > bound,
            Self::AtMost => version <= bound,
            Self::Below => version < bound,
            Self::Is => version == bound,
            Self::IsNot => version != bound,
        }
    }
}

/// A package URL without version, and the range behind its `@`, where there is one; also one in a notation that is not read here,
/// for no version is written so and an answer about none would read as innocence.
pub(super) fn split(purl: &str) -> (&str, Option<&str>) {
    match purl.rsplit_once('@') {
        Some((package, range)) if range.starts_with(['<', '>', '=', '!', '^', '~', '*']) => {
            (package, Some(range))
        }
        _ => (purl, None),
    }
}

impl Range {
    pub(super) fn parse(package: &PackageName, text: &str) -> Result<Self, Problem> {
        let ecosystem = package.ecosystem();
        let bad = |what: String| Problem::bad(what, "write it as >=1.0.0,<1.3.0: each condition has to hold");
        if matches!(ecosystem, Ecosystem::Huggingface | Ecosystem::Oci) {
            return Err(Problem::bad(
                format!("versions of {ecosystem} have no order, so there is no range of them"),
                "ask for the package, or for one version",
            ));
        }
        let mut conditions = Vec::new();
        for condition in text.split(',').map(str::trim) {
            let shown: String = condition.chars().take(100).collect();
            let found =
                Operator::ALL.iter().find_map(|(word, op)| Some((*op, condition.strip_prefix(word)?)));
            let Some((operator, bound)) = found else {
                return Err(bad(format!("`{}` is no condition on a version", shown.escape_debug())));
            };
            let version = Version::parse(ecosystem, bound.trim());
            if !version.is_valid() {
                return Err(bad(format!(
                    "`{}` compares with no version of {ecosystem}",
                    shown.escape_debug()
                )));
            }
            conditions.push((operator, version));
            if conditions.len() > MAX_CONDITIONS {
                return Err(bad(format!("a range has at most {MAX_CONDITIONS} conditions")));
            }
        }
        Ok(Self { package: package.clone(), text: text.to_owned(), conditions })
    }

    fn holds(&self, version: &Version) -> bool {
        self.conditions.iter().all(|(operator, bound)| operator.holds(version, bound))
    }

    /// The package, as a package URL.
    pub(super) fn package(&self) -> String {
        package_purl(&self.package)
    }

    /// The recorded versions that are in the range, those of `others` that are, and what to say of them. A version that does not
    /// compare is told, and not in it.
    pub(super) fn resolve(
        &self,
        index: &AccessIndex,
        others: impl IntoIterator<Item = String>,
    ) -> Result<(WhoSubject, Value), AccessIndexError> {
        let (mut within, mut undecided): (Vec<(Version, String)>, Vec<String>) = (Vec::new(), Vec::new());
        let mut known = index.versions_of(&self.package())?;
        known.extend(others);
        for purl in known {
            match PackageRef::parse(&purl).ok().and_then(|read| read.version) {
                Some(version) if version.is_valid() => {
                    if self.holds(&version) {
                        within.push((version, purl));
                    }
                }
                _ => undecided.push(purl),
            }
        }
        within.sort();
        let purls: Vec<String> = within.into_iter().map(|(_, purl)| purl).collect();
        let told = json!({
            "text": self.text, "count": purls.len(),
            "versions": purls.iter().take(MAX_LISTED).collect::<Vec<_>>(),
            "undecided": undecided.iter().take(MAX_LISTED).collect::<Vec<_>>(),
        });
        Ok((WhoSubject::Purls { purls, sha256: None }, told))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(ecosystem: Ecosystem, range: &str, version: &str) -> bool {
        let name = PackageName::parse(ecosystem, "x").unwrap();
        Range::parse(&name, range).unwrap().holds(&Version::parse(ecosystem, version))
    }

    #[test]
    fn each_ecosystem_has_its_own_order() {
        use Ecosystem::{Cargo, Npm, Pypi};
        for (ecosystem, range, version, expected) in [
            (Npm, ">=1.0.0,<1.3.0", "1.2.9", true),
            (Npm, ">=1.0.0,<1.3.0", "1.10.0", false),
            (Npm, ">=1.0.0, <1.3.0", "1.3.0-rc.1", true),
            (Npm, ">1.0.0", "1.0.0", false),
            (Npm, "<=1.0.0", "1.0.0", true),
            (Npm, "=1.0.0", "1.0.0", true),
            (Npm, "!=1.0.0", "1.0.0", false),
            (Pypi, ">=1.0,<1.10", "1.9.post1", true),
            (Pypi, "==1.0", "1.0.0", true),
            (Pypi, ">=1.0", "1.0rc1", false),
            (Cargo, ">=0.9.0", "0.10.0", true),
        ] {
            assert_eq!(holds(ecosystem, range, version), expected, "{ecosystem} {range} {version}");
        }
    }

    #[test]
    fn what_is_no_range_is_refused() {
        let name = |ecosystem| PackageName::parse(ecosystem, "x").unwrap();
        for text in ["", "1.0.0", ">=", ">=one", "^1.0.0", ">=1.0.0,,", "~1"] {
            assert!(Range::parse(&name(Ecosystem::Npm), text).is_err(), "{text}");
        }
        let many = vec![">=1.0.0"; MAX_CONDITIONS + 1].join(",");
        assert!(Range::parse(&name(Ecosystem::Npm), &many).is_err());
    }

    #[test]
    fn a_range_is_behind_the_last_at() {
        assert_eq!(split("pkg:npm/x@>=1,<2"), ("pkg:npm/x", Some(">=1,<2")));
        assert_eq!(split("pkg:npm/%40a/x@<2"), ("pkg:npm/%40a/x", Some("<2")));
        assert_eq!(split("pkg:npm/x@1.0.0"), ("pkg:npm/x@1.0.0", None));
        assert_eq!(split("pkg:npm/x@^1"), ("pkg:npm/x", Some("^1")));
        assert_eq!(split("pkg:npm/@a/x"), ("pkg:npm/@a/x", None));
    }
}
