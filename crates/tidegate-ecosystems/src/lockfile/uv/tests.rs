use super::super::{LockFormat, parse as parse_any};
use super::*;

const A: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

/// What uv 0.13 writes, with two spellings of white space that it does not.
fn lock(index: &str, files: &str) -> String {
    format!(
        r#"version = 1
revision = 5
requires-python = ">=3.11"

[[package]]
name = "app"
version = "0"
source = {{ virtual = "." }}
dependencies = [
    {{ name = "foo" }},
    {{ name = "bar", version = "2.0", source = {{ registry = "{index}" }}, marker = "os_name == 'nt'" }},
]

[package.dev-dependencies]
dev = [{{ name = "bar", source = {{ registry = "{index}" }} }}]

[package.metadata]
requires-dist = [{{ name = "foo" }}, {{ name = "vcs", git = "https://code.example/vcs.git" }}]

[[package]]
name = "foo"
version = "1.0"
source = {{ registry = "{index}" }}   # a comment stays
sdist = {{ url = "{files}/foo-1.0.tar.gz", hash = "sha256:{A}", size = 10, upload-time = "2026-01-01T00:00:00Z" }}
wheels = [
    {{ url = "{files}/foo-1.0%2Bcpu-py3-none-any.whl", hash = "sha256:{A}" }},
    {{ url = '{files}/foo-1.0-py3-none-any.whl' }},
]

[[package]]
name = "bare"
version = "3"
source = {{ registry = "{index}" }}

[[package]]
name = "vcs"
version = "1"
source = {{ git = "https://code.example/vcs.git?rev=main#0123" }}

[[package]]
name = "direct"
version = "1"
source = {{ url = "https://files.example/direct-1.tar.gz" }}

[[package]]
name = "near"
version = "1"
source = {{ editable = "near" }}

[[package]]
name = "folder"
version = "1"
source = {{ registry = "wheels" }}
wheels = [{{ path = "folder-1-py3-none-any.whl" }}]
"#
    )
}

const UPSTREAM: &str = "https://registry.example/simple";
const UPSTREAM_FILES: &str = "https://files.example/packages/aa";
const DOOR: &str = "http://127.0.0.1:8484/pypi/simple/";
const DOOR_FILES: &str = "http://127.0.0.1:8484/pypi/files/foo";

fn context() -> LintContext {
    LintContext {
        doors: vec![Url::parse("http://127.0.0.1:8484/").unwrap()],
        upstreams: vec![Url::parse("https://registry.example/simple/").unwrap()],
    }
}

#[test]
fn every_file_is_an_entry() {
    let lock = parse_any("uv.lock", lock(UPSTREAM, UPSTREAM_FILES).as_bytes()).unwrap();
    assert_eq!(lock.format, LockFormat::UvLock);
    let seen: Vec<_> = lock
        .packages
        .iter()
        .map(|p| {
            (
                p.coordinate.purl(),
                p.file.as_ref().map_or("", |f| f.as_str()),
                p.digests.len(),
                p.line.unwrap(),
            )
        })
        .collect();
    let foo = || "pkg:pypi/foo@1.0".to_owned();
    assert_eq!(
        seen,
        [
            (foo(), "foo-1.0.tar.gz", 1, 24),
            (foo(), "foo-1.0+cpu-py3-none-any.whl", 1, 26),
            (foo(), "foo-1.0-py3-none-any.whl", 0, 27),
            ("pkg:pypi/bare@3".into(), "", 0, 30),
        ]
    );
    assert_eq!(
        lock.packages[0].resolved.as_deref(),
        Some("https://files.example/packages/aa/foo-1.0.tar.gz")
    );
    assert_eq!(lock.packages[0].digests[0].hex(), A);
    let skipped: Vec<_> = lock.skipped.iter().map(|s| s.what.as_str()).collect();
    assert_eq!(skipped, ["app 0", "vcs 1", "direct 1", "near 1", "folder 1"]);
}

#[test]
fn bad_locks_say_what_and_where() {
    for (bad, expected) in [
        ("version = 2\n", "line 1: uv.lock version 2"),
        ("requires-python = '3'\n", "`version` is missing"),
        ("version = 1\npackage = 5\n", "line 2: `package` is not a list"),
        ("version = 1\n[[package]]\nname = 5\n", "line 2: a package without a `name`"),
        ("version = 1\n[[package]]\nname = 'x'\n", "without a `source`"),
        ("version = 1\n[[package]]\nname = 'x'\nsource = {}\n", "no known kind"),
        ("version = 1\n[[package]]\nname = 'x'\nsource = { moon = 1 }\n", "no known kind"),
        (
            "version = 1\n[[package]]\nname = '../x'\nversion = '1'\nsource = { registry = 'https://r.example' }\n",
            "line 2: `../x`",
        ),
        (
            "version = 1\n[[package]]\nname = 'x'\nsource = { registry = 'https://r.example' }\n",
            "without a `version`",
        ),
        ("version = 1\nx = [", "line 2: not TOML"),
    ] {
        let message = parse(bad).unwrap_err().to_string();
        assert!(message.contains(expected), "{bad}: {message}");
    }
    let file = |file: &str| {
        let text = format!(
            "version = 1\n[[package]]\nname = 'x'\nversion = '1'\nsource = {{ registry = 'https://r.example' }}\nsdist = {file}\n"
        );
        parse(&text).unwrap_err().to_string()
    };
    assert!(file("{ hash = 'sha256:00' }").contains("line 6"));
    assert!(
        file("{ hash = 'sha256:00', url = 'https://r.example/x-1.zip' }").contains("right number of digits")
    );
    assert!(file("{ url = 'https://r.example/x%2f1.zip' }").contains("is not a file name"));
    assert!(file("{ url = 'https://me:secret@[' }").contains("is not an address"));
    assert!(!file("{ url = 'https://me:secret@[' }").contains("secret"));
}

