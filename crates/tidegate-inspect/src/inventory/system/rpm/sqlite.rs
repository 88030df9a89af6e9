//! `rpmdb.sqlite`: the table `Packages` of an SQLite database (<https://sqlite.org/fileformat2.html>), in which each row is a number
//! and a header. Only what finding the rows of a table takes is read: no index, no query, no log.

use super::{HEADER_BYTES, Headers};
use crate::bytes::{slice, u32_be};

/// Levels of a table's tree. Twenty hold more rows than a file can have.
const DEPTH: usize = 20;

/// Columns of one row that are looked at.
const COLUMNS: usize = 16;

/// Tables that the schema lists.
const TABLES: usize = 1_000;

const INTERIOR: u8 = 5;
const LEAF: u8 = 13;

struct Database<'a> {
    bytes: &'a [u8],
    page_bytes: u64,
    /// Bytes of a page that are in use; the others are an extension's.
    usable: u64,
}

/// How a walk through a table ends.
#[derive(PartialEq, Eq)]
enum Walk {
    Whole,
    Damaged,
    Enough,
}

pub(super) fn headers(bytes: &[u8], headers: &mut Headers<'_>) {
    let Some(database) = Database::open(bytes) else {
        headers.damaged("the account is no SQLite database");
        return;
    };
    let mut root = None;
    let mut tables = 0;
    let schema = database.rows(1, &mut |payload| {
        tables += 1;
        let columns = columns(payload);
        // Kind, name, table, root page.
        let is_it = columns.first() == Some(&Column::Bytes(b"table"))
            && columns.get(1) == Some(&Column::Bytes(b"Packages"));
        if let Some(Column::Number(page)) = columns.get(3).filter(|_| is_it) {
            root = u32::try_from(*page).ok();
        }
        root.is_none() && tables < TABLES
    });
    let Some(root) = root else {
        let what = if schema == Walk::Whole {
            "has no table of packages"
        } else {
            "has a schema that cannot be read"
        };
        headers.damaged(format!("the account {what}"));
        return;
    };
    let walk = database.rows(root, &mut |payload| match columns(payload).get(1) {
        Some(Column::Bytes(header)) => headers.take(header),
        _ => true,
    });
    if walk == Walk::Damaged {
        headers.damaged("pages of the account break off or lead in circles");
    }
}

impl<'a> Database<'a> {
    fn open(bytes: &'a [u8]) -> Option<Self> {
        let size = u16::from_be_bytes(bytes.get(16..18)?.try_into().ok()?);
        let page_bytes = if size == 1 { 65_536 } else { u64::from(size) };
        let usable = page_bytes.checked_sub(u64::from(*bytes.get(20)?))?;
        let is_one = bytes.starts_with(b"SQLite format 3\0") && page_bytes.is_power_of_two() && usable >= 480;
        is_one.then_some(Self { bytes, page_bytes, usable })
    }

