use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Value, json};
use tidegate_model::denial::DenialKind;
use tidegate_model::{Action, Denial, Stated};

use super::{COMMIT, document, name, pointer, upstream};
use crate::huggingface::Huggingface;
use crate::huggingface::commit::{INFO, PATHS, TREE};
use crate::{Commits as _, Index, IndexError, Links, Protocol as _, Rendered, Verdict, View};

const OID: &str = "f2ba8f84ab5c1bce84a7b441cb1959cfc7093b7f";

fn page() -> Value {
    let sha256 = "ab".repeat(32);
    json!([
        { "type": "file", "oid": OID, "size": 3, "path": "config.json", "xetHash": "bait" },
        { "type": "directory", "oid": OID, "size": 0, "path": "onnx" },
        { "type": "file", "oid": OID, "size": 130, "path": "onnx/m.onnx", "xetHash": "bait",
          "lfs": { "oid": sha256, "size": 5_000_000_000_u64, "pointerSize": 130 } },
        { "type": "file", "oid": "not an id", "size": 1, "path": "unpromised" },
        { "type": "file", "oid": OID, "size": 1, "path": "../outside" },
        { "type": "symlink", "oid": OID, "size": 1, "path": "link" },
    ])
}

fn info() -> Value {
    json!({
        "id": "org/m", "modelId": "org/m", "sha": COMMIT, "author": "org", "gated": "auto", "xetEnabled": true,
        "lastModified": "2026-01-02T03:04:05.000Z", "createdAt": "2025-01-02T03:04:05.000Z", "tags": ["license:mit"],
        "siblings": [{ "rfilename": "invented" }],
    })
}

fn commit(pages: &[Value], info: &Value) -> Result<Arc<dyn Index>, IndexError> {
    let pages: Vec<Bytes> = pages.iter().map(|page| page.to_string().into()).collect();
    let listing = Huggingface.listing(&pointer("org/m"), &pages)?;
    let listing = document(std::str::from_utf8(&listing).unwrap());
    Huggingface.parse_index(&name("org/m"), &upstream(), &listing, None, Some(&document(&info.to_string())))
}

fn shown(index: &dyn Index, form: &'static str, selector: &str, withheld: &[bool]) -> Rendered {
    let verdicts: Vec<Verdict> = withheld
        .iter()
        .map(|&withheld| Verdict { withheld, action: Action::Block, ..Verdict::default() })
        .collect();
    let links = Links::below("http://door.test/huggingface/");
    index.render(&View { form, selector: Some(selector.into()) }, &verdicts, &links).unwrap()
}

