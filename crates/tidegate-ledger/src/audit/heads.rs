//! What is signed: the checkpoint, the head's row, cosignatures, and what others saved.

use super::{AuditInput, AuditReport};
use crate::checkpoint::Checkpoint;
use crate::note::{NoteError, SignedNote};
use crate::tiles::{CHECKPOINT_PATH, COSIGNED_PATH};
use crate::tree::{FailureKind, open_note};

/// A checkpoint that must be the beginning of the tree.
pub(super) struct Earlier {
    pub(super) name: String,
    pub(super) checkpoint: Checkpoint,
}

/// Checks what is signed; returns the newest checkpoint, believed or not, as the claim that the entries are held against.
pub(super) fn check(input: &AuditInput<'_>, report: &mut AuditReport) -> Option<Checkpoint> {
    let published = read(input, CHECKPOINT_PATH, report);
    let claim = published.as_deref().and_then(|bytes| claimed(input, CHECKPOINT_PATH, bytes, report));
    if published.is_none() && !report.has(FailureKind::Unreadable) {
        report.found(FailureKind::CheckpointMissing, CHECKPOINT_PATH, "there is no checkpoint");
    }
    let head = head(input, report);
    if let (Some(head), Some(claim)) = (&head, &claim) {
        if head.size < claim.size {
            let what = format!("{} entries were published, the head says {}", claim.size, head.size);
            report.found(FailureKind::LogRolledBack, "the head's row", what);
        } else if head.size == claim.size && head.root != claim.root {
            let what = format!("root {} was published, the head says {}", claim.root, head.root);
            report.found(FailureKind::LogForked, "the head's row", what);
        }
    }
    cosignatures(input, published.as_deref(), report);
    // A head that is ahead is published at the next start: it is what the entries must fit.
    match (claim, head) {
        (Some(claim), Some(head)) if head.size > claim.size => Some(head),
        (claim, head) => claim.or(head),
    }
}

fn read(input: &AuditInput<'_>, path: &str, report: &mut AuditReport) -> Option<Vec<u8>> {
    input.tiles.get(path).unwrap_or_else(|e| {
        report.found(FailureKind::Unreadable, path, e.to_string());
        None
    })
}

fn claimed(
    input: &AuditInput<'_>,
    place: &str,
    bytes: &[u8],
    report: &mut AuditReport,
) -> Option<Checkpoint> {
    match open_note(place, bytes, input.origin, input.keys) {
        Ok((_, checkpoint)) => Some(checkpoint),
        Err(failure) => {
            report.fail(failure);
            Checkpoint::parse(SignedNote::parse(bytes).ok()?.text()).ok()
        }
    }
}

fn head(input: &AuditInput<'_>, report: &mut AuditReport) -> Option<Checkpoint> {
    let head = input.head.as_ref()?;
    let mut altered = |what: String| report.found(FailureKind::HeadAltered, "the head's row", what);
    match open_note("the head's row", head.note.as_bytes(), input.origin, input.keys) {
        Err(failure) => altered(failure.what),
        Ok((_, signed)) if (signed.size, signed.root) != (head.size, head.root) => altered(format!(
            "it says {} entries and root {}, its note {} and {}",
            head.size, head.root, signed.size, signed.root
        )),
        Ok(_) if head.runs.size() != head.size => {
            altered(format!("it says {} entries and names {}", head.size, head.runs.size()));
        }
        Ok((_, signed)) => return Some(signed),
    }
    None
}

/// Cosignatures of the newest checkpoint, and of the newest one that was kept because it has some.
fn cosignatures(input: &AuditInput<'_>, published: Option<&[u8]>, report: &mut AuditReport) {
    let cosigned = read(input, COSIGNED_PATH, report);
    let (mut newest, mut covered) = (0, None);
    for (place, bytes) in [(CHECKPOINT_PATH, published), (COSIGNED_PATH, cosigned.as_deref())] {
        let Some(note) = bytes.and_then(|bytes| SignedNote::parse(bytes).ok()) else { continue };
        let size = Checkpoint::parse(note.text()).map_or(0, |checkpoint| checkpoint.size);
        newest = newest.max(size);
        for witness in input.witnesses {
            match note.verify(witness) {
                Ok(time) if !report.cosigned.iter().any(|(key, _)| key == witness) => {
                    report.cosigned.push((witness.clone(), time));
                    covered = covered.max(Some(size));
                }
                Ok(_) | Err(NoteError::NotSigned(_)) => {}
                Err(e) => report.found(FailureKind::Cosignature, place, e.to_string()),
            }
        }
    }
    if let Some(covered) = covered.filter(|covered| *covered < newest) {
        report.notes.push(format!(
            "{covered} of {newest} entries are in a cosigned checkpoint: what stands after them was shown to no witness"
        ));
    }
    if report.cosigned.len() < input.required_cosignatures {
        let missing =
            input.witnesses.iter().filter(|key| !report.cosigned.iter().any(|(found, _)| found == *key));
        let what = format!(
            "{} of the known witnesses cosigned, {} were asked for; there is nothing by `{}`",
            report.cosigned.len(),
            input.required_cosignatures,
            missing.map(ToString::to_string).collect::<Vec<_>>().join("`, `")
        );
        report.found(FailureKind::CosignatureMissing, COSIGNED_PATH, what);
    }
}

/// Checkpoints that must be the beginning of the tree: those saved elsewhere, and the cosigned one.
pub(super) fn saved(
    input: &AuditInput<'_>,
    stated: Option<&Checkpoint>,
    report: &mut AuditReport,
) -> Vec<Earlier> {
    let mut earlier = Vec::new();
    let cosigned = read(input, COSIGNED_PATH, report);
    let kept = input.saved.iter().map(|saved| (saved.name.as_str(), saved.note.as_slice()));
    for (name, bytes) in kept.chain(cosigned.as_deref().map(|bytes| (COSIGNED_PATH, bytes))) {
        let mut opened = open_note(name, bytes, input.origin, input.keys);
        if opened.is_err() && !input.earlier_keys.is_empty() {
            opened = open_note(name, bytes, input.origin, input.earlier_keys).or(opened);
        }
        let checkpoint = match opened {
            Ok((_, checkpoint)) => checkpoint,
            // What a known witness cosigned binds the log as well, whatever key signs today.
            Err(failure) => match witnessed(input, bytes) {
                Some(checkpoint) => checkpoint,
                None => {
                    report.fail(failure);
                    continue;
                }
            },
        };
        let size = stated.map_or(0, |checkpoint| checkpoint.size);
        if checkpoint.size > size {
            let what = format!("it has {} entries, the log has {size} now", checkpoint.size);
            report.found(FailureKind::LogRolledBack, name, what);
        } else {
            earlier.push(Earlier { name: name.to_owned(), checkpoint });
        }
    }
    earlier
}

fn witnessed(input: &AuditInput<'_>, bytes: &[u8]) -> Option<Checkpoint> {
    let note = SignedNote::parse(bytes).ok()?;
    note.verify_any(input.witnesses).ok()?;
    let checkpoint = Checkpoint::parse(note.text()).ok()?;
    (checkpoint.origin == input.origin).then_some(checkpoint)
}
