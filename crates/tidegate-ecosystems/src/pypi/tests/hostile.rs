use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{BOTH, SHA_A, allow_all, document, html, json_page, read, text_of, value_of, withheld};
use crate::pypi::{FORM_HTML, FORM_JSON};
use crate::{Index, IndexError};

fn listed(index: &dyn Index) -> Vec<&str> {
    index.files().iter().map(|file| file.file.as_str()).collect()
}

/// One good file stands whatever stands around it.
#[test]
fn hostile_links_are_left_out() {
    let long = "a".repeat(300);
    for bad in [
        "javascript:alert(1)//foo-1.0.tar.gz",
        "data:text/html,foo-1.0.tar.gz",
        "data:application/octet-stream;base64,AAAA/foo-1.0.tar.gz",
        "file:///etc/foo-1.0.tar.gz",
        "ftp://files.example/foo-1.0.tar.gz",
        "https:///foo-1.0.tar.gz?",
        "http://[::1/foo-1.0.tar.gz",
        "mailto:foo-1.0.tar.gz",
        "../../../../etc/passwd",
        "foo-1.0%2f..%2f..%2fx.tar.gz",
        "x%2ffoo-1.0.tar.gz",
        "foo-1.0%00.tar.gz",
        "foo-1.0%0a.tar.gz",
        "foo-1.0%5c.tar.gz",
        "foo-1.0%252f.tar.gz",
        "foo-1.0%FF.tar.gz",
        "foo-1.0%C3%A4.tar.gz",
        "foo-1.0.tar.gz/",
        "",
        "#",
        "?foo-1.0.tar.gz",
        "bar-1.0.tar.gz",
        "foo-1.0.tar.gz#sha256=123",
        "foo-1.0.tar.gz#sha256=zz",
        "foo-1.0.rpm",
        &format!("foo-1.0-{long}.tar.gz"),
    ] {
        let page = format!("<a href=\"{bad}\">bad</a><a href=\"foo-2.0.tar.gz\">good</a>");
        let index = read(&html(page), None).unwrap();
        match bad {
            // Without a host after `https:` the next part is one: a file there is only a file elsewhere.
            "https:///foo-1.0.tar.gz?" => assert_eq!(listed(&*index).last(), Some(&"foo-2.0.tar.gz")),
            // Digits of another length promise nothing that can be kept; what is no hash at all is no promise.
            _ => assert_eq!(listed(&*index), ["foo-2.0.tar.gz"], "{bad}"),
        }
        for form in BOTH {
            let shown = text_of(&*index, form, &allow_all(&*index));
            assert!(!shown.contains("javascript:") && !shown.contains("file:///"), "{shown}");
        }
    }
}

#[test]
fn dots_in_an_address_lead_to_a_name_and_no_further() {
    let index = read(&html("<a href='../../../../x/../foo-1.0.tar.gz'>x</a>"), None).unwrap();
    assert_eq!(index.files()[0].location.as_str(), "https://registry.example/foo-1.0.tar.gz");
    assert!(
        text_of(&*index, FORM_HTML, &allow_all(&*index)).contains("href=\"../../files/foo/foo-1.0.tar.gz\"")
    );
}

#[test]
fn credentials_in_an_address_are_not_kept() {
    let index = read(&html("<a href='https://me:secret@files.example/foo-1.0.tar.gz'>x</a>"), None).unwrap();
    assert_eq!(index.files()[0].location.as_str(), "https://files.example/foo-1.0.tar.gz");
}

#[test]
fn markup_is_escaped() {
    let evil = "\"><script>alert('x')</script>&amp;";
    let page = json!({
        "meta": { "api-version": "1.4", "tracks": [evil] },
        "name": "foo",
        "project-status": { "status": evil, "reason": evil },
        "alternate-locations": [evil],
        "files": [{
            "filename": "foo-1.0-py3-none-\"><script>.whl",
            "url": "https://files.example/x",
            "hashes": { "sha256": SHA_A },
            "requires-python": evil,
            "yanked": evil,
            "provenance": "javascript:alert(1)",
        }],
    });
    let index = read(&json_page(&page), None).unwrap();
    for verdicts in [allow_all(&*index), vec![withheld(evil)]] {
        let shown = text_of(&*index, FORM_HTML, &verdicts);
        assert!(!shown.contains("<script") && !shown.contains("javascript:"), "{shown}");
        assert_eq!(shown.matches("<a ").count(), 1);
        assert!(shown.contains("data-requires-python=\"&quot;&gt;&lt;script&gt;"), "{shown}");
        let again = read(&html(&*shown), None).unwrap();
        assert_eq!(listed(&*again), listed(&*index), "the name survives escaping");
    }
}

