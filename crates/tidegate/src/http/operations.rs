//! What operators ask: is it alive, is it ready, what did it count.

use http::{StatusCode, header};
use tidegate_ecosystems::Answer;
use tidegate_sys::disk::{Disk as _, RealDisk};

use super::respond::{HttpResponse, unrecorded};
use crate::door::Door;

/// `/healthz`: the process answers.
pub fn alive(head_only: bool) -> HttpResponse {
    unrecorded(Answer::new(StatusCode::OK, "text/plain; charset=utf-8", "alive\n"), head_only)
}

/// Why the door is not ready; empty where it is.
pub fn unready(door: &Door) -> Vec<String> {
    let mut reasons = Vec::new();
    let health = door.recorder.health();
    if !health.writable {
        reasons.push(format!("the ledger cannot record: {}", health.why.as_deref().unwrap_or("unknown")));
    }
    match door.store.blobs.usage() {
        Ok(usage) if usage.free_bytes < MIN_FREE_BYTES => {
            reasons.push(format!("the disk has {} MiB left", usage.free_bytes >> 20));
        }
        Ok(_) => {}
        Err(error) => reasons.push(format!("the store cannot be used: {error}")),
    }
    // Artifacts may lie on a disk of their own; the catalogue always lies in the data directory.
    match RealDisk.free_bytes(&door.data) {
        Ok(free) if free < MIN_FREE_BYTES => {
            reasons.push(format!("the catalogue's disk has {} MiB left", free >> 20));
        }
        Ok(_) => {}
        Err(error) => reasons.push(format!("the data directory cannot be used: {error}")),
    }
    if door.draining.load(std::sync::atomic::Ordering::Relaxed) {
        reasons.push("the door is stopping".into());
    }
    reasons
}

/// Below this many free bytes the door is not ready: 16 MiB.
const MIN_FREE_BYTES: u64 = 16 << 20;

/// `/readyz`: requests can be answered and recorded.
pub fn ready(door: &Door, head_only: bool) -> HttpResponse {
    let reasons = unready(door);
    let answer = if reasons.is_empty() {
        Answer::new(StatusCode::OK, "text/plain; charset=utf-8", "ready\n")
    } else {
        Answer::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "text/plain; charset=utf-8",
            format!("not ready: {}\n", reasons.join("; ")),
        )
    };
    unrecorded(answer.with_header(header::CACHE_CONTROL, "no-store"), head_only)
}

/// `/metrics`: OpenMetrics text.
pub fn metrics(door: &Door, head_only: bool) -> HttpResponse {
    door.metrics.entries.set(door.recorder.health().appended);
    unrecorded(
        Answer::new(
            StatusCode::OK,
            "application/openmetrics-text; version=1.0.0; charset=utf-8",
            door.metrics.render(),
        ),
        head_only,
    )
}
