//! Addresses of upstreams: parsing, taking the credentials out, and recognising the door itself.

use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tidegate_model::Secret;
use url::{Host, Url};

/// The longest value that is read as an address, in bytes.
const MAX_ADDRESS_BYTES: usize = 2048;

/// An address with what was written into it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    pub(crate) url: Url,
    pub(crate) credentials: Option<Secret<String>>,
}

/// A value that is no http(s) address. The value itself may hold a password and is not repeated.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotAnAddress {
    #[error("a value that is not an address")]
    Unreadable,
    #[error("an address of the scheme `{0}`, where tidegate can only ask http and https")]
    Scheme(String),
    #[error("a value with `${{{0}}}`, a variable that is not set")]
    Variable(String),
}

/// Reads an upstream's address: an optional `sparse+` is taken off, user and password become an `Authorization`
/// value, query and fragment are dropped, and the path ends in a slash.
pub(crate) fn parse(value: &str) -> Result<Address, NotAnAddress> {
    let value = value.trim();
    let value = value.strip_prefix("sparse+").unwrap_or(value);
    if let Some(name) =
        value.split_once("${").and_then(|(_, rest)| rest.split_once('}')).map(|(name, _)| name)
    {
        return Err(NotAnAddress::Variable(name.trim_end_matches('?').to_owned()));
    }
    if value.len() > MAX_ADDRESS_BYTES || value.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err(NotAnAddress::Unreadable);
    }
    let mut url = Url::parse(value).map_err(|_| NotAnAddress::Unreadable)?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(NotAnAddress::Scheme(url.scheme().to_owned()));
    }
    if url.host_str().is_none_or(str::is_empty) {
        return Err(NotAnAddress::Unreadable);
    }
    let credentials = written_credentials(&url);
    url.set_username("").map_err(|()| NotAnAddress::Unreadable)?;
    url.set_password(None).map_err(|()| NotAnAddress::Unreadable)?;
    url.set_query(None);
    url.set_fragment(None);
    if !url.path().ends_with('/') {
        let path = format!("{}/", url.path());
        url.set_path(&path);
    }
    Ok(Address { url, credentials })
}

fn written_credentials(url: &Url) -> Option<Secret<String>> {
    if url.username().is_empty() && url.password().is_none() {
        return None;
    }
    let decode = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
    Some(basic(&decode(url.username()), &decode(url.password().unwrap_or_default())))
}

/// The `Authorization` value of a user and a password (RFC 7617).
pub(crate) fn basic(user: &str, password: &str) -> Secret<String> {
    Secret::new(format!("Basic {}", STANDARD.encode(format!("{user}:{password}"))))
}

/// The `Authorization` value of a token (RFC 6750).
pub(crate) fn bearer(token: &str) -> Secret<String> {
    Secret::new(format!("Bearer {token}"))
}

/// Whether a value can stand in a header (RFC 9110 §5.5): what a variable holds may have a line's end in it.
pub(crate) fn is_sendable(authorization: &Secret<String>) -> bool {
    authorization.expose().bytes().all(|byte| (b' '..=b'~').contains(&byte))
}

/// Whether `url` is the door itself: same port, and the same host or two ways to say "this machine".
///
/// A listener on every address (`0.0.0.0`, `[::]`) is recognised under its loopback names. Other names of this machine
/// cannot be known here; requests through them are caught by the `Via` header.
pub fn is_self(url: &Url, own_addresses: &[Url]) -> bool {
    own_addresses.iter().any(|own| {
        url.port_or_known_default() == own.port_or_known_default()
            && (same_host(url, own) || (is_this_machine(url) && is_this_machine(own)))
    })
}

fn same_host(a: &Url, b: &Url) -> bool {
    let plain = |url: &Url| url.host_str().map(|host| host.trim_end_matches('.').to_ascii_lowercase());
    plain(a).is_some() && plain(a) == plain(b)
}

/// Loopback and unspecified addresses, and `localhost` with everything below it (RFC 6761 §6.3).
fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => is_local(IpAddr::V4(ip)),
        Some(Host::Ipv6(ip)) => is_local(ip.to_ipv4_mapped().map_or(IpAddr::V6(ip), IpAddr::V4)),
        Some(Host::Domain(name)) => {
            let name = name.trim_end_matches('.').to_ascii_lowercase();
            name == "localhost" || name.ends_with(".localhost")
        }
        None => false,
    }
}

fn is_local(ip: IpAddr) -> bool {
    ip.is_loopback() || ip.is_unspecified()
}
