//! Statements about artifacts.

use tidegate_model::Action;

use super::super::{
    Catalogue, CustodyCursor, CustodyDocument, CustodyEvent, CustodyOf, CustodyPolicy, CustodyStatement,
};
use super::{Check, at, sha};

pub(super) const CHECKS: &[Check] = &[
    ("statements and their place in the ledger move together", together),
    ("statements are found by artifact and by file", found),
    ("statements about images are found by digest within their package", documents),
];

fn stated(n: u8, purl: &str, previous: Option<u8>) -> CustodyEvent {
    CustodyEvent {
        sha256: sha(1),
        purl: purl.to_owned(),
        file: Some("a-1.tgz".to_owned()),
        repository: "npm".to_owned(),
        event: "stored".to_owned(),
        action: Action::Allow,
        at: at(i64::from(n)),
        record: format!("node-{n}"),
        payload: sha(n),
        previous: previous.map(sha),
        statements: vec![CustodyStatement {
            predicate_type: "https://example.test/p".to_owned(),
            payload: sha(n),
            bundle_digest: sha(n + 100),
            bundle: vec![n; 400],
            manifest: None,
        }],
    }
}

const fn cursor(seq: u64) -> CustodyCursor<'static> {
    CustodyCursor { node: "node", seq }
}

fn together(c: &dyn Catalogue) {
    assert_eq!(c.custody_cursor("node").unwrap(), None);
    let first = stated(2, "pkg:npm/a@1", None);
    c.advance_custody(cursor(2), Some(&first), None).unwrap();
    assert_eq!(c.custody_cursor("node").unwrap(), Some(2));
    assert_eq!(c.custody_cursor("other").unwrap(), None);
    // The same entry again, and a fork: nothing of either stays.
    assert!(c.advance_custody(cursor(3), Some(&first), None).is_err());
    assert!(c.advance_custody(cursor(3), Some(&stated(3, "pkg:npm/a@1", None)), None).is_err());
    assert_eq!(c.custody_cursor("node").unwrap(), Some(2));
    c.advance_custody(cursor(4), Some(&stated(4, "pkg:npm/a@1", Some(2))), None).unwrap();
    assert!(c.advance_custody(cursor(5), Some(&stated(5, "pkg:npm/a@1", Some(2))), None).is_err());
    // The same bytes under another name are another chain.
    c.advance_custody(cursor(6), Some(&stated(6, "pkg:npm/b@1", None)), None).unwrap();
    let policy = CustodyPolicy { record: "node-7".to_owned(), at: at(7), policy: sha(9) };
    c.advance_custody(cursor(7), None, Some(&policy)).unwrap();
    assert_eq!(c.custody_policies().unwrap(), [policy]);
    assert_eq!(c.custody_cursor("node").unwrap(), Some(7));
}

fn found(c: &dyn Catalogue) {
    let purl = "pkg:npm/a@1";
    assert_eq!(c.custody_head(&sha(1), purl).unwrap(), None);
    assert_eq!(c.custody_action(&sha(1), purl, "npm").unwrap(), None);
    assert_eq!(c.custody_of_file(purl, "a-1.tgz", "npm").unwrap(), None);
    let first = stated(2, purl, None);
    let second = CustodyEvent { event: "blocked".into(), action: Action::Block, ..stated(3, purl, Some(2)) };
    c.advance_custody(cursor(2), Some(&first), None).unwrap();
    c.advance_custody(cursor(3), Some(&second), None).unwrap();
    assert_eq!(c.custody_head(&sha(1), purl).unwrap(), Some(sha(3)));
    assert_eq!(c.custody_head(&sha(1), "pkg:npm/b@1").unwrap(), None);
    assert_eq!(c.custody_action(&sha(1), purl, "npm").unwrap(), Some(Action::Block));
    assert_eq!(c.custody_action(&sha(1), purl, "other").unwrap(), None);
    assert_eq!(c.custody_of_file(purl, "a-1.tgz", "npm").unwrap(), Some(sha(1)));
    assert_eq!(c.custody_of_file(purl, "b.tgz", "npm").unwrap(), None);
    assert_eq!(c.custody_events(&sha(1), 10).unwrap(), [first.clone(), second]);
    assert_eq!(c.custody_events(&sha(1), 1).unwrap(), [first]);
    assert_eq!(c.custody_events(&sha(2), 10).unwrap(), []);
}

fn documents(c: &dyn Catalogue) {
    let mut event = stated(2, "pkg:docker/org/app@sha256:01", None);
    event.repository = "oci".to_owned();
    event.statements[0].manifest = Some((sha(50), b"{}".to_vec()));
    c.advance_custody(cursor(2), Some(&event), None).unwrap();
    let of = |repository, package| CustodyOf { repository, package };
    let own = of("oci", "pkg:docker/org/app");
    assert_eq!(c.custody_document(own, &sha(50)).unwrap(), Some(CustodyDocument::Manifest(b"{}".to_vec())));
    assert_eq!(c.custody_document(own, &sha(102)).unwrap(), Some(CustodyDocument::Bundle(vec![2; 400])));
    assert_eq!(c.custody_document(own, &sha(7)).unwrap(), None);
    assert!(c.has_custody(own).unwrap());
    // The digest alone opens nothing.
    for other in
        [of("second", "pkg:docker/org/app"), of("oci", "pkg:docker/org/ap"), of("oci", "pkg:docker/org/app2")]
    {
        assert_eq!(c.custody_document(other, &sha(50)).unwrap(), None);
        assert_eq!(c.custody_document(other, &sha(102)).unwrap(), None);
        assert!(!c.has_custody(other).unwrap());
    }
}
