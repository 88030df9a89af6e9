//! What is particular to SQLite; the rest is the contract.

use tidegate_ledger::pseudonym::{Commitment, PersonKey, Pseudonym, Salt};
use tidegate_model::{PrincipalKind, Sha256, Timestamp};

use super::super::{
    ContextKind, DocumentKey, Documents as _, NewContext, NewDocument, NewPerson, People as _, Settings as _,
    contract,
};
use super::SqliteCatalogue;

fn fresh() -> (tempfile::TempDir, SqliteCatalogue) {
    let dir = tempfile::tempdir().unwrap();
    let catalogue = SqliteCatalogue::open(&dir.path().join("catalogue.sqlite")).unwrap();
    (dir, catalogue)
}

#[test]
fn passes_the_contract() {
    contract::run(&|| {
        let (dir, catalogue) = fresh();
        (Box::new(dir), Box::new(catalogue))
    });
}

#[test]
fn passes_the_contract_of_heads() {
    tidegate_ledger::heads::contract::run(&|| {
        let (dir, catalogue) = fresh();
        (Box::new(dir), Box::new(catalogue))
    });
}

#[test]
fn what_was_written_is_there_after_opening_again() {
    let (dir, catalogue) = fresh();
    catalogue.set_setting("node", "n1").unwrap();
    drop(catalogue);
    let again = SqliteCatalogue::open(&dir.path().join("catalogue.sqlite")).unwrap();
    assert_eq!(again.setting("node").unwrap().as_deref(), Some("n1"));
}

/// 32 bytes that stand nowhere else.
fn pattern(n: u8, kind: u8) -> [u8; 32] {
    std::array::from_fn(|i| if i % 2 == 0 { n } else { kind })
}

/// Names, keys and salts of a forgotten person stand in no file of the catalogue, not even in free pages.
#[test]
fn a_forgotten_person_is_gone_from_the_files() {
    let (dir, catalogue) = fresh();
    let everywhere = |needle: &[u8]| {
        std::fs::read_dir(dir.path()).unwrap().any(|file| {
            let bytes = std::fs::read(file.unwrap().path()).unwrap();
            bytes.windows(needle.len()).any(|w| w == needle)
        })
    };
    for n in 0..200u8 {
        let principal = format!("person-number-{n}");
        let pseudonym = Pseudonym::new([n; 32]);
        let key = PersonKey::from_bytes(pattern(n, 0xa5));
        let person = NewPerson {
            principal: &principal,
            kind: PrincipalKind::Human,
            key,
            pseudonym,
            at: Timestamp::from_unix_seconds(0),
        };
        catalogue.person_or_insert(&person).unwrap();
        let context = NewContext {
            pseudonym,
            kind: ContextKind::Address,
            value: &format!("192.0.2.{n}/of-{n}"),
            salt: Salt::from_bytes(pattern(n, 0x5a)),
            commitment: Commitment::new([n; 32]),
        };
        catalogue.context_or_insert(&context).unwrap();
    }
    assert!(everywhere(b"person-number-77") && everywhere(b"/of-77") && everywhere(&pattern(77, 0xa5)));
    catalogue.forget_person("person-number-77", &Pseudonym::new([0; 32])).unwrap().unwrap();
    assert!(catalogue.is_scrub_due().unwrap());
    assert!(catalogue.scrub().unwrap());
    assert!(!catalogue.is_scrub_due().unwrap());
    for needle in [&b"person-number-77"[..], b"/of-77", &pattern(77, 0xa5), &pattern(77, 0x5a)] {
        assert!(!everywhere(needle), "{:?}", String::from_utf8_lossy(needle));
    }
    assert!(everywhere(b"person-number-78"), "only that one");
}

#[test]
fn a_damaged_document_is_an_error_once_and_then_forgotten() {
    let (_dir, catalogue) = fresh();
    let key = DocumentKey { repository: "npm", upstream: "u", package: "p", kind: "k" };
    let body = vec![7; 100_000];
    let document = NewDocument {
        body: &body,
        etag: None,
        last_modified: None,
        content_type: None,
        url: "u",
        digest: Sha256::new([0; 32]),
        fetched_at: Timestamp::from_unix_seconds(0),
    };
    let harm: [fn(&mut Vec<u8>); 3] =
        [|stored| *stored.last_mut().unwrap() ^= 1, |stored| stored.truncate(stored.len() / 2), Vec::clear];
    for harm in harm {
        catalogue.put_document(&key, &document).unwrap();
        catalogue
            .write("harming", |c| {
                let mut stored: Vec<u8> = c.query_row("select body from document_body", [], |r| r.get(0))?;
                harm(&mut stored);
                c.execute("update document_body set body = ?1", [stored])?;
                Ok(())
            })
            .unwrap();
        let error = catalogue.document(&key).unwrap_err();
        assert!(format!("{}", error.cause).contains("document"), "{error:?}");
        assert_eq!(catalogue.document(&key).unwrap(), None);
    }
}

#[test]
fn a_full_disk_is_named_as_such() {
    let (_dir, catalogue) = fresh();
    catalogue
        .write("limiting", |c| {
            let pages: i64 = c.query_row("pragma page_count", [], |r| r.get(0))?;
            c.pragma_update(None, "max_page_count", pages + 2)?;
            Ok(())
        })
        .unwrap();
    let large = "x".repeat(1 << 20);
    let error = catalogue.set_setting("large", &large).unwrap_err();
    assert!(error.is_full(), "{error:?}");
    catalogue.set_setting("small", "x").unwrap();
    assert_eq!(catalogue.setting("small").unwrap().as_deref(), Some("x"));
}

#[test]
fn callers_at_once_share_commits() {
    let (_dir, catalogue) = fresh();
    let before = catalogue.writer.commits();
    std::thread::scope(|scope| {
        for thread in 0..16 {
            let catalogue = &catalogue;
            scope.spawn(move || {
                for n in 0..20 {
                    catalogue.set_setting(&format!("{thread}/{n}"), "x").unwrap();
                }
            });
        }
    });
    let commits = catalogue.writer.commits() - before;
    assert!(commits <= 200, "{commits} commits for 320 changes of 16 callers");
    for thread in 0..16 {
        for n in 0..20 {
            assert!(catalogue.setting(&format!("{thread}/{n}")).unwrap().is_some());
        }
    }
}
