//! OpenPGP (RFC 9580): detached signatures, as beside Maven's files, and clear-signed texts, as apt's indexes are.
//!
//! What makes such a signature worth anything is the pin: a key counts only if the fingerprint of its primary key is among
//! those that are expected. Keys that expired or were revoked, subkeys that may not sign, and signatures over SHA-1 or MD5
//! count for nothing.

use pgp::composed::{CleartextSignedMessage, Deserializable as _, DetachedSignature, SignedPublicKey};
use pgp::crypto::hash::HashAlgorithm;
use pgp::packet::{Signature, SignatureType};
use pgp::types::{KeyDetails, VerifyingKey};
use tidegate_model::Timestamp;

use crate::requirement::Requirement;
use crate::subject::Subject;
use crate::verification::{
    Claim, Evidence, Failure, Format, MAX_CLOCK_SKEW_SECONDS, Reason, Signer, State, Verification, bounded,
    printable,
};

use super::{miss_certificate_demands, miss_predicate};

/// The most bytes of an armoured signature.
const MAX_SIGNATURE_BYTES: usize = 256 << 10;

/// The most bytes of a clear-signed text: an apt index with its digests has some hundred KiB.
const MAX_TEXT_BYTES: usize = 32 << 20;

/// The most bytes of a key file.
const MAX_KEYS_BYTES: usize = 8 << 20;

/// The most signatures of one text, and the most keys of one file.
const MAX_SIGNATURES: usize = 32;
const MAX_KEYS: usize = 256;

/// Keys that are believed, each pinned by the fingerprint of its primary key.
#[derive(Clone, Debug, Default)]
pub struct PinnedKeys(Vec<SignedPublicKey>);

/// A key file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum InvalidPgpKeys {
    /// More than eight mebibytes, or more than 256 keys.
    #[error("the key file is larger than any real one")]
    TooLarge,
    /// Not armoured OpenPGP keys.
    #[error("the key file cannot be read as armoured OpenPGP keys")]
    Unreadable(#[source] Box<pgp::errors::Error>),
    /// No key at all.
    #[error("the key file holds no key")]
    Empty,
    /// No key of the pinned fingerprint.
    #[error("the key file holds no key with the fingerprint `{0}`")]
    NotThere(String),
}

impl PinnedKeys {
    /// Reads an armoured key file and keeps every key: for a file that a person named as the keys to believe. Show
    /// [`Self::fingerprints`], since nobody compared them.
    ///
    /// # Errors
    /// If it cannot be read, or holds no key.
    pub fn every_key_of(text: &str) -> Result<Self, InvalidPgpKeys> {
        let keys = read_keys(text)?;
        if keys.is_empty() { Err(InvalidPgpKeys::Empty) } else { Ok(Self(keys)) }
    }

    /// The fingerprints of the primary keys, in hexadecimal.
    pub fn fingerprints(&self) -> Vec<String> {
        self.0.iter().map(|key| fingerprint(&key.primary_key)).collect()
    }

    /// The same keys, and others.
    #[must_use]
    pub fn and(mut self, others: Self) -> Self {
        self.0.extend(others.0);
        self
    }

    /// Reads an armoured key file and keeps the keys whose primary fingerprint (hexadecimal, of either case) is pinned.
    ///
    /// # Errors
    /// If it cannot be read, or a pinned key is not in it.
    pub fn from_armored(text: &str, fingerprints: &[&str]) -> Result<Self, InvalidPgpKeys> {
        let keys = read_keys(text)?;
        let wanted =
            |key: &SignedPublicKey, pin: &str| fingerprint(&key.primary_key).eq_ignore_ascii_case(pin);
        for pin in fingerprints {
            if !keys.iter().any(|key| wanted(key, pin)) {
                return Err(InvalidPgpKeys::NotThere(printable(pin)));
            }
        }
        Ok(Self(keys.into_iter().filter(|key| fingerprints.iter().any(|pin| wanted(key, pin))).collect()))
    }
}

