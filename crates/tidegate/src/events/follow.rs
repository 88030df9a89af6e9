//! Leading a sink along the ledger: in order, at least once, for as long as it takes.
//!
//! The cursor of a sink is an entry: every event up to it was delivered, put aside or is not wanted. It is written down
//! after each event, so a door that is killed begins with the event that was under way. A receiver that does not answer
//! is tried again for ever, at growing intervals; what waits stays in the ledger and takes no memory. An event that the
//! receiver refuses again and again, while it takes others, is put aside with an alarm.

use std::sync::Arc;
use std::time::Duration;

use tidegate_ledger::Reader;
use tidegate_model::Timestamp;
use tidegate_store::catalogue::NewAlarm;
use tokio::sync::watch;

use super::state::{Kept, Parked};
use super::stream::{self, StreamError};
use super::{Delivery, Event, Outlet};
use crate::config::Begin;
use crate::door::Door;

/// The kind of the alarms raised here.
pub const ALARM: &str = "events";
/// Pause between two looks for new entries.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// Pause after the ledger could not be read.
const UNREADABLE_PAUSE: Duration = Duration::from_secs(10);
/// Pause before the first try again; it doubles.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// The longest pause between two tries.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);
/// An event that was refused this often is put aside.
const PARK_AFTER: u32 = 5;
/// A receiver that refused this many events in a row, and took none between, refuses us and not them: no more are put aside.
const MAX_PARKED_IN_A_ROW: u32 = 3;
/// Entries that tell nothing are noted as passed this often, in entries.
const NOTE_EVERY: u64 = 10_000;

/// Follows the ledger for one sink until told to stop.
pub async fn follow(door: Arc<Door>, outlet: Arc<Outlet>, mut stop: watch::Receiver<bool>) {
    let mut follower = Follower { door, outlet, parked_in_a_row: 0, noted: 0, held: None };
    tokio::select! {
        () = follower.run() => {}
        _ = stop.changed() => {}
    }
}

struct Follower {
    door: Arc<Door>,
    outlet: Arc<Outlet>,
    parked_in_a_row: u32,
    /// The cursor as written down.
    noted: u64,
    /// The last event that the sink itself is known to hold.
    held: Option<(u64, u32)>,
}

impl Follower {
    async fn run(&mut self) {
        self.begin().await;
        let mut reader = None;
        loop {
            let from = self.outlet.state().kept.cursor + 1;
            // A door that does nothing costs nothing.
            if self.door.recorder.health().durable < from {
                tokio::time::sleep(LOOK_EVERY).await;
                continue;
            }
            let open = reader.take().unwrap_or_else(|| self.door.recorder.reader(from));
            let (read, page) = self.read(open).await;
            match page {
                Ok(page) => {
                    reader = Some(read);
                    if !self.deliver_all(&page.events).await {
                        return;
                    }
                    self.pass(page.reached).await;
                    if page.at_end {
                        tokio::time::sleep(LOOK_EVERY).await;
                    }
                }
                Err(StreamError::TooOld { oldest }) => {
                    let why = format!("entries {from} to {} are not kept any more", oldest - 1);
                    tracing::error!(event.sink = %self.outlet.name, "sink {}: {why}", self.outlet.name);
                    self.outlet.state().last_error = Some(why);
                    self.pass(oldest - 1).await;
                }
                Err(error) => {
                    tracing::error!(event.sink = %self.outlet.name, "sink {}: {error}", self.outlet.name);
                    self.outlet.state().last_error = Some(error.to_string());
                    tokio::time::sleep(UNREADABLE_PAUSE).await;
                }
            }
        }
    }

    /// Finds the place to go on from; a new sink begins where its configuration says.
    async fn begin(&mut self) {
        let node = self.door.recorder.node().clone();
        let key = setting(&self.outlet.name);
        let known = loop {
            let name = key.clone();
            match self.door.catalogue(move |c| c.setting(&name)).await {
                Ok(known) => break known,
                Err(error) => {
                    self.outlet.state().last_error = Some(error.to_string());
                    tokio::time::sleep(UNREADABLE_PAUSE).await;
                }
            }
        };
        let kept = known.and_then(|text| serde_json::from_str::<Kept>(&text).ok());
        let is_new = kept.is_none();
        let kept = kept.unwrap_or_else(|| Kept {
            cursor: match self.outlet.begin {
                Begin::Now => self.door.events_begin,
                Begin::Oldest => 0,
            },
            ..Kept::default()
        });
        self.held = self.outlet.sink.lock().await.holds_up_to(&node);
        self.noted = kept.cursor;
        self.outlet.state().kept = kept;
        if is_new {
            self.note().await;
        }
    }

    async fn read(&self, mut reader: Reader) -> (Reader, Result<stream::Page, StreamError>) {
        self.door
            .blocking(move || {
                let page = stream::read(&mut reader);
                (reader, page)
            })
            .await
    }

    /// Delivers what is wanted of some events; whether the sink wants more.
    async fn deliver_all(&mut self, events: &[Event]) -> bool {
        for (n, event) in events.iter().enumerate() {
            let held = self.held.is_some_and(|held| (event.seq, event.number) <= held);
            if held || !self.outlet.wants.contains(&event.kind) {
                continue;
            }
            if !self.deliver(event).await {
                return false;
            }
            // The last event of its entry: the entry is done.
            if events.get(n + 1).is_none_or(|next| next.seq != event.seq) {
                self.outlet.state().kept.cursor = event.seq;
                self.note().await;
            }
        }
        true
    }

