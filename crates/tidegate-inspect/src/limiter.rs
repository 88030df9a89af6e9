//! Keeps a flood of remarks from becoming a flood of memory: some are told one by one, the others as a number.

/// Remarks of each kind so far.
pub(crate) struct Limiter<K: 'static> {
    all: &'static [K],
    seen: Vec<u64>,
    each: u64,
}

impl<K: Copy + PartialEq> Limiter<K> {
    pub(crate) fn new(all: &'static [K], each: u64) -> Self {
        Self { all, seen: vec![0; all.len()], each }
    }

    /// Counts one remark, and says whether it is told by itself.
    pub(crate) fn tell(&mut self, kind: K) -> bool {
        let Some(at) = self.all.iter().position(|k| *k == kind) else { return false };
        self.seen[at] += 1;
        self.seen[at] <= self.each
    }

    /// All remarks.
    pub(crate) fn total(&self) -> u64 {
        self.seen.iter().sum()
    }

    /// The kinds of which some were not told, with how many.
    pub(crate) fn untold(&self) -> impl Iterator<Item = (K, u64)> + '_ {
        let each = self.each;
        self.all.iter().zip(&self.seen).filter(move |(_, n)| **n > each).map(move |(k, n)| (*k, n - each))
    }
}
