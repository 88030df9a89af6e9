//! Has each attestation checked by whoever knows its kind.

use tidegate_model::{Algorithm, Timestamp};
use tidegate_provenance::formats::{bundle, cosign, go_sumdb, model, npm, open_vsx, pgp, pypi};
use tidegate_provenance::{
    Claim, Format, Instance, KeyRing, Reason, Requirement, Roots, State, Subject, Trust, TrustedKey,
    Verification,
};

use super::artifact::Artifact;
use super::attestation::{Attestation, Kind};
use super::custody;
use super::keys::Keys;
use super::told::{RootLine, Told, root_lines};

/// Everything that an attestation is held against.
pub(super) struct Judge<'a> {
    /// What it has to be about.
    pub(super) artifact: &'a Artifact,
    /// Keys that need no certificate.
    pub(super) keys: &'a Keys,
    /// Trust roots.
    pub(super) roots: &'a Roots,
    /// What is demanded.
    pub(super) requirement: &'a Requirement,
    /// The name that is demanded.
    pub(super) name: Option<&'a str>,
    /// The time of the check.
    pub(super) now: Timestamp,
}

impl Judge<'_> {
    /// What each attestation comes to, and, of several statements of a door, whether they are one chain.
    pub(super) fn all(&self, attestations: &[Attestation]) -> Vec<Told> {
        let roots = root_lines(self.roots, self.now);
        let mut all: Vec<Told> = attestations.iter().flat_map(|one| self.one(one, &roots)).collect();
        let ours: Vec<&Attestation> = attestations.iter().filter(|one| one.kind == Kind::Custody).collect();
        all.extend(custody::chain(self, &ours));
        all
    }

    fn one(&self, attestation: &Attestation, roots: &[RootLine]) -> Vec<Told> {
        let from = attestation.shown();
        match &attestation.kind {
            Kind::Unknown(why) => {
                vec![Told::nothing(&from, "nothing that is known here", "unsupported", why.clone())]
            }
            Kind::Custody => vec![custody::one(self, attestation)],
            _ => {
                let mut found = self.verify(attestation);
                found.iter_mut().for_each(|found| self.hold_to_name(found));
                found.iter().map(|found| Told::of(from.clone(), found, roots)).collect()
            }
        }
    }

    fn verify(&self, attestation: &Attestation) -> Vec<Verification> {
        let (bytes, requirement) = (&attestation.bytes[..], self.requirement);
        let keys = self.keys.all();
        let trust = self.trust(&keys);
        match attestation.kind {
            Kind::Npm => npm::verify(bytes, &self.npm(), requirement, trust),
            Kind::NpmEntry => vec![npm::verify_entry(bytes, &self.npm(), requirement, trust)],
            Kind::Pep740 => pypi::verify(bytes, &self.pypi(), requirement, trust),
            Kind::Pep740One => vec![pypi::verify_attestation(bytes, &self.pypi(), requirement, trust)],
            Kind::Bundle | Kind::Cosign => vec![self.bundle(attestation)],
            Kind::Model => vec![self.model(bytes, trust)],
            Kind::Pgp => vec![self.pgp(bytes)],
            Kind::ClearSigned => vec![self.clear_signed(attestation)],
            Kind::Note => vec![self.note(attestation)],
            Kind::OpenVsx => vec![self.open_vsx(bytes, trust)],
            Kind::Custody | Kind::Unknown(_) => Vec::new(),
        }
    }

    fn trust<'b>(&'b self, keys: &'b KeyRing) -> Trust<'b> {
        Trust { roots: self.roots, keys, now: self.now }
    }

    /// The artifact under the name that is demanded, if one is.
    fn subject(&self) -> Subject {
        let subject = Subject::new(self.artifact.digests.clone());
        match self.name {
            Some(name) => subject.named(name),
            None => subject,
        }
    }

    fn npm(&self) -> Subject {
        match self.name.and_then(|name| name.rsplit_once('@')) {
            Some((name, version)) if !name.starts_with("pkg:") && !name.is_empty() => {
                Subject::npm(name, version, self.artifact.digests.clone())
            }
            _ => self.subject(),
        }
    }

    /// A distribution goes by its file's name, unless it is said to have another.
    fn pypi(&self) -> Subject {
        match self.name.or(self.artifact.file_name()) {
            Some(name) => Subject::pypi(name, self.artifact.digests.clone()),
            None => self.subject(),
        }
    }

    /// A bundle by a certificate, or by a key that it names as it likes: the keys that were given are tried under that name.
    fn bundle(&self, attestation: &Attestation) -> Verification {
        let subject = self.subject();
        let check = |requirement: &Requirement, keys: &KeyRing| {
            let (bytes, trust) = (&attestation.bytes[..], self.trust(keys));
            match (&attestation.kind, self.artifact.digest(Algorithm::Sha256)) {
                (Kind::Cosign, Some(digest)) => cosign::verify_bundle(bytes, digest, requirement, trust),
                _ => bundle::verify(bytes, &subject, requirement, trust),
            }
        };
        let mut found = check(self.requirement, &self.keys.all());
        if found.state == (State::Invalid { reason: Reason::UnknownKey }) {
            let Some(hint) = hint(&attestation.bytes) else { return found };
            for key in &self.keys.given {
                let named = TrustedKey { id: hint.clone(), ..key.clone() };
                found = check(self.requirement, &KeyRing::new([named]));
                if let Some(id) = found.signer.as_mut().and_then(|signer| signer.key_id.as_mut()) {
                    id.clone_from(&key.id);
                    break;
                }
            }
            return self.without_a_key(found);
        }
        if matches!(found.state, State::Invalid { .. }) && self.requirement.instance == Instance::PublicGood {
            let elsewhere = Requirement { instance: Instance::GitHub, ..self.requirement.clone() };
            if check(&elsewhere, &self.keys.all()).is_verified() {
                let detail = found.detail.unwrap_or_default();
                found.detail = Some(format!(
                    "{detail}; it holds under the instance `github`, which --instance github demands"
                ));
            }
        }
        found
    }

    fn model(&self, bytes: &[u8], trust: Trust<'_>) -> Verification {
        match &self.artifact.files {
            Some(files) => self.without_a_key(model::verify(bytes, files, self.requirement, trust)),
            None => unsupported(Format::Model, "a model's signature is over a folder: give the folder"),
        }
    }

    fn open_vsx(&self, archive: &[u8], trust: Trust<'_>) -> Verification {
        match self.artifact.bytes() {
            Ok(bytes) => self.without_a_key(open_vsx::verify(
                archive,
                &bytes,
                &self.subject(),
                self.requirement,
                trust,
            )),
            Err(why) => unsupported(Format::OpenVsx, &why),
        }
    }

    /// Where no key was given, that a signature is by an unknown one says nothing against it.
    fn without_a_key(&self, found: Verification) -> Verification {
        if found.state == (State::Invalid { reason: Reason::UnknownKey }) && self.keys.given.is_empty() {
            return unsupported(
                found.format,
                "it is signed by a bare key: give the key that you expect by --key FILE",
            );
        }
        found
    }

    fn pgp(&self, bytes: &[u8]) -> Verification {
        if self.keys.pgp.fingerprints().is_empty() {
            return unsupported(Format::Pgp, NO_PGP_KEY);
        }
        let signature = String::from_utf8_lossy(bytes);
        match self.artifact.bytes() {
            Ok(signed) => pgp::verify_detached(
                &signature,
                &signed,
                &self.keys.pgp,
                &self.subject(),
                self.requirement,
                self.now,
            ),
            Err(why) => unsupported(Format::Pgp, &why),
        }
    }

    fn is_within(&self, attestation: &Attestation) -> bool {
        self.artifact.path.as_ref() == Some(&attestation.path)
    }

    /// A signed text: the artifact itself, or a list that has to name the artifact's digest.
    fn clear_signed(&self, attestation: &Attestation) -> Verification {
        if self.keys.pgp.fingerprints().is_empty() {
            return unsupported(Format::Pgp, NO_PGP_KEY);
        }
        let text = String::from_utf8_lossy(&attestation.bytes);
        let (mut found, signed) = pgp::verify_clear_signed(&text, &self.keys.pgp, self.requirement, self.now);
        let Some(signed) = signed else { return found };
        if self.is_within(attestation) {
            found.not_proven.push("anything of the file that stands outside of the signed text".to_owned());
            return found;
        }
        let words = || signed.split_ascii_whitespace();
        let digest = self
            .artifact
            .digests
            .iter()
            .find(|digest| words().any(|word| word.eq_ignore_ascii_case(&digest.hex())));
        let Some(digest) = digest else {
            let detail = Some("the signed text does not name the digest of this artifact".to_owned());
            return Verification {
                detail,
                ..Verification::of(Format::Pgp, State::Invalid { reason: Reason::ArtifactDigest })
            };
        };
        found.subject_digest = Some(digest.clone());
        found
            .not_proven
            .push("under which name the signed text lists it: only the digest was looked for".to_owned());
        found
    }

    fn note(&self, attestation: &Attestation) -> Verification {
        if !self.is_within(attestation) {
            return unsupported(
                Format::GoSumdb,
                "a note names digests over the list of a module's files, which are not computed here: give the note itself",
            );
        }
        let mut found = unsupported(
            Format::GoSumdb,
            "a note is checked with the key of its database: give a file with name+hash+base64 by --key FILE",
        );
        for database in &self.keys.databases {
            found = go_sumdb::verify_note(&attestation.bytes, database, self.requirement);
            if found.signer.is_some() {
                break;
            }
        }
        found
    }

    /// A demanded name has to be signed. Formats that sign bytes alone, or choose their names, are held to it here.
    fn hold_to_name(&self, found: &mut Verification) {
        let Some(name) = self.name.filter(|_| found.is_verified()) else { return };
        let accepted = [self.subject(), self.npm(), self.pypi()];
        let signed = found.subject_name.as_ref();
        if !signed.is_some_and(|signed| accepted.iter().any(|subject| subject.names.contains(signed))) {
            found.state = State::PolicyMismatch { claim: Claim::SubjectName };
            let signed = signed.map_or_else(
                || "no name is signed".to_owned(),
                |signed| format!("the signed name is `{signed}`"),
            );
            found.detail = Some(format!("{signed}, and `{name}` was demanded"));
        }
    }
}

const NO_PGP_KEY: &str =
    "an OpenPGP signature proves something only by a key that is expected: give it by --key FILE";

fn unsupported(format: Format, why: &str) -> Verification {
    Verification { detail: Some(why.to_owned()), ..Verification::of(format, State::Unsupported) }
}

/// What a bundle calls the key that signed it.
fn hint(bundle: &[u8]) -> Option<String> {
    let bundle: serde_json::Value = serde_json::from_slice(bundle).ok()?;
    let hint = bundle["verificationMaterial"]["publicKey"]["hint"].as_str()?;
    (!hint.is_empty()).then(|| hint.to_owned())
}
