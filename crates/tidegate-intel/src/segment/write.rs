//! Compiling advisories into a segment. The same advisories give the same bytes, in whatever order they come.

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

#[derive(Default)]
struct Build {
    strings: StringsBuilder,
    keys: StringsBuilder,
    names: Vec<u8>,
    affected: Vec<u8>,
    intervals: Vec<u8>,
    listed: Vec<u8>,
    records: Vec<u8>,
    lists: Vec<u8>,
    aliases: Vec<u8>,
    blocks: Vec<u8>,
    text: Vec<u8>,
}

fn put(out: &mut Vec<u8>, value: u32) {
    out.extend_from_slice(&value.to_le_bytes());
}

fn rows(bytes: &[u8], row: usize) -> Result<u32, TooBig> {
    u32::try_from(bytes.len() / row).map_err(|_| TooBig)
}

/// Writes a segment. `entries` hold each id once; `removed` names ids of older layers of the feed that are gone.
pub(crate) fn write(
    mut entries: Vec<Entry>,
    mut removed: Vec<String>,
    meta: &Meta,
) -> Result<Vec<u8>, TooBig> {
    entries.sort_by(|a, b| a.advisory.id.cmp(&b.advisory.id));
    removed.sort_unstable();
    removed.dedup();
    let mut build = Build::default();
    build.all_names(&entries)?;
    let places = build.all_text(&entries)?;
    for (entry, place) in entries.iter().zip(places) {
        build.record(entry, place)?;
    }
    build.all_aliases(&entries)?;
    let mut gone = Vec::with_capacity(removed.len() * 4);
    for id in &removed {
        put(&mut gone, build.strings.add(id.as_bytes())?);
    }
    let mut writer = Writer::new(SegmentKind::Advisories);
    writer.section(META, serde_json::to_vec(meta).expect("a description is plain JSON"));
    writer.section(STRINGS, build.strings.finish());
    writer.section(KEYS, build.keys.finish());
    writer.section(NAMES, build.names);
    writer.section(AFFECTED, build.affected);
    writer.section(INTERVALS, build.intervals);
    writer.section(LISTED, build.listed);
    writer.section(RECORDS, build.records);
    writer.section(LISTS, build.lists);
    writer.section(ALIASES, build.aliases);
    writer.section(REMOVED, gone);
    writer.section(BLOCKS, build.blocks);
    writer.section(TEXT, build.text);
    Ok(writer.finish())
}

impl Build {
    fn all_names(&mut self, entries: &[Entry]) -> Result<(), TooBig> {
        let mut packages: Vec<(u32, &AffectedPackage)> = Vec::new();
        for (index, entry) in entries.iter().enumerate() {
            let index = u32::try_from(index).map_err(|_| TooBig)?;
            packages.extend(entry.advisory.affected.iter().map(|package| (index, package)));
        }
        packages.sort_by(|(a, x), (b, y)| {
            (&x.ecosystem, &x.name, a, &x.suffix).cmp(&(&y.ecosystem, &y.name, b, &y.suffix))
        });
        for group in packages.chunk_by(|(_, a), (_, b)| (&a.ecosystem, &a.name) == (&b.ecosystem, &b.name)) {
            let first = &group[0].1;
            let row = [
                self.strings.add(first.ecosystem.as_bytes())?,
                self.strings.add(first.name.as_bytes())?,
                rows(&self.affected, super::layout::AFFECTED_BYTES)?,
                u32::try_from(group.len()).map_err(|_| TooBig)?,
            ];
            row.iter().for_each(|value| put(&mut self.names, *value));
            for (record, package) in group {
                self.package(*record, package)?;
            }
        }
        Ok(())
    }

