//! RPM's database of installed packages: a header of each, kept in one of three forms.
//!
//! `rpmdb.sqlite` since RPM 4.16, `Packages.db` on SUSE, `Packages` before both. Each form's reader finds the headers and
//! knows nothing of what is in them.

mod berkeley;
mod header;
mod ndb;
mod sqlite;

use std::borrow::Cow;

use super::Read;

/// Bytes of one header. The largest packages list some hundred thousand files.
const HEADER_BYTES: usize = 32 << 20;

/// Bytes of headers that are put together of one database.
const TOTAL_BYTES: usize = 1 << 30;

/// Takes the headers that a reader finds.
struct Headers<'r> {
    read: &'r mut Read,
    /// Bytes that may still be put together.
    left: usize,
}

impl<'r> Headers<'r> {
    fn new(read: &'r mut Read) -> Self {
        Self { read, left: TOTAL_BYTES }
    }

    /// Takes one. False where no more are wanted.
    fn take(&mut self, bytes: &[u8]) -> bool {
        let Some(left) = self.left.checked_sub(bytes.len()) else {
            self.read.lacks("the account holds more than is read of it");
            return false;
        };
        self.left = left;
        tidegate_sys::residency::relieve();
        match header::package(bytes) {
            Some(header::Package::Installed(package)) => self.read.keep(package),
            Some(header::Package::Key) => true,
            None => {
                self.damaged("a package of the account cannot be read");
                true
            }
        }
    }

    fn damaged(&mut self, what: impl Into<Cow<'static, str>>) {
        self.read.lacks(what.into());
    }
}

pub(super) fn sqlite(bytes: &[u8], read: &mut Read) {
    sqlite::headers(bytes, &mut Headers::new(read));
}

pub(super) fn ndb(bytes: &[u8], read: &mut Read) {
    ndb::headers(bytes, &mut Headers::new(read));
}

pub(super) fn berkeley(bytes: &[u8], read: &mut Read) {
    berkeley::headers(bytes, &mut Headers::new(read));
}

/// SQLite's log beside the database. One that was written back is empty.
pub(super) fn log(bytes: &[u8], read: &mut Read) {
    if !bytes.is_empty() {
        read.lacks("changes that lie in a log beside the account are not read");
    }
}
