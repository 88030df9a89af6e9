//! Verifications.

use super::super::{Catalogue, StoredVerification};
use super::{Check, at, sha};

pub(super) const CHECKS: &[Check] = &[("verifications are kept by file", verifications)];

fn verifications(c: &dyn Catalogue) {
    let first = StoredVerification {
        package: "pkg:npm/left".to_owned(),
        purl: "pkg:npm/left@1.0.0".to_owned(),
        file: "left-1.0.0.tgz".to_owned(),
        subject: "sha512:aa".to_owned(),
        key: sha(1),
        checked_at: at(0),
        result: "{}".to_owned(),
    };
    let document = b"{\"attestations\": [1,  2]}\n";
    assert_eq!(c.verifications_of("pkg:npm/left").unwrap(), []);
    c.put_verification(&first, Some(document)).unwrap();
    let later = StoredVerification { purl: "pkg:npm/left@1.1.0".to_owned(), key: sha(2), ..first.clone() };
    c.put_verification(&later, None).unwrap();
    let other = StoredVerification { package: "pkg:npm/right".to_owned(), ..first.clone() };
    c.put_verification(&other, None).unwrap();
    assert_eq!(c.verifications_of("pkg:npm/left").unwrap(), [first.clone(), later.clone()]);
    let kept = |v: &StoredVerification| c.attestations(&v.package, &v.purl, &v.file).unwrap();
    assert_eq!(kept(&first).as_deref(), Some(&document[..]), "byte for byte");
    assert_eq!(kept(&later), None);
    assert_eq!(c.attestations("pkg:npm/left", "pkg:npm/left@1.0.0", "other").unwrap(), None);
    let again = StoredVerification { key: sha(3), checked_at: at(9), ..first };
    c.put_verification(&again, Some(b"new")).unwrap();
    assert_eq!(c.verifications_of("pkg:npm/left").unwrap(), [again.clone(), later]);
    assert_eq!(kept(&again).as_deref(), Some(&b"new"[..]));
}
