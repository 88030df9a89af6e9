//! What an audit request still says when it leaves.

use insta::assert_snapshot;
use serde_json::{Value, json};
use tidegate_model::facts::Severity;

use super::*;
use crate::ApiCall;
use crate::advice::{Advice, Affected, End};
use crate::ask::Absence;

fn call(service: &'static str) -> ApiCall {
    ApiCall {
        service,
        package: None,
        version: None,
        file: None,
        query: Vec::new(),
        forwards_body: true,
        absence: Absence::Unavailable,
    }
}

fn redact(service: &'static str, body: &str) -> Result<String, String> {
    let is_private = |name: &PackageName| name.scope() == Some("@acme") || name.as_str() == "secret";
    Npm.redact_api_body(&call(service), body.as_bytes(), &is_private)
        .map(|bytes| String::from_utf8(bytes).unwrap())
}

#[test]
fn private_names_leave_no_bulk_request() {
    let body =
        r#"{"left-pad":["1.0.0","1.1.0"],"@acme/left":["1.0.0"],"secret":["2.0.0"],"@other/x":["1.0.0"]}"#;
    assert_snapshot!(redact("advisories-bulk", body).unwrap(), @r#"{"left-pad":["1.0.0","1.1.0"],"@other/x":["1.0.0"]}"#);
    assert_eq!(redact("advisories-bulk", "{}").unwrap(), "{}");
}

#[test]
fn private_names_leave_no_audit_tree() {
    let body = r#"{
        "name": "@acme/app", "version": "3.2.1", "install": ["@acme/left@1"], "remove": [],
        "metadata": {"npm_version": "6.14.0", "node_version": "v14", "platform": "linux", "hostname": "build.acme.example"},
        "requires": {"left-pad": "^1.0.0", "@acme/left": "1", "alias": "npm:@acme/left@1", "g": "git+ssh://git.acme.example/g"},
        "dependencies": {
            "left-pad": {"version": "1.0.0", "integrity": "sha512-x", "resolved": "https://acme.example/l.tgz",
                "dependencies": {"secret": {"version": "1.0.0", "requires": {"secret": "1", "b": "2"}}}},
            "@acme/left": {"version": "9.9.9", "integrity": "sha512-private", "dev": true, "requires": {"c": "~1"},
                "dependencies": {"c": {"version": "1.0.1"}}},
            "alias": {"version": "npm:@acme/left@1.0.0", "integrity": "sha512-private"},
            "g": {"version": "git+ssh://git.acme.example/g#1", "from": "g@git+ssh://git.acme.example/g"}
        }
    }"#;
    let redacted = redact("audits", body).unwrap();
    assert_eq!(redact("audits-quick", body).unwrap(), redacted);
    for gone in ["acme", "secret", "private"] {
        assert!(!redacted.contains(gone), "{gone}: {redacted}");
    }
    assert_snapshot!(redacted, @r#"{"name":"project","version":"0.0.0","requires":{"left-pad":"^1.0.0","alias":"*","g":"*"},"dependencies":{"left-pad":{"version":"1.0.0","integrity":"sha512-x","dependencies":{"redacted-by-tidegate-1":{"version":"0.0.0","requires":{"b":"2"}}}},"redacted-by-tidegate-2":{"version":"0.0.0","dev":true,"requires":{"c":"~1"},"dependencies":{"c":{"version":"1.0.1"}}},"alias":{},"g":{}},"install":[],"remove":[],"metadata":{"npm_version":"6.14.0","node_version":"v14","platform":"linux"}}"#);
    // pnpm lists the importers of a workspace as dependencies.
    let body = r#"{"dependencies":{".":{"version":"0.0.0","requires":{"b":"1.0.0"},"dependencies":{"b":{"version":"1.0.0"}}}}}"#;
    let redacted = redact("audits", body).unwrap();
    assert!(redacted.contains(r#""dependencies":{".":{"version":"0.0.0""#), "{redacted}");
}

#[test]
fn what_cannot_be_judged_is_refused() {
    for (service, body, expected) in [
        ("advisories-bulk", "", "expected a JSON object"),
        ("advisories-bulk", "[]", "expected a JSON object"),
        ("advisories-bulk", r#"{"../x":["1.0.0"]}"#, "not a valid npm package name"),
        ("advisories-bulk", r#"{"x":"1.0.0"}"#, "expected a list of versions"),
        ("advisories-bulk", r#"{"x":[1]}"#, "expected a list of versions"),
        ("advisories-bulk", r#"{"x":["git+ssh://git.acme.example"]}"#, "expected a list of versions"),
        ("audits", "{}", "expected `requires` and `dependencies`"),
        ("audits", r#"{"dependencies":[]}"#, "`dependencies`: expected an object"),
        ("audits", r#"{"dependencies":{"x":"1.0.0"}}"#, "dependency `x`: expected an object"),
        ("audits", r#"{"dependencies":{"a b":{}}}"#, "not a valid npm package name"),
        ("audits-quick", r#"{"requires":{"a b":"1"}}"#, "not a valid npm package name"),
        ("keys", "{}", "`keys` takes no body"),
    ] {
        let found = redact(service, body).unwrap_err();
        assert!(found.contains(expected), "{service} {body}: {found}");
    }
    let deep = format!("{}1{}", r#"{"dependencies":{"a":"#.repeat(5000), "}}".repeat(5000));
    assert!(redact("audits", &deep).is_err());
}

/// `bad` is touched below 2.0.0, `evil` in every version.
fn known(package: &PackageName, version: &str) -> Result<Vec<Advice>, String> {
    let below_two = Affected::Range { from: Some("1.0.0".into()), to: Some(End::Before("2.0.0".into())) };
    match package.as_str() {
        "bad" if version.starts_with("1.") => Ok(vec![Advice {
            id: "CVE-2026-0001".into(),
            ids: vec!["CVE-2026-0001".into(), "GHSA-aaaa-bbbb-cccc".into()],
            url: "http://door.test/advisories/CVE-2026-0001".into(),
            summary: "reads any file".into(),
            severity: Some(Severity::Medium),
            cvss: Some((5.3, "CVSS:3.1/AV:N".into())),
            weaknesses: vec!["CWE-22".into()],
            affected: vec![Affected::Version("0.9.0".into()), below_two],
            fixed_in: vec!["2.0.0".into()],
            ..Advice::default()
        }]),
        "evil" => Ok(vec![Advice {
            id: "MAL-2026-1".into(),
            ids: vec!["MAL-2026-1".into()],
            affected: vec![Affected::Range { from: None, to: None }],
            malicious: true,
            ..Advice::default()
        }]),
        "unknown" => Err("no feed is loaded".into()),
        _ => Ok(Vec::new()),
    }
}

fn advised(service: &'static str, body: &str) -> Result<Value, String> {
    let answer = Npm.advise(&call(service), body.as_bytes(), &known).expect("audits are answered")?;
    assert_eq!(answer.status, 200);
    Ok(serde_json::from_slice(&answer.body).unwrap())
}

#[test]
fn bulk_audits_are_told_what_is_known() {
    let answer =
        advised("advisories-bulk", r#"{"bad":["1.0.0","1.1.0","3.0.0"],"fine":["1.0.0"],"evil":["7.0.0"]}"#);
    let answer = answer.unwrap();
    assert_eq!(answer.as_object().unwrap().keys().collect::<Vec<_>>(), ["bad", "evil"]);
    assert_eq!(
        answer["bad"],
        json!([{
            "id": Advice { id: "CVE-2026-0001".into(), ..Advice::default() }.number(),
            "url": "http://door.test/advisories/CVE-2026-0001",
            "title": "CVE-2026-0001: reads any file",
            "severity": "moderate",
            "vulnerable_versions": "=0.9.0 || >=1.0.0 <2.0.0",
            "cwe": ["CWE-22"],
            "cvss": { "score": 5.3, "vectorString": "CVSS:3.1/AV:N" },
        }])
    );
    assert_eq!(
        (&answer["evil"][0]["severity"], &answer["evil"][0]["vulnerable_versions"]),
        (&json!("critical"), &json!("*"))
    );
    assert_eq!(advised("advisories-bulk", r#"{"fine":["1.0.0"]}"#).unwrap(), json!({}));
}

#[test]
fn tree_audits_say_where_each_version_stands() {
    let body = r#"{"name":"app","version":"1.0.0","requires":{},"dependencies":{
        "bad":{"version":"1.0.0"},
        "fine":{"version":"1.0.0","dependencies":{"bad":{"version":"1.5.0"},"x":{"version":"npm:evil@7.0.0"}}},
        "local":{"version":"file:../local"}}}"#;
    let answer = advised("audits", body).unwrap();
    assert_eq!(
        answer["metadata"]["vulnerabilities"],
        json!({"critical":1,"high":0,"info":0,"low":0,"moderate":2})
    );
    let advisories: Vec<&Value> = answer["advisories"].as_object().unwrap().values().collect();
    let bad = advisories.iter().find(|a| a["module_name"] == "bad").unwrap();
    assert_eq!(
        bad["findings"],
        json!([{"version":"1.0.0","paths":["bad"]},{"version":"1.5.0","paths":["fine>bad"]}])
    );
    assert_eq!(
        (&bad["patched_versions"], &bad["github_advisory_id"]),
        (&json!(">=2.0.0"), &json!("GHSA-aaaa-bbbb-cccc"))
    );
    let evil = advisories.iter().find(|a| a["module_name"] == "evil").unwrap();
    assert_eq!(evil["findings"], json!([{"version":"7.0.0","paths":["fine>x"]}]));
    assert_eq!(advised("audits-quick", body).unwrap(), answer);
}

#[test]
fn an_audit_that_cannot_be_answered_is_no_clean_one() {
    assert_eq!(
        advised("advisories-bulk", r#"{"fine":["1.0.0"],"unknown":["1.0.0"]}"#).unwrap_err(),
        "no feed is loaded"
    );
    let tree = r#"{"dependencies":{"unknown":{"version":"1.0.0"}}}"#;
    assert_eq!(advised("audits", tree).unwrap_err(), "no feed is loaded");
    assert!(advised("audits", r#"{"requires":{}}"#).unwrap_err().contains("`dependencies`"));
    assert!(advised("advisories-bulk", r#"{"fine":"1.0.0"}"#).unwrap_err().contains("list of versions"));
    let deep = format!("{}{}", r#"{"dependencies":{"a":"#.repeat(200), "}}".repeat(200));
    assert!(advised("audits", &deep).is_err());
}
