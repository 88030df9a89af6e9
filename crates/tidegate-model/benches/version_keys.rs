//! What a version's key costs: `cargo bench -p tidegate-model`.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use tidegate_model::VersionScheme;

/// A version of ordinary length for each scheme.
const VERSIONS: [(VersionScheme, &str); 13] = [
    (VersionScheme::Semver, "4.17.21-rc.1"),
    (VersionScheme::Pub, "2.1.0-dev.3+build.5"),
    (VersionScheme::Pypi, "2.31.0rc1"),
    (VersionScheme::Maven, "5.3.18.RELEASE"),
    (VersionScheme::RubyGems, "6.1.4.rc2"),
    (VersionScheme::Packagist, "v6.4.0-beta2"),
    (VersionScheme::NuGet, "6.0.0-preview.7"),
    (VersionScheme::Dpkg, "1:7.88.1-10+deb12u5"),
    (VersionScheme::Rpm, "0:3.10.0-1160.el7"),
    (VersionScheme::Alpine, "3.1.4_git20231018-r5"),
    (VersionScheme::Cran, "1.0-12"),
    (VersionScheme::Hackage, "0.11.3.1"),
    (VersionScheme::Textual, "android-13.0.0_r42"),
];

fn keys(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("version key");
    for (scheme, version) in VERSIONS {
        assert!(scheme.key(version).is_some(), "{scheme:?}: `{version}`");
        group.bench_function(format!("{scheme:?}"), |b| b.iter(|| scheme.key(black_box(version))));
    }
    group.finish();
}

criterion_group!(benches, keys);
criterion_main!(benches);
