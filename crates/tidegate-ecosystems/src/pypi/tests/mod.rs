//! Tests of the pypi protocol, against pages written for them.

mod denials;
mod hostile;
mod pages;
mod projects;
mod routes;

use std::sync::Arc;

use http::{HeaderMap, Method};
use serde_json::{Value, json};
use tidegate_model::{Action, Ecosystem, PackageName};

use super::{FORM_HTML, FORM_JSON, Pypi};
use crate::{
    ClientRequest, FetchedDocument, Index, IndexError, Links, Protocol as _, Rendered, UpstreamBase, Verdict,
    View,
};

const SHA_A: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const SHA_B: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

fn name(text: &str) -> PackageName {
    PackageName::parse(Ecosystem::Pypi, text).unwrap()
}

fn upstream() -> UpstreamBase {
    UpstreamBase { url: "https://registry.example/simple/".parse().unwrap() }
}

fn links() -> Links {
    Links::below("http://127.0.0.1:8484/pypi/")
}

fn document(url: &str, content_type: &str, body: impl Into<Vec<u8>>) -> FetchedDocument {
    FetchedDocument {
        url: url.parse().unwrap(),
        content_type: (!content_type.is_empty()).then(|| content_type.into()),
        body: body.into().into(),
    }
}

fn html(body: impl Into<Vec<u8>>) -> FetchedDocument {
    document("https://registry.example/simple/foo/", "text/html", body)
}

fn json_page(page: &Value) -> FetchedDocument {
    document("https://registry.example/simple/foo/", "application/vnd.pypi.simple.v1+json", page.to_string())
}

fn read(page: &FetchedDocument, supplement: Option<&FetchedDocument>) -> Result<Arc<dyn Index>, IndexError> {
    Pypi.parse_index(&name("foo"), &upstream(), page, None, supplement)
}

fn allow_all(index: &dyn Index) -> Vec<Verdict> {
    vec![Verdict::default(); index.files().len()]
}

fn withheld(message: &str) -> Verdict {
    Verdict { action: Action::Quarantine, withheld: true, message: message.into(), until: None }
}

fn view(form: &'static str, selector: Option<&str>) -> View {
    View { form, selector: selector.map(str::to_owned) }
}

fn body(index: &dyn Index, form: &'static str, verdicts: &[Verdict]) -> Vec<u8> {
    match index.render(&view(form, None), verdicts, &links()).unwrap() {
        Rendered::Document { body, .. } => body,
        other => panic!("not a document: {other:?}"),
    }
}

fn text_of(index: &dyn Index, form: &'static str, verdicts: &[Verdict]) -> String {
    String::from_utf8(body(index, form, verdicts)).unwrap()
}

fn value_of(index: &dyn Index, form: &'static str, verdicts: &[Verdict]) -> Value {
    serde_json::from_slice(&body(index, form, verdicts)).unwrap()
}

/// A page of two versions, each a wheel and a source distribution, with everything a page can say.
fn full_page() -> Value {
    json!({
        "meta": { "api-version": "1.4", "_last-serial": 7, "tracks": ["https://other.example/simple/foo/"] },
        "name": "Foo",
        "versions": ["1.0", "1.1"],
        "project-status": { "status": "archived", "reason": "see <bar>" },
        "alternate-locations": ["https://mirror.example/simple/foo/"],
        "something-new": [1],
        "files": [
            {
                "filename": "foo-1.0-py3-none-any.whl",
                "url": "https://files.example/aa/foo-1.0-py3-none-any.whl",
                "hashes": { "sha256": SHA_A, "md5": "0123456789abcdef0123456789abcdef" },
                "requires-python": ">=3.8,<4",
                "core-metadata": { "sha256": SHA_B },
                "size": 10,
                "upload-time": "2026-01-01T00:00:00.123456Z",
                "yanked": false,
                "provenance": "https://registry.example/integrity/foo/1.0/foo-1.0-py3-none-any.whl/provenance",
                "new-member": { "a": 1 },
            },
            {
                "filename": "foo-1.0.tar.gz",
                "url": "../../files/foo-1.0.tar.gz",
                "hashes": { "sha256": SHA_B },
                "size": 11,
                "upload-time": "2026-01-01T00:00:01Z",
                "yanked": "broken \"build\"",
                "provenance": "https://attest.example/foo-1.0.tar.gz",
            },
            {
                "filename": "foo-1.1-py3-none-any.whl",
                "url": "https://files.example/bb/foo-1.1-py3-none-any.whl",
                "hashes": { "sha256": SHA_A },
                "core-metadata": true,
                "gpg-sig": true,
                "size": 12,
                "upload-time": "2026-02-01T00:00:00Z",
                "yanked": true,
            },
            {
                "filename": "foo-1.1.tar.gz",
                "url": "https://files.example/bb/foo-1.1.tar.gz",
                "hashes": {},
                "size": 13,
                "upload-time": "2026-02-01T00:00:00Z",
            },
        ],
    })
}

fn request<'a>(method: &'a Method, path: &'a str, headers: &'a HeaderMap) -> ClientRequest<'a> {
    ClientRequest { method, path, query: None, headers, body: b"" }
}

const BOTH: [&str; 2] = [FORM_HTML, FORM_JSON];
