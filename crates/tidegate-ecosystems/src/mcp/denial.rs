//! How clients of the registry are told no: problem details, as the registry itself answers, with our sentence where each of
//! them looks for one.

use tidegate_model::Denial;

use crate::Answer;
use crate::answer::{denial_answer, problem_members};

const PROBLEM: &str = "application/problem+json";

pub(super) fn answer(denial: &Denial) -> Answer {
    let mut members = problem_members(denial);
    // Registries put the sentence into `detail`, older ones into `error`, editors show `message`.
    members.insert("detail".into(), denial.reason.clone().into());
    members.insert("error".into(), denial.reason.clone().into());
    members.insert("message".into(), denial.reason.clone().into());
    if !denial.detail.is_empty() {
        let lines: Vec<serde_json::Value> =
            denial.detail.lines().map(|line| serde_json::json!({ "message": line.trim() })).collect();
        members.insert("errors".into(), lines.into());
    }
    denial_answer(denial, PROBLEM, serde_json::Value::Object(members).to_string())
}
