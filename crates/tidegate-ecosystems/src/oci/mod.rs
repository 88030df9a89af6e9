//! Registries of the OCI distribution specification: container images, and the charts, modules and signatures that are kept
//! beside them.
//!
//! A package is a repository of a registry, a version is the digest of an image: of its manifest, or of the index that
//! names one for each platform. A tag is a mutable name for one. What an image is made of is an image together; a layer is
//! had as part of one and in no other way. The bytes of manifests pass as they are, so what they say cannot be mended: an
//! image whose parts are to be fetched from somewhere else is refused. Pushing is refused with a word on where to go instead.

pub mod challenge;
mod denial;
mod image;
mod lists;
mod manifest;
mod route;
pub mod signed;
mod strict;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use tidegate_model::{Denial, Ecosystem, ListedFile, PackageName, Principal, Sha256, Version};
use url::Url;

pub use image::{Image, ImageParts};
pub use manifest::MAX_MANIFEST_BYTES;
pub use route::REFERRERS;

use crate::commits::Pointer;
use crate::upstream::MAX_API_BYTES;
use crate::{
    Answer, ApiCall, Ask, ClientRequest, Commits, DocumentRequest, FetchedDocument, Index, IndexError, Links,
    Protocol, RouteError, UpstreamBase, View,
};

const JSON: &str = "application/json";

/// The digest of a manifest or a blob, which clients compare with its bytes.
pub const CONTENT_DIGEST: HeaderName = HeaderName::from_static("docker-content-digest");
/// By which older clients know that they speak to a registry.
const API_VERSION: HeaderName = HeaderName::from_static("docker-distribution-api-version");

/// The OCI protocol.
#[derive(Debug, Clone, Copy)]
pub struct Oci;

impl Protocol for Oci {
    fn ecosystem(&self) -> Ecosystem {
        Ecosystem::Oci
    }

    fn route(&self, request: &ClientRequest<'_>) -> Result<Ask, RouteError> {
        route::route(request)
    }

    fn kinds(&self) -> &'static [&'static str] {
        &["artifact", route::TAGS, REFERRERS, route::VERSION, "not-offered"]
    }

    fn commits(&self) -> Option<&'static dyn Commits> {
        Some(&Self)
    }

    fn index_request(&self, package: &PackageName, upstream: &UpstreamBase) -> DocumentRequest {
        self.revision_request(package, self.default_revision(), upstream)
    }

    fn parse_index(
        &self,
        package: &PackageName,
        upstream: &UpstreamBase,
        index: &FetchedDocument,
        _prelude: Option<&FetchedDocument>,
        _supplement: Option<&FetchedDocument>,
    ) -> Result<Arc<dyn Index>, IndexError> {
        Ok(Arc::new(Image::read(package, upstream, &index.body)?))
    }

    fn api_request(
        &self,
        call: &ApiCall,
        upstream: &UpstreamBase,
        _prelude: Option<&FetchedDocument>,
    ) -> Option<DocumentRequest> {
        let package = call.package.as_ref()?;
        let mut url = match (call.service, &call.version) {
            (route::TAGS, _) => address(upstream, package, &["tags", "list"]),
            (REFERRERS, Some(digest)) => address(upstream, package, &["referrers", digest.as_str()]),
            _ => return None,
        };
        // Referrers are sorted out here: not every registry does, and the tag that stands in never is.
        if call.service == route::TAGS && !call.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&call.query);
        }
        Some(DocumentRequest::get(url, lists::ACCEPT, MAX_API_BYTES))
    }

    /// Registries that know no referrers keep them under a tag that is named after the digest.
    fn api_fallback(&self, call: &ApiCall, upstream: &UpstreamBase) -> Option<(DocumentRequest, Bytes)> {
        let (package, digest) = (call.package.as_ref()?, call.version.as_ref()?);
        let tag = digest.as_str().replace(':', "-");
        (call.service == REFERRERS)
            .then(|| (self.revision_request(package, &tag, upstream), lists::no_referrers()))
    }

    fn api_answer(
        &self,
        call: &ApiCall,
        document: &FetchedDocument,
        link: Option<&str>,
        links: &Links,
    ) -> Option<Result<Answer, IndexError>> {
        let package = call.package.as_ref()?;
        match call.service {
            route::TAGS => Some(lists::tags(package, &document.body, link, links)),
            REFERRERS => Some(lists::referrers(package, &document.body, &call.query)),
            _ => None,
        }
    }

    fn generate(
        &self,
        document: &str,
        _links: &Links,
        _principal: &Principal,
        _auth_required: bool,
    ) -> Answer {
        match document {
            route::VERSION => Answer::new(StatusCode::OK, JSON, "{}"),
            _ => Answer::new(StatusCode::NOT_FOUND, JSON, "{\"errors\":[]}"),
        }
        .with_header(API_VERSION, "registry/2.0")
    }

    fn deny(&self, denial: &Denial, _request: &ClientRequest<'_>) -> Answer {
        denial::answer(denial).with_header(API_VERSION, "registry/2.0")
    }

    fn artifact_path(&self, file: &ListedFile, package: &PackageName) -> String {
        format!("{package}/{}", file.file)
    }
}

