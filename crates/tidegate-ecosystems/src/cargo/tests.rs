mod hostile;
mod paths;
mod views;

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use tidegate_model::denial::DenialKind;
use tidegate_model::{Action, Denial, Principal};
use url::Url;

use super::*;
use crate::{Rendered, Verdict, View};

const CONFIG_JSON: &str = r#"{"dl":"https://files.example:8443/c/dl","api":"https://registry.example"}"#;
const DIGEST: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

fn document(body: impl Into<Vec<u8>>) -> FetchedDocument {
    let url = Url::parse("https://index.example/").unwrap();
    FetchedDocument { url, content_type: None, body: Bytes::from(body.into()) }
}

fn upstream() -> UpstreamBase {
    UpstreamBase { url: Url::parse("https://index.example/sparse/").unwrap() }
}

fn name(text: &str) -> PackageName {
    PackageName::parse(Ecosystem::Cargo, text).unwrap()
}

fn line(name: &str, version: &str, rest: &str) -> String {
    format!(r#"{{"name":"{name}","vers":"{version}","deps":[],"cksum":"{DIGEST}","features":{{}}{rest}}}"#)
}

fn parse(package: &str, body: impl Into<Vec<u8>>) -> Result<Arc<dyn Index>, IndexError> {
    Cargo.parse_index(&name(package), &upstream(), &document(body), Some(&document(CONFIG_JSON)), None)
}

fn render(index: &dyn Index, withheld: &[bool]) -> Vec<u8> {
    let verdicts: Vec<Verdict> =
        withheld.iter().map(|withheld| Verdict { withheld: *withheld, ..Verdict::default() }).collect();
    let links = Links::below("http://127.0.0.1:8484/cargo/");
    match index.render(&View { form: LINES, selector: None }, &verdicts, &links).unwrap() {
        Rendered::Document { body, .. } => body,
        other => panic!("{other:?}"),
    }
}

fn with_request<T>(
    method: &Method,
    path: &str,
    query: Option<&str>,
    f: impl FnOnce(&ClientRequest<'_>) -> T,
) -> T {
    let headers = HeaderMap::new();
    f(&ClientRequest { method, path, query, headers: &headers, body: b"" })
}

#[test]
fn our_config_keeps_every_download_below_our_base() {
    let links = Links::below("http://127.0.0.1:8484/t/tok/cargo/");
    let body = |auth| Cargo.generate(CONFIG, &links, &Principal::anonymous(), auth).body;
    assert_eq!(
        body(false),
        r#"{"dl":"http://127.0.0.1:8484/t/tok/cargo/api/v1/crates","api":"http://127.0.0.1:8484/t/tok/cargo"}"#
    );
    let demanding: serde_json::Value = serde_json::from_slice(&body(true)).unwrap();
    assert_eq!(demanding["auth-required"], true);
    let absent = Cargo.generate("other", &links, &Principal::anonymous(), false);
    assert_eq!(absent.status, StatusCode::NOT_FOUND);
}

#[test]
fn upstream_addresses_come_from_its_config() {
    let check = |dl: &str, package: &str, expected: &str| {
        let config = serde_json::json!({ "dl": dl }).to_string();
        let body = line(package, "1.0.0+b.1", "");
        let index = Cargo
            .parse_index(&name(package), &upstream(), &document(body), Some(&document(config)), None)
            .unwrap();
        assert_eq!(index.files()[0].location.as_str(), expected, "{dl}");
    };
    check(
        "https://files.example:8443/c/dl",
        "serde",
        "https://files.example:8443/c/dl/serde/1.0.0+b.1/download",
    );
    check("https://f.example/{crate}-{version}.crate", "Ab", "https://f.example/Ab-1.0.0+b.1.crate");
    check("https://f.example/{prefix}/{crate}", "Inflector", "https://f.example/In/fl/Inflector");
    check("https://f.example/{lowerprefix}/{crate}", "Inflector", "https://f.example/in/fl/Inflector");
    check("https://f.example/{lowerprefix}", "Abc", "https://f.example/3/a");
    check("https://f.example/{sha256-checksum}", "x", &format!("https://f.example/{DIGEST}"));
}

#[test]
fn an_unusable_config_is_one_clear_error() {
    let check = |config: Option<&str>, expected: &str| {
        let prelude = config.map(document);
        let body = document(line("serde", "1.0.0", ""));
        let error = Cargo
            .parse_index(&name("serde"), &upstream(), &body, prelude.as_ref(), None)
            .err()
            .unwrap()
            .to_string();
        assert!(error.contains("`serde`") && error.contains(expected), "{error}");
    };
    check(None, "config.json is missing");
    check(Some("<html>"), "not the JSON object");
    check(Some("{}"), "missing field `dl`");
    check(Some(r#"{"dl":"/relative"}"#), "names `/relative/{crate}/{version}/download` as `dl`");
    check(Some(r#"{"dl":"file:///etc/{crate}"}"#), "no http or https address");
    check(Some(r#"{"dl":"https://user:pw@f.example/"}"#), "no http or https address");
}

#[test]
fn documents_are_asked_for_by_parsed_parts() {
    for (crate_name, expected) in [
        ("a", "https://index.example/sparse/1/a"),
        ("ab", "https://index.example/sparse/2/ab"),
        ("Abc", "https://index.example/sparse/3/a/abc"),
        ("Serde", "https://index.example/sparse/se/rd/serde"),
    ] {
        assert_eq!(Cargo.index_request(&name(crate_name), &upstream()).url.as_str(), expected);
    }
    let prelude = Cargo.prelude(&upstream()).unwrap();
    assert_eq!(prelude.url.as_str(), "https://index.example/sparse/config.json");
}

#[test]
fn the_web_api_fills_in_what_an_index_without_times_lacks() {
    let config = document(CONFIG_JSON);
    let timed = parse("serde", line("serde", "1.0.0", r#","pubtime":"2024-05-01T10:00:00Z""#)).unwrap();
    assert_eq!(timed.files()[0].published_at.unwrap().to_string(), "2024-05-01T10:00:00Z");
    let ask = |index: &dyn Index, prelude: Option<&FetchedDocument>| {
        Cargo.supplement_request(&name("serde"), &upstream(), index, prelude).map(|r| r.url.to_string())
    };
    assert_eq!(ask(&*timed, Some(&config)), None);

    let lines = [line("serde", "1.0.0", ""), line("serde", "1.0.1", "")].join("\n");
    let timeless = parse("serde", lines.clone()).unwrap();
    assert_eq!(
        ask(&*timeless, Some(&config)).as_deref(),
        Some("https://registry.example/api/v1/crates/serde")
    );
    assert_eq!(ask(&*timeless, None), None);
    assert_eq!(ask(&*timeless, Some(&document(r#"{"dl":"https://f.example"}"#))), None);

    let page = document(
        r#"{"versions":[{"num":"1.0.0","created_at":"2024-05-01T10:00:00.5+00:00","license":"MIT",
            "crate_size":77,"published_by":{"login":"ann"}},{"num":7},"x"]}"#,
    );
    let body = document(lines);
    let index = Cargo.parse_index(&name("serde"), &upstream(), &body, Some(&config), Some(&page)).unwrap();
    let [first, second] = index.files() else { panic!() };
    assert_eq!(first.published_at.unwrap().unix_millis() % 1000, 500);
    assert_eq!(first.licence, tidegate_model::Stated::Known("MIT".into()));
    assert_eq!(first.publisher.known().map(String::as_str), Some("ann"));
    assert_eq!((first.size, second.size), (Some(77), None));
    assert_eq!(second.published_at, None);
}

#[test]
fn search_is_built_from_its_parts_and_only_where_upstream_has_an_api() {
    let ask = with_request(&Method::GET, "api/v1/crates", Some("q=json%20path&per_page=10&evil=1"), |r| {
        Cargo.route(r).unwrap()
    });
    let Ask::Api(call) = ask else { panic!("{ask:?}") };
    assert_eq!(call.package, None);
    let request = Cargo.api_request(&call, &upstream(), Some(&document(CONFIG_JSON))).unwrap();
    assert_eq!(request.url.as_str(), "https://registry.example/api/v1/crates?q=json+path&per_page=10");
    let without = document(r#"{"dl":"https://f.example"}"#);
    assert!(Cargo.api_request(&call, &upstream(), Some(&without)).is_none());
    assert!(Cargo.api_request(&call, &upstream(), None).is_none());

    let named =
        with_request(&Method::GET, "api/v1/crates", Some("q=Acme-secret"), |r| Cargo.route(r).unwrap());
    let Ask::Api(call) = named else { panic!("{named:?}") };
    assert_eq!(call.package, Some(name("acme-secret")), "a private name in a search stays home");
}

fn denial() -> Denial {
    Denial {
        kind: DenialKind::Policy {
            action: Action::Quarantine,
            until: Some("2026-11-24T09:10:00Z".parse().unwrap()),
        },
        reason: "serde 1.0.9 is 1 day old, rule `cooldown` wants 3".into(),
        detail: "rule: cooldown\n\nnewest compliant version: 1.0.8\u{1b}[31m".into(),
        decision: None,
        help: Some("http://127.0.0.1:8484/d/abc".into()),
    }
}

#[test]
fn cargo_prints_a_refusal_as_plain_lines() {
    let answer =
        with_request(&Method::GET, "api/v1/crates/serde/1.0.9/download", None, |r| Cargo.deny(&denial(), r));
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert_eq!(answer.headers[http::header::CONTENT_TYPE], PLAIN_TEXT);
    insta::assert_snapshot!(std::str::from_utf8(&answer.body).unwrap(), @r"
    serde 1.0.9 is 1 day old, rule `cooldown` wants 3
    rule: cooldown
    newest compliant version: 1.0.8 [31m
    selectable from 2026-11-24 09:10 UTC
    more: http://127.0.0.1:8484/d/abc
    ");
}

const PLAIN_TEXT: &str = "text/plain; charset=utf-8";

#[test]
fn the_web_api_refuses_in_json() {
    let answer = with_request(&Method::PUT, "api/v1/crates/new", None, |r| Cargo.deny(&denial(), r));
    let body: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
    assert!(body["errors"][0]["detail"].as_str().unwrap().starts_with("serde 1.0.9 is 1 day old"));
}

#[test]
fn the_challenge_names_a_url_that_parses() {
    let challenge = Cargo.challenge();
    let url = challenge.strip_prefix("Cargo login_url=\"").and_then(|c| c.strip_suffix('"')).unwrap();
    assert!(Url::parse(url).is_ok());
}
