//! CycloneDX and SPDX.

use super::*;

#[test]
fn cyclonedx_of_every_version_is_read() {
    for version in ["1.4", "1.5", "1.6", "1.7"] {
        let text = format!(
            r#"{{
 "$schema": "http://cyclonedx.org/schema/bom-{version}.schema.json",
 "bomFormat": "CycloneDX",
 "specVersion": "{version}",
 "version": 1,
 "metadata": {{"component": {{"type": "application", "name": "shop", "version": "2.0"}}}},
 "components": [
  {{"type": "library", "bom-ref": "a", "name": "left-pad", "version": "1.3.0", "purl": "pkg:npm/left-pad@1.3.0",
    "scope": "required", "licenses": [{{"license": {{"id": "WTFPL"}}}}],
    "hashes": [{{"alg": "SHA-256", "content": "E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855"}}]}},
  {{"type": "library", "name": "x", "version": "1", "purl": "pkg:cargo/x@1", "scope": "excluded"}}
 ]
}}"#
        );
        let inventory = check(
            "bom.json",
            &text,
            &[
                "8 /components/0 runtime pkg:npm/left-pad@1.3.0 = npm left-pad 1.3.0",
                &format!("11 /components/1 development pkg:cargo/x@1 = {RUST} x 1"),
            ],
            &[],
        );
        assert_eq!(inventory.format_version.as_deref(), Some(version));
        let subject = inventory.subject.unwrap();
        assert_eq!((subject.name.as_str(), subject.version.as_deref()), ("shop", Some("2.0")));
        assert_eq!(inventory.components[0].licence.as_deref(), Some("WTFPL"));
        assert!(inventory.components[0].digests[0].to_string().starts_with("sha256:e3b0c442"));
    }
}

#[test]
fn cyclonedx_components_may_lie_in_each_other() {
    let text = r#"{"bomFormat":"CycloneDX","specVersion":"1.6",
"metadata":{"component":{"name":"root","components":[{"name":"part","purl":"pkg:npm/part@1"}]}},
"components":[
{"components":[
{"name":"inner","purl":"pkg:npm/inner@1"},
{"name":"deep","purl":"pkg:npm/deep@1","components":[
{"name":"deepest","purl":"pkg:npm/deepest@1"}]}],
"name":"outer","group":"acme","version":"3"}]}"#;
    check(
        "-",
        text,
        &[
            "2 /metadata/component/components/0 - pkg:npm/part@1 = npm part 1",
            "4 /components/0 - acme/outer@3 = it has no package URL, and advisories are not matched by name alone or by CPE",
            "5 /components/0/components/0 - pkg:npm/inner@1 = npm inner 1",
            "6 /components/0/components/1 - pkg:npm/deep@1 = npm deep 1",
            "7 /components/0/components/1/components/0 - pkg:npm/deepest@1 = npm deepest 1",
        ],
        &[],
    );
    let nested = |n: usize| {
        let open = r#"{"name":"x","components":["#.repeat(n);
        format!(r#"{{"bomFormat":"CycloneDX","specVersion":"1.6","components":[{open}{}]}}"#, "]}".repeat(n))
    };
    assert_eq!(parse("-", nested(MAX_COMPONENT_DEPTH - 1).as_bytes()).unwrap().components.len(), 23);
    fails("-", &nested(MAX_COMPONENT_DEPTH + 1), "components nested deeper than 24");
}

#[test]
fn cyclonedx_odd_shapes_are_remarked_on() {
    let text = r#"{"bomFormat":"CycloneDX","specVersion":"1.5","components":[
{"bom-ref":"r","name":"libfoo","version":"1.0","cpe":"cpe:2.3:a:foo:libfoo:1.0:*:*:*:*:*:*:*"},
{"bom-ref":"r","name":"again","version":"v2","purl":"pkg:golang/x.test/again"},
{"name":"bad","version":"1","purl":"npm/bad@1"},
{"name":"differs","version":"2","purl":"pkg:npm/differs@1"},
{"name":"v","version":"v1.0","purl":"pkg:golang/x.test/v@1.0"},
{"name":"enc","purl":"pkg:npm/%40a%2Fb/c%20d@1.0%2B1?vcs_url=git%2Bhttps://x.test"},
{"version":"1"},
"no object", null, 7,
{"name":"licences","licenses":[{"license":{"name":"A B"}},{"expression":"MIT OR 0BSD"}],"scope":"mandatory"},
{"name":"types","version":1,"purl":7,"hashes":{"alg":"MD5","content":"xyz"}}]}"#;
    let inventory = check(
        "-",
        text,
        &[
            "2 /components/0 - libfoo@1.0 = it has no package URL, and advisories are not matched by name alone or by CPE",
            "3 /components/1 - pkg:golang/x.test/again = Go x.test/again 2",
            "4 /components/2 - bad@1 = it has no package URL, and advisories are not matched by name alone or by CPE",
            "5 /components/3 - pkg:npm/differs@1 = npm differs 1",
            "6 /components/4 - pkg:golang/x.test/v@1.0 = Go x.test/v 1.0",
            "7 /components/5 - pkg:npm/%40a/b/c%20d@1.0%2B1?vcs_url=git%2Bhttps://x.test = npm @a/b/c d 1.0+1",
            "10 /components/10 - licences@? = it has no package URL, and advisories are not matched by name alone or by CPE",
            "11 /components/11 - types@? = it has no package URL, and advisories are not matched by name alone or by CPE",
        ],
        &[
            "3 r is the `bom-ref` of two components",
            "4 npm/bad@1 is not a package URL: it does not begin with `pkg:`",
            "5 pkg:npm/differs@1 says version `2`",
            "8  has neither a name nor a package URL",
            "9  has neither",
            "9  has neither",
            "9  has neither",
        ],
    );
    assert_eq!(inventory.components[0].cpe.as_deref(), Some("cpe:2.3:a:foo:libfoo:1.0:*:*:*:*:*:*:*"));
    assert_eq!(inventory.components[6].licence.as_deref(), Some("A B AND MIT OR 0BSD"));
}

