//! A key hands over to another: what proves it, and what does not.

use tidegate_ledger::entry::{KeyChange, KeyPurpose};
use tidegate_ledger::handover::{self, HandoverError, id_of};
use tidegate_ledger::note::{CheckpointSigner as _, SignedNote, VerifierKey};
use tidegate_ledger::proof::Receipt;
use tidegate_ledger::{Body, EntryDraft};

use super::rig::{Opened, Rig, append, signer};
use crate::support::{draft, wait};

fn announcement(purpose: KeyPurpose, key: &VerifierKey, previous: &VerifierKey) -> EntryDraft {
    let change = KeyChange {
        purpose,
        key_id: id_of(key).into(),
        public_key: key.to_string().into(),
        previous: Some(id_of(previous).into()),
        actor: None,
    };
    EntryDraft { body: Body::Key(Box::new(change)), ..draft(0) }
}

/// Announces a key, publishes, has `signs` sign as well; returns the receipt of the announcement.
fn hand_over(opened: &mut Opened, announced: &EntryDraft, signs: u8) -> Receipt {
    let appended = opened.recorder.append(announced).unwrap();
    let record = appended.record.clone();
    wait(appended.durable).unwrap();
    opened.publisher.publish().unwrap();
    opened.publisher.add_signature(&signer(signs)).unwrap();
    opened.publisher.view().newest_receipt(&record).unwrap()
}

#[test]
fn a_key_hands_over_to_the_one_that_it_announced() {
    let rig = Rig::new();
    let mut opened = rig.open();
    append(&opened.recorder, 20);
    let (old, new) = (signer(1).key().clone(), signer(2).key().clone());
    let receipt = hand_over(&mut opened, &announcement(KeyPurpose::Checkpoint, &new, &old), 2);
    assert_eq!(handover::check(&receipt, &old).unwrap(), new);
    assert_eq!(handover::follow(&old, std::slice::from_ref(&receipt)), std::slice::from_ref(&new));
    assert_eq!(handover::follow(&new, std::slice::from_ref(&receipt)), [], "forward only");
    let text = handover::to_text(&[receipt.clone(), receipt.clone()]);
    assert_eq!(handover::read(text.as_bytes()).unwrap(), [receipt.clone(), receipt]);
    assert!(handover::read(b"{}\n").is_err());

    // The checkpoint is signed by both, and the tree goes on under either.
    let head = rig.head().unwrap();
    let note = SignedNote::parse(head.note.as_bytes()).unwrap();
    assert!(note.verify(&old).is_ok() && note.verify(&new).is_ok());
    append(&opened.recorder, 5);
    let published = opened.publisher.publish().unwrap();
    assert_eq!(published.size, 26);
    drop(opened);
    assert!(rig.audit(&[head.note]).is_whole());
}

#[test]
fn nobody_else_hands_over() {
    let (old, new, stranger) = (signer(1).key().clone(), signer(2).key().clone(), signer(3).key().clone());
    let mut opened = Rig::new().open();
    append(&opened.recorder, 3);

    // Anybody can add a line of a key of theirs to a checkpoint; without an announcement it says nothing.
    opened.publisher.publish().unwrap();
    opened.publisher.add_signature(&signer(3)).unwrap();
    let receipt = opened.publisher.view().newest_receipt(&"n1-2".parse().unwrap()).unwrap();
    assert!(matches!(handover::check(&receipt, &old), Err(HandoverError::OtherEntry(_))));

    // Announced, and not signed by the new key: nobody shows that it is there.
    let receipt = hand_over(&mut opened, &announcement(KeyPurpose::Checkpoint, &new, &old), 3);
    assert!(matches!(handover::check(&receipt, &old), Err(HandoverError::NotSigned(_))));
    // For another purpose, and after another key.
    let receipt = hand_over(&mut opened, &announcement(KeyPurpose::Custody, &new, &old), 2);
    assert!(matches!(handover::check(&receipt, &old), Err(HandoverError::OtherEntry(_))));
    let receipt = hand_over(&mut opened, &announcement(KeyPurpose::Checkpoint, &new, &stranger), 2);
    assert!(matches!(handover::check(&receipt, &old), Err(HandoverError::OtherKey { .. })));
    // A whole handover, believed from a key that did not sign it, and with another entry put in.
    let receipt = hand_over(&mut opened, &announcement(KeyPurpose::Checkpoint, &new, &old), 2);
    assert!(matches!(handover::check(&receipt, &stranger), Err(HandoverError::Proof(_))));
    let entry = receipt.entry.replace(&new.to_string(), &stranger.to_string());
    let forged = Receipt { entry, ..receipt };
    assert!(matches!(handover::check(&forged, &old), Err(HandoverError::Proof(_))));
    assert_eq!(handover::follow(&old, &[forged]), []);
}
