//! Stanzas of `Key: value` lines with an empty line between, as dpkg and apk write them, without a copy of the text.

use super::FIELD_BYTES;

/// Bytes of one stanza. The longest ones list the files of a package.
pub(super) const STANZA_BYTES: usize = 4 << 20;

/// The stanzas of a text.
pub(super) struct Stanzas<'a> {
    rest: &'a [u8],
}

/// One stanza.
#[derive(Clone, Copy)]
pub(super) struct Stanza<'a> {
    text: &'a [u8],
    /// It was longer than [`STANZA_BYTES`]; `text` is its beginning.
    pub(super) is_cut: bool,
}

impl<'a> Stanzas<'a> {
    pub(super) fn of(text: &'a [u8]) -> Self {
        Self { rest: text }
    }
}

impl<'a> Iterator for Stanzas<'a> {
    type Item = Stanza<'a>;

    fn next(&mut self) -> Option<Stanza<'a>> {
        let start = self.rest.iter().position(|byte| !matches!(byte, b'\n' | b'\r'))?;
        let text = self.rest.get(start..)?;
        let (stanza, rest) = match memchr::memmem::find(text, b"\n\n") {
            Some(end) => text.split_at_checked(end)?,
            None => (text, &[][..]),
        };
        self.rest = rest;
        tidegate_sys::residency::relieve();
        let is_cut = stanza.len() > STANZA_BYTES;
        Some(Stanza { text: stanza.get(..STANZA_BYTES).unwrap_or(stanza), is_cut })
    }
}

impl<'a> Stanza<'a> {
    /// The fields, in their order: key, first line of the value. Lines that go on a field are left out, and so are values that are
    /// too long or no text.
    pub(super) fn fields(self) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.text.split(|byte| *byte == b'\n').filter_map(|line| {
            let line = line.get(..FIELD_BYTES).map_or(line, |_| &[][..]);
            if line.first().is_none_or(u8::is_ascii_whitespace) {
                return None;
            }
            let (key, value) = std::str::from_utf8(line).ok()?.split_once(':')?;
            Some((key, value.trim()))
        })
    }
}
