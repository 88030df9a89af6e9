use insta::assert_snapshot;
use tidegate_model::Ecosystem;

use crate::lockfile::{
    LintContext, Location, LockError, LockedPackage, Lockfile, Relocate, lint, parse, rewrite,
};

const SHA: &str =
    "sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg==";

/// Lock file version 3, with every kind of entry.
fn version_3() -> String {
    r#"{
  "name": "app",
  "lockfileVersion": 3,
  "requires": true,
  "packages": {
    "": {
      "name": "app",
      "version": "1.0.0",
      "workspaces": ["tools/*"]
    },
    "node_modules/left-pad": {
      "version": "1.3.0",
      "resolved": "https://registry.example/left-pad/-/left-pad-1.3.0.tgz",
      "integrity": "SHA",
      "license": "MIT"
    },
    "node_modules/@acme/left": {
      "version": "1.0.0-rc.1",
      "resolved": "https://registry.example/@acme%2fleft/-/left-1.0.0-rc.1.tgz",
      "integrity": "SHA"
    },
    "node_modules/alias": {
      "name": "real",
      "version": "2.0.0",
      "resolved": "https://registry.example/real/-/real-2.0.0.tgz",
      "integrity": "SHA"
    },
    "node_modules/left-pad/node_modules/b": {
      "version": "1.0.0",
      "integrity": "SHA"
    },
    "node_modules/bundled": {
      "version": "1.0.0",
      "inBundle": true
    },
    "node_modules/g": {
      "version": "1.0.0",
      "resolved": "git+ssh://git@forge.example/a/g.git#0123456789abcdef0123456789abcdef01234567"
    },
    "node_modules/u": {
      "version": "1.0.0",
      "resolved": "https://ann:secret@files.example/u.tgz?token=secret",
      "integrity": "SHA"
    },
    "node_modules/f": {
      "version": "1.0.0",
      "resolved": "file:vendor/f-1.0.0.tgz"
    },
    "node_modules/tool": {
      "resolved": "tools/tool",
      "link": true
    },
    "tools/tool": {
      "version": "1.0.0"
    }
  }
}
"#
    .replace("SHA", SHA)
}

fn told(lock: &Lockfile) -> String {
    let mut told = String::new();
    for package in &lock.packages {
        let alias = package.aliased_as.as_ref().map(|a| format!(" as {a}")).unwrap_or_default();
        let file = package.file.as_ref().unwrap();
        let digests: Vec<&str> = package.digests.iter().map(|d| d.algorithm().as_str()).collect();
        told += &format!("{}: {}{alias} {file} {digests:?}\n", package.line.unwrap(), package.coordinate);
    }
    for skipped in &lock.skipped {
        told += &format!("{}: {} {}\n", skipped.line.unwrap(), skipped.what, skipped.why);
    }
    told
}

#[test]
fn every_kind_of_entry_is_told() {
    assert_snapshot!(told(&parse("package-lock.json", version_3().as_bytes()).unwrap()), @r#"
    11: left-pad@1.3.0 left-pad-1.3.0.tgz ["sha512"]
    17: @acme/left@1.0.0-rc.1 left-1.0.0-rc.1.tgz ["sha512"]
    22: real@2.0.0 as alias real-2.0.0.tgz ["sha512"]
    28: b@1.0.0 b-1.0.0.tgz ["sha512"]
    32: node_modules/bundled is bundled inside the package that needs it and comes with that package's file
    36: node_modules/g comes from git (`git+ssh://forge.example/a/g.git#0123456789abcdef0123456789abcdef01234567`) and goes around the door
    40: node_modules/u comes from `https://files.example/u.tgz`, which is no registry's address for it and goes around the door
    45: node_modules/f is a folder or file of this machine, or a member of the workspace
    49: node_modules/tool is a folder or file of this machine, or a member of the workspace
    53: tools/tool is a folder or file of this machine, or a member of the workspace
    "#);
}

#[test]
fn version_1_is_a_tree() {
    let lock = r#"{"lockfileVersion":1,"dependencies":{
        "a":{"version":"1.0.0","resolved":"https://registry.example/a/-/a-1.0.0.tgz","integrity":"SHA","requires":{"b":"1"},"dependencies":{
            "b":{"version":"2.0.0","resolved":"https://registry.example/b/-/b-2.0.0.tgz","integrity":"sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk="},
            "c":{"version":"1.0.0","bundled":true}}},
        "alias":{"version":"npm:@acme/left@1.0.0","resolved":"https://registry.example/@acme/left/-/left-1.0.0.tgz"},
        "g":{"version":"github:a/g#0123","from":"github:a/g"},
        "h":{"version":"git+https://forge.example/h#0123"},
        "u":{"version":"https://files.example/u.tgz"},
        "f":{"version":"file:../f"}}}"#;
    assert_snapshot!(told(&parse("package-lock.json", lock.replace("SHA", SHA).as_bytes()).unwrap()), @r#"
    2: a@1.0.0 a-1.0.0.tgz ["sha512"]
    3: b@2.0.0 b-2.0.0.tgz ["sha1"]
    5: @acme/left@1.0.0 as alias left-1.0.0.tgz []
    4: a > c is bundled inside the package that needs it and comes with that package's file
    6: g comes from git (`github:a/g#0123`) and goes around the door
    7: h comes from git (`git+https://forge.example/h#0123`) and goes around the door
    8: u comes from `https://files.example/u.tgz`, which is no registry's address for it and goes around the door
    9: f is a folder or file of this machine, or a member of the workspace
    "#);
}

