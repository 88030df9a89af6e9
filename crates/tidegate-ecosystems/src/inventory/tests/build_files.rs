//! Files of build tools.

use super::*;

#[test]
fn go_mod_is_read_with_what_it_replaces() {
    let text = r#"// a comment
module example.test/shop // trailing

go 1.21.3

toolchain go1.22.1

require example.test/one v1.0.0

require (
	github.com/BurntSushi/toml v1.3.2 // indirect
	"example.test/quoted" v0.0.0-20191109021931-daa7c04131f5
	example.test/two/v2 v2.1.0+incompatible
	example.test/local v1.0.0
	example.test/fork v1.0.0
	example.test/fork/other v1.0.0
)

replace (
	example.test/local => ../local
	example.test/fork v1.0.0 => example.test/our-fork v1.0.1
	example.test/fork/other v9.9.9 => ../elsewhere
)

exclude example.test/one v0.9.0
retract [v1.0.0, v1.1.0]
tool example.test/tool
"#;
    let inventory = check(
        "go.mod",
        text,
        &[
            "6 runtime pkg:golang/stdlib@1.22.1 = Go stdlib 1.22.1",
            "8 - pkg:golang/example.test/one@v1.0.0 = Go example.test/one 1.0.0",
            "11 - pkg:golang/github.com/BurntSushi/toml@v1.3.2 = Go github.com/BurntSushi/toml 1.3.2",
            "12 - pkg:golang/example.test/quoted@v0.0.0-20191109021931-daa7c04131f5 = Go example.test/quoted 0.0.0-20191109021931-daa7c04131f5",
            "13 - pkg:golang/example.test/two/v2@v2.1.0%2Bincompatible = Go example.test/two/v2 2.1.0+incompatible",
            "15 - pkg:golang/example.test/our-fork@v1.0.1 = Go example.test/our-fork 1.0.1",
            "16 - pkg:golang/example.test/fork/other@v1.0.0 = Go example.test/fork/other 1.0.0",
        ],
        &[
            "6 stdlib 1.22.1 is the oldest Go",
            "14 example.test/local is replaced by a folder",
            "15 example.test/fork is replaced by `example.test/our-fork`",
        ],
    );
    assert_eq!(inventory.subject.unwrap().name, "example.test/shop");
    fails("go.mod", "go 1.20\n", "no `module` line");
    fails("go.mod", "module m\nrequire x\n", "line 2: `require x`: expected a module path and a version");
    fails("go.mod", "module m/\n", "line 1: `module m/`: expected one module path");
    fails("go.mod", "module m\nrequire x//y v1\n", "expected a module path and a version");
    fails("go.mod", "module m\nreplace x y\n", "expected `old => new`");
    fails("go.mod", "module \"m\n", "line 1: a quote without an end");
}

#[test]
fn go_sum_counts_modules_whose_content_was_needed() {
    let text = "x.test/a v1.0.0 h1:abc=\nx.test/a v1.0.0/go.mod h1:abc=\nx.test/b v2.0.0/go.mod h1:abc=\n";
    check(
        "go.sum",
        text,
        &["1 - pkg:golang/x.test/a@v1.0.0 = Go x.test/a 1.0.0"],
        &["1 go.sum may name versions that no build uses"],
    );
    check("go.sum", "\n", &[], &[]);
    fails(
        "go.sum",
        "x.test/a v1.0.0 h1:a=\nx.test/a\n",
        "line 2: `x.test/a`: expected module, version and digest",
    );
}

