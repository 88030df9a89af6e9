//! Artifacts: from the store, or fetched once for all who wait, hashed while they stream and compared before anybody
//! sees a byte.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tidegate_ecosystems::{Companion, DocumentRequest, Part};
use tidegate_ledger::entry::AlarmKind;
use tidegate_model::{Algorithm, Denial, Digest, Sha256};
use tidegate_store::blobs::{Blob, BlobError, Promise};
use tidegate_store::catalogue::{Artifact, CatalogueError, PinKey};

use super::alarms::{self, Trouble};
use super::facts::{BytesKnown, purl_of};
use super::group;
use super::package::Package;
use crate::door::{Door, Repository};
use crate::upstream::{Fetched, UpstreamError, Validators};

/// Bytes that are here and proved to be the promised ones. They cannot be served: see [`super::admission`].
#[derive(Clone, Debug)]
pub struct Staged {
    /// The bytes.
    pub blob: Blob,
    /// What facts need of them.
    pub known: BytesKnown,
    /// Whether upstream was asked.
    pub cold: bool,
}

/// What names one fetch.
pub type StageKey = (Arc<str>, Arc<str>, Arc<str>, Part);

/// A file at hand is checked against its checksums again after this long: disks forget.
pub const RECHECK_BLOB_AFTER: Duration = Duration::from_secs(600);

/// The most bytes of a file that states a digest.
const MAX_CHECKSUM_BYTES: u64 = 4 << 10;
/// How many pieces of a body wait for the disk at most.
const PIECES_IN_FLIGHT: usize = 16;

/// The bytes of a file, fetched if need be.
///
/// # Errors
/// [`UpstreamError`], cloneable because many may wait for one fetch.
pub async fn stage(
    door: &Arc<Door>,
    repository: &Arc<Repository>,
    package: &Arc<Package>,
    position: usize,
    part: Part,
) -> Result<Staged, UpstreamError> {
    let file: Arc<str> = package.index.files()[position].file.as_str().into();
    // With its version: files of two commits have one name.
    let key = (Arc::clone(&repository.name), Arc::from(purl_of(package, position)), file, part);
    if let Some((staged, opened)) = door.caches.staged.get(&key)
        && opened.elapsed() < RECHECK_BLOB_AFTER
        && door.store.blobs.is_unharmed(&staged.blob)
    {
        return Ok(Staged { cold: false, ..staged });
    }
    let (door2, package2, key2) = (door.clone(), package.clone(), key.clone());
    door.flights
        .artifacts
        // Looking into the store is part of the flight: everybody who opens a file maps and checks the whole of it.
        .run(key, move || async move {
            let staged = match stored(&door2, &package2, position, part).await? {
                Some(staged) => staged,
                None => fetch(&door2, &package2, position, part).await?,
            };
            door2.caches.staged.insert(key2, (staged.clone(), Instant::now()));
            Ok(staged)
        })
        .await
        .unwrap_or_else(|| {
            Err(UpstreamError::Storage {
                upstream: package.upstream.name.clone(),
                why: "fetching ended in an unforeseen way; see the log".into(),
            })
        })
}

/// The name under which a part is pinned.
pub(super) fn pinned_name(file: &str, part: Part) -> String {
    match part {
        Part::Whole => file.to_owned(),
        Part::Metadata => format!("{file}.metadata"),
        Part::Companion(companion) => format!("{file}.{}", companion.as_str()),
    }
}

/// The digests the index promises for a part.
fn promised(package: &Package, position: usize, part: Part) -> Vec<Digest> {
    let file = &package.index.files()[position];
    match part {
        // What was promised first stays promised.
        Part::Whole => {
            let mut digests = package.sightings[position].promised_digests_first.clone();
            digests.extend(
                file.digests
                    .iter()
                    .filter(|d| !digests.iter().any(|f| f.algorithm() == d.algorithm()))
                    .cloned()
                    .collect::<Vec<_>>(),
            );
            digests
        }
        Part::Metadata => file.metadata_sidecar.clone().unwrap_or_default(),
        Part::Companion(_) => Vec::new(),
    }
}

