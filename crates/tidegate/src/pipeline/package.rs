//! A package as this door knows it: its parsed index and what was seen of each file before.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use tidegate_ecosystems::Index;
use tidegate_ecosystems::likeness::Resemblance;
use tidegate_model::coordinate::package_purl;
use tidegate_model::{ListedFile, PackageName, Sha256, Timestamp};
use tidegate_store::catalogue::SightingState;

use super::approved::Approval;
use super::parts::Parts;
use crate::inspection::Seen;
use crate::upstream::Upstream;

/// Where the next package's count of local changes begins. A package that left memory and came back must not count from
/// where a view that is still in memory was made.
static NEXT_EPOCHS: AtomicU64 = AtomicU64::new(0);
/// More than one package can ever change.
const EPOCHS_APART: u64 = 1 << 32;

/// One parsed document with everything that decisions on its files read.
pub struct Package {
    /// Which package.
    pub name: PackageName,
    /// Its package URL without a version.
    pub purl: Arc<str>,
    /// The upstream that has it.
    pub upstream: Arc<Upstream>,
    /// What it offers.
    pub index: Arc<dyn Index>,
    /// Digest of the document.
    pub document: Sha256,
    /// First sightings, in the order of the files.
    pub sightings: Vec<SightingState>,
    /// How each file compares with the version before, in the order of the files.
    pub history: Vec<History>,
    /// When the project's first version was published, by upstream's claim.
    pub project_published_at: Option<Timestamp>,
    /// The popular name it could be taken for.
    pub resembles: Option<Resemblance>,
    /// SHA-256 digests that its index promises, where its files are decided on together.
    pub promised: Arc<[Sha256]>,
    /// What was seen in listings, with the digest under which each counts as a file, by position: of packages that are listings.
    pub listings: BTreeMap<usize, (Sha256, Seen)>,
    /// How current it is; outlives the package where a decided file still refers to it.
    pub freshness: Arc<Freshness>,
    /// Counts what changed here about the package's files: a first admission, a new pin.
    local_epoch: AtomicU64,
    /// Whether what is to be looked into before anything leaves has been.
    ready: AtomicBool,
    /// Whether all of it could be had when that was last decided.
    approval: Mutex<Option<Approval>>,
    /// The packages that it is made of, as far as they are known here.
    parts: Mutex<Arc<Parts>>,
    by_file: HashMap<Arc<str>, usize>,
}

/// How current a package is. Small, so that what refers to it for long does not keep a whole index in memory.
#[derive(Debug)]
pub struct Freshness {
    /// When upstream last said that the document is current, milliseconds.
    checked_at: AtomicI64,
    /// When somebody last began to refresh it, milliseconds.
    refresh_claimed_at: AtomicI64,
    superseded: AtomicBool,
    /// Counts what was found in files of the package.
    changes: AtomicU64,
}

impl Freshness {
    /// Upstream said so at this time.
    pub fn new(checked_at: Timestamp) -> Self {
        Self {
            checked_at: AtomicI64::new(checked_at.unix_millis()),
            refresh_claimed_at: AtomicI64::new(0),
            superseded: AtomicBool::new(false),
            changes: AtomicU64::new(0),
        }
    }

    /// What was found in files of the package so far, as a count.
    pub fn changes(&self) -> u64 {
        self.changes.load(Ordering::Acquire)
    }

    /// When upstream last said that the document is current.
    pub fn checked_at(&self) -> Timestamp {
        Timestamp::from_unix_millis(self.checked_at.load(Ordering::Relaxed))
    }

    /// Records that upstream said so again.
    pub fn set_checked_at(&self, at: Timestamp) {
        self.checked_at.store(at.unix_millis(), Ordering::Relaxed);
    }

    /// Whether a newer document has taken its place.
    pub fn is_superseded(&self) -> bool {
        self.superseded.load(Ordering::Acquire)
    }

    /// Marks that a newer document has taken its place.
    pub fn supersede(&self) {
        self.superseded.store(true, Ordering::Release);
    }

    /// True for one caller in `every_seconds`: that one refreshes.
    pub fn claim_refresh(&self, now: Timestamp, every_seconds: i64) -> bool {
        let last = self.refresh_claimed_at.load(Ordering::Relaxed);
        now.unix_millis() - last >= every_seconds * 1000
            && self
                .refresh_claimed_at
                .compare_exchange(last, now.unix_millis(), Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
    }
}

/// How a file compares with the version before it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// Whether installing runs a script and the version before ran none; `None` where that cannot be told.
    pub install_script_new: Option<bool>,
    /// Whether another account published the version before; `None` where that cannot be told.
    pub publisher_changed: Option<bool>,
    /// When the account that published this version first did so after another one; `None` where it never changed.
    pub publisher_changed_at: Option<Timestamp>,
    /// Whether the version before had an attestation and this one has none; `None` where that cannot be told.
    pub attestation_dropped: Option<bool>,
}

