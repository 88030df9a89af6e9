//! Reading the ledger as a stream of events.

use tidegate_ledger::entry::EntryError;
use tidegate_ledger::{Entry, ReadError, Reader};
use tidegate_model::Timestamp;

use super::{Event, map};
use crate::door::Door;

/// The most events of one read.
pub const MAX_EVENTS: usize = 256;
/// The most entries of one read: it must end, also where nothing is told.
pub const MAX_ENTRIES: usize = 50_000;

/// What one read found.
#[derive(Debug, Default, PartialEq)]
pub struct Page {
    /// Events, in their order.
    pub events: Vec<Event>,
    /// The last entry that was read; reading goes on after it.
    pub reached: u64,
    /// Whether there is nothing more yet.
    pub at_end: bool,
}

/// Why reading stopped.
#[derive(Debug, thiserror::Error)]
pub enum StreamError {
    /// The entries are not kept any more.
    #[error("entries before {oldest} are not kept any more")]
    TooOld {
        /// The oldest that is.
        oldest: u64,
    },
    /// The ledger cannot be read.
    #[error("the ledger cannot be read: {0}")]
    Unreadable(String),
}

impl From<ReadError> for StreamError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::TooOld { oldest, .. } => Self::TooOld { oldest },
            other => Self::Unreadable(crate::intel::sync::chain(&other)),
        }
    }
}

/// Reads on, up to a bound. Blocks.
///
/// # Errors
/// [`StreamError`]; the reader stays where it was.
pub fn read(reader: &mut Reader) -> Result<Page, StreamError> {
    let mut page = Page { reached: Reader::position(reader) - 1, ..Page::default() };
    for _ in 0..MAX_ENTRIES {
        if page.events.len() >= MAX_EVENTS {
            return Ok(page);
        }
        let Some(frame) = reader.next() else {
            page.at_end = true;
            return Ok(page);
        };
        let frame = frame?;
        page.reached = frame.seq;
        if is_silent(&frame.json) {
            continue;
        }
        match Entry::parse(&frame.json) {
            Ok(entry) => page.events.extend(map::events_of(&entry)),
            // A later program wrote it; this one cannot tell it.
            Err(EntryError::Kind(kind)) => {
                tracing::warn!(entry.seq = frame.seq, "an entry of the unknown kind `{kind}` makes no event");
            }
            Err(error) => {
                let why = crate::intel::sync::chain(&error);
                return Err(StreamError::Unreadable(format!("entry {}: {why}", frame.seq)));
            }
        }
    }
    Ok(page)
}

/// Whether an entry is of a kind that makes no events, by its head alone.
fn is_silent(json: &[u8]) -> bool {
    let Some(rest) = json.strip_prefix(br#"{"v":1,"kind":""#) else { return false };
    map::SILENT
        .iter()
        .any(|kind| rest.strip_prefix(kind.as_bytes()).is_some_and(|r| r.first() == Some(&b'"')))
}

/// The entry before the first at or after a time, so that reading goes on after it. Entries come nearly in the order of
/// time; one that is off by the skew of a clock may be missed. Blocks.
///
/// # Errors
/// [`StreamError`].
pub fn before(door: &Door, time: Timestamp) -> Result<u64, StreamError> {
    let (mut low, mut high) = (0, door.recorder.health().durable);
    while low < high {
        // Whether entry `middle` is early enough to be passed over.
        let middle = low + (high - low).div_ceil(2);
        match door.recorder.reader(middle).next() {
            None => high = middle - 1,
            Some(Err(ReadError::TooOld { oldest, .. })) => {
                low = oldest.saturating_sub(1).max(low + 1).min(high)
            }
            Some(Err(error)) => return Err(error.into()),
            Some(Ok(frame)) => {
                let entry = Entry::parse(&frame.json).map_err(|e| StreamError::Unreadable(e.to_string()))?;
                if entry.time < time { low = middle } else { high = middle - 1 }
            }
        }
    }
    Ok(low)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silent_kinds_are_told_by_their_head() {
        for (json, silent) in [
            (r#"{"v":1,"kind":"access","time""#, true),
            (r#"{"v":1,"kind":"person","time""#, true),
            (r#"{"v":1,"kind":"decision","time""#, false),
            (r#"{"v":1,"kind":"accessory","time""#, false),
            (r#"{"kind":"access"}"#, false),
        ] {
            assert_eq!(is_silent(json.as_bytes()), silent, "{json}");
        }
    }
}
