use http::{HeaderMap, Method, StatusCode};
use serde_json::Value;
use tidegate_model::denial::DenialKind;
use tidegate_model::{Action, Denial, Principal};

use super::{links, request};
use crate::Protocol as _;
use crate::pypi::Pypi;

#[test]
fn clients_are_told_in_the_phrase_and_in_a_problem() {
    let denial = Denial {
        kind: DenialKind::Policy { action: Action::Quarantine, until: None },
        reason: "new-packages: foo 1.1 is 2 days old, needs 3".into(),
        detail: "newest allowed: 1.0".into(),
        decision: None,
        help: Some("http://127.0.0.1:8484/d/x".into()),
    };
    let answer = Pypi.deny(&denial, &request(&Method::GET, "files/foo/foo-1.1.zip", &HeaderMap::new()));
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert_eq!(answer.phrase.as_deref(), Some("new-packages: foo 1.1 is 2 days old, needs 3"));
    assert_eq!(answer.headers["content-type"], "application/problem+json");
    assert_eq!(answer.headers["cache-control"], "no-store");
    let body: Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(body["title"], "new-packages: foo 1.1 is 2 days old, needs 3");
    assert_eq!(body["detail"], "newest allowed: 1.0");
    assert_eq!(body["status"], 403);
}

#[test]
fn nothing_is_generated() {
    let answer = Pypi.generate("x", &links(), &Principal::anonymous(), false);
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
}
