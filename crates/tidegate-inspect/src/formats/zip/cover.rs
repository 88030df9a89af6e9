//! Which bytes of an archive its members cover.

/// Ranges, two numbers a member: bounded by the budget for members.
#[derive(Default)]
pub(super) struct Cover {
    ranges: std::collections::BTreeMap<u64, u64>,
    spent: u64,
}

impl Cover {
    /// Adds a range.
    pub(super) fn add(&mut self, start: u64, end: u64) {
        if start < end {
            let kept = self.ranges.entry(start).or_insert(end);
            *kept = end.max(*kept);
        }
    }

    /// Whether a range shares bytes with one that was added.
    pub(super) fn overlaps(&self, start: u64, end: u64) -> bool {
        let before = self.ranges.range(..=start).next_back().is_some_and(|(_, stop)| *stop > start);
        before || self.ranges.range(start..end).next().is_some()
    }

    /// Counts packed bytes that are read. Without overlaps they are never more than there are; twice that
    /// leaves room for members that are read in two ways.
    pub(super) fn spend(&mut self, bytes: u64, all: u64) -> bool {
        if self.spent.saturating_add(bytes) > all.saturating_mul(2) {
            return false;
        }
        self.spent += bytes;
        true
    }

    pub(super) fn spent(&self) -> u64 {
        self.spent
    }

    /// Ranges below `total` that are not covered.
    pub(super) fn holes(&self, total: u64) -> Vec<(u64, u64)> {
        let mut holes = Vec::new();
        let mut at = 0;
        for (&start, &end) in &self.ranges {
            if start > at {
                holes.push((at, start.min(total)));
            }
            at = at.max(end);
        }
        if at < total {
            holes.push((at, total));
        }
        holes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holes_are_what_nothing_covers() {
        let mut cover = Cover::default();
        for (start, end) in [(5, 9), (9, 12), (20, 30), (22, 25)] {
            cover.add(start, end);
        }
        assert_eq!(cover.holes(40), [(0, 5), (12, 20), (30, 40)]);
        assert!(cover.overlaps(11, 13) && cover.overlaps(0, 6) && cover.overlaps(21, 22));
        assert!(!cover.overlaps(12, 20) && !cover.overlaps(30, 99));
        assert!(cover.spend(30, 40) && cover.spend(50, 40) && !cover.spend(1, 40));
    }
}
