use super::*;
use crate::lockfile::tests::{Moving, context, told};

const LOCK: &str = r#"{
    "_meta": {
        "hash": {"sha256": "aa"},
        "pipfile-spec": 6,
        "requires": {"python_version": "3.11"},
        "sources": [
            {"name": "pypi", "url": "https://registry.example/simple", "verify_ssl": true},
            {"name": "door", "url": "http://door.test/pypi/simple", "verify_ssl": false},
            {"name": "other", "url": "https://user:secret@other.example/simple", "verify_ssl": true}
        ]
    },
    "default": {
        "leaf": {
            "hashes": [
                "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
                "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b856"
            ],
            "index": "pypi",
            "version": "==1.1.0"
        },
        "fork": {"git": "https://git.example/fork", "ref": "abc"},
        "near": {"path": "./near", "editable": true}
    },
    "develop": {
        "twig": {"version": "==1.0.0", "markers": "python_version >= '3.9'"},
        "any": {"version": "*"}
    }
}
"#;

#[test]
fn entries_of_every_group_are_packages() {
    let lock = parse(LOCK).unwrap();
    assert_eq!(told(&lock), "pkg:pypi/leaf@1.1.0 - 2 -\npkg:pypi/twig@1.0.0 - 0 -\n");
    assert_eq!(lock.packages[0].line, Some(13));
    let skipped: Vec<_> =
        lock.skipped.iter().map(|s| (&*s.what, s.why.contains("around the door"))).collect();
    assert_eq!(skipped, [("fork", true), ("near", false), ("any", false)]);
}

#[test]
fn indexes_are_found_and_moved() {
    let findings = lint(LOCK, &context()).unwrap();
    let shown: Vec<_> = findings.iter().map(|f| (f.line.unwrap(), f.fixable)).collect();
    assert_eq!(shown, [(7, true), (8, true), (9, false), (21, false)]);
    assert!(findings.iter().all(|f| !f.what.contains("secret")), "{findings:?}");
    let moved = rewrite(LOCK, &Moving { omit: false }).unwrap();
    assert_eq!(moved.matches("http://moved.test/simple").count(), 3);
    assert_eq!(told(&parse(&moved).unwrap()), told(&parse(LOCK).unwrap()));
}

#[test]
fn what_is_no_lock_file_is_refused() {
    for (text, why) in [
        ("{}", "no `_meta`"),
        ("{\"_meta\": {},\n \"default\": {\"x\" 1}}", "line 2"),
        ("{\"_meta\": {}, \"default\": {\"..\": {\"version\": \"==1\"}}}", "`..`"),
    ] {
        let told = parse(text).unwrap_err().to_string();
        assert!(told.contains(why), "{told}");
    }
}
