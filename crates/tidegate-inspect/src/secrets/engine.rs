//! All rules, and the automaton that finds where they have to look.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind};

use super::attempt::{self, Candidate, Text};
use super::files::FILES;
use super::rule::{self, Anchor, Rule, RuleError};

/// Work that a leaf may cause before it is left, in tries of a pattern. A try in ordinary content happens every few hundred
/// bytes; a leaf made of keywords gets so many and one more for so many of its bytes.
const TRIES: u64 = 200_000;

/// See [`TRIES`].
const BYTES_OF_A_TRY: u64 = 24;

/// Bytes that a pattern reads for the price of one try.
const BYTES_OF_A_MATCH: u64 = 256;

/// All rules, ready to look.
#[derive(Debug)]
pub struct Rules {
    pub(crate) rules: Vec<Rule>,
    keywords: AhoCorasick,
    /// By keyword: who looks there.
    lookers: Vec<Vec<Looker>>,
}

/// A rule at one of its keywords.
#[derive(Debug)]
struct Looker {
    rule: usize,
    /// The keyword as it has to stand, where its case matters.
    exact: Option<Vec<u8>>,
}

/// What is left of the work that a leaf may cause.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Work {
    left: u64,
}

impl Work {
    pub(crate) fn for_leaf(bytes: usize) -> Self {
        Self { left: TRIES + bytes as u64 / BYTES_OF_A_TRY }
    }

    /// Takes the work for one try; false if there is none left.
    fn take(&mut self, bytes: usize) -> bool {
        let cost = 1 + bytes as u64 / BYTES_OF_A_MATCH;
        self.left = self.left.saturating_sub(cost);
        self.left > 0
    }

    pub(crate) fn is_spent(self) -> bool {
        self.left == 0
    }
}

impl Rules {
    /// The rules that come with the product. Made once.
    pub fn builtin() -> &'static Self {
        static BUILTIN: LazyLock<Rules> =
            LazyLock::new(|| Rules::from_files(FILES).expect("built-in rule files are read by a test"));
        &BUILTIN
    }

    /// Rules from the texts of rule files, given as pairs of a name and a text.
    ///
    /// # Errors
    ///
    /// When a file cannot be read, a rule contradicts itself, or two rules have the same id.
    pub fn from_files(files: &[(&str, &str)]) -> Result<Self, RuleError> {
        let mut rules = Vec::new();
        for (name, text) in files {
            rules.extend(rule::parse(name, text)?);
        }
        let mut ids: Vec<&str> = rules.iter().map(|rule| rule.id.as_str()).collect();
        ids.sort_unstable();
        if let Some(twice) = ids.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(RuleError::Rule { rule: twice[0].to_owned(), what: "is there twice" });
        }
        let mut by_keyword: BTreeMap<String, Vec<Looker>> = BTreeMap::new();
        for (index, rule) in rules.iter().enumerate() {
            for keyword in &rule.keywords {
                let exact = (rule.shape.anchor == Anchor::Token).then(|| keyword.clone().into_bytes());
                by_keyword
                    .entry(keyword.to_ascii_lowercase())
                    .or_default()
                    .push(Looker { rule: index, exact });
            }
        }
        let (keywords, lookers): (Vec<_>, Vec<_>) = by_keyword.into_iter().unzip();
        let keywords = AhoCorasick::builder()
            .kind(Some(AhoCorasickKind::DFA))
            .ascii_case_insensitive(true)
            .build(&keywords)
            .map_err(|_| RuleError::Rule { rule: "all".to_owned(), what: "have too many keywords" })?;
        Ok(Self { rules, keywords, lookers })
    }

    /// Every rule, in the order of files and within them.
    #[must_use]
    pub fn all(&self) -> &[Rule] {
        &self.rules
    }

    /// The rule of a detector.
    #[must_use]
    pub fn rule(&self, detector: &str) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.id == detector)
    }

    /// Tells every candidate in a text that passes all checks of its rule, by position of its keyword.
    pub(crate) fn scan<'r>(
        &'r self,
        bytes: &[u8],
        work: &mut Work,
        found: &mut dyn FnMut(&'r Rule, Candidate),
    ) {
        let text = Text::new(bytes);
        for (keyword, span) in crate::bytes::matches(&self.keywords, bytes) {
            for looker in &self.lookers[keyword.as_usize()] {
                let is_exact = looker.exact.as_ref().is_none_or(|exact| bytes[span.clone()] == exact[..]);
                if !is_exact {
                    continue;
                }
                let rule = &self.rules[looker.rule];
                let (candidate, read) = attempt::at(rule, &text, span.clone());
                if let Some(candidate) = candidate {
                    found(rule, candidate);
                }
                if !work.take(read) {
                    return;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_file_is_read() {
        let rules = Rules::from_files(FILES).unwrap();
        assert!(!rules.all().is_empty());
    }

    #[test]
    fn ids_are_there_once() {
        let (name, text) = FILES[0];
        let told = Rules::from_files(&[(name, text), (name, text)]).unwrap_err().to_string();
        assert!(told.ends_with("is there twice"), "{told}");
    }
}
