//! What TOML and types cannot say: values that do not fit together, or that nobody can have meant.

use tidegate_ledger::note::KeyKind;
use tidegate_model::Ecosystem;

use super::{
    Config, CustodySection, EventsSection, Feed, McpSection, RESERVED, Server, Upstream, WebhookSink,
    WitnessAt,
};
use crate::events::kind;
use crate::inspection::limits::LEAST_MEMORY_MIB;
use crate::upstream::proxy::{ENVIRONMENT, NONE};

/// Something in a configuration that cannot be used.
#[derive(Debug)]
pub(super) struct Wrong {
    /// Keys and positions that lead to it: `repository`, `npm`, `upstream`, `0`, `url`.
    pub(super) place: Vec<String>,
    /// What does not fit.
    pub(super) message: String,
    /// What to do.
    pub(super) remedy: String,
}

fn wrong(place: &[&str], message: impl Into<String>, remedy: impl Into<String>) -> Result<(), Wrong> {
    let place = place.iter().map(|key| (*key).to_owned()).collect();
    Err(Wrong { place, message: message.into(), remedy: remedy.into() })
}

/// Sigstore instances whose roots are compiled in.
const PUBLIC_INSTANCES: [&str; 2] = ["public-good", "github"];

/// The first thing that is wrong.
pub(super) fn check(config: &Config) -> Result<(), Wrong> {
    server(&config.server)?;
    if config.policy.file.is_none() && tidegate_policy::packs::source(&config.policy.pack).is_none() {
        return wrong(
            &["policy", "pack"],
            format!("there is no pack `{}`", config.policy.pack.escape_debug()),
            format!(
                "the packs are {}; a policy of your own is named with `file`",
                tidegate_policy::packs::NAMES.join(", ")
            ),
        );
    }
    for (key, value) in [("memory_mib", config.cache.memory_mib), ("disk_gib", config.cache.disk_gib)] {
        above_zero(&["cache", key], value, "nothing could be kept")?;
    }
    let kept = &config.retention;
    if kept.access_days > 0 && kept.names_days > kept.access_days {
        return wrong(
            &["retention", "names_days"],
            format!(
                "who was last seen {} days ago cannot be told where accesses are kept for {}",
                kept.names_days, kept.access_days
            ),
            "give names_days at most as many days as access_days",
        );
    }
    let askable = crate::liveness::askable();
    if let Some(unknown) = config.inspection.issuers.keys().find(|name| !askable.contains_key(*name)) {
        return wrong(
            &["inspection", "issuers", unknown],
            format!("no issuer `{}` can be asked", unknown.escape_debug()),
            format!("there are: {}", askable.keys().cloned().collect::<Vec<_>>().join(", ")),
        );
    }
    if config.inspection.memory_mib < LEAST_MEMORY_MIB {
        return wrong(
            &["inspection", "memory_mib"],
            format!("no worker can look into archives with {} MiB", config.inspection.memory_mib),
            format!("give at least {LEAST_MEMORY_MIB}, or fewer `workers`"),
        );
    }
    let upstream = &config.upstream;
    for (key, value) in [
        ("connect_seconds", upstream.connect_seconds),
        ("idle_seconds", upstream.idle_seconds),
        ("max_artifact_bytes", upstream.max_artifact_bytes),
    ] {
        above_zero(&["upstream", key], value, "nothing could be fetched")?;
    }
    let proxy = &*upstream.proxy;
    if ![ENVIRONMENT, NONE].contains(&proxy) && !proxy.parse::<url::Url>().is_ok_and(|u| u.scheme() == "http")
    {
        return wrong(
            &["upstream", "proxy"],
            "the proxy is neither `environment`, `none` nor an http:// address",
            "give an address such as http://proxy.example:3128/",
        );
    }
    if !upstream.no_proxy.is_empty() && [ENVIRONMENT, NONE].contains(&proxy) {
        return wrong(
            &["upstream", "no_proxy"],
            "no_proxy is set and no proxy is named here",
            "name the proxy with `proxy`, or set NO_PROXY in the environment of the door",
        );
    }
    let intel = &config.intel;
    for (key, value) in [("refresh_seconds", intel.refresh_seconds), ("stale_hours", intel.stale_hours)] {
        above_zero(&["intel", key], value, "feeds could not be followed")?;
    }
    for (position, feed) in intel.feed.iter().flatten().enumerate() {
        self::feed(position, feed, intel.feed.as_deref().unwrap_or_default())?;
    }
    witnesses(&config.ledger.witnesses)?;
    custody(&config.custody)?;
    events(&config.events)?;
    mcp(&config.mcp)?;
    if let Err(error) = tracing_subscriber::EnvFilter::try_new(&config.log.filter) {
        return wrong(
            &["log", "filter"],
            format!("`{}` is no filter: {error}", config.log.filter.escape_debug()),
            "write a level such as `info`, or levels by module such as `info,tidegate::pipeline=debug`",
        );
    }
    for (name, repository) in &config.repository {
        self::repository(name, repository)?;
        if let Some(instance) = &repository.sigstore
            && !config.provenance.instance.contains_key(instance)
            && !PUBLIC_INSTANCES.contains(&&**instance)
        {
            return wrong(
                &["repository", name, "sigstore"],
                format!("no Sigstore instance `{}` is known", instance.escape_debug()),
                format!(
                    "name one of {}, or give its root in [provenance.instance.{instance}]",
                    PUBLIC_INSTANCES.join(", ")
                ),
            );
        }
    }
    Ok(())
}

