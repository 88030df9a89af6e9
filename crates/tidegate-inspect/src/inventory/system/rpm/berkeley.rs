//! `Packages`: a hash of Berkeley DB, in which each value is a header. Read page after page, in the order of the file: no chain of
//! the hash is followed, so that none can lead in circles. Numbers have the order of the machine that wrote them.

use super::{HEADER_BYTES, Headers};
use crate::bytes::{slice, u32_be, u32_le};

/// Bytes before the items of a page.
const PAGE_HEAD_BYTES: u64 = 26;
const HASH_MAGIC: u32 = 0x0006_1561;
/// Kinds of pages: hashes before and after they are sorted, and pages of long values.
const HASH_PAGES: [u8; 2] = [2, 13];
const OVERFLOW_PAGE: u8 = 7;
/// Kinds of items: in place, or on pages of their own.
const IN_PLACE: u8 = 1;
const ON_PAGES: u8 = 3;

struct Database<'a> {
    bytes: &'a [u8],
    page_bytes: u64,
    is_big: bool,
}

pub(super) fn headers(bytes: &[u8], headers: &mut Headers<'_>) {
    let Some(database) = Database::open(bytes) else {
        headers.damaged("the account is no hash of Berkeley DB");
        return;
    };
    let mut value = Vec::new();
    for number in 1..bytes.len() as u64 / database.page_bytes {
        let Some(page) = database.page(number).filter(|page| HASH_PAGES.contains(&page[25])) else {
            continue;
        };
        for item in database.values(page) {
            value.clear();
            let (is_whole, header) = match item.first() {
                Some(&ON_PAGES) => (database.long(item, &mut value).is_some(), value.as_slice()),
                Some(&IN_PLACE) => (true, &item[1..]),
                _ => continue,
            };
            // The value under number 0 is the highest number, not a header.
            if header.len() <= 4 && is_whole {
                continue;
            }
            if !is_whole {
                headers.damaged("a package of the account lies on pages that break off");
            } else if !headers.take(header) {
                return;
            }
        }
    }
}

impl<'a> Database<'a> {
    fn open(bytes: &'a [u8]) -> Option<Self> {
        let is_big = match (u32_le(bytes, 12)?, u32_be(bytes, 12)?) {
            (HASH_MAGIC, _) => false,
            (_, HASH_MAGIC) => true,
            _ => return None,
        };
        let mut database = Self { bytes, page_bytes: 0, is_big };
        let page_bytes = database.u32(bytes, 20)?;
        let is_size = page_bytes.is_power_of_two() && (512..=65_536).contains(&page_bytes);
        database.page_bytes = u64::from(page_bytes);
        is_size.then_some(database)
    }

    fn u32(&self, bytes: &[u8], at: usize) -> Option<u32> {
        if self.is_big { u32_be(bytes, at) } else { u32_le(bytes, at) }
    }

    fn u16(&self, bytes: &[u8], at: usize) -> Option<u16> {
        let pair: [u8; 2] = bytes.get(at..at.checked_add(2)?)?.try_into().ok()?;
        Some(if self.is_big { u16::from_be_bytes(pair) } else { u16::from_le_bytes(pair) })
    }

    /// A page; always of its whole length.
    fn page(&self, number: u64) -> Option<&'a [u8]> {
        slice(self.bytes, number.checked_mul(self.page_bytes)?, self.page_bytes)
    }

    /// The items of a page that are values: each follows its key. An item ends where the one before it begins.
    fn values<'p>(&self, page: &'p [u8]) -> Vec<&'p [u8]> {
        let count = self.u16(page, 20).unwrap_or(0);
        let place =
            |item: u16| Some(usize::from(self.u16(page, PAGE_HEAD_BYTES as usize + 2 * usize::from(item))?));
        let value = |item: u16| page.get(place(item)?..place(item.checked_sub(1)?)?);
        (1..count).step_by(2).filter_map(value).filter(|item| !item.is_empty()).collect()
    }

    /// Puts a value together that lies on pages of its own: their first page, and its length.
    fn long(&self, item: &[u8], value: &mut Vec<u8>) -> Option<()> {
        let (mut number, length) = (self.u32(item, 4)?, self.u32(item, 8)? as usize);
        if length > HEADER_BYTES.min(self.bytes.len()) {
            return None;
        }
        // INVARIANT: each page adds at least one byte, so a circle ends at the value's length.
        while value.len() < length {
            let page =
                self.page(u64::from(number)).filter(|page| number != 0 && page[25] == OVERFLOW_PAGE)?;
            let used = u64::from(self.u16(page, 22)?);
            let part = slice(page, PAGE_HEAD_BYTES, used).filter(|part| !part.is_empty())?;
            value.extend_from_slice(part.get(..length - value.len()).unwrap_or(part));
            number = self.u32(page, 16)?;
        }
        Some(())
    }
}
