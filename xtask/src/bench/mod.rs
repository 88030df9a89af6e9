//! `cargo xtask bench check` (see [`check`]), `cargo xtask bench inspect` (see [`inspect`]), `cargo xtask bench who` (see [`who`]),
//! `cargo xtask bench verify` (see [`verify`]) and
//! `cargo xtask bench gateway`: what a request costs behind tidegate, nginx and verdaccio, in one run on one machine.
//!
//! Everything is on loopback: an upstream (nginx with files), the servers under test, each pinned to core 0 while it is
//! measured, and the generators (wrk, and threads of our own for cold pulls) on core 1 with the upstream. The cost is
//! the CPU time of a server's whole process tree as the kernel's scheduler counts it. Rounds are interleaved, so that
//! a busy moment of the machine hits all servers alike; the median of the rounds is shown.

mod check;
mod data;
mod images;
mod inspect;
mod load;
mod programs;
mod recall;
mod report;
mod servers;
mod verify;
mod who;

use std::path::PathBuf;
use std::time::Duration;

use data::Data;
use programs::Programs;
use report::Report;
use servers::Server;

/// Compare the gateway, and checks of lock files, with their peers.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Cached tarballs, a packument of 2,200 versions, cold pulls and a herd on one file: tidegate, nginx, verdaccio.
    Gateway(Gateway),
    /// Looking through lock files: tidegate, cargo-audit, pip-audit, osv-scanner.
    Check(check::Options),
    /// How long an advisory takes to its last effect: a million admitted versions, 64 clients.
    Recall(recall::Recall),
    /// What a large image costs whoever it is pulled through: tidegate, Debian's registry, nginx.
    Images(images::Options),
    /// What looking inside packages costs, part by part: secrets, readers of languages, licences, the whole.
    Inspect(inspect::Options),
    /// Who took what, over millions of accesses: ingest, size, and each kind of question at two sizes.
    Who(who::Options),
    /// What checking an attestation costs: tidegate, Sigstore's verifier in JavaScript, PyPI's own.
    Verify(verify::Options),
}

/// Sizes and durations of a run.
#[derive(Debug, clap::Args)]
pub(super) struct Gateway {
    /// Interleaved rounds for each cached cell
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Seconds that one cell of one round lasts
    #[arg(long, default_value_t = 2)]
    seconds: u64,
    /// Connections of the generator
    #[arg(long, default_value_t = 16)]
    connections: usize,
    /// Clients that ask for one cold file at once
    #[arg(long, default_value_t = 200)]
    herd: usize,
    /// Megabytes of the herd's file
    #[arg(long, default_value_t = 50)]
    herd_megabytes: usize,
    /// Servers to leave out, by name
    #[arg(long, value_delimiter = ',')]
    without: Vec<String>,
    /// The binary under test
    #[arg(long, default_value_os_t = crate::tools::target().join("release/tidegate"))]
    tidegate: PathBuf,
    /// A configuration file for it: its row is then called `tidegate (FILE)`
    #[arg(long)]
    tidegate_config: Option<PathBuf>,
}

/// Why there is no result.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BenchError {
    /// nginx or wrk can neither be found nor fetched.
    #[error("`{0}` is neither on PATH nor can it be fetched with apt-get: install it and try again")]
    Missing(&'static str),
    /// A file of the run could not be written.
    #[error("writing `{path}`")]
    Write {
        /// Which file.
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    /// A server did not come up, or the upstream did not.
    #[error("{0}")]
    Server(String),
}

/// Runs a benchmark and prints its report.
pub(crate) fn run(arguments: &Arguments) -> Result<(), BenchError> {
    let options = match &arguments.what {
        What::Gateway(options) => options,
        What::Check(options) => return check::run(options),
        What::Recall(options) => return recall::run(options),
        What::Inspect(options) => return inspect::run(options),
        What::Images(options) => return images::run(options),
        What::Who(options) => return who::run(options),
        What::Verify(options) => return verify::run(options),
    };
    let programs = Programs::find()?;
    let data = Data::make(options.herd_megabytes)?;
    let upstream = servers::upstream(&programs, &data)?;
    data.write_documents(&upstream)?;
    let mut servers = servers::start_all(&programs, &data, &upstream, options);
    let mut report = Report::new(options);
    for server in &mut servers {
        report.started(server);
    }
    cached(&programs, &data, options, &mut servers, &mut report);
    cold(&data, &upstream, &mut servers, &mut report);
    herd(&data, &upstream, options, &mut servers, &mut report);
    report.write(&crate::tools::target().join("bench"))
}

/// The cells that are measured with everything in the cache: name, path, request headers, expected status.
fn cached(programs: &Programs, data: &Data, options: &Gateway, servers: &mut [Server], report: &mut Report) {
    let cells = load::cells(data);
    for cell in &cells {
        for server in servers.iter_mut() {
            if let Err(why) = load::warm(server, cell) {
                report.failed(cell.name, &server.name, &why);
                server.broken.push(cell.name);
            }
        }
    }
    for round in 1..=options.rounds {
        eprintln!("round {round} of {}", options.rounds);
        for cell in &cells {
            for server in servers.iter().filter(|server| !server.broken.contains(&cell.name)) {
                let duration = Duration::from_secs(options.seconds);
                match load::wrk(programs, server, cell, options.connections, duration) {
                    Ok(sample) => report.sample(cell.name, &server.name, sample),
                    Err(why) => report.failed(cell.name, &server.name, &why),
                }
            }
        }
    }
}

/// Files that nobody has asked for yet, one after the other, also straight from the upstream.
fn cold(data: &Data, upstream: &Server, servers: &mut [Server], report: &mut Report) {
    eprintln!("cold pulls");
    for name in &data.cold {
        for server in std::iter::once(upstream).chain(servers.iter().filter(|server| server.caches)) {
            match load::pull(server, data, name) {
                Ok(pull) => report.cold(&server.name, pull),
                Err(why) => report.failed("cold 1 MB", &server.name, &why),
            }
        }
    }
}

/// Many clients at once on one file that nobody has asked for yet.
fn herd(data: &Data, upstream: &Server, options: &Gateway, servers: &mut [Server], report: &mut Report) {
    for server in servers.iter().filter(|server| server.caches) {
        eprintln!("herd of {} on {}", options.herd, server.name);
        match load::herd(server, upstream, data, options.herd) {
            Ok(herd) => report.herd(&server.name, herd),
            Err(why) => report.failed("herd", &server.name, &why),
        }
    }
}
