//! The pypi ecosystem.

use std::sync::Arc;

use tidegate_model::{Denial, Ecosystem, ListedFile, PackageName, Principal};

use crate::answer::denial_answer;
use crate::upstream::MAX_INDEX_BYTES;
use crate::{
    Answer, ApiCall, Ask, ClientRequest, DocumentRequest, FetchedDocument, Index, IndexError, Links,
    Protocol, RouteError, UpstreamBase,
};

/// The pypi protocol.
#[derive(Debug, Clone, Copy)]
pub struct Pypi;

impl Protocol for Pypi {
    fn ecosystem(&self) -> Ecosystem {
        Ecosystem::Pypi
    }

    fn route(&self, request: &ClientRequest<'_>) -> Result<Ask, RouteError> {
        Err(RouteError::Unknown {
            ecosystem: self.ecosystem(),
            what: request.path.chars().take(80).flat_map(char::escape_debug).collect(),
        })
    }

    fn index_request(&self, package: &PackageName, upstream: &UpstreamBase) -> DocumentRequest {
        DocumentRequest::get(upstream.join(&[package.as_str()]), "*/*", MAX_INDEX_BYTES)
    }

    fn parse_index(
        &self,
        package: &PackageName,
        _upstream: &UpstreamBase,
        _index: &FetchedDocument,
        _prelude: Option<&FetchedDocument>,
        _supplement: Option<&FetchedDocument>,
    ) -> Result<Arc<dyn Index>, IndexError> {
        Err(IndexError::Malformed {
            package: package.to_string(),
            why: "this build does not read PyPI indexes".into(),
        })
    }

    fn api_request(
        &self,
        _call: &ApiCall,
        _upstream: &UpstreamBase,
        _prelude: Option<&FetchedDocument>,
    ) -> Option<DocumentRequest> {
        None
    }

    fn generate(
        &self,
        document: &str,
        _links: &Links,
        _principal: &Principal,
        _auth_required: bool,
    ) -> Answer {
        Answer::new(
            http::StatusCode::NOT_FOUND,
            "text/plain; charset=utf-8",
            format!("no document `{document}`\n"),
        )
    }

    fn deny(&self, denial: &Denial, _request: &ClientRequest<'_>) -> Answer {
        denial_answer(denial, "text/plain; charset=utf-8", format!("{}\n{}\n", denial.reason, denial.detail))
    }

    fn artifact_path(&self, file: &ListedFile, package: &PackageName) -> String {
        format!("{package}/{}", file.file)
    }
}
