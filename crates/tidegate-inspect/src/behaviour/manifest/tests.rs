use super::*;

#[test]
fn npm_runs_what_it_runs() {
    let text = br#"{
  "name": "@a/b", "version": "1.0.0",
  "scripts": { "prepare": "x", "postinstall": "node p.js" },
  "bin": "cli.js", "exports": {".": {"import": "./m.mjs", "types": "./t.d.ts"}},
  "dependencies": {"c": "^1", "d": "https://files.example/d.tgz", "e": "owner/repo"},
  "bundleDependencies": ["c"]
}"#;
    let manifest = npm::read(text, "package.json", true).unwrap();
    let hooks: Vec<_> =
        manifest.hooks.iter().map(|h| (h.name.as_str(), h.command.as_str(), h.line)).collect();
    assert_eq!(hooks, [("postinstall", "node p.js", 3), ("install", "node-gyp rebuild", 1)]);
    assert_eq!(manifest.entries, ["./m.mjs"]);
    assert_eq!(manifest.programs, [Program { name: "b".into(), target: "cli.js".into() }]);
    assert_eq!(manifest.by_address().map(|d| d.name.as_str()).collect::<Vec<_>>(), ["d", "e"]);
    assert_eq!(manifest.bundled, ["c"]);
    assert!(manifest.is_native);
    assert!(npm::read(b"[]", "package.json", false).is_none());
}

#[test]
fn gyp_runs_commands() {
    let text = br#"{ 'include_dirs': ["<!(node -p \"require('x').include\")"], 'y': '<!@(node a.js)',
  'actions': [{'action': ['python', 'gen.py']}] }"#;
    let found = npm::gyp(text, "binding.gyp");
    let commands: Vec<_> = found.iter().map(|s| (s.command.as_str(), s.line)).collect();
    assert_eq!(commands, [("node -p \"require('x').include\"", 1), ("node a.js", 1), ("python gen.py", 2)]);
}

#[test]
fn python_says_it_in_several_files() {
    let mut manifest = Manifest::default();
    python::metadata(
        b"Name: a\nVersion: 1\nRequires-Dist: b[x] @ https://files.example/b.zip ; extra == 'q'\n\nName: z",
        "PKG-INFO",
        &mut manifest,
    );
    assert_eq!(manifest.name.as_deref(), Some("a"));
    assert_eq!(manifest.by_address().map(|d| d.name.as_str()).collect::<Vec<_>>(), ["b"]);
    python::pyproject(
        b"[build-system]\nrequires=['c>1']\nbuild-backend='be.x'\nbackend-path=['.','tools']",
        &mut manifest,
    );
    assert_eq!(manifest.own_backend.as_deref(), Some("be.x"));
    assert!(manifest.builds.contains(&"tools/be/x.py".to_owned()));
    assert_eq!(python::pth(b"../x\nimport os; os\n"), "\nimport os; os");
}

#[test]
fn cargo_says_it_in_one() {
    let text = b"[package]\nname='a'\nversion='1.0.0'\n[lib]\nproc-macro=true\n[dependencies]\nb={git='https://files.example/b'}\nc='1'";
    let manifest = cargo::read(text, "Cargo.toml", true).unwrap();
    assert!(manifest.is_macro);
    assert_eq!(manifest.builds, ["build.rs", "src/lib.rs"]);
    assert_eq!(manifest.by_address().map(|d| d.name.as_str()).collect::<Vec<_>>(), ["b"]);
}
