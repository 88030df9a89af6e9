//! Every detector of behaviour over small packages that were written for it: `fixtures/behaviour/<id>/{bad,clean}_<slug>/`.
//!
//! A folder is packed as its ecosystem packs it and goes the whole way: unfolder, readers, detectors, verdict. `{{…}}` in a file stands for what must not
//! stand in a repository: tokens, invisible characters, machine code. A name that begins with `_` loses that when it is packed. All samples are inert.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use tidegate_inspect::behaviour::detectors::{DETECTORS, OF_COORDINATES};
use tidegate_inspect::behaviour::diff::{self, Between, Summary};
use tidegate_inspect::behaviour::package::{Collector, Subject};
use tidegate_inspect::behaviour::{Judged, judge};
use tidegate_inspect::{
    Budgets, Flow, Gap, Leaf, NoScratch, Oddity, Request, TemporaryFiles, Verdict, Visitor, archive, inspect,
    unfold,
};
use tidegate_model::finding::{Confidence, Finding, FindingSeverity};

use crate::support::{gzip, noise, tar, zip};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/behaviour")
}

/// Every file below a folder, by its path there.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        for path in std::fs::read_dir(&next).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                open.push(path);
                continue;
            }
            let name =
                path.strip_prefix(folder).unwrap().to_string_lossy().replace("/_Cargo.toml", "/Cargo.toml");
            let name = if name == "_Cargo.toml" { "Cargo.toml".to_owned() } else { name };
            found.push((name, expand(&std::fs::read(&path).unwrap())));
        }
    }
    found.sort();
    found
}

/// Puts in what must not stand in a repository.
fn expand(content: &[u8]) -> Vec<u8> {
    let Ok(text) = std::str::from_utf8(content) else { return content.to_vec() };
    if text.trim() == "{{elf}}" {
        return [b"\x7fELF\x02\x01\x01".as_slice(), &[0; 9], &noise(400, 5)].concat();
    }
    let base64 = |bytes: &[u8]| -> String {
        const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        bytes.iter().map(|byte| char::from(ALPHABET[usize::from(byte & 63)])).collect()
    };
    let letters = |seed: u64, length: usize| base64(&noise(length, seed)).replace(['+', '/'], "x");
    let run = |from: u32| -> String { (0..64).filter_map(|n| char::from_u32(from + n % 16)).collect() };
    let hex = |seed: u64| -> String { noise(20, seed).iter().map(|byte| format!("{byte:02x}")).collect() };
    text.replace(
        "{{webhook}}",
        &format!("https://chat.invalid/api/webhooks/1048576{}/{}", 123_456_789, letters(1, 40)),
    )
    .replace(
        "{{bot}}",
        &format!("https://api.chat.invalid/bot{}:{}/sendMessage", 123_456_789, letters(2, 35)),
    )
    .replace("{{selectors}}", &run(0xfe00))
    .replace("{{tags}}", &run(0xe0041))
    .replace("{{spaces}}", &" ".repeat(300))
    .replace("{{eth}}", &format!("0x{}", hex(3)))
    .replace("{{eth2}}", &format!("0x{}", hex(4)))
    .replace("{{big}}", &base64(&noise(9_000, 6)))
    .replace("{{noise}}", &base64(&noise(2_400, 7)))
    .into_bytes()
}

/// Packs files as the ecosystem does that their manifest speaks of.
fn pack(files: &[(String, Vec<u8>)]) -> (String, Vec<u8>) {
    let has = |wanted: &str| files.iter().any(|(name, _)| name == wanted);
    if files.iter().any(|(name, _)| name.contains(".dist-info/")) {
        let members: Vec<_> =
            files.iter().map(|(name, content)| zip::Member::deflated(name, content)).collect();
        return ("sample-1.0.0-py3-none-any.whl".to_owned(), zip::archive(&members));
    }
    let (root, name) = if has("package.json") {
        ("package", "sample-1.0.0.tgz")
    } else if has("Cargo.toml") {
        ("sample-1.0.0", "sample-1.0.0.crate")
    } else {
        ("sample-1.0.0", "sample-1.0.0.tar.gz")
    };
    let members: Vec<_> =
        files.iter().map(|(path, content)| tar::file(&format!("{root}/{path}"), content)).collect();
    (name.to_owned(), gzip(&tar::archive(&members)))
}

