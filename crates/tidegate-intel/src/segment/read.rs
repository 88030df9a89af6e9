//! Opening a segment, checking it, finding things in it.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::OnceLock;

use bytes::Bytes;
use hashbrown::HashTable;
use tidegate_model::facts::Severity;
use tidegate_model::version::{VersionKey, VersionScheme};

use super::container::{Container, Rows, SegmentError, SegmentKind, Strings, u32_at, u64_at};
use super::layout::{
    AFFECTED, AFFECTED_BYTES, ALIAS_BYTES, ALIASES, BLOCK_BYTES, BLOCK_TARGET_BYTES, BLOCKS, INTERVAL_BYTES,
    INTERVALS, KEYS, LISTED, LISTED_BYTES, LISTS, META, NAME_BYTES, NAMES, NO_TIME, NONE, NOT_UNDERSTOOD,
    ORDER_SHIFT, RECORD_BYTES, RECORDS, REMOVED, STRINGS, TEXT, UPPER_INCLUSIVE, UPPER_IS_FIX,
};
use super::{Meta, RecordDigest};
use crate::advisory::{AdvisoryKind, AffectedPackage, MAX_RECORD_BYTES, StatedRating};
use crate::order;
use crate::osv::range::{Bound, Interval};

/// The hash of a name as looked up. Keyed anew in each process: who chooses names cannot choose collisions.
pub(crate) fn hash_of_name(ecosystem_word: &str, name: &str) -> u64 {
    static KEY: OnceLock<RandomState> = OnceLock::new();
    KEY.get_or_init(RandomState::new).hash_one((ecosystem_word, name))
}

/// An open segment of advisories.
pub struct Segment {
    meta: Meta,
    strings: Strings,
    keys: Strings,
    names: Rows<NAME_BYTES>,
    affected: Rows<AFFECTED_BYTES>,
    intervals: Rows<INTERVAL_BYTES>,
    listed: Rows<LISTED_BYTES>,
    records: Rows<RECORD_BYTES>,
    lists: Rows<4>,
    aliases: Rows<ALIAS_BYTES>,
    removed: Rows<4>,
    blocks: Rows<BLOCK_BYTES>,
    text: Bytes,
    /// Rows of `names` by [`hash_of_name`]. Its control bytes are the filter in front: a name that is not there costs one
    /// cache line, and no text is compared.
    index: HashTable<u32>,
}

impl std::fmt::Debug for Segment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Segment").field("meta", &self.meta).finish_non_exhaustive()
    }
}

impl Segment {
    /// Opens a segment and checks it.
    ///
    /// # Errors
    /// [`SegmentError`] says what is wrong with it.
    pub fn open(bytes: &Bytes) -> Result<Self, SegmentError> {
        let file = Container::open(bytes, SegmentKind::Advisories)?;
        let meta: Meta = serde_json::from_slice(&file.section(META)?)
            .map_err(|_| SegmentError::inconsistent(META.name, "it cannot be read"))?;
        if meta.keys != VersionKey::FORMAT {
            return Err(SegmentError::OtherKeys { found: meta.keys });
        }
        let mut segment = Self {
            meta,
            strings: Strings::open(&file.section(STRINGS)?, STRINGS.name, true)?,
            keys: Strings::open(&file.section(KEYS)?, KEYS.name, false)?,
            names: Rows::open(file.section(NAMES)?, NAMES.name)?,
            affected: Rows::open(file.section(AFFECTED)?, AFFECTED.name)?,
            intervals: Rows::open(file.section(INTERVALS)?, INTERVALS.name)?,
            listed: Rows::open(file.section(LISTED)?, LISTED.name)?,
            records: Rows::open(file.section(RECORDS)?, RECORDS.name)?,
            lists: Rows::open(file.section(LISTS)?, LISTS.name)?,
            aliases: Rows::open(file.section(ALIASES)?, ALIASES.name)?,
            removed: Rows::open(file.section(REMOVED)?, REMOVED.name)?,
            blocks: Rows::open(file.section(BLOCKS)?, BLOCKS.name)?,
            text: file.section(TEXT)?,
            index: HashTable::new(),
        };
        segment.check_names()?;
        segment.check_affected()?;
        segment.check_versions()?;
        segment.check_records()?;
        segment.check_ids()?;
        segment.check_blocks()?;
        segment.index = segment.build_index();
        Ok(segment)
    }