fn read_keys(text: &str) -> Result<Vec<SignedPublicKey>, InvalidPgpKeys> {
    if text.len() > MAX_KEYS_BYTES {
        return Err(InvalidPgpKeys::TooLarge);
    }
    let unreadable = |e| InvalidPgpKeys::Unreadable(Box::new(e));
    let (keys, _) = SignedPublicKey::from_string_many(text).map_err(unreadable)?;
    let keys = keys.take(MAX_KEYS + 1).collect::<Result<Vec<_>, _>>().map_err(unreadable)?;
    if keys.len() > MAX_KEYS { Err(InvalidPgpKeys::TooLarge) } else { Ok(keys) }
}

/// Checks an armoured detached signature over bytes. One signature of a pinned key that holds is enough.
pub fn verify_detached(
    signature: &str,
    bytes: &[u8],
    keys: &PinnedKeys,
    subject: &Subject,
    requirement: &Requirement,
    now: Timestamp,
) -> Verification {
    let checked =
        detached(signature).and_then(|signatures| check(&signatures, bytes, keys, requirement, now));
    let mut found = checked.unwrap_or_else(|f| f.into_verification(Format::Pgp));
    if found.signer.is_some() {
        found.subject_digest = subject.digests.first().cloned();
    }
    found
}

/// Checks a clear-signed text. The answer's second part is what was signed (with line ends as signed, CR LF); it is there
/// only if the signature holds, so that nobody reads on in a text that nobody signed.
pub fn verify_clear_signed(
    text: &str,
    keys: &PinnedKeys,
    requirement: &Requirement,
    now: Timestamp,
) -> (Verification, Option<String>) {
    let checked = clear_signed(text).and_then(|message| {
        let signed = message.signed_text();
        let found = check(message.signatures(), signed.as_bytes(), keys, requirement, now)?;
        Ok((found, signed))
    });
    match checked {
        Ok((found, signed)) => (found, Some(signed)),
        Err(failure) => (failure.into_verification(Format::Pgp), None),
    }
}

fn detached(text: &str) -> Result<Vec<Signature>, Failure> {
    let odd = || Failure::malformed("the signature cannot be read as armoured OpenPGP");
    if text.len() > MAX_SIGNATURE_BYTES {
        return Err(Failure::malformed("the signature is larger than any real one"));
    }
    let (signatures, _) = DetachedSignature::from_string_many(text).map_err(|_| odd())?;
    let read: Result<Vec<_>, _> =
        signatures.take(MAX_SIGNATURES + 1).map(|s| s.map(|s| s.signature)).collect();
    bounded_signatures(read.map_err(|_| odd())?)
}

fn clear_signed(text: &str) -> Result<CleartextSignedMessage, Failure> {
    if text.len() > MAX_TEXT_BYTES {
        return Err(Failure::malformed("the text is larger than any real one"));
    }
    let (message, _) = CleartextSignedMessage::from_string(text)
        .map_err(|_| Failure::malformed("the text cannot be read as a clear-signed one"))?;
    if message.signatures().len() > MAX_SIGNATURES {
        return Err(Failure::malformed(format!("more than {MAX_SIGNATURES} signatures")));
    }
    Ok(message)
}

fn bounded_signatures(signatures: Vec<Signature>) -> Result<Vec<Signature>, Failure> {
    if signatures.is_empty() || signatures.len() > MAX_SIGNATURES {
        return Err(Failure::malformed(format!(
            "{} signatures, not 1 to {MAX_SIGNATURES}",
            signatures.len()
        )));
    }
    Ok(signatures)
}

fn check(
    signatures: &[Signature],
    bytes: &[u8],
    keys: &PinnedKeys,
    requirement: &Requirement,
    now: Timestamp,
) -> Result<Verification, Failure> {
    let mut refused = Failure::invalid(Reason::UnknownKey, "no pinned key signed this");
    for signature in signatures {
        for key in &keys.0 {
            match by_key(signature, bytes, key, now) {
                Ok(None) => {}
                Ok(Some(at)) => return verified(key, at, requirement),
                Err(failure) => refused = failure,
            }
        }
    }
    Err(refused)
}

