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

/// What was told last: what is wrong, and why as it was told.
#[derive(Debug, Default)]
pub(super) struct Told(Mutex<BTreeMap<String, String>>);

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
    let began: Vec<&Degradation> = found.iter().filter(|d| !told.contains_key(&d.what)).collect();
    let ended: Vec<(String, String)> = told
        .iter()
        .filter(|(what, _)| found.iter().all(|d| d.what != **what))
        .map(|(what, why)| (what.clone(), why.clone()))
        .collect();
    if began.is_empty() && ended.is_empty() {
        return;
    }
    let began = began.into_iter().map(|d| (ControlState::Degraded, &d.what, &d.why));
    let ended = ended.iter().map(|(what, why)| (ControlState::Restored, what, why));
    let changes: Vec<_> = began.chain(ended).map(|(s, what, why)| (s, what.clone(), why.clone())).collect();
    for (state, what, why) in changes {
        tracing::warn!(control.state = state.as_str(), "{} {}: {why}", Degradation::CONTROL, state.as_str());
        let change = ControlChange { control: Degradation::CONTROL.into(), state, why: why.as_str().into() };
        let entry = EntryDraft { time: door.clock.now(), tenant: TENANT.into(), body: Body::Control(change) };
        if let Err(error) = door.recorder.append(&entry) {
            tracing::error!(error = %error, "a change of a control could not be recorded: {error}");
            // Told at the next look, if the ledger takes it then.
            continue;
        }
        match state {
            ControlState::Degraded => told.insert(what, why),
            ControlState::Restored => told.remove(&what),
        };
    }
    let text = serde_json::to_string(&*told).expect("texts serialise");
    // Lost by a crash, it is told twice.
    if let Err(error) = door.store.catalogue.set_setting(SETTING, &text) {
        tracing::warn!(error = %error, "what was told of controls could not be kept: {error}");
    }
}
