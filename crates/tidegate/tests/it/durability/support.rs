//! Doors whose disk can be taken away, what they answered, and what their ledger says of it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use sha2::Digest as _;
use tidegate::config::{self, Config};
use tidegate::door::{Door, Options};
use tidegate::http::server::Server;
use tidegate_ledger::entry::Access;
use tidegate_ledger::{Body, Entry, Reader, RecordId};
use tidegate_model::{Ecosystem, Sha256};
use tidegate_sys::disk::Disk;
use tidegate_testkit::FakeUpstream;
use tidegate_testkit::client::{RawClient, RawResponse};

/// A door in this process.
pub(super) struct Opened {
    pub(super) door: Arc<Door>,
    pub(super) address: SocketAddr,
    runtime: Option<tokio::runtime::Runtime>,
}

impl Opened {
    /// Opens a door in front of `upstream`; `disk` holds ledger and blobs.
    pub(super) fn new(upstream: &FakeUpstream, data: &Path, disk: Arc<dyn Disk>) -> Result<Self, String> {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let mut options = Options::new(configuration(upstream), data.to_owned(), Vec::new());
        options.disk = disk;
        options.inspection_worker = crate::support::worker();
        let (door, address) = runtime.block_on(async {
            let door = Door::open(options).map_err(|e| e.to_string())?;
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            let server = Arc::new(Server::new(Arc::clone(&door)));
            tokio::spawn(async move { server.serve_tcp(listener, None).await });
            Ok::<_, String>((door, address))
        })?;
        Ok(Self { door, address, runtime: Some(runtime) })
    }

    pub(super) fn get(&self, target: &str) -> std::io::Result<RawResponse> {
        tidegate_testkit::client::get(self.address, target)
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        // Waits for the work that blocks, so that nothing writes behind the test's back.
        drop(self.runtime.take());
    }
}

/// All three ecosystems of `upstream`.
fn configuration(upstream: &FakeUpstream) -> Config {
    let mut config = Config::default();
    for (ecosystem, url) in [
        (Ecosystem::Npm, upstream.npm_url()),
        (Ecosystem::Pypi, upstream.pypi_url()),
        (Ecosystem::Cargo, upstream.cargo_url()),
    ] {
        let upstream = config::Upstream {
            name: Some("main".into()),
            url: url.parse().unwrap(),
            private: Vec::new(),
            file_hosts: Vec::new(),
            token_env: None,
            basic_env: None,
        };
        let repository = config::Repository { upstream: vec![upstream], ..config::Repository::default() };
        config.repository.insert(ecosystem.as_str().into(), repository);
    }
    config
}

/// What a client asks for.
#[derive(Clone, Debug)]
pub(super) struct Question {
    pub(super) method: &'static str,
    pub(super) target: String,
    pub(super) lines: Vec<String>,
    /// The package, as entries name it.
    pub(super) purl: String,
    /// Digest of the file that is asked for, where it is served.
    pub(super) sha256: Option<Sha256>,
}

/// A response that a client has as a whole.
#[derive(Clone, Debug)]
pub(super) struct Told {
    pub(super) record: RecordId,
    pub(super) question: Question,
    pub(super) status: u16,
    pub(super) bytes: u64,
    pub(super) body_sha256: Sha256,
    pub(super) content_range: Option<String>,
}

impl Told {
    /// What a whole response says; `None` where it was cut.
    pub(super) fn of(question: &Question, response: &RawResponse) -> Option<Self> {
        if !response.complete {
            return None;
        }
        let record = response.header("x-tidegate-record")?.parse().unwrap();
        Some(Self {
            record,
            question: question.clone(),
            status: response.status,
            bytes: response.body.len() as u64,
            body_sha256: sha256(&response.body),
            content_range: response.header("content-range").map(str::to_owned),
        })
    }

