//! Asks a registry for what is signed about an image, in bounds: the list of what refers to it or the tag that stands in for
//! one, the bundles in it, and the tag under which cosign 2 keeps signatures.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use sha2::Digest as _;
use tidegate_ecosystems::oci::{self, signed};
use tidegate_ecosystems::{DocumentRequest, FetchedDocument};
use tidegate_model::Sha256;
use tidegate_provenance::formats::cosign;

use super::evidence::{Evidence, Offer, Piece};
use crate::door::Door;
use crate::pipeline::package::Package;
use crate::upstream::{Fetched, Upstream, UpstreamError, Validators};

/// The most bundles and signatures of one image that are fetched.
const MAX_ITEMS: usize = 16;
/// The most bytes of one bundle, and of one payload of cosign's.
const MAX_BUNDLE_BYTES: u64 = 8 << 20;
const MAX_PAYLOAD_BYTES: u64 = 1 << 20;
/// The most bytes of all of it.
const MAX_BYTES: u64 = 32 << 20;
/// The most pages of a list of referrers.
const MAX_PAGES: usize = 8;
/// How long all of it may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// How a registry answers that it knows no such route.
const NO_ROUTE: [&str; 3] = ["HTTP 400", "HTTP 405", "HTTP 501"];

/// Asks for everything that is signed about the image of a manifest. What could not be had is said in the answer.
pub(super) async fn gather(door: &Arc<Door>, package: &Package, root: &Sha256) -> Evidence {
    let mut gathering = Gathering { door, package, evidence: Evidence::new(), bytes: 0 };
    let why = match tokio::time::timeout(PATIENCE, gathering.all(root)).await {
        Ok(Ok(())) => return gathering.evidence,
        Ok(Err(error)) => error.to_string(),
        Err(_) => format!("not all of it came within {} s", PATIENCE.as_secs()),
    };
    gathering.evidence.unavailable = Some(format!("what is signed about it: {why}"));
    gathering.evidence
}

struct Gathering<'a> {
    door: &'a Arc<Door>,
    package: &'a Package,
    evidence: Evidence,
    bytes: u64,
}

/// Whether what is broken is what a registry serves, and not the way to it.
enum Got {
    Bytes(Bytes),
    Broken(String),
}

