//! Which controls were told to be degraded, so that the ledger says when that began and when it ended, and not at each look.

use std::collections::BTreeMap;
use std::sync::Mutex;

use tidegate_ledger::entry::{ControlChange, ControlState};
use tidegate_ledger::{Body, EntryDraft};
use tidegate_store::catalogue::{Catalogue, CatalogueError};

use super::{Door, TENANT};
use crate::intel::Degradation;

/// The setting that keeps what was told over restarts.
const SETTING: &str = "controls_told";

/// What was told last: what is wrong with which control, and why as it was told.
#[derive(Debug, Default)]
pub(super) struct Told(Mutex<BTreeMap<String, String>>);

/// Between a control and what is wrong with it.
const BETWEEN: &str = ": ";

fn key(degradation: &Degradation) -> String {
    format!("{}{BETWEEN}{}", degradation.control, degradation.what)
}

impl Told {
    /// What an earlier process told.
    pub(super) fn read(catalogue: &dyn Catalogue) -> Result<Self, CatalogueError> {
        let kept = catalogue.setting(SETTING)?;
        // Text that is not ours means that everything is told once more.
        let told = kept.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
        Ok(Self(Mutex::new(told)))
    }
}

/// Records what began and what ended since the last look.
pub(super) fn tell(door: &Door, found: &[Degradation]) {
    let mut told = door.controls.0.lock().expect("no panic while holding it");
    let began = found.iter().filter(|d| !told.contains_key(&key(d)));
    let began = began.map(|d| (ControlState::Degraded, key(d), d.why.clone()));
    let ended = told.iter().filter(|(known, _)| found.iter().all(|d| key(d) != **known));
    let ended = ended.map(|(known, why)| (ControlState::Restored, known.clone(), why.clone()));
    let changes: Vec<_> = began.chain(ended).collect();
    if changes.is_empty() {
        return;
    }
    for (state, known, why) in changes {
        let control = known.split_once(BETWEEN).map_or(known.as_str(), |(control, _)| control);
        tracing::warn!(control.state = state.as_str(), "{control} {}: {why}", state.as_str());
        let change = ControlChange { control: control.into(), state, why: why.as_str().into() };
        let entry = EntryDraft { time: door.clock.now(), tenant: TENANT.into(), body: Body::Control(change) };
        if let Err(error) = door.recorder.append(&entry) {
            tracing::error!(error = %error, "a change of a control could not be recorded: {error}");
            // Told at the next look, if the ledger takes it then.
            continue;
        }
        match state {
            ControlState::Degraded => told.insert(known, why),
            ControlState::Restored => told.remove(&known),
        };
    }
    let text = serde_json::to_string(&*told).expect("texts serialise");
    // Lost by a crash, it is told twice.
    if let Err(error) = door.store.catalogue.set_setting(SETTING, &text) {
        tracing::warn!(error = %error, "what was told of controls could not be kept: {error}");
    }
}
