//! Settings that a program is started with: those that change what it loads or trusts, and credentials written out.

use serde_json::{Map, Value};

use super::super::remark::{Told, What};
use super::ENTRIES;
use crate::behaviour::words::{self, Address};

/// Letters from which on a value may be a credential.
const SECRET_CHARS: usize = 12;

/// Reads variables of the environment, or headers.
pub(super) fn read(subject: &str, list: &Map<String, Value>, told: &mut Told) {
    for (key, value) in list.iter().take(ENTRIES) {
        match value {
            Value::String(value) => one(subject, key, value, told),
            Value::Object(inner) => read_inner(subject, inner, told),
            _ => {}
        }
    }
}

/// `"requestInit": { "headers": {…} }`
fn read_inner(subject: &str, list: &Map<String, Value>, told: &mut Told) {
    for (key, value) in list.iter().take(ENTRIES) {
        if let Value::String(value) = value {
            one(subject, key, value, told);
        }
    }
}

/// Reads one variable.
pub(super) fn one(subject: &str, key: &str, value: &str, told: &mut Told) {
    literal(subject, key, value, told);
    if let Some(runs) = changes(key, value) {
        told.add(What::Environment(key.to_owned(), runs), subject, format!("{key}={}", without_user(value)));
    }
}

/// Whether a variable changes what a program loads or whom it trusts; true where that is code of somebody's choice.
fn changes(key: &str, value: &str) -> Option<bool> {
    let upper = key.to_ascii_uppercase();
    let value = value.trim();
    if value.is_empty() {
        return None;
    }
    let foreign = || Address::of(value).is_some_and(|address| address.is_constant() && !address.is_local());
    let plain = || value.starts_with("http://") && foreign();
    match upper.as_str() {
        "LD_PRELOAD" | "DYLD_INSERT_LIBRARIES" | "LD_AUDIT" | "BASH_ENV" | "PROMPT_COMMAND" => Some(true),
        "PYTHONSTARTUP" | "PERL5OPT" | "RUBYOPT" | "PYTHONINSPECT" => Some(true),
        "NODE_OPTIONS" | "BUN_OPTIONS" | "DENO_OPTIONS" => {
            let loads = ["--require", "-r ", "--import", "--loader", "--experimental-loader", "--env-file"];
            if loads.iter().any(|flag| value.contains(flag)) {
                return Some(true);
            }
            ["--inspect", "--tls-min", "--use-openssl-ca"]
                .iter()
                .any(|flag| value.contains(flag))
                .then_some(false)
        }
        "JAVA_TOOL_OPTIONS" | "_JAVA_OPTIONS" | "JDK_JAVA_OPTIONS" => {
            ["-javaagent", "-agentpath", "-agentlib"].iter().any(|flag| value.contains(flag)).then_some(true)
        }
        "GIT_SSH_COMMAND" | "GIT_PROXY_COMMAND" | "GIT_EXTERNAL_DIFF" | "GIT_ASKPASS" | "EDITOR"
        | "PAGER"
            if value.contains(['|', ';', '&', '$']) =>
        {
            Some(true)
        }
        "NODE_TLS_REJECT_UNAUTHORIZED" | "PYTHONHTTPSVERIFY" | "NPM_CONFIG_STRICT_SSL"
            if value == "0" || value == "false" =>
        {
            Some(false)
        }
        "GIT_SSL_NO_VERIFY" | "UV_INSECURE_HOST" | "PIP_TRUSTED_HOST" | "ELECTRON_NO_ASAR" => Some(false),
        "HTTP_PROXY" | "HTTPS_PROXY" | "ALL_PROXY" if foreign() => Some(false),
        "NPM_CONFIG_REGISTRY"
        | "PIP_INDEX_URL"
        | "PIP_EXTRA_INDEX_URL"
        | "UV_INDEX_URL"
        | "UV_DEFAULT_INDEX"
        | "UV_EXTRA_INDEX_URL"
        | "UV_INDEX"
        | "YARN_REGISTRY"
        | "NODE_EXTRA_CA_CERTS"
            if foreign() =>
        {
            Some(false)
        }
        "ANTHROPIC_BASE_URL"
        | "OPENAI_BASE_URL"
        | "OPENAI_API_BASE"
        | "GEMINI_BASE_URL"
        | "GOOGLE_GEMINI_BASE_URL"
            if foreign() =>
        {
            // Whoever is on the way reads what is said, and the key.
            Some(value.starts_with("http://"))
        }
        key if key.ends_with("_URL") && plain() => Some(false),
        _ => None,
    }
}

/// Tells a credential that stands there as it is.
pub(super) fn literal(subject: &str, key: &str, value: &str, told: &mut Told) {
    let name = key.trim_start_matches('-').replace('-', "_");
    let value = value.trim();
    let value = ["Bearer ", "bearer ", "Basic ", "token "]
        .iter()
        .find_map(|kind| value.strip_prefix(kind))
        .unwrap_or(value);
    let is_header =
        matches!(name.to_ascii_lowercase().as_str(), "authorization" | "x_api_key" | "cookie" | "apikey");
    if (is_header || words::is_secret_variable(&name)) && is_literal(value) {
        told.add(What::LiteralSecret(key.to_owned()), subject, key);
    }
}

/// Whether a value is one, rather than where it comes from or an example of it.
fn is_literal(value: &str) -> bool {
    let lower = value.to_ascii_lowercase();
    let is_place = value.starts_with(['$', '<', '{', '%', '/', '~', '.', '@'])
        || value.contains("${")
        || value.contains("{{");
    const EXAMPLES: &[&str] = &[
        "your",
        "example",
        "placeholder",
        "changeme",
        "change-me",
        "change_me",
        "xxxx",
        "todo",
        "replace",
        "insert",
        "dummy",
        "sample",
        "redacted",
        "...",
        "****",
        "secret-here",
        "here",
        "test-key",
        "op://",
        "vault:",
        "keychain",
        "env:",
        "file:",
    ];
    let has = |test: fn(char) -> bool| value.chars().any(test);
    value.len() >= SECRET_CHARS
        && !is_place
        && !EXAMPLES.iter().any(|word| lower.contains(word))
        && !value.contains(' ')
        && (has(|c| c.is_ascii_digit()) && has(|c| c.is_ascii_alphabetic())
            || value.contains("://") && value.contains('@'))
        && (!value.starts_with("http") || value.contains('@'))
}

/// An address without the credentials in it.
fn without_user(value: &str) -> String {
    match value.split_once("://").map(|(scheme, rest)| (scheme, rest.split_once('@'))) {
        Some((scheme, Some((_, rest)))) => format!("{scheme}://…@{rest}"),
        _ => value.to_owned(),
    }
}
