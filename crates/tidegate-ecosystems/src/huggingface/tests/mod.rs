//! The hub, asked and answered without a network.

mod commits;
mod routes;

use bytes::Bytes;
use http::{HeaderMap, Method};
use tidegate_model::{Ecosystem, PackageName, Version};

use super::Huggingface;
use crate::commits::Pointer;
use crate::{Ask, ClientRequest, FetchedDocument, Protocol as _, RouteError, UpstreamBase};

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

fn name(text: &str) -> PackageName {
    PackageName::parse(Ecosystem::Huggingface, text).unwrap()
}

fn pointer(text: &str) -> Pointer {
    Pointer { package: name(text), commit: Version::parse(Ecosystem::Huggingface, COMMIT) }
}

fn upstream() -> UpstreamBase {
    UpstreamBase { url: "https://hub.example/".parse().unwrap() }
}

fn document(body: &str) -> FetchedDocument {
    FetchedDocument {
        url: "https://hub.example/api".parse().unwrap(),
        content_type: Some("application/json".into()),
        body: Bytes::copy_from_slice(body.as_bytes()),
    }
}

fn ask(method: &Method, target: &str, body: &str) -> Result<Ask, RouteError> {
    let (path, query) = target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
    Huggingface.route(&ClientRequest {
        method,
        path,
        query,
        headers: &HeaderMap::new(),
        body: body.as_bytes(),
    })
}