impl Gathering<'_> {
    async fn all(&mut self, root: &Sha256) -> Result<(), UpstreamError> {
        // Both are asked, whatever one of them fails with: what one has is evidence all the same.
        let referrers = self.referrers(root).await;
        let signatures = self.signatures(root).await;
        referrers.and(signatures)
    }

    fn upstream(&self) -> &Arc<Upstream> {
        &self.package.upstream
    }

    fn broken(&self, why: impl Into<String>) -> UpstreamError {
        UpstreamError::Broken { upstream: self.upstream().name.clone(), why: why.into() }
    }

    /// A document and its `Link`; none where there is none.
    async fn ask(
        &self,
        request: &DocumentRequest,
    ) -> Result<Option<(FetchedDocument, Option<String>, http::HeaderMap)>, UpstreamError> {
        let fetched = self.door.client.document(self.upstream(), request, None, &Validators::default()).await;
        match fetched {
            Ok(Fetched::Document { document, link, headers, .. }) => Ok(Some((document, link, headers))),
            Ok(Fetched::NotModified) => Err(self.broken("\"not modified\" without a condition")),
            Err(UpstreamError::Absent { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn referrers(&mut self, root: &Sha256) -> Result<(), UpstreamError> {
        let Some(listed) = self.listed(root).await? else { return Ok(()) };
        self.evidence.offer = Offer::Listed;
        let is_signed = |one: &&signed::Descriptor| {
            let kind = one.artifact_type.as_deref().unwrap_or_default();
            kind.starts_with(cosign::BUNDLE_ARTIFACT_TYPE) || kind == signed::COSIGN_SIGNATURE
        };
        for one in listed.iter().filter(is_signed) {
            if self.evidence.items.len() >= MAX_ITEMS {
                self.evidence.beyond += 1;
                continue;
            }
            self.referrer(one).await?;
        }
        Ok(())
    }

    /// What refers to the image, by the registry's list or by the tag that stands in; none where it has neither.
    async fn listed(&self, root: &Sha256) -> Result<Option<Vec<signed::Descriptor>>, UpstreamError> {
        let (name, base) = (&self.package.name, &self.upstream().base);
        let mut request = signed::referrers_request(name, root, base);
        let first = match self.ask(&request).await {
            Err(UpstreamError::Broken { why, .. }) if NO_ROUTE.contains(&&*why) => None,
            other => other?,
        };
        let unreadable = |why: String| self.broken(format!("its list of referrers: {why}"));
        let Some((mut page, mut link, _)) = first else {
            let request = signed::manifest_request(name, &signed::referrers_tag(root), base);
            let Some((list, _, _)) = self.ask(&request).await? else { return Ok(None) };
            return signed::read_referrers(&list.body).map(Some).map_err(unreadable);
        };
        let mut all = signed::read_referrers(&page.body).map_err(unreadable)?;
        for _ in 1..MAX_PAGES {
            let next = link.as_deref().and_then(|link| signed::next_referrers(link, &request));
            let Some(next) = next else { return Ok(Some(all)) };
            request = next;
            (page, link) = match self.ask(&request).await? {
                Some((page, link, _)) => (page, link),
                None => return Err(self.broken("its list of referrers breaks off")),
            };
            all.extend(signed::read_referrers(&page.body).map_err(unreadable)?);
        }
        match link {
            None => Ok(Some(all)),
            Some(_) => Err(self.broken("its list of referrers has no end")),
        }
    }

    /// One manifest that refers to the image.
    async fn referrer(&mut self, named: &signed::Descriptor) -> Result<(), UpstreamError> {
        if named.size > oci::MAX_MANIFEST_BYTES {
            self.evidence
                .add(Piece::Broken(format!("the referrer {} is larger than any real one", named.digest)));
            return Ok(());
        }
        let request =
            signed::manifest_request(&self.package.name, &named.digest.to_string(), &self.upstream().base);
        match self.exactly(&request, named).await? {
            Got::Bytes(body) => self.manifest(&body, &format!("the referrer {}", named.digest)).await,
            Got::Broken(why) => {
                self.evidence.add(Piece::Broken(why));
                Ok(())
            }
        }
    }

    /// The tag under which cosign 2 keeps signatures.
    async fn signatures(&mut self, root: &Sha256) -> Result<(), UpstreamError> {
        let tag = signed::signature_tag(root);
        let request = signed::manifest_request(&self.package.name, &tag, &self.upstream().base);
        let Some((document, _, headers)) = self.ask(&request).await? else { return Ok(()) };
        self.evidence.offer = Offer::Listed;
        if let Some(why) = oci::contradiction(&document.body, &headers) {
            self.evidence.add(Piece::Broken(format!("the tag {tag}: {why}")));
            return Ok(());
        }
        self.manifest(&document.body, &format!("the tag {tag}")).await
    }

    /// What a manifest holds that is signed.
    async fn manifest(&mut self, body: &[u8], what: &str) -> Result<(), UpstreamError> {
        let before = self.evidence.items.len() + self.evidence.beyond;
        let layers = match signed::read_layers(body) {
            Ok((_, layers)) => layers,
            Err(why) => {
                self.evidence.add(Piece::Broken(format!("{what} is no manifest: {why}")));
                return Ok(());
            }
        };
        for layer in &layers {
            // An artifact of 1.1 may say what it is in its layer alone, so the layer counts.
            let is_bundle = layer.media_type.starts_with(cosign::BUNDLE_ARTIFACT_TYPE);
            if is_bundle || layer.media_type == signed::SIMPLE_SIGNING {
                self.layer(layer, is_bundle).await?;
            }
        }
        if self.evidence.items.len() + self.evidence.beyond == before && !self.holds_known(&layers) {
            self.evidence.add(Piece::Broken(format!("{what} is listed as a signature and holds none")));
        }
        Ok(())
    }

    /// Whether a manifest added nothing because all of it was there already.
    fn holds_known(&self, layers: &[signed::Descriptor]) -> bool {
        layers.iter().any(|layer| {
            layer.media_type.starts_with(cosign::BUNDLE_ARTIFACT_TYPE)
                || layer.media_type == signed::SIMPLE_SIGNING
        })
    }

    async fn layer(&mut self, layer: &signed::Descriptor, is_bundle: bool) -> Result<(), UpstreamError> {
        let limit = if is_bundle { MAX_BUNDLE_BYTES } else { MAX_PAYLOAD_BYTES };
        if layer.size > limit {
            let why = format!("{} has {} bytes, more than any real one", layer.digest, layer.size);
            self.evidence.add(Piece::Broken(why));
            return Ok(());
        }
        self.bytes += layer.size;
        if self.evidence.items.len() >= MAX_ITEMS || self.bytes > MAX_BYTES {
            self.evidence.beyond += 1;
            return Ok(());
        }
        let request = signed::blob_request(&self.package.name, layer, &self.upstream().base);
        let text = match self.exactly(&request, layer).await? {
            Got::Bytes(bytes) => String::from_utf8(bytes.into()),
            Got::Broken(why) => {
                self.evidence.add(Piece::Broken(why));
                return Ok(());
            }
        };
        let annotation = |name: &str| layer.annotations.get(name).filter(|value| !value.is_empty()).cloned();
        self.evidence.add(match text {
            Err(_) => Piece::Broken(format!("{} is not UTF-8", layer.digest)),
            Ok(text) if is_bundle => Piece::Bundle(text),
            Ok(payload) => Piece::Signature {
                payload,
                signature: annotation("dev.cosignproject.cosign/signature").unwrap_or_default(),
                certificate: annotation("dev.sigstore.cosign/certificate"),
                bundle: annotation("dev.sigstore.cosign/bundle"),
            },
        });
        Ok(())
    }

    /// Exactly the bytes that were named, or how they are others.
    async fn exactly(
        &self,
        request: &DocumentRequest,
        named: &signed::Descriptor,
    ) -> Result<Got, UpstreamError> {
        let Some((document, _, _)) = self.ask(request).await? else {
            let why = format!("{} is listed and not there", named.digest);
            return Err(self.broken(why));
        };
        let found = Sha256::new(sha2::Sha256::digest(&document.body).into());
        if found != named.digest {
            return Ok(Got::Broken(format!("the registry's bytes of {} are {found}", named.digest)));
        }
        Ok(Got::Bytes(document.body))
    }
}
