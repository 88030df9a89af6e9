//! What is signed about an image: bundles that refer to its manifest, and cosign's signatures beside it. Asked for when the
//! image first comes through, kept, checked against its digest, and asked for again behind later answers.
//!
//! An image is decided on by its root, so evidence is that of the root: of the index where that is what was pulled, which
//! holds the digests of its platforms, or of a platform's manifest where that was pulled by itself.

mod evidence;
mod gather;
mod judge;

use std::sync::Arc;

use bytes::Bytes;
use sha2::Digest as _;
use tidegate_model::{Digest, Sha256, Timestamp};
use tidegate_provenance::{Requirement, Trust, Verification};
use tidegate_store::catalogue::StoredVerification;

use self::evidence::Evidence;
pub use self::evidence::Offer;
pub(super) use self::judge::{is_of_a_stranger, told};
use super::checking::{CheckKey, storage};
use super::outcome::{Checked, RETRY_SECONDS};
use super::trust;
use crate::door::{Door, Repository};
use crate::pipeline::contents::NotInspected;
use crate::pipeline::facts::purl_of;
use crate::pipeline::package::Package;

/// Seconds after which a registry is asked again for what it did not have: images are often signed after they are pushed.
const NOTHING_SECONDS: i64 = 3_600;
/// Seconds after which it is asked again for what it had.
const SOMETHING_SECONDS: i64 = 86_400;

/// Sees to it that what is signed about an image has been checked, and that what it came to is stored. Where it was before,
/// nobody waits: what became due is asked for behind.
///
/// # Errors
/// Our own storage failed. That a registry gives no evidence is a result.
pub async fn check_image(
    door: &Arc<Door>,
    repository: &Arc<Repository>,
    package: &Arc<Package>,
) -> Result<(), NotInspected> {
    let Some(image) = OneImage::of(door, repository, package) else { return Ok(()) };
    if image.due(door).is_none() {
        let (door2, key) = (Arc::clone(door), image.key.clone());
        let flight = door.flights.checks.run(key, move || async move { image.first(&door2).await });
        flight.await.unwrap_or_else(|| {
            Err(NotInspected::Unavailable(
                "checking provenance ended in an unforeseen way; see the log".into(),
            ))
        })?;
    }
    keep_current(door, repository, package);
    Ok(())
}

/// Sees, behind an answer, to what was stored of an image: what could not be had may be there by now, what is believed may be
/// other than then, and what was wrong may have been mended. Of an image that nobody checked it does nothing.
pub fn resume(door: &Arc<Door>, repository: &Arc<Repository>, package: &Arc<Package>) {
    let Some(image) = OneImage::of(door, repository, package) else { return };
    if image.due(door).is_some() {
        return keep_current(door, repository, package);
    }
    let (door2, key) = (Arc::clone(door), image.key.clone());
    door.flights.checks.start(key, move || async move {
        if image.kept(&door2).await?.is_some() { image.first(&door2).await } else { Ok(()) }
    });
}

/// Begins to ask again for what is signed about an image, where that is due.
fn keep_current(door: &Arc<Door>, repository: &Arc<Repository>, package: &Arc<Package>) {
    let Some(image) = OneImage::of(door, repository, package) else { return };
    let now = door.clock.now();
    if image.due(door).is_none_or(|due| now < due) {
        return;
    }
    // So that nobody else begins it meanwhile.
    image.put_due(door, now.plus_seconds(RETRY_SECONDS));
    let (door2, key) = (Arc::clone(door), image.key.clone());
    door.flights.checks.start(key, move || async move {
        let again = image.again(&door2).await;
        if let Err(error) = &again {
            tracing::warn!(error = %error, "what is signed about {} was not checked again: {error}", image.purl);
        }
        again
    });
}

struct OneImage {
    repository: Arc<Repository>,
    package: Arc<Package>,
    purl: String,
    root: Sha256,
    key: CheckKey,
}

/// What was stored of an image, with the evidence that it was checked with.
struct Kept {
    row: StoredVerification,
    checked: Checked,
    evidence: Evidence,
}

impl OneImage {
    fn of(door: &Door, repository: &Arc<Repository>, package: &Arc<Package>) -> Option<Self> {
        let root = package.index.image().filter(|_| door.config.provenance.enabled)?.root();
        let purl = purl_of(package, 0);
        // What is demanded and believed is a matter of the repository.
        let named: Arc<str> = format!("{}/{purl}", repository.name).into();
        let key = (named, package.index.files()[0].file.as_str().into(), Digest::from(root), root);
        Some(Self { repository: Arc::clone(repository), package: Arc::clone(package), purl, root, key })
    }

    /// When the registry is to be asked again; none where it was not asked, or what is believed has changed since.
    fn due(&self, door: &Door) -> Option<Timestamp> {
        let (due, roots) = door.caches.checked_images.get(&self.key)?;
        (roots == door.trusted.digest()).then_some(due)
    }

    fn put_due(&self, door: &Door, due: Timestamp) {
        door.caches.checked_images.insert(self.key.clone(), (due, door.trusted.digest()));
    }

    /// Whoever asks next waits for what could not be had, as soon as it may be asked for again.
    fn put_checked(&self, door: &Door, checked: &Checked, at: Timestamp) {
        match checked.unavailable {
            None => self.put_due(door, due(checked, at)),
            Some(_) => drop(door.caches.checked_images.remove(&self.key)),
        }
    }

