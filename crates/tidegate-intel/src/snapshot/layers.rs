//! Layers of a feed, and which of their records are in force.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

use super::{FeedContent, FeedState};
use crate::segment::{RecordRow, Segment, SegmentError, TextCursor};

/// A set of record numbers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Bits(Vec<u64>);

impl Bits {
    fn sized(len: u32) -> Self {
        Self(vec![0; (len as usize).div_ceil(64)])
    }

    pub(crate) fn get(&self, index: u32) -> bool {
        self.0.get(index as usize / 64).is_some_and(|word| word >> (index % 64) & 1 == 1)
    }

    fn set(&mut self, index: u32, value: bool) {
        let word = &mut self.0[index as usize / 64];
        let bit = 1 << (index % 64);
        *word = if value { *word | bit } else { *word & !bit };
    }

    /// Sets a bit that may lie beyond those there are.
    pub(crate) fn grow_and_set(&mut self, index: u32) {
        let words = index as usize / 64 + 1;
        if self.0.len() < words {
            self.0.resize(words, 0);
        }
        self.set(index, true);
    }

    pub(crate) fn count(&self) -> u64 {
        self.0.iter().map(|word| u64::from(word.count_ones())).sum()
    }
}

/// One segment of a feed, and which of its records something else took the place of.
#[derive(Clone, Debug)]
pub(crate) struct Layer {
    segment: Arc<Segment>,
    dead: Arc<Bits>,
    file: Arc<str>,
}

impl Layer {
    pub(crate) fn new(segment: Arc<Segment>, file: Arc<str>) -> Self {
        let dead = Arc::new(Bits::sized(segment.record_count()));
        Self { segment, dead, file }
    }

    pub(crate) fn segment(&self) -> &Arc<Segment> {
        &self.segment
    }

    pub(crate) fn file(&self) -> &Arc<str> {
        &self.file
    }

    /// Whether another copy of the record took its place.
    pub(crate) fn is_dead(&self, record: u32) -> bool {
        self.dead.get(record)
    }

    /// How many records are in force (or withdrawn, but not replaced).
    pub(crate) fn live(&self) -> u64 {
        u64::from(self.segment.record_count()) - self.dead.count()
    }

    fn set_dead(&mut self, record: u32, dead: bool) {
        if self.dead.get(record) != dead {
            Arc::make_mut(&mut self.dead).set(record, dead);
        }
    }
}

/// The newest copy of a record among the layers of one feed, unless it was removed.
pub(super) fn top(layers: &[Layer], id: &str) -> Option<(usize, u32)> {
    for (index, layer) in layers.iter().enumerate().rev() {
        if let Some(record) = layer.segment.find_record(id) {
            return Some((index, record));
        }
        if layer.segment.removes(id) {
            return None;
        }
    }
    None
}

impl FeedState {
    /// The newest copy of every record of this feed, in order of ids, with its text. Each block of text is unpacked once,
    /// or nearly so.
    pub(crate) fn for_each_top<E: From<SegmentError>>(
        &self,
        mut each: impl FnMut(RecordRow<'_>, &[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let layers = self.layers();
        let mut cursors: Vec<(u32, TextCursor<'_>)> =
            layers.iter().map(|layer| (0, TextCursor::new(&layer.segment))).collect();
        loop {
            let next = |(number, (record, _)): (usize, &(u32, TextCursor<'_>))| {
                let segment = &layers[number].segment;
                (*record < segment.record_count()).then(|| (segment.record(*record).id(), number))
            };
            let Some((id, number)) = cursors.iter().enumerate().filter_map(next).min() else { return Ok(()) };
            let (record, text) = &mut cursors[number];
            if top(layers, id) == Some((number, *record)) {
                each(layers[number].segment.record(*record), text.json(*record)?)?;
            }
            *record += 1;
        }
    }
}

/// Sets anew which copies of one record speak.
pub(super) fn settle(feeds: &mut [FeedState], id: &str) {
    let mut tops: Vec<(usize, usize, u32, i64)> = Vec::new();
    for (number, feed) in feeds.iter_mut().enumerate() {
        let FeedContent::Advisories(layers) = &mut feed.content else { continue };
        let top = top(layers, id);
        for (index, layer) in layers.iter_mut().enumerate() {
            if let Some(record) = layer.segment.find_record(id)
                && top != Some((index, record))
            {
                layer.set_dead(record, true);
            }
        }
        if let Some((index, record)) = top {
            tops.push((number, index, record, layers[index].segment.record(record).modified()));
        }
    }
    let newest = tops.iter().map(|(.., modified)| *modified).max();
    for (number, index, record, modified) in tops {
        if let FeedContent::Advisories(layers) = &mut feeds[number].content {
            layers[index].set_dead(record, Some(modified) != newest);
        }
    }
}

/// Settles every id that stands in more than one layer, or that a layer removes. For when everything is new; a delta
/// settles its own ids.
pub(super) fn settle_all(feeds: &mut [FeedState]) {
    let mut contested: Vec<String> = Vec::new();
    {
        let segments: Vec<&Segment> =
            feeds.iter().flat_map(FeedState::layers).map(|layer| &**layer.segment()).collect();
        if segments.len() < 2 {
            return;
        }
        let mut heads: BinaryHeap<Reverse<(&str, usize, u32)>> = BinaryHeap::new();
        let head = |segment: usize, record: u32| {
            let rows: &Segment = segments[segment];
            (record < rows.record_count()).then(|| Reverse((rows.record(record).id(), segment, record)))
        };
        heads.extend((0..segments.len()).filter_map(|segment| head(segment, 0)));
        let mut previous: Option<&str> = None;
        while let Some(Reverse((id, segment, record))) = heads.pop() {
            if previous == Some(id) && contested.last().map(String::as_str) != Some(id) {
                contested.push(id.to_owned());
            }
            previous = Some(id);
            heads.extend(head(segment, record + 1));
        }
        contested.extend(segments.iter().flat_map(|s| s.removed()).map(str::to_owned));
    }
    for id in contested {
        settle(feeds, &id);
    }
}
