//! Looking inside: once for the same bytes and inspector, before a decision on them, whoever asks.

use std::sync::Arc;

use tidegate_inspect::images::{self, Blob, Parts};
use tidegate_inspect::{Inspection, Request};
use tidegate_model::{Ecosystem, Finding, Sha256};
use tidegate_store::catalogue::{BundledComponent, CatalogueError, StoredInspection};

use super::artifacts::Staged;
use super::comparing;
use super::facts::purl_of;
use super::listed::{self, Listed};
use super::package::Package;
use crate::door::{Door, Repository};
use crate::inspection::Seen;

/// Names one file with its bytes, and the document that lists it.
pub type LookKey = (Arc<str>, Sha256, Sha256);

/// Why some bytes are not looked into now. Whoever asks again may have better luck.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotInspected {
    /// Nothing was learnt of the bytes: no worker could be had, or the door is stopping.
    #[error("{0}")]
    Unavailable(String),
    /// What was learnt could not be stored.
    #[error("the inspection could not be stored: {0}")]
    Storage(String),
}

/// Sees to it that these bytes have been looked into and compared with the release before, and that what was found is
/// stored. What an older inspector found counts until it is looked at again, behind.
///
/// # Errors
/// [`NotInspected`]. That a worker died of the bytes is no error but a stored result.
pub async fn look(
    door: &Arc<Door>,
    repository: &Arc<Repository>,
    package: &Arc<Package>,
    position: usize,
    staged: &Staged,
) -> Result<(), NotInspected> {
    if !door.config.inspection.enabled {
        return Ok(());
    }
    let key: LookKey = (purl_of(package, position).into(), staged.known.sha256, package.document);
    if door.caches.looked.get(&key).is_some() {
        return Ok(());
    }
    let (door2, repository, package, staged, key2) =
        (Arc::clone(door), Arc::clone(repository), Arc::clone(package), staged.clone(), key.clone());
    // One flight for all who want this file; it goes on where all of them go away.
    door.flights
        .looks
        .run(key, move || async move {
            let before = package.local_epoch();
            inspected(&door2, &repository, &package, position, &staged).await?;
            if package.name.ecosystem().is_grouped() {
                // Known bytes may be new to this commit, and what was found in them counts for all of its files now.
                package.bump_local_epoch();
            }
            let sha256 = staged.known.sha256;
            let with_index = listed::compare(&door2, &repository, &package, position, &staged).await?;
            let compared = comparing::compare(&door2, &repository, &package, position, sha256).await;
            if package.local_epoch() != before {
                tell_others(&door2, &repository, &package);
            }
            if compared? && with_index {
                door2.caches.looked.insert(key2, ());
            }
            Ok(())
        })
        .await
        .unwrap_or_else(unforeseen)
}

/// What was found in a file counts in every repository that has the package: there it has the same bytes.
fn tell_others(door: &Door, repository: &Repository, package: &Package) {
    let same =
        |other: &&Arc<Repository>| other.ecosystem == repository.ecosystem && other.name != repository.name;
    for other in door.repositories.values().filter(same) {
        if let Some(held) = door.caches.packages.get(&(Arc::clone(&other.name), package.name.clone())) {
            held.bump_local_epoch();
        }
    }
}

fn unforeseen() -> Result<(), NotInspected> {
    Err(NotInspected::Unavailable("inspection ended in an unforeseen way; see the log".into()))
}

/// Sees to it that these bytes have been looked into.
///
/// # Errors
/// [`NotInspected`].
pub(super) async fn inspected(
    door: &Arc<Door>,
    repository: &Arc<Repository>,
    package: &Arc<Package>,
    position: usize,
    staged: &Staged,
) -> Result<(), NotInspected> {
    let sha256 = staged.known.sha256;
    let (door2, repository, package, staged) =
        (Arc::clone(door), Arc::clone(repository), Arc::clone(package), staged.clone());
    door.flights
        .inspections
        .run(
            sha256,
            move || async move { at_hand_or_now(&door2, &repository, &package, position, &staged).await },
        )
        .await
        .unwrap_or_else(unforeseen)
}

async fn at_hand_or_now(
    door: &Arc<Door>,
    repository: &Arc<Repository>,
    package: &Arc<Package>,
    position: usize,
    staged: &Staged,
) -> Result<(), NotInspected> {
    let sha256 = staged.known.sha256;
    if door.catalogue(move |c| c.inspection(&sha256)).await.map_err(storage)?.is_some() {
        return Ok(());
    }
    let listed = match listed::of(door, repository, package, position).await {
        Listed::Says(listed) => Some(listed),
        Listed::Nothing | Listed::Later => None,
    };
    let request = Request { listed: listed.clone(), ..request(door, package, position) };
    let looked = inspect(door, sha256, staged.known.size, request).await?;
    if let Some(listed) = listed.filter(|_| looked.seen.failed.is_none()) {
        listed::keep(door, package, position, sha256, &listed, looked.against_index).await?;
    }
    package.bump_local_epoch();
    Ok(())
}

/// What is asked of an inspection of a file.
pub(super) fn request(door: &Door, package: &Package, position: usize) -> Request {
    let file = &package.index.files()[position];
    Request {
        name: file.file.as_str().to_owned(),
        // A file of a repository and a bundle of a server are looked into as `check` looks into a file: they are no packages of
        // an ecosystem. What an extension is made of, its own manifest says.
        ecosystem: Some(package.name.ecosystem()).filter(|ecosystem| {
            !ecosystem.is_grouped() && !matches!(ecosystem, Ecosystem::Mcp | Ecosystem::Vscode)
        }),
        package: package.name.as_str().to_owned(),
        version: file.version.as_str().to_owned(),
        hash_key: door.inspection.hash_key(),
        layer: package.index.image().is_some_and(|image| image.is_layer(position)),
        ..Request::default()
    }
}

