//! Which paths name something, and which confuse.

use super::*;
use crate::ask::Absence;
use crate::{FileSelector, Part};

fn route(method: &Method, path: &str) -> Result<Ask, RouteError> {
    with_request(method, path, None, |r| Cargo.route(r))
}

fn index_of(text: &str) -> Ask {
    Ask::Index { package: name(text), view: View { form: LINES, selector: None } }
}

fn download(text: &str, version: &str) -> Ask {
    Ask::Artifact { package: name(text), file: FileSelector::Version(version.into()), part: Part::Whole }
}

#[test]
fn every_route_of_the_protocol_is_understood() {
    for method in [Method::GET, Method::HEAD] {
        for (path, expected) in [
            ("config.json", Ask::Generated { document: CONFIG }),
            ("1/a", index_of("a")),
            ("2/ab", index_of("ab")),
            ("3/a/abc", index_of("abc")),
            ("se/rd/serde", index_of("serde")),
            ("se/rd/serd%65", index_of("serde")),
            ("ma/in/main_x", index_of("main_x")),
            ("ap/i-/api-v1", index_of("api-v1")),
            ("3/a/api", index_of("api")),
            ("__/ab/__ab", index_of("__ab")),
            ("api/v1/crates/serde/1.0.0/download", download("serde", "1.0.0")),
            ("api/v1/crates/Inflector/0.11.4/download", download("inflector", "0.11.4")),
            ("api/v1/crates/x/1.0.0-rc.1+b.2/download", download("x", "1.0.0-rc.1+b.2")),
            ("api/v1/crates/x/1.0.0%2Bb/download", download("x", "1.0.0+b")),
            ("api/v1/crates/new/1.0.0/download", download("new", "1.0.0")),
        ] {
            assert_eq!(route(&method, path).unwrap(), expected, "{method} {path}");
        }
    }
    let search = route(&Method::GET, "api/v1/crates").unwrap();
    assert!(matches!(search, Ask::Api(ApiCall { service: SEARCH, absence: Absence::NotOffered, .. })));
}

#[test]
fn writing_and_web_pages_are_named_and_not_offered() {
    for (method, path) in [
        (Method::PUT, "api/v1/crates/new"),
        (Method::DELETE, "api/v1/crates/serde/1.0.0/yank"),
        (Method::PUT, "api/v1/crates/serde/1.0.0/unyank"),
        (Method::GET, "api/v1/crates/serde/owners"),
        (Method::PUT, "api/v1/crates/serde/owners"),
        (Method::DELETE, "api/v1/crates/serde/owners"),
        (Method::GET, "api/v1/crates/serde"),
        (Method::GET, "api/v1/crates/serde/versions"),
    ] {
        let ask = route(&method, path).unwrap();
        assert!(matches!(ask, Ask::NotOffered { .. }), "{method} {path}: {ask:?}");
    }
}

#[test]
fn reading_routes_take_no_other_method() {
    for path in ["config.json", "se/rd/serde", "api/v1/crates", "api/v1/crates/x/1.0.0/download"] {
        for method in [Method::POST, Method::PUT, Method::DELETE, Method::PATCH, Method::OPTIONS] {
            let error = route(&method, path).unwrap_err();
            assert_eq!(error, RouteError::Method { allowed: "GET, HEAD" }, "{method} {path}");
        }
    }
}

