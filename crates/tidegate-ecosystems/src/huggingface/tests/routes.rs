use http::Method;
use tidegate_model::FileName;

use super::{COMMIT, ask, name};
use crate::{Ask, FileSelector, Part, RouteError};

/// The kind of an ask, the package, and what is asked of it, on one line.
fn read(method: &Method, target: &str, body: &str) -> String {
    match ask(method, target, body) {
        Ok(Ask::Index { package, view }) => {
            format!("{} {package} {}", view.form, view.selector.unwrap().replace('\n', "|"))
        }
        Ok(Ask::Artifact { package, file: FileSelector::Path { revision, path }, part: Part::Whole }) => {
            format!("file {package} {revision} {path}")
        }
        Ok(Ask::Api(call)) => {
            let version = call.version.map(|v| v.to_string()).unwrap_or_default();
            format!("{} {} {version} {:?}", call.service, call.package.unwrap(), call.query)
        }
        Ok(Ask::Generated { document }) => document.to_owned(),
        Ok(Ask::NotOffered { what }) => format!("not offered: {}", what.split(':').next().unwrap()),
        Ok(other) => panic!("{other:?}"),
        Err(RouteError::Unknown { .. }) => "unknown".into(),
        Err(RouteError::Malformed(why)) => format!("malformed: {why}"),
        Err(RouteError::Method { allowed }) => format!("takes {allowed}"),
    }
}

fn get(target: &str) -> String {
    read(&Method::GET, target, "")
}

#[test]
fn routes_of_the_api() {
    for (target, expected) in [
        ("api/models/org/m", "hub-info org/m main"),
        ("api/models/gpt", "hub-info gpt main"),
        ("api/models/org/m?blobs=True", "hub-info org/m main|blobs"),
        ("api/models/org/m/revision/v1.0", "hub-info org/m v1.0"),
        ("api/models/org/m/revision/refs%2Fpr%2F1", "hub-info org/m refs/pr/1"),
        ("api/models/org/m/revision/refs/pr/1", "hub-info org/m refs/pr/1"),
        ("api/models/gpt/revision/main", "hub-info gpt main"),
        ("api/datasets/org/d/revision/main", "hub-info datasets/org/d main"),
        ("api/spaces/org/s", "hub-info spaces/org/s main"),
        ("api/models/org/m/tree/main", "hub-tree org/m main|one|"),
        ("api/models/org/m/tree/main/onnx/x?recursive=true", "hub-tree org/m main|all|onnx/x"),
        ("api/models/org/m/refs", "refs org/m  []"),
        (
            "api/models/org/m/commits/main?p=1&limit=5&x=2",
            "commits org/m main [(\"p\", \"1\"), (\"limit\", \"5\")]",
        ),
        ("api/models/org/m/xet-read-token/main", "not offered: Xet storage"),
        ("api/models", "not offered: searching the hub"),
        ("api/whoami-v2", "whoami"),
        ("api/models/org/m/paths-info/main", "takes POST"),
        ("api/models/org/m/what/ever", "unknown"),
        ("api/else", "unknown"),
        ("", "unknown"),
    ] {
        assert_eq!(get(target), expected, "{target}");
    }
    let upper = format!("api/models/org/m/revision/{}", COMMIT.to_uppercase());
    assert_eq!(get(&upper), format!("hub-info org/m {COMMIT}"), "a commit has one spelling");
    for (target, body) in [
        ("api/models/org/m/commit/main", "{}"),
        ("api/repos/create", "{}"),
        ("org/m.git/info/lfs/objects/batch", "{}"),
        ("api/models/org/m/revision/main", ""),
    ] {
        assert_eq!(read(&Method::POST, target, body), "not offered: publishing", "{target}");
    }
}

#[test]
fn paths_are_asked_about_in_two_forms() {
    let target = "api/models/org/m/paths-info/main";
    let expected = "hub-paths org/m main|config.json|onnx/m";
    assert_eq!(read(&Method::POST, target, "paths=config.json&paths=onnx%2Fm&expand=False"), expected);
    assert_eq!(read(&Method::POST, target, r#"{"paths":["config.json","onnx/m/","../x"]}"#), expected);
    assert_eq!(read(&Method::POST, target, r#"{"paths":3}"#), "malformed: the request's body names no paths");
    let many = "paths=a&".repeat(1_001);
    assert_eq!(read(&Method::POST, target, &many), "malformed: the request names too many paths");
}

#[test]
fn routes_of_files() {
    for (target, expected) in [
        ("org/m/resolve/main/config.json", "file org/m main config.json"),
        ("gpt/resolve/main/config.json", "file gpt main config.json"),
        ("org/m/resolve/refs%2Fpr%2F1/a/b.bin?download=true", "file org/m refs/pr/1 a/b.bin"),
        ("org/m/resolve/refs/convert/parquet/a/b", "file org/m refs/convert/parquet a/b"),
        ("datasets/org/d/resolve/main/data/x%20y.csv", "file datasets/org/d main data/x y.csv"),
        ("datasets/d/resolve/main/x", "file datasets/d main x"),
        ("spaces/org/s/resolve/main/app.py", "file spaces/org/s main app.py"),
        ("org/m/resolve/main/resolve/main/x", "file org/m main resolve/main/x"),
        ("org/m/raw/main/config.json", "not offered: files by `raw` and `blob`"),
        ("org/m/info/refs", "not offered: cloning with git"),
        ("org/m/resolve/main", "unknown"),
        ("org/m", "unknown"),
    ] {
        assert_eq!(get(target), expected, "{target}");
    }
    assert_eq!(read(&Method::PUT, "org/m/resolve/main/x", ""), "takes GET and HEAD");
}

#[test]
fn confusing_paths_are_refused() {
    for target in [
        "org/m/resolve/main/../x",
        "org/m/resolve/main/a%2fb",
        "org/m/resolve/main/a//b",
        "org/m/resolve/main/%2e%2e/x",
        "org/m/resolve/main/a%00b",
        "org/m/resolve/main/a%5cb",
        "org/m/resolve/main/a%252fb",
        "org%2fm/resolve/main/x/y",
        "org/m/resolve/main%2f..%2fx/y",
        "org/m/resolve/-main/x",
        "org/m/resolve/ma%20in/x",
        "/org/m/resolve/main/x",
        "../m/resolve/main/x",
        "datasets/datasets/resolve/main/x",
        "spaces/spaces/m/resolve/main/x",
        "api/models/datasets/m",
        "api/datasets/spaces/m/revision/main",
        "api/models/models/m",
        "org/m/resolve/main/x/",
        "api/models/org/m/revision/a%2f%2fb",
        "org/m/resolve/main/%e2%80%aex",
    ] {
        assert!(get(target).starts_with("malformed"), "{target}: {}", get(target));
    }
    let long = format!("org/m/resolve/main/{}", "a/".repeat(40));
    assert!(get(&long).starts_with("malformed"));
    assert!(get(&format!("org/m/resolve/main/{}", "a".repeat(5_000))).starts_with("malformed"));
}

#[test]
fn kinds_are_packages_of_their_own() {
    let model = ask(&Method::GET, "org/x/resolve/main/f", "").unwrap();
    let set = ask(&Method::GET, "datasets/org/x/resolve/main/f", "").unwrap();
    assert_ne!(model, set);
    let path = FileName::parse_path("f").unwrap();
    let file = FileSelector::Path { revision: "main".into(), path };
    assert_eq!(model, Ask::Artifact { package: name("org/x"), file, part: Part::Whole });
}
