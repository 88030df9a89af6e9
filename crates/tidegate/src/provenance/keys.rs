//! The keys with which a registry signs what its index says: fetched from it, kept, and asked for again once a day.

use std::sync::Arc;

use tidegate_model::Timestamp;
use tidegate_provenance::KeyRing;

use crate::door::{Door, Repository};
use crate::pipeline::documents::{self, LoadError};
use crate::upstream::{Fetched, Upstream, UpstreamError, Validators};

/// The kind under which such documents are kept.
const KEYS: &str = "registry-keys";
/// Seconds for which a list of keys is used without asking again: a day. Registries announce a rotation weeks ahead.
const FRESH_SECONDS: i64 = 86_400;
/// Seconds after which a registry that has no list, or failed, is asked again.
const RETRY_SECONDS: i64 = 600;

/// The keys of one registry, and when it was asked for them.
#[derive(Clone, Debug)]
pub struct RegistryKeys {
    /// What it listed; empty where it lists none.
    pub keys: Arc<KeyRing>,
    checked_at: Timestamp,
    /// Whether it answered with a list.
    listed: bool,
}

impl RegistryKeys {
    fn is_current(&self, now: Timestamp) -> bool {
        let age = now.seconds_since(self.checked_at);
        age < if self.listed { FRESH_SECONDS } else { RETRY_SECONDS }
    }
}

/// The keys that an upstream lists. One that cannot be asked keeps the keys that it listed before.
pub(super) async fn of(
    door: &Arc<Door>,
    repository: &Arc<Repository>,
    upstream: &Arc<Upstream>,
) -> Result<Arc<KeyRing>, LoadError> {
    let now = door.clock.now();
    let key: Arc<str> = upstream.base.url.as_str().into();
    if let Some(known) = door.caches.registry_keys.get(&key).filter(|known| known.is_current(now)) {
        return Ok(known.keys);
    }
    let known = asked(door, repository, upstream, now).await?;
    door.caches.registry_keys.insert(key, known.clone());
    Ok(known.keys)
}

async fn asked(
    door: &Arc<Door>,
    repository: &Arc<Repository>,
    upstream: &Arc<Upstream>,
    now: Timestamp,
) -> Result<RegistryKeys, LoadError> {
    let none = RegistryKeys { keys: Arc::default(), checked_at: now, listed: false };
    let Some(request) = repository.protocol.registry_keys_request(&upstream.base) else {
        return Ok(RegistryKeys { listed: true, ..none });
    };
    let kept = documents::stored(door, repository, upstream, "", KEYS).await?.and_then(|document| {
        let keys = KeyRing::from_npm_json(&document.body).ok()?;
        Some(RegistryKeys { keys: Arc::new(keys), checked_at: document.head.checked_at, listed: true })
    });
    if let Some(kept) = kept.as_ref().filter(|kept| kept.is_current(now)) {
        return Ok(kept.clone());
    }
    let before = kept.map(|kept| RegistryKeys { checked_at: now, listed: false, ..kept });
    match door.client.document(upstream, &request, None, &Validators::default()).await {
        Ok(Fetched::Document { document, validators, .. }) => match KeyRing::from_npm_json(&document.body) {
            Ok(keys) => {
                documents::keep(door, repository, upstream, "", KEYS, &document, &validators, now).await?;
                Ok(RegistryKeys { keys: Arc::new(keys), checked_at: now, listed: true })
            }
            Err(error) => {
                tracing::warn!(error = %error, "the keys that {} lists cannot be used: {error}", upstream.name);
                Ok(before.unwrap_or(none))
            }
        },
        Ok(Fetched::NotModified) => Ok(before.unwrap_or(none)),
        Err(UpstreamError::Absent { .. }) => Ok(before.unwrap_or(none)),
        Err(error) => {
            tracing::debug!(error = %error, "no keys from {}: {error}", upstream.name);
            Ok(before.unwrap_or(none))
        }
    }
}
