//! Chain of custody at the door: what is stated of what passed, who can verify it, and what a crash leaves.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tidegate::door::{Door, Options};
use tidegate_model::Sha256;
use tidegate_provenance::custody::{
    Artifact, Chain, LedgerRecord, PolicyHistory, PolicyInForce, Predicate, Trust, chain, verify,
};
use tidegate_provenance::dsse;
use tidegate_provenance::signing::{FileKey, OwnKeys, PublicKey, SigningKey as _};
use tidegate_store::catalogue::NewLocalBlock;
use tidegate_testkit::client::RawClient;
use tidegate_testkit::process::{Home, Program};
use tidegate_testkit::upstream::{IMAGE_MANIFEST, descriptor};
use tidegate_testkit::{BuiltFile, FakeUpstream, Package, tools};

use crate::images::{Registry, blob, manifest, served};
use crate::support::{PATIENCE, Setup, TestDoor, days_ago, json, sha256_of};

const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
const FILE: &str = "/npm/alpha/-/alpha-1.0.0.tgz";
const PURL: &str = "pkg:npm/alpha@1.0.0";

fn publish(upstream: &FakeUpstream, name: &str) -> BuiltFile {
    upstream.publish(Package::npm(name, "1.0.0").published(&days_ago(90))).remove(0)
}

/// Makes every statement that is due.
fn state(door: &TestDoor) {
    while door.door.state_custody().unwrap() {}
}

fn ask(door: &TestDoor, what: &str) -> (u16, Value) {
    static AUDITORS: AtomicUsize = AtomicUsize::new(0);
    let auditor = format!("auditor-{}", AUDITORS.fetch_add(1, Ordering::Relaxed));
    let bearer = format!("Authorization: Bearer {}", door.token(&auditor, &[]));
    let answer = door.ask("GET", &format!("/api/v1/custody/{what}"), &[&bearer]);
    (answer.status, json(&answer))
}

/// What an auditor takes home: the answer of the API and nothing else.
struct Exported(Value);

impl Exported {
    #[track_caller]
    fn of(door: &TestDoor, sha256: &str) -> Self {
        let (status, answer) = ask(door, &format!("sha256:{sha256}"));
        assert_eq!(status, 200, "{answer}");
        Self(answer)
    }

    fn ring(&self) -> OwnKeys {
        let keys = &self.0["keys"];
        let pinned = keys["keys"][0]["key_id"].as_str().unwrap().parse().unwrap();
        OwnKeys::open(keys["ring"].to_string().as_bytes(), pinned).unwrap()
    }

    fn policies(&self) -> PolicyHistory {
        let told = &self.0["policies"];
        let entry = |one: &Value| PolicyInForce {
            record: one["record"].as_str().unwrap().parse().unwrap(),
            from: one["at"].as_str().unwrap().parse().unwrap(),
            policy: format!("sha256:{}", one["policy"].as_str().unwrap()).parse().unwrap(),
        };
        let entries = told["entries"].as_array().unwrap().iter().map(entry).collect();
        PolicyHistory::new(entries, told["until"].as_str().unwrap().parse().unwrap())
    }

    fn statements(&self) -> &[Value] {
        self.0["statements"].as_array().unwrap()
    }

    fn records(&self) -> Vec<LedgerRecord> {
        let mut records: Vec<LedgerRecord> =
            self.statements().iter().map(|one| one["record"].as_str().unwrap().parse().unwrap()).collect();
        records.dedup();
        records
    }

    fn sha256(&self) -> Sha256 {
        format!("sha256:{}", self.0["sha256"].as_str().unwrap()).parse().unwrap()
    }

    /// Verifies all of it, offline.
    #[track_caller]
    fn chain(&self, purl: &str) -> Chain {
        let (ring, policies) = (self.ring(), self.policies());
        let at = tidegate::clock::Clock::system().now().plus_seconds(9 * 86_400);
        let trust = Trust { keys: &ring, policies: Some(&policies), at };
        let artifact = Artifact { sha256: self.sha256(), sha512: None, purl: Some(purl) };
        let bundles: Vec<Vec<u8>> =
            self.statements().iter().map(|one| one["bundle"].to_string().into_bytes()).collect();
        let bundles: Vec<&[u8]> = bundles.iter().map(Vec::as_slice).collect();
        chain(&artifact, &bundles, &trust, Some(&self.records()))
            .unwrap_or_else(|e| panic!("{:?}", e.problems))
    }

