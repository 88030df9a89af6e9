//! One JSON-RPC message: read within bounds, or refused with the error that its sender is told.
//!
//! What is judged must be what the other side reads. So a message in which a key stands twice is refused (readers differ in
//! which of the two they take), as are batches, which left the protocol in 2025-06-18, and what is not UTF-8. What passes
//! passes as the bytes that came.

use std::fmt;

use serde::de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value, json};

/// The largest message, in bytes: pictures and files travel in results.
pub const MAX_MESSAGE_BYTES: usize = 16 << 20;

/// The most levels of objects and lists.
pub const MAX_DEPTH: usize = 64;

/// The longest text of an id, in bytes.
const MAX_ID_BYTES: usize = 256;

/// The longest name of a method, in bytes.
const MAX_METHOD_BYTES: usize = 200;

/// The bytes cannot be parsed as JSON.
pub const PARSE_ERROR: i64 = -32700;
/// It is JSON, and no message.
pub const INVALID_REQUEST: i64 = -32600;
/// No such method, or none that is passed on.
pub const METHOD_NOT_FOUND: i64 = -32601;
/// Headers and body of a request disagree (protocol revision 2026-07-28).
pub const HEADER_MISMATCH: i64 = -32020;
/// Policy refuses. In the range that JSON-RPC leaves to implementations.
pub const REFUSED: i64 = -32050;

/// Which request an answer belongs to: a text or a whole number.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Id {
    /// A number.
    Number(i64),
    /// A text.
    Text(String),
}

impl Id {
    fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Number(number) => number.as_i64().map(Self::Number),
            Value::String(text) if text.len() <= MAX_ID_BYTES => Some(Self::Text(text.clone())),
            _ => None,
        }
    }

    /// As it stands in a message.
    pub fn to_value(&self) -> Value {
        match self {
            Self::Number(number) => (*number).into(),
            Self::Text(text) => text.as_str().into(),
        }
    }
}

/// A message.
#[derive(Clone, Debug, PartialEq)]
pub enum Message {
    /// Wants an answer.
    Request {
        /// Which the answer names.
        id: Id,
        /// What is asked.
        method: String,
        /// With what; null where nothing is given.
        params: Value,
    },
    /// Wants none.
    Notification {
        /// What is told.
        method: String,
        /// With what; null where nothing is given.
        params: Value,
    },
    /// An answer; of an error that belongs to no request the id is missing.
    Response {
        /// The request's.
        id: Option<Id>,
        /// The result, or the error object.
        outcome: Result<Value, Value>,
    },
}

/// Why bytes are no message that can be passed on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct Malformed {
    /// The JSON-RPC error code.
    pub code: i64,
    /// What is wrong with it.
    pub why: String,
}

impl Malformed {
    fn new(code: i64, why: impl Into<String>) -> Self {
        Self { code, why: why.into() }
    }

    /// The error as an answer. It names no request: none could be read.
    pub fn answer(&self) -> Value {
        json!({
            "jsonrpc": "2.0", "id": null,
            "error": { "code": self.code, "message": format!("tidegate: {}", self.why) },
        })
    }
}

impl Message {
    /// Reads one message.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        if bytes.len() > MAX_MESSAGE_BYTES {
            let why = format!("a message of {} bytes is larger than {MAX_MESSAGE_BYTES}", bytes.len());
            return Err(Malformed::new(INVALID_REQUEST, why));
        }
        Self::of(read(bytes)?)
    }

    fn of(value: Value) -> Result<Self, Malformed> {
        let wrong = |why: &str| Malformed::new(INVALID_REQUEST, why);
        let Value::Object(mut members) = value else {
            return Err(wrong(
                "a message is one JSON object; batches left the protocol in 2025-06-18 and are not passed on",
            ));
        };
        if members.get("jsonrpc").and_then(Value::as_str) != Some("2.0") {
            return Err(wrong("a message says \"jsonrpc\": \"2.0\""));
        }
        let id = match members.get("id") {
            None => None,
            Some(Value::Null) => Some(None),
            Some(value) => Some(Some(Id::of(value).ok_or_else(|| {
                wrong(&format!("an id is a whole number or a text of up to {MAX_ID_BYTES} bytes"))
            })?)),
        };
        let method = members.remove("method");
        let (result, error) = (members.remove("result"), members.remove("error"));
        match (method, id, result, error) {
            (Some(method), id, None, None) => {
                let method = method.as_str().filter(|m| !m.is_empty() && m.len() <= MAX_METHOD_BYTES);
                let method = method.ok_or_else(|| wrong("the method is no name of a method"))?.to_owned();
                let params = members.remove("params").unwrap_or(Value::Null);
                match id {
                    None => Ok(Self::Notification { method, params }),
                    Some(Some(id)) => Ok(Self::Request { id, method, params }),
                    Some(None) => Err(wrong("the id of a request is not null")),
                }
            }
            (None, Some(Some(id)), Some(result), None) => {
                Ok(Self::Response { id: Some(id), outcome: Ok(result) })
            }
            (None, Some(id), None, Some(error)) => Ok(Self::Response { id, outcome: Err(error) }),
            _ => Err(wrong("it is neither a request nor a notification nor an answer")),
        }
    }
}

