//! Which images of a repository this door knows, what each holds, and what must be looked into before any of it leaves.
//!
//! A layer has no name but its digest, and the same layer is part of many images. So whoever asks for one is answered through
//! an image that holds it and that came through this door, in this repository: the digest alone opens nothing.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use tidegate_ecosystems::oci;
use tidegate_ecosystems::{FetchedDocument, Protocol as _};
use tidegate_model::{PackageName, Sha256};

use super::commits::{self, broken};
use super::contents;
use super::documents::{self, Documents, INDEX, LoadError, SUPPLEMENT};
use super::group::{self, NotReady};
use super::package::Package;
use crate::door::{Door, Repository};
use crate::upstream::{Fetched, Upstream, UpstreamError, Validators};

/// The kind under which a repository's images are kept.
const IMAGES: &str = "images";
/// The most images of one repository that are remembered. One that was forgotten is known again when it is asked for.
const MAX_IMAGES: usize = 1_000;
/// How often one ask adds a manifest to an image because others added theirs meanwhile.
const MAX_GROWTHS: usize = 64;

/// Names a repository: of the door, and of images.
pub type ImagesKey = (Arc<str>, PackageName);

/// The images of one repository that came through this door.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// Oldest first.
    roots: Vec<Root>,
    /// The images that hold a manifest, themselves among them.
    holders: HashMap<Sha256, Vec<Sha256>>,
    /// The manifests that name a blob.
    leaves: HashMap<Sha256, Vec<Sha256>>,
    /// The manifests of which it is known what they name.
    read: HashSet<Sha256>,
}

/// One image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Root {
    digest: Sha256,
    /// Whether a tag was it, and not only somebody's digest.
    tagged: bool,
}

impl Known {
    fn has(&self, digest: &Sha256, tagged: bool) -> bool {
        self.roots.iter().any(|root| root.digest == *digest && (root.tagged || !tagged))
    }

    fn add(&mut self, image: &oci::Image) {
        let add = |map: &mut HashMap<Sha256, Vec<Sha256>>, key, value| {
            let values: &mut Vec<Sha256> = map.entry(key).or_default();
            if !values.contains(&value) {
                values.push(value);
            }
        };
        for manifest in image.manifests() {
            add(&mut self.holders, manifest, image.root());
        }
        for leaf in image.leaves() {
            let blobs = image.blobs_of(leaf).iter().map(|at| image.digest(*at));
            blobs.for_each(|blob| add(&mut self.leaves, blob, image.digest(leaf)));
            self.read.insert(image.digest(leaf));
        }
    }

    /// Whether all of an image is known already.
    fn covers(&self, image: &oci::Image, tagged: bool) -> bool {
        let root = image.root();
        let is_held = |manifest| self.holders.get(&manifest).is_some_and(|holders| holders.contains(&root));
        self.has(&root, tagged)
            && image.manifests().all(is_held)
            && image.leaves().all(|leaf| self.read.contains(&image.digest(leaf)))
    }

    /// The images through which a manifest may be had, the newest first. Where an index holds it, it is a part of that and
    /// shares its fate, unless a tag made it an image of its own.
    pub fn holders_of(&self, manifest: &Sha256) -> Vec<Sha256> {
        let mut holders = self.holders.get(manifest).cloned().unwrap_or_default();
        if holders.len() > 1 && !self.has(manifest, true) {
            holders.retain(|holder| holder != manifest);
        }
        holders.reverse();
        holders
    }

    /// The manifests that name a blob, the newest first.
    pub fn leaves_of(&self, blob: &Sha256) -> Vec<Sha256> {
        let mut leaves = self.leaves.get(blob).cloned().unwrap_or_default();
        leaves.reverse();
        leaves
    }
}

/// The images of a repository that came through this door.
///
/// # Errors
/// [`LoadError`].
pub async fn known(
    door: &Arc<Door>,
    repository: &Arc<Repository>,
    name: &PackageName,
) -> Result<Arc<Known>, LoadError> {
    let key = (Arc::clone(&repository.name), name.clone());
    if let Some(known) = door.caches.images.get(&key) {
        return Ok(known);
    }
    let turn = door.flights.images.lock().await;
    let known = read(door, repository, name, &key).await;
    drop(turn);
    known
}

