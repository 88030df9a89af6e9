//! Which path asks for what, and which paths ask for nothing.

use http::header::ACCEPT;
use http::{HeaderMap, HeaderValue, Method};

use super::*;
use crate::ask::Absence;
use crate::{ApiCall, Ask, ClientRequest, FileSelector, RouteError};

fn route_with(method: &Method, path: &str, query: Option<&str>, accept: &[&str]) -> Result<Ask, RouteError> {
    let mut headers = HeaderMap::new();
    for value in accept {
        headers.append(ACCEPT, HeaderValue::from_str(value).unwrap());
    }
    Npm.route(&ClientRequest { method, path, query, headers: &headers, body: b"" })
}

fn get(path: &str) -> Result<Ask, RouteError> {
    route_with(&Method::GET, path, None, &[])
}

/// A short form of what is asked for.
fn told(ask: &Ask) -> String {
    match ask {
        Ask::Index { package, view } => {
            format!("{} {package} {}", view.form, view.selector.as_deref().unwrap_or("-"))
        }
        Ask::Artifact { package, file: FileSelector::Name(file), .. } => format!("file {package} {file}"),
        Ask::Api(ApiCall { service, package, version, query, .. }) => {
            let package = package.as_ref().map(|p| format!(" {p}@{}", version.as_ref().unwrap()));
            format!(
                "api {service}{}{}",
                package.unwrap_or_default(),
                query.iter().map(|(n, v)| format!(" {n}={v}")).collect::<String>()
            )
        }
        Ask::Generated { document } => format!("own {document}"),
        Ask::NotOffered { .. } => "not offered".into(),
        other => format!("{other:?}"),
    }
}

#[test]
fn routes_ask_for_what_they_name() {
    for (path, expected) in [
        ("left-pad", "npm-full left-pad -"),
        ("JSONStream", "npm-full JSONStream -"),
        ("@acme%2fleft", "npm-full @acme/left -"),
        ("@acme%2Fleft", "npm-full @acme/left -"),
        ("%40acme%2fleft", "npm-full @acme/left -"),
        ("@acme/left", "npm-full @acme/left -"),
        ("left%2dpad", "npm-full left-pad -"),
        ("-", "npm-full - -"),
        ("-/-/--1.0.0.tgz", "file - --1.0.0.tgz"),
        ("left-pad/1.3.0", "npm-version left-pad 1.3.0"),
        ("left-pad/latest", "npm-version left-pad latest"),
        ("left-pad/%5E1.0.0", "npm-version left-pad ^1.0.0"),
        ("@acme%2fleft/latest", "npm-version @acme/left latest"),
        ("@acme/left/1.0.0", "npm-version @acme/left 1.0.0"),
        ("left-pad/-/left-pad-1.3.0.tgz", "file left-pad left-pad-1.3.0.tgz"),
        ("@acme/left/-/left-1.0.0.tgz", "file @acme/left left-1.0.0.tgz"),
        ("@acme%2fleft/-/left-1.0.0.tgz", "file @acme/left left-1.0.0.tgz"),
        ("left-pad/%2d/left-pad-1.3.0-rc.1%2Bb.tgz", "file left-pad left-pad-1.3.0-rc.1+b.tgz"),
        ("-/package/left-pad/dist-tags", "npm-dist-tags left-pad -"),
        ("-/package/@acme%2fleft/dist-tags", "npm-dist-tags @acme/left -"),
        ("-/package/@acme/left/dist-tags", "npm-dist-tags @acme/left -"),
        ("-/ping", "own ping"),
        ("-/ping/", "own ping"),
        ("-/whoami", "own whoami"),
        ("-/npm/v1/keys", "api keys"),
        ("-/npm/v1/attestations/left-pad@1.3.0", "api attestations left-pad@1.3.0"),
        ("-/npm/v1/attestations/@acme%2fleft@1.3.0", "api attestations @acme/left@1.3.0"),
        ("-/npm/v1/attestations/@acme/left@1.3.0", "api attestations @acme/left@1.3.0"),
        ("-/npm/v1/attestations/%40acme%2Fleft%401.3.0-rc.1", "api attestations @acme/left@1.3.0-rc.1"),
        ("-/v1/search", "api search"),
        ("-/all", "not offered"),
        ("-/npm/v1/tokens", "not offered"),
        ("-/npm/v1/user", "not offered"),
        ("-/user/org.couchdb.user:ann", "not offered"),
        ("-/package/left-pad/access", "not offered"),
    ] {
        match get(path) {
            Ok(ask) => assert_eq!(told(&ask), expected, "{path}"),
            Err(e) => panic!("{path}: {e}"),
        }
        assert_eq!(get(path), route_with(&Method::HEAD, path, None, &[]), "HEAD {path}");
    }
}

