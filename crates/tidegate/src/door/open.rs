//! Opening a door: data directory, ledger, catalogue, repositories, policy.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, RwLock};
use std::time::Duration;

use base64::Engine as _;
use http::HeaderValue;
use tidegate_ecosystems::UpstreamBase;
use tidegate_intel::Intel;
use tidegate_ledger::entry::Start;
use tidegate_ledger::{Body, EntryDraft, Limits, Mode, NodeId, Recorder};
use tidegate_model::{Ecosystem, Secret};
use tidegate_store::access_index::AccessIndex;
use tidegate_store::blobs::BlobStore;
use tidegate_store::catalogue::Catalogue;
use tidegate_store::catalogue::sqlite::SqliteCatalogue;
use tidegate_sys::disk::{Disk, RealDisk};

use super::{
    BLOCKING_AT_A_TIME, Caches, Door, Flights, PolicySource, Repository, RulesError, Store, TENANT, Words,
    controls, rules,
};
use crate::clock::Clock;
use crate::config::{self, Config, LedgerMode};
use crate::custody::{Custody, CustodyKeyError};
use crate::discover::{Discovered, NotConfigured};
use crate::events::{Events, SinkError};
use crate::inspection::{Looker, WorkerCommand};
use crate::intel::effects::{self, Effects};
use crate::intel::sync::Attempts;
use crate::intel::{self, Advisories};
use crate::ledger::{Cosigners, Tree, TreeSources};
use crate::metrics::Metrics;
use crate::provenance::{TrustError, Trusted, cosign_keys};
use crate::upstream::proxy::Proxies;
use crate::upstream::{Client, ClientSettings, NamePatterns, Upstream};

/// What a door is opened with.
#[derive(Clone)]
pub struct Options {
    /// Configuration.
    pub config: Config,
    /// Data directory.
    pub data: PathBuf,
    /// The time.
    pub clock: Clock,
    /// Upstreams found on this machine, for repositories whose configuration names none.
    pub discovery: Vec<Result<Discovered, NotConfigured>>,
    /// The disk that ledger and blobs live on.
    pub disk: Arc<dyn Disk>,
    /// What looks inside artifacts.
    pub inspection_worker: WorkerCommand,
}

impl Options {
    /// Options for a door on this machine's disk and clock.
    pub fn new(config: Config, data: PathBuf, discovery: Vec<Result<Discovered, NotConfigured>>) -> Self {
        Self {
            config,
            data,
            clock: Clock::system(),
            discovery,
            disk: Arc::new(RealDisk),
            inspection_worker: WorkerCommand::this_program(),
        }
    }
}

/// Why a door cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum DoorError {
    /// The data directory cannot be used.
    #[error("the data directory `{}` cannot be used: {source}\n  give the user that runs tidegate write access, or name another with --data", path.display())]
    Data {
        /// Which directory.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// Another door has it open.
    #[error("another tidegate uses the data directory `{}`\n  use that one (`tidegate status`), or name another directory with --data", path.display())]
    InUse {
        /// Which directory.
        path: PathBuf,
    },
    /// A part of the store cannot be opened.
    #[error("{0}")]
    Store(String),
    /// The policy cannot be put in force.
    #[error(transparent)]
    Rules(#[from] RulesError),
    /// The system has no certificate authorities.
    #[error(
        "the system's certificate authorities cannot be read: {0}\n  install the package ca-certificates, or set SSL_CERT_FILE"
    )]
    Certificates(std::io::Error),
    /// An upstream's credentials are named and not there.
    #[error(
        "[repository.{repository}] names the environment variable `{variable}`, which is not set or not usable\n  set it, or remove the line"
    )]
    Credentials {
        /// Which repository.
        repository: String,
        /// Which variable.
        variable: String,
    },
    /// A trust root cannot be used.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// An event sink cannot be used.
    #[error(transparent)]
    Events(#[from] SinkError),
    /// The key for statements of custody cannot be used.
    #[error(transparent)]
    Custody(#[from] CustodyKeyError),
    /// Nothing can look inside artifacts.
    #[error(
        "the workers that look inside artifacts cannot be set up: {source}\n  free threads and disk, or set enabled = false in [inspection]"
    )]
    Workers {
        /// What the system says.
        source: std::io::Error,
    },
    /// No randomness.
    #[error("the system gives no random bytes")]
    Randomness,
}

