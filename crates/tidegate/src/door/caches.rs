//! What is kept in memory, each with a budget, and the work that many may wait for.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use quick_cache::Weighter;
use quick_cache::sync::Cache;
use tidegate_ecosystems::FetchedDocument;
use tidegate_model::{PackageName, Sha256, Timestamp};
use tidegate_store::catalogue::TokenHash;

use super::Identity;
use crate::pipeline::Hot;
use crate::pipeline::ahead::Ahead;
use crate::pipeline::artifacts::{StageKey, Staged};
use crate::pipeline::catalogue::Catalogued;
use crate::pipeline::catalogue_ask::{DecidedList, ListKey};
use crate::pipeline::commits::{CommitKey, Resolved};
use crate::pipeline::contents::{LookKey, NotInspected};
use crate::pipeline::documents::LoadError;
use crate::pipeline::file_ask::HotKey;
use crate::pipeline::group::NotReady;
use crate::pipeline::images::{ImagesKey, Known};
use crate::pipeline::package::Package;
use crate::pipeline::recall::Kept;
use crate::pipeline::views::{RenderedView, ViewKey};
use crate::provenance::{CheckKey, RegistryKeys};
use crate::single_flight::SingleFlight;
use crate::upstream::UpstreamError;

/// Names a package in a repository.
pub(super) type PackageKey = (Arc<str>, PackageName);
/// Names an identity: token, address, client.
pub(super) type IdentityKey = (Option<TokenHash>, IpAddr, Option<String>);
/// Names the making of one view.
pub(super) type ViewFlight = (ViewKey, u64, Sha256, u64);

/// Weighs values by the bytes they keep.
#[derive(Clone, Debug)]
pub struct ByBytes;

impl Weighter<PackageKey, Arc<Package>> for ByBytes {
    fn weight(&self, _: &PackageKey, package: &Arc<Package>) -> u64 {
        package.weight().max(1)
    }
}

impl Weighter<CommitKey, Arc<Package>> for ByBytes {
    fn weight(&self, _: &CommitKey, package: &Arc<Package>) -> u64 {
        package.weight().max(1)
    }
}

impl Weighter<ViewKey, Arc<RenderedView>> for ByBytes {
    fn weight(&self, _: &ViewKey, view: &Arc<RenderedView>) -> u64 {
        view.weight().max(1)
    }
}

/// Everything that is kept in memory.
#[derive(Debug)]
pub struct Caches {
    /// Parsed packages, by bytes.
    pub packages: Cache<PackageKey, Arc<Package>, ByBytes>,
    /// Commits with their files, by bytes.
    pub commits: Cache<CommitKey, Arc<Package>, ByBytes>,
    /// Which commits revisions are.
    pub revisions: Cache<CommitKey, Arc<Resolved>>,
    /// The images of each repository of a registry.
    pub images: Cache<ImagesKey, Arc<Known>>,
    /// Manifests of which everything that they name was looked into.
    pub ready_images: Cache<CommitKey, ()>,
    /// Lists of all packages, by repository.
    pub lists: Cache<Arc<str>, Arc<Catalogued>>,
    /// Decisions on everything in a list.
    pub decided_lists: Cache<ListKey, Arc<DecidedList>>,
    /// Rendered views, by bytes.
    pub views: Cache<ViewKey, Arc<RenderedView>, ByBytes>,
    /// Decided files; their bytes are maps of files, which the system's page cache holds.
    pub hot: Cache<HotKey, Arc<Hot>>,
    /// Files opened lately and when, so that many who want one share its map.
    pub staged: Cache<StageKey, (Staged, Instant)>,
    /// Files that were looked into and compared.
    pub looked: Cache<LookKey, ()>,
    /// Files of which everything that is signed was checked.
    pub checked: Cache<CheckKey, ()>,
    /// Images and models of which it was: when their registry is to be asked again, and the roots that were believed.
    pub checked_images: Cache<CheckKey, (Timestamp, Sha256)>,
    /// Keys that registries list, by base address.
    pub registry_keys: Cache<Arc<str>, RegistryKeys>,
    /// Known identities.
    pub identities: Cache<IdentityKey, Arc<Identity>>,
    /// Preludes of upstreams, by base address.
    pub preludes: Cache<Arc<str>, (FetchedDocument, Timestamp)>,
    /// What clients are to give up, by repository.
    pub recalled: Cache<Arc<str>, Kept>,
}

