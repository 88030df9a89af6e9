//! TOML with positions: values that know where they stand, and errors that say so.

use std::fmt;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The longest policy file that is read, in bytes.
pub const MAX_SOURCE_BYTES: usize = 1 << 20;

/// How many errors of one file are told; more would bury the first.
const MAX_ERRORS: usize = 50;

/// A place in a file.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Place {
    /// The file, as the caller named it.
    pub file: String,
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// One thing that is wrong with a policy file.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct PolicyError {
    /// Where.
    #[serde(flatten)]
    pub place: Place,
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub remedy: String,
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}; {}", self.place, self.what, self.remedy)
    }
}

/// Everything that is wrong with a policy, in the order of the file.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct PolicyErrors(pub Vec<PolicyError>);

impl fmt::Display for PolicyErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, error) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str("\n")?;
            }
            fmt::Display::fmt(error, f)?;
        }
        Ok(())
    }
}

impl std::error::Error for PolicyErrors {}

/// A value and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) at: Place,
    pub(crate) value: Raw,
}

#[derive(Clone, Debug)]
pub(crate) enum Raw {
    Text(String),
    Number(f64),
    Bool(bool),
    /// A TOML date or date-time, as written.
    Time(String),
    Array(Vec<Node>),
    Table(Vec<Entry>),
}

#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) at: Place,
    pub(crate) node: Node,
}

impl Raw {
    pub(crate) const fn describe(&self) -> &'static str {
        match self {
            Self::Text(_) => "text",
            Self::Number(_) => "a number",
            Self::Bool(_) => "true or false",
            Self::Time(_) => "a time",
            Self::Array(_) => "a list",
            Self::Table(_) => "a table",
        }
    }
}

impl Node {
    /// As JSON with sorted keys: the canonical form that digests are made of.
    pub(crate) fn to_json(&self) -> serde_json::Value {
        match &self.value {
            Raw::Text(t) | Raw::Time(t) => t.as_str().into(),
            Raw::Number(n) if n.fract() == 0.0 && n.abs() < 9e15 => (*n as i64).into(),
            Raw::Number(n) => (*n).into(),
            Raw::Bool(b) => (*b).into(),
            Raw::Array(items) => items.iter().map(Self::to_json).collect(),
            Raw::Table(entries) => {
                let mut sorted: Vec<_> = entries.iter().map(|e| (e.key.clone(), e.node.to_json())).collect();
                sorted.sort_by(|a, b| a.0.cmp(&b.0));
                serde_json::Value::Object(sorted.into_iter().collect())
            }
        }
    }
}

/// Collects what is wrong while reading goes on.
pub(crate) struct Problems {
    errors: Vec<PolicyError>,
}

impl Problems {
    pub(crate) const fn new() -> Self {
        Self { errors: Vec::new() }
    }

    pub(crate) fn push(&mut self, at: &Place, what: impl Into<String>, remedy: impl Into<String>) {
        if self.errors.len() < MAX_ERRORS {
            self.errors.push(PolicyError { place: at.clone(), what: what.into(), remedy: remedy.into() });
        }
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.errors.is_empty()
    }

    pub(crate) fn into_result(mut self) -> Result<(), PolicyErrors> {
        if self.errors.is_empty() {
            return Ok(());
        }
        self.errors.sort_by_key(|e| (e.place.file.clone(), e.place.line, e.place.column));
        Err(PolicyErrors(self.errors))
    }
}

/// Finds lines and columns of byte offsets.
struct Lines<'a> {
    file: &'a str,
    source: &'a str,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    fn new(file: &'a str, source: &'a str) -> Self {
        let starts = std::iter::once(0).chain(source.match_indices('\n').map(|(i, _)| i + 1)).collect();
        Self { file, source, starts }
    }

    fn place(&self, span: &Range<usize>) -> Place {
        let line = self.starts.partition_point(|s| *s <= span.start).max(1);
        let column = self.source.get(self.starts[line - 1]..span.start).map_or(0, |t| t.chars().count());
        Place { file: self.file.to_owned(), line: line as u32, column: column as u32 + 1 }
    }

    fn node(&self, value: &Spanned<DeValue<'_>>) -> Node {
        let raw = match value.get_ref() {
            DeValue::String(text) => Raw::Text(text.clone().into_owned()),
            DeValue::Integer(n) => Raw::Number(
                i64::from_str_radix(&n.as_str().replace('_', ""), n.radix()).map_or(f64::NAN, |n| n as f64),
            ),
            DeValue::Float(n) => Raw::Number(n.as_str().replace('_', "").parse().unwrap_or(f64::NAN)),
            DeValue::Boolean(b) => Raw::Bool(*b),
            DeValue::Datetime(t) => Raw::Time(t.to_string()),
            DeValue::Array(items) => Raw::Array(items.iter().map(|i| self.node(i)).collect()),
            DeValue::Table(table) => Raw::Table(self.entries(table)),
        };
        Node { at: self.place(&value.span()), value: raw }
    }

    fn entries(&self, table: &DeTable<'_>) -> Vec<Entry> {
        let mut entries: Vec<(usize, Entry)> = table
            .iter()
            .map(|(key, value)| {
                let entry = Entry {
                    key: key.get_ref().clone().into_owned(),
                    at: self.place(&key.span()),
                    node: self.node(value),
                };
                (key.span().start, entry)
            })
            .collect();
        entries.sort_by_key(|(start, _)| *start);
        entries.into_iter().map(|(_, e)| e).collect()
    }
}

/// Reads a TOML document; every syntax error is told, with its place.
pub(crate) fn parse(source: &str, file: &str, problems: &mut Problems) -> Vec<Entry> {
    if source.len() > MAX_SOURCE_BYTES {
        let start = Place { file: file.to_owned(), line: 1, column: 1 };
        problems.push(
            &start,
            format!("the file has {} bytes, more than {MAX_SOURCE_BYTES}", source.len()),
            "split the policy into layers",
        );
        return Vec::new();
    }
    let lines = Lines::new(file, source);
    let (table, errors) = DeTable::parse_recoverable(source);
    for error in &errors {
        let place = lines.place(&error.span().unwrap_or(0..0));
        problems.push(&place, one_line(error.message()), "mend the TOML here");
    }
    if errors.is_empty() { lines.entries(table.get_ref()) } else { Vec::new() }
}

fn one_line(text: &str) -> String {
    text.lines().map(str::trim).collect::<Vec<_>>().join(", ")
}
