//! Documents on disk, under the repository, the upstream and the package that they are of.

use std::sync::Arc;

use sha2::Digest as _;
use tidegate_ecosystems::FetchedDocument;
use tidegate_model::{PackageName, Sha256, Timestamp};
use tidegate_store::catalogue::{CatalogueError, DocumentKey, NewDocument, StoredDocument};

use super::parsing::{Documents, build};
use super::{INDEX, LoadError, PRELUDE, SUPPLEMENT};
use crate::door::{Door, Repository};
use crate::pipeline::package::Package;
use crate::upstream::{Upstream, Validators};

/// A package from what is kept on disk, parsed again.
pub(super) async fn restore(
    door: &Arc<Door>,
    repository: &Arc<Repository>,
    name: &PackageName,
) -> Result<Option<Arc<Package>>, LoadError> {
    for upstream in repository.upstreams_for(name) {
        let Some(index) = stored(door, repository, &upstream, name.as_str(), INDEX).await? else { continue };
        let prelude = match repository.protocol.prelude(&upstream.base) {
            Some(_) => match stored(door, repository, &upstream, "", PRELUDE).await? {
                Some(document) => Some(revive(document)),
                None => continue,
            },
            None => None,
        };
        let supplement = stored(door, repository, &upstream, name.as_str(), SUPPLEMENT).await?.map(revive);
        let (fetched_at, checked_at) = (index.head.fetched_at, index.head.checked_at);
        let index = revive(index);
        let (source, freshness) = (None, None);
        let documents = Documents { index, prelude, supplement, fetched_at, checked_at, source, freshness };
        match build(door, repository, &upstream, name, documents).await {
            Ok(package) => {
                door.caches
                    .packages
                    .insert((Arc::clone(&repository.name), name.clone()), Arc::clone(&package));
                return Ok(Some(package));
            }
            // A document that this version can no longer read is fetched again.
            Err(error) => tracing::warn!(error = %error, "the kept index of {name} is not usable: {error}"),
        }
    }
    Ok(None)
}

pub(crate) async fn stored(
    door: &Arc<Door>,
    repository: &Arc<Repository>,
    upstream: &Arc<Upstream>,
    package: &str,
    kind: &'static str,
) -> Result<Option<StoredDocument>, LoadError> {
    let (repo, base, package) =
        (repository.name.to_string(), upstream.base.url.to_string(), package.to_owned());
    door.catalogue(move |c| {
        c.document(&DocumentKey { repository: &repo, upstream: &base, package: &package, kind })
    })
    .await
    .map_err(storage)
}

#[expect(clippy::too_many_arguments, reason = "the parts of one row, used in several places")]
pub(crate) async fn keep(
    door: &Arc<Door>,
    repository: &Arc<Repository>,
    upstream: &Arc<Upstream>,
    package: &str,
    kind: &'static str,
    document: &FetchedDocument,
    validators: &Validators,
    now: Timestamp,
) -> Result<(), LoadError> {
    let (repo, base, package) =
        (repository.name.to_string(), upstream.base.url.to_string(), package.to_owned());
    let (document, validators) = (document.clone(), validators.clone());
    door.catalogue(move |c| {
        let digest = digest_of(&document);
        c.put_document(
            &DocumentKey { repository: &repo, upstream: &base, package: &package, kind },
            &NewDocument {
                body: &document.body,
                etag: validators.etag.as_deref(),
                last_modified: validators.last_modified.as_deref(),
                content_type: document.content_type.as_deref(),
                url: document.url.as_str(),
                digest,
                fetched_at: now,
            },
        )
    })
    .await
    .map_err(storage)
}

pub(in crate::pipeline) fn revive(stored: StoredDocument) -> FetchedDocument {
    FetchedDocument {
        url: stored.head.url.parse().unwrap_or_else(|_| url::Url::parse("about:blank").expect("a valid URL")),
        content_type: stored.head.content_type,
        body: stored.body,
    }
}

/// The key of a document.
pub(in crate::pipeline) const fn document_key<'a>(
    repository: &'a str,
    upstream: &'a str,
    package: &'a str,
    kind: &'static str,
) -> DocumentKey<'a> {
    DocumentKey { repository, upstream, package, kind }
}

/// Digest of a document.
pub(super) fn digest_of(document: &FetchedDocument) -> Sha256 {
    Sha256::new(sha2::Sha256::digest(&document.body).into())
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err wants")]
pub(in crate::pipeline) fn storage(error: CatalogueError) -> LoadError {
    LoadError::Storage(format!("{error}: {}", error.cause))
}
