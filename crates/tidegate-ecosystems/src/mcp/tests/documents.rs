use super::*;

#[test]
fn pages_come_to_one_document_in_one_order() {
    let a = entry("b.test/x", "1.0.0", &json!([]), &json!([]));
    let b = entry("a.test/x", "2.0.0", &json!([]), &json!([]));
    let c = entry("a.test/x", "10.0.0", &json!([]), &json!([]));
    let one = Mcp.merge(None, &[page(&[a.clone(), b.clone()]), page(std::slice::from_ref(&c))]).unwrap();
    let other = Mcp.merge(None, &[page(&[c, a]), page(&[b])]).unwrap();
    assert_eq!(one, other);
    assert_eq!(one.newest.unwrap().to_string(), "2025-09-17T10:00:00Z");
    let split = Mcp.split(&one.document).unwrap();
    let names: Vec<&str> = split.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["a.test/x", "b.test/x"]);
    // What was brought into the normal form stays as it is.
    assert_eq!(Mcp.merge(Some(&one.document), &[]).unwrap().document, one.document);
}

#[test]
fn what_changed_takes_the_place_of_what_was() {
    let old = Mcp.merge(None, &[page(&[entry(NAME, "1.0.0", &json!([]), &json!([]))])]).unwrap();
    let mut now = entry(NAME, "1.0.0", &json!([]), &json!([]));
    now["_meta"]["io.modelcontextprotocol.registry/official"]["status"] = "deleted".into();
    let next = entry(NAME, "1.1.0", &json!([]), &json!([]));
    let merged = Mcp.merge(Some(&old.document), &[page(&[now, next])]).unwrap();
    let text = String::from_utf8(merged.document.to_vec()).unwrap();
    assert_eq!((text.lines().count(), text.matches("deleted").count()), (4, 1), "{text}");
}

#[test]
fn what_is_no_entry_is_left_out_and_counted() {
    let good = entry(NAME, "1.0.0", &json!([]), &json!([]));
    let bad = [
        json!(7),
        json!({ "server": { "name": "nobody", "version": "1" } }),
        json!({ "server": { "name": NAME } }),
        entry(NAME, "1/../2", &json!([]), &json!([])),
        entry(NAME, "1%2e0", &json!([]), &json!([])),
        entry(NAME, "", &json!([]), &json!([])),
        entry(NAME, "2.0.0", &json!(["x".repeat(300 << 10)]), &json!([])),
    ];
    let mut all = bad.to_vec();
    all.push(good);
    let merged = Mcp.merge(None, &[page(&all)]).unwrap();
    assert_eq!(merged.skipped, bad.len());
    assert_eq!(Mcp.split(&merged.document).unwrap().len(), 1);
    for broken in ["", "[]", "{\"servers\":7}", "{}", "{\"servers\":[", "\u{0}"] {
        assert!(Mcp.merge(None, &[Bytes::copy_from_slice(broken.as_bytes())]).is_err(), "{broken}");
        assert!(Mcp.next_page(broken.as_bytes()).is_err(), "{broken}");
    }
}

#[test]
fn the_list_goes_on_where_a_page_says() {
    for (page, next) in [
        (r#"{"servers":[],"metadata":{"nextCursor":"a b","count":0}}"#, Some("a b")),
        (r#"{"servers":[],"metadata":{"next_cursor":"old"}}"#, Some("old")),
        (r#"{"servers":null,"metadata":{"nextCursor":""}}"#, None),
        (r#"{"servers":[]}"#, None),
    ] {
        assert_eq!(Mcp.next_page(page.as_bytes()).unwrap().as_deref(), next, "{page}");
    }
    let since = "2026-01-02T03:04:05Z".parse().unwrap();
    let request = Mcp.page_request(&upstream(), Some("a&limit=1"), Some(since));
    assert_eq!(
        request.url.as_str(),
        "https://registry.example/v0.1/servers?limit=100&cursor=a%26limit%3D1&updated_since=2026-01-02T03%3A04%3A05Z"
    );
}

#[test]
fn a_listing_has_one_digest_however_it_is_spelled() {
    let one = entry(NAME, "1.0.0", &json!([npm("weather", "1.0.0")]), &json!([]));
    let mut turned = one.clone();
    let members: Vec<(String, Value)> =
        one["server"].as_object().unwrap().iter().rev().map(|(k, v)| (k.clone(), v.clone())).collect();
    turned["server"] = Value::Object(members.into_iter().collect());
    let mut other = one.clone();
    other["server"]["description"] = "Weather of tomorrow".into();
    // What the registry says beside it may change.
    turned["_meta"]["io.modelcontextprotocol.registry/official"]["status"] = "deprecated".into();
    let digest = |entry: Value| index(&[entry]).files()[0].digests[0].clone();
    assert_eq!(digest(one.clone()), digest(turned));
    assert_ne!(digest(one), digest(other));
}

#[test]
fn files_of_a_version_are_its_listing_and_its_bundles() {
    let sha256 = "ab".repeat(32);
    let bundle = json!({
        "registryType": "mcpb", "identifier": "https://code.example/releases/weather.mcpb", "fileSha256": sha256,
    });
    let index =
        index(&[entry(NAME, "1.0.0", &json!([npm("@someone/weather", "1.0.3"), bundle]), &json!([]))]);
    let files: Vec<(&str, &str)> =
        index.files().iter().map(|file| (file.file.as_str(), file.location.as_str())).collect();
    assert_eq!(
        files,
        [
            (
                "1.0.0/server.json",
                "https://registry.example/v0.1/servers/io.github.someone%2Fweather/versions/1.0.0"
            ),
            ("1.0.0/1/weather.mcpb", "https://code.example/releases/weather.mcpb"),
        ]
    );
    assert_eq!(index.files()[1].digests[0].hex(), sha256);
    for at in [0, 1] {
        let parts: Vec<String> =
            index.parts(at).iter().map(|p| format!("{:?}@{}", p.name, p.version)).collect();
        assert_eq!(parts, ["npm:@someone/weather@1.0.3"]);
    }
}