/// Between the door and the upstream, both ways.
struct Move<'a> {
    index: &'a str,
    files: &'a str,
}

impl Relocate for Move<'_> {
    fn location(&self, package: &LockedPackage) -> Option<Location> {
        let file = package.file.as_ref()?;
        Some(Location::Url(format!("{}/{}", self.files, file.as_str().replace('+', "%2B"))))
    }

    fn registry(&self, current: &str) -> Option<String> {
        current.starts_with("http").then(|| self.index.to_owned())
    }
}

#[test]
fn rewriting_changes_addresses_and_nothing_else() {
    let (theirs, ours) = (lock(UPSTREAM, UPSTREAM_FILES), lock(DOOR, DOOR_FILES));
    // The one literal string becomes a basic one, as uv itself writes it.
    let basic = |text: &str| text.replace(['\'', '"'], "\"");
    let moved = rewrite(&theirs, &Move { index: DOOR, files: DOOR_FILES }).unwrap();
    assert_eq!(basic(&moved), basic(&ours));
    let back = rewrite(&moved, &Move { index: UPSTREAM, files: UPSTREAM_FILES }).unwrap();
    assert_eq!(basic(&back), basic(&theirs));
    assert!(moved.contains("# a comment stays") && moved.contains("git+") == theirs.contains("git+"));
}

struct Nowhere;

impl Relocate for Nowhere {
    fn location(&self, _: &LockedPackage) -> Option<Location> {
        Some(Location::Omit)
    }

    fn registry(&self, _: &str) -> Option<String> {
        None
    }
}

#[test]
fn an_address_cannot_be_left_out() {
    let text = lock(UPSTREAM, UPSTREAM_FILES).replace('\n', "\r\n");
    assert_eq!(rewrite(&text, &Nowhere).unwrap(), text);
}

#[test]
fn what_goes_around_the_door_is_found() {
    let found = |index: &str, files: &str| {
        let findings = lint(&lock(index, files), &context()).unwrap();
        findings.into_iter().map(|f| (f.what, f.problem, f.fixable)).collect::<Vec<_>>()
    };
    let around = found(UPSTREAM, UPSTREAM_FILES);
    assert_eq!(around.len(), 3, "{around:?}");
    assert!(around[0].1.contains("`files.example` and goes around the door") && around[0].2);
    assert_eq!((around[1].0.as_str(), around[1].2), ("vcs 1", false));
    assert_eq!((around[2].0.as_str(), around[2].2), ("direct 1", false));
    let door = found(DOOR, DOOR_FILES);
    assert!(door[0].1.contains("without this door") && door[0].2, "{door:?}");
    assert_eq!(door[1].0, "bare 3");
    let mixed = found(DOOR, UPSTREAM_FILES);
    assert!(mixed[0].1.contains("goes around the door") && mixed[0].2, "{mixed:?}");
    let other = found("https://other.example/simple", "https://other.example/files");
    assert!(other[0].1.contains("`other.example`, an index the door does not know") && !other[0].2);
}

/// Found by fuzzing: such an index was taken for a folder of this machine, so nothing of it was checked or reported.
#[test]
fn a_scheme_in_capitals_is_no_folder() {
    let odd = lock(&UPSTREAM.replace("https://", "hTTpS://"), UPSTREAM_FILES);
    let plain = lock(UPSTREAM, UPSTREAM_FILES);
    let count = |text: &str| parse(text).unwrap().packages.len();
    assert!(count(&plain) > 0);
    assert_eq!(count(&odd), count(&plain));
    assert_eq!(lint(&odd, &context()).unwrap().len(), lint(&plain, &context()).unwrap().len());
}

#[test]
fn an_address_without_a_path_names_no_file() {
    for address in [
        "https://leaf-1.0-py3-none-any.whl",
        "https://files.example/",
        "file://leaf-1.0.tar.gz",
        "x:leaf-1.0.tar.gz",
    ] {
        let text = format!(
            "version = 1\nrequires-python = \">=3.9\"\n\n[[package]]\nname = \"leaf\"\nversion = \"1.0\"\nsource = {{ registry = \"https://registry.example/simple\" }}\nwheels = [\n    {{ url = \"{address}\", hash = \"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\" }},\n]\n"
        );
        let told = parse(&text).map(|lock| lock.packages[0].file.clone());
        assert!(told.as_ref().is_err_and(|e| e.to_string().starts_with("line 9: ")), "{address}: {told:?}");
    }
}
