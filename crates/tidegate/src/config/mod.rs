//! Configuration: one TOML file, one struct per section, unknown keys refused. The server starts with none.
//!
//! Every field here is read somewhere; a test flips each and sees behaviour change.

mod check;
mod custody;
mod ledger;
mod load;
mod template;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use tidegate_model::Ecosystem;

use crate::upstream::proxy::ENVIRONMENT;

pub use custody::{CustodySection, Pkcs11Key};
pub use ledger::{LedgerMode, LedgerSection, WitnessAt};
pub(crate) use load::RESERVED;
pub use load::{ConfigError, load, parse};
pub use template::TEMPLATE;

/// The address a door listens on unless told otherwise.
pub const DEFAULT_LISTEN: &str = "127.0.0.1:8484";

/// The whole configuration.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where and how the door listens.
    pub server: Server,
    /// Which policy is in force.
    pub policy: PolicySection,
    /// How long indexes are trusted, how much is kept.
    pub cache: Cache,
    /// How entries are made durable.
    pub ledger: LedgerSection,
    /// How long it is known who took what.
    pub retention: Retention,
    /// How upstreams are asked.
    pub upstream: UpstreamSection,
    /// How artifacts are looked into.
    pub inspection: InspectionSection,
    /// How what is signed about artifacts is checked.
    pub provenance: Provenance,
    /// What is stated and signed of artifacts.
    pub custody: CustodySection,
    /// Which feeds of advisories and signals are followed.
    pub intel: IntelSection,
    /// Where events are sent.
    pub events: EventsSection,
    /// MCP servers at run time.
    pub mcp: McpSection,
    /// What is logged.
    pub log: Log,
    /// Repositories by name. One per ecosystem exists out of the box.
    pub repository: BTreeMap<String, Repository>,
}

/// `[server]`
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Server {
    /// Address and port.
    pub listen: SocketAddr,
    /// The address under which clients reach the door, where it is not what their `Host` header says.
    pub public_url: Option<url::Url>,
    /// Whether every package route demands a token. Always true on a listener that is not loopback.
    pub require_token: bool,
    /// PEM file with the certificate chain; with `tls_key` it switches TLS on.
    pub tls_certificate: Option<PathBuf>,
    /// PEM file with the private key.
    pub tls_key: Option<PathBuf>,
    /// The most connections at a time.
    pub max_connections: usize,
    /// The most bytes of a request head.
    pub max_head_bytes: usize,
    /// The most bytes of a request body.
    pub max_body_bytes: usize,
    /// Seconds a client may take for a request head, and a connection may stay idle.
    pub idle_seconds: u64,
    /// Seconds a client may go without taking any more of an answer.
    pub write_seconds: u64,
    /// Seconds running transfers get to finish after a stop signal.
    pub drain_seconds: u64,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            listen: DEFAULT_LISTEN.parse().expect("the default address is valid"),
            public_url: None,
            require_token: false,
            tls_certificate: None,
            tls_key: None,
            max_connections: 4096,
            max_head_bytes: 32 * 1024,
            max_body_bytes: 16 << 20,
            idle_seconds: 60,
            write_seconds: 60,
            drain_seconds: 20,
        }
    }
}

/// `[policy]`
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PolicySection {
    /// A pack that ships with the binary: `baseline`, `strict` or `observe`.
    pub pack: String,
    /// A policy file; it then replaces the pack.
    pub file: Option<PathBuf>,
}

impl Default for PolicySection {
    fn default() -> Self {
        Self { pack: "baseline".into(), file: None }
    }
}

/// `[cache]`
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Cache {
    /// Seconds an index is served without asking upstream.
    pub fresh_seconds: u64,
    /// Seconds after that in which it is still served while upstream is asked behind.
    pub stale_while_revalidate_seconds: u64,
    /// Seconds in which an old index is served when upstream fails.
    pub stale_if_error_seconds: u64,
    /// Seconds an upstream's "no such package" is believed.
    pub absent_seconds: u64,
    /// Mebibytes of memory for indexes, rendered views and small artifacts.
    pub memory_mib: u64,
    /// Gibibytes of artifacts kept on disk; the least recently used leave first, never what is held or pinned.
    pub disk_gib: u64,
}

impl Default for Cache {
    fn default() -> Self {
        Self {
            fresh_seconds: 60,
            stale_while_revalidate_seconds: 600,
            stale_if_error_seconds: 7 * 86_400,
            absent_seconds: 20,
            memory_mib: 256,
            disk_gib: 50,
        }
    }
}

/// `[inspection]`
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct InspectionSection {
    /// Whether artifacts are looked into before they are decided on.
    pub enabled: bool,
    /// Worker processes at a time; as many as there are processors where it is not said.
    pub workers: Option<NonZeroUsize>,
    /// Mebibytes of memory that each of them may take.
    pub memory_mib: u64,
    /// With what a release is compared.
    pub compare: Compare,
    /// Whether the newest selectable version is looked into when its index is shown, before anybody asks for it.
    pub ahead: bool,
    /// Issuers that are asked whether secrets which were found are still good, with their addresses; nobody is asked where
    /// this is empty. Names are those of [`crate::liveness::askable`].
    pub issuers: BTreeMap<String, url::Url>,
    /// Hours after which an issuer is asked about the same secret again.
    pub ask_hours: u32,
}

