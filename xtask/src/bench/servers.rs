//! The servers of a run, each with an empty home and a folder of its own.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tidegate_testkit::process::{Home, Program, Running};

use super::data::Data;
use super::programs::Programs;
use super::{BenchError, Gateway};

/// A server must answer within this time of its start.
const START: Duration = Duration::from_secs(60);

/// A server that runs. Dropping it ends it.
#[derive(Debug)]
pub(super) struct Server {
    /// As in the report.
    pub(super) name: String,
    pub(super) address: SocketAddr,
    /// What stands before `/<package>` in its URLs.
    pub(super) base: &'static str,
    /// Whether it fetches from the upstream what it lacks.
    pub(super) caches: bool,
    /// Cells that it failed.
    pub(super) broken: Vec<&'static str>,
    /// Cells of which one request takes so much that a generator would only pile requests up.
    pub(super) slow: Vec<&'static str>,
    /// From the start of the process to the first accepted connection.
    pub(super) start: Duration,
    /// nginx's list of requests, for the upstream.
    pub(super) requests: PathBuf,
    pub(super) process: Running,
    _home: Home,
}

/// What a server is started from.
pub(super) struct Plan<'a> {
    pub(super) name: &'a str,
    pub(super) base: &'static str,
    pub(super) caches: bool,
    pub(super) address: SocketAddr,
    pub(super) core: &'a str,
    pub(super) requests: PathBuf,
}

/// A loopback port that is free now.
pub(super) fn free_address() -> Result<SocketAddr, BenchError> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .map_err(|e| BenchError::Server(format!("no loopback port is free: {e}")))
}

