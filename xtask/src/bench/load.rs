//! Asks servers for things and measures what that costs them.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Barrier;
use std::time::{Duration, Instant};

use sha2::Digest as _;
use tidegate_testkit::client::{RawClient, RawResponse};
use tidegate_testkit::process::{Home, Program};

use super::data::{Data, HexBytes, Sample, VERSIONS};
use super::programs::Programs;
use super::servers::Server;

/// A herd is given up after this time.
const HERD: Duration = Duration::from_secs(180);

/// A request that costs more CPU than this is measured one at a time.
const SLOW: Duration = Duration::from_millis(50);

/// Something that is asked for again and again, all of it cached.
#[derive(Debug)]
pub(super) struct Cell {
    /// As in the report.
    pub(super) name: &'static str,
    /// Behind the server's base.
    path: String,
    headers: &'static [&'static str],
    /// Whether the request carries the ETag of an earlier answer.
    conditional: bool,
    check: Check,
}

#[derive(Debug)]
enum Check {
    Sha256(String),
    Versions,
}

/// The cached cells in the order of the report.
pub(super) fn cells(data: &Data) -> Vec<Cell> {
    let tarball = |name, sample: &Sample| Cell {
        name,
        path: tarball_path(sample),
        headers: &[],
        conditional: false,
        check: Check::Sha256(sample.sha256.clone()),
    };
    let wide = |name, conditional| Cell {
        name,
        path: format!("/{}", data.wide),
        headers: &["Accept: application/json", "Accept-Encoding: gzip"],
        conditional,
        check: Check::Versions,
    };
    vec![
        tarball("cached 4 KB", &data.small),
        tarball("cached 1 MB", &data.middle),
        wide("packument, gzip", false),
        wide("packument, 304", true),
    ]
}

fn tarball_path(sample: &Sample) -> String {
    format!("/{0}/-/{0}-1.0.0.tgz", sample.name)
}

/// Asks for the cell until it is cached, and checks that the answer is the right one.
pub(super) fn warm(server: &mut Server, cell: &Cell) -> Result<(), String> {
    let mut last = Err("never asked".to_owned());
    // A gateway may learn of a file from its packument only, and may hold the first answer while it looks inside.
    for attempt in 0..6 {
        if attempt > 0 {
            std::thread::sleep(Duration::from_millis(500));
        }
        let package = cell.path.split("/-/").next().unwrap_or_default();
        for path in [package, &cell.path] {
            last = ask(server, path, cell.headers).map_err(|e| e.to_string()).and_then(|answer| {
                let wanted = path == cell.path;
                if wanted { check(cell, &answer) } else { Ok(()) }
            });
        }
        if last.is_ok() && attempt > 0 {
            break;
        }
    }
    last?;
    if cell.conditional {
        let tag = etag(server, cell)?;
        let line = format!("If-None-Match: {tag}");
        let headers: Vec<&str> = cell.headers.iter().copied().chain([line.as_str()]).collect();
        let answer = ask(server, &cell.path, &headers).map_err(|e| e.to_string())?;
        if answer.status != 304 {
            return Err(format!("answers {} to a request with its own ETag", answer.status));
        }
    }
    let before = cpu(server);
    ask(server, &cell.path, cell.headers).map_err(|e| e.to_string())?;
    if cpu(server).saturating_sub(before) > SLOW {
        server.slow.push(cell.name);
    }
    settled(server);
    Ok(())
}

fn ask(server: &Server, path: &str, headers: &[&str]) -> io::Result<RawResponse> {
    let headers: Vec<&str> = headers.iter().copied().chain(["Connection: close"]).collect();
    RawClient::connect(server.address)?.get(&format!("{}{path}", server.base), &headers)
}

fn etag(server: &Server, cell: &Cell) -> Result<String, String> {
    let answer = ask(server, &cell.path, cell.headers).map_err(|e| e.to_string())?;
    answer.header("etag").map(str::to_owned).ok_or_else(|| "sends no ETag".to_owned())
}

