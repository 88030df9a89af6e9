//! Which licences' texts a file holds.
//!
//! A file is compared in shingles of three words. The index names the texts of which most shingles are there; each of those is
//! then looked for from place to place, so that a file of many licences gives each with its lines. A place counts if nine
//! tenths of the text's words are there. Where several texts claim a place, the one wins that explains most of it and misses
//! least: BSD-3-Clause over the BSD-2-Clause within it, MIT over MIT-0, and X11 only where its own paragraph is there.

use std::collections::HashSet;

use super::index::{self, Text};
use super::words::{SHINGLE, Word, digest, shingle};

/// Words of one file that are compared: more than the longest collections of third-party notices have.
pub(crate) const FILE_WORDS: usize = 150_000;

/// Texts that are looked for in one file.
const CANDIDATES: usize = 96;

/// Share of the index's shingles of a text that make it worth looking for.
const CANDIDATE_SHARE: f32 = 0.7;

/// Share of a text's words that must be there.
const ENOUGH: f32 = 0.9;

/// Places of one shingle in a text that are followed.
const REPEATS: usize = 8;

/// Hits at an end are stray where so many words lie behind them, and where they are fewer than this share of the text's.
const STRAY_WORDS: usize = 8;
const STRAY_SHARE: usize = 20;

/// What a missing word of a text weighs against a word that is there.
const MISSING_WEIGHT: i64 = 4;

/// What a word of the file that is not the text's weighs.
const FOREIGN_WEIGHT: i64 = 1;

/// One licence's text in a file.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Match {
    /// The licences of which this is the text.
    pub(crate) ids: &'static [&'static str],
    /// First and last line, from 1.
    pub(crate) lines: (u32, u32),
    /// Share of the text's words that are there.
    pub(crate) there: f32,
    /// Words between the first and the last that are not the text's.
    pub(crate) foreign: u32,
}

/// What was found in a file.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Found {
    /// The texts, in the order of the file.
    pub(crate) matches: Vec<Match>,
    /// Words of the file in all.
    pub(crate) words: u32,
    /// Words that belong to no text found.
    pub(crate) others: u32,
}

/// Finds the texts in a file's words.
pub(crate) fn find(words: &[Word]) -> Found {
    let numbers: Vec<u16> = words.iter().map(|word| index::word(word.hash)).collect();
    let shingles: Vec<Option<u64>> = numbers.windows(SHINGLE).map(shingle).collect();
    let mut places: Vec<Place> =
        candidates(&shingles).into_iter().flat_map(|text| places(text, &shingles)).collect();
    // The best first; of equals the one that misses least, then by name.
    places.sort_by(|a, b| {
        (b.weight(), b.there, a.start).cmp(&(a.weight(), a.there, b.start)).then(a.text.ids.cmp(b.text.ids))
    });
    let mut taken: Vec<Place> = Vec::new();
    for place in places {
        if taken.iter().all(|other| place.overlap(other) * 5 < place.length()) {
            taken.push(place);
        }
    }
    taken.sort_by_key(|place| place.start);
    let covered: usize = taken.iter().map(Place::length).sum();
    let line = |at: usize| words.get(at).map_or(0, |word| word.line);
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Found {
        matches: taken
            .iter()
            .map(|place| Match {
                ids: place.text.ids,
                lines: (line(place.start), line(place.end - 1)),
                there: place.share(),
                foreign: count(place.foreign()),
            })
            .collect(),
        words: count(words.len()),
        others: count(words.len().saturating_sub(covered)),
    }
}

/// A text at one place of a file.
struct Place {
    text: &'static Text,
    /// First word, and the one behind the last.
    start: usize,
    end: usize,
    /// Words of the text that are there.
    there: usize,
    /// Words of the text.
    of: usize,
    /// Words of the file that are the text's.
    own: usize,
}

impl Place {
    fn length(&self) -> usize {
        self.end - self.start
    }

    fn share(&self) -> f32 {
        self.there as f32 / self.of as f32
    }

    fn foreign(&self) -> usize {
        self.length().saturating_sub(self.own)
    }

    fn weight(&self) -> i64 {
        let (there, of, foreign) = (self.there as i64, self.of as i64, self.foreign() as i64);
        there - MISSING_WEIGHT * (of - there) - FOREIGN_WEIGHT * foreign.min(there / 2)
    }

    fn overlap(&self, other: &Self) -> usize {
        self.end.min(other.end).saturating_sub(self.start.max(other.start))
    }
}

