//! How much CPU each kind of verification takes.
//!
//! `verify_pace [FOLDER] [ROUNDS]`: each kind of the labelled attestations in FOLDER, else fixtures of our own, ROUNDS times
//! (1000 unless told) in one process; milliseconds of this process's CPU each. `verify_pace --case FILE [INSTANCE]`: one
//! case once, for timing a whole process. CPU and not wall time, so that what else the machine does counts for less.

#![expect(clippy::unwrap_used, reason = "a measurement that cannot read its input has nothing to say")]

use std::path::{Path, PathBuf};

use rustix::time::{ClockId, clock_gettime};
use serde::Deserialize;
use serde_json::value::RawValue;
use tidegate_model::{Algorithm, Digest, Timestamp};
use tidegate_provenance::testing::{Build, Sigstore, digests};
use tidegate_provenance::{
    Instance, KeyRing, Requirement, Root, Roots, State, Subject, Trust, Verification, formats,
};

/// One case of each kind, of the labelled ones.
const KINDS: [(&str, &str); 6] = [
    ("npm provenance (log of the first generation)", "npm-sigstore-2.3.1-prov"),
    ("npm publish (a registry's key)", "npm-sigstore-2.3.1-publish"),
    ("PyPI publish", "pypi-pypi_attestations-0.0.19-publish"),
    ("PyPI provenance", "pypi-pypi_attestations-0.0.19-slsa"),
    ("bundle (second generation, timestamp)", "rekor2-conda-signed-package"),
    ("GitHub's instance (timestamp alone)", "gh-instance-demo-0.0.12"),
];

#[derive(Deserialize)]
struct Case {
    format: String,
    subject: String,
    artifact: Artifact,
    expect: Expect,
    attestation: Box<RawValue>,
}

#[derive(Deserialize)]
struct Artifact {
    sha256: Option<String>,
    sha512: Option<String>,
}

#[derive(Deserialize)]
struct Expect {
    instance: Option<String>,
}

impl Case {
    fn read(file: &Path) -> Self {
        serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
    }

    fn verify(&self, trust: Trust<'_>) -> Verification {
        let digest =
            |algorithm, hex: &Option<String>| hex.as_ref().and_then(|h| Digest::from_hex(algorithm, h));
        let known = [
            digest(Algorithm::Sha256, &self.artifact.sha256),
            digest(Algorithm::Sha512, &self.artifact.sha512),
        ];
        let subject = Subject::new(known.into_iter().flatten()).named(&self.subject);
        let instance = self.expect.instance.as_deref().map_or(Instance::PublicGood, Instance::named);
        let requirement = Requirement { instance, ..Requirement::default() };
        let bytes = self.attestation.get().as_bytes();
        match self.format.as_str() {
            "npm" => formats::npm::verify_entry(bytes, &subject, &requirement, trust),
            "pep740" => formats::pypi::verify_attestation(bytes, &subject, &requirement, trust),
            _ => formats::bundle::verify(bytes, &subject, &requirement, trust),
        }
    }
}

fn cpu_ms() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    #[expect(clippy::cast_precision_loss, reason = "a printed figure")]
    let ms = time.tv_sec as f64 * 1e3 + time.tv_nsec as f64 / 1e6;
    ms
}

fn measure(kind: &str, rounds: u32, verify: impl Fn() -> Verification) {
    assert_eq!(verify().state, State::Verified, "{kind}: {:?}", verify().detail);
    let before = cpu_ms();
    (0..rounds).for_each(|_| drop(std::hint::black_box(verify())));
    println!("{:8.3} ms  {kind}", (cpu_ms() - before) / f64::from(rounds));
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let now: Timestamp = "2026-11-22".parse().unwrap();
    let keys = KeyRing::npm_embedded();
    if let [flag, file, ..] = arguments.as_slice()
        && flag == "--case"
    {
        let case = Case::read(&PathBuf::from(file));
        let instance = case.expect.instance.as_deref().map_or(Instance::PublicGood, Instance::named);
        let roots = Roots::default().with(Root::embedded(instance).unwrap());
        println!("{}", case.verify(Trust { roots: &roots, keys: &keys, now }).state);
        return;
    }
    let rounds = arguments.get(1).map_or(1000, |r| r.parse().unwrap());
    let before = cpu_ms();
    let roots = Roots::embedded().with(Root::embedded(Instance::Staging).unwrap());
    println!("{:8.3} ms  reading three roots", cpu_ms() - before);
    let trust = Trust { roots: &roots, keys: &keys, now };
    match arguments.first() {
        Some(folder) => {
            for (kind, id) in KINDS {
                let case = Case::read(&PathBuf::from(folder).join(format!("cases/{id}.json")));
                measure(kind, rounds, || case.verify(trust));
            }
        }
        None => own(rounds),
    }
}

fn own(rounds: u32) {
    let sigstore = Sigstore::new();
    let roots = Roots::default().with(sigstore.root(Instance::PublicGood));
    let keys = sigstore.keys();
    let trust = Trust { roots: &roots, keys: &keys, now: "2025-06-02".parse().unwrap() };
    let build = Build::of("example/thing");
    let (bytes, requirement) = (b"bytes", Requirement::default());
    let answer = sigstore.npm_attestations("thing", "1.0.0", bytes, &build);
    let subject = Subject::npm("thing", "1.0.0", digests(bytes));
    measure("both npm attestations, of our own", rounds, || {
        formats::npm::verify(answer.as_bytes(), &subject, &requirement, trust).remove(1)
    });
    let object = sigstore.pypi_provenance("thing-1.0.tar.gz", bytes, &build);
    let subject = Subject::pypi("thing-1.0.tar.gz", digests(bytes));
    measure("PyPI publish, of our own", rounds, || {
        formats::pypi::verify(object.as_bytes(), &subject, &requirement, trust).remove(0)
    });
    let integrity = digests(bytes)[1].to_sri();
    let signed = [sigstore.npm_signature("thing", "1.0.0", &integrity)];
    let subject = Subject::new(digests(bytes));
    let published = formats::npm::Published {
        name: "thing",
        version: "1.0.0",
        integrity: &integrity,
        signatures: &signed,
        published: None,
    };
    measure("npm registry signature, of our own", rounds, || {
        formats::npm::verify_signatures(published, &subject, &requirement, trust)
    });
}