fn body(rendered: Rendered) -> Value {
    match rendered {
        Rendered::Document { body, .. } => serde_json::from_slice(&body).unwrap(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_commit_lists_what_can_be_decided_on() {
    let index = commit(&[page()], &info()).unwrap();
    let files: Vec<_> =
        index.files().iter().map(|f| (f.file.as_str(), f.size, f.digests[0].to_string())).collect();
    assert_eq!(
        files,
        [
            ("config.json", Some(3), format!("gitblob:{OID}")),
            ("onnx/m.onnx", Some(5_000_000_000), format!("sha256:{}", "ab".repeat(32))),
        ]
    );
    let model = &index.files()[1];
    assert_eq!(model.location.as_str(), format!("https://hub.example/org/m/resolve/{COMMIT}/onnx/m.onnx"));
    assert_eq!(model.licence, Stated::Known("MIT".into()));
    assert_eq!(model.published_at, Some("2026-01-02T03:04:05Z".parse().unwrap()));
    assert_eq!(index.project_published_at(), Some("2025-01-02T03:04:05Z".parse().unwrap()));
    assert_eq!(model.publisher, Stated::Known("org".into()));
    assert_eq!(Huggingface.etag(model), format!("\"{}\"", "ab".repeat(32)));
    let headers = Huggingface.file_headers(model);
    let names: Vec<&str> = headers.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["x-repo-commit", "x-linked-etag", "x-linked-size"]);
    assert_eq!(Huggingface.etag(&index.files()[0]), format!("\"{OID}\""));
    assert_eq!(
        Huggingface.artifact_path(model, &name("org/m")),
        format!("org/m/resolve/{COMMIT}/onnx/m.onnx")
    );
}

#[test]
fn pages_become_one_list_in_one_order() {
    let page = page();
    let (first, second) = page.as_array().unwrap().split_at(2);
    let together = Huggingface.listing(&pointer("org/m"), &[page.to_string().into()]).unwrap();
    let turned = [json!(second), json!(first)].map(|page| page.to_string().into());
    assert_eq!(Huggingface.listing(&pointer("org/m"), &turned).unwrap(), together);
    assert!(!String::from_utf8_lossy(&together).contains("bait"));
    let twice = [json!(first), json!(first)].map(|page| page.to_string().into());
    let error = Huggingface.listing(&pointer("org/m"), &twice).unwrap_err();
    assert!(error.to_string().contains("names a path twice"), "{error}");
    for bad in ["", "{}", "[", "null", "[[[["] {
        assert!(
            Huggingface.listing(&pointer("org/m"), &[Bytes::from_static(bad.as_bytes())]).is_err(),
            "{bad}"
        );
    }
}

#[test]
fn views_are_about_the_commit_and_lead_nowhere_else() {
    let index = commit(&[page()], &info()).unwrap();
    let said = body(shown(&*index, INFO, "main\nblobs", &[false, false]));
    assert_eq!(
        (&said["sha"], &said["id"], &said["gated"]),
        (&json!(COMMIT), &json!("org/m"), &json!("auto"))
    );
    let siblings: Vec<_> = said["siblings"].as_array().unwrap().iter().map(|s| &s["rfilename"]).collect();
    assert_eq!(siblings, ["config.json", "onnx/m.onnx", "unpromised"]);
    assert_eq!(said["siblings"][1]["lfs"]["sha256"], "ab".repeat(32));
    let paths = |selector: &str, form| -> Vec<String> {
        let all = body(shown(&*index, form, selector, &[false, true]));
        all.as_array().unwrap().iter().map(|e| e["path"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(paths("main\none\n", TREE), ["config.json", "onnx", "unpromised"]);
    assert_eq!(paths("main\nall\n", TREE), ["config.json", "onnx", "onnx/m.onnx", "unpromised"]);
    assert_eq!(paths("main\nall\nonnx", TREE), ["onnx/m.onnx"]);
    assert_eq!(paths("main\nonnx\nconfig.json\nelse", PATHS), ["config.json", "onnx"]);
    assert!(matches!(shown(&*index, TREE, "main\nall\nelse", &[false]), Rendered::Absent(_)));
    for form in [INFO, TREE, PATHS] {
        let text = body(shown(&*index, form, "main\nall\n", &[false])).to_string();
        assert!(!text.to_lowercase().contains("xet") && !text.contains("bait"), "{text}");
        assert_eq!(
            shown(&*index, form, "main\nall\n", &[true, true]),
            Rendered::Withheld(0),
            "all or nothing"
        );
    }
}

#[test]
fn what_upstream_says_is_checked() {
    let read = |value: Value| Huggingface.read_revision(&name("org/m"), &document(&value.to_string()));
    assert_eq!(read(info()).unwrap(), pointer("org/m"));
    assert_eq!(read(json!({ "id": "new/name", "sha": COMMIT })).unwrap().package, name("new/name"));
    for bad in [
        json!({ "id": "org/m", "sha": "main" }),
        json!({ "id": "org/m", "sha": COMMIT.to_uppercase() }),
        json!({ "id": "../m", "sha": COMMIT }),
        json!({ "id": "datasets/org/m", "sha": COMMIT }),
        json!({ "sha": COMMIT }),
        json!([]),
    ] {
        assert!(read(bad.clone()).is_err(), "{bad}");
    }
    let other = Huggingface.listing(&pointer("other/m"), &[Bytes::from_static(b"[]")]).unwrap();
    let other = document(std::str::from_utf8(&other).unwrap());
    let error = Huggingface.parse_index(&name("org/m"), &upstream(), &other, None, None).err().unwrap();
    assert!(matches!(error, IndexError::OtherPackage { .. }));
}

#[test]
fn only_the_place_is_taken_from_a_link() {
    let next = |link: &str| Huggingface.next_page(link);
    let link = "<https://elsewhere.example/api/x?limit=1000&cursor=ab%3D%3D>; rel=\"next\"";
    assert_eq!(next(link), Some("ab==".into()));
    assert_eq!(next(&format!("<https://hub.example/a>; rel=\"first\", {link}")), Some("ab==".into()));
    for none in [
        "",
        "<x>; rel=\"next\"",
        "<https://h.example/?cursor=>; rel=\"next\"",
        "cursor=a; rel=next",
        "<https://h.example/?cursor=a>; rel=\"prev\"",
        "<https://h.example/?cursor=a>; rel=\"xet-auth\"",
    ] {
        assert_eq!(next(none), None, "{none}");
    }
    let request = Huggingface.page_request(&pointer("datasets/org/m"), &upstream(), Some("a&b=c#d"));
    assert_eq!(
        request.url.as_str(),
        format!(
            "https://hub.example/api/datasets/org/m/tree/{COMMIT}?recursive=true&expand=false&cursor=a%26b%3Dc%23d"
        )
    );
    let request = Huggingface.revision_request(&name("org/m"), "refs/pr/1", &upstream());
    assert_eq!(request.url.as_str(), "https://hub.example/api/models/org/m/revision/refs%2Fpr%2F1");
}

#[test]
fn what_steers_loading_is_looked_into_first() {
    let steers = |repository: &str, path: &str, size: u64| {
        let page = json!([{ "type": "file", "oid": OID, "size": size, "path": path }]);
        let listing = Huggingface.listing(&pointer(repository), &[page.to_string().into()]).unwrap();
        let listing = document(std::str::from_utf8(&listing).unwrap());
        let index = Huggingface.parse_index(&name(repository), &upstream(), &listing, None, None).unwrap();
        Huggingface.steers(&name(repository), &index.files()[0])
    };
    for path in [
        "config.json",
        "modeling_x.py",
        "sub/Tokenizer.PY",
        "x.pkl",
        "pytorch_model.bin",
        "chat.jinja",
        "scaler",
    ] {
        assert!(steers("org/m", path, 1_000), "{path}");
    }
    for path in ["README.md", "model.safetensors", "model.gguf", "vocab.txt", "cover.png"] {
        assert!(!steers("org/m", path, 1_000), "{path}");
    }
    assert!(!steers("org/m", "pytorch_model.bin", 5 << 30), "large ones when they are asked for");
    assert!(steers("datasets/org/d", "load.py", 1_000) && !steers("datasets/org/d", "train.json", 1_000));
}

#[test]
fn refusals_are_in_the_headers_that_clients_read() {
    let deny = |kind| {
        let denial = Denial {
            kind,
            reason: "org/m@0123 blocked by model-unsafe:\nruns \u{e4}".into(),
            detail: String::new(),
            decision: None,
            help: None,
        };
        let answer = crate::huggingface::denial::answer(&denial);
        let header = |name: &str| answer.headers.get(name).map(|v| v.to_str().unwrap().to_owned());
        assert_eq!(header("x-error-message").unwrap(), "org/m@0123 blocked by model-unsafe: runs ?");
        let body: Value = serde_json::from_slice(&answer.body).unwrap();
        assert!(body["error"].as_str().unwrap().contains("model-unsafe"));
        (answer.status.as_u16(), header("x-error-code").unwrap_or_default())
    };
    let blocked = DenialKind::Policy { action: Action::Block, until: None };
    assert_eq!(deny(blocked), (403, "GatedRepo".into()));
    assert_eq!(deny(DenialKind::Integrity), (403, "GatedRepo".into()));
    assert_eq!(deny(DenialKind::NotFound), (404, "RepoNotFound".into()));
    assert_eq!(deny(DenialKind::NoSuchVersion), (404, "RevisionNotFound".into()));
    assert_eq!(deny(DenialKind::NoSuchFile), (404, "EntryNotFound".into()));
    assert_eq!(deny(DenialKind::Pending { retry_after_seconds: 5 }), (429, String::new()), "asked for again");
}
