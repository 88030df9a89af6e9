//! What lies one typing error away from a list of names, prepared so that a look-up costs a few hash probes.

use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

use tidegate_model::Ecosystem;

use super::{Difference, MIN_BYTES, Resemblance};

/// Popular names of one ecosystem, and their neighbours.
pub(super) struct Neighbourhood {
    ecosystem: Ecosystem,
    /// Lower-case names, as compared, to names as listed.
    names: HashMap<Cow<'static, str>, &'static str>,
    /// Names without separators.
    joined: HashMap<String, &'static str>,
    /// Names with look-alike characters folded into one.
    folded: HashMap<String, &'static str>,
    /// Hashes of names with one character left out, which takes a third of the memory of the texts. A hit is checked
    /// against the name.
    shortened: HashMap<u64, &'static str>,
    /// npm's scopes that have a package of a name, by that name.
    pub(super) scopes: HashMap<&'static str, Vec<&'static str>>,
    hasher: RandomState,
}

impl Neighbourhood {
    /// Prepares a list: one name a line, `#` begins a comment.
    pub(super) fn of(ecosystem: Ecosystem, list: &'static str) -> Self {
        let mut near = Self {
            ecosystem,
            names: HashMap::new(),
            joined: HashMap::new(),
            folded: HashMap::new(),
            shortened: HashMap::new(),
            scopes: HashMap::new(),
            hasher: RandomState::new(),
        };
        for name in list.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#')) {
            near.add(name);
        }
        near
    }

    fn add(&mut self, name: &'static str) {
        let compared = self.compared(name);
        self.names.insert(compared.clone(), name);
        if name.starts_with('@') {
            if let Some((scope, base)) = name.split_once('/') {
                self.scopes.entry(base).or_default().push(scope);
            }
            return;
        }
        if name.len() < MIN_BYTES {
            return;
        }
        self.joined.entry(without_separators(&compared)).or_insert(name);
        self.folded.entry(fold(&compared)).or_insert(name);
        for omitted in omissions(&compared) {
            let hash = self.hasher.hash_one(omitted.as_str());
            self.shortened.entry(hash).or_insert(name);
        }
    }

    /// The form in which names are compared: lower case, and crates without the difference between `-` and `_`, which
    /// the registry does not know either.
    fn compared<'a>(&self, name: &'a str) -> Cow<'a, str> {
        let underscore = self.ecosystem == Ecosystem::Cargo && name.contains('_');
        if underscore || name.bytes().any(|b| b.is_ascii_uppercase()) {
            let lower = name.to_ascii_lowercase();
            return Cow::Owned(if underscore { lower.replace('_', "-") } else { lower });
        }
        Cow::Borrowed(name)
    }

    pub(super) fn is_popular(&self, name: &str) -> bool {
        self.names.contains_key(&self.compared(name))
    }

    /// The listed name that is compared as `name`, where it is long enough to be confused.
    pub(super) fn popular(&self, name: &str) -> Option<&'static str> {
        if name.len() < MIN_BYTES {
            return None;
        }
        self.names.get(name).copied()
    }

    /// The popular name next to an unscoped name, nearest kind of difference first.
    pub(super) fn find(&self, name: &str) -> Option<Resemblance> {
        let name = &*self.compared(name);
        let found = |difference| move |popular| Resemblance { popular, difference };
        self.swapped(name)
            .map(found(Difference::Swap))
            .or_else(|| self.repeated(name).map(found(Difference::Repetition)))
            .or_else(|| self.lookalike(name).map(found(Difference::Lookalike)))
            .or_else(|| self.separated(name).map(found(Difference::Separator)))
            .or_else(|| self.omitted(name).map(found(Difference::Omission)))
            .or_else(|| self.affixed(name).map(found(Difference::Affix)))
    }

    fn swapped(&self, name: &str) -> Option<&'static str> {
        swaps(name).find_map(|swapped| self.popular(&swapped))
    }

    fn repeated(&self, name: &str) -> Option<&'static str> {
        repetitions(name).find_map(|single| self.popular(&single))
    }

    fn lookalike(&self, name: &str) -> Option<&'static str> {
        self.folded.get(&fold(name)).copied().filter(|popular| self.compared(popular).as_ref() != name)
    }

    fn separated(&self, name: &str) -> Option<&'static str> {
        self.joined.get(&without_separators(name)).copied()
    }

    fn omitted(&self, name: &str) -> Option<&'static str> {
        let popular = *self.shortened.get(&self.hasher.hash_one(name))?;
        lacks_one(name, &self.compared(popular)).then_some(popular)
    }

    fn affixed(&self, name: &str) -> Option<&'static str> {
        let (before, behind): (&[&str], &[&str]) = match self.ecosystem {
            Ecosystem::Npm => (&["node-", "js-", "npm-"], &["-js", "-node", "-npm"]),
            Ecosystem::Pypi => (&["py-", "python-", "pip-"], &["-py", "-python", "-pip", "-python3", "-py3"]),
            Ecosystem::Cargo => (&["rs-", "rust-", "cargo-"], &["-rs", "-rust", "-crate"]),
            Ecosystem::Huggingface | Ecosystem::Oci | Ecosystem::Mcp | Ecosystem::Vscode => (&[], &[]),
        };
        let before = before.iter().filter_map(|affix| name.strip_prefix(affix));
        let behind = behind.iter().filter_map(|affix| name.strip_suffix(affix));
        before.chain(behind).find_map(|rest| self.popular(rest))
    }
}

