use super::*;

#[test]
fn formats_are_told_by_name_then_by_content() {
    for (name, content, expected) in [
        ("package-lock.json", "", Some(LockFormat::PackageLock)),
        ("web/npm-shrinkwrap.json", "", Some(LockFormat::PackageLock)),
        ("uv.lock", "", Some(LockFormat::UvLock)),
        ("a\\Cargo.lock", "", Some(LockFormat::CargoLock)),
        ("requirements-dev.txt", "", Some(LockFormat::Requirements)),
        ("constraints.txt", "", Some(LockFormat::Requirements)),
        ("-", "{\n \"lockfileVersion\": 3", Some(LockFormat::PackageLock)),
        ("-", "version = 1\nrequires-python = \">=3.9\"\n\n[[package]]\nname = 1", Some(LockFormat::UvLock)),
        ("-", "version = 4\n\n[[package]]\nname = 1", Some(LockFormat::CargoLock)),
        ("notes.txt", "hello", None),
        ("package.json", "{}", None),
        ("yarn.lock", "# yarn lockfile v1\n", None),
    ] {
        assert_eq!(LockFormat::detect(name, content.as_bytes()), expected, "{name} {content:?}");
    }
}

#[test]
fn bad_files_say_what_and_where() {
    let check = |name: &str, bytes: &[u8], expected: &str| {
        let message = parse(name, bytes).unwrap_err().to_string();
        assert!(message.contains(expected), "{message}");
    };
    check("notes.txt", b"hello", "`notes.txt` is no lock file tidegate reads");
    check("Cargo.lock", b"version = 4\n\xff", "line 2: text that is not UTF-8");
    check("Cargo.lock", &vec![b'#'; MAX_LOCKFILE_BYTES + 1], "more than 64 MiB");
}

#[test]
fn addresses_below_a_root_are_found_whatever_the_scheme() {
    let context = LintContext {
        doors: vec![Url::parse("http://127.0.0.1:8484/").unwrap()],
        upstreams: vec![Url::parse("https://registry.example/base/").unwrap()],
    };
    for (address, door, upstream) in [
        ("http://127.0.0.1:8484/cargo/", true, false),
        ("sparse+http://127.0.0.1:8484/t/secret/cargo/", true, false),
        ("http://127.0.0.1:8485/cargo/", false, false),
        ("http://registry.example/base/x.tgz", false, true),
        ("https://registry.example/base", false, true),
        ("https://registry.example/bases/x.tgz", false, false),
        ("not an address", false, false),
    ] {
        assert_eq!((context.is_door(address), context.is_upstream(address)), (door, upstream), "{address}");
    }
}

#[test]
fn lines_count_from_one() {
    let text = "a\nbc\n\nd";
    let lines = Lines::of(text);
    for (offset, line) in [(0, 1), (1, 1), (2, 2), (4, 2), (5, 3), (6, 4), (99, 4)] {
        assert_eq!((lines.at(offset), line_of(text, offset)), (line, line), "{offset}");
    }
}
