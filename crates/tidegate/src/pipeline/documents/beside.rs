//! Documents that an index is read with: the prelude of a whole upstream, the supplement of one package.

use std::sync::Arc;

use tidegate_ecosystems::{DocumentRequest, FetchedDocument};
use tidegate_model::PackageName;

use super::kept::{keep, revive, stored};
use super::parsing::broken_index;
use super::{LoadError, PRELUDE, SUPPLEMENT};
use crate::door::{Door, Repository};
use crate::upstream::{Fetched, Upstream, UpstreamError, Validators};

/// Seconds for which a prelude (cargo's `config.json`) is used without asking again.
const PRELUDE_FRESH_SECONDS: i64 = 3600;

/// The prelude of the upstream that has a package, from memory or disk.
pub async fn prelude_of(
    door: &Arc<Door>,
    repository: &Arc<Repository>,
    upstream: &Arc<Upstream>,
) -> Result<Option<FetchedDocument>, LoadError> {
    let Some(request) = repository.protocol.prelude(&upstream.base) else { return Ok(None) };
    Ok(Some(prelude(door, repository, upstream, &request).await?))
}

/// A second document that fills gaps. Best effort: what it would have told stays a gap.
pub(super) async fn supplement(
    door: &Arc<Door>,
    repository: &Arc<Repository>,
    upstream: &Arc<Upstream>,
    name: &PackageName,
    index: &FetchedDocument,
    prelude: Option<&FetchedDocument>,
) -> Option<FetchedDocument> {
    let (repository2, upstream2, name2, index2, prelude2) =
        (repository.clone(), upstream.clone(), name.clone(), index.clone(), prelude.cloned());
    let request = door
        .heavy(move || {
            let parsed = repository2
                .protocol
                .parse_index(&name2, &upstream2.base, &index2, prelude2.as_ref(), None)
                .ok()?;
            repository2.protocol.supplement_request(&name2, &upstream2.base, &*parsed, prelude2.as_ref())
        })
        .await?;
    upstream.learn_host(&request.url);
    match door.client.document(upstream, &request, None, &Validators::default()).await {
        Ok(Fetched::Document { document, validators, .. }) => {
            let now = door.clock.now();
            if let Err(error) =
                keep(door, repository, upstream, name.as_str(), SUPPLEMENT, &document, &validators, now).await
            {
                tracing::warn!(error = %error, "could not keep the supplement of {name}: {error}");
            }
            Some(document)
        }
        Ok(Fetched::NotModified) => None,
        Err(error) => {
            tracing::debug!(error = %error, "no supplement for {name}: {error}");
            None
        }
    }
}

async fn prelude(
    door: &Arc<Door>,
    repository: &Arc<Repository>,
    upstream: &Arc<Upstream>,
    request: &DocumentRequest,
) -> Result<FetchedDocument, LoadError> {
    let now = door.clock.now();
    let key: Arc<str> = upstream.base.url.as_str().into();
    if let Some((document, checked)) = door.caches.preludes.get(&key)
        && now.seconds_since(checked) < PRELUDE_FRESH_SECONDS
    {
        return Ok(document);
    }
    let kept = stored(door, repository, upstream, "", PRELUDE).await?;
    if let Some(kept) = kept.as_ref().filter(|k| now.seconds_since(k.head.checked_at) < PRELUDE_FRESH_SECONDS)
    {
        let document = revive(kept.clone());
        door.caches.preludes.insert(key, (document.clone(), kept.head.checked_at));
        return Ok(document);
    }
    match door.client.document(upstream, request, None, &Validators::default()).await {
        Ok(Fetched::Document { document, validators, .. }) => {
            if let Err(error) = repository.protocol.check_prelude(&document) {
                return match kept {
                    Some(kept) => Ok(revive(kept)),
                    None => Err(broken_index(upstream, &error)),
                };
            }
            keep(door, repository, upstream, "", PRELUDE, &document, &validators, now).await?;
            door.caches.preludes.insert(key, (document.clone(), now));
            Ok(document)
        }
        Ok(Fetched::NotModified) => Err(UpstreamError::Broken {
            upstream: upstream.name.clone(),
            why: "\"not modified\" without a condition".into(),
        }
        .into()),
        // An upstream without the document it must have is broken, not an upstream without packages.
        Err(UpstreamError::Absent { upstream, status }) => Err(UpstreamError::Broken {
            upstream,
            why: format!("it has no {} (HTTP {status})", request.url.path()),
        }
        .into()),
        Err(error) => match kept {
            Some(kept) => Ok(revive(kept)),
            None => Err(error.into()),
        },
    }
}