    /// What it says of itself.
    pub const fn meta(&self) -> &Meta {
        &self.meta
    }

    /// Reads every row by every way there is, for tests of invented files: after [`Segment::open`] nothing may fail but the
    /// text. Says how many records have a readable text.
    pub fn look_at_everything(&self) -> usize {
        for name in 0..self.names.len() {
            let (ecosystem, text) = self.name(name);
            // Two names may be told apart by their texts only, so what is found is the name itself.
            let found = self.find_name(hash_of_name(ecosystem, text), ecosystem, text);
            assert_eq!(found, Some(name), "INVARIANT: names are sorted, each once");
            for row in self.affected_of(name) {
                let _ = (row.scheme(), row.suffix(), row.not_understood());
                let _ = row.intervals().count();
                let _ = (row.lists(None, "1.0.0"), row.lists(Some(b"1"), "1.0.0"));
            }
        }
        let mut readable = 0;
        for record in 0..self.records.len() {
            let row = self.record(record);
            assert_eq!(self.find_record(row.id()), Some(record), "INVARIANT: records are sorted, each once");
            let _ = (row.kind(), row.reviewed(), row.label(), row.ratings(), row.withdrawn(), row.digest());
            for id in row.aliases().chain(row.upstream()).chain(row.reporters()) {
                let _ = self.records_by_alias(id).count();
            }
            readable += usize::from(self.json(record).is_ok());
        }
        assert!(self.removed().all(|id| self.removes(id)), "INVARIANT: removed ids are sorted");
        readable
    }

    fn is_string(&self, index: u32) -> bool {
        index < self.strings.len()
    }

    fn check_names(&self) -> Result<(), SegmentError> {
        let wrong = |what| Err(SegmentError::inconsistent(NAMES.name, what));
        let mut previous: Option<(&str, &str)> = None;
        let mut next = 0;
        for index in 0..self.names.len() {
            let row = self.names.row(index);
            let [ecosystem, name, first, count] = [0, 4, 8, 12].map(|at| u32_at(row, at));
            if !self.is_string(ecosystem) || !self.is_string(name) {
                return wrong("a name has no text");
            }
            // Together the names own every row exactly once, so nothing is hidden between them.
            if first != next || count == 0 || !self.affected.holds(first, count) {
                return wrong("a name has no rows of its own");
            }
            next = first + count;
            let this = (self.strings.text(ecosystem), self.strings.text(name));
            if previous.is_some_and(|previous| previous >= this) {
                return wrong("names are not sorted");
            }
            previous = Some(this);
        }
        if next == self.affected.len() { Ok(()) } else { wrong("some rows belong to no name") }
    }

    fn check_affected(&self) -> Result<(), SegmentError> {
        for index in 0..self.affected.len() {
            let row = self.affected.row(index);
            let [record, suffix, interval, intervals, listed, versions] =
                [0, 4, 8, 12, 16, 20].map(|at| u32_at(row, at));
            let fits = record < self.records.len()
                && (suffix == NONE || self.is_string(suffix))
                && self.intervals.holds(interval, intervals)
                && self.listed.holds(listed, versions)
                && order::is_code(order_code(row));
            if !fits {
                return Err(SegmentError::inconsistent(AFFECTED.name, "a row points nowhere"));
            }
        }
        Ok(())
    }

    fn check_versions(&self) -> Result<(), SegmentError> {
        let bound = |key: u32, text: u32, may_be_absent: bool| {
            let absent = key == NONE && text == NONE && may_be_absent;
            absent || ((key == NONE || key < self.keys.len()) && self.is_string(text))
        };
        for index in 0..self.intervals.len() {
            let row = self.intervals.row(index);
            let [lower, lower_text, upper, upper_text] = [0, 4, 8, 12].map(|at| u32_at(row, at));
            if !bound(lower, lower_text, true) || !bound(upper, upper_text, true) {
                return Err(SegmentError::inconsistent(INTERVALS.name, "a bound points nowhere"));
            }
        }
        for index in 0..self.listed.len() {
            let row = self.listed.row(index);
            if !bound(u32_at(row, 0), u32_at(row, 4), false) {
                return Err(SegmentError::inconsistent(LISTED.name, "a version points nowhere"));
            }
        }
        Ok(())
    }