#[test]
fn methods_are_kept() {
    for (method, path, expected) in [
        (Method::POST, "-/npm/v1/security/advisories/bulk", "api advisories-bulk"),
        (Method::POST, "-/npm/v1/security/audits", "api audits"),
        (Method::POST, "-/npm/v1/security/audits/quick", "api audits-quick"),
        (Method::PUT, "left-pad", "not offered"),
        (Method::PUT, "@acme%2fleft", "not offered"),
        (Method::DELETE, "left-pad/-rev/1-x", "not offered"),
        (Method::DELETE, "left-pad/-/left-pad-1.0.0.tgz/-rev/1-x", "not offered"),
        (Method::PUT, "-/package/left-pad/dist-tags/next", "not offered"),
        (Method::DELETE, "-/package/left-pad/dist-tags/next", "not offered"),
        (Method::POST, "-/v1/login", "not offered"),
        (Method::PUT, "-/user/org.couchdb.user:ann", "not offered"),
    ] {
        assert_eq!(told(&route_with(&method, path, None, &[]).unwrap()), expected, "{method} {path}");
    }
    for (method, path) in [
        (Method::GET, "-/npm/v1/security/advisories/bulk"),
        (Method::GET, "-/npm/v1/security/audits/quick"),
        (Method::POST, "left-pad"),
        (Method::DELETE, "left-pad"),
        (Method::POST, "left-pad/1.0.0"),
        (Method::PUT, "left-pad/-/left-pad-1.0.0.tgz"),
        (Method::POST, "-/ping"),
        (Method::PUT, "-/npm/v1/keys"),
        (Method::POST, "-/v1/search"),
        (Method::OPTIONS, "left-pad"),
    ] {
        let found = route_with(&method, path, None, &[]);
        assert!(matches!(found, Err(RouteError::Method { .. })), "{method} {path}: {found:?}");
    }
    let Ok(Ask::Api(bulk)) = route_with(&Method::POST, "-/npm/v1/security/advisories/bulk", None, &[]) else {
        panic!("the bulk route is a service")
    };
    assert_eq!((bulk.absence, bulk.forwards_body), (Absence::Unavailable, true));
}