const fn is_separator(byte: u8) -> bool {
    matches!(byte, b'-' | b'_' | b'.')
}

fn without_separators(name: &str) -> String {
    name.chars().filter(|c| !matches!(c, '-' | '_' | '.')).collect()
}

/// Characters that look alike in common fonts become one: `0`/`o`, `1`/`i`/`l`, `rn`/`m`, `vv`/`w`.
fn fold(name: &str) -> String {
    let mut folded = String::with_capacity(name.len());
    for c in name.chars() {
        match c {
            '0' => folded.push('o'),
            '1' | 'i' => folded.push('l'),
            'n' if folded.ends_with('r') => {
                folded.pop();
                folded.push('m');
            }
            'v' if folded.ends_with('v') => {
                folded.pop();
                folded.push('w');
            }
            other => folded.push(other),
        }
    }
    folded
}

/// The name with each pair of unequal neighbours swapped; names are ASCII, separators stay where they are.
pub(super) fn swaps(name: &str) -> impl Iterator<Item = String> + '_ {
    let bytes = name.as_bytes();
    (1..bytes.len())
        .filter(|i| {
            let pair = [bytes[*i - 1], bytes[*i]];
            pair[0] != pair[1] && !pair.into_iter().any(|b| is_separator(b) || b.is_ascii_digit())
        })
        .map(|i| {
            let mut swapped = bytes.to_vec();
            swapped.swap(i - 1, i);
            String::from_utf8_lossy(&swapped).into_owned()
        })
}

/// The name with one of each pair of equal neighbours left out.
pub(super) fn repetitions(name: &str) -> impl Iterator<Item = String> + '_ {
    let bytes = name.as_bytes();
    (1..bytes.len())
        .filter(|i| bytes[*i - 1] == bytes[*i] && !bytes[*i].is_ascii_digit())
        .map(|i| without(name, i))
}

/// The shortest name to which a character can be missing, in bytes: shorter ones are too often words of their own
/// (`parse` beside `parsel`).
const MIN_SHORTENED_BYTES: usize = MIN_BYTES + 1;

/// The name with one character left out, see [`may_be_missing`].
fn omissions(name: &str) -> impl Iterator<Item = String> + '_ {
    (1..name.len())
        .filter(|i| may_be_missing(name.as_bytes(), *i))
        .map(|i| without(name, i))
        .filter(|shortened| shortened.len() >= MIN_SHORTENED_BYTES)
}

/// Whether a missing character counts as a typing error: never the first, which is rarely missed; never a digit, which
/// tells versions and sizes apart; never a last `s`, which tells a thing from many; never a separator, which is a
/// difference of its own.
const fn may_be_missing(name: &[u8], at: usize) -> bool {
    let plural = at + 1 == name.len() && name[at] == b's';
    at > 0 && !plural && !name[at].is_ascii_digit() && !is_separator(name[at])
}

/// Whether `name` is `popular` with one character missing.
pub(super) fn lacks_one(name: &str, popular: &str) -> bool {
    let (name, popular) = (name.as_bytes(), popular.as_bytes());
    if popular.len() != name.len() + 1 {
        return false;
    }
    let at = name.iter().zip(popular).take_while(|(a, b)| a == b).count();
    // Of equal neighbours any one may be the missing one.
    let run = popular[..at].iter().rev().take_while(|b| **b == popular[at]).count();
    popular[at + 1..] == name[at..] && (at - run..=at).any(|i| may_be_missing(popular, i))
}

fn without(name: &str, at: usize) -> String {
    format!("{}{}", &name[..at], &name[at + 1..])
}
