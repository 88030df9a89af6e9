//! What is signed about a model: a signature of OpenSSF model signing that lies in its repository, held against every file of
//! the commit. A commit never changes, so it is checked once; what could not be had is asked for again.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::Digest as _;
use tidegate_ecosystems::Part;
use tidegate_model::{Digest, Sha256, Timestamp};
use tidegate_provenance::formats::model;
use tidegate_provenance::{Format, KeyRing, Reason, Requirement, State, Trust, Verification};
use tidegate_store::catalogue::StoredVerification;

use super::checking::{CheckKey, storage};
use super::images::{is_of_a_stranger, told};
use super::outcome::{Checked, RETRY_SECONDS};
use super::trust;
use crate::door::{Door, Repository};
use crate::pipeline::artifacts::stage;
use crate::pipeline::contents::NotInspected;
use crate::pipeline::facts::purl_of;
use crate::pipeline::group::promised;
use crate::pipeline::package::Package;
use crate::upstream::UpstreamError;

/// Where a model's signature lies in its repository, the first that is there.
const SIGNATURES: [&str; 2] = ["model.sig", "model.sigstore.json"];
/// The most bytes of a signature.
const MAX_SIGNATURE_BYTES: u64 = 8 << 20;
/// The most files that are fetched to know their SHA-256, and the most bytes of them together: those that the repository keeps
/// in git. Of large files its list says it.
const MAX_FILES: usize = 256;
const MAX_BYTES: u64 = 96 << 20;
/// What belongs to git and not to the model. Signers leave it out, and hubs put it in.
const OF_GIT: [&str; 4] = [".git", ".gitattributes", ".github", ".gitignore"];

/// The file of a commit that signs all others, by its position.
pub fn signature_of(package: &Package) -> Option<usize> {
    if !package.name.ecosystem().is_grouped() || package.index.image().is_some() {
        return None;
    }
    SIGNATURES.into_iter().find_map(|name| package.position_of_file(name))
}

/// What a check of a commit is about: the list of its files.
pub fn subject_of(package: &Package) -> String {
    Digest::from(package.document).to_string()
}

/// Sees to it that what is signed about a commit has been checked, and that what it came to is stored.
///
/// # Errors
/// Our own storage failed. That a file cannot be had is a result.
pub async fn check_model(
    door: &Arc<Door>,
    repository: &Arc<Repository>,
    package: &Arc<Package>,
) -> Result<(), NotInspected> {
    let Some(position) = signature_of(package).filter(|_| door.config.provenance.enabled) else {
        return Ok(());
    };
    let (purl, file) = (purl_of(package, position), package.index.files()[position].file.to_string());
    let named: Arc<str> = format!("{}/{purl}", repository.name).into();
    let key: CheckKey = (named, file.as_str().into(), Digest::from(package.document), package.document);
    let known = door.caches.checked_images.get(&key);
    if known.is_some_and(|(_, roots)| roots == door.trusted.digest()) {
        return Ok(());
    }
    let model =
        OneModel { repository: Arc::clone(repository), package: Arc::clone(package), position, purl, file };
    let (door2, key2) = (Arc::clone(door), key.clone());
    let flight = door.flights.checks.run(key, move || async move {
        if model.check(&door2).await? {
            door2.caches.checked_images.insert(key2, (door2.clock.now(), door2.trusted.digest()));
        }
        Ok(())
    });
    flight.await.unwrap_or_else(|| {
        Err(NotInspected::Unavailable("checking provenance ended in an unforeseen way; see the log".into()))
    })
}

struct OneModel {
    repository: Arc<Repository>,
    package: Arc<Package>,
    position: usize,
    purl: String,
    file: String,
}

/// What a commit was checked with.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Evidence {
    /// The signature's text.
    signature: String,
    /// Why it is none, where it is none.
    broken: Option<String>,
    /// SHA-256 of every other file, by path.
    files: BTreeMap<String, Digest>,
    /// Files of which it is not known, because that would be too much.
    unread: usize,
}