fn feed(position: usize, feed: &Feed, all: &[Feed]) -> Result<(), Wrong> {
    let place = position.to_string();
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if feed.name.is_empty()
        || feed.name.len() > 64
        || !feed.name.chars().all(is_word)
        || feed.name.starts_with('.')
    {
        return wrong(
            &["intel", "feed", &place, "name"],
            format!("`{}` cannot name a feed", feed.name.escape_debug()),
            "use letters, digits, `-`, `_` and `.`, at most 64",
        );
    }
    if all[..position].iter().any(|before| before.name == feed.name) {
        return wrong(
            &["intel", "feed", &place, "name"],
            format!("two feeds are called `{}`", feed.name),
            "give each its own name",
        );
    }
    for (key, url) in [("url", feed.url.as_ref()), ("changes_url", feed.changes_url.as_ref())] {
        if url.is_some_and(|url| !matches!(url.scheme(), "http" | "https")) {
            return wrong(
                &["intel", "feed", &place, key],
                "only http and https addresses can be fetched",
                "load files with `tidegate intel import`",
            );
        }
    }
    if feed.url.is_none() && crate::intel::feeds::published_at(feed.kind).is_none() {
        return wrong(
            &["intel", "feed", &place, "url"],
            format!("feeds of kind {} have no one address", feed.kind.as_str()),
            "say with `url` where all of it is",
        );
    }
    if feed.changes_url.is_some() && feed.kind != tidegate_intel::FeedKind::Osv {
        return wrong(
            &["intel", "feed", &place, "changes_url"],
            "only feeds of kind osv have a list of changes",
            "remove the line",
        );
    }
    Ok(())
}

fn custody(custody: &CustodySection) -> Result<(), Wrong> {
    let named = [custody.key.is_some(), custody.pkcs11.is_some(), !custody.program.is_empty()];
    if named.into_iter().filter(|named| *named).count() > 1 {
        return wrong(&["custody"], "more than one key is named", "leave one of key, pkcs11 and program");
    }
    if custody.program.first().is_some_and(String::is_empty) {
        return wrong(&["custody", "program"], "the program has no name", "name the file that signs");
    }
    above_zero(&["custody", "program_seconds"], custody.program_seconds, "no program could answer")?;
    let Some(token) = &custody.pkcs11 else { return Ok(()) };
    if !token.module.is_absolute() {
        return wrong(
            &["custody", "pkcs11", "module"],
            format!("`{}` is not an absolute path", token.module.display()),
            "name the PKCS#11 library in full: its code runs in the door",
        );
    }
    if token.pin_file.is_some() == token.pin_env.is_some() {
        return wrong(
            &["custody", "pkcs11"],
            "where the PIN is found is not said, or twice",
            "set one of pin_file and pin_env",
        );
    }
    Ok(())
}

