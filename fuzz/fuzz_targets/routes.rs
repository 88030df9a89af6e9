//! Paths: no request reaches a name, a version or a file that could leave its place.
#![no_main]

use http::{HeaderMap, HeaderValue, Method, header};
use libfuzzer_sys::fuzz_target;
use tidegate::http::paths::place;
use tidegate_ecosystems::{Ask, ClientRequest, FileSelector, UpstreamBase, protocol};
use tidegate_model::Ecosystem;

fuzz_target!(|data: &[u8]| {
    let Some((&choice, rest)) = data.split_first() else { return };
    let Ok(text) = std::str::from_utf8(rest) else { return };
    let _ = place(text);
    let (path, query) = text.split_once('?').map_or((text, None), |(p, q)| (p, Some(q)));
    let methods = [Method::GET, Method::HEAD, Method::POST, Method::PUT];
    let method = &methods[usize::from(choice >> 2) % methods.len()];
    let accepts = ["*/*", "application/json", "text/html;q=0.1", "application/vnd.npm.install-v1+json"];
    let mut headers = HeaderMap::new();
    let accept = accepts[usize::from(choice >> 4) % accepts.len()];
    headers.insert(header::ACCEPT, HeaderValue::from_static(accept));
    let ecosystem = Ecosystem::ALL[usize::from(choice) % Ecosystem::ALL.len()];
    let protocol = protocol(ecosystem);
    let base = UpstreamBase { url: "https://registry.example/a/b/".parse().expect("a URL") };
    let request = ClientRequest { method, path, query, headers: &headers, body: rest };
    let below = |url: &url::Url| {
        assert_eq!(url.host_str(), Some("registry.example"), "{text:?}");
        assert!(!url.path().split('/').any(|s| s == ".."), "{text:?} {url}");
    };
    match protocol.route(&request) {
        Ok(Ask::Artifact { package, file, .. }) => {
            let path = match &file {
                FileSelector::Name(file) | FileSelector::Path { path: file, .. } => file.as_str(),
                FileSelector::Version(version) => version,
            };
            assert!(!path.contains(['\\', '\0']) && !path.split('/').any(|part| part == ".."), "{text:?}");
            below(&protocol.index_request(&package, &base).url);
        }
        Ok(Ask::Index { package, .. }) => below(&protocol.index_request(&package, &base).url),
        Ok(Ask::Api(call)) => {
            if let Some(request) = protocol.api_request(&call, &base, None) {
                below(&request.url);
            }
            let _ = protocol.redact_api_body(&call, rest, &|name| name.as_str().starts_with('a'));
        }
        Ok(Ask::Redirect { to }) => assert!(!to.starts_with('/') && !to.contains("://"), "{text:?} {to}"),
        Ok(Ask::Catalogue { query, .. }) => assert!(query.limit > 0 && query.limit <= 100, "{text:?}"),
        Ok(Ask::Generated { .. } | Ask::NotOffered { .. }) | Err(_) => {}
    }
});
