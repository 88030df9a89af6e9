//! `tidegate verify`: build provenance of files that an instance of our own signed, as it is, tampered with, of other bytes and
//! not what was demanded; what a door stored; and what is wrong with the way it is called.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tidegate_provenance::testing::{Build, Sigstore, Tamper, digests, slsa, statement};
use tidegate_testkit::process::{Finished, Home, Program};
use tidegate_testkit::{Package, Style};

use crate::clients_support::{Site, TIDEGATE};
use crate::support::days_ago;

const BYTES: &[u8] = b"the bytes of an artifact";
const SOURCE: &str = "https://github.com/acme/alpha";

/// A user with files that an instance signed.
pub(crate) struct Signed {
    pub(crate) home: Home,
    pub(crate) sigstore: Sigstore,
    pub(crate) build: Build,
}

impl Signed {
    pub(crate) fn new() -> Self {
        let signed = Self { home: Home::new(), sigstore: Sigstore::new(), build: Build::of("acme/alpha") };
        signed.write("root.json", signed.sigstore.trusted_root());
        signed.write("registry.json", signed.sigstore.registry_keys());
        signed
    }

    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.home.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, bytes).unwrap();
        path
    }

    /// A bundle of build provenance over `bytes`.
    fn bundle(&self, name: &str, bytes: &[u8]) -> Value {
        self.sigstore.attest(&statement(name, bytes, &slsa(&self.build)), &self.build)
    }

    /// `tidegate verify` in the user's folder, as `--root root.json --key registry.json` makes it believe the instance.
    pub(crate) fn believing(&self, arguments: &[&str]) -> Finished {
        run(&self.home, &[arguments, &["--root", "root.json", "--key", "registry.json"]].concat())
    }

    /// The outcomes as programs read them, and the status.
    #[track_caller]
    fn outcomes(&self, arguments: &[&str]) -> (Option<i32>, Vec<Value>) {
        let finished = self.believing(&[arguments, &["--json"]].concat());
        (finished.code(), lines(&finished))
    }

    /// The status, and the state of each outcome.
    #[track_caller]
    fn states(&self, arguments: &[&str]) -> (Option<i32>, Vec<String>) {
        let (code, outcomes) = self.outcomes(arguments);
        (code, outcomes.iter().map(state).collect())
    }
}

pub(crate) fn run(home: &Home, arguments: &[&str]) -> Finished {
    let finished = Program::new(TIDEGATE, home).arg("verify").args(arguments).run();
    assert!(!finished.output().contains("panicked"), "{}", finished.output());
    finished
}

#[track_caller]
fn lines(finished: &Finished) -> Vec<Value> {
    let read = |line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {}", finished.output()));
    finished.stdout.lines().map(read).collect()
}

/// `invalid(signature)`, as one word.
pub(crate) fn state(outcome: &Value) -> String {
    let word = outcome["state"].as_str().unwrap();
    match outcome["reason"].as_str().or(outcome["claim"].as_str()) {
        Some(why) => format!("{word}({why})"),
        None => word.to_owned(),
    }
}

fn words(states: &[&str]) -> Vec<String> {
    states.iter().map(|state| (*state).to_owned()).collect()
}