/// Reads what is kept; only while holding the turn.
async fn read(
    door: &Arc<Door>,
    repository: &Arc<Repository>,
    name: &PackageName,
    key: &ImagesKey,
) -> Result<Arc<Known>, LoadError> {
    if let Some(known) = door.caches.images.get(key) {
        return Ok(known);
    }
    let mut known = Known::default();
    for upstream in repository.upstreams_for(name) {
        let Some(kept) = documents::stored(door, repository, &upstream, name.as_str(), IMAGES).await? else {
            continue;
        };
        for (digest, tagged) in serde_json::from_slice::<Vec<(String, bool)>>(&kept.body).unwrap_or_default()
        {
            let Some(loaded) = commits::known(door, repository, name, &digest).await? else { continue };
            let Some(image) = loaded.package.index.image() else { continue };
            known.add(image);
            known.roots.push(Root { digest: image.root(), tagged });
        }
    }
    let known = Arc::new(known);
    door.caches.images.insert(key.clone(), Arc::clone(&known));
    Ok(known)
}

/// Remembers an image, and what is known of it by now.
///
/// # Errors
/// [`LoadError`].
pub async fn remember(
    door: &Arc<Door>,
    repository: &Arc<Repository>,
    package: &Arc<Package>,
    tagged: bool,
) -> Result<(), LoadError> {
    let Some(image) = package.index.image() else { return Ok(()) };
    let key = (Arc::clone(&repository.name), package.name.clone());
    let root = image.root();
    if door.caches.images.get(&key).is_some_and(|known| known.covers(image, tagged)) {
        return Ok(());
    }
    let turn = door.flights.images.lock().await;
    let mut known = Known::clone(&*read(door, repository, &package.name, &key).await?);
    let is_new = !known.has(&root, tagged);
    known.add(image);
    if is_new {
        let tagged = tagged || known.has(&root, true);
        known.roots.retain(|one| one.digest != root);
        known.roots.push(Root { digest: root, tagged });
        let surplus = known.roots.len().saturating_sub(MAX_IMAGES);
        known.roots.drain(..surplus);
        keep(door, repository, package, &known.roots).await?;
    }
    door.caches.images.insert(key, Arc::new(known));
    drop(turn);
    Ok(())
}

async fn keep(
    door: &Arc<Door>,
    repository: &Arc<Repository>,
    package: &Package,
    roots: &[Root],
) -> Result<(), LoadError> {
    let roots: Vec<(String, bool)> =
        roots.iter().map(|root| (root.digest.to_string(), root.tagged)).collect();
    let body = serde_json::to_vec(&roots).expect("plain values").into();
    let url = package.upstream.base.url.clone();
    let document = FetchedDocument { url, content_type: None, body };
    let (validators, now) = (Validators::default(), door.clock.now());
    let (upstream, name) = (&package.upstream, package.name.as_str());
    documents::keep(door, repository, upstream, name, IMAGES, &document, &validators, now).await
}

/// The same image with one of its manifests known, asked of the registry where need be.
///
/// # Errors
/// [`LoadError`].
pub async fn with_manifest(
    door: &Arc<Door>,
    repository: &Arc<Repository>,
    package: &Arc<Package>,
    manifest: &Sha256,
) -> Result<Arc<Package>, LoadError> {
    let root = purl_version(package);
    let (repo, what) = commits::key(repository, &package.name, &root);
    let flight = (repo, format!("{what}+").into());
    let mut package = Arc::clone(package);
    for _ in 0..MAX_GROWTHS {
        let image = package.index.image().expect("only images have manifests");
        let position = image.manifest(manifest);
        if position.is_some_and(|at| image.body(at).is_some()) {
            return Ok(package);
        }
        if position.is_none() {
            return Err(broken(&package.upstream, format!("{root} does not name {manifest}")));
        }
        let (door2, repository2, package2, manifest2) =
            (Arc::clone(door), Arc::clone(repository), Arc::clone(&package), *manifest);
        // One at a time for one image: each adds to what the one before made.
        let flight = door.flights.commits.run(flight.clone(), move || async move {
            grow(&door2, &repository2, &package2, &manifest2).await
        });
        package = flight.await.unwrap_or_else(|| Err(commits::unforeseen()))?;
    }
    Err(LoadError::Storage("an image grows faster than it can be read".into()))
}

