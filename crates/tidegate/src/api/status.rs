//! What is on, what is degraded.

use serde_json::{Value, json};

use crate::door::Door;
use crate::http::operations::unready;

/// The door's state.
pub(super) fn status(door: &Door) -> Value {
    let rules = door.rules();
    let health = door.recorder.health();
    let usage = door.store.blobs.usage().ok();
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "node": door.recorder.node().as_str(),
        "opened_at": door.opened_at,
        "ready": unready(door).is_empty(),
        "not_ready_because": unready(door),
        "degraded": &*door.degraded(),
        "policy": {
            "id": rules.policy.id(), "version": rules.policy.version(), "source": rules.source,
            "digest": rules.policy.digest(), "enforces": rules.policy.enforces(),
        },
        "ledger": {
            "mode": door.recorder.mode().as_str(), "writable": health.writable, "why": health.why.as_deref(),
            "entries": health.appended, "durable": health.durable, "unsynced_window_ms": health.unsynced_window_ms,
        },
        "store": usage.map(|u| json!({ "used_bytes": u.used_bytes, "quota_bytes": u.quota_bytes, "free_bytes": u.free_bytes })),
        "inspection": door.inspection.status(),
        "trust_roots": door.config.provenance.enabled.then(|| super::trust::roots(door)),
        "event_sinks": super::events::sinks(door),
        "repositories": door.repositories.values().map(|r| json!({
            "name": &*r.name, "ecosystem": r.ecosystem,
            "not_configured": (!r.not_configured.is_empty()).then_some(&r.not_configured),
            "private": r.private.as_slice(),
            "registries": (!r.registries.is_empty()).then_some(&r.registries),
            "upstreams": r.upstreams.iter().map(|u| json!({
                "name": u.name, "url": u.base.url.as_str(), "source": u.source, "private": u.private.as_slice(),
                "credentials": u.authorization.is_some(),
            })).collect::<Vec<_>>(),
        })).collect::<Vec<_>>(),
    })
}
