//! Checks what was found about an image against its digest.
//!
//! Anybody who may push to a repository may put evidence beside its images, and much that is honest is signed by somebody
//! whom this deployment does not know. So what nobody vouches for who is believed here proves nothing and stops nobody; what
//! somebody believed vouches for, and is not so, is invalid.

use tidegate_model::{Digest, Sha256, Timestamp};
use tidegate_provenance::formats::cosign::{self, SimpleSigning};
use tidegate_provenance::{Format, KeyRing, Reason, Requirement, State, Trust, TrustedKey, Verification};

use super::evidence::{Evidence, Piece};
use crate::provenance::outcome::Checked;

/// What each piece of evidence comes to; notes in it which held.
pub(super) fn judge(
    evidence: &mut Evidence,
    root: &Sha256,
    is_index: bool,
    requirement: &Requirement,
    trust: Trust<'_>,
) -> Checked {
    let judge = Judge { manifest: Digest::from(*root), requirement, trust };
    let mut outcomes = Vec::new();
    for item in &mut evidence.items {
        let mut found = match &item.piece {
            Piece::Bundle(text) => judge.bundle(text),
            Piece::Signature { payload, signature, certificate, bundle } => judge.signature(SimpleSigning {
                payload: payload.as_bytes(),
                signature,
                certificate: certificate.as_deref(),
                bundle: bundle.as_deref(),
            }),
            Piece::Broken(why) => Verification {
                detail: Some(why.clone()),
                ..Verification::of(Format::Cosign, State::Malformed)
            },
        };
        item.held = found.is_verified();
        if item.gone && !item.held {
            continue;
        }
        if item.held {
            if is_index {
                found.detail.get_or_insert_with(|| {
                    format!("signed is the index {root}, which names each platform's manifest by its digest: it counts for all of them")
                });
            }
            if item.gone {
                found.not_proven.push(
                    "that the registry still stands by it: it showed this evidence, and no longer does"
                        .into(),
                );
            }
        }
        outcomes.push(found);
    }
    if evidence.beyond > 0 {
        let why =
            format!("{} more bundles or signatures are listed, and were not looked at", evidence.beyond);
        outcomes.push(unproven(why));
    }
    let mut checked = Checked::of(outcomes, evidence.unavailable.clone());
    checked.offer = Some(evidence.offer);
    checked
}

struct Judge<'a> {
    manifest: Digest,
    requirement: &'a Requirement,
    trust: Trust<'a>,
}

impl Judge<'_> {
    fn bundle(&self, text: &str) -> Verification {
        let found = match hint(text) {
            Some(hint) => self.by_key(text, &hint),
            None => cosign::verify_bundle(text.as_bytes(), &self.manifest, self.requirement, self.trust),
        };
        let State::Invalid { reason } = found.state else { return found };
        let instance = &self.requirement.instance;
        let others = self.trust.roots.iter().filter(|root| root.instance() != instance);
        for root in others {
            let elsewhere = Requirement { instance: root.instance().clone(), ..self.requirement.clone() };
            let held = cosign::verify_bundle(text.as_bytes(), &self.manifest, &elsewhere, self.trust);
            if held.is_verified() {
                let name = root.instance();
                return unproven(format!(
                    "it holds under the instance `{name}`, and this repository believes `{instance}`: set sigstore = \"{name}\" if that is right"
                ));
            }
        }
        if is_of_a_stranger(reason, &found) {
            let why = format!(
                "it is signed under an authority that the instance `{instance}` does not know ({})",
                told(&found)
            );
            return unproven(why);
        }
        found
    }

    /// A bundle by a bare key, which it names as it likes: the keys of the repository are tried under that name.
    fn by_key(&self, text: &str, hint: &str) -> Verification {
        let mut last = None;
        for key in self.trust.keys.iter() {
            let ring = KeyRing::new([TrustedKey { id: hint.to_owned(), ..key.clone() }]);
            let trust = Trust { keys: &ring, ..self.trust };
            let mut found = cosign::verify_bundle(text.as_bytes(), &self.manifest, self.requirement, trust);
            if let Some(id) = found.signer.as_mut().and_then(|signer| signer.key_id.as_mut()) {
                id.clone_from(&key.id);
                return found;
            }
            last = Some(found);
        }
        match last {
            Some(found) if !matches!(found.state, State::Invalid { .. }) => found,
            Some(found) => {
                let why = format!("it holds under no key of this repository ({})", told(&found));
                unproven(why)
            }
            None => {
                let none = KeyRing::default();
                let trust = Trust { keys: &none, ..self.trust };
                let found = cosign::verify_bundle(text.as_bytes(), &self.manifest, self.requirement, trust);
                self.without_a_key(found)
            }
        }
    }

    fn signature(&self, layer: SimpleSigning<'_>) -> Verification {
        // Cosign 2 keeps the log's promise alone, whatever the year: what it is worth, the evidence says.
        let requirement = Requirement {
            proof_required_from: Timestamp::from_unix_seconds(i64::MAX),
            ..self.requirement.clone()
        };
        let found = cosign::verify_simple(layer, &self.manifest, &requirement, self.trust);
        match found.state {
            State::Invalid { reason: Reason::UnknownKey } => self.without_a_key(found),
            // A bare signature names no key, so another key's looks like a forged one.
            State::Invalid { reason: Reason::Signature } if layer.certificate.is_none() => {
                let why = told(&found);
                unproven(why)
            }
            State::Invalid { reason } if is_of_a_stranger(reason, &found) => {
                let instance = &self.requirement.instance;
                let why = format!(
                    "it is signed under an authority that the instance `{instance}` does not know ({})",
                    told(&found)
                );
                unproven(why)
            }
            _ => found,
        }
    }

    fn without_a_key(&self, found: Verification) -> Verification {
        match found.state {
            State::Invalid { reason: Reason::UnknownKey } => {
                unproven("it is signed by a bare key, and cosign_keys of this repository names none")
            }
            _ => found,
        }
    }
}

/// Whether nobody who is believed had anything to do with it.
pub(in crate::provenance) fn is_of_a_stranger(reason: Reason, found: &Verification) -> bool {
    match reason {
        Reason::UnknownLog => true,
        Reason::CertificateChain => found.detail.as_ref().is_some_and(|why| why.contains("UnknownIssuer")),
        _ => false,
    }
}

/// The state of an outcome in a sentence.
pub(in crate::provenance) fn told(found: &Verification) -> String {
    found.detail.clone().unwrap_or_else(|| found.state.to_string())
}

/// It may hold, and nobody here can tell.
fn unproven(why: impl Into<String>) -> Verification {
    Verification { detail: Some(why.into()), ..Verification::of(Format::Cosign, State::Unsupported) }
}

/// The name under which a bundle says that its key is known.
fn hint(bundle: &str) -> Option<String> {
    let read: serde_json::Value = serde_json::from_str(bundle).ok()?;
    let key = read.pointer("/verificationMaterial/publicKey")?.as_object()?;
    let hint = key.get("hint").and_then(serde_json::Value::as_str).unwrap_or_default();
    Some(hint.to_owned())
}
