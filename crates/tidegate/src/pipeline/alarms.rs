//! Telling people, and the record, that bytes are not what they should be.

use tidegate_ledger::entry::{Alarm, AlarmKind};
use tidegate_ledger::{Body, EntryDraft};
use tidegate_model::{Digest, ListedFile};
use tidegate_store::catalogue::NewAlarm;

use super::facts::purl_of;
use super::package::Package;
use crate::door::{Door, TENANT};

/// What is wrong with which bytes.
#[derive(Clone, Copy, Debug)]
pub struct Trouble<'a> {
    /// What kind of trouble.
    pub kind: AlarmKind,
    /// The file or sidecar.
    pub name: &'a str,
    /// What was promised or seen first.
    pub expected: &'a Digest,
    /// What came instead.
    pub found: &'a Digest,
    /// One sentence for people.
    pub message: &'a str,
}

/// Raises an alarm about a file of a package. Trouble that is known and that nobody has seen to yet only counts up. Blocks.
pub fn raise(door: &Door, package: &Package, position: usize, trouble: &Trouble<'_>) {
    let Trouble { kind, name, expected, found, message } = *trouble;
    let purl = purl_of(package, position);
    let now = door.clock.now();
    let alarm = NewAlarm {
        kind: kind.as_str().into(),
        subject: format!("{purl} {name}"),
        message: message.into(),
        json: serde_json::json!({ "purl": purl, "file": name, "expected": expected, "found": found, "upstream": package.upstream.name }).to_string(),
        at: now,
    };
    match door.store.catalogue.raise_alarm(&alarm) {
        // An index is read again and again: one entry for one trouble.
        Ok(false) => return,
        Ok(true) => {}
        Err(error) => tracing::error!(error = %error, "an alarm could not be kept: {error}"),
    }
    tracing::error!(package.purl = %purl, "{message}");
    door.metrics.alarms.inc();
    let entry = Alarm {
        alarm: kind,
        repository: package.upstream.name.as_str().into(),
        ecosystem: Some(package.name.ecosystem()),
        purl: purl.into(),
        file: Some(name.into()),
        expected: expected.clone(),
        found: found.clone(),
        upstream: Some(package.upstream.name.as_str().into()),
    };
    let entry = EntryDraft { time: now, tenant: TENANT.into(), body: Body::Alarm(Box::new(entry)) };
    if let Err(error) = door.recorder.append(&entry) {
        tracing::error!(error = %error, "an alarm could not be recorded: {error}");
    }
}

/// Raises an alarm for every file whose index promises other bytes than it first did. Blocks.
pub fn raise_for_changed(door: &Door, package: &Package) {
    let files = package.index.files().iter().zip(&package.sightings).enumerate();
    for (position, (file, sighting)) in files.filter(|(_, (_, s))| s.changed) {
        let Some((expected, found)) = differing(&sighting.promised_digests_first, file) else { continue };
        let message =
            format!("{} was first listed with {expected} and is now listed with {found}", file.file);
        let trouble = Trouble {
            kind: AlarmKind::FirstSeen,
            name: file.file.as_str(),
            expected,
            found,
            message: &message,
        };
        raise(door, package, position, &trouble);
    }
}

/// The first pair of digests of one algorithm that differ; none once the index promises the old bytes again.
fn differing<'a>(first: &'a [Digest], file: &'a ListedFile) -> Option<(&'a Digest, &'a Digest)> {
    first.iter().find_map(|was| {
        let now = file.digests.iter().find(|d| d.algorithm() == was.algorithm() && *d != was)?;
        Some((was, now))
    })
}
