//! Lists of what is approved by name: what they let in, what they do not, and what they say of it.

use serde_json::{Value, json as object};
use tidegate_testkit::HubFile;

use crate::advisories::entries;
use crate::effects::{admin, administrator};
use crate::models::{AT, FIRST, Hub, SECOND, bad_pickle, file, safetensors};
use crate::support::{Setup, TestDoor, json, sha256_of};

/// Models by name only, and nothing else that `strict` adds.
const BY_NAME: &str = r#"
extends = "baseline"
approvers = 1

[[rule]]
id = "by-name"
action = "quarantine"
message = "is on no list"
remediation = "Ask for it"
[rule.applies]
"artifact.kind" = "model"
[rule.when]
"approval.approved" = false
"#;

fn door(hub: &Hub) -> TestDoor {
    Setup::new(&hub.hub).policy(BY_NAME).open()
}

fn post(door: &TestDoor, token: &str, path: &str, body: &Value) -> (u16, Value) {
    let headers = [token, "Content-Type: application/json"];
    let response =
        door.send("POST", &format!("/api/v1/approvals{path}"), &headers, body.to_string().as_bytes());
    (response.status, json(&response))
}

fn list(door: &TestDoor, token: &str) -> Vec<Value> {
    let answer = door.ask("GET", "/api/v1/approvals?decide=true", &[token]);
    json(&answer)["approvals"].as_array().unwrap().clone()
}

fn purl(commit: &str) -> String {
    format!("pkg:huggingface/org/m@{commit}")
}

/// Proposes as one administrator and approves as another; gives the id.
pub(crate) fn approve(door: &TestDoor, (one, other): (&str, &str), body: &Value) -> String {
    let (status, told) = post(door, one, "", body);
    assert_eq!(
        (status, &told["state"], &told["missing_approvals"]),
        (201, &"requested".into(), &1.into()),
        "{told}"
    );
    let id = told["id"].as_str().unwrap().to_owned();
    let (status, told) = post(door, one, &format!("/{id}/approve"), &object!({}));
    assert_eq!(status, 403, "nobody approves what they proposed: {told}");
    let (status, told) = post(door, other, &format!("/{id}/approve"), &object!({}));
    assert_eq!((status, &told["state"]), (200, &"approved".into()), "{told}");
    id
}

#[test]
fn a_model_is_let_in_by_commit_until_its_approval_ends() {
    let hub = Hub::start();
    hub.commit(FIRST, vec![("x.safetensors", HubFile::large(safetensors(1, 9_000)))]);
    let door = door(&hub);
    let (ann, bob) = (admin(&door), administrator(&door, "bob"));
    let get = |commit: &str| door.get(&file(commit, "x.safetensors"));
    let refused = get("main");
    assert_eq!(refused.status, 403);
    assert!(refused.text().contains("is on no list"), "{}", refused.text());

    let days = object!({ "purl": purl(FIRST), "reason": "for the demo", "expires_in_seconds": 10 * 86_400 });
    let id = approve(&door, (&ann, &bob), &days);
    assert_eq!(get("main").status, 200);
    assert_eq!(get(FIRST).status, 200);
    assert_eq!(list(&door, &ann)[0]["decided"]["action"], "warn", "{:?}", list(&door, &ann));

    // Another commit is another matter.
    hub.commit(SECOND, vec![("x.safetensors", HubFile::large(safetensors(2, 9_000)))]);
    assert_eq!(get(SECOND).status, 403);
    assert_eq!(get(FIRST).status, 200);

    let door = door.restart();
    assert_eq!(door.get(&file(FIRST, "x.safetensors")).status, 200, "it is kept");
    door.clock().advance(10 * 86_400);
    assert_eq!(door.get(&file(FIRST, "x.safetensors")).status, 403, "it has ended");
    let ended = json(&door.ask("GET", "/api/v1/approvals?ended=true", &[&ann]));
    assert_eq!((&ended["approvals"][0]["id"], &ended["approvals"][0]["expired"]), (&id.into(), &true.into()));
    assert!(list(&door, &ann).is_empty());
}