impl OneModel {
    /// True where the result holds until something else is believed.
    async fn check(&self, door: &Arc<Door>) -> Result<bool, NotInspected> {
        let (roots, now) = (door.trusted.roots(), door.clock.now());
        let kept = self.kept(door).await?;
        if let Some((row, checked, _)) = &kept
            && checked.unavailable.is_some()
            && now.seconds_since(row.checked_at) < RETRY_SECONDS
        {
            return Ok(false);
        }
        let none = KeyRing::default();
        let believed = trust::digest(Trust { roots: &roots, keys: &none, now });
        let (evidence, unavailable) = match kept.as_ref().and_then(|(_, _, evidence)| evidence.clone()) {
            Some(evidence) => (evidence, None),
            None => match self.gather(door).await {
                Ok(evidence) => (evidence, None),
                Err(error) => (Evidence::default(), Some(format!("the files that are signed: {error}"))),
            },
        };
        let document = serde_json::to_vec(&evidence).expect("plain values");
        let requirement = Requirement { instance: self.repository.instance(), ..Requirement::default() };
        let key = name_of(&document, &requirement, believed);
        if unavailable.is_none() && kept.is_some_and(|(row, ..)| row.key == key) {
            return Ok(true);
        }
        let under = trust::digest_of(&roots);
        let is_had = unavailable.is_none();
        let outcomes = match &unavailable {
            Some(_) => Vec::new(),
            None => {
                let verified = door.heavy(move || {
                    let none = KeyRing::default();
                    judge(&evidence, &requirement, Trust { roots: &roots, keys: &none, now })
                });
                vec![verified.await]
            }
        };
        let checked = Checked::of(outcomes, unavailable).under(under);
        let document = is_had.then_some(document);
        self.store(door, key, &checked, document, now).await?;
        self.package.bump_local_epoch();
        Ok(is_had)
    }

    async fn kept(
        &self,
        door: &Arc<Door>,
    ) -> Result<Option<(StoredVerification, Checked, Option<Evidence>)>, NotInspected> {
        let (package, purl, file) = (self.package.purl.to_string(), self.purl.clone(), self.file.clone());
        let kept = door.catalogue(move |c| {
            let row = c.verifications_of(&package)?.into_iter().find(|r| r.purl == purl && r.file == file);
            let document = c.attestations(&package, &purl, &file)?;
            Ok(row.map(|row| (row, document)))
        });
        let kept = kept.await.map_err(storage)?;
        let subject = subject_of(&self.package);
        // What cannot be read, or is about another list of files, is as if nobody had checked.
        Ok(kept.filter(|(row, _)| row.subject == subject).and_then(|(row, document)| {
            let checked = serde_json::from_str(&row.result).ok()?;
            let evidence = document.and_then(|document| serde_json::from_slice(&document).ok());
            Some((row, checked, evidence))
        }))
    }

    /// The signature, and the SHA-256 of every other file: from the list, else from its bytes.
    async fn gather(&self, door: &Arc<Door>) -> Result<Evidence, UpstreamError> {
        let files = self.package.index.files();
        let mut evidence = Evidence::default();
        match self.signature(door).await? {
            Ok(signature) => evidence.signature = signature,
            Err(why) => evidence.broken = Some(why),
        }
        let mut unknown = Vec::new();
        for (position, listed) in files.iter().enumerate().filter(|(at, _)| *at != self.position) {
            let path = listed.file.as_str();
            if SIGNATURES.contains(&path) {
                continue;
            }
            match promised(listed) {
                Some(sha256) => drop(evidence.files.insert(path.to_owned(), sha256.into())),
                None => unknown.push(position),
            }
        }
        unknown.sort_by_key(|at| files[*at].size);
        let (all, mut bytes) = (unknown.len(), 0);
        for (read, position) in unknown.into_iter().enumerate() {
            bytes += files[position].size.unwrap_or(0);
            if read == MAX_FILES || bytes > MAX_BYTES {
                evidence.unread = all - read;
                break;
            }
            let staged = stage(door, &self.repository, &self.package, position, Part::Whole).await?;
            evidence.files.insert(files[position].file.to_string(), staged.known.sha256.into());
        }
        Ok(evidence)
    }

