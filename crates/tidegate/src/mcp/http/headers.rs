//! Headers of MCP over HTTP: what passes, and whether they say what the body says.

use base64::Engine as _;
use http::{HeaderMap, HeaderName};
use serde_json::Value;

use crate::mcp::message::{HEADER_MISMATCH, Message};
use crate::mcp::methods;

const SESSION: HeaderName = HeaderName::from_static("mcp-session-id");
const VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");
const METHOD: HeaderName = HeaderName::from_static("mcp-method");
const NAME: HeaderName = HeaderName::from_static("mcp-name");

/// The longest id of a session, in bytes.
const MAX_SESSION_BYTES: usize = 512;

/// The most headers that carry parameters of a call.
const MAX_PARAMETERS: usize = 64;

/// The session that a request or an answer names.
pub(super) fn session(headers: &HeaderMap) -> Option<&str> {
    let id = headers.get(SESSION)?.to_str().ok()?;
    (!id.is_empty() && id.len() <= MAX_SESSION_BYTES).then_some(id)
}

/// What of a client's headers goes to the server. Never credentials: those are between the client and the door.
pub(super) fn to_server(headers: &HeaderMap) -> HeaderMap {
    const PASS: [&str; 5] =
        ["accept", "content-type", "mcp-session-id", "mcp-protocol-version", "last-event-id"];
    let mut out = HeaderMap::new();
    let mut parameters = 0;
    for (name, value) in headers {
        let text = name.as_str();
        parameters += usize::from(text.starts_with("mcp-param-"));
        let passes = PASS.contains(&text)
            || matches!(text, "mcp-method" | "mcp-name")
            || text.starts_with("mcp-param-") && parameters <= MAX_PARAMETERS;
        if passes {
            out.append(name, value.clone());
        }
    }
    out
}

/// What of a server's headers goes to the client.
pub(super) fn to_client(headers: &HeaderMap) -> HeaderMap {
    let mut out = HeaderMap::new();
    for name in [SESSION, VERSION, HeaderName::from_static("retry-after")] {
        if let Some(value) = headers.get(&name) {
            out.insert(name, value.clone());
        }
    }
    out.insert(http::header::CACHE_CONTROL, http::HeaderValue::from_static("no-cache, no-store"));
    out.insert(HeaderName::from_static("x-accel-buffering"), http::HeaderValue::from_static("no"));
    out
}

/// Whether headers say what the body says, where the revision has them say it. Else the error code and the reason.
pub(super) fn agree(headers: &HeaderMap, message: &Message) -> Result<(), (i64, String)> {
    let stands_twice =
        [VERSION, METHOD, NAME, SESSION].into_iter().find(|name| headers.get_all(name).iter().count() > 1);
    if let Some(name) = stands_twice {
        return Err((HEADER_MISMATCH, format!("the header {name} stands twice")));
    }
    let text = |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let Message::Request { method, params, .. } = message else { return Ok(()) };
    let in_body = params
        .get("_meta")
        .and_then(|meta| meta.get("io.modelcontextprotocol/protocolVersion"))
        .and_then(Value::as_str);
    let in_header = text(&VERSION);
    let is_stateless = [in_body, in_header].into_iter().flatten().any(methods::is_stateless);
    // Headers of the newer revision on a request of an earlier one would say to us what no server checks.
    if !is_stateless && text(&METHOD).is_none() && text(&NAME).is_none() {
        return Ok(());
    }
    let mismatch =
        |what: &str| Err((HEADER_MISMATCH, format!("the header {what} does not say what the body says")));
    if is_stateless && in_header != in_body {
        return mismatch("MCP-Protocol-Version");
    }
    if text(&METHOD) != Some(method) {
        return mismatch("Mcp-Method");
    }
    let of_body = |key: &str| params.get(key).and_then(Value::as_str);
    let key = match method.as_str() {
        "tools/call" | "prompts/get" => Some("name"),
        "resources/read" => Some("uri"),
        _ => None,
    };
    let agrees = match (text(&NAME), key) {
        (None, None) => true,
        (None, Some(key)) => of_body(key).is_none(),
        (Some(header), Some(key)) => of_body(key).is_some() && decoded(header).as_deref() == of_body(key),
        // Later revisions may name more kinds of requests, by one of these.
        (Some(header), None) => decoded(header).is_some_and(|header| {
            ["name", "uri", "taskId"].into_iter().any(|key| of_body(key) == Some(header.as_str()))
        }),
    };
    if agrees { Ok(()) } else { mismatch("Mcp-Name") }
}