    fn check_records(&self) -> Result<(), SegmentError> {
        let wrong = |what| Err(SegmentError::inconsistent(RECORDS.name, what));
        let mut previous: Option<&str> = None;
        for index in 0..self.records.len() {
            let row = self.records.row(index);
            let id = u32_at(row, 0);
            if !self.is_string(id) {
                return wrong("a record has no id");
            }
            let id = self.strings.text(id);
            if previous.is_some_and(|previous| previous >= id) {
                return wrong("records are not sorted");
            }
            previous = Some(id);
            let [first, aliases, upstream, reporters, ratings, block] =
                [48, 52, 56, 60, 64, 68].map(|at| u32_at(row, at));
            let count = [aliases, upstream, reporters, ratings, ratings]
                .into_iter()
                .try_fold(0u32, u32::checked_add)
                .filter(|count| self.lists.holds(first, *count));
            if count.is_none() || block >= self.blocks.len() {
                return wrong("a record points nowhere");
            }
            if usize::from(row[44]) >= AdvisoryKind::ALL.len() || row[45] > 2 || row[46] > 5 {
                return wrong("a record has a word that is not known");
            }
        }
        Ok(())
    }

    fn check_ids(&self) -> Result<(), SegmentError> {
        if (0..self.lists.len()).any(|index| !self.is_string(u32_at(self.lists.row(index), 0))) {
            return Err(SegmentError::inconsistent(LISTS.name, "an item has no text"));
        }
        let mut previous: Option<(&str, u32)> = None;
        for index in 0..self.aliases.len() {
            let row = self.aliases.row(index);
            let (id, record) = (u32_at(row, 0), u32_at(row, 4));
            if !self.is_string(id) || record >= self.records.len() {
                return Err(SegmentError::inconsistent(ALIASES.name, "an alias points nowhere"));
            }
            let this = (self.strings.text(id), record);
            if previous.is_some_and(|previous| previous >= this) {
                return Err(SegmentError::inconsistent(ALIASES.name, "aliases are not sorted"));
            }
            previous = Some(this);
        }
        if (0..self.removed.len()).any(|index| !self.is_string(u32_at(self.removed.row(index), 0))) {
            return Err(SegmentError::inconsistent(REMOVED.name, "an id has no text"));
        }
        if !self.removed().is_sorted() {
            return Err(SegmentError::inconsistent(REMOVED.name, "ids are not sorted"));
        }
        Ok(())
    }

    fn check_blocks(&self) -> Result<(), SegmentError> {
        for index in 0..self.blocks.len() {
            let row = self.blocks.row(index);
            let end = u64_at(row, 0).checked_add(u64::from(u32_at(row, 8)));
            let unpacked = u32_at(row, 12) as usize;
            if end.is_none_or(|end| end > self.text.len() as u64)
                || unpacked > BLOCK_TARGET_BYTES + MAX_RECORD_BYTES
            {
                return Err(SegmentError::inconsistent(BLOCKS.name, "a block lies beyond the text"));
            }
        }
        Ok(())
    }

    fn build_index(&self) -> HashTable<u32> {
        let hash = |index: &u32| {
            let (ecosystem, name) = self.name(*index);
            hash_of_name(ecosystem, name)
        };
        let mut table = HashTable::with_capacity(self.names.len() as usize);
        for index in 0..self.names.len() {
            table.insert_unique(hash(&index), index, hash);
        }
        table
    }

    /// How many names it has.
    pub(crate) fn name_count(&self) -> u32 {
        self.names.len()
    }

    /// The hashes of all names.
    pub(crate) fn hashes(&self) -> impl Iterator<Item = u64> {
        (0..self.name_count()).map(|index| {
            let (ecosystem, name) = self.name(index);
            hash_of_name(ecosystem, name)
        })
    }

    /// Ecosystem and name of a row of names.
    pub(crate) fn name(&self, index: u32) -> (&str, &str) {
        let row = self.names.row(index);
        (self.strings.text(u32_at(row, 0)), self.strings.text(u32_at(row, 4)))
    }