    /// From what is kept, else from the registry.
    async fn first(&self, door: &Arc<Door>) -> Result<(), NotInspected> {
        let now = door.clock.now();
        let is_over = |kept: &Kept| {
            kept.checked.unavailable.is_some() && now.seconds_since(kept.row.checked_at) >= RETRY_SECONDS
        };
        match self.kept(door).await?.filter(|kept| !is_over(kept)) {
            Some(kept) => {
                let at = kept.row.checked_at;
                let checked = self.judge(door, kept.evidence, Some(&kept.row)).await?;
                self.put_checked(door, &checked, at);
            }
            None => {
                let evidence = gather::gather(door, &self.package, &self.root).await;
                let checked = self.judge(door, evidence, None).await?;
                self.put_checked(door, &checked, now);
            }
        }
        Ok(())
    }

    /// From the registry, with what it showed before and no longer does.
    async fn again(&self, door: &Arc<Door>) -> Result<(), NotInspected> {
        let mut evidence = gather::gather(door, &self.package, &self.root).await;
        let kept = self.kept(door).await?;
        if let Some(kept) = kept.filter(|kept| kept.evidence.unavailable.is_none()) {
            if let Some(why) = &evidence.unavailable {
                // What was known stays known; it is asked for again after the pause that stands in the cache.
                tracing::debug!("what is signed about {} could not be asked for again: {why}", self.purl);
                return Ok(());
            }
            evidence.remember(kept.evidence);
        }
        let checked = self.judge(door, evidence, None).await?;
        self.put_checked(door, &checked, door.clock.now());
        Ok(())
    }

    async fn kept(&self, door: &Arc<Door>) -> Result<Option<Kept>, NotInspected> {
        let (package, purl, file) =
            (self.package.purl.to_string(), self.purl.clone(), self.key.1.to_string());
        let kept = door.catalogue(move |c| {
            let row = c.verifications_of(&package)?.into_iter().find(|r| r.purl == purl && r.file == file);
            let document = c.attestations(&package, &purl, &file)?;
            Ok(row.zip(document))
        });
        let Some((row, document)) = kept.await.map_err(storage)? else { return Ok(None) };
        // What cannot be read is as if nobody had checked.
        let read = serde_json::from_str(&row.result).ok().zip(Evidence::read(&document));
        Ok(read.map(|(checked, evidence)| Kept { row, checked, evidence }))
    }

    /// Checks evidence and stores what it comes to, unless that is what `stored` says.
    async fn judge(
        &self,
        door: &Arc<Door>,
        evidence: Evidence,
        stored: Option<&StoredVerification>,
    ) -> Result<Checked, NotInspected> {
        let (roots, keys, now) =
            (door.trusted.roots(), Arc::clone(&self.repository.cosign_keys), door.clock.now());
        let believed = trust::digest(Trust { roots: &roots, keys: &keys, now });
        let requirement = self.requirement();
        if let Some(row) = stored.filter(|row| row.key == self.name_of(&evidence, &requirement, believed)) {
            return Ok(serde_json::from_str(&row.result).unwrap_or_default());
        }
        let (root, is_index, under) = (self.root, self.is_index(), trust::digest_of(&roots));
        let (mut evidence, checked) = door
            .heavy(move || {
                let mut evidence = evidence;
                let trust = Trust { roots: &roots, keys: &keys, now };
                let checked = judge::judge(&mut evidence, &root, is_index, &requirement, trust);
                (evidence, checked.under(under))
            })
            .await;
        evidence.forget_what_is_gone();
        let key = self.name_of(&evidence, &self.requirement(), believed);
        let row = StoredVerification {
            package: self.package.purl.to_string(),
            purl: self.purl.clone(),
            file: self.key.1.to_string(),
            subject: self.root.to_string(),
            key,
            checked_at: now,
            result: serde_json::to_string(&checked).expect("outcomes are plain values"),
        };
        let document = evidence.write();
        door.catalogue(move |c| c.put_verification(&row, Some(&document))).await.map_err(storage)?;
        self.package.bump_local_epoch();
        Ok(checked)
    }

    /// Names a result: the same for the same evidence, image, demands, roots and keys.
    fn name_of(&self, evidence: &Evidence, requirement: &Requirement, believed: Sha256) -> Sha256 {
        let mut hasher = sha2::Sha256::new();
        let document = Bytes::from(evidence.write());
        for part in [
            &b"tidegate/checked-image/v1"[..],
            &document,
            self.root.as_bytes(),
            requirement.digest().as_bytes(),
            believed.as_bytes(),
        ] {
            hasher.update((part.len() as u64).to_be_bytes());
            hasher.update(part);
        }
        Sha256::new(hasher.finalize().into())
    }

    /// That the repository's instance vouches. Which source and builder are wanted is for rules to say.
    fn requirement(&self) -> Requirement {
        Requirement { instance: self.repository.instance(), ..Requirement::default() }
    }

    fn is_index(&self) -> bool {
        let image = self.package.index.image();
        image.and_then(|image| image.body(0)).is_some_and(|(_, media_type)| {
            media_type.contains("index") || media_type.contains("manifest.list")
        })
    }
}

/// When the registry is to be asked again.
fn due(checked: &Checked, at: Timestamp) -> Timestamp {
    let is_signed = checked.outcomes.iter().any(Verification::is_verified);
    at.plus_seconds(if is_signed { SOMETHING_SECONDS } else { NOTHING_SECONDS })
}
