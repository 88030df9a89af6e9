//! New trust roots: refreshed, and brought in by hand.

use std::collections::BTreeMap;
use std::sync::Arc;

use tidegate_model::Timestamp;
use tidegate_provenance::testing::{Sigstore, TufRepository};
use tidegate_provenance::tuf::{self, Files, Folder, TRUSTED_ROOT, TufError, Versions};
use tidegate_provenance::{Instance, Origin};

fn day(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn ours() -> Instance {
    Instance::named("ours")
}

#[test]
fn a_refresh_walks_the_chain_and_keeps_the_versions() {
    let (repository, sigstore) = (TufRepository::new(), Sigstore::new());
    let text = sigstore.trusted_root();
    let keys = br#"{"keys":[]}"#.to_vec();
    let targets = BTreeMap::from([
        (TRUSTED_ROOT.to_owned(), text.into_bytes()),
        ("registry/keys.json".to_owned(), keys.clone()),
    ]);
    let files = Arc::new(repository.files(3, "2025-06-08T00:00:00Z", &targets));
    let also = ["registry/keys.json"];
    let refresh = |known, now| tuf::refresh(files.clone(), ours(), &repository.root(1), known, &also, now);
    let update = refresh(Versions::default(), day("2025-06-02")).unwrap();
    assert_eq!((update.root.origin(), update.root.version()), (Origin::Refreshed, Some(3)));
    assert_eq!(update.root.as_of(), day("2025-06-02"));
    assert_eq!(update.root.digest(), sigstore.root(ours()).digest());
    assert_eq!(update.targets["registry/keys.json"], keys);
    assert_eq!(update.versions, Versions { root: 3, timestamp: 3, snapshot: 3, targets: 3 });

    // Nothing new, from where it left off.
    let again =
        tuf::refresh(files.clone(), ours(), &update.pinned, update.versions, &[], day("2025-06-03")).unwrap();
    assert_eq!(again.versions, update.versions);
    assert!(matches!(refresh(Versions::default(), day("2025-06-09")), Err(TufError::Refused(_))), "expired");
    let newer = Versions { timestamp: 4, ..update.versions };
    assert!(matches!(
        refresh(newer, day("2025-06-02")),
        Err(TufError::Rollback { role: "timestamp.json", .. })
    ));
    let foreign = tuf::refresh(
        files,
        ours(),
        &TufRepository::new().root(1),
        Versions::default(),
        &[],
        day("2025-06-02"),
    );
    assert!(matches!(foreign, Err(TufError::Refused(_))), "signed by somebody else");
}

#[test]
fn an_import_is_judged_at_its_own_time_and_says_its_age() {
    let (repository, sigstore) = (TufRepository::new(), Sigstore::new());
    let files = repository.of_root(2, "2025-06-08T00:00:00Z", &sigstore.trusted_root());
    let carried = Files::from_json(files.to_json().as_bytes()).unwrap();
    assert_eq!(carried, files);
    let import = |files: Files, known, now| tuf::import(files, ours(), &repository.root(1), known, &[], now);
    let late = day("2026-03-01");
    let update = import(carried, Versions::default(), late).unwrap();
    assert_eq!((update.root.origin(), update.root.as_of()), (Origin::Imported, day("2025-06-07T23:59:59Z")));
    assert_eq!(update.root.age_days(late), 266);
    assert!(update.root.is_stale(late));
    let early = import(files.clone(), Versions::default(), day("2025-06-03")).unwrap();
    assert_eq!(early.root.as_of(), day("2025-06-03"));
    assert!(matches!(
        import(files, Versions { root: 3, ..Versions::default() }, late),
        Err(TufError::Rollback { .. })
    ));
    assert!(matches!(import(Files::default(), Versions::default(), late), Err(TufError::Unreadable(_))));
}

#[test]
fn what_a_refresh_read_can_be_carried_elsewhere() {
    let (repository, sigstore) = (TufRepository::new(), Sigstore::new());
    let source = repository.of_root(2, "2025-06-08T00:00:00Z", &sigstore.trusted_root());
    let now = day("2025-06-02");
    let update =
        tuf::refresh(Arc::new(source), ours(), &repository.root(1), Versions::default(), &[], now).unwrap();
    let elsewhere =
        tuf::import(update.files, ours(), &repository.root(1), Versions::default(), &[], day("2025-09-01"))
            .unwrap();
    assert_eq!(elsewhere.root.digest(), update.root.digest());
}

#[test]
fn a_changed_file_is_refused() {
    let (repository, sigstore) = (TufRepository::new(), Sigstore::new());
    let text = repository.of_root(2, "2025-06-08T00:00:00Z", &sigstore.trusted_root()).to_json();
    let mut document: serde_json::Value = serde_json::from_str(&text).unwrap();
    let places: Vec<(String, String)> = ["metadata", "targets"]
        .into_iter()
        .flat_map(|kind| {
            document[kind].as_object().unwrap().keys().map(move |n| (kind.to_owned(), n.clone()))
        })
        // The root it begins with is given apart, and the copy is not read.
        .filter(|(_, name)| name != "1.root.json")
        .collect();
    for (kind, name) in places {
        let whole = document[&kind][&name].clone();
        // Within the content, and still base64.
        let mut changed = whole.as_str().unwrap().to_owned().into_bytes();
        let at = changed.len() / 2;
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        document[&kind][&name] = String::from_utf8(changed).unwrap().into();
        let refused = Files::from_json(document.to_string().as_bytes()).and_then(|files| {
            tuf::import(files, ours(), &repository.root(1), Versions::default(), &[], day("2025-07-01"))
        });
        assert!(refused.is_err(), "{kind}/{name}");
        document[&kind][&name] = whole;
    }
}

#[test]
fn a_folder_is_a_source_and_nothing_outside_it() {
    use tidegate_provenance::tuf::Source as _;
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("timestamp.json"), b"{}").unwrap();
    let source = Folder::new(folder.path());
    assert_eq!(source.metadata("timestamp.json", 10).unwrap(), Some(b"{}".to_vec()));
    assert_eq!(source.metadata("2.root.json", 10).unwrap(), None);
    assert!(source.metadata("timestamp.json", 1).is_err());
    assert!(source.metadata("../timestamp.json", 10).is_err());
    assert!(source.target("/etc/passwd", 10).is_err());
}