    /// The rows of a name, given its hash.
    pub(crate) fn find_name(&self, hash: u64, ecosystem_word: &str, name: &str) -> Option<u32> {
        self.index.find(hash, |index| self.name(*index) == (ecosystem_word, name)).copied()
    }

    /// What is said of a name, one row an advisory (and suffix).
    pub(crate) fn affected_of(&self, name: u32) -> impl Iterator<Item = AffectedRow<'_>> {
        let row = self.names.row(name);
        let (first, count) = (u32_at(row, 8), u32_at(row, 12));
        (first..first + count).map(move |index| AffectedRow { segment: self, row: self.affected.row(index) })
    }

    /// How many records it has.
    pub(crate) fn record_count(&self) -> u32 {
        self.records.len()
    }

    /// A record by its number.
    pub(crate) fn record(&self, index: u32) -> RecordRow<'_> {
        RecordRow { segment: self, index, row: self.records.row(index) }
    }

    /// A record by its id.
    pub(crate) fn find_record(&self, id: &str) -> Option<u32> {
        let mut range = 0..self.records.len();
        while range.start < range.end {
            let middle = range.start + (range.end - range.start) / 2;
            match self.record(middle).id().cmp(id) {
                std::cmp::Ordering::Less => range.start = middle + 1,
                std::cmp::Ordering::Greater => range.end = middle,
                std::cmp::Ordering::Equal => return Some(middle),
            }
        }
        None
    }

    /// Records that name an id among their aliases or what they were derived from.
    pub(crate) fn records_by_alias(&self, id: &str) -> impl Iterator<Item = u32> {
        let mut range = 0..self.aliases.len();
        while range.start < range.end {
            let middle = range.start + (range.end - range.start) / 2;
            if self.strings.text(u32_at(self.aliases.row(middle), 0)) < id {
                range.start = middle + 1;
            } else {
                range.end = middle;
            }
        }
        (range.start..self.aliases.len())
            .map(|index| self.aliases.row(index))
            .take_while(move |row| self.strings.text(u32_at(*row, 0)) == id)
            .map(|row| u32_at(row, 4))
    }

    /// Ids of older layers that the feed no longer has.
    pub(crate) fn removed(&self) -> impl Iterator<Item = &str> {
        (0..self.removed.len()).map(|index| self.strings.text(u32_at(self.removed.row(index), 0)))
    }

    /// Whether it removes an id of an older layer.
    pub(crate) fn removes(&self, id: &str) -> bool {
        let mut range = 0..self.removed.len();
        while range.start < range.end {
            let middle = range.start + (range.end - range.start) / 2;
            match self.strings.text(u32_at(self.removed.row(middle), 0)).cmp(id) {
                std::cmp::Ordering::Less => range.start = middle + 1,
                std::cmp::Ordering::Greater => range.end = middle,
                std::cmp::Ordering::Equal => return true,
            }
        }
        false
    }

    /// A record as delivered.
    ///
    /// # Errors
    /// [`SegmentError::Damaged`] where the text does not fit its checksum.
    pub(crate) fn json(&self, record: u32) -> Result<Vec<u8>, SegmentError> {
        let (block, range) = self.record(record).place();
        let unpacked = self.unpack(block)?;
        unpacked
            .get(range)
            .map(<[u8]>::to_vec)
            .ok_or_else(|| SegmentError::inconsistent(TEXT.name, "a record ends beyond its block"))
    }

    fn unpack(&self, block: u32) -> Result<Vec<u8>, SegmentError> {
        let damaged = SegmentError::Damaged { section: TEXT.name };
        let row = self.blocks.row(block);
        let offset = usize::try_from(u64_at(row, 0)).map_err(|_| damaged.clone())?;
        let packed = &self.text[offset..offset + u32_at(row, 8) as usize];
        if crc32c::crc32c(packed) != u32_at(row, 16) {
            return Err(damaged);
        }
        zstd::bulk::decompress(packed, u32_at(row, 12) as usize).map_err(|_| damaged)
    }
}

/// Reads texts one after another; the block of the last one is kept.
pub(crate) struct TextCursor<'s> {
    segment: &'s Segment,
    current: Option<(u32, Vec<u8>)>,
}

impl<'s> TextCursor<'s> {
    pub(crate) const fn new(segment: &'s Segment) -> Self {
        Self { segment, current: None }
    }

