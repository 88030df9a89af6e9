//! Packages that the system of an image installed, as its package manager keeps account of them.
//!
//! Which file is an account, its place says: package managers look nowhere else. A place may lie one folder down, so that a
//! root file system in a folder is read like one in a layer.
//!
//! Refused: to guess the distribution. It stands in `os-release`, which may lie in another layer; without it a package has a
//! package URL that names none, and no advisory is asked about it.

mod apk;
mod dpkg;
mod os_release;
mod rpm;
mod stanzas;

pub use os_release::Distro;

use tidegate_model::licence;

use super::{Found, How};
use crate::manifests::segments;
use crate::report::Leaf;

/// Bytes of an account that is read. That of the largest systems has some tens of mebibytes.
pub(super) const DATABASE_BYTES: usize = 128 << 20;

/// Packages that are taken from one account. The largest systems have some thousands.
const PACKAGES: usize = 20_000;

/// Bytes of a field that is believed.
const FIELD_BYTES: usize = 4 << 10;

/// What a file says of the system that it belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Account {
    /// dpkg's `status`, or a part of it as images without dpkg carry it.
    Dpkg,
    /// apk's `installed`.
    Apk,
    /// RPM's database in SQLite.
    RpmSqlite,
    /// RPM's database in its own form, `ndb`.
    RpmNdb,
    /// RPM's database in a hash of Berkeley DB.
    RpmBerkeley,
    /// What SQLite has not yet written into RPM's database.
    RpmLog,
    /// Which distribution it is.
    OsRelease,
}

impl Account {
    /// Of a file, by its path within the innermost container.
    pub(super) fn of(inner: &str) -> Option<Self> {
        let parts: Vec<&str> = segments(inner).collect();
        match parts.as_slice() {
            ["var", "lib", "dpkg", "status"] | [_, "var", "lib", "dpkg", "status"] => Some(Self::Dpkg),
            ["var", "lib", "dpkg", "status.d", file] | [_, "var", "lib", "dpkg", "status.d", file] => {
                // Beside each part lies a list of its files.
                (!file.ends_with(".md5sums") && !file.ends_with(".list")).then_some(Self::Dpkg)
            }
            [.., "lib", "apk", "db", "installed"] if parts.len() <= 6 => Some(Self::Apk),
            [.., "var", "lib", "rpm", file]
            | [.., "usr", "lib", "sysimage", "rpm", file]
            | [.., "usr", "share", "rpm", file]
                if parts.len() <= 6 =>
            {
                Self::of_rpm(file)
            }
            ["etc", "os-release"]
            | [_, "etc", "os-release"]
            | ["usr", "lib", "os-release"]
            | [_, "usr", "lib", "os-release"] => Some(Self::OsRelease),
            _ => None,
        }
    }

    fn of_rpm(file: &str) -> Option<Self> {
        Some(match file {
            "rpmdb.sqlite" => Self::RpmSqlite,
            "rpmdb.sqlite-wal" => Self::RpmLog,
            "Packages.db" => Self::RpmNdb,
            "Packages" => Self::RpmBerkeley,
            _ => return None,
        })
    }
}

/// What reading an account came to.
#[derive(Debug, Default)]
pub(super) struct Read {
    pub(super) packages: Vec<Package>,
    pub(super) distro: Option<Distro>,
    /// What was not read, as fragments.
    pub(super) gaps: Vec<String>,
}

impl Read {
    fn lacks(&mut self, what: impl Into<String>) {
        let what = what.into();
        if !self.gaps.contains(&what) {
            self.gaps.push(what);
        }
    }

    /// Keeps a package. False where there are too many.
    fn keep(&mut self, package: Package) -> bool {
        if self.packages.len() >= PACKAGES {
            self.lacks(format!("only the first {PACKAGES} packages of the account are read"));
            return false;
        }
        self.packages.push(package);
        true
    }
}

/// Reads an account.
pub(super) fn read(account: Account, leaf: &Leaf<'_>) -> Read {
    let mut read = Read::default();
    let bytes = match leaf.bytes.get(..DATABASE_BYTES) {
        Some(first) if leaf.bytes.len() > DATABASE_BYTES => {
            read.lacks(format!("only the first {} MiB of the account are read", DATABASE_BYTES >> 20));
            first
        }
        _ => leaf.bytes,
    };
    match account {
        Account::Dpkg => dpkg::read(bytes, &mut read),
        Account::Apk => apk::read(bytes, &mut read),
        Account::RpmSqlite => rpm::sqlite(bytes, &mut read),
        Account::RpmNdb => rpm::ndb(bytes, &mut read),
        Account::RpmBerkeley => rpm::berkeley(bytes, &mut read),
        Account::RpmLog => rpm::log(bytes, &mut read),
        Account::OsRelease => read.distro = os_release::read(bytes, leaf.path),
    }
    read
}

/// A package as its manager keeps account of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Package {
    /// Type of the package URL: `deb`, `apk`, `rpm`.
    kind: &'static str,
    name: String,
    /// Version with its release, without its epoch where that stands apart.
    version: String,
    architecture: Option<String>,
    epoch: Option<u64>,
    /// What it was built from, `name` or `name@version`, where that is not its own name and version.
    source: Option<String>,
    licence: Option<String>,
}

impl Package {
    /// As every component is told. Its package URL names no distribution yet: see [`Distro::placed`].
    pub(super) fn found(&self) -> Found {
        let mut found = Found::exact(self.kind, None, &self.name, Some(&self.version), How::PackageDatabase);
        found.qualifiers = [
            ("arch", self.architecture.clone()),
            ("epoch", self.epoch.filter(|epoch| *epoch > 0).map(|epoch| epoch.to_string())),
            ("upstream", self.source.clone()),
        ]
        .into_iter()
        .filter_map(|(key, value)| Some((key, value.filter(|value| !value.is_empty())?)))
        .collect();
        let said = self.licence.as_deref().map(licence::read);
        found.licence = said.and_then(|reading| reading.expression().map(str::to_owned));
        found
    }
}

#[cfg(test)]
mod tests;