impl Door {
    /// Opens a door. Blocks.
    ///
    /// # Errors
    /// [`DoorError`] says what cannot be used and what to do.
    pub fn open(options: Options) -> Result<Arc<Self>, DoorError> {
        let Options { config, data, clock, discovery, disk, inspection_worker } = options;
        let store_error = |e: &dyn std::error::Error| DoorError::Store(chain(e));
        disk.create_dir_all(&data).map_err(|source| DoorError::Data { path: data.clone(), source })?;
        let sqlite =
            Arc::new(SqliteCatalogue::open(&data.join("catalogue.sqlite")).map_err(|e| store_error(&e))?);
        let catalogue: Arc<dyn Catalogue> = Arc::<SqliteCatalogue>::clone(&sqlite);
        let quota = config.cache.disk_gib.saturating_mul(1 << 30);
        let blobs =
            BlobStore::open(Arc::clone(&disk), &data.join("blobs"), quota).map_err(|e| store_error(&e))?;
        let node = node_id(&*catalogue)?;
        let mode = match config.ledger.mode {
            LedgerMode::Durable => Mode::Durable,
            LedgerMode::Batched => Mode::Batched,
        };
        let (recorder, report) =
            Recorder::open(Arc::clone(&disk), &data.join("ledger"), node.clone(), mode, Limits::default())
                .map_err(|e| store_error(&e))?;
        let recorder = Arc::new(recorder);
        // What an earlier process recorded and was killed before it could count it.
        recorder.count_now(clock.now(), &TENANT.into()).map_err(|e| store_error(&e))?;
        let via = format!("tidegate-{node}");
        let tree = Tree::open(&TreeSources {
            data: &data,
            disk: Arc::clone(&disk),
            heads: sqlite,
            settings: &*catalogue,
            recorder: &recorder,
            origin: &format!("{via}/{TENANT}/access"),
            now: clock.now(),
        })
        .map_err(|e| store_error(&e))?;
        blobs.reconcile(&*catalogue, clock.now()).map_err(|e| store_error(&e))?;
        let access = Arc::new(AccessIndex::open(&data.join("access")).map_err(|e| store_error(&e))?);
        if let Some(since) = super::keep_accesses_since(&config, clock.now()) {
            access.drop_months(since).map_err(|e| store_error(&e))?;
        }
        let client = Client::new(ClientSettings {
            connect: Duration::from_secs(config.upstream.connect_seconds),
            idle: Duration::from_secs(config.upstream.idle_seconds),
            min_bytes_per_second: config.upstream.min_bytes_per_second,
            allow_private: config.upstream.allow_private_addresses,
            proxies: Proxies::new(&config.upstream.proxy, &config.upstream.no_proxy),
            via: via.clone(),
        })
        .map_err(DoorError::Certificates)?;
        let repositories = repositories(&config, &discovery)?;
        for upstream in repositories.values().flat_map(|r| &r.upstreams) {
            client.trust_host_of(upstream);
        }
        let source = match &config.policy.file {
            Some(path) => PolicySource::File(path.clone()),
            None => PolicySource::Pack(config.policy.pack.clone()),
        };
        let intel_dir = data.join("intel");
        let intel = Intel::open(Arc::clone(&disk), &intel_dir).map_err(|e| store_error(&e))?;
        let attempts = Attempts::open(&intel_dir);
        let advisories = Advisories {
            snapshot: intel.snapshot(),
            checked: Arc::new(attempts.successes()),
            stale_after_seconds: i64::try_from(config.intel.stale_hours).unwrap_or(i64::MAX / 3600) * 3600,
            trusted_vex: config.intel.trusted_vex.clone().into(),
            holds: Arc::new(effects::holds(&*catalogue).map_err(|e| store_error(&e))?),
        };
        let feeds = intel::feeds::sources(&config.intel, &ecosystems_of(&repositories));
        for feed in &feeds {
            client.trust_host_of(&feed.host);
        }
        let (trusted, updates) = Trusted::open(&config.provenance, &data, clock.now())?;
        for followed in updates.followed() {
            client.trust_host_of(&followed.host);
        }
        let mcp = crate::mcp::Desk::new(crate::mcp::remotes::configured(&config.mcp, &client)?);
        let inspection = looker(&config, &data, inspection_worker, &*catalogue)?;
        let controls = controls::Told::read(&*catalogue).map_err(|e| store_error(&e))?;
        let events = Events::open(&config.events, &data, &client)?;
        let cosigners = Cosigners::open(&config.ledger.witnesses, &client);
        let custody = Custody::open(&config, &data, &*catalogue, &recorder, report.last_seq, clock.now())?;
        let unscrubbed = catalogue.is_scrub_due().map_err(|e| store_error(&e))?;
        let policy = rules::compile(&source)?;
        let ruleset =
            rules::assemble(policy, &source, &*catalogue, advisories, 1).map_err(RulesError::from)?;
        let door = Arc::new(Self {
            caches: Caches::new(config.cache.memory_mib << 20),
            flights: Flights::default(),
            runs: super::Runs::default(),
            revocations: std::sync::atomic::AtomicU64::new(0),
            forgetting: RwLock::default(),
            unscrubbed: AtomicBool::new(unscrubbed),
            metrics: Metrics::default(),
            words: Words::default(),
            opened_at: clock.now(),
            intel,
            feeds,
            attempts,
            events,
            events_begin: report.last_seq,
            custody,
            degraded: RwLock::default(),
            controls,
            effects: Effects::default(),
            inspection,
            trusted,
            updates,
            mcp,
            draining: AtomicBool::new(false),
            rules: RwLock::new(Arc::new(ruleset)),
            policy_source: Mutex::new(source),
            touched: Mutex::new(Vec::new()),
            evicting: AtomicBool::new(false),
            heavy_permits: Arc::new(tokio::sync::Semaphore::new(
                std::thread::available_parallelism().map_or(2, std::num::NonZeroUsize::get),
            )),
            blocking_permits: Arc::new(tokio::sync::Semaphore::new(BLOCKING_AT_A_TIME)),
            store: Store { catalogue, blobs, access },
            config,
            data,
            clock,
            client,
            recorder,
            tree,
            cosigners,
            repositories,
            via,
        });
        let start = Start {
            program: concat!("tidegate/", env!("CARGO_PKG_VERSION")).into(),
            mode,
            last_seq: report.last_seq,
            torn_bytes: report.torn_bytes,
        };
        let entry = EntryDraft { time: door.opened_at, tenant: TENANT.into(), body: Body::Start(start) };
        drop(door.recorder.append(&entry).map_err(|e| store_error(&e))?);
        door.record_policy(&door.rules(), None, None);
        crate::provenance::told::tell(&door, None);
        door.look_for_degradations();
        effects::catch_up(&door).map_err(|e| store_error(&e))?;
        Ok(door)
    }
}

