use super::*;

fn node() -> NodeId {
    "n1".parse().unwrap()
}

fn event(seq: u64, number: u32) -> Event {
    let at = Timestamp::from_unix_seconds(1_800_000_000);
    let id = EventId { record: tidegate_ledger::RecordId { node: node(), seq }, number };
    Event { id: id.to_string(), seq, number, ..Event::test(&node(), at, [0; 8]) }
}

fn deliver(file: &mut EventFile, event: &Event) -> Delivery {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(file.deliver(event, event.time))
}

fn section(max_mib: u64, keep: u32) -> FileSink {
    FileSink { path: "events.ndjson".into(), max_mib, keep, types: Vec::new(), begin: Default::default() }
}

fn ids(path: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(path).unwrap();
    assert!(text.is_empty() || text.ends_with('\n'));
    let id = |line: &str| {
        serde_json::from_str::<serde_json::Value>(line).unwrap()["id"].as_str().unwrap().to_owned()
    };
    text.lines().map(id).collect()
}

#[test]
fn it_goes_on_after_its_last_whole_line() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("events.ndjson");
    let mut file = EventFile::open("siem", &section(1, 2), dir.path()).unwrap();
    assert_eq!(file.holds_up_to(&node()), None);
    for (seq, number) in [(3, 1), (5, 1), (5, 2)] {
        assert_eq!(deliver(&mut file, &event(seq, number)), Delivery::Taken("written".into()));
    }
    assert_eq!(file.holds_up_to(&node()), Some((5, 2)));
    assert_eq!(file.holds_up_to(&"n2".parse().unwrap()), None, "another door's events say nothing");
    // A test event stands there too, and is passed over.
    let test = Event::test(&node(), event(1, 1).time, [7; 8]);
    deliver(&mut file, &test);
    assert_eq!(file.holds_up_to(&node()), Some((5, 2)));
    drop(file);
    // A power cut in the middle of a line.
    let mut cut = OpenOptions::new().append(true).open(&path).unwrap();
    cut.write_all(br#"{"specversion":"1.0","id":"n1-9"#).unwrap();
    drop(cut);
    let mut file = EventFile::open("siem", &section(1, 2), dir.path()).unwrap();
    assert_eq!(file.holds_up_to(&node()), Some((5, 2)));
    deliver(&mut file, &event(9, 1));
    assert_eq!(ids(&path), ["n1-3", "n1-5", "n1-5-2", &test.id, "n1-9"]);
}

#[test]
fn full_files_are_kept_by_number_and_the_oldest_goes() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("events.ndjson");
    let line = event(1, 1).to_json().to_string().len() as u64 + 1;
    // Two lines each.
    let mut writer = Writer::open(path.clone(), 2 * line, 2).unwrap();
    for seq in 1..=7 {
        writer.append(format!("{}\n", event(seq, 1).to_json()).as_bytes()).unwrap();
    }
    assert_eq!(ids(&path), ["n1-7"]);
    assert_eq!(ids(&numbered(&path, 1)), ["n1-5", "n1-6"]);
    assert_eq!(ids(&numbered(&path, 2)), ["n1-3", "n1-4"]);
    assert!(!numbered(&path, 3).exists());
    // A crash right after the file was made anew.
    File::create(&path).unwrap();
    let file = EventFile::open("siem", &section(1, 2), dir.path()).unwrap();
    assert_eq!(file.holds_up_to(&node()), Some((6, 1)));
}

#[test]
fn what_cannot_be_written_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let section = FileSink { path: "nowhere/events.ndjson".into(), ..section(1, 1) };
    let error = EventFile::open("siem", &section, dir.path()).unwrap_err().to_string();
    assert!(error.contains("`siem`") && error.contains("nowhere/events.ndjson"), "{error}");
    std::fs::write(dir.path().join("other"), vec![b'x'; 2 << 20]).unwrap();
    let section = FileSink { path: "other".into(), ..section };
    let error = EventFile::open("siem", &section, dir.path()).unwrap_err().to_string();
    assert!(error.contains("another program's file"), "{error}");
    assert_eq!(std::fs::metadata(dir.path().join("other")).unwrap().len(), 2 << 20, "nothing is cut off it");
}