#[test]
fn a_page_about_another_project_is_refused() {
    let other = |index: Result<_, IndexError>| match index {
        Err(IndexError::OtherPackage { package, found }) => (package, found),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("accepted"),
    };
    let page = json!({ "name": "bar", "files": [] });
    assert_eq!(other(read(&json_page(&page), None)), ("foo".into(), "bar".into()));
    let page = json!({ "name": "../foo\u{1b}[0m", "files": [] });
    assert!(other(read(&json_page(&page), None)).1.is_ascii());
    let page = "<title>Links for bar</title><a href=foo-1.0.zip>";
    assert_eq!(other(read(&html(page), None)), ("foo".into(), "bar".into()));
    assert!(read(&html("<title>Links for F.o-o</title>"), None).is_err());
    assert!(read(&html("<title>Simple index</title>"), None).is_ok());
}

#[test]
fn what_is_no_page_is_an_error_that_says_so() {
    let deep = format!("{{\"files\": [], \"x\": {}1{}}}", "[".repeat(100_000), "]".repeat(100_000));
    let deep_file = format!("{{\"files\": [{{\"x\": {}1{}}}]}}", "[".repeat(100_000), "]".repeat(100_000));
    for (content_type, body, expected) in [
        ("application/json", "", "EOF"),
        ("application/json", "[]", "expected a JSON object"),
        ("application/json", "{\"files\": [", "EOF"),
        ("application/json", "{}", "no member `files`"),
        ("application/json", "{\"files\": {}}", "`files` is not a list"),
        ("application/json", "{\"files\": [], \"name\": 1}", "`name` is not text"),
        ("application/json", "{\"files\": [], \"meta\": 1}", "`meta` is not an object"),
        ("application/json", "{\"files\": [], \"meta\": {\"api-version\": 1}}", "`api-version` is text"),
        ("application/json", "{\"files\": [], \"meta\": {\"api-version\": \"2.0\"}}", "only 1.x is known"),
        ("text/html", "<meta name=pypi:repository-version content=2.0>", "only 1.x is known"),
        ("text/html", "upstream is on holiday", "no tag"),
        ("text/plain", "", "no tag"),
    ] {
        let page = document("https://registry.example/simple/foo/", content_type, body);
        let Err(error) = read(&page, None).map(|_| ()) else { panic!("accepted: {body}") };
        assert!(error.to_string().contains(expected), "{body}: {error}");
        assert!(error.to_string().contains("`foo`"), "{error}");
    }
    let page = |body: String| document("https://registry.example/simple/foo/", "application/json", body);
    assert!(read(&page(deep), None).is_ok(), "an unknown member too deep to read is left out");
    assert!(read(&page(deep_file), None).unwrap().files().is_empty());
}

