//! An image as the door knows it: its root, the manifests below it that were asked for so far, and what all of them name.
//!
//! An index of many platforms is not read to its end at once: each manifest below it costs a request of the registry, and
//! most clients want one. What was asked for is added, and from then on belongs to what is known of the image.

use std::collections::HashMap;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use sha2::Digest as _;
use tidegate_model::version::is_content_digest;
use tidegate_model::{Ecosystem, FileName, ListedFile, PackageName, Sha256, Stated, Version};

use super::address;
use super::manifest::{Manifest, Role, broken};
use crate::{Index, IndexError, Links, Rendered, UpstreamBase, Verdicts, View};

/// The most manifests of one image that are known at a time, and their bytes together.
const MAX_MANIFESTS: usize = 400;
const MAX_BYTES: usize = 32 << 20;

/// An image's manifests as they are kept.
#[derive(Debug, Serialize, Deserialize)]
struct Listing {
    repository: String,
    root: String,
    /// The root first, then in the order in which they were asked for.
    manifests: Vec<Kept>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    /// What the registry served it as.
    content_type: Option<String>,
    /// Its bytes. JSON is UTF-8, so they are text.
    body: String,
}

/// An image, read.
#[derive(Debug)]
pub struct Image {
    package: PackageName,
    root: Sha256,
    files: Vec<ListedFile>,
    /// In the order of the files.
    members: Vec<Member>,
    by_digest: HashMap<(bool, Sha256), usize>,
    kept: Vec<Kept>,
    weight: usize,
}

/// One thing of an image.
#[derive(Debug)]
struct Member {
    digest: Sha256,
    /// A manifest that is known.
    known: Option<Known>,
}

#[derive(Debug)]
struct Known {
    media_type: &'static str,
    body: Bytes,
    elsewhere: Option<String>,
    /// Positions of the blobs that it names, each once.
    blobs: Vec<usize>,
    /// What it is made of, where containers are made from it.
    parts: Option<ImageParts>,
}

/// What an image for one platform is made of, by positions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImageParts {
    /// How its containers are started.
    pub config: Option<usize>,
    /// Its file systems, lowest first; one that occurs twice stands here twice.
    pub layers: Vec<usize>,
}

/// The SHA-256 of bytes.
pub(super) fn digest_of(bytes: &[u8]) -> Sha256 {
    Sha256::new(sha2::Sha256::digest(bytes).into())
}

/// The kept form of an image of which only the root is known.
pub(super) fn first_listing(
    package: &PackageName,
    content_type: Option<&str>,
    body: &[u8],
) -> Result<Bytes, IndexError> {
    Manifest::read(package, content_type, body)?;
    write(package, &digest_of(body), vec![kept(package, content_type, body)?])
}

fn kept(package: &PackageName, content_type: Option<&str>, body: &[u8]) -> Result<Kept, IndexError> {
    let body = std::str::from_utf8(body).map_err(|_| broken(package, "a manifest is not UTF-8"))?;
    Ok(Kept { content_type: content_type.map(str::to_owned), body: body.to_owned() })
}

fn write(package: &PackageName, root: &Sha256, manifests: Vec<Kept>) -> Result<Bytes, IndexError> {
    let bytes: usize = manifests.iter().map(|kept| kept.body.len()).sum();
    if manifests.len() > MAX_MANIFESTS || bytes > MAX_BYTES {
        let limit = "400 manifests or 32 MiB of them";
        return Err(IndexError::TooMuch { package: package.to_string(), limit });
    }
    let listing = Listing { repository: package.to_string(), root: root.to_string(), manifests };
    Ok(serde_json::to_vec(&listing).expect("plain values").into())
}

impl Image {
    /// Reads the kept form.
    pub(super) fn read(
        package: &PackageName,
        upstream: &UpstreamBase,
        listing: &[u8],
    ) -> Result<Self, IndexError> {
        let read: Listing = serde_json::from_slice(listing).map_err(|e| broken(package, e.to_string()))?;
        if read.repository != package.as_str() {
            return Err(IndexError::OtherPackage { package: package.to_string(), found: read.repository });
        }
        let root = Some(&read.root).filter(|text| is_content_digest(text)).and_then(|text| text.parse().ok());
        let root = root.ok_or_else(|| broken(package, "it names no image"))?;
        let mut image = Self {
            package: package.clone(),
            root,
            files: Vec::new(),
            members: Vec::new(),
            by_digest: HashMap::new(),
            weight: listing.len() * 2,
            kept: Vec::new(),
        };
        for one in &read.manifests {
            image.take(upstream, one)?;
        }
        if image.files.is_empty() {
            return Err(broken(package, "it has no manifest"));
        }
        image.weight += image.files.len() * 500;
        image.kept = read.manifests;
        Ok(image)
    }

    fn take(&mut self, upstream: &UpstreamBase, kept: &Kept) -> Result<(), IndexError> {
        let body = Bytes::copy_from_slice(kept.body.as_bytes());
        let manifest = Manifest::read(&self.package, kept.content_type.as_deref(), &body)?;
        let digest = digest_of(&body);
        if self.files.is_empty() && digest != self.root {
            return Err(broken(&self.package, "its first manifest is not its root"));
        }
        let size = body.len() as u64;
        let at = self.add(upstream, true, digest, size)?;
        let licence = manifest.licence.clone().map_or(Stated::NotOffered, Stated::Known);
        let (mut blobs, mut parts) = (Vec::new(), ImageParts::default());
        for named in &manifest.named {
            let is_manifest = named.role == Role::Manifest;
            let position = self.add(upstream, is_manifest, named.digest, named.size)?;
            if !is_manifest && !blobs.contains(&position) {
                blobs.push(position);
            }
            match named.role {
                Role::Manifest => {}
                Role::Config => parts.config = Some(position),
                Role::Layer => parts.layers.push(position),
            }
        }
        if at == 0 {
            self.files[0].licence = licence;
        }
        let (media_type, elsewhere) = (manifest.media_type, manifest.elsewhere);
        let parts = manifest.is_image.then_some(parts);
        self.members[at].known = Some(Known { media_type, body, elsewhere, blobs, parts });
        Ok(())
    }

