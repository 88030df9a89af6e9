//! Names that resemble popular names.
//!
//! A name is compared with lists of names that really stand in lock files of large applications
//! (`popular/*.txt`, made by `cargo xtask popular-names`). Only the differences that typing errors and look-alike names
//! are made of count, and a name that is itself in the list never resembles another: the aim is to be right when it
//! speaks, so that a warning is read. Whether a resemblance means anything is for policy to say.

mod neighbours;
mod scope;

use std::sync::LazyLock;

use tidegate_model::{Ecosystem, PackageName};

use neighbours::Neighbourhood;

/// A popular name that a name resembles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resemblance {
    /// The popular name.
    pub popular: &'static str,
    /// What makes the difference.
    pub difference: Difference,
}

/// What kind of difference lies between a name and a popular one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Difference {
    /// Two neighbouring characters change places: `reqeust`.
    Swap,
    /// One character is missing: `expres`.
    Omission,
    /// One character stands twice: `reqquest`.
    Repetition,
    /// Characters that look alike stand for each other: `1odash`, `cornmander`.
    Lookalike,
    /// Separators are added, removed or exchanged: `reactdom`.
    Separator,
    /// A usual word is put before or behind it: `lodash-js`, `py-requests`.
    Affix,
    /// The scope is another one, or stands in the name itself: `@bable/core`, `types-node`.
    Scope,
}

impl Difference {
    /// The word used in facts and output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Swap => "swap",
            Self::Omission => "omission",
            Self::Repetition => "repetition",
            Self::Lookalike => "lookalike",
            Self::Separator => "separator",
            Self::Affix => "affix",
            Self::Scope => "scope",
        }
    }

    /// The difference in a few words that follow "it differs by".
    pub const fn describe(self) -> &'static str {
        match self {
            Self::Swap => "two neighbouring characters that changed places",
            Self::Omission => "one missing character",
            Self::Repetition => "one repeated character",
            Self::Lookalike => "characters that look alike",
            Self::Separator => "separators",
            Self::Affix => "a usual word before or behind it",
            Self::Scope => "its scope",
        }
    }
}

/// The shortest name, of either side, that is compared, in bytes. Among shorter names one character is no resemblance.
pub const MIN_BYTES: usize = 5;
/// The longest name that is compared, in bytes; no popular name is longer.
pub const MAX_BYTES: usize = 100;

macro_rules! popular {
    ($ecosystem:expr, $file:literal) => {
        LazyLock::new(|| Neighbourhood::of($ecosystem, include_str!($file)))
    };
}

static NPM: LazyLock<Neighbourhood> = popular!(Ecosystem::Npm, "popular/npm.txt");
static PYPI: LazyLock<Neighbourhood> = popular!(Ecosystem::Pypi, "popular/pypi.txt");
static CARGO: LazyLock<Neighbourhood> = popular!(Ecosystem::Cargo, "popular/cargo.txt");

/// None where names belong to owners: one resembles another by right, and no list of popular ones is kept.
fn neighbourhood(ecosystem: Ecosystem) -> Option<&'static Neighbourhood> {
    match ecosystem {
        Ecosystem::Npm => Some(&NPM),
        Ecosystem::Pypi => Some(&PYPI),
        Ecosystem::Cargo => Some(&CARGO),
        Ecosystem::Huggingface | Ecosystem::Oci | Ecosystem::Mcp | Ecosystem::Vscode => None,
    }
}

/// The popular name that `name` resembles, if any. Popular names resemble nothing.
pub fn resembles(name: &PackageName) -> Option<Resemblance> {
    let text = name.as_str();
    let near = neighbourhood(name.ecosystem())?;
    // The npm registry has taken no name with capitals for a decade: such a name is old, not a trap.
    let capital = text.bytes().any(|b| b.is_ascii_uppercase());
    if capital || text.len() < MIN_BYTES || text.len() > MAX_BYTES || near.is_popular(text) {
        return None;
    }
    match name.scope() {
        Some(scope) => scope::foreign(near, scope, name.base()),
        None => near.find(text).or_else(|| scope::flattened(near, text)),
    }
}

/// Whether a name is in the list of popular names.
pub fn is_popular(name: &PackageName) -> bool {
    neighbourhood(name.ecosystem()).is_some_and(|near| near.is_popular(name.as_str()))
}

#[cfg(test)]
mod tests;