#[test]
fn a_file_of_wrong_types_is_left_out() {
    let good = json!({ "filename": "foo-2.0.zip", "url": "foo-2.0.zip", "hashes": {} });
    for (member, value) in [
        ("filename", json!(1)),
        ("filename", Value::Null),
        ("filename", json!("../foo-1.0.zip")),
        ("url", json!(["foo-1.0.zip"])),
        ("url", json!("file:///foo-1.0.zip")),
        ("url", json!("http://")),
        ("hashes", json!([])),
        ("hashes", json!({ "sha256": 1 })),
        ("hashes", json!({ "sha256": "short" })),
        ("hashes", json!({ "sha256": "" })),
        ("hashes", json!({ "sha256\" onload=\"x": "00" })),
        ("requires-python", json!(3)),
        ("yanked", json!(1)),
        ("yanked", json!({})),
        ("size", json!(-1)),
        ("size", json!("10")),
        ("core-metadata", json!("sha256")),
        ("core-metadata", json!({ "sha256": "00" })),
        ("gpg-sig", json!("yes")),
        ("upload-time", json!(5)),
        ("provenance", json!(false)),
    ] {
        let mut bad = json!({ "filename": "foo-1.0.zip", "url": "foo-1.0.zip", "hashes": {} });
        bad[member] = value.clone();
        let page = json!({ "name": "foo", "files": [bad, good, 5, null, "x", [], good] });
        let index = read(&json_page(&page), None).unwrap();
        assert_eq!(listed(&*index), ["foo-2.0.zip"], "{member}: {value}");
    }
    let page = json!({ "name": "foo", "files": [{ "filename": "foo-1.0.zip", "url": "foo-1.0.zip", "hashes": {}, "upload-time": "yesterday" }] });
    let index = read(&json_page(&page), None).unwrap();
    assert!(value_of(&*index, FORM_JSON, &allow_all(&*index))["files"][0].get("upload-time").is_none());
}

/// The first of two files of one name stands: a decision is made about a name, so one name has one content.
#[test]
fn a_name_is_listed_once() {
    let file = |digit: &str| json!({ "filename": "foo-1.0.zip", "url": "foo-1.0.zip", "hashes": { "sha256": digit.repeat(64) } });
    let index = read(&json_page(&json!({ "name": "foo", "files": [file("a"), file("b")] })), None).unwrap();
    assert_eq!(listed(&*index), ["foo-1.0.zip"]);
    assert_eq!(index.files()[0].digests[0].hex(), SHA_A);
}

#[test]
fn broken_html_ends() {
    for page in [
        "<a href=\"foo-1.0.zip",
        "<a href=foo-1.0.zip",
        "<a",
        "<<<<<<a href=foo-1.0.zip>",
        "<a href=foo-1.0.zip href=javascript:x>",
        "<!-- <a href=foo-9.zip> --><a href=foo-1.0.zip>",
        "<!-- <a href=foo-1.0.zip>",
        "<script><a href=foo-9.zip></script><a href=foo-1.0.zip>",
        "<script><a href=foo-1.0.zip>",
        "<p>\0<a href=foo-1.0.zip\0>",
        "<p>&#0;&#x110000;&bogus;<a href='foo-1.0.zip&#0;'>",
        "<base href='javascript:x'><a href=foo-1.0.zip>",
        "<base href='http://['><a href=foo-1.0.zip>",
        "<base><base href=a/><base href=b/><a href=foo-1.0.zip>",
    ] {
        if let Ok(index) = read(&html(page), None) {
            for file in index.files() {
                assert_eq!(file.version.as_str(), "1.0", "{page}");
                assert!(file.location.scheme() == "https", "{page}");
            }
        }
    }
    assert!(read(&html(b"\xff\xfe<a href=\xff>".to_vec()), None).is_ok());
}

/// Bounded in time, also unoptimised on a loaded machine.
#[test]
fn a_hundred_thousand_links_are_read_at_once() {
    let started = Instant::now();
    let mut page = String::from("<html>");
    for n in 0..100_000 {
        page.push_str(&format!("<a href=foo-{n}.0.zip#sha256={SHA_A} data-requires-python='&gt;=3'>foo</a>"));
    }
    let index = read(&html(page), None).unwrap();
    assert_eq!(index.files().len(), 100_000);
    for form in BOTH {
        assert!(!super::body(&*index, form, &allow_all(&*index)).is_empty());
    }
    let one_tag = format!("<a {}>", "x='<'\"".repeat(200_000));
    assert!(read(&html(one_tag), None).is_ok());
    assert!(started.elapsed() < Duration::from_secs(60), "{:?}", started.elapsed());
}

#[test]
fn more_files_than_any_project_has_are_refused() {
    let page: String = (0..=200_000).map(|n| format!("<a href=foo-{n}.zip>")).collect();
    let Err(error) = read(&html(page), None).map(|_| ()) else { panic!("accepted") };
    assert!(error.to_string().contains("200,000 files"), "{error}");
}
