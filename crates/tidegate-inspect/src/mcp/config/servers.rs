//! Servers of a client's configuration: a command that is started, or an address that is connected to.

use serde_json::{Map, Value};

use super::super::remark::{Told, What};
use super::{ENTRIES, command, environment, packages};
use crate::behaviour::words::{self, Address, Class};

/// Reads every list of servers in a document; tells whether there was one.
pub(crate) fn read(document: &Value, told: &mut Told) -> bool {
    let mut found = false;
    for list in lists(document) {
        for (name, entry) in list.iter().take(ENTRIES) {
            if let Some(entry) = entry.as_object().filter(|entry| is_server(entry)) {
                found = true;
                server(name, entry, told);
            }
        }
    }
    found
}

/// Where clients keep their servers.
fn lists(document: &Value) -> Vec<&Map<String, Value>> {
    const KEYS: &[&str] = &[
        "mcpServers",
        "servers",
        "mcp_servers",
        "context_servers",
        "mcp",
        "amp.mcpServers",
        "mcp.servers",
        "mcp-servers",
    ];
    let mut lists = Vec::new();
    for key in KEYS {
        let Some(list) = document.get(key) else { continue };
        lists.extend(list.as_object());
        // `"mcp": { "servers": {…} }`
        lists.extend(list.get("servers").and_then(Value::as_object));
    }
    // Settings of a person hold one list for each folder.
    if let Some(projects) = document.get("projects").and_then(Value::as_object) {
        let of = projects.values().take(ENTRIES).filter_map(|project| project.get("mcpServers"));
        lists.extend(of.filter_map(Value::as_object));
    }
    if let Some(settings) = document.get("settings") {
        lists.extend(
            ["mcp.servers", "mcp"].iter().filter_map(|key| settings.get(key)).filter_map(Value::as_object),
        );
    }
    lists
}

fn is_server(entry: &Map<String, Value>) -> bool {
    ["command", "url", "serverUrl", "httpUrl", "uri"].iter().any(|key| entry.contains_key(*key))
}

/// Reads one server.
pub(crate) fn server(name: &str, entry: &Map<String, Value>, told: &mut Told) {
    let words = command_words(entry);
    if !words.is_empty() {
        command::read(name, &words, "when the client starts its servers", told);
        packages::read(name, &words, told);
        arguments(name, &words, told);
    }
    for key in ["url", "serverUrl", "httpUrl", "uri"] {
        if let Some(url) = entry.get(key).and_then(Value::as_str) {
            address(name, url, told);
        }
    }
    in_the_clear(name, entry, told);
    for key in ["env", "environment", "headers", "requestInit", "http_headers"] {
        match entry.get(key) {
            Some(Value::Object(list)) => environment::read(name, list, told),
            Some(Value::Array(list)) => {
                let pairs = list.iter().filter_map(Value::as_str).filter_map(|pair| pair.split_once('='));
                let list = pairs.map(|(key, value)| (key.to_owned(), value.into())).take(ENTRIES).collect();
                environment::read(name, &list, told);
            }
            _ => {}
        }
    }
    approval(name, entry, told);
}

/// A credential that goes over the network in the clear.
fn in_the_clear(name: &str, entry: &Map<String, Value>, told: &mut Told) {
    let plain =
        ["url", "serverUrl", "httpUrl", "uri"].iter().filter_map(|key| entry.get(*key)).find_map(|url| {
            let address = Address::of(url.as_str()?)?;
            let is_plain = matches!(address.scheme.as_str(), "http" | "ws")
                && address.is_constant()
                && !address.is_local();
            is_plain.then_some(address.host)
        });
    let headers = entry.get("headers").or_else(|| entry.get("http_headers")).and_then(Value::as_object);
    let Some((host, headers)) = plain.zip(headers) else { return };
    let lets_in = |key: &String| {
        let key = key.to_ascii_lowercase();
        key == "authorization" || key == "cookie" || words::is_secret_variable(&key.replace('-', "_"))
    };
    if headers.keys().take(ENTRIES).any(lets_in) {
        told.add(What::ClearCredential(host), name, "");
    }
}

/// The command and its arguments, in either form.
fn command_words(entry: &Map<String, Value>) -> Vec<String> {
    let mut words = Vec::new();
    let mut add = |value: &Value| match value {
        Value::String(word) => words.push(word.clone()),
        Value::Array(list) => {
            words.extend(list.iter().take(ENTRIES).filter_map(Value::as_str).map(str::to_owned))
        }
        _ => {}
    };
    if let Some(command) = entry.get("command") {
        match command {
            Value::Object(inner) => {
                ["path", "command", "args"].iter().filter_map(|key| inner.get(*key)).for_each(&mut add)
            }
            command => add(command),
        }
    }
    ["args", "arguments"].iter().filter_map(|key| entry.get(*key)).for_each(add);
    words
}

/// What an address says before anybody connects to it.
pub(super) fn address(name: &str, url: &str, told: &mut Told) {
    let Some(address) = Address::of(url) else { return };
    if !address.is_constant() || address.is_local() {
        return;
    }
    if matches!(address.scheme.as_str(), "http" | "ws") {
        told.add(What::PlainHttp(address.host.clone()), name, without_query(url));
    }
    if words::has(url, Class::OutOfBand) || words::has(url, Class::FileHost) || address.is_bare() {
        told.add(What::PassingHost(address.host), name, without_query(url));
    }
    for pair in url.split_once('?').map_or("", |(_, query)| query).split('&') {
        if let Some((key, value)) = pair.split_once('=') {
            environment::literal(name, key, value, told);
        }
    }
}

