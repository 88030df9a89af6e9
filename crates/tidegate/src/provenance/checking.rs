//! Checking what is signed about one file, once for the same evidence, bytes and roots; and about the version before, so that
//! a change of origin shows.

use std::sync::Arc;

use bytes::Bytes;
use sha2::Digest as _;
use tidegate_ecosystems::{AttestationDocument, AttestationForm, RegistrySignatures};
use tidegate_model::{Algorithm, Digest, Ecosystem, Sha256, Timestamp};
use tidegate_provenance::formats::{npm, open_vsx, pypi};
use tidegate_provenance::{KeyRing, Requirement, Roots, Subject, Trust, Verification};
use tidegate_store::catalogue::{CatalogueError, StoredVerification};

use super::outcome::{Checked, RETRY_SECONDS};
use super::{keys, trust};
use crate::door::{Door, Repository};
use crate::pipeline::contents::NotInspected;
use crate::pipeline::documents::LoadError;
use crate::pipeline::facts::{BytesKnown, purl_of};
use crate::pipeline::package::Package;
use crate::upstream::{Fetched, UpstreamError, Validators};

/// Names one file with the digest that its evidence is about, and the document that lists it.
pub type CheckKey = (Arc<str>, Arc<str>, Digest, Sha256);

/// Sees to it that what is signed about a file has been checked against its bytes, and that what it came to is stored.
///
/// # Errors
/// Our own storage failed. That an upstream gives no evidence is a result.
pub async fn check(
    door: &Arc<Door>,
    repository: &Arc<Repository>,
    package: &Arc<Package>,
    position: usize,
    bytes: &BytesKnown,
) -> Result<(), NotInspected> {
    if !door.config.provenance.enabled || !is_offered(package, position) {
        return Ok(());
    }
    let digests = [Some(Digest::from(bytes.sha256)), bytes.sha512.clone()].into_iter().flatten().collect();
    once(door, repository, package, position, digests).await?;
    // What was built somewhere else than before is news only to whoever knows of before.
    if let Some(before) = package.before(position).filter(|before| tells_origin(package, *before)) {
        let promised = package.index.files()[before].digests.iter().filter(|d| d.algorithm().is_strong());
        once(door, repository, package, before, promised.cloned().collect()).await?;
    }
    Ok(())
}

/// Whether the index says that anything is signed about a file.
fn is_offered(package: &Package, position: usize) -> bool {
    package.index.attestations(position).is_some() || package.index.registry_signatures(position).is_some()
}

/// Whether what is signed about a file may say where it is from; what its registry signs does not.
fn tells_origin(package: &Package, position: usize) -> bool {
    let of_registry = |document: AttestationDocument| document.form.is_of_registry();
    is_offered(package, position) && !package.index.attestations(position).is_some_and(of_registry)
}

/// Checks one file against these digests, unless that was done.
async fn once(
    door: &Arc<Door>,
    repository: &Arc<Repository>,
    package: &Arc<Package>,
    position: usize,
    digests: Vec<Digest>,
) -> Result<(), NotInspected> {
    let Some(first) = digests.first().cloned() else { return Ok(()) };
    let file = package.index.files()[position].file.as_str();
    let key: CheckKey = (purl_of(package, position).into(), file.into(), first, package.document);
    if door.caches.checked.get(&key).is_some() {
        return Ok(());
    }
    let (door2, repository, package, key2) =
        (Arc::clone(door), Arc::clone(repository), Arc::clone(package), key.clone());
    let checked = door
        .flights
        .checks
        .run(key, move || async move {
            let file = OneFile { repository, package, position, digests };
            let had = file.check(&door2).await?;
            if had {
                door2.caches.checked.insert(key2, ());
            }
            Ok(())
        })
        .await;
    checked.unwrap_or_else(|| {
        Err(NotInspected::Unavailable("checking provenance ended in an unforeseen way; see the log".into()))
    })
}

struct OneFile {
    repository: Arc<Repository>,
    package: Arc<Package>,
    position: usize,
    digests: Vec<Digest>,
}

/// Everything that is signed about a file.
struct Evidence {
    document: Option<(AttestationForm, Bytes)>,
    signatures: Option<RegistrySignatures>,
    unavailable: Option<String>,
}

