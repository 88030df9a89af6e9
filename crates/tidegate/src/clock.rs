//! The one place where the time of day is read.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use tidegate_model::Timestamp;

/// Tells the time. A test can move it.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    shift_millis: Arc<AtomicI64>,
}

impl Clock {
    /// The system's clock.
    pub fn system() -> Self {
        Self::default()
    }

    /// Now.
    pub fn now(&self) -> Timestamp {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        let millis = i64::try_from(since.as_millis()).unwrap_or(i64::MAX);
        Timestamp::from_unix_millis(millis.saturating_add(self.shift_millis.load(Ordering::Relaxed)))
    }

    /// Moves every later reading by `seconds`.
    pub fn advance(&self, seconds: i64) {
        self.shift_millis.fetch_add(seconds.saturating_mul(1000), Ordering::Relaxed);
    }
}
