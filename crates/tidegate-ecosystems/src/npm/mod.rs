//! The npm ecosystem: npm, pnpm and Yarn, consumption side.
//!
//! Upstream is always asked for the full packument, because only that holds publish times; the abbreviated form is
//! made from it here. Publishing, accounts and tags are refused with a word on where to go instead.

mod advise;
mod audit;
mod manifest;
mod packument;
mod render;
mod routes;
mod signed;
pub(crate) mod spans;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use http::{HeaderValue, Method, StatusCode};
use serde_json::json;
use tidegate_model::{Denial, Ecosystem, ListedFile, PackageName, Principal};
use url::Url;

use crate::advice::Advise;
use crate::answer::{denial_answer, problem_members};
use crate::upstream::{MAX_API_BYTES, MAX_INDEX_BYTES};
use crate::{
    Answer, ApiCall, Ask, ClientRequest, DocumentRequest, FetchedDocument, Index, IndexError, Links,
    Protocol, RouteError, UpstreamBase,
};

const JSON: &str = "application/json";

/// The npm protocol.
#[derive(Debug, Clone, Copy)]
pub struct Npm;

impl Protocol for Npm {
    fn ecosystem(&self) -> Ecosystem {
        Ecosystem::Npm
    }

    fn route(&self, request: &ClientRequest<'_>) -> Result<Ask, RouteError> {
        routes::route(request)
    }

