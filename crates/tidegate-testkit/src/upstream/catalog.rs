//! The packages an upstream offers, changeable while it runs.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use bytes::Bytes;
use serde_json::Value;
use tidegate_model::Ecosystem;

use super::lock;
use crate::package::{BuiltFile, Package};

/// One published version.
#[derive(Clone, Debug)]
pub(super) struct Release {
    pub(super) package: Package,
    pub(super) files: Vec<BuiltFile>,
    pub(super) yanked: Option<String>,
    pub(super) deprecated: Option<String>,
}

/// One project: its versions in the order of publication, and its tags.
#[derive(Clone, Debug, Default)]
pub(super) struct Project {
    /// The name as first published.
    pub(super) name: String,
    pub(super) releases: Vec<Release>,
    pub(super) tags: BTreeMap<String, String>,
}

#[derive(Debug, Default)]
pub(super) struct Contents {
    projects: BTreeMap<(Ecosystem, String), Project>,
    other_bytes: BTreeMap<String, Bytes>,
    pub(super) advisories: BTreeMap<String, Vec<Value>>,
    /// Documents of attestations, by `name@version` of npm or by file name of PyPI.
    pub(super) attestations: BTreeMap<String, Value>,
    /// Signatures of the registry, by `name@version`: ids of keys and base64.
    pub(super) signatures: BTreeMap<String, Vec<(String, String)>>,
    /// The registry's list of its keys.
    pub(super) registry_keys: Option<Value>,
    /// Repositories of the hub; data sets and spaces with their kind before the name.
    pub(super) hub: BTreeMap<String, super::hub::Repository>,
    /// Repositories of the registry of images.
    pub(super) registry: BTreeMap<String, super::registry::Repository>,
    /// Older names of repositories.
    pub(super) hub_names: BTreeMap<String, String>,
    /// Entries of the registry of MCP servers, by name and version.
    pub(super) servers: BTreeMap<(String, String), Value>,
    /// Files below `/feeds/`.
    pub(super) feeds: BTreeMap<String, Bytes>,
    /// What is said of them as `x-goog-hash`.
    pub(super) feed_hashes: BTreeMap<String, String>,
}

impl Contents {
    pub(super) fn project(&self, ecosystem: Ecosystem, name: &str) -> Option<&Project> {
        self.projects.get(&(ecosystem, key(ecosystem, name)))
    }

    pub(super) fn projects(&self, ecosystem: Ecosystem) -> impl Iterator<Item = &Project> {
        self.projects.iter().filter(move |((e, _), _)| *e == ecosystem).map(|(_, project)| project)
    }

    /// What is sent for `file`: its bytes, unless a test has put others in their place.
    pub(super) fn served(&self, file: &BuiltFile) -> Bytes {
        self.other_bytes.get(&file.name).unwrap_or(&file.bytes).clone()
    }

    fn release(&mut self, ecosystem: Ecosystem, name: &str, version: &str) -> &mut Release {
        self.projects
            .get_mut(&(ecosystem, key(ecosystem, name)))
            .and_then(|project| project.releases.iter_mut().find(|r| r.package.version == version))
            .unwrap_or_else(|| panic!("{ecosystem} {name} {version} was never published"))
    }
}

/// The form under which a name is looked up: what the ecosystem treats as one name is one key.
fn key(ecosystem: Ecosystem, name: &str) -> String {
    match ecosystem {
        Ecosystem::Npm | Ecosystem::Huggingface | Ecosystem::Oci | Ecosystem::Mcp => name.to_owned(),
        Ecosystem::Pypi => super::normalise(name),
        Ecosystem::Cargo | Ecosystem::Vscode => name.to_lowercase(),
    }
}

/// The packages an upstream offers. Clones share one content; changes show in the next answer.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    contents: Arc<Mutex<Contents>>,
}