/// Starts `program` pinned to the plan's core and waits until it accepts connections.
pub(super) fn launch(plan: Plan<'_>, home: Home, program: Program) -> Result<Server, BenchError> {
    let begun = Instant::now();
    let mut process = program.spawn();
    while TcpStream::connect_timeout(&plan.address, Duration::from_millis(200)).is_err() {
        let ended = process.wait(Duration::ZERO).is_some();
        if ended || begun.elapsed() > START {
            process.kill();
            let (stdout, stderr) = process.output_so_far();
            let why = if ended { "ended" } else { "did not listen" };
            return Err(BenchError::Server(format!("{} {why}:\n{stdout}{stderr}", plan.name)));
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    Ok(Server {
        name: plan.name.to_owned(),
        address: plan.address,
        base: plan.base,
        caches: plan.caches,
        broken: Vec::new(),
        slow: Vec::new(),
        start: begun.elapsed(),
        requests: plan.requests,
        process,
        _home: home,
    })
}

/// `taskset -c CORE PROGRAM`: the rest of the arguments are the caller's.
pub(super) fn pinned(core: &str, program: &Path, home: &Home) -> Program {
    Program::new("taskset", home).args(["-c", core]).arg(program).timeout(Duration::MAX)
}

pub(super) fn nginx(
    programs: &Programs,
    plan: Plan<'_>,
    folder: &Path,
    server: &str,
) -> Result<Server, BenchError> {
    let home = Home::new();
    let config = folder.join("nginx.conf");
    let user = if rustix_is_root() { "user root;" } else { "" };
    let text = format!(
        "{user} worker_processes 1; daemon off; pid {folder}/pid; error_log {folder}/errors;\n\
         events {{ worker_connections 2048; }}\n\
         http {{\n\
         default_type application/octet-stream; sendfile on; keepalive_requests 1000000000;\n\
         client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;\n\
         uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;\n\
         {server}\n}}\n",
        folder = folder.display(),
    );
    std::fs::create_dir_all(folder)
        .and_then(|()| std::fs::write(&config, text))
        .map_err(|source| BenchError::Write { path: config.clone(), source })?;
    let program = pinned(plan.core, &programs.nginx, &home)
        .arg("-p")
        .arg(folder)
        .arg("-c")
        .arg(&config)
        .arg("-e")
        .arg(folder.join("errors"))
        .env("LD_LIBRARY_PATH", &programs.libraries);
    launch(plan, home, program)
}

fn rustix_is_root() -> bool {
    // The owner of our own process entry is who we are; no other program is asked.
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata("/proc/self").is_ok_and(|entry| entry.uid() == 0)
}

/// The locations of a registry made of files: packuments beside tarballs, compressed ones sent where asked for.
fn files_server(data: &Data, address: SocketAddr, log: &str) -> String {
    format!(
        "server {{ listen {address} backlog=1024; root {files}; access_log {log}; gzip_static on; gzip_vary on;\n\
         location ~ ^/npm/([^/]+)$ {{ rewrite ^/npm/([^/]+)$ /packuments/$1 break; default_type application/json; }}\n\
         location / {{ }} }}",
        files = data.files().display(),
    )
}

/// The registry that everything is fetched from: nginx with files on core 1.
pub(super) fn upstream(programs: &Programs, data: &Data) -> Result<Server, BenchError> {
    let folder = data.path().join("upstream");
    let address = free_address()?;
    let requests = folder.join("requests");
    let server = files_server(data, address, &requests.display().to_string());
    let plan = Plan { name: "direct", base: "/npm", caches: false, address, core: "1", requests };
    nginx(programs, plan, &folder, &server)
}

/// Every server under test that can be had and was not left out. What fails is said and missing in the report.
pub(super) fn start_all(
    programs: &Programs,
    data: &Data,
    upstream: &Server,
    options: &Gateway,
) -> Vec<Server> {
    let started = [
        ("nginx static", nginx_static(programs, data)),
        ("nginx proxy_cache", nginx_cache(programs, data, upstream)),
        ("verdaccio", verdaccio(programs, data, upstream)),
        ("tidegate", tidegate(data, upstream, options)),
    ];
    let mut servers = Vec::new();
    for (name, server) in started {
        match server {
            _ if options.without.iter().any(|left_out| left_out == name) => {}
            Ok(Some(server)) => servers.push(server),
            Ok(None) => {}
            Err(error) => eprintln!("SKIPPED: {name}: {error}"),
        }
    }
    servers
}

fn nginx_static(programs: &Programs, data: &Data) -> Result<Option<Server>, BenchError> {
    let address = free_address()?;
    let plan = Plan {
        name: "nginx static",
        base: "/npm",
        caches: false,
        address,
        core: "0",
        requests: PathBuf::new(),
    };
    nginx(programs, plan, &data.path().join("static"), &files_server(data, address, "off")).map(Some)
}

/// nginx as a caching proxy with an access log, its lock on and its cache on disk. `tcp_nopush` stays off: on loopback
/// it makes cached answers wait for a delayed acknowledgement.
fn nginx_cache(programs: &Programs, data: &Data, upstream: &Server) -> Result<Option<Server>, BenchError> {
    let address = free_address()?;
    let folder = data.path().join("cache");
    let server = format!(
        "proxy_cache_path {folder}/store levels=1:2 keys_zone=door:16m max_size=4g inactive=1d use_temp_path=off;\n\
         upstream registry {{ server {upstream}; keepalive 32; }}\n\
         server {{ listen {address} backlog=1024; access_log {folder}/access;\n\
         location / {{ proxy_pass http://registry; proxy_http_version 1.1; proxy_set_header Connection \"\";\n\
         proxy_set_header Accept-Encoding $http_accept_encoding; proxy_cache door; proxy_cache_valid 200 1h;\n\
         proxy_cache_lock on; proxy_cache_lock_timeout 60s; proxy_cache_revalidate on; }} }}",
        folder = folder.display(),
        upstream = upstream.address,
    );
    let plan = Plan {
        name: "nginx proxy_cache",
        base: "/npm",
        caches: true,
        address,
        core: "0",
        requests: PathBuf::new(),
    };
    nginx(programs, plan, &folder, &server).map(Some)
}

fn verdaccio(programs: &Programs, data: &Data, upstream: &Server) -> Result<Option<Server>, BenchError> {
    let Some(program) = &programs.verdaccio else { return Ok(None) };
    let address = free_address()?;
    let folder = data.path().join("verdaccio");
    let config = folder.join("config.yaml");
    let text = format!(
        "storage: {folder}/storage\n\
         uplinks:\n  upstream:\n    url: http://{upstream}/npm/\n    maxage: 60m\n    timeout: 120s\n\
         packages:\n  '**':\n    access: $all\n    proxy: upstream\n\
         log: {{ type: stdout, format: pretty, level: fatal }}\n",
        folder = folder.display(),
        upstream = upstream.address,
    );
    std::fs::create_dir_all(&folder)
        .and_then(|()| std::fs::write(&config, text))
        .map_err(|source| BenchError::Write { path: config.clone(), source })?;
    let home = Home::new();
    let command = pinned("0", Path::new("node"), &home)
        .arg(program)
        .arg("--config")
        .arg(&config)
        .args(["--listen", &format!("http://{address}")]);
    let plan =
        Plan { name: "verdaccio", base: "", caches: true, address, core: "0", requests: PathBuf::new() };
    launch(plan, home, command).map(Some)
}

fn tidegate(data: &Data, upstream: &Server, options: &Gateway) -> Result<Option<Server>, BenchError> {
    if !options.tidegate.is_file() {
        eprintln!(
            "SKIPPED: tidegate: `{}` is missing: `cargo build --release` makes it",
            options.tidegate.display()
        );
        return Ok(None);
    }
    let address = free_address()?;
    let home = Home::new();
    let mut command = pinned("0", &options.tidegate, &home)
        .args(["up", "--listen", &address.to_string(), "--data"])
        .arg(data.path().join("tidegate"))
        .env("TIDEGATE_UPSTREAM_NPM", format!("http://{}/npm/", upstream.address));
    let mut name = "tidegate".to_owned();
    if let Some(config) = &options.tidegate_config {
        command = command.arg("--config").arg(config);
        name = format!("tidegate ({})", config.display());
    }
    let plan = Plan { name: &name, base: "/npm", caches: true, address, core: "0", requests: PathBuf::new() };
    launch(plan, home, command).map(Some)
}
