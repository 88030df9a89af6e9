//! Documents, absences, settings.

use super::super::{Catalogue, DocumentKey, NewDocument};
use super::{Check, at, sha};

pub(super) const CHECKS: &[Check] = &[
    ("a document comes back as it was kept", kept),
    ("an upstream switch finds nothing cached", upstream_is_part_of_the_key),
    ("absence ends by time and by being found", absence),
    ("pruning takes what nobody checked", pruning),
    ("settings", settings),
];

const KEY: DocumentKey<'static> = DocumentKey {
    repository: "npm",
    upstream: "https://registry.example/",
    package: "left-pad",
    kind: "npm-full",
};

fn document(body: &[u8]) -> NewDocument<'_> {
    NewDocument {
        body,
        etag: Some("\"v1\""),
        last_modified: None,
        content_type: Some("application/json"),
        url: "https://registry.example/left-pad",
        digest: sha(1),
        fetched_at: at(0),
    }
}

fn kept(c: &dyn Catalogue) {
    assert_eq!(c.document(&KEY).unwrap(), None);
    let large: Vec<u8> = (0..3_000_000u32).flat_map(|n| (n / 7).to_le_bytes()).collect();
    for body in [&large[..], b"", b"{}"] {
        c.put_document(&KEY, &document(body)).unwrap();
        let found = c.document(&KEY).unwrap().unwrap();
        assert_eq!(&found.body[..], body);
        assert_eq!((found.head.etag.as_deref(), found.head.last_modified.as_deref()), (Some("\"v1\""), None));
        assert_eq!((found.head.size, found.head.digest), (body.len() as u64, sha(1)));
        assert_eq!((found.head.fetched_at, found.head.checked_at), (at(0), at(0)));
        assert_eq!(c.document_head(&KEY).unwrap(), Some(found.head));
    }
    assert!(c.touch_document(&KEY, at(60)).unwrap());
    assert!(c.touch_document(&KEY, at(30)).unwrap(), "an older check is no failure");
    let head = c.document_head(&KEY).unwrap().unwrap();
    assert_eq!((head.fetched_at, head.checked_at), (at(0), at(60)));
    assert!(!c.touch_document(&DocumentKey { kind: "npm-abbreviated", ..KEY }, at(60)).unwrap());
    assert!(c.forget_document(&KEY).unwrap());
    assert!(!c.forget_document(&KEY).unwrap());
    assert_eq!(c.document(&KEY).unwrap(), None);
}

fn upstream_is_part_of_the_key(c: &dyn Catalogue) {
    c.put_document(&KEY, &document(b"{}")).unwrap();
    c.put_absent("npm", KEY.upstream, "gone", at(1000)).unwrap();
    for other in [
        DocumentKey { upstream: "https://other.example/", ..KEY },
        DocumentKey { repository: "npm-internal", ..KEY },
        DocumentKey { package: "right-pad", ..KEY },
        DocumentKey { kind: "npm-abbreviated", ..KEY },
    ] {
        assert_eq!(c.document(&other).unwrap(), None, "{other:?}");
    }
    assert_eq!(c.absent("npm", "https://other.example/", "gone", at(0)).unwrap(), None);
    assert_eq!(c.forget_documents("npm", "https://other.example/").unwrap(), 0);
    assert_eq!(c.forget_documents("npm", KEY.upstream).unwrap(), 1);
    assert_eq!(c.document(&KEY).unwrap(), None);
    assert_eq!(c.absent("npm", KEY.upstream, "gone", at(0)).unwrap(), None);
}

fn absence(c: &dyn Catalogue) {
    let absent = |seconds| c.absent("npm", KEY.upstream, "left-pad", at(seconds)).unwrap();
    assert_eq!(absent(0), None);
    c.put_absent("npm", KEY.upstream, "left-pad", at(30)).unwrap();
    assert_eq!((absent(29), absent(30)), (Some(at(30)), None));
    c.put_document(&KEY, &document(b"{}")).unwrap();
    assert_eq!(absent(0), None, "found clears it");
}

fn pruning(c: &dyn Catalogue) {
    let other = DocumentKey { package: "other", ..KEY };
    c.put_document(&KEY, &document(b"{}")).unwrap();
    c.put_document(&other, &document(b"{}")).unwrap();
    c.touch_document(&other, at(100)).unwrap();
    c.put_absent("npm", KEY.upstream, "over", at(50)).unwrap();
    c.put_absent("npm", KEY.upstream, "still", at(200)).unwrap();
    assert_eq!(c.prune_documents(at(100), at(100)).unwrap(), 1);
    assert!(c.document(&KEY).unwrap().is_none() && c.document(&other).unwrap().is_some());
    assert_eq!(c.absent("npm", KEY.upstream, "over", at(0)).unwrap(), None);
    assert_eq!(c.absent("npm", KEY.upstream, "still", at(0)).unwrap(), Some(at(200)));
}

fn settings(c: &dyn Catalogue) {
    assert_eq!(c.setting("node").unwrap(), None);
    assert_eq!(c.setting_or_insert("node", "a").unwrap(), "a");
    assert_eq!(c.setting_or_insert("node", "b").unwrap(), "a");
    c.set_setting("node", "c").unwrap();
    assert_eq!(c.setting("node").unwrap().as_deref(), Some("c"));
    assert!(c.data_version().unwrap() > 0);
}