    fn package(&mut self, record: u32, package: &AffectedPackage) -> Result<(), TooBig> {
        let suffix =
            if package.suffix.is_empty() { NONE } else { self.strings.add(package.suffix.as_bytes())? };
        let flags = if package.not_understood { NOT_UNDERSTOOD } else { 0 };
        let row = [
            record,
            suffix,
            rows(&self.intervals, super::layout::INTERVAL_BYTES)?,
            u32::try_from(package.intervals.len()).map_err(|_| TooBig)?,
            rows(&self.listed, super::layout::LISTED_BYTES)?,
            u32::try_from(package.listed.len()).map_err(|_| TooBig)?,
            flags | u32::from(order::code(package.scheme)) << ORDER_SHIFT,
        ];
        row.iter().for_each(|value| put(&mut self.affected, *value));
        for interval in &package.intervals {
            for bound in [&interval.lower, &interval.upper] {
                let (key, text) = self.bound(bound.as_ref())?;
                put(&mut self.intervals, key);
                put(&mut self.intervals, text);
            }
            let inclusive = if interval.upper_inclusive { UPPER_INCLUSIVE } else { 0 };
            let fix = if interval.upper_is_fix { UPPER_IS_FIX } else { 0 };
            put(&mut self.intervals, inclusive | fix);
        }
        for version in &package.listed {
            let (key, text) = self.bound(Some(version))?;
            put(&mut self.listed, key);
            put(&mut self.listed, text);
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

    /// Packs the records and says where each of them stands: block, offset, length.
    fn all_text(&mut self, entries: &[Entry]) -> Result<Vec<[u32; 3]>, TooBig> {
        let mut places = Vec::with_capacity(entries.len());
        let mut block = Vec::with_capacity(BLOCK_TARGET_BYTES * 2);
        for entry in entries {
            let number = rows(&self.blocks, super::layout::BLOCK_BYTES)?;
            let offset = u32::try_from(block.len()).map_err(|_| TooBig)?;
            let len = u32::try_from(entry.json.len()).map_err(|_| TooBig)?;
            block.extend_from_slice(&entry.json);
            places.push([number, offset, len]);
            if block.len() >= BLOCK_TARGET_BYTES {
                self.block(&mut block)?;
            }
        }
        if !block.is_empty() {
            self.block(&mut block)?;
        }
        Ok(places)
    }

    fn block(&mut self, block: &mut Vec<u8>) -> Result<(), TooBig> {
        let packed = zstd::bulk::compress(block, TEXT_LEVEL)
            .expect("packing into memory fails for lack of memory only");
        self.blocks.extend_from_slice(&(self.text.len() as u64).to_le_bytes());
        put(&mut self.blocks, u32::try_from(packed.len()).map_err(|_| TooBig)?);
        put(&mut self.blocks, u32::try_from(block.len()).map_err(|_| TooBig)?);
        put(&mut self.blocks, crc32c::crc32c(&packed));
        self.text.extend_from_slice(&packed);
        block.clear();
        Ok(())
    }

    fn record(&mut self, entry: &Entry, place: [u32; 3]) -> Result<(), TooBig> {
        let advisory = &entry.advisory;
        let id = self.strings.add(advisory.id.as_bytes())?;
        put(&mut self.records, id);
        for time in [advisory.modified, advisory.withdrawn.unwrap_or(NO_TIME), entry.known_since] {
            self.records.extend_from_slice(&time.to_le_bytes());
        }
        self.records.extend_from_slice(&entry.digest);
        let kind = AdvisoryKind::ALL.iter().position(|kind| *kind == advisory.kind).unwrap_or_default();
        let reviewed = match advisory.reviewed {
            None => 0,
            Some(false) => 1,
            Some(true) => 2,
        };
        let label = advisory.label.map_or(0, |label| label as u8 + 1);
        self.records.extend_from_slice(&[u8::try_from(kind).unwrap_or_default(), reviewed, label, 0]);
        put(&mut self.records, rows(&self.lists, 4)?);
        for list in [&advisory.aliases, &advisory.upstream, &advisory.reporters] {
            put(&mut self.records, u32::try_from(list.len()).map_err(|_| TooBig)?);
            for item in list {
                let item = self.strings.add(item.as_bytes())?;
                put(&mut self.lists, item);
            }
        }
        put(&mut self.records, u32::try_from(advisory.ratings.len()).map_err(|_| TooBig)?);
        for rating in &advisory.ratings {
            for text in [&rating.system, &rating.vector] {
                let text = self.strings.add(text.as_bytes())?;
                put(&mut self.lists, text);
            }
        }
        place.iter().for_each(|value| put(&mut self.records, *value));
        Ok(())
    }

    /// Every id under which a record is found: its own, its aliases and what it was derived from.
    fn all_aliases(&mut self, entries: &[Entry]) -> Result<(), TooBig> {
        let mut pairs: Vec<(&str, u32)> = Vec::new();
        for (index, entry) in entries.iter().enumerate() {
            let index = u32::try_from(index).map_err(|_| TooBig)?;
            let advisory = &entry.advisory;
            pairs.extend(advisory.aliases.iter().chain(&advisory.upstream).map(|id| (id.as_str(), index)));
        }
        pairs.sort_unstable();
        pairs.dedup();
        for (id, record) in pairs {
            let id = self.strings.add(id.as_bytes())?;
            put(&mut self.aliases, id);
            put(&mut self.aliases, record);
        }
        Ok(())
    }
}