impl Package {
    /// Puts a parsed document together with what was seen before.
    pub fn new(
        upstream: Arc<Upstream>,
        index: Arc<dyn Index>,
        document: Sha256,
        sightings: Vec<SightingState>,
        freshness: Arc<Freshness>,
    ) -> Self {
        let files = index.files();
        let by_file = files.iter().enumerate().map(|(i, f)| (Arc::from(f.file.as_str()), i)).collect();
        Self {
            name: index.package().clone(),
            purl: package_purl(index.package()).into(),
            history: history(files),
            promised: match index.package().ecosystem().is_grouped() {
                true => files.iter().filter_map(super::group::promised).collect(),
                false => [].into(),
            },
            project_published_at: index.project_published_at(),
            resembles: tidegate_ecosystems::likeness::resembles(index.package()),
            upstream,
            document,
            sightings,
            freshness,
            local_epoch: AtomicU64::new(NEXT_EPOCHS.fetch_add(EPOCHS_APART, Ordering::Relaxed)),
            ready: AtomicBool::new(false),
            approval: Mutex::new(None),
            listings: BTreeMap::new(),
            parts: Mutex::default(),
            by_file,
            index,
        }
    }

    /// Whether what is to be looked into before anything leaves has been.
    pub fn is_ready(&self) -> bool {
        self.ready.load(Ordering::Acquire)
    }

    /// Whether all of it could be had when that was last decided.
    pub fn approval(&self) -> Option<Approval> {
        *self.approval.lock().expect("no panic while holding it")
    }

    /// Notes whether all of it can be had.
    pub fn set_approval(&self, approval: Approval) {
        *self.approval.lock().expect("no panic while holding it") = Some(approval);
    }

    /// Notes that it has been.
    pub fn set_ready(&self) {
        self.ready.store(true, Ordering::Release);
    }

    /// What changed here about the package's files, and those of what it is made of, so far.
    pub fn local_epoch(&self) -> u64 {
        let own = self.local_epoch.load(Ordering::Acquire);
        let parts = self.parts();
        parts.values().fold(own, |all, part| all.rotate_left(9).wrapping_add(part.package.local_epoch()))
    }

    /// The packages that it is made of, as far as they are known here.
    pub fn parts(&self) -> Arc<Parts> {
        Arc::clone(&self.parts.lock().expect("no panic while holding it"))
    }

    /// Takes what is known now of the packages that it is made of; what is not known any more stays as it was.
    pub fn learn(&self, found: Parts) {
        let mut parts = self.parts.lock().expect("no panic while holding it");
        let is_new = |(name, part): (&PackageName, &super::parts::Part)| {
            parts.get(name).is_none_or(|known| !Arc::ptr_eq(&known.package, &part.package))
        };
        if found.iter().any(is_new) {
            let mut all = (**parts).clone();
            all.extend(found);
            *parts = Arc::new(all);
        }
    }

    /// Notes that something changed here, so that rendered views are made anew.
    pub fn bump_local_epoch(&self) {
        self.local_epoch.fetch_add(1, Ordering::AcqRel);
        self.freshness.changes.fetch_add(1, Ordering::AcqRel);
    }

    /// The position of a file by its name.
    pub fn position_of_file(&self, file: &str) -> Option<usize> {
        self.by_file.get(file).copied()
    }

    /// The position of the first file of a version, by the version's exact text.
    pub fn position_of_version(&self, version: &str) -> Option<usize> {
        self.index.files().iter().position(|f| f.version.as_str() == version)
    }

    /// The file of the highest lower version that is of the same kind as this one; none for a first release.
    pub fn before(&self, position: usize) -> Option<usize> {
        let files = self.index.files();
        let this = &files[position];
        // What upstream took back is no measure for what comes after it.
        (0..files.len())
            .filter(|at| files[*at].version < this.version && same_kind(&files[*at], this))
            .filter(|at| {
                files[*at].yanked.is_none()
                    && (this.version.is_prerelease() || !files[*at].version.is_prerelease())
            })
            .max_by(|a, b| files[*a].version.cmp(&files[*b].version))
    }

    /// Roughly how many bytes this keeps in memory.
    pub fn weight(&self) -> u64 {
        (self.index.weight()
            + self.sightings.len() * 200
            + self.by_file.len() * 96
            + self.promised.len() * 32) as u64
    }
}

impl std::fmt::Debug for Package {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Package({}, {} files)", self.purl, self.index.files().len())
    }
}