/// When `key` or one of its subkeys signed; `None` where another key is named as the signer.
fn by_key(
    signature: &Signature,
    bytes: &[u8],
    key: &SignedPublicKey,
    now: Timestamp,
) -> Result<Option<Timestamp>, Failure> {
    let subkeys = key.public_subkeys.iter().filter(|subkey| is_named(signature, &subkey.key));
    let named_subkeys: Vec<_> = subkeys.collect();
    let primary = is_named(signature, &key.primary_key);
    if !primary && named_subkeys.is_empty() {
        return Ok(None);
    }
    let at = check_signature(signature, now)?;
    check_primary(key, at, now)?;
    if primary {
        signature.verify(&key.primary_key, bytes).map_err(|e| wrong(&e))?;
        return Ok(Some(at));
    }
    let mut refused = Failure::invalid(Reason::UnknownKey, "the subkey that signed is not bound to its key");
    for subkey in named_subkeys {
        match check_subkey(subkey, key, at, now) {
            Ok(()) => return signature.verify(&subkey.key, bytes).map_err(|e| wrong(&e)).map(|()| Some(at)),
            Err(failure) => refused = failure,
        }
    }
    Err(refused)
}

fn wrong(error: &pgp::errors::Error) -> Failure {
    Failure::invalid(Reason::Signature, format!("the signature does not verify: {error}"))
}

/// The signature's own rules: its kind, its digest, its time.
fn check_signature(signature: &Signature, now: Timestamp) -> Result<Timestamp, Failure> {
    if !matches!(signature.typ(), Some(SignatureType::Binary | SignatureType::Text)) {
        return Err(Failure::malformed("the signature is not one over a document"));
    }
    check_digest(signature)?;
    let at = signature.created().map(time);
    let at = at.ok_or_else(|| Failure::invalid(Reason::NoSignedTime, "the signature says no time"))?;
    if at > now.plus_seconds(MAX_CLOCK_SKEW_SECONDS) {
        return Err(Failure::invalid(Reason::FutureTime, format!("signed at {at}, and it is {now}")));
    }
    if is_over(at, signature.signature_expiration_time(), now) {
        return Err(Failure::invalid(Reason::KeyExpired, "the signature itself has expired"));
    }
    Ok(at)
}

fn check_digest(signature: &Signature) -> Result<(), Failure> {
    match signature.hash_alg() {
        Some(HashAlgorithm::Sha256 | HashAlgorithm::Sha384 | HashAlgorithm::Sha512) => Ok(()),
        Some(HashAlgorithm::Sha3_256 | HashAlgorithm::Sha3_512) => Ok(()),
        other => Err(Failure::invalid(
            Reason::Weak,
            format!("the signature is over {other:?}, which proves nothing"),
        )),
    }
}

/// A primary key counts unless it was revoked or had expired. Expiry is judged now: a thief of an expired key can write any
/// date into a signature.
fn check_primary(key: &SignedPublicKey, at: Timestamp, now: Timestamp) -> Result<(), Failure> {
    let primary = &key.primary_key;
    if key.details.revocation_signatures.iter().any(|s| s.verify_key(primary).is_ok()) {
        return Err(Failure::invalid(Reason::KeyExpired, "the key was revoked"));
    }
    let created = time(primary.created_at());
    if created > at.plus_seconds(MAX_CLOCK_SKEW_SECONDS) {
        return Err(Failure::invalid(Reason::KeyWindow, "the signature is older than its key"));
    }
    let direct = key.details.direct_signatures.iter().filter(|s| s.verify_key(primary).is_ok());
    let users = key.details.users.iter().flat_map(|user| {
        user.signatures
            .iter()
            .filter(|s| s.verify_certification(primary, pgp::types::Tag::UserId, &user.id).is_ok())
    });
    let latest = direct.chain(users).max_by_key(|s| s.created());
    let Some(latest) = latest else {
        return Err(Failure::invalid(Reason::UnknownKey, "the key has no signature of its own that holds"));
    };
    if is_over(created, latest.key_expiration_time(), now) {
        return Err(Failure::invalid(Reason::KeyExpired, "the key has expired"));
    }
    Ok(())
}

