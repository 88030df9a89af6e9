use std::fmt::Write as _;

use super::*;
use crate::report::{Leaf, Place};

mod rpms;

fn leaf<'a>(path: &'a str, bytes: &'a [u8]) -> Leaf<'a> {
    Leaf { path, bytes, format: crate::Format::of_leaf(bytes), place: Place::default() }
}

/// Package URLs that an account gives, with licences, and gaps.
fn told(account: Account, bytes: &[u8]) -> (Vec<String>, Vec<String>) {
    let read = read(account, &leaf("x", bytes));
    let one = |package: &Package| {
        let component = package.found().component("x").unwrap();
        let licence = component.licence.map(|licence| format!(" {licence}")).unwrap_or_default();
        format!("{}{licence}", component.purl.unwrap())
    };
    (read.packages.iter().map(one).collect(), read.gaps)
}

#[test]
fn a_place_says_what_an_account_is() {
    for (path, expected) in [
        ("var/lib/dpkg/status", Some(Account::Dpkg)),
        ("./var/lib/dpkg/status", Some(Account::Dpkg)),
        ("package/var/lib/dpkg/status", Some(Account::Dpkg)),
        ("var/lib/dpkg/status-old", None),
        ("home/a/var/lib/dpkg/status", None),
        ("var/lib/dpkg/status.d/base-files", Some(Account::Dpkg)),
        ("var/lib/dpkg/status.d/base-files.md5sums", None),
        ("lib/apk/db/installed", Some(Account::Apk)),
        ("usr/lib/apk/db/installed", Some(Account::Apk)),
        ("var/lib/rpm/Packages", Some(Account::RpmBerkeley)),
        ("var/lib/rpm/rpmdb.sqlite", Some(Account::RpmSqlite)),
        ("usr/lib/sysimage/rpm/Packages.db", Some(Account::RpmNdb)),
        ("usr/lib/sysimage/rpm/rpmdb.sqlite-wal", Some(Account::RpmLog)),
        ("Packages", None),
        ("etc/os-release", Some(Account::OsRelease)),
        ("usr/lib/os-release", Some(Account::OsRelease)),
        ("os-release", None),
    ] {
        assert_eq!(Account::of(path), expected, "{path}");
    }
}

#[test]
fn dpkg_tells_what_is_installed() {
    let status = "Package: libssl3\nStatus: install ok installed\nArchitecture: amd64\nMulti-Arch: same\nSource: openssl\n\
        Version: 3.0.11-1~deb12u2\nDescription: Secure\n Version: 9\n more\n\n\
        Package: gone\nStatus: deinstall ok config-files\nVersion: 1\nArchitecture: all\n\n\
        Package: never\nStatus: purge ok not-installed\nArchitecture: all\n\n\n\
        Package: half\nStatus: install ok half-configured\nVersion: 1:2-3+b1\nArchitecture: amd64\nSource: half (1:2-3)\n\n\
        Package: bare\nVersion: 0.1\n";
    let (packages, gaps) = told(Account::Dpkg, status.as_bytes());
    assert_eq!(
        packages,
        [
            "pkg:deb/libssl3@3.0.11-1~deb12u2?arch=amd64&upstream=openssl",
            "pkg:deb/half@1:2-3%2Bb1?arch=amd64&upstream=half%401:2-3",
            "pkg:deb/bare@0.1",
        ]
    );
    assert!(gaps.is_empty());
}

#[test]
fn apk_tells_what_is_installed() {
    let installed = "C:Q1abc=\nP:libcrypto3\nV:3.1.4-r5\nA:x86_64\nS:1\nI:2\nT:Crypto library\nU:https://x.invalid/\n\
        L:Apache-2.0\no:openssl\nm:A <a@x.invalid>\np:so:libcrypto.so.3=3\nF:lib\nR:libcrypto.so.3\nP:not-a-package\n\n\
        P:busybox\nV:1.36.1-r15\nA:x86_64\nL:GPL-2.0-only\no:busybox\n";
    let (packages, gaps) = told(Account::Apk, installed.as_bytes());
    assert_eq!(
        packages,
        [
            "pkg:apk/libcrypto3@3.1.4-r5?arch=x86_64&upstream=openssl Apache-2.0",
            "pkg:apk/busybox@1.36.1-r15?arch=x86_64 GPL-2.0-only",
        ]
    );
    assert!(gaps.is_empty());
}