/// A refusal as an answer to a request.
pub fn error(id: &Id, code: i64, message: &str, data: Option<Value>) -> Value {
    let mut error = json!({ "code": code, "message": message });
    if let Some(data) = data {
        error["data"] = data;
    }
    json!({ "jsonrpc": "2.0", "id": id.to_value(), "error": error })
}

/// A result as an answer to a request.
pub fn result(id: &Id, result: &Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": id.to_value(), "result": result })
}

fn read(bytes: &[u8]) -> Result<Value, Malformed> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = Strict { depth: 0 }
        .deserialize(&mut reader)
        .and_then(|value| reader.end().map(|()| value))
        .map_err(|error| {
        let code = if error.is_data() { INVALID_REQUEST } else { PARSE_ERROR };
        Malformed::new(code, format!("a message cannot be read: {error}"))
    })?;
    Ok(value)
}

/// Reads any JSON, and refuses what readers do not agree on.
#[derive(Clone, Copy)]
struct Strict {
    depth: usize,
}

impl Strict {
    fn deeper<E: serde::de::Error>(self) -> Result<Self, E> {
        if self.depth >= MAX_DEPTH {
            return Err(E::custom(format!("it is nested more than {MAX_DEPTH} levels deep")));
        }
        Ok(Self { depth: self.depth + 1 })
    }
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(inner)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut map = Map::new();
        while let Some(key) = members.next_key::<String>()? {
            if map.contains_key(&key) {
                let shown: String = key.chars().take(60).collect();
                return Err(A::Error::custom(format!("the key `{}` stands twice", shown.escape_debug())));
            }
            let value = members.next_value_seed(inner)?;
            map.insert(key, value);
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Message, Malformed> {
        Message::parse(text.as_bytes())
    }

    #[test]
    fn requests_notifications_and_answers_are_told_apart() {
        assert_eq!(
            parse(r#"{"jsonrpc":"2.0","id":"a","method":"tools/list"}"#).unwrap(),
            Message::Request { id: Id::Text("a".into()), method: "tools/list".into(), params: Value::Null }
        );
        assert_eq!(
            parse(r#"{"jsonrpc":"2.0","method":"notifications/x","params":{"a":1}}"#).unwrap(),
            Message::Notification { method: "notifications/x".into(), params: json!({ "a": 1 }) }
        );
        assert_eq!(
            parse(r#"{"jsonrpc":"2.0","id":7,"result":{}}"#).unwrap(),
            Message::Response { id: Some(Id::Number(7)), outcome: Ok(json!({})) }
        );
        assert_eq!(
            parse(r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"x"}}"#).unwrap(),
            Message::Response { id: None, outcome: Err(json!({ "code": -32700, "message": "x" })) }
        );
    }

    #[test]
    fn what_readers_do_not_agree_on_is_refused() {
        let nested = format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"m","params":{}{}}}"#,
            "[".repeat(MAX_DEPTH),
            "]".repeat(MAX_DEPTH)
        );
        for (text, code, why) in [
            ("", PARSE_ERROR, "EOF"),
            ("{", PARSE_ERROR, "EOF"),
            ("{} {}", PARSE_ERROR, "trailing"),
            ("NaN", PARSE_ERROR, "expected"),
            (
                r#"{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/call"}"#,
                INVALID_REQUEST,
                "`method` stands twice",
            ),
            (
                r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","na\u006de":"b"}}"#,
                INVALID_REQUEST,
                "`name` stands twice",
            ),
            (r#"[{"jsonrpc":"2.0","id":1,"method":"ping"}]"#, INVALID_REQUEST, "batches"),
            (r#"{"id":1,"method":"ping"}"#, INVALID_REQUEST, "jsonrpc"),
            (r#"{"jsonrpc":"2.0","id":{},"method":"ping"}"#, INVALID_REQUEST, "whole number"),
            (r#"{"jsonrpc":"2.0","id":1.5,"method":"ping"}"#, INVALID_REQUEST, "whole number"),
            (r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#, INVALID_REQUEST, "not null"),
            (r#"{"jsonrpc":"2.0","id":1,"method":"ping","result":{}}"#, INVALID_REQUEST, "neither"),
            (r#"{"jsonrpc":"2.0","id":1,"result":{},"error":{}}"#, INVALID_REQUEST, "neither"),
            (r#"{"jsonrpc":"2.0","id":1}"#, INVALID_REQUEST, "neither"),
            (r#"{"jsonrpc":"2.0","id":1,"method":""}"#, INVALID_REQUEST, "no name"),
            (&nested, INVALID_REQUEST, "levels deep"),
        ] {
            let refused = parse(text).unwrap_err();
            assert_eq!(refused.code, code, "{text}: {refused}");
            assert!(refused.why.contains(why), "{text}: {refused}");
            assert_eq!(refused.answer()["error"]["code"], code);
        }
        assert_eq!(
            Message::parse(b"{\"jsonrpc\":\"2.0\",\"method\":\"\xff\"}").unwrap_err().code,
            PARSE_ERROR
        );
        let large = vec![b' '; MAX_MESSAGE_BYTES + 1];
        assert!(Message::parse(&large).unwrap_err().why.contains("larger"));
    }
}