/// The texts that may be there, most likely first.
fn candidates(shingles: &[Option<u64>]) -> Vec<&'static Text> {
    let distinct: HashSet<u32> = shingles.iter().flatten().map(|&s| digest(s)).collect();
    let mut counts = vec![0u32; index::texts().len()];
    for digest in distinct {
        for text in index::holding(digest) {
            if let Some(count) = counts.get_mut(usize::from(text)) {
                *count += 1;
            }
        }
    }
    let mut likely: Vec<(f32, &Text)> = index::texts()
        .iter()
        .zip(counts)
        .map(|(text, count)| (count as f32 / text.indexed.max(1) as f32, text))
        .filter(|(share, _)| *share >= CANDIDATE_SHARE)
        .collect();
    likely.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.ids.cmp(b.1.ids)));
    likely.into_iter().take(CANDIDATES).map(|(_, text)| text).collect()
}

/// A shingle that a file and a text share.
#[derive(Clone, Copy)]
struct Hit {
    /// Where in the file.
    at: usize,
    /// Where in the text.
    of: usize,
}

/// Where a text is. A copy keeps the order of its words, so that its hits lie as far from the file's beginning as from the
/// text's, give or take what was inserted; chance hits lie anywhere.
fn places(text: &'static Text, shingles: &[Option<u64>]) -> Vec<Place> {
    let words: Vec<u16> = text.words().collect();
    let mut of_text: Vec<(u64, usize)> =
        words.windows(SHINGLE).enumerate().filter_map(|(at, words)| Some((shingle(words)?, at))).collect();
    of_text.sort_unstable();
    let of = |shingle: u64| {
        let first = of_text.partition_point(|(key, _)| *key < shingle);
        of_text
            .get(first..)
            .unwrap_or_default()
            .iter()
            .take_while(move |(key, _)| *key == shingle)
            .take(REPEATS)
    };
    let width = (words.len() / 16).max(16);
    // Hits by how far they are shifted, in steps of `width`.
    let mut shifted: Vec<Vec<Hit>> = vec![Vec::new(); (shingles.len() + words.len()) / width + 1];
    for (at, shingle) in shingles.iter().enumerate() {
        for &(_, of) in shingle.map(of).into_iter().flatten() {
            if let Some(hits) = shifted.get_mut((at + words.len() - of) / width) {
                hits.push(Hit { at, of });
            }
        }
    }
    let mut places = Vec::new();
    let near = |shift: usize| shift.saturating_sub(1)..(shift + 2).min(shifted.len());
    let of_near = |shift: usize| shifted.get(near(shift)).unwrap_or_default().iter();
    let mut steps: Vec<(usize, usize)> = (0..shifted.len())
        .map(|shift| (of_near(shift).map(Vec::len).sum(), shift))
        .filter(|(count, _)| count * 2 >= words.len())
        .collect();
    steps.sort_unstable_by_key(|&(count, shift)| (std::cmp::Reverse(count), shift));
    let mut used: HashSet<usize> = HashSet::new();
    for (_, shift) in steps {
        if near(shift).any(|shift| used.contains(&shift)) {
            continue;
        }
        let hits = of_near(shift).flatten().copied();
        if let Some(place) = place(text, words.len(), hits) {
            used.extend(near(shift));
            places.push(place);
        }
    }
    places
}

/// Hits without the few at either end that stand apart from the others: words that are common to all licences.
fn trimmed(hits: &[Hit], few: usize) -> &[Hit] {
    let is_gap = |pair: &[Hit]| matches!(pair, [a, b] if b.at > a.at + STRAY_WORDS);
    let from = hits.windows(2).take(few).rposition(is_gap).map_or(0, |at| at + 1);
    let hits = hits.get(from..).unwrap_or_default();
    let skip = hits.len().saturating_sub(few + 1);
    let to = hits.windows(2).skip(skip).position(is_gap).map_or(hits.len(), |at| skip + at + 1);
    hits.get(..to).unwrap_or_default()
}

/// The place that hits make, if enough of the text is there.
fn place(text: &'static Text, of: usize, hits: impl Iterator<Item = Hit>) -> Option<Place> {
    let mut hits: Vec<Hit> = hits.collect();
    hits.sort_unstable_by_key(|hit| hit.at);
    let hits = trimmed(&hits, of / STRAY_SHARE);
    let start = hits.iter().map(|hit| hit.at).min()?;
    let end = hits.iter().map(|hit| hit.at + SHINGLE).max()?;
    let (mut covered, mut own) = (vec![false; of], vec![false; end - start]);
    for &hit in hits {
        own.iter_mut().skip(hit.at - start).take(SHINGLE).for_each(|own| *own = true);
        covered.iter_mut().skip(hit.of).take(SHINGLE).for_each(|covered| *covered = true);
    }
    let count = |flags: &[bool]| flags.iter().filter(|flag| **flag).count();
    // A word of the file stands for one of the text, however often the text repeats itself.
    let own = count(&own);
    let there = count(&covered).min(own);
    let enough = there as f32 >= ENOUGH * of as f32;
    enough.then_some(Place { text, start, end, there, of, own })
}

#[cfg(test)]
mod tests;