/// Compares each file with the highest lower version.
fn history(files: &[ListedFile]) -> Vec<History> {
    let mut order: Vec<usize> = (0..files.len()).collect();
    order.sort_by(|a, b| files[*a].version.cmp(&files[*b].version));
    let mut history = vec![History::default(); files.len()];
    let mut previous: &[usize] = &[];
    let mut i = 0;
    while i < order.len() {
        // Files of one version are compared with the version before, not with each other.
        let mut end = i + 1;
        while end < order.len() && files[order[end]].version == files[order[i]].version {
            end += 1;
        }
        for &at in &order[i..end] {
            let before: Vec<&ListedFile> =
                previous.iter().map(|p| &files[*p]).filter(|p| same_kind(p, &files[at])).collect();
            history[at] = compare(&files[at], &before);
        }
        previous = &order[i..end];
        i = end;
    }
    publisher_changes(files, &mut history);
    history
}

/// Whether two files are of one kind: a source distribution that appears beside wheels is not a new install script.
fn same_kind(a: &ListedFile, b: &ListedFile) -> bool {
    let kind = |f: &ListedFile| f.file.as_str().rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
    // An extension built for one platform is compared with what was built for it before.
    let platform = |f: &ListedFile| {
        let stem = f.file.as_str().strip_suffix(".vsix").and_then(|stem| stem.rsplit_once('@'));
        stem.map(|(_, platform)| platform.to_owned())
    };
    kind(a) == kind(b) && platform(a) == platform(b)
}

fn compare(file: &ListedFile, before: &[&ListedFile]) -> History {
    // Something that any file of the version before had is not new.
    let had = |stated: fn(&ListedFile) -> Option<bool>| {
        before.iter().filter_map(|f| stated(f)).reduce(|a, b| a || b)
    };
    let install_script_new = match file.install_script.known() {
        Some(false) => Some(false),
        // The first version of a package has nothing to compare with.
        Some(true) => had(|f| f.install_script.known().copied()).map(|had| !had),
        None => None,
    };
    let attestation_dropped = match file.attestation.known() {
        Some(true) => Some(false),
        Some(false) => had(|f| f.attestation.known().copied()),
        None => None,
    };
    History { install_script_new, attestation_dropped, ..History::default() }
}

/// Follows the publishing account in order of publishing, which is the order in which an account is taken over.
fn publisher_changes(files: &[ListedFile], history: &mut [History]) {
    let mut order: Vec<usize> = (0..files.len()).filter(|i| files[*i].published_at.is_some()).collect();
    order.sort_by_key(|i| files[*i].published_at);
    let mut seen: Vec<&str> = Vec::new();
    let mut changed_at = None;
    for at in order {
        let Some(account) = files[at].publisher.known() else { continue };
        let new = !seen.is_empty() && !seen.contains(&account.as_str());
        if new {
            changed_at = files[at].published_at;
        }
        if !seen.contains(&account.as_str()) {
            seen.push(account);
        }
        history[at].publisher_changed = Some(new);
        history[at].publisher_changed_at = changed_at;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tidegate_model::{Ecosystem, FileName, Stated, Version};

    fn file(version: &str, script: bool, publisher: &str, day: i64, attested: bool) -> ListedFile {
        ListedFile {
            version: Version::parse(Ecosystem::Npm, version),
            file: FileName::parse(&format!("x-{version}.tgz")).unwrap(),
            location: "https://files.example/x".parse().unwrap(),
            digests: vec![],
            size: None,
            published_at: Some(Timestamp::from_unix_seconds(day * 86_400)),
            yanked: None,
            deprecated: None,
            licence: Stated::NotOffered,
            install_script: Stated::Known(script),
            publisher: Stated::Known(publisher.into()),
            attestation: Stated::Known(attested),
            metadata_sidecar: None,
        }
    }

    #[test]
    fn each_version_is_compared_with_the_one_below_it() {
        // Listed out of order, and 1.0.5 was published after 2.0.0.
        let files = [
            file("2.0.0", true, "mallory", 20, false),
            file("1.0.0", false, "alice", 1, true),
            file("1.1.0", false, "bob", 10, true),
            file("1.0.5", false, "alice", 25, true),
        ];
        let history = history(&files);
        assert_eq!(history[0].install_script_new, Some(true));
        assert_eq!(history[0].attestation_dropped, Some(true));
        assert_eq!(history[0].publisher_changed, Some(true));
        assert_eq!(
            history[1],
            History {
                install_script_new: Some(false),
                publisher_changed: Some(false),
                publisher_changed_at: None,
                attestation_dropped: Some(false)
            }
        );
        assert_eq!(history[2].publisher_changed, Some(true), "bob is new");
        assert_eq!(history[3].publisher_changed, Some(false), "alice was there before");
        assert_eq!(history[3].publisher_changed_at, Some(Timestamp::from_unix_seconds(20 * 86_400)));
    }

    #[test]
    fn a_first_version_with_a_script_has_nothing_to_compare_with() {
        assert_eq!(history(&[file("1.0.0", true, "a", 1, false)])[0].install_script_new, None);
    }
}