    async fn signature(&self, door: &Arc<Door>) -> Result<Result<String, String>, UpstreamError> {
        if self.package.index.files()[self.position].size.is_some_and(|size| size > MAX_SIGNATURE_BYTES) {
            return Ok(Err(format!("`{}` is larger than any real one", self.file)));
        }
        let staged = stage(door, &self.repository, &self.package, self.position, Part::Whole).await?;
        let text = String::from_utf8(staged.blob.bytes().to_vec());
        Ok(text.map_err(|_| format!("`{}` is not UTF-8", self.file)))
    }

    async fn store(
        &self,
        door: &Arc<Door>,
        key: Sha256,
        checked: &Checked,
        document: Option<Vec<u8>>,
        now: Timestamp,
    ) -> Result<(), NotInspected> {
        let row = StoredVerification {
            package: self.package.purl.to_string(),
            purl: self.purl.clone(),
            file: self.file.clone(),
            subject: subject_of(&self.package),
            key,
            checked_at: now,
            result: serde_json::to_string(checked).expect("outcomes are plain values"),
        };
        door.catalogue(move |c| c.put_verification(&row, document.as_deref())).await.map_err(storage)
    }
}

/// Names a result: the same for the same evidence, demands and roots.
fn name_of(document: &[u8], requirement: &Requirement, believed: Sha256) -> Sha256 {
    let mut hasher = sha2::Sha256::new();
    for part in
        [&b"tidegate/checked-model/v1"[..], document, requirement.digest().as_bytes(), believed.as_bytes()]
    {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part);
    }
    Sha256::new(hasher.finalize().into())
}

fn judge(evidence: &Evidence, requirement: &Requirement, trust: Trust<'_>) -> Verification {
    let of =
        |state, why: String| Verification { detail: Some(why), ..Verification::of(Format::Model, state) };
    if let Some(why) = &evidence.broken {
        return of(State::Malformed, why.clone());
    }
    let signature = evidence.signature.as_bytes();
    if evidence.unread > 0 {
        let why = format!("{} files of it are too many or too large to be read for that", evidence.unread);
        return of(State::Unsupported, why);
    }
    let check = |requirement: &Requirement| check(signature, &evidence.files, requirement, trust);
    let found = check(requirement);
    let State::Invalid { reason } = found.state else { return found };
    if reason == Reason::UnknownKey {
        return of(
            State::Unsupported,
            "it is signed by a bare key, and no key is believed for models".into(),
        );
    }
    let instance = &requirement.instance;
    for root in trust.roots.iter().filter(|root| root.instance() != instance) {
        let elsewhere = Requirement { instance: root.instance().clone(), ..requirement.clone() };
        if check(&elsewhere).is_verified() {
            let name = root.instance();
            return of(
                State::Unsupported,
                format!(
                    "it holds under the instance `{name}`, and this repository believes `{instance}`: set sigstore = \"{name}\" if that is right"
                ),
            );
        }
    }
    if is_of_a_stranger(reason, &found) {
        let why = format!(
            "it is signed under an authority that the instance `{instance}` does not know ({})",
            told(&found)
        );
        return of(State::Unsupported, why);
    }
    found
}

/// Against all files, else against those that do not belong to git.
fn check(
    signature: &[u8],
    files: &BTreeMap<String, Digest>,
    requirement: &Requirement,
    trust: Trust<'_>,
) -> Verification {
    let found = model::verify(signature, files, requirement, trust);
    if found.state != (State::Invalid { reason: Reason::ExtraFile }) {
        return found;
    }
    let is_of_git = |path: &str| OF_GIT.contains(&path.split('/').next().unwrap_or_default());
    let without: BTreeMap<String, Digest> = files
        .iter()
        .filter(|(path, _)| !is_of_git(path))
        .map(|(path, d)| (path.clone(), d.clone()))
        .collect();
    let mut again = model::verify(signature, &without, requirement, trust);
    if again.is_verified() {
        again
            .not_proven
            .push("anything of what belongs to git, such as `.gitattributes`: it was not signed".into());
        return again;
    }
    found
}
