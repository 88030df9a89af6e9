//! Any bytes as licence file, manifest and source: twice alike, every place within the file, every conclusion an expression.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tidegate_inspect::licences::{LicenceCollector, Licences};
use tidegate_inspect::{Format, Leaf, Place};
use tidegate_model::licence;

const NAMES: [&str; 9] = [
    "a.tgz!/package/LICENSE",
    "a.tgz!/package/package.json",
    "a.whl!/a-1.dist-info/METADATA",
    "a.crate!/a-1/Cargo.toml",
    "a.jar!/META-INF/maven/g/a/pom.xml",
    "a.jar!/META-INF/MANIFEST.MF",
    "a.gem!/metadata.gz!/metadata",
    "a.deb!/data.tar!/usr/share/doc/a/copyright",
    "a.tgz!/package/a.js",
];

fn look(data: &[u8]) -> Licences {
    let mut collector = LicenceCollector::new();
    for path in NAMES {
        collector.leaf(&Leaf { path, bytes: data, format: Format::Text, place: Place::default() });
    }
    collector.finish()
}

fuzz_target!(|data: &[u8]| {
    let licences = look(data);
    assert_eq!(licences, look(data), "the same bytes are told alike");
    for one in &licences.detected {
        assert!(one.line >= 1 && one.line <= one.last_line && one.percent <= 100, "{one:?}");
        assert!(!one.licences.is_empty());
    }
    if let Some(concluded) = &licences.concluded {
        assert!(licence::is_valid(concluded), "{concluded}");
    }
    for declared in &licences.declared {
        if let Some(expression) = declared.reading.expression() {
            assert!(licence::is_valid(expression), "{expression}");
            assert_eq!(licence::read(expression).expression(), Some(expression), "an expression reads as itself");
        }
    }
    let _findings = licences.findings("a");
});