#[test]
fn cyclonedx_errors_say_where() {
    fails(
        "-",
        "{\"bomFormat\":\"CycloneDX\",\n\"specVersion\":\"2.0\"}",
        "line 2: specVersion `2.0`: expected 1.4",
    );
    fails("bom.json", "{}", "line 1: no `specVersion`");
    fails("bom.json", "{\n\"specVersion\":\"1.6\",\n", "line 3: expected a string");
    fails("bom.json", "[]", "line 1: expected an object");
    fails("bom.json", "{\"specVersion\":\"1.6\"} x", "text after the document");
    fails(
        "-",
        "{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.6\",\"components\":[{\"purl\":\"pkg:a/b\",\n\"purl\":\"pkg:a/c\"}]}",
        "line 2: `purl` stands twice in one object",
    );
    let newer = r#"{"bomFormat":"CycloneDX","specVersion":"1.8"}"#;
    check("-", newer, &[], &["CycloneDX 1.8 is newer than 1.7"]);
}

#[test]
fn spdx_2_is_read() {
    let text = r#"{"spdxVersion":"SPDX-2.3","SPDXID":"SPDXRef-DOCUMENT","name":"doc",
"packages":[
{"SPDXID":"SPDXRef-root","name":"shop","versionInfo":"2.0"},
{"SPDXID":"SPDXRef-a","name":"a","versionInfo":"1.0","licenseConcluded":"NOASSERTION","licenseDeclared":"MIT",
 "checksums":[{"algorithm":"SHA1","checksumValue":"da39a3ee5e6b4b0d3255bfef95601890afd80709"}],
 "externalRefs":[{"referenceCategory":"SECURITY","referenceType":"cpe23Type","referenceLocator":"cpe:2.3:a:a:a:1.0:*:*:*:*:*:*:*"},
 {"referenceCategory":"PACKAGE-MANAGER","referenceType":"purl","referenceLocator":"pkg:maven/org.a/a@1.0"}]},
{"SPDXID":"SPDXRef-b","name":"b","externalRefs":[
 {"referenceCategory":"PACKAGE_MANAGER","referenceType":"http://spdx.org/rdf/references/purl","referenceLocator":"pkg:npm/b@2"},
 {"referenceType":"purl","referenceLocator":"pkg:deb/debian/b@2?distro=debian-12"}]},
{"SPDXID":"SPDXRef-c","name":"c","versionInfo":"NOASSERTION"},
{"SPDXID":"SPDXRef-c","name":"d","versionInfo":"1","externalRefs":[{"referenceType":"purl","referenceLocator":"pkg:npm/"}]}],
"relationships":[
{"spdxElementId":"SPDXRef-DOCUMENT","relationshipType":"DESCRIBES","relatedSpdxElement":"SPDXRef-root"},
{"spdxElementId":"SPDXRef-a","relationshipType":"RUNTIME_DEPENDENCY_OF","relatedSpdxElement":"SPDXRef-root"},
{"spdxElementId":"SPDXRef-a","relationshipType":"TEST_DEPENDENCY_OF","relatedSpdxElement":"SPDXRef-b"},
{"spdxElementId":"SPDXRef-b","relationshipType":"DEV_DEPENDENCY_OF","relatedSpdxElement":"SPDXRef-root"}]}"#;
    let no_purl = "it has no package URL, and advisories are not matched by name alone or by CPE";
    let inventory = check(
        "x.spdx.json",
        text,
        &[
            "4 /packages/1 runtime pkg:maven/org.a/a@1.0 = Maven org.a:a 1.0",
            "8 /packages/2 development pkg:deb/debian/b@2?distro=debian-12 = Debian:12 b 2",
            "8 /packages/2 development pkg:npm/b@2 = npm b 2",
            &format!("11 /packages/3 - c@? = {no_purl}"),
            &format!("12 /packages/4 - d@1 = {no_purl}"),
        ],
        &[
            "12 SPDXRef-c is the identifier of two packages",
            "12 pkg:npm/ is not a package URL: it has no name",
        ],
    );
    assert_eq!(inventory.subject.unwrap().name, "shop");
    assert_eq!(inventory.components[0].licence.as_deref(), Some("MIT"));
    assert_eq!(inventory.components[0].digests.len(), 1);
    assert!(inventory.components[0].cpe.is_some());
    fails("-", r#"{"spdxVersion":"SPDX-1.2"}"#, "expected SPDX-2.3");
    fails("a.spdx.json", "{}", "no `spdxVersion`");
}

