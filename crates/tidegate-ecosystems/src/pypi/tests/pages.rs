use proptest::prelude::*;
use serde_json::{Value, json};
use tidegate_model::{Algorithm, Stated};

use super::{
    BOTH, SHA_A, SHA_B, allow_all, full_page, html, json_page, read, text_of, value_of, view, withheld,
};
use crate::pypi::{FORM_HTML, FORM_JSON};
use crate::{IndexError, Rendered, Verdict};

#[test]
fn everything_a_page_says_is_read() {
    let index = read(&json_page(&full_page()), None).unwrap();
    let files = index.files();
    assert_eq!(files.len(), 4);
    let wheel = &files[0];
    assert_eq!((wheel.version.as_str(), wheel.file.as_str()), ("1.0", "foo-1.0-py3-none-any.whl"));
    assert_eq!(wheel.location.as_str(), "https://files.example/aa/foo-1.0-py3-none-any.whl");
    let algorithms: Vec<_> = wheel.digests.iter().map(tidegate_model::Digest::algorithm).collect();
    assert_eq!(algorithms, [Algorithm::Sha256, Algorithm::Md5], "strongest first");
    assert_eq!(wheel.size, Some(10));
    assert_eq!(wheel.published_at.unwrap().to_string(), "2026-01-01T00:00:00.123456Z");
    assert_eq!(wheel.install_script, Stated::Known(false));
    assert_eq!(wheel.attestation, Stated::Known(true));
    assert_eq!(wheel.metadata_sidecar.as_ref().unwrap()[0].hex(), SHA_B);
    assert_eq!(wheel.deprecated.as_deref(), Some("upstream marks the project as archived: see <bar>"));
    let source = &files[1];
    assert_eq!(
        source.location.as_str(),
        "https://registry.example/files/foo-1.0.tar.gz",
        "relative to the page"
    );
    assert_eq!(source.install_script, Stated::Known(true));
    assert_eq!(source.yanked.as_ref().unwrap().reason.as_deref(), Some("broken \"build\""));
    assert_eq!(source.metadata_sidecar, None);
    assert_eq!(files[2].yanked.as_ref().unwrap().reason, None);
    assert_eq!(files[2].metadata_sidecar.as_deref(), Some(&[][..]), "announced without a digest");
    assert_eq!(files[2].attestation, Stated::Known(false));
    let offered = |at| index.attestations(at).map(|offered| offered.request.url.to_string());
    assert_eq!(
        offered(0).as_deref(),
        Some("https://registry.example/integrity/foo/1.0/foo-1.0-py3-none-any.whl/provenance")
    );
    assert_eq!(offered(1).as_deref(), Some("https://attest.example/foo-1.0.tar.gz"));
    assert_eq!(offered(2), None);
    assert!(files[3].digests.is_empty() && files[3].yanked.is_none());
    assert_eq!(index.project_published_at().unwrap().to_string(), "2026-01-01T00:00:00.123456Z");
    assert!(index.weight() > 1000);
}

#[test]
fn json_passes_through_but_for_addresses() {
    let index = read(&json_page(&full_page()), None).unwrap();
    let mut expected = full_page();
    expected["name"] = "foo".into();
    for (position, file) in expected["files"].as_array_mut().unwrap().iter_mut().enumerate() {
        file["url"] = format!("../../files/foo/{}", file["filename"].as_str().unwrap()).into();
        if position == 3 {
            file["yanked"] = false.into();
        }
    }
    expected["files"][0]["provenance"] = "../../integrity/foo/1.0/foo-1.0-py3-none-any.whl/provenance".into();
    assert_eq!(value_of(&*index, FORM_JSON, &allow_all(&*index)), expected);
}

