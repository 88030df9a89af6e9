//! What an audit request still says when it leaves.

use insta::assert_snapshot;

use super::*;
use crate::ApiCall;
use crate::ask::Absence;

fn redact(service: &'static str, body: &str) -> Result<String, String> {
    let call = ApiCall {
        service,
        package: None,
        version: None,
        file: None,
        query: Vec::new(),
        forwards_body: true,
        absence: Absence::Unavailable,
    };
    let is_private = |name: &PackageName| name.scope() == Some("@acme") || name.as_str() == "secret";
    Npm.redact_api_body(&call, body.as_bytes(), &is_private).map(|bytes| String::from_utf8(bytes).unwrap())
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
