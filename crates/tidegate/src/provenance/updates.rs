//! Newer trust roots: fetched in the background or brought in by hand, kept over restarts, and told in the ledger.
//!
//! What is kept is the repository's own files, not what was made of them: each start walks their chain of signatures again,
//! from the root file that is compiled in or configured. So nobody gains a root by writing into the data directory.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use tidegate_ecosystems::{DocumentRequest, UpstreamBase};
use tidegate_ledger::pseudonym::Pseudonym;
use tidegate_model::Timestamp;
use tidegate_provenance::tuf::{self, Bootstrap, Files, Source, Update, Versions};
use tidegate_provenance::{Instance, Origin, Root};
use tokio::runtime::Handle;
use url::Url;

use super::trust::TrustError;
use crate::config;
use crate::door::Door;
use crate::intel::sync::chain;
use crate::upstream::{Client, Fetched, NamePatterns, Upstream, UpstreamError, Validators};

/// Where they are kept, below the data directory.
const FOLDER: &str = "trust";

/// An instance whose root can be renewed.
#[derive(Debug)]
pub struct Followed {
    /// Which instance.
    pub instance: Instance,
    /// Where its repository is, and how it is asked.
    pub host: Arc<Upstream>,
    /// The `root.json` from which every walk begins.
    root: Vec<u8>,
}

/// What became of a look at a repository.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// The root in force is the one that it serves.
    Current,
    /// Another root came into force.
    Changed,
    /// It could not be had, or was refused; the root in force stays.
    Failed {
        /// Why.
        why: String,
    },
}

/// The last look at a repository.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Attempt {
    /// When.
    pub at: Timestamp,
    /// What became of it.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// What is kept of an update that was accepted.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
struct Kept {
    origin: Origin,
    accepted_as_of: Timestamp,
    expires: Timestamp,
    versions: Versions,
    files: String,
}

/// The instances whose roots can be renewed, and how that goes.
#[derive(Debug)]
pub struct Updates {
    folder: PathBuf,
    followed: Vec<Followed>,
    versions: Mutex<BTreeMap<Instance, Versions>>,
    attempts: Mutex<BTreeMap<Instance, Attempt>>,
    /// One change of roots at a time.
    running: Mutex<()>,
}

impl Updates {
    /// Those of the public instances and of the configuration, with the roots that were accepted before.
    ///
    /// # Errors
    /// [`TrustError`] names a configured file that cannot be read.
    pub(super) fn open(config: &config::Provenance, data: &Path) -> Result<(Self, Vec<Root>), TrustError> {
        let mut followed = Vec::new();
        for instance in [Instance::PublicGood, Instance::GitHub] {
            let section = config.instance.get(instance.as_str());
            if section.is_none_or(|section| *section == config::SigstoreInstance::default()) {
                followed.extend(Followed::public(instance));
            }
        }
        for (name, section) in &config.instance {
            followed.extend(Followed::configured(name, section)?);
        }
        let folder = data.join(FOLDER);
        let (mut versions, mut roots) = (BTreeMap::new(), Vec::new());
        for each in &followed {
            let path = file_of(&folder, &each.instance);
            match each.restore(&path) {
                Ok(Some((kept, root))) => {
                    versions.insert(each.instance.clone(), kept);
                    roots.push(root);
                }
                Ok(None) => {}
                // The compiled-in root stays, and its age shows.
                Err(why) => tracing::error!(
                    provenance.instance = %each.instance,
                    "`{}` cannot be used as the trust root of {}: {why}", path.display(), each.instance
                ),
            }
        }
        let (versions, attempts) = (Mutex::new(versions), Mutex::default());
        Ok((Self { folder, followed, versions, attempts, running: Mutex::default() }, roots))
    }

    /// Every instance whose root can be renewed.
    pub fn followed(&self) -> &[Followed] {
        &self.followed
    }

    /// The last look at each repository since the door opened.
    pub fn attempts(&self) -> BTreeMap<Instance, Attempt> {
        self.attempts.lock().expect("no panic while holding it").clone()
    }

    fn find(&self, instance: &Instance) -> Result<&Followed, String> {
        self.followed.iter().find(|each| each.instance == *instance).ok_or_else(|| {
            let known: Vec<&str> = self.followed.iter().map(|each| each.instance.as_str()).collect();
            format!(
                "no root file of an instance `{}` is known from which an update could be checked; those of {} are",
                instance.as_str().escape_debug(),
                known.join(", ")
            )
        })
    }

