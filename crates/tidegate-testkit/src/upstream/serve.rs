//! The server behind a fake upstream: accepts, records, routes, then applies style and faults to the right answer.

use std::convert::Infallible;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use bytes::Bytes;
use http::header::{self, HeaderValue};
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use sha2::Digest as _;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use super::body::{AnyBody, fed, whole};
use super::fault::{self, Fault, Planned};
use super::page::{Ask, Kind, Page};
use super::{Catalog, Recorded, Style, cargo, gallery, hub, lock, mcp, npm, pypi, registry};

/// A request body may have this many bytes.
const BODY_BYTES: usize = 256 * 1024 * 1024;
/// Frame size of bodies that are sent piece by piece.
const FRAME_BYTES: usize = 16 * 1024;
/// A hanging answer ends after this long, so that a test that forgets it ends too.
const HANG: Duration = Duration::from_secs(300);
/// Stopping waits this long for the server's threads.
const STOP: Duration = Duration::from_secs(10);

/// What requests are answered from.
#[derive(Debug)]
pub(super) struct State {
    pub(super) url: String,
    pub(super) files_base: String,
    pub(super) style: Style,
    pub(super) publish_times: bool,
    pub(super) authorization: Option<String>,
    pub(super) unusual_paths: bool,
    pub(super) hands_out_tokens: Option<String>,
    pub(super) catalog: Catalog,
    pub(super) faults: Mutex<Vec<Planned>>,
    pub(super) requests: Mutex<Vec<Recorded>>,
}

/// The threads of a server that listens.
#[derive(Debug)]
pub(super) struct Running {
    shutdown: oneshot::Sender<()>,
    stopped: mpsc::Receiver<()>,
    runtime: tokio::runtime::Runtime,
}

impl Running {
    pub(super) fn start(listener: TcpListener, state: Arc<State>) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("fake-upstream")
            .enable_all()
            .build()
            .expect("threads for the fake upstream can be started");
        let (shutdown, told) = oneshot::channel();
        let (tell, stopped) = mpsc::channel();
        runtime.spawn(async move {
            let mut connections = JoinSet::new();
            tokio::select! {
                () = accept(listener, &state, &mut connections) => {}
                _ = told => {}
            }
            connections.shutdown().await;
            // The test may have given up waiting.
            let _ = tell.send(());
        });
        Self { shutdown, stopped, runtime }
    }

    /// Returns once nothing listens any more and every connection is cut.
    pub(super) fn stop(self) {
        // An error means that the server is gone already.
        let _ = self.shutdown.send(());
        let _ = self.stopped.recv_timeout(STOP);
        self.runtime.shutdown_background();
    }
}

/// Binds the address of a server that was stopped: connections that linger do not stand in the way.
pub(super) fn bind_again(address: SocketAddr) -> io::Result<TcpListener> {
    // The standard library sets SO_REUSEADDR on Unix.
    TcpListener::bind(address)
}

