use super::*;
use crate::report::Place;

fn manifest(path: &str, text: &str) -> Option<Manifest> {
    let bytes = text.as_bytes();
    read(&Leaf { path, bytes, format: crate::Format::of(bytes), place: Place::default() })
}

fn check(path: &str, text: &str, expected: &str) {
    let said = manifest(path, text).map(|m| {
        let part = |part: &Option<String>| part.clone().unwrap_or_else(|| "-".to_owned());
        let stated: Vec<String> = m.statements.iter().map(|s| format!("{}: {}", s.field, s.text)).collect();
        format!(
            "{} {} {} {} [{}]",
            m.kind,
            part(&m.namespace),
            part(&m.name),
            part(&m.version),
            stated.join("; ")
        )
    });
    assert_eq!(said.as_deref().unwrap_or("nothing"), expected, "{path}");
}

#[test]
fn each_ecosystem_s_file_is_read() {
    check(
        "a.tgz!/package/package.json",
        r#"{"name": "@acme/a", "version": "1.0.0", "license": "MIT", "license": "ISC", "scripts": {}}"#,
        "npm @acme a 1.0.0 [license: ISC]",
    );
    check(
        "a.tgz!/package/package.json",
        r#"{"name": "a", "licenses": [{"type": "MIT", "url": "x"}, {"type": "Apache-2.0"}]}"#,
        "npm - a - [licenses: MIT OR Apache-2.0]",
    );
    check(
        "a.whl!/a-1.dist-info/METADATA",
        "Metadata-Version: 2.4\nName: a\nVersion: 1.0\nLicense-Expression: MIT OR BSD-2-Clause\nLicense-File: LICENSE\nClassifier: License :: OSI Approved :: MIT License\nClassifier: License :: OSI Approved\nClassifier: Topic :: X\n\nLicense: of the description\n",
        "pypi - a 1.0 [License-Expression: MIT OR BSD-2-Clause; Classifier: MIT License]",
    );
    check("a.tar.gz!/a-1/PKG-INFO", "Name: a\nVersion: 1\nLicense: BSD\n", "pypi - a 1 [License: BSD]");
    check(
        "a.crate!/a-1/Cargo.toml",
        "[package]\nname = \"a\"\nversion = \"1.0.0\"\nlicense-file = \"LICENSE\"\n",
        "cargo - a 1.0.0 [license-file: SEE LICENSE IN LICENSE]",
    );
    check(
        "a.jar!/META-INF/maven/g/a/pom.xml",
        "<project><parent><groupId>g</groupId><artifactId>p</artifactId><version>2</version></parent><artifactId>a</artifactId><licenses><license><name>Apache-2.0</name><url>u</url></license></licenses><dependencies><dependency><artifactId>no</artifactId></dependency></dependencies></project>",
        "maven g a 2 [licenses: Apache-2.0]",
    );
    check(
        "a.jar!/META-INF/maven/g/a/pom.properties",
        "#made\ngroupId=g\nartifactId=a\nversion=1.2\n",
        "maven g a 1.2 []",
    );
    check(
        "a.nupkg!/A.nuspec",
        "\u{feff}<?xml version=\"1.0\"?><package xmlns=\"u\"><metadata><id>A</id><version>1.0.0</version><license type=\"expression\">MIT</license><licenseUrl>x</licenseUrl></metadata></package>",
        "nuget - A 1.0.0 [license: MIT]",
    );
    check(
        "a.gem!/metadata.gz!/metadata",
        "--- !ruby/object:Gem::Specification\nname: a\nversion: !ruby/object:Gem::Version\n  version: 1.2.3\nplatform: ruby\ndependencies:\n- !ruby/object:Gem::Dependency\n  name: b\nlicenses:\n- MIT\n- Ruby\nmetadata: {}\n",
        "gem - a 1.2.3 [licenses: MIT OR Ruby]",
    );
    check(
        "a.deb!/control.tar.xz!/./control",
        "Package: a\nVersion: 1:1-2\nArchitecture: all\n",
        "deb - a 1:1-2 []",
    );
    check(
        "a.deb!/data.tar.xz!/./usr/share/doc/a/copyright",
        "Format: https://docs.test/copyright-format/1.0/\n\nFiles: *\nCopyright: 2020 A\nLicense: GPL-2+\n\nFiles: debian/*\nLicense: MIT\n text\n\nLicense: MIT\n text\n",
        "deb - - - [License: GPL-2+; License: MIT]",
    );
    check(
        "a.jar!/META-INF/MANIFEST.MF",
        "Manifest-Version: 1.0\r\nBundle-SymbolicName: org.acme.a;singleton:=tr\r\n ue\r\nBundle-Version: 1.2.3\r\nBundle-License: Apache-2.0;link=\"x\"\r\n",
        "osgi - org.acme.a 1.2.3 [Bundle-License: Apache-2.0]",
    );
    check(
        "a.conda!/info-a.tar.zst!/info/index.json",
        r#"{"build": "0", "name": "a", "version": "1.0", "license": "BSD-3-Clause"}"#,
        "conda - a 1.0 [license: BSD-3-Clause]",
    );
}

#[test]
fn what_cannot_be_read_gives_nothing() {
    for (path, text) in [
        ("package.json", "[]"),
        ("package.json", "{\"name\": "),
        ("METADATA", "Name: a\n"),
        ("x.dist-info/METADATA", "Version: 1\n"),
        ("Cargo.toml", "[package]\n"),
        ("Cargo.toml", "[workspace]\n"),
        ("pom.xml", "<html></html>"),
        ("pom.properties", "groupId=g\nversion=1\n"),
        ("metadata", "name: a\n"),
        ("data/index.json", "{\"name\": \"a\", \"build\": 1}"),
    ] {
        check(path, text, "nothing");
    }
    check("package.json", "{\"name\": \"a b\", \"version\": 1}", "npm - - - []");
    let deep = "<a>".repeat(10_000);
    check("pom.xml", &deep, "nothing");
    let long = format!("{{\"name\": \"{}\"}}", "a".repeat(2 << 20));
    check("package.json", &long, "nothing");
}