impl OneFile {
    /// True where the result holds until something changes; false where upstream is to be asked again later.
    async fn check(&self, door: &Arc<Door>) -> Result<bool, NotInspected> {
        let stored = self.stored(door).await?;
        let now = door.clock.now();
        if let Some((row, checked)) = &stored
            && checked.unavailable.is_some()
            && now.seconds_since(row.checked_at) < RETRY_SECONDS
        {
            return Ok(false);
        }
        let roots = door.trusted.roots();
        let (ring, keyless) = self.keys(door).await?;
        let document = match &stored {
            Some((row, checked)) if checked.unavailable.is_none() => self.kept(door, row).await?,
            _ => None,
        };
        let was_kept = document.is_some();
        let mut evidence = self.gather(door, document).await;
        let believed = trust::digest(Trust { roots: &roots, keys: &ring, now });
        let mut key = self.key(&evidence, believed);
        if stored.as_ref().is_some_and(|(row, _)| row.key == key && evidence.unavailable.is_none()) {
            return Ok(true);
        }
        if was_kept && self.is_signed_by_registry() {
            // A registry that has another key now has signed anew.
            evidence = self.gather(door, None).await;
            key = self.key(&evidence, believed);
        }
        evidence.unavailable = evidence.unavailable.or(keyless);
        let mut unavailable = evidence.unavailable.clone();
        let document = evidence.document.as_ref().map(|(_, bytes)| bytes.clone());
        let under = trust::digest_of(&roots);
        let outcomes = self.verify(door, evidence, ring, roots, now).await;
        if outcomes.is_empty() && document.is_some() && self.is_signed_by_registry() {
            unavailable.get_or_insert_with(|| "its bytes have just been evicted".into());
        }
        let checked = Checked::of(outcomes, unavailable.clone()).under(under);
        self.store(door, key, checked, document, now).await?;
        self.package.bump_local_epoch();
        Ok(unavailable.is_none())
    }

    /// The keys that signatures of this file are checked with, or why they cannot be had.
    async fn keys(&self, door: &Arc<Door>) -> Result<(KeyRing, Option<String>), NotInspected> {
        let upstream = &self.package.upstream;
        let named = self.package.index.attestations(self.position).and_then(|document| document.key);
        if let Some(request) = named {
            // Believed for this signature alone: a key that an upstream names vouches for nothing else.
            return Ok(match keys::named(door, &self.repository, upstream, &request).await {
                Ok(ring) => (KeyRing::clone(&ring), None),
                Err(why) => (KeyRing::default(), Some(format!("the key of its registry's signature: {why}"))),
            });
        }
        let listed = keys::of(door, &self.repository, upstream).await.map_err(load_failed)?;
        Ok((door.trusted.keys(&listed), None))
    }

    fn is_signed_by_registry(&self) -> bool {
        self.package.index.attestations(self.position).is_some_and(|document| document.form.is_of_registry())
    }

    fn purl(&self) -> String {
        purl_of(&self.package, self.position)
    }

    fn file(&self) -> &str {
        self.package.index.files()[self.position].file.as_str()
    }

    /// What was stored for this file about these bytes.
    async fn stored(&self, door: &Arc<Door>) -> Result<Option<(StoredVerification, Checked)>, NotInspected> {
        let (package, purl, file) = (self.package.purl.to_string(), self.purl(), self.file().to_owned());
        let rows = door.catalogue(move |c| c.verifications_of(&package)).await.map_err(storage)?;
        let row = rows.into_iter().find(|row| row.purl == purl && row.file == file);
        Ok(row.filter(|row| self.is_about(row)).and_then(|row| {
            let checked = serde_json::from_str(&row.result).ok()?;
            Some((row, checked))
        }))
    }

    fn is_about(&self, row: &StoredVerification) -> bool {
        self.digests.iter().any(|digest| digest.to_string() == row.subject)
    }

    /// The document of attestations that it was checked with.
    async fn kept(&self, door: &Arc<Door>, row: &StoredVerification) -> Result<Option<Bytes>, NotInspected> {
        let row = row.clone();
        let kept = door.catalogue(move |c| c.attestations(&row.package, &row.purl, &row.file)).await;
        Ok(kept.map_err(storage)?.map(Bytes::from))
    }

    /// What is signed about the file: from what was kept, else from the address that the index names.
    async fn gather(&self, door: &Arc<Door>, kept: Option<Bytes>) -> Evidence {
        let signatures = self.package.index.registry_signatures(self.position);
        let mut evidence = Evidence { document: None, signatures, unavailable: None };
        let Some(AttestationDocument { form, request, .. }) = self.package.index.attestations(self.position)
        else {
            return evidence;
        };
        if let Some(bytes) = kept {
            evidence.document = Some((form, bytes));
            return evidence;
        }
        let upstream = &self.package.upstream;
        upstream.learn_host(&request.url);
        match door.client.document(upstream, &request, None, &Validators::default()).await {
            Ok(Fetched::Document { document, .. }) => evidence.document = Some((form, document.body)),
            Ok(Fetched::NotModified) => {
                evidence.unavailable = Some("\"not modified\" without a condition".into());
            }
            Err(UpstreamError::Absent { upstream, status }) => {
                evidence.unavailable = Some(format!(
                    "the index of {upstream} announces attestations, which are not there (HTTP {status})"
                ));
            }
            Err(error) => evidence.unavailable = Some(format!("its attestations: {error}")),
        }
        evidence
    }