    /// A record as delivered.
    ///
    /// # Errors
    /// [`SegmentError::Damaged`] where the text does not fit its checksum.
    pub(crate) fn json(&mut self, record: u32) -> Result<&[u8], SegmentError> {
        let (block, range) = self.segment.record(record).place();
        if self.current.as_ref().is_none_or(|(number, _)| *number != block) {
            self.current = Some((block, self.segment.unpack(block)?));
        }
        let unpacked = &self.current.as_ref().expect("set above").1;
        unpacked
            .get(range)
            .ok_or_else(|| SegmentError::inconsistent(TEXT.name, "a record ends beyond its block"))
    }
}

/// The code of the order of a row of `affected`.
fn order_code(row: &[u8; AFFECTED_BYTES]) -> u8 {
    u32_at(row, 24).to_le_bytes()[ORDER_SHIFT as usize / 8]
}

/// One advisory of a segment.
#[derive(Clone, Copy)]
pub(crate) struct RecordRow<'a> {
    segment: &'a Segment,
    pub index: u32,
    row: &'a [u8; RECORD_BYTES],
}

impl<'a> RecordRow<'a> {
    pub(crate) fn id(&self) -> &'a str {
        self.segment.strings.text(u32_at(self.row, 0))
    }

    fn time(&self, at: usize) -> i64 {
        u64_at(self.row, at).cast_signed()
    }

    pub(crate) fn modified(&self) -> i64 {
        self.time(4)
    }

    pub(crate) fn withdrawn(&self) -> Option<i64> {
        Some(self.time(12)).filter(|time| *time != NO_TIME)
    }

    /// Whether it is retracted at `now`, in milliseconds.
    pub(crate) fn is_withdrawn(&self, now: i64) -> bool {
        self.withdrawn().is_some_and(|at| at <= now)
    }

    pub(crate) fn known_since(&self) -> i64 {
        self.time(20)
    }

    pub(crate) fn digest(&self) -> RecordDigest {
        self.row[28..44].try_into().expect("sixteen bytes")
    }

    pub(crate) fn kind(&self) -> AdvisoryKind {
        AdvisoryKind::ALL[usize::from(self.row[44])]
    }

    pub(crate) fn reviewed(&self) -> Option<bool> {
        [None, Some(false), Some(true)][usize::from(self.row[45])]
    }

    pub(crate) fn label(&self) -> Option<Severity> {
        const LABELS: [Option<Severity>; 6] = [
            None,
            Some(Severity::None),
            Some(Severity::Low),
            Some(Severity::Medium),
            Some(Severity::High),
            Some(Severity::Critical),
        ];
        LABELS[usize::from(self.row[46])]
    }

    fn count(&self, list: usize) -> u32 {
        u32_at(self.row, 52 + list * 4)
    }

    fn list(&self, list: usize) -> impl Iterator<Item = &'a str> + use<'a> {
        let first = u32_at(self.row, 48) + (0..list).map(|before| self.count(before)).sum::<u32>();
        let segment = self.segment;
        let count = self.count(list) * if list == 3 { 2 } else { 1 };
        (first..first + count).map(move |index| segment.strings.text(u32_at(segment.lists.row(index), 0)))
    }

    pub(crate) fn aliases(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.list(0)
    }

    pub(crate) fn upstream(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.list(1)
    }

    pub(crate) fn reporters(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.list(2)
    }

    pub(crate) fn ratings(&self) -> Vec<StatedRating> {
        let texts: Vec<&str> = self.list(3).collect();
        texts
            .chunks_exact(2)
            .map(|pair| StatedRating { system: pair[0].to_owned(), vector: pair[1].to_owned() })
            .collect()
    }

    /// Block, and bytes within it.
    fn place(&self) -> (u32, std::ops::Range<usize>) {
        let [block, offset, len] = [68, 72, 76].map(|at| u32_at(self.row, at));
        (block, offset as usize..(offset as usize).saturating_add(len as usize))
    }
}

/// What one advisory says of one package.
#[derive(Clone, Copy)]
pub(crate) struct AffectedRow<'a> {
    segment: &'a Segment,
    row: &'a [u8; AFFECTED_BYTES],
}

/// One end of an interval, or a listed version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BoundRow<'a> {
    /// Its place in the order; `None` where it has none.
    pub key: Option<&'a [u8]>,
    pub text: &'a str,
}