#[test]
fn what_was_accepted_is_walked_again_from_a_file_and_from_a_folder() {
    let (repository, sigstore) = (TufRepository::new(), Sigstore::new());
    let folder = tempfile::tempdir().unwrap();
    let files = repository.of_root(2, "2025-06-08T00:00:00Z", &sigstore.trusted_root());
    let carried = folder.path().join("update.json");
    std::fs::write(&carried, files.to_json()).unwrap();
    let read = Files::read(&carried).unwrap();
    assert_eq!(read, files);
    let at = day("2025-06-03");
    let again = tuf::restore(read, ours(), &repository.root(1), at, Origin::Imported).unwrap();
    assert_eq!((again.root.as_of(), again.root.origin()), (at, Origin::Imported));
    // It is of its time: later it would not have been accepted.
    let late = tuf::restore(files.clone(), ours(), &repository.root(1), day("2025-07-01"), Origin::Imported);
    assert!(matches!(late, Err(TufError::Refused(_))));

    let copy = folder.path().join("copy");
    files.write(&copy);
    std::fs::write(copy.join("readme.txt"), "not part of it").unwrap();
    assert_eq!(Files::read(&copy).unwrap(), files);
    let missing = Files::read(&folder.path().join("nothing")).unwrap_err();
    assert!(missing.to_string().contains("nothing"), "{missing}");
    std::fs::write(&carried, b"{}").unwrap();
    assert!(matches!(Files::read(&carried), Err(TufError::Unreadable(_))));
}