/// Spellings that a careless reader takes for another package, version or file than the one that is decided.
const CONFUSIONS: &[&str] = &[
    "",
    "/",
    "//left-pad",
    "/left-pad",
    "left-pad/",
    "left-pad//",
    "left-pad//latest",
    "./left-pad",
    "left-pad/.",
    "left-pad/..",
    "left-pad/../other",
    "left-pad/%2e%2e/other",
    "left-pad/%2E./other",
    "..%2fother",
    "%2e%2e%2fother",
    "left-pad%2flatest",
    "left-pad%2f-%2fleft-pad-1.0.0.tgz",
    "left-pad/-/..%2f..%2fother%2f-%2fother-1.0.0.tgz",
    "left-pad/-/%2e%2e/other-1.0.0.tgz",
    "left-pad/-/other-1.0.0.tgz",
    "left-pad/-/left-1.0.0.tgz",
    "left-pad/-/left-pad1.0.0.tgz",
    "left-pad/-/left-pad-.tgz",
    "left-pad/-/left-pad-1.0.0",
    "left-pad/-/left-pad-1.0.0.tar.gz",
    "left-pad/-/left-pad-1.0.0.tgz.tgz/x",
    "left-pad/-/left-pad-1.0.0.TGZ",
    "left-pad/-/LEFT-PAD-1.0.0.tgz",
    "left-pad/-/left-pad-1.0.0.tgz/",
    "left-pad/-/left-pad-1.0.0.tgz%00",
    "left-pad/-/left-pad-1.0.0.tgz%0a",
    "left-pad/-/left-pad-1.0.0%2f.tgz",
    "left-pad/-/left-pad-1.0.0%3f.tgz",
    "left-pad/-/left-pad-1.0.0%23.tgz",
    "left-pad/-/left-pad-1.0.0%20.tgz",
    "left-pad/-/left-pad-latest.tgz",
    "left-pad/-/",
    "left-pad/-",
    "left-pad/-/-/left-pad-1.0.0.tgz",
    "left-pad/download/left-pad-1.0.0.tgz",
    "left-pad/1.0.0/latest",
    "left-pad/1.0.0/-/left-pad-1.0.0.tgz",
    "left-pad/-rev",
    "@acme",
    "@acme/",
    "@acme%2f",
    "@acme%2f%2fleft",
    "@acme%252fleft",
    "@acme%5cleft",
    "@acme\\left",
    "@acme%2fleft%2flatest",
    "@acme%2f..",
    "@acme%2f.",
    "@acme/../other",
    "@acme/%2e%2e",
    "@acme//left",
    "@%2fleft",
    "@/left",
    "@@acme/left",
    "@acme/@left",
    "@acme/left/-/@acme-left-1.0.0.tgz",
    "@acme/left/-/@acme/left-1.0.0.tgz",
    "@acme/left/-/@acme%2fleft-1.0.0.tgz",
    "@acme/left/-/right-1.0.0.tgz",
    "@acme/left/-/left-1.0.0.tgz/x",
    "@acme/left/1.0.0/x",
    ".left",
    "_left",
    "left pad",
    "left%20pad",
    "left%00pad",
    "left%pad",
    "left%2",
    "left%zz",
    "left%ff",
    "left%c0%afpad",
    "left%E2%80%AEpad",
    "left:pad",
    "left;pad",
    "left?pad",
    "left#pad",
    "left&pad",
    "left=pad",
    "left+pad",
    "left,pad",
    "left|pad",
    "left\u{e9}pad",
    "http://files.example/x",
    "http:%2f%2ffiles.example",
    "-/",
    "-/x",
    "-/-",
    "-/-/x",
    "-/-/other-1.0.0.tgz",
    "-/ping/x",
    "-/package",
    "-/package/left-pad",
    "-/package/@acme/dist-tags",
    "-/package/left-pad/dist-tags/",
    "-/package/left-pad/other",
    "-/package/../dist-tags",
    "-/package/@acme%252fleft/dist-tags",
    "-/npm",
    "-/npm/v1",
    "-/npm/v2/keys",
    "-/npm/v1/keys/x",
    "-/npm/v1/attestations",
    "-/npm/v1/attestations/left-pad",
    "-/npm/v1/attestations/@acme/left",
    "-/npm/v1/attestations/@1.0.0",
    "-/npm/v1/attestations/left-pad@",
    "-/npm/v1/attestations/left-pad@latest",
    "-/npm/v1/attestations/left-pad@^1.0.0",
    "-/npm/v1/attestations/left-pad@1.0.0@x",
    "-/npm/v1/attestations/left-pad@1.0.0/x",
    "-/npm/v1/attestations/a/b@1.0.0",
    "-/npm/v1/attestations/left-pad@1.0.0%2f..",
    "-/npm/v1/security",
    "-/npm/v1/security/advisories",
    "-/v1/searches",
    "-/v1/search/x",
];

#[test]
fn confusing_paths_ask_for_nothing() {
    assert!(CONFUSIONS.len() >= 80);
    for path in CONFUSIONS {
        for method in [Method::GET, Method::HEAD, Method::POST] {
            let found = route_with(&method, path, None, &[]);
            let offered = matches!(
                found,
                Ok(Ask::Index { .. }
                    | Ask::Artifact { .. }
                    | Ask::Api(_)
                    | Ask::Generated { .. }
                    | Ask::Redirect { .. })
            );
            assert!(!offered, "{method} {path:?}: {found:?}");
        }
    }
}

proptest::proptest! {
    /// Whatever is asked for names itself again: the path made of the parts asks for the same.
    #[test]
    fn what_a_path_asks_for_has_one_normal_form(path in "(@?[a-zA-Z%240-9._~@-]{1,6}(/|%2[fF])?){1,5}(\\.tgz)?") {
        if let Ok(ask) = get(&path) {
            let again = match &ask {
                Ask::Index { package, view } => match (&view.selector, view.form) {
                    (Some(selector), _) => format!("{package}/{}", percent_encoding::utf8_percent_encode(selector, percent_encoding::NON_ALPHANUMERIC)),
                    (None, "npm-dist-tags") => format!("-/package/{package}/dist-tags"),
                    (None, _) => package.to_string(),
                },
                Ask::Artifact { package, file: FileSelector::Name(file), .. } => format!("{package}/-/{file}"),
                _ => return Ok(()),
            };
            proptest::prop_assert_eq!(get(&again), Ok(ask), "{} {}", path, again);
        }
    }
}