fn events(events: &EventsSection) -> Result<(), Wrong> {
    let named = events.webhook.keys().map(|name| ("webhook", name));
    let nameable = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    for (form, name) in named.chain(events.file.keys().map(|name| ("file", name))) {
        if name.is_empty() || name.len() > 64 || !name.bytes().all(nameable) {
            return wrong(
                &["events", form, name],
                format!("`{}` cannot name an event sink", name.escape_debug()),
                "use lower-case letters, digits and `-`, at most 64",
            );
        }
    }
    for (name, webhook) in &events.webhook {
        if events.file.contains_key(name) {
            return wrong(
                &["events", "file", name],
                format!("two event sinks are called `{name}`"),
                "give each its own name",
            );
        }
        self::webhook(name, webhook)?;
        types("webhook", name, &webhook.types)?;
    }
    for (name, file) in &events.file {
        above_zero(&["events", "file", name, "max_mib"], file.max_mib, "nothing could be written")?;
        if file.path.as_os_str().is_empty() {
            return wrong(&["events", "file", name, "path"], "the path is empty", "name a file");
        }
        types("file", name, &file.types)?;
    }
    Ok(())
}

fn mcp(section: &McpSection) -> Result<(), Wrong> {
    for (name, server) in &section.server {
        let place = |key| ["mcp", "server", name, key];
        if name.contains('/') || !crate::mcp::command::is_name(name) {
            return wrong(
                &["mcp", "server", name],
                format!("`{}` cannot name a server", name.escape_debug()),
                "use letters, digits and `-_.@`, at most 128",
            );
        }
        if !matches!(server.url.scheme(), "http" | "https") || server.url.host().is_none() {
            return wrong(
                &place("url"),
                format!("`{}` is neither http nor https", server.url),
                "give the one address of the server, such as https://mcp.example/mcp",
            );
        }
        if !server.url.username().is_empty() || server.url.password().is_some() {
            return wrong(
                &place("url"),
                "the address holds credentials",
                "put a token into an environment variable and name it with token_env",
            );
        }
        if let Some(purl) = &server.purl
            && tidegate_model::coordinate::PackageRef::parse(purl).is_err()
        {
            return wrong(
                &place("purl"),
                format!("`{}` is no package of an ecosystem that is known here", purl.escape_debug()),
                "write it as pkg:npm/NAME@VERSION or pkg:pypi/NAME@VERSION",
            );
        }
    }
    Ok(())
}

fn webhook(name: &str, webhook: &WebhookSink) -> Result<(), Wrong> {
    let place = |key| ["events", "webhook", name, key];
    let url = &webhook.url;
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return wrong(
            &place("url"),
            "events can be posted to http and https addresses only",
            "give an address such as https://hooks.example/tidegate",
        );
    }
    if !url.username().is_empty() || url.password().is_some() {
        return wrong(
            &place("url"),
            "the address holds credentials",
            "leave them out: each event is signed with the secret",
        );
    }
    match (&webhook.secret_env, &webhook.secret_file) {
        (None, None) => wrong(
            &["events", "webhook", name],
            "it has no secret, so a receiver could not tell our events from anybody's",
            "set secret_env or secret_file",
        ),
        (Some(_), Some(_)) => wrong(
            &place("secret_file"),
            "both secret_env and secret_file are set",
            "leave one out; a file may hold several secrets, a line each",
        ),
        _ => Ok(()),
    }
}

fn types(form: &str, name: &str, types: &[String]) -> Result<(), Wrong> {
    for (position, pattern) in types.iter().enumerate() {
        if kind::matching(pattern).is_empty() {
            let known: Vec<&str> = kind::EventKind::ALL.iter().map(|kind| kind.as_str()).collect();
            return wrong(
                &["events", form, name, "types", &position.to_string()],
                format!("there is no event of type `{}`", pattern.escape_debug()),
                format!("the types are {}; `artifact.*` stands for all that begin so", known.join(", ")),
            );
        }
    }
    Ok(())
}

fn server(server: &Server) -> Result<(), Wrong> {
    match (&server.tls_certificate, &server.tls_key) {
        (Some(_), None) => {
            return wrong(
                &["server", "tls_certificate"],
                "tls_certificate is set and tls_key is not",
                "set both to switch TLS on, or neither",
            );
        }
        (None, Some(_)) => {
            return wrong(
                &["server", "tls_key"],
                "tls_key is set and tls_certificate is not",
                "set both to switch TLS on, or neither",
            );
        }
        _ => {}
    }
    if let Some(url) = &server.public_url
        && !matches!(url.scheme(), "http" | "https")
    {
        return wrong(
            &["server", "public_url"],
            format!("`{url}` is neither http nor https"),
            "give the address that clients use, such as https://tidegate.example/",
        );
    }
    let sizes = [
        ("max_connections", server.max_connections as u64),
        ("max_head_bytes", server.max_head_bytes as u64),
        ("max_body_bytes", server.max_body_bytes as u64),
        ("idle_seconds", server.idle_seconds),
        ("write_seconds", server.write_seconds),
    ];
    sizes
        .into_iter()
        .try_for_each(|(key, value)| above_zero(&["server", key], value, "no request could be answered"))
}

