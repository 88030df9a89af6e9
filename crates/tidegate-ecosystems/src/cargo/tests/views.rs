//! What an index file becomes when versions are withheld.

use proptest::prelude::*;

use super::*;

#[test]
fn nothing_withheld_changes_nothing() {
    let body = format!(
        "{}\n\n{}\r\n{}",
        line("serde", "1.0.0", r#", "yanked" : false , "v":2"#),
        line("serde", "1.0.1", r#","yanked":true,"pubtime":"2024-05-01T10:00:00Z""#),
        line("serde", "1.0.2", r#","unknown":{"yanked":false}"#),
    );
    let index = parse("serde", body.clone()).unwrap();
    assert_eq!(render(&*index, &[false; 3]), body.replace("\n\n", "\n").as_bytes());
    assert_eq!(index.files()[0].yanked, None);
    assert!(index.files()[1].yanked.is_some());
    assert_eq!(index.files()[0].file.as_str(), "serde-1.0.0.crate");
    assert_eq!(index.files()[0].digests[0].to_string(), format!("sha256:{DIGEST}"));
    assert_eq!(index.project_published_at().unwrap().to_string(), "2024-05-01T10:00:00Z");
}

#[test]
fn a_withheld_line_is_marked_in_place() {
    let check = |rest: &str, expected: &str| {
        let index = parse("serde", line("serde", "1.0.0", rest)).unwrap();
        let rendered = String::from_utf8(render(&*index, &[true])).unwrap();
        assert!(rendered.contains(expected), "{rendered}");
        let read: serde_json::Value = serde_json::from_str(&rendered).unwrap();
        assert_eq!(read["yanked"], true);
        assert_eq!(rendered.matches("yanked").count() + rendered.matches("\\u006b").count(), 1, "{rendered}");
    };
    check("", r#"{"yanked":true,"name":"serde""#);
    check(r#","yanked":false"#, r#""features":{},"yanked":true}"#);
    check(r#", "yanked" :	false , "v":1"#, "\"yanked\" :\ttrue , ");
    check(r#","yanked":null"#, r#""yanked":true}"#);
    check(r#","yanked":true"#, r#""yanked":true}"#);
    check(r#","yan\u006bed":false"#, r#","yan\u006bed":true}"#);
}

#[test]
fn a_file_without_a_verdict_is_not_offered() {
    let body = [line("serde", "1.0.0", ""), line("serde", "1.0.1", "")].join("\n");
    let index = parse("serde", body).unwrap();
    let rendered = String::from_utf8(render(&*index, &[false])).unwrap();
    let yanked: Vec<bool> = rendered.lines().map(|l| l.contains("\"yanked\":true")).collect();
    assert_eq!(yanked, [false, true]);
}

#[test]
fn there_is_one_view() {
    let index = parse("serde", line("serde", "1.0.0", "")).unwrap();
    let links = Links::below("");
    for view in
        [View { form: "npm-full", selector: None }, View { form: LINES, selector: Some("1.0.0".into()) }]
    {
        assert!(matches!(index.render(&view, &[], &links), Err(IndexError::NoSuchView(_))));
    }
}

fn any_line() -> impl Strategy<Value = String> {
    let spaces = prop::sample::select(vec!["", " ", "\t", "  "]);
    let yanked = prop::sample::select(vec![
        None,
        Some(r#""yanked":false"#),
        Some(r#""yanked":true"#),
        Some(r#""yanked" : null"#),
        Some(r#""\u0079anked":false"#),
    ]);
    let extra = prop::sample::select(vec![
        r#""features":{"yanked":["false"]}"#,
        r#""x":"\"yanked\":false""#,
        r#""deps":[{"yanked":false}]"#,
        r#""é":"ünï}{""#,
        r#""pubtime":"2024-05-01T10:00:00Z""#,
    ]);
    (0u16..300, spaces, yanked, extra, 0usize..4).prop_map(|(patch, space, yanked, extra, turn)| {
        let mut members = vec![
            r#""name":"serde""#.to_owned(),
            format!(r#""vers":{space}"1.0.{patch}""#),
            format!(r#""cksum":"{DIGEST}""#),
            extra.to_owned(),
        ];
        members.extend(yanked.map(str::to_owned));
        let turn = turn % members.len();
        members.rotate_left(turn);
        format!("{space}{{{space}{}{space}}}", members.join(&format!("{space},")))
    })
}

proptest! {
    /// Withheld means yanked in the output; every other line is the bytes upstream wrote; and a marked line says the
    /// same as before but for `yanked`.
    #[test]
    fn withholding_touches_only_what_is_withheld(
        lines in prop::collection::vec((any_line(), any::<bool>()), 1..12),
        ends in prop::bool::ANY,
    ) {
        let mut body = lines.iter().map(|(line, _)| line.as_str()).collect::<Vec<_>>().join("\n");
        if ends {
            body.push('\n');
        }
        let index = parse("serde", body).unwrap();
        let mut kept: Vec<(&str, serde_json::Value, bool)> = Vec::new();
        for (line, withheld) in &lines {
            let value: serde_json::Value = serde_json::from_str(line).unwrap();
            if kept.iter().all(|(_, other, _)| other["vers"] != value["vers"]) {
                kept.push((line, value, *withheld));
            }
        }
        prop_assert_eq!(index.files().len(), kept.len());
        let withheld: Vec<bool> = kept.iter().map(|(_, _, withheld)| *withheld).collect();
        let rendered = String::from_utf8(render(&*index, &withheld)).unwrap();
        let rendered: Vec<&str> = rendered.lines().collect();
        prop_assert_eq!(rendered.len(), kept.len());
        for ((line, mut value, withheld), out) in kept.into_iter().zip(rendered) {
            if withheld {
                value["yanked"] = true.into();
                prop_assert_eq!(serde_json::from_str::<serde_json::Value>(out).unwrap(), value);
            } else {
                prop_assert_eq!(out, line);
            }
        }
    }

    /// Whatever upstream sends, reading ends, and every file that is listed is about the crate that was asked for.
    #[test]
    fn any_bytes_are_read_or_refused(body in prop::collection::vec(any::<u8>(), 0..400)) {
        if let Ok(index) = parse("serde", body) {
            prop_assert!(index.files().iter().all(|f| f.file.as_str().to_lowercase().starts_with("serde-")));
        }
    }
}
