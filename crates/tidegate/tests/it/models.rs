//! Models through the door: commits, heads, parts, and what is found in one file of a commit.

use tidegate_testkit::client::RawResponse;
use tidegate_testkit::{FakeUpstream, HubFile};

use crate::support::{Setup, TestDoor, decoded, json, sha256_of};

pub(crate) const FIRST: &str = "1111111111111111111111111111111111111111";
pub(crate) const SECOND: &str = "2222222222222222222222222222222222222222";
pub(crate) const AT: &str = "2022-03-02T23:29:04.000Z";

/// A hub, and the host of its large files, which has another name.
pub(crate) struct Hub {
    pub(crate) hub: FakeUpstream,
    pub(crate) content: FakeUpstream,
}

impl Hub {
    pub(crate) fn start() -> Self {
        let content = FakeUpstream::start();
        let files = format!("http://localhost:{}", content.address().port());
        let hub = FakeUpstream::builder().catalog(content.catalog()).files_at(&files).start();
        Self { hub, content }
    }

    pub(crate) fn commit(&self, id: &str, files: Vec<(&'static str, HubFile)>) {
        self.hub.catalog().commit("org/m", "main", (id, AT), files);
    }

    pub(crate) fn stop(&self) {
        self.hub.stop();
        self.content.stop();
    }
}

/// A model file of the safe kind, with this many bytes of weights.
pub(crate) fn safetensors(byte: u8, weights: usize) -> Vec<u8> {
    let head = format!(r#"{{"w":{{"dtype":"U8","shape":[{weights}],"data_offsets":[0,{weights}]}}}}"#);
    let mut file = (head.len() as u64).to_le_bytes().to_vec();
    file.extend_from_slice(head.as_bytes());
    file.resize(file.len() + weights, byte);
    file
}

/// A pickle that would run a command if anybody loaded it; nobody does. Padded with a string that it throws away.
pub(crate) fn bad_pickle(padding: usize) -> Vec<u8> {
    let mut file = b"\x80\x04B".to_vec();
    file.extend_from_slice(&u32::try_from(padding).unwrap().to_le_bytes());
    file.resize(file.len() + padding, b'x');
    file.extend_from_slice(b"0cposix\nsystem\n(S'curl http://model.invalid'\ntR.");
    file
}

pub(crate) fn file(commit: &str, path: &str) -> String {
    format!("/huggingface/org/m/resolve/{commit}/{path}")
}

fn config() -> HubFile {
    HubFile::small(r#"{"model_type": "tiny"}"#)
}

fn door(hub: &Hub) -> TestDoor {
    Setup::new(&hub.hub).open()
}

/// Nothing in an answer leads past the door.
#[track_caller]
fn stays_here(response: &RawResponse) {
    for (name, value) in &response.headers {
        let line = format!("{name}: {value}").to_lowercase();
        let allowed = name.eq_ignore_ascii_case("link") && line.contains("rel=\"help\"");
        assert!(!line.contains("xet") && !line.contains("localhost") && !line.contains("/cas"), "{line}");
        assert!(allowed || !name.eq_ignore_ascii_case("link"), "{line}");
        assert!(!name.eq_ignore_ascii_case("location"), "{line}");
    }
    let text = String::from_utf8_lossy(&decoded(response)).to_lowercase();
    assert!(!text.contains("xet") && !text.contains("/cas"), "{text}");
}

#[test]
fn heads_say_what_clients_need_and_lead_nowhere_else() {
    let hub = Hub::start();
    let model = safetensors(1, 200_000);
    let small = r#"{"model_type": "tiny"}"#;
    hub.commit(
        FIRST,
        vec![
            ("config.json", config()),
            ("m/__init__.py", HubFile::small("")),
            ("m/x.safetensors", HubFile::large(model.clone())),
        ],
    );
    let door = door(&hub);
    let sha256 = sha256_of(&model);
    for revision in ["main", FIRST, "11111111"] {
        let target = file(revision, "m/x.safetensors");
        for method in ["HEAD", "GET", "HEAD"] {
            let response = door.ask(method, &target, &["Accept-Encoding: identity"]);
            assert_eq!(response.status, 200, "{method} {target}: {}", response.text());
            stays_here(&response);
            assert_eq!(response.header("x-repo-commit"), Some(FIRST));
            assert_eq!(response.header("etag"), Some(&*format!("\"{sha256}\"")));
            assert_eq!(response.header("x-linked-etag"), response.header("etag"));
            assert_eq!(response.header("x-linked-size"), Some(&*model.len().to_string()));
            assert_eq!(response.header("content-length"), Some(&*model.len().to_string()));
            assert_eq!(response.header("accept-ranges"), Some("bytes"));
            assert!(response.header("x-tidegate-decision").is_some());
            assert_eq!(response.body.is_empty(), method == "HEAD");
        }
    }
    assert_eq!(hub.content.count("/cdn/"), 1, "once for all who ask, and not for a head");
    let part = door.ask("GET", &file("main", "m/x.safetensors"), &["Range: bytes=1000-1999"]);
    assert_eq!((part.status, &part.body[..]), (206, &model[1000..2000]));
    assert_eq!(part.header("content-range"), Some(&*format!("bytes 1000-1999/{}", model.len())));
    let same = door.ask("GET", &file("main", "m/x.safetensors"), &[&format!("If-None-Match: \"{sha256}\"")]);
    assert_eq!(same.status, 304);
    let empty = door.get(&file("main", "m/__init__.py"));
    assert_eq!((empty.status, empty.body.len(), empty.header("content-length")), (200, 0, Some("0")));
    let response = door.get(&file("main", "config.json"));
    assert_eq!(response.body, small.as_bytes());
    let oid = tidegate_testkit::upstream::git_blob(small.as_bytes());
    assert_eq!(response.header("etag"), Some(&*format!("\"{oid}\"")));
    assert_eq!(response.header("x-linked-etag"), None);
    for upstream in [&hub.hub, &hub.content] {
        upstream.assert_never_asked("/cas");
        upstream.assert_never_asked("xet-read-token");
    }
}

#[test]
fn a_head_of_what_is_not_here_fetches_nothing() {
    let hub = Hub::start();
    hub.commit(
        FIRST,
        vec![("config.json", config()), ("x.safetensors", HubFile::large(safetensors(1, 9_000)))],
    );
    let door = door(&hub);
    let head = door.ask("HEAD", &file("main", "x.safetensors"), &[]);
    assert_eq!(head.status, 200, "{}", head.reason);
    assert_eq!(hub.content.requests().len(), 0);
    assert_eq!(
        hub.hub.count("config.json"),
        2,
        "what steers loading is looked into: a file and its redirect"
    );
}

#[test]
fn lists_are_whole_and_about_one_commit() {
    let hub = Hub::start();
    let paths = ["a.txt", "b.txt", "c/d.txt", "c/e.txt", "f.txt", "g.txt", "h.txt"];
    hub.commit(FIRST, paths.map(|path| (path, HubFile::small(path))).to_vec());
    hub.hub.catalog().commit("datasets/org/m", "main", (SECOND, AT), [("data.csv", HubFile::small("a,b"))]);
    let door = door(&hub);
    let info = door.get("/huggingface/api/models/org/m/revision/main");
    assert_eq!(info.status, 200, "{}", info.text());
    stays_here(&info);
    let siblings = json(&info)["siblings"].as_array().unwrap().len();
    assert_eq!((json(&info)["sha"].as_str(), siblings), (Some(FIRST), paths.len()));
    let tree = door.get(&format!("/huggingface/api/models/org/m/tree/{FIRST}?recursive=true&expand=false"));
    stays_here(&tree);
    assert_eq!(json(&tree).as_array().unwrap().len(), paths.len() + 1, "with a folder, from all pages");
    let asked = door.send(
        "POST",
        "/huggingface/api/models/org/m/paths-info/main",
        &["Content-Type: application/x-www-form-urlencoded"],
        b"paths=c%2Fd.txt&paths=nowhere",
    );
    assert_eq!(json(&asked)[0]["path"], "c/d.txt");
    let set = door.get("/huggingface/api/datasets/org/m");
    assert_eq!(json(&set)["sha"], SECOND);
    assert_eq!(door.get("/huggingface/datasets/org/m/resolve/main/data.csv").body, b"a,b");
    for (target, code) in [
        (file("main", "none.txt"), "EntryNotFound"),
        (file("none", "a.txt"), "RevisionNotFound"),
        ("/huggingface/api/models/org/none".into(), "RepoNotFound"),
        ("/huggingface/org/none/resolve/main/a.txt".into(), "RepoNotFound"),
    ] {
        let response = door.get(&target);
        assert_eq!((response.status, response.header("x-error-code")), (404, Some(code)), "{target}");
    }
}

#[track_caller]
fn refused(response: &RawResponse) {
    assert_eq!(response.status, 403, "{}", response.text());
    assert_eq!(response.header("x-error-code"), Some("GatedRepo"));
    let message = response.header("x-error-message").unwrap();
    assert!(message.contains("org/m@") && message.contains("blocked by"), "{message}");
    assert!(json(response)["error"].as_str().unwrap().contains("/d/"), "it links the reasons");
}

#[test]
fn a_commit_with_a_bad_pickle_leaves_with_no_file() {
    let hub = Hub::start();
    let files = vec![
        ("config.json", config()),
        ("extra/weights.pkl", HubFile::large(bad_pickle(10))),
        ("x.safetensors", HubFile::large(safetensors(1, 9_000))),
    ];
    hub.commit(FIRST, files);
    let mut door = door(&hub);
    for _ in 0..2 {
        for method in ["HEAD", "GET"] {
            for path in ["config.json", "x.safetensors", "extra/weights.pkl"] {
                let response = door.ask(method, &file("main", path), &[]);
                assert_eq!(response.status, 403, "{method} {path}");
                if method == "GET" {
                    refused(&response);
                    assert!(response.header("x-error-message").unwrap().contains("weights.pkl"), "{path}");
                }
            }
        }
        refused(&door.get("/huggingface/api/models/org/m"));
        refused(&door.get("/huggingface/api/models/org/m/tree/main"));
        let safe = sha256_of(&safetensors(1, 9_000));
        assert_eq!(hub.content.count(&safe), 0, "what is refused is not fetched");
        door = door.restart();
    }
}

#[test]
fn what_is_found_later_counts_from_then_on() {
    let hub = Hub::start();
    // Too large to be looked into before anybody asks for it.
    let files = vec![
        ("config.json", config()),
        ("weights.pkl", HubFile::large(bad_pickle(5 << 20))),
        ("x.safetensors", HubFile::large(safetensors(1, 9_000))),
    ];
    hub.commit(FIRST, files);
    let door = door(&hub);
    for path in ["config.json", "x.safetensors"] {
        assert_eq!(door.get(&file("main", path)).status, 200, "{path}");
    }
    refused(&door.get(&file("main", "weights.pkl")));
    for path in ["config.json", "x.safetensors"] {
        refused(&door.get(&file("main", path)));
        refused(&door.ask("GET", &file(FIRST, path), &["Range: bytes=0-9"]));
    }
    // A commit without it is another matter, and brings no bytes twice.
    hub.commit(SECOND, vec![("x.safetensors", HubFile::large(safetensors(1, 9_000)))]);
    assert_eq!(door.get(&file(SECOND, "x.safetensors")).status, 200);
    assert_eq!(
        hub.content.count(&sha256_of(&safetensors(1, 9_000))),
        1,
        "the same bytes are not fetched again"
    );
    let door = door.restart();
    refused(&door.get(&file(FIRST, "config.json")));
    assert_eq!(door.get(&file(SECOND, "x.safetensors")).status, 200);
}

#[test]
fn a_branch_is_one_commit_until_it_is_asked_about_again() {
    let hub = Hub::start();
    hub.commit(FIRST, vec![("a.txt", HubFile::small("first"))]);
    let door = door(&hub);
    let at = |revision: &str| {
        let response = door.get(&file(revision, "a.txt"));
        assert_eq!(response.status, 200, "{}", response.text());
        (response.header("x-repo-commit").unwrap().to_owned(), response.text())
    };
    assert_eq!(at("main"), (FIRST.into(), "first".into()));
    hub.commit(SECOND, vec![("a.txt", HubFile::small("second")), ("b.txt", HubFile::small("new"))]);
    assert_eq!(at("main").0, FIRST, "what began with one commit ends with it");
    assert_eq!(door.get(&file("main", "b.txt")).header("x-error-code"), Some("EntryNotFound"));
    door.clock().advance(3_600);
    assert_eq!(at("main"), (SECOND.into(), "second".into()));
    assert_eq!(at(FIRST), (FIRST.into(), "first".into()));
}

#[test]
fn a_branch_is_held_at_its_last_commit_that_may_be_had() {
    let hub = Hub::start();
    hub.commit(FIRST, vec![("a.txt", HubFile::small("first")), ("x.pkl", HubFile::large("not a pickle"))]);
    let setup = Setup::new(&hub.hub).with(|config| {
        config.repository.get_mut("huggingface").unwrap().hold_at_approved = true;
    });
    let mut door = setup.open();
    let commit = |door: &TestDoor| {
        let response = door.get(&file("main", "a.txt"));
        assert_eq!(response.status, 200, "{}", response.text());
        let said = json(&door.get("/huggingface/api/models/org/m"))["sha"].as_str().unwrap().to_owned();
        assert_eq!(response.header("x-repo-commit"), Some(&*said), "files and API tell one commit");
        said
    };
    assert_eq!(commit(&door), FIRST);
    hub.commit(SECOND, vec![("a.txt", HubFile::small("second")), ("x.pkl", HubFile::large(bad_pickle(10)))]);
    door.clock().advance(3_600);
    for _ in 0..2 {
        assert_eq!(commit(&door), FIRST, "the newest is refused");
        refused(&door.get(&file(SECOND, "a.txt")));
        door = door.restart();
    }
    const THIRD: &str = "3333333333333333333333333333333333333333";
    hub.commit(THIRD, vec![("a.txt", HubFile::small("third"))]);
    door.clock().advance(3_600);
    assert_eq!(commit(&door), THIRD);
}