/// What looks inside artifacts.
fn looker(
    config: &Config,
    data: &Path,
    command: WorkerCommand,
    catalogue: &dyn Catalogue,
) -> Result<Looker, DoorError> {
    let failed = |source| DoorError::Workers { source };
    let key = Looker::key_of(catalogue).map_err(|e| DoorError::Store(chain(&e)))?;
    Looker::start(&config.inspection, data, command, key.ok_or(DoorError::Randomness)?).map_err(failed)
}

/// The ecosystems that a door has an upstream for.
fn ecosystems_of(repositories: &BTreeMap<String, Arc<Repository>>) -> Vec<Ecosystem> {
    let served = |ecosystem: &Ecosystem| {
        repositories.values().any(|r| r.ecosystem == *ecosystem && !r.upstreams.is_empty())
    };
    Ecosystem::ALL.into_iter().filter(served).collect()
}

/// An error and its causes on one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(source) = cause {
        let next = source.to_string();
        if !text.contains(&next) {
            text.push_str(": ");
            text.push_str(&next);
        }
        cause = source.source();
    }
    text
}

fn node_id(catalogue: &dyn Catalogue) -> Result<NodeId, DoorError> {
    let mut random = [0u8; 5];
    getrandom::fill(&mut random).map_err(|_| DoorError::Randomness)?;
    let text =
        catalogue.setting_or_insert("node", &hex::encode(random)).map_err(|e| DoorError::Store(chain(&e)))?;
    text.parse().map_err(|e: tidegate_ledger::InvalidNodeId| DoorError::Store(chain(&e)))
}

/// Repositories of the configuration, and one per ecosystem out of the box.
fn repositories(
    config: &Config,
    discovery: &[Result<Discovered, NotConfigured>],
) -> Result<BTreeMap<String, Arc<Repository>>, DoorError> {
    let mut all: BTreeMap<String, config::Repository> = Ecosystem::ALL
        .iter()
        .flat_map(|e| e.repositories())
        .map(|name| ((*name).to_owned(), config::Repository::default()))
        .collect();
    for (name, section) in &config.repository {
        all.insert(name.clone(), section.clone());
    }
    let mut built = BTreeMap::new();
    for (name, section) in all {
        let Some(ecosystem) = section.ecosystem.or_else(|| Ecosystem::of_repository(&name)) else { continue };
        let (upstreams, not_configured) = if section.upstream.is_empty() {
            discovered(ecosystem, discovery)
        } else {
            (configured(&name, &section, ecosystem)?, String::new())
        };
        let repository = Repository {
            name: name.as_str().into(),
            ecosystem,
            protocol: tidegate_ecosystems::protocol(ecosystem),
            private: NamePatterns::new(&section.private),
            upstreams,
            hold_at_approved: section.hold_at_approved,
            registries: section.registries.iter().map(|name| name.to_ascii_lowercase()).collect(),
            sigstore: section.sigstore.clone(),
            cosign_keys: Arc::new(cosign_keys(&name, &section.cosign_keys)?),
            approved_only: section.listing == config::Listing::Approved,
            not_configured,
        };
        built.insert(name, Arc::new(repository));
    }
    Ok(built)
}