impl Catalog {
    pub(super) fn read(&self) -> MutexGuard<'_, Contents> {
        lock(&self.contents)
    }

    /// Puts a commit with this id into a repository of the hub, made at `at`, and lets `branch` point at it. A commit that
    /// exists is replaced: what no honest hub does.
    pub fn commit(
        &self,
        repository: &str,
        branch: &str,
        (id, at): (&str, &str),
        files: impl IntoIterator<Item = (&'static str, super::HubFile)>,
    ) {
        let files = files.into_iter().map(|(path, file)| (path.to_owned(), file)).collect();
        let mut contents = self.read();
        let repository = contents.hub.entry(repository.to_owned()).or_default();
        repository.commits.insert(id.to_owned(), super::hub::Commit { at: at.to_owned(), files });
        repository.refs.insert(branch.to_owned(), id.to_owned());
    }

    /// Puts an image of these layers into a repository of the registry, under a tag.
    pub fn image(&self, repository: &str, tag: &str, layers: &[Bytes]) -> super::PushedImage {
        self.platform_image(repository, Some(tag), "amd64", layers)
    }

    /// Puts an image for one architecture into a repository of the registry, under a tag or under its digest alone.
    pub fn platform_image(
        &self,
        repository: &str,
        tag: Option<&str>,
        architecture: &str,
        layers: &[Bytes],
    ) -> super::PushedImage {
        let (config, manifest) = super::image_of(architecture, layers);
        let manifest = Bytes::from(manifest.to_string());
        let config_digest = self.blob(repository, config);
        let layers = layers.iter().map(|layer| self.blob(repository, layer.clone())).collect();
        let digest = self.manifest(repository, tag, super::IMAGE_MANIFEST, manifest.clone());
        super::PushedImage { digest, manifest, config: config_digest, layers }
    }

    /// Puts a manifest into a repository of the registry, under a tag where one is given, and returns its digest.
    pub fn manifest(&self, repository: &str, tag: Option<&str>, media_type: &str, body: Bytes) -> String {
        let digest = super::content_digest(&body);
        let mut contents = self.read();
        let repository = contents.registry.entry(repository.to_owned()).or_default();
        repository.manifests.insert(digest.clone(), (media_type.to_owned(), body));
        if let Some(tag) = tag {
            repository.tags.insert(tag.to_owned(), digest.clone());
        }
        digest
    }

    /// Puts a blob into a repository of the registry and returns its digest.
    pub fn blob(&self, repository: &str, bytes: Bytes) -> String {
        let digest = super::content_digest(&bytes);
        let mut contents = self.read();
        contents.registry.entry(repository.to_owned()).or_default().blobs.insert(digest.clone(), bytes);
        digest
    }

    /// Gives a manifest of the registry another `Docker-Content-Digest` than it has.
    pub fn misname(&self, repository: &str, digest: &str) {
        self.read().registry.entry(repository.to_owned()).or_default().misnamed.insert(digest.to_owned());
    }

    /// Lets the registry say what refers to a digest.
    pub fn refer(&self, repository: &str, digest: &str, descriptors: Vec<Value>) {
        let mut contents = self.read();
        let repository = contents.registry.entry(repository.to_owned()).or_default();
        repository.referrers.insert(digest.to_owned(), descriptors);
    }

    /// Gives a repository of the hub's document another member, or another value for one.
    ///
    /// # Panics
    /// Where there is no such repository.
    pub fn say(&self, repository: &str, member: &str, value: Value) {
        let mut contents = self.read();
        let repository = contents.hub.get_mut(repository).expect("a repository that has a commit");
        repository.more.insert(member.to_owned(), value);
    }

    /// Lets a repository of the hub be asked for under an older name too.
    pub fn renamed(&self, from: &str, to: &str) {
        self.read().hub_names.insert(from.to_owned(), to.to_owned());
    }

    /// Lists a version of an MCP server, as the registry writes it: `server` and `_meta`. One that exists is replaced, which no
    /// honest registry does but for what it says itself of it.
    ///
    /// # Panics
    /// Where the entry has no name and version.
    pub fn list_server(&self, entry: Value) {
        let text = |key: &str| entry["server"][key].as_str().expect("a listed server is named").to_owned();
        let key = (text("name"), text("version"));
        self.read().servers.insert(key, entry);
    }

    /// Takes a version of an MCP server off the list without a word.
    pub fn unlist_server(&self, name: &str, version: &str) {
        self.read().servers.remove(&(name.to_owned(), version.to_owned()));
    }

    /// Publishes a version and returns its files. A version that exists is replaced, digests and all: what a registry
    /// that allows republishing does. npm: `latest` moves to it unless it is a pre-release.
    pub fn publish(&self, package: Package) -> Vec<BuiltFile> {
        let files = package.build();
        self.publish_files(package, files)
    }

    /// Publishes a version whose one file, of this name, has these bytes; the index promises their digests.
    pub fn publish_bytes(&self, package: Package, name: &str, bytes: Vec<u8>) -> BuiltFile {
        let built = package.build().remove(0);
        let file = built.replaced(name, bytes);
        self.publish_files(package, vec![file]).remove(0)
    }

    fn publish_files(&self, package: Package, files: Vec<BuiltFile>) -> Vec<BuiltFile> {
        let mut contents = self.read();
        let project =
            contents.projects.entry((package.ecosystem, key(package.ecosystem, &package.name))).or_default();
        if project.name.is_empty() {
            project.name.clone_from(&package.name);
        }
        if package.ecosystem == Ecosystem::Npm && !package.version.contains('-') {
            project.tags.insert("latest".to_owned(), package.version.clone());
        }
        let release = Release { files: files.clone(), package, yanked: None, deprecated: None };
        match project.releases.iter_mut().find(|r| r.package.version == release.package.version) {
            Some(existing) => *existing = release,
            None => project.releases.push(release),
        }
        files
    }

    /// npm: points `tag` at `version`.
    ///
    /// # Panics
    /// Where the package was never published.
    pub fn tag(&self, name: &str, tag: &str, version: &str) {
        let mut contents = self.read();
        contents.release(Ecosystem::Npm, name, version);
        let project = contents.projects.get_mut(&(Ecosystem::Npm, name.to_owned()));
        project.expect("a release has a project").tags.insert(tag.to_owned(), version.to_owned());
    }

    /// PyPI, cargo: yanks a version. The reason shows on PyPI.
    ///
    /// # Panics
    /// Where the version was never published.
    pub fn yank(&self, ecosystem: Ecosystem, name: &str, version: &str, reason: &str) {
        self.read().release(ecosystem, name, version).yanked = Some(reason.to_owned());
    }

    /// npm: deprecates a version with a message.
    ///
    /// # Panics
    /// Where the version was never published.
    pub fn deprecate(&self, name: &str, version: &str, message: &str) {
        self.read().release(Ecosystem::Npm, name, version).deprecated = Some(message.to_owned());
    }

    /// Removes a version and its files; the last one takes the project with it.
    ///
    /// # Panics
    /// Where the version was never published.
    pub fn delete(&self, ecosystem: Ecosystem, name: &str, version: &str) {
        let mut contents = self.read();
        contents.release(ecosystem, name, version);
        let place = (ecosystem, key(ecosystem, name));
        let project = contents.projects.get_mut(&place).expect("a release has a project");
        project.releases.retain(|release| release.package.version != version);
        let newest = project.releases.iter().rev().find(|r| !r.package.version.contains('-'));
        let newest = newest.map(|release| release.package.version.clone());
        project.tags.retain(|_, target| target != version);
        if let (Ecosystem::Npm, Some(newest)) = (ecosystem, newest) {
            project.tags.entry("latest".to_owned()).or_insert(newest);
        }
        if project.releases.is_empty() {
            contents.projects.remove(&place);
        }
    }

    /// Serves `bytes` for the file called `file`, while every index goes on promising the old ones.
    pub fn serve_other_bytes(&self, file: &str, bytes: impl Into<Bytes>) {
        self.read().other_bytes.insert(file.to_owned(), bytes.into());
    }

    /// Serves this as the attestations of `name@version` (npm) or of a file (PyPI), and announces it in the index.
    pub fn attest(&self, what: &str, document: Value) {
        self.read().attestations.insert(what.to_owned(), document);
    }

    /// Shows these as the registry's signatures of `name@version`: ids of keys and base64.
    pub fn sign(&self, what: &str, signatures: &[(String, String)]) {
        self.read().signatures.insert(what.to_owned(), signatures.to_vec());
    }

    /// Serves this as the registry's list of its keys.
    pub fn registry_keys(&self, keys: Value) {
        self.read().registry_keys = Some(keys);
    }

    /// Serves a file below `/feeds/`, as publishers of advisories do.
    pub fn put_feed(&self, path: &str, bytes: impl Into<Bytes>) {
        self.read().feeds.insert(path.to_owned(), bytes.into());
    }

    /// States a digest for a file below `/feeds/`, as object storage does: `md5=…` in Base64.
    pub fn state_feed_hash(&self, path: &str, hash: &str) {
        self.read().feed_hashes.insert(path.to_owned(), hash.to_owned());
    }

    /// npm: the advisory that the audit endpoint answers for `name`, in the form of the bulk endpoint
    /// (`{id, url, title, severity, vulnerable_versions}`).
    pub fn advise(&self, name: &str, advisory: Value) {
        self.read().advisories.entry(name.to_owned()).or_default().push(advisory);
    }
}
