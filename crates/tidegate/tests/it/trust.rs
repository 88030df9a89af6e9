//! Trust roots while a door runs: refreshed from the instance's repository, brought in by hand, kept, told, and never taken back.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;
use tidegate::config::{Config, SigstoreInstance};
use tidegate::provenance::updates::{self, Outcome};
use tidegate_ledger::Body;
use tidegate_ledger::entry::{ControlState, RootChange};
use tidegate_ledger::pseudonym::Pseudonym;
use tidegate_provenance::testing::{Build, Sigstore, TufRepository};
use tidegate_provenance::{Instance, Origin, Root};
use tidegate_testkit::{FakeUpstream, Fault, Package};

use crate::advisories::entries;
use crate::support::{Setup, TestDoor, days_ago};

const FILE: &str = "/npm/alpha/-/alpha-1.0.0.tgz";
const SOON: &str = "2099-01-01T00:00:00Z";

/// A repository of roots, as a loopback upstream serves it, and packages that `signer` vouches for.
struct Site {
    upstream: FakeUpstream,
    repository: TufRepository,
    first: Sigstore,
    second: Sigstore,
    /// Where the files of the configuration lie.
    folder: tempfile::TempDir,
}

impl Site {
    /// An instance whose root in the configuration is `first`; what is published is signed by `second`, which came after it.
    fn new() -> Self {
        let (first, second) = (Sigstore::new(), Sigstore::new());
        let site = Self {
            upstream: FakeUpstream::start(),
            repository: TufRepository::new(),
            first,
            second,
            folder: tempfile::tempdir().unwrap(),
        };
        let package = Package::npm("alpha", "1.0.0").published(&days_ago(90));
        let file = site.upstream.publish(package).remove(0);
        let build = Build::of("acme/alpha");
        let attestations = site.second.npm_attestations("alpha", "1.0.0", &file.bytes, &build);
        site.upstream.catalog().attest("alpha@1.0.0", serde_json::from_str(&attestations).unwrap());
        let keys = serde_json::from_str(&site.second.registry_keys()).unwrap();
        site.upstream.catalog().registry_keys(keys);
        std::fs::write(site.folder.path().join("root.json"), site.repository.root(1)).unwrap();
        std::fs::write(site.folder.path().join("trusted_root.json"), site.first.trusted_root()).unwrap();
        site
    }

    fn serve(&self, version: u64, sigstore: &Sigstore) {
        let copy = self.copy(version, sigstore);
        for path in files_below(&copy) {
            let name = path.strip_prefix(&copy).unwrap().to_str().unwrap().to_owned();
            self.upstream.catalog().put_feed(&format!("trust/{name}"), std::fs::read(&path).unwrap());
        }
    }

    /// A copy of the repository in a folder.
    fn copy(&self, version: u64, sigstore: &Sigstore) -> PathBuf {
        let copy = self.folder.path().join(format!("copy-{version}"));
        self.repository.of_root(version, SOON, &sigstore.trusted_root()).write(&copy);
        copy
    }

    fn configure(&self, config: &mut Config) {
        let file = |name: &str| Some(self.folder.path().join(name));
        let mirror = Some(format!("{}/feeds/trust", self.upstream.url()).parse().unwrap());
        let section =
            SigstoreInstance { root: file("trusted_root.json"), mirror, mirror_root: file("root.json") };
        config.provenance.instance.insert("acme".to_owned(), section);
        config.repository.get_mut("npm").unwrap().sigstore = Some("acme".to_owned());
        // Nothing of a test asks the public instances.
        for name in ["public-good", "github"] {
            let section = SigstoreInstance { root: file("trusted_root.json"), ..SigstoreInstance::default() };
            config.provenance.instance.insert(name.to_owned(), section);
        }
    }

    fn door(&self) -> TestDoor {
        Setup::new(&self.upstream).with(|config| self.configure(config)).open()
    }
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect()
}

fn acme() -> Instance {
    Instance::named("acme")
}

fn refresh(door: &TestDoor) -> Outcome {
    let mut all: BTreeMap<_, _> = door.runtime().block_on(updates::refresh_all(&door.door));
    assert_eq!(all.len(), 1, "the public instances have fixed roots here");
    all.remove(&acme()).unwrap()
}

fn import(door: &TestDoor, path: &Path) -> Result<Arc<Root>, String> {
    updates::import(&door.door, path, &acme(), Pseudonym::new([7; 32]))
}

/// Origin, version and age of the root in force.
fn in_force(door: &TestDoor) -> (Origin, Option<u64>, i64) {
    let roots = door.door.trusted.roots();
    let root = roots.get(&acme()).unwrap();
    (root.origin(), root.version(), root.age_days(door.clock().now()))
}

/// What the ledger says of the roots of the instance.
fn told(door: &TestDoor) -> Vec<RootChange> {
    let roots = entries(door, "root").into_iter().filter_map(|entry| match entry.body {
        Body::Root(change) if &*change.instance == "acme" => Some(*change),
        _ => None,
    });
    roots.collect()
}

#[test]
fn a_refreshed_root_counts_at_once_and_after_a_restart_and_is_told() {
    let site = Site::new();
    let door = site.door();
    let refused = door.get(FILE);
    assert_eq!(
        refused.status,
        403,
        "the root in the configuration does not know who signed: {}",
        refused.text()
    );
    site.serve(2, &site.second);
    assert_eq!(refresh(&door), Outcome::Changed);
    assert_eq!(in_force(&door), (Origin::Refreshed, Some(2), 0));
    let again = door.get(FILE);
    assert_eq!(again.status, 200, "what was refused under the old root is checked again: {}", again.text());

    let changes = told(&door);
    assert_eq!(changes.len(), 2, "that of the configuration, and the new one: {changes:?}");
    assert_eq!((&*changes[0].origin, changes[0].previous), ("configured", None));
    assert_eq!((&*changes[1].origin, changes[1].previous), ("refreshed", Some(changes[0].digest)));
    assert_eq!(changes[1].actor, None);

    assert_eq!(refresh(&door), Outcome::Current);
    let asked = site.upstream.count("/feeds/trust/");
    let door = door.restart();
    assert_eq!(in_force(&door), (Origin::Refreshed, Some(2), 0));
    assert_eq!(door.get(FILE).status, 200);
    assert_eq!(site.upstream.count("/feeds/trust/"), asked, "nothing waits for the network");
    assert_eq!(told(&door).len(), 2, "a root is told once");
}

