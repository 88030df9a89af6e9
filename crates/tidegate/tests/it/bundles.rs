//! Advisories from one door to another without a network: signed, believed by key, refused when altered, noticed when old.

use std::path::Path;

use tidegate::intel::bundles::{self, Loading};
use tidegate_intel::import::{AlarmKind, Applied, ReadOptions};
use tidegate_testkit::FakeUpstream;
use tidegate_testkit::process::{Home, Program};

use crate::advisories::{
    advisory, configuration, days_ago, deliver, exploited, following, status, synced, upstream,
};
use crate::support::{PATIENCE, Setup, TestDoor};

/// A door that follows feeds, and knows of a flaw in `lib` below 2.0.0.
fn knowing(upstream: &FakeUpstream) -> TestDoor {
    exploited(upstream, &[]);
    deliver(upstream, &[advisory(5)]);
    let door = Setup::new(upstream).with(following(upstream)).open();
    synced(&door);
    door
}

fn import(door: &TestDoor, path: &Path, accept: &[&str]) -> Result<Applied, String> {
    let alarms = [
        ("rolled-back", AlarmKind::RolledBack),
        ("shrunk", AlarmKind::Shrunk),
        ("mass-retraction", AlarmKind::MassRetraction),
        ("unreadable", AlarmKind::Unreadable),
    ];
    let loading = Loading {
        paths: vec![path.to_owned()],
        options: ReadOptions::default(),
        unsigned: accept.contains(&bundles::UNSIGNED),
        accept: alarms.into_iter().filter(|(word, _)| accept.contains(word)).map(|(_, kind)| kind).collect(),
    };
    bundles::load(&door.door, loading, None)
}

fn key(door: &TestDoor) -> String {
    bundles::key(&door.door).unwrap().public().to_string()
}

/// A door without feeds that trusts these keys.
fn cut_off(upstream: &FakeUpstream, trusted: &[String]) -> TestDoor {
    let trusted = trusted.iter().map(|key| key.parse().unwrap()).collect();
    let change = |config: &mut tidegate::config::Config| {
        config.intel.feed = Some(Vec::new());
        config.intel.trusted_bundle_keys = trusted;
    };
    Setup::new(upstream).with(change).open()
}

#[test]
fn a_door_without_a_network_knows_what_another_signed() {
    use std::os::unix::fs::PermissionsExt as _;
    let (upstream, folder) = (upstream(), tempfile::tempdir().unwrap());
    let from = knowing(&upstream);
    let bundle = folder.path().join("advisories.bundle");
    let (manifest, signer) = bundles::export(&from.door, &bundle).unwrap();
    assert_eq!((signer.to_string(), manifest.feeds.len()), (key(&from), 2));
    let kept = std::fs::metadata(from.data().join("intel/bundle.key")).unwrap();
    assert_eq!(kept.permissions().mode() & 0o777, 0o600);
    let from = from.restart();
    assert_eq!(signer.to_string(), key(&from), "the key stays");

    let to = cut_off(&upstream, &[key(&from)]);
    assert_eq!(status(&to, "1.1.0"), 200);
    import(&to, &bundle, &[]).unwrap();
    assert_eq!((status(&to, "1.0.0"), status(&to, "2.0.0")), (403, 200));
    assert_eq!(to.alarms().iter().filter(|kind| *kind == "bundle").count(), 0);
    // How old it is was told by the door that made it, so it counts as current, and ages from there.
    assert!(to.get("/npm/fine").header("x-tidegate-degraded").is_none_or(|d| !d.contains("advisories")));
    to.clock().advance(5 * 86_400);
    to.door.look_for_degradations();
    let late = to.get("/npm/fine");
    assert!(late.header("x-tidegate-degraded").unwrap().contains("feed osv was last current"), "{late:?}");
}

#[test]
fn a_bundle_is_believed_by_its_key_or_by_a_persons_word() {
    let (upstream, folder) = (upstream(), tempfile::tempdir().unwrap());
    let (from, stranger) = (knowing(&upstream), knowing(&upstream));
    let bundle = folder.path().join("bundle");
    bundles::export(&stranger.door, &bundle).unwrap();
    let to = cut_off(&upstream, &[key(&from)]);
    let why = import(&to, &bundle, &[]).unwrap_err();
    assert!(why.contains("not trusted here") && why.contains("--accept unsigned"), "{why}");
    assert_eq!(status(&to, "1.1.0"), 200, "nothing of it is used");
    let bundle_alarms = || to.alarms().iter().filter(|kind| *kind == "bundle").count();
    assert_eq!(bundle_alarms(), 1, "{:?}", to.alarms());
    import(&to, &bundle, &["unsigned"]).unwrap();
    assert_eq!(status(&to, "1.0.0"), 403);
    assert!(bundle_alarms() >= 1, "a person's word leaves a trace");
}