fn configured(
    repository: &str,
    section: &config::Repository,
    ecosystem: Ecosystem,
) -> Result<Vec<Arc<Upstream>>, DoorError> {
    let mut upstreams = Vec::new();
    for upstream in &section.upstream {
        let variable = |name: &str| {
            std::env::var(name).ok().filter(|v| !v.is_empty()).ok_or_else(|| DoorError::Credentials {
                repository: repository.to_owned(),
                variable: name.to_owned(),
            })
        };
        let authorization = match (&upstream.token_env, &upstream.basic_env) {
            (Some(name), _) => Some((name, format!("Bearer {}", variable(name)?))),
            (None, Some(name)) => Some((
                name,
                format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(variable(name)?)),
            )),
            (None, None) => None,
        };
        let authorization = authorization
            .map(|(name, text)| {
                HeaderValue::from_str(&text).map(Secret::new).map_err(|_| DoorError::Credentials {
                    repository: repository.to_owned(),
                    variable: name.clone(),
                })
            })
            .transpose()?;
        let base = UpstreamBase { url: with_slash(&upstream.url) };
        let name =
            upstream.name.clone().unwrap_or_else(|| base.url.host_str().unwrap_or("upstream").to_owned());
        let upstream = Upstream::new(
            name,
            base,
            authorization,
            NamePatterns::new(&upstream.private),
            &upstream.file_hosts,
            "the configuration".into(),
        );
        upstreams.push(Arc::new(upstream.of(ecosystem)));
    }
    Ok(upstreams)
}

fn discovered(
    ecosystem: Ecosystem,
    discovery: &[Result<Discovered, NotConfigured>],
) -> (Vec<Arc<Upstream>>, String) {
    let found = discovery.iter().find(|d| match d {
        Ok(found) => found.ecosystem == ecosystem,
        Err(missing) => missing.ecosystem == ecosystem,
    });
    let found = match found {
        Some(Ok(found)) => found,
        Some(Err(missing)) => return (Vec::new(), missing.to_string()),
        None => {
            return (
                Vec::new(),
                NotConfigured { ecosystem, why: vec!["nobody looked for one".into()], unusable: false }
                    .to_string(),
            );
        }
    };
    let upstream =
        |url: &url::Url, credentials: Option<&Secret<String>>, private: NamePatterns, source: String| {
            let authorization =
                credentials.and_then(|c| HeaderValue::from_str(c.expose()).ok()).map(Secret::new);
            let base = UpstreamBase { url: with_slash(url) };
            let name = base.url.host_str().unwrap_or("upstream").to_owned();
            let upstream = Upstream::new(name, base, authorization, private, &[], source);
            Arc::new(upstream.of(ecosystem))
        };
    let mut upstreams = Vec::new();
    // A scope that a client sends elsewhere belongs to that registry alone.
    for scoped in found.scoped.iter().filter(|s| s.pattern.starts_with('@')) {
        let private = NamePatterns::new(&[format!("{}/*", scoped.pattern)]);
        upstreams.push(upstream(&scoped.url, scoped.credentials.as_ref(), private, scoped.place.clone()));
    }
    let source = format!("{} ({})", found.source.place, found.source.kind);
    upstreams.push(upstream(&found.url, found.credentials.as_ref(), NamePatterns::default(), source));
    (upstreams, String::new())
}

fn with_slash(url: &url::Url) -> url::Url {
    let mut url = url.clone();
    if !url.path().ends_with('/') {
        let path = format!("{}/", url.path());
        url.set_path(&path);
    }
    url.set_query(None);
    url.set_fragment(None);
    url
}

/// Locks a data directory for one process. Held as long as the returned file lives.
///
/// # Errors
/// Another process holds it, or the directory cannot be used.
pub fn lock_data(data: &Path) -> Result<std::fs::File, DoorError> {
    std::fs::create_dir_all(data).map_err(|source| DoorError::Data { path: data.to_owned(), source })?;
    let file = std::fs::OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(data.join("lock"))
        .map_err(|source| DoorError::Data { path: data.to_owned(), source })?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(DoorError::InUse { path: data.to_owned() }),
        Err(std::fs::TryLockError::Error(source)) => Err(DoorError::Data { path: data.to_owned(), source }),
    }
}
