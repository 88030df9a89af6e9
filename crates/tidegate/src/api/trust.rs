//! Trust roots: which are in force, how old they are, getting newer ones, carrying them to a site without a network.

use std::path::PathBuf;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};
use tidegate_model::Digest;
use tidegate_provenance::{Instance, Root};

use super::Handled;
use super::call::Call;
use super::intel::on_this_machine;
use super::problem::Problem;
use crate::door::Door;
use crate::provenance::updates;

/// What is believed, and where newer roots come from.
pub(super) fn status(call: &Call) -> Value {
    let (config, attempts) = (&call.door.config.provenance, call.door.updates.attempts());
    let followed = call.door.updates.followed().iter().map(|each| {
        json!({
            "instance": each.instance, "repository": each.host.base.url.as_str(), "source": each.host.source,
            "attempt": attempts.get(&each.instance),
        })
    });
    json!({
        "enabled": config.enabled, "refresh": config.refresh, "roots": roots(&call.door),
        "followed": followed.collect::<Vec<_>>(),
    })
}

/// The roots in force.
pub(super) fn roots(door: &Door) -> Vec<Value> {
    door.trusted.roots().iter().map(|root| told(door, root)).collect()
}

fn told(door: &Door, root: &Arc<Root>) -> Value {
    let now = door.clock.now();
    json!({
        "instance": root.instance(), "origin": root.origin(), "version": root.version(), "as_of": root.as_of(),
        "age_days": root.age_days(now), "stale": root.is_stale(now),
        "digest": Digest::from(root.digest()),
    })
}

/// Looks at every repository now.
pub(super) async fn refresh(call: &Call) -> Handled {
    let outcomes = updates::refresh_all(&call.door).await;
    Ok(json!({ "instances": outcomes, "roots": roots(&call.door) }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Carried {
    path: PathBuf,
    instance: Option<Instance>,
}

/// Brings in a root from a file or folder on the door's machine.
pub(super) async fn import(call: &Call) -> Handled {
    on_this_machine(call, "trust", "import")?;
    let Carried { path, instance } = call.document()?;
    let (actor, door) = (call.pseudonym().await?, Arc::clone(&call.door));
    let instance = instance.unwrap_or_default();
    let imported = call.door.blocking(move || updates::import(&door, &path, &instance, actor)).await;
    let root = imported.map_err(|why| Problem::bad(why, "the root in force stays"))?;
    Ok(told(&call.door, &root))
}

/// Writes what is behind a root in force to a file on the door's machine.
pub(super) async fn export(call: &Call) -> Handled {
    on_this_machine(call, "trust", "export")?;
    let Carried { path, instance } = call.document()?;
    let (door, told) = (Arc::clone(&call.door), path.clone());
    let instance = instance.unwrap_or_default();
    let written = json!({ "path": told, "instance": instance });
    let exported = call.door.blocking(move || updates::export(&door, &path, &instance)).await;
    exported.map_err(|why| Problem::bad(why, "no file was written"))?;
    Ok(written)
}
