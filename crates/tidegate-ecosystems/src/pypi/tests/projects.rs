use serde_json::{Value, json};
use tidegate_model::Stated;

use super::{SHA_A, SHA_B, allow_all, document, html, links, name, read, upstream, value_of, view, withheld};
use crate::advice::{Advice, Advise};
use crate::pypi::{FORM_HTML, FORM_JSON, FORM_PROJECT_JSON, FORM_VERSION_JSON, Pypi};
use crate::{FetchedDocument, Index, Protocol as _, Rendered, UpstreamBase, Verdict};

const PAGE: &str = "<a href='https://files.example/foo-1.0.zip'>x</a>\
                    <a href='https://files.example/foo-1.1.zip' data-yanked='bad'>x</a>";

fn project() -> Value {
    let file = |version: &str, digits: &str, day: u8| {
        json!({
            "filename": format!("foo-{version}.zip"),
            "url": format!("https://files.example/foo-{version}.zip"),
            "upload_time_iso_8601": format!("2026-03-0{day}T10:00:00.000000Z"),
            "size": 99,
            "digests": { "sha256": digits, "md5": "x", "blake2b_256": 1 },
            "requires_python": ">=3.9",
            "yanked": false,
            "yanked_reason": null,
        })
    };
    json!({
        "info": { "name": "Foo", "version": "1.1", "license": "MIT", "license_expression": null, "yanked": false },
        "last_serial": 5,
        "releases": {
            "0.1": [file("0.1", SHA_A, 1)],
            "1.0": [file("1.0", SHA_A, 2)],
            "1.1": [file("1.1", SHA_B, 3)],
        },
        "urls": [file("1.1", SHA_B, 3)],
        "vulnerabilities": [{ "id": "X-1" }],
    })
}

fn supplement(value: &Value) -> FetchedDocument {
    document("https://registry.example/pypi/foo/json", "application/json", value.to_string())
}

fn index(project: &Value) -> std::sync::Arc<dyn Index> {
    read(&html(PAGE), Some(&supplement(project))).unwrap()
}

fn shown(index: &dyn Index, version: Option<&str>, verdicts: &[Verdict]) -> Rendered {
    let form = if version.is_some() { FORM_VERSION_JSON } else { FORM_PROJECT_JSON };
    index.render(&view(form, version), verdicts, &links()).unwrap()
}