    /// Whether an entry says what the client got.
    pub(super) fn agrees(&self, access: &Access) -> Result<(), String> {
        let same = |what: &str, told: String, recorded: String| {
            if told == recorded {
                return Ok(());
            }
            Err(format!("{what}: the client got {told}, the entry says {recorded}; {self:?}"))
        };
        same("status", self.status.to_string(), access.status.to_string())?;
        same("method", self.question.method.to_owned(), access.method.to_string())?;
        same("bytes", self.bytes.to_string(), access.bytes.to_string())?;
        let purl = access.purl.as_deref().unwrap_or("none");
        if !purl.starts_with(&self.question.purl) {
            return Err(format!("purl: asked for {}, the entry says {purl}", self.question.purl));
        }
        let range = access.range.map(|r| (r.first, r.last));
        let told = self.content_range.as_deref().filter(|_| self.status == 206).map(|text| {
            let (first, rest) = text.strip_prefix("bytes ").unwrap().split_once('-').unwrap();
            (first.parse::<u64>().unwrap(), rest.split_once('/').unwrap().0.parse::<u64>().unwrap())
        });
        same("range", format!("{told:?}"), format!("{range:?}"))?;
        if matches!(self.status, 200 | 206 | 304)
            && let Some(sha256) = self.question.sha256
        {
            same("digest", sha256.to_string(), access.sha256.map_or("none".into(), |s| s.to_string()))?;
            if self.status == 200 && self.question.method == "GET" {
                same("body", sha256.to_string(), self.body_sha256.to_string())?;
            }
        }
        Ok(())
    }
}

pub(super) fn sha256(bytes: &[u8]) -> Sha256 {
    Sha256::new(sha2::Sha256::digest(bytes).into())
}

/// One request; `None` where the answer was cut, or never came.
pub(super) fn ask(client: &mut RawClient, question: &Question) -> Option<Told> {
    let lines: Vec<&str> = question.lines.iter().map(String::as_str).collect();
    let response = client.request(question.method, &question.target, &lines).ok()?;
    Told::of(question, &response)
}

/// Every access in a ledger by its number, after the whole of it was verified: no number is missing, none comes twice.
pub(super) fn accesses(disk: Arc<dyn Disk>, ledger: &Path) -> Result<BTreeMap<u64, Access>, String> {
    let summary = tidegate_ledger::verify(&*disk, ledger).map_err(|e| e.to_string())?;
    let mut accesses = BTreeMap::new();
    let mut next = 1;
    for frame in Reader::open(disk, ledger, 1).map_err(|e| e.to_string())? {
        let frame = frame.map_err(|e| e.to_string())?;
        if frame.seq != next {
            return Err(format!("entry {next} is missing before {}", frame.seq));
        }
        next += 1;
        let entry = Entry::parse(&frame.json).map_err(|e| e.to_string())?;
        if let Body::Access(access) = entry.body {
            accesses.insert(frame.seq, *access);
        }
    }
    if next - 1 != summary.last_seq {
        return Err(format!("{} entries are read, {} were verified", next - 1, summary.last_seq));
    }
    Ok(accesses)
}

/// Checks that everything that was told has its entry, which says the same.
pub(super) fn check(told: &[Told], accesses: &BTreeMap<u64, Access>) -> Result<(), String> {
    for told in told {
        let access = accesses
            .get(&told.record.seq)
            .ok_or_else(|| format!("{} was answered and has no entry: {told:?}", told.record))?;
        told.agrees(access)?;
    }
    Ok(())
}

/// Checks that every blob of a store is whole; returns what is kept.
pub(super) fn blobs(disk: &dyn Disk, blobs: &Path) -> Result<Vec<Sha256>, String> {
    let base = blobs.join("sha256");
    let mut kept = Vec::new();
    let list = |dir: &Path| match disk.list(dir) {
        Ok(entries) => Ok(entries),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(e) => Err(e.to_string()),
    };
    for shard in list(&base)? {
        for file in list(&base.join(&shard.name))? {
            let path = base.join(&shard.name).join(&file.name);
            let found = sha256(&disk.read(&path).map_err(|e| e.to_string())?);
            if found.hex() != file.name {
                return Err(format!("the blob {} holds other bytes: {found}", file.name));
            }
            kept.push(found);
        }
    }
    Ok(kept)
}