fn without_query(url: &str) -> String {
    url.split(['?', '#']).next().unwrap_or_default().to_owned()
}

/// What arguments say: addresses, credentials, what a container is given.
fn arguments(name: &str, words: &[String], told: &mut Told) {
    for (at, word) in words.iter().enumerate().skip(1) {
        if word.starts_with("http://") || word.starts_with("https://") || word.starts_with("ws://") {
            address(name, word, told);
        }
        if let Some(flag) = word.strip_prefix("--") {
            match flag.split_once('=') {
                Some((key, value)) => environment::literal(name, key, value, told),
                None => {
                    let value = words.get(at + 1).filter(|value| !value.starts_with('-'));
                    environment::literal(name, flag, value.map_or("", String::as_str), told);
                }
            }
        } else if let Some((key, value)) = word.split_once('=').filter(|(key, _)| is_name(key)) {
            // `docker run -e NAME=value`, `env NAME=value`
            environment::one(name, key, value, told);
        } else if let Some((key, value)) =
            word.split_once(':').filter(|(key, _)| key.eq_ignore_ascii_case("authorization"))
        {
            environment::literal(name, key, value, told);
        }
    }
    let is_container = words.iter().take(6).any(|word| {
        matches!(
            word.rsplit(['/', '\\']).next().unwrap_or_default(),
            "docker" | "podman" | "nerdctl" | "docker.exe"
        )
    });
    if is_container {
        container(name, words, told);
    }
}

fn is_name(key: &str) -> bool {
    !key.is_empty() && key.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
}

fn container(name: &str, words: &[String], told: &mut Told) {
    let mut grave = std::collections::BTreeSet::new();
    for (at, word) in words.iter().enumerate() {
        let (flag, value) =
            word.split_once('=').unwrap_or((word, words.get(at + 1).map_or("", String::as_str)));
        let wide = match flag {
            "--privileged" => Some(ALL_RIGHTS),
            "--network" | "--net" if value == "host" => Some("the network of the host"),
            "--pid" | "--ipc" | "--uts" | "--userns" if value == "host" => Some("the processes of the host"),
            "--cap-add"
                if matches!(
                    value.to_ascii_uppercase().as_str(),
                    "ALL" | "SYS_ADMIN" | "SYS_PTRACE" | "SYS_MODULE" | "CAP_SYS_ADMIN"
                ) =>
            {
                Some("rights over the host")
            }
            "--security-opt" if value.contains("unconfined") => Some("all system calls of the host"),
            "-v" | "--volume" => mount(value.split(':').next().unwrap_or_default()),
            "--mount" => value
                .split(',')
                .find_map(|part| part.strip_prefix("source=").or_else(|| part.strip_prefix("src=")))
                .and_then(mount),
            _ => None,
        };
        if let Some(wide) = wide {
            if matches!(wide, ALL_RIGHTS | ENGINE | WHOLE) {
                grave.insert(wide);
            }
            told.add(What::WideContainer(wide), name, format!("{flag} {value}"));
        }
    }
    if grave.len() > 1 {
        told.add(What::OpenContainer, name, "");
    }
}

/// What a container is given that leaves little of its walls.
const ALL_RIGHTS: &str = "all rights over the host";
const ENGINE: &str = "the container engine of the host";
const WHOLE: &str = "the whole file system of the host";

/// What of the host a mount gives away, where that is more than a folder for work.
fn mount(source: &str) -> Option<&'static str> {
    let path = source
        .trim_end_matches('/')
        .replace("${HOME}", "~")
        .replace("$HOME", "~")
        .replace("${env:HOME}", "~")
        .replace("${userHome}", "~");
    if path.contains("docker.sock") || path.contains("podman.sock") || path.contains("containerd.sock") {
        return Some(ENGINE);
    }
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    match parts[..] {
        [] if source.starts_with('/') => Some(WHOLE),
        ["~"] | ["root"] | ["home" | "Users"] | ["home" | "Users", _] => {
            Some("the home folder of the person")
        }
        ["etc" | "var" | "proc" | "sys" | "dev" | "boot" | "usr"] => Some("a system folder of the host"),
        _ if words::has(&format!("{path}/"), Class::CredentialFile)
            || path.ends_with("/.ssh")
            || path.ends_with("/.aws") =>
        {
            Some("a folder of credentials")
        }
        _ => None,
    }
}

/// Whether calls run without anybody being asked.
fn approval(name: &str, entry: &Map<String, Value>, told: &mut Told) {
    for key in
        ["alwaysAllow", "autoApprove", "auto_approve", "allowedTools", "trust", "autoapprove", "always_allow"]
    {
        let all = match entry.get(key) {
            Some(Value::Bool(all)) => *all,
            Some(Value::String(text)) => text == "*" || text == "all",
            Some(Value::Array(list)) => list.iter().any(|item| item.as_str() == Some("*")),
            _ => false,
        };
        if all && key != "allowedTools" {
            told.add(What::AutoApprove(key.to_owned()), name, key);
        }
    }
}
