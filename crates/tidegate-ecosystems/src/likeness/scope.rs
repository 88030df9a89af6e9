//! npm's scopes: a scope like a popular one, and a scope that became part of the name.

use super::neighbours::{Neighbourhood, lacks_one, repetitions, swaps};
use super::{Difference, MIN_BYTES, Resemblance};

/// The most characters behind a popular scope and a separator that still make it look like that scope: `@types-x`.
const MAX_SCOPE_TAIL: usize = 2;

/// A scoped name whose scope resembles a popular one that has a package of this name: `@bable/core`.
pub(super) fn foreign(near: &Neighbourhood, scope: &str, base: &str) -> Option<Resemblance> {
    let word = scope.strip_prefix('@')?.to_ascii_lowercase();
    let scopes = near.scopes.get(base)?;
    if word.len() < MIN_BYTES {
        return None;
    }
    let candidates: Vec<String> = swaps(&word)
        .chain(repetitions(&word))
        .chain(lookalikes(&word))
        .chain(tailed(&word))
        .chain(std::iter::once(word.replace(['-', '_', '.'], "")))
        .filter(|candidate| *candidate != word && candidate.len() >= MIN_BYTES)
        .collect();
    let popular = scopes.iter().find_map(|popular| {
        let other = &popular[1..];
        let near_scope = lacks_one(&word, other) || candidates.iter().any(|candidate| candidate == other);
        if near_scope { near.popular(&format!("{popular}/{base}")) } else { None }
    })?;
    Some(Resemblance { popular, difference: Difference::Scope })
}

/// An unscoped name that is a popular scoped one with the scope written into it: `types-node`.
///
/// Plugins and presets moved into scopes under exactly such names, so those are left alone.
pub(super) fn flattened(near: &Neighbourhood, name: &str) -> Option<Resemblance> {
    let popular = name.match_indices('-').find_map(|(at, _)| {
        let (scope, base) = (&name[..at], &name[at + 1..]);
        let moved = ["plugin", "preset", "helper", "config"].iter().any(|word| base.starts_with(word));
        if moved || base.is_empty() { None } else { near.popular(&format!("@{scope}/{base}")) }
    })?;
    Some(Resemblance { popular, difference: Difference::Scope })
}

/// The word with each look-alike character exchanged, one at a time.
fn lookalikes(word: &str) -> impl Iterator<Item = String> + '_ {
    const PAIRS: [(&str, &str); 6] =
        [("0", "o"), ("1", "l"), ("1", "i"), ("l", "i"), ("rn", "m"), ("vv", "w")];
    PAIRS.into_iter().flat_map(|(a, b)| [(a, b), (b, a)]).flat_map(move |(from, to)| {
        word.match_indices(from)
            .map(move |(at, _)| format!("{}{to}{}", &word[..at], &word[at + from.len()..]))
    })
}

/// The word without a short tail behind a separator: `types-x` gives `types`.
fn tailed(word: &str) -> Option<String> {
    let at = word.rfind(['-', '_', '.'])?;
    (word.len() - at - 1 <= MAX_SCOPE_TAIL).then(|| word[..at].to_owned())
}