#[test]
fn a_file_with_a_bundle_beside_it_tells_who_built_it_where_and_from_what() {
    let signed = Signed::new();
    signed.write("alpha.tar", BYTES);
    signed.write("alpha.tar.sigstore.json", signed.bundle("alpha.tar", BYTES).to_string());
    let finished = signed.believing(&["alpha.tar", "--source", SOURCE, "--name", "alpha.tar"]);
    assert_eq!(finished.code(), Some(0), "{}", finished.output());
    let [sha256, _] = digests(BYTES);
    let root = signed.sigstore.root(tidegate_provenance::Instance::PublicGood).digest();
    for row in [
        format!("  {sha256}\n"),
        "  beside it: alpha.tar.sigstore.json\n".to_owned(),
        "\nverified\n".to_owned(),
        "  what        Sigstore bundle: build provenance, https://slsa.dev/provenance/v1\n".to_owned(),
        format!("  signed      alpha.tar  {sha256}\n"),
        format!("  by          {SOURCE}/.github/workflows/release.yml@refs/tags/v1.0.0\n"),
        "  issuer      https://token.actions.githubusercontent.com\n".to_owned(),
        format!("  built by    {SOURCE}/.github/workflows/release.yml@refs/tags/v1.0.0 (github-hosted)\n"),
        format!("  source      {SOURCE}\n"),
        "  commit      0123456789abcdef0123456789abcdef01234567\n".to_owned(),
        "  ref         refs/tags/v1.0.0\n".to_owned(),
        "  workflow    .github/workflows/release.yml\n".to_owned(),
        "  when        2025-06-01 12:00 UTC (in a log, proven against its signed checkpoint)\n".to_owned(),
        format!("  root        own, given by --root, {root}\n"),
        "  not proven: the build steps and materials that the statement lists".to_owned(),
        "\n1 of 1 verified\n".to_owned(),
    ] {
        assert!(finished.stdout.contains(&row), "{row}\n{}", finished.stdout);
    }
    let (code, outcomes) = signed.outcomes(&["alpha.tar"]);
    assert_eq!((code, outcomes.len()), (Some(0), 1));
    assert_eq!(outcomes[0]["subject_digest"], sha256.to_string());
    assert_eq!(outcomes[0]["evidence"], "inclusion_proof");
    assert_eq!(outcomes[0]["trust_root"]["digest"], root.to_string());
    let not_proven = outcomes[0]["not_proven"].to_string();
    assert!(
        not_proven.contains("no exact issuer") && not_proven.contains("no name was compared"),
        "{not_proven}"
    );
}

#[test]
fn the_guide_shows_what_is_printed() {
    let signed = Signed::new();
    signed.write("alpha.tar", BYTES);
    signed.write("alpha.tar.sigstore.json", signed.bundle("alpha.tar", BYTES).to_string());
    let finished = signed.believing(&["alpha.tar", "--source", SOURCE]);
    let root = signed.sigstore.root(tidegate_provenance::Instance::PublicGood).digest().to_string();
    let keys = |line: &&str| !line.starts_with("  key: ");
    let printed: Vec<&str> = finished.stdout.lines().filter(keys).collect();
    let printed = printed.join("\n").replace(&root, "sha256:…");
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/guides/verify.md");
    let guide = std::fs::read_to_string(guide).unwrap();
    let shown = tidegate_testkit::markdown::blocks(&guide);
    let shown = shown.iter().find(|block| block.info == "text from the_guide_shows_what_is_printed").unwrap();
    assert_eq!(shown.text.trim_end(), printed, "write this into the guide:\n{printed}");
}

#[test]
fn every_way_of_tampering_is_told_and_ends_with_status_4() {
    let signed = Signed::new();
    signed.write("alpha.tar", BYTES);
    let genuine = signed.bundle("alpha.tar", BYTES);
    for tamper in Tamper::ALL {
        signed.write("alpha.tar.sigstore.json", signed.sigstore.tampered(&genuine, tamper).to_string());
        let (code, states) = signed.states(&["alpha.tar"]);
        let newer = matches!(tamper, Tamper::NewerEntry | Tamper::NewerBundle);
        assert_eq!(code, Some(if newer { 3 } else { 4 }), "{tamper:?} {states:?}");
        assert_ne!(states, ["verified"], "{tamper:?}");
    }
    signed.write("alpha.tar.sigstore.json", genuine.to_string());
    assert_eq!(signed.states(&["alpha.tar"]), (Some(0), words(&["verified"])));
    signed.write("alpha.tar", b"other bytes");
    assert_eq!(signed.states(&["alpha.tar"]), (Some(4), words(&["invalid(artifact_digest)"])));
    let finished = signed.believing(&["alpha.tar"]);
    assert!(finished.stdout.contains("NOT VERIFIED: invalid(artifact_digest): "), "{}", finished.stdout);
    assert!(!finished.stdout.contains(SOURCE), "nothing of what does not hold is told: {}", finished.stdout);
}

