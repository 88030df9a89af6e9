//! Sections of programs: ELF, PE, Mach-O, as far as the inventory needs them. Bounded and without copies; a table that lies
//! gives fewer sections, never a panic. (A library would read more, and keep tables in memory that grow with the file.)

use crate::bytes;

/// Sections of one file that are looked at.
const SECTIONS: u64 = 4_096;

/// Programs in one universal Mach-O file.
const SLICES: u64 = 8;

/// A named piece of a program.
#[derive(Clone, Copy, Debug)]
pub(super) struct Section<'a> {
    pub(super) name: &'a [u8],
    pub(super) data: &'a [u8],
    /// Where it is loaded.
    pub(super) address: u64,
}

/// The sections of a program; of a universal one, those of each.
pub(super) fn sections(file: &[u8]) -> Vec<Section<'_>> {
    match file {
        [0x7f, b'E', b'L', b'F', ..] => elf(file).unwrap_or_default(),
        [b'M', b'Z', ..] => pe(file).unwrap_or_default(),
        [0xca, 0xfe, 0xba, 0xbe, ..] => universal(file),
        _ => mach_o(file).unwrap_or_default(),
    }
}

/// Numbers in one byte order.
#[derive(Clone, Copy)]
struct Order {
    big: bool,
}

impl Order {
    fn u16(self, file: &[u8], at: u64) -> Option<u64> {
        self.number(file, at, 2)
    }

    fn u32(self, file: &[u8], at: u64) -> Option<u64> {
        self.number(file, at, 4)
    }

    fn word(self, file: &[u8], at: u64, wide: bool) -> Option<u64> {
        self.number(file, at, if wide { 8 } else { 4 })
    }

    fn number(self, file: &[u8], at: u64, len: u64) -> Option<u64> {
        let bytes = bytes::slice(file, at, len)?;
        let add = |all: u64, byte: &u8| all << 8 | u64::from(*byte);
        Some(if self.big { bytes.iter().fold(0, add) } else { bytes.iter().rev().fold(0, add) })
    }
}

/// A text that ends with a zero, or with its field.
fn text(bytes: &[u8]) -> &[u8] {
    bytes.split(|&byte| byte == 0).next().unwrap_or_default()
}

/// ELF, of either width and byte order (System V ABI, chapter 4).
fn elf(file: &[u8]) -> Option<Vec<Section<'_>>> {
    let wide = *file.get(4)? == 2;
    let order = Order { big: *file.get(5)? == 2 };
    let (table, size, count, names) = if wide {
        (
            order.word(file, 0x28, true)?,
            order.u16(file, 0x3a)?,
            order.u16(file, 0x3c)?,
            order.u16(file, 0x3e)?,
        )
    } else {
        (order.u32(file, 0x20)?, order.u16(file, 0x2e)?, order.u16(file, 0x30)?, order.u16(file, 0x32)?)
    };
    // Offsets of address, file offset and size in an entry.
    let (address_at, offset_at, size_at) = if wide { (0x10, 0x18, 0x20) } else { (0x0c, 0x10, 0x14) };
    let entry = |number: u64| {
        let at = table.checked_add(number.checked_mul(size)?)?;
        let kind = order.u32(file, at.checked_add(4)?)?;
        let offset = order.word(file, at.checked_add(offset_at)?, wide)?;
        let length = order.word(file, at.checked_add(size_at)?, wide)?;
        // Sections of this kind take no room in the file.
        let data = if kind == 8 { &[] } else { bytes::slice(file, offset, length)? };
        Some((order.u32(file, at)?, data, order.word(file, at.checked_add(address_at)?, wide)?))
    };
    let (_, names, _) = entry(names)?;
    let sections = (0..count.min(SECTIONS)).filter_map(|number| {
        let (name, data, address) = entry(number)?;
        Some(Section { name: text(bytes::from(names, name)), data, address })
    });
    Some(sections.collect())
}

/// PE (Microsoft's PE format, "Section Table").
fn pe(file: &[u8]) -> Option<Vec<Section<'_>>> {
    let order = Order { big: false };
    let header = order.u32(file, 0x3c)?;
    if bytes::slice(file, header, 4)? != b"PE\0\0" {
        return None;
    }
    let count = order.u16(file, header + 6)?;
    let optional = order.u16(file, header + 20)?;
    // The base is wide in the wide form of the header.
    let wide = order.u16(file, header + 24)? == 0x20b;
    let base = if wide { order.word(file, header + 48, true)? } else { order.u32(file, header + 52)? };
    let table = header + 24 + optional;
    let sections = (0..count.min(SECTIONS)).filter_map(|number| {
        let at = table + number * 40;
        let (size, offset) = (order.u32(file, at + 16)?, order.u32(file, at + 20)?);
        let data = bytes::slice(file, offset, size)?;
        let address = base.checked_add(order.u32(file, at + 12)?)?;
        Some(Section { name: text(bytes::slice(file, at, 8)?), data, address })
    });
    Some(sections.collect())
}

fn universal(file: &[u8]) -> Vec<Section<'_>> {
    let order = Order { big: true };
    let count = order.u32(file, 4).unwrap_or(0).min(SLICES);
    let slices = (0..count).filter_map(|number| {
        let at = 8 + number * 20;
        let slice = bytes::slice(file, order.u32(file, at + 8)?, order.u32(file, at + 12)?)?;
        mach_o(slice)
    });
    slices.flatten().collect()
}

/// Mach-O (`mach-o/loader.h`): the sections of its segments.
fn mach_o(file: &[u8]) -> Option<Vec<Section<'_>>> {
    let (wide, big) = match file.get(..4)? {
        [0xfe, 0xed, 0xfa, 0xce] => (false, true),
        [0xfe, 0xed, 0xfa, 0xcf] => (true, true),
        [0xce, 0xfa, 0xed, 0xfe] => (false, false),
        [0xcf, 0xfa, 0xed, 0xfe] => (true, false),
        _ => return None,
    };
    let order = Order { big };
    let commands = order.u32(file, 16)?.min(SECTIONS);
    let mut at = if wide { 32 } else { 28 };
    let mut sections = Vec::new();
    for _ in 0..commands {
        let (Some(command), Some(length)) = (order.u32(file, at), order.u32(file, at + 4)) else { break };
        let segment = if wide { 0x19 } else { 1 };
        if command == segment {
            let (head, size) = if wide { (72, 80) } else { (56, 68) };
            let count = order.u32(file, at + head - 8).unwrap_or(0);
            for number in 0..count.min(SECTIONS.saturating_sub(sections.len() as u64)) {
                sections.extend(mach_o_section(file, order, wide, at + head + number * size));
            }
        }
        if length < 8 {
            break;
        }
        at += length;
    }
    Some(sections)
}

fn mach_o_section(file: &[u8], order: Order, wide: bool, at: u64) -> Option<Section<'_>> {
    let width = if wide { 8 } else { 4 };
    let address = order.word(file, at + 32, wide)?;
    let size = order.word(file, at + 32 + width, wide)?;
    let offset = order.u32(file, at + 32 + 2 * width)?;
    Some(Section {
        name: text(bytes::slice(file, at, 16)?),
        data: bytes::slice(file, offset, size)?,
        address,
    })
}
