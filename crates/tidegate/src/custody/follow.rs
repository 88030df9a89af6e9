//! Leading the statements along the ledger: in order, each event once.
//!
//! The place in the ledger and the statements of its entry are written in one transaction, so a door that is killed goes on
//! with the first entry that is not stated.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tidegate_ledger::{Body, Entry, ReadError, Reader};
use tidegate_model::{Ecosystem, Timestamp};
use tidegate_provenance::custody::{Signed, StateError, sign};
use tidegate_store::catalogue::{
    CatalogueError, CustodyCursor, CustodyEvent, CustodyPolicy, CustodyStatement, NewAlarm,
};
use tokio::sync::watch;

use super::{Custody, CustodyKeyError, Signer, event, oci};
use crate::door::Door;
use crate::intel::sync::chain;

/// The kind of the alarms raised here.
pub const ALARM: &str = "custody";
/// Pause between two looks for new entries.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// Pause before the first try again; it doubles.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest pause between two tries.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);
/// The most entries of one turn: it must end, so that a stop is heard.
const MAX_ENTRIES: usize = 2_000;
/// Entries that tell nothing are noted as passed this often, in entries.
const NOTE_EVERY: u64 = 10_000;

/// Where whoever makes statements is.
#[derive(Default)]
pub(super) struct Turn {
    /// Everything up to here is stated; none before the catalogue was asked.
    cursor: Option<u64>,
    /// The cursor as written down.
    noted: u64,
    reader: Option<Reader>,
    /// Since when nothing could be stated.
    failing_since: Option<Timestamp>,
}

/// Why nothing can be stated now.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("{0}")]
    Key(#[from] CustodyKeyError),
    #[error("{}", chain(.0))]
    Sign(StateError),
    #[error("{error}: {}", error.cause)]
    Catalogue {
        #[from]
        error: CatalogueError,
    },
    #[error("the ledger cannot be read: {0}")]
    Ledger(String),
}

/// Makes statements until told to stop.
pub async fn follow(door: Arc<Door>, mut stop: watch::Receiver<bool>) {
    let mut pause = FIRST_PAUSE;
    loop {
        let busy = Arc::clone(&door);
        let wait = match door.blocking(move || busy.state_custody()).await {
            Ok(true) => Duration::ZERO,
            Ok(false) => {
                pause = FIRST_PAUSE;
                LOOK_EVERY
            }
            Err(_) => {
                let wait = pause;
                pause = (pause * 2).min(LONGEST_PAUSE);
                wait
            }
        };
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            _ = stop.changed() => return,
        }
    }
}

impl Door {
    /// States what the ledger has that is not stated yet, up to a bound; whether there is more. Blocks.
    ///
    /// # Errors
    /// What keeps it, as text; it was logged, and an alarm was raised.
    pub fn state_custody(&self) -> Result<bool, String> {
        let Some(custody) = &self.custody else { return Ok(false) };
        let mut turn = custody.turn.lock().expect("no panic while holding it");
        match custody.step(self, &mut turn) {
            Ok(more) => {
                if let Some(since) = turn.failing_since.take() {
                    tracing::info!("statements of custody are made again; they had stopped at {since}");
                }
                Ok(more)
            }
            Err(failure) => {
                // The next turn begins with the entry that failed.
                turn.reader = None;
                let why = failure.to_string();
                if turn.failing_since.is_none() {
                    let since = self.clock.now();
                    turn.failing_since = Some(since);
                    let message = format!(
                        "no statements of custody are made since {since}: {why}; they are caught up once that ends"
                    );
                    tracing::error!("{message}");
                    alarm(self, "stopped", message);
                }
                Err(why)
            }
        }
    }
}

fn alarm(door: &Door, subject: &str, message: String) {
    door.metrics.alarms.inc();
    let alarm = NewAlarm {
        kind: ALARM.into(),
        subject: subject.into(),
        message,
        json: "{}".into(),
        at: door.clock.now(),
    };
    if let Err(error) = door.store.catalogue.raise_alarm(&alarm) {
        tracing::error!(error = %error, "an alarm could not be kept: {error}");
    }
}

impl Custody {
    fn step(&self, door: &Door, turn: &mut Turn) -> Result<bool, Failure> {
        let mut cursor = match turn.cursor {
            Some(cursor) => cursor,
            None => self.begin(door, turn)?,
        };
        // What a power cut could still take is not stated.
        let durable = door.recorder.health().durable;
        if durable <= cursor {
            self.let_go(door.clock.now())?;
            return Ok(false);
        }
        let signer = self.signer_now(&door.recorder, &*door.store.catalogue, cursor, door.clock.now())?;
        let mut reader = turn.reader.take().unwrap_or_else(|| door.recorder.reader(cursor + 1));
        let mut more = true;
        for _ in 0..MAX_ENTRIES {
            // A stop waits for one signature and not for all that are due.
            if cursor >= durable || door.draining.load(Ordering::Acquire) {
                more = false;
                break;
            }
            let frame = match reader.next() {
                None => {
                    more = false;
                    break;
                }
                Some(Ok(frame)) => frame,
                Some(Err(ReadError::TooOld { oldest, .. })) => {
                    let message = format!(
                        "entries {} to {} are not kept any more: what they decided is not stated",
                        cursor + 1,
                        oldest - 1
                    );
                    tracing::error!("{message}");
                    alarm(door, "gap", message);
                    self.note(door, turn, oldest - 1)?;
                    return Ok(true);
                }
                Some(Err(error)) => return Err(Failure::Ledger(chain(&error))),
            };
            if tells(&frame.json) {
                let entry = Entry::parse(&frame.json)
                    .map_err(|e| Failure::Ledger(format!("entry {}: {}", frame.seq, chain(&e))))?;
                if self.state(door, &signer, &entry)? {
                    turn.noted = frame.seq;
                }
            }
            cursor = frame.seq;
            self.reach(turn, cursor);
        }
        turn.reader = Some(reader);
        if cursor >= turn.noted + NOTE_EVERY {
            self.note(door, turn, cursor)?;
        }
        Ok(more)
    }