#[test]
fn what_is_demanded_is_compared_whole() {
    let signed = Signed::new();
    signed.write("alpha.tar", BYTES);
    signed.write("alpha.tar.sigstore.json", signed.bundle("alpha.tar", BYTES).to_string());
    let issuer = "https://token.actions.githubusercontent.com";
    for (demand, expected) in [
        (["--source", SOURCE], "verified"),
        (["--source", "https://github.com/acme/alph"], "policy_mismatch(source_repository)"),
        (["--issuer", issuer], "verified"),
        (["--issuer", "https://issuer.example"], "policy_mismatch(issuer)"),
        (["--workflow", ".github/workflows/release.yml"], "verified"),
        (["--workflow", "release.yml"], "policy_mismatch(workflow)"),
        (["--predicate", "provenance"], "verified"),
        (["--predicate", "https://slsa.dev/provenance/v0.2"], "policy_mismatch(predicate_type)"),
        (["--name", "alpha.tar"], "verified"),
        (["--name", "beta.tar"], "policy_mismatch(subject_name)"),
    ] {
        let (code, states) = signed.states(&["alpha.tar", demand[0], demand[1]]);
        let expected_code = if expected == "verified" { 0 } else { 4 };
        assert_eq!((code, states), (Some(expected_code), words(&[expected])), "{demand:?}");
    }
    // Bytes alone are signed: no name can be the demanded one.
    signed.write("alpha.tar.sigstore.json", signed.sigstore.sign_bytes(BYTES, &signed.build).to_string());
    assert_eq!(signed.states(&["alpha.tar"]), (Some(0), words(&["verified"])));
    let named = signed.states(&["alpha.tar", "--name", "alpha.tar"]);
    assert_eq!(named, (Some(4), words(&["policy_mismatch(subject_name)"])));
}

