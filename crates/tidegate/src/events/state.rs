//! How a sink stands: how far it came, what went wrong, what was put aside.

use serde::{Deserialize, Serialize};
use tidegate_model::Timestamp;

use crate::intel::Degradation;

/// An event that waits longer than this makes its sink degraded, in seconds.
pub const LATE_SECONDS: i64 = 300;
/// The newest parked events that are remembered by id.
const MAX_PARKED: usize = 100;

/// What survives a restart.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// Every event of the entries up to this one was delivered, parked or not wanted.
    pub cursor: u64,
    /// How many events were parked in all.
    #[serde(default)]
    pub parked: u64,
    /// The newest of them.
    #[serde(default)]
    pub parked_events: Vec<Parked>,
}

/// An event that the receiver refused again and again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parked {
    /// Its id.
    pub id: String,
    /// When it was put aside.
    pub at: Timestamp,
    /// What the receiver said last.
    pub why: String,
}

/// How a sink stands at this moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SinkState {
    /// What survives a restart.
    pub kept: Kept,
    /// Events delivered since the door started.
    pub delivered: u64,
    /// When the last was.
    pub delivered_at: Option<Timestamp>,
    /// The time of the event that waits to be delivered.
    pub waiting_since: Option<Timestamp>,
    /// Tries of that event so far.
    pub attempts: u32,
    /// What went wrong last; none once something went right.
    pub last_error: Option<String>,
    /// Why nothing more is sent, where that is so.
    pub off: Option<String>,
}

impl SinkState {
    /// Puts an event aside.
    pub fn park(&mut self, parked: Parked) {
        self.kept.parked += 1;
        self.kept.parked_events.push(parked);
        let excess = self.kept.parked_events.len().saturating_sub(MAX_PARKED);
        self.kept.parked_events.drain(..excess);
    }

    /// What is wrong where the sink is off or late. It stands in answers, so it does not repeat what receivers say.
    pub fn degradation(&self, name: &str, now: Timestamp) -> Option<Degradation> {
        const CONTROL: &str = "events";
        if self.off.is_some() {
            let what = format!("sink {name} is off");
            return Some(Degradation { control: CONTROL, why: what.clone(), what });
        }
        let late = now.seconds_since(self.waiting_since?);
        (late >= LATE_SECONDS).then(|| Degradation {
            control: CONTROL,
            what: format!("sink {name} is behind"),
            why: format!("sink {name} is {} min behind", late / 60),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sink_that_is_late_or_off_says_so() {
        let now: Timestamp = "2026-11-21T10:00:00Z".parse().unwrap();
        let mut state = SinkState::default();
        assert_eq!(state.degradation("hook", now), None);
        state.waiting_since = Some(now.plus_seconds(-LATE_SECONDS + 1));
        state.last_error = Some("HTTP 500".into());
        assert_eq!(state.degradation("hook", now), None);
        let told = state.degradation("hook", now.plus_seconds(61)).unwrap();
        assert_eq!(told.to_string(), "events: sink hook is 6 min behind");
        state.off = Some("gone".into());
        assert_eq!(state.degradation("hook", now).unwrap().to_string(), "events: sink hook is off");
    }

    #[test]
    fn only_the_newest_parked_events_are_remembered() {
        let at: Timestamp = "2026-11-21T10:00:00Z".parse().unwrap();
        let mut state = SinkState::default();
        for n in 0..150 {
            state.park(Parked { id: n.to_string(), at, why: String::new() });
        }
        assert_eq!((state.kept.parked, state.kept.parked_events.len()), (150, MAX_PARKED));
        assert_eq!(state.kept.parked_events[0].id, "50");
    }
}
