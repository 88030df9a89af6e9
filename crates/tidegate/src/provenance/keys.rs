//! The keys with which a registry signs what its index says: fetched from it, kept, and asked for again once a day.

use std::sync::Arc;

use tidegate_ecosystems::DocumentRequest;
use tidegate_model::Timestamp;
use tidegate_provenance::{KeyRing, TrustedKey};

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

/// The one key that an index names for a signature. Unlike a list, it is asked for where it is not known and cannot be done
/// without.
///
/// # Errors
/// Why it cannot be had, for people; our own storage failing is one of these reasons.
pub(super) async fn named(
    door: &Arc<Door>,
    repository: &Arc<Repository>,
    upstream: &Arc<Upstream>,
    request: &DocumentRequest,
) -> Result<Arc<KeyRing>, String> {
    let now = door.clock.now();
    let key: Arc<str> = request.url.as_str().into();
    if let Some(known) = door.caches.registry_keys.get(&key).filter(|known| known.is_current(now)) {
        return Ok(known.keys);
    }
    let told = |error: LoadError| error.to_string();
    let kept = documents::stored(door, repository, upstream, &key, KEYS).await.map_err(told)?;
    let read = |body: &[u8]| {
        let pem = std::str::from_utf8(body).unwrap_or_default();
        TrustedKey::from_pem(pem).map(|key| Arc::new(KeyRing::new([key]))).map_err(|e| e.to_string())
    };
    let kept = kept.and_then(|kept| {
        Some(RegistryKeys { keys: read(&kept.body).ok()?, checked_at: kept.head.checked_at, listed: true })
    });
    if let Some(kept) = kept.as_ref().filter(|kept| kept.is_current(now)) {
        door.caches.registry_keys.insert(key, kept.clone());
        return Ok(Arc::clone(&kept.keys));
    }
    upstream.learn_host(&request.url);
    let fetched = match door.client.document(upstream, request, None, &Validators::default()).await {
        Ok(Fetched::Document { document, validators, .. }) => {
            read(&document.body).map(|keys| (keys, document, validators))
        }
        Ok(Fetched::NotModified) => Err("\"not modified\" without a condition".to_owned()),
        Err(error) => Err(error.to_string()),
    };
    match (fetched, kept) {
        (Ok((keys, document, validators)), _) => {
            documents::keep(door, repository, upstream, &key, KEYS, &document, &validators, now)
                .await
                .map_err(told)?;
            let known = RegistryKeys { keys: Arc::clone(&keys), checked_at: now, listed: true };
            door.caches.registry_keys.insert(key, known);
            Ok(keys)
        }
        // What was a key yesterday is one while nobody says otherwise.
        (Err(why), Some(kept)) => {
            tracing::debug!("the key at {} could not be asked for again: {why}", request.url);
            Ok(kept.keys)
        }
        (Err(why), None) => Err(why),
    }
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
