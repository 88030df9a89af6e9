//! `POST /add-checkpoint`, and nothing else. Bounded in connections, bytes and time.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tidegate_ledger::witness::{MAX_REQUEST_BYTES, WitnessRefusal};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use super::WitnessFolder;
use crate::clock::Clock;
use crate::http::guard::Guarded;
use crate::http::patience::Patient;

/// The most connections at a time.
const MAX_CONNECTIONS: usize = 256;
/// The longest head of a request, in bytes.
const MAX_HEAD_BYTES: usize = 16 * 1024;
/// How long a client may take to send a head, to send a body, and to read an answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// Accepts connections until the task is dropped.
pub async fn serve(folder: Arc<WitnessFolder>, clock: Clock, listener: TcpListener) {
    let limit = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        let permit = Arc::clone(&limit).acquire_owned().await.expect("the semaphore is never closed");
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::error!(error = %error, "a connection could not be accepted: {error}");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let (folder, clock) = (Arc::clone(&folder), clock.clone());
        tokio::spawn(async move {
            let _permit = permit;
            connection(folder, clock, stream).await;
        });
    }
}

async fn connection(folder: Arc<WitnessFolder>, clock: Clock, stream: TcpStream) {
    let service = service_fn(move |request| {
        let (folder, clock) = (Arc::clone(&folder), clock.clone());
        async move { Ok::<_, Infallible>(answer(&folder, &clock, request).await) }
    });
    let guarded = Guarded::new(Patient::new(stream, PATIENCE), MAX_HEAD_BYTES);
    let ended = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        .max_buf_size(MAX_HEAD_BYTES)
        .max_headers(100)
        .half_close(false)
        .serve_connection(TokioIo::new(guarded), service)
        .await;
    if let Err(error) = ended {
        tracing::debug!(error = %error, "a connection ended early: {error}");
    }
}

async fn answer(
    folder: &Arc<WitnessFolder>,
    clock: &Clock,
    request: Request<Incoming>,
) -> Response<Full<Bytes>> {
    // A submission prefix may stand before it, where a proxy does not take it away.
    if !request.uri().path().ends_with("/add-checkpoint") {
        return text(StatusCode::NOT_FOUND, "a witness has one path: POST …/add-checkpoint\n".to_owned());
    }
    if request.method() != Method::POST {
        let mut refused = text(StatusCode::METHOD_NOT_ALLOWED, "checkpoints are posted\n".to_owned());
        refused.headers_mut().insert(header::ALLOW, HeaderValue::from_static("POST"));
        return refused;
    }
    let body = Limited::new(request.into_body(), MAX_REQUEST_BYTES).collect();
    let body = match tokio::time::timeout(PATIENCE, body).await {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => {
            return text(
                StatusCode::PAYLOAD_TOO_LARGE,
                format!("a request has at most {MAX_REQUEST_BYTES} bytes\n"),
            );
        }
        Ok(Err(error)) => return text(StatusCode::BAD_REQUEST, format!("the body broke off: {error}\n")),
        Err(_) => return text(StatusCode::REQUEST_TIMEOUT, "the body did not come in time\n".to_owned()),
    };
    let (folder, now) = (Arc::clone(folder), clock.now().unix_seconds());
    let work = move || folder.add_checkpoint(&body, u64::try_from(now).unwrap_or(0));
    match tokio::task::spawn_blocking(work).await {
        Ok(Ok(Ok(line))) => text(StatusCode::OK, line),
        Ok(Ok(Err(refusal))) => refused(&refusal),
        Ok(Err(error)) => {
            tracing::error!(error = %error, "nothing is cosigned: {error}");
            text(StatusCode::INTERNAL_SERVER_ERROR, "the witness cannot read its list of logs\n".to_owned())
        }
        Err(_) => text(StatusCode::INTERNAL_SERVER_ERROR, "the witness failed\n".to_owned()),
    }
}

fn refused(refusal: &WitnessRefusal) -> Response<Full<Bytes>> {
    let status = StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    match refusal {
        // Sizes that only differ are how a log finds out what is remembered.
        WitnessRefusal::Conflict(size) => tracing::debug!("refused: a checkpoint of {size} is remembered"),
        other if status.is_server_error() => tracing::error!("nothing is cosigned: {other}"),
        other => tracing::warn!("refused ({}): {other}", status.as_u16()),
    }
    let mut answer = text(status, refusal.body());
    if matches!(refusal, WitnessRefusal::Conflict(_)) {
        answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/x.tlog.size"));
    }
    answer
}

fn text(status: StatusCode, body: String) -> Response<Full<Bytes>> {
    let mut answer = Response::new(Full::new(Bytes::from(body)));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}
