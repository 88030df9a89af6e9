use http::header::ACCEPT;
use http::{HeaderMap, Method};
use tidegate_model::{Ecosystem, FileName, Version};

use super::{name, request, upstream};
use crate::ask::Absence;
use crate::pypi::{FORM_HTML, FORM_JSON, FORM_PROJECT_JSON, FORM_VERSION_JSON, Pypi};
use crate::{ApiCall, Ask, FileSelector, Part, Protocol as _, RouteError, UpstreamBase, View};

fn route(path: &str) -> Result<Ask, RouteError> {
    Pypi.route(&request(&Method::GET, path, &HeaderMap::new()))
}

fn index(form: &'static str, selector: Option<&str>) -> Ask {
    Ask::Index { package: name("foo-bar"), view: View { form, selector: selector.map(str::to_owned) } }
}

fn artifact(file: &str, part: Part) -> Ask {
    Ask::Artifact { package: name("foo-bar"), file: FileSelector::Name(FileName::parse(file).unwrap()), part }
}

fn redirect(to: &str) -> Ask {
    Ask::Redirect { to: to.into() }
}

#[test]
fn every_route_is_read() {
    let wheel = "foo_bar-1.0+cpu-py3-none-any.whl";
    for (path, expected) in [
        ("simple/foo-bar/", index(FORM_HTML, None)),
        ("simple/foo-ba%72/", index(FORM_HTML, None)),
        ("pypi/foo-bar/json", index(FORM_PROJECT_JSON, None)),
        ("pypi/foo-bar/1.0%2Bcpu/json", index(FORM_VERSION_JSON, Some("1.0+cpu"))),
        ("files/foo-bar/foo_bar-1.0%2Bcpu-py3-none-any.whl", artifact(wheel, Part::Whole)),
        ("files/foo-bar/foo_bar-1.0+cpu-py3-none-any.whl", artifact(wheel, Part::Whole)),
        ("files/foo-bar/foo_bar-1.0+cpu-py3-none-any.whl.metadata", artifact(wheel, Part::Metadata)),
        ("files/foo-bar/foo_bar-1.0.tar.gz", artifact("foo_bar-1.0.tar.gz", Part::Whole)),
        // One spelling each: every other leads there.
        ("simple/foo-bar", redirect("simple/foo-bar/")),
        ("simple/Foo_Bar/", redirect("simple/foo-bar/")),
        ("simple/foo.-_bar", redirect("simple/foo-bar/")),
        ("files/Foo.Bar/a+b.whl", redirect("files/foo-bar/a%2Bb.whl")),
        ("pypi/Foo.Bar/json", redirect("pypi/foo-bar/json")),
        ("pypi/foo-bar/json/", redirect("pypi/foo-bar/json")),
        ("pypi/foo-bar/1+a/json/", redirect("pypi/foo-bar/1%2Ba/json")),
    ] {
        assert_eq!(route(path).unwrap(), expected, "{path}");
    }
}

#[test]
fn what_is_not_offered_says_so() {
    for path in ["simple/", "simple", "legacy/", "legacy", "files/foo/foo-1.0.tar.gz.asc"] {
        assert!(matches!(route(path), Ok(Ask::NotOffered { what }) if what.len() > 30), "{path}");
    }
    let upload = Pypi.route(&request(&Method::POST, "legacy/", &HeaderMap::new()));
    assert!(matches!(upload, Ok(Ask::NotOffered { .. })));
}

#[test]
fn the_form_follows_accept() {
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, "application/vnd.pypi.simple.v1+json, text/html; q=0.01".parse().unwrap());
    let ask = Pypi.route(&request(&Method::HEAD, "simple/foo-bar/", &headers)).unwrap();
    assert_eq!(ask, index(FORM_JSON, None));
}

#[test]
fn only_reading_is_routed() {
    for method in [Method::POST, Method::PUT, Method::DELETE, Method::PATCH, Method::OPTIONS] {
        for path in ["simple/foo/", "files/foo/foo-1.0.tar.gz", "pypi/foo/json"] {
            let refused = Pypi.route(&request(&method, path, &HeaderMap::new()));
            assert_eq!(refused, Err(RouteError::Method { allowed: "GET, HEAD" }), "{method} {path}");
        }
    }
}