fn check(cell: &Cell, answer: &RawResponse) -> Result<(), String> {
    if answer.status != 200 || !answer.complete {
        let text: String = answer.text().chars().take(200).collect();
        return Err(format!("answers {} {}: {text}", answer.status, answer.reason));
    }
    match &cell.check {
        Check::Sha256(expected) => {
            let actual = format!("{:x}", HexBytes(&sha2::Sha256::digest(&answer.body)));
            if &actual == expected { Ok(()) } else { Err("serves other bytes".to_owned()) }
        }
        Check::Versions => {
            if answer.header("content-encoding") != Some("gzip") {
                return Err("does not compress".to_owned());
            }
            let mut text = Vec::new();
            flate2::read::GzDecoder::new(&answer.body[..])
                .read_to_end(&mut text)
                .map_err(|e| format!("sends broken gzip: {e}"))?;
            let document: serde_json::Value =
                serde_json::from_slice(&text).map_err(|e| format!("sends no JSON: {e}"))?;
            match document["versions"].as_object().map_or(0, serde_json::Map::len) {
                VERSIONS => Ok(()),
                other => Err(format!("lists {other} versions of {VERSIONS}")),
            }
        }
    }
}

/// One round of one cell.
#[derive(Clone, Copy, Debug)]
pub(super) struct Measured {
    /// Microseconds of CPU that the server spent on one request.
    pub(super) cpu_micros: f64,
    pub(super) per_second: f64,
    pub(super) p99_millis: f64,
    /// Peak resident memory of the server in kilobytes.
    pub(super) peak_kb: u64,
}

/// Runs wrk on core 1 and reads the server's CPU clock before and after.
pub(super) fn wrk(
    programs: &Programs,
    server: &Server,
    cell: &Cell,
    connections: usize,
    duration: Duration,
) -> Result<Measured, String> {
    if server.slow.contains(&cell.name) {
        return one_by_one(server, cell);
    }
    let home = Home::new();
    let mut program = Program::new("taskset", &home)
        .args(["-c", "1"])
        .arg(&programs.wrk)
        .args(["-t1", "--latency", "--timeout", "30s"])
        .arg(format!("-c{connections}"))
        .arg(format!("-d{}s", duration.as_secs()))
        .env("LD_LIBRARY_PATH", &programs.libraries)
        .timeout(duration + Duration::from_secs(60));
    for header in cell.headers {
        program = program.args(["-H", header]);
    }
    if cell.conditional {
        program = program.arg("-H").arg(format!("If-None-Match: {}", etag(server, cell)?));
    }
    // As the requests that warmed the cell: links in a document carry the host, and with it its entity tag.
    program = program.args(["-H", "Host: door.test"]);
    let url = format!("http://{}{}{}", server.address, server.base, cell.path);
    let before = whole_cpu(server);
    let done = program.arg(url).run();
    let spent = settled(server).saturating_sub(before);
    if !done.succeeded() {
        return Err(done.output());
    }
    let output = done.stdout;
    if output.contains("Non-2xx or 3xx") {
        return Err(format!("some answers were errors:\n{output}"));
    }
    let requests: f64 = output
        .lines()
        .find_map(|line| line.split_once(" requests in ")?.0.trim().parse().ok())
        .filter(|count: &f64| *count > 0.0)
        .ok_or_else(|| format!("no request was answered:\n{output}"))?;
    let number = |label: &str| {
        output.lines().find_map(|line| line.trim().strip_prefix(label)?.split_whitespace().next())
    };
    Ok(Measured {
        cpu_micros: spent.as_secs_f64() * 1e6 / requests,
        per_second: number("Requests/sec:").and_then(|text| text.parse().ok()).unwrap_or_default(),
        p99_millis: number("99%").map_or(f64::NAN, millis),
        peak_kb: memory(server, "VmHWM:"),
    })
}

/// The cost of a cell in which one request takes long: a few of them, one after the other.
fn one_by_one(server: &Server, cell: &Cell) -> Result<Measured, String> {
    const REQUESTS: u32 = 5;
    let tag = if cell.conditional { Some(format!("If-None-Match: {}", etag(server, cell)?)) } else { None };
    let headers: Vec<&str> = cell.headers.iter().copied().chain(tag.as_deref()).collect();
    let (before, begun) = (cpu(server), Instant::now());
    let mut longest = Duration::ZERO;
    for _ in 0..REQUESTS {
        let asked = Instant::now();
        ask(server, &cell.path, &headers).map_err(|e| e.to_string())?;
        longest = longest.max(asked.elapsed());
    }
    Ok(Measured {
        cpu_micros: cpu(server).saturating_sub(before).as_secs_f64() * 1e6 / f64::from(REQUESTS),
        per_second: f64::from(REQUESTS) / begun.elapsed().as_secs_f64(),
        p99_millis: longest.as_secs_f64() * 1e3,
        peak_kb: memory(server, "VmHWM:"),
    })
}