    /// The place to go on from. A door that never stated anything begins with its own opening.
    fn begin(&self, door: &Door, turn: &mut Turn) -> Result<u64, Failure> {
        let node = door.recorder.node();
        match door.store.catalogue.custody_cursor(node.as_str())? {
            Some(cursor) => {
                turn.noted = cursor;
                self.reach(turn, cursor);
                Ok(cursor)
            }
            None => {
                self.note(door, turn, self.begin)?;
                Ok(self.begin)
            }
        }
    }

    fn reach(&self, turn: &mut Turn, seq: u64) {
        turn.cursor = Some(seq);
        self.reached.store(seq, Ordering::Release);
    }

    /// Writes down that there is nothing to state up to an entry.
    fn note(&self, door: &Door, turn: &mut Turn, seq: u64) -> Result<(), Failure> {
        let node = door.recorder.node();
        let cursor = CustodyCursor { node: node.as_str(), seq };
        door.store.catalogue.advance_custody(cursor, None, None)?;
        turn.noted = seq;
        self.reach(turn, seq);
        Ok(())
    }

    /// States what an entry says, and writes that down; whether there was anything.
    fn state(&self, door: &Door, signer: &Signer, entry: &Entry) -> Result<bool, Failure> {
        let cursor = CustodyCursor { node: entry.node.as_str(), seq: entry.seq };
        let catalogue = &door.store.catalogue;
        match &entry.body {
            Body::Policy(change) => {
                // Each start tells it anew.
                let node = format!("{}-", entry.node);
                let last = catalogue.custody_policies()?.into_iter().rfind(|p| p.record.starts_with(&node));
                if last.is_some_and(|last| last.policy == change.policy) {
                    return Ok(false);
                }
                let record = entry.record().to_string();
                let policy = CustodyPolicy { record, at: entry.time, policy: change.policy };
                catalogue.advance_custody(cursor, None, Some(&policy))?;
                Ok(true)
            }
            Body::Decision(made) => {
                let deployment = signer.ring.deployment();
                let Some(event) = event::event_of(door, deployment, entry, made)? else { return Ok(false) };
                let signed = match sign(&event, signer.key_at(event.at)) {
                    Ok(signed) => signed,
                    Err(StateError::Event(why)) => {
                        let message = format!("nothing is stated of record {}: {why}", entry.record());
                        tracing::error!("{message}");
                        alarm(door, "refused", message);
                        return Ok(false);
                    }
                    Err(error) => return Err(Failure::Sign(error)),
                };
                let image = (made.ecosystem == Some(Ecosystem::Oci)).then(|| {
                    oci::Image::of(event.sha256, event.bytes, event::media_type(door, &event.sha256))
                });
                let stated = CustodyEvent {
                    sha256: event.sha256,
                    purl: event.purl,
                    file: made.file.as_deref().map(str::to_owned),
                    repository: event.repository,
                    event: event.kind.as_str().to_owned(),
                    action: event.decided.action,
                    at: event.at,
                    record: event.record.to_string(),
                    payload: signed.custody.payload,
                    previous: event.previous,
                    statements: statements(&signed, image.as_ref()),
                };
                catalogue.advance_custody(cursor, Some(&stated), None)?;
                Ok(true)
            }
            _ => Ok(false),
        }
    }
}

fn statements(signed: &Signed, image: Option<&oci::Image>) -> Vec<CustodyStatement> {
    let stored = signed.all().map(|statement| {
        let bundle_digest = event::digest(&statement.bundle);
        let manifest = image.map(|image| {
            let bytes = image.manifest(statement.predicate_type, &bundle_digest, statement.bundle.len());
            (event::digest(&bytes), bytes)
        });
        CustodyStatement {
            predicate_type: statement.predicate_type.to_owned(),
            payload: statement.payload,
            bundle_digest,
            bundle: statement.bundle.clone(),
            manifest,
        }
    });
    stored.collect()
}

/// Whether an entry is of a kind that is stated, by its head alone.
fn tells(json: &[u8]) -> bool {
    let Some(rest) = json.strip_prefix(br#"{"v":1,"kind":""#) else { return true };
    rest.starts_with(b"decision\"") || rest.starts_with(b"policy\"")
}
