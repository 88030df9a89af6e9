//! Version ranges in the order of the artifact's own ecosystem.
//!
//! One grammar for all: comparators `= != < <= > >=` before a version, joined by commas or blanks (all must hold),
//! alternatives joined by `||`. Plain order, no resolver's rules: a pre-release lies where the order puts it.

use std::cmp::Ordering;

use tidegate_model::facts::FactState;
use tidegate_model::{Ecosystem, Version};

use crate::logic::Tri;

const MAX_COMPARATORS: usize = 64;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Comparator {
    Equal,
    Not,
    Less,
    AtMost,
    More,
    AtLeast,
}

/// Alternatives, each a list of comparators that must all hold.
#[derive(Clone, Debug)]
pub(crate) struct Ranges {
    text: Box<str>,
    alternatives: Vec<Vec<(Comparator, [Version; Ecosystem::ALL.len()])>>,
}

impl Ranges {
    /// Reads ranges; the error says what is wrong with the text.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut alternatives = Vec::new();
        let mut count = 0;
        for alternative in text.split("||") {
            let spaced = alternative.replace(',', " ");
            let mut words = spaced.split_ascii_whitespace().peekable();
            let mut comparators = Vec::new();
            while let Some(word) = words.next() {
                let (comparator, rest) = split_comparator(word);
                let version = match rest {
                    "" => words.next().ok_or_else(|| format!("`{word}` has no version behind it"))?,
                    rest => rest,
                };
                let parsed = Ecosystem::ALL.map(|e| Version::parse(e, version));
                if !parsed.iter().any(Version::is_valid) {
                    return Err(format!("`{version}` is a version in no ecosystem"));
                }
                count += 1;
                if count > MAX_COMPARATORS {
                    return Err(format!("more than {MAX_COMPARATORS} comparators"));
                }
                comparators.push((comparator, parsed));
            }
            if comparators.is_empty() {
                return Err("an empty range".to_owned());
            }
            alternatives.push(comparators);
        }
        Ok(Self { text: text.into(), alternatives })
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    pub(crate) fn contain(&self, ecosystem: Ecosystem, version: &str) -> Tri {
        let version = Version::parse(ecosystem, version);
        if !version.is_valid() {
            return Tri::unknown(FactState::Unsupported);
        }
        let slot =
            Ecosystem::ALL.iter().position(|e| *e == ecosystem).expect("the list holds every ecosystem");
        self.alternatives.iter().fold(Tri::False, |truth, comparators| {
            truth.or(comparators.iter().fold(Tri::True, |truth, (comparator, limits)| {
                let limit = &limits[slot];
                if !limit.is_valid() {
                    return truth.and(Tri::unknown(FactState::Unsupported));
                }
                let ordering = version.cmp(limit);
                truth.and(Tri::from(match comparator {
                    Comparator::Equal => ordering == Ordering::Equal,
                    Comparator::Not => ordering != Ordering::Equal,
                    Comparator::Less => ordering.is_lt(),
                    Comparator::AtMost => ordering.is_le(),
                    Comparator::More => ordering.is_gt(),
                    Comparator::AtLeast => ordering.is_ge(),
                }))
            }))
        })
    }
}

fn split_comparator(word: &str) -> (Comparator, &str) {
    for (sign, comparator) in [
        ("<=", Comparator::AtMost),
        (">=", Comparator::AtLeast),
        ("==", Comparator::Equal),
        ("!=", Comparator::Not),
        ("<", Comparator::Less),
        (">", Comparator::More),
        ("=", Comparator::Equal),
    ] {
        if let Some(rest) = word.strip_prefix(sign) {
            return (comparator, rest);
        }
    }
    (Comparator::Equal, word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_follow_the_ecosystem() {
        for (range, ecosystem, version, expected) in [
            (">=1.2.0, <2.0.0", Ecosystem::Npm, "1.10.0", "true"),
            (">=1.2.0 <2.0.0", Ecosystem::Npm, "2.0.0", "false"),
            (">= 1.2.0", Ecosystem::Cargo, "1.2.0", "true"),
            ("1.0.0 || 3.0.0", Ecosystem::Npm, "3.0.0", "true"),
            ("!=1.0", Ecosystem::Pypi, "1.0.0", "false"),
            ("<1.0", Ecosystem::Pypi, "1.0rc1", "true"),
            ("<1.0", Ecosystem::Npm, "0.9.0", "unknown"),
            ("<1.0.0", Ecosystem::Npm, "latest", "unknown"),
        ] {
            let found = Ranges::parse(range).unwrap().contain(ecosystem, version);
            assert_eq!(found.as_str(), expected, "{version} in {range}");
        }
    }

    #[test]
    fn nonsense_is_refused() {
        for text in ["", ">=", "1.0.0 ||", "newest", &"1.0.0 ".repeat(65)] {
            assert!(Ranges::parse(text).is_err(), "{text}");
        }
    }
}
