//! One line of an index file: what it says, and how `yanked` is set in it without touching another byte.

use std::borrow::Cow;
use std::ops::Range;

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use tidegate_model::{Ecosystem, FileName, Sha256, Timestamp, Version};

/// The members of a line that are read; cargo reads more, and unknown members pass.
///
/// serde refuses a known member that stands twice, as cargo does, so no line can be read in two ways.
#[derive(Deserialize)]
struct Written<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    vers: Cow<'a, str>,
    #[serde(borrow)]
    cksum: Cow<'a, str>,
    #[serde(borrow, default, deserialize_with = "present")]
    yanked: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pubtime: Option<Cow<'a, str>>,
}

/// Keeps a written `null` apart from an absent member: a second member must never be inserted beside it.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

/// A line that is understood.
#[derive(Debug)]
pub(super) struct Line {
    /// The crate's name as its publisher spells it.
    pub(super) name: String,
    pub(super) version: Version,
    pub(super) file: FileName,
    pub(super) checksum: Sha256,
    pub(super) yanked: bool,
    pub(super) published_at: Option<Timestamp>,
    /// What to replace, relative to the line, so that it says `yanked`.
    mark: Mark,
}

#[derive(Debug)]
enum Mark {
    /// It says so already.
    Set,
    /// The value's place.
    Replace(Range<usize>),
    /// Right behind the opening brace.
    Insert(usize),
}

impl Line {
    /// Reads a line; `None` where it cannot be understood, which cargo would pass over too.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok()?;
        let written: Written<'_> = serde_json::from_str(text).ok()?;
        let version = Version::parse(Ecosystem::Cargo, &written.vers);
        let named = tidegate_model::PackageName::parse(Ecosystem::Cargo, &written.name).is_ok();
        if !version.is_valid() || !named {
            return None;
        }
        let (yanked, mark) = match written.yanked.map(|raw| (raw.get(), place(text, raw.get()))) {
            None => (false, Mark::Insert(text.find('{')? + 1)),
            Some(("true", _)) => (true, Mark::Set),
            Some(("false" | "null", place)) => (false, Mark::Replace(place)),
            Some(_) => return None,
        };
        Some(Self {
            file: FileName::parse(&format!("{}-{}.crate", written.name, written.vers)).ok()?,
            checksum: Sha256::from_hex(&written.cksum)?,
            published_at: written.pubtime.and_then(|time| time.parse().ok()),
            name: written.name.into_owned(),
            version,
            yanked,
            mark,
        })
    }

    /// Writes the line's bytes with `yanked` set.
    pub(super) fn write_yanked(&self, bytes: &[u8], out: &mut Vec<u8>) {
        match &self.mark {
            Mark::Set => out.extend_from_slice(bytes),
            Mark::Replace(place) => {
                out.extend_from_slice(&bytes[..place.start]);
                out.extend_from_slice(b"true");
                out.extend_from_slice(&bytes[place.end..]);
            }
            Mark::Insert(at) => {
                out.extend_from_slice(&bytes[..*at]);
                out.extend_from_slice(b"\"yanked\":true,");
                out.extend_from_slice(&bytes[*at..]);
            }
        }
    }
}

/// Where `part`, a slice borrowed from `whole`, lies in it.
fn place(whole: &str, part: &str) -> Range<usize> {
    let start = part.as_ptr() as usize - whole.as_ptr() as usize;
    start..start + part.len()
}
