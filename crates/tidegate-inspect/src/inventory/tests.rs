use std::io::Write as _;

use super::*;
use crate::report::{Leaf, Place, Role};

mod programs;

/// The inventory of a package of these files.
fn inventory(artifact: &str, files: &[(&str, &[u8])]) -> Inventory {
    let mut collector = InventoryCollector::new();
    for (name, bytes) in files {
        let path = format!("{artifact}!/{name}");
        collector.leaf(&Leaf {
            path: &path,
            bytes,
            format: crate::Format::of_leaf(bytes),
            place: Place::default(),
        });
    }
    collector.finish()
}

fn told(component: &Component) -> String {
    let name = component
        .purl
        .clone()
        .unwrap_or_else(|| format!("{}@{}", component.name, component.version.as_deref().unwrap_or("-")));
    format!("{name} {} {}", component.how.as_str(), component.confidence)
}

fn check(artifact: &str, files: &[(&str, &str)], subject: &str, expected: &[&str]) {
    let files: Vec<(&str, &[u8])> = files.iter().map(|(name, text)| (*name, text.as_bytes())).collect();
    let inventory = inventory(artifact, &files);
    let own = inventory.subject.as_ref().and_then(|one| one.purl.as_deref()).unwrap_or("-");
    assert_eq!(own, subject, "{artifact}");
    let components: Vec<String> = inventory.components.iter().map(told).collect();
    assert_eq!(components, expected, "{artifact}");
}

