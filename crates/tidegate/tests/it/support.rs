//! A door in this process, on a loopback port, with a clock that tests move and upstreams that tests break.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tidegate::clock::Clock;
use tidegate::config::{self, Config};
use tidegate::door::{Door, Options};
use tidegate::http::server::Server;
use tidegate::inspection::WorkerCommand;
use tidegate_model::waiver::{Waiver, WaiverState};
use tidegate_model::{Ecosystem, Principal};
use tidegate_store::catalogue::{Scope, Token, TokenHash, WaiverEvent};
use tidegate_testkit::FakeUpstream;
use tidegate_testkit::client::{RawClient, RawResponse};
use tokio_rustls::TlsAcceptor;

/// How long a test waits for something that must happen.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// What a door is opened with; survives closing it.
pub(crate) struct Setup {
    pub(crate) config: Config,
    pub(crate) clock: Clock,
    pub(crate) tls: Option<TlsAcceptor>,
    data: TempDir,
}

impl Setup {
    /// A door in front of `upstream` for every ecosystem.
    pub(crate) fn new(upstream: &FakeUpstream) -> Self {
        let mut config = Config::default();
        for ecosystem in Ecosystem::ALL {
            for name in ecosystem.repositories() {
                config
                    .repository
                    .insert((*name).into(), repository(vec![named("main", upstream, ecosystem)]));
            }
        }
        let data = tempfile::Builder::new().prefix("tidegate-door-").tempdir().unwrap();
        Self { config, clock: Clock::system(), tls: None, data }
    }

    pub(crate) fn data(&self) -> &Path {
        self.data.path()
    }

    /// Changes the configuration.
    pub(crate) fn with(mut self, change: impl FnOnce(&mut Config)) -> Self {
        change(&mut self.config);
        self
    }

    /// Puts this policy text in force instead of `baseline`.
    pub(crate) fn policy(mut self, rules: &str) -> Self {
        let path = self.data().join("policy.toml");
        std::fs::write(&path, format!("[policy]\nid = \"test\"\nversion = \"1\"\n{rules}")).unwrap();
        self.config.policy.file = Some(path);
        self
    }

    pub(crate) fn open(self) -> TestDoor {
        self.open_at("127.0.0.1:0".parse().unwrap())
    }

    pub(crate) fn open_at(self, listen: SocketAddr) -> TestDoor {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let mut options = Options::new(self.config.clone(), self.data().join("door"), Vec::new());
        options.clock = self.clock.clone();
        options.inspection_worker = worker();
        let (door, server, address, tls) = runtime.block_on(async {
            let door = Door::open(options).unwrap();
            let server = Arc::new(Server::new(Arc::clone(&door)));
            let listener = tokio::net::TcpListener::bind(listen).await.unwrap();
            let address = listener.local_addr().unwrap();
            let (serving, tls) = (Arc::clone(&server), self.tls.clone());
            tokio::spawn(async move { serving.serve_tcp(listener, tls).await });
            (door, server, address, self.tls.is_some())
        });
        TestDoor { setup: Some(self), door, server, address, tls, runtime: Some(runtime) }
    }
}

/// What doors of tests start to look inside artifacts: the tests' own program is no worker.
pub(crate) fn worker() -> WorkerCommand {
    WorkerCommand { program: env!("CARGO_BIN_EXE_tidegate").into(), ..WorkerCommand::this_program() }
}

/// A configured repository with these upstreams.
pub(crate) fn repository(upstream: Vec<config::Upstream>) -> config::Repository {
    config::Repository { upstream, ..config::Repository::default() }
}

/// An upstream entry for one ecosystem of a fake upstream.
pub(crate) fn named(name: &str, upstream: &FakeUpstream, ecosystem: Ecosystem) -> config::Upstream {
    let url = match ecosystem {
        Ecosystem::Npm => upstream.npm_url(),
        Ecosystem::Pypi => upstream.pypi_url(),
        Ecosystem::Cargo => upstream.cargo_url(),
        Ecosystem::Huggingface => upstream.hub_url(),
        Ecosystem::Oci => upstream.registry_url(),
        Ecosystem::Vscode => upstream.vsx_url(),
        Ecosystem::Mcp => upstream.mcp_url(),
    };
    config::Upstream {
        name: Some(name.into()),
        url: url.parse().unwrap(),
        private: Vec::new(),
        file_hosts: Vec::new(),
        token_env: None,
        basic_env: None,
    }
}

/// A door that listens.
pub(crate) struct TestDoor {
    setup: Option<Setup>,
    pub(crate) door: Arc<Door>,
    pub(crate) server: Arc<Server>,
    pub(crate) address: SocketAddr,
    tls: bool,
    runtime: Option<tokio::runtime::Runtime>,
}

impl TestDoor {
    pub(crate) fn runtime(&self) -> &tokio::runtime::Runtime {
        self.runtime.as_ref().unwrap()
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.door.data.clone()
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.door.clock
    }

    pub(crate) fn get(&self, target: &str) -> RawResponse {
        self.ask("GET", target, &[])
    }

