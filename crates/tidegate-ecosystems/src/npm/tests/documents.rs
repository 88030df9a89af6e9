//! What is read of a packument, and how it is shown.

use http::HeaderMap;
use insta::assert_snapshot;
use tidegate_model::Stated;

use super::*;

fn with_version(object: &str) -> String {
    format!(
        r#"{{"name":"x","dist-tags":{{}},"versions":{{"1.0.0":{object}}},"time":{{"1.0.0":"2026-01-01T00:00:00Z"}}}}"#
    )
}

#[test]
fn a_packument_is_read() {
    let index = fixture();
    let of = |version: &str| index.files().iter().find(|f| f.version.as_str() == version).unwrap();
    let versions: Vec<&str> = index.files().iter().map(|f| f.version.as_str()).collect();
    assert_eq!(versions, ["1.0.0", "1.1.0", "1.2.0-rc.1", "1.2.0", "2.0.0"]);
    let first = of("1.0.0");
    assert_eq!(first.file.as_str(), "left-1.0.0.tgz");
    assert_eq!(first.location.as_str(), "https://files.example/@acme/left/-/left-1.0.0.tgz");
    assert_eq!(first.published_at.unwrap().to_string(), "2020-01-01T00:00:00Z");
    assert_eq!(first.deprecated.as_deref(), Some("use 1.1"));
    assert_eq!(first.licence, Stated::Known("MIT OR Apache-2.0".into()));
    assert_eq!(first.publisher, Stated::Known("ann".into()));
    let algorithms: Vec<&str> = first.digests.iter().map(|d| d.algorithm().as_str()).collect();
    assert_eq!(algorithms, ["sha512", "sha1"]);
    assert_eq!((first.size, &first.yanked), (None, &None));
    let scripts: Vec<bool> = index.files().iter().map(|f| *f.install_script.known().unwrap()).collect();
    assert_eq!(scripts, [false, true, false, true, false]);
    assert_eq!(of("1.2.0-rc.1").licence, Stated::Known("ISC".into()));
    assert_eq!(of("2.0.0").attestation, Stated::Known(false));
    assert_eq!(of("1.2.0").attestation, Stated::Known(true));
    assert_eq!(index.project_published_at(), first.published_at);
    assert!(index.weight() > PACKUMENT.len());
}