    fn versions_of(&self, instance: &Instance) -> Versions {
        self.versions.lock().expect("no panic while holding it").get(instance).copied().unwrap_or_default()
    }

    /// Keeps an update: it is on disk before anything is believed because of it.
    fn keep(&self, instance: &Instance, update: &Update) -> Result<(), String> {
        let kept = Kept {
            origin: update.root.origin(),
            accepted_as_of: update.root.as_of(),
            expires: update.expires,
            versions: update.versions,
            files: update.files.to_json(),
        };
        let text = serde_json::to_vec(&kept).expect("plain values");
        let path = file_of(&self.folder, instance);
        write(&self.folder, &path, &text)
            .map_err(|e| format!("`{}` cannot be written: {e}", path.display()))?;
        self.versions.lock().expect("no panic while holding it").insert(instance.clone(), update.versions);
        Ok(())
    }
}

fn write(folder: &Path, path: &Path, text: &[u8]) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(text)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|e| e.error)?;
    std::fs::File::open(folder)?.sync_all()
}

/// The file of an instance. Names are the configuration's, so what is no letter is escaped.
fn file_of(folder: &Path, instance: &Instance) -> PathBuf {
    folder.join(format!("{}.json", crate::cli::segment(instance.as_str())))
}

impl Followed {
    fn public(instance: Instance) -> Option<Self> {
        let Bootstrap { url, root } = Bootstrap::of(&instance)?;
        let url = Url::parse(url).expect("addresses that are compiled in are whole");
        Some(Self::at(instance, url, root.to_vec(), "built in"))
    }

    /// `None` where the configuration gives a root and no repository: that root stays until somebody changes the file.
    fn configured(name: &str, section: &config::SigstoreInstance) -> Result<Option<Self>, TrustError> {
        let instance = Instance::named(name);
        let public = Bootstrap::of(&instance);
        if section.mirror.is_none() && section.mirror_root.is_none() {
            return Ok(None);
        }
        let root = match (&section.mirror_root, public) {
            (Some(path), _) => std::fs::read(path).map_err(|source| TrustError::Read {
                instance: name.to_owned(),
                path: path.clone(),
                source,
            })?,
            (None, Some(public)) => public.root.to_vec(),
            (None, None) => return Err(TrustError::NoRootFile { instance: name.to_owned() }),
        };
        let url = section.mirror.clone().or_else(|| public.and_then(|p| Url::parse(p.url).ok()));
        let Some(mut url) = url else { return Err(TrustError::NoMirror { instance: name.to_owned() }) };
        if !url.path().ends_with('/') {
            url.set_path(&format!("{}/", url.path()));
        }
        Ok(Some(Self::at(instance, url, root, "configuration")))
    }

    fn at(instance: Instance, url: Url, root: Vec<u8>, source: &str) -> Self {
        let name = format!("trust-{instance}");
        let base = UpstreamBase { url };
        let host = Upstream::new(name, base, None, NamePatterns::default(), &[], source.to_owned());
        Self { instance, host: Arc::new(host), root }
    }

    /// What an earlier process accepted, walked again.
    fn restore(&self, path: &Path) -> Result<Option<(Versions, Root)>, String> {
        let text = match std::fs::read(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.to_string()),
        };
        let kept: Kept = serde_json::from_slice(&text).map_err(|e| e.to_string())?;
        let files = Files::from_json(kept.files.as_bytes()).map_err(|e| chain(&e))?;
        let update = tuf::restore(files, self.instance.clone(), &self.root, kept.accepted_as_of, kept.origin)
            .map_err(|e| chain(&e))?;
        Ok(Some((kept.versions, update.root)))
    }
}

/// A repository over HTTP. Asked on a thread that may wait.
struct Remote {
    client: Client,
    host: Arc<Upstream>,
    runtime: Handle,
}

impl Remote {
    fn get(&self, below: &str, name: &str, max_bytes: u64) -> Result<Option<Vec<u8>>, String> {
        let url = self.host.base.url.join(below).and_then(|folder| folder.join(name));
        let url = url.map_err(|e| format!("`{name}` gives no address: {e}"))?;
        if !url.as_str().starts_with(self.host.base.url.as_str()) {
            return Err(format!("`{name}` leads out of the repository"));
        }
        let request = DocumentRequest::get(url, "*/*", max_bytes);
        let validators = Validators::default();
        let fetching = self.client.document(&self.host, &request, None, &validators);
        match self.runtime.block_on(fetching) {
            Ok(Fetched::Document { document, .. }) => Ok(Some(document.body.to_vec())),
            Ok(Fetched::NotModified) | Err(UpstreamError::Absent { .. }) => Ok(None),
            Err(error) => Err(chain(&error)),
        }
    }
}