    /// One request on a connection of its own. Not through TLS.
    pub(crate) fn ask(&self, method: &str, target: &str, lines: &[&str]) -> RawResponse {
        assert!(!self.tls, "raw requests are not encrypted");
        let mut all = vec!["Connection: close"];
        all.extend_from_slice(lines);
        RawClient::connect(self.address)
            .and_then(|mut c| c.request(method, target, &all))
            .unwrap_or_else(|e| panic!("{method} {target}: {e}"))
    }

    /// A request with a body.
    pub(crate) fn send(&self, method: &str, target: &str, lines: &[&str], body: &[u8]) -> RawResponse {
        let mut head = format!("{method} {target} HTTP/1.1\r\nHost: door.test\r\nConnection: close\r\n");
        for line in lines {
            head.push_str(line);
            head.push_str("\r\n");
        }
        let mut bytes = format!("{head}Content-Length: {}\r\n\r\n", body.len()).into_bytes();
        bytes.extend_from_slice(body);
        tidegate_testkit::client::exchange(self.address, &bytes).unwrap()
    }

    /// Closes the door and gives back what it was opened with.
    pub(crate) fn close(mut self) -> Setup {
        self.runtime().block_on(self.server.stop());
        self.setup.take().expect("it is closed once")
    }

    /// Closes and opens it again on the same data.
    pub(crate) fn restart(self) -> Self {
        self.close().open()
    }

    /// Waits until `done` holds.
    #[track_caller]
    pub(crate) fn until(&self, what: &str, mut done: impl FnMut() -> bool) {
        let end = Instant::now() + PATIENCE;
        while !done() {
            assert!(Instant::now() < end, "never: {what}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Approves an exception from one rule for one version, as `quarantine release` does.
    pub(crate) fn release(&self, purl: &str, rule: &str) {
        let now = self.clock().now();
        let waiver = Waiver {
            id: format!("W-{}", purl.len() + rule.len()),
            rules: vec![rule.into()],
            purl: purl.into(),
            requested_by: "dev".into(),
            approved_by: vec!["lead".into()],
            state: WaiverState::Approved,
            created_at: Some(now),
            expires_at: Some(now.plus_seconds(86_400)),
            reason: "looked at".into(),
            ..Waiver::default()
        };
        let event = WaiverEvent { at: now, actor: "lead".into(), what: "approved".into(), note: None };
        assert!(self.door.store.catalogue.put_waiver(&waiver, &event).unwrap());
        self.door.reload_rules().unwrap();
    }

    /// Makes a token known and returns its text.
    pub(crate) fn token(&self, principal: &str, repositories: &[&str]) -> String {
        let text = format!("tg_{principal}");
        let token = Token {
            id: format!("id-{principal}"),
            hash: TokenHash::of(&text),
            principal: Principal { id: principal.into(), ..Principal::anonymous() },
            scope: Scope::Read,
            repositories: repositories.iter().map(|r| (*r).to_owned()).collect(),
            created_at: self.clock().now(),
            expires_at: None,
            revoked_at: None,
        };
        assert!(self.door.store.catalogue.put_token(&token).unwrap());
        text
    }

    /// Kinds of the alarms that were raised, oldest first.
    pub(crate) fn alarms(&self) -> Vec<String> {
        let page = tidegate_store::catalogue::Page::default();
        let mut alarms = self.door.store.catalogue.alarms(true, page).unwrap();
        alarms.sort_by_key(|a| a.number);
        alarms.into_iter().map(|a| a.alarm.kind).collect()
    }
}

impl Drop for TestDoor {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_timeout(Duration::from_secs(5));
        }
    }
}

/// A time so many days before the system's now, as registries write it.
pub(crate) fn days_ago(days: i64) -> String {
    Clock::system().now().plus_seconds(-days * 86_400).to_string()
}

/// The length of `name` does not matter to anybody; its digits do.
pub(crate) fn sha256_of(bytes: &[u8]) -> String {
    use sha2::Digest as _;
    hex::encode(sha2::Sha256::digest(bytes))
}

/// Whether a run of bytes from the middle of `secret` stands anywhere in `body`, plain or compressed.
pub(crate) fn leaks(response: &RawResponse, secret: &[u8]) -> bool {
    let middle = &secret[secret.len() / 2..][..24.min(secret.len() / 2)];
    let plain = decoded(response);
    plain.windows(middle.len()).any(|w| w == middle)
}

/// The body without its content coding.
pub(crate) fn decoded(response: &RawResponse) -> Vec<u8> {
    use std::io::Read as _;
    match response.header("content-encoding") {
        Some("gzip") => {
            let mut out = Vec::new();
            flate2::read::GzDecoder::new(&response.body[..]).read_to_end(&mut out).unwrap();
            out
        }
        Some("zstd") => zstd::decode_all(&response.body[..]).unwrap(),
        _ => response.body.clone(),
    }
}

/// The body as JSON.
#[track_caller]
pub(crate) fn json(response: &RawResponse) -> serde_json::Value {
    let body = decoded(response);
    serde_json::from_slice(&body)
        .unwrap_or_else(|e| panic!("not JSON ({e}): {}", String::from_utf8_lossy(&body)))
}

/// The text behind an address, on a connection of its own.
pub(crate) fn decoded_text(address: SocketAddr, target: &str) -> String {
    tidegate_testkit::client::get(address, target).unwrap().text()
}