async fn stored(
    door: &Arc<Door>,
    package: &Arc<Package>,
    position: usize,
    part: Part,
) -> Result<Option<Staged>, UpstreamError> {
    let (door2, package2) = (door.clone(), package.clone());
    door.blocking(move || {
        let file = &package2.index.files()[position];
        let name = pinned_name(file.file.as_str(), part);
        let key = PinKey {
            ecosystem: package2.name.ecosystem().as_str(),
            package: package2.name.as_str(),
            version: file.version.as_str(),
            file: &name,
        };
        let failed = |why: String| UpstreamError::Storage { upstream: package2.upstream.name.clone(), why };
        let pin = door2.store.catalogue.pin(&key).map_err(|e| failed(e.to_string()))?;
        let shared = || shared(&door2, &package2, position, &key).map_err(|e| failed(e.to_string()));
        let Some(sha256) = pin.map_or_else(shared, |pin| Ok(Some(pin)))? else { return Ok(None) };
        match door2.store.blobs.open_blob(&sha256) {
            Ok(Some(blob)) => {
                let sha512 = door2.store.catalogue.artifact(&sha256).ok().flatten().and_then(|a| a.sha512);
                let known = BytesKnown { sha256, sha512, size: blob.size() };
                Ok(Some(Staged { blob, known, cold: false }))
            }
            Ok(None) => Ok(None),
            Err(error @ BlobError::Corrupt { .. }) => {
                tracing::error!(blob.sha256 = %sha256, error = %error, "a stored blob is damaged: {error}");
                if let Err(error) = door2.store.catalogue.mark_absent(&[sha256]) {
                    tracing::error!(error = %error, "a damaged blob still counts as stored: {error}");
                }
                let (expected, message) = (sha256.into(), error.to_string());
                let trouble = Trouble {
                    kind: AlarmKind::Stored,
                    name: &name,
                    expected: &expected,
                    found: &expected,
                    message: &message,
                };
                alarms::raise(&door2, &package2, position, &trouble);
                Ok(None)
            }
            Err(error) => Err(failed(error.to_string())),
        }
    })
    .await
}

/// The digest under which another commit of the repository brought the very bytes that are promised here. It is pinned here
/// too: gigabytes are not fetched again because a commit changed something else.
fn shared(
    door: &Door,
    package: &Package,
    position: usize,
    key: &PinKey<'_>,
) -> Result<Option<Sha256>, CatalogueError> {
    let file = &package.index.files()[position];
    let Some(sha256) = group::promised(file).filter(|_| package.name.ecosystem().is_grouped()) else {
        return Ok(None);
    };
    // Only what came under this name before: a promise made by one repository must not reach into another.
    let pins = door.store.catalogue.pins_of(key.ecosystem, key.package)?;
    if !pins.iter().any(|pin| pin.sha256 == sha256)
        || door.store.blobs.open_file(&sha256).ok().flatten().is_none()
    {
        return Ok(None);
    }
    let pinned = door.store.catalogue.set_pin(key, &sha256, door.clock.now())?;
    Ok((pinned == sha256).then_some(sha256))
}

/// Whether a file is here.
///
/// # Errors
/// The refusal where that cannot be told.
pub async fn at_hand(door: &Arc<Door>, package: &Arc<Package>, position: usize) -> Result<bool, Denial> {
    let (door2, package2) = (door.clone(), package.clone());
    let found = door.blocking(move || {
        let file = &package2.index.files()[position];
        let key = PinKey {
            ecosystem: package2.name.ecosystem().as_str(),
            package: package2.name.as_str(),
            version: file.version.as_str(),
            file: file.file.as_str(),
        };
        let pin = door2.store.catalogue.pin(&key).map_err(|e| e.to_string())?;
        let Some(pin) = pin else { return Ok(false) };
        door2.store.blobs.open_file(&pin).map(|file| file.is_some()).map_err(|e| e.to_string())
    });
    found.await.map_err(|why: String| super::file_ask::cannot(&why))
}