async fn accept(listener: TcpListener, state: &Arc<State>, connections: &mut JoinSet<()>) {
    listener.set_nonblocking(true).expect("a listener can be made non-blocking");
    let listener = tokio::net::TcpListener::from_std(listener).expect("the runtime takes a listener");
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        while connections.try_join_next().is_some() {}
        let state = Arc::clone(state);
        connections.spawn(async move {
            // Both only make answers prompt; a connection without them still works.
            let _ = stream.set_nodelay(true);
            let Ok(socket) = rustix::io::dup(&stream) else { return };
            let socket = Arc::new(socket);
            let service = service_fn(move |request| {
                let (state, socket) = (Arc::clone(&state), Arc::clone(&socket));
                async move { answer(&state, &socket, request).await }
            });
            // A fault ends a connection with an error, on purpose.
            let _ = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

/// The error that makes hyper close a connection without an answer.
#[derive(Debug)]
struct Cut;

impl std::fmt::Display for Cut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the fault cuts the connection")
    }
}

impl std::error::Error for Cut {}

impl From<Infallible> for Cut {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

async fn answer(
    state: &Arc<State>,
    socket: &Arc<OwnedFd>,
    request: Request<Incoming>,
) -> Result<Response<AnyBody>, Cut> {
    let (head, body) = request.into_parts();
    let body = Limited::new(body, BODY_BYTES).collect().await.map_err(|_| Cut)?.to_bytes();
    let path = head.uri.path_and_query().map_or_else(|| head.uri.to_string(), ToString::to_string);
    lock(&state.requests).push(Recorded {
        method: head.method.to_string(),
        path: path.clone(),
        headers: head.headers.clone(),
        body: body.clone(),
    });
    if let Some(expected) = &state.authorization {
        let given = head.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        if given != Some(expected) {
            let refusal = Page::text(StatusCode::UNAUTHORIZED, "credentials are missing or wrong\n");
            let mut response = respond(state, &head.method, &head.headers, refusal);
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"upstream\""));
            return Ok(response);
        }
    }
    let fault = fault::take(&mut lock(&state.faults), &path);
    match &fault {
        Some(Fault::Slow(delay)) => tokio::time::sleep(*delay).await,
        Some(Fault::Wait(gate)) => gate.opened().await,
        Some(Fault::Hang) => {
            tokio::time::sleep(HANG).await;
            return Err(Cut);
        }
        Some(Fault::Drop) => return Err(Cut),
        Some(fault) => {
            if let Some(response) = instead(fault) {
                return Ok(response);
            }
        }
        None => {}
    }
    // Rendering a large index in a debug build takes long: not on a thread that serves others.
    let (rendering, method, headers) = (Arc::clone(state), head.method.clone(), head.headers.clone());
    let response = tokio::task::spawn_blocking(move || {
        let mut page = route(&rendering, &method, &head.uri, &headers, &body);
        if let Some(fault) = &fault {
            distort(&mut page, fault);
        }
        let mut response = respond(&rendering, &method, &headers, page);
        let stated = head.uri.path().strip_prefix("/feeds/");
        let stated = stated.and_then(|path| rendering.catalog.read().feed_hashes.get(path).cloned());
        if let Some(hash) = stated.and_then(|hash| hash.parse().ok()) {
            response.headers_mut().insert("x-goog-hash", hash);
        }
        (response, fault)
    });
    let (response, fault) = response.await.map_err(|_| Cut)?;
    Ok(match fault {
        Some(fault) => deliver(response, &fault, socket).await,
        None => response,
    })
}

fn route(state: &State, method: &Method, uri: &http::Uri, headers: &HeaderMap, body: &[u8]) -> Page {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or("*/*");
    let unpacked = Recorded {
        method: method.to_string(),
        path: String::new(),
        headers: HeaderMap::new(),
        body: Bytes::copy_from_slice(body),
    }
    .plain_body();
    let ask = |path| Ask { method, path, query: uri.query().unwrap_or_default(), accept, body: &unpacked };
    let path = uri.path();
    let below = |prefix: &str| path.strip_prefix(prefix);
    if let Some(rest) = below("/npm/") {
        npm::answer(state, ask(rest))
    } else if let Some(rest) = below("/npm-files/") {
        npm::tarball_by_digest(state, rest)
    } else if let Some(rest) = below("/python/") {
        pypi::answer(state, ask(rest))
    } else if let Some(rest) = below("/python-files/") {
        pypi::file(state, rest)
    } else if let Some(rest) = below("/index/") {
        cargo::index(state, ask(rest))
    } else if let Some(rest) = below("/crates/dl/") {
        cargo::download(state, rest)
    } else if let Some(rest) = below("/api/v1/crates/") {
        cargo::api(state, rest)
    } else if let Some(rest) = below("/hub/") {
        hub::answer(state, ask(rest))
    } else if let Some(rest) = below("/cdn/") {
        hub::content(state, rest)
    } else if let Some(rest) = below("/v2/") {
        registry::answer(state, ask(rest), headers)
    } else if path == "/token" {
        registry::token(state, headers, uri.query().unwrap_or_default())
    } else if let Some(rest) = below("/layers/") {
        registry::content(state, rest)
    } else if let Some(rest) = below("/vsx/") {
        gallery::answer(state, ask(rest))
    } else if let Some(rest) = below("/vsx-files/") {
        gallery::file(state, rest)
    } else if let Some(rest) = below("/registry/") {
        mcp::answer(state, ask(rest))
    } else if let Some(rest) = below("/feeds/") {
        let feed = state.catalog.read().feeds.get(rest).cloned();
        feed.map_or_else(Page::not_found, Page::file)
    } else {
        Page::not_found()
    }
}