/// An interval of versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct IntervalRow<'a> {
    pub lower: Option<BoundRow<'a>>,
    pub upper: Option<BoundRow<'a>>,
    pub upper_inclusive: bool,
    pub upper_is_fix: bool,
}

impl<'a> AffectedRow<'a> {
    pub(crate) fn record(&self) -> RecordRow<'a> {
        self.segment.record(u32_at(self.row, 0))
    }

    pub(crate) fn suffix(&self) -> Option<&'a str> {
        let suffix = u32_at(self.row, 4);
        (suffix != NONE).then(|| self.segment.strings.text(suffix))
    }

    /// The order of its versions.
    pub(crate) fn scheme(&self) -> Option<VersionScheme> {
        order::scheme(order_code(self.row))
    }

    pub(crate) fn not_understood(&self) -> bool {
        u32_at(self.row, 24) & NOT_UNDERSTOOD != 0
    }

    pub(crate) fn intervals(&self) -> impl Iterator<Item = IntervalRow<'a>> + use<'a> {
        let segment = self.segment;
        let (first, count) = (u32_at(self.row, 8), u32_at(self.row, 12));
        (first..first + count).map(move |index| {
            let row = segment.intervals.row(index);
            let flags = u32_at(row, 16);
            IntervalRow {
                lower: segment.bound(u32_at(row, 0), u32_at(row, 4)),
                upper: segment.bound(u32_at(row, 8), u32_at(row, 12)),
                upper_inclusive: flags & UPPER_INCLUSIVE != 0,
                upper_is_fix: flags & UPPER_IS_FIX != 0,
            }
        })
    }

    /// What was compiled, as it was.
    pub(crate) fn package(&self, ecosystem: &str, name: &str) -> AffectedPackage {
        let owned =
            |bound: BoundRow<'_>| Bound { text: bound.text.to_owned(), key: bound.key.map(<[u8]>::to_vec) };
        let intervals = self.intervals().map(|interval| Interval {
            lower: interval.lower.map(owned),
            upper: interval.upper.map(owned),
            upper_inclusive: interval.upper_inclusive,
            upper_is_fix: interval.upper_is_fix,
        });
        AffectedPackage {
            ecosystem: ecosystem.to_owned(),
            suffix: self.suffix().unwrap_or_default().to_owned(),
            name: name.to_owned(),
            intervals: intervals.collect(),
            listed: self.listed().map(owned).collect(),
            not_understood: self.not_understood(),
            scheme: self.scheme(),
        }
    }

    fn listed(&self) -> impl Iterator<Item = BoundRow<'a>> + use<'a> {
        let segment = self.segment;
        let first = u32_at(self.row, 16);
        (first..first + self.listed_count()).map(move |index| {
            let row = segment.listed.row(index);
            segment.bound(u32_at(row, 0), u32_at(row, 4)).expect("INVARIANT: a listed version has a text")
        })
    }

    pub(crate) fn listed_count(&self) -> u32 {
        u32_at(self.row, 20)
    }

    /// Whether a version is listed, by its key where it has one, else by its text.
    pub(crate) fn lists(&self, key: Option<&[u8]>, text: &str) -> bool {
        // Sorted by (key, text), versions without a key first.
        let first = u32_at(self.row, 16);
        let mut range = first..first + self.listed_count();
        while range.start < range.end {
            let middle = range.start + (range.end - range.start) / 2;
            let row = self.segment.listed.row(middle);
            let version = self.segment.bound(u32_at(row, 0), u32_at(row, 4));
            let version = version.expect("INVARIANT: a listed version has a text");
            let order = match (version.key, key) {
                (None, None) => version.text.cmp(text),
                (theirs, ours) => theirs.cmp(&ours),
            };
            match order {
                std::cmp::Ordering::Less => range.start = middle + 1,
                std::cmp::Ordering::Greater => range.end = middle,
                std::cmp::Ordering::Equal => return true,
            }
        }
        false
    }
}

impl Segment {
    fn bound(&self, key: u32, text: u32) -> Option<BoundRow<'_>> {
        (text != NONE).then(|| BoundRow {
            key: (key != NONE).then(|| self.keys.get(key)),
            text: self.strings.text(text),
        })
    }
}
