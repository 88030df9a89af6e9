use url::Url;

use super::super::{Location, LockFormat, parse as parse_any};
use super::*;

const A: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const B: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

fn sample() -> String {
    format!(
        r"# made by a tool \
--index-url https://me:secret@registry.example/simple
--extra-index-url=https://other.example/simple/  # why not
-f https://files.example/wheels/
--require-hashes

Foo.Bar[extra1, extra2]==1.0 ; python_version >= '3.8' \
    --hash=sha256:{A} \
    --hash sha256:{B}
    # via something
plain==2.0
arbitrary === 3.0-weird
bounded==4.0,!=4.1
old (==5.0)
-r more.txt
-c limits.txt
-e ./here
-e git+https://code.example/x.git#egg=x
ranged>=1.0
starred==1.*
unpinned
./dist/x-1.0.whl
x-1.0.tar.gz
C:\dist\x.whl
direct @ https://user:pw@files.example/direct-1.0.whl#sha256={A}
near @ file:///opt/near
https://files.example/y-1.0.zip
git+ssh://git@code.example/z.git@main
"
    )
}

#[test]
fn pins_are_entries_and_the_rest_says_why_not() {
    let lock = parse_any("requirements.txt", sample().as_bytes()).unwrap();
    assert_eq!(lock.format, LockFormat::Requirements);
    let pinned: Vec<_> =
        lock.packages.iter().map(|p| (p.coordinate.to_string(), p.digests.len(), p.line.unwrap())).collect();
    assert_eq!(
        pinned,
        [
            ("foo-bar@1.0".to_owned(), 2, 7),
            ("plain@2.0".into(), 0, 11),
            ("arbitrary@3.0-weird".into(), 0, 12),
            ("bounded@4.0".into(), 0, 13),
            ("old@5.0".into(), 0, 14),
        ]
    );
    let digests: Vec<_> = lock.packages[0].digests.iter().map(Digest::hex).collect();
    assert_eq!(digests, [A, B]);
    let skipped: Vec<_> = lock
        .skipped
        .iter()
        .map(|s| (s.line.unwrap(), s.what.as_str(), s.why.split(' ').take(3).collect::<Vec<_>>().join(" ")))
        .collect();
    let direct = format!("direct @ https://****@files.example/direct-1.0.whl#sha256={A}");
    let expected = [
        (15, "-r more.txt", "is another file:"),
        (16, "-c limits.txt", "is another file:"),
        (17, "./here", "is a path"),
        (18, "git+https://code.example/x.git#egg=x", "is fetched from"),
        (19, "ranged>=1.0", "pins no version"),
        (20, "starred==1.*", "pins no version"),
        (21, "unpinned", "pins no version"),
        (22, "./dist/x-1.0.whl", "is a path"),
        (23, "x-1.0.tar.gz", "is a path"),
        (24, "C:\\dist\\x.whl", "is a path"),
        (25, &direct, "is fetched from"),
        (26, "near @ file:///opt/near", "is a path"),
        (27, "https://files.example/y-1.0.zip", "is fetched from"),
        (28, "git+ssh://****@code.example/z.git@main", "is fetched from"),
    ];
    assert_eq!(skipped, expected.map(|(line, what, why)| (line, what, why.to_owned())));
}

#[test]
fn bad_lines_are_named() {
    for (bad, expected) in [
        ("ok==1\n-bad-==1", ""),
        ("ok==1\n==1", ""),
        ("ok==1\nfoo bar==1", "line 2: `bar==1` cannot be read"),
        ("foo[x==1", "line 1: `[` without `]`"),
        ("foo==", "line 1: `` cannot be read"),
        ("foo==1 2", "line 1: `1 2` cannot be read"),
        ("\n\nfoo==1 --hash=sha256:00", "line 3: --hash: `sha256:00`"),
        ("foo==1 \\\n --hash=nonsense", "line 1: --hash: `nonsense` has no algorithm"),
        ("foo==1 --hash", "line 1: --hash"),
        ("foo-==1", "line 1: `foo-` is not a valid pypi package name"),
    ] {
        match parse(bad) {
            Err(error) => assert!(error.to_string().contains(expected), "{bad}: {error}"),
            Ok(lock) => assert!(expected.is_empty() && lock.packages.len() == 1, "{bad}: {lock:?}"),
        }
    }
}

#[test]
fn continuations_and_comments_are_pips() {
    let names = |text: &str| {
        parse(text).unwrap().packages.iter().map(|p| p.coordinate.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(names("a==1\\\n.5\nb==2"), ["a@1.5", "b@2"]);
    assert_eq!(names("a==1 # x \\\nb==2"), ["a@1"], "pip joins before it strips comments");
    assert_eq!(names("# x \\\nb==2"), ["b@2"], "a line that is a comment is joined with none");
    assert_eq!(names("a==1 \\\n# x\nb==2"), ["a@1", "b@2"], "a comment ends a continued line");
    assert_eq!(names("a==1 \\\r\n  ; os_name == 'nt'\r\nb==2\r\n"), ["a@1", "b@2"]);
    assert_eq!(names("a==1 \\"), ["a@1"]);
    assert!(names("").is_empty() && names("\n#\n").is_empty());
}

fn context() -> LintContext {
    LintContext {
        doors: vec![Url::parse("http://127.0.0.1:8484/").unwrap()],
        upstreams: vec![Url::parse("https://registry.example/simple/").unwrap()],
    }
}

#[test]
fn what_goes_around_the_door_is_found() {
    let findings = lint(&sample(), &context()).unwrap();
    let seen: Vec<_> = findings.iter().map(|f| (f.line.unwrap(), f.fixable)).collect();
    assert_eq!(seen, [(2, true), (3, false), (4, false), (18, false), (25, false), (27, false), (28, false)]);
    assert!(findings[0].what == "--index-url https://****@registry.example/simple", "{:?}", findings[0]);
    assert!(findings.iter().all(|f| !f.what.contains("secret") && !f.problem.contains("secret")));
    let door = lint("-i http://127.0.0.1:8484/pypi/simple/\nfoo==1\n", &context()).unwrap();
    assert_eq!(door.len(), 1);
    assert!(door[0].fixable && door[0].problem.contains("names the door"));
    assert!(lint("--require-hashes\n--pre\nfoo==1\n", &context()).unwrap().is_empty());
}

struct ToDoor;

impl Relocate for ToDoor {
    fn location(&self, _: &LockedPackage) -> Option<Location> {
        panic!("requirements name no files")
    }

    fn registry(&self, current: &str) -> Option<String> {
        current.contains("registry.example").then(|| "http://127.0.0.1:8484/pypi/simple/".into())
    }
}

#[test]
fn only_the_index_is_rewritten() {
    let text = sample();
    let moved = rewrite(&text, &ToDoor).unwrap();
    assert_eq!(
        moved,
        text.replace("https://me:secret@registry.example/simple", "http://127.0.0.1:8484/pypi/simple/")
    );
    for line in [
        "-i'https://registry.example/simple'",
        "-i https://registry.example/simple",
        "--index-url \\\n  \"https://registry.example/simple\"",
    ] {
        assert_eq!(
            rewrite(line, &ToDoor).unwrap(),
            line.replace("https://registry.example/simple", "http://127.0.0.1:8484/pypi/simple/")
        );
    }
}