#[test]
fn a_pom_is_resolved_as_far_as_it_goes() {
    let text = r#"<?xml version="1.0" encoding="UTF-8"?>
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <parent><groupId>org.shop</groupId><artifactId>parent</artifactId><version>7</version></parent>
  <artifactId>cart</artifactId>
  <properties>
    <lib.version>1.${lib.minor}</lib.version><lib.minor>2</lib.minor>
    <loop>${loop}</loop>
  </properties>
  <dependencyManagement><dependencies>
    <dependency><groupId>org.m</groupId><artifactId>managed</artifactId><version>3.0</version><scope>test</scope></dependency>
    <dependency><groupId>org.m</groupId><artifactId>bom</artifactId><version>5</version><type>pom</type><scope>import</scope></dependency>
  </dependencies></dependencyManagement>
  <dependencies>
    <dependency><groupId>org.a</groupId><artifactId>a</artifactId><version>${lib.version}</version></dependency>
    <dependency><groupId>org.m</groupId><artifactId>managed</artifactId></dependency>
    <dependency><groupId>${project.groupId}</groupId><artifactId>sibling</artifactId><version>${project.version}</version><optional>true</optional></dependency>
    <dependency><groupId>org.b</groupId><artifactId>b</artifactId></dependency>
    <dependency><groupId>org.c</groupId><artifactId>c</artifactId><version>${unknown}</version></dependency>
    <dependency><groupId>org.d</groupId><artifactId>d</artifactId><version>[1.0,2.0)</version></dependency>
    <dependency><groupId>org.e</groupId><artifactId>e</artifactId><version>[1.5]</version><classifier>sources</classifier><type>zip</type></dependency>
    <dependency><groupId>${unknown}</groupId><artifactId>f</artifactId><version>1</version></dependency>
    <dependency><groupId>org.g</groupId><artifactId>g</artifactId><version>1</version><scope>system</scope></dependency>
    <dependency><groupId>org.h</groupId><artifactId>h</artifactId><version>${loop}</version></dependency>
    <dependency>
      <groupId>org.i</groupId><artifactId>i&#45;j</artifactId>
      <version><!-- pinned --><![CDATA[1.0]]></version><scope>provided</scope>
      <exclusions><exclusion><groupId>org.z</groupId><artifactId>z</artifactId></exclusion></exclusions>
    </dependency>
  </dependencies>
  <profiles><profile><id>p</id>
    <properties><lib.minor>9</lib.minor></properties>
    <dependencies><dependency><groupId>org.a</groupId><artifactId>a</artifactId><version>${lib.version}</version></dependency></dependencies>
  </profile></profiles>
  <build><plugins><plugin><dependencies><dependency><groupId>org.p</groupId><artifactId>p</artifactId><version>1</version></dependency></dependencies></plugin></plugins></build>
</project>"#;
    let inventory = check(
        "pom.xml",
        text,
        &[
            "15 runtime pkg:maven/org.a/a@1.2 = Maven org.a:a 1.2",
            "16 development pkg:maven/org.m/managed@3.0 = Maven org.m:managed 3.0",
            "17 optional pkg:maven/org.shop/sibling@7 = Maven org.shop:sibling 7",
            "18 runtime pkg:maven/org.b/b = Maven org.b:b ?",
            "19 runtime pkg:maven/org.c/c = Maven org.c:c ?",
            "20 runtime pkg:maven/org.d/d = Maven org.d:d ?",
            "21 runtime pkg:maven/org.e/e@1.5?classifier=sources&type=zip = Maven org.e:e 1.5",
            "24 runtime pkg:maven/org.h/h = Maven org.h:h ?",
            "25 runtime pkg:maven/org.i/i-j@1.0 = Maven org.i:i-j 1.0",
            "33 runtime pkg:maven/org.a/a@1.9 = Maven org.a:a 1.9",
        ],
        &[
            "12 org.m:bom:5 is imported",
            "18 org.b:b its version is managed by a bill of materials in another file",
            "19 org.c:c its version `unknown` has no value in this file",
            "20 org.d:d its version `[1.0,2.0)` is a range",
            "22 ${unknown}:f cannot be named: `unknown` has no value",
            "23 org.g:g is a file of this machine",
            "24 org.h:h its version `${loop}` has no value",
        ],
    );
    let subject = inventory.subject.unwrap().purl.unwrap();
    assert_eq!(subject.to_string(), "pkg:maven/org.shop/cart@7");
}

#[test]
fn a_pom_says_where_a_version_would_come_from() {
    let pom = |parent: &str| {
        format!(
            "<project>{parent}<groupId>g</groupId><artifactId>a</artifactId><version>1</version><dependencies><dependency><groupId>g</groupId><artifactId>x</artifactId></dependency></dependencies></project>"
        )
    };
    let parent = "<parent><groupId>p</groupId><artifactId>q</artifactId><version>2</version></parent>";
    let dependency = "1 runtime pkg:maven/g/x = Maven g:x ?";
    check("pom.xml", &pom(parent), &[dependency], &["come from the parent `p:q:2`"]);
    check("pom.xml", &pom(""), &[dependency], &["nothing in this file manages one"]);
}

#[test]
fn hostile_xml_is_refused() {
    fails("pom.xml", "<html/>", "line 1: the root element is `html`: expected Maven's `project`");
    fails("pom.xml", "<project>\n<a></b></project>", "line 2: not well-formed XML");
    fails("pom.xml", "<project>", "the document ends inside an element");
    fails("pom.xml", "", "the document ends inside an element, or has none");
    let bomb = "<!DOCTYPE project [<!ENTITY a \"aaaa\">]>\n<project>&a;</project>";
    fails("pom.xml", bomb, "a document type declaration, which is not read");
    fails("pom.xml", "<project>&a;</project>", "the entity `&a;` is not known");
    fails("pom.xml", &"<project>".repeat(100_000), "elements nested deeper than 64");
    fails("pom.xml", &format!("<project>{}", "<a/>".repeat(1_000_001)), "more than 1,000,000 elements");
    let dependency = "<dependency><artifactId>a</artifactId></dependency>";
    let nameless = format!("<project><dependencies>\n{dependency}</dependencies></project>");
    fails("pom.xml", &nameless, "line 2: a dependency without a `groupId`");
}

#[test]
fn properties_that_grow_each_other_are_bounded() {
    let properties: String = (0..30).map(|i| format!("<p{i}>${{p{n}}}${{p{n}}}</p{i}>", n = i + 1)).collect();
    let text = format!(
        "<project><properties>{properties}<p30>x</p30></properties><dependencies><dependency><groupId>g</groupId><artifactId>a</artifactId><version>${{p0}}</version></dependency></dependencies></project>"
    );
    check("pom.xml", &text, &["1 runtime pkg:maven/g/a = Maven g:a ?"], &["has no value in this file"]);
}

