//! One HTTP client for every upstream, with bounds on hosts, redirects, time and size.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tidegate_ecosystems::oci::challenge;
use tidegate_ecosystems::{DocumentRequest, FetchedDocument};
use url::Url;

use super::decode::{Collector, DecodeError};
use super::promised::Promised;
use super::proxy::{Proxies, Way};
use super::resolver::{PrivateHosts, Resolver};
use super::{Upstream, UpstreamError};

/// The most redirects that are followed.
const MAX_REDIRECTS: usize = 5;
/// The most bytes that one connection to an upstream reads ahead.
const READ_BUFFER_BYTES: usize = 64 * 1024;
/// How often a request that found no connection is tried again.
const RETRIES: u32 = 2;
/// Wait before the first try again; it doubles.
const RETRY_PAUSE: Duration = Duration::from_millis(150);

/// Bounds of every request.
#[derive(Clone, Debug)]
pub struct ClientSettings {
    /// Time to connect.
    pub connect: Duration,
    /// Time until a head, and between parts of a body.
    pub idle: Duration,
    /// Bytes a second, averaged over `idle`, below which a transfer is given up.
    pub min_bytes_per_second: u64,
    /// Whether hosts learnt from documents may be private.
    pub allow_private: bool,
    /// Through which proxies hosts are asked.
    pub proxies: Proxies,
    /// This door's id, sent as `Via` so that loops are seen.
    pub via: String,
}

/// The client. Cloning is cheap.
#[derive(Clone, Debug)]
pub struct Client {
    http: legacy::Client<HttpsConnector<Way>, Full<Bytes>>,
    pub(super) private: PrivateHosts,
    settings: Arc<ClientSettings>,
}

/// What we hold already, for a conditional request.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Validators {
    /// `If-None-Match`.
    pub etag: Option<String>,
    /// `If-Modified-Since`.
    pub last_modified: Option<String>,
}

impl Validators {
    /// What an answer says of itself.
    fn of(headers: &HeaderMap) -> Self {
        Self { etag: text(headers, header::ETAG), last_modified: text(headers, header::LAST_MODIFIED) }
    }

    /// Makes a request conditional.
    fn ask(&self, headers: &mut HeaderMap) {
        let value = |text: &Option<String>| text.as_deref().and_then(|v| HeaderValue::from_str(v).ok());
        if let Some(value) = value(&self.etag) {
            headers.insert(header::IF_NONE_MATCH, value);
        } else if let Some(value) = value(&self.last_modified) {
            headers.insert(header::IF_MODIFIED_SINCE, value);
        }
    }
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<String> {
    headers.get(name).and_then(|v| v.to_str().ok()).map(str::to_owned)
}

/// What came back.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "one value for each request, and nearly always the large one")]
pub enum Fetched {
    /// What we hold is current.
    NotModified,
    /// A new document.
    Document {
        /// The document.
        document: FetchedDocument,
        /// Its validators.
        validators: Validators,
        /// The status, always a success.
        status: StatusCode,
        /// Its `Link` header, which says where a list goes on (RFC 8288).
        link: Option<String>,
        /// The rest of its head.
        headers: HeaderMap,
    },
}

/// What a receiver of a POST answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Posted {
    /// HTTP status.
    pub status: StatusCode,
    /// How long it asks to wait, where it says so in seconds.
    pub retry_after: Option<Duration>,
    /// The beginning of its answer, printable.
    pub beginning: String,
}

/// How much of an answer to a POST is read, in bytes, and how much of that is told, in characters.
pub(super) const MAX_ANSWER_BYTES: usize = 64 * 1024;
const MAX_ANSWER_TOLD: usize = 200;

/// Bytes of an artifact as they arrive.
#[derive(Debug)]
pub struct ArtifactBody {
    body: Incoming,
    upstream: String,
    idle: Duration,
    min_bytes_per_second: u64,
    window: (Instant, u64),
    /// How many bytes upstream says there are.
    pub length: Option<u64>,
    /// The address that answered, after redirects.
    pub url: Url,
    /// The digests that upstream states for them.
    pub promised: Promised,
}

