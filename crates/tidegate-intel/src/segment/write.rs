//! Compiling advisories into a segment. The same advisories give the same bytes, in whatever order they come.

use std::cmp::Ordering;
use std::io;

use super::container::{SegmentKind, StringsBuilder, TooBig, Writer};
use super::layout::{
    AFFECTED, ALIASES, BLOCK_TARGET_BYTES, BLOCKS, INTERVALS, KEYS, LISTED, LISTS, META, NAMES, NO_TIME,
    NONE, NOT_UNDERSTOOD, ORDER_SHIFT, RECORDS, REMOVED, STRINGS, TEXT, TEXT_LEVEL, UPPER_INCLUSIVE,
    UPPER_IS_FIX,
};
use super::{Meta, RecordDigest};
use crate::advisory::{Advisory, AdvisoryKind, AffectedPackage};
use crate::order;
use crate::osv::range::Bound;
use crate::scratch::{Scratch, Spool};

/// An advisory on its way into a segment.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub advisory: Advisory,
    /// The record as delivered.
    pub json: Vec<u8>,
    pub digest: RecordDigest,
    /// When this door first knew of it as it stands, in milliseconds.
    pub known_since: i64,
}

/// Why a segment cannot be written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WriteError {
    #[error(transparent)]
    TooBig(#[from] TooBig),
    #[error(transparent)]
    Scratch(#[from] io::Error),
}

/// One row of `affected`, until rows are sorted by name.
struct PackageRow {
    ecosystem: u32,
    name: u32,
    /// The first bytes of the name, so that most comparisons touch nothing else.
    start: [u8; 8],
    record: u32,
    suffix: u32,
    rest: [u32; 5],
}

/// A segment in the making. Its texts and names are in memory, everything else is set aside.
pub(crate) struct Build {
    strings: StringsBuilder,
    keys: StringsBuilder,
    packages: Vec<PackageRow>,
    /// Id and record.
    aliases: Vec<(u32, u32)>,
    intervals: Spool,
    listed: Spool,
    records: Spool,
    lists: Spool,
    blocks: Spool,
    text: Spool,
    block: Vec<u8>,
    packer: zstd::bulk::Compressor<'static>,
    scratch: Scratch,
    counts: Counts,
    last_id: String,
}

#[derive(Default)]
struct Counts {
    records: u32,
    withdrawn: u64,
    ignored_ranges: u64,
}

fn put(out: &mut Vec<u8>, value: u32) {
    out.extend_from_slice(&value.to_le_bytes());
}

fn rows(spool: &Spool, row: usize) -> Result<u32, TooBig> {
    u32::try_from(spool.len() / row as u64).map_err(|_| TooBig)
}

fn short(len: usize) -> Result<u32, TooBig> {
    u32::try_from(len).map_err(|_| TooBig)
}

impl Build {
    pub(crate) fn new(scratch: &Scratch) -> io::Result<Self> {
        let spool = || Spool::new(scratch.clone());
        Ok(Self {
            strings: StringsBuilder::default(),
            keys: StringsBuilder::default(),
            packages: Vec::new(),
            aliases: Vec::new(),
            intervals: spool(),
            listed: spool(),
            records: spool(),
            lists: spool(),
            blocks: spool(),
            text: spool(),
            block: Vec::with_capacity(BLOCK_TARGET_BYTES * 2),
            packer: zstd::bulk::Compressor::new(TEXT_LEVEL)?,
            scratch: scratch.clone(),
            counts: Counts::default(),
            last_id: String::new(),
        })
    }

    /// Adds a record. They come in order of their ids, each once.
    pub(crate) fn add(&mut self, entry: &Entry) -> Result<(), WriteError> {
        assert!(
            self.counts.records == 0 || self.last_id < entry.advisory.id,
            "INVARIANT: records come sorted, each once"
        );
        self.last_id.clone_from(&entry.advisory.id);
        let number = self.counts.records;
        let place = self.put_text(&entry.json)?;
        self.record(entry, place)?;
        for package in &entry.advisory.affected {
            self.package(number, package)?;
        }
        for id in entry.advisory.aliases.iter().chain(&entry.advisory.upstream) {
            self.aliases.push((self.strings.add(id.as_bytes())?, number));
        }
        self.counts.records = number.checked_add(1).ok_or(TooBig)?;
        self.counts.withdrawn += u64::from(entry.advisory.withdrawn.is_some());
        self.counts.ignored_ranges += u64::from(entry.advisory.ignored_ranges);
        Ok(())
    }

    /// Ends the segment; `removed` names ids of older layers of the feed that are gone.
    pub(crate) fn finish(mut self, mut removed: Vec<String>, meta: &Meta) -> Result<Writer, WriteError> {
        removed.sort_unstable();
        removed.dedup();
        let mut gone = Vec::with_capacity(removed.len() * 4);
        for id in &removed {
            put(&mut gone, self.strings.add(id.as_bytes())?);
        }
        self.flush_block()?;
        let (names, affected) = self.names()?;
        let aliases = self.alias_rows();
        let meta = Meta {
            records: self.counts.records.into(),
            withdrawn: self.counts.withdrawn,
            ignored_ranges: self.counts.ignored_ranges,
            ..meta.clone()
        };
        let (mut strings, mut keys) = (Spool::new(self.scratch.clone()), Spool::new(self.scratch.clone()));
        self.strings.finish(&mut strings)?;
        self.keys.finish(&mut keys)?;
        let mut writer = Writer::new(SegmentKind::Advisories);
        writer.section(META, serde_json::to_vec(&meta).expect("a description is plain JSON"));
        writer.spooled(STRINGS, strings);
        writer.spooled(KEYS, keys);
        writer.spooled(NAMES, names);
        writer.spooled(AFFECTED, affected);
        writer.spooled(INTERVALS, self.intervals);
        writer.spooled(LISTED, self.listed);
        writer.spooled(RECORDS, self.records);
        writer.spooled(LISTS, self.lists);
        writer.section(ALIASES, aliases);
        writer.section(REMOVED, gone);
        writer.spooled(BLOCKS, self.blocks);
        writer.spooled(TEXT, self.text);
        Ok(writer)
    }

    /// Sorts the packages by ecosystem, name, record and suffix; the rows of names, and the rows behind them.
    fn names(&mut self) -> Result<(Spool, Spool), WriteError> {
        let mut packages = std::mem::take(&mut self.packages);
        let text = |index: u32| if index == NONE { &[][..] } else { self.strings.get(index) };
        packages.sort_unstable_by(|a, b| {
            // Equal numbers are equal texts; only different ones are looked at.
            let by_text = |a: u32, b: u32| if a == b { Ordering::Equal } else { text(a).cmp(text(b)) };
            by_text(a.ecosystem, b.ecosystem)
                .then_with(|| a.start.cmp(&b.start))
                .then_with(|| by_text(a.name, b.name))
                .then_with(|| a.record.cmp(&b.record))
                .then_with(|| by_text(a.suffix, b.suffix))
        });
        let (mut names, mut affected) = (Spool::new(self.scratch.clone()), Spool::new(self.scratch.clone()));
        for group in packages.chunk_by(|a, b| (a.ecosystem, a.name) == (b.ecosystem, b.name)) {
            let first = rows(&affected, super::layout::AFFECTED_BYTES)?;
            for value in [group[0].ecosystem, group[0].name, first, short(group.len())?] {
                names.put(&value.to_le_bytes())?;
            }
            for row in group {
                for value in [row.record, row.suffix].into_iter().chain(row.rest) {
                    affected.put(&value.to_le_bytes())?;
                }
            }
        }
        Ok((names, affected))
    }

    /// Every id under which a record is found beside its own: its aliases and what it was derived from.
    fn alias_rows(&mut self) -> Vec<u8> {
        let mut pairs = std::mem::take(&mut self.aliases);
        let text = |index: u32| self.strings.get(index);
        pairs.sort_unstable_by(|a, b| (text(a.0), a.1).cmp(&(text(b.0), b.1)));
        pairs.dedup();
        let mut out = Vec::with_capacity(pairs.len() * 8);
        for (id, record) in pairs {
            put(&mut out, id);
            put(&mut out, record);
        }
        out
    }

    fn package(&mut self, record: u32, package: &AffectedPackage) -> Result<(), WriteError> {
        let suffix =
            if package.suffix.is_empty() { NONE } else { self.strings.add(package.suffix.as_bytes())? };
        let flags = if package.not_understood { NOT_UNDERSTOOD } else { 0 };
        let mut start = [0; 8];
        let taken = package.name.len().min(8);
        start[..taken].copy_from_slice(&package.name.as_bytes()[..taken]);
        self.packages.push(PackageRow {
            ecosystem: self.strings.add(package.ecosystem.as_bytes())?,
            name: self.strings.add(package.name.as_bytes())?,
            start,
            record,
            suffix,
            rest: [
                rows(&self.intervals, super::layout::INTERVAL_BYTES)?,
                short(package.intervals.len())?,
                rows(&self.listed, super::layout::LISTED_BYTES)?,
                short(package.listed.len())?,
                flags | u32::from(order::code(package.scheme)) << ORDER_SHIFT,
            ],
        });
        let mut row = Vec::with_capacity(super::layout::INTERVAL_BYTES);
        for interval in &package.intervals {
            row.clear();
            for bound in [&interval.lower, &interval.upper] {
                let (key, text) = self.bound(bound.as_ref())?;
                put(&mut row, key);
                put(&mut row, text);
            }
            let inclusive = if interval.upper_inclusive { UPPER_INCLUSIVE } else { 0 };
            let fix = if interval.upper_is_fix { UPPER_IS_FIX } else { 0 };
            put(&mut row, inclusive | fix);
            self.intervals.put(&row)?;
        }
        for version in &package.listed {
            row.clear();
            let (key, text) = self.bound(Some(version))?;
            put(&mut row, key);
            put(&mut row, text);
            self.listed.put(&row)?;
        }
        Ok(())
    }

    fn bound(&mut self, bound: Option<&Bound>) -> Result<(u32, u32), TooBig> {
        let Some(bound) = bound else { return Ok((NONE, NONE)) };
        let key = match &bound.key {
            Some(key) => self.keys.add(key)?,
            None => NONE,
        };
        Ok((key, self.strings.add(bound.text.as_bytes())?))
    }

    /// Puts the text of a record where it is packed, and says where it stands: block, offset, length.
    fn put_text(&mut self, json: &[u8]) -> Result<[u32; 3], WriteError> {
        if self.block.len() >= BLOCK_TARGET_BYTES {
            self.flush_block()?;
        }
        let number = rows(&self.blocks, super::layout::BLOCK_BYTES)?;
        let place = [number, short(self.block.len())?, short(json.len())?];
        self.block.extend_from_slice(json);
        Ok(place)
    }

    fn flush_block(&mut self) -> Result<(), WriteError> {
        if self.block.is_empty() {
            return Ok(());
        }
        let packed = self.packer.compress(&self.block)?;
        let mut row = self.text.len().to_le_bytes().to_vec();
        put(&mut row, short(packed.len())?);
        put(&mut row, short(self.block.len())?);
        put(&mut row, crc32c::crc32c(&packed));
        self.blocks.put(&row)?;
        self.text.put(&packed)?;
        self.block.clear();
        Ok(())
    }

    fn record(&mut self, entry: &Entry, place: [u32; 3]) -> Result<(), WriteError> {
        let advisory = &entry.advisory;
        let mut row = Vec::with_capacity(super::layout::RECORD_BYTES);
        put(&mut row, self.strings.add(advisory.id.as_bytes())?);
        for time in [advisory.modified, advisory.withdrawn.unwrap_or(NO_TIME), entry.known_since] {
            row.extend_from_slice(&time.to_le_bytes());
        }
        row.extend_from_slice(&entry.digest);
        let kind = AdvisoryKind::ALL.iter().position(|kind| *kind == advisory.kind).unwrap_or_default();
        let reviewed = match advisory.reviewed {
            None => 0,
            Some(false) => 1,
            Some(true) => 2,
        };
        let label = advisory.label.map_or(0, |label| label as u8 + 1);
        row.extend_from_slice(&[u8::try_from(kind).unwrap_or_default(), reviewed, label, 0]);
        put(&mut row, rows(&self.lists, 4)?);
        let mut items = Vec::new();
        for list in [&advisory.aliases, &advisory.upstream, &advisory.reporters] {
            put(&mut row, short(list.len())?);
            for item in list {
                put(&mut items, self.strings.add(item.as_bytes())?);
            }
        }
        put(&mut row, short(advisory.ratings.len())?);
        for rating in &advisory.ratings {
            for text in [&rating.system, &rating.vector] {
                put(&mut items, self.strings.add(text.as_bytes())?);
            }
        }
        place.iter().for_each(|value| put(&mut row, *value));
        self.lists.put(&items)?;
        self.records.put(&row)?;
        Ok(())
    }
}