#[test]
fn bundled_packages_of_npm() {
    check(
        "a-1.0.0.tgz",
        &[
            ("package/package.json", r#"{"name":"a","version":"1.0.0","license":"MIT"}"#),
            ("package/node_modules/b/package.json", r#"{"name":"b","version":"2.0.0","license":"ISC"}"#),
            ("package/node_modules/b/node_modules/@s/c/package.json", r#"{"name":"@s/c","version":"3.0.0"}"#),
            ("package/node_modules/b/lib/package.json", r#"{"type":"module","name":"no","version":"1.0.0"}"#),
            ("package/test/fixture/package.json", r#"{"name":"no","version":"1.0.0"}"#),
        ],
        "pkg:npm/a@1.0.0",
        &["pkg:npm/%40s/c@3.0.0 manifest high", "pkg:npm/b@2.0.0 manifest high"],
    );
}

#[test]
fn vendored_trees_of_python() {
    check(
        "pip_x-1.0-py3-none-any.whl",
        &[
            ("pip_x-1.0.dist-info/METADATA", "Name: Pip_X\nVersion: 1.0\n"),
            (
                "pip_x/_vendor/vendor.txt",
                "CacheControl==0.14.0 # why\nrequests[x]==2.31.0\n    urllib3==1.26.18\n-e .\nno>=1\n",
            ),
            ("pip_x/_vendor/b-2.dist-info/METADATA", "Name: b\nVersion: 2\nLicense: MIT\n"),
            (
                "pip_x-1.0.dist-info/sboms/x.cdx.json",
                r#"{"bomFormat":"CycloneDX","components":[{"purl":"pkg:cargo/c@1.0.0?x=y","components":[{"purl":"pkg:npm/%40s/d@2.0.0"}]}]}"#,
            ),
        ],
        "pkg:pypi/pip-x@1.0",
        &[
            "pkg:cargo/c@1.0.0 sbom high",
            "pkg:npm/%40s/d@2.0.0 sbom high",
            "pkg:pypi/b@2 manifest high",
            "pkg:pypi/cachecontrol@0.14.0 vendor_list medium",
            "pkg:pypi/requests@2.31.0 vendor_list medium",
            "pkg:pypi/urllib3@1.26.18 vendor_list medium",
        ],
    );
}

#[test]
fn fat_and_merged_jars() {
    let pom = |name: &str| format!("groupId=org.acme\nartifactId={name}\nversion=1.0\n");
    check(
        "app-1.0.jar",
        &[
            ("META-INF/maven/org.acme/app/pom.properties", &pom("app")),
            (
                "META-INF/maven/org.acme/app/pom.xml",
                "<project><groupId>org.acme</groupId><artifactId>app</artifactId><version>1.0</version></project>",
            ),
            ("META-INF/maven/org.acme/merged/pom.properties", &pom("merged")),
            ("META-INF/MANIFEST.MF", "Bundle-SymbolicName: org.acme.app\nBundle-Version: 1.0\n"),
            ("lib/b.jar!/META-INF/maven/org.acme/b/pom.properties", &pom("b")),
            ("lib/b.jar!/META-INF/MANIFEST.MF", "Bundle-SymbolicName: org.acme.b\nBundle-Version: 1.0\n"),
            ("lib/c.jar!/META-INF/MANIFEST.MF", "Bundle-SymbolicName: org.acme.c\nBundle-Version: 2.0\n"),
        ],
        "pkg:maven/org.acme/app@1.0",
        &[
            "org.acme.c@2.0 manifest high",
            "pkg:maven/org.acme/b@1.0 manifest high",
            "pkg:maven/org.acme/merged@1.0 manifest high",
        ],
    );
    let merged =
        [("META-INF/maven/g/x/pom.properties", pom("x")), ("META-INF/maven/g/y/pom.properties", pom("y"))];
    let merged: Vec<(&str, &str)> = merged.iter().map(|(path, text)| (*path, text.as_str())).collect();
    check(
        "uber.jar",
        &merged,
        "-",
        &["pkg:maven/org.acme/x@1.0 manifest high", "pkg:maven/org.acme/y@1.0 manifest high"],
    );
}

#[test]
fn other_ecosystems() {
    check(
        "a.1.0.0.nupkg",
        &[
            ("A.nuspec", "<package><metadata><id>A</id><version>1.0.0</version></metadata></package>"),
            (
                "tools/x.deps.json",
                r#"{"targets":{},"libraries":{"B/2.0.0":{"type":"package"},"A/1.0.0":{"type":"project"}}}"#,
            ),
        ],
        "pkg:nuget/A@1.0.0",
        &["pkg:nuget/B@2.0.0 dot_net_deps high"],
    );
    check(
        "m.zip",
        &[(
            "m/vendor/modules.txt",
            "# github.com/Acme/x v1.2.3\n## explicit\ngithub.com/Acme/x\n# a.test/y v1.0.0 => b.test/y v1.1.0\n# c.test/z => ../z\n",
        )],
        "-",
        &[
            "pkg:golang/b.test/y@v1.1.0 vendor_list high",
            "pkg:golang/github.com/Acme/x@v1.2.3 vendor_list high",
        ],
    );
    check(
        "a.spdx.tgz",
        &[(
            "x/sbom.spdx.json",
            r#"{"spdxVersion":"SPDX-2.3","packages":[{"name":"a","externalRefs":[{"referenceType":"purl","referenceLocator":"pkg:deb/debian/a@1"},{"referenceType":"cpe23Type","referenceLocator":"cpe"}]}]}"#,
        )],
        "-",
        &["pkg:deb/debian/a@1 sbom high"],
    );
}

#[test]
fn bundles_and_copied_libraries() {
    let mut collector = InventoryCollector::new();
    let place = Place { role: Role::Embedded, ..Place::default() };
    let path = "a.tgz!/package/a.js.map!/../node_modules/.pnpm/b@1.0.0/node_modules/b/x.js";
    collector.leaf(&Leaf { path, bytes: b"x", format: crate::Format::Text, place });
    collector.leaf(&Leaf {
        path: "a.tgz!/package/a.js",
        bytes: b"/*! c v2.0.0 */",
        format: crate::Format::Text,
        place: Place::default(),
    });
    collector.leaf(&Leaf {
        path: "a.tgz!/a.libs/libgfortran-0cf96a72.so.5.0.0",
        bytes: b"\x7fELF",
        format: crate::Format::Elf,
        place: Place::default(),
    });
    let components: Vec<String> = collector.finish().components.iter().map(told).collect();
    assert_eq!(
        components,
        [
            "pkg:generic/libgfortran copied_library low",
            "pkg:npm/b@1.0.0 source_map high",
            "pkg:npm/c@2.0.0 banner low"
        ]
    );
}

#[test]
fn what_is_broken_gives_nothing() {
    let long = format!("{{\"components\":[{}]}}", "[".repeat(500));
    for (name, text) in [
        ("bom.json", "{\"components\": 7}"),
        ("bom.json", &long),
        ("bom.json", r#"{"components":[{"purl":"nothing"},{"purl":"pkg:npm"},{"purl":"pkg:npm/a b@1"}]}"#),
        ("x.deps.json", "{}"),
        ("_vendor/vendor.txt", "=="),
        ("package/node_modules/b/package.json", "{\"name\":\"\\u0000\"}"),
    ] {
        check("a.tgz", &[(name, text)], "-", &[]);
    }
}

#[test]
fn the_number_of_components_is_bounded() {
    let parts: Vec<String> = (0..9_000).map(|n| format!("{{\"purl\":\"pkg:npm/p{n}@1.0.0\"}}")).collect();
    let bom = format!("{{\"components\":[{}]}}", parts.join(","));
    let inventory = inventory("a.tgz", &[("bom.json", bom.as_bytes())]);
    assert_eq!((inventory.components.len(), inventory.not_kept), (5_000, 4_000));
}

#[test]
fn inventories_survive_being_stored() {
    let inventory =
        inventory("a.tgz", &[("package/package.json", b"{\"name\":\"a\",\"version\":\"1.0.0\"}")]);
    let stored = serde_json::to_string(&inventory).unwrap();
    assert_eq!(serde_json::from_str::<Inventory>(&stored).unwrap(), inventory);
}

fn zlib(text: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}
