//! Detectors over the form of archives: each finds its bad archives and leaves the clean look-alikes alone.

use tidegate_inspect::archive::DETECTORS;
use tidegate_inspect::{Budgets, Inspection, Request, TemporaryFiles, inspect};
use tidegate_model::finding::FindingSeverity;

use crate::support::zip::{Member, archive, archive_with_comment};
use crate::support::{gzip, noise, tar};

fn look(name: &str, bytes: &[u8]) -> Inspection {
    let request = Request { name: name.into(), ..Request::default() };
    inspect(&request, bytes, &Budgets::default(), &TemporaryFiles::default())
}

/// The worst that a detector says of an artifact.
fn worst(name: &str, bytes: &[u8], detector: &str) -> Option<FindingSeverity> {
    look(name, bytes).findings.iter().filter(|f| f.detector == detector).map(|f| f.severity).max()
}

struct Case {
    detector: &'static str,
    bad: Vec<(&'static str, Vec<u8>)>,
    clean: Vec<(&'static str, Vec<u8>)>,
}

fn zip_cases() -> Vec<Case> {
    let ordinary =
        || archive(&[Member::stored("a.py", b"pass"), Member::deflated("b.py", &b"pass\n".repeat(50))]);
    let streamed = || archive(&[Member { flags: 8, ..Member::deflated("late.py", b"sizes stand behind") }]);
    let mut prefixed = b"#!/bin/sh\nexit\n".to_vec();
    prefixed.extend(ordinary());
    let mut trailed = ordinary();
    trailed.extend(noise(40, 1));
    vec![
        Case {
            detector: "archive/zip-duplicate",
            bad: vec![(
                "x-1.whl",
                archive(&[Member::stored("x.py", b"one"), Member::stored("x.py", b"two")]),
            )],
            clean: vec![
                ("x-1.whl", ordinary()),
                ("x-1.whl", archive(&[Member::stored("a/x.py", b"one"), Member::stored("b/x.py", b"one")])),
            ],
        },
        Case {
            detector: "archive/zip-headers-differ",
            bad: vec![
                (
                    "x-1.whl",
                    archive(&[Member {
                        local_name: Some(b"evil.py".to_vec()),
                        ..Member::stored("fine.py", b"x")
                    }]),
                ),
                (
                    "x-1.whl",
                    archive(&[
                        Member::stored("fine.py", b"x"),
                        Member { unlisted: true, ..Member::stored("evil.py", b"y") },
                    ]),
                ),
            ],
            clean: vec![("x-1.whl", ordinary()), ("x-1.whl", streamed())],
        },
        Case {
            detector: "archive/zip-crc",
            bad: vec![("m.pt", archive(&[Member { crc: Some(1), ..Member::stored("data.pkl", b"x") }]))],
            clean: vec![("m.pt", ordinary()), ("m.pt", streamed())],
        },
        Case {
            detector: "archive/zip-flag",
            bad: vec![("m.pt", archive(&[Member { flags: 1, ..Member::stored("data.pkl", b"plain text") }]))],
            clean: vec![("m.pt", ordinary()), ("m.pt", streamed())],
        },
        Case {
            detector: "archive/zip-prefix",
            bad: vec![("x-1.whl", prefixed), ("x-1.whl", trailed)],
            clean: vec![
                ("x-1.whl", ordinary()),
                ("x-1.whl", archive_with_comment(&[Member::stored("a", b"b")], b"made by hand")),
            ],
        },
    ]
}

fn tar_cases() -> Vec<Case> {
    let of = |members: &[Vec<u8>]| gzip(&tar::archive(members));
    let ordinary = || of(&[tar::file("package/a.js", b"1"), tar::file("package/lib/b.js", b"2")]);
    let linked = || of(&[tar::file("x-1/a.py", b"1"), tar::member("x-1/b.py", b'2', "a.py", b"")]);
    let mut negative = tar::header("package/a.js", b"00000000001", b'0', "");
    negative[124..136].copy_from_slice(&[0xff; 12]);
    tar::seal(&mut negative);
    let pax = |size: &str, content: &[u8]| {
        let mut out = tar::member("pax", b'x', "", tar::record("size", size).as_bytes());
        out.extend(tar::file("package/a.js", content));
        out
    };
    vec![
        Case {
            detector: "archive/tar-traversal",
            bad: vec![
                ("x-1.tgz", of(&[tar::file("package/../../../etc/profile.d/x.sh", b"1")])),
                ("x-1.tgz", of(&[tar::file("/etc/cron.d/x", b"1")])),
                ("x-1.whl", archive(&[Member::stored("..\\..\\x.py", b"1")])),
            ],
            clean: vec![("x-1.tgz", ordinary()), ("x-1.tgz", of(&[tar::file("package/a..b/c...js", b"1")]))],
        },
        Case {
            detector: "archive/tar-link-escape",
            bad: vec![
                ("x-1.tar.gz", of(&[tar::member("x-1/l", b'2', "../../../home", b"")])),
                ("x-1.tar.gz", of(&[tar::member("x-1/l", b'1', "/etc/passwd", b"")])),
                ("x-1.tar.gz", of(&[tar::member("x-1/dev", b'3', "", b"")])),
            ],
            clean: vec![("x-1.tgz", ordinary()), ("x-1.tar.gz", linked())],
        },
        Case {
            detector: "archive/tar-conflict",
            bad: vec![
                ("x-1.tgz", gzip(&tar::archive(&[negative.to_vec(), tar::file("package/b.js", b"2")]))),
                ("x-1.tgz", of(&[pax("512", &[b'a'; 600])])),
            ],
            clean: vec![("x-1.tgz", ordinary()), ("x-1.tgz", of(&[pax("3", b"abc")]))],
        },
    ]
}

fn other_cases() -> Vec<Case> {
    let program = || {
        let mut elf = b"\x7fELF\x02\x01\x01".to_vec();
        elf.resize(300, 0);
        elf
    };
    let png = || {
        let chunk = |kind: &[u8], body: &[u8]| {
            let mut out = u32::try_from(body.len()).unwrap().to_be_bytes().to_vec();
            let typed = [kind, body].concat();
            out.extend(&typed);
            out.extend(crate::support::crc32(&typed).to_be_bytes());
            out
        };
        [
            b"\x89PNG\r\n\x1a\n".to_vec(),
            chunk(b"IHDR", &[0, 0, 0, 1, 0, 0, 0, 1, 8, 0, 0, 0, 0]),
            chunk(b"IEND", b""),
        ]
        .concat()
    };
    let packed = |name: &str, content: Vec<u8>| gzip(&tar::archive(&[tar::file(name, &content)]));
    let nested = |depth: usize| {
        (0..depth).fold(b"core".to_vec(), |inner, _| archive(&[Member::stored("n.zip", &inner)]))
    };
    let mut both = png();
    both.extend(archive(&[Member::stored("x.py", b"pass")]));
    // The map of a source that itself speaks of a map.
    let map = [
        br#"{"version":3,"sources":["x.js"],"mappings":"","sourcesContent":["a\n//# source"#.as_slice(),
        br#"MappingURL=data:application/json;base64,eyJ2ZXJzaW9uIjozLCJzb3VyY2VzIjpbXX0=\n"]}"#,
    ]
    .concat();
    vec![
        Case {
            detector: "archive/bomb",
            bad: vec![("x.tgz", packed("package/z", vec![0; 64 << 20])), ("x.zip", nested(12))],
            clean: vec![("x.tgz", packed("package/z", vec![0; 1 << 20])), ("x.zip", nested(4))],
        },
        Case {
            detector: "archive/type-mismatch",
            bad: vec![
                ("x.tgz", packed("package/logo.png", program())),
                ("x.tgz", packed("package/README.md", program())),
            ],
            clean: vec![
                ("x.tgz", packed("package/bin/tool", program())),
                ("x.tgz", packed("package/addon.node", program())),
                ("x.tgz", packed("package/logo.png", png())),
            ],
        },
        Case {
            detector: "archive/polyglot",
            bad: vec![("x.png", both)],
            clean: vec![("x.png", png()), ("x.zip", nested(1)), ("x.tgz", packed("package/x.js.map", map))],
        },
        Case {
            detector: "archive/incomplete",
            bad: vec![
                ("x.tgz", packed("package/z", vec![0; 64 << 20])),
                (
                    "x.zip",
                    archive(&[Member {
                        flags: 1,
                        crc: Some(7),
                        ..Member::deflated("secret", &noise(90, 3))
                    }]),
                ),
            ],
            clean: vec![("x.tgz", packed("package/a.js", b"1".to_vec())), ("x.zip", nested(3))],
        },
    ]
}

/// Detectors that are shown both what they find and what they leave alone.
pub(crate) fn covered_both_ways() -> Vec<&'static str> {
    let cases = [zip_cases(), tar_cases(), other_cases()].into_iter().flatten();
    cases.filter(|case| !case.bad.is_empty() && !case.clean.is_empty()).map(|case| case.detector).collect()
}

#[test]
fn every_detector_finds_what_it_is_for_and_nothing_else() {
    let cases: Vec<Case> = [zip_cases(), tar_cases(), other_cases()].into_iter().flatten().collect();
    let covered: Vec<&str> = cases.iter().map(|case| case.detector).collect();
    let listed: Vec<&str> = DETECTORS.iter().map(|detector| detector.id).collect();
    assert_eq!(
        covered.iter().collect::<std::collections::BTreeSet<_>>(),
        listed.iter().collect::<std::collections::BTreeSet<_>>(),
        "every detector has its cases"
    );
    for case in cases {
        let grave =
            if case.detector == "archive/incomplete" { FindingSeverity::Info } else { FindingSeverity::High };
        for (n, (name, bytes)) in case.bad.iter().enumerate() {
            let found = look(name, bytes);
            assert_eq!(
                worst(name, bytes, case.detector),
                Some(grave),
                "{}, bad {n}: {found:#?}",
                case.detector
            );
        }
        for (n, (name, bytes)) in case.clean.iter().enumerate() {
            assert_eq!(worst(name, bytes, case.detector), None, "{}, clean {n}", case.detector);
            assert!(
                look(name, bytes).findings.iter().all(|f| f.severity < FindingSeverity::High),
                "{}, clean {n}: {:#?}",
                case.detector,
                look(name, bytes).findings
            );
        }
    }
}

#[test]
fn what_is_odd_in_an_archive_within_is_told_mildly() {
    let inner = archive(&[Member::stored("x.class", b"one"), Member::stored("x.class", b"two")]);
    let outer = archive(&[Member::stored("lib/old.jar", &inner)]);
    assert_eq!(worst("app.jar", &outer, "archive/zip-duplicate"), Some(FindingSeverity::Medium));
}

#[test]
fn a_flood_of_small_findings_does_not_keep_a_grave_one_out() {
    let mut members: Vec<Member> = (0..3000)
        .map(|n| {
            let inner = archive(&[Member::stored("x", &[n as u8]), Member::stored("x", b"2")]);
            Member::stored(&format!("{n}.jar"), &inner)
        })
        .collect();
    members.push(Member::stored("twice", b"1"));
    members.push(Member::stored("twice", b"2"));
    let found = look("x.whl", &archive(&members));
    assert!(found.findings.len() <= tidegate_inspect::inspection::FINDINGS_KEPT);
    assert_eq!(found.findings[0].severity, FindingSeverity::High, "the worst comes first");
    assert_eq!(found.findings[0].location.path, "x.whl!/twice");
    let grave = found.findings.iter().filter(|finding| finding.severity >= FindingSeverity::High).count();
    assert_eq!(grave, 1, "what is mild within does not become grave by being much");
}
