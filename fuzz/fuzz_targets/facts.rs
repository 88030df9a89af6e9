//! Facts as JSON: whatever is read can be decided on by every pack, and says the same after a round trip.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;
use tidegate_model::Timestamp;
use tidegate_policy::{Policy, WaiverSet, decide, read_facts};

static PACKS: LazyLock<Vec<Policy>> = LazyLock::new(|| {
    ["baseline", "strict", "observe"].iter().map(|name| Policy::pack(name).expect("a pack")).collect()
});

fuzz_target!(|data: &[u8]| {
    let Ok(value) = serde_json::from_slice(data) else { return };
    let Ok((facts, _)) = read_facts(value) else { return };
    let now = Timestamp::from_unix_seconds(1_800_000_000);
    let again = serde_json::to_value(&facts).expect("facts are JSON");
    let (again, _) = read_facts(again).expect("what was written can be read");
    for policy in PACKS.iter() {
        let waivers = WaiverSet::empty();
        assert_eq!(decide(policy, &facts, &waivers, now), decide(policy, &again, &waivers, now));
    }
});