/// A value of a header; one that is no plain text is base64 between marks. None where that is damaged.
fn decoded(text: &str) -> Option<String> {
    let Some(payload) = text.strip_prefix("=?base64?").and_then(|rest| rest.strip_suffix("?=")) else {
        return Some(text.to_owned());
    };
    // The strict alphabet refuses two ways to write the same.
    let bytes = base64::engine::general_purpose::STANDARD.decode(payload).ok()?;
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use serde_json::json;

    use super::*;

    fn check(lines: &[(&'static str, &str)], body: &Value) -> Result<(), String> {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, HeaderValue::from_str(value).unwrap());
        }
        let message = Message::parse(body.to_string().as_bytes()).unwrap();
        agree(&headers, &message).map_err(|(code, why)| {
            assert_eq!(code, HEADER_MISMATCH);
            why
        })
    }

    fn call(version: &str, name: &str) -> Value {
        json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {
            "name": name, "_meta": { "io.modelcontextprotocol/protocolVersion": version } } })
    }

    #[test]
    fn headers_say_what_the_body_says() {
        let version = ("mcp-protocol-version", "2026-07-28");
        let method = ("mcp-method", "tools/call");
        check(&[version, method, ("mcp-name", "add")], &call("2026-07-28", "add")).unwrap();
        check(&[version, method, ("mcp-name", "=?base64?w6Q=?=")], &call("2026-07-28", "ä")).unwrap();
        for (lines, why) in [
            (vec![version, method, ("mcp-name", "delete")], "Mcp-Name"),
            (vec![version, method], "Mcp-Name"),
            (vec![version, ("mcp-method", "tools/list"), ("mcp-name", "add")], "Mcp-Method"),
            (vec![version, ("mcp-name", "add")], "Mcp-Method"),
            (
                vec![("mcp-protocol-version", "2027-01-01"), method, ("mcp-name", "add")],
                "MCP-Protocol-Version",
            ),
            (vec![method, ("mcp-name", "add")], "MCP-Protocol-Version"),
            (vec![version, method, ("mcp-name", "add"), ("mcp-name", "delete")], "stands twice"),
            (vec![version, method, ("mcp-name", "=?base64?YWRk?")], "Mcp-Name"),
            (vec![version, method, ("mcp-name", "=?base64?!!?=")], "Mcp-Name"),
        ] {
            let refused = check(&lines, &call("2026-07-28", "add")).unwrap_err();
            assert!(refused.contains(why), "{lines:?}: {refused}");
        }
    }

    #[test]
    fn earlier_revisions_say_it_once() {
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": { "name": "add" } });
        check(&[("mcp-protocol-version", "2025-06-18")], &body).unwrap();
        check(&[], &body).unwrap();
        check(&[("mcp-method", "tools/list")], &body).unwrap_err();
        check(&[("mcp-protocol-version", "2026-07-28")], &body).unwrap_err();
    }

    #[test]
    fn credentials_stay_here() {
        let mut headers = HeaderMap::new();
        for name in ["authorization", "cookie", "x-api-key", "proxy-authorization"] {
            headers.insert(name, HeaderValue::from_static("s"));
        }
        headers.insert("mcp-param-region", HeaderValue::from_static("eu"));
        let passed = to_server(&headers);
        assert_eq!(passed.keys().map(HeaderName::as_str).collect::<Vec<_>>(), ["mcp-param-region"]);
        headers.insert("www-authenticate", HeaderValue::from_static("Bearer"));
        headers.insert("location", HeaderValue::from_static("http://other.example/"));
        let back = to_client(&headers);
        assert!(!back.contains_key("location") && !back.contains_key("www-authenticate"));
    }
}
