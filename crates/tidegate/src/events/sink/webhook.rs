//! A receiver over HTTP: one POST for each event, in structured mode, signed.
//!
//! The address comes from the operator's own configuration, so the validation handshake that the CloudEvents webhook
//! specification has for strangers' addresses is left out. Redirects are not followed: a receiver that moved is
//! configured anew.

use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use tidegate_ecosystems::UpstreamBase;
use tidegate_ledger::NodeId;
use tidegate_model::Timestamp;

use super::signing::Keys;
use super::{Delivering, Delivery, Sink, SinkError};
use crate::config::WebhookSink;
use crate::events::{Event, event};
use crate::upstream::{Client, NamePatterns, Posted, Upstream};

/// The longest file of secrets that is read, in bytes.
const MAX_SECRET_BYTES: u64 = 4096;
/// Longest wait that a receiver may ask for.
const MAX_WAIT: Duration = Duration::from_secs(3600);
/// How a secret is made, for messages.
const HOW: &str = "make one with: printf 'whsec_%s\\n' \"$(head -c 32 /dev/urandom | base64)\"";

/// A receiver over HTTP.
#[derive(Debug)]
pub struct Webhook {
    client: Client,
    receiver: Upstream,
    keys: Keys,
}

impl Webhook {
    /// Reads the secret; asks nobody. Blocks.
    ///
    /// # Errors
    /// [`SinkError`].
    pub fn open(name: &str, section: &WebhookSink, client: &Client) -> Result<Self, SinkError> {
        let text = match (&section.secret_env, &section.secret_file) {
            (Some(variable), _) => std::env::var(variable).map_err(|_| {
                let why = format!("the environment variable `{}` is not set", variable.escape_debug());
                SinkError::new(name, why, format!("set it for the door; {HOW}"))
            })?,
            (None, Some(path)) => read(path).map_err(|e| {
                let why = format!("its secret cannot be read from `{}`: {e}", path.display());
                SinkError::new(name, why, format!("write it there, readable by the door alone; {HOW}"))
            })?,
            (None, None) => {
                return Err(SinkError::new(name, "it has no secret", "set secret_env or secret_file"));
            }
        };
        let keys = Keys::parse(&text)
            .map_err(|e| SinkError::new(name, format!("its secret cannot be used: {e}"), HOW))?;
        let base = UpstreamBase { url: section.url.clone() };
        let receiver =
            Upstream::new(name.to_owned(), base, None, NamePatterns::default(), &[], "event sink".into());
        client.trust_host_of(&receiver);
        Ok(Self { client: client.clone(), receiver, keys })
    }

    /// Where it leads, without its path: that is often a secret of its own.
    pub fn target(&self) -> String {
        self.receiver.base.url.origin().ascii_serialization()
    }

    async fn post(&self, event: &Event, now: Timestamp) -> Delivery {
        let body = event.to_json().to_string();
        let timestamp = now.unix_seconds();
        let signature = self.keys.sign(&event.id, timestamp, body.as_bytes());
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(event::MEDIA_TYPE));
        for (key, value) in [
            ("webhook-id", event.id.clone()),
            ("webhook-timestamp", timestamp.to_string()),
            ("webhook-signature", signature),
        ] {
            let value = HeaderValue::try_from(value).expect("ids, numbers and base64 are header values");
            headers.insert(HeaderName::from_static(key), value);
        }
        match self.client.post(&self.receiver, headers, Bytes::from(body)).await {
            Ok(posted) => answered(&posted),
            Err(error) => Delivery::Again { why: error.to_string(), after: None },
        }
    }
}

/// What an answer means. What speaks of the event alone is told apart from what speaks of the sender, the address or the
/// moment: only the former may put an event aside.
fn answered(posted: &Posted) -> Delivery {
    let status = posted.status.as_u16();
    let why = match posted.beginning.as_str() {
        "" => format!("HTTP {status}"),
        text => format!("HTTP {status}: {text}"),
    };
    match status {
        200..=299 => Delivery::Taken(why),
        410 => Delivery::Gone { why },
        400 | 406 | 409 | 413 | 415 | 422 => Delivery::Refused { why },
        _ => Delivery::Again { why, after: posted.retry_after.map(|wait| wait.min(MAX_WAIT)) },
    }
}

fn read(path: &Path) -> std::io::Result<String> {
    use std::io::Read as _;
    let mut text = String::new();
    std::fs::File::open(path)?.take(MAX_SECRET_BYTES).read_to_string(&mut text)?;
    Ok(text)
}

impl Sink for Webhook {
    fn deliver<'a>(&'a mut self, event: &'a Event, now: Timestamp) -> Delivering<'a> {
        Box::pin(self.post(event, now))
    }

    fn holds_up_to(&self, _: &NodeId) -> Option<(u64, u32)> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_mean_different_things() {
        let told = |status: u16| {
            answered(&Posted {
                status: http::StatusCode::from_u16(status).unwrap(),
                retry_after: Some(Duration::from_secs(1_000_000)),
                beginning: "no".into(),
            })
        };
        for status in [200, 201, 202, 204] {
            assert!(matches!(told(status), Delivery::Taken(_)), "{status}");
        }
        for status in [400, 413, 415, 422] {
            assert!(matches!(told(status), Delivery::Refused { .. }), "{status}");
        }
        // A receiver that is set up wrongly must not lose events.
        for status in [301, 401, 403, 404, 405, 408, 425, 429, 500, 502, 503, 504] {
            let expected = Delivery::Again { why: format!("HTTP {status}: no"), after: Some(MAX_WAIT) };
            assert_eq!(told(status), expected, "{status}");
        }
        assert!(matches!(told(410), Delivery::Gone { .. }));
    }
}
