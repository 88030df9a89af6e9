//! An issuer behind HTTP.

use http::{HeaderMap, HeaderName, HeaderValue, Method};
use tidegate_ecosystems::UpstreamBase;
use tidegate_inspect::secrets::liveness::{Issuer, Liveness, LivenessRequest};
use tidegate_inspect::secrets::{Rule, Secret};
use tokio::runtime::Handle;
use url::Url;

use crate::upstream::{Client, NamePatterns, Upstream};

/// Asks one issuer over HTTP. Blocks while it asks.
pub(super) struct HttpIssuer<'d> {
    client: &'d Client,
    receiver: Upstream,
    request: &'static LivenessRequest,
    runtime: Handle,
}

impl<'d> HttpIssuer<'d> {
    /// The issuer of a rule's secrets at an address; none where the rule has no question.
    pub(super) fn new(
        client: &'d Client,
        rule: &'static Rule,
        address: &Url,
        runtime: Handle,
    ) -> Option<Self> {
        let request = rule.liveness.as_ref()?;
        let base = UpstreamBase { url: address.clone() };
        let name = rule.issuer.clone();
        let receiver = Upstream::new(name, base, None, NamePatterns::default(), &[], "issuer".into());
        client.trust_host_of(&receiver);
        Some(Self { client, receiver, request, runtime })
    }

    fn headers(&self, secret: &Secret) -> Option<HeaderMap> {
        let value = self.request.header_value(secret)?;
        let mut value = HeaderValue::from_bytes(value.expose()).ok()?;
        value.set_sensitive(true);
        let name: HeaderName = self.request.header.parse().ok()?;
        Some(HeaderMap::from_iter([(name, value)]))
    }
}

impl Issuer for HttpIssuer<'_> {
    fn check(&self, secret: &Secret) -> Liveness {
        let (Some(headers), Ok(method)) = (self.headers(secret), self.request.method.parse::<Method>())
        else {
            return Liveness::Unknown;
        };
        let asking = self.client.status(&self.receiver, &method, &self.request.path, &headers);
        match self.runtime.block_on(asking) {
            Ok(status) => self.request.judge(status.as_u16()),
            Err(error) => {
                tracing::warn!(error = %error, "{} could not be asked about a secret: {error}", self.receiver.name);
                Liveness::Unknown
            }
        }
    }
}