impl Source for Remote {
    fn metadata(&self, name: &str, max_bytes: u64) -> Result<Option<Vec<u8>>, String> {
        self.get("", name, max_bytes)
    }

    fn target(&self, path: &str, max_bytes: u64) -> Result<Option<Vec<u8>>, String> {
        self.get("targets/", path, max_bytes)
    }
}

/// Looks at every repository once.
pub async fn refresh_all(door: &Arc<Door>) -> BTreeMap<Instance, Outcome> {
    let runtime = Handle::current();
    let busy = Arc::clone(door);
    door.blocking(move || {
        let all = busy.updates.followed.iter();
        all.map(|each| (each.instance.clone(), refresh(&busy, each, &runtime))).collect()
    })
    .await
}

fn refresh(door: &Arc<Door>, followed: &Followed, runtime: &Handle) -> Outcome {
    let _one_at_a_time = door.updates.running.lock().expect("no panic while holding it");
    let (instance, now) = (followed.instance.clone(), door.clock.now());
    let host = Arc::clone(&followed.host);
    let source = Remote { client: door.client.clone(), host, runtime: runtime.clone() };
    let known = door.updates.versions_of(&instance);
    let update = tuf::refresh(Arc::new(source), instance.clone(), &followed.root, known, &[], now);
    let outcome = match update.map_err(|e| chain(&e)).and_then(|update| accept(door, update, None)) {
        Ok(true) => Outcome::Changed,
        Ok(false) => Outcome::Current,
        Err(why) => {
            tracing::warn!(provenance.instance = %instance, "the trust root of {instance} could not be refreshed: {why}");
            Outcome::Failed { why }
        }
    };
    let attempt = Attempt { at: now, outcome: outcome.clone() };
    door.updates.attempts.lock().expect("no panic while holding it").insert(instance, attempt);
    outcome
}

/// Brings in a root by hand: from a file that another door exported, or from the copy of a repository in a folder. Blocks.
///
/// # Errors
/// Why it is refused, as text; the root in force stays.
pub fn import(
    door: &Arc<Door>,
    path: &Path,
    instance: &Instance,
    actor: Pseudonym,
) -> Result<Arc<Root>, String> {
    let _one_at_a_time = door.updates.running.lock().expect("no panic while holding it");
    let followed = door.updates.find(instance)?;
    let files = Files::read(path).map_err(|e| chain(&e))?;
    let known = door.updates.versions_of(instance);
    let update = tuf::import(files, instance.clone(), &followed.root, known, &[], door.clock.now());
    accept(door, update.map_err(|e| chain(&e))?, Some(actor))?;
    let roots = door.trusted.roots();
    Ok(roots.get(instance).map(Arc::clone).expect("it was put in force just now"))
}

/// Writes the files behind the root in force, for [`import`] at another door. Blocks.
///
/// # Errors
/// There are none, or the file cannot be written; as text.
pub fn export(door: &Arc<Door>, path: &Path, instance: &Instance) -> Result<(), String> {
    door.updates.find(instance)?;
    let kept = std::fs::read(file_of(&door.updates.folder, instance));
    let kept: Option<Kept> = kept.ok().and_then(|text| serde_json::from_slice(&text).ok());
    let kept = kept.ok_or_else(|| {
        format!("no update of {instance} was accepted here that could be passed on; `tidegate trust refresh` gets one")
    })?;
    std::fs::write(path, kept.files).map_err(|e| format!("`{}` cannot be written: {e}", path.display()))
}

/// Keeps an update and puts its root in force. True where that changed what is believed.
fn accept(door: &Arc<Door>, update: Update, actor: Option<Pseudonym>) -> Result<bool, String> {
    door.updates.keep(&update.root.instance().clone(), &update)?;
    let changed = door.trusted.put_in_force(update.root);
    super::told::tell(door, actor);
    if changed {
        // What was checked under the root before is checked again, and what rests on it decided again.
        door.caches.checked.clear();
        door.decide_anew();
    }
    door.look_for_degradations();
    Ok(changed)
}