async fn fetch(
    door: &Arc<Door>,
    package: &Arc<Package>,
    position: usize,
    part: Part,
) -> Result<Staged, UpstreamError> {
    let upstream = Arc::clone(&package.upstream);
    let storage = |why: String| UpstreamError::Storage { upstream: upstream.name.clone(), why };
    let file = &package.index.files()[position];
    let mut url = file.location.clone();
    match part {
        Part::Whole => {}
        Part::Metadata => {
            // PEP 658: the sidecar's address is the file's with `.metadata` behind its path.
            let path = format!("{}.metadata", url.path());
            url.set_path(&path);
        }
        Part::Companion(companion) => {
            let announced = package.index.companion(position, companion);
            url = announced
                .ok_or_else(|| UpstreamError::Absent { upstream: upstream.name.clone(), status: 404 })?;
        }
    }
    url.set_fragment(None);
    let mut promised = promised(package, position, part);
    if part == Part::Whole && promised.is_empty() {
        promised.extend(stated_beside(door, package, position).await?);
    }
    let mut body = door.client.artifact(&upstream, &url).await?;
    let limit = door.config.upstream.max_artifact_bytes;
    if body.length.is_some_and(|l| l > limit) {
        return Err(UpstreamError::Broken {
            upstream: upstream.name.clone(),
            why: format!("the file is larger than {limit} bytes"),
        });
    }
    let mut algorithms: Vec<Algorithm> = promised.iter().map(Digest::algorithm).collect();
    algorithms.push(Algorithm::Sha512);
    algorithms.sort_unstable();
    algorithms.dedup();
    let (door2, expected) = (door.clone(), body.length.unwrap_or(0));
    let writer = door
        .blocking(move || {
            make_room(&door2, expected);
            door2.store.blobs.begin(&algorithms)
        })
        .await
        .map_err(|e| storage(e.to_string()))?;
    let (sender, mut receiver) = tokio::sync::mpsc::channel::<bytes::Bytes>(PIECES_IN_FLIGHT);
    // What the index says of the size is a promise too where a digest is of bytes and their number.
    let listed = package.index.files()[position].size.filter(|_| package.name.ecosystem().is_grouped());
    let promise = Promise { digests: promised, size: listed.or(body.length) };
    let (finish, finished) = tokio::sync::oneshot::channel::<()>();
    // Hashing and writing are work for a thread of their own; the channel's bound is the memory one fetch may take.
    let writing = tokio::task::spawn_blocking(move || {
        let mut writer = writer;
        while let Some(piece) = receiver.blocking_recv() {
            writer.append(&piece)?;
        }
        // Only a body that ended well is compared and named; a dropped sender alone means that the transfer broke.
        match finished.blocking_recv() {
            Ok(()) => writer.finish(&promise).map(Some),
            Err(_) => Ok(None),
        }
    });
    let transferred = transfer(&mut body, &sender, limit, &upstream.name).await;
    drop(sender);
    if transferred.is_ok() {
        let _ = finish.send(());
    } else {
        drop(finish);
    }
    let written = writing.await.map_err(|e| storage(e.to_string()))?;
    transferred?;
    let committed = match written {
        Ok(Some(committed)) => committed,
        Ok(None) => {
            return Err(UpstreamError::Broken {
                upstream: upstream.name.clone(),
                why: "the transfer broke off".into(),
            });
        }
        Err(BlobError::Mismatch { promised, found }) => {
            let why = format!("{} promises {promised}, the bytes have {found}", file.file);
            let (door2, package2, message) = (door.clone(), package.clone(), why.clone());
            door.blocking(move || {
                let name = pinned_name(package2.index.files()[position].file.as_str(), part);
                let trouble = Trouble {
                    kind: AlarmKind::Integrity,
                    name: &name,
                    expected: &promised,
                    found: &found,
                    message: &message,
                };
                alarms::raise(&door2, &package2, position, &trouble);
            })
            .await;
            return Err(UpstreamError::Integrity { upstream: upstream.name.clone(), why });
        }
        Err(BlobError::WrongSize { promised, found }) => {
            let why = format!("{} has {found} bytes where {promised} were announced", file.file);
            return Err(UpstreamError::Broken { upstream: upstream.name.clone(), why });
        }
        Err(error) => return Err(storage(error.to_string())),
    };
    let (door2, package2) = (door.clone(), package.clone());
    door.blocking(move || keep(&door2, &package2, position, part, &committed, &url)).await
}