/// The response for a page as the style gives it: revalidation, ranges and compression are a rich upstream's.
fn respond(state: &State, method: &Method, asked: &HeaderMap, page: Page) -> Response<AnyBody> {
    let mut response =
        Response::builder().status(page.status).header(header::CONTENT_TYPE, page.content_type);
    for (name, value) in &page.headers {
        response = response.header(*name, value);
    }
    let mut body = page.body;
    if state.style == Style::Rich && page.status == StatusCode::OK {
        let etag = format!("\"{}\"", &hex::encode(sha2::Sha256::digest(&body))[..32]);
        response = response.header(header::ETAG, &etag);
        if asked.get(header::IF_NONE_MATCH).is_some_and(|value| value == etag.as_str()) {
            return response
                .status(StatusCode::NOT_MODIFIED)
                .body(whole(Bytes::new()))
                .expect("constant headers are valid");
        }
        if page.kind == Kind::File {
            response = response.header(header::ACCEPT_RANGES, "bytes");
            if let Some((start, end)) = range(asked, body.len()) {
                response = response
                    .status(StatusCode::PARTIAL_CONTENT)
                    .header(header::CONTENT_RANGE, format!("bytes {start}-{end}/{}", body.len()));
                body = body.slice(start..=end);
            }
        } else {
            response = response.header(header::VARY, "Accept, Accept-Encoding");
            if accepts_gzip(asked) {
                response = response.header(header::CONTENT_ENCODING, "gzip");
                body = gzip(&body).into();
            }
        }
    }
    let response = response.header(header::CONTENT_LENGTH, body.len());
    let body = if method == Method::HEAD { Bytes::new() } else { body };
    response.body(whole(body)).expect("constant headers are valid")
}

fn accepts_gzip(asked: &HeaderMap) -> bool {
    asked
        .get(header::ACCEPT_ENCODING)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.split(',').any(|part| part.trim().split(';').next() == Some("gzip")))
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).expect("writing to memory does not fail");
    encoder.finish().expect("writing to memory does not fail")
}

/// First and last byte of a satisfiable single range; anything else is ignored, as RFC 9110 allows.
fn range(asked: &HeaderMap, length: usize) -> Option<(usize, usize)> {
    let (first, last) = asked.get(header::RANGE)?.to_str().ok()?.strip_prefix("bytes=")?.split_once('-')?;
    let end = length.checked_sub(1)?;
    let (start, stop) = match (first.parse::<usize>(), last.parse::<usize>()) {
        (Ok(start), Ok(stop)) => (start, stop.min(end)),
        (Ok(start), Err(_)) if last.is_empty() => (start, end),
        (Err(_), Ok(suffix)) if first.is_empty() && suffix > 0 => (length.saturating_sub(suffix), end),
        _ => return None,
    };
    (start <= stop).then_some((start, stop))
}

/// The response of a fault that replaces the right answer altogether.
fn instead(fault: &Fault) -> Option<Response<AnyBody>> {
    let response = match fault {
        Fault::Status { code, retry_after } => {
            let mut response = Response::builder().status(*code).header(header::CONTENT_TYPE, "text/plain");
            if let Some(seconds) = retry_after {
                response = response.header(header::RETRY_AFTER, *seconds);
            }
            response.body(whole(Bytes::from_static(b"trouble upstream\n")))
        }
        Fault::Redirect(to) => Response::builder()
            .status(StatusCode::FOUND)
            .header(header::LOCATION, to)
            .header(header::CONTENT_LENGTH, 0)
            .body(whole(Bytes::new())),
        Fault::GzipBomb(size) => Response::builder()
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::CONTENT_ENCODING, "gzip")
            .body(whole(gzip_bomb(*size).into())),
        Fault::DeepJson(depth) => {
            let nested = format!(
                "{{\"name\":\"deep\",\"versions\":{}{}}}",
                "{\"a\":".repeat(*depth) + "1",
                "}".repeat(*depth)
            );
            Response::builder().header(header::CONTENT_TYPE, "application/json").body(whole(nested.into()))
        }
        _ => return None,
    };
    Some(response.expect("a test names valid statuses and URLs"))
}

/// `{"name":"` and then spaces, compressed.
fn gzip_bomb(size: u64) -> Vec<u8> {
    use std::io::Write as _;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    let spaces = vec![b' '; 1024 * 1024];
    let mut left = size;
    encoder.write_all(b"{\"name\":\"").expect("writing to memory does not fail");
    while left > 0 {
        let now = left.min(spaces.len() as u64);
        let count = usize::try_from(now).expect("at most a mebibyte");
        encoder.write_all(&spaces[..count]).expect("writing to memory does not fail");
        left -= now;
    }
    encoder.finish().expect("writing to memory does not fail")
}