fn check_subkey(
    subkey: &pgp::composed::SignedPublicSubKey,
    key: &SignedPublicKey,
    at: Timestamp,
    now: Timestamp,
) -> Result<(), Failure> {
    let primary = &key.primary_key;
    let of = |kind| {
        let of_kind = subkey.signatures.iter().filter(move |s| s.typ() == Some(kind));
        of_kind.filter(|s| s.verify_subkey_binding(primary, &subkey.key).is_ok())
    };
    if of(SignatureType::SubkeyRevocation).next().is_some() {
        return Err(Failure::invalid(Reason::KeyExpired, "the subkey was revoked"));
    }
    let Some(binding) = of(SignatureType::SubkeyBinding).max_by_key(|s| s.created()) else {
        return Err(Failure::invalid(Reason::UnknownKey, "the subkey is not bound to its key"));
    };
    if !binding.key_flags().sign() {
        return Err(Failure::invalid(Reason::UnknownKey, "the subkey may not sign"));
    }
    // Without the subkey's own signature over its primary, anyone could adopt another's signing key (RFC 9580 §5.2.1.9).
    let back = binding
        .embedded_signature()
        .is_some_and(|s| s.verify_primary_key_binding(&subkey.key, primary).is_ok());
    if !back {
        return Err(Failure::invalid(Reason::UnknownKey, "the subkey does not vouch for its key"));
    }
    let created = time(subkey.key.created_at());
    if created > at.plus_seconds(MAX_CLOCK_SKEW_SECONDS) {
        return Err(Failure::invalid(Reason::KeyWindow, "the signature is older than its subkey"));
    }
    if is_over(created, binding.key_expiration_time(), now) {
        return Err(Failure::invalid(Reason::KeyExpired, "the subkey has expired"));
    }
    Ok(())
}

/// Whether `seconds` after `from` (0 and none: never) lies before `now`.
fn is_over(from: Timestamp, after: Option<pgp::types::Duration>, now: Timestamp) -> bool {
    after.map(|d| i64::from(d.as_secs())).filter(|s| *s > 0).is_some_and(|s| from.plus_seconds(s) < now)
}

fn is_named(signature: &Signature, key: &impl VerifyingKey) -> bool {
    let prints = signature.issuer_fingerprint();
    if prints.is_empty() {
        return signature.issuer_key_id().contains(&&key.legacy_key_id());
    }
    prints.contains(&&key.fingerprint())
}

fn time(at: pgp::types::Timestamp) -> Timestamp {
    Timestamp::from_unix_seconds(i64::from(at.as_secs()))
}

fn fingerprint(key: &impl KeyDetails) -> String {
    hex::encode(key.fingerprint().as_bytes())
}

fn verified(
    key: &SignedPublicKey,
    at: Timestamp,
    requirement: &Requirement,
) -> Result<Verification, Failure> {
    let id = fingerprint(&key.primary_key);
    let user = key.details.users.first().map(|user| printable(&String::from_utf8_lossy(user.id.id())));
    let mut found = Verification {
        evidence: Evidence::SignatureOnly,
        signer: Some(Signer {
            key_id: Some(id.clone()),
            identity: user.map(|u| bounded(&u)).transpose()?,
            issuer: None,
        }),
        signed_at: Some(at),
        ..Verification::of(Format::Pgp, State::Verified)
    };
    found.not_proven("when it was signed: the time in the signature is what the signer wrote");
    found.not_proven("who the key belongs to: the name beside it is what its owner typed, and the fingerprint is what was pinned");
    if let Some(expected) = &requirement.key
        && !expected.eq_ignore_ascii_case(&id)
    {
        found.mismatch(Claim::Key, expected, Some(&id));
    }
    // The name in a key is no identity that an issuer vouched for.
    miss_certificate_demands(&mut found, requirement);
    miss_predicate(&mut found, requirement);
    Ok(found)
}
