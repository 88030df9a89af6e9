//! Documents that lie, repeat themselves or are too much.

use super::*;

fn refusal(body: impl Into<Vec<u8>>) -> String {
    match parse("x", body) {
        Ok(index) => panic!("read as {} files", index.files().len()),
        Err(e) => e.to_string(),
    }
}

#[test]
fn what_is_no_packument_is_refused() {
    for (body, expected) in [
        ("", "expected a value"),
        ("[]", "not a JSON object"),
        ("null", "not a JSON object"),
        ("<html>", "not a JSON object"),
        ("{}", "neither `name` nor `versions`"),
        (r#"{"error":"not found"}"#, "neither `name` nor `versions`"),
        (r#"{"name":"y","versions":{}}"#, "says it is about `y`"),
        (r#"{"name":"X","versions":{}}"#, "says it is about `X`"),
        (r#"{"name":7,"versions":{}}"#, "`name` is not a string"),
        (r#"{"name":"x","versions":[]}"#, "`versions` is not an object"),
        (r#"{"name":"x","versions":{},"time":[]}"#, "`time` is not an object"),
        (r#"{"name":"x","versions":{},"dist-tags":"1"}"#, "`dist-tags` is not an object"),
        (r#"{"name":"x","versions":{}"#, "expected `,` or `}`"),
        (r#"{"name":"x","versions":{}}x"#, "text after the document"),
        ("{\"name\":\"x\",\"versions\":{},\"a\":\"\n\"}", "control character"),
        (r#"{"name":"x","versions":{},"\ud800":1}"#, "unpaired surrogate"),
    ] {
        let found = refusal(body);
        assert!(found.contains(expected) || body.is_empty(), "{body}: {found}");
    }
    assert!(refusal(b"{\"name\":\"\xff\"}".to_vec()).contains("UTF-8"));
}

#[test]
fn members_that_repeat_are_refused() {
    for (body, key) in [
        (r#"{"name":"x","versions":{},"versions":{}}"#, "versions"),
        (r#"{"name":"x","versions":{},"v\u0065rsions":{}}"#, "versions"),
        (r#"{"name":"x","name":"x","versions":{}}"#, "name"),
        (r#"{"name":"x","time":{},"time":{},"versions":{}}"#, "time"),
        (r#"{"name":"x","dist-tags":{},"dist-tags":{},"versions":{}}"#, "dist-tags"),
        (r#"{"name":"x","versions":{"1.0.0":{},"1.0.0":{}}}"#, "1.0.0"),
        (r#"{"name":"x","versions":{"1.0.0":{},"1\u002e0.0":{}}}"#, "1.0.0"),
        (r#"{"name":"x","versions":{},"time":{"1.0.0":"a","1.0.0":"b"}}"#, "1.0.0"),
        (r#"{"name":"x","versions":{},"dist-tags":{"latest":"1","latest":"2"}}"#, "latest"),
        (r#"{"name":"x","policyRestrictions":{},"policyRestrictions":{}}"#, "policyRestrictions"),
        (r#"{"name":"x","policyRestrictions":{"versions":{},"versions":{}}}"#, "versions"),
    ] {
        let found = refusal(body);
        assert!(found.contains(&format!("`{key}` stands in it twice")), "{body}: {found}");
    }
}

#[test]
fn a_version_that_does_not_hold_together_is_left_out_everywhere() {
    let good = r#"{"version":"1.0.0","dist":{"tarball":"x-1.0.0.tgz"}}"#;
    for bad in [
        "null",
        "7",
        "\"text\"",
        "[]",
        "{}",
        r#"{"dist":null}"#,
        r#"{"dist":{}}"#,
        r#"{"dist":{"tarball":7}}"#,
        r#"{"dist":{"tarball":"ftp://files.example/x.tgz"}}"#,
        r#"{"dist":{"tarball":"file:///etc/passwd"}}"#,
        r#"{"dist":{"tarball":"data:,x"}}"#,
        r#"{"dist":{"tarball":"http://"}}"#,
        r#"{"version":"9.9.9","dist":{"tarball":"x.tgz"}}"#,
        r#"{"dist":{"tarball":"a.tgz"},"dist":{"tarball":"b.tgz"}}"#,
        r#"{"dist":{"tarball":"a.tgz"},"d\u0069st":{"tarball":"b.tgz"}}"#,
        r#"{"dist":{"tarball":"a.tgz","tarball":"b.tgz"}}"#,
        r#"{"dist":{"tarball":"a.tgz","integrity":"a","integrity":"b"}}"#,
        r#"{"dist":{"tarball":"a.tgz","attestations":{"url":"a","url":"b"}}}"#,
        r#"{"scripts":{"install":"x"},"scripts":{},"dist":{"tarball":"a.tgz"}}"#,
    ] {
        let body = format!(
            r#"{{"name":"x","dist-tags":{{"latest":"1.0.0","bad":"2.0.0"}},"versions":{{"1.0.0":{good},"2.0.0":{bad}}},"time":{{"1.0.0":"2026-01-01T00:00:00Z","2.0.0":"2026-01-02T00:00:00Z"}}}}"#
        );
        let index = parse("x", body).unwrap();
        assert_eq!(index.files().len(), 1, "{bad}");
        for form in ["npm-full", "npm-abbreviated", "npm-dist-tags"] {
            let shown = document(&*index, form, &verdicts(&*index, |_| false));
            assert!(shown.contains("1.0.0") && !shown.contains("2.0.0"), "{bad}: {shown}");
        }
        let one = rendered(&*index, "npm-version", Some("2.0.0"), &verdicts(&*index, |_| false));
        assert_eq!(one, Rendered::Absent("2.0.0".into()));
    }
}

#[test]
fn versions_that_would_need_escaping_are_left_out() {
    for version in
        ["", "../1.0.0", "1.0.0/x", "1.0.0%2f", "1.0.0?x", "1.0.0#x", "1.0.0\\\"", "1.0.0 ", "é1", "latest"]
    {
        let body = format!(r#"{{"name":"x","versions":{{"{version}":{{"dist":{{"tarball":"x.tgz"}}}}}}}}"#);
        assert!(parse("x", body).unwrap().files().is_empty(), "{version}");
    }
}

#[test]
fn versions_under_another_roof_are_not_passed_on() {
    let body = r#"{"name":"x","versions":{},"stagedVersions":{"versions":{"3.0.0":{"dist":{"tarball":"https://files.example/x.tgz"}}}}}"#;
    let index = parse("x", body).unwrap();
    assert_eq!(document(&*index, "npm-full", &[]), r#"{"name":"x","versions":{}}"#);
}

#[test]
fn depth_and_number_are_bounded() {
    let deep =
        format!(r#"{{"name":"x","versions":{{}},"a":{}1{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
    assert!(refusal(deep).contains("deeper than 128"));
    let deep =
        format!(r#"{{"name":"x","versions":{{"1.0.0":{}1{}}}}}"#, r#"{"a":"#.repeat(200), "}".repeat(200));
    assert!(refusal(deep).contains("deeper than 128"));
    let many: Vec<String> = (0..=200_000).map(|n| format!(r#""{n}":1"#)).collect();
    let many = format!(r#"{{"name":"x","versions":{{{}}}}}"#, many.join(","));
    assert!(refusal(many).contains("more than 200000 versions"));
}

#[test]
fn credentials_in_addresses_are_dropped() {
    let body = r#"{"name":"x","versions":{"1.0.0":{"dist":{"tarball":"https://ann:secret@files.example/x.tgz#f"}}}}"#;
    let index = parse("x", body).unwrap();
    assert_eq!(index.files()[0].location.as_str(), "https://files.example/x.tgz");
    assert!(!document(&*index, "npm-full", &verdicts(&*index, |_| false)).contains("secret"));
}
