//! Name resolution that does not lead into private networks.
//!
//! A registry's document may name any host as the place of a file. If that host resolves to a private, loopback or
//! link-local address, fetching from it would let a stranger reach into the network the door stands in. Such addresses
//! are dropped for every host that nobody configured.

use std::collections::HashSet;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, RwLock};
use std::task::{Context, Poll};

use hyper_util::client::legacy::connect::dns::Name;

/// Which hosts may resolve to private addresses.
#[derive(Clone, Debug, Default)]
pub(super) struct PrivateHosts {
    hosts: Arc<RwLock<HashSet<String>>>,
    /// Allowed hosts that did resolve to a private address.
    seen: Arc<RwLock<HashSet<String>>>,
    all: bool,
}

impl PrivateHosts {
    pub(super) fn new(all: bool) -> Self {
        Self { hosts: Arc::default(), seen: Arc::default(), all }
    }

    pub(super) fn allow(&self, host: &str) {
        self.hosts.write().expect("no panic while holding it").insert(host.to_ascii_lowercase());
    }

    pub(super) fn allows(&self, host: &str) -> bool {
        self.all || self.hosts.read().expect("no panic while holding it").contains(&host.to_ascii_lowercase())
    }

    /// Remembers that a host resolved to a private address.
    fn note_private(&self, host: &str) {
        let host = host.to_ascii_lowercase();
        if !self.seen.read().expect("no panic while holding it").contains(&host) {
            self.seen.write().expect("no panic while holding it").insert(host);
        }
    }

    /// Whether a host is known to live at a private address.
    pub(super) fn is_private(&self, url: &url::Url) -> bool {
        let literal = match url.host() {
            Some(url::Host::Ipv4(ip)) => !is_public(IpAddr::V4(ip)),
            Some(url::Host::Ipv6(ip)) => !is_public(IpAddr::V6(ip)),
            _ => false,
        };
        literal
            || url.host_str().is_some_and(|h| {
                self.seen.read().expect("no panic while holding it").contains(&h.to_ascii_lowercase())
            })
    }

    /// Whether an address written as a literal may be asked.
    pub(super) fn allows_literal(&self, url: &url::Url) -> bool {
        let ip = match url.host() {
            Some(url::Host::Ipv4(ip)) => IpAddr::V4(ip),
            Some(url::Host::Ipv6(ip)) => IpAddr::V6(ip),
            _ => return true,
        };
        is_public(ip) || url.host_str().is_some_and(|h| self.allows(h))
    }
}

/// Whether an address is one of the public internet.
pub(super) fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => {
            let [a, b, ..] = ip.octets();
            !(ip.is_private()
                || ip.is_loopback()
                || ip.is_link_local()
                || ip.is_unspecified()
                || ip.is_broadcast()
                || ip.is_multicast()
                || ip.is_documentation()
                // RFC 6598 shared address space, RFC 2544 benchmarking, RFC 1112 reserved.
                || (a == 100 && (64..128).contains(&b))
                || (a == 198 && (b == 18 || b == 19))
                || a == 0
                || a >= 240)
        }
        IpAddr::V6(ip) => match ip.to_ipv4_mapped() {
            Some(v4) => is_public(IpAddr::V4(v4)),
            None => {
                let first = ip.segments()[0];
                !(ip.is_loopback()
                    || ip.is_unspecified()
                    || ip.is_multicast()
                    || (first & 0xfe00) == 0xfc00
                    || (first & 0xffc0) == 0xfe80)
            }
        },
    }
}

/// Resolves with the system's resolver and drops what may not be asked.
#[derive(Clone, Debug)]
pub(super) struct Resolver {
    pub(super) private: PrivateHosts,
}

impl tower_service::Service<Name> for Resolver {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, io::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), io::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let private = self.private.clone();
        Box::pin(async move {
            let host = name.as_str().to_owned();
            let found: Vec<SocketAddr> = tokio::net::lookup_host((host.as_str(), 0)).await?.collect();
            let all = found.len();
            if private.allows(&host) && found.iter().any(|a| !is_public(a.ip())) {
                private.note_private(&host);
            }
            let allowed: Vec<SocketAddr> = if private.allows(&host) {
                found
            } else {
                found.into_iter().filter(|a| is_public(a.ip())).collect()
            };
            if allowed.is_empty() && all > 0 {
                return Err(io::Error::new(
                    io::ErrorKind::PermissionDenied,
                    format!("`{host}` resolves to a private address and is not a configured upstream"),
                ));
            }
            Ok(allowed.into_iter())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_ranges_are_known() {
        for private in [
            "127.0.0.1",
            "10.1.2.3",
            "192.168.0.1",
            "172.16.0.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "::1",
            "fc00::1",
            "fe80::1",
            "::ffff:10.0.0.1",
            "255.255.255.255",
        ] {
            assert!(!is_public(private.parse().unwrap()), "{private}");
        }
        for public in ["8.8.8.8", "2001:4860:4860::8888", "172.32.0.1", "::ffff:8.8.8.8"] {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
    }

    #[test]
    fn a_literal_needs_to_be_configured() {
        let hosts = PrivateHosts::new(false);
        let url: url::Url = "http://127.0.0.1:1/".parse().unwrap();
        assert!(!hosts.allows_literal(&url));
        hosts.allow("127.0.0.1");
        assert!(hosts.allows_literal(&url));
        assert!(hosts.allows_literal(&"https://8.8.8.8/".parse().unwrap()));
    }
}
