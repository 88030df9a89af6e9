//! What holds of every packument and every set of decisions.

use proptest::prelude::*;
use serde_json::json;

use super::*;

#[derive(Clone, Debug)]
struct Case {
    versions: Vec<(String, bool, bool)>,
    tags: Vec<(String, usize)>,
    pretty: bool,
}

fn case() -> impl Strategy<Value = Case> {
    let version = (0_u8..4, 0_u8..4, prop_oneof![Just(""), Just("-rc.1"), Just("-beta+b.1")]);
    let versions = prop::collection::btree_map(version, (any::<bool>(), any::<bool>()), 0..12);
    let tags = prop::collection::btree_map("latest|next|[a-z]{1,4}", 0_usize..14, 0..5);
    (versions, tags, any::<bool>()).prop_map(|(versions, tags, pretty)| Case {
        versions: versions
            .into_iter()
            .map(|((minor, patch, pre), (withheld, attested))| {
                (format!("1.{minor}.{patch}{pre}"), withheld, attested)
            })
            .collect(),
        tags: tags.into_iter().collect(),
        pretty,
    })
}

impl Case {
    fn value(&self) -> Value {
        let mut versions = serde_json::Map::new();
        let mut time = serde_json::Map::new();
        for (version, _, attested) in &self.versions {
            let mut dist = json!({
                "shasum": "0000000000000000000000000000000000000001", "tarball": format!("https://files.example/{version}.tgz"),
                "integrity": format!("sha512-{version}"), "signatures": [{"sig": format!("s\"{version}")}],
            });
            if *attested {
                dist["attestations"] =
                    json!({"url": "https://registry.example/a", "provenance": {"predicateType": "p"}});
            }
            let object =
                json!({"name": "x", "version": version, "dist": dist, "readme": "\u{e9}\\", "bin": "b"});
            versions.insert(version.clone(), object);
            time.insert(version.clone(), "2026-01-01T00:00:00.000Z".into());
        }
        let target = |n: usize| self.versions.get(n).map_or_else(|| "9.9.9".to_owned(), |v| v.0.clone());
        let tags: serde_json::Map<_, _> =
            self.tags.iter().map(|(tag, n)| (tag.clone(), target(*n).into())).collect();
        time.insert("modified".into(), "2026-01-02T00:00:00.000Z".into());
        json!({"name": "x", "dist-tags": tags, "versions": versions, "time": time, "readme": "r"})
    }

    fn text(&self) -> String {
        let value = self.value();
        if self.pretty { serde_json::to_string_pretty(&value).unwrap() } else { value.to_string() }
    }
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().map(|o| o.keys().map(String::as_str).collect()).unwrap_or_default()
}

proptest! {
    #[test]
    fn what_is_withheld_cannot_be_selected(case in case()) {
        let index = parse("x", case.text()).unwrap();
        let withheld: Vec<&str> = case.versions.iter().filter(|v| v.1).map(|v| &*v.0).collect();
        let verdicts = verdicts(&*index, |version| withheld.contains(&version));
        let original = case.value();
        for form in ["npm-full", "npm-abbreviated"] {
            let shown = json(&document(&*index, form, &verdicts));
            for version in &withheld {
                prop_assert!(shown["versions"].get(version).is_none());
                prop_assert!(shown["time"].get(version).is_none());
                prop_assert!(shown["policyRestrictions"]["versions"].get(version).is_some());
                prop_assert!(shown["policyRestrictions"]["versions"][version].get("dist").is_none());
            }
            prop_assert_eq!(keys(&shown["versions"]).len(), case.versions.len() - withheld.len());
            prop_assert_eq!(shown.get("policyRestrictions").is_some(), !withheld.is_empty());
            for version in keys(&shown["versions"]) {
                let (now, then) = (&shown["versions"][version]["dist"], &original["versions"][version]["dist"]);
                for member in ["integrity", "shasum", "signatures"] {
                    prop_assert_eq!(&now[member], &then[member]);
                }
                prop_assert_eq!(&now["attestations"]["provenance"], &then["attestations"]["provenance"]);
                let tarball = format!("http://127.0.0.1:8484/npm/x/-/x-{version}.tgz");
                prop_assert_eq!(&now["tarball"], &Value::from(tarball));
                if then.get("attestations").is_some() {
                    let url = format!("http://127.0.0.1:8484/npm/-/npm/v1/attestations/x@{version}");
                    prop_assert_eq!(&now["attestations"]["url"], &Value::from(url));
                }
            }
            prop_assert!(!shown.to_string().contains("files.example"));
        }
        let tags = json(&document(&*index, "npm-dist-tags", &verdicts));
        let full = json(&document(&*index, "npm-full", &verdicts));
        prop_assert_eq!(&tags, &full["dist-tags"]);
        for (tag, target) in tags.as_object().unwrap() {
            prop_assert!(!withheld.contains(&target.as_str().unwrap()), "{}", tag);
            if tag != "latest" {
                prop_assert_eq!(target, &original["dist-tags"][tag]);
            }
            let one = rendered(&*index, "npm-version", Some(tag), &verdicts);
            let Rendered::Document { body, .. } = one else {
                prop_assert_eq!(target, "9.9.9");
                continue;
            };
            prop_assert_eq!(&json(std::str::from_utf8(&body).unwrap())["version"], target);
        }
        for version in &withheld {
            let one = rendered(&*index, "npm-version", Some(version), &verdicts);
            prop_assert!(matches!(one, Rendered::Withheld(n) if index.files()[n].version.as_str() == *version));
        }
    }

    #[test]
    fn nothing_withheld_changes_addresses_only(case in case()) {
        let index = parse("x", case.text()).unwrap();
        let mut expected = case.value();
        for (version, _, attested) in &case.versions {
            let dist = &mut expected["versions"][version]["dist"];
            dist["tarball"] = format!("http://127.0.0.1:8484/npm/x/-/x-{version}.tgz").into();
            if *attested {
                dist["attestations"]["url"] = format!("http://127.0.0.1:8484/npm/-/npm/v1/attestations/x@{version}").into();
            }
        }
        let shown = document(&*index, "npm-full", &verdicts(&*index, |_| false));
        prop_assert_eq!(&json(&shown), &expected);
        if !case.pretty {
            prop_assert_eq!(shown, expected.to_string());
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(body in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = parse("x", body);
    }

    #[test]
    fn a_damaged_document_never_panics(case in case(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut body = case.text().into_bytes();
        let at = at.index(body.len());
        body[at] = byte;
        if let Ok(index) = parse("x", body) {
            for form in ["npm-full", "npm-abbreviated", "npm-dist-tags"] {
                // Whatever is accepted is shown as valid JSON.
                json(&document(&*index, form, &verdicts(&*index, |_| true)));
            }
        }
    }
}