/// How many decided files are kept. Each keeps one map; Linux allows 65,530 of them in a process.
const HOT_FILES: usize = 20_000;
/// How many files opened lately are kept.
const STAGED_FILES: usize = 256;
/// How many files are known to have been looked into without asking the catalogue.
const LOOKED: usize = 50_000;
/// How many identities are kept.
const IDENTITIES: usize = 20_000;
/// How many revisions are kept.
const REVISIONS: usize = 20_000;
/// Of how many repositories of registries the images are kept.
const IMAGES: usize = 2_000;
/// How many lists are kept, and how many sets of decisions on one.
const LISTS: usize = 16;
/// How many preludes, and lists of what to give up, are kept.
const PRELUDES: usize = 64;

impl Caches {
    /// Caches that together keep about `memory_bytes`.
    pub fn new(memory_bytes: u64) -> Self {
        let (half, eighth) = (memory_bytes / 2, memory_bytes / 8);
        // The estimates only size the tables.
        let items = usize::try_from(half / 50_000).unwrap_or(10_000).max(100);
        Self {
            packages: Cache::with_weighter(items, half, ByBytes),
            commits: Cache::with_weighter(items, eighth, ByBytes),
            revisions: Cache::new(REVISIONS),
            images: Cache::new(IMAGES),
            ready_images: Cache::new(REVISIONS),
            lists: Cache::new(LISTS),
            decided_lists: Cache::new(LISTS),
            views: Cache::with_weighter(items, memory_bytes - half - eighth, ByBytes),
            hot: Cache::new(HOT_FILES),
            staged: Cache::new(STAGED_FILES),
            looked: Cache::new(LOOKED),
            checked: Cache::new(LOOKED),
            checked_images: Cache::new(LOOKED),
            registry_keys: Cache::new(PRELUDES),
            identities: Cache::new(IDENTITIES),
            preludes: Cache::new(PRELUDES),
            recalled: Cache::new(PRELUDES),
        }
    }
}

/// Work that is done once for all who wait.
#[derive(Debug, Default)]
pub struct Flights {
    /// Asking upstream for an index.
    pub packages: SingleFlight<PackageKey, Result<Arc<Package>, LoadError>>,
    /// Asking upstream which commit a revision is.
    pub revisions: SingleFlight<CommitKey, Result<Arc<Resolved>, LoadError>>,
    /// Asking upstream what a commit holds.
    pub commits: SingleFlight<CommitKey, Result<Arc<Package>, LoadError>>,
    /// The turn of whoever changes what is remembered of images.
    pub images: tokio::sync::Mutex<()>,
    /// Asking upstreams for the list of a repository.
    pub lists: SingleFlight<Arc<str>, Result<Arc<Catalogued>, LoadError>>,
    /// Asking for what the packages of a list are made of.
    pub parts: SingleFlight<(Arc<str>, Sha256), ()>,
    /// Looking into what steers loading a commit.
    pub groups: SingleFlight<CommitKey, Result<(), NotReady>>,
    /// Fetching an artifact.
    pub artifacts: SingleFlight<StageKey, Result<Staged, UpstreamError>>,
    /// Looking into a file and comparing it.
    pub looks: SingleFlight<LookKey, Result<(), NotInspected>>,
    /// Checking what is signed about a file.
    pub checks: SingleFlight<CheckKey, Result<(), NotInspected>>,
    /// Looking into bytes.
    pub inspections: SingleFlight<Sha256, Result<(), NotInspected>>,
    /// Looking into what nobody asked for yet.
    pub ahead: Ahead,
    /// Rendering a view.
    pub views: SingleFlight<ViewFlight, Result<Arc<RenderedView>, String>>,
}