/// `1.23ms`, `456.00us` or `1.20s` of wrk's output.
fn millis(text: &str) -> f64 {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let scale = match &text[digits.len()..] {
        "us" => 1e-3,
        "s" => 1e3,
        "m" => 6e4,
        _ => 1.0,
    };
    digits.parse::<f64>().map_or(f64::NAN, |number| number * scale)
}

/// The ids of a server's processes.
fn processes(server: &Server) -> Vec<u32> {
    let mut out = vec![server.process.id()];
    let mut next = 0;
    while let Some(id) = out.get(next).copied() {
        next += 1;
        for task in std::fs::read_dir(format!("/proc/{id}/task")).into_iter().flatten().flatten() {
            let children = std::fs::read_to_string(task.path().join("children")).unwrap_or_default();
            out.extend(children.split_whitespace().filter_map(|child| child.parse::<u32>().ok()));
        }
    }
    out
}

/// CPU time of a server once it has come to rest. Work that is put off belongs to the requests that caused it, not to
/// those of the next cell.
pub(super) fn settled(server: &Server) -> Duration {
    const PAUSE: Duration = Duration::from_millis(500);
    const QUIET: Duration = Duration::from_millis(5);
    // Longer than the pauses between looks at put-off work, of every server here.
    const PAUSES_AT_REST: u32 = 6;
    let begun = Instant::now();
    let (mut last, mut at_rest) = (whole_cpu(server), 0);
    while at_rest < PAUSES_AT_REST && begun.elapsed() < Duration::from_secs(60) {
        std::thread::sleep(PAUSE);
        let now = whole_cpu(server);
        at_rest = if now.saturating_sub(last) <= QUIET { at_rest + 1 } else { 0 };
        last = now;
    }
    last
}

/// CPU time of a server with the threads and processes that have ended, in hundredths of a second.
fn whole_cpu(server: &Server) -> Duration {
    let ticks = |id: u32| -> u64 {
        let line = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        // The name in brackets may hold anything; user and system time, and those of ended children, are the 12th to 15th field behind it.
        let fields = line.rsplit_once(')').map_or("", |(_, fields)| fields);
        fields.split_whitespace().skip(11).take(4).filter_map(|n| n.parse::<u64>().ok()).sum()
    };
    Duration::from_millis(10 * processes(server).into_iter().map(ticks).sum::<u64>())
}

/// CPU time of all threads of a server, from the scheduler's own nanosecond count.
pub(super) fn cpu(server: &Server) -> Duration {
    let mut nanoseconds = 0;
    for id in processes(server) {
        for task in std::fs::read_dir(format!("/proc/{id}/task")).into_iter().flatten().flatten() {
            let line = std::fs::read_to_string(task.path().join("schedstat")).unwrap_or_default();
            nanoseconds += line.split_whitespace().next().and_then(|n| n.parse::<u64>().ok()).unwrap_or(0);
        }
    }
    Duration::from_nanos(nanoseconds)
}

/// A field of `/proc/<pid>/status` in kilobytes, summed over a server's processes.
pub(super) fn memory(server: &Server, field: &str) -> u64 {
    let of = |id: u32| -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{id}/status")).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix(field))?;
        line.split_whitespace().next()?.parse().ok()
    };
    processes(server).into_iter().filter_map(of).sum()
}

/// Makes the kernel count the peak memory of a server from now.
fn reset_peak(server: &Server) {
    for id in processes(server) {
        // Without that right the peak is that of the whole run, which is never lower.
        let _ = std::fs::write(format!("/proc/{id}/clear_refs"), "5");
    }
}

/// One pull of a file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pull {
    pub(super) first_byte: Duration,
    pub(super) total: Duration,
    pub(super) cpu: Duration,
}

/// Asks for the packument and the file of `sample`, as a client does, and times the file.
pub(super) fn pull(server: &Server, data: &Data, sample: &Sample) -> Result<Pull, String> {
    debug_assert!(data.cold.iter().any(|cold| cold.name == sample.name));
    ask(server, &format!("/{}", sample.name), &[]).map_err(|e| e.to_string())?;
    let before = cpu(server);
    let (first_byte, total, bytes) =
        download(server.address, &format!("{}{}", server.base, tarball_path(sample)))
            .map_err(|e| e.to_string())?;
    if bytes != sample.size {
        return Err(format!("{bytes} bytes of {} arrived", sample.size));
    }
    Ok(Pull { first_byte, total, cpu: cpu(server).saturating_sub(before) })
}

