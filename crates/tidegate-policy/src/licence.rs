//! SPDX licence expressions under an allow-list, three-valued.
//!
//! `AND` binds tighter than `OR`, identifiers are compared without regard to case, `X WITH Y` is one unit (SPDX 3.0.1
//! annex B). What is not a listed identifier is unknown *at its place*, so `MIT OR LicenseRef-x` is still permitted
//! where MIT is. The old cargo spelling `MIT/Apache-2.0` reads as `OR`.

use std::collections::HashSet;
use std::sync::LazyLock;

use tidegate_model::facts::FactState;

use crate::logic::Tri;

/// The longest expression that is read, in bytes; longer text is unknown.
pub(crate) const MAX_EXPRESSION_BYTES: usize = 4096;
const MAX_DEPTH: usize = 32;

static LISTED: LazyLock<HashSet<String>> =
    LazyLock::new(|| spdx::identifiers::LICENSES.iter().map(|l| l.name.to_ascii_lowercase()).collect());

/// Licences that are permitted: lower-case units, each an identifier or `x with y`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Permitted(Box<[Box<str>]>);

impl Permitted {
    pub(crate) fn new<'a>(units: impl IntoIterator<Item = &'a str>) -> Self {
        let mut units: Vec<Box<str>> = units
            .into_iter()
            .map(|u| u.split_ascii_whitespace().collect::<Vec<_>>().join(" ").to_ascii_lowercase().into())
            .collect();
        units.sort_unstable();
        units.dedup();
        Self(units.into())
    }

    /// Whether `unit` could be a licence of the SPDX list, alone or with an exception.
    pub(crate) fn is_listed(unit: &str) -> bool {
        let id = unit.split_ascii_whitespace().next().unwrap_or_default().to_ascii_lowercase();
        LISTED.contains(&*id) || LISTED.contains(id.trim_end_matches('+'))
    }

    fn has(&self, unit: &str) -> bool {
        self.0.binary_search_by(|have| (**have).cmp(unit)).is_ok()
    }

    /// Whether some selection of branches of `expression` is wholly permitted.
    pub(crate) fn permits(&self, expression: &str) -> Tri {
        let text = expression.trim();
        if text.is_empty() {
            return Tri::unknown(FactState::NotOffered);
        }
        if text.len() > MAX_EXPRESSION_BYTES {
            return Tri::unknown(FactState::Unsupported);
        }
        let mut parser = Parser { rest: text, permitted: self, depth: 0 };
        let truth = parser.either();
        // Free text such as "see the file LICENSE" is no expression; nothing in it can be relied on.
        if parser.token().is_some() || parser.depth > MAX_DEPTH {
            return Tri::unknown(FactState::Unsupported);
        }
        truth.unwrap_or(Tri::unknown(FactState::Unsupported))
    }

    fn unit(&self, id: &str, exception: Option<&str>) -> Tri {
        let id = id.to_ascii_lowercase();
        if let Some(exception) = exception {
            return match self.has(&format!("{id} with {}", exception.to_ascii_lowercase())) {
                true => Tri::True,
                false if Self::is_listed(&id) => Tri::False,
                false => Tri::unknown(FactState::Unsupported),
            };
        }
        let base = id.trim_end_matches('+');
        if self.has(&id) || self.has(base) {
            return Tri::True;
        }
        match &*id {
            // Said, but nothing that can be judged.
            "noassertion" | "none" => Tri::unknown(FactState::Unsupported),
            _ if LISTED.contains(&id) || LISTED.contains(base) => Tri::False,
            _ => Tri::unknown(FactState::Unsupported),
        }
    }
}

struct Parser<'a> {
    rest: &'a str,
    permitted: &'a Permitted,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn token(&mut self) -> Option<&'a str> {
        self.rest = self.rest.trim_start();
        let first = self.rest.chars().next()?;
        let end = if "()/".contains(first) {
            1
        } else {
            self.rest.find(|c: char| c.is_whitespace() || "()/".contains(c)).unwrap_or(self.rest.len())
        };
        let (token, rest) = self.rest.split_at(end);
        self.rest = rest;
        Some(token)
    }

    fn eat(&mut self, word: &str) -> bool {
        let before = self.rest;
        if self.token().is_some_and(|t| t.eq_ignore_ascii_case(word)) {
            return true;
        }
        self.rest = before;
        false
    }

    fn either(&mut self) -> Option<Tri> {
        let mut truth = self.both()?;
        while self.eat("OR") || self.eat("/") {
            truth = truth.or(self.both()?);
        }
        Some(truth)
    }

    fn both(&mut self) -> Option<Tri> {
        let mut truth = self.one()?;
        while self.eat("AND") {
            truth = truth.and(self.one()?);
        }
        Some(truth)
    }

    fn one(&mut self) -> Option<Tri> {
        match self.token()? {
            "(" => {
                self.depth += 1;
                if self.depth > MAX_DEPTH {
                    return None;
                }
                let truth = self.either()?;
                self.depth -= 1;
                self.eat(")").then_some(truth)
            }
            ")" | "/" => None,
            word if ["and", "or", "with"].iter().any(|w| word.eq_ignore_ascii_case(w)) => None,
            id => {
                let exception = if self.eat("WITH") { Some(self.token()?) } else { None };
                Some(self.permitted.unit(id, exception))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_are_read_three_valued() {
        let list =
            Permitted::new(["MIT", "Apache-2.0", "Apache-2.0 WITH LLVM-exception", "GPL-2.0-or-later"]);
        for (expression, expected) in [
            ("MIT", "true"),
            ("mit", "true"),
            ("ISC", "false"),
            ("MIT OR GPL-3.0-only", "true"),
            ("MIT AND GPL-3.0-only", "false"),
            ("GPL-3.0-only OR MIT AND Apache-2.0", "true"),
            ("(GPL-3.0-only OR MIT) AND ISC", "false"),
            ("MIT/Apache-2.0", "true"),
            ("Apache-2.0+", "true"),
            ("Apache-2.0 WITH LLVM-exception", "true"),
            ("MIT WITH LLVM-exception", "false"),
            ("NOASSERTION", "unknown"),
            ("NONE", "unknown"),
            ("LicenseRef-mine", "unknown"),
            ("MIT OR LicenseRef-mine", "true"),
            ("ISC AND LicenseRef-mine", "false"),
            ("MIT AND LicenseRef-mine", "unknown"),
            ("see the file LICENSE", "unknown"),
            ("MIT OR", "unknown"),
            ("(MIT", "unknown"),
            ("", "unknown"),
        ] {
            assert_eq!(list.permits(expression).as_str(), expected, "{expression}");
        }
    }

    #[test]
    fn deep_and_long_expressions_are_refused() {
        let list = Permitted::new(["MIT"]);
        assert_eq!(list.permits(&format!("{}MIT{}", "(".repeat(40), ")".repeat(40))).as_str(), "unknown");
        assert_eq!(list.permits(&format!("{}MIT{}", "(".repeat(30), ")".repeat(30))).as_str(), "true");
        assert_eq!(list.permits(&"MIT OR ".repeat(1000)).as_str(), "unknown");
    }
}