impl Commits for Oci {
    fn default_revision(&self) -> &'static str {
        "latest"
    }

    fn revision_of<'a>(&self, view: &'a View) -> &'a str {
        view.selector.as_deref().unwrap_or(self.default_revision())
    }

    fn revision_request(
        &self,
        package: &PackageName,
        revision: &str,
        upstream: &UpstreamBase,
    ) -> DocumentRequest {
        // Whatever the client takes: else a tag would be one image for one client and another for the next.
        let url = address(upstream, package, &["manifests", revision]);
        DocumentRequest::get(url, manifest::ACCEPT, MAX_MANIFEST_BYTES)
    }

    fn read_revision(
        &self,
        package: &PackageName,
        document: &FetchedDocument,
    ) -> Result<Pointer, IndexError> {
        manifest::Manifest::read(package, document.content_type.as_deref(), &document.body)?;
        let commit = Version::parse(Ecosystem::Oci, &image::digest_of(&document.body).to_string());
        Ok(Pointer { package: package.clone(), commit })
    }

    fn contradicts(&self, document: &FetchedDocument, stated: &HeaderMap) -> Option<String> {
        contradiction(&document.body, stated)
    }

    fn page_request(
        &self,
        pointer: &Pointer,
        upstream: &UpstreamBase,
        _cursor: Option<&str>,
    ) -> DocumentRequest {
        self.revision_request(&pointer.package, pointer.commit.as_str(), upstream)
    }

    fn next_page(&self, _link: &str) -> Option<String> {
        None
    }

    fn listing(&self, pointer: &Pointer, pages: &[Bytes]) -> Result<Bytes, IndexError> {
        let page = pages.first().cloned().unwrap_or_default();
        image::first_listing(&pointer.package, None, &page)
    }

    fn listing_of_revision(
        &self,
        pointer: &Pointer,
        document: &FetchedDocument,
    ) -> Option<Result<Bytes, IndexError>> {
        Some(image::first_listing(&pointer.package, document.content_type.as_deref(), &document.body))
    }

    fn etag(&self, file: &ListedFile) -> String {
        file.digests.first().map(|digest| format!("\"{digest}\"")).unwrap_or_default()
    }

    fn file_headers(&self, file: &ListedFile) -> Vec<(HeaderName, HeaderValue)> {
        let digest = file.digests.first().and_then(|d| HeaderValue::from_str(&d.to_string()).ok());
        let mut headers = vec![(API_VERSION, HeaderValue::from_static("registry/2.0"))];
        headers.extend(digest.map(|digest| (CONTENT_DIGEST, digest)));
        headers
    }

    /// Which of an image's parts are looked into first is a matter of the manifest that was asked for.
    fn steers(&self, _package: &PackageName, _file: &ListedFile) -> bool {
        false
    }
}

/// How what a registry says of a manifest's digest contradicts its bytes.
pub fn contradiction(body: &[u8], stated: &HeaderMap) -> Option<String> {
    let stated = stated.get(CONTENT_DIGEST)?.to_str().unwrap_or("no text").trim();
    let found = image::digest_of(body);
    // Digests by other algorithms are not compared: the bytes are known by this one.
    let differs = stated.starts_with("sha256:") && stated.parse::<Sha256>().ok() != Some(found);
    let stated: String = stated.chars().take(80).collect();
    differs.then(|| format!("it says that a manifest is `{}` which is {found}", stated.escape_debug()))
}

/// Whether a client takes manifests of a media type; one that names none takes all.
pub fn accepts(headers: &HeaderMap, media_type: &str) -> bool {
    let mut named = headers
        .get_all(http::header::ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|part| part.split(';').next().unwrap_or_default().trim())
        .filter(|part| !part.is_empty())
        .peekable();
    named.peek().is_none()
        || named.any(|one| matches!(one, "*/*" | "application/*") || one.eq_ignore_ascii_case(media_type))
}

/// An address of a registry. What its base has as a path is the beginning of every repository's name there.
fn address(upstream: &UpstreamBase, package: &PackageName, rest: &[&str]) -> Url {
    let base: Vec<String> =
        upstream.url.path().split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect();
    let mut segments = vec!["v2"];
    // Some write the version of the protocol into the address.
    segments.extend(base.iter().map(String::as_str).skip_while(|part| *part == "v2"));
    segments.extend(package.as_str().split('/'));
    segments.extend(rest);
    let mut url = upstream.url.clone();
    url.set_path("/");
    UpstreamBase { url }.join(&segments)
}
