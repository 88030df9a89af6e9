//! Reaching a running door: over the Unix socket in its data directory, or over HTTP with a token.

use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use clap::Args;
use http::{Method, Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_util::client::legacy;
use hyper_util::rt::{TokioExecutor, TokioIo};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use tidegate_model::Secret;
use url::Url;

use super::{Failure, default_data};

/// How a command reaches the door.
#[derive(Clone, Debug, Default, Args)]
pub struct Reach {
    /// Data directory of the running door.
    #[arg(long, value_name = "DIR", global = true)]
    pub data: Option<PathBuf>,
    /// Address of a door elsewhere, instead of the one of the data directory.
    #[arg(long, value_name = "URL", env = "TIDEGATE_DOOR", global = true)]
    pub door: Option<Url>,
    /// Token for that door.
    #[arg(long, value_name = "TOKEN", env = "TIDEGATE_TOKEN", hide_env_values = true, global = true, value_parser = secret)]
    pub token: Option<Secret<String>>,
}

fn secret(text: &str) -> Result<Secret<String>, std::convert::Infallible> {
    Ok(Secret::new(text.to_owned()))
}

impl Reach {
    /// The data directory that is meant.
    pub fn data(&self) -> PathBuf {
        self.data.clone().unwrap_or_else(default_data)
    }
}

/// A running door as commands see it.
#[derive(Debug)]
pub struct Remote {
    way: Way,
    token: Option<Secret<String>>,
    runtime: tokio::runtime::Runtime,
}

#[derive(Debug)]
enum Way {
    Socket(PathBuf),
    Url(Url),
}

/// What a door answered.
#[derive(Clone, Debug)]
pub struct Reply {
    /// HTTP status.
    pub status: StatusCode,
    /// The body as JSON; null where it has none.
    pub body: Value,
}

/// How long a door may take for an answer: checking a large lock file asks many upstream indexes.
const ANSWER_SECONDS: u64 = 600;
/// How long a connection may take.
const CONNECT_SECONDS: u64 = 10;
/// The most bytes of an answer.
const MAX_ANSWER_BYTES: usize = 256 << 20;
/// What stays as it is in a query string.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

impl Remote {
    /// Prepares to ask the door that `reach` names; connects with each request.
    ///
    /// # Errors
    /// The way is unusable; for a data directory also that no door runs there.
    pub fn new(reach: &Reach) -> Result<Self, Failure> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let way = match &reach.door {
            Some(url) if matches!(url.scheme(), "http" | "https") && url.host().is_some() => {
                Way::Url(url.clone())
            }
            Some(url) => {
                return Err(Failure(format!(
                    "`{url}` is no address of a door\n  give one such as http://127.0.0.1:8484/"
                )));
            }
            None => Way::Socket(reach.data().join("tidegate.sock")),
        };
        Ok(Self { way, token: reach.token.clone(), runtime })
    }

    /// Whether something answers as a door there.
    pub fn is_running(&self) -> bool {
        self.ask(Method::GET, "status", &[], None).is_ok()
    }

    /// `GET /api/v1/<path>`.
    ///
    /// # Errors
    /// No door, or its refusal in its own words.
    pub fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Value, Failure> {
        self.ask(Method::GET, path, query, None).and_then(Reply::ok)
    }

    /// Every page of `GET /api/v1/<path>`, whose items stand under `key`.
    ///
    /// # Errors
    /// As [`Remote::get`].
    pub fn all(&self, path: &str, query: &[(&str, &str)], key: &str) -> Result<Vec<Value>, Failure> {
        let (mut items, mut after) = (Vec::new(), None::<String>);
        loop {
            let mut asked = query.to_vec();
            asked.extend(after.as_deref().map(|after| ("after", after)));
            let mut page = self.get(path, &asked)?;
            if let Value::Array(more) = page[key].take() {
                items.extend(more);
            }
            // A door that names the same place again would be asked for ever.
            match page["next"].as_str() {
                Some(next) if after.as_deref() != Some(next) => after = Some(next.to_owned()),
                _ => return Ok(items),
            }
        }
    }

    /// `POST /api/v1/<path>`.
    ///
    /// # Errors
    /// As [`Remote::get`].
    pub fn post(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        self.ask(Method::POST, path, &[], Some(body)).and_then(Reply::ok)
    }

    /// `PUT /api/v1/<path>`.
    ///
    /// # Errors
    /// As [`Remote::get`].
    pub fn put(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        self.ask(Method::PUT, path, &[], Some(body)).and_then(Reply::ok)
    }

    /// `DELETE /api/v1/<path>`.
    ///
    /// # Errors
    /// As [`Remote::get`].
    pub fn delete(&self, path: &str, query: &[(&str, &str)]) -> Result<Value, Failure> {
        self.ask(Method::DELETE, path, query, None).and_then(Reply::ok)
    }

    /// Asks and returns whatever is answered, refusals too.
    ///
    /// # Errors
    /// No door, or no readable answer.
    pub fn ask(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Result<Reply, Failure> {
        let mut target = format!("/api/v1/{path}");
        for (n, (key, value)) in query.iter().enumerate() {
            target.push(if n == 0 { '?' } else { '&' });
            target.push_str(key);
            target.push('=');
            target.extend(utf8_percent_encode(value, PLAIN));
        }
        let bytes = Bytes::from(body.map_or_else(String::new, Value::to_string));
        self.runtime.block_on(async {
            tokio::time::timeout(Duration::from_secs(ANSWER_SECONDS), self.send(method, &target, bytes))
                .await
                .unwrap_or_else(|_| {
                    Err(Failure(format!(
                        "{} gave no answer in {ANSWER_SECONDS} s\n  see its log",
                        self.shown()
                    )))
                })
        })
    }

    async fn send(&self, method: Method, target: &str, body: Bytes) -> Result<Reply, Failure> {
        let mut request = Request::builder()
            .method(method)
            .header(header::USER_AGENT, concat!("tidegate/", env!("CARGO_PKG_VERSION")))
            .header(header::ACCEPT, "application/json");
        if !body.is_empty() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        if let Some(token) = &self.token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {}", token.expose()));
        }
        let answer = match &self.way {
            Way::Socket(path) => {
                let stream =
                    tokio::net::UnixStream::connect(path).await.map_err(|e| self.no_door(&e.to_string()))?;
                let (mut sender, connection) =
                    hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
                tokio::spawn(connection);
                let request = request.uri(target).header(header::HOST, "localhost").body(Full::new(body))?;
                sender.send_request(request).await.map_err(|e| self.broken(&e))?
            }
            Way::Url(url) => {
                let base = url.as_str().trim_end_matches('/');
                let request = request.uri(format!("{base}{target}")).body(Full::new(body))?;
                self.client()?.request(request).await.map_err(|e| {
                    if e.is_connect() { self.no_door(&Failure::from(e).0) } else { self.broken(&e) }
                })?
            }
        };
        let status = answer.status();
        let bytes = Limited::new(answer.into_body(), MAX_ANSWER_BYTES)
            .collect()
            .await
            .map_err(|e| Failure(format!("the answer of {} broke off: {e}", self.shown())))?
            .to_bytes();
        let body = if bytes.is_empty() {
            Value::Null
        } else {
            serde_json::from_slice(&bytes).map_err(|_| {
                Failure(format!(
                    "what answers at {} is no tidegate (HTTP {status})\n  check --door",
                    self.shown()
                ))
            })?
        };
        Ok(Reply { status, body })
    }

    fn client(&self) -> Result<HttpClient, Failure> {
        let mut connector = legacy::connect::HttpConnector::new();
        connector.enforce_http(false);
        connector.set_connect_timeout(Some(Duration::from_secs(CONNECT_SECONDS)));
        let connector = hyper_rustls::HttpsConnectorBuilder::new()
            .with_provider_and_native_roots(rustls::crypto::ring::default_provider())?
            .https_or_http()
            .enable_http1()
            .wrap_connector(connector);
        Ok(legacy::Client::builder(TokioExecutor::new()).build(connector))
    }

    fn shown(&self) -> String {
        match &self.way {
            Way::Socket(path) => format!("the door at `{}`", path.display()),
            Way::Url(url) => format!("the door at {url}"),
        }
    }

    fn broken(&self, error: &dyn std::error::Error) -> Failure {
        Failure(format!("{} broke the connection: {error}\n  see its log", self.shown()))
    }

    fn no_door(&self, why: &str) -> Failure {
        Failure(match &self.way {
            Way::Socket(path) => {
                let data = path.parent().unwrap_or(path).display().to_string();
                format!(
                    "no door runs in `{data}` ({why})\n  start one with `tidegate up --data {data}`, or name another with --data DIR or --door URL"
                )
            }
            Way::Url(url) => {
                format!("no door answers at {url} ({why})\n  check --door, and that `tidegate up` runs there")
            }
        })
    }
}

type HttpClient = legacy::Client<hyper_rustls::HttpsConnector<legacy::connect::HttpConnector>, Full<Bytes>>;

impl Reply {
    /// The body, or the refusal as a message.
    ///
    /// # Errors
    /// The door refused.
    pub fn ok(self) -> Result<Value, Failure> {
        if self.status.is_success() {
            return Ok(self.body);
        }
        let text = |key: &str| self.body.get(key).and_then(Value::as_str).unwrap_or_default();
        let mut message = match text("title") {
            "" => format!("the door answered HTTP {}", self.status),
            title => title.to_owned(),
        };
        if !text("detail").is_empty() {
            message.push_str("\n  ");
            message.push_str(text("detail"));
        }
        Err(Failure(message))
    }
}
