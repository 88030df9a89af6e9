//! Any bytes as an artifact, and as a program or list in one: twice alike, and every component has a name and a place.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tidegate_inspect::inventory::{Inventory, InventoryCollector};
use tidegate_inspect::{Budgets, Flow, Format, Gap, Leaf, NoScratch, Oddity, Place, Visitor, unfold};

#[derive(Default)]
struct Collect(InventoryCollector);

impl Visitor for Collect {
    fn leaf(&mut self, leaf: &Leaf<'_>) -> Flow {
        self.0.leaf(leaf);
        Flow::Continue(())
    }

    fn oddity(&mut self, _oddity: Oddity) {}

    fn gap(&mut self, _gap: Gap) {}
}

const NAMES: [&str; 6] = [
    "package/node_modules/b/package.json",
    "x/bom.json",
    "x.deps.json",
    "x/_vendor/vendor.txt",
    "x/vendor/modules.txt",
    "x.libs/libx-01234567.so.1",
];

fn look(data: &[u8]) -> Inventory {
    let budgets = Budgets {
        depth: 4,
        entries: 1_000,
        total_bytes: 4 << 20,
        leaf_bytes: 1 << 20,
        ratio_floor_bytes: 1 << 20,
        steps: 10_000,
        memory_bytes: 4 << 20,
        window_bytes: 4 << 20,
        ..Budgets::default()
    };
    let mut collect = Collect::default();
    unfold("a.zip", data, &budgets, &NoScratch, &mut collect);
    let format = Format::of(data);
    for name in NAMES {
        let path = format!("a.zip!/{name}");
        collect.0.leaf(&Leaf { path: &path, bytes: data, format, place: Place::default() });
    }
    collect.0.finish()
}

fuzz_target!(|data: &[u8]| {
    let inventory = look(data);
    assert_eq!(inventory, look(data), "the same bytes are told alike");
    for one in inventory.components.iter().chain(&inventory.subject) {
        assert!(!one.name.is_empty() && one.path.starts_with("a.zip"), "{one:?}");
        assert!(one.purl.as_deref().is_none_or(|purl| purl.starts_with("pkg:")), "{one:?}");
        assert!(!one.name.contains(char::is_control), "{one:?}");
    }
});
