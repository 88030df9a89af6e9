//! The Go checksum database: signed notes, and the `h1:` digests of modules in its records.
//!
//! A record names `h1:` digests, which are over the list of a module's files, not over the archive. Whoever unpacked the
//! archive computes it; here it is compared.

use signed_note::{Note, NoteError, StandardVerifier, VerifierList};

use crate::requirement::Requirement;
use crate::verification::{Claim, Evidence, Failure, Format, Reason, Signer, State, Verification, bounded};

use super::{miss_certificate_demands, miss_predicate};

/// The most bytes of a note.
const MAX_NOTE_BYTES: usize = 1 << 20;

/// Checks a signed note: a record or a tree head of the database whose verifier key (`name+id+base64`) is `verifier`.
pub fn verify_note(note: &[u8], verifier: &str, requirement: &Requirement) -> Verification {
    check_note(note, verifier, requirement).unwrap_or_else(|f| f.into_verification(Format::GoSumdb))
}

fn check_note(note: &[u8], verifier: &str, requirement: &Requirement) -> Result<Verification, Failure> {
    if note.len() > MAX_NOTE_BYTES {
        return Err(Failure::malformed("the note is larger than any real one"));
    }
    let known = StandardVerifier::new(verifier).map_err(|e| {
        Failure::invalid(Reason::UnknownKey, format!("the database's key cannot be used: {e}"))
    })?;
    let note =
        Note::from_bytes(note).map_err(|e| Failure::malformed(format!("the note cannot be read: {e}")))?;
    let known = VerifierList::new(vec![Box::new(known)]);
    note.verify(&known).map_err(|e| match e {
        NoteError::InvalidSignature { .. } => Failure::invalid(Reason::Signature, e.to_string()),
        NoteError::UnverifiedNote => {
            Failure::invalid(Reason::UnknownKey, "the database did not sign this note")
        }
        other => Failure::malformed(other.to_string()),
    })?;
    let mut found = Verification {
        evidence: Evidence::SignatureOnly,
        signer: Some(Signer { key_id: Some(bounded(verifier)?), ..Signer::default() }),
        ..Verification::of(Format::GoSumdb, State::Verified)
    };
    found.not_proven(
        "who wrote the module: the database records what it saw first, so that everyone gets the same",
    );
    found.not_proven(
        "that the record is in the tree: the note is signed, and its proof of inclusion is checked apart",
    );
    if let Some(key) = &requirement.key
        && key != verifier
    {
        found.mismatch(Claim::Key, key, Some(verifier));
    }
    miss_certificate_demands(&mut found, requirement);
    miss_predicate(&mut found, requirement);
    Ok(found)
}

/// Compares a module's `h1:` digest with the one that its record names. `record` is the record's text: lines of
/// `module version h1:…` and `module version/go.mod h1:…`.
///
/// A module the record does not name is `absent`.
pub fn compare(record: &str, module: &str, version: &str, h1: &str) -> State {
    let lines = record.lines().map(|line| line.split(' ').collect::<Vec<_>>());
    let named = lines.filter_map(|fields| <[&str; 3]>::try_from(fields).ok());
    let mut listed = named.filter(|[m, v, _]| *m == module && *v == version).map(|[_, _, h1]| h1).peekable();
    if listed.peek().is_none() {
        return State::Absent;
    }
    if h1.starts_with("h1:") && listed.all(|digest| digest == h1) {
        State::Verified
    } else {
        State::Invalid { reason: Reason::ArtifactDigest }
    }
}
