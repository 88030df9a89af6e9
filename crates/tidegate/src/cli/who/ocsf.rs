//! Accesses as events of the Open Cybersecurity Schema Framework: class File Hosting Activity, as a file that somebody had from a
//! service. `docs/reference/ocsf.md` has the table of attributes.

use serde_json::{Value, json};
use tidegate_model::Timestamp;

use crate::cli::show::text;

/// The version of the schema.
const VERSION: &str = "1.3.0";
/// File Hosting Activity, in the category Application Activity.
const CLASS: u64 = 6006;
const CATEGORY: u64 = 6;
/// Informational.
const SEVERITY: u64 = 1;

/// One access as an event.
pub(super) fn event(access: &Value) -> Value {
    // What carries no file is not in the class's list of activities.
    let (activity, activity_name) = match (text(access, "method"), text(access, "operation")) {
        ("GET", "artifact") => (2, "Download".to_owned()),
        (_, operation) => (99, operation.to_owned()),
    };
    let status = access["status"].as_u64().unwrap_or(0);
    let succeeded = (200..400).contains(&status);
    let time = text(access, "at").parse::<Timestamp>().map_or(0, Timestamp::unix_millis);
    let action = if succeeded { (1, "Allowed") } else { (2, "Denied") };
    json!({
        "activity_id": activity, "activity_name": activity_name,
        "category_uid": CATEGORY, "category_name": "Application Activity",
        "class_uid": CLASS, "class_name": "File Hosting Activity",
        "type_uid": CLASS * 100 + activity, "type_name": format!("File Hosting Activity: {activity_name}"),
        "time": time, "severity_id": SEVERITY, "severity": "Informational",
        "status_id": if succeeded { 1 } else { 2 }, "status": if succeeded { "Success" } else { "Failure" },
        "status_code": status.to_string(),
        "action_id": action.0, "action": action.1,
        "metadata": {
            "version": VERSION, "uid": access["record"], "log_name": "ledger", "profiles": ["security_control"],
            "product": { "name": "tidegate", "vendor_name": "tidegate", "version": env!("CARGO_PKG_VERSION") },
        },
        "actor": { "user": user(access) },
        "src_endpoint": endpoint(access),
        "file": file(access),
        "unmapped": {
            "purl": access["purl"], "repository": access["repository"], "method": access["method"],
            "operation": access["operation"], "decision": access["decision"], "decided": access["action"],
            "enforced": access["enforced"], "cache": access["cache"], "credential": access["credential"],
            "client": access["client"], "path": access["path"], "proof": access["proof"],
        },
    })
}

/// Named where the person is known, and always the same to those who count.
fn user(access: &Value) -> Value {
    let (type_id, kind) = match text(access, "kind") {
        "human" => (1, "User"),
        "ci" => (3, "System"),
        "agent" => (99, "Agent"),
        _ => (0, "Unknown"),
    };
    let mut user = json!({ "uid": access["pseudonym"], "type_id": type_id, "type": kind });
    if access["person"].is_string() {
        user["name"] = access["person"].clone();
    }
    user
}

/// An endpoint says at least one thing of itself.
fn endpoint(access: &Value) -> Value {
    let mut endpoint = json!({});
    for (key, from) in [("ip", "address"), ("hostname", "host")] {
        if access[from].is_string() {
            endpoint[key] = access[from].clone();
        }
    }
    if endpoint.as_object().is_some_and(serde_json::Map::is_empty) {
        endpoint["name"] = "forgotten".into();
    }
    endpoint
}

fn file(access: &Value) -> Value {
    // An index has no file name of its own.
    let name = if access["file"].is_string() { &access["file"] } else { &access["purl"] };
    let mut file = json!({ "name": name, "type_id": 1, "type": "Regular File", "size": access["bytes"] });
    if let Some(digest) = access["sha256"].as_str() {
        file["hashes"] = json!([{ "algorithm_id": 3, "algorithm": "SHA-256", "value": digest }]);
    }
    file
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the schema demands of the class, of its base and of the objects in it.
    const REQUIRED: [&str; 17] = [
        "/activity_id",
        "/category_uid",
        "/class_uid",
        "/type_uid",
        "/time",
        "/severity_id",
        "/metadata/version",
        "/metadata/product/name",
        "/metadata/product/vendor_name",
        "/actor/user/uid",
        "/actor/user/type_id",
        "/src_endpoint",
        "/file/name",
        "/file/type_id",
        "/action_id",
        "/status_id",
        "/unmapped/purl",
    ];

    fn access() -> Value {
        json!({
            "record": "n1-7", "at": "2026-11-21T10:00:00Z", "purl": "pkg:npm/x@1.0.0", "file": "x-1.0.0.tgz",
            "sha256": "00ff", "person": "ann", "pseudonym": "aa", "kind": "human", "host": "laptop",
            "address": "192.0.2.1", "client": "npm/11", "repository": "npm", "method": "GET",
            "operation": "artifact", "status": 200, "bytes": 5, "action": "allow", "enforced": true,
        })
    }

    #[test]
    fn every_required_attribute_is_there() {
        let forgotten = json!({ "person": null, "host": null, "address": null });
        let index = json!({ "file": null, "sha256": null, "operation": "index", "kind": "anonymous" });
        let refused = json!({ "status": 403, "action": "block" });
        for change in [json!({}), forgotten, index, refused] {
            let mut access = access();
            for (key, value) in change.as_object().unwrap() {
                access[key] = value.clone();
            }
            let event = event(&access);
            for pointer in REQUIRED {
                assert!(event.pointer(pointer).is_some_and(|value| !value.is_null()), "{pointer}: {event}");
            }
            assert!(!event["src_endpoint"].as_object().unwrap().is_empty(), "{event}");
            let [class, activity] = ["class_uid", "activity_id"].map(|key| event[key].as_u64().unwrap());
            assert_eq!(event["type_uid"].as_u64(), Some(class * 100 + activity));
        }
    }

    #[test]
    fn a_download_names_who_what_and_where() {
        let event = event(&access());
        assert_eq!((&event["activity_id"], &event["time"]), (&2.into(), &1_795_255_200_000_i64.into()));
        assert_eq!(event["src_endpoint"], json!({ "ip": "192.0.2.1", "hostname": "laptop" }));
        assert_eq!(event["file"]["hashes"][0]["value"], "00ff");
        assert_eq!(
            (&event["actor"]["user"]["name"], &event["metadata"]["uid"]),
            (&"ann".into(), &"n1-7".into())
        );
        let refused = super::event(&json!({ "status": 403, "method": "GET", "operation": "artifact" }));
        assert_eq!((&refused["status_id"], &refused["action_id"]), (&2.into(), &2.into()));
    }
}