#[test]
fn an_spdx_document_about_many_packages_lists_them() {
    let text = r#"{"spdxVersion":"SPDX-2.2","documentDescribes":["a","b"],"packages":[{"SPDXID":"a","name":"a"},{"SPDXID":"b","name":"b"}]}"#;
    let inventory = parse("-", text.as_bytes()).unwrap();
    assert_eq!((inventory.components.len(), inventory.subject), (2, None));
    let text =
        r#"{"spdxVersion":"SPDX-2.3","documentDescribes":["a"],"packages":[{"SPDXID":"a","name":"a"}]}"#;
    let inventory = parse("-", text.as_bytes()).unwrap();
    assert_eq!((inventory.components.len(), inventory.subject), (1, None));
}

#[test]
fn spdx_3_is_read_as_a_graph() {
    let text = r#"{"@context":"https://spdx.org/rdf/3.0.1/spdx-context.jsonld","@graph":[
{"type":"CreationInfo","@id":"_:c","specVersion":"3.0.1"},
{"type":"LifecycleScopedRelationship","spdxId":"urn:r1","from":"urn:root","relationshipType":"dependsOn","scope":"test","to":["urn:b"]},
{"type":"Relationship","spdxId":"urn:r2","from":"urn:root","relationshipType":"dependsOn","to":"urn:a"},
{"type":"Relationship","spdxId":"urn:r3","from":"urn:a","relationshipType":"hasConcludedLicense","to":["urn:l"]},
{"type":"Relationship","spdxId":"urn:r4","from":"urn:b","relationshipType":"hasDeclaredLicense","to":["https://spdx.org/licenses/0BSD"]},
{"type":"simplelicensing_LicenseExpression","spdxId":"urn:l","simplelicensing_licenseExpression":"MIT OR Apache-2.0"},
{"type":"software_Package","spdxId":"urn:root","name":"shop","software_packageVersion":"2"},
{"spdxId":"urn:a","type":"software_Package","name":"a","software_packageVersion":"1.0",
 "externalIdentifier":[{"type":"ExternalIdentifier","externalIdentifierType":"packageUrl","identifier":"pkg:npm/a@1.0"},
 {"type":"ExternalIdentifier","externalIdentifierType":"cpe23","identifier":"cpe:2.3:a:a:a:1.0:*:*:*:*:*:*:*"}],
 "software_packageUrl":"pkg:npm/a@1.0",
 "verifiedUsing":[{"type":"Hash","algorithm":"sha256","hashValue":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}]},
{"@type":"https://spdx.org/rdf/3.0.1/terms/Software/Package","@id":"urn:b","name":"b","software_packageUrl":"pkg:pypi/b@2"},
{"type":"ai_AIPackage","spdxId":"urn:m","name":"model","software_packageUrl":"pkg:huggingface/acme/model@abc"},
{"type":"software_File","spdxId":"urn:f","name":"f"},
{"type":"software_Sbom","spdxId":"urn:s","rootElement":["urn:root"]},
{"type":"SpdxDocument","spdxId":"urn:d","rootElement":["urn:s"]}]}"#;
    let inventory = check(
        "-",
        text,
        &[
            "9 /@graph/7 - pkg:npm/a@1.0 = npm a 1.0",
            "14 /@graph/8 development pkg:pypi/b@2 = PyPI b 2",
            "15 /@graph/9 - pkg:huggingface/acme/model@abc = advisories know no ecosystem for package URLs of type `huggingface`",
        ],
        &[],
    );
    assert_eq!(inventory.format_version.as_deref(), Some("3.0.1"));
    assert_eq!(inventory.subject.unwrap().name, "shop");
    assert_eq!(inventory.components[0].licence.as_deref(), Some("MIT OR Apache-2.0"));
    assert_eq!(inventory.components[1].licence.as_deref(), Some("0BSD"));
    assert_eq!(inventory.components[0].digests.len(), 1);
    fails("-", r#"{"@context":"https://spdx.org/rdf/3.0.1/spdx-context.jsonld"}"#, "no `@graph`");
    fails(
        "-",
        "{\"@context\":\"https://spdx.org/rdf/3.0.1/c\",\"@graph\":[\n{\"type\":\"CreationInfo\",\"specVersion\":\"4.0\"}]}",
        "line 2: specVersion `4.0`",
    );
}