#[test]
fn html_says_the_same() {
    let index = read(&json_page(&full_page()), None).unwrap();
    let page = text_of(&*index, FORM_HTML, &allow_all(&*index));
    let short = page.replace(SHA_A, "[a]").replace(SHA_B, "[b]");
    insta::assert_snapshot!(short, @r#"
    <!DOCTYPE html>
    <html>
      <head>
        <meta name="pypi:repository-version" content="1.4">
        <meta name="pypi:project-status" content="archived">
        <meta name="pypi:project-status-reason" content="see &lt;bar&gt;">
        <meta name="pypi:tracks" content="https://other.example/simple/foo/">
        <meta name="pypi:alternate-locations" content="https://mirror.example/simple/foo/">
        <title>Links for foo</title>
      </head>
      <body>
        <h1>Links for foo</h1>
        <a href="../../files/foo/foo-1.0-py3-none-any.whl#sha256=[a]" data-requires-python="&gt;=3.8,&lt;4" data-dist-info-metadata="sha256=[b]" data-core-metadata="sha256=[b]" data-upload-time="2026-01-01T00:00:00.123456Z" data-provenance="../../integrity/foo/1.0/foo-1.0-py3-none-any.whl/provenance">foo-1.0-py3-none-any.whl</a><br>
        <a href="../../files/foo/foo-1.0.tar.gz#sha256=[b]" data-yanked="broken &quot;build&quot;" data-upload-time="2026-01-01T00:00:01Z" data-provenance="https://attest.example/foo-1.0.tar.gz">foo-1.0.tar.gz</a><br>
        <a href="../../files/foo/foo-1.1-py3-none-any.whl#sha256=[a]" data-dist-info-metadata="true" data-core-metadata="true" data-gpg-sig="true" data-yanked="" data-upload-time="2026-02-01T00:00:00Z">foo-1.1-py3-none-any.whl</a><br>
        <a href="../../files/foo/foo-1.1.tar.gz" data-upload-time="2026-02-01T00:00:00Z">foo-1.1.tar.gz</a><br>
      </body>
    </html>
    "#);
}

/// The upstream's form makes no difference: what HTML can carry survives a way through both forms.
#[test]
fn one_form_becomes_the_other() {
    let from_json = read(&json_page(&full_page()), None).unwrap();
    let first = text_of(&*from_json, FORM_HTML, &allow_all(&*from_json));
    let from_html = read(&html(&*first), None).unwrap();
    assert_eq!(from_html.files().len(), 4);
    // Addresses now begin at the page; everything else is the same, byte for byte.
    assert_eq!(text_of(&*from_html, FORM_HTML, &allow_all(&*from_html)), first);
    let as_json = value_of(&*from_html, FORM_JSON, &allow_all(&*from_html));
    assert_eq!(as_json["meta"]["api-version"], "1.0", "HTML has no sizes, which 1.1 demands");
    assert_eq!(as_json["versions"], json!(["1.0", "1.1"]));
    assert_eq!(as_json["project-status"], json!({ "status": "archived", "reason": "see <bar>" }));
    let file = &as_json["files"][0];
    assert_eq!(file["upload-time"], "2026-01-01T00:00:00.123456Z");
    assert_eq!(file["hashes"], json!({ "sha256": SHA_A }));
    assert_eq!(file["core-metadata"], json!({ "sha256": SHA_B }));
    assert_eq!(as_json["files"][2]["core-metadata"], true);
    assert_eq!(as_json["files"][2]["yanked"], true);
    assert_eq!(as_json["files"][1]["yanked"], "broken \"build\"");
}

#[test]
fn withheld_files_stay_listed_with_the_reason() {
    let index = read(&json_page(&full_page()), None).unwrap();
    let verdicts: Vec<Verdict> = (0..4).map(|_| withheld("new-packages: 2 days old, needs 3")).collect();
    let page = value_of(&*index, FORM_JSON, &verdicts);
    let reasons: Vec<&str> =
        page["files"].as_array().unwrap().iter().map(|file| file["yanked"].as_str().unwrap()).collect();
    assert_eq!(
        reasons,
        [
            "new-packages: 2 days old, needs 3",
            "new-packages: 2 days old, needs 3; also yanked upstream: broken \"build\"",
            "new-packages: 2 days old, needs 3; also yanked upstream",
            "new-packages: 2 days old, needs 3",
        ]
    );
    assert_eq!(page["files"][0]["core-metadata"], json!({ "sha256": SHA_B }), "the sidecar stays announced");
    let page = text_of(&*index, FORM_HTML, &verdicts);
    assert_eq!(page.matches("data-yanked=\"new-packages: 2 days old, needs 3").count(), 4);
    assert_eq!(page.matches("<a href=").count(), 4);
}

/// Files without a decision are withheld: a list of verdicts that is too short opens nothing.
#[test]
fn no_decision_is_no_permission() {
    let index = read(&json_page(&full_page()), None).unwrap();
    let page = value_of(&*index, FORM_JSON, &[Verdict::default()]);
    assert_eq!(page["files"][0]["yanked"], false);
    assert_eq!(page["files"][3]["yanked"], "withheld: nothing was decided about this file");
    let silent = withheld("");
    let page = value_of(&*index, FORM_JSON, &[silent]);
    assert_eq!(page["files"][0]["yanked"], "withheld by policy");
}

#[test]
fn a_thin_mirror_is_enough() {
    let page = r#"<!doctype html><html><head><title>Links for foo</title>
        <base href="/mirror/"></head><body>
        <A HREF=foo-1.0.tar.gz#sha256=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa>x</A>
        <a href="https://files.example/f?name=1&amp;key=2">no file name of foo</a>
        <a href='sub/../foo-1.1-py3-none-any.whl?token=1&amp;b=2#egg=foo' data-requires-python="&gt;=3.8"
           data-dist-info-metadata=true data-yanked>y</a>"#;
    let index = read(&html(page), None).unwrap();
    let files = index.files();
    assert_eq!(files.len(), 2);
    assert_eq!(files[0].location.as_str(), "https://registry.example/mirror/foo-1.0.tar.gz");
    assert_eq!(files[0].digests[0].hex(), SHA_A);
    assert_eq!(
        files[1].location.as_str(),
        "https://registry.example/mirror/foo-1.1-py3-none-any.whl?token=1&b=2"
    );
    assert!(files[1].digests.is_empty() && files[1].metadata_sidecar.is_some());
    assert_eq!(files[1].attestation, Stated::NotOffered, "such a page knows nothing of provenance");
    assert_eq!(files[1].yanked.as_ref().unwrap().reason, None);
    let page = value_of(&*index, FORM_JSON, &allow_all(&*index));
    assert_eq!(page["files"][1]["requires-python"], ">=3.8");
    assert_eq!(page["files"][1]["yanked"], true);
    assert!(page["files"][1].get("upload-time").is_none(), "an unknown time is not made up");
}

#[test]
fn the_form_is_told_by_content_where_nothing_names_it() {
    let url = "https://registry.example/simple/foo/";
    let json = super::document(url, "", json!({ "name": "foo", "files": [] }).to_string());
    assert!(read(&json, None).is_ok());
    let page = super::document(url, "text/plain", "<a href=foo-1.0.zip>");
    assert_eq!(read(&page, None).unwrap().files().len(), 1);
}

#[test]
fn both_names_of_the_sidecar_are_understood() {
    let file = |member: Value| {
        let mut file = json!({ "filename": "foo-1.0-py3-none-any.whl", "url": "foo-1.0-py3-none-any.whl", "hashes": {} });
        file.as_object_mut().unwrap().extend(member.as_object().unwrap().clone());
        let index = read(&json_page(&json!({ "name": "foo", "files": [file] })), None).unwrap();
        index.files()[0].metadata_sidecar.clone()
    };
    assert!(file(json!({ "dist-info-metadata": true })).is_some());
    assert!(file(json!({ "data-dist-info-metadata": { "sha256": SHA_A } })).is_some());
    assert!(
        file(json!({ "core-metadata": false, "dist-info-metadata": true })).is_none(),
        "the new name wins"
    );
    assert!(file(json!({ "core-metadata": null })).is_none());
}

#[test]
fn another_views_word_is_refused() {
    let index = read(&json_page(&full_page()), None).unwrap();
    let refused = index.render(&view("npm-full", None), &allow_all(&*index), &super::links());
    assert_eq!(refused, Err(IndexError::NoSuchView("npm-full".into())));
}

fn any_text() -> impl Strategy<Value = String> {
    // What would end an attribute, an element, a JSON string or a line.
    "[ -~\u{e9}\u{2028}<>\"'&\\\\\n]{0,40}"
}

prop_compose! {
    fn any_file()(
        version in "[0-9]{1,3}\\.[0-9]{1,3}",
        wheel in any::<bool>(),
        digits in "[0-9a-f]{64}",
        requires in proptest::option::of(any_text()),
        yanked in proptest::option::of(any_text()),
        metadata in proptest::option::of("[0-9a-f]{64}"),
        time in proptest::option::of(0_i64..4_000_000_000),
    ) -> Value {
        let filename = if wheel { format!("foo-{version}-py3-none-any.whl") } else { format!("foo-{version}.tar.gz") };
        let mut file = json!({ "url": format!("https://files.example/{filename}"), "filename": filename, "hashes": { "sha256": digits } });
        // A carriage return is normalised by HTML itself, and so is NUL: neither stands in these texts.
        if let Some(requires) = requires { file["requires-python"] = requires.into(); }
        if let Some(yanked) = yanked { file["yanked"] = yanked.into(); }
        if let Some(digits) = metadata { file["core-metadata"] = json!({ "sha256": digits }); }
        if let Some(time) = time { file["upload-time"] = tidegate_model::Timestamp::from_unix_seconds(time).to_string().into(); }
        file
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// JSON to HTML to JSON to HTML says the same at each step.
    #[test]
    fn forms_are_equivalent(files in proptest::collection::vec(any_file(), 0..6)) {
        let page = json!({ "meta": { "api-version": "1.0" }, "name": "foo", "files": files });
        let one = read(&json_page(&page), None).unwrap();
        let page_one = text_of(&*one, FORM_HTML, &allow_all(&*one));
        let two = read(&html(&*page_one), None).unwrap();
        let (json_one, json_two) =
            (value_of(&*one, FORM_JSON, &allow_all(&*one)), value_of(&*two, FORM_JSON, &allow_all(&*two)));
        prop_assert_eq!(&json_one, &json_two);
        let three = read(&json_page(&json_two), None).unwrap();
        prop_assert_eq!(text_of(&*three, FORM_HTML, &allow_all(&*three)), page_one);
    }

    /// Whatever is withheld is marked in every form; whatever else there is stays as it was; digests never change.
    #[test]
    fn withholding_only_adds_marks(files in proptest::collection::vec(any_file(), 1..6), mask in any::<u8>()) {
        let page = json!({ "meta": { "api-version": "1.0" }, "name": "foo", "files": files });
        let index = read(&json_page(&page), None).unwrap();
        let verdicts: Vec<Verdict> = (0..index.files().len())
            .map(|at| if mask >> at & 1 == 1 { withheld("held") } else { Verdict::default() })
            .collect();
        let open = value_of(&*index, FORM_JSON, &allow_all(&*index));
        for form in BOTH {
            let Rendered::Document { body, .. } = index.render(&view(form, None), &verdicts, &super::links()).unwrap()
            else { panic!() };
            let again = if form == FORM_HTML { html(body) } else { super::document("https://registry.example/simple/foo/", "application/json", body) };
            let again = read(&again, None).unwrap();
            prop_assert_eq!(again.files().len(), index.files().len());
            for (at, file) in again.files().iter().enumerate() {
                if verdicts[at].withheld {
                    let reason = file.yanked.as_ref().and_then(|y| y.reason.clone()).unwrap_or_default();
                    prop_assert!(reason.starts_with("held"), "{}", reason);
                } else {
                    prop_assert_eq!(&file.yanked, &index.files()[at].yanked);
                }
                prop_assert_eq!(&file.digests, &index.files()[at].digests);
                prop_assert_eq!(file.published_at, index.files()[at].published_at);
            }
        }
        prop_assert_eq!(open["files"].as_array().unwrap().len(), index.files().len());
    }
}
