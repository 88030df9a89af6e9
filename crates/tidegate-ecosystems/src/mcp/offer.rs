//! What a listing offers, and through which way of this door it can be had.
//!
//! Members are taken over by name: what is not known here is not passed on, because nobody can say where it leads.

use serde_json::{Map, Value};
use tidegate_model::{Algorithm, Digest, Ecosystem, FileName, PackageName, Version};
use url::Url;

use crate::catalogue::PartOf;

/// Packages and remotes of one listing that are read.
const MAX_OFFERS: usize = 32;
/// Arguments and variables of one package that are read.
const MAX_INPUTS: usize = 200;

/// Something that a listing offers.
#[derive(Clone, Debug)]
pub(super) enum Offer {
    /// A package that comes through another repository of this door.
    Package { members: Map<String, Value>, part: PartOf },
    /// A bundle that comes through this door.
    Bundle { members: Map<String, Value>, file: FileName, location: Url, digest: Digest },
    /// A server that runs elsewhere.
    Remote { members: Map<String, Value>, address: Option<Url> },
    /// What this door cannot bring, and why.
    LeftOut { what: String, why: &'static str },
}

/// Reads what a listing offers, in its order.
pub(super) fn read(server: &Map<String, Value>, version: &str) -> Vec<Offer> {
    let list = |key: &str| server.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
    let packages = list("packages").into_iter().take(MAX_OFFERS).enumerate();
    let packages = packages.map(|(n, package)| match &package {
        Value::Object(members) => package_of(&normal(members), version, n),
        _ => left_out("a package", "it cannot be read"),
    });
    let remotes = list("remotes").into_iter().take(MAX_OFFERS).map(|remote| match &remote {
        Value::Object(members) => remote_of(&normal(members)),
        _ => left_out("a remote", "it cannot be read"),
    });
    packages.chain(remotes).collect()
}

fn left_out(what: impl Into<String>, why: &'static str) -> Offer {
    let what: String = what.into();
    Offer::LeftOut { what: what.chars().filter(|c| !c.is_control()).take(200).collect(), why }
}

/// Members under their names of today: older documents write `registry_base_url`.
fn normal(members: &Map<String, Value>) -> Map<String, Value> {
    let camel = |key: &str| {
        let mut words = key.split('_');
        let mut name = words.next().unwrap_or_default().to_owned();
        for word in words {
            let mut letters = word.chars();
            name.extend(letters.next().map(|first| first.to_ascii_uppercase()));
            name.extend(letters);
        }
        name
    };
    members.iter().map(|(key, value)| (camel(key), value.clone())).collect()
}

fn text<'a>(members: &'a Map<String, Value>, key: &str) -> &'a str {
    members.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// The members of a package that clients are shown as they stand.
const PACKAGE_MEMBERS: [&str; 9] = [
    "registryType",
    "identifier",
    "version",
    "fileSha256",
    "runtimeHint",
    "transport",
    "runtimeArguments",
    "packageArguments",
    "environmentVariables",
];

fn package_of(package: &Map<String, Value>, version: &str, number: usize) -> Offer {
    let (kind, identifier) = (text(package, "registryType"), text(package, "identifier"));
    let what = || format!("{kind} {identifier}");
    if let Some(why) = steers(package) {
        return left_out(what(), why);
    }
    let mut members: Map<String, Value> = Map::new();
    for key in PACKAGE_MEMBERS {
        if let Some(value) = package.get(key) {
            members.insert(key.to_owned(), value.clone());
        }
    }
    match kind {
        "npm" => through(Ecosystem::Npm, members, package),
        "pypi" => through(Ecosystem::Pypi, members, package),
        "cargo" => through(Ecosystem::Cargo, members, package),
        "mcpb" => bundle(members, package, version, number),
        "oci" => left_out(
            what(),
            "its address names its own registry: pull the image through this door's and start that",
        ),
        _ => left_out(what(), "this door speaks for no such packages"),
    }
}

/// A package of another ecosystem, by one name and one version.
fn through(ecosystem: Ecosystem, members: Map<String, Value>, package: &Map<String, Value>) -> Offer {
    let (identifier, version) = (text(package, "identifier"), text(package, "version"));
    let what = || format!("{ecosystem} {identifier}");
    let Ok(name) = PackageName::parse(ecosystem, identifier) else {
        return left_out(what(), "its identifier is no name of a package");
    };
    let version = Version::parse(ecosystem, version);
    if !version.is_valid() {
        return left_out(what(), "it names no single version, so nothing can be decided on it");
    }
    Offer::Package { members, part: PartOf { name, version } }
}