/// Whatever the path is, it is either refused or leads to one normal coordinate; never a guess.
#[test]
fn confusing_paths_reach_nothing() {
    let long_name = format!("simple/{}/", "a".repeat(215));
    let long_file = format!("files/foo/{}.whl", "a".repeat(255));
    let long_version = format!("pypi/foo/{}/json", "1".repeat(129));
    let long_path = "a/".repeat(600);
    let confusing = [
        "",
        "/",
        "//",
        "///",
        ".",
        "..",
        "./",
        "../",
        "simple//",
        "//simple/foo/",
        "/simple/foo/",
        "simple//foo/",
        "simple/foo//",
        "simple/./foo/",
        "simple/foo/.",
        "simple/foo/..",
        "simple/../foo/",
        "simple/%2e%2e/",
        "simple/%2E%2E/foo/",
        "simple/foo%2f/",
        "simple/foo%2Fbar/",
        "simple/foo%5cbar/",
        "simple/foo\\bar/",
        "simple/foo%00/",
        "simple/foo%0a/",
        "simple/foo%0d%0aX:1/",
        "simple/foo%7f/",
        "simple/foo%20bar/",
        "simple/ foo/",
        "simple/foo%/",
        "simple/foo%2/",
        "simple/foo%zz/",
        "simple/%252e%252e/",
        "simple/%c0%ae/",
        "simple/%c0%af/",
        "simple/%ff/",
        "simple/f\u{f6}\u{f6}/",
        "simple/f%C3%B6%C3%B6/",
        "simple/%EF%BC%8E%EF%BC%8E/",
        "simple/-foo/",
        "simple/foo-/",
        "simple/_/",
        "simple/foo+bar/",
        "simple/foo@1.0/",
        "simple/@scope/foo/",
        "simple/@scope%2ffoo/",
        "simple/foo/bar/",
        "simple/foo/foo-1.0.tar.gz",
        "Simple/foo/",
        "SIMPLE/foo/",
        "simple;x/foo/",
        "simple/foo;x=1/",
        "simple/foo:bar/",
        "simple/~foo/",
        "simple/foo*/",
        "simple/foo,bar/",
        "files/",
        "files/foo/",
        "files/foo",
        "files/foo/foo-1.0.tar.gz/",
        "files//foo-1.0.tar.gz",
        "files/foo//foo-1.0.tar.gz",
        "files/foo/../bar/bar-1.0.tar.gz",
        "files/foo/%2e%2e%2fbar-1.0.tar.gz",
        "files/foo/..%5cbar.whl",
        "files/foo/bar%2ffoo-1.0.tar.gz",
        "files/foo/foo-1.0.tar.gz%00.whl",
        "files/foo/foo%252f1.0.tar.gz",
        "files/foo/f\u{f6}\u{f6}-1.0.tar.gz",
        "files/foo/x/foo-1.0.tar.gz",
        "files/foo/.metadata",
        "files/foo/%2e.metadata",
        "files/foo/..%2emetadata",
        "files/../simple/foo/",
        "Files/foo/foo-1.0.tar.gz",
        "pypi/foo",
        "pypi/foo/",
        "pypi/foo/json/x",
        "pypi/foo/1.0/",
        "pypi/foo/1.0/JSON",
        "pypi/foo/../bar/json",
        "pypi/foo/%2e%2e/json",
        "pypi/foo/1.0%20/json",
        "pypi/foo/1.0%2f2/json",
        "pypi/foo/1.0;x/json",
        "json/foo",
        "integrity/foo/1.0/foo-1.0.tar.gz",
        "integrity/foo/1.0/bar-1.0.tar.gz/provenance",
        "integrity/foo/1.1/foo-1.0.tar.gz/provenance",
        "integrity/foo/1.0/..%2ffoo-1.0.tar.gz/provenance",
        "integrity/foo/%2e%2e/foo-1.0.tar.gz/provenance",
        "integrity/foo/1.0/foo-1.0.tar.gz/provenance/x",
        "packages/aa/bb/foo-1.0.tar.gz",
        "legacy/x",
        "pypi",
        "search",
        "rss/updates.xml",
        "simple/foo/?x",
        "simple/foo/#x",
        &long_name,
        &long_file,
        &long_version,
        &long_path,
    ];
    assert!(confusing.len() >= 60);
    for path in confusing {
        match route(path) {
            Err(RouteError::Unknown { what, .. }) => assert!(what.len() <= 800 && !what.contains('\n')),
            Err(RouteError::Malformed(why)) => assert!(!why.is_empty()),
            other => panic!("{path:?} was read as {other:?}"),
        }
    }
}

#[test]
fn provenance_is_asked_by_its_parts() {
    let file = "foo_bar-1.0-py3-none-any.whl";
    let path = format!("integrity/foo-bar/1.0/{file}/provenance");
    let Ok(Ask::Api(call)) = route(&path) else { panic!("{:?}", route(&path)) };
    let expected = ApiCall {
        service: "integrity",
        package: Some(name("foo-bar")),
        version: Some(Version::parse(Ecosystem::Pypi, "1.0")),
        file: Some(FileName::parse(file).unwrap()),
        query: Vec::new(),
        forwards_body: false,
        absence: Absence::NotOffered,
    };
    assert_eq!(call, expected);
    let asked = Pypi.api_request(&call, &upstream(), None).unwrap();
    assert_eq!(asked.url.as_str(), format!("https://registry.example/{path}"));
    let elsewhere = UpstreamBase { url: "https://registry.example/index/".parse().unwrap() };
    assert!(Pypi.api_request(&call, &elsewhere, None).is_none(), "no address is made up");
    let other = ApiCall { service: "search", ..call };
    assert!(Pypi.api_request(&other, &upstream(), None).is_none());
    assert_eq!(
        route(&format!("integrity/Foo.Bar/1.0/{file}/provenance")).unwrap(),
        redirect(&path),
        "one spelling"
    );
}

#[test]
fn the_upstream_is_asked_for_both_forms() {
    let asked = Pypi.index_request(&name("Foo.Bar"), &upstream());
    assert_eq!(asked.url.as_str(), "https://registry.example/simple/foo-bar/");
    let accept = asked.headers[ACCEPT].to_str().unwrap();
    let position = |what: &str| accept.find(what).unwrap_or_else(|| panic!("{what} in {accept}"));
    assert!(position("simple.v1+json") < position("simple.v1+html;q="));
    assert!(position("simple.v1+html;q=") < position("text/html;q="), "a mirror adds times only then");
}

/// Only paths that were tidied by the router itself are redirect targets: they lead to themselves.
#[test]
fn redirects_end() {
    for path in ["simple/A__b", "files/A_b/x+%20y.whl", "pypi/A.b/1.0+x/json/", "simple/x"] {
        let Ok(Ask::Redirect { to }) = route(path) else { panic!("{path}") };
        assert!(!matches!(route(&to), Ok(Ask::Redirect { .. }) | Err(_)), "{path} -> {to}");
        assert!(!to.starts_with('/') && !to.contains(".."), "{to}");
    }
}
