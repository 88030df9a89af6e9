//! A package out of documents: what is parsed is also when its files were first seen and which hosts they lie on.

use std::sync::Arc;

use tidegate_ecosystems::{Companion, FetchedDocument, IndexError};
use tidegate_model::{Ecosystem, PackageName, Timestamp};
use tidegate_store::catalogue::{Sighting, SightingBatch};

use super::LoadError;
use super::kept::{digest_of, storage};
use crate::door::{Door, Repository};
use crate::pipeline::alarms;
use crate::pipeline::package::{Freshness, Package};
use crate::upstream::{Upstream, UpstreamError};

/// What an index is parsed from.
pub(in crate::pipeline) struct Documents {
    pub(in crate::pipeline) index: FetchedDocument,
    pub(in crate::pipeline) prelude: Option<FetchedDocument>,
    pub(in crate::pipeline) supplement: Option<FetchedDocument>,
    pub(in crate::pipeline) fetched_at: Timestamp,
    pub(in crate::pipeline) checked_at: Timestamp,
    /// Where its first sightings count as the first of their kind; the upstream itself where that is not said.
    pub(in crate::pipeline) source: Option<String>,
    /// How current the package is in whose place this one comes, where it is the same in more detail.
    pub(in crate::pipeline) freshness: Option<Arc<Freshness>>,
}

/// Parses, records first sightings and learns hosts, off the executor.
pub(in crate::pipeline) async fn build(
    door: &Arc<Door>,
    repository: &Arc<Repository>,
    upstream: &Arc<Upstream>,
    name: &PackageName,
    documents: Documents,
) -> Result<Arc<Package>, LoadError> {
    let (door2, repository, upstream, name) =
        (door.clone(), repository.clone(), upstream.clone(), name.clone());
    door.heavy(move || {
        let package = Arc::new(parsed(&door2, &repository, &upstream, &name, &documents)?);
        alarms::raise_for_changed(&door2, &package);
        Ok(package)
    })
    .await
}

/// Parses, records first sightings and learns hosts. Blocks.
pub(in crate::pipeline) fn parsed(
    door: &Door,
    repository: &Repository,
    upstream: &Arc<Upstream>,
    name: &PackageName,
    documents: &Documents,
) -> Result<Package, LoadError> {
    let digest = digest_of(&documents.index);
    let index = repository
        .protocol
        .parse_index(
            name,
            &upstream.base,
            &documents.index,
            documents.prelude.as_ref(),
            documents.supplement.as_ref(),
        )
        .map_err(|e| broken_index(upstream, &e))?;
    let mut last_host = String::new();
    for file in index.files() {
        if file.location.host_str() != Some(last_host.as_str()) {
            last_host = file.location.host_str().unwrap_or_default().to_owned();
            upstream.learn_host(&file.location);
            door.client.trust_neighbour(upstream, &file.location);
        }
    }
    if name.ecosystem() == Ecosystem::Vscode {
        let positions = 0..index.files().len();
        let beside =
            positions.flat_map(|at| Companion::ALL.into_iter().map(move |companion| (at, companion)));
        for url in beside.filter_map(|(at, companion)| index.companion(at, companion)) {
            upstream.learn_host(&url);
            door.client.trust_neighbour(upstream, &url);
        }
    }
    let files: Vec<Sighting<'_>> = index
        .files()
        .iter()
        .map(|f| Sighting { version: f.version.as_str(), file: f.file.as_str(), digests: &f.digests })
        .collect();
    let sightings = door
        .store
        .catalogue
        .record_sightings(&SightingBatch {
            ecosystem: name.ecosystem().as_str(),
            package: name.as_str(),
            source: documents.source.as_deref().unwrap_or(upstream.base.url.as_str()),
            document: digest,
            now: documents.fetched_at,
            files: &files,
        })
        .map_err(storage)?;
    let freshness = documents.freshness.clone();
    let freshness = freshness.unwrap_or_else(|| Arc::new(Freshness::new(documents.checked_at)));
    Ok(Package::new(Arc::clone(upstream), index, digest, sightings, freshness))
}

pub(in crate::pipeline) fn broken_index(upstream: &Upstream, error: &IndexError) -> LoadError {
    // Where a document, and not a status, says that there is no such package.
    if let IndexError::Absent { .. } = error {
        return UpstreamError::Absent { upstream: upstream.name.clone(), status: 404 }.into();
    }
    UpstreamError::Broken { upstream: upstream.name.clone(), why: error.to_string() }.into()
}