/// Reads a body and throws it away: time of its first byte, time of its last, its length.
fn download(server: SocketAddr, path: &str) -> io::Result<(Duration, Duration, usize)> {
    let mut stream = TcpStream::connect(server)?;
    stream.set_read_timeout(Some(HERD))?;
    let begun = Instant::now();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {server}\r\nConnection: close\r\n\r\n")?;
    let mut buffer = vec![0; 64 * 1024];
    let (mut head, mut first, mut bytes) = (Vec::new(), None, 0);
    loop {
        if begun.elapsed() > HERD {
            return Err(io::Error::new(io::ErrorKind::TimedOut, "the download takes too long"));
        }
        let count = stream.read(&mut buffer)?;
        if count == 0 {
            break;
        }
        if first.is_some() {
            bytes += count;
            continue;
        }
        head.extend_from_slice(&buffer[..count]);
        if let Some(at) = head.windows(4).position(|window| window == b"\r\n\r\n") {
            if !head.starts_with(b"HTTP/1.1 200") {
                let line = String::from_utf8_lossy(&head[..at]).lines().next().unwrap_or_default().to_owned();
                return Err(io::Error::other(line));
            }
            bytes = head.len() - at - 4;
            if bytes > 0 {
                first = Some(begun.elapsed());
            }
        }
    }
    Ok((first.unwrap_or_else(|| begun.elapsed()), begun.elapsed(), bytes))
}

/// Many clients on one cold file.
#[derive(Clone, Debug)]
pub(super) struct Herd {
    pub(super) upstream_requests: usize,
    pub(super) cpu: Duration,
    pub(super) growth_kb: u64,
    pub(super) first_byte_median: Duration,
    pub(super) first_byte_last: Duration,
    pub(super) total: Duration,
    /// Clients that did not get the whole file, and why the first of them did not.
    pub(super) short: usize,
    pub(super) why: Option<String>,
}

/// Lets `clients` threads ask for the herd's file at the same moment.
pub(super) fn herd(server: &Server, upstream: &Server, data: &Data, clients: usize) -> Result<Herd, String> {
    let sample = &data.herd;
    ask(server, &format!("/{}", sample.name), &[]).map_err(|e| e.to_string())?;
    let path = tarball_path(sample);
    let (address, target) = (server.address, format!("{}{path}", server.base));
    let asked_before = asked(upstream, &path);
    reset_peak(server);
    let (memory_before, cpu_before) = (memory(server, "VmRSS:"), cpu(server));
    let begun = Instant::now();
    let gate = Barrier::new(clients);
    let results: Vec<io::Result<(Duration, Duration, usize)>> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..clients)
            .map(|_| {
                scope.spawn(|| {
                    gate.wait();
                    download(address, &target)
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("a download does not panic")).collect()
    });
    let total = begun.elapsed();
    let mut first: Vec<Duration> = results.iter().flatten().map(|(first, _, _)| *first).collect();
    first.sort_unstable();
    let whole = results.iter().filter(|r| matches!(r, Ok((_, _, bytes)) if *bytes == sample.size)).count();
    Ok(Herd {
        upstream_requests: asked(upstream, &path) - asked_before,
        cpu: cpu(server).saturating_sub(cpu_before),
        growth_kb: memory(server, "VmHWM:").saturating_sub(memory_before),
        first_byte_median: first.get(first.len() / 2).copied().unwrap_or_default(),
        first_byte_last: first.last().copied().unwrap_or_default(),
        total,
        short: clients - whole,
        why: results.iter().find_map(|r| r.as_ref().err().map(ToString::to_string)),
    })
}

/// How often the upstream has been asked for a path.
fn asked(upstream: &Server, path: &str) -> usize {
    let log = std::fs::read_to_string(&upstream.requests).unwrap_or_default();
    log.lines().filter(|line| line.contains(&format!("{path} "))).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_wrk_are_read_with_their_unit() {
        for (text, expected) in [("1.50ms", 1.5), ("250.00us", 0.25), ("2.00s", 2000.0), ("1.00m", 60_000.0)]
        {
            assert!((millis(text) - expected).abs() < 1e-9, "{text}");
        }
    }
}