    fn kinds(&self) -> &'static [&'static str] {
        &[
            render::FULL,
            render::ABBREVIATED,
            render::VERSION,
            render::DIST_TAGS,
            "artifact",
            routes::KEYS,
            routes::ATTESTATIONS,
            routes::SEARCH,
            routes::ADVISORIES_BULK,
            routes::AUDITS,
            routes::AUDITS_QUICK,
            routes::PING,
            routes::WHOAMI,
            "not-offered",
        ]
    }

    fn index_request(&self, package: &PackageName, upstream: &UpstreamBase) -> DocumentRequest {
        DocumentRequest::get(package_url(upstream, &escaped(package)), JSON, MAX_INDEX_BYTES)
    }

    fn parse_index(
        &self,
        package: &PackageName,
        _upstream: &UpstreamBase,
        index: &FetchedDocument,
        _prelude: Option<&FetchedDocument>,
        _supplement: Option<&FetchedDocument>,
    ) -> Result<Arc<dyn Index>, IndexError> {
        Ok(Arc::new(packument::parse(package, index)?))
    }

    fn registry_keys_request(&self, upstream: &UpstreamBase) -> Option<DocumentRequest> {
        Some(DocumentRequest::get(upstream.join(&["-", "npm", "v1", "keys"]), JSON, MAX_API_BYTES))
    }

    fn api_request(
        &self,
        call: &ApiCall,
        upstream: &UpstreamBase,
        _prelude: Option<&FetchedDocument>,
    ) -> Option<DocumentRequest> {
        let mut url = match call.service {
            routes::KEYS => upstream.join(&["-", "npm", "v1", "keys"]),
            routes::ATTESTATIONS => {
                let version = call.version.as_ref()?.as_str();
                let named = format!("{}@{version}", escaped(call.package.as_ref()?));
                package_url(upstream, &format!("-/npm/v1/attestations/{named}"))
            }
            routes::SEARCH => upstream.join(&["-", "v1", "search"]),
            routes::ADVISORIES_BULK => upstream.join(&["-", "npm", "v1", "security", "advisories", "bulk"]),
            routes::AUDITS => upstream.join(&["-", "npm", "v1", "security", "audits"]),
            routes::AUDITS_QUICK => upstream.join(&["-", "npm", "v1", "security", "audits", "quick"]),
            _ => return None,
        };
        if !call.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&call.query);
        }
        let mut request = DocumentRequest::get(url, JSON, MAX_API_BYTES);
        if call.forwards_body {
            request.method = Method::POST;
            request.headers.insert(http::header::CONTENT_TYPE, HeaderValue::from_static(JSON));
        }
        Some(request)
    }

    fn redact_api_body(
        &self,
        call: &ApiCall,
        body: &[u8],
        is_private: &dyn Fn(&PackageName) -> bool,
    ) -> Result<Vec<u8>, String> {
        match call.service {
            routes::ADVISORIES_BULK => audit::redact_bulk(body, is_private),
            routes::AUDITS | routes::AUDITS_QUICK => audit::redact_tree(body, is_private),
            other => Err(format!("`{other}` takes no body")),
        }
    }

    fn advise(&self, call: &ApiCall, body: &[u8], advise: Advise<'_>) -> Option<Result<Answer, String>> {
        let answer = match call.service {
            routes::ADVISORIES_BULK => advise::bulk(body, advise),
            routes::AUDITS | routes::AUDITS_QUICK => advise::tree(body, advise),
            _ => return None,
        };
        Some(answer.map(|json| Answer::new(StatusCode::OK, JSON, json.to_string())))
    }

    fn generate(
        &self,
        document: &str,
        _links: &Links,
        principal: &Principal,
        _auth_required: bool,
    ) -> Answer {
        match document {
            routes::PING => Answer::new(StatusCode::OK, JSON, "{}"),
            routes::WHOAMI if principal.id.is_empty() => {
                let error = "you are anonymous at this door: it was sent no token, or none it knows";
                Answer::new(StatusCode::UNAUTHORIZED, JSON, json!({ "error": error }).to_string())
                    .with_header(http::header::WWW_AUTHENTICATE, self.challenge())
            }
            routes::WHOAMI => {
                Answer::new(StatusCode::OK, JSON, json!({ "username": principal.id }).to_string())
            }
            other => {
                let error = format!("there is no document `{other}`");
                Answer::new(StatusCode::NOT_FOUND, JSON, json!({ "error": error }).to_string())
            }
        }
    }

    /// npm and Yarn 1 print the body's `error` and nothing else of it, so everything goes into that one string; pnpm
    /// and Yarn 4 print the reason phrase.
    fn deny(&self, denial: &Denial, _request: &ClientRequest<'_>) -> Answer {
        let mut members = problem_members(denial);
        members.insert("error".into(), whole_story(denial).into());
        members.insert("message".into(), denial.reason.clone().into());
        denial_answer(denial, JSON, serde_json::Value::Object(members).to_string())
    }

    fn artifact_path(&self, file: &ListedFile, package: &PackageName) -> String {
        render::tarball_path(package, file.version.as_str())
    }
}

/// Reason, detail and link as one printable text.
fn whole_story(denial: &Denial) -> String {
    let mut story = denial.reason.clone();
    if !denial.detail.is_empty() && !denial.reason.contains(&*denial.detail) {
        // A detail that begins with the reason is not said twice.
        let detail = denial.detail.strip_prefix(&*denial.reason).unwrap_or(&denial.detail);
        story.push('\n');
        story.push_str(detail.trim());
    }
    if let Some(help) = denial.help.as_ref().filter(|help| !story.contains(&***help)) {
        story.push('\n');
        story.push_str(help);
    }
    // A terminal shows this text: no control characters but the line break.
    story.chars().filter(|c| *c == '\n' || !c.is_control()).collect()
}

/// A name as one path segment. npm writes the slash as `%2f`, and some registries know no other spelling.
fn escaped(package: &PackageName) -> String {
    package.as_str().replacen('/', "%2f", 1)
}

/// `path` below an upstream. Its parts are names and versions, whose characters all may stand in a path.
fn package_url(upstream: &UpstreamBase, path: &str) -> Url {
    let mut url = upstream.url.clone();
    let below = format!("{}/{path}", url.path().trim_end_matches('/'));
    url.set_path(&below);
    url
}
