//! Package URLs and names: what is read is written the same way ever after.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tidegate_model::coordinate::PackageRef;
use tidegate_model::{Ecosystem, FileName, PackageName};

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(reference) = PackageRef::parse(text) {
        let written = tidegate_model::coordinate::package_purl(&reference.name);
        let again = PackageRef::parse(&written).expect("what was written can be read");
        assert_eq!(again.name, reference.name, "{text:?} {written:?}");
    }
    for ecosystem in Ecosystem::ALL {
        if let Ok(name) = PackageName::parse(ecosystem, text) {
            let again = PackageName::parse(ecosystem, name.as_str()).expect("a normal name is a name");
            assert_eq!(again, name, "{text:?}");
        }
    }
    if let Ok(name) = FileName::parse(text) {
        assert!(!name.as_str().contains(['/', '\0']), "{text:?}");
    }
});