/// The most witnesses: each is asked for each checkpoint.
const MAX_WITNESSES: usize = 16;

fn witnesses(witnesses: &[WitnessAt]) -> Result<(), Wrong> {
    if witnesses.len() > MAX_WITNESSES {
        return wrong(
            &["ledger", "witnesses"],
            format!("it names {} witnesses, and at most {MAX_WITNESSES} are asked", witnesses.len()),
            "leave some out",
        );
    }
    for (position, witness) in witnesses.iter().enumerate() {
        let position_text = position.to_string();
        let at = |key| ["ledger", "witnesses", &position_text, key];
        if witness.key.kind() != KeyKind::Cosignature {
            return wrong(
                &at("key"),
                format!("`{}` is the key of a log, not of a witness", witness.key),
                "write the key that the witness's operator tells; `tidegate witness --key` prints that of ours",
            );
        }
        let url = &witness.url;
        let plain = matches!(url.scheme(), "http" | "https")
            && url.host_str().is_some()
            && url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none();
        if !plain {
            return wrong(
                &at("url"),
                "the address of a witness is http:// or https:// with a host, without user, query and fragment",
                "write its submission prefix, such as https://witness.example/",
            );
        }
        if witnesses[..position].iter().any(|before| before.key == witness.key) {
            return wrong(
                &at("key"),
                format!("the witness `{}` is named twice", witness.key.name()),
                "name each witness once",
            );
        }
    }
    Ok(())
}

fn above_zero(place: &[&str], value: u64, what_then: &str) -> Result<(), Wrong> {
    if value > 0 {
        return Ok(());
    }
    let key = place.last().copied().unwrap_or_default();
    wrong(place, format!("{key} is 0: {what_then}"), "give a number above 0, or leave it out for the default")
}

fn repository(name: &str, repository: &super::Repository) -> Result<(), Wrong> {
    let nameable = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if name.is_empty() || !name.bytes().all(nameable) || RESERVED.contains(&name) {
        return wrong(
            &["repository", name],
            format!("`{}` cannot name a repository", name.escape_debug()),
            format!(
                "use lower-case letters, digits and `-`, and none of the door's own paths ({})",
                RESERVED.join(", ")
            ),
        );
    }
    if repository.ecosystem.is_none() && Ecosystem::of_repository(name).is_none() {
        return wrong(
            &["repository", name],
            "its ecosystem is not said",
            "add ecosystem = \"npm\", \"pypi\", \"cargo\", \"huggingface\" or \"mcp\"",
        );
    }
    let ecosystem = repository.ecosystem.or_else(|| name.parse().ok());
    if repository.listing == super::Listing::Approved && ecosystem != Some(Ecosystem::Mcp) {
        return wrong(
            &["repository", name, "listing"],
            "only a registry of MCP servers is listed as a whole",
            "demand approval of other packages by a rule on `approval.approved`",
        );
    }
    if !repository.cosign_keys.is_empty() && ecosystem != Some(Ecosystem::Oci) {
        return wrong(
            &["repository", name, "cosign_keys"],
            "only images are signed with keys of cosign's",
            "remove the line, or set it in a repository of images",
        );
    }
    repository.upstream.iter().enumerate().try_for_each(|(n, one)| upstream(name, &n.to_string(), one))
}

fn upstream(repository: &str, position: &str, upstream: &Upstream) -> Result<(), Wrong> {
    let place = |key| ["repository", repository, "upstream", position, key];
    if !matches!(upstream.url.scheme(), "http" | "https") {
        return wrong(
            &place("url"),
            format!("the upstream `{}` is neither http nor https", upstream.url),
            "give an address such as https://registry.example/",
        );
    }
    if !upstream.url.username().is_empty() || upstream.url.password().is_some() {
        return wrong(
            &place("url"),
            "an upstream's address holds credentials",
            "put them into an environment variable and name it with basic_env or token_env",
        );
    }
    if upstream.token_env.is_some() && upstream.basic_env.is_some() {
        return wrong(
            &place("basic_env"),
            "both token_env and basic_env are set, and one request carries one of them",
            "leave one out",
        );
    }
    Ok(())
}