    /// What happened, in the order of the chain.
    #[track_caller]
    fn events(&self, purl: &str) -> Vec<String> {
        let records = self.chain(purl).records;
        records
            .iter()
            .map(|record| custody(&record.predicate)["event"].as_str().unwrap().to_owned())
            .collect()
    }
}

fn custody(predicate: &Predicate) -> Value {
    match predicate {
        Predicate::Custody(custody) => serde_json::to_value(custody).unwrap(),
        other => panic!("no custody record: {other:?}"),
    }
}

fn payload(bundle: &Value) -> Vec<u8> {
    STANDARD.decode(bundle["dsseEnvelope"]["payload"].as_str().unwrap()).unwrap()
}

#[test]
fn what_was_served_is_stated_and_verifies_elsewhere() {
    let upstream = FakeUpstream::start();
    let file = publish(&upstream, "alpha");
    let door = Setup::new(&upstream).policy("").open();
    let person = door.token("margaret-hamilton", &[]);
    let answer = door.get(&format!("/t/{person}{FILE}"));
    assert_eq!((answer.status, &answer.body[..]), (200, &file.bytes[..]), "upstream's bytes as they are");
    assert_eq!(ask(&door, &format!("sha256:{}", file.sha256)).0, 404, "nothing was signed for the answer");
    state(&door);
    let exported = Exported::of(&door, &file.sha256);
    assert_eq!(exported.statements().len(), 3, "{}", exported.0);
    let chain = exported.chain(PURL);
    assert_eq!((chain.records.len(), chain.beside.len()), (1, 2));
    let record = custody(&chain.records[0].predicate);
    let node = door.door.recorder.node().to_string();
    assert_eq!(record["event"], "stored");
    assert_eq!(record["deployment"], format!("urn:tidegate:{node}"));
    assert_eq!(record["fetchedFrom"], "main", "the upstream's name, not its address");
    assert_eq!(record["bytes"], file.bytes.len());
    assert_eq!(record["decision"]["action"], "allow");
    let promised: Vec<&str> =
        record["promised"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert!(promised.contains(&&*format!("sha1:{}", file.sha1)) && promised.len() == 2, "{promised:?}");
    assert!(record["ledgerRecord"].as_str().unwrap().starts_with(&node) && record["actor"].is_null());
    // Nothing of a person, and no address of the upstream's that could hold a credential.
    for one in exported.statements() {
        let text = String::from_utf8(payload(&one["bundle"])).unwrap();
        assert!(
            !text.contains("hamilton") && !text.contains("127.0.0.1/") && !text.contains(&person),
            "{text}"
        );
    }
    // The next look finds nothing to add, nor does another request or another start.
    door.get(FILE);
    let door = door.restart();
    door.get(FILE);
    state(&door);
    assert_eq!(Exported::of(&door, &file.sha256).statements(), exported.statements());
    // One type, one name.
    let (_, summaries) = ask(
        &door,
        &format!("sha256:{}?type=https%3A%2F%2Fslsa.dev%2Fverification_summary%2Fv1", file.sha256),
    );
    assert_eq!(summaries["statements"].as_array().unwrap().len(), 1);
    assert_eq!(ask(&door, &format!("sha256:{}?purl=pkg%3Anpm%2Fother%401", file.sha256)).0, 404);
    let (status, keys) = ask(&door, "keys");
    assert_eq!((status, &keys), (200, &exported.0["keys"]));
}

#[test]
fn a_changed_bundle_is_noticed_and_openssl_verifies_a_true_one() {
    let upstream = FakeUpstream::start();
    let file = publish(&upstream, "alpha");
    let door = Setup::new(&upstream).open();
    door.get(FILE);
    state(&door);
    let exported = Exported::of(&door, &file.sha256);
    let ring = exported.ring();
    let at = tidegate::clock::Clock::system().now().plus_seconds(86_400);
    let trust = Trust { keys: &ring, policies: None, at };
    let artifact = Artifact { sha256: exported.sha256(), sha512: None, purl: Some(PURL) };
    for one in exported.statements() {
        let true_one = one["bundle"].to_string();
        verify(&artifact, true_one.as_bytes(), &trust).unwrap();
        let mut forged = one["bundle"].clone();
        let text = String::from_utf8(payload(&forged)).unwrap().replace("alpha", "omega");
        forged["dsseEnvelope"]["payload"] = json!(STANDARD.encode(text));
        let problem = verify(&artifact, forged.to_string().as_bytes(), &trust).unwrap_err();
        assert_eq!(problem.word(), "custody_forged");
    }
    let Some(openssl) = tools::openssl() else { return };
    let home = Home::new();
    let write = |name: &str, bytes: &[u8]| std::fs::write(home.path().join(name), bytes).unwrap();
    let pem = exported.0["keys"]["keys"][0]["public_key"].as_str().unwrap();
    assert!(PublicKey::from_pem(pem).is_ok());
    write("key.pem", pem.as_bytes());
    let check = || {
        let args = ["dgst", "-sha256", "-verify", "key.pem", "-signature", "signature", "signed"];
        openssl.called_by(&home).args(args).in_folder(home.path()).run()
    };
    for one in exported.statements() {
        let bundle = &one["bundle"];
        let signature = bundle["dsseEnvelope"]["signatures"][0]["sig"].as_str().unwrap();
        write("signature", &STANDARD.decode(signature).unwrap());
        write("signed", &dsse::pae("application/vnd.in-toto+json", &payload(bundle)));
        assert!(check().expect_success().stdout.contains("Verified OK"));
        write("signed", &payload(bundle));
        check().expect_failure();
    }
}

#[test]
fn later_changes_continue_the_chain() {
    let upstream = FakeUpstream::start();
    let file = publish(&upstream, "alpha");
    let setup = Setup::new(&upstream).policy("");
    let policy = setup.data().join("policy.toml");
    let door = setup.open();
    assert_eq!(door.get(FILE).status, 200);
    // Held by a rule, let go by a waiver.
    let rule = "[policy]\nid = \"test\"\nversion = \"2\"\n[[rule]]\nid = \"held\"\naction = \"quarantine\"\n\
        unknown = \"allow\"\nmessage = \"no alpha\"\n[rule.when]\n\"artifact.name\" = \"alpha\"\n\
        [[rule]]\nid = \"bad\"\naction = \"block\"\nunknown = \"allow\"\nmessage = \"bad\"\n\
        [rule.when]\n\"malware.verdict\" = \"malicious\"\n";
    std::fs::write(&policy, rule).unwrap();
    door.door.reload_rules().unwrap();
    assert_eq!(door.get(FILE).status, 403);
    // Asked again: decided again, and nothing new.
    assert_eq!(door.get(FILE).status, 403);
    state(&door);
    assert_eq!(Exported::of(&door, &file.sha256).events(PURL), ["stored", "quarantined"]);
    door.release(PURL, "held");
    assert_eq!(door.get(FILE).status, 200);
    // Blocked by hand, and let go again; the door was closed in between.
    let block = NewLocalBlock {
        purl: PURL.into(),
        sha256: None,
        reason: "looked at".into(),
        actor: "grace-hopper".into(),
        at: door.clock().now(),
    };
    let block = door.door.store.catalogue.put_local_block(&block).unwrap();
    door.door.reload_rules().unwrap();
    assert_eq!(door.get(FILE).status, 403);
    let door = door.restart();
    let now = door.clock().now();
    assert!(door.door.store.catalogue.withdraw_local_block(block.number, now, "grace-hopper").unwrap());
    door.door.reload_rules().unwrap();
    assert_eq!(door.get(FILE).status, 200);
    state(&door);
    let exported = Exported::of(&door, &file.sha256);
    let expected = ["stored", "quarantined", "released", "blocked", "released"];
    assert_eq!(exported.events(PURL), expected);
    let texts = exported.statements().iter().map(|one| String::from_utf8(payload(&one["bundle"])).unwrap());
    assert!(texts.clone().all(|text| !text.contains("hopper")), "{:?}", texts.collect::<Vec<_>>());
    let summary = exported.statements().iter().find(|one| {
        one["event"] == "quarantined" && one["predicate_type"].as_str().unwrap().contains("summary")
    });
    let summary: Value = serde_json::from_slice(&payload(&summary.unwrap()["bundle"])).unwrap();
    assert_eq!(summary["predicate"]["verificationResult"], "FAILED");
}

/// A program that signs with a key file through openssl, where that is there, and otherwise is a service that is away.
fn service(folder: &Path) -> Option<Vec<String>> {
    let (openssl, python) = (tools::openssl()?, tools::python()?);
    let script = folder.join("service.py");
    let text = r#"
import base64, json, os, subprocess, sys
folder, openssl = sys.argv[1:3]
asked = json.load(sys.stdin)
if os.path.exists(folder + "/away"):
    print(json.dumps({"error": "the service is away"})); sys.exit(0)
def run(*args, data=b""):
    return subprocess.run([openssl, *args], input=data, stdout=subprocess.PIPE, check=True).stdout
key = folder + "/service.pem"
if asked["operation"] == "public_key":
    print(json.dumps({"public_key": run("pkey", "-in", key, "-pubout").decode()}))
else:
    message = base64.b64decode(asked["message"])
    signed = run("dgst", "-sha256", "-sign", key, data=message)
    print(json.dumps({"signature": base64.b64encode(signed).decode(), "form": "der"}))
"#;
    std::fs::write(&script, text).unwrap();
    FileKey::create(&folder.join("service.pem"), tidegate_provenance::signing::KeyAlgorithm::EcdsaP256, None)
        .unwrap();
    let words = [python.path(), Path::new("-I"), &script, folder, openssl.path()];
    Some(words.iter().map(|word| word.display().to_string()).collect())
}

#[test]
fn a_key_that_is_away_stops_no_answer_and_nothing_is_lost_or_doubled() {
    let folder = tempfile::tempdir().unwrap();
    let Some(program) = service(folder.path()) else { return };
    let upstream = FakeUpstream::start();
    let files: Vec<BuiltFile> =
        ["alpha", "beta", "gamma"].iter().map(|name| publish(&upstream, name)).collect();
    let away = folder.path().join("away");
    std::fs::write(&away, "").unwrap();
    let door = Setup::new(&upstream)
        .with(|c| {
            c.custody.program = program;
            c.custody.program_key = "projects/1/keys/custody".into();
            c.custody.program_seconds = 30;
            c.custody.deployment = Some("https://tidegate.corp.example/".parse().unwrap());
        })
        .open();
    assert_eq!(door.get(FILE).status, 200);
    assert!(door.door.state_custody().is_err());
    assert_eq!(door.alarms(), ["custody"]);
    assert_eq!(ask(&door, "keys").0, 503);
    // Between the entries and their statements the door ends, and the key comes back much later.
    assert_eq!(door.get("/npm/beta/-/beta-1.0.0.tgz").status, 200);
    let door = door.restart();
    door.clock().advance(3 * 86_400);
    std::fs::remove_file(&away).unwrap();
    state(&door);
    // It goes away again in the middle of work.
    std::fs::write(&away, "").unwrap();
    assert_eq!(door.get("/npm/gamma/-/gamma-1.0.0.tgz").status, 200);
    assert!(door.door.state_custody().is_err());
    std::fs::remove_file(&away).unwrap();
    state(&door);
    for (file, name) in files.iter().zip(["alpha", "beta", "gamma"]) {
        let exported = Exported::of(&door, &file.sha256);
        assert_eq!(exported.0["keys"]["deployment"], "https://tidegate.corp.example/");
        assert_eq!(exported.events(&format!("pkg:npm/{name}@1.0.0")), ["stored"]);
    }
}

#[test]
fn killed_at_any_moment_each_artifact_is_stated_once() {
    let (upstream, home) = (FakeUpstream::start(), Home::new());
    let setup = Setup::new(&upstream);
    let data = setup.data().join("door");
    let mut files = Vec::new();
    for round in 0..8u64 {
        let mut program = Program::new(env!("CARGO_BIN_EXE_tidegate"), &home)
            .args(["up", "--no-sync", "--listen", "127.0.0.1:0", "--data"])
            .arg(&data)
            .env("TIDEGATE_UPSTREAM_NPM", upstream.npm_url())
            .env("NO_COLOR", "1")
            .spawn();
        let line = program.wait_for_line("tidegate is open on http://", PATIENCE);
        let address = line.split("http://").nth(1).unwrap().split('/').next().unwrap().parse().unwrap();
        let mut client = RawClient::connect(address).unwrap();
        for n in 0..3 {
            let name = format!("k{round}-{n}");
            let file = publish(&upstream, &name);
            let answer = client.request("GET", &format!("/npm/{name}/-/{name}-1.0.0.tgz"), &[]).unwrap();
            assert_eq!(answer.status, 200);
            files.push((name, file));
        }
        // From before the job looks to after it has stated all.
        std::thread::sleep(std::time::Duration::from_millis(round * 45));
        program.signal(9);
        program.wait(PATIENCE).expect("a killed process ends");
    }
    let door = setup.open();
    state(&door);
    let mut heads = std::collections::BTreeSet::new();
    for (name, file) in &files {
        let exported = Exported::of(&door, &file.sha256);
        let chain = exported.chain(&format!("pkg:npm/{name}@1.0.0"));
        assert_eq!((chain.records.len(), chain.beside.len()), (1, 2), "{name}");
        assert!(heads.insert(chain.head()));
    }
    assert_eq!(heads.len(), 24);
}

#[test]
fn switched_off_nothing_is_made() {
    let registry = Registry::start();
    let image = registry.image("org/app", "v1", &[("bin/app", b"app")]);
    let door = Setup::new(&registry.registry).with(|c| c.custody.enabled = false).open();
    served(&door.get(&manifest("org/app", "v1")));
    state(&door);
    assert!(!door.data().join("keys/custody.pem").exists());
    assert_eq!(ask(&door, "keys").0, 404);
    assert_eq!(ask(&door, &image.digest).0, 404);
    let list = json(&door.get(&format!("/v2/oci/org/app/referrers/{}", image.digest)));
    assert_eq!(list["manifests"], json!([]));
}

#[test]
fn keys_that_cannot_be_trusted_keep_the_door_shut() {
    let upstream = FakeUpstream::start();
    let setup = Setup::new(&upstream).open().close();
    let (data, keys) = (setup.data().join("door"), setup.data().join("door/keys"));
    let refused = |change: &dyn Fn(&mut tidegate::config::Config)| {
        let mut config = setup.config.clone();
        change(&mut config);
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let _guard = runtime.enter();
        match Door::open(Options::new(config, data.clone(), Vec::new())) {
            Ok(_) => "it opened".to_owned(),
            Err(error) => error.to_string(),
        }
    };
    let key = keys.join("custody.pem");
    let mode = |mode| std::fs::set_permissions(&key, std::fs::Permissions::from_mode(mode)).unwrap();
    assert_eq!(std::fs::metadata(&key).unwrap().permissions().mode() & 0o7777, 0o600);
    assert_eq!(std::fs::metadata(&keys).unwrap().permissions().mode() & 0o7777, 0o700);
    mode(0o640);
    let exposed = refused(&|_| {});
    assert!(exposed.contains("may be used by others") && exposed.contains("chmod 600"), "{exposed}");
    mode(0o600);
    // Another name, another key, no key.
    let renamed = refused(&|c| c.custody.deployment = Some("https://other.example/".parse().unwrap()));
    assert!(renamed.contains("set deployment = \"urn:tidegate:"), "{renamed}");
    let own = setup.data().join("own.pem");
    let own_key = FileKey::create(&own, tidegate_provenance::signing::KeyAlgorithm::EcdsaP256, None).unwrap();
    let other = refused(&|c| c.custody.key = Some(own.clone()));
    assert!(
        other.contains(&own_key.public_key().key_id().to_string()) && other.contains("move the ring away"),
        "{other}"
    );
    std::fs::rename(&key, keys.join("moved.pem")).unwrap();
    let gone = refused(&|_| {});
    assert!(gone.contains("is gone") && gone.contains("backup"), "{gone}");
    assert!(!key.exists(), "no new key takes its place in silence");
    // Without its ring, a key of one's own begins anew.
    std::fs::remove_file(keys.join("custody-ring.json")).unwrap();
    assert_eq!(refused(&|c| c.custody.key = Some(own.clone())), "it opened");
}

#[test]
fn statements_about_an_image_are_referrers() {
    let registry = Registry::start();
    let image = registry.image("org/app", "v1", &[("bin/app", b"app")]);
    registry.image("org/other", "v1", &[("bin/app", b"other")]);
    let mut signature = descriptor(IMAGE_MANIFEST, b"signature");
    signature["artifactType"] = json!("application/vnd.test.signature");
    registry.registry.catalog().refer("org/app", &image.digest, vec![signature.clone()]);
    let door = Setup::new(&registry.registry).open();
    let referrers = |query: &str| door.get(&format!("/v2/oci/org/app/referrers/{}{query}", image.digest));
    let pulled = door.get(&manifest("org/app", "v1"));
    served(&pulled);
    served(&door.get(&manifest("org/other", "v1")));
    assert_eq!(json(&referrers(""))["manifests"].as_array().unwrap().len(), 1, "nothing of ours yet");
    state(&door);
    let all = json(&referrers(""));
    let all = all["manifests"].as_array().unwrap();
    assert_eq!(all.len(), 4, "{all:?}");
    assert_eq!(all[0]["digest"], signature["digest"], "upstream's first, as it was");
    let asked = format!("?artifactType={}", BUNDLE.replace('/', "%2F").replace('+', "%2B"));
    let ours = referrers(&asked);
    assert_eq!(ours.header("oci-filters-applied"), Some("artifactType"));
    assert_eq!(json(&ours)["manifests"].as_array().unwrap()[..], all[1..]);
    let others = json(&referrers("?artifactType=application%2Fvnd.test.signature"));
    assert_eq!(others["manifests"].as_array().unwrap()[..], all[..1]);

    let exported = Exported::of(&door, &sha256_of(&image.manifest));
    let ring = exported.ring();
    let at = door.clock().now().plus_seconds(60);
    let trust = Trust { keys: &ring, policies: Some(&exported.policies()), at };
    let asked_upstream = registry.registry.count("/manifests/");
    for one in &all[1..] {
        let digest = one["digest"].as_str().unwrap();
        let answer = door.get(&manifest("org/app", digest));
        served(&answer);
        assert_eq!(answer.header("docker-content-digest"), Some(digest));
        assert_eq!(format!("sha256:{}", sha256_of(&answer.body)), digest);
        assert!(answer.header("x-tidegate-record").is_some(), "it is recorded");
        let head = door.ask("HEAD", &manifest("org/app", digest), &[]);
        assert_eq!((head.status, head.header("content-length")), (200, answer.header("content-length")));
        let document = json(&answer);
        assert_eq!(document["subject"]["digest"], image.digest);
        assert_eq!(document["subject"]["size"], image.manifest.len());
        assert_eq!(document["artifactType"], BUNDLE);
        let empty = document["config"]["digest"].as_str().unwrap();
        assert_eq!(door.get(&blob("org/app", empty)).body, b"{}");
        let layer = document["layers"][0]["digest"].as_str().unwrap();
        let bundle = door.get(&blob("org/app", layer));
        served(&bundle);
        assert_eq!(format!("sha256:{}", sha256_of(&bundle.body)), layer);
        let artifact = Artifact { sha256: exported.sha256(), sha512: None, purl: None };
        let stated = verify(&artifact, &bundle.body, &trust).unwrap();
        assert_eq!(stated.predicate_type, document["annotations"]["dev.sigstore.bundle.predicateType"]);
        // The digest alone opens nothing: another repository of the same registry does not have it.
        assert_eq!(door.get(&blob("org/other", layer)).status, 404);
        assert_eq!(door.get(&manifest("org/other", digest)).status, 404);
        assert_eq!(door.get(&blob("org/app", digest)).status, 404, "a manifest is no blob");
    }
    // Only the three of the other repository were asked for there.
    assert_eq!(registry.registry.count("/manifests/"), asked_upstream + 3);
    // What upstream made is as it was.
    let again = door.get(&manifest("org/app", &image.digest));
    assert_eq!((&again.body[..], &pulled.body[..]), (&image.manifest[..], &image.manifest[..]));
}

#[test]
fn a_key_that_was_replaced_still_verifies_what_it_signed() {
    let upstream = FakeUpstream::start();
    let (first, second) = (publish(&upstream, "alpha"), publish(&upstream, "beta"));
    let third = publish(&upstream, "gamma");
    let door = Setup::new(&upstream).open();
    let get = |door: &TestDoor, name: &str| {
        assert_eq!(door.get(&format!("/npm/{name}/-/{name}-1.0.0.tgz")).status, 200);
    };
    get(&door, "alpha");
    state(&door);
    let custody = |door: &TestDoor| door.door.custody.as_ref().unwrap().rotate(&door.door, None);
    let before = Exported::of(&door, &first.sha256).ring();
    let rotated = custody(&door).unwrap();
    assert_eq!(before.keys().len(), 1);
    assert!(custody(&door).unwrap_err().to_string().contains("less than an hour ago"));
    // The announcement stands in the ledger, after the key before.
    let entries = door.door.recorder.reader(rotated.record.seq).next().unwrap().unwrap();
    let told: Value = serde_json::from_slice(&entries.json).unwrap();
    assert_eq!((&told["kind"], &told["purpose"]), (&json!("key"), &json!("custody")));
    assert_eq!(told["previous"], json!(rotated.before.to_string()));
    assert_eq!(told["public_key"], json!(rotated.key.to_pem()));

    // What happens before the new key begins is the old one's, also where it is stated later.
    get(&door, "beta");
    door.clock().advance(10);
    get(&door, "gamma");
    state(&door);
    let signed_by = |door: &TestDoor, file: &BuiltFile, name: &str| {
        let exported = Exported::of(door, &file.sha256);
        exported.chain(&format!("pkg:npm/{name}@1.0.0"));
        exported.statements()[0]["bundle"]["verificationMaterial"].to_string()
    };
    let (of_first, of_second) = (signed_by(&door, &first, "alpha"), signed_by(&door, &second, "beta"));
    let of_third = signed_by(&door, &third, "gamma");
    assert_eq!(of_first, of_second);
    assert_ne!(of_second, of_third, "another key");
    // Whoever knew the ring before follows it.
    let ring = |door: &TestDoor| Exported::of(door, &first.sha256).0["keys"]["ring"].to_string();
    let next = before.follow(ring(&door).as_bytes()).unwrap();
    assert_eq!(next.keys().len(), 2);

    // After a restart both are there; an hour later the old one is gone, and a restart does not miss it.
    let door = door.restart();
    let folder = door.data().join("keys");
    assert!(folder.join("custody-next.pem").exists());
    state(&door);
    door.clock().advance(3700);
    state(&door);
    while door.door.recorder.health().durable < door.door.recorder.health().appended {
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    // Once for what is due, and once with nothing due, which is when the old key may go.
    state(&door);
    state(&door);
    assert!(!folder.join("custody-next.pem").exists(), "the new key took its place");
    assert_eq!(next.follow(ring(&door).as_bytes()).unwrap().edition(), 3);
    let held = FileKey::open(&folder.join("custody.pem"), None).unwrap();
    assert_eq!(held.public_key(), &rotated.key);
    let pinned = OwnKeys::open(ring(&door).as_bytes(), rotated.key.key_id()).unwrap();
    assert_eq!(pinned.edition(), 3);
    let earlier = Exported::of(&door, &first.sha256).0["keys"]["earlier_rings"].as_array().unwrap().len();
    assert_eq!(earlier, 2);

    // A kill between the last two steps: the ring is the new key's already.
    let setup = door.close();
    let (now, next) = (folder.join("custody.pem"), folder.join("custody-next.pem"));
    std::fs::rename(&now, &next).unwrap();
    FileKey::create(&now, tidegate_provenance::signing::KeyAlgorithm::EcdsaP256, None).unwrap();
    let door = setup.open();
    assert!(!next.exists());
    publish(&upstream, "delta");
    get(&door, "delta");
    state(&door);
    custody(&door).unwrap();
    let upstream_gone = door.door.state_custody();
    assert!(upstream_gone.is_ok(), "{upstream_gone:?}");
}

#[test]
fn the_ledger_says_at_the_start_that_another_key_signs() {
    let upstream = FakeUpstream::start();
    let door = Setup::new(&upstream).open();
    let keys = |door: &TestDoor| -> Vec<Value> {
        while door.door.recorder.health().durable < door.door.recorder.health().appended {
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        let entries =
            door.door.recorder.reader(1).map(|frame| serde_json::from_slice(&frame.unwrap().json).unwrap());
        entries.filter(|entry: &Value| entry["kind"] == "key" && entry["purpose"] == "custody").collect()
    };
    let folder = door.data().join("keys");
    let before = FileKey::open(&folder.join("custody.pem"), None).unwrap().public_key().key_id();
    let door = door.restart();
    assert_eq!(keys(&door), [] as [Value; 0], "the same key is nothing to tell");
    let setup = door.close();
    // A ring that is begun anew, as docs/concepts/custody.md has it.
    for file in ["custody.pem", "custody-ring.json"] {
        std::fs::remove_file(folder.join(file)).unwrap();
    }
    let door = setup.open();
    let after = FileKey::open(&folder.join("custody.pem"), None).unwrap().public_key().key_id();
    let told = keys(&door);
    assert_eq!(told.len(), 1);
    assert_eq!(told[0]["key_id"], json!(after.to_string()));
    assert_eq!(told[0]["previous"], json!(before.to_string()));
}