#[test]
fn a_distribution_completes_package_urls() {
    for (text, purl, expected) in [
        (
            "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nVERSION_ID=\"12\"\nID=debian\n",
            "pkg:deb/libssl3@3.0.11-1?arch=amd64&upstream=openssl",
            "pkg:deb/debian/libssl3@3.0.11-1?arch=amd64&distro=debian-12&upstream=openssl",
        ),
        ("ID=\"rhel\"\nVERSION_ID='9.4'\n", "pkg:rpm/x@1-1", "pkg:rpm/redhat/x@1-1?distro=rhel-9.4"),
        (
            "ID=\"opensuse-leap\"\nVERSION_ID=\"15.6\"",
            "pkg:rpm/x@1-1?epoch=1",
            "pkg:rpm/opensuse/x@1-1?distro=opensuse-leap-15.6&epoch=1",
        ),
        // A second time, by another system's file.
        (
            "ID=debian\nVERSION_ID=13",
            "pkg:deb/debian/x@1?distro=debian-12",
            "pkg:deb/debian/x@1?distro=debian-13",
        ),
        ("ID=arch\n", "pkg:npm/x@1", "pkg:npm/x@1"),
    ] {
        let distro = os_release::read(text.as_bytes(), "x").unwrap();
        assert_eq!(distro.placed(purl), expected);
    }
    for nothing in ["", "NAME=x", "ID=", "ID=a b", "ID=\"../x\""] {
        assert_eq!(os_release::read(nothing.as_bytes(), "x"), None, "{nothing}");
    }
}

#[test]
fn accounts_without_an_end_are_bounded() {
    // One stanza that never ends, and nothing else.
    let endless = [b"Package: a\nVersion: 1\n".to_vec(), b"Conffiles: x\n".repeat(700_000)].concat();
    let (packages, gaps) = told(Account::Dpkg, &endless);
    assert_eq!((packages.len(), gaps.len()), (1, 1), "{gaps:?}");
    // A line without an end holds no field.
    let line = [b"Package: ".to_vec(), vec![b'a'; 1 << 20], b"\nVersion: 1\n".to_vec()].concat();
    assert_eq!(told(Account::Dpkg, &line), (vec![], vec![]));
    // More packages than any system has.
    let mut many = String::new();
    for number in 0..PACKAGES + 10 {
        write!(many, "P:a{number}\nV:1\n\n").unwrap();
    }
    let (packages, gaps) = told(Account::Apk, many.as_bytes());
    assert_eq!((packages.len(), gaps.len()), (PACKAGES, 1), "{gaps:?}");
    for rubbish in [&b""[..], b"\n\n\n", b"\0\0\0", b": : :", b"Package:\nVersion:\n", b"\xff\xfe"] {
        for account in [Account::Dpkg, Account::Apk] {
            assert_eq!(told(account, rubbish), (vec![], vec![]));
        }
    }
}

#[test]
fn an_account_of_300_mib_is_read_to_its_bound() {
    let mut huge = b"Package: first\nVersion: 1\n\n".to_vec();
    huge.resize(300 << 20, b'x');
    let read = read(Account::Dpkg, &leaf("var/lib/dpkg/status", &huge));
    assert_eq!(read.packages.len(), 1);
    assert!(read.gaps.iter().any(|gap| gap.contains("128 MiB")), "{:?}", read.gaps);
}

/// What dpkg itself says of this machine, where it is one of dpkg's.
#[test]
fn dpkg_and_we_agree_on_this_machine() {
    let Ok(status) = std::fs::read("/var/lib/dpkg/status") else {
        eprintln!("SKIPPED: this machine has no dpkg, so nothing was compared with it");
        return;
    };
    let format =
        "${db:Status-Status} ${Package} ${Version} ${Architecture} ${source:Package} ${source:Version}\n";
    let said = std::process::Command::new("dpkg-query").args(["-W", "-f", format]).output();
    let Ok(said) = said else {
        eprintln!("SKIPPED: there is no dpkg-query, so nothing was compared with it");
        return;
    };
    let text = String::from_utf8(said.stdout).unwrap();
    let mut theirs: Vec<Vec<&str>> = text
        .lines()
        .filter_map(|line| line.strip_prefix("installed "))
        .map(|line| line.split(' ').collect())
        .collect();
    let packages = read(Account::Dpkg, &leaf("var/lib/dpkg/status", &status)).packages;
    let sources: Vec<(String, String)> = packages
        .iter()
        .map(|package| match package.source.as_deref().map(|source| source.split_once('@')) {
            Some(Some((name, version))) => (name.to_owned(), version.to_owned()),
            Some(None) => (package.source.clone().unwrap(), package.version.clone()),
            None => (package.name.clone(), package.version.clone()),
        })
        .collect();
    let mut ours: Vec<Vec<&str>> = packages
        .iter()
        .zip(&sources)
        .map(|(package, (source, of_source))| {
            let architecture = package.architecture.as_deref().unwrap();
            vec![package.name.as_str(), package.version.as_str(), architecture, source, of_source]
        })
        .collect();
    theirs.sort();
    ours.sort();
    assert_eq!(ours, theirs);
    assert!(!ours.is_empty());
}
