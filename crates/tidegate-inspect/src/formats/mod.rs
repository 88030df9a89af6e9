//! The readers, one file each. A reader knows one format and nothing of budgets but to ask the walk before it goes on.

mod ar;
mod asar;
mod bzip2;
mod cpio;
mod git_pack;
mod gzip;
mod image;
mod lz4;
mod lzma;
mod names;
mod notebook;
mod pdf;
mod png;
mod rpm;
mod seven_zip;
mod source_map;
mod streams;
mod tar;
mod unreadable;
mod xz;
mod zip;
mod zlib;
mod zstd;

use std::ops::ControlFlow;

use crate::format::Format;
use crate::walk::{Node, Walk};

/// What a reader made of the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Everything in them was handed on, as members or as parts beside them.
    Whole,
    /// Not everything, or the bytes are worth reading as they are: they are a leaf too.
    Part,
}

/// How reading ends: `Break` ends the whole walk.
pub(crate) type Read = ControlFlow<(), Outcome>;

/// One format.
pub(crate) trait Reader: Sync {
    /// Which.
    fn format(&self) -> Format;

    /// A cheap test of the content.
    fn matches(&self, bytes: &[u8]) -> bool;

    /// Whether it holds members with names, so that a compressed file of it needs no path segment of its own.
    fn is_archive(&self) -> bool {
        false
    }

    /// Hands on what the bytes hold.
    fn read(&self, node: &Node<'_>, walk: &mut Walk<'_>) -> Read;
}

/// Every reader, in the order in which they run on a polyglot.
static READERS: &[&dyn Reader] = &[
    &gzip::Gzip,
    &xz::Xz,
    &lzma::Lzma,
    &bzip2::Bzip2,
    &zstd::Zstd,
    &lz4::Lz4,
    &tar::Tar,
    &zip::Zip,
    &ar::Ar,
    &cpio::Cpio,
    &rpm::Rpm,
    &seven_zip::SevenZip,
    &asar::Asar,
    &zlib::GitObject,
    &zlib::Zlib,
    &zlib::OldJoblib,
    &git_pack::GitPack,
    &png::Png,
    &pdf::Pdf,
    &source_map::SourceMap,
    &source_map::InlineSourceMap,
    &notebook::Notebook,
    &image::ImageConfig,
    &unreadable::Unreadable,
];

/// Whether bytes begin a tar.
pub(crate) fn is_tar(bytes: &[u8]) -> bool {
    tar::Tar.matches(bytes)
}

/// The readers that want these bytes.
pub(crate) fn matching(bytes: &[u8]) -> impl Iterator<Item = &'static dyn Reader> + '_ {
    READERS.iter().copied().filter(move |reader| reader.matches(bytes))
}
