//! What the targets share: an index is parsed and then shown in every form, under every kind of decision.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, header};
use tidegate_ecosystems::{
    Ask, ClientRequest, FetchedDocument, Links, Rendered, UpstreamBase, Verdict, View, protocol,
};
use tidegate_model::{Action, Ecosystem, PackageName};

/// Requests whose routes name every form of an index.
const FORMS: [(Ecosystem, &str, &str); 11] = [
    (Ecosystem::Npm, "x", "application/json"),
    (Ecosystem::Npm, "x", "application/vnd.npm.install-v1+json"),
    (Ecosystem::Npm, "x/latest", "application/json"),
    (Ecosystem::Npm, "x/1.0.0", "application/json"),
    (Ecosystem::Npm, "-/package/x/dist-tags", "application/json"),
    (Ecosystem::Pypi, "simple/x/", "text/html"),
    (Ecosystem::Pypi, "simple/x/", "application/vnd.pypi.simple.v1+json"),
    (Ecosystem::Pypi, "simple/x/", "application/vnd.pypi.simple.v1+html"),
    (Ecosystem::Pypi, "pypi/x/json", "application/json"),
    (Ecosystem::Pypi, "pypi/x/1.0.0/json", "application/json"),
    (Ecosystem::Cargo, "1/x", "*/*"),
];

/// The views that clients of an ecosystem ask for.
fn views(ecosystem: Ecosystem) -> Vec<View> {
    let mut views = Vec::new();
    for (_, path, accept) in FORMS.iter().filter(|(e, _, _)| *e == ecosystem) {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, HeaderValue::from_static(accept));
        let request = ClientRequest { method: &Method::GET, path, query: None, headers: &headers, body: b"" };
        match protocol(ecosystem).route(&request) {
            Ok(Ask::Index { view, .. }) => views.push(view),
            other => panic!("`{path}` should be an index: {other:?}"),
        }
    }
    views
}

/// Parses a document as the index of the package `x` and renders all its views. The first byte chooses the decisions.
pub fn index(ecosystem: Ecosystem, content_type: &str, data: &[u8]) {
    let Some((&choice, body)) = data.split_first() else { return };
    let package = PackageName::parse(ecosystem, "x").expect("a name");
    let base = UpstreamBase { url: "https://registry.example/index/".parse().expect("a URL") };
    let document = |content_type: &str, body: &[u8]| FetchedDocument {
        url: base.join(&["x"]),
        content_type: Some(content_type.to_owned()),
        body: Bytes::copy_from_slice(body),
    };
    let prelude = (ecosystem == Ecosystem::Cargo)
        .then(|| document("application/json", br#"{"dl":"https://files.example/{crate}/{version}"}"#));
    let upstream_document = document(content_type, body);
    let Ok(index) =
        protocol(ecosystem).parse_index(&package, &base, &upstream_document, prelude.as_ref(), None)
    else {
        return;
    };
    let _ = protocol(ecosystem).supplement_request(&package, &base, &*index, prelude.as_ref());
    let verdicts: Vec<Verdict> = (0..index.files().len())
        .map(|i| {
            let withheld = (usize::from(choice) >> (i % 8)) & 1 == 1;
            let action = if withheld { Action::Quarantine } else { Action::Allow };
            let message = if withheld { "held \"by\" a rule".to_owned() } else { String::new() };
            Verdict { action, withheld, message, until: None }
        })
        .collect();
    let links = Links::below("http://door.test/x/");
    for view in views(ecosystem) {
        let Ok(Rendered::Document { content_type, body }) = index.render(&view, &verdicts, &links) else {
            continue;
        };
        if content_type.ends_with("json") {
            let parsed: Result<serde_json::Value, _> = serde_json::from_slice(&body);
            assert!(parsed.is_ok(), "{view:?} is not JSON: {parsed:?}");
        }
        // What nobody may select is nobody's address. The digest in the path says which file it was.
        if verdicts.iter().all(|v| !v.withheld) {
            continue;
        }
        std::str::from_utf8(&body).expect("a view is text");
    }
    let _ = index.weight();
}