impl Default for InspectionSection {
    fn default() -> Self {
        Self {
            enabled: true,
            workers: None,
            memory_mib: 256,
            compare: Compare::Fetch,
            ahead: false,
            issuers: BTreeMap::new(),
            ask_hours: 24,
        }
    }
}

impl InspectionSection {
    /// Worker processes at a time.
    pub fn workers(&self) -> usize {
        self.workers.or_else(|| std::thread::available_parallelism().ok()).map_or(2, NonZeroUsize::get)
    }
}

/// `[retention]`
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Retention {
    /// Days after which accesses leave the index that answers who took what, by whole months; 0 keeps them. Their entries stay in
    /// the ledger.
    pub access_days: u32,
    /// Days after which a person who was not seen is forgotten; 0 keeps names.
    pub names_days: u32,
}

/// `[upstream]`
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct UpstreamSection {
    /// Seconds to connect.
    pub connect_seconds: u64,
    /// Seconds until the head of an answer, and between two parts of its body.
    pub idle_seconds: u64,
    /// Bytes a second, averaged over `idle_seconds`, below which a transfer is given up.
    pub min_bytes_per_second: u64,
    /// The most bytes of one artifact.
    pub max_artifact_bytes: u64,
    /// Seconds a client is kept waiting for a first download before it is told to ask again.
    pub hold_seconds: Option<u64>,
    /// Whether files may come from private, loopback and link-local addresses although their upstream does not live at
    /// one. Upstreams themselves always may: somebody configured them.
    pub allow_private_addresses: bool,
    /// Through which proxy https upstreams are asked: `environment` (`HTTPS_PROXY`, `ALL_PROXY`, `NO_PROXY`), `none`, or the
    /// address of one.
    pub proxy: String,
    /// Hosts, domains and networks that are asked without the proxy named here.
    pub no_proxy: Vec<String>,
}

impl Default for UpstreamSection {
    fn default() -> Self {
        Self {
            connect_seconds: 10,
            idle_seconds: 30,
            min_bytes_per_second: 1024,
            max_artifact_bytes: 8 << 30,
            hold_seconds: None,
            allow_private_addresses: false,
            proxy: ENVIRONMENT.into(),
            no_proxy: Vec::new(),
        }
    }
}

/// With what a release is compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Compare {
    /// With the version before it; that one is fetched where this one can do something worth comparing.
    #[default]
    Fetch,
    /// With the version before it, where that one is here already.
    Known,
    /// With none.
    Never,
}

/// `[intel]`
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct IntelSection {
    /// Whether feeds are fetched. What was imported by hand counts either way.
    pub sync: bool,
    /// Seconds between two looks at the feeds.
    pub refresh_seconds: u64,
    /// Hours after which what a feed of advisories says is stale.
    pub stale_hours: u64,
    /// Authors whose VEX statements count; others are shown and change nothing.
    pub trusted_vex: Vec<String>,
    /// Public keys of doors whose bundles are taken in, as `tidegate intel key` prints them there.
    pub trusted_bundle_keys: Vec<tidegate_intel::bundle::signature::PublicKey>,
    /// The feeds. Left out: the publishers' public ones, for the ecosystems of this door.
    pub feed: Option<Vec<Feed>>,
}

impl Default for IntelSection {
    fn default() -> Self {
        Self {
            sync: true,
            refresh_seconds: 3600,
            stale_hours: 72,
            trusted_vex: Vec::new(),
            trusted_bundle_keys: Vec::new(),
            feed: None,
        }
    }
}

/// `[[intel.feed]]`
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Feed {
    /// A word for messages and records.
    pub name: String,
    /// What it is.
    pub kind: tidegate_intel::FeedKind,
    /// Where all of it is. Left out: its publisher's public address, where it has one.
    #[serde(default)]
    pub url: Option<url::Url>,
    /// OSV: where the list of changes (`modified_id.csv`) is; each record is asked for beside it.
    #[serde(default)]
    pub changes_url: Option<url::Url>,
    /// Other hosts to which the feed's own host may redirect.
    #[serde(default)]
    pub file_hosts: Vec<String>,
}

/// `[events]`
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EventsSection {
    /// Receivers over HTTP, by name.
    pub webhook: BTreeMap<String, WebhookSink>,
    /// Files, by name.
    pub file: BTreeMap<String, FileSink>,
}

/// `[events.webhook.NAME]`
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebhookSink {
    /// Where events are posted.
    pub url: url::Url,
    /// Environment variable that holds the secret for signatures.
    #[serde(default)]
    pub secret_env: Option<String>,
    /// File that holds the secret for signatures; several lines are several secrets.
    #[serde(default)]
    pub secret_file: Option<PathBuf>,
    /// Which events: types such as `advisory.matched`, or `artifact.*`; empty means all.
    #[serde(default)]
    pub types: Vec<String>,
    /// Where a new sink begins.
    #[serde(default)]
    pub begin: Begin,
}

