//! Asks the running door through the socket in its data directory.

use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_util::rt::TokioIo;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::mcp::gate::{Exchange, Gate, ItemRuling, Listing, Ruling, Server, Unavailable};

/// How long the door may take: it may look into a long list of texts.
const ANSWER: Duration = Duration::from_secs(60);

/// The most bytes of an answer.
const MAX_ANSWER_BYTES: usize = 16 << 20;

/// Decides by asking the door.
#[derive(Debug)]
pub(super) struct SocketGate {
    socket: PathBuf,
    server: Server,
    token: String,
}

impl SocketGate {
    /// A gate for a server; `token` is the id of the token that says for whom.
    pub(super) const fn new(socket: PathBuf, server: Server, token: String) -> Self {
        Self { socket, server, token }
    }

    /// Asks whether the server may be used; the door may know better which version is behind it.
    ///
    /// # Errors
    /// No answer.
    pub(super) async fn open(self) -> Result<(Self, Ruling), Unavailable> {
        #[derive(serde::Deserialize)]
        struct Opened {
            server: Server,
            ruling: Ruling,
        }
        let Opened { server, ruling } = self.ask_door("mcp/open", json!({})).await?;
        Ok((Self { server, ..self }, ruling))
    }

    async fn ask_door<T: DeserializeOwned>(&self, path: &str, mut body: Value) -> Result<T, Unavailable> {
        body["server"] = serde_json::to_value(&self.server).expect("plain values");
        body["run"] = self.token.as_str().into();
        let answer = tokio::time::timeout(ANSWER, self.send(path, body.to_string().into()))
            .await
            .map_err(|_| Unavailable(format!("the door gave no answer in {} s", ANSWER.as_secs())))??;
        serde_json::from_value(answer).map_err(|_| Unavailable("the door's answer cannot be read".to_owned()))
    }

    async fn send(&self, path: &str, body: Bytes) -> Result<Value, Unavailable> {
        let failed =
            |error: &dyn std::fmt::Display| Unavailable(format!("the door does not answer: {error}"));
        let stream = tokio::net::UnixStream::connect(&self.socket).await.map_err(|e| failed(&e))?;
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(|e| failed(&e))?;
        tokio::spawn(connection);
        let request = Request::builder()
            .method(Method::POST)
            .uri(format!("/api/v1/{path}"))
            .header(header::HOST, "localhost")
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::USER_AGENT, concat!("tidegate/", env!("CARGO_PKG_VERSION")))
            .body(Full::new(body))
            .map_err(|e| failed(&e))?;
        let answer = sender.send_request(request).await.map_err(|e| failed(&e))?;
        let status = answer.status();
        let bytes = Limited::new(answer.into_body(), MAX_ANSWER_BYTES)
            .collect()
            .await
            .map_err(|e| failed(&e))?
            .to_bytes();
        let value: Value = serde_json::from_slice(&bytes)
            .map_err(|_| Unavailable("the door's answer is no JSON".to_owned()))?;
        if status.is_success() {
            return Ok(value);
        }
        let why = value["title"].as_str().unwrap_or("it gives no reason");
        Err(Unavailable(format!("the door refuses: {why}")))
    }
}

impl Gate for SocketGate {
    async fn list(&self, listing: Listing) -> Result<Vec<ItemRuling>, Unavailable> {
        self.ask_door("mcp/list", json!({ "listing": listing })).await
    }

    async fn ask(&self, exchange: Exchange) -> Result<Ruling, Unavailable> {
        self.ask_door("mcp/ask", json!({ "exchange": exchange })).await
    }

    async fn end(&self, exchange: Exchange) -> Result<Ruling, Unavailable> {
        self.ask_door("mcp/end", json!({ "exchange": exchange })).await
    }
}
