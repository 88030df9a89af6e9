//! The header of a package: a table of tags, and a store that they point into (`rpm-format(5)`). All numbers are big-endian.

use super::super::Package as Installed;
use crate::bytes::{slice, u32_be};

/// Tags of one header; some hundred are defined.
const TAGS: u32 = 65_536;

/// Bytes of one row of the table.
const ROW_BYTES: u64 = 16;

const NAME: u32 = 1000;
const VERSION: u32 = 1001;
const RELEASE: u32 = 1002;
const EPOCH: u32 = 1003;
const LICENCE: u32 = 1014;
const ARCHITECTURE: u32 = 1022;
const SOURCE: u32 = 1044;

const INT32: u32 = 4;
const STRING: u32 = 6;
const I18N: u32 = 9;

/// What a header is of.
pub(super) enum Package {
    /// A package.
    Installed(Installed),
    /// A key that packages are signed with: RPM keeps these like packages, and they hold no file.
    Key,
}

/// Reads a header as databases keep it: two lengths, the table, the store.
pub(super) fn package(bytes: &[u8]) -> Option<Package> {
    let rows = u32_be(bytes, 0).filter(|rows| *rows <= TAGS)?;
    let store_bytes = u32_be(bytes, 4)?;
    let store_at = 8 + u64::from(rows) * ROW_BYTES;
    let store = slice(bytes, store_at, u64::from(store_bytes))?;
    let mut package = Installed { kind: "rpm", ..Installed::default() };
    let mut release = None;
    for row in slice(bytes, 8, u64::from(rows) * ROW_BYTES)?.chunks_exact(16) {
        let (tag, kind, at) = (u32_be(row, 0)?, u32_be(row, 4)?, u32_be(row, 8)?);
        let text = || text(store, kind, at);
        match tag {
            NAME => package.name = text().unwrap_or_default(),
            VERSION => package.version = text().unwrap_or_default(),
            RELEASE => release = text(),
            EPOCH if kind == INT32 => {
                package.epoch = u32_be(slice(store, u64::from(at), 4)?, 0).map(u64::from);
            }
            LICENCE => package.licence = text(),
            ARCHITECTURE => package.architecture = text(),
            SOURCE => package.source = text(),
            _ => {}
        }
    }
    if package.name == "gpg-pubkey" && package.source.is_none() {
        return Some(Package::Key);
    }
    if let Some(release) = release.filter(|release| !release.is_empty()) {
        package.version = format!("{}-{release}", package.version);
    }
    (!package.name.is_empty() && !package.version.is_empty()).then_some(Package::Installed(package))
}

/// A text of the store.
fn text(store: &[u8], kind: u32, at: u32) -> Option<String> {
    if !matches!(kind, STRING | I18N) {
        return None;
    }
    let rest = crate::bytes::from(store, u64::from(at));
    let end = memchr::memchr(0, rest.get(..super::super::FIELD_BYTES).unwrap_or(rest))?;
    Some(String::from_utf8_lossy(rest.get(..end)?).into_owned())
}
