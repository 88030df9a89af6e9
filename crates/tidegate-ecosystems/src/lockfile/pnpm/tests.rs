use super::*;
use crate::lockfile::tests::{Moving, context, told};

const SRI: &str =
    "sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg==";

const NINE: &str = "lockfileVersion: '9.0'

settings:
  autoInstallPeers: true

importers:

  .:
    dependencies:
      leaf:
        specifier: ^1.0.0
        version: 1.1.0

packages:

  '@s/twig@1.0.0':
    resolution: {integrity: SRI}
    deprecated: |-
      resolution: {integrity: no, tarball: no}

  leaf@1.1.0:
    resolution: {integrity: SRI, tarball: http://door.test/npm/leaf/-/leaf-1.1.0.tgz}
    engines: {node: '>=6'}

  odd@https://odd.example/x.tgz:
    resolution: {tarball: https://odd.example/x.tgz}
    version: 1.0.0

  fork@git+https://git.example/fork#abc:
    resolution: {commit: abc, repo: https://git.example/fork, type: git}

  near@file:../near:
    resolution: {directory: ../near, type: directory}

snapshots:

  leaf@1.1.0:
    dependencies:
      '@s/twig': 1.0.0
";

fn nine() -> String {
    NINE.replace("SRI", SRI)
}

#[test]
fn entries_are_packages_with_their_digests() {
    let lock = parse(&nine()).unwrap();
    assert_eq!(
        told(&lock),
        "pkg:npm/%40s/twig@1.0.0 twig-1.0.0.tgz 1 -\npkg:npm/leaf@1.1.0 leaf-1.1.0.tgz 1 http://door.test/npm/leaf/-/leaf-1.1.0.tgz\n"
    );
    let skipped: Vec<_> =
        lock.skipped.iter().map(|s| (&*s.what, s.why.contains("around the door"))).collect();
    assert_eq!(
        skipped,
        [
            ("odd@https://odd.example/x.tgz", true),
            ("fork@git+https://git.example/fork#abc", true),
            ("near@file:../near", false)
        ]
    );
    assert_eq!(lock.packages[0].line, Some(16));
}

#[test]
fn older_versions_name_entries_otherwise() {
    for (version, key) in [
        ("5.4", "/@s/twig/1.0.0"),
        ("5.4", "/@s/twig/1.0.0_react@18.0.0"),
        ("'6.0'", "/@s/twig@1.0.0(react@18.0.0)"),
        ("'9.0'", "'@s/twig@1.0.0'"),
    ] {
        let text = format!(
            "lockfileVersion: {version}\n\npackages:\n\n  {key}:\n    resolution:\n      integrity: {SRI}\n    dev: true\n"
        );
        assert_eq!(told(&parse(&text).unwrap()), "pkg:npm/%40s/twig@1.0.0 twig-1.0.0.tgz 1 -\n", "{key}");
    }
}

#[test]
fn addresses_are_found_and_taken_out() {
    let text = nine();
    let findings = lint(&text, &context()).unwrap();
    let shown: Vec<_> = findings.iter().map(|f| (&*f.what, f.fixable)).collect();
    assert_eq!(
        shown,
        [
            ("leaf@1.1.0", true),
            ("odd@https://odd.example/x.tgz", false),
            ("fork@git+https://git.example/fork#abc", false)
        ]
    );
    assert!(findings[0].problem.contains("door's own"), "{}", findings[0].problem);
    let mended = rewrite(&text, &Moving { omit: true }).unwrap();
    assert_eq!(mended, text.replace(", tarball: http://door.test/npm/leaf/-/leaf-1.1.0.tgz", ""));
    let moved = rewrite(&text, &Moving { omit: false }).unwrap();
    assert!(moved.contains("tarball: 'http://moved.test/npm/leaf/-/leaf-1.1.0.tgz'"), "{moved}");
    assert_eq!(told(&parse(&moved).unwrap()).matches("moved.test").count(), 1);
    // On lines of their own too.
    let nested = format!(
        "lockfileVersion: '9.0'\npackages:\n  leaf@1.1.0:\n    resolution:\n      tarball: http://door.test/npm/leaf/-/leaf-1.1.0.tgz\n      integrity: {SRI}\n"
    );
    let mended = rewrite(&nested, &Moving { omit: true }).unwrap();
    assert_eq!(
        mended,
        format!(
            "lockfileVersion: '9.0'\npackages:\n  leaf@1.1.0:\n    resolution:\n      integrity: {SRI}\n"
        )
    );
}

#[test]
fn what_is_no_lock_file_is_refused() {
    for (text, why) in [
        ("a: 1\n", "no `lockfileVersion`"),
        ("lockfileVersion: '12.0'\n", "5 to 9 are read"),
        ("lockfileVersion: '9.0'\nnonsense\n", "line 2"),
    ] {
        let told = parse(text).unwrap_err().to_string();
        assert!(told.contains(why), "{told}");
    }
}