/// Looks into bytes now. Inside: what it came to, or why it never will.
///
/// # Errors
/// [`NotInspected`].
pub(crate) async fn looked_into(
    door: &Arc<Door>,
    sha256: Sha256,
    size: u64,
    request: &Request,
) -> Result<Result<Inspection, String>, NotInspected> {
    let door2 = Arc::clone(door);
    let blob = door.blocking(move || door2.store.blobs.open_file(&sha256)).await;
    let gone = || NotInspected::Unavailable("its bytes have just been evicted".into());
    let blob = blob.map_err(|e| NotInspected::Storage(e.to_string()))?.ok_or_else(gone)?;
    door.inspection.run(sha256, blob, size, request).await
}

/// What one look came to.
#[derive(Debug)]
pub struct Looked {
    /// What decisions read of it.
    pub seen: Seen,
    /// Where the package disagrees with what the request says of its index.
    pub against_index: Vec<Finding>,
}

/// Looks into bytes now, and stores what is found in the place of what was found before.
///
/// # Errors
/// [`NotInspected`].
pub async fn inspect(
    door: &Arc<Door>,
    sha256: Sha256,
    size: u64,
    request: Request,
) -> Result<Looked, NotInspected> {
    let result = looked_into(door, sha256, size, &request).await?;
    let seen = match &result {
        Ok(inspection) => Seen::of(inspection),
        Err(why) => Seen::failed(why.clone()),
    };
    let mut report = result.unwrap_or_default();
    // That belongs to the index as much as to the bytes, and is stored with both.
    let against_index = std::mem::take(&mut report.against_index);
    let (stored, at) = (seen.clone(), door.clock.now());
    // What stands in an image is known of all its layers together, and told of the image.
    let is_layer = request.layer;
    door.catalogue(move |c| {
        let bundled = if is_layer { Vec::new() } else { bundled(&report) };
        c.put_inspection(
            &StoredInspection {
                sha256,
                inspector: tidegate_inspect::inspection::INSPECTOR_VERSION,
                at,
                facts: serde_json::to_string(&stored).expect("facts are plain values"),
                report: report_text(&report),
            },
            &bundled,
        )
    })
    .await
    .map_err(storage)?;
    door.metrics.inspected(seen.verdict, seen.failed.is_some());
    Ok(Looked { seen, against_index })
}

/// Puts an image together from what was seen in what it is made of, and stores that under its own digest: advisories that touch
/// what stands in it then touch the image.
///
/// # Errors
/// [`NotInspected`].
pub async fn put_together(door: &Arc<Door>, package: &Arc<Package>, leaf: usize) -> Result<(), NotInspected> {
    let Some(image) = package.index.image() else { return Ok(()) };
    let Some(parts) = image.parts_of(leaf) else { return Ok(()) };
    let digest = image.digest(leaf);
    if door.catalogue(move |c| c.inspection(&digest)).await.map_err(storage)?.is_some() {
        return Ok(());
    }
    let digests: Vec<Sha256> = parts.config.iter().chain(&parts.layers).map(|at| image.digest(*at)).collect();
    let (has_config, name) = (parts.config.is_some(), package.name.as_str().to_owned());
    let (door2, at) = (Arc::clone(door), door.clock.now());
    let put = door.heavy(move || {
        let catalogue = &door2.store.catalogue;
        let mut seen: Vec<Option<Inspection>> = Vec::with_capacity(digests.len());
        for digest in &digests {
            let stored = catalogue.inspection(digest)?.filter(|stored| {
                serde_json::from_str::<Seen>(&stored.facts).is_ok_and(|facts| facts.failed.is_none())
            });
            seen.push(stored.and_then(|stored| serde_json::from_str(&stored.report).ok()));
        }
        let names: Vec<String> = digests.iter().map(ToString::to_string).collect();
        let mut blobs = names
            .iter()
            .zip(&seen)
            .map(|(digest, seen)| Blob { digest, seen: seen.as_ref().ok_or("it was not looked into") });
        let config = if has_config { blobs.next() } else { None };
        let whole = images::merge(&name, &[Parts { config, layers: blobs.collect() }]);
        catalogue.put_inspection(
            &StoredInspection {
                sha256: digest,
                inspector: tidegate_inspect::inspection::INSPECTOR_VERSION,
                at,
                facts: serde_json::to_string(&Seen::of(&whole)).expect("facts are plain values"),
                report: report_text(&whole),
            },
            &bundled(&whole),
        )
    });
    put.await.map_err(storage)
}

/// Components that have a public name and a version, so that advisories can touch them; not those that lie beneath the layers
/// of an image, which nobody runs.
fn bundled(inspection: &Inspection) -> Vec<BundledComponent> {
    let components =
        inspection.inventory.components.iter().filter(|c| c.version.is_some() && c.beneath.is_none());
    components
        .filter_map(|c| Some(BundledComponent { purl: c.purl.clone()?, path: c.path.clone() }))
        .collect()
}

fn report_text(inspection: &Inspection) -> String {
    serde_json::to_string(inspection).expect("an inspection is plain values")
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
pub(super) fn storage(error: CatalogueError) -> NotInspected {
    NotInspected::Storage(format!("{error}: {}", error.cause))
}