/// A file by its address and digest.
fn bundle(members: Map<String, Value>, package: &Map<String, Value>, version: &str, number: usize) -> Offer {
    let identifier = text(package, "identifier");
    let what = || format!("mcpb {identifier}");
    let Some(digest) = Digest::from_hex(Algorithm::Sha256, text(package, "fileSha256")) else {
        return left_out(what(), "it names no digest of the file");
    };
    let location = Url::parse(identifier).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    let Some(location) = location else {
        return left_out(what(), "its identifier is no address");
    };
    let base = location.path_segments().and_then(|mut segments| segments.next_back()).unwrap_or_default();
    let base: String = base
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'))
        .take(100)
        .collect();
    let base = base.trim_start_matches('.');
    let base = if base.is_empty() { "server.mcpb" } else { base };
    match FileName::parse_path(&format!("{version}/{number}/{base}")) {
        Ok(file) => Offer::Bundle { members, file, location, digest },
        Err(_) => left_out(what(), "its version can be no part of a path"),
    }
}

/// The members of a remote that clients are shown as they stand; its address is none of them.
const REMOTE_MEMBERS: [&str; 2] = ["headers", "variables"];

fn remote_of(remote: &Map<String, Value>) -> Offer {
    let kind = text(remote, "type");
    if !matches!(kind, "streamable-http" | "sse") {
        return left_out(format!("{kind} remote"), "this door knows no such transport");
    }
    let mut members: Map<String, Value> = Map::new();
    // Whatever the server speaks, the door is spoken to in one way.
    members.insert("type".to_owned(), "streamable-http".into());
    for key in REMOTE_MEMBERS {
        if let Some(value) = remote.get(key) {
            members.insert(key.to_owned(), value.clone());
        }
    }
    Offer::Remote { members, address: Url::parse(text(remote, "url")).ok() }
}

/// Variables with which clients of packages are pointed at other sources.
const STEERING_VARIABLES: [&str; 16] = [
    "npm_config_",
    "yarn_",
    "pnpm_",
    "bun_config_",
    "node_options",
    "uv_",
    "pip_",
    "pipx_",
    "poetry_",
    "cargo_",
    "docker_",
    "http_proxy",
    "https_proxy",
    "all_proxy",
    "ld_preload",
    "pythonpath",
];

/// Options of `npx`, `uvx`, `docker` and the like that name another source.
const STEERING_OPTIONS: [&str; 17] = [
    "--registry",
    "--userconfig",
    "--globalconfig",
    "--prefix",
    "-i",
    "--index",
    "--index-url",
    "--default-index",
    "--extra-index-url",
    "-f",
    "--find-links",
    "--from",
    "--with",
    "--with-editable",
    "--config",
    "--config-file",
    "--package",
];

/// Why what a client makes of a package could go past the door; none where it cannot.
fn steers(package: &Map<String, Value>) -> Option<&'static str> {
    let transport = package.get("transport").and_then(Value::as_object);
    let address = transport.map_or("", |transport| text(transport, "url"));
    if !address.is_empty() && !is_here(address) {
        return Some("it is started here and spoken to elsewhere");
    }
    let hint = text(package, "runtimeHint");
    if hint.contains(['/', '\\', ' ']) {
        return Some("its runtime is a path or a command line, not a program's name");
    }
    if package.get("runtimeArguments").is_some_and(argument_steers) {
        return Some("its runtime arguments name another source of packages");
    }
    let variables = package.get("environmentVariables").and_then(Value::as_array);
    let mut names =
        variables.into_iter().flatten().take(MAX_INPUTS).filter_map(|input| input.get("name")?.as_str());
    if variables.is_some_and(|all| all.len() > MAX_INPUTS)
        || names.any(|name| {
            let lower = name.to_ascii_lowercase();
            STEERING_VARIABLES.iter().any(|word| lower.starts_with(word))
        })
    {
        return Some("its variables steer where packages come from");
    }
    None
}

fn argument_steers(arguments: &Value) -> bool {
    let Some(arguments) = arguments.as_array() else { return true };
    if arguments.len() > MAX_INPUTS {
        return true;
    }
    arguments.iter().any(|argument| {
        let text = |key: &str| argument.get(key).and_then(Value::as_str);
        let option = |word: &str| {
            let option = word.split(['=', ' ']).next().unwrap_or_default();
            STEERING_OPTIONS.contains(&option)
        };
        let value = |word: &str| word.contains("://") || word.starts_with("git+") || option(word);
        // A name is meant with its dashes, whether they stand there or not.
        let name = text("name").is_some_and(|word| value(word) || option(&format!("--{word}")));
        argument.is_string() || name || ["value", "default"].into_iter().filter_map(text).any(value)
    })
}

/// Whether an address is one of this machine, or of a variable's making on it.
fn is_here(address: &str) -> bool {
    let rest = address.strip_prefix("http://").or_else(|| address.strip_prefix("https://"));
    let Some(rest) = rest else { return false };
    let authority = rest.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    if authority.contains('@') {
        return false;
    }
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    matches!(host, "localhost" | "127.0.0.1" | "::1" | "0.0.0.0")
}
