//! `tidegate up`: start the door.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use tokio::net::{TcpListener, UnixListener};
use tokio::signal::unix::{SignalKind, signal};

use super::{Failure, Outcome, default_data};
use crate::config::{self, Config, LogFormat};
use crate::discover::{Surroundings, remember};
use crate::door::{Door, Options, lock_data};
use crate::http::server::Server;
use crate::http::tls;

/// Start the door; nothing to configure.
#[derive(Debug, Args)]
pub struct Up {
    /// Address and port.
    #[arg(long, env = "TIDEGATE_LISTEN")]
    pub listen: Option<SocketAddr>,
    /// Data directory.
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Configuration file.
    #[arg(long, value_name = "FILE", env = "TIDEGATE_CONFIG")]
    pub config: Option<PathBuf>,
    /// Fetch no feeds of advisories, whatever the configuration says.
    #[arg(long, env = "TIDEGATE_NO_SYNC", value_parser = clap::builder::BoolishValueParser::new())]
    pub no_sync: bool,
    /// End by itself after this many seconds without a request.
    #[arg(long, value_name = "SECONDS")]
    pub idle_exit: Option<u64>,
}

impl Up {
    /// Runs until a signal says to stop.
    ///
    /// # Errors
    /// What keeps the door from opening.
    pub fn run(self) -> Outcome {
        let data = self.data.unwrap_or_else(default_data);
        let mut config = match &self.config {
            Some(path) => config::load(path)?,
            None => leave_template(&data)?,
        };
        if let Some(listen) = self.listen {
            config.server.listen = listen;
        }
        config.intel.sync &= !self.no_sync;
        start_log(&config);
        let _lock = lock_data(&data)?;
        tidegate_sys::heap::give_back_large_buffers();
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        runtime.block_on(serve(config, data, self.idle_exit.map(Duration::from_secs)))
    }
}

/// The configuration in the data directory, written there as a commented template at the first start.
fn leave_template(data: &Path) -> Result<Config, Failure> {
    let path = data.join("tidegate.toml");
    if path.exists() {
        return Ok(config::load(&path)?);
    }
    std::fs::create_dir_all(data)
        .map_err(|e| Failure(format!("the data directory `{}` cannot be made: {e}", data.display())))?;
    std::fs::write(&path, config::TEMPLATE)
        .map_err(|e| Failure(format!("`{}` cannot be written: {e}", path.display())))?;
    Ok(Config::default())
}

/// Begins to log to standard error.
pub(super) fn start_log(config: &Config) {
    let filter = tracing_subscriber::EnvFilter::try_new(&config.log.filter).unwrap_or_else(|_| "info".into());
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()));
    // A second start in one process (tests) keeps the first subscriber.
    let _ = match config.log.format {
        LogFormat::Text => builder.with_target(false).try_init(),
        LogFormat::Json => builder.json().try_init(),
    };
}

async fn serve(config: Config, data: PathBuf, idle_exit: Option<Duration>) -> Outcome {
    let address = config.server.listen;
    let tls = match (&config.server.tls_certificate, &config.server.tls_key) {
        (Some(certificate), Some(key)) => Some(tls::acceptor(certificate, key)?),
        _ => None,
    };
    let listener = TcpListener::bind(address).await.map_err(|e| {
        Failure(format!("cannot listen on {address}: {e}\n  another program (or another tidegate) uses it; choose one with --listen"))
    })?;
    let bound = listener.local_addr()?;
    let around =
        Surroundings::of_process(std::env::current_dir()?, vec![own_address(bound)?]).explicit_from_vars();
    let report = remember::discover_and_keep(&around, &data)?;
    let discovery = report.into_iter().map(|(_, found)| found).collect();
    let socket_path = data.join("tidegate.sock");
    let door = Door::open(Options::new(config, data.clone(), discovery))?;
    let socket = bind_socket(&socket_path)?;
    note_address(&data, bound, tls.is_some())?;
    let pid_path = socket_path.with_file_name("pid");
    std::fs::write(&pid_path, std::process::id().to_string())?;
    announce(&door, bound, tls.is_some());
    let server = Arc::new(Server::new(Arc::clone(&door)));
    // Ahead of the first artifact, so that the status says from the start what keeps workers in.
    door.inspection.warm_up();
    let jobs = crate::jobs::start(&door);
    let tcp = tokio::spawn({
        let server = Arc::clone(&server);
        async move { server.serve_tcp(listener, tls).await }
    });
    let unix = tokio::spawn({
        let server = Arc::clone(&server);
        async move { server.serve_unix(socket).await }
    });
    tokio::select! {
        stopped = wait_for_stop(&door) => stopped?,
        () = idle(&server, idle_exit) => tracing::info!("nobody asked for anything in a while"),
    }
    tracing::info!("stopping: running transfers may finish");
    server.stop().await;
    jobs.stop().await;
    let _ = tokio::join!(tcp, unix);
    let _ = std::fs::remove_file(data.join(ADDRESS_FILE));
    let _ = std::fs::remove_file(&socket_path);
    let _ = std::fs::remove_file(&pid_path);
    door.record_stop();
    Ok(ExitCode::SUCCESS)
}