#[test]
fn a_thin_upstream_is_read() {
    let index = parse("x", with_version(r#"{"dist":{"tarball":"x/-/x-1.0.0.tgz"}}"#)).unwrap();
    let file = &index.files()[0];
    assert_eq!(file.location.as_str(), "https://registry.example/npm/x/-/x-1.0.0.tgz");
    assert_eq!(file.attestation, Stated::NotOffered);
    assert_eq!(file.publisher, Stated::NotOffered);
    assert_eq!(file.licence, Stated::Known(String::new()));
    assert_eq!(file.install_script, Stated::Known(false));
    assert!(file.digests.is_empty());
    assert!(parse("x", r#"{"name":"x","time":{"unpublished":{}}}"#).unwrap().files().is_empty());
}

#[test]
fn nothing_withheld_changes_addresses_only() {
    let index = fixture();
    let full = document(&*index, "npm-full", &verdicts(&*index, |_| false));
    let expected = PACKUMENT
        .trim_end()
        .replace("https://files.example/@acme/left/-/", "http://127.0.0.1:8484/npm/@acme/left/-/")
        .replace("https://registry.example/npm/-/npm", "http://127.0.0.1:8484/npm/-/npm");
    assert_eq!(full, expected);
}

#[test]
fn withheld_versions_move_to_the_restrictions() {
    let index = fixture();
    let full =
        document(&*index, "npm-full", &verdicts(&*index, |v| ["2.0.0", "1.2.0", "1.2.0-rc.1"].contains(&v)));
    let full = json(&full);
    assert_snapshot!(full["dist-tags"].to_string(), @r#"{"latest":"1.1.0","old":"1.0.0"}"#);
    assert_snapshot!(full["time"].to_string(), @r#"{"created":"2020-01-01T00:00:00.000Z","modified":"2026-11-20T09:00:00.000Z","1.0.0":"2020-01-01T00:00:00.000Z","1.1.0":"2021-01-01T00:00:00.000Z"}"#);
    assert_eq!(full["versions"].as_object().unwrap().keys().collect::<Vec<_>>(), ["1.0.0", "1.1.0"]);
    assert_snapshot!(serde_json::to_string_pretty(&full["policyRestrictions"]).unwrap(), @r#"
    {
      "message": "2.0.0: 2.0.0 is too young\n1.2.0: 1.2.0 is too young\n1.2.0-rc.1: 1.2.0-rc.1 is too young\nnewest version that may be had: @acme/left@1.1.0",
      "versions": {
        "1.2.0-rc.1": {
          "name": "@acme/left",
          "version": "1.2.0-rc.1",
          "reason": "1.2.0-rc.1 is too young"
        },
        "1.2.0": {
          "name": "@acme/left",
          "version": "1.2.0",
          "reason": "1.2.0 is too young"
        },
        "2.0.0": {
          "name": "@acme/left",
          "version": "2.0.0",
          "reason": "2.0.0 is too young"
        }
      }
    }
    "#);
}

#[test]
fn the_abbreviated_form_is_made_here() {
    let index = fixture();
    let text = document(&*index, "npm-abbreviated", &verdicts(&*index, |v| v != "1.1.0"));
    assert_snapshot!(serde_json::to_string_pretty(&json(&text)["versions"]).unwrap(), @r#"
    {
      "1.1.0": {
        "name": "@acme/left",
        "version": "1.1.0",
        "dependencies": {
          "b": "^1.0.0"
        },
        "dist": {
          "integrity": "sha512-08OLcsBFdBaTVpvfD/rXx/ITWpg1i9wmoxumVBENY0ezJ5e1Tg+kHcM2xTL+6chD+grn/GIWLDZY0ez5R83/4g==",
          "shasum": "528cf42af97409ff91db4e7793a81bc5f447d215",
          "tarball": "http://127.0.0.1:8484/npm/@acme/left/-/left-1.1.0.tgz",
          "fileCount": 3,
          "unpackedSize": 1234,
          "signatures": [
            {
              "keyid": "SHA256:example",
              "sig": "MEUCIQ=="
            }
          ]
        },
        "hasInstallScript": true
      }
    }
    "#);
    let members = |text: &str| json(text).as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(members(&text), ["name", "modified", "dist-tags", "versions", "time", "policyRestrictions"]);
    let everything = json(&document(&*index, "npm-abbreviated", &verdicts(&*index, |_| false)));
    let keys = |version: &str| {
        everything["versions"][version].as_object().unwrap().keys().cloned().collect::<Vec<_>>()
    };
    assert_eq!(keys("1.0.0"), ["name", "version", "dependencies", "dist", "deprecated"]);
    assert_eq!(keys("1.2.0"), ["name", "version", "dependencies", "dist", "hasInstallScript"]);
    assert_eq!(keys("2.0.0"), ["name", "version", "dependencies", "dist", "peerDependenciesMeta", "engines"]);
    assert_eq!(everything["modified"], "2026-11-20T09:00:00.000Z");
    assert_eq!(everything["time"]["1.1.0"], "2021-01-01T00:00:00.000Z");
}

#[test]
fn media_types_are_the_registrys() {
    let index = fixture();
    for (form, expected) in [
        ("npm-full", "application/json"),
        ("npm-abbreviated", "application/vnd.npm.install-v1+json"),
        ("npm-dist-tags", "application/json"),
        ("npm-version", "application/json"),
    ] {
        let Rendered::Document { content_type, .. } =
            rendered(&*index, form, None, &verdicts(&*index, |_| false))
        else {
            panic!("{form}")
        };
        assert_eq!(content_type, expected);
    }
    let view = View { form: "cargo-lines", selector: None };
    assert!(matches!(index.render(&view, &[], &links()), Err(IndexError::NoSuchView(_))));
}

#[test]
fn latest_moves_backwards_only() {
    let check = |withheld: &[&str], expected: &str| {
        let index = fixture();
        let tags = document(&*index, "npm-dist-tags", &verdicts(&*index, |v| withheld.contains(&v)));
        assert_eq!(tags, expected, "{withheld:?}");
    };
    check(&[], r#"{"latest":"2.0.0","old":"1.0.0","next":"1.2.0-rc.1"}"#);
    check(&["2.0.0"], r#"{"latest":"1.2.0","old":"1.0.0","next":"1.2.0-rc.1"}"#);
    check(&["2.0.0", "1.2.0", "1.1.0", "1.0.0"], r#"{"latest":"1.2.0-rc.1","next":"1.2.0-rc.1"}"#);
    check(&["1.0.0", "1.1.0", "1.2.0-rc.1", "1.2.0", "2.0.0"], "{}");
    check(&["1.2.0-rc.1"], r#"{"latest":"2.0.0","old":"1.0.0"}"#);
    // Nothing below `latest` is left: what stands above was never called that.
    let body = PACKUMENT.replace(r#""latest":"2.0.0""#, r#""latest":"1.0.0""#);
    let index = parse("@acme/left", body).unwrap();
    let tags = document(&*index, "npm-dist-tags", &verdicts(&*index, |v| v == "1.0.0"));
    assert_eq!(tags, r#"{"next":"1.2.0-rc.1"}"#);
}

#[test]
fn one_version_is_shown_by_version_or_tag() {
    let index = fixture();
    let ask = |selector: &str, withheld: &[&str]| match rendered(
        &*index,
        "npm-version",
        Some(selector),
        &verdicts(&*index, |v| withheld.contains(&v)),
    ) {
        Rendered::Document { body, .. } => {
            let object = json(std::str::from_utf8(&body).unwrap());
            let version = object["version"].as_str().unwrap().to_owned();
            let tarball = format!("http://127.0.0.1:8484/npm/@acme/left/-/left-{version}.tgz");
            assert_eq!(object["dist"]["tarball"], tarball);
            version
        }
        Rendered::Withheld(position) => format!("withheld {}", index.files()[position].version),
        Rendered::Absent(what) => format!("absent {what}"),
        Rendered::Unknown(why) => format!("unknown {why}"),
    };
    assert_eq!(ask("1.1.0", &[]), "1.1.0");
    assert_eq!(ask("latest", &[]), "2.0.0");
    assert_eq!(ask("latest", &["2.0.0"]), "1.2.0");
    assert_eq!(ask("next", &["1.2.0-rc.1"]), "withheld 1.2.0-rc.1");
    assert_eq!(ask("1.1.0", &["1.1.0"]), "withheld 1.1.0");
    for absent in ["^1.0.0", "9.9.9", "nosuch", "v1.1.0", "1.1", "*", "=1.1.0", "1.1.0 "] {
        assert_eq!(ask(absent, &[]), format!("absent {absent}"));
    }
    assert_eq!(ask("latest", &["1.0.0", "1.1.0", "1.2.0-rc.1", "1.2.0", "2.0.0"]), "withheld 2.0.0");
}

#[test]
fn a_message_is_bounded_and_tells_the_newest_first() {
    let versions: Vec<String> = (0..500)
        .map(|n| format!(r#""1.{n}.0":{{"version":"1.{n}.0","dist":{{"tarball":"x-1.{n}.0.tgz"}}}}"#))
        .collect();
    let index = parse("x", format!(r#"{{"name":"x","versions":{{{}}}}}"#, versions.join(","))).unwrap();
    let message = |verdicts: &[Verdict]| {
        json(&document(&*index, "npm-full", verdicts))["policyRestrictions"]["message"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let each = message(&verdicts(&*index, |_| true));
    assert!(each.starts_with("1.499.0: 1.499.0 is too young\n1.498.0: "), "{each}");
    assert!(each.contains("more versions; `tidegate why pkg:npm/x@<version>` tells of each"), "{each}");
    assert!(each.ends_with("no version of it may be had now"));
    assert!(each.len() < 4096 + 200, "{}", each.len());
    let same = vec![withhold("known malware \"M\"\u{1b}[1m\n"); 500];
    assert_snapshot!(message(&same), @r#"
    1.499.0, 1.498.0, 1.497.0, 1.496.0, 1.495.0, 1.494.0, 1.493.0, 1.492.0 and 492 more: known malware "M"[1m
    no version of it may be had now
    "#);
    let mut untold = vec![Verdict::default(); 499];
    untold.push(Verdict {
        message: String::new(),
        until: Some("2026-11-24T09:10:00Z".parse().unwrap()),
        ..withhold("")
    });
    assert_snapshot!(message(&untold), @r"
    1.499.0: withheld by policy (quarantine) (from 2026-11-24 09:10 UTC on it may be had)
    newest version that may be had: x@1.498.0
    ");
    untold[499] = withhold("x@1.499.0 is 1 day old");
    assert!(message(&untold).starts_with("x@1.499.0 is 1 day old\n"));
    // A file that was never decided is withheld.
    assert!(message(&untold[..499]).starts_with("1.499.0: not decided yet"));
}

#[test]
fn upstreams_own_restrictions_stay() {
    let body = r#"{"name":"x","versions":{"1.0.0":{"dist":{"tarball":"x-1.0.0.tgz"}}},"policyRestrictions":{"message":"mirror says no","versions":{"2.0.0":{"version":"2.0.0"},"1.0.0":{"version":"0"}}}}"#;
    let index = parse("x", body).unwrap();
    let quiet = json(&document(&*index, "npm-full", &verdicts(&*index, |_| false)));
    assert_eq!(quiet["policyRestrictions"], json(body)["policyRestrictions"]);
    for form in ["npm-full", "npm-abbreviated"] {
        let both = json(&document(&*index, form, &verdicts(&*index, |_| true)));
        let restrictions = &both["policyRestrictions"];
        assert!(restrictions["message"].as_str().unwrap().ends_with("upstream says: mirror says no"));
        let versions = restrictions["versions"].as_object().unwrap();
        assert_eq!(versions.keys().collect::<Vec<_>>(), ["1.0.0", "2.0.0"]);
        assert_eq!(versions["1.0.0"]["version"], "1.0.0");
    }
}

#[test]
fn documents_of_ours_and_refusals_are_json() {
    let path = "x";
    let headers = HeaderMap::new();
    let request =
        crate::ClientRequest { method: &http::Method::GET, path, query: None, headers: &headers, body: b"" };
    let denial = tidegate_model::Denial {
        kind: tidegate_model::denial::DenialKind::Policy { action: Action::Quarantine, until: None },
        reason: "x@1.1.0 is 1 day old and must be 3 (rule new-packages)".into(),
        detail: "newest version that may be had: x@1.0.0\nask for a waiver: tidegate waiver request pkg:npm/x@1.1.0".into(),
        decision: None,
        help: Some("http://127.0.0.1:8484/d/abc".into()),
    };
    let answer = Npm.deny(&denial, &request);
    assert_eq!(answer.status, 403);
    assert_eq!(answer.phrase.as_deref(), Some("x@1.1.0 is 1 day old and must be 3 (rule new-packages)"));
    assert_snapshot!(serde_json::to_string_pretty(&json(std::str::from_utf8(&answer.body).unwrap())).unwrap(), @r#"
    {
      "type": "http://127.0.0.1:8484/d/abc",
      "title": "x@1.1.0 is 1 day old and must be 3 (rule new-packages)",
      "status": 403,
      "detail": "newest version that may be had: x@1.0.0\nask for a waiver: tidegate waiver request pkg:npm/x@1.1.0",
      "code": "policy_quarantine",
      "error": "x@1.1.0 is 1 day old and must be 3 (rule new-packages)\nnewest version that may be had: x@1.0.0\nask for a waiver: tidegate waiver request pkg:npm/x@1.1.0\nhttp://127.0.0.1:8484/d/abc",
      "message": "x@1.1.0 is 1 day old and must be 3 (rule new-packages)"
    }
    "#);

    let links = links();
    let ping = Npm.generate("ping", &links, &tidegate_model::Principal::anonymous(), false);
    assert_eq!((ping.status.as_u16(), &*ping.body), (200, &b"{}"[..]));
    let nobody = Npm.generate("whoami", &links, &tidegate_model::Principal::anonymous(), false);
    assert_eq!(nobody.status, 401);
    assert!(json(std::str::from_utf8(&nobody.body).unwrap())["error"].is_string());
    let ann = tidegate_model::Principal { id: "ann \"a\"".into(), ..Default::default() };
    let body = Npm.generate("whoami", &links, &ann, false).body;
    assert_eq!(json(std::str::from_utf8(&body).unwrap())["username"], "ann \"a\"");
}
