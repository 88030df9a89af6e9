//! The policy in force: seen, read again, replaced.

use serde::Deserialize;
use serde_json::{Value, json};

use super::Handled;
use super::call::Call;
use super::problem::Problem;
use crate::door::{PolicySource, RulesError};
use crate::pipeline::decide::Ruleset;

pub(crate) fn show(call: &Call) -> Value {
    let rules = call.door.rules();
    let mut told = shown(&rules);
    told["rules"] = rules
        .policy
        .rules()
        .iter()
        .map(|r| {
            json!({ "id": r.id(), "action": r.action(), "mode": r.mode(), "waivable": waivable(r.waivable()) })
        })
        .collect();
    told["canonical"] = rules.policy.canonical().clone();
    told
}

const fn waivable(waivable: tidegate_policy::Waivable) -> &'static str {
    match waivable {
        tidegate_policy::Waivable::Yes => "yes",
        tidegate_policy::Waivable::Digest => "digest",
        tidegate_policy::Waivable::No => "no",
    }
}

fn shown(rules: &Ruleset) -> Value {
    json!({
        "id": rules.policy.id(), "version": rules.policy.version(), "source": rules.source,
        "digest": rules.policy.digest(), "enforces": rules.policy.enforces(),
        "approvers": rules.policy.approvers(), "max_waiver_days": rules.policy.max_waiver_days(),
        "epoch": rules.epoch,
    })
}

pub(crate) async fn reload(call: &Call) -> Handled {
    let actor = call.pseudonym().await?;
    call.blocking(move |door| door.reload_rules_for(actor).map(|r| shown(&r)).map_err(|e| problem(&e))).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// A pack that ships with the binary.
    pack: Option<String>,
    /// A file on the machine of the door.
    file: Option<std::path::PathBuf>,
}

/// Puts another policy in force until the door stops; what it starts with stands in its configuration.
pub(crate) async fn put_in_force(call: &Call) -> Handled {
    let source = match call.document::<Wanted>()? {
        Wanted { pack: Some(pack), file: None } => PolicySource::Pack(pack),
        Wanted { pack: None, file: Some(file) } if file.is_absolute() => PolicySource::File(file),
        Wanted { pack: None, file: Some(file) } => {
            return Err(Problem::bad(
                format!("`{}` is not an absolute path", file.display()),
                "the file is read on the machine of the door",
            ));
        }
        _ => return Err(Problem::bad("give either `pack` or `file`", "")),
    };
    let actor = Some(call.pseudonym().await?);
    call.blocking(move |door| {
        door.put_in_force_by(&source, actor).map(|r| shown(&r)).map_err(|e| problem(&e))
    })
    .await
}

/// A ruleset that cannot be put in force. The one before stays.
pub(crate) fn problem(error: &RulesError) -> Problem {
    match error {
        RulesError::Catalogue(error) => Problem::storage(error),
        other => {
            let text = other.to_string();
            let (title, detail) = text.split_once('\n').unwrap_or((&text, ""));
            Problem::bad(title, format!("{}\nthe policy in force was not changed", detail.trim()).trim())
        }
    }
}
