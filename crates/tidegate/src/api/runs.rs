//! `GET /runs/{token}`: what one run was answered since its token was made.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tidegate_model::Action;

use super::call::Call;
use super::problem::Problem;
use super::subject::{self, Asker, Subject};
use super::{Handled, checks};
use crate::door::RunFile;

pub(crate) async fn summary(call: &Call, token_id: &str) -> Handled {
    if !call.actor.admin && call.actor.token_id.as_deref() != Some(token_id) {
        return Err(Problem::forbidden(
            "a run is told to whoever holds its token, and to administrators",
            "",
        ));
    }
    let tally = call.door.runs.tally(token_id);
    // A token that ended still has its tally.
    let asker = checks::asker(call, Some(token_id)).await.unwrap_or_else(|_| Asker::from(&call.actor));
    let mut lists = Lists::default();
    let mut subjects: BTreeMap<String, Option<Subject>> = BTreeMap::new();
    for file in &tally.files {
        let decision = &file.decision.decision;
        let Ok(purl) = tidegate_model::coordinate::PackageRef::parse(&file.purl) else { continue };
        let key = format!("{}\n{}", file.repository, purl.name);
        if !subjects.contains_key(&key) {
            let loaded = match call.door.repositories.get(&*file.repository) {
                Some(repository) => subject::load(&call.door, repository, &purl.name, &asker).await.ok(),
                None => None,
            };
            subjects.insert(key.clone(), loaded);
        }
        let subject = subjects.get(&key).and_then(Option::as_ref);
        if decision.serves() {
            lists.admitted.push(line(file, subject));
            if decision.action == Action::Warn {
                lists.warned.push(line(file, subject));
            }
            if let (Some(subject), Some(version)) = (subject, &purl.version)
                && let Some(above) = subject.withheld_above(version)
                && lists.steered_seen.insert(file.purl.to_string())
            {
                let mut steered = line(file, Some(subject));
                steered["instead_of"] = subject.withheld_json(above);
                lists.steered.push(steered);
            }
        } else if decision.action == Action::Quarantine {
            lists.held.push(line(file, subject));
        } else {
            lists.refused.push(line(file, subject));
        }
    }
    Ok(lists.finish(token_id, tally.omitted))
}

#[derive(Default)]
struct Lists {
    admitted: Vec<Value>,
    warned: Vec<Value>,
    steered: Vec<Value>,
    steered_seen: std::collections::BTreeSet<String>,
    held: Vec<Value>,
    refused: Vec<Value>,
}

impl Lists {
    fn finish(self, token_id: &str, omitted: u64) -> Value {
        json!({
            "run": token_id,
            "counts": {
                "admitted": self.admitted.len(), "warned": self.warned.len(), "steered": self.steered.len(),
                "held": self.held.len(), "refused": self.refused.len(), "omitted": omitted,
            },
            "admitted": self.admitted, "warned": self.warned, "steered": self.steered,
            "held": self.held, "refused": self.refused,
        })
    }
}

fn line(file: &RunFile, subject: Option<&Subject>) -> Value {
    let decision = &file.decision.decision;
    let leading = decision.leading_reason();
    json!({
        "purl": &*file.purl, "file": &*file.file, "repository": &*file.repository,
        "action": decision.action, "rule": leading.map(|r| &r.rule), "message": leading.map(|r| &r.message),
        "remediation": leading.and_then(|r| r.remediation.as_ref()),
        "selectable_from": decision.selectable_from, "decision": file.decision.id, "decided_at": file.decision.at,
        "newest_compliant": subject.and_then(Subject::newest_compliant),
    })
}