struct Look(Collector);

impl Visitor for Look {
    fn leaf(&mut self, leaf: &Leaf<'_>) -> Flow {
        self.0.leaf(leaf);
        Flow::Continue(())
    }

    fn oddity(&mut self, oddity: Oddity) {
        panic!("a fixture is odd: {oddity:?}");
    }

    fn gap(&mut self, gap: Gap) {
        panic!("a fixture has a gap: {gap}");
    }
}

/// Looks at one package.
fn look(files: &[(String, Vec<u8>)]) -> Judged {
    let (index, files): (Vec<_>, Vec<_>) = files.iter().cloned().partition(|(name, _)| name == "index.json");
    let index_manifest = index.first().map(|(_, text)| serde_json::from_slice(text).unwrap());
    let (name, bytes) = pack(&files);
    let subject = Subject { file_name: name.clone(), index_manifest, ..Subject::default() };
    let mut look = Look(Collector::new(subject));
    unfold(&name, &bytes, &Budgets::default(), &NoScratch, &mut look);
    judge(&look.0.finish())
}

/// Looks at a case: at one package, or at two releases.
fn look_at(case: &Path) -> Judged {
    if !case.join("before").exists() {
        return look(&files(case));
    }
    let (before, mut after) = (look(&files(&case.join("before"))), look(&files(&case.join("after"))));
    // As it is stored and read again.
    let stored: Summary = serde_json::from_str(&serde_json::to_string(&before.summary).unwrap()).unwrap();
    after.findings = diff::compare(&stored, &after.summary, Between { days: Some(800) });
    let grave = after
        .findings
        .iter()
        .any(|f| f.severity >= FindingSeverity::High && f.confidence >= Confidence::Medium);
    after.verdict = if grave { Verdict::Suspicious } else { Verdict::Clean };
    after
}

fn shown(findings: &[Finding]) -> String {
    findings.iter().fold(String::new(), |mut text, f| {
        let line = f.location.line.unwrap_or_default();
        let evidence = f.evidence.as_deref().unwrap_or_default();
        let _ = writeln!(
            text,
            "    {} {} {}: {}:{line}: {} [{evidence}]",
            f.severity, f.confidence, f.detector, f.location.path, f.message
        );
        text
    })
}

/// What is wrong with a case.
fn wrong(id: &str, severity: FindingSeverity, case: &Path) -> Option<String> {
    let slug = case.file_name().unwrap().to_string_lossy().into_owned();
    let judged = look_at(case);
    let own = || judged.findings.iter().filter(|f| f.detector == id);
    let told = format!("{id}/{slug}: {}\n{}", judged.verdict.as_str(), shown(&judged.findings));
    if slug.starts_with("bad_") {
        let weighs = own().any(|f| f.severity >= severity.min(FindingSeverity::Medium));
        let holds = severity < FindingSeverity::High || judged.verdict != Verdict::Clean;
        return (!(weighs && holds)).then_some(told);
    }
    assert!(slug.starts_with("clean_"), "{slug}");
    let weighs = own().any(|f| f.severity >= severity.min(FindingSeverity::Medium));
    (weighs || judged.verdict != Verdict::Clean).then_some(told)
}

fn cases(folder: &Path) -> Vec<PathBuf> {
    let mut cases: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    cases
}

#[test]
fn detectors_find_what_is_bad_and_nothing_else() {
    let only = std::env::var("DETECTOR").unwrap_or_default();
    let mut problems = Vec::new();
    for detector in DETECTORS {
        let name = detector.id.strip_prefix("behaviour/").unwrap();
        if !name.contains(&only) {
            continue;
        }
        let cases = cases(&folder().join(name));
        for kind in ["bad_", "clean_"] {
            let count = cases
                .iter()
                .filter(|case| case.file_name().unwrap().to_string_lossy().starts_with(kind))
                .count();
            assert!(count >= 2, "{name} has {count} cases {kind}");
        }
        problems.extend(cases.iter().filter_map(|case| wrong(detector.id, detector.severity, case)));
    }
    assert!(problems.is_empty(), "{} cases:\n{}", problems.len(), problems.join("\n"));
}

