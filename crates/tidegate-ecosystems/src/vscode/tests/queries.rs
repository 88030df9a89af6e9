//! Questions about several extensions: what is understood of them, what upstream is asked, how an answer is put together.

use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};

use super::{answer, ask, document, get, name, upstream, version};
use crate::queries::Query;
use crate::vscode::Vscode;
use crate::{Ask, Queries as _, UpstreamBase};

fn query(body: &Value) -> Query {
    match ask(&Method::POST, "gallery/extensionquery", &body.to_string()).unwrap() {
        Ask::Query(query) => query,
        other => panic!("{other:?}"),
    }
}

fn filter(criteria: &Value, flags: u32) -> Value {
    json!({
        "filters": [{ "criteria": criteria, "pageNumber": 2, "pageSize": 30, "sortBy": 4, "sortOrder": 0 }],
        "assetTypes": [], "flags": flags,
    })
}

#[test]
fn names_are_answered_from_their_own_indexes() {
    let criteria = json!([
        { "filterType": 7, "value": "Acme.Tool" },
        { "filterType": 7, "value": "acme.tool" },
        { "filterType": 7, "value": "vscode.git-base" },
        { "filterType": 7, "value": "no name" },
        { "filterType": 8, "value": "Microsoft.VisualStudio.Code" },
        { "filterType": 12, "value": "4096" },
    ]);
    let query = query(&filter(&criteria, 950));
    assert_eq!(query.packages, [name("acme.tool"), name("vscode.git-base")]);
    assert_eq!(query.search, None);
    assert_eq!(
        query.entry.selector.as_deref(),
        Some("918\n"),
        "flags that change nothing are not part of a key"
    );
    let whole: Value =
        serde_json::from_slice(&Vscode.compose(&query, &[Bytes::from_static(b"[{\"a\":1}]")], 0)).unwrap();
    assert_eq!(whole["results"][0]["extensions"], json!([{ "a": 1 }]));
    assert_eq!(whole["results"][0]["resultMetadata"][0]["metadataItems"][0]["count"], 1);
    let same = get(&format!("gallery/extensionquery?q={}", "%7B%22flags%22%3A0%7D")).unwrap();
    assert!(matches!(same, Ask::Query(q) if q.search.is_some()), "what names nothing is a search");
}

#[test]
fn a_search_is_made_anew_from_its_parts() {
    let criteria = json!([
        { "filterType": 10, "value": "left \"pad\"" },
        { "filterType": 5, "value": "Themes" },
        { "filterType": 4, "value": "0a1b2c3d-0000-4000-8000-000000000001" },
        { "filterType": 99, "value": "whatever" },
    ]);
    let query = query(&filter(&criteria, 0x200));
    let request = Vscode.search_request(&query, &upstream()).unwrap();
    assert_eq!(request.url.as_str(), "https://vsx.example/vscode/gallery/extensionquery");
    let body: Value = serde_json::from_slice(&request.body.unwrap()).unwrap();
    let asked = body["filters"][0]["criteria"].as_array().unwrap();
    assert!(asked.contains(&json!({ "filterType": 10, "value": "left \"pad\"" })), "{body}");
    assert!(!body.to_string().contains("whatever"), "{body}");
    assert_eq!(body["filters"][0]["pageNumber"], 2);
    let found =
        Vscode.read_found(&query, &document(&answer(&[version("1.0.0", "web", &json!({}))]))).unwrap();
    assert_eq!((found.packages, found.total), (vec![name("acme/tool")], 71));

    // Ids that can be none ask for nothing, and not for everything.
    let none = super::super::query::GALLERY_QUERY;
    let Ask::Query(odd) = ask(
        &Method::POST,
        "extensionquery",
        &filter(&json!([{ "filterType": 4, "value": "'" }]), 0).to_string(),
    )
    .unwrap() else {
        panic!()
    };
    assert_eq!((odd.form, odd.search, odd.packages.len()), (none, None, 0));
}

#[test]
fn open_vsx_is_asked_in_its_own_words() {
    let Ok(Ask::Query(search)) =
        get("api/-/search?query=left%20pad&size=5000&offset=20&token=x&category=A%26B")
    else {
        panic!()
    };
    let request = Vscode.search_request(&search, &upstream()).unwrap();
    let url = request.url.as_str();
    assert_eq!(url, "https://vsx.example/api/-/search?query=left+pad&offset=20&category=A%26B&size=100");
    let told = json!({ "offset": 20, "totalSize": 50, "extensions": [
        { "namespace": "Acme", "name": "Tool" }, { "namespace": "acme", "name": "tool" }, { "name": "x" },
    ] });
    let found = Vscode.read_found(&search, &document(&told)).unwrap();
    assert_eq!((found.packages, found.total), (vec![name("acme/tool")], 50));
    let whole: Value =
        serde_json::from_slice(&Vscode.compose(&search, &[Bytes::from_static(b"[]")], 50)).unwrap();
    assert_eq!(whole, json!({ "offset": 20, "totalSize": 50, "extensions": [] }));

    let Ok(Ask::Query(named)) =
        get("api/-/query?namespaceName=Acme&extensionName=Tool&includeAllVersions=true")
    else {
        panic!()
    };
    assert_eq!((named.packages, named.search), (vec![name("acme/tool")], None));
    // A gallery of another kind has no such interface.
    let gallery = UpstreamBase { url: "https://market.example/_apis/public/gallery/".parse().unwrap() };
    assert!(Vscode.search_request(&search, &gallery).is_none());
}

#[test]
fn queries_without_bounds_are_refused() {
    let many: Vec<Value> =
        (0..1_001).map(|n| json!({ "filterType": 7, "value": format!("a.b{n}") })).collect();
    let text = json!([{ "filterType": 10, "value": "x".repeat(501) }]);
    let two = json!({ "filters": [{ "criteria": [] }, { "criteria": [] }], "flags": 0 });
    for bad in [filter(&json!(many), 0), filter(&text, 0), two, json!({ "filters": 7 })] {
        let body = bad.to_string();
        assert!(
            ask(&Method::POST, "gallery/extensionquery", &body).is_err(),
            "{}",
            &body[..80.min(body.len())]
        );
    }
}