#[test]
fn a_root_is_brought_in_by_hand_and_passed_on() {
    let site = Site::new();
    let door = site.door();
    let carried = site.folder.path().join("carried.json");
    let none = updates::export(&door.door, &carried, &acme()).unwrap_err();
    assert!(none.contains("no update of acme was accepted here"), "{none}");
    let copy = site.copy(3, &site.second);
    let root = import(&door, &copy).unwrap();
    assert_eq!((root.origin(), root.version()), (Origin::Imported, Some(3)));
    assert_eq!(door.get(FILE).status, 200);
    let who = told(&door).pop().unwrap().actor;
    assert_eq!(who, Some(Pseudonym::new([7; 32])), "who brought it in is on record");

    // From there to a door that never had a network.
    updates::export(&door.door, &carried, &acme()).unwrap();
    let other = site.door();
    import(&other, &carried).unwrap();
    assert_eq!(other.get(FILE).status, 200);

    // Older files are refused, however well they are signed; so are those of another repository, and nonsense.
    let refused = |path: &Path, why: &str| {
        let said = import(&other, path).unwrap_err();
        assert!(said.contains(why), "{why}: {said}");
        assert_eq!(in_force(&other).1, Some(3));
    };
    refused(&site.copy(2, &site.first), "goes back");
    let foreign = site.folder.path().join("foreign");
    TufRepository::new().of_root(4, SOON, &site.first.trusted_root()).write(&foreign);
    refused(&foreign, "refused");
    std::fs::write(&carried, "{}").unwrap();
    refused(&carried, "cannot be read");
    let unknown = updates::import(&other.door, &copy, &Instance::named("nobody"), Pseudonym::new([7; 32]));
    let unknown = unknown.unwrap_err();
    assert!(
        unknown.contains("no root file of an instance `nobody`") && unknown.contains("acme"),
        "{unknown}"
    );
}

#[test]
fn a_repository_that_fails_or_lies_leaves_the_root_in_force() {
    let site = Site::new();
    let door = site.door();
    let failed = |what: &str| {
        let Outcome::Failed { why } = refresh(&door) else { panic!("{what}: it was accepted") };
        assert!(why.contains(what), "{what}: {why}");
        assert_eq!(in_force(&door).0, Origin::Configured, "{what}");
    };
    failed("timestamp");
    site.serve(2, &site.second);
    site.upstream.fault("/feeds/trust/timestamp.json", Fault::Status { code: 500, retry_after: None });
    failed("500");
    site.upstream.clear_faults();
    // Signed by nobody who may.
    let foreign = site.folder.path().join("foreign");
    TufRepository::new().of_root(2, SOON, &site.second.trusted_root()).write(&foreign);
    let timestamp = std::fs::read(foreign.join("timestamp.json")).unwrap();
    site.upstream.catalog().put_feed("trust/timestamp.json", timestamp);
    failed("refused");
    assert_eq!(told(&door).len(), 1);
    let attempts = door.door.updates.attempts();
    assert!(matches!(attempts[&acme()].outcome, Outcome::Failed { .. }));
}

#[test]
fn what_lies_in_the_data_directory_is_not_believed_for_lying_there() {
    let site = Site::new();
    let door = site.door();
    site.serve(2, &site.second);
    assert_eq!(refresh(&door), Outcome::Changed);
    let path = door.data().join("trust").join("acme.json");
    // Whoever can write there puts another repository's files in the place of the signed ones.
    let mut kept: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    let foreign = TufRepository::new().of_root(2, SOON, &site.second.trusted_root());
    kept["files"] = foreign.to_json().into();
    let setup = door.close();
    std::fs::write(&path, kept.to_string()).unwrap();
    let door = setup.open();
    assert_eq!(in_force(&door).0, Origin::Configured);
    assert_eq!(door.get(FILE).status, 403);
    let changes = told(&door);
    assert_eq!(&*changes.last().unwrap().origin, "configured", "that it went back is told: {changes:?}");
}

#[test]
fn a_root_that_nobody_renews_shows_its_age_and_in_the_end_degrades_the_control() {
    let site = Site::new();
    let door = site.door();
    import(&door, &site.copy(2, &site.second)).unwrap();
    let degraded = || {
        door.door.look_for_degradations();
        door.door.degraded().iter().any(|line| line.starts_with("provenance: the trust root of acme is old"))
    };
    door.clock().advance(80 * 86_400);
    assert!(!degraded());
    assert_eq!(in_force(&door).2, 80);
    door.clock().advance(12 * 86_400);
    assert!(degraded());
    let control = |state: ControlState| {
        entries(&door, "control").iter().any(|entry| {
            matches!(&entry.body, Body::Control(c) if &*c.control == "provenance" && c.state == state)
        })
    };
    assert!(control(ControlState::Degraded) && !control(ControlState::Restored));
    // The test's repository says for long that it is current.
    site.serve(3, &site.second);
    assert_eq!(refresh(&door), Outcome::Current, "the same root, and it is said to be current today");
    assert!(!degraded() && in_force(&door).2 == 0);
    assert!(control(ControlState::Restored));
}
