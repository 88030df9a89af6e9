//! The way to an upstream: straight, or through the proxy that this network demands.
//!
//! Only what is encrypted goes through a proxy, by `CONNECT` (RFC 9110 §9.3.6), so that the proxy sees a host and never a
//! request. Plain http stays inside the network and is asked straight, and so is this machine itself.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::Uri;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::client::proxy::matcher::Matcher;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tower_service::Service;

use super::resolver::Resolver;

/// What `[upstream] proxy` says where it names none.
pub const ENVIRONMENT: &str = "environment";
/// What it says where there is none, whatever the environment says.
pub const NONE: &str = "none";

/// Which hosts are asked through which proxy.
#[derive(Clone)]
pub struct Proxies(Option<std::sync::Arc<Matcher>>);

impl Proxies {
    /// As the configuration says: `environment` (`HTTPS_PROXY`, `ALL_PROXY`, `NO_PROXY`), `none`, or an address. `straight`
    /// lists hosts, domains and networks that are asked without one; it adds to nothing the environment says.
    pub fn new(setting: &str, straight: &[String]) -> Self {
        let matcher = match setting {
            NONE => return Self(None),
            ENVIRONMENT => Matcher::from_env(),
            address => Matcher::builder().https(address.to_owned()).no(straight.join(",")).build(),
        };
        Self(Some(std::sync::Arc::new(matcher)))
    }

    /// The proxy for an address, with the credentials it is given.
    fn of(&self, uri: &Uri) -> Option<hyper_util::client::proxy::matcher::Intercept> {
        let encrypted = uri.scheme() == Some(&http::uri::Scheme::HTTPS);
        if !encrypted || uri.host().is_none_or(is_this_machine) {
            return None;
        }
        self.0.as_ref()?.intercept(uri)
    }

    /// The host of the proxy that an address is asked through.
    pub fn host_for(&self, url: &url::Url) -> Option<String> {
        self.of(&url.as_str().parse().ok()?)?.uri().host().map(str::to_owned)
    }
}

impl std::fmt::Debug for Proxies {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.0.is_some() { "Proxies(some)" } else { "Proxies(none)" })
    }
}

fn is_this_machine(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || bare.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// Connects to an upstream, or to its proxy.
#[derive(Clone, Debug)]
pub(super) struct Way {
    pub(super) straight: HttpConnector<Resolver>,
    pub(super) proxies: Proxies,
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;

impl Service<Uri> for Way {
    type Response = TokioIo<TcpStream>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.straight.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let Some(proxy) = self.proxies.of(&uri) else {
            let straight = self.straight.call(uri);
            return Box::pin(async move { straight.await.map_err(Into::into) });
        };
        if proxy.uri().scheme_str() != Some("http") {
            let scheme = proxy.uri().scheme_str().unwrap_or_default().to_owned();
            return Box::pin(async move {
                Err(format!("the proxy of this network is a `{scheme}` proxy: only http:// is spoken").into())
            });
        }
        let mut tunnel = Tunnel::new(proxy.uri().clone(), self.straight.clone());
        if let Some(credentials) = proxy.basic_auth() {
            tunnel = tunnel.with_auth(credentials.clone());
        }
        let host = proxy.uri().host().unwrap_or_default().to_owned();
        Box::pin(async move {
            let through = tunnel.call(uri).await;
            through.map_err(|error| format!("through the proxy `{host}`: {error}").into())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encrypted_and_elsewhere_goes_through_the_proxy() {
        let proxies = Proxies::new(
            "http://user:secret@proxy.test:3128",
            &["inside.test".into(), "192.0.2.0/24".into()],
        );
        for (address, expected) in [
            ("https://registry.test/x", Some("proxy.test")),
            ("https://registry.test:8443/x", Some("proxy.test")),
            ("http://registry.test/x", None),
            ("https://inside.test/x", None),
            ("https://npm.inside.test/x", None),
            ("https://192.0.2.7/x", None),
            ("https://localhost/x", None),
            ("https://127.0.0.1:9/x", None),
            ("https://[::1]:9/x", None),
        ] {
            assert_eq!(proxies.host_for(&address.parse().unwrap()).as_deref(), expected, "{address}");
        }
        assert_eq!(Proxies::new(NONE, &[]).host_for(&"https://registry.test/".parse().unwrap()), None);
        assert!(!format!("{proxies:?}").contains("secret"));
    }
}