impl Client {
    /// A client that trusts the system's certificate authorities.
    ///
    /// # Errors
    /// The system has no usable store of certificate authorities.
    pub fn new(settings: ClientSettings) -> std::io::Result<Self> {
        let private = PrivateHosts::new(settings.allow_private);
        let mut connector = HttpConnector::new_with_resolver(Resolver { private: private.clone() });
        connector.enforce_http(false);
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(settings.connect));
        let connector = hyper_rustls::HttpsConnectorBuilder::new()
            .with_provider_and_native_roots(rustls::crypto::ring::default_provider())?
            .https_or_http()
            .enable_http1()
            .wrap_connector(Way { straight: connector, proxies: settings.proxies.clone() });
        let http = legacy::Client::builder(TokioExecutor::new())
            .pool_idle_timeout(Duration::from_secs(30))
            .pool_max_idle_per_host(32)
            // What one fetch may hold in memory is pieces times their size; see `artifacts::PIECES_IN_FLIGHT`.
            .http1_max_buf_size(READ_BUFFER_BYTES)
            .build(connector);
        Ok(Self { http, private, settings: Arc::new(settings) })
    }

    /// Lets an upstream's own host live at a private address: somebody configured it.
    pub fn trust_host_of(&self, upstream: &Upstream) {
        if let Some(host) = upstream.base.url.host_str() {
            self.private.allow(host);
        }
        // Whoever set a proxy chose where it lives.
        if let Some(proxy) = self.settings.proxies.host_for(&upstream.base.url) {
            self.private.allow(&proxy);
        }
    }

    /// Lets a host named by an upstream's documents be private where the upstream itself is: a mirror inside the network
    /// names its own neighbours.
    pub fn trust_neighbour(&self, upstream: &Upstream, url: &Url) {
        if self.private.is_private(&upstream.base.url)
            && let Some(host) = url.host_str()
        {
            self.private.allow(host);
        }
    }

    /// Fetches a document whole, unpacked.
    ///
    /// # Errors
    /// [`UpstreamError`]; every failure keeps apart "absent" from "failed".
    pub async fn document(
        &self,
        upstream: &Upstream,
        request: &DocumentRequest,
        body: Option<Bytes>,
        validators: &Validators,
    ) -> Result<Fetched, UpstreamError> {
        let mut headers = request.headers.clone();
        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
        validators.ask(&mut headers);
        let body = body.or_else(|| request.body.clone());
        let (url, response) = self.send(upstream, &request.method, &request.url, &headers, body).await?;
        if response.status() == StatusCode::NOT_MODIFIED {
            return Ok(Fetched::NotModified);
        }
        let status = response.status();
        check_status(upstream, &response)?;
        let validators = Validators::of(response.headers());
        let text = |name| text(response.headers(), name);
        let content_type = text(header::CONTENT_TYPE);
        let coding = text(header::CONTENT_ENCODING);
        let link = text(header::LINK);
        let headers = response.headers().clone();
        let body = self.collect(upstream, response, coding.as_deref(), request.max_bytes).await?;
        let document = FetchedDocument { url, content_type, body };
        Ok(Fetched::Document { document, validators, status, link, headers })
    }

    /// Opens an artifact; its bytes are read with [`ArtifactBody::next`].
    ///
    /// # Errors
    /// [`UpstreamError`].
    pub async fn artifact(&self, upstream: &Upstream, url: &Url) -> Result<ArtifactBody, UpstreamError> {
        let opened = self.changed_artifact(upstream, url, &Validators::default()).await?;
        opened.map(|(body, _)| body).ok_or_else(|| UpstreamError::Broken {
            upstream: upstream.name.clone(),
            why: "it says that what we do not hold has not changed (HTTP 304)".into(),
        })
    }

    /// [`Client::artifact`] for bytes that may be held already: `None` where they are current.
    ///
    /// # Errors
    /// [`UpstreamError`].
    pub async fn changed_artifact(
        &self,
        upstream: &Upstream,
        url: &Url,
        validators: &Validators,
    ) -> Result<Option<(ArtifactBody, Validators)>, UpstreamError> {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, HeaderValue::from_static("*/*"));
        // What is packed already must arrive as it is, or its digest would not be the promised one.
        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        validators.ask(&mut headers);
        let (url, response) = self.send(upstream, &Method::GET, url, &headers, None).await?;
        if response.status() == StatusCode::NOT_MODIFIED {
            return Ok(None);
        }
        check_status(upstream, &response)?;
        let validators = Validators::of(response.headers());
        let length = response
            .headers()
            .get(header::CONTENT_LENGTH)
            .and_then(|v| v.to_str().ok())
            .and_then(|v| v.parse().ok());
        Ok(Some((self.body(upstream, response, length, url), validators)))
    }

    /// Posts a body to the address that `receiver` begins at. Once, and without following redirects: who sends again must
    /// know what was answered.
    ///
    /// # Errors
    /// [`UpstreamError`] where nothing was answered.
    pub async fn post(
        &self,
        receiver: &Upstream,
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<Posted, UpstreamError> {
        let url = &receiver.base.url;
        if !self.private.allows_literal(url) {
            let host = url.host_str().unwrap_or("").to_owned();
            return Err(UpstreamError::ForeignHost { upstream: receiver.name.clone(), host });
        }
        let response = self.attempt(receiver, &Method::POST, url, &headers, Some(body)).await?;
        let status = response.status();
        let retry_after = text(response.headers(), header::RETRY_AFTER).and_then(|v| v.parse().ok());
        let mut answer = self.body(receiver, response, None, url.clone());
        let mut told = Vec::new();
        // The status is the answer; a body that breaks off takes nothing from it.
        while let Ok(Some(bytes)) = answer.next().await {
            if told.len() + bytes.len() > MAX_ANSWER_BYTES {
                break;
            }
            told.extend_from_slice(&bytes);
        }
        let told = String::from_utf8_lossy(&told);
        let printable = told.trim().chars().map(|c| if c.is_control() { ' ' } else { c });
        Ok(Posted {
            status,
            retry_after: retry_after.map(Duration::from_secs),
            beginning: printable.take(MAX_ANSWER_TOLD).collect(),
        })
    }

    /// Asks once below the address that `receiver` begins at, and gives the status alone. Redirects are not followed: what
    /// stands in the headers is for this host.
    ///
    /// # Errors
    /// [`UpstreamError`] where nothing was answered.
    pub async fn status(
        &self,
        receiver: &Upstream,
        method: &Method,
        path: &str,
        headers: &HeaderMap,
    ) -> Result<StatusCode, UpstreamError> {
        let mut url = receiver.base.url.clone();
        url.set_path(&format!("{}{path}", url.path().trim_end_matches('/')));
        if !self.private.allows_literal(&url) {
            let host = url.host_str().unwrap_or("").to_owned();
            return Err(UpstreamError::ForeignHost { upstream: receiver.name.clone(), host });
        }
        let response = self.attempt(receiver, method, &url, headers, None).await?;
        Ok(response.status())
    }

    /// Sends one request to the very address that `receiver` begins at, and gives whatever it answers, its body unread. Redirects
    /// are not followed. `patience` bounds the wait for the head.
    ///
    /// # Errors
    /// [`UpstreamError`] where nothing was answered.
    pub async fn relay(
        &self,
        receiver: &Upstream,
        method: &Method,
        headers: HeaderMap,
        body: Bytes,
        patience: Duration,
    ) -> Result<Response<Incoming>, UpstreamError> {
        let url = &receiver.base.url;
        if !self.private.allows_literal(url) {
            let host = url.host_str().unwrap_or("").to_owned();
            return Err(UpstreamError::ForeignHost { upstream: receiver.name.clone(), host });
        }
        self.attempt_within(patience, receiver, method, url, &headers, Some(body)).await
    }

    fn body(
        &self,
        upstream: &Upstream,
        response: Response<Incoming>,
        length: Option<u64>,
        url: Url,
    ) -> ArtifactBody {
        ArtifactBody {
            promised: Promised::of(response.headers()),
            body: response.into_body(),
            upstream: upstream.name.clone(),
            idle: self.settings.idle,
            min_bytes_per_second: self.settings.min_bytes_per_second,
            window: (Instant::now(), 0),
            length,
            url,
        }
    }

    pub(super) async fn collect(
        &self,
        upstream: &Upstream,
        response: Response<Incoming>,
        coding: Option<&str>,
        max_bytes: u64,
    ) -> Result<Bytes, UpstreamError> {
        let broken = |why: String| UpstreamError::Broken { upstream: upstream.name.clone(), why };
        let decode = |e: DecodeError, limit: u64| match e {
            DecodeError::TooLarge => {
                broken(format!("the document is larger than {limit} bytes once unpacked"))
            }
            DecodeError::Corrupt => broken("its gzip coding is damaged".into()),
            DecodeError::UnknownCoding(coding) => {
                broken(format!("it is coded as `{coding}`, which was not asked for"))
            }
        };
        let mut collector = Collector::new(coding, max_bytes).map_err(|e| decode(e, max_bytes))?;
        let mut body = self.body(upstream, response, None, upstream.base.url.clone());
        while let Some(bytes) = body.next().await? {
            collector.push(&bytes).map_err(|e| decode(e, collector.limit()))?;
        }
        collector.finish().map_err(|e| decode(e, max_bytes))
    }

    /// Sends a request and follows redirects to hosts that this upstream may send us to.
    async fn send(
        &self,
        upstream: &Upstream,
        method: &Method,
        url: &Url,
        headers: &HeaderMap,
        body: Option<Bytes>,
    ) -> Result<(Url, Response<Incoming>), UpstreamError> {
        let mut url = url.clone();
        let mut introduced = false;
        let mut redirects = 0;
        while redirects <= MAX_REDIRECTS {
            if !upstream.allows(&url) || !self.private.allows_literal(&url) {
                let host = url.host_str().unwrap_or("").to_owned();
                return Err(UpstreamError::ForeignHost { upstream: upstream.name.clone(), host });
            }
            let response = self.send_once(upstream, method, &url, headers, body.clone()).await?;
            if response.status() == StatusCode::UNAUTHORIZED
                && !introduced
                && upstream.is_own_host(&url)
                && let Some(tokens) = &upstream.tokens
                && let Some(challenge) = challenge::bearer(response.headers())
            {
                introduced = true;
                tokens.forget(&url);
                self.introduce(upstream, tokens, &url, &challenge).await?;
                continue;
            }
            if !response.status().is_redirection() || response.status() == StatusCode::NOT_MODIFIED {
                return Ok((url, response));
            }
            let target = response
                .headers()
                .get(header::LOCATION)
                .and_then(|v| v.to_str().ok())
                .and_then(|v| url.join(v).ok());
            let target = target.ok_or_else(|| UpstreamError::Broken {
                upstream: upstream.name.clone(),
                why: format!("it redirects nowhere (HTTP {})", response.status().as_u16()),
            })?;
            if upstream.redirects_to_files && upstream.is_own_host(&url) {
                upstream.learn_host(&target);
                self.trust_neighbour(upstream, &target);
            }
            url = target;
            redirects += 1;
        }
        Err(UpstreamError::Broken {
            upstream: upstream.name.clone(),
            why: format!("more than {MAX_REDIRECTS} redirects"),
        })
    }

    pub(super) async fn send_once(
        &self,
        upstream: &Upstream,
        method: &Method,
        url: &Url,
        headers: &HeaderMap,
        body: Option<Bytes>,
    ) -> Result<Response<Incoming>, UpstreamError> {
        let mut pause = RETRY_PAUSE;
        let mut tries = 0;
        loop {
            let result = self.attempt(upstream, method, url, headers, body.clone()).await;
            match result {
                Err(error) if error.is_transient() && tries < RETRIES && *method == Method::GET => {
                    tries += 1;
                    tokio::time::sleep(pause).await;
                    pause *= 2;
                }
                other => return other,
            }
        }
    }

    async fn attempt(
        &self,
        upstream: &Upstream,
        method: &Method,
        url: &Url,
        headers: &HeaderMap,
        body: Option<Bytes>,
    ) -> Result<Response<Incoming>, UpstreamError> {
        self.attempt_within(self.settings.idle, upstream, method, url, headers, body).await
    }

    async fn attempt_within(
        &self,
        patience: Duration,
        upstream: &Upstream,
        method: &Method,
        url: &Url,
        headers: &HeaderMap,
        body: Option<Bytes>,
    ) -> Result<Response<Incoming>, UpstreamError> {
        let mut request = Request::new(Full::new(body.unwrap_or_default()));
        *request.method_mut() = method.clone();
        *request.uri_mut() = url.as_str().parse().map_err(|_| UpstreamError::Broken {
            upstream: upstream.name.clone(),
            why: "it names an address that cannot be asked".into(),
        })?;
        *request.headers_mut() = headers.clone();
        request.headers_mut().insert(
            header::USER_AGENT,
            HeaderValue::from_static(concat!("tidegate/", env!("CARGO_PKG_VERSION"))),
        );
        if let Ok(via) = HeaderValue::from_str(&format!("1.1 {}", self.settings.via)) {
            request.headers_mut().insert(header::VIA, via);
        }
        if upstream.is_own_host(url) {
            let token = upstream.tokens.as_ref().and_then(|tokens| tokens.of(url));
            if let Some(authorization) = token.as_ref().or(upstream.authorization.as_ref()) {
                request.headers_mut().insert(header::AUTHORIZATION, authorization.expose().clone());
            }
        }
        match tokio::time::timeout(patience, self.http.request(request)).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(error)) => {
                Err(UpstreamError::Unreachable { upstream: upstream.name.clone(), why: root_cause(&error) })
            }
            Err(_) => {
                Err(UpstreamError::Timeout { upstream: upstream.name.clone(), what: "no answer began" })
            }
        }
    }
}