/// `[events.file.NAME]`
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileSink {
    /// The file; a relative path begins at the data directory.
    pub path: PathBuf,
    /// Mebibytes after which a new file is begun.
    #[serde(default = "default_max_mib")]
    pub max_mib: u64,
    /// How many full files are kept beside it.
    #[serde(default = "default_keep")]
    pub keep: u32,
    /// Which events: types such as `advisory.matched`, or `artifact.*`; empty means all.
    #[serde(default)]
    pub types: Vec<String>,
    /// Where a new sink begins.
    #[serde(default)]
    pub begin: Begin,
}

const fn default_max_mib() -> u64 {
    64
}

const fn default_keep() -> u32 {
    8
}

/// Where a sink begins that was never there before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Begin {
    /// With what happens from now on.
    #[default]
    Now,
    /// With the oldest entry that is kept.
    Oldest,
}

/// `[log]`
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// `text` or `json`.
    pub format: LogFormat,
    /// Filter in the syntax of `tracing-subscriber`, for example `info,tidegate::pipeline=debug`.
    pub filter: String,
}

impl Default for Log {
    fn default() -> Self {
        Self { format: LogFormat::Text, filter: "info".into() }
    }
}

/// Shape of log lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// `[mcp]`
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct McpSection {
    /// Methods that pass to servers elsewhere although no revision of the protocol has them.
    pub methods: Vec<String>,
    /// Servers elsewhere by name, each at `/mcp/run/NAME`.
    pub server: BTreeMap<String, McpServer>,
}

/// `[mcp.server.NAME]`
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct McpServer {
    /// Its one address, for streamable HTTP.
    pub url: url::Url,
    /// Environment variable that holds a token, sent as `Authorization: Bearer`.
    #[serde(default)]
    pub token_env: Option<String>,
    /// The package that runs there, with its version, so that advisories about it count.
    #[serde(default)]
    pub purl: Option<String>,
}

/// `[repository.NAME]`
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Repository {
    /// Its ecosystem; may be left out where the repository is named after it.
    pub ecosystem: Option<Ecosystem>,
    /// Names that no upstream listed here may ever be asked for, as globs.
    pub private: Vec<String>,
    /// Whether a branch of a model stays at the last of its commits that may be had, while the newest is refused.
    pub hold_at_approved: bool,
    /// Names of registries of images that the repository stands for, as containerd says them (`?ns=`), beside the hosts of
    /// its upstreams.
    pub registries: Vec<String>,
    /// What of an MCP registry is let in: `compliant`, all that is not refused; or `approved`, what is on the list of approvals
    /// beside that.
    pub listing: Listing,
    /// The Sigstore instance whose root vouches for attestations of what it serves; the public one where it is not said.
    pub sigstore: Option<String>,
    /// Files with public keys (PEM) whose signatures of images count, beside those by certificates.
    pub cosign_keys: Vec<PathBuf>,
    /// Upstreams, asked in this order; empty means discovered.
    pub upstream: Vec<Upstream>,
}

/// What of an MCP registry is let in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Listing {
    /// All that is not refused.
    #[default]
    Compliant,
    /// What somebody approved by name, and nothing else.
    Approved,
}

/// `[provenance]`
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Provenance {
    /// Whether attestations and signatures are fetched and checked.
    pub enabled: bool,
    /// Whether trust roots are refreshed from the repositories of their instances.
    pub refresh: bool,
    /// Seconds between two looks at them.
    pub refresh_seconds: u64,
    /// Sigstore instances beside the public ones, by name; a repository says which one vouches for what it serves.
    pub instance: BTreeMap<String, SigstoreInstance>,
}

impl Default for Provenance {
    fn default() -> Self {
        Self { enabled: true, refresh: true, refresh_seconds: 86_400, instance: BTreeMap::new() }
    }
}

/// `[provenance.instance.NAME]`
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SigstoreInstance {
    /// Its `trusted_root.json`. That of a public instance is compiled in.
    pub root: Option<PathBuf>,
    /// Where its repository (The Update Framework) is, from which its root is refreshed.
    pub mirror: Option<url::Url>,
    /// A `root.json` of that repository that is believed. A public instance's is compiled in.
    pub mirror_root: Option<PathBuf>,
}

/// `[[repository.NAME.upstream]]`
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Upstream {
    /// A word for messages and records; the host where left out.
    #[serde(default)]
    pub name: Option<String>,
    /// Where it begins. npm: the registry; PyPI: the simple index; cargo: the sparse index.
    pub url: url::Url,
    /// Names that belong to this upstream alone, as globs: never asked of, never answered from, another one.
    #[serde(default)]
    pub private: Vec<String>,
    /// Other hosts from which this upstream's files may come, beyond those that its documents name.
    #[serde(default)]
    pub file_hosts: Vec<String>,
    /// Environment variable that holds a token, sent as `Authorization: Bearer`.
    #[serde(default)]
    pub token_env: Option<String>,
    /// Environment variable that holds `user:password`, sent as `Authorization: Basic`.
    #[serde(default)]
    pub basic_env: Option<String>,
}