#[test]
fn gradle_lock_files_are_read() {
    let text = "# This is a Gradle generated file for dependency locking.\n\
        # Manual edits can break the build and are not advised.\n\
        org.a:a:1.0=compileClasspath,runtimeClasspath,testRuntimeClasspath\n\
        org.b:b:2.0=testCompileClasspath,testRuntimeClasspath\n\
        org.c:c:3.0=releaseRuntimeClasspath\n\
        org.d:d:4.0=classpath\n\
        org.e:e:5.0=debugAndroidTestRuntimeClasspath\n\
        empty=annotationProcessor\n";
    check(
        "gradle.lockfile",
        text,
        &[
            "3 runtime pkg:maven/org.a/a@1.0 = Maven org.a:a 1.0",
            "4 development pkg:maven/org.b/b@2.0 = Maven org.b:b 2.0",
            "5 runtime pkg:maven/org.c/c@3.0 = Maven org.c:c 3.0",
            "6 - pkg:maven/org.d/d@4.0 = Maven org.d:d 4.0",
            "7 development pkg:maven/org.e/e@5.0 = Maven org.e:e 5.0",
        ],
        &[],
    );
    fails("gradle.lockfile", "# x\norg.a:a=x\n", "line 2: `org.a:a=x`: expected `group:name:version=");
    fails("gradle.lockfile", "a::1=x\n", "expected `group:name:version=");
}

#[test]
fn gemfile_locks_are_read() {
    let digest = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    let text = format!(
        "GIT
  remote: https://git.example/x.git
  revision: abc
  specs:
    from-git (0.1)

PATH
  remote: .
  specs:
    own (0.1)
      rake

GEM
  remote: https://registry.example/
  specs:
    nokogiri (1.15.4-x86_64-linux)
      racc (~> 1.4)
    racc (1.7.1)
    pre (2.0.0.rc1)

PLATFORMS
  x86_64-linux

DEPENDENCIES
  own!

CHECKSUMS
  nokogiri (1.15.4-x86_64-linux) sha256={digest}
  racc (1.7.1)

BUNDLED WITH
   2.5.0
"
    );
    let inventory = check(
        "Gemfile.lock",
        &text,
        &[
            "16 - pkg:gem/nokogiri@1.15.4?platform=x86_64-linux = RubyGems nokogiri 1.15.4",
            "18 - pkg:gem/racc@1.7.1 = RubyGems racc 1.7.1",
            "19 - pkg:gem/pre@2.0.0.rc1 = RubyGems pre 2.0.0.rc1",
        ],
        &["5 from-git (0.1) comes from a git repository", "10 own (0.1) comes from a folder"],
    );
    assert_eq!(inventory.components[0].digests.len(), 1);
    assert!(inventory.components[1].digests.is_empty());
    fails("Gemfile.lock", "GEM\n  specs:\n    x\n", "line 3: `x`: expected `name (version)`");
    fails("Gemfile.lock", "  x\n", "line 1: `x`: expected a section");
    fails("Gemfile.lock", "GEM\n<<<<<<< ours\n", "line 2: a merge conflict");
}

#[test]
fn composer_locks_are_read() {
    let text = r#"{
 "_readme": ["x"], "content-hash": "abc",
 "packages": [
  {"name": "Acme/Lib", "version": "v1.2.3", "license": ["MIT", "GPL-2.0-only"],
   "dist": {"type": "zip", "url": "https://files.example/x.zip", "shasum": "da39a3ee5e6b4b0d3255bfef95601890afd80709"}},
  {"name": "acme/branch", "version": "dev-main"},
  {"name": "acme/here", "version": "1.0", "dist": {"type": "path", "url": "../here"}},
  {"version": "1"}
 ],
 "packages-dev": [{"name": "acme/test", "version": "2.0.0", "dist": {"shasum": ""}}],
 "platform": {"php": ">=8"}
}"#;
    let inventory = check(
        "composer.lock",
        text,
        &[
            "4 /packages/0 runtime pkg:composer/Acme/Lib@v1.2.3 = Packagist acme/lib v1.2.3",
            "6 /packages/1 runtime pkg:composer/acme/branch@dev-main = Packagist acme/branch dev-main",
            "10 /packages-dev/0 development pkg:composer/acme/test@2.0.0 = Packagist acme/test 2.0.0",
        ],
        &[
            "6 acme/branch is at the branch `dev-main`",
            "7 acme/here comes from a folder",
            "8 /packages/3 has no name",
        ],
    );
    assert_eq!(inventory.components[0].licence.as_deref(), Some("MIT OR GPL-2.0-only"));
    assert_eq!(inventory.components[0].digests.len(), 1);
    fails("composer.lock", "{}", "neither `packages` nor `packages-dev`");
    fails("composer.lock", "{\n\"packages\": [}", "line 2: expected a value");
}
