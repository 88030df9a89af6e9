//! A leaf as other readers would decode it, so that a detector finds what is written in another way.
//!
//! Each view is made only where a cheap look finds it worth while, and only of the parts that are encoded. It keeps the way
//! back to the leaf's own bytes ([`View::locate`]), so that evidence can be pointed at. Memory is bounded: a view comes in
//! batches of about [`BATCH_BYTES`], and a run that goes on in the next batch repeats its last [`OVERLAP_BYTES`] there.

pub(crate) mod base64;
mod escapes;
mod hex;
mod map;
mod percent;
mod utf16;

use std::fmt;
use std::ops::Range;

use map::Map;

/// Bytes of a view that are made at a time.
pub const BATCH_BYTES: usize = 1 << 20;

/// Bytes of a run that are repeated in the next batch, so that nothing is cut in two.
pub const OVERLAP_BYTES: usize = 4 << 10;

/// How a view was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ViewKind {
    /// UTF-16 of either byte order, at any parity, without need of a byte order mark.
    Utf16,
    /// Base64, standard or for URLs, also over several lines.
    Base64,
    /// Hexadecimal digits.
    Hex,
    /// The escapes of JSON, JavaScript and Python texts.
    Escapes,
    /// Percent-encoding.
    Percent,
}

impl ViewKind {
    /// Every kind, in the order in which they are made.
    pub const ALL: &'static [Self] = &[Self::Utf16, Self::Base64, Self::Hex, Self::Escapes, Self::Percent];

    /// Its name in data and on pages.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Utf16 => "utf16",
            Self::Base64 => "base64",
            Self::Hex => "hex",
            Self::Escapes => "escapes",
            Self::Percent => "percent",
        }
    }
}

impl fmt::Display for ViewKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Decoded runs of a leaf, separated by line breaks.
#[derive(Debug)]
pub struct View<'a> {
    /// How it was made.
    pub kind: ViewKind,
    /// What it was made of, if that was itself a view: base64 within base64, UTF-16 within base64.
    pub outer: Option<&'a View<'a>>,
    /// The decoded bytes.
    pub text: &'a [u8],
    map: &'a Map,
}

impl View<'_> {
    /// The bytes of the leaf from which a range of [`text`](View::text) was decoded. It covers the encoded forms of both
    /// ends whole. A range outside the text is cut to it.
    #[must_use]
    pub fn locate(&self, range: Range<usize>) -> Range<usize> {
        let found = self.map.locate(range, self.text.len());
        match self.outer {
            Some(outer) => outer.locate(found),
            None => found,
        }
    }
}

/// Makes every view of a leaf that is worth while, and hands them to `visit`, in an order that depends on the bytes alone.
pub fn each(leaf: &[u8], visit: &mut dyn FnMut(&View<'_>)) {
    let source = Source { bytes: leaf, outer: None };
    utf16::make(&source, visit);
    base64::make(&source, &mut |view| {
        visit(view);
        let inner = Source { bytes: view.text, outer: Some(view) };
        utf16::make(&inner, visit);
        base64::make(&inner, visit);
    });
    hex::make(&source, visit);
    escapes::make(&source, visit);
    percent::make(&source, visit);
}

/// What a view is made of.
struct Source<'a> {
    bytes: &'a [u8],
    outer: Option<&'a View<'a>>,
}
