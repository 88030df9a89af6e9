//! Listening, connections with limits, graceful drain.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tidegate_model::denial::DenialKind;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::{Semaphore, watch};
use tokio_rustls::TlsAcceptor;

use super::guard::Guarded;
use super::packages::{self, Arrival};
use super::paths::{Place, place};
use super::patience::Patient;
use super::respond::{self, HttpResponse};
use super::{ledger, operations, osv, pages};
use crate::api;
use crate::door::Door;
use crate::pipeline::{denials, images};

/// A running listener.
pub struct Server {
    door: Arc<Door>,
    limit: Arc<Semaphore>,
    stop: watch::Sender<bool>,
    /// Open connections, and when one was last opened or closed.
    use_of: Arc<Mutex<(usize, Instant)>>,
}

/// Counts a connection for as long as it is open.
struct InUse(Arc<Mutex<(usize, Instant)>>);

impl InUse {
    fn begin(of: &Arc<Mutex<(usize, Instant)>>) -> Self {
        let mut state = of.lock().expect("no panic while holding it");
        *state = (state.0 + 1, Instant::now());
        Self(Arc::clone(of))
    }
}

impl Drop for InUse {
    fn drop(&mut self) {
        let mut state = self.0.lock().expect("no panic while holding it");
        *state = (state.0.saturating_sub(1), Instant::now());
    }
}

impl Server {
    /// A server for a door. Nothing listens yet.
    pub fn new(door: Arc<Door>) -> Self {
        let limit = Arc::new(Semaphore::new(door.config.server.max_connections));
        Self { door, limit, stop: watch::channel(false).0, use_of: Arc::new(Mutex::new((0, Instant::now()))) }
    }

    /// How long no connection has been open.
    pub fn idle_for(&self) -> Duration {
        let (open, since) = *self.use_of.lock().expect("no panic while holding it");
        if open > 0 { Duration::ZERO } else { since.elapsed() }
    }

    /// Accepts TCP connections until [`Server::stop`].
    pub async fn serve_tcp(&self, listener: TcpListener, tls: Option<TlsAcceptor>) {
        let local = listener.local_addr().ok();
        // A listener that others can reach never answers without a token.
        let auth_required =
            self.door.config.server.require_token || !local.is_some_and(|a| a.ip().is_loopback());
        let mut stop = self.stop.subscribe();
        loop {
            let permit =
                Arc::clone(&self.limit).acquire_owned().await.expect("the semaphore is never closed");
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = stopped(&mut stop) => return,
            };
            let (stream, peer) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    // Out of file descriptors, most likely: give connections time to end.
                    tracing::error!(error = %error, "a connection could not be accepted: {error}");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            };
            let _ = stream.set_nodelay(true);
            let arrival = Arrival { peer: Some(peer), auth_required, tls: tls.is_some() };
            let (door, tls, stop) = (Arc::clone(&self.door), tls.clone(), self.stop.subscribe());
            let in_use = InUse::begin(&self.use_of);
            tokio::spawn(async move {
                let (_permit, _in_use) = (permit, in_use);
                match tls {
                    None => connection(door, stream, arrival, stop).await,
                    Some(acceptor) => {
                        let idle = Duration::from_secs(door.config.server.idle_seconds);
                        match tokio::time::timeout(idle, acceptor.accept(stream)).await {
                            Ok(Ok(stream)) => connection(door, stream, arrival, stop).await,
                            Ok(Err(error)) => {
                                tracing::debug!(client.address = %peer, error = %error, "TLS failed: {error}")
                            }
                            Err(_) => tracing::debug!(client.address = %peer, "no TLS handshake in time"),
                        }
                    }
                }
            });
        }
    }

    /// Accepts connections on the Unix socket, whose callers are the owner of the data directory.
    pub async fn serve_unix(&self, listener: UnixListener) {
        let mut stop = self.stop.subscribe();
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = stopped(&mut stop) => return,
            };
            let Ok((stream, _)) = accepted else { continue };
            let uid = stream.peer_cred().map(|c| c.uid()).ok();
            let (door, stop) = (Arc::clone(&self.door), self.stop.subscribe());
            let in_use = InUse::begin(&self.use_of);
            tokio::spawn(async move {
                let _in_use = in_use;
                socket_connection(door, stream, uid, stop).await;
            });
        }
    }

    /// Stops accepting, tells idle connections to close, and waits for running transfers within the drain time.
    pub async fn stop(&self) {
        self.door.draining.store(true, Ordering::Relaxed);
        self.stop.send_replace(true);
        let all = u32::try_from(self.door.config.server.max_connections).unwrap_or(u32::MAX);
        let drained = self.limit.acquire_many(all);
        let limit = Duration::from_secs(self.door.config.server.drain_seconds);
        if tokio::time::timeout(limit, drained).await.is_err() {
            tracing::warn!("transfers were still running when the drain time ended");
        }
    }
}

/// Resolves once the server stops.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    // The sender lives as long as the server; its end is a stop too.
    drop(stop.wait_for(|s| *s).await);
}