    /// Names the result: the same for the same evidence, bytes, demands, roots and keys.
    fn key(&self, evidence: &Evidence, believed: Sha256) -> Sha256 {
        let mut hasher = sha2::Sha256::new();
        let mut part = |bytes: &[u8]| {
            hasher.update((bytes.len() as u64).to_be_bytes());
            hasher.update(bytes);
        };
        part(b"tidegate/checked/v1");
        part(evidence.document.as_ref().map_or(&[][..], |(_, bytes)| bytes));
        if let Some(signed) = &evidence.signatures {
            part(signed.integrity.as_bytes());
            for (key, signature) in &signed.signatures {
                part(key.as_bytes());
                part(signature.as_bytes());
            }
        }
        self.digests.iter().for_each(|digest| part(digest.to_string().as_bytes()));
        part(self.requirement().digest().as_bytes());
        part(believed.as_bytes());
        Sha256::new(hasher.finalize().into())
    }

    /// What is demanded of each attestation: that the repository's instance vouches. Which source and builder are wanted is for
    /// rules to say.
    fn requirement(&self) -> Requirement {
        Requirement { instance: self.repository.instance(), ..Requirement::default() }
    }

    fn subject(&self) -> Subject {
        let listed = &self.package.index.files()[self.position];
        match self.package.name.ecosystem() {
            Ecosystem::Npm => {
                Subject::npm(self.package.name.as_str(), listed.version.as_str(), self.digests.clone())
            }
            Ecosystem::Vscode => Subject::new(self.digests.clone()),
            _ => Subject::pypi(listed.file.as_str(), self.digests.clone()),
        }
    }

    /// The digest under which its bytes are kept.
    fn sha256(&self) -> Option<Sha256> {
        let digest = self.digests.iter().find(|digest| digest.algorithm() == Algorithm::Sha256)?;
        Sha256::from_hex(&digest.hex())
    }

    async fn verify(
        &self,
        door: &Arc<Door>,
        evidence: Evidence,
        ring: KeyRing,
        roots: Arc<Roots>,
        now: Timestamp,
    ) -> Vec<Verification> {
        let (subject, requirement) = (self.subject(), self.requirement());
        let (package, position) = (Arc::clone(&self.package), self.position);
        let (door2, sha256) = (Arc::clone(door), self.sha256());
        door.heavy(move || {
            let trust = Trust { roots: &roots, keys: &ring, now };
            let mut outcomes = match &evidence.document {
                Some((AttestationForm::Npm, bytes)) => npm::verify(bytes, &subject, &requirement, trust),
                Some((AttestationForm::Pep740, bytes)) => pypi::verify(bytes, &subject, &requirement, trust),
                // Without its key nothing is said of it; why there is none stands beside the outcomes.
                Some((AttestationForm::OpenVsx, _)) if evidence.unavailable.is_some() => Vec::new(),
                Some((AttestationForm::OpenVsx, bytes)) => {
                    let signed =
                        sha256.and_then(|sha256| door2.store.blobs.open_blob(&sha256).ok().flatten());
                    match signed {
                        Some(blob) => {
                            vec![open_vsx::verify(bytes, blob.bytes(), &subject, &requirement, trust)]
                        }
                        None => Vec::new(),
                    }
                }
                None => Vec::new(),
            };
            if let Some(signed) = &evidence.signatures {
                let listed = &package.index.files()[position];
                let published = npm::Published {
                    name: package.name.as_str(),
                    version: listed.version.as_str(),
                    integrity: &signed.integrity,
                    signatures: &signed.signatures,
                    published: listed.published_at,
                };
                outcomes.push(npm::verify_signatures(published, &subject, &requirement, trust));
            }
            outcomes
        })
        .await
    }

    async fn store(
        &self,
        door: &Arc<Door>,
        key: Sha256,
        checked: Checked,
        document: Option<Bytes>,
        now: Timestamp,
    ) -> Result<(), NotInspected> {
        let row = StoredVerification {
            package: self.package.purl.to_string(),
            purl: self.purl(),
            file: self.file().to_owned(),
            subject: self.digests.first().map(ToString::to_string).unwrap_or_default(),
            key,
            checked_at: now,
            result: serde_json::to_string(&checked).expect("outcomes are plain values"),
        };
        door.catalogue(move |c| c.put_verification(&row, document.as_deref())).await.map_err(storage)
    }
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
pub(super) fn storage(error: CatalogueError) -> NotInspected {
    NotInspected::Storage(format!("{error}: {}", error.cause))
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn load_failed(error: LoadError) -> NotInspected {
    NotInspected::Storage(error.to_string())
}
