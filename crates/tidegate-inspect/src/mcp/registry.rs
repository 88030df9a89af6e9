//! `server.json`: how a registry of MCP servers lists one.

use serde_json::{Map, Value};

use super::config;
use super::judge::{Reader, judge};
use super::remark::{Told, What};
use crate::behaviour::words::Address;

/// Entries of one list that are read.
const ENTRIES: usize = 200;

/// Whether a document is such a listing.
pub(crate) fn is_listing(document: &Value) -> bool {
    let document = document.get("server").unwrap_or(document);
    let has = |key: &str| document.get(key).is_some_and(Value::is_array);
    let named = document.get("name").and_then(Value::as_str).is_some_and(|name| name.contains('/'));
    let says = document
        .get("$schema")
        .and_then(Value::as_str)
        .is_some_and(|schema| schema.contains("server.schema.json"));
    (named || says) && (has("packages") || has("remotes"))
}

/// Reads a listing.
pub(crate) fn read(document: &Value, told: &mut Told) {
    let Some(listing) = document.get("server").unwrap_or(document).as_object() else { return };
    let name = listing.get("name").and_then(Value::as_str).unwrap_or_default();
    for key in ["description", "title", "instructions"] {
        if let Some(text) = listing.get(key).and_then(Value::as_str) {
            judge(text, Reader::Tool).into_iter().for_each(|(what, evidence)| told.add(what, key, evidence));
        }
    }
    owner(name, listing, told);
    for package in listing.get("packages").and_then(Value::as_array).into_iter().flatten().take(ENTRIES) {
        if let Some(package) = package.as_object() {
            read_package(package, told);
        }
    }
    for remote in listing.get("remotes").and_then(Value::as_array).into_iter().flatten().take(ENTRIES) {
        if let Some(remote) = remote.as_object() {
            config::server("remotes", remote, told);
            inputs("remotes", remote.get("headers"), told);
        }
    }
}

/// A namespace of a code host belongs to the account of that name.
fn owner(name: &str, listing: &Map<String, Value>, told: &mut Told) {
    let Some(account) = name.strip_prefix("io.github.").and_then(|rest| rest.split('/').next()) else {
        return;
    };
    let url = listing.get("repository").and_then(|repository| repository.get("url")).and_then(Value::as_str);
    let Some(url) = url.filter(|url| url.contains("github.com")) else { return };
    let owner =
        url.split("github.com").nth(1).unwrap_or_default().trim_start_matches(['/', ':']).split('/').next();
    if owner.is_some_and(|owner| !owner.is_empty() && !owner.eq_ignore_ascii_case(account)) {
        told.add(What::Listing("its name is of one account, its repository of another"), name, url);
    }
}

fn either<'a>(members: &'a Map<String, Value>, keys: [&str; 2]) -> Option<&'a Value> {
    keys.iter().find_map(|key| members.get(*key))
}

fn read_package(package: &Map<String, Value>, told: &mut Told) {
    let text = |keys| either(package, keys).and_then(Value::as_str).unwrap_or_default();
    let identifier = text(["identifier", "name"]);
    let kind = text(["registryType", "registry_type"]);
    let base = text(["registryBaseUrl", "registry_base_url"]);
    if let Some(address) = Address::of(base).filter(|address| address.scheme == "http" && !address.is_local())
    {
        told.add(What::PlainHttp(address.host), identifier, base);
    }
    let version = text(["version", "version"]);
    if matches!(version, "latest" | "next" | "*") || version.starts_with(['^', '~', '>']) {
        told.add(What::Unpinned(format!("{identifier}@{version}")), identifier, version);
    }
    let is_address = identifier.contains("://");
    if is_address && text(["fileSha256", "file_sha256"]).is_empty() {
        told.add(What::Listing("it names a file without its digest"), identifier, identifier);
    }
    if identifier.starts_with("http://") {
        told.add(
            What::PlainHttp(Address::of(identifier).map(|a| a.host).unwrap_or_default()),
            identifier,
            identifier,
        );
    }
    let words = command_words(package, kind, identifier);
    if words.len() > 1 {
        let mut entry = Map::new();
        entry.insert("command".to_owned(), words[0].clone().into());
        entry.insert("args".to_owned(), words[1..].to_vec().into());
        config::server(identifier, &entry, told);
    }
    inputs(identifier, either(package, ["environmentVariables", "environment_variables"]), told);
    if let Some(transport) = package.get("transport").and_then(Value::as_object) {
        config::server(identifier, transport, told);
    }
}

/// The command line that a client would make of it, without the package itself, whose version stands elsewhere.
fn command_words(package: &Map<String, Value>, kind: &str, identifier: &str) -> Vec<String> {
    let hint = either(package, ["runtimeHint", "runtime_hint"]).and_then(Value::as_str);
    let program = hint.unwrap_or(if kind == "oci" { "docker" } else { "run" });
    let mut words = vec![program.to_owned()];
    for key in [["runtimeArguments", "runtime_arguments"], ["packageArguments", "package_arguments"]] {
        for argument in either(package, key).and_then(Value::as_array).into_iter().flatten().take(ENTRIES) {
            let text = |key: &str| argument.get(key).and_then(Value::as_str);
            words.extend(text("name").map(str::to_owned));
            words.extend(text("value").or_else(|| text("default")).map(str::to_owned));
        }
        if key[0] == "runtimeArguments" && matches!(program, "npx" | "uvx" | "bunx") {
            // So that no argument is taken for the package.
            words.push(format!("./{identifier}"));
        }
    }
    words
}

/// Variables and headers: values that stand there, and what their descriptions say.
fn inputs(subject: &str, list: Option<&Value>, told: &mut Told) {
    let mut values = Map::new();
    for input in list.and_then(Value::as_array).into_iter().flatten().take(ENTRIES) {
        let text = |key: &str| input.get(key).and_then(Value::as_str);
        if let Some(description) = text("description") {
            judge(description, Reader::Tool)
                .into_iter()
                .for_each(|(what, evidence)| told.add(what, subject, evidence));
        }
        if let (Some(name), Some(value)) = (text("name"), text("value").or_else(|| text("default"))) {
            values.insert(name.to_owned(), value.into());
        }
    }
    if !values.is_empty() {
        let mut entry = Map::new();
        entry.insert("env".to_owned(), values.into());
        config::server(subject, &entry, told);
    }
}
