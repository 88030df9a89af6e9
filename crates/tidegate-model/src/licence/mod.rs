//! What a statement about a licence says, as an SPDX expression (SPDX 3.0.1 annex B).
//!
//! Publishers write `Apache 2.0`, `GPLv3+`, `MIT/X11` or the name of a trove classifier where the list has an identifier.
//! [`read`] corrects what has one meaning, from a table that is data, and refuses to guess where there are several: `BSD`
//! stays [`Reading::Ambiguous`]. Identifiers that the list has deprecated are read as the list itself explains them
//! (`LGPL-3.0` is `LGPL-3.0-only`).

mod names;
mod phrases;

/// The longest statement that is read, in bytes. Longer text is a licence's text, or not about one.
pub const MAX_STATEMENT_BYTES: usize = 1024;

/// What a statement says.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Reading {
    /// It says nothing: it is empty, or `NONE` or `NOASSERTION`.
    Nothing,
    /// An SPDX expression.
    Expression {
        /// The expression, with identifiers and operators as the list spells them.
        expression: String,
        /// Whether the statement was something else than a valid expression with identifiers in force.
        corrected: bool,
    },
    /// Several readings are possible.
    Ambiguous {
        /// What can be meant: expressions.
        among: Vec<String>,
    },
    /// No licence is granted.
    Proprietary,
    /// The licence stands in a file (npm's `SEE LICENSE IN`).
    File {
        /// The file, as written.
        name: String,
    },
    /// Nothing of it is known.
    Unknown,
}

impl Reading {
    /// The expression, where there is one.
    #[must_use]
    pub fn expression(&self) -> Option<&str> {
        match self {
            Self::Expression { expression, .. } => Some(expression),
            _ => None,
        }
    }
}

/// Reads a statement about a licence.
#[must_use]
pub fn read(statement: &str) -> Reading {
    let text = unwrapped(statement);
    if text.is_empty() || ["none", "noassertion", "unknown"].iter().any(|w| text.eq_ignore_ascii_case(w)) {
        return Reading::Nothing;
    }
    if text.len() > MAX_STATEMENT_BYTES {
        return Reading::Unknown;
    }
    if let Some(name) = file_reference(text) {
        return Reading::File { name: name.to_owned() };
    }
    phrases::parse(text)
}

/// Without quotes and white space around it.
fn unwrapped(statement: &str) -> &str {
    statement.trim_matches(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`' | '\u{feff}'))
}

fn file_reference(text: &str) -> Option<&str> {
    const SEE: [&str; 5] =
        ["see license in ", "see licence in ", "see license file ", "license in ", "file: "];
    let prefix = SEE.iter().find(|see| text.get(..see.len()).is_some_and(|t| t.eq_ignore_ascii_case(see)))?;
    let name = unwrapped(text.get(prefix.len()..)?);
    (!name.is_empty() && !name.contains(char::is_control)).then_some(name)
}

/// The identifiers in a valid expression, each once, in order; an exception stands behind its licence
/// (`GPL-2.0-only WITH Classpath-exception-2.0`). Nothing where the text is no expression.
#[must_use]
pub fn identifiers(expression: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for one in spdx::Expression::parse_mode(expression, MODE).iter().flat_map(spdx::Expression::requirements)
    {
        let name = one.req.to_string();
        if !found.contains(&name) {
            found.push(name);
        }
    }
    found
}

/// Whether a text is a valid expression of identifiers in force.
#[must_use]
pub fn is_valid(expression: &str) -> bool {
    spdx::Expression::parse(expression).is_ok()
}

/// Deprecated identifiers have a meaning.
const MODE: spdx::ParseMode = spdx::ParseMode {
    allow_slash_as_or_operator: false,
    allow_imprecise_license_names: false,
    allow_postfix_plus_on_gpl: true,
    allow_deprecated: true,
    allow_unknown: false,
};

#[cfg(test)]
mod tests;
