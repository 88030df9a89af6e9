use super::*;

mod build_files;
mod sboms;

/// Each component in a line: line, pointer, scope, name (package URL where there is one), what advisories call it.
fn lines(inventory: &Inventory) -> Vec<String> {
    let line = |c: &Component| {
        let purl = c
            .purl
            .as_ref()
            .map_or_else(|| format!("{}@{}", c.name, c.version.as_deref().unwrap_or("?")), Purl::to_string);
        let osv = match &c.osv {
            Ok(p) => format!("{} {} {}", p.ecosystem, p.name, p.version.as_deref().unwrap_or("?")),
            Err(why) => why.to_string(),
        };
        let pointer = c.place.pointer.as_deref().map(|p| format!(" {p}")).unwrap_or_default();
        let scope = c.scope.map_or("-", Scope::as_str);
        format!("{}{pointer} {scope} {purl} = {osv}", c.place.line)
    };
    inventory.components.iter().map(line).collect()
}

fn remarks(inventory: &Inventory) -> Vec<String> {
    inventory.remarks.iter().map(|r| format!("{} {} {}", r.line, r.what, r.why)).collect()
}

#[track_caller]
fn check(name: &str, content: &str, components: &[&str], said: &[&str]) -> Inventory {
    let inventory = parse(name, content.as_bytes()).unwrap();
    assert_eq!(lines(&inventory), components, "components");
    let remarks = remarks(&inventory);
    assert_eq!(remarks.len(), said.len(), "{remarks:#?}");
    for (remark, said) in remarks.iter().zip(said) {
        assert!(remark.contains(said), "{remark} should hold {said}");
    }
    inventory
}

#[track_caller]
fn fails(name: &str, content: &str, expected: &str) {
    let message = parse(name, content.as_bytes()).unwrap_err().to_string();
    assert!(message.contains(expected), "{message}");
}