/// The bytes of a file that its index holds itself, kept as every file is.
///
/// # Errors
/// [`UpstreamError`].
pub async fn stage_bytes(
    door: &Arc<Door>,
    repository: &Arc<Repository>,
    package: &Arc<Package>,
    position: usize,
    bytes: bytes::Bytes,
) -> Result<Staged, UpstreamError> {
    let file: Arc<str> = package.index.files()[position].file.as_str().into();
    let key = (Arc::clone(&repository.name), Arc::from(purl_of(package, position)), file, Part::Whole);
    if let Some((staged, opened)) = door.caches.staged.get(&key)
        && opened.elapsed() < RECHECK_BLOB_AFTER
        && door.store.blobs.is_unharmed(&staged.blob)
    {
        return Ok(Staged { cold: false, ..staged });
    }
    let staged = match stored(door, package, position, Part::Whole).await? {
        Some(staged) => staged,
        None => {
            let (door2, package2) = (door.clone(), package.clone());
            door.blocking(move || keep_bytes(&door2, &package2, position, &bytes)).await?
        }
    };
    door.caches.staged.insert(key, (staged.clone(), Instant::now()));
    Ok(staged)
}

fn keep_bytes(
    door: &Arc<Door>,
    package: &Arc<Package>,
    position: usize,
    bytes: &[u8],
) -> Result<Staged, UpstreamError> {
    let storage = |why: String| UpstreamError::Storage { upstream: package.upstream.name.clone(), why };
    make_room(door, bytes.len() as u64);
    let mut writer = door
        .store
        .blobs
        .begin(&[Algorithm::Sha256, Algorithm::Sha512])
        .map_err(|e| storage(e.to_string()))?;
    let promise =
        Promise { digests: promised(package, position, Part::Whole), size: Some(bytes.len() as u64) };
    let committed = writer.append(bytes).and_then(|()| writer.finish(&promise));
    let committed = committed.map_err(|e| storage(e.to_string()))?;
    let url = package.index.files()[position].location.clone();
    keep(door, package, position, Part::Whole, &committed, &url)
}