#[test]
fn an_npm_answer_is_checked_whole_and_a_demand_is_met_by_one_of_it() {
    let signed = Signed::new();
    let answer =
        |bytes: &[u8]| signed.sigstore.npm_attestations("@acme/alpha", "1.0.0", bytes, &signed.build);
    signed.write("alpha-1.0.0.tgz", BYTES);
    signed.write("answer.json", answer(BYTES));
    let of = ["alpha-1.0.0.tgz", "--attestation", "answer.json"];
    let with = |more: &[&str]| signed.states(&[&of[..], more].concat());
    for name in ["@acme/alpha@1.0.0", "pkg:npm/@acme/alpha@1.0.0", "pkg:npm/%40acme/alpha@1.0.0"] {
        assert_eq!(with(&["--name", name]), (Some(0), words(&["verified", "verified"])), "{name}");
    }
    assert_eq!(with(&["--name", "@acme/alpha@1.0.1"]).0, Some(4));
    // The registry's own attestation names no source; the build's does.
    let demanded = with(&["--source", SOURCE]);
    assert_eq!(demanded, (Some(0), words(&["policy_mismatch(source_repository)", "verified"])));
    assert_eq!(with(&["--source", "https://github.com/mallory/alpha"]).0, Some(4));
    let digest = digests(BYTES)[1].to_string();
    let by_digest = signed.states(&["--digest", &digest, "--attestation", "answer.json"]);
    assert_eq!(by_digest, (Some(0), words(&["verified", "verified"])));
    signed.write("answer.json", answer(b"other bytes"));
    assert_eq!(with(&[]), (Some(4), words(&["invalid(artifact_digest)"; 2])));
    signed.write("answer.json", r#"{"attestations":[]}"#);
    assert_eq!(with(&[]), (Some(3), words(&["absent"])));
    // Without the registry's list of keys, its signature is by nobody; the build's certificate needs no list.
    signed.write("answer.json", answer(BYTES));
    let unlisted = run(&signed.home, &[&of[..], &["--root", "root.json", "--json"]].concat());
    let states: Vec<String> = lines(&unlisted).iter().map(state).collect();
    assert_eq!((unlisted.code(), states), (Some(4), words(&["invalid(unknown_key)", "verified"])));
}

#[test]
fn a_wheel_is_held_to_its_name_and_to_its_publisher() {
    let signed = Signed::new();
    let wheel = "Alpha-1.0.0-py3-none-any.whl";
    let document = signed.sigstore.pypi_provenance("alpha-1.0.0-py3-none-any.whl", BYTES, &signed.build);
    signed.write(wheel, BYTES);
    signed.write(&format!("{wheel}.provenance"), &document);
    assert_eq!(signed.states(&[wheel]), (Some(0), words(&["verified"])));
    let object: Value = serde_json::from_str(&document).unwrap();
    let one = &object["attestation_bundles"][0]["attestations"][0];
    signed.write("one.json", one.to_string());
    let of_one = [wheel, "--attestation", "one.json"];
    assert_eq!(signed.states(&of_one), (Some(0), words(&["verified"])));
    signed.write("beta-1.0.0-py3-none-any.whl", BYTES);
    let renamed = signed.states(&["beta-1.0.0-py3-none-any.whl", "--attestation", "one.json"]);
    assert_eq!(renamed, (Some(4), words(&["policy_mismatch(subject_name)"])));
    let mut forged = object.clone();
    forged["attestation_bundles"][0]["publisher"]["repository"] = json!("mallory/alpha");
    signed.write(&format!("{wheel}.provenance"), forged.to_string());
    assert_eq!(signed.states(&[wheel]), (Some(4), words(&["invalid(publisher)"])));
    signed.write(&format!("{wheel}.provenance"), r#"{"version":2,"attestation_bundles":[]}"#);
    assert_eq!(signed.states(&[wheel]), (Some(3), words(&["unsupported"])));
}

#[test]
fn only_the_instance_that_is_demanded_vouches() {
    let signed = Signed::new();
    signed.write("alpha.tar", BYTES);
    signed.write("alpha.tar.sigstore.json", signed.bundle("alpha.tar", BYTES).to_string());
    // The public instance does not know who signed this.
    let public = run(&signed.home, &["alpha.tar", "--json"]);
    assert_eq!(public.code(), Some(4), "{}", public.output());
    let other = Sigstore::new();
    signed.write("other.json", other.trusted_root());
    assert_eq!(run(&signed.home, &["alpha.tar", "--root", "other.json"]).code(), Some(4));
    // GitHub's instance has no log, and its bundles may come without one; nobody else's may.
    let unlogged =
        signed.sigstore.attest_unlogged(&statement("alpha.tar", BYTES, &slsa(&signed.build)), &signed.build);
    signed.write("alpha.tar.sigstore.json", unlogged.to_string());
    assert_eq!(signed.states(&["alpha.tar"]), (Some(4), words(&["invalid(no_log_evidence)"])));
    assert_eq!(signed.states(&["alpha.tar", "--instance", "github"]), (Some(0), words(&["verified"])));
    let unknown = run(&signed.home, &["alpha.tar", "--instance", "ours"]);
    assert_eq!(unknown.code(), Some(2));
    assert!(
        unknown.stderr.contains("`ours`") && unknown.stderr.contains("--root FILE"),
        "{}",
        unknown.stderr
    );
}

#[test]
fn several_bundles_in_one_file_are_all_checked() {
    let signed = Signed::new();
    signed.write("alpha.tar", BYTES);
    let genuine = signed.bundle("alpha.tar", BYTES);
    let other = signed.bundle("alpha.tar", b"other bytes");
    signed.write("alpha.tar.sigstore.jsonl", format!("{genuine}\n{genuine}\n"));
    assert_eq!(signed.states(&["alpha.tar"]), (Some(0), words(&["verified", "verified"])));
    signed.write("alpha.tar.sigstore.jsonl", format!("{genuine}\n{other}\n"));
    let mixed = signed.believing(&["alpha.tar"]);
    assert_eq!(mixed.code(), Some(4));
    assert!(mixed.stdout.contains("alpha.tar.sigstore.jsonl (2)"), "{}", mixed.stdout);
    assert!(mixed.stdout.contains("1 of 2 do not hold: do not use it"), "{}", mixed.stdout);
    // As GitHub answers.
    signed.write("all.json", json!({ "attestations": [{ "bundle": genuine }] }).to_string());
    let answered = signed.states(&["alpha.tar", "--attestation", "all.json"]);
    assert_eq!(answered, (Some(0), words(&["verified"])));
}

#[test]
fn where_nothing_can_be_proven_the_reason_stands_and_the_status_is_3() {
    let signed = Signed::new();
    signed.write("alpha.tar", BYTES);
    let nothing = signed.believing(&["alpha.tar"]);
    assert_eq!(nothing.code(), Some(3));
    assert!(
        nothing.stdout.contains("NOT VERIFIED: absent: nothing signed lies beside it"),
        "{}",
        nothing.stdout
    );
    assert!(
        nothing.stdout.contains("alpha.tar.sigstore.json") && nothing.stdout.contains("--attestation FILE")
    );
    for (odd, why) in [
        (&b""[..], "it is empty"),
        (b"words", "no form that is known here"),
        (b"{}", "JSON of no form"),
        (b"{\"payloadType\":\"x\",\"payload\":\"\",\"signatures\":[]}", "bare envelope"),
        (b"\x1b[2J\xff\x00", "no form that is known here"),
    ] {
        signed.write("odd", odd);
        let finished = signed.believing(&["alpha.tar", "--attestation", "odd"]);
        assert_eq!(finished.code(), Some(3), "{}", finished.output());
        assert!(
            finished.stdout.contains("unsupported: ") && finished.stdout.contains(why),
            "{}",
            finished.stdout
        );
    }
    // Nobody reads 3 GiB of an attestation, nor nests for ever.
    let huge = std::fs::File::create(signed.home.path().join("huge.json")).unwrap();
    huge.set_len(3 << 30).unwrap();
    let finished = signed.believing(&["alpha.tar", "--attestation", "huge.json"]);
    assert_eq!(finished.code(), Some(3), "{}", finished.output());
    assert!(finished.stdout.contains("more than 32 MiB"), "{}", finished.stdout);
    signed.write("deep.json", "[".repeat(1 << 20));
    assert_eq!(signed.believing(&["alpha.tar", "--attestation", "deep.json"]).code(), Some(3));
}

#[test]
fn wrong_usage_and_unreadable_files_say_what_to_do() {
    let signed = Signed::new();
    signed.write("alpha.tar", BYTES);
    signed.write("private.pem", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
    let digest = digests(BYTES)[0].to_string();
    for (arguments, code, said) in [
        (&[][..], 2, "FILE|DIR|PURL"),
        (&["alpha.tar", "--digest", &digest, "--attestation", "x"], 2, "cannot be used with"),
        (&["--digest", &digest], 2, "--attestation"),
        (&["--digest", "sha256:00", "--attestation", "x"], 2, "right number of digits"),
        (&["--digest", "md5:00112233445566778899aabbccddeeff", "--attestation", "x"], 2, "proves nothing"),
        (&["pkg:npm/x@1.0.0", "--source", SOURCE], 2, "go with a FILE"),
        (&["nowhere.tar"], 1, "`nowhere.tar` cannot be read"),
        (&["alpha.tar", "--attestation", "nowhere.json"], 1, "`nowhere.json` cannot be read"),
        (&["alpha.tar", "--attestation", "."], 1, "no regular file"),
        (&["alpha.tar", "--key", "alpha.tar"], 1, "it holds no key"),
        (&["alpha.tar", "--key", "private.pem"], 1, "give the public one"),
        (&["alpha.tar", "--root", "registry.json"], 1, "trusted_root.json"),
        (&["pkg:npm/x@1.0.0"], 1, "no door runs in"),
    ] {
        let finished = run(&signed.home, arguments);
        assert_eq!(finished.code(), Some(code), "{arguments:?} {}", finished.output());
        assert!(finished.stderr.contains(said), "{arguments:?} {}", finished.stderr);
    }
}

#[test]
fn a_door_tells_what_it_stored_about_a_package() {
    let sigstore = Sigstore::new();
    let mut site = Site::closed(Style::Rich);
    let root = site.data.join("root.json");
    std::fs::write(&root, sigstore.trusted_root()).unwrap();
    let config = format!(
        "[provenance.instance.acme]\nroot = {:?}\n[repository.npm]\nsigstore = \"acme\"\n",
        root.display()
    );
    std::fs::write(site.data.join("tidegate.toml"), config).unwrap();
    for (version, over) in [("1.0.0", None), ("1.1.0", Some(&b"other bytes"[..]))] {
        let file = site.upstream.publish(Package::npm("alpha", version).published(&days_ago(90))).remove(0);
        let bytes = over.unwrap_or(&file.bytes);
        let answer = sigstore.npm_attestations("alpha", version, bytes, &Build::of("acme/alpha"));
        let named = format!("alpha@{version}");
        site.upstream.catalog().attest(&named, serde_json::from_str(&answer).unwrap());
        site.upstream.catalog().sign(&named, &[sigstore.npm_signature("alpha", version, &file.integrity)]);
    }
    site.upstream.catalog().registry_keys(serde_json::from_str(&sigstore.registry_keys()).unwrap());
    site.start_door("127.0.0.1:0");
    let home = Home::new();
    let verify = |arguments: &[&str]| site.tidegate(&home, &[&["verify"], arguments].concat()).run();
    let before = verify(&["pkg:npm/alpha@1.0.0"]);
    assert_eq!(before.code(), Some(3), "{}", before.output());
    assert!(before.stdout.contains("nothing is stored about pkg:npm/alpha@1.0.0"), "{}", before.stdout);
    for version in ["1.0.0", "1.1.0"] {
        site.ask_door(&format!("/npm/alpha/-/alpha-{version}.tgz"));
    }
    let good = verify(&["pkg:npm/alpha@1.0.0"]);
    assert_eq!(good.code(), Some(0), "{}", good.output());
    for told in ["alpha-1.0.0.tgz", "checked 20", SOURCE, "not proven: ", "acme, configured", "custody: "] {
        assert!(good.stdout.contains(told), "{told}\n{}", good.stdout);
    }
    let bad = verify(&["pkg:npm/alpha@1.1.0"]);
    assert_eq!(bad.code(), Some(4), "{}", bad.output());
    assert!(bad.stdout.contains("NOT VERIFIED: invalid(artifact_digest)"), "{}", bad.stdout);
    let all = verify(&["pkg:npm/alpha", "--json"]);
    let outcomes = lines(&all);
    assert_eq!((all.code(), outcomes.len()), (Some(4), 6), "{}", all.output());
    assert!(outcomes.iter().all(|o| o["purl"].is_string() && o["checked_at"].is_string()), "{}", all.stdout);
    let odd = verify(&["pkg:npm/"]);
    assert_eq!(odd.code(), Some(1), "{}", odd.output());
    // Over HTTP, with no right but to read.
    let answer: Value =
        serde_json::from_str(&site.ask_door("/api/v1/provenance?purl=pkg:npm/alpha@1.0.0")).unwrap();
    assert_eq!(answer["files"][0]["outcomes"].as_array().unwrap().len(), 3);
    assert!(
        answer["files"][0]["outcomes"][0]["not_proven"].is_array() && answer["roots"].is_array(),
        "{answer}"
    );
    assert!(site.ask_door("/api/v1/provenance").contains("purl"));
}

/// One case of the labelled data set: the attestation written out, and the digest of what it is about.
fn labelled(folder: &Path, home: &Home, case: &str) -> Vec<String> {
    let text = std::fs::read_to_string(folder.join("cases").join(format!("{case}.json"))).unwrap();
    let case: Value = serde_json::from_str(&text).unwrap();
    let path = home.path().join("attestation.json");
    std::fs::write(&path, case["attestation"].to_string()).unwrap();
    let digest = format!("sha512:{}", case["artifact"]["sha512"].as_str().unwrap());
    let name = case["subject"].as_str().unwrap();
    ["--digest", &digest, "--attestation", path.to_str().unwrap(), "--name", name].map(str::to_owned).to_vec()
}

#[test]
fn genuine_attestations_verify_by_a_digest_alone_and_tampered_ones_do_not() {
    let Some(folder) = tidegate_testkit::data::shared_data("provenance") else { return };
    let home = Home::new();
    for (case, code) in [
        ("npm-sigstore-2.3.1-prov", 0),
        ("npm-sigstore-2.3.1-publish", 0),
        ("neg-11-signature-bitflip-npm-sigstore-2.3.1-prov", 4),
        ("neg-01-artifact-swapped-npm-sigstore-2.3.1-prov", 4),
    ] {
        let arguments = labelled(&folder, &home, case);
        let finished = run(&home, &arguments.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(finished.code(), Some(code), "{case} {}", finished.output());
        let source = finished.stdout.contains("source      https://github.com/sigstore/sigstore-js");
        assert_eq!(source, case == "npm-sigstore-2.3.1-prov", "{}", finished.stdout);
    }
}