/// None of these may name anything: not another crate, not a file of ours, not a route of upstream.
const CONFUSING: &[&str] = &[
    "",
    "/",
    "se/rd/serde/",
    "/se/rd/serde",
    "se//rd/serde",
    "se/rd//serde",
    "se/rd/../rd/serde",
    "se/rd/%2e%2e/serde",
    "se/rd/.%2e/serde",
    "se/rd/./serde",
    "se/./rd/serde",
    "./se/rd/serde",
    "../se/rd/serde",
    "se%2frd/serde",
    "se%2Frd%2Fserde",
    "se/rd%2fserde",
    "se\\rd\\serde",
    "se/rd%5cserde",
    "se/rd/serde%00",
    "se/rd/serde%00.json",
    "se/rd/serde%0a",
    "se/rd/serde%0d%0a",
    "se/rd/serde%20",
    "se/rd/serde ",
    "se/rd/serde%",
    "se/rd/serde%2",
    "se/rd/serde%zz",
    "se/rd/serde%252e",
    "se/rd/serd%2565",
    "se/rd/serde%ff",
    "se/rd/serd%c0%ae",
    "se/rd/serd%c3%a9",
    "se/rd/\u{455}erde",
    "se/rd/serde;x=1",
    "se/rd/serde#x",
    "se/rd/serde.json",
    "se/rd/serde~",
    "se/rd/@serde",
    "SE/RD/SERDE",
    "se/rd/Serde",
    "Se/rd/serde",
    "se/RD/serde",
    "se/rd/tokio",
    "to/ki/serde",
    "rd/se/serde",
    "se/rd",
    "se",
    "serde",
    "se/rd/se",
    "se/rd/serde/1.0.0",
    "1/ab",
    "1/",
    "1/1",
    "2/a",
    "2/abc",
    "3/abc",
    "3/b/abc",
    "3/a/ab",
    "3/a/abcd",
    "3/A/abc",
    "3/a/Abc",
    "4/a/abcd",
    "1/..",
    "2/..",
    "config.json/",
    "Config.json",
    "config.json/x",
    "x/config.json",
    "se/rd/config.json",
    "config%2ejson/..",
    ".git/config",
    "api",
    "api/v1",
    "api/v1/crates/",
    "api/v1/crates/serde/1.0.0",
    "api/v1/crates/serde/1.0.0/download/",
    "api/v1/crates/serde/1.0.0/Download",
    "api/v1/crates/serde/1.0.0/download/x",
    "api/v1/crates/serde//download",
    "api/v1/crates//1.0.0/download",
    "api/v1/crates/serde/../1.0.0/download",
    "api/v1/crates/serde/%2e%2e/download",
    "api/v1/crates/serde%2f1.0.0/download",
    "api/v1/crates/serde/1.0.0%2fdownload",
    "api/v1/crates/serde/1.0.0%2f..%2f1.0.1/download",
    "api/v1/crates/serde/v1.0.0/download",
    "api/v1/crates/serde/1.0/download",
    "api/v1/crates/serde/01.0.0/download",
    "api/v1/crates/serde/1.0.0%20/download",
    "api/v1/crates/serde/%201.0.0/download",
    "api/v1/crates/serde/1.0.0%00/download",
    "api/v1/crates/serde/latest/download",
    "api/v1/crates/serde/*/download",
    "api/v1/crates/serde/1.0.0 b/download",
    "api/v1/crates/serde/{version}/download",
    "api/v1/crates/{crate}/1.0.0/download",
    "api/v1/crates/serde.git/1.0.0/download",
    "api/v1/crates/1serde/1.0.0/download",
    "api/v1/crates/-serde/1.0.0/download",
    "api/v1/crates/s%C3%A9rde/1.0.0/download",
    "api/v2/crates/serde/1.0.0/download",
    "API/v1/crates/serde/1.0.0/download",
    "api/v1/Crates/serde/1.0.0/download",
    "api%2fv1/crates/serde/1.0.0/download",
    "crates/serde/serde-1.0.0.crate",
    "https://evil.test/se/rd/serde",
];

#[test]
fn confusing_paths_name_nothing() {
    let long_name = format!("aa/aa/{}", "a".repeat(65));
    let long_version = format!("api/v1/crates/x/1.0.0-{}/download", "a".repeat(300));
    let long_path = "a/".repeat(600);
    let paths = CONFUSING.iter().copied().chain([&*long_name, &*long_version, &*long_path]);
    for path in paths {
        for method in [Method::GET, Method::HEAD] {
            assert!(route(&method, path).is_err(), "{method} {path:?} = {:?}", route(&method, path));
        }
    }
    assert!(CONFUSING.len() >= 100, "{}", CONFUSING.len());
}

#[test]
fn a_route_error_shows_the_path_without_its_control_characters() {
    let message = route(&Method::GET, "x/\u{1b}[2J/y/z/q").unwrap_err().to_string();
    assert!(!message.contains('\u{1b}'), "{message}");
}

#[test]
fn the_conventional_path_of_a_file_leads_back_to_it() {
    let index = parse("inflector", line("Inflector", "1.0.0-a+b", "")).unwrap();
    let path = Cargo.artifact_path(&index.files()[0], index.package());
    assert_eq!(route(&Method::GET, &path).unwrap(), download("inflector", "1.0.0-a+b"));
}
