//! Index files from an upstream that is wrong or means harm.

use super::*;

/// Reads a good line beside a strange one: the strange one must vanish from files and from output.
fn vanishes(strange: &str) {
    let good = line("serde", "1.0.0", "");
    let index = parse("serde", format!("{strange}\n{good}\n{strange}\n")).unwrap();
    assert_eq!(index.files().len(), 1, "{strange}");
    assert_eq!(render(&*index, &[false]), format!("{good}\n").as_bytes(), "{strange}");
}

#[test]
fn strange_lines_vanish() {
    for strange in [
        "not json",
        "{}",
        "[]",
        "null",
        "{\"name\":\"serde\"",
        &line("serde", "1.0.0", ",").replace("1.0.0", "1.0.1"),
        &line("serde", "latest", ""),
        &line("serde", "1.0", ""),
        &line("serde", "", ""),
        &line("serde", "1.0.1/../../x", ""),
        &line("", "1.0.1", ""),
        &line("../serde", "1.0.1", ""),
        &line("serde", &format!("1.0.1-{}", "a".repeat(300)), ""),
        &line("serde", "1.0.1", "").replace(DIGEST, "aa"),
        &line("serde", "1.0.1", "").replace(DIGEST, "not hexadecimal"),
        &line("serde", "1.0.1", "").replace("\"cksum\"", "\"sum\""),
        &line("serde", "1.0.1", r#","yanked":"false""#),
        &line("serde", "1.0.1", r#","yanked":0"#),
        &line("serde", "1.0.1", r#","yanked":true,"yanked":false"#),
        &line("serde", "1.0.1", r#","yanked":false,"yan\u006bed":false"#),
        &line("serde", "1.0.1", r#","vers":"1.0.2""#),
        &line("serde", "1.0.1", r#","name":"tokio""#),
        &format!("{} trailing", line("serde", "1.0.1", "")),
        &format!("{}{}", line("serde", "1.0.1", ""), line("serde", "1.0.2", "")),
        &line("tokio", "1.0.1", ""),
        &line("serde-json", "1.0.1", ""),
    ] {
        vanishes(strange);
    }
}

/// Members that are not read are passed over without recursion, so depth in them costs no stack.
#[test]
fn depth_in_an_unread_member_is_harmless() {
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(parse("serde", line("serde", "1.0.0", &format!(r#","x":{deep}"#))).unwrap().files().len(), 1);
    vanishes(&line("serde", "1.0.1", &format!(r#","yanked":{deep}"#)));
}

#[test]
fn lines_that_are_not_utf8_vanish() {
    let mut body = line("serde", "1.0.1", r#","x":"?""#).replace('?', "\u{1}").into_bytes();
    let at = body.iter().position(|b| *b == 1).unwrap();
    body[at] = 0xff;
    body.extend_from_slice(format!("\n{}", line("serde", "1.0.0", "")).as_bytes());
    let index = parse("serde", body).unwrap();
    assert_eq!(index.files().len(), 1);
}

#[test]
fn of_two_lines_with_one_version_the_first_stands() {
    let second = line("serde", "1.0.0", "").replace(DIGEST, &"b".repeat(64));
    let body = format!("{}\n{second}\n", line("serde", "1.0.0", ""));
    let index = parse("serde", body).unwrap();
    assert_eq!(index.files().len(), 1);
    assert_eq!(index.files()[0].digests[0].hex(), DIGEST);
    assert!(!String::from_utf8(render(&*index, &[true])).unwrap().contains(&"b".repeat(64)));
}

#[test]
fn build_metadata_tells_versions_apart() {
    let body = [line("serde", "1.0.0+a", ""), line("serde", "1.0.0+b", "")].join("\n");
    let index = parse("serde", body).unwrap();
    let files: Vec<&str> = index.files().iter().map(|f| f.file.as_str()).collect();
    assert_eq!(files, ["serde-1.0.0+a.crate", "serde-1.0.0+b.crate"]);
}

#[test]
fn spellings_of_one_name_are_one_crate() {
    for (asked, written) in [("inflector", "Inflector"), ("serde-json", "serde_json")] {
        assert_eq!(parse(asked, line(written, "1.0.0", "")).unwrap().files().len(), 1);
    }
}

#[test]
fn whole_documents_that_are_wrong_say_so() {
    let error = |body: &str| parse("serde", body).err().unwrap();
    let other = IndexError::OtherPackage { package: "serde".into(), found: "tokio".into() };
    assert_eq!(error(&line("tokio", "1.0.0", "")), other);
    assert!(matches!(error("<html>\nno\n"), IndexError::Malformed { .. }));
    assert_eq!(error(&"x\n".repeat(200_001)).to_string(), "the index of `serde` has more than 200,000 lines");
    assert!(parse("serde", "").unwrap().files().is_empty(), "a crate whose versions are all gone");
    assert!(parse("serde", "\n\n").unwrap().files().is_empty());
}

#[test]
fn a_publish_time_that_is_none_is_a_gap_not_a_failure() {
    let index = parse("serde", line("serde", "1.0.0", r#","pubtime":"soon""#)).unwrap();
    assert_eq!(index.files()[0].published_at, None);
}