#[test]
fn an_altered_bundle_is_refused_whatever_a_person_says() {
    let (upstream, folder) = (upstream(), tempfile::tempdir().unwrap());
    let from = knowing(&upstream);
    let bundle = folder.path().join("bundle");
    bundles::export(&from.door, &bundle).unwrap();
    let to = cut_off(&upstream, &[key(&from)]);
    let whole = std::fs::read(&bundle).unwrap();
    let everything = ["unsigned", "rolled-back", "shrunk", "mass-retraction", "unreadable"];
    // A byte of the first feed; a byte of the list of contents; half of it.
    let text = b"\"generation\"";
    let list = whole.windows(text.len()).position(|w| w == text).unwrap();
    for (what, at, cut) in [("feed", 120, None), ("list", list + 1, None), ("half", 0, Some(whole.len() / 2))]
    {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        bytes.truncate(cut.unwrap_or(whole.len()));
        std::fs::write(&bundle, bytes).unwrap();
        assert!(import(&to, &bundle, &everything).is_err(), "{what}");
        assert_eq!(to.door.intel.snapshot().generation(), 0, "{what}");
    }
}

#[test]
fn an_older_bundle_is_noticed() {
    let (upstream, folder) = (upstream(), tempfile::tempdir().unwrap());
    let from = knowing(&upstream);
    let (old, new) = (folder.path().join("old"), folder.path().join("new"));
    bundles::export(&from.door, &old).unwrap();
    let mut withdrawn = advisory(1);
    withdrawn["withdrawn"] = days_ago(1).into();
    deliver(&upstream, &[withdrawn]);
    synced(&from);
    bundles::export(&from.door, &new).unwrap();
    let to = cut_off(&upstream, &[key(&from)]);
    import(&to, &old, &[]).unwrap();
    assert_eq!(status(&to, "1.1.0"), 403);
    import(&to, &new, &[]).unwrap();
    assert_eq!(status(&to, "1.1.0"), 200);
    let why = import(&to, &old, &[]).unwrap_err();
    assert!(why.contains("rolled back"), "{why}");
    assert_eq!(status(&to, "1.1.0"), 200);
    // It is noticed after a restart too.
    let to = to.restart();
    assert!(import(&to, &old, &[]).is_err());
    assert!(to.alarms().iter().any(|kind| kind == "bundle"), "{:?}", to.alarms());
}

#[test]
fn bundles_are_made_and_taken_in_on_the_command_line() {
    let (upstream, folder) = (upstream(), tempfile::tempdir().unwrap());
    let home = Home::new();
    let config = configuration(&upstream, &home, "sync = false");
    let data = home.path().join("d");
    let program = || Program::new(env!("CARGO_BIN_EXE_tidegate"), &home);
    let mut running = program().args(["up", "--config"]).arg(&config).arg("--data").arg(&data).spawn();
    running.wait_for_line("is open on", PATIENCE);
    let intel = |arguments: &[&str]| program().args(["intel", "--data"]).arg(&data).args(arguments);
    // A bundle of a door that is not known here.
    let bundle = folder.path().join("bundle");
    bundles::export(&knowing(&upstream).door, &bundle).unwrap();
    let bundle = bundle.to_str().unwrap();
    let refused = intel(&["import", bundle]).run().expect_failure();
    assert!(refused.stderr.contains("not trusted here"), "{}", refused.stderr);
    let loaded = intel(&["import", bundle, "--accept", "unsigned"]).run().expect_success();
    assert!(loaded.stdout.contains("osv") && loaded.stdout.contains("kev"), "{}", loaded.stdout);
    // And on from here, under our own key.
    let key = intel(&["key"]).run().expect_success().stdout;
    let written = intel(&["export", "ours.bundle"]).run().expect_success().stdout;
    assert!(key.starts_with("ed25519:") && written.contains(key.trim()), "{written}");
    let to = cut_off(&upstream, &[key.trim().to_owned()]);
    import(&to, &home.path().join("ours.bundle"), &[]).unwrap();
    assert_eq!(status(&to, "1.1.0"), 403);
    running.kill();
}
