//! At the start: what was recorded since the newest counts, so that counting goes on where it was cut off.

use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;
use tidegate_model::Timestamp;
use tidegate_sys::disk::Disk;

use crate::entry::Body;
use crate::recover::Segment;
use crate::tally::{Counted, MAX_COUNTED, Tally};
use crate::{EntryFrame, ReadError, Reader};

/// How every entry that holds counts begins, since the order of fields is fixed.
const COUNTS_BEGIN: &[u8] = br#"{"v":1,"kind":"counts""#;

/// What is counted of an entry.
#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow)]
    kind: std::borrow::Cow<'a, str>,
    time: Timestamp,
    status: Option<u16>,
    bytes: Option<u64>,
}

/// Counts what stands after the newest counts; from the node's first entry on where there are none. Where neither can be
/// reached, or an hour in between ended without counts, an earlier program wrote it: then counting begins with the next entry.
pub(super) fn recount(disk: &Arc<dyn Disk>, dir: &Path, segments: &[Segment], next_seq: u64) -> Tally {
    match try_recount(disk, dir, segments, next_seq) {
        Ok(Some(tally)) => tally,
        Ok(None) => Tally::from(0),
        Err(error) => {
            tracing::warn!(error = %error, "entries cannot be counted again, counting begins anew: {error}");
            Tally::from(0)
        }
    }
}

fn try_recount(
    disk: &Arc<dyn Disk>,
    dir: &Path,
    segments: &[Segment],
    next_seq: u64,
) -> Result<Option<Tally>, ReadError> {
    let read = |from: u64| Reader::fixed(Arc::clone(disk), dir, segments.to_vec(), from);
    let Some(begin) = newest_counts(read, segments, next_seq)? else { return Ok(None) };
    let mut tally = Tally::from(begin);
    for frame in read(begin) {
        let frame = frame?;
        let Some(counted) = counted(&frame) else { return Ok(None) };
        let is_counts = counted.kind == Body::COUNTS_KIND;
        if !is_counts && tally.is_due(counted.time) {
            return Ok(None);
        }
        tally.push(counted);
    }
    Ok(Some(tally))
}

/// Number of the newest entry that holds counts, or 1 where the node's first entry is reached before.
fn newest_counts(
    read: impl Fn(u64) -> Reader,
    segments: &[Segment],
    next_seq: u64,
) -> Result<Option<u64>, ReadError> {
    let mut end = next_seq;
    for segment in segments.iter().rev() {
        let mut newest = None;
        let mut reader = read(segment.first);
        while Reader::position(&reader) < end {
            let Some(frame) = reader.next() else { break };
            let frame = frame?;
            if frame.json.starts_with(COUNTS_BEGIN) {
                newest = Some(frame.seq);
            }
        }
        end = segment.first;
        if newest.is_some() || end == 1 {
            return Ok(newest.or(Some(1)));
        }
        if next_seq - end > MAX_COUNTED {
            return Ok(None);
        }
    }
    // An empty ledger, or one whose oldest segments were taken away.
    Ok((next_seq == 1).then_some(1))
}

/// None for an entry of a later program.
fn counted(frame: &EntryFrame) -> Option<Counted> {
    let line: Line<'_> = serde_json::from_slice(&frame.json).ok()?;
    let kind = Body::KINDS.iter().position(|known| *known == line.kind)?;
    let access = (kind == 0).then(|| (line.status.unwrap_or(0), line.bytes.unwrap_or(0)));
    Some(Counted { seq: frame.seq, time: line.time, kind, access })
}