#[test]
fn version_2_is_read_once() {
    let lock = r#"{"lockfileVersion":2,
        "dependencies":{"a":{"version":"1.0.0","resolved":"https://registry.example/a/-/a-1.0.0.tgz","integrity":"SHA"}},
        "packages":{"node_modules/a":{"version":"1.0.0","resolved":"https://registry.example/a/-/a-1.0.0.tgz","integrity":"SHA"}}}"#
        .replace("SHA", SHA);
    assert_eq!(parse("package-lock.json", lock.as_bytes()).unwrap().packages.len(), 1);
    // Old clients read the other tree: an address that stands in it alone is told of.
    let differs = lock.replacen("https://registry.example", "https://other.example", 1);
    assert_eq!(linted(&lock), "");
    assert_snapshot!(linted(&differs), @r#"
    2: a: its address (`https://other.example/a/-/a-1.0.0.tgz`) is neither the door nor an upstream behind it: npm fetches it from there, around the door [rewrite the lock file, or set `replace-registry-host=always`, after making sure that the registry behind the door has the same file] (fixable)
    "#);
}

fn context() -> LintContext {
    LintContext {
        doors: vec!["http://127.0.0.1:8484/".parse().unwrap()],
        upstreams: vec!["https://registry.example/".parse().unwrap()],
    }
}

fn linted(lock: &str) -> String {
    let findings = lint("package-lock.json", lock.as_bytes(), &context()).unwrap();
    let line = |f: &crate::lockfile::LintFinding| {
        let fixable = if f.fixable { "fixable" } else { "by hand" };
        format!("{}: {}: {} [{}] ({fixable})\n", f.line.unwrap(), f.what, f.problem, f.remedy)
    };
    findings.iter().map(line).collect()
}

#[test]
fn what_goes_around_the_door_is_found() {
    let lock = version_3()
        .replace("https://registry.example/real/", "http://127.0.0.1:8484/npm/real/")
        .replace("https://registry.example/left-pad/", "https://mirror.example/left-pad/")
        .replace("example/@acme%2fleft/", "example/api/npm/@acme%2fleft/");
    assert_snapshot!(linted(&lock), @r#"
    11: node_modules/left-pad: its address (`https://mirror.example/left-pad/-/left-pad-1.3.0.tgz`) is neither the door nor an upstream behind it: npm fetches it from there, around the door [rewrite the lock file, or set `replace-registry-host=always`, after making sure that the registry behind the door has the same file] (fixable)
    17: node_modules/@acme/left: its address has the path `/api/npm/` before the package, which npm keeps when it replaces the host: the door knows no such path [rewrite the lock file] (fixable)
    22: node_modules/alias: its address is the door's own (`http://127.0.0.1:8484/npm/real/-/real-2.0.0.tgz`): without this door it installs nowhere [rewrite the lock file; `omit-lockfile-registry-resolved=true` keeps npm from writing it again] (fixable)
    36: node_modules/g: comes from git (`git+ssh://forge.example/a/g.git#0123456789abcdef0123456789abcdef01234567`) and goes around the door [depend on a published version, or publish it to a registry] (by hand)
    40: node_modules/u: comes from `https://files.example/u.tgz`, which is no registry's address for it and goes around the door [depend on a published version, or publish it to a registry] (by hand)
    "#);
    let weak = r#"{"lockfileVersion":3,"packages":{"node_modules/a":{"version":"1.0.0","integrity":"sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk="},
        "node_modules/b":{"version":"1.0.0"}}}"#;
    assert_snapshot!(linted(weak), @r#"
    1: node_modules/a: its only integrity is sha1, which can be forged [remove `resolved` and `integrity` of the entry and run `npm install`, which asks for both again] (by hand)
    2: node_modules/b: it has no integrity: npm cannot tell other bytes from the locked ones [remove `resolved` and `integrity` of the entry and run `npm install`, which asks for both again] (by hand)
    "#);
}

struct Everywhere(Location);

impl Relocate for Everywhere {
    fn location(&self, package: &LockedPackage) -> Option<Location> {
        assert_eq!(package.coordinate.name.ecosystem(), Ecosystem::Npm);
        (package.coordinate.name.as_str() != "real").then(|| match &self.0 {
            Location::Omit => Location::Omit,
            Location::Url(base) => {
                let name = &package.coordinate.name;
                Location::Url(format!("{base}{name}/-/{}", package.file.as_ref().unwrap()))
            }
        })
    }