/// The ids of the catalogue, in its order.
const CATALOGUE: &[&str] = &[
    "INST-HOOK",
    "INST-NET-EXEC",
    "INST-PIPE-SHELL",
    "INST-INLINE-EVAL",
    "INST-ENV-NET",
    "INST-GYP-SUBST",
    "INST-BACKEND-INTREE",
    "INST-SETUP-NET",
    "INST-BUILD-RS",
    "INST-PROCMACRO-IO",
    "INST-DETACHED",
    "INST-RUNTIME-FETCH",
    "START-PTH",
    "START-SITECUSTOMIZE",
    "START-CTOR",
    "EXFIL-CRED-FILE",
    "EXFIL-ENV-ALL",
    "EXFIL-ENV-SECRET",
    "EXFIL-MESSENGER",
    "EXFIL-DNS",
    "EXFIL-GIT-HOST",
    "EXFIL-BROWSER",
    "EXFIL-IMDS",
    "EXFIL-CLIPBOARD",
    "EXFIL-TAP",
    "SECRET-SCANNER-DROP",
    "AGENT-ABUSE",
    "AGENT-POISON",
    "WORM-PUBLISH",
    "WORM-CI",
    "EVAL-REMOTE",
    "EVAL-DECODED",
    "EVAL-UNICODE",
    "OBF-STRARRAY",
    "OBF-OFFSCREEN",
    "OBF-PACKED",
    "OBF-SPLIT-NAME",
    "OBF-HOMOGLYPH",
    "OBF-TAIL",
    "STEGO-READ",
    "BIN-DROP",
    "BIN-UNDECLARED",
    "SHELL-REVERSE",
    "SHELLCODE",
    "C2-DEADDROP",
    "C2-CHANNEL",
    "PERSIST",
    "MINER",
    "DESTRUCT",
    "EVADE",
    "PATCH-OTHER",
    "SHADOW-MODULE",
    "SHADOW-BIN",
    "PKG-NPMRC",
    "PKG-BUNDLED-HOOK",
    "DEP-URL",
    "DEP-CONFUSION",
    "NAME-TYPO",
    "NAME-SLOP",
    "META-MANIFEST-DIFF",
    "META-PROVENANCE-LOST",
    "META-NEW-MAINTAINER",
    "META-DORMANT",
    "DIFF-CAPABILITY",
    "DIFF-REPO",
    "QUARANTINE-AGE",
    "KNOWN-BAD",
    "INSPECT-INCOMPLETE",
    "ZIP-DUP",
    "ZIP-LOCAL-CENTRAL-DIFF",
    "ZIP-CRC",
    "ZIP-FLAG",
    "ZIP-PREFIX",
    "TAR-TRAVERSAL",
    "TAR-LINK-ESCAPE",
    "TAR-PAX-CONFLICT",
    "BOMB",
    "TYPE-MISMATCH",
    "POLYGLOT",
];

#[test]
fn catalogue_list_and_fixtures_agree() {
    let mut known: Vec<&str> = DETECTORS.iter().map(|detector| detector.catalogue).collect();
    known.extend(archive::DETECTORS.iter().map(|detector| detector.catalogue));
    known.extend(OF_COORDINATES);
    let set: BTreeSet<&str> = known.iter().copied().collect();
    assert_eq!(set.len(), known.len(), "an id twice");
    let missing: Vec<_> = CATALOGUE.iter().filter(|id| !set.contains(*id)).collect();
    assert!(missing.is_empty(), "{missing:?}");
    let ids: BTreeSet<String> =
        DETECTORS.iter().map(|d| d.id.strip_prefix("behaviour/").unwrap().to_owned()).collect();
    let folders: BTreeSet<String> = cases(&folder())
        .iter()
        .map(|path| path.file_name().unwrap().to_string_lossy().into_owned())
        .collect();
    assert_eq!(ids, folders);
    for detector in DETECTORS {
        assert_eq!(detector.id, format!("behaviour/{}", detector.catalogue.to_lowercase()));
    }
}

/// The page of a detector: the head of its file.
fn page(id: &str, catalogue: &str, title: &str, about: &str, source: &str) -> String {
    let head: Vec<&str> = source
        .lines()
        .take_while(|line| line.starts_with("//!"))
        .map(|line| line.trim_start_matches("//!").trim_start())
        .collect();
    assert!(head.len() > 3, "{id} has no page");
    format!(
        "# `{id}`\n\n*{title}*\n\n{about}\n\nCatalogue id: `{catalogue}`.\n\n{}\n",
        head.join("\n").trim()
    )
}