/// The file in the data directory that says where the running door listens, for commands that start clients.
pub const ADDRESS_FILE: &str = "address";

/// Notes where the door listens. A wildcard address is reached on this machine through loopback.
fn note_address(data: &Path, bound: SocketAddr, tls: bool) -> Result<(), Failure> {
    let mut address = bound;
    if bound.ip().is_unspecified() {
        let loopback = if bound.is_ipv4() { Ipv4Addr::LOCALHOST.into() } else { Ipv6Addr::LOCALHOST.into() };
        address.set_ip(loopback);
    }
    let scheme = if tls { "https" } else { "http" };
    let path = data.join(ADDRESS_FILE);
    std::fs::write(&path, format!("{scheme}://{address}/\n"))
        .map_err(|e| Failure(format!("`{}` cannot be written: {e}", path.display())))
}

/// Where the door of a data directory listens, by its own note; none where no door runs, or its note cannot be read.
pub fn noted_address(data: &Path) -> Option<url::Url> {
    std::fs::read_to_string(data.join(ADDRESS_FILE)).ok()?.trim().parse().ok()
}

/// Resolves once nobody has used the door for that long; never where no time is given.
async fn idle(server: &Server, limit: Option<Duration>) {
    let Some(limit) = limit else { return std::future::pending().await };
    loop {
        let idle = server.idle_for();
        if idle >= limit {
            return;
        }
        tokio::time::sleep((limit - idle).clamp(Duration::from_millis(100), Duration::from_secs(1))).await;
    }
}

/// The door's own address, which no client configuration may lead back to.
fn own_address(bound: SocketAddr) -> Result<url::Url, Failure> {
    Ok(format!("http://{bound}/").parse()?)
}

/// The socket through which commands reach a running door; only its owner may.
fn bind_socket(path: &Path) -> Result<UnixListener, Failure> {
    use std::os::unix::fs::PermissionsExt as _;
    // The data directory is locked, so a socket that is still there belongs to nobody.
    let _ = std::fs::remove_file(path);
    let socket = UnixListener::bind(path).map_err(|e| {
        Failure(format!(
            "the socket `{}` cannot be made: {e}\n  a shorter --data path may help",
            path.display()
        ))
    })?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    Ok(socket)
}

fn announce(door: &Door, bound: SocketAddr, tls: bool) {
    let scheme = if tls { "https" } else { "http" };
    let rules = door.rules();
    tracing::info!(server.address = %bound, "tidegate is open on {scheme}://{bound}/ under policy {}", rules.policy.id());
    for repository in door.repositories.values() {
        if repository.upstreams.is_empty() {
            tracing::warn!("{}: not configured: {}", repository.name, repository.not_configured);
        }
        for upstream in &repository.upstreams {
            tracing::info!("{} <- {} (from {})", repository.name, upstream.base.url, upstream.source);
        }
    }
    if !bound.ip().is_loopback() {
        tracing::info!("every request needs a token; make one with `tidegate token create`");
    }
}

/// Waits for a signal to stop; a hang-up reads policy, waivers and blocks again.
async fn wait_for_stop(door: &Arc<Door>) -> Result<(), Failure> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    loop {
        tokio::select! {
            _ = terminate.recv() => return Ok(()),
            _ = interrupt.recv() => return Ok(()),
            _ = hang_up.recv() => {
                let reloading = Arc::clone(door);
                match door.blocking(move || reloading.reload_rules()).await {
                    Ok(rules) => tracing::info!(policy.digest = %rules.policy.digest(), "policy {} is in force", rules.policy.id()),
                    Err(error) => tracing::error!(error = %error, "the policy was not changed: {error}"),
                }
            }
        }
    }
}