    fn registry(&self, _: &str) -> Option<String> {
        None
    }
}

fn rewritten(lock: &str, location: Location) -> String {
    String::from_utf8(rewrite("package-lock.json", lock.as_bytes(), &Everywhere(location)).unwrap()).unwrap()
}

#[test]
fn rewriting_touches_addresses_only() {
    let lock = version_3();
    let moved = rewritten(&lock, Location::Url("http://127.0.0.1:8484/npm/".into()));
    let expected = lock
        .replace("https://registry.example/left-pad/", "http://127.0.0.1:8484/npm/left-pad/")
        .replace("https://registry.example/@acme%2fleft/", "http://127.0.0.1:8484/npm/@acme/left/");
    assert_eq!(moved, expected);
    let omitted = rewritten(&lock, Location::Omit);
    let expected: String = lock
        .split_inclusive('\n')
        .filter(|line| !line.contains("registry.example/left-pad/") && !line.contains("@acme%2fleft/"))
        .collect();
    assert_eq!(omitted, expected);
    assert_eq!(rewritten(&omitted, Location::Omit), omitted);
}

#[test]
fn a_member_is_removed_wherever_it_stands() {
    let address = r#""resolved":"https://registry.example/a/-/a-1.0.0.tgz""#;
    let version = r#""version":"1.0.0""#;
    for (entry, expected) in [
        (format!("{{{address},{version}}}"), format!("{{{version}}}")),
        (format!("{{{version},{address}}}"), format!("{{{version}}}")),
        (format!("{{ {version} ,\n\t{address} , \"x\":[] }}"), format!("{{ {version} , \"x\":[] }}")),
        (format!("{{\r\n  {address},\r\n  {version}\r\n}}"), format!("{{\r\n  {version}\r\n}}")),
    ] {
        for (open, close) in [
            (r#"{"lockfileVersion":3,"packages":{"node_modules/a":"#, "}}"),
            (r#"{"lockfileVersion":1,"dependencies":{"a":"#, "}}\n"),
            (r#"{"lockfileVersion":1,"dependencies":{"z":{"version":"1.0.0","dependencies":{"a":"#, "}}}}"),
        ] {
            let lock = format!("{open}{entry}{close}");
            assert_eq!(rewritten(&lock, Location::Omit), format!("{open}{expected}{close}"));
        }
    }
    // A byte order mark and a missing last line break stay.
    let lock = format!(
        "\u{feff}{{\"lockfileVersion\":3,\"packages\":{{\"node_modules/a\":{{{version},{address}}}}}}}"
    );
    assert_eq!(rewritten(&lock, Location::Omit), lock.replace(&format!(",{address}"), ""));
}

#[test]
fn what_is_no_lock_file_is_refused_with_its_line() {
    let refused = |lock: &str| parse("package-lock.json", lock.as_bytes()).unwrap_err().to_string();
    for (lock, expected) in [
        ("", "line 1: expected an object"),
        ("[]", "line 1: expected an object"),
        ("{}", "it has no `lockfileVersion`"),
        ("{\n\"lockfileVersion\": 4}", "line 2: lockfileVersion `4`: expected 1, 2 or 3"),
        ("{\n\"lockfileVersion\": \"3\"}", "line 2: lockfileVersion `\"3\"`"),
        ("{\"lockfileVersion\": 3}", "it has no `packages`"),
        ("{\"lockfileVersion\": 3,\n\"packages\": []}", "line 2: expected an object"),
        ("{\"packages\": {},\n\"packages\": {}}", "line 2: the member `packages` stands twice"),
        ("{\"packages\": {\n\"node_modules/a\": 1}}", "line 2: `node_modules/a`: expected an object"),
        (
            "{\"packages\": {\n\"node_modules/a\": {}}}",
            "line 2: `node_modules/a`: it has neither `version` nor",
        ),
        ("{\"packages\": {\"node_modules/..\": {\"version\":\"1.0.0\"}}}", "not a valid npm package name"),
        ("{\"packages\": {\"node_modules/a\": {\"version\":\"latest\"}}}", "`latest` is not a version"),
        (
            "{\"packages\": {\"node_modules/a\": {\"resolved\":\"x\",\n\"resolved\":\"y\"}}}",
            "line 2: the member `resolved` stands twice",
        ),
        ("{\"packages\": {}\n", "line 2: expected `,` or `}`"),
    ] {
        let found = refused(lock);
        assert!(found.contains(expected), "{lock}: {found}");
    }
    let deep =
        format!("{{\"dependencies\":{}{}", "{\"a\":{\"dependencies\":".repeat(10_000), "}}".repeat(10_000));
    assert!(refused(&deep).contains("deeper than 128"));
    let many: Vec<String> = (0..=200_000).map(|n| format!("\"a{n}\":{{}}")).collect();
    let many = format!("{{\"dependencies\":{{{}}}}}", many.join(","));
    assert!(matches!(parse("package-lock.json", many.as_bytes()), Err(LockError::TooMuch { .. })));
}
