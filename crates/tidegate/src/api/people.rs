//! People: who is known by name, and forgetting.

use serde_json::json;
use tidegate_ledger::Body;
use tidegate_ledger::entry::{PersonChange, PersonOperation};

use super::Handled;
use super::call::{Call, append};
use super::decisions;
use super::problem::Problem;
use super::tokens::forget_identities;

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

/// Deletes name, key, salts and tokens. Entries keep a pseudonym that speaks of nobody.
pub(crate) async fn forget(call: &Call) -> Handled {
    let name = call.required("name")?.to_owned();
    let wanted = name.clone();
    let forgotten = call.door.catalogue(move |c| c.forget_person(&wanted)).await?.ok_or_else(|| {
        Problem::not_found(
            format!("nobody is known as `{}`", name.escape_debug()),
            "names are spelt as `tidegate token list` and `tidegate who` show them",
        )
    })?;
    forget_identities(&call.door);
    let actor = call.pseudonym().await?;
    let change = PersonChange { operation: PersonOperation::Forget, person: forgotten.pseudonym, actor };
    append(call, Body::Person(change)).await?;
    Ok(json!({
        "name": name, "pseudonym": forgotten.pseudonym.to_string(),
        "deleted": { "values": forgotten.contexts, "tokens": forgotten.tokens },
    }))
}