fn parsed(rendered: &Rendered) -> Value {
    match rendered {
        Rendered::Document { body, content_type } => {
            assert_eq!(*content_type, "application/json");
            serde_json::from_slice(body).unwrap()
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_document_lies_beside_the_simple_index() {
    let index = index(&project());
    let ask = |base: &str| {
        let upstream = UpstreamBase { url: base.parse().unwrap() };
        let request = Pypi.supplement_request(&name("foo"), &upstream, &*index, None)?;
        Some(request.url.to_string())
    };
    assert_eq!(ask("https://registry.example/simple/").unwrap(), "https://registry.example/pypi/foo/json");
    assert_eq!(ask("https://m.example/api/py/simple/").unwrap(), "https://m.example/api/py/pypi/foo/json");
    assert_eq!(ask("https://m.example/python/"), None);
    assert_eq!(ask("https://m.example/notsimple/"), None);
    assert!(Pypi.supplement_request(&name("foo"), &upstream(), &*index, None).is_some());
}

#[test]
fn it_fills_in_what_the_page_lacks() {
    let index = index(&project());
    let [old, new] = index.files() else { panic!() };
    assert_eq!(old.published_at.unwrap().to_string(), "2026-03-02T10:00:00Z");
    assert_eq!((old.size, old.digests[0].hex()), (Some(99), SHA_A.to_owned()));
    assert_eq!(old.licence, Stated::NotOffered, "the document is about 1.1");
    assert_eq!(new.licence, Stated::Known("MIT".into()));
    assert_eq!(
        index.project_published_at().unwrap().to_string(),
        "2026-03-01T10:00:00Z",
        "files that are gone count"
    );
    let page = value_of(&*index, FORM_JSON, &allow_all(&*index));
    assert_eq!(page["meta"]["api-version"], "1.1", "sizes are known now");
    assert_eq!(page["files"][0]["upload-time"], "2026-03-02T10:00:00.000000Z");
    assert_eq!(page["files"][0]["requires-python"], ">=3.9");
    let page = super::text_of(&*index, FORM_HTML, &allow_all(&*index));
    assert!(page.contains(&format!("foo-1.0.zip#sha256={SHA_A}")), "{page}");
    assert!(page.contains("data-upload-time=\"2026-03-02T10:00:00.000000Z\""), "{page}");
}

#[test]
fn what_the_page_says_stands() {
    let page = format!(
        "<a href='foo-1.1.zip#sha256={SHA_A}' data-upload-time='2020-01-01T00:00:00Z' data-requires-python='>=2'>"
    );
    let index = read(&html(page), Some(&supplement(&project()))).unwrap();
    let file = &index.files()[0];
    assert_eq!(file.published_at.unwrap().to_string(), "2020-01-01T00:00:00Z");
    assert_eq!(file.digests.len(), 1);
    assert_eq!(file.digests[0].hex(), SHA_A);
    assert_eq!(value_of(&*index, FORM_JSON, &allow_all(&*index))["files"][0]["requires-python"], ">=2");
}

#[test]
fn a_yank_counts_from_either_side() {
    let mut project = project();
    project["releases"]["1.0"][0]["yanked"] = true.into();
    project["releases"]["1.0"][0]["yanked_reason"] = "oops".into();
    let index = index(&project);
    let page = value_of(&*index, FORM_JSON, &allow_all(&*index));
    assert_eq!(page["files"][0]["yanked"], "oops");
    assert_eq!(page["files"][1]["yanked"], "bad", "the document cannot take back what the page says");
}

#[test]
fn a_broken_document_is_a_gap_and_no_failure() {
    let mut other = project();
    other["info"]["name"] = "bar".into();
    for bad in [json!([]), json!({}), json!({ "info": [] }), json!({ "info": {} }), other] {
        let index = index(&bad);
        assert_eq!(index.files()[0].published_at, None, "{bad}");
        let absent = shown(&*index, None, &allow_all(&*index));
        assert_eq!(absent, Rendered::Absent("the upstream offers no JSON API".into()));
    }
    let mut odd = project();
    odd["releases"] = json!({ "1.0": 5, "1.1": [5, {}, { "filename": 1 }, project()["releases"]["1.1"][0]] });
    odd["urls"] = json!("x");
    let index = index(&odd);
    assert!(index.files()[0].published_at.is_none() && index.files()[1].published_at.is_some());
    assert!(read(&html(PAGE), Some(&document("https://registry.example/", "text/html", "<html>"))).is_ok());
}

#[test]
fn the_project_document_is_marked_and_rewritten() {
    let index = index(&project());
    let open = parsed(&shown(&*index, None, &allow_all(&*index)));
    assert_eq!(open["releases"]["1.0"][0]["url"], "http://127.0.0.1:8484/pypi/files/foo/foo-1.0.zip");
    assert_eq!(open["releases"]["1.0"][0]["digests"], project()["releases"]["1.0"][0]["digests"]);
    assert_eq!(open["releases"]["0.1"], json!([]), "a file that the simple page lacks cannot be decided on");
    assert_eq!(open["urls"][0]["yanked_reason"], "bad");
    assert_eq!(open["vulnerabilities"], project()["vulnerabilities"]);
    assert_eq!(open["info"], project()["info"]);
    let held = parsed(&shown(&*index, None, &[withheld("held a"), withheld("held b")]));
    assert_eq!(held["releases"]["1.0"][0]["yanked"], true);
    assert_eq!(held["releases"]["1.0"][0]["yanked_reason"], "held a");
    assert_eq!(held["urls"][0]["yanked_reason"], "held b; also yanked upstream: bad");
    assert_eq!(held["info"]["yanked"], true);
    assert_eq!(held["info"]["yanked_reason"], "held b; also yanked upstream: bad");
    let undecided = parsed(&shown(&*index, None, &[]));
    assert_eq!(undecided["releases"]["1.0"][0]["yanked"], true);
}

#[test]
fn the_document_of_one_version() {
    let index = index(&project());
    let open = parsed(&shown(&*index, Some("1.1.0"), &allow_all(&*index)));
    assert_eq!(open["urls"][0]["filename"], "foo-1.1.zip");
    assert!(open.get("releases").is_none());
    assert_eq!(shown(&*index, Some("1.1"), &[Verdict::default(), withheld("no")]), Rendered::Withheld(1));
    assert_eq!(shown(&*index, Some("1.0"), &[withheld("no"), Verdict::default()]), Rendered::Withheld(0));
    assert!(matches!(shown(&*index, Some("1.0"), &allow_all(&*index)), Rendered::Absent(_)));
    assert!(matches!(shown(&*index, Some("9.9"), &allow_all(&*index)), Rendered::Absent(_)));
    assert!(matches!(shown(&*index, Some("1.1"), &[]), Rendered::Withheld(_)), "no decision, no document");
}

#[test]
fn licences_are_read_from_wherever_they_are_declared() {
    let pasted = format!("The Licence\n{}", "text ".repeat(500));
    for (info, expected) in [
        (json!({ "license_expression": "MIT OR Apache-2.0", "license": "x" }), "MIT OR Apache-2.0"),
        (json!({ "license": "BSD" }), "BSD"),
        (
            json!({ "license": pasted, "classifiers": ["License :: OSI Approved :: MIT License"] }),
            "MIT License",
        ),
        (json!({ "license": pasted }), "The Licence"),
        (json!({ "license": "", "classifiers": ["License :: OSI Approved", "Topic :: X"] }), ""),
        (json!({ "license": null }), ""),
    ] {
        let mut project = project();
        project["info"] = info;
        project["info"]["name"] = "foo".into();
        project["info"]["version"] = "1.1".into();
        assert_eq!(index(&project).files()[1].licence, Stated::Known(expected.into()));
    }
}

fn told(
    index: &dyn Index,
    version: Option<&str>,
    verdicts: &[Verdict],
    advise: Option<Advise<'_>>,
) -> Rendered {
    let form = if version.is_some() { FORM_VERSION_JSON } else { FORM_PROJECT_JSON };
    let view = view(form, version);
    assert!(index.tells_vulnerabilities(&view) && !index.tells_vulnerabilities(&self::view(FORM_JSON, None)));
    index.render_advised(&view, verdicts, &links(), advise).unwrap()
}

#[test]
fn vulnerabilities_are_what_is_known_here() {
    let index = index(&project());
    let advise: Advise<'_> = &|package, version| {
        assert_eq!(package.as_str(), "foo");
        let found = Advice {
            id: "CVE-1".into(),
            ids: vec!["CVE-1".into(), "PYSEC-1".into()],
            url: "https://door.test/advisories/CVE-1".into(),
            summary: "reads any file".into(),
            details: "Every path.".into(),
            fixed_in: vec!["1.1".into(), "no version".into()],
            ..Advice::default()
        };
        match version {
            "1.1" => Ok(Vec::new()),
            "1.0" | "1.0.0" | "0.9" => Ok(vec![found]),
            _ => Err("versions do not compare".into()),
        }
    };
    let expected = json!([{
        "id": "CVE-1", "aliases": ["PYSEC-1"], "summary": "reads any file", "details": "Every path.", "fixed_in": ["1.1"],
        "link": "https://door.test/advisories/CVE-1", "source": "tidegate", "withdrawn": null,
    }]);
    let open = allow_all(&*index);
    // The latest, in both documents: what the upstream says of it is replaced.
    for version in [None, Some("1.1")] {
        let document = parsed(&told(&*index, version, &open, Some(advise)));
        assert_eq!(document["vulnerabilities"], json!([]));
        assert_eq!(document["info"]["license"], "MIT", "the rest is the upstream's");
    }
    // Another version, which the upstream's document is not about.
    let document = parsed(&told(&*index, Some("1.0.0"), &open, Some(advise)));
    assert_eq!(document["vulnerabilities"], expected);
    assert_eq!(
        document["info"],
        json!({ "name": "foo", "version": "1.0", "yanked": false, "yanked_reason": null })
    );
    assert_eq!(document["urls"][0]["url"], "http://127.0.0.1:8484/pypi/files/foo/foo-1.0.zip");
    // One that policy withholds is told of with its files marked.
    let held = parsed(&told(&*index, Some("1.0"), &[withheld("held"), Verdict::default()], Some(advise)));
    assert_eq!(held["vulnerabilities"], expected);
    assert_eq!((&held["urls"][0]["yanked"], &held["info"]["yanked_reason"]), (&json!(true), &json!("held")));
    // One that is gone is told of where something is known.
    assert_eq!(parsed(&told(&*index, Some("0.9"), &open, Some(advise)))["vulnerabilities"], expected);
    let gone = told(&*index, Some("0.9"), &open, Some(&|_, _| Ok(Vec::new())));
    assert!(matches!(gone, Rendered::Absent(_)), "{gone:?}");
}

#[test]
fn what_is_not_known_is_no_empty_list() {
    let index = index(&project());
    let open = allow_all(&*index);
    let unknown: Advise<'_> = &|_, _| Err("too old to trust".into());
    for version in [None, Some("1.1"), Some("1.0")] {
        let told = told(&*index, version, &open, Some(unknown));
        assert_eq!(told, Rendered::Unknown("too old to trust".into()), "{version:?}");
    }
    // Nothing is loaded: the upstream's own list stands, and where it has none that is an error.
    let own = parsed(&told(&*index, Some("1.1"), &open, None));
    assert_eq!(own["vulnerabilities"], project()["vulnerabilities"]);
    assert!(matches!(told(&*index, Some("1.0"), &open, None), Rendered::Unknown(_)));
    assert!(matches!(told(&*index, Some("9.9"), &open, None), Rendered::Absent(_)));
    let mut bare = project();
    bare.as_object_mut().unwrap().remove("vulnerabilities");
    let bare = self::index(&bare);
    let told_of = told(&*bare, Some("1.1"), &open, None);
    assert!(matches!(&told_of, Rendered::Unknown(why) if why.contains("no advisory feed")), "{told_of:?}");
    assert!(
        matches!(told(&*bare, None, &open, None), Rendered::Document { .. }),
        "others read that of the project"
    );
    // Without a JSON API above, too, versions are told of.
    let without = read(&html(PAGE), None).unwrap();
    let document = parsed(&told(&*without, Some("1.0"), &open, Some(&|_, _| Ok(Vec::new()))));
    assert_eq!((&document["vulnerabilities"], &document["urls"]), (&json!([]), &json!([])));
    assert!(matches!(told(&*without, Some("1.0"), &open, None), Rendered::Unknown(_)));
    assert!(matches!(told(&*without, None, &open, None), Rendered::Absent(_)));
}
