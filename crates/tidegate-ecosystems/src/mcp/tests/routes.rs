use http::{HeaderMap, Method};

use super::*;
use crate::catalogue::Which;
use crate::{Ask, ClientRequest, FileSelector, RouteError};

fn ask(method: &str, path: &str) -> Result<Ask, RouteError> {
    let (path, query) = path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query)));
    let method: Method = method.parse().unwrap();
    Mcp.route(&ClientRequest { method: &method, path, query, headers: &HeaderMap::new(), body: b"" })
}

#[track_caller]
fn view(path: &str, form: &str, selector: Option<&str>) {
    match ask("GET", path).unwrap() {
        Ask::Index { package, view } => {
            assert_eq!(
                (package.as_str(), view.form, view.selector.as_deref()),
                (NAME, form, selector),
                "{path}"
            );
        }
        other => panic!("{path}: {other:?}"),
    }
}

#[test]
fn a_name_may_come_in_one_segment_or_in_two() {
    for base in ["v0.1/servers", "v0/servers"] {
        for name in
            ["io.github.someone%2Fweather", "io.github.someone%2fweather", "io.github.someone/weather"]
        {
            view(&format!("{base}/{name}/versions"), "mcp-versions", None);
            view(&format!("{base}/{name}/versions?include_deleted=true"), "mcp-versions", Some("gone"));
            view(&format!("{base}/{name}/versions/1.0.0"), "mcp-version", Some("1.0.0"));
            view(&format!("{base}/{name}/versions/latest"), "mcp-version", Some("latest"));
            view(&format!("{base}/{name}"), "mcp-version", Some("latest"));
        }
    }
}

#[test]
fn a_page_of_the_list_says_which_entries_are_meant() {
    let list = "v0.1/servers?limit=7&cursor=a.b/c:1.0.0&search=Weath&updated_since=2026-01-02T03:04:05Z&version=latest&include_deleted=1";
    let Ask::Catalogue { form: "mcp-servers", query } = ask("GET", list).unwrap() else { panic!() };
    assert_eq!(query.after, Some(("a.b/c".to_owned(), "1.0.0".to_owned())));
    assert_eq!((query.limit, query.search.as_deref()), (7, Some("weath")));
    assert_eq!(query.updated_since.unwrap().to_string(), "2026-01-02T03:04:05Z");
    assert!(query.version == Which::Latest && query.with_gone);
    let Ask::Catalogue { query, .. } = ask("HEAD", "v0/servers?version=1.2.3&cursor=").unwrap() else {
        panic!()
    };
    assert_eq!((query.limit, &query.version), (30, &Which::This("1.2.3".to_owned())));
    for bad in ["limit=0", "limit=101", "limit=x", "cursor=here", "cursor=../x:1", "updated_since=today"] {
        assert!(matches!(ask("GET", &format!("v0.1/servers?{bad}")), Err(RouteError::Malformed(_))), "{bad}");
    }
}

#[test]
fn bundles_have_a_route_of_their_own() {
    let ask = ask("GET", "bundles/io.github.someone%2Fweather/1.0.0/2/weather.mcpb").unwrap();
    let Ask::Artifact { package, file: FileSelector::Name(file), .. } = ask else { panic!() };
    assert_eq!((package.as_str(), file.as_str()), (NAME, "1.0.0/2/weather.mcpb"));
}

#[test]
fn everything_else_is_refused() {
    assert!(matches!(ask("OPTIONS", "v0.1/servers"), Ok(Ask::Generated { document: "preflight" })));
    for (method, path) in [
        ("POST", "v0.1/publish"),
        ("PUT", "v0.1/servers/a%2Fb/versions/1"),
        ("PATCH", "v0.1/servers/a%2Fb/versions/1/status"),
        ("DELETE", "v0.1/servers/a%2Fb/versions/1"),
        ("POST", "v0/auth/github-at"),
    ] {
        assert!(matches!(ask(method, path), Ok(Ask::NotOffered { .. })), "{method} {path}");
    }
    for path in [
        "",
        "servers",
        "v1/servers",
        "v0.1",
        "v0.1/servers/weather",
        "v0.1/servers/a/b/c",
        "v0.1/servers/a%2Fb/versions/1/x",
        "v0.1//servers",
        "v0.1/servers/a%2F..%2Fb/versions",
        "v0.1/servers/..%2Fb/versions",
        "v0.1/servers/a%2Fb/versions/..",
        "v0.1/servers/a%2Fb/versions/1%2F2",
        "v0.1/servers/a%252Fb/versions",
        "v0.1/servers/a%2Fb%2Fc/versions",
        "bundles/a%2Fb/1/0",
        "bundles/a%2Fb/1%2F..%2F2/0/x",
        "bundles/a%2Fb/../0/x",
        "bundles/ab/1/0/x",
        "v0.1/servers/",
        "v0.1/servers/a%2Fb/",
        "v0.1/servers/a%00%2Fb/versions",
        "v0.1/servers/\u{e4}%2Fb/versions",
    ] {
        assert!(ask("GET", path).is_err(), "{path}");
    }
    assert!(matches!(ask("POST", "v0.1/servers"), Err(RouteError::Method { .. })));
}