pub(super) fn check_status(upstream: &Upstream, response: &Response<Incoming>) -> Result<(), UpstreamError> {
    let name = upstream.name.clone();
    match response.status().as_u16() {
        200..=299 => Ok(()),
        status @ (404 | 410 | 451) => Err(UpstreamError::Absent { upstream: name, status }),
        status @ (401 | 403) => Err(UpstreamError::Refused { upstream: name, status }),
        429 => {
            let seconds = response
                .headers()
                .get(header::RETRY_AFTER)
                .and_then(|v| v.to_str().ok())
                .and_then(|v| v.parse().ok());
            Err(UpstreamError::Busy {
                upstream: name,
                retry_after: Duration::from_secs(seconds.unwrap_or(10)),
            })
        }
        504 => Err(UpstreamError::Timeout { upstream: name, what: "it reports HTTP 504" }),
        status => Err(UpstreamError::Broken { upstream: name, why: format!("HTTP {status}") }),
    }
}

/// The innermost cause, which is the one that says something.
fn root_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

impl ArtifactBody {
    /// The next bytes; `None` at the end.
    ///
    /// # Errors
    /// The connection broke, or the transfer is too slow.
    pub async fn next(&mut self) -> Result<Option<Bytes>, UpstreamError> {
        loop {
            let frame = match tokio::time::timeout(self.idle, self.body.frame()).await {
                Err(_) => {
                    return Err(UpstreamError::Timeout {
                        upstream: self.upstream.clone(),
                        what: "the transfer stopped",
                    });
                }
                Ok(None) => return Ok(None),
                Ok(Some(Err(error))) => {
                    let why = format!("the transfer broke off: {}", root_cause(&error));
                    return Err(UpstreamError::Broken { upstream: self.upstream.clone(), why });
                }
                Ok(Some(Ok(frame))) => frame,
            };
            if let Ok(bytes) = frame.into_data() {
                self.check_speed(bytes.len() as u64)?;
                return Ok(Some(bytes));
            }
        }
    }

    fn check_speed(&mut self, bytes: u64) -> Result<(), UpstreamError> {
        self.window.1 += bytes;
        let elapsed = self.window.0.elapsed();
        if elapsed >= self.idle {
            let wanted = self.min_bytes_per_second.saturating_mul(elapsed.as_secs().max(1));
            if self.window.1 < wanted {
                return Err(UpstreamError::Timeout {
                    upstream: self.upstream.clone(),
                    what: "the transfer is too slow",
                });
            }
            self.window = (Instant::now(), 0);
        }
        Ok(())
    }
}