/// Changes the right page as a fault says.
fn distort(page: &mut Page, fault: &Fault) {
    match fault {
        Fault::WrongBytes => {
            let mut bytes = page.body.to_vec();
            if let Some(last) = bytes.last_mut() {
                *last ^= 1;
            }
            page.body = bytes.into();
        }
        Fault::OtherBytes(bytes) => page.body = bytes.clone(),
        Fault::ContentType(other) => page.content_type = other,
        Fault::HugeIndex(size) => page.body = padded(page, *size).into(),
        _ => {}
    }
}

/// The body of an index, padded in a way its format allows.
fn padded(page: &Page, size: usize) -> Vec<u8> {
    let missing = size.saturating_sub(page.body.len());
    let mut out = page.body.to_vec();
    match page.kind {
        Kind::Json if out.ends_with(b"}") => {
            out.pop();
            out.extend_from_slice(b",\"padding\":\"");
            out.resize(out.len() + missing, b'x');
            out.extend_from_slice(b"\"}");
        }
        Kind::Html => {
            out.extend_from_slice(b"<!-- ");
            out.resize(out.len() + missing, b'x');
            out.extend_from_slice(b" -->\n");
        }
        Kind::Lines => out.resize(out.len() + missing, b'\n'),
        _ => {}
    }
    out
}

/// Sends a right response in a wrong way: slowly, or not to its end.
async fn deliver(response: Response<AnyBody>, fault: &Fault, socket: &Arc<OwnedFd>) -> Response<AnyBody> {
    let (rate, stop_at, reset) = match fault {
        Fault::Trickle(rate) => (Some((*rate).max(1)), None, false),
        Fault::Truncate(bytes) => (None, Some(*bytes), false),
        Fault::ResetMidBody => (None, None, true),
        _ => return response,
    };
    let (head, body) = response.into_parts();
    let bytes = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let stop_at = if reset { Some(bytes.len() / 2) } else { stop_at };
    let (frames, body) = fed(bytes.len() as u64);
    let socket = Arc::clone(socket);
    tokio::spawn(async move {
        let end = stop_at.unwrap_or(bytes.len()).min(bytes.len());
        // A trickle sends about ten frames a second, so that its rate is even.
        let step = rate.map_or(FRAME_BYTES, |rate| usize::try_from(rate / 10).unwrap_or(FRAME_BYTES).max(1));
        let mut sent = 0;
        while sent < end {
            let next = (sent + step).min(end);
            if frames.send(Ok(bytes.slice(sent..next))).await.is_err() {
                return;
            }
            if let Some(rate) = rate {
                tokio::time::sleep(Duration::from_secs_f64((next - sent) as f64 / rate as f64)).await;
            }
            sent = next;
        }
        if end < bytes.len() {
            // What was sent shall arrive before the end does.
            tokio::time::sleep(Duration::from_millis(50)).await;
            if reset {
                // Closing a socket with a linger time of zero sends RST instead of FIN.
                let _ = rustix::net::sockopt::set_socket_linger(&*socket, Some(Duration::ZERO));
            }
            let _ = frames.send(Err(io::Error::other(Cut))).await;
        }
    });
    Response::from_parts(head, body)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranged(value: &str, length: usize) -> Option<(usize, usize)> {
        let mut headers = HeaderMap::new();
        headers.insert(header::RANGE, value.parse().unwrap());
        range(&headers, length)
    }

    #[test]
    fn ranges_are_read_as_rfc_9110_says() {
        for (value, expected) in [
            ("bytes=0-3", Some((0, 3))),
            ("bytes=5-", Some((5, 9))),
            ("bytes=-4", Some((6, 9))),
            ("bytes=8-100", Some((8, 9))),
            ("bytes=10-", None),
            ("bytes=-0", None),
            ("lines=1-2", None),
        ] {
            assert_eq!(ranged(value, 10), expected, "{value}");
        }
    }

    #[test]
    fn a_bomb_is_small_until_it_is_unpacked() {
        let packed = gzip_bomb(10_000_000);
        assert!(packed.len() < 40_000, "{}", packed.len());
        let unpacked = io::copy(&mut flate2::read::GzDecoder::new(&packed[..]), &mut io::sink()).unwrap();
        assert_eq!(unpacked, 10_000_009);
    }
}
