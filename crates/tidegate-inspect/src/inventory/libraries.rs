//! Libraries that are built into a program, by the texts with which they name their exact version. The table is data.
//!
//! A program that loads a library may hold the version it was made for; the table knows the loader's texts, and the library is
//! then not told. Still nobody vouches for a text: confidence is medium.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use tidegate_model::finding::Confidence;

use super::{Found, How};

/// Places of one file that are looked at.
const PLACES: usize = 20_000;

/// Libraries, in all their versions, that are told of one program.
const LIBRARIES_TOLD: usize = 64;

/// Bytes behind a mark in which a version stands.
const VERSION_BYTES: usize = 64;

static TABLE: &str = include_str!("libraries.txt");

static LIBRARIES: LazyLock<Libraries> = LazyLock::new(Libraries::read);

struct Libraries {
    marks: AhoCorasick,
    rows: Vec<Row>,
}

struct Row {
    name: &'static str,
    version: regex::bytes::Regex,
    loaders: Vec<&'static str>,
}

impl Libraries {
    fn read() -> Self {
        let (mut marks, mut rows) = (Vec::new(), Vec::new());
        for line in TABLE.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
            let mut cells = line.splitn(4, '|').map(str::trim);
            let mut cell = || cells.next().unwrap_or_default();
            let (name, mark, version, loaders) = (cell(), cell(), cell(), cell());
            marks.push(mark.replace('␣', " "));
            let version = format!("^(?-u){}", version.replace('␣', " "));
            rows.push(Row {
                name,
                version: regex::bytes::Regex::new(&version).expect("a test reads the table"),
                loaders: loaders.split_ascii_whitespace().collect(),
            });
        }
        Self { marks: AhoCorasick::new(marks).expect("a test reads the table"), rows }
    }
}

/// The libraries in a program.
pub(super) fn libraries(program: &[u8]) -> Vec<Found> {
    let table = &*LIBRARIES;
    let mut found: Vec<Found> = Vec::new();
    // Whether a row's loaders are there: looked for once, and only if its mark is.
    let mut loaded: Vec<Option<bool>> = vec![None; table.rows.len()];
    for (mark, span) in crate::bytes::matches(&table.marks, program).take(PLACES) {
        let number = mark.as_usize();
        let Some((row, loaded)) = table.rows.get(number).zip(loaded.get_mut(number)) else { continue };
        let rest = program.get(span.end..).unwrap_or_default();
        let rest = rest.get(..VERSION_BYTES).unwrap_or(rest);
        let Some(version) = row.version.captures(rest).and_then(|groups| groups.get(1)) else { continue };
        let version = String::from_utf8_lossy(version.as_bytes());
        let is_told =
            found.iter().any(|one| one.name == row.name && one.version.as_deref() == Some(&*version));
        if is_told || found.len() >= LIBRARIES_TOLD {
            continue;
        }
        let is_there = |text: &&str| memchr::memmem::find(program, text.as_bytes()).is_some();
        if *loaded.get_or_insert_with(|| row.loaders.iter().any(is_there)) {
            continue;
        }
        let mut one = Found::exact("generic", None, row.name, Some(&version), How::KnownText);
        one.confidence = Confidence::Medium;
        found.push(one);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(program: &[u8], expected: &[&str]) {
        let found: Vec<String> = libraries(program)
            .iter()
            .map(|one| format!("{}@{}", one.name, one.version.as_deref().unwrap_or_default()))
            .collect();
        assert_eq!(found, expected, "{}", String::from_utf8_lossy(program));
    }

    #[test]
    fn libraries_name_themselves() {
        check(b"\0OpenSSL 3.0.13 30 Jan 2024\0", &["openssl@3.0.13"]);
        check(b"\0OpenSSL 1.1.1w  11 Sep 2023\0", &["openssl@1.1.1w"]);
        check(b" deflate 1.3.1 Copyright 1995-2024 J\0 inflate 1.3.1 Copyright 1995-2024 M", &["zlib@1.3.1"]);
        check(b"libcurl/8.5.0\0", &["curl@8.5.0"]);
        check(b"\n libpng version 1.6.43\n", &["libpng@1.6.43"]);
        check(b"libjpeg-turbo version 3.0.1 (build 20240101)", &["libjpeg-turbo@3.0.1"]);
        check(b"LIBTIFF, Version 4.6.0\nCopyright", &["libtiff@4.6.0"]);
        check(b"expat_2.5.0\0", &["expat@2.5.0"]);
        check(b"$LuaVersion: Lua 5.4.6  Copyright (C)", &["lua@5.4.6"]);
        check(b"libssh2_1.11.0\0", &["libssh2@1.11.0"]);
        check(b"nghttp2/1.58.0\0", &["nghttp2@1.58.0"]);
        check(b"Mbed TLS 3.5.1\0", &["mbedtls@3.5.1"]);
        check(b"LibreSSL 3.8.2\0", &["libressl@3.8.2"]);
    }

    #[test]
    fn what_is_not_exact_is_not_told() {
        check(b"OpenSSL 3.0.13 30 Jan 2024\0libcrypto.so.3\0", &[]);
        check(b"needs OpenSSL 3 or later", &[]);
        check(b"deflate 1.2 ", &[]);
        check(b"libcurl/8.5.0-DEV\0", &[]);
        check(b"", &[]);
    }

    #[test]
    fn every_row_is_whole() {
        for row in &LIBRARIES.rows {
            assert!(!row.name.is_empty() && row.version.captures_len() == 2, "{}", row.name);
        }
        assert!(LIBRARIES.rows.len() >= 13);
    }
}