#[test]
fn detector_pages() {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/behaviour/detectors");
    let pages = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/detectors/behaviour");
    let writes = std::env::var_os("UPDATE_SNAPSHOTS").is_some();
    let mut index = String::from(
        "# Detectors of behaviour\n\nWritten by `UPDATE_SNAPSHOTS=1 cargo test -p tidegate-inspect detector_pages` from the heads of the detectors' files.\n\n| detector | what it finds | at most |\n| --- | --- | --- |\n",
    );
    let mut expected = BTreeSet::from(["README.md".to_owned()]);
    let mut check = |name: &str, made: &str| {
        let path = pages.join(name);
        if writes {
            std::fs::create_dir_all(&pages).unwrap();
            std::fs::write(&path, made).unwrap();
        }
        let kept = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(kept == made, "{name} is old: run the test with UPDATE_SNAPSHOTS=1");
        expected.insert(name.to_owned());
    };
    for detector in DETECTORS {
        let name = detector.id.strip_prefix("behaviour/").unwrap();
        let source = std::fs::read_to_string(sources.join(format!("{}.rs", name.replace('-', "_")))).unwrap();
        let ecosystems: Vec<&str> = detector.ecosystems.iter().map(|ecosystem| ecosystem.as_str()).collect();
        let ecosystems =
            if ecosystems.is_empty() { "all ecosystems".to_owned() } else { ecosystems.join(", ") };
        let about = format!("At most {}, for {ecosystems}.", detector.severity);
        check(&format!("{name}.md"), &page(detector.id, detector.catalogue, detector.title, &about, &source));
        let _ = writeln!(
            index,
            "| [`{}`]({name}.md) | {} | {} |",
            detector.id, detector.title, detector.severity
        );
    }
    let _ = writeln!(
        index,
        "\nWhat is said of names, publishers and ages is no finding but a fact of the coordinate: {}.",
        OF_COORDINATES.iter().map(|id| format!("`{id}`")).collect::<Vec<_>>().join(", ")
    );
    check("README.md", &index);
    let kept: BTreeSet<String> = std::fs::read_dir(&pages)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    assert_eq!(kept, expected, "pages of detectors that are gone");
}

/// A package whose one source is larger than the most that is parsed, if any such bound is set.
fn release(version: &str, code: &str, parsed_bytes: Option<usize>) -> Summary {
    let manifest = format!(r#"{{"name": "alpha", "version": "{version}", "main": "index.js"}}"#);
    let files = [
        ("package.json".to_owned(), manifest.into_bytes()),
        ("index.js".to_owned(), format!("{code}\n{}", "// long\n".repeat(100)).into_bytes()),
    ];
    let (name, bytes) = pack(&files);
    let request = Request { name, parsed_bytes, ..Request::default() };
    inspect(&request, &bytes, &Budgets::default(), &TemporaryFiles::default()).summary
}

#[test]
fn what_was_not_parsed_before_is_no_news() {
    const DECODED: &str = "eval(Buffer.from('Y29uc29sZS5sb2coMSk=', 'base64').toString());";
    let now = release("1.0.1", DECODED, None);
    let news = |before: &Summary| {
        let found = diff::compare(before, &now, Between::default());
        found.iter().filter(|finding| finding.detector == "behaviour/diff-capability").count()
    };
    assert!(news(&release("1.0.0", "exports.a = 1;", None)) > 0, "new code is told");
    assert_eq!(news(&release("1.0.0", DECODED, None)), 0, "the same code is not");
    let unread = release("1.0.0", DECODED, Some(200));
    assert_eq!((unread.parsed_bytes, unread.is_less_parsed_than(&now)), (Some(200), true));
    assert_eq!(news(&unread), 0, "nor is code that nobody parsed before");
    assert!(!now.is_less_parsed_than(&unread) && !unread.is_less_parsed_than(&unread));
    let small = release("1.0.0", "exports.a = 1;", Some(1 << 20));
    assert!(!small.is_less_parsed_than(&now), "all of it was parsed");
    assert!(news(&small) > 0, "so what is new is told");
}