/// The digest of an image as a revision.
fn purl_version(package: &Package) -> String {
    package.index.image().map(|image| image.root().to_string()).unwrap_or_default()
}

async fn grow(
    door: &Arc<Door>,
    repository: &Arc<Repository>,
    package: &Arc<Package>,
    manifest: &Sha256,
) -> Result<Arc<Package>, LoadError> {
    let root = purl_version(package);
    let (name, upstream) = (&package.name, &package.upstream);
    // Others may have added to it since.
    let latest = door.caches.commits.get(&commits::key(repository, name, &root));
    let package = latest.unwrap_or_else(|| Arc::clone(package));
    let image = package.index.image().expect("only images grow");
    if image.manifest(manifest).is_some_and(|at| image.body(at).is_some()) {
        return Ok(package);
    }
    let document = manifest_of(door, repository, upstream, name, manifest).await?;
    let body = image
        .with(document.content_type.as_deref(), &document.body)
        .map_err(|e| documents::broken_index(upstream, &e))?;
    let index =
        FetchedDocument { url: document.url.clone(), content_type: Some("application/json".into()), body };
    let now = door.clock.now();
    let documents = Documents {
        index: index.clone(),
        prelude: None,
        supplement: None,
        fetched_at: now,
        checked_at: package.freshness.checked_at(),
        source: commits::source_of(upstream, name, &root),
        freshness: Some(Arc::clone(&package.freshness)),
    };
    let grown = documents::build(door, repository, upstream, name, documents).await?;
    let key = commits::key(repository, name, &root);
    documents::keep(door, repository, upstream, &key.1, INDEX, &index, &Validators::default(), now).await?;
    door.caches.commits.insert(key, Arc::clone(&grown));
    // What was found in its layers before, as parts of another image, counts for this one from now on.
    grown.bump_local_epoch();
    remember(door, repository, &grown, false).await?;
    Ok(grown)
}

/// A manifest by its digest, from disk or from the registry.
async fn manifest_of(
    door: &Arc<Door>,
    repository: &Arc<Repository>,
    upstream: &Arc<Upstream>,
    name: &PackageName,
    manifest: &Sha256,
) -> Result<FetchedDocument, LoadError> {
    let digest = manifest.to_string();
    let key = commits::key(repository, name, &digest).1;
    if let Some(kept) = documents::stored(door, repository, upstream, &key, SUPPLEMENT).await? {
        return Ok(documents::revive(kept));
    }
    let commits = commits::commits_of(repository)?;
    let request = commits.revision_request(name, &digest, &upstream.base);
    let fetched = door.client.document(upstream, &request, None, &Validators::default()).await?;
    let Fetched::Document { document, headers, .. } = fetched else {
        return Err(broken(upstream, "\"not modified\" without a condition"));
    };
    let integrity = |why| LoadError::from(UpstreamError::Integrity { upstream: upstream.name.clone(), why });
    if let Some(why) = commits.contradicts(&document, &headers) {
        return Err(integrity(why));
    }
    let pointer =
        commits.read_revision(name, &document).map_err(|e| documents::broken_index(upstream, &e))?;
    if pointer.commit.as_str() != digest {
        return Err(integrity(format!("{digest} was asked for, and what came is {}", pointer.commit)));
    }
    let now = door.clock.now();
    documents::keep(door, repository, upstream, &key, SUPPLEMENT, &document, &Validators::default(), now)
        .await?;
    Ok(document)
}

/// Whether what a manifest names has been looked into.
pub fn is_ready(door: &Door, repository: &Repository, package: &Package, leaf: usize) -> bool {
    !door.config.inspection.enabled
        || door.caches.ready_images.get(&ready_key(repository, package, leaf)).is_some()
}

fn ready_key(repository: &Repository, package: &Package, leaf: usize) -> commits::CommitKey {
    let image = package.index.image().expect("only images have leaves");
    // The manifest alone: what it names is the same in every image that holds it.
    (Arc::clone(&repository.name), format!("{}@{}#parts", package.name, image.digest(leaf)).into())
}

