//! The way back from a view to the leaf, and the text that grows with it.

use std::ops::Range;

use super::{BATCH_BYTES, OVERLAP_BYTES, Source, View, ViewKind};

/// Segments of one batch. Text with an escape at every other character would have more of them than bytes are worth.
const BATCH_SEGMENTS: usize = 128 << 10;

/// A stretch in which so many bytes of the view stand for so many of the leaf.
#[derive(Clone, Copy, Debug)]
struct Segment {
    view: usize,
    leaf: usize,
    /// Bytes of the view that belong together.
    view_step: usize,
    /// Bytes of the leaf that they stand for.
    leaf_step: usize,
}

/// Segments in order.
#[derive(Debug, Default)]
pub(crate) struct Map {
    segments: Vec<Segment>,
    /// Bytes of what the view is made of: the last group of a run may be shorter than its step.
    source_bytes: usize,
}

impl Map {
    fn segment(&self, at: usize) -> Option<&Segment> {
        self.segments[..self.segments.partition_point(|segment| segment.view <= at)].last()
    }

    fn unit(&self, at: usize) -> Range<usize> {
        let Some(segment) = self.segment(at) else { return 0..0 };
        let start = segment.leaf + (at - segment.view) / segment.view_step * segment.leaf_step;
        start..(start + segment.leaf_step).min(self.source_bytes).max(start)
    }

    pub(super) fn locate(&self, range: Range<usize>, length: usize) -> Range<usize> {
        let start = range.start.min(length);
        let end = range.end.clamp(start, length);
        let from = self.unit(start).start;
        if start == end { from..from } else { from..self.unit(end - 1).end }
    }
}

/// A view while it is made.
pub(super) struct Builder<'a, 'v> {
    kind: ViewKind,
    outer: Option<&'a View<'a>>,
    text: Vec<u8>,
    map: Map,
    visit: &'v mut dyn FnMut(&View<'_>),
}

impl<'a, 'v> Builder<'a, 'v> {
    pub(super) fn new(kind: ViewKind, source: &Source<'a>, visit: &'v mut dyn FnMut(&View<'_>)) -> Self {
        Self {
            kind,
            outer: source.outer,
            text: Vec::new(),
            map: Map { segments: Vec::new(), source_bytes: source.bytes.len() },
            visit,
        }
    }

    /// Appends decoded bytes: each `view_step` of them stand for `leaf_step` bytes of the leaf from `leaf` on.
    pub(super) fn push(&mut self, bytes: &[u8], leaf: usize, view_step: usize, leaf_step: usize) {
        let mut done = 0;
        while done < bytes.len() {
            self.make_room();
            let room = (BATCH_BYTES + OVERLAP_BYTES - self.text.len()) / view_step * view_step;
            let part = &bytes[done..bytes.len().min(done + room.max(view_step))];
            self.segment(leaf + done / view_step * leaf_step, view_step, leaf_step);
            self.text.extend_from_slice(part);
            done += part.len();
        }
    }

    /// Appends one byte, as [`push`](Builder::push) does. Bytes that follow each other share a segment.
    pub(super) fn push_byte(&mut self, byte: u8, leaf: usize, leaf_step: usize) {
        self.make_room();
        self.segment(leaf, 1, leaf_step);
        self.text.push(byte);
    }

    fn segment(&mut self, leaf: usize, view_step: usize, leaf_step: usize) {
        let view = self.text.len();
        let follows = self.map.segments.last().is_some_and(|last| {
            let steps = (view - last.view) / last.view_step;
            let is_whole = (view - last.view).is_multiple_of(last.view_step);
            (last.view_step, last.leaf_step) == (view_step, leaf_step)
                && is_whole
                && last.leaf + steps * leaf_step == leaf
        });
        if !follows {
            self.map.segments.push(Segment { view, leaf, view_step, leaf_step });
        }
    }

    /// Ends a run. `leaf` is where it ended.
    pub(super) fn end_run(&mut self, leaf: usize) {
        if self.text.len() >= BATCH_BYTES || self.map.segments.len() >= BATCH_SEGMENTS {
            self.show();
            self.text.clear();
            self.map.segments.clear();
        } else {
            self.push_byte(b'\n', leaf, 0);
        }
    }

    /// Within a run: shows a batch that is full, and keeps its end.
    fn make_room(&mut self) {
        if self.text.len() < BATCH_BYTES + OVERLAP_BYTES && self.map.segments.len() < BATCH_SEGMENTS {
            return;
        }
        self.show();
        let from = self.text.len().saturating_sub(OVERLAP_BYTES);
        let first = self.map.segments.partition_point(|segment| segment.view <= from).saturating_sub(1);
        let cut = self.map.segments[first];
        // Cut where bytes that belong together begin.
        let from = cut.view + (from - cut.view) / cut.view_step * cut.view_step;
        self.map.segments.drain(..first);
        for segment in &mut self.map.segments {
            if segment.view < from {
                segment.leaf += (from - segment.view) / segment.view_step * segment.leaf_step;
                segment.view = 0;
            } else {
                segment.view -= from;
            }
        }
        self.text.drain(..from);
    }

    fn show(&mut self) {
        let view = View { kind: self.kind, outer: self.outer, text: &self.text, map: &self.map };
        (self.visit)(&view);
    }

    /// Shows what is left.
    pub(super) fn finish(mut self) {
        if !self.text.is_empty() {
            self.show();
        }
    }
}