#[test]
fn the_form_follows_accept() {
    let check = |accept: &[&str], expected: &str| {
        let ask = route_with(&Method::GET, "x", None, accept).unwrap();
        assert_eq!(told(&ask), format!("{expected} x -"), "{accept:?}");
    };
    check(&[], "npm-full");
    check(&["*/*"], "npm-full");
    check(&["application/json"], "npm-full");
    check(&["application/vnd.npm.install-v1+json"], "npm-abbreviated");
    check(&["application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8, */*"], "npm-abbreviated");
    check(&["application/json; q=0.8, application/vnd.npm.install-v1+json;q=1.0"], "npm-abbreviated");
    check(&["application/json", "Application/VND.npm.install-v1+JSON"], "npm-abbreviated");
    check(&["application/vnd.npm.install-v1+json;q=0.5, application/json"], "npm-full");
    check(&["application/vnd.npm.install-v1+json;q=0, */*"], "npm-full");
    check(&["application/vnd.npm.install-v1+json;q=nonsense, */*"], "npm-full");
    check(&["application/vnd.npm.install-v1+json;q=0.5, */*;q=0.1"], "npm-abbreviated");
    check(&["application/vnd.npm.install-v1+json-x"], "npm-full");
}

#[test]
fn only_known_query_pairs_are_forwarded() {
    let query = "text=left+pad%20%26x&size=20&from=0&text=again&evil=1&quality=0.5";
    let ask = route_with(&Method::GET, "-/v1/search", Some(query), &[]).unwrap();
    assert_eq!(told(&ask), "api search text=left pad &x size=20 from=0 quality=0.5");
    let Ask::Api(call) = ask else { panic!("search is a service") };
    let request = Npm.api_request(&call, &upstream(), None).unwrap();
    assert_eq!(
        request.url.as_str(),
        "https://registry.example/npm/-/v1/search?text=left+pad+%26x&size=20&from=0&quality=0.5"
    );
    // The query of an index or file is not read.
    assert_eq!(route_with(&Method::GET, "x", Some("write=true"), &[]), get("x"));
}

#[test]
fn upstream_addresses_are_made_of_parts() {
    let index = |name: &str| Npm.index_request(&package(name), &upstream()).url.to_string();
    assert_eq!(index("left-pad"), "https://registry.example/npm/left-pad");
    assert_eq!(index("@acme/left"), "https://registry.example/npm/@acme%2fleft");
    let request = Npm.index_request(&package("x"), &upstream());
    assert_eq!(request.headers[ACCEPT], "application/json");
    let api = |method: &Method, path: &str| {
        let Ok(Ask::Api(call)) = route_with(method, path, None, &[]) else { panic!("{path} is a service") };
        let request = Npm.api_request(&call, &upstream(), None).unwrap();
        format!("{} {}", request.method, request.url.as_str())
    };
    let base = "https://registry.example/npm/-";
    assert_eq!(api(&Method::GET, "-/npm/v1/keys"), format!("GET {base}/npm/v1/keys"));
    for path in [
        "-/npm/v1/attestations/@acme/left@1.0.0-rc.1+b",
        "-/npm/v1/attestations/%40acme%2Fleft%401.0.0-rc.1%2Bb",
    ] {
        assert_eq!(
            api(&Method::GET, path),
            format!("GET {base}/npm/v1/attestations/@acme%2fleft@1.0.0-rc.1+b")
        );
    }
    for service in ["advisories/bulk", "audits", "audits/quick"] {
        let path = format!("-/npm/v1/security/{service}");
        assert_eq!(api(&Method::POST, &path), format!("POST {base}/npm/v1/security/{service}"));
    }
    let index = fixture();
    assert_eq!(Npm.artifact_path(&index.files()[0], index.package()), "@acme/left/-/left-1.0.0.tgz");
}
