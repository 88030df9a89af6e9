//! Looks into the texts of a server with the detectors that look inside packages, once for the same text.

use std::io::Write as _;
use std::sync::Arc;

use serde_json::json;
use sha2::{Digest as _, Sha256 as Hasher};
use tidegate_inspect::Request;
use tidegate_inspect::inspection::INSPECTOR_VERSION;
use tidegate_inspect::mcp::canonical::canonical;
use tidegate_model::Sha256;
use tidegate_store::catalogue::StoredInspection;

use super::methods::Kind;
use super::pins::Offered;
use crate::door::Door;
use crate::inspection::Seen;

/// What was seen in the text of an entry; none where nobody can look now.
pub(super) async fn into(door: &Arc<Door>, offered: &Offered) -> Option<Seen> {
    if !door.config.inspection.enabled {
        return None;
    }
    let document = document(offered);
    let digest = Sha256::new(Hasher::digest(&document).into());
    let stored = door.catalogue(move |c| c.inspection(&digest)).await.ok().flatten();
    if let Some(stored) = stored.filter(|stored| stored.inspector == INSPECTOR_VERSION)
        && let Ok(seen) = serde_json::from_str(&stored.facts)
    {
        return Some(seen);
    }
    let size = document.len() as u64;
    let file = door.blocking(move || scratch(&document)).await.ok()?;
    let request = Request {
        name: format!("{}.json", offered.kind.member()),
        hash_key: door.inspection.hash_key(),
        ..Request::default()
    };
    let (seen, report) = match door.inspection.run(digest, file, size, &request).await {
        Ok(Ok(inspection)) => (Seen::of(&inspection), inspection),
        Ok(Err(why)) => (Seen::failed(why), tidegate_inspect::Inspection::default()),
        Err(error) => {
            tracing::warn!("the text of {} could not be looked into: {error}", offered.name.escape_debug());
            return None;
        }
    };
    let kept = StoredInspection {
        sha256: digest,
        inspector: INSPECTOR_VERSION,
        at: door.clock.now(),
        facts: serde_json::to_string(&seen).expect("facts are plain values"),
        report: serde_json::to_string(&report).expect("an inspection is plain values"),
    };
    if let Err(error) = door.catalogue(move |c| c.put_inspection(&kept, &[])).await {
        tracing::warn!("what was seen in the text of a server could not be kept: {error}");
    }
    Some(seen)
}

/// The entry as a list of tools of its own: what detectors say of it then is said of it alone.
fn document(offered: &Offered) -> Vec<u8> {
    let entry: serde_json::Value = serde_json::from_str(&offered.definition).unwrap_or_default();
    let mut list = json!({ "jsonrpc": "2.0", "tools": [entry] });
    if offered.kind == Kind::Instructions
        && let Some(text) = list["tools"][0].get("description").cloned()
    {
        list = json!({ "jsonrpc": "2.0", "tools": [], "instructions": text });
    }
    canonical(&list).into_bytes()
}

/// A file that workers take: one that can only be read, and has no name by the time they get it.
fn scratch(bytes: &[u8]) -> std::io::Result<std::fs::File> {
    let mut file = tempfile::NamedTempFile::new()?;
    file.write_all(bytes)?;
    std::fs::File::open(file.path())
}
