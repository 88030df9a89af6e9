//! What the ledger says of the keys that sign statements: each change of them is an entry.

use std::time::{Duration, Instant};

use tidegate_ledger::entry::{KeyChange, KeyPurpose};
use tidegate_ledger::pseudonym::Pseudonym;
use tidegate_ledger::{Appended, Body, EntryDraft, RecordId, Recorder};
use tidegate_model::Timestamp;
use tidegate_provenance::signing::{KeyId, SigningKey};
use tidegate_store::catalogue::Catalogue;

use super::CustodyKeyError;
use crate::door::{Door, TENANT};

/// The setting that holds the id of the newest key that is known here.
const KEY: &str = "custody_key";
/// How long an announcement may take to be durable.
const DURABLE_WITHIN: Duration = Duration::from_secs(20);

/// Records that another key signs than the one that was known here before: one that was named in the configuration, or made anew.
pub(super) fn at_open(
    recorder: &Recorder,
    catalogue: &dyn Catalogue,
    key: &dyn SigningKey,
    now: Timestamp,
) -> Result<(), CustodyKeyError> {
    let id = key.public_key().key_id();
    let known =
        catalogue.setting(KEY).map_err(|e| CustodyKeyError::Catalogue(format!("{e}: {}", e.cause)))?;
    if known.as_deref() == Some(&*id.to_string()) {
        return Ok(());
    }
    if let Some(known) = known {
        drop(append(recorder, key, &known, None, now)?);
    }
    keep(catalogue, id)
}

/// Announces the key that is to follow `before`, and waits until a power cut cannot take that away. Blocks.
pub(super) fn next(
    door: &Door,
    key: &dyn SigningKey,
    before: KeyId,
    actor: Option<Pseudonym>,
) -> Result<RecordId, CustodyKeyError> {
    let appended = append(&door.recorder, key, &before.to_string(), actor, door.clock.now())?;
    let until = Instant::now() + DURABLE_WITHIN;
    while door.recorder.health().durable < appended.seq {
        if Instant::now() > until {
            return Err(CustodyKeyError::Announce(format!("{} is not durable yet", appended.record)));
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    Ok(appended.record)
}

/// Notes which key is known.
pub(super) fn keep(catalogue: &dyn Catalogue, id: KeyId) -> Result<(), CustodyKeyError> {
    catalogue
        .set_setting(KEY, &id.to_string())
        .map_err(|e| CustodyKeyError::Catalogue(format!("{e}: {}", e.cause)))
}

fn append(
    recorder: &Recorder,
    key: &dyn SigningKey,
    previous: &str,
    actor: Option<Pseudonym>,
    now: Timestamp,
) -> Result<Appended, CustodyKeyError> {
    let public = key.public_key();
    let change = KeyChange {
        purpose: KeyPurpose::Custody,
        key_id: public.key_id().to_string().into(),
        public_key: public.to_pem().into(),
        previous: Some(previous.into()),
        actor,
    };
    let entry = EntryDraft { time: now, tenant: TENANT.into(), body: Body::Key(Box::new(change)) };
    recorder.append(&entry).map_err(|e| CustodyKeyError::Announce(crate::intel::sync::chain(&e)))
}