#[test]
fn what_is_taken_off_the_list_is_refused_at_once() {
    let hub = Hub::start();
    hub.commit(FIRST, vec![("x.safetensors", HubFile::large(safetensors(1, 9_000)))]);
    let door = door(&hub);
    let (ann, bob) = (admin(&door), administrator(&door, "bob"));
    let id = approve(&door, (&ann, &bob), &object!({ "purl": purl(FIRST), "reason": "for the demo" }));
    assert_eq!(door.get(&file(FIRST, "x.safetensors")).status, 200);
    assert_eq!(post(&door, &ann, &format!("/{id}/revoke"), &object!({ "note": "enough" })).0, 200);
    assert_eq!(door.get(&file(FIRST, "x.safetensors")).status, 403);
    assert_eq!(post(&door, &ann, &format!("/{id}/revoke"), &object!({})).0, 409);
    assert_eq!(entries(&door, "approval").len(), 3, "proposed, approved, taken back");
}

#[test]
fn what_is_approved_is_looked_into_all_the_same() {
    let hub = Hub::start();
    hub.commit(FIRST, vec![("config.json", HubFile::small("{}")), ("x.pkl", HubFile::large(bad_pickle(10)))]);
    let door = door(&hub);
    let (ann, bob) = (admin(&door), administrator(&door, "bob"));
    approve(&door, (&ann, &bob), &object!({ "purl": purl(FIRST), "reason": "somebody trusts it" }));
    for path in ["config.json", "x.pkl"] {
        let refused = door.get(&file("main", path));
        assert_eq!(refused.status, 403, "{path}");
        assert!(
            refused.text().contains("blocked by") && !refused.text().contains("no list"),
            "{}",
            refused.text()
        );
    }
    let listed = list(&door, &ann);
    assert_eq!(listed[0]["decided"]["action"], "block", "the list says so: {listed:?}");
}

#[test]
fn an_approval_of_bytes_covers_those_and_no_others() {
    let hub = Hub::start();
    let (these, others) = (safetensors(1, 9_000), safetensors(2, 9_000));
    let files =
        vec![("a.safetensors", HubFile::large(these.clone())), ("b.safetensors", HubFile::large(others))];
    hub.commit(FIRST, files);
    let door = door(&hub);
    let (ann, bob) = (admin(&door), administrator(&door, "bob"));
    let bytes = object!({
        "purl": "pkg:huggingface/org/m", "digest": format!("sha256:{}", sha256_of(&these)), "reason": "weights",
    });
    approve(&door, (&ann, &bob), &bytes);
    assert_eq!(door.get(&file("main", "a.safetensors")).status, 200);
    assert_eq!(door.get(&file("main", "b.safetensors")).status, 403);
}

#[test]
fn an_approval_says_of_what_why_and_until_when() {
    let hub = Hub::start();
    hub.hub.catalog().commit("org/m", "main", (FIRST, AT), [("a", HubFile::small("a"))]);
    let door = door(&hub);
    let ann = admin(&door);
    for (body, why) in [
        (object!({ "purl": "pkg:huggingface/org/m", "reason": "all of it" }), "one version"),
        (object!({ "purl": purl(FIRST), "reason": " " }), "needs a reason"),
        (
            object!({ "purl": purl(FIRST), "reason": "x", "expires_in_seconds": 400 * 86_400 }),
            "ends after now",
        ),
        (object!({ "purl": "nonsense", "reason": "x" }), "nonsense"),
    ] {
        let (status, told) = post(&door, &ann, "", &body);
        assert_eq!(status, 400, "{told}");
        assert!(told["title"].as_str().unwrap().contains(why), "{told}");
    }
    let anonymous = door.send("POST", "/api/v1/approvals", &[], b"{}");
    assert!(anonymous.status == 401 || anonymous.status == 403, "{}", anonymous.status);
    let import = |document: &Value| post(&door, &ann, "/import", document);
    let whole = object!({
        "id": "A-KEPT", "purl": purl(FIRST), "requested_by": "ann", "approved_by": ["bob"], "state": "approved",
        "created_at": null, "expires_at": "2099-01-01T00:00:00Z", "reason": "from elsewhere",
    });
    let mut endless = whole.clone();
    endless["expires_at"] = Value::Null;
    assert_eq!(import(&object!({ "approvals": [whole, endless] })).0, 400);
    assert!(list(&door, &ann).is_empty(), "all or nothing");
    assert_eq!(import(&object!({ "approvals": [whole] })).1["added"][0], "A-KEPT");
    assert_eq!(import(&object!({ "approvals": [whole] })).1["known"][0], "A-KEPT");
    assert_eq!(door.get(&file("main", "a")).status, 200);
}
