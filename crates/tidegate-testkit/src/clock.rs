//! A clock that stands still until a test moves it.

use std::sync::atomic::{AtomicI64, Ordering};

use tidegate_model::Timestamp;

/// A clock for tests: it shows the same instant until [`FixedClock::advance`] or [`FixedClock::set`] moves it.
#[derive(Debug)]
pub struct FixedClock {
    millis: AtomicI64,
}

impl FixedClock {
    /// A clock that shows `text`, RFC 3339 or a bare date.
    ///
    /// # Panics
    /// Where `text` is no time: a test with a mistyped time must not run.
    pub fn at(text: &str) -> Self {
        let instant: Timestamp = text.parse().expect("the test names a valid time");
        Self { millis: AtomicI64::new(instant.unix_millis()) }
    }

    /// What the clock shows.
    pub fn now(&self) -> Timestamp {
        Timestamp::from_unix_millis(self.millis.load(Ordering::SeqCst))
    }

    /// Moves the clock by `seconds`; negative values move it back.
    pub fn advance(&self, seconds: i64) {
        self.millis.fetch_add(seconds.saturating_mul(1000), Ordering::SeqCst);
    }

    /// Moves the clock by whole days.
    pub fn advance_days(&self, days: i64) {
        self.advance(days.saturating_mul(24 * 60 * 60));
    }

    /// Makes the clock show `instant`.
    pub fn set(&self, instant: Timestamp) {
        self.millis.store(instant.unix_millis(), Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moves_only_when_told() {
        let clock = FixedClock::at("2026-11-21T00:00:00Z");
        assert_eq!(clock.now(), clock.now());
        clock.advance_days(3);
        clock.advance(61);
        assert_eq!(clock.now().to_string(), "2026-11-24T00:01:01Z");
        clock.set(Timestamp::from_unix_seconds(0));
        assert_eq!(clock.now().to_string(), "1970-01-01T00:00:00Z");
    }
}
