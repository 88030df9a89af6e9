//! People: who is known by name, and forgetting.

use serde_json::json;
use tidegate_ledger::Body;
use tidegate_ledger::entry::{PersonChange, PersonOperation};

use super::Handled;
use super::call::{Call, append};
use super::decisions;
use super::problem::Problem;

pub(crate) async fn list(call: &Call) -> Handled {
    let people = call.door.catalogue(|c| c.people()).await?;
    let (people, next) = decisions::seek(call, people, |person| &person.principal)?;
    let shown = |p: &tidegate_store::catalogue::Person| {
        json!({
            "name": p.principal, "kind": p.kind, "pseudonym": p.pseudonym.to_string(), "known_since": p.created_at,
        })
    };
    Ok(json!({ "people": people.iter().map(shown).collect::<Vec<_>>(), "next": next }))
}

/// Deletes whatever names a person. Entries keep a pseudonym that speaks of nobody.
pub(crate) async fn forget(call: &Call) -> Handled {
    let name = call.required("name")?.to_owned();
    // Who asks is known beforehand: afterwards one who forgets oneself would be somebody new, by the same name.
    let actor = call.pseudonym().await?;
    let wanted = name.clone();
    let erased = call.blocking(move |door| door.forget(&wanted).map_err(Problem::failed)).await?;
    let erased = erased.ok_or_else(|| {
        Problem::not_found(
            format!("nobody is known as `{}`", name.escape_debug()),
            "names are spelt as `tidegate token list` and `tidegate who` show them",
        )
    })?;
    let forgotten = erased.forgotten;
    let change = PersonChange { operation: PersonOperation::Forget, person: forgotten.pseudonym, actor };
    append(call, Body::Person(change)).await?;
    Ok(json!({
        "name": name, "pseudonym": forgotten.pseudonym.to_string(), "stand_in": forgotten.stand_in(),
        "deleted": {
            "values": forgotten.contexts, "tokens": forgotten.tokens, "mentions": forgotten.mentions,
        },
        "still_named_in": erased.still_named_in,
    }))
}