    /// Delivers one event, or puts it aside; whether the sink wants more.
    async fn deliver(&mut self, event: &Event) -> bool {
        let mut pause = FIRST_PAUSE;
        let (mut attempts, mut refusals) = (0, 0);
        self.outlet.state().waiting_since = Some(event.time);
        loop {
            let now = self.door.clock.now();
            let delivery = self.outlet.sink.lock().await.deliver(event, now).await;
            attempts += 1;
            let (why, wait) = match delivery {
                Delivery::Taken(_) => {
                    self.taken(now);
                    return true;
                }
                Delivery::Gone { why } => {
                    self.gone(&why);
                    return false;
                }
                Delivery::Refused { why } => {
                    refusals += 1;
                    if refusals >= PARK_AFTER && self.parked_in_a_row < MAX_PARKED_IN_A_ROW {
                        self.park(event, &why, now).await;
                        return true;
                    }
                    (why, None)
                }
                Delivery::Again { why, after } => (why, after),
            };
            self.failed(&why, attempts);
            tokio::time::sleep(jittered(pause).max(wait.unwrap_or_default())).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    fn taken(&mut self, now: Timestamp) {
        self.parked_in_a_row = 0;
        self.door.metrics.event_delivered(&self.outlet.name);
        let mut state = self.outlet.state();
        state.delivered += 1;
        state.delivered_at = Some(now);
        state.waiting_since = None;
        state.attempts = 0;
        state.last_error = None;
    }

    fn failed(&self, why: &str, attempts: u32) {
        self.door.metrics.event_failed(&self.outlet.name);
        // Once when it begins, then each time that the number of tries doubles.
        if attempts.is_power_of_two() {
            let name = &self.outlet.name;
            tracing::warn!(event.sink = %name, attempts, "event sink {name} did not take an event: {why}");
        }
        let mut state = self.outlet.state();
        state.attempts = attempts;
        state.last_error = Some(why.to_owned());
    }

    fn gone(&self, why: &str) {
        let name = &self.outlet.name;
        tracing::error!(event.sink = %name, "event sink {name} wants nothing more: {why}");
        let mut state = self.outlet.state();
        state.waiting_since = None;
        state.off =
            Some(format!("the receiver wants nothing more ({why}); it is asked again when the door starts"));
        drop(state);
        self.door.look_for_degradations();
    }

    async fn park(&mut self, event: &Event, why: &str, now: Timestamp) {
        self.parked_in_a_row += 1;
        let name = self.outlet.name.clone();
        let message = format!(
            "event sink {name} refused the event {} {PARK_AFTER} times, so it was put aside: {why}; `tidegate events --since {} --json` shows it",
            event.id,
            event.seq.saturating_sub(1)
        );
        tracing::error!(event.sink = %name, event.id = %event.id, "{message}");
        self.door.metrics.event_parked(&name);
        self.door.metrics.alarms.inc();
        {
            let mut state = self.outlet.state();
            state.park(Parked { id: event.id.clone(), at: now, why: why.to_owned() });
            state.waiting_since = None;
            state.attempts = 0;
        }
        let alarm = NewAlarm {
            kind: ALARM.into(),
            subject: format!("{name} {}", event.id),
            message,
            json: serde_json::json!({ "sink": name, "event": event.id }).to_string(),
            at: now,
        };
        if let Err(error) = self.door.catalogue(move |c| c.raise_alarm(&alarm)).await {
            tracing::error!(error = %error, "an alarm could not be kept: {error}");
        }
    }

    /// Entries up to this one are done. Written down now and then: to read entries again that tell nothing does no harm.
    async fn pass(&mut self, reached: u64) {
        let behind = self.door.recorder.health().durable.saturating_sub(reached);
        self.door.metrics.event_lag(&self.outlet.name, behind);
        {
            let mut state = self.outlet.state();
            state.kept.cursor = state.kept.cursor.max(reached);
        }
        if reached >= self.noted + NOTE_EVERY {
            self.note().await;
        }
    }

    /// Writes the cursor down.
    async fn note(&mut self) {
        let kept = self.outlet.state().kept.clone();
        let (key, text) = (setting(&self.outlet.name), serde_json::to_string(&kept).expect("a plain value"));
        match self.door.catalogue(move |c| c.set_setting(&key, &text)).await {
            Ok(()) => self.noted = kept.cursor,
            // What was delivered is delivered again after a restart, under the same id.
            Err(error) => {
                let name = &self.outlet.name;
                tracing::error!(event.sink = %name, "how far event sink {name} came could not be noted: {error}");
            }
        }
    }
}

/// Where the catalogue keeps the cursor of a sink.
fn setting(name: &str) -> String {
    format!("events.sink.{name}")
}

/// Between half of a pause and all of it, so that many doors do not come back at once.
fn jittered(pause: Duration) -> Duration {
    let mut random = [0u8; 2];
    // Without randomness the pause is as long as it gets.
    let part =
        if getrandom::fill(&mut random).is_ok() { u32::from(u16::from_le_bytes(random)) } else { 65_535 };
    pause / 2 + pause / 2 * part / 65_535
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_vary_within_bounds() {
        let pauses: Vec<Duration> = (0..200).map(|_| jittered(LONGEST_PAUSE)).collect();
        assert!(pauses.iter().all(|p| (LONGEST_PAUSE / 2..=LONGEST_PAUSE).contains(p)));
        assert!(pauses.iter().any(|p| *p != pauses[0]));
    }
}