/// Sees to it that what a manifest names is here and has been looked into, once for all who ask.
///
/// # Errors
/// [`NotReady`]; the next who asks begins again.
pub async fn ready(
    door: &Arc<Door>,
    repository: &Arc<Repository>,
    package: &Arc<Package>,
    leaf: usize,
) -> Result<(), NotReady> {
    if is_ready(door, repository, package, leaf) {
        return Ok(());
    }
    let key = ready_key(repository, package, leaf);
    let (door2, repository, package, key2) =
        (Arc::clone(door), Arc::clone(repository), Arc::clone(package), key.clone());
    let flight = door.flights.groups.run(key, move || async move {
        let blobs = package.index.image().map(|image| image.blobs_of(leaf).to_vec()).unwrap_or_default();
        group::look_at(&door2, &repository, &package, blobs).await?;
        let together = contents::put_together(&door2, &package, leaf).await;
        together.map_err(|error| NotReady::Look(package.name.to_string(), error))?;
        package.bump_local_epoch();
        door2.caches.ready_images.insert(key2, ());
        Ok(())
    });
    flight
        .await
        .unwrap_or_else(|| Err(NotReady::Storage("it ended in an unforeseen way; see the log".into())))
}

/// The same for every manifest of an image that is known.
///
/// # Errors
/// As [`ready`].
pub async fn all_ready(
    door: &Arc<Door>,
    repository: &Arc<Repository>,
    package: &Arc<Package>,
) -> Result<(), NotReady> {
    let Some(image) = package.index.image() else { return Ok(()) };
    for leaf in image.leaves() {
        ready(door, repository, package, leaf).await?;
    }
    Ok(())
}

/// The repository of images that a request below `/v2/` means, and the rest of its path below that repository. The path begins
/// with the repository's name; or containerd says beside the whole path which registry it would have asked.
pub fn place<'a>(
    door: &'a Door,
    path: &'a str,
    query: Option<&str>,
) -> Option<(&'a Arc<Repository>, &'a str)> {
    let mut images = door.repositories.values().filter(|r| r.ecosystem == oci::Oci.ecosystem());
    let registry = url::form_urlencoded::parse(query.unwrap_or_default().as_bytes())
        .find(|(name, _)| name == "ns")
        .map(|(_, registry)| registry.to_ascii_lowercase());
    match registry {
        Some(registry) => images.find(|r| stands_for(r, &registry)).map(|r| (r, path)),
        None if path.is_empty() => images.next().map(|r| (r, path)),
        None => {
            let (name, rest) = path.split_once('/')?;
            images.find(|r| *r.name == *name).map(|r| (r, rest))
        }
    }
}

/// Whether a repository of this name holds images.
pub fn is_one(door: &Door, name: &str) -> bool {
    door.repositories.get(name).is_some_and(|repository| repository.ecosystem == oci::Oci.ecosystem())
}

fn stands_for(repository: &Repository, registry: &str) -> bool {
    let is_host = |upstream: &Arc<Upstream>| {
        let url = &upstream.base.url;
        let host = url.host_str().unwrap_or_default();
        let with_port = url.port().map(|port| format!("{host}:{port}"));
        // What has a path of its own is a part of that registry, or a mirror of another.
        url.path() == "/"
            && (with_port.as_deref() == Some(registry) || (with_port.is_none() && host == registry))
    };
    repository.registries.iter().any(|name| name == registry) || repository.upstreams.iter().any(is_host)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(number: u8) -> Sha256 {
        Sha256::new([number; 32])
    }

    #[test]
    fn a_part_of_an_index_shares_its_fate_unless_a_tag_is_it() {
        let [index, child, other] = [1, 2, 3].map(digest);
        let mut known = Known::default();
        known.holders.insert(child, vec![child]);
        known.roots.push(Root { digest: child, tagged: false });
        assert_eq!(known.holders_of(&child), [child], "nobody knows an index that holds it");
        known.holders.insert(child, vec![child, index, other]);
        assert_eq!(known.holders_of(&child), [other, index]);
        known.roots.push(Root { digest: child, tagged: true });
        assert_eq!(known.holders_of(&child), [other, index, child]);
        assert!(known.holders_of(&digest(9)).is_empty() && known.leaves_of(&digest(9)).is_empty());
    }
}