/// The digest that upstream states in a file beside the package, where its index has none. A statement that cannot be read is
/// none; one that cannot be had now is a failure, or a broken upstream could switch the comparison off.
async fn stated_beside(
    door: &Arc<Door>,
    package: &Arc<Package>,
    position: usize,
) -> Result<Option<Digest>, UpstreamError> {
    let Some(url) = package.index.companion(position, Companion::Checksum) else { return Ok(None) };
    let request = DocumentRequest::get(url, "*/*", MAX_CHECKSUM_BYTES);
    match door.client.document(&package.upstream, &request, None, &Validators::default()).await {
        Ok(Fetched::Document { document, .. }) => {
            let text = String::from_utf8_lossy(&document.body);
            let hex = text.split_ascii_whitespace().next().unwrap_or_default().to_ascii_lowercase();
            Ok(format!("sha256:{hex}").parse().ok())
        }
        Ok(Fetched::NotModified) | Err(UpstreamError::Absent { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Makes room for a blob where the quota leaves too little. That nothing may be evicted shows when the blob begins.
fn make_room(door: &Door, bytes: u64) {
    let full = door.store.blobs.usage().is_ok_and(|u| u.used_bytes.saturating_add(bytes) > u.quota_bytes);
    if full && let Err(error) = door.store.blobs.make_room(&*door.store.catalogue, bytes) {
        tracing::warn!(error = %error, "no room could be made in the store: {error}");
    }
}

async fn transfer(
    body: &mut crate::upstream::ArtifactBody,
    sender: &tokio::sync::mpsc::Sender<bytes::Bytes>,
    limit: u64,
    upstream: &str,
) -> Result<(), UpstreamError> {
    let mut total = 0u64;
    while let Some(piece) = body.next().await? {
        total += piece.len() as u64;
        if total > limit {
            return Err(UpstreamError::Broken {
                upstream: upstream.to_owned(),
                why: format!("the file is larger than {limit} bytes"),
            });
        }
        // The writer is gone where the disk failed; its own error says how.
        if sender.send(piece).await.is_err() {
            return Ok(());
        }
    }
    if body.length.is_some_and(|l| l != total) {
        return Err(UpstreamError::Broken {
            upstream: upstream.to_owned(),
            why: "the transfer was cut short".into(),
        });
    }
    Ok(())
}

/// Pins the digest for good and makes the artifact known.
fn keep(
    door: &Arc<Door>,
    package: &Arc<Package>,
    position: usize,
    part: Part,
    committed: &tidegate_store::blobs::Committed,
    url: &url::Url,
) -> Result<Staged, UpstreamError> {
    let upstream = package.upstream.name.clone();
    let storage = |why: String| UpstreamError::Storage { upstream: upstream.clone(), why };
    let catalogue = &door.store.catalogue;
    let file = &package.index.files()[position];
    let now = door.clock.now();
    let name = pinned_name(file.file.as_str(), part);
    let key = PinKey {
        ecosystem: package.name.ecosystem().as_str(),
        package: package.name.as_str(),
        version: file.version.as_str(),
        file: &name,
    };
    let mut address = url.clone();
    let _ = address.set_username("");
    let _ = address.set_password(None);
    let sha512 = committed.digest(Algorithm::Sha512).cloned();
    catalogue
        .put_artifact(&Artifact {
            sha256: committed.sha256,
            sha512: sha512.clone(),
            size: committed.size,
            kind: super::facts::kind_of(package),
            upstream_url: Some(address.to_string()),
            first_stored_at: now,
            last_access_at: now,
            stored: true,
            pinned: false,
        })
        .map_err(|e| storage(e.to_string()))?;
    let pinned = catalogue.set_pin(&key, &committed.sha256, now).map_err(|e| storage(e.to_string()))?;
    if pinned != committed.sha256 {
        let why = format!("{} was first seen as {pinned} and came as {}", file.file, committed.sha256);
        let (expected, found) = (pinned.into(), committed.sha256.into());
        let trouble = Trouble {
            kind: AlarmKind::FirstSeen,
            name: &name,
            expected: &expected,
            found: &found,
            message: &why,
        };
        alarms::raise(door, package, position, &trouble);
        return Err(UpstreamError::Integrity { upstream, why });
    }
    let blob = door
        .store
        .blobs
        .open_blob(&committed.sha256)
        .map_err(|e| storage(e.to_string()))?
        .ok_or_else(|| storage("a blob vanished right after it was stored".into()))?;
    door.begin_eviction();
    Ok(Staged {
        blob,
        known: BytesKnown { sha256: committed.sha256, sha512, size: committed.size },
        cold: true,
    })
}

/// The subject that a decision on a staged file is about.
pub fn subject_of(package: &Package, position: usize, sha256: Sha256) -> tidegate_model::Subject {
    let file = &package.index.files()[position];
    tidegate_model::Subject::File {
        coordinate: tidegate_model::Coordinate { name: package.name.clone(), version: file.version.clone() },
        file: file.file.clone(),
        sha256,
    }
}