    /// A page, counted from 1.
    fn page(&self, number: u32) -> Option<&'a [u8]> {
        slice(self.bytes, u64::from(number).checked_sub(1)? * self.page_bytes, self.page_bytes)
    }

    /// The payload of each row of a table, until nobody wants more.
    fn rows(&self, root: u32, wanted: &mut dyn FnMut(&[u8]) -> bool) -> Walk {
        // A tree has each page once: more visits than pages are a circle.
        let mut visits = self.bytes.len() as u64 / self.page_bytes;
        let mut payload = Vec::new();
        // Pages that wait, each with its depth; of the deepest level all children of one page.
        let mut waiting: Vec<(u32, usize)> = vec![(root, 0)];
        while let Some((number, depth)) = waiting.pop() {
            let Some(left) = visits.checked_sub(1).filter(|_| depth < DEPTH) else { return Walk::Damaged };
            visits = left;
            let Some(page) = self.page(number) else { return Walk::Damaged };
            let head_at: usize = if number == 1 { 100 } else { 0 };
            let head = page.get(head_at..).unwrap_or_default();
            let (Some(&kind), Some(count)) = (head.first(), u16_be(head, 3)) else { return Walk::Damaged };
            let head_bytes = if kind == INTERIOR { 12 } else { 8 };
            let cells =
                (0..usize::from(count)).map(|cell| u16_be(head, head_bytes + 2 * cell).map(usize::from));
            match kind {
                INTERIOR => {
                    let last = u32_be(head, 8);
                    let children: Option<Vec<u32>> =
                        cells.map(|at| u32_be(page, at?)).chain(std::iter::once(last)).collect();
                    let Some(children) = children else { return Walk::Damaged };
                    // Beyond the visits that are left none is ever looked at.
                    let room = usize::try_from(visits).unwrap_or(usize::MAX).saturating_add(1);
                    if waiting.len() + children.len() > room.saturating_add(1) {
                        return Walk::Damaged;
                    }
                    waiting.extend(children.into_iter().rev().map(|child| (child, depth + 1)));
                }
                LEAF => {
                    for at in cells {
                        payload.clear();
                        if at.and_then(|at| self.payload(page, at, &mut payload)).is_none() {
                            return Walk::Damaged;
                        }
                        if !wanted(&payload) {
                            return Walk::Enough;
                        }
                    }
                }
                _ => return Walk::Damaged,
            }
        }
        Walk::Whole
    }

    /// Puts together what a cell of a leaf holds, with what of it lies on pages of its own.
    fn payload(&self, page: &[u8], at: usize, payload: &mut Vec<u8>) -> Option<()> {
        let cell = page.get(at..)?;
        let (length, used) = varint(cell)?;
        let (_row, more) = varint(cell.get(used..)?)?;
        let length =
            usize::try_from(length).ok().filter(|length| *length <= HEADER_BYTES.min(self.bytes.len()))?;
        let here = self.local(length as u64);
        let cell = cell.get(used + more..)?;
        payload.extend_from_slice(cell.get(..here)?);
        let mut next = if here < length { u32_be(cell, here)? } else { 0 };
        // INVARIANT: each page adds at least one byte, so a circle ends at the payload's length.
        while payload.len() < length {
            let page = self.page(next).filter(|_| next != 0)?;
            next = u32_be(page, 0)?;
            let room = usize::try_from(self.usable).ok()?;
            payload.extend_from_slice(page.get(4..room.min(4 + length - payload.len()))?);
        }
        Some(())
    }

    /// How many bytes of a payload lie in its cell (§1.6 of the format).
    fn local(&self, length: u64) -> usize {
        let most = self.usable - 35;
        let least = (self.usable - 12) * 32 / 255 - 23;
        let here = if length <= most {
            length
        } else {
            let spilt = least + (length - least) % (self.usable - 4);
            if spilt <= most { spilt } else { least }
        };
        usize::try_from(here).unwrap_or(usize::MAX)
    }
}

/// A value of a row.
#[derive(Debug, PartialEq, Eq)]
enum Column<'a> {
    Bytes(&'a [u8]),
    Number(i64),
    Other,
}

/// The first columns of a row; those that can be read.
fn columns(payload: &[u8]) -> Vec<Column<'_>> {
    let mut columns = Vec::new();
    let Some((head_bytes, mut at)) = varint(payload) else { return columns };
    let Ok(head_bytes) = usize::try_from(head_bytes) else { return columns };
    let mut content_at = head_bytes;
    while at < head_bytes && columns.len() < COLUMNS {
        let Some((kind, used)) = payload.get(at..).and_then(varint) else { break };
        at += used;
        let length = match kind {
            1..=4 => kind,
            5 => 6,
            6 | 7 => 8,
            12.. => (kind - 12) / 2,
            _ => 0,
        };
        let end = usize::try_from(length).ok().and_then(|length| content_at.checked_add(length));
        let Some(value) = end.and_then(|end| payload.get(content_at..end)) else { break };
        content_at += value.len();
        columns.push(match kind {
            1..=6 => {
                let sign = if value.first().is_some_and(|byte| *byte >= 0x80) { -1 } else { 0 };
                Column::Number(value.iter().fold(sign, |number, byte| (number << 8) | i64::from(*byte)))
            }
            8 | 9 => Column::Number(if kind == 9 { 1 } else { 0 }),
            12.. => Column::Bytes(value),
            _ => Column::Other,
        });
    }
    columns
}

/// A number of one to nine bytes, and how many they are.
fn varint(bytes: &[u8]) -> Option<(u64, usize)> {
    let mut number = 0;
    for (at, byte) in bytes.iter().take(9).enumerate() {
        if at == 8 {
            return Some(((number << 8) | u64::from(*byte), 9));
        }
        number = (number << 7) | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Some((number, at + 1));
        }
    }
    None
}

fn u16_be(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(bytes.get(at..at.checked_add(2)?)?.try_into().ok()?))
}
