//! SBOMs and the files of other build tools, of every format.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tidegate_ecosystems::inventory::{self, Purl};

/// The first byte chooses: a name for which the content decides, or the format itself.
const NAMES: [&str; 9] = [
    "-",
    "bom.cdx.json",
    "x.spdx.json",
    "x.spdx3.json",
    "go.mod",
    "go.sum",
    "pom.xml",
    "gradle.lockfile",
    "Gemfile.lock",
];

fuzz_target!(|data: &[u8]| {
    let Some((&choice, bytes)) = data.split_first() else { return };
    let read = inventory::parse(NAMES[usize::from(choice) % NAMES.len()], bytes);
    let Ok(inventory) = read else { return };
    let last = 1 + bytes.iter().filter(|b| **b == b'\n').count();
    for component in inventory.components.iter().chain(&inventory.subject) {
        assert!((1..=last).contains(&(component.place.line as usize)), "a place lies in the file");
        assert!(component.purl.is_some() || component.osv.is_err(), "what has no package URL cannot be looked up");
        if let Ok(osv) = &component.osv {
            assert!(!osv.ecosystem.is_empty());
        }
        let Some(purl) = &component.purl else { continue };
        // Names that tools wrote with the characters of the grammar in them are encoded, so that they stay names.
        if let Ok(again) = purl.to_string().parse::<Purl>() {
            assert_eq!(again.to_string(), purl.to_string(), "the canonical form is stable");
        }
    }
    for remark in &inventory.remarks {
        assert!((1..=last).contains(&(remark.line as usize)) && !remark.why.is_empty());
    }
});
