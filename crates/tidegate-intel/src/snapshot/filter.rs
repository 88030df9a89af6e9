//! A filter in front of all large segments: most names that are asked about stand in none of them.

use std::sync::Arc;

use crate::segment::Segment;

/// Bits for each name: about one name in a hundred that is nowhere passes all the same.
const BITS_PER_NAME: usize = 10;

/// Bits that a name sets, all of them in one word.
const BITS_SET: u32 = 4;

/// Segments with fewer names are looked at by themselves: a filter over them would be made anew with every change.
const FEW_NAMES: u32 = 5_000;

/// Which names stand in some segments, perhaps.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    segments: Vec<Arc<Segment>>,
    words: Arc<[u64]>,
}

impl Filter {
    /// A filter over the large ones among some segments; the one before, where these are the same.
    pub(crate) fn over<'s>(segments: impl Iterator<Item = &'s Arc<Segment>>, before: &Self) -> Self {
        let segments: Vec<Arc<Segment>> = segments.filter(|s| s.name_count() > FEW_NAMES).cloned().collect();
        let same = segments.len() == before.segments.len()
            && segments.iter().zip(&before.segments).all(|(a, b)| Arc::ptr_eq(a, b));
        if same {
            return before.clone();
        }
        let names: usize = segments.iter().map(|segment| segment.name_count() as usize).sum();
        let words = match names {
            0 => Arc::default(),
            names => words(names, segments.iter().flat_map(|segment| segment.hashes())),
        };
        Self { segments, words }
    }

    /// Whether a name may stand in a segment that the filter is over.
    pub(crate) fn may_hold(&self, hash: u64) -> bool {
        if self.words.is_empty() {
            return false;
        }
        let (word, bits) = place(hash, self.words.len());
        self.words[word] & bits == bits
    }

    /// Whether the filter speaks of a segment.
    pub(crate) fn covers(&self, segment: &Arc<Segment>) -> bool {
        segment.name_count() > FEW_NAMES && self.segments.iter().any(|known| Arc::ptr_eq(known, segment))
    }
}

/// The bits of so many names.
fn words(names: usize, hashes: impl Iterator<Item = u64>) -> Arc<[u64]> {
    let mut words = vec![0; (names * BITS_PER_NAME).div_ceil(64).next_power_of_two()];
    for hash in hashes {
        let (word, bits) = place(hash, words.len());
        words[word] |= bits;
    }
    words.into()
}

/// The word of a hash among so many (a power of two), and its bits in it. The upper half picks the word, six bits at a
/// time of the lower half the bits.
fn place(hash: u64, words: usize) -> (usize, u64) {
    let word = usize::try_from(hash >> 32).expect("32 bits fit") & (words - 1);
    let bits = (0..BITS_SET).fold(0, |bits, n| bits | 1 << (hash >> (6 * n) & 63));
    (word, bits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_never_forgets_and_seldom_errs() {
        let mut state = 7_u64;
        let mut hash = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state ^ state >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9) ^ state >> 32
        };
        let inside: Vec<u64> = (0..50_000).map(|_| hash()).collect();
        let filter = Filter { segments: Vec::new(), words: words(inside.len(), inside.iter().copied()) };
        assert!(inside.iter().all(|name| filter.may_hold(*name)));
        let wrong = (0..50_000).filter(|_| filter.may_hold(hash())).count();
        assert!(wrong < 2_500, "{wrong} of 50,000 pass");
        assert!(!Filter::default().may_hold(1));
    }
}