fn builder(door: &Door) -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_secs(door.config.server.idle_seconds))
        .max_buf_size(door.config.server.max_head_bytes.max(8192))
        .max_headers(200)
        .half_close(false);
    builder
}

/// A connection whose requests have unambiguous framing and whose other side goes on reading.
fn guarded<S>(door: &Door, stream: S) -> Guarded<Patient<S>> {
    let server = &door.config.server;
    Guarded::new(Patient::new(stream, Duration::from_secs(server.write_seconds)), server.max_head_bytes)
}

async fn connection<S>(door: Arc<Door>, stream: S, arrival: Arrival, mut stop: watch::Receiver<bool>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    door.metrics.connections.inc();
    let guarded = guarded(&door, stream);
    let service_door = Arc::clone(&door);
    let service = service_fn(move |request| {
        let door = Arc::clone(&service_door);
        async move { Ok::<_, Infallible>(answer(&door, request, &arrival).await) }
    });
    let connection = builder(&door).serve_connection(TokioIo::new(guarded), service);
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stopped(&mut stop) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(error = %error, "a connection ended early: {error}");
    }
    door.metrics.connections.dec();
}

async fn socket_connection(
    door: Arc<Door>,
    stream: tokio::net::UnixStream,
    uid: Option<u32>,
    mut stop: watch::Receiver<bool>,
) {
    let service_door = Arc::clone(&door);
    let service = service_fn(move |request: Request<Incoming>| {
        let door = Arc::clone(&service_door);
        async move {
            let (parts, body) = request.into_parts();
            let caller = api::Caller::Socket { uid };
            let response = match packages::raw_path(&parts.uri).map(place) {
                Some(Place::Api(rest)) => {
                    api::answer(&door, rest, &parts, body, &caller, "http://localhost/").await
                }
                _ => not_found(),
            };
            Ok::<_, Infallible>(response)
        }
    });
    let connection = builder(&door).serve_connection(TokioIo::new(guarded(&door, stream)), service);
    tokio::pin!(connection);
    let _ = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stopped(&mut stop) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
}

/// Answers one request.
async fn answer(door: &Arc<Door>, request: Request<Incoming>, arrival: &Arrival) -> HttpResponse {
    let (parts, body) = request.into_parts();
    let head_only = parts.method == http::Method::HEAD;
    if packages::is_loop(door, &parts.headers) {
        return packages::loop_detected();
    }
    let Some(path) = packages::raw_path(&parts.uri) else { return not_found() };
    match place(path) {
        Place::Package { repository, .. }
            if path.starts_with("/v2/") && !images::is_one(door, repository) =>
        {
            no_image(&parts, path, head_only)
        }
        Place::Package { token, repository, rest } => match door.repositories.get(repository) {
            Some(repository) => packages::answer(door, repository, token, rest, &parts, body, arrival).await,
            None => not_found(),
        },
        Place::Images(path) => match images::place(door, path, parts.uri.query()) {
            Some((repository, rest)) => {
                packages::answer(door, repository, None, rest, &parts, body, arrival).await
            }
            None => no_image(&parts, path, head_only),
        },
        Place::McpRun { token, server } => {
            Box::pin(crate::mcp::http::answer(door, token, server, &parts, body, arrival)).await
        }
        Place::Api(rest) => {
            let caller = api::Caller::Remote { arrival: *arrival };
            let base = packages::door_url(door, &parts.headers, arrival);
            api::answer(door, rest, &parts, body, &caller, &base).await
        }
        Place::Decision(id) => pages::decision(door, id, &parts.headers, head_only).await,
        Place::Advisory(id) => pages::advisory(door, id, &parts.headers, head_only).await,
        Place::Osv(rest) => osv::answer(door, rest, &parts, body, arrival).await,
        Place::Ledger(rest) => ledger::answer(door, rest, &parts, arrival).await,
        Place::Alive => operations::alive(head_only),
        Place::Ready => operations::ready(door, head_only),
        Place::Metrics => operations::metrics(door, head_only),
        Place::Front => pages::front(door, &packages::door_url(door, &parts.headers, arrival), head_only),
        Place::Unknown => not_found(),
    }
}

/// In the form that clients of image registries show.
fn no_image(parts: &http::request::Parts, path: &str, head_only: bool) -> HttpResponse {
    let reason = "no repository of this door stands for that: an image's name begins with the repository's, as in \
                  <door>/oci/<name>, or `?ns=` names a registry that a repository stands for";
    let denial = denials::plain(DenialKind::NotFound, reason, "");
    let request = tidegate_ecosystems::ClientRequest {
        method: &parts.method,
        path,
        query: parts.uri.query(),
        headers: &parts.headers,
        body: b"",
    };
    let protocol = tidegate_ecosystems::protocol(tidegate_model::Ecosystem::Oci);
    respond::unrecorded(protocol.deny(&denial, &request), head_only)
}

fn not_found() -> HttpResponse {
    respond::problem(&denials::plain(
        DenialKind::NotFound,
        "there is nothing here: a repository's address is /<repository>/, for example /npm/",
        "",
    ))
}

/// The address a listener is bound to, for messages.
pub fn shown(address: SocketAddr) -> String {
    format!("http://{address}/")
}