    fn add(
        &mut self,
        upstream: &UpstreamBase,
        is_manifest: bool,
        digest: Sha256,
        size: u64,
    ) -> Result<usize, IndexError> {
        if let Some(at) = self.by_digest.get(&(is_manifest, digest)) {
            if self.files[*at].size != Some(size) {
                return Err(broken(&self.package, format!("{digest} is named with two sizes")));
            }
            return Ok(*at);
        }
        let kind = if is_manifest { "manifests" } else { "blobs" };
        let name = digest.to_string();
        let file = FileName::parse_path(&format!("{kind}/{name}")).expect("a digest can stand in a path");
        self.files.push(ListedFile {
            version: Version::parse(Ecosystem::Oci, &self.root.to_string()),
            file,
            location: address(upstream, &self.package, &[kind, &name]),
            digests: vec![digest.into()],
            size: Some(size),
            // What a configuration says of its date is its author's to choose.
            published_at: None,
            yanked: None,
            deprecated: None,
            licence: Stated::NotOffered,
            // Nothing is installed; what is in an image is for inspection to say.
            install_script: Stated::Known(false),
            publisher: Stated::NotOffered,
            attestation: Stated::NotOffered,
            metadata_sidecar: None,
        });
        self.members.push(Member { digest, known: None });
        self.by_digest.insert((is_manifest, digest), self.files.len() - 1);
        Ok(self.files.len() - 1)
    }

    /// The kept form with one manifest more, which some manifest of the image names.
    ///
    /// # Errors
    /// It is no manifest, none of this image's, or one too many.
    pub fn with(&self, content_type: Option<&str>, body: &[u8]) -> Result<Bytes, IndexError> {
        Manifest::read(&self.package, content_type, body)?;
        let digest = digest_of(body);
        if self.manifest(&digest).is_none() {
            return Err(broken(&self.package, format!("{digest} is no manifest of this image")));
        }
        let again = |kept: &Kept| Kept { content_type: kept.content_type.clone(), body: kept.body.clone() };
        let mut manifests: Vec<Kept> = self.kept.iter().map(again).collect();
        manifests.push(kept(&self.package, content_type, body)?);
        write(&self.package, &self.root, manifests)
    }

    /// The digest that the image is known by.
    pub const fn root(&self) -> Sha256 {
        self.root
    }

    /// The position of a manifest of the image, known or only named.
    pub fn manifest(&self, digest: &Sha256) -> Option<usize> {
        self.by_digest.get(&(true, *digest)).copied()
    }

    /// The position of a blob that a known manifest of the image names.
    pub fn blob(&self, digest: &Sha256) -> Option<usize> {
        self.by_digest.get(&(false, *digest)).copied()
    }

    /// The digest of what stands at a position.
    pub fn digest(&self, position: usize) -> Sha256 {
        self.members[position].digest
    }

    /// The bytes of a manifest and what they are served as, where it is known.
    pub fn body(&self, position: usize) -> Option<(&Bytes, &'static str)> {
        self.members[position].known.as_ref().map(|known| (&known.body, known.media_type))
    }

    /// Positions of the blobs that a known manifest names: the configuration and the layers. Empty for an index.
    pub fn blobs_of(&self, position: usize) -> &[usize] {
        self.members[position].known.as_ref().map_or(&[], |known| &known.blobs)
    }

    /// What a known manifest is made of, where it is an image that containers are made from.
    pub fn parts_of(&self, position: usize) -> Option<&ImageParts> {
        self.members[position].known.as_ref()?.parts.as_ref()
    }

    /// Whether a known manifest of an image has what stands at a position as a file system.
    pub fn is_layer(&self, position: usize) -> bool {
        (0..self.members.len())
            .filter_map(|at| self.parts_of(at))
            .any(|parts| parts.layers.contains(&position))
    }

    /// Why clients would fetch parts of what a known manifest names from somewhere else.
    pub fn elsewhere(&self, position: usize) -> Option<&str> {
        self.members[position].known.as_ref()?.elsewhere.as_deref()
    }

    /// The digests of the image's manifests, known or only named.
    pub fn manifests(&self) -> impl Iterator<Item = Sha256> + '_ {
        self.by_digest.keys().filter(|(is_manifest, _)| *is_manifest).map(|(_, digest)| *digest)
    }

    /// Positions of the known manifests that name blobs.
    pub fn leaves(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.members.len()).filter(|at| !self.blobs_of(*at).is_empty())
    }
}

impl Index for Image {
    fn package(&self) -> &PackageName {
        &self.package
    }

    fn files(&self) -> &[ListedFile] {
        &self.files
    }

    /// Manifests leave as they are, so an image has no views.
    fn render(&self, view: &View, _verdicts: Verdicts<'_>, _links: &Links) -> Result<Rendered, IndexError> {
        Err(IndexError::NoSuchView(view.form.to_owned()))
    }

    fn weight(&self) -> usize {
        self.weight
    }

    fn image(&self) -> Option<&Image> {
        Some(self)
    }
}
