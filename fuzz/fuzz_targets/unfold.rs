//! Archives of every kind: unfolded within small budgets, twice alike, and never beyond them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tidegate_inspect::{Budgets, Flow, Gap, Leaf, NoScratch, Oddity, Visitor, unfold};

/// What was told, as text.
#[derive(Default)]
struct Told {
    lines: Vec<String>,
    gaps: u64,
}

impl Visitor for Told {
    fn leaf(&mut self, leaf: &Leaf<'_>) -> Flow {
        assert!(!leaf.path.contains(char::is_control), "{:?}", leaf.path);
        self.lines.push(format!("{} {} {:?}", leaf.path, leaf.bytes.len(), leaf.place));
        Flow::Continue(())
    }

    fn oddity(&mut self, oddity: Oddity) {
        self.lines.push(format!("{oddity:?}"));
    }

    fn gap(&mut self, gap: Gap) {
        self.gaps += gap.count;
        self.lines.push(gap.to_string());
    }
}

fuzz_target!(|data: &[u8]| {
    let budgets = Budgets {
        depth: 6,
        entries: 2_000,
        total_bytes: 8 << 20,
        leaf_bytes: 2 << 20,
        ratio_floor_bytes: 1 << 20,
        steps: 20_000,
        memory_bytes: 4 << 20,
        window_bytes: 4 << 20,
        ..Budgets::default()
    };
    let (mut once, mut again) = (Told::default(), Told::default());
    let summary = unfold("x", data, &budgets, &NoScratch, &mut once);
    assert_eq!(summary, unfold("x", data, &budgets, &NoScratch, &mut again));
    assert_eq!(once.lines, again.lines, "the same bytes are told alike");
    assert_eq!(summary.gaps, once.gaps);
    assert!(summary.entries <= budgets.entries && summary.unpacked_bytes <= budgets.total_bytes);
});