#[test]
fn formats_are_told_by_content_then_by_name() {
    use InventoryFormat as F;
    for (name, content, expected) in [
        ("-", r#"{"components":[],"bomFormat":"CycloneDX"}"#, Some(F::CycloneDx)),
        ("-", r#"{"spdxVersion":"SPDX-2.3"}"#, Some(F::Spdx2)),
        ("-", r#"{"@context":"https://spdx.org/rdf/3.0.1/spdx-context.jsonld","@graph":[]}"#, Some(F::Spdx3)),
        ("-", r#"{"content-hash":"x","packages":[]}"#, Some(F::ComposerLock)),
        ("-", "module example.test/m\n\ngo 1.22\n", Some(F::GoMod)),
        ("-", "// comment\nmodule m\nrequire a v1\n", Some(F::GoMod)),
        ("-", "example.test/m v1.0.0 h1:abc=\n", Some(F::GoSum)),
        ("-", "# This is a Gradle generated file for dependency locking.\n", Some(F::GradleLockfile)),
        ("-", "GEM\n  remote: https://registry.example/\n  specs:\n", Some(F::GemfileLock)),
        (
            "-",
            "<?xml version=\"1.0\"?>\n<project><modelVersion>4.0.0</modelVersion></project>",
            Some(F::MavenPom),
        ),
        // What it holds counts more than what it is called.
        ("go.mod", r#"{"bomFormat":"CycloneDX"}"#, Some(F::CycloneDx)),
        ("a/b.cdx.json", "{}", Some(F::CycloneDx)),
        ("a\\pom.xml", "<project/>", Some(F::MavenPom)),
        ("composer.lock", "{}", Some(F::ComposerLock)),
        ("go.mod", "", Some(F::GoMod)),
        ("-", r#"{"lockfileVersion":3,"packages":{},"packages-dev":{}}"#, None),
        ("package.json", "{}", None),
        ("notes.txt", "hello", None),
        ("-", "<html/>", None),
        ("-", "", None),
    ] {
        assert_eq!(InventoryFormat::detect(name, content.as_bytes()), expected, "{name} {content:?}");
    }
}

#[test]
fn what_is_not_read_says_what_is() {
    fails("notes.txt", "hello", "`notes.txt` is no inventory tidegate reads: expected CycloneDX 1.4 to 1.7");
    fails(
        "bom.xml",
        "<bom xmlns=\"http://cyclonedx.org/schema/bom/1.6\"/>",
        "CycloneDX as XML: convert it to JSON",
    );
    fails("x.spdx", "SPDXVersion: SPDX-2.3\n", "tag:value text: convert it to JSON");
    fails("graph.json", r#"{"@context":"https://schema.example/","@graph":[]}"#, "is not SPDX 3's");
    let error = parse("go.mod", b"module m\n\xff").unwrap_err();
    assert_eq!(error.to_string(), "line 2: text that is not UTF-8");
    let error = parse("go.mod", &vec![b' '; MAX_INVENTORY_BYTES + 1]).unwrap_err();
    assert_eq!(error.to_string(), "the inventory has more than 64 MiB");
}

#[test]
fn a_byte_order_mark_is_passed() {
    assert_eq!(parse("-", "\u{feff}module m\ngo 1.20\n".as_bytes()).unwrap().format, InventoryFormat::GoMod);
}

#[test]
fn components_and_remarks_are_bounded() {
    let many = |n: usize| -> String {
        std::iter::once("module m\n".to_owned())
            .chain((0..n).map(|i| format!("require x.test/m{i} v1.0.0\n")))
            .collect()
    };
    assert_eq!(parse("go.mod", many(1000).as_bytes()).unwrap().components.len(), 1000);
    fails("go.mod", &many(MAX_COMPONENTS + 1), "more than 200,000 components");
    let nameless = format!(
        r#"{{"bomFormat":"CycloneDX","specVersion":"1.6","components":[{}{{}}]}}"#,
        "{},".repeat(1200)
    );
    let inventory = parse("-", nameless.as_bytes()).unwrap();
    assert_eq!((inventory.remarks.len(), inventory.remarks_left_out), (MAX_REMARKS, 201));
}

/// Files that are read, to be damaged.
const WHOLE: [(&str, &str); 7] = [
    (
        "-",
        r#"{"bomFormat":"CycloneDX","specVersion":"1.6","components":[{"bom-ref":"a","name":"a","version":"1","purl":"pkg:npm/a@1","hashes":[{"alg":"MD5","content":"00"}],"components":[{"name":"b","purl":"pkg:deb/debian/b@1?distro=debian-12"}]}]}"#,
    ),
    (
        "x.spdx.json",
        r#"{"spdxVersion":"SPDX-2.3","packages":[{"SPDXID":"a","name":"a","externalRefs":[{"referenceType":"purl","referenceLocator":"pkg:npm/a@1"}]}],"relationships":[{"spdxElementId":"a","relationshipType":"DEPENDS_ON","relatedSpdxElement":"b"}]}"#,
    ),
    ("go.mod", "module m\ngo 1.22\nrequire (\n\t\"x.test/a\" v1.0.0 // c\n)\nreplace x.test/a => ../a\n"),
    ("go.sum", "x.test/a v1.0.0 h1:a=\n"),
    (
        "pom.xml",
        "<project><properties><v>1${w}</v></properties><dependencies><dependency><groupId>g</groupId><artifactId>a</artifactId><version>${v}</version></dependency></dependencies></project>",
    ),
    ("gradle.lockfile", "# x\norg.a:a:1.0=runtimeClasspath\nempty=x\n"),
    ("Gemfile.lock", "GEM\n  specs:\n    a (1.0-java)\n      b\nCHECKSUMS\n  a (1.0-java) sha256=00\n"),
];

proptest::proptest! {
    #[test]
    fn damaged_files_are_read_or_refused(
        which in 0..WHOLE.len(),
        at in proptest::num::usize::ANY,
        cut in 0..12usize,
        put in r#"[\[\]{}()<>"`$,:=@/%& \n\t0a-]{0,6}"#,
    ) {
        let (name, text) = WHOLE[which];
        let start = at % (text.len() + 1);
        let end = (start + cut).min(text.len());
        let damaged = format!("{}{put}{}", &text[..start], &text[end..]);
        match parse(name, damaged.as_bytes()) {
            Ok(inventory) => {
                let last = damaged.lines().count().max(1) as u32 + 1;
                for component in &inventory.components {
                    proptest::prop_assert!((1..=last).contains(&component.place.line));
                }
            }
            Err(error) => proptest::prop_assert!(!error.to_string().is_empty()),
        }
    }
}
