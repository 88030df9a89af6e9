//! What the index says of a version beside what the package says of itself.
//!
//! Clients resolve by the one and install the other. The comparison is made where the package is read, in a worker; it
//! belongs to the digests of both, and counts for the coordinate under which they were compared.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Value, json};
use sha2::Digest as _;
use tidegate_ecosystems::Part;
use tidegate_inspect::Request;
use tidegate_inspect::behaviour::confusion;
use tidegate_inspect::inspection::INSPECTOR_VERSION;
use tidegate_model::{Ecosystem, Finding, Sha256};
use tidegate_store::catalogue::{Comparison, ComparisonKind};

use super::artifacts::{Staged, stage};
use super::contents::{self, NotInspected, storage};
use super::facts::purl_of;
use super::package::Package;
use crate::config::Compare;
use crate::door::{Door, Repository};
use crate::inspection::Seen;

/// Bytes of a version object, or of a wheel's metadata, that are read.
const BYTES: usize = 4 << 20;

/// What an index says of a file.
pub(super) enum Listed {
    /// This.
    Says(Value),
    /// Nothing that could be compared.
    Nothing,
    /// It could not be had now.
    Later,
}

/// What the index says of a file. Of a wheel that is its metadata file (PEP 658), which is fetched where the configuration
/// allows it.
pub(super) async fn of(
    door: &Arc<Door>,
    repository: &Arc<Repository>,
    package: &Arc<Package>,
    position: usize,
) -> Listed {
    let wanted = door.config.inspection.compare;
    if wanted == Compare::Never {
        return Listed::Nothing;
    }
    let ecosystem = package.name.ecosystem();
    if ecosystem != Ecosystem::Pypi {
        return in_document(package, position).map_or(Listed::Nothing, Listed::Says);
    }
    if package.index.files()[position].metadata_sidecar.is_none() || wanted != Compare::Fetch {
        return Listed::Nothing;
    }
    match stage(door, repository, package, position, Part::Metadata).await {
        Ok(staged) if staged.known.size > BYTES as u64 => Listed::Nothing,
        Ok(staged) => {
            let text = String::from_utf8_lossy(staged.blob.bytes()).into_owned();
            let kept = confusion::relevant(ecosystem, &json!({ "metadata": text }));
            kept.map_or(Listed::Nothing, Listed::Says)
        }
        Err(error) => {
            let purl = purl_of(package, position);
            tracing::warn!(error = %error, "the metadata beside {purl} could not be had for comparison: {error}");
            Listed::Later
        }
    }
}

/// What the index document itself says.
fn in_document(package: &Package, position: usize) -> Option<Value> {
    let object = package.index.version_object(position).filter(|bytes| bytes.len() <= BYTES)?;
    confusion::relevant(package.name.ecosystem(), &serde_json::from_slice(object).ok()?)
}

/// Without comparisons with what the index said before: they tell nothing any more, and the next who asks for the bytes has
/// them compared again.
pub(super) fn current(package: &Package, mut comparisons: Vec<Comparison>) -> Vec<Comparison> {
    // A wheel's metadata file has a digest of its own in the index, which is held to what it promised first.
    let is_with_document = |comparison: &Comparison| {
        comparison.kind == ComparisonKind::Manifest && package.name.ecosystem() != Ecosystem::Pypi
    };
    if !comparisons.iter().any(is_with_document) {
        return comparisons;
    }
    let positions: HashMap<String, usize> =
        (0..package.index.files().len()).map(|at| (purl_of(package, at), at)).collect();
    comparisons.retain(|comparison| {
        let listed = || in_document(package, *positions.get(&comparison.purl)?);
        !is_with_document(comparison) || listed().is_some_and(|listed| digest(&listed) == comparison.against)
    });
    comparisons
}

/// Compares bytes that were looked into before with what their index says by now, unless that was done. False where that
/// may be possible later.
///
/// # Errors
/// [`NotInspected`].
pub(super) async fn compare(
    door: &Arc<Door>,
    repository: &Arc<Repository>,
    package: &Arc<Package>,
    position: usize,
    staged: &Staged,
) -> Result<bool, NotInspected> {
    let listed = match of(door, repository, package, position).await {
        Listed::Says(listed) => listed,
        Listed::Nothing => return Ok(true),
        Listed::Later => return Ok(false),
    };
    let (sha256, against, of) = (staged.known.sha256, digest(&listed), package.purl.to_string());
    let purl = purl_of(package, position);
    let all = door.catalogue(move |c| c.comparisons_of(&of)).await.map_err(storage)?;
    let is_done = all.iter().any(|done| {
        (done.kind, done.sha256, done.against) == (ComparisonKind::Manifest, sha256, against)
            && done.purl == purl
            && done.inspector == INSPECTOR_VERSION
    });
    if is_done {
        return Ok(true);
    }
    let request = contents::request(door, package, position);
    let request = Request { listed: Some(listed.clone()), ..request };
    if let Ok(inspection) = contents::looked_into(door, sha256, staged.known.size, &request).await? {
        keep(door, package, position, sha256, &listed, inspection.against_index).await?;
    }
    Ok(true)
}

/// Stores what a comparison came to.
///
/// # Errors
/// [`NotInspected::Storage`].
pub(super) async fn keep(
    door: &Arc<Door>,
    package: &Arc<Package>,
    position: usize,
    sha256: Sha256,
    listed: &Value,
    findings: Vec<Finding>,
) -> Result<(), NotInspected> {
    let comparison = Comparison {
        purl: purl_of(package, position),
        kind: ComparisonKind::Manifest,
        sha256,
        against: digest(listed),
        inspector: INSPECTOR_VERSION,
        at: door.clock.now(),
        findings: serde_json::to_string(&Seen::of_findings(findings)).expect("facts are plain values"),
    };
    door.catalogue(move |c| c.put_comparison(&comparison)).await.map_err(storage)?;
    package.bump_local_epoch();
    Ok(())
}

fn digest(listed: &Value) -> Sha256 {
    Sha256::new(sha2::Sha256::digest(listed.to_string()).into())
}
